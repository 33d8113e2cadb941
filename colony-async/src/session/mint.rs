//! Where a session's tokens come from.

use std::time::Duration;

use colony_core::{Error, Result, openid::audience::Audience, retry::RetryPolicy, token::cooldown::Note};
use futures_util::future::BoxFuture;
use secrecy::SecretString;

use super::{Held, Kind};
use crate::time::Timer;

/// Gets a token from the server, and knows what its refusals mean. Everything else, who may ask and who
/// shares the answer, is the session's.
pub(crate) trait Mint: Send + Sync + 'static {
    /// Gets a token.
    fn mint<'a>(
        &'a self,
        key: &'a SecretString,
        timer: &'a dyn Timer,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Held>>;

    /// What the file of its tokens holds, and how that file is called, given the fingerprint of the base URL
    /// and the key.
    fn file(&self, base_url: &str, key: &SecretString) -> (String, Kind);

    /// The longest time one [`mint`](Self::mint) may take. A holder of the lock is not waited for any longer.
    fn longest(&self, patience: Patience) -> Duration;

    /// What others are to be told of this refusal, if anything.
    fn note(&self, error: &Error, now: f64) -> Option<Note>;

    /// The error that a note of another's refusal stands for.
    fn noted(&self, note: &Note, now: f64) -> Error;

    /// Whether this one would send something else than whoever was refused.
    fn differs(&self, note: &Note) -> bool;

    /// The service that the tokens are for, when it is another one.
    fn audience(&self) -> Option<&Audience> {
        None
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
