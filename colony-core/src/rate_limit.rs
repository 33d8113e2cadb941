//! What the server says about the caller's limit.

use http::HeaderMap;
use serde::Serialize;

/// The limit that a reply told of, from its `X-RateLimit-*` headers. A header that is absent or
/// not a count is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many requests a window allows.
    pub limit: Option<u64>,
    /// How many are left of them.
    pub remaining: Option<u64>,
    /// When the next window begins, Unix seconds.
    pub reset: Option<u64>,
}

impl RateLimit {
    /// Reads the limit from a reply's headers.
    pub fn read(headers: &HeaderMap) -> Self {
        let count = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        Self {
            limit: count("x-ratelimit-limit"),
            remaining: count("x-ratelimit-remaining"),
            reset: count("x-ratelimit-reset"),
        }
    }
}
