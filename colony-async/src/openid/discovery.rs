//! Lazy discovery: the document is fetched only when it is first needed.

use std::sync::Arc;

use colony_core::{
    Error, Result,
    openid::{
        self,
        discovery::{self, Provider},
    },
    retry::RetryPolicy,
};
use http::StatusCode;

use super::{
    memo::{self, Fetched, Memo},
    send,
};
use crate::{
    sender::Sender,
    time::{Timer, unix},
};

const TARGET: &str = "colony::openid";

/// A provider's description of itself, shared by all that need it.
///
/// - Nothing is sent before the first caller needs it; one request serves all waiting callers.
/// - A document is kept in memory for [`discovery::TTL`]. It is not kept on disk: with a warm token cache it is not
///   needed at all, and with a cold one it is one request in addition to the exchange.
/// - A failure is shared with the callers that waited for it, and with those that follow within a few seconds.
/// - A provider without a document (404, and only that) has its token endpoint at the default path: see
///   [`Provider::without_document`]. That is not kept either, so that a document which appears is noticed. It sends
///   no token to another host: the address is below the issuer's own.
pub(crate) struct Discovery {
    issuer: String,
    sender: Sender,
    retry: RetryPolicy,
    timer: Arc<dyn Timer>,
    memo: Arc<Memo<Arc<Provider>>>,
}

impl Discovery {
    /// Creates the discovery of this issuer, spelled exactly as it names itself.
    pub(crate) fn new(issuer: String, sender: Sender, retry: RetryPolicy, timer: Arc<dyn Timer>) -> Self {
        let memo = Arc::new(Memo::new(Arc::clone(&timer)));
        Self { issuer, sender, retry: memo::budget(&retry), timer, memo }
    }

    /// Returns the issuer of the document.
    #[cfg_attr(not(feature = "id-token"), allow(dead_code, reason = "for the verification of id_tokens"))]
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the provider, fetching the document if necessary.
    ///
    /// # Errors
    ///
    /// [`discovery::Refused`] as an error of kind [`Decode`](colony_core::ErrorKind::Decode) or
    /// [`Config`](colony_core::ErrorKind::Config) if the document cannot be trusted; otherwise the error of the
    /// request.
    pub(crate) async fn provider(self: &Arc<Self>) -> Result<Arc<Provider>> {
        let fetch = || {
            let discovery = Arc::clone(self);
            async move { discovery.fetch().await }
        };
        let known = self.memo.get(None, discovery::is_believed, fetch).await?;
        Ok(Arc::clone(&known.value))
    }

    async fn fetch(&self) -> Result<Fetched<Arc<Provider>>> {
        let fetched = self.fetch_once().await;
        match &fetched {
            Ok((_, true)) => {
                tracing::debug!(target: TARGET, event = "discovered", issuer = self.issuer, "the discovery document was fetched");
            }
            Ok((_, false)) => {
                tracing::debug!(target: TARGET, event = "undocumented", issuer = self.issuer, "there is no discovery document; the usual addresses are used");
            }
            Err(error) => {
                let reason = error.code().unwrap_or(error.kind().as_str());
                tracing::warn!(target: TARGET, event = "discovery_failed", issuer = self.issuer, reason, %error, "the discovery document cannot be used");
            }
        }
        let now = unix(&*self.timer);
        fetched.map(|(value, is_published)| Fetched { value, fetched_at: is_published.then_some(now) })
    }

    /// Returns the provider, and whether it published a document.
    async fn fetch_once(&self) -> Result<(Arc<Provider>, bool)> {
        // An invalid issuer is refused before anything is sent to it.
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

/// Returns the error for a document that is too large.
fn too_large(error: Error) -> Error {
    if error.code() == Some("too_large") { discovery::Refused::TooLarge.into() } else { error }
}
