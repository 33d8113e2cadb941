//! Renewing the token before it goes stale, in the background.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::future::select;
use tokio::sync::oneshot;

use super::{Held, Session, events};

/// The longest sleep at a time. The wall clock is looked at again after each: a timer does not run
/// while a machine is suspended, and the clock may be set.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// The pauses after a failed renewal: from the first they double to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LAST_PAUSE: Duration = Duration::from_secs(600);

/// The background task's handle. Ended with the client: the session may live a little longer, in a login
/// that is under way.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Option<oneshot::Sender<()>>>);

impl Ahead {
    /// Ends the task.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

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
    let mut plan = Plan { token: None, due: 0.0, pause: FIRST_PAUSE };
    loop {
        let Some(session) = session.upgrade() else { return };
        let sleep = session.timer.sleep(plan.step(&session).await);
        drop(session);
        sleep.await;
    }
}

/// When the present token is to be renewed.
struct Plan {
    token: Option<Arc<Held>>,
    /// Drawn once for a token: drawn again at each look, it would recede.
    due: f64,
    pause: Duration,
}

impl Plan {
    /// Renews the token if that is due, and says how long to sleep before the next look.
    async fn step(&mut self, session: &Arc<Session>) -> Duration {
        // Forgotten or not yet there: the next call gets one.
        let Some(held) = session.held.load_full() else { return LOOK_AGAIN };
        let now = session.now();
        if !self.token.as_ref().is_some_and(|planned| Arc::ptr_eq(planned, &held)) {
            self.due = held.lifetime.refresh_at(now, session.timer.random());
            self.token = Some(Arc::clone(&held));
        }
        if now < self.due {
            return Duration::from_secs_f64(self.due - now).min(LOOK_AGAIN);
        }
        match session.renew(Arc::clone(&held)).await {
            // A stale token that serves on is no renewal.
            Ok(new) if !new.is(&held.token) => {
                events::renewal(None);
                self.pause = FIRST_PAUSE;
                // A token that is born stale must not make this a busy loop of logins.
                FIRST_PAUSE
            }
            Ok(_) => self.next_pause(session),
            Err(error) => {
                events::renewal(Some(&error));
                self.next_pause(session)
            }
        }
    }

    fn next_pause(&mut self, session: &Session) -> Duration {
        let jittered = self.pause.mul_f64(0.5 + session.timer.random());
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        jittered
    }
}
