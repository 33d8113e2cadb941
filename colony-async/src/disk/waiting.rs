//! Waits for a lock file: the one driver for the login, the exchange and the store of credentials.

use std::{fs::TryLockError, io, ops::ControlFlow, time::Duration};

use super::lock::{Announcement, Lock};
use crate::time::{Stopwatch, Timer};

/// The first pause between tries for the lock, and the longest; pauses grow from one to the other.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(100);
/// How long the same announcement must remain after its time has passed before its holder counts as stuck.
const DOUBT: Duration = Duration::from_secs(1);

/// How the waiting ended.
pub(crate) enum Waited<T> {
    /// This process has the lock, after waiting this long.
    Held(Lock, Duration),
    /// The result of `look`.
    Found(T),
    /// Another process kept the lock for this long.
    GaveUp(Duration),
    /// Locking is not available.
    Unavailable(io::Error),
}

/// Tries for the lock, with jittered pauses, and calls `look` after each try to check whether the lock is still
/// needed. In this order, so that a look with the lock held sees the state that the lock protects.
///
/// `look` breaks with its result if the lock is no longer needed, and continues with the total time to wait
/// otherwise. The waiting ends when that time has passed, or, with `announced`, when the holder has been working for
/// longer than it announced. All times are measured on the monotonic clock.
pub(crate) async fn wait_for_lock<T>(
    timer: &dyn Timer,
    try_lock: impl Fn() -> Result<Lock, TryLockError>,
    announced: impl Fn() -> Option<Announcement>,
    mut look: impl FnMut(Duration) -> ControlFlow<T, Duration>,
) -> Waited<T> {
    let (mut watch, mut pause, mut holder) = (Stopwatch::start(timer), POLL_FIRST, Holder::default());
    let mut is_told = false;
    loop {
        let attempt = try_lock();
        let waited = watch.elapsed();
        let patience = match look(waited) {
            ControlFlow::Break(found) => return Waited::Found(found),
            ControlFlow::Continue(patience) => patience,
        };
        match attempt {
            // If the first try got the lock, there was no wait.
            Ok(lock) => return Waited::Held(lock, if is_told { waited } else { Duration::ZERO }),
            Err(TryLockError::Error(error)) => return Waited::Unavailable(error),
            Err(TryLockError::WouldBlock) if waited >= patience || holder.is_stuck(announced(), waited) => {
                return Waited::GaveUp(waited);
            }
            Err(TryLockError::WouldBlock) if !is_told => {
                is_told = true;
                let limit_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
                tracing::debug!(target: "colony::token", event = "waiting", limit_ms, "waiting for another process");
            }
            Err(TryLockError::WouldBlock) => {}
        }
        let sleep = pause.mul_f64(0.5 + timer.random()).min(patience.saturating_sub(waited));
        watch.sleep(sleep.max(Duration::from_millis(1))).await;
        pause = (pause * 2).min(POLL_LAST);
    }
}

/// The waiter's knowledge of the holder.
#[derive(Default)]
struct Holder {
    said: Option<Announcement>,
    /// When the announced time ends, and when that is believed, by the waiter's clock.
    over: Duration,
    believed: Option<Duration>,
}

impl Holder {
    /// Returns whether the holder has been working for longer than it announced.
    fn is_stuck(&mut self, says: Option<Announcement>, now: Duration) -> bool {
        let Some(says) = says else {
            *self = Self::default();
            return false;
        };
        if self.said.as_ref() != Some(&says) {
            *self = Self { over: now.saturating_add(says.left), said: Some(says), believed: None };
        }
        if now < self.over {
            return false;
        }
        now >= *self.believed.get_or_insert(now + DOUBT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_stuck_when_the_same_announcement_is_there_a_second_after_its_end() {
        let says = |renewals| Some(Announcement::for_test(7, Duration::from_secs(10), renewals));
        let at = Duration::from_secs_f64;
        let mut holder = Holder::default();
        assert!(!holder.is_stuck(says(0), at(1.0)));
        assert!(!holder.is_stuck(says(0), at(10.9)));
        assert!(!holder.is_stuck(says(0), at(11.0)), "over, and not yet believed");
        assert!(!holder.is_stuck(says(0), at(11.9)));
        assert!(holder.is_stuck(says(0), at(12.0)));
        // The waiter itself was stopped, and the holder continues.
        assert!(!holder.is_stuck(says(1), at(60.0)));
        assert!(!holder.is_stuck(says(1), at(69.9)));
        // Torn for a moment: the count starts again.
        assert!(!holder.is_stuck(None, at(70.0)));
        assert!(!holder.is_stuck(says(1), at(75.0)));
        assert!(!holder.is_stuck(says(1), at(85.0)));
        assert!(holder.is_stuck(says(1), at(86.0)));
    }
}
