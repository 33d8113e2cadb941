//! Where a session's tokens come from.

use std::time::Duration;

use colony_core::{Error, Result, openid::audience::Audience, token::cooldown::Note};
use futures_util::future::BoxFuture;
use secrecy::SecretString;

use super::{Held, Kind};
use crate::time::Timer;

/// Gets a token from the server, and knows what its refusals mean. Everything else, who may ask and who
/// shares the answer, is the session's.
pub(crate) trait Mint: Send + Sync + 'static {
    /// Gets a token, with its own budget of tries.
    fn mint<'a>(&'a self, key: &'a SecretString, timer: &'a dyn Timer) -> BoxFuture<'a, Result<Held>>;

    /// What the file of its tokens holds, and how that file is called, given the fingerprint of the base URL
    /// and the key.
    fn file(&self, base_url: &str, key: &SecretString) -> (String, Kind);

    /// The longest time one [`mint`](Self::mint) may take. A holder of the lock is not waited for any longer.
    fn longest(&self) -> Duration;

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
