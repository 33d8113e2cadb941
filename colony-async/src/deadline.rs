//! When a call has to have ended.

use std::{future::Future, time::Duration};

use colony_core::{Error, ErrorKind, Limit, Result};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

/// The time limit of one call, from its first poll. It is counted on the monotonic clock, as the limits of
/// the HTTP client are, and not on the client's own [`Timer`](crate::time::Timer).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    limit: Duration,
    /// `None` for a limit that nobody lives to see.
    at: Option<Instant>,
}

impl Deadline {
    pub(crate) fn start(limit: Duration) -> Self {
        Self { limit, at: Instant::now().checked_add(limit) }
    }

    /// Does the work unless it takes too long. What it started for others (a login) goes on.
    ///
    /// # Errors
    ///
    /// The work's own, or [`ErrorKind::Network`] with the [limit](Error::limit).
    pub(crate) async fn bound<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        // Without a runtime there is no clock either; the work says so.
        let Some(at) = self.at.filter(|_| Handle::try_current().is_ok()) else { return work.await };
        timeout_at(at, work).await.unwrap_or_else(|_| Err(self.error()))
    }

    /// Whether a pause would end before the deadline.
    pub(crate) fn has_time_for(&self, pause: Duration) -> bool {
        self.at.is_none_or(|at| at.saturating_duration_since(Instant::now()) > pause)
    }

    /// Says of a failed try that there is no time for another.
    pub(crate) fn cuts(&self, error: Error) -> Error {
        error.out_of_time(Limit::Deadline, self.limit)
    }

    fn error(&self) -> Error {
        let message = format!("the call did not end within {} s (deadline)", self.limit.as_secs_f64());
        Error::build(ErrorKind::Network, message)
            .hint("Try again later, or allow more time with `deadline`")
            .limit(Limit::Deadline, self.limit)
            .finish()
    }
}
