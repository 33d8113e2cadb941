//! A value with the reply it came in.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use crate::RateLimit;

/// What an operation answers, and what its reply says beside it. From
/// [`Client::execute_answered`](crate::Client::execute_answered).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answered<T> {
    /// What the operation answers.
    pub value: T,
    /// The reply's status.
    pub status: StatusCode,
    /// The reply's headers.
    pub headers: Arc<HeaderMap>,
}

impl<T> Answered<T> {
    pub(crate) fn new(value: T, status: StatusCode, headers: Arc<HeaderMap>) -> Self {
        Self { value, status, headers }
    }

    /// Returns the server's id of the request (`x-request-id`), to name it in a report.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("x-request-id")?.to_str().ok()
    }

    /// Whether the server had done this before, under the same `Idempotency-Key`, and this is its answer of then.
    pub fn is_replay(&self) -> bool {
        crate::reply::is_replay(&self.headers)
    }

    /// Returns what the reply says about the rate limit.
    pub fn rate_limit(&self) -> RateLimit {
        RateLimit::read(&self.headers)
    }
}
