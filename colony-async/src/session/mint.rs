//! The source of a session's tokens.

use std::time::Duration;

use colony_core::{
    Error, Result,
    openid::audience::Audience,
    retry::RetryPolicy,
    token::cooldown::{Limits, Note},
};
use futures_util::future::BoxFuture;
use secrecy::SecretString;

use crate::{
    deadline::Tried,
    disk::lock::{ANSWER_GRACE, FILE_WORK, Lock},
    time::Timer,
    token::{CachedToken, Format},
};

/// Gets a token from the server, and interprets its refusals. The session decides everything else: who may request a
/// token and who shares the outcome.
pub(crate) trait Mint: Send + Sync + 'static {
    /// Gets a token.
    fn mint<'a>(&'a self, key: &'a SecretString, attempt: Attempt<'a>) -> BoxFuture<'a, Result<CachedToken>>;

    /// Returns the name and the format of the file of its tokens, given the fingerprint of the base URL and the key.
    fn file(&self, base_url: &str, key: &SecretString) -> (String, Format);

    /// Returns how long a caller that has a token near its end waits for a better one.
    fn one_try(&self) -> Duration;

    /// Returns the note that reports this failure to other processes, if any.
    fn note(&self, error: &Error, now: f64) -> Option<Note>;

    /// Returns the error that another process's note represents.
    fn noted(&self, note: &Note, now: f64) -> Error;

    /// Returns whether this login would send something else than the one that failed, or has longer limits.
    fn differs(&self, note: &Note) -> bool;

    /// Returns the conditions that decide whether it gets a reply.
    fn limits(&self) -> Limits;

    /// Returns the secret from which the names and keys in a store that hosts share are derived.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
    fn store_secret(&self, key: &SecretString) -> SecretString {
        key.clone()
    }

    /// Returns the service that the tokens are for, if it is another one.
    fn audience(&self) -> Option<&Audience> {
        None
    }
}

/// One attempt to get a token: its settings, and where it reports its progress.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) timer: &'a dyn Timer,
    pub(crate) patience: Patience,
    /// Where failed tries are noted, for callers that stop waiting before the last.
    pub(crate) tried: &'a Tried,
    /// The lock under which it is made, if there is one.
    pub(crate) lock: Option<&'a Lock>,
}

impl Attempt<'_> {
    /// Announces to those waiting for the lock how long this attempt may still take, without the work on files.
    pub(crate) fn announce(&self, left: Duration) {
        if let Some(lock) = self.lock {
            lock.announce(left.saturating_add(FILE_WORK));
        }
    }

    /// Announces that a request with this limit is about to be sent. The end of the request must be announced too, so
    /// that those waiting for a stopped process do not add the work on files to the limit.
    pub(crate) fn announce_request(&self, limit: Duration) {
        if let Some(lock) = self.lock {
            lock.announce(limit.saturating_add(ANSWER_GRACE));
        }
    }
}

/// How much waiting a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// There is no token: use all tries.
    Full,
    /// There is a token near its end, which can be used meanwhile: try once.
    OneTry,
}

impl Patience {
    pub(crate) fn of(self, retry: &RetryPolicy) -> RetryPolicy {
        match self {
            Self::Full => retry.clone(),
            Self::OneTry => RetryPolicy::none(),
        }
    }
}
