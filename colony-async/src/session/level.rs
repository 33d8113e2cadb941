//! A level between a host's file and the login, at which a token is also shared.
//!
//! A session tries its levels from the nearest to the farthest: memory, the file, then this one, and only then the
//! server. The want is passed down, so that a lower level does not return the token that was just rejected.

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
    /// Gets a token: one that another host has stored here, or a new one by [logging in](Ask::mint). Trouble of the
    /// level itself is never an error. A token near its end that was found is left in `ask`.
    ///
    /// # Errors
    ///
    /// The login's error, here or at a host that was waited for.
    fn get<'a, 'b: 'a>(&'a self, ask: &'a mut Ask<'b>) -> BoxFuture<'a, Result<Got>>;

    /// Returns how long this level waits for another host. Processes that wait for this one add it to their own
    /// limit.
    fn longest(&self, lock_timeout: Duration) -> Duration;

    /// Removes the entries of these files' tokens.
    fn remove<'a>(&'a self, files: &'a [String]) -> BoxFuture<'a, ()>;
}

/// A token, and how it was obtained.
pub(crate) struct Got {
    pub(crate) token: Arc<CachedToken>,
    pub(crate) by: By,
}

/// How a token was obtained.
#[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// By a login that took this long.
    Login(Duration),
    /// From another host, after a wait of this length.
    Host(Duration),
    /// From the file, after a wait of this length; it does not have to be written.
    File(Duration),
}

/// A request to a level.
#[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
pub(crate) struct Ask<'a> {
    pub(crate) session: &'a Arc<Session>,
    pub(crate) secret: &'a SecretString,
    pub(crate) want: &'a Want,
    /// A token near its end, which can be used if no other is available.
    pub(crate) stale: Option<Arc<CachedToken>>,
    /// Tokens that must not be returned again.
    pub(crate) gone: Vec<SecretString>,
    pub(crate) attempt: Attempt<'a>,
}

impl Ask<'_> {
    /// Gets a token from the server.
    ///
    /// # Errors
    ///
    /// The server's error.
    pub(crate) async fn mint(&self) -> Result<CachedToken> {
        let answer = self.session.mint.mint(self.secret, self.attempt).await;
        self.session.tried.set(None);
        answer
    }

    /// As [`mint`](Self::mint), when there is no level.
    pub(crate) async fn log_in(&self) -> Result<Got> {
        let started = self.session.now();
        let token = self.mint().await?;
        let took = Duration::from_secs_f64((self.session.now() - started).max(0.0));
        Ok(Got { token: Arc::new(token), by: By::Login(took) })
    }
}

/// Reports that the settings name a store which this program cannot use.
#[cfg(not(feature = "redis"))]
pub(crate) fn warn_of_store(url: Option<&colony_core::token::store_url::TokenStoreUrl>) {
    if let Some(url) = url {
        tracing::warn!(
            target: "colony::token", event = "store_trouble", store = %url,
            "the token store is ignored: this program was built without the feature `redis`"
        );
    }
}

/// The value of a stored token for a want.
pub(crate) enum Worth {
    /// It is used.
    Fresh(Arc<CachedToken>),
    /// It can be used if the login that should replace it fails.
    Stale(Arc<CachedToken>),
    /// It cannot be used, for this reason.
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

    /// Returns the error that a note means for a waiting caller. `is_answer`: the note is newer than the caller's
    /// wait.
    pub(super) fn answered_by(&self, note: &Note, is_answer: bool) -> Option<colony_core::Error> {
        if is_answer && !self.mint.differs(note) {
            return Some(self.mint.noted(note, self.now()));
        }
        self.cooling_down(note)
    }

    /// Returns how long to wait for a level in total.
    pub(super) fn waits(&self, patience: Patience, level: Option<&Arc<dyn Level>>) -> Duration {
        let own = match patience {
            Patience::Full => self.settings.lock_timeout,
            Patience::OneTry => self.settings.lock_timeout.min(self.mint.one_try()),
        };
        level.map_or(own, |level| own.saturating_add(level.longest(own)))
    }
}
