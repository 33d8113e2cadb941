//! Refreshing in the background: before calls have to, and before the refresh token runs out.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use colony_core::credential::{Credential, timing};
use futures_util::future::select;
use tokio::sync::oneshot;

use super::{events, rotating::Shared, rotation::Purpose};

/// The longest sleep at a time. The wall clock is looked at again after each: a timer does not run while a
/// machine is suspended, and the clock may be set.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// The pauses after a failed refresh: from the first they double to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LAST_PAUSE: Duration = Duration::from_secs(600);

/// The background task's handle.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Option<oneshot::Sender<()>>>);

impl Ahead {
    /// Ends the task. A refresh that it has set out goes on, on a thread of its own.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Starts the task, unless it runs.
    pub(super) fn start(&self, shared: &Arc<Shared>) {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The task ends with the runtime it was started on; the next call, on another, starts it anew.
        if sender.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return;
        }
        let (alive, ended) = oneshot::channel();
        *sender = Some(alive);
        // Weak, so that the task does not keep alive what ends it.
        let renewing = renew_forever(Arc::downgrade(shared));
        tokio::spawn(async move {
            select(Box::pin(renewing), ended).await;
        });
    }
}

async fn renew_forever(shared: Weak<Shared>) {
    let mut plan = Plan { credential: None, due: f64::INFINITY, reason: "ahead", pause: FIRST_PAUSE };
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let sleep = shared.settings.store.timer.sleep(plan.step(&shared).await);
        drop(shared);
        sleep.await;
    }
}

/// When the present credential is to be refreshed.
struct Plan {
    credential: Option<Arc<Credential>>,
    /// Drawn once for a credential: drawn again at each look, it would recede.
    due: f64,
    reason: &'static str,
    pause: Duration,
}

impl Plan {
    /// Refreshes if that is due, and says how long to sleep before the next look.
    async fn step(&mut self, shared: &Arc<Shared>) -> Duration {
        let Some(held) = shared.held.load_full() else { return LOOK_AGAIN };
        let now = shared.now();
        if !self.credential.as_ref().is_some_and(|planned| Arc::ptr_eq(planned, &held)) {
            self.draw(shared, &held);
            self.credential = Some(Arc::clone(&held));
        }
        if now < self.due {
            return timing::delay(self.due, now, LOOK_AGAIN);
        }
        match shared.fly(Purpose::NewerThan(held)).await {
            Ok(_) => {
                events::renewal(self.reason, None, Duration::ZERO);
                self.pause = FIRST_PAUSE;
                // A token that is born stale must not make this a busy loop.
                FIRST_PAUSE
            }
            Err(failure) => {
                let asked = failure.error.retry_after().unwrap_or_default();
                let wait = self.next_pause(shared).max(asked);
                events::renewal(self.reason, Some(&failure.error), wait);
                wait
            }
        }
    }

    fn draw(&mut self, shared: &Shared, held: &Credential) {
        let settings = &shared.settings;
        let random = || settings.store.timer.random();
        let ahead = if settings.ahead { timing::ahead_due(held, random()) } else { f64::INFINITY };
        let kept = settings
            .keep_alive
            .then(|| timing::keep_alive_due(held, settings.refresh_token_lifetime, random()));
        let kept = kept.flatten().unwrap_or(f64::INFINITY);
        (self.due, self.reason) = if kept < ahead { (kept, "keep_alive") } else { (ahead, "ahead") };
    }

    fn next_pause(&mut self, shared: &Shared) -> Duration {
        let jittered = self.pause.mul_f64(0.5 + shared.settings.store.timer.random());
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        jittered
    }
}
