//! Where a session's tokens come from.

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

/// Gets a token from the server, and knows what its refusals mean. Everything else, who may ask and who
/// shares the answer, is the session's.
pub(crate) trait Mint: Send + Sync + 'static {
    /// Gets a token.
    fn mint<'a>(&'a self, key: &'a SecretString, attempt: Attempt<'a>) -> BoxFuture<'a, Result<CachedToken>>;

    /// What the file of its tokens holds, and how that file is called, given the fingerprint of the base URL
    /// and the key.
    fn file(&self, base_url: &str, key: &SecretString) -> (String, Format);

    /// How long a caller that has a token near its end waits for a better one.
    fn one_try(&self) -> Duration;

    /// What others are to be told of this refusal, if anything.
    fn note(&self, error: &Error, now: f64) -> Option<Note>;

    /// The error that a note of another's refusal stands for.
    fn noted(&self, note: &Note, now: f64) -> Error;

    /// Whether this one would send something else than the login that failed, or has more patience.
    fn differs(&self, note: &Note) -> bool;

    /// Under which conditions it gets an answer or none.
    fn limits(&self) -> Limits;

    /// What a store that hosts share derives its keys from.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
    fn store_secret(&self, key: &SecretString) -> SecretString {
        key.clone()
    }

    /// The service that the tokens are for, when it is another one.
    fn audience(&self) -> Option<&Audience> {
        None
    }
}

/// One attempt to get a token: how, and for whom to see.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) timer: &'a dyn Timer,
    pub(crate) patience: Patience,
    /// Where failed tries are noted, for callers that do not wait for the last.
    pub(crate) tried: &'a Tried,
    /// The lock under which it is made, if there is one.
    pub(crate) lock: Option<&'a Lock>,
}

impl Attempt<'_> {
    /// Tells those who wait for the lock how long this may still take, work on files aside.
    pub(crate) fn announce(&self, left: Duration) {
        if let Some(lock) = self.lock {
            lock.announce(left.saturating_add(FILE_WORK));
        }
    }

    /// Tells them that a request with this limit is about to be sent. When it has ended, that is to be told too: so
    /// those who wait for a stopped process do not add the work on files to the limit.
    pub(crate) fn announce_request(&self, limit: Duration) {
        if let Some(lock) = self.lock {
            lock.announce(limit.saturating_add(ANSWER_GRACE));
        }
    }
}

/// How much a token is worth waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// There is none: the whole budget of tries.
    Full,
    /// There is one near its end, which serves meanwhile: one try.
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
