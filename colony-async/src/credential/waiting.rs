//! Waiting for the lock beside a credential.

use std::{io, time::Duration};

use super::files::Files;
use crate::{
    disk::lock::{Attempt, FileLock},
    time::Timer,
};

/// The first pauses between tries for the lock; they grow to the second.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(100);

/// What a look before each try for the lock came to.
pub(super) enum Look<T> {
    /// The lock is not needed any more.
    Found(T),
    /// It is, and may be waited for this long in all.
    Patience(Duration),
}

/// How the waiting ended.
pub(super) enum Waited<T> {
    /// The lock is ours; and how long was slept.
    Held(FileLock, Duration),
    /// What the look found.
    Found(T),
    /// Another process kept the lock for so long.
    GaveUp(Duration),
    /// There is no locking here.
    Unavailable(io::Error),
}

/// Tries for the lock, with jittered pauses, and looks before each try whether it is still needed. The time is what was
/// slept: a wall clock may be set meanwhile.
pub(super) async fn wait_for_lock<T>(
    files: &Files,
    timer: &dyn Timer,
    mut look: impl FnMut(Duration) -> Look<T>,
) -> Waited<T> {
    let (mut slept, mut pause) = (Duration::ZERO, POLL_FIRST);
    loop {
        let patience = match look(slept) {
            Look::Found(found) => return Waited::Found(found),
            Look::Patience(patience) => patience,
        };
        match files.try_lock() {
            Attempt::Held(lock) => return Waited::Held(lock, slept),
            Attempt::Unavailable(error) => return Waited::Unavailable(error),
            Attempt::Taken if slept >= patience => return Waited::GaveUp(slept),
            Attempt::Taken => {}
        }
        let sleep = pause.mul_f64(0.5 + timer.random()).min(patience - slept);
        timer.sleep(sleep).await;
        slept += sleep;
        pause = (pause * 2).min(POLL_LAST);
    }
}
