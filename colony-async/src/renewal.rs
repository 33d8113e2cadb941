//! Background renewal, before calls have to do it.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::future::select;
use tokio::sync::oneshot;

use crate::{
    background,
    time::{Timer, unix},
};

/// The longest single sleep. The wall clock is checked again after each: a timer does not run while a machine is
/// suspended, and the clock can be set.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// The pauses after a failed renewal: they double from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LAST_PAUSE: Duration = Duration::from_secs(600);
/// The longest pause that a server can request: a bad value must not end the renewals for good.
const LONGEST_WISH: Duration = Duration::from_secs(60 * 60);

/// A source of tokens that can be renewed.
pub(crate) trait Renewing: Send + Sync + 'static {
    /// The type of the token.
    type Token: Send + Sync + 'static;

    /// Returns the clock.
    fn timer(&self) -> &dyn Timer;

    /// Returns the present token; `None` if there is none. The same token is the same `Arc`.
    fn present(&self) -> Option<Arc<Self::Token>>;

    /// Returns when to renew this token, Unix seconds, given a random number from 0 to 1. Called once for each token:
    /// with a new random number at each check, the moment would recede.
    fn due(&self, token: &Self::Token, random: f64) -> f64;

    /// Renews the token. `Err` contains the least pause before the next attempt.
    fn renew(self: Arc<Self>, token: Arc<Self::Token>) -> impl Future<Output = Result<(), Duration>> + Send;
}

/// The background work, on a separate thread. It ends when this is dropped or [`end`](Self::end)ed.
#[derive(Default)]
pub(crate) struct Renewal(Mutex<Option<oneshot::Sender<()>>>);

impl Renewal {
    /// Ends the background work. A renewal already under way continues, on a separate thread.
    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Starts the background work, unless it runs. If no thread can be started, calls renew the token themselves.
    pub(crate) fn start<R: Renewing>(&self, what: &Arc<R>) {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return;
        }
        let (alive, ended) = oneshot::channel();
        *sender = Some(alive);
        // Weak, so that the work does not keep its owner alive.
        let renewing = renew_forever(Arc::downgrade(what));
        drop(background::spawn(move || async move {
            select(Box::pin(renewing), ended).await;
        }));
    }
}

async fn renew_forever<R: Renewing>(weak: Weak<R>) {
    let mut plan = Plan::<R> { token: None, due: f64::INFINITY, pause: FIRST_PAUSE };
    loop {
        let Some(what) = weak.upgrade() else { return };
        let pause = plan.step(&what).await;
        let (before, sleep) = (unix(what.timer()), what.timer().sleep(pause));
        drop(what);
        sleep.await;
        // A timer for tests, on which pauses take no time, must not turn this into a busy loop.
        let is_skipped = |what: Arc<R>| unix(what.timer()) - before < pause.as_secs_f64() / 2.0;
        if weak.upgrade().is_some_and(is_skipped) {
            tokio::time::sleep(pause).await;
        }
    }
}

/// When to renew the present token.
struct Plan<R: Renewing> {
    token: Option<Arc<R::Token>>,
    due: f64,
    pause: Duration,
}

impl<R: Renewing> Plan<R> {
    /// Renews the token if that is due, and returns how long to sleep before the next check.
    async fn step(&mut self, what: &Arc<R>) -> Duration {
        let Some(token) = what.present() else { return LOOK_AGAIN };
        let now = unix(what.timer());
        if !self.token.as_ref().is_some_and(|planned| Arc::ptr_eq(planned, &token)) {
            self.due = what.due(&token, what.timer().random());
            self.token = Some(Arc::clone(&token));
        }
        if now < self.due {
            return colony_core::credential::timing::delay(self.due, now, LOOK_AGAIN);
        }
        match Arc::clone(what).renew(token).await {
            Ok(()) => {
                self.pause = FIRST_PAUSE;
                // A token that is stale from the start must not turn this into a busy loop.
                FIRST_PAUSE
            }
            Err(asked) => {
                let jittered = self.pause.mul_f64(0.5 + what.timer().random());
                self.pause = (self.pause * 2).min(LAST_PAUSE);
                jittered.max(asked.min(LONGEST_WISH))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::{Pin, pin},
        sync::atomic::{AtomicU32, Ordering},
        time::SystemTime,
    };

    use futures_util::FutureExt;

    use super::*;

    /// A clock that stands still, with pauses that take no time, as in a scripted client.
    #[derive(Default)]
    struct Skipping(AtomicU32);

    impl Timer for Skipping {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            assert!(self.0.fetch_add(1, Ordering::Relaxed) < 1_000, "a loop without a pause");
            Box::pin(async {})
        }
    }

    impl Renewing for Skipping {
        type Token = ();

        fn timer(&self) -> &dyn Timer {
            self
        }

        fn present(&self) -> Option<Arc<()>> {
            Some(Arc::new(()))
        }

        fn due(&self, (): &(), _: f64) -> f64 {
            0.0
        }

        async fn renew(self: Arc<Self>, _: Arc<()>) -> Result<(), Duration> {
            Ok(())
        }
    }

    #[test]
    fn where_pauses_take_no_time_it_pauses_all_the_same() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let what = Arc::new(Skipping::default());
        runtime.block_on(async {
            let mut renewing = pin!(renew_forever(Arc::downgrade(&what)));
            assert!(renewing.as_mut().now_or_never().is_none());
            assert_eq!(what.0.load(Ordering::Relaxed), 1);
        });
    }
}
