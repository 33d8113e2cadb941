//! Lazy discovery: the document is fetched when it is first needed, and not before.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use colony_core::{
    Error, Result,
    openid::{
        self,
        discovery::{self, Provider},
    },
    retry::RetryPolicy,
};
use http::StatusCode;

use super::send;
use crate::{
    gate::Gate,
    sender::Sender,
    time::{Timer, unix},
};

const TARGET: &str = "colony::openid";

/// What a provider says of itself. Shared by all who need it.
///
/// - Nothing is sent before somebody asks; then one request for however many ask at once.
/// - A document is kept in memory for [`discovery::TTL`]. It is not kept on disk: with a warm token cache it
///   is not needed at all, and with a cold one it is one request beside the exchange.
/// - A failure is told to those who waited for it and never kept: the next call asks again.
/// - A provider without a document (404, and only that) has its token endpoint where it has always been:
///   see [`Provider::without_document`]. That is not kept either, so that a document which appears is seen.
///   No token goes to another host by it: the address is below the issuer's own.
pub(crate) struct Discovery {
    issuer: String,
    sender: Sender,
    retry: RetryPolicy,
    timer: Arc<dyn Timer>,
    known: ArcSwapOption<Known>,
    gate: Arc<Gate<Result<Arc<Provider>>>>,
}

struct Known {
    provider: Arc<Provider>,
    /// Unix seconds.
    fetched_at: f64,
}

impl Discovery {
    /// Of this issuer, letter for letter as it names itself.
    pub(crate) fn new(issuer: String, sender: Sender, retry: RetryPolicy, timer: Arc<dyn Timer>) -> Self {
        Self { issuer, sender, retry, timer, known: ArcSwapOption::empty(), gate: Arc::default() }
    }

    /// Whose document it is.
    #[cfg_attr(not(feature = "id-token"), allow(dead_code, reason = "for the verification of id_tokens"))]
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The provider, asking it if need be.
    ///
    /// # Errors
    ///
    /// [`discovery::Refused`] as an error of kind [`Decode`](colony_core::ErrorKind::Decode) or
    /// [`Config`](colony_core::ErrorKind::Config) where the document is not to be believed; otherwise what
    /// kept it from being had.
    pub(crate) async fn provider(self: &Arc<Self>) -> Result<Arc<Provider>> {
        if let Some(provider) = self.known() {
            return Ok(provider);
        }
        let outcome = self.gate.share(|| {
            let discovery = Arc::clone(self);
            async move {
                // Between the look and the start of this flight another one may have landed.
                match discovery.known() {
                    Some(provider) => Ok(provider),
                    None => discovery.fetch().await,
                }
            }
        });
        outcome.await.unwrap_or_else(|lost| Err(lost.into()))
    }

    fn known(&self) -> Option<Arc<Provider>> {
        let known = self.known.load();
        let known = known.as_ref()?;
        discovery::is_believed(known.fetched_at, unix(&*self.timer)).then(|| Arc::clone(&known.provider))
    }

    async fn fetch(&self) -> Result<Arc<Provider>> {
        let fetched = self.fetch_once().await;
        match &fetched {
            Ok((provider, true)) => {
                tracing::debug!(target: TARGET, event = "discovered", issuer = self.issuer, "the discovery document was fetched");
                let known = Known { provider: Arc::clone(provider), fetched_at: unix(&*self.timer) };
                self.known.store(Some(Arc::new(known)));
            }
            Ok((_, false)) => {
                tracing::debug!(target: TARGET, event = "undocumented", issuer = self.issuer, "there is no discovery document; the usual addresses are used");
            }
            Err(error) => {
                let reason = error.code().unwrap_or(error.kind().as_str());
                tracing::warn!(target: TARGET, event = "discovery_failed", issuer = self.issuer, reason, %error, "the discovery document cannot be used");
            }
        }
        fetched.map(|(provider, _)| provider)
    }

    /// The provider, and whether it published a document.
    async fn fetch_once(&self) -> Result<(Arc<Provider>, bool)> {
        // An issuer that is no good is told before anything is sent to it.
        let undocumented = Provider::without_document(&self.issuer)?;
        let request = discovery::request(&self.issuer);
        let reply = send(&self.sender, &request, discovery::MAX_BYTES, &self.retry, &*self.timer).await;
        let reply = reply.map_err(too_large)?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok((Arc::new(undocumented), false));
        }
        if !reply.is_success() {
            return Err(openid::refusal(&reply, &request));
        }
        Ok((Arc::new(Provider::read(&self.issuer, &reply.body)?), true))
    }
}

/// The same refusal for a document that is too large, whoever noticed.
fn too_large(error: Error) -> Error {
    if error.code() == Some("too_large") { discovery::Refused::TooLarge.into() } else { error }
}
