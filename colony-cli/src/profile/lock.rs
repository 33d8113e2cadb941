//! One login or logout of a profile at a time: each writes several files.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
    time::{Duration, Instant},
};

use colony_core::{Error, ErrorKind};

use crate::failure::Failure;

/// How long to wait for another login, which may be waiting for its provider.
const PATIENCE: Duration = Duration::from_secs(180);
/// The first pause between attempts to lock; it grows to the second.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(100);

/// The lock, held until dropped. The file is never deleted.
#[derive(Debug)]
pub(crate) struct ProfileLock {
    _file: Option<File>,
}

impl ProfileLock {
    /// Waits for the lock of a profile, and calls `told` once if that takes more than a second.
    pub(super) async fn wait(path: &Path, name: &str, told: impl FnOnce()) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let (started, mut pause, mut told) = (Instant::now(), POLL_FIRST, Some(told));
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: Some(file) }),
                // Without file locking, avoiding concurrent logins is up to the user.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { _file: None });
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if started.elapsed() > PATIENCE => return Err(busy(name)),
                Err(TryLockError::WouldBlock) => {}
            }
            if started.elapsed() > Duration::from_secs(1)
                && let Some(told) = told.take()
            {
                told();
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(POLL_LAST);
        }
    }
}

fn busy(name: &str) -> Failure {
    let message =
        format!("another login or logout of the profile {name} has not ended in {} s", PATIENCE.as_secs());
    Error::build(ErrorKind::Busy, message).hint("Try again; if that process hangs, end it").finish().into()
}
