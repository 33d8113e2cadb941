//! The token sources of a client: one for each audience and list of scopes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use colony_core::{
    Error, ErrorKind, Result,
    base_url::site_root,
    openid::audience::{Audience, AudienceToken, Need, OPERATION, Wanted},
    retry::RetryPolicy,
    token::freshness::from_unix_seconds,
};
use secrecy::SecretString;

use super::{Discovery, exchange::Exchange};
use crate::{
    sender::Sender,
    session::{Session, Settings},
    time::Timer,
    token::CachedToken,
};

/// The number of sources that are kept. A program that takes audiences from others must not grow without limit.
const MOST_SOURCES: usize = 256;

/// Creates token sources and keeps them.
pub(crate) struct Sources {
    login: Arc<Session>,
    settings: Settings,
    discovery: Arc<Discovery>,
    sender: Sender,
    retry: RetryPolicy,
    timer: Arc<dyn Timer>,
    known: RwLock<HashMap<Audience, Arc<Session>>>,
    #[cfg(feature = "id-token")]
    keys: Arc<super::id_token::Keys>,
}

impl Sources {
    pub(crate) fn new(
        login: Arc<Session>,
        settings: Settings,
        sender: Sender,
        retry: RetryPolicy,
        timer: Arc<dyn Timer>,
    ) -> Self {
        let issuer = site_root(&sender.base_url).to_owned();
        let discovery = Discovery::new(issuer, sender.clone(), retry.clone(), Arc::clone(&timer));
        let discovery = Arc::new(discovery);
        Self {
            login,
            settings,
            #[cfg(feature = "id-token")]
            keys: Arc::new(super::id_token::Keys::new(
                Arc::clone(&discovery),
                sender.clone(),
                retry.clone(),
                Arc::clone(&timer),
            )),
            discovery,
            sender,
            retry,
            timer,
            known: RwLock::default(),
        }
    }

    /// Returns a token for another service whose needed part is fresh.
    ///
    /// # Errors
    ///
    /// As [`AudienceTokens::token`](colony_core::openid::AudienceTokens::token).
    pub(crate) async fn token(&self, wanted: Wanted) -> Result<AudienceToken> {
        let held = self.held(&wanted).await?;
        let granted = held.granted().ok_or_else(lost)?;
        let mut token = AudienceToken::new(granted.access_token.clone(), from_unix_seconds(granted.expiry));
        token.id_token.clone_from(&granted.id_token);
        token.id_token_expires_at = granted.id_expiry.map(from_unix_seconds);
        token.scope.clone_from(&granted.scope);
        Ok(token)
    }

    /// Returns the needed part of the token.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token), and [`ErrorKind::Api`] if there is no `id_token`.
    pub(crate) async fn secret(&self, wanted: Wanted) -> Result<SecretString> {
        let held = self.held(&wanted).await?;
        if wanted.need != Need::IdToken {
            return Ok(held.secret.clone());
        }
        held.granted().and_then(|granted| granted.id_token.clone()).ok_or_else(|| {
            Error::build(ErrorKind::Api, "the provider granted no id_token for this audience")
                .operation(OPERATION)
                .hint("Ask for the scope `openid`")
                .finish()
        })
    }

    /// Makes the next call for this audience exchange the login again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for an invalid audience.
    pub(crate) async fn forget(&self, audience: &Audience) -> Result<()> {
        self.source(audience)?.forget().await;
        Ok(())
    }

    /// Returns a verifier of `id_token`s for this client id.
    #[cfg(feature = "id-token")]
    pub(crate) fn verifier(&self, audience: String) -> super::IdTokenVerifier {
        super::IdTokenVerifier::new(Arc::clone(&self.keys), Arc::clone(&self.timer), audience)
    }

    async fn held(&self, wanted: &Wanted) -> Result<Arc<CachedToken>> {
        let source = self.source(&wanted.audience)?;
        source.token_lasting(wanted.need, wanted.instead_of.as_ref(), wanted.min_ttl).await
    }

    fn source(&self, audience: &Audience) -> Result<Arc<Session>> {
        let found = self.known.read().unwrap_or_else(PoisonError::into_inner).get(audience).cloned();
        if let Some(source) = found {
            return Ok(source);
        }
        audience.check()?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_SOURCES && !known.contains_key(audience) {
            // Any idle one: if its token is needed again, it is in its file.
            let idle = known.iter().find(|(_, source)| Arc::strong_count(source) == 1);
            if let Some(audience) = idle.map(|(audience, _)| audience.clone()) {
                known.remove(&audience);
            }
        }
        let source = known.entry(audience.clone()).or_insert_with(|| self.make(audience));
        Ok(Arc::clone(source))
    }

    fn make(&self, audience: &Audience) -> Arc<Session> {
        let exchange = Exchange {
            audience: audience.clone(),
            login: Arc::clone(&self.login),
            discovery: Arc::clone(&self.discovery),
            sender: self.sender.clone(),
            retry: self.retry.clone(),
            deadline: self.settings.login_deadline,
            lock_timeout: self.settings.lock_timeout,
            innocent: Mutex::new(None),
        };
        let settings = Settings { refresh_ahead: false, ..self.settings.clone() };
        let session = Session::new(self.login.secret(), settings, exchange, Arc::clone(&self.timer));
        Arc::new(session.asking(self.login.key_asker()))
    }

    /// Forgets all sources: the key was replaced, and their tokens belong to the old one.
    pub(crate) fn clear(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Returns the error for a source without an exchanged token; a source holds nothing else.
fn lost() -> Error {
    Error::build(ErrorKind::Decode, "the token was not exchanged").operation(OPERATION).finish()
}
