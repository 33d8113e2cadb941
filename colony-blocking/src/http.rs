//! The transport.

use std::{fmt, future::Future, sync::Arc};

use colony_async::RateLimit;
use colony_core::{
    CallSettings, Connect, Prepared, Reply, Result, Transport,
    events::{Event, Position, Watch},
    openid::audience::{Audience, AudienceToken, Wanted},
    page::Steps,
    registry::Call,
    token::TokenDetails,
};
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{ByteReader, Listing, events::EventIter, thread::Thread};

/// The blocking transport. Cloning shares everything, the thread too.
#[derive(Clone)]
pub struct Http {
    inner: colony_async::Http,
    thread: Arc<Thread>,
}

impl Http {
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.inner.check_caller()?;
        self.thread.wait(work)
    }

    pub(crate) fn inner(&self) -> &colony_async::Http {
        &self.inner
    }

    /// Carries out a prepared call: the layer below the typed methods.
    ///
    /// # Errors
    ///
    /// As the typed methods.
    pub fn call(&self, call: Prepared) -> Result<Reply> {
        let inner = self.inner.clone();
        self.wait(async move { inner.call(call).await })
    }

    /// Carries out a call of the registry and answers with its JSON.
    ///
    /// # Errors
    ///
    /// As the typed methods.
    pub fn run(&self, call: Call) -> Result<Value> {
        let inner = self.inner.clone();
        self.wait(async move { inner.run(call).await })
    }

    /// The base URL in use, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.inner.base_url()
    }

    /// Forgets the replies that [`Builder::response_cache`](colony_async::Builder::response_cache) keeps.
    pub fn clear_response_cache(&self) {
        self.inner.clear_response_cache();
    }

    /// Verifies `id_token`s that the site issued for this client id, with the keys that it publishes
    /// (feature `id-token`).
    #[cfg(feature = "id-token")]
    pub fn id_token_verifier(&self, audience: impl Into<String>) -> crate::IdTokenVerifier {
        crate::IdTokenVerifier::new(self.clone(), self.inner.id_token_verifier(audience))
    }

    /// What the last reply said about the rate limit; `None` before the first. Where several threads share a
    /// client, the last reply may be another thread's.
    pub fn last_rate_limit(&self) -> Option<RateLimit> {
        self.inner.last_rate_limit()
    }

    /// The headers of the last reply, whatever its status; none before the first. As
    /// [`last_rate_limit`](Self::last_rate_limit), a login's aside.
    pub fn last_response_headers(&self) -> HeaderMap {
        self.inner.last_response_headers()
    }
}

impl Transport for Http {
    type Reply<T: Send + 'static> = Result<T>;
    type Listing<T: DeserializeOwned + Send + 'static> = Listing<T>;
    type Stream = ByteReader;
    type Events = EventIter;

    fn send<T: Send + 'static>(&self, call: Prepared, decode: fn(Reply) -> Result<T>) -> Result<T> {
        self.wait(self.inner.send(call, decode))
    }

    fn open(&self, call: Prepared) -> Result<ByteReader> {
        Ok(ByteReader::new(self.clone(), self.wait(self.inner.open(call))?))
    }

    fn walk<T: DeserializeOwned + Send + 'static>(&self, steps: Result<Box<dyn Steps>>) -> Listing<T> {
        Listing::new(self.clone(), self.inner().walk(steps))
    }

    fn collect<T: Send + 'static>(
        &self,
        steps: Result<Box<dyn Steps>>,
        finish: fn(Vec<Value>) -> Result<T>,
    ) -> Result<T> {
        self.wait(self.inner.collect(steps, finish))
    }

    fn token(&self) -> Result<secrecy::SecretString> {
        self.wait(self.inner.token())
    }

    fn token_details(&self, min_ttl: std::time::Duration) -> Result<TokenDetails> {
        self.wait(self.inner.token_details(min_ttl))
    }

    fn audience_token(&self, wanted: Wanted) -> Result<AudienceToken> {
        self.wait(self.inner.audience_token(wanted))
    }

    fn audience_secret(&self, wanted: Wanted) -> Result<secrecy::SecretString> {
        self.wait(self.inner.audience_secret(wanted))
    }

    fn forget_audience_token(&self, audience: Audience) -> Result<()> {
        self.wait(self.inner.forget_audience_token(audience))
    }

    fn watch(&self, watch: Watch) -> EventIter {
        EventIter::new(self.clone(), self.inner.watch(watch))
    }

    fn peek(&self, position: Position) -> Result<(Vec<Event>, Position)> {
        self.wait(self.inner.peek(position))
    }

    fn forget_token(&self) -> Result<()> {
        self.wait(self.inner.forget_token())
    }
}

impl Connect for Http {
    type Builder = Builder;

    fn builder(api_key: secrecy::SecretString) -> Builder {
        Builder::new(Some(api_key))
    }

    fn anonymous() -> Builder {
        Builder::new(None)
    }

    fn with_settings(&self, change: impl FnOnce(&mut CallSettings)) -> Self {
        Self { inner: self.inner.with_settings(change), thread: Arc::clone(&self.thread) }
    }
}

impl colony_async::OverHttp for Http {
    fn over(inner: colony_async::Http) -> Result<Self> {
        Ok(Self { inner, thread: Arc::new(Thread::start()?) })
    }
}

/// Settings of a client: see [`colony_async::Builder`], which this is.
pub type Builder = colony_async::Builder<Http>;

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
