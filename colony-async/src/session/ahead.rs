//! Renewing the token before it goes stale, in the background.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::future::select;
use tokio::sync::oneshot;

use super::{Session, events};

/// The longest sleep at a time. The wall clock is looked at again after each: a timer does not run
/// while a machine is suspended, and the clock may be set.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// The pauses after a failed renewal: from the first they double to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LAST_PAUSE: Duration = Duration::from_secs(600);

/// The background task's handle. Dropped with the session, which ends the task.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Option<oneshot::Sender<()>>>);

impl Ahead {
    /// Starts the task, unless it runs.
    pub(super) fn start(&self, session: &Arc<Session>) {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The task ends with the runtime it was started on; the next call, on another, starts it anew.
        if sender.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return;
        }
        let (alive, ended) = oneshot::channel();
        *sender = Some(alive);
        // Weak, so that the task does not keep alive what ends it.
        tokio::spawn(run(Arc::downgrade(session), ended));
    }
}

async fn run(session: Weak<Session>, ended: oneshot::Receiver<()>) {
    // Ends at any point, also in the middle of a renewal (whose login, in a task of its own, goes on).
    select(Box::pin(renew_forever(session)), ended).await;
}

async fn renew_forever(session: Weak<Session>) {
    let random = fastrand::f64();
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(session) = session.upgrade() else { return };
        let sleep = session.timer.sleep(step(&session, random, &mut pause).await);
        drop(session);
        sleep.await;
    }
}

/// Renews the token if that is due, and says how long to sleep before the next look.
async fn step(session: &Arc<Session>, random: f64, pause: &mut Duration) -> Duration {
    // Forgotten or not yet there: the next call gets one.
    let Some(held) = session.held.load_full() else { return LOOK_AGAIN };
    let now = session.now();
    let due = held.lifetime.refresh_at(now, random);
    if now < due {
        return Duration::from_secs_f64(due - now).min(LOOK_AGAIN);
    }
    match session.renew(Arc::clone(&held)).await {
        // A stale token that serves on is no renewal.
        Ok(new) if !new.is(&held.token) => {
            events::renewal(None);
            *pause = FIRST_PAUSE;
            // A token that is born stale must not make this a busy loop.
            Duration::from_secs(1)
        }
        Ok(_) => next_pause(pause),
        Err(error) => {
            events::renewal(Some(&error));
            next_pause(pause)
        }
    }
}

fn next_pause(pause: &mut Duration) -> Duration {
    let jittered = pause.mul_f64(0.5 + fastrand::f64());
    *pause = (*pause * 2).min(LAST_PAUSE);
    jittered
}
