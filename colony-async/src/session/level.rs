//! What stands between the file of a host and the login: another level at which a token is shared.
//!
//! A session asks its levels from the nearest to the farthest: memory, the file, then this one, and only then the
//! server. What is wanted goes down with the question, so that a lower level does not answer with the token that was
//! just rejected.

use std::{sync::Arc, time::Duration};

use colony_core::{
    Result,
    token::{cooldown::Note, freshness::Lifetime},
};
use futures_util::future::BoxFuture;
use secrecy::SecretString;

use super::{
    Session, Want,
    mint::{Attempt, Patience},
};
use crate::token::{CachedToken, Record};

/// A level below the file.
pub(crate) trait Level: Send + Sync {
    /// Gets a token: one that another host has stored here, or a new one by [logging in](Ask::mint). No trouble of the
    /// level itself is an error. A token near its end that is found is left in the question.
    ///
    /// # Errors
    ///
    /// What the login was answered, here or at a host that was waited for.
    fn get<'a, 'b: 'a>(&'a self, ask: &'a mut Ask<'b>) -> BoxFuture<'a, Result<Got>>;

    /// How long another host is waited for here: those who wait for this process have to wait for that too.
    fn longest(&self, lock_timeout: Duration) -> Duration;

    /// Removes what is stored here of these files' tokens.
    fn remove<'a>(&'a self, files: &'a [String]) -> BoxFuture<'a, ()>;
}

/// A token, and how it was got.
pub(crate) struct Got {
    pub(crate) token: Arc<CachedToken>,
    pub(crate) by: By,
}

/// How a token was got.
#[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// By logging in, which took so long.
    Login(Duration),
    /// From another host, after waiting for so long.
    Host(Duration),
    /// From the file, after waiting for so long: nothing is to be written.
    File(Duration),
}

/// What is asked of a level.
#[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
pub(crate) struct Ask<'a> {
    pub(crate) session: &'a Arc<Session>,
    pub(crate) secret: &'a SecretString,
    pub(crate) want: &'a Want,
    /// A token near its end, which may serve if no other can be had.
    pub(crate) stale: Option<Arc<CachedToken>>,
    /// Tokens that are not to be had again.
    pub(crate) gone: Vec<SecretString>,
    pub(crate) attempt: Attempt<'a>,
}

impl Ask<'_> {
    /// Gets a token from the server.
    ///
    /// # Errors
    ///
    /// What the server answered.
    pub(crate) async fn mint(&self) -> Result<CachedToken> {
        let answer = self.session.mint.mint(self.secret, self.attempt).await;
        self.session.tried.set(None);
        answer
    }

    /// As [`mint`](Self::mint), where there is no level.
    pub(crate) async fn log_in(&self) -> Result<Got> {
        let started = self.session.now();
        let token = self.mint().await?;
        let took = Duration::from_secs_f64((self.session.now() - started).max(0.0));
        Ok(Got { token: Arc::new(token), by: By::Login(took) })
    }
}

/// Says that a store was named which this program cannot use.
#[cfg(not(feature = "redis"))]
pub(crate) fn warn_of_store(url: Option<&colony_core::token::store_url::TokenStoreUrl>) {
    if let Some(url) = url {
        tracing::warn!(
            target: "colony::token", event = "store_trouble", store = %url,
            "the token store is ignored: this program was built without the feature `redis`"
        );
    }
}

/// What a stored token is worth to somebody who wants one.
pub(crate) enum Worth {
    /// It is taken.
    Fresh(Arc<CachedToken>),
    /// It may serve if the login that should replace it fails.
    Stale(Arc<CachedToken>),
    /// Nothing, for this reason.
    None(&'static str),
}

impl Session {
    /// Judges a token that was found in the file or at a lower level.
    pub(super) fn judge(&self, record: Record, want: &Want) -> Worth {
        let now = self.now();
        let token = &record.token;
        if let Some(doubt) = record.doubt(now) {
            Worth::None(doubt)
        } else if want.other_than().is_some_and(|other| token.is(other)) {
            Worth::None("rejected")
        } else if self.is_given_up(&token.secret) {
            Worth::None("given_up")
        } else if !Lifetime::within_ttl(record.written_at, self.settings.ttl, now) {
            Worth::None("older_than_ttl")
        } else if !token.is_fresh(want.need(), now) {
            Worth::Stale(Arc::new(record.token))
        } else {
            Worth::Fresh(Arc::new(record.token))
        }
    }

    /// The error of a note that answers a caller who has waited since another note, or none, was there.
    pub(super) fn answered_by(&self, note: &Note, is_answer: bool) -> Option<colony_core::Error> {
        if is_answer && !self.mint.differs(note) {
            return Some(self.mint.noted(note, self.now()));
        }
        self.cooling_down(note)
    }

    /// How long a level is waited for in all.
    pub(super) fn waits(&self, patience: Patience, level: Option<&Arc<dyn Level>>) -> Duration {
        let own = match patience {
            Patience::Full => self.settings.lock_timeout,
            Patience::OneTry => self.settings.lock_timeout.min(self.mint.one_try()),
        };
        level.map_or(own, |level| own.saturating_add(level.longest(own)))
    }
}
