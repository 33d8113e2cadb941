//! The tokens of one request: the first, and another after a 401.

use std::{
    borrow::Cow,
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use colony_core::{Reply, Request, Result, openid::audience::Need, token::refusals::Refusals};

use secrecy::SecretString;

use super::{Session, TokenStore, Want, events};
use crate::{background, token::CachedToken};

/// How often, and at which interval, another process's result is checked: for one second in total.
const MOST_LOOKS: u32 = 50;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Gives a request its tokens, and decides what its 401 means (rule 7 of the design).
pub(crate) struct Round<'s> {
    session: &'s Arc<Session>,
    operation: Cow<'static, str>,
    rejected: Option<Arc<CachedToken>>,
    replacements: u8,
}

impl<'s> Round<'s> {
    pub(crate) fn new(session: &'s Arc<Session>, request: &Request) -> Self {
        // An operation called by its address has no name.
        let operation = match request.operation() {
            "request" => format!("{} {}", request.method(), request.template()).into(),
            name => name.into(),
        };
        Self { session, operation, rejected: None, replacements: 0 }
    }

    /// Returns the token for the next try.
    ///
    /// # Errors
    ///
    /// As [`Session::token`].
    pub(crate) async fn token(&self) -> Result<Arc<CachedToken>> {
        self.session.token(self.rejected.as_ref().map(|held| &held.secret)).await
    }

    /// Gets another token after a 401 with this one. `None` when no other token would help: then the reply is final.
    ///
    /// There is one round with another token, and a second only if that token was found and not just issued: a
    /// revocation may have ended both. Only a 401 starts a round; a 403 concerns rights. A page instead of JSON comes
    /// from a proxy, which knows nothing of the token.
    ///
    /// # Errors
    ///
    /// As [`Session::token`].
    pub(crate) async fn another(
        &mut self,
        held: &Arc<CachedToken>,
        reply: &Reply,
    ) -> Result<Option<Arc<CachedToken>>> {
        if reply.status.as_u16() != 401 || !reply.is_json() {
            return Ok(None);
        }
        events::rejected(&self.operation);
        let is_last = self.replacements > 0 && held.minted;
        if is_last {
            self.session.remember_refusal(&self.operation, &held.secret).await;
        }
        if is_last || self.replacements > 1 || self.session.is_final(&self.operation, &held.secret).await {
            return Ok(None);
        }
        self.replacements += 1;
        self.rejected = Some(Arc::clone(held));
        let want = Want::fresh(Need::AccessToken).instead_of(held.secret.clone(), Some(&self.operation));
        match self.session.get(want).await {
            // While this process waited for the lock, another learned that this operation refuses every token.
            Err(_) if self.session.is_final(&self.operation, &held.secret).await => Ok(None),
            other => other.map(Some),
        }
    }

    /// Notes that the operation succeeded with its token.
    pub(crate) async fn succeeded(&self) {
        if self.session.refusals().names(&self.operation) {
            self.session.forget_refusal(&self.operation).await;
        }
    }
}

impl Session {
    /// Returns whether this operation is known to refuse this token and those that would follow it.
    pub(crate) async fn is_final(self: &Arc<Self>, operation: &str, token: &SecretString) -> bool {
        if let Some(store) = self.key.load().store.clone() {
            let (session, token, operation) = (Arc::clone(self), token.clone(), operation.to_owned());
            let learning = background::blocking(move || {
                // Another process has just got this token for this operation, and is about to learn the result.
                for _ in 0..MOST_LOOKS {
                    session.learn_refusals(&store);
                    if !session.refusals().is_expected(&operation, &token, session.now()) {
                        break;
                    }
                    session.settings.disk.pause(LOOK_AGAIN);
                }
            });
            let _ = learning.await;
        }
        self.refusals().stands(operation, token, self.now())
    }

    /// Reads the refusals known to all processes (blocking), unless this one could not write its own.
    pub(super) fn learn_refusals(&self, store: &TokenStore) {
        if !self.refusals_unshared.load(Ordering::Relaxed) {
            let shared = store.read_refusals();
            *self.refusals() = shared;
        }
    }

    /// Records, before other processes can take it, that this token was obtained because an operation refused another
    /// (blocking).
    pub(super) fn expect_refusal(&self, store: &TokenStore, operation: &str, held: &CachedToken) {
        let now = self.now();
        let expect = |refusals: &mut Refusals| refusals.expect(operation, &held.secret, now);
        expect(&mut self.refusals());
        if let Err(error) = store.change_refusals(expect) {
            self.degraded("write", "io", &error);
        }
    }

    /// Returns whether a process has just got this token because the operation refused another.
    pub(crate) async fn is_replacement(self: &Arc<Self>, operation: &str, token: &SecretString) -> bool {
        if let Some(store) = self.key.load().store.clone() {
            let session = Arc::clone(self);
            let _ = background::blocking(move || session.learn_refusals(&store)).await;
        }
        self.refusals().is_expected(operation, token, self.now())
    }

    pub(crate) async fn remember_refusal(self: &Arc<Self>, operation: &str, token: &SecretString) {
        let (operation, token, now) = (operation.to_owned(), token.clone(), self.now());
        events::refuses_every_token(&operation);
        self.change_refusals(move |refusals| refusals.add(&operation, &token, now)).await;
    }

    async fn forget_refusal(self: &Arc<Self>, operation: &str) {
        let operation = operation.to_owned();
        self.change_refusals(move |refusals| refusals.remove(&operation)).await;
    }

    async fn change_refusals(
        self: &Arc<Self>,
        change: impl Fn(&mut Refusals) -> bool + Send + Sync + 'static,
    ) {
        change(&mut self.refusals());
        let Some(store) = self.key.load().store.clone() else { return };
        let session = Arc::clone(self);
        let _ = background::blocking(move || {
            if let Err(error) = store.change_refusals(change) {
                session.refusals_unshared.store(true, Ordering::Relaxed);
                session.degraded("write", "io", &error);
            }
        })
        .await;
    }

    pub(super) fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
