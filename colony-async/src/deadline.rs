//! The deadline of a call.

use std::{
    fmt,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use colony_core::{Error, ErrorKind, Limit, Result};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

/// The time limit of one call, from its first poll. It is counted on the monotonic clock, as are the limits of the
/// HTTP client, and not on the client's own [`Timer`](crate::time::Timer).
#[derive(Debug)]
pub(crate) struct Deadline {
    limit: Duration,
    /// `None` for a limit beyond the range of the clock.
    at: Option<Instant>,
    /// The tries of the call's own request.
    pub(crate) tried: Tried,
}

impl Deadline {
    pub(crate) fn start(limit: Duration) -> Self {
        Self { limit, at: Instant::now().checked_add(limit), tried: Tried::default() }
    }

    /// Does the work within the time limit. Work that it started for other callers (a login) continues. The error
    /// names the failed tries of the call's request, or those of the `login` that it waits for.
    ///
    /// # Errors
    ///
    /// The work's own error, or [`ErrorKind::Network`] with the [limit](Error::limit).
    pub(crate) async fn bound<T>(
        &self,
        work: impl Future<Output = Result<T>>,
        login: impl FnOnce() -> Option<Failed>,
    ) -> Result<T> {
        // Without a runtime there is no clock either; the work reports that.
        let Some(at) = self.at.filter(|_| Handle::try_current().is_ok()) else { return work.await };
        timeout_at(at, work).await.unwrap_or_else(|_| Err(self.error(self.tried.last().or_else(login))))
    }

    /// Returns whether a pause would end before the deadline.
    pub(crate) fn has_time_for(&self, pause: Duration) -> bool {
        self.at.is_none_or(|at| at.saturating_duration_since(Instant::now()) > pause)
    }

    /// Adds to the error of the last of `tries` failed tries that no time is left for another.
    pub(crate) fn cuts(&self, error: Error, tries: u32) -> Error {
        error.out_of_time(Limit::Deadline, self.limit, tries)
    }

    fn error(&self, failed: Option<Failed>) -> Error {
        let message = format!("the call did not end within {} s (deadline)", self.limit.as_secs_f64());
        let error = |message: String| {
            Error::build(ErrorKind::Network, message)
                .hint("Try again later, or allow more time with `deadline`")
                .limit(Limit::Deadline, self.limit)
        };
        match failed {
            None => error(message).finish(),
            Some(failed) => error(format!("{message}; {failed}")).source(failed.error).finish(),
        }
    }
}

/// The failed tries of one request so far.
#[derive(Debug, Default)]
pub(crate) struct Tried(Mutex<Option<Failed>>);

impl Tried {
    /// Replaces the last failed try.
    pub(crate) fn set(&self, failed: Option<Failed>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    pub(crate) fn last(&self) -> Option<Failed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The last of some failed tries.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) operation: &'static str,
    pub(crate) tries: u32,
    pub(crate) error: Error,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, tries, error } = self;
        match tries {
            1 => write!(f, "one try of {operation} had failed")?,
            tries => write!(f, "{tries} tries of {operation} had failed, the last")?,
        }
        match error.status() {
            Some(status) => write!(f, " with status {status}"),
            None => write!(f, ": {}", error.message()),
        }
    }
}
