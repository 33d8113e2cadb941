//! The transport: resolves, authenticates, sends and retries.

mod breaker;
mod cache;
mod colonies;
mod deliver;
mod trace;

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, PoisonError},
    time::Duration,
};

use colony_core::{
    CallSettings, Effect, Error, ErrorKind, Prepared, Reply as CoreReply, Request, Result,
    idempotency::Keys,
    openid::audience::{Audience, AudienceToken, Need, Wanted},
    page::{Origin, Step, Steps},
    registry::Call,
    retry::RetryPolicy,
    token::{LOGIN, TokenDetails},
};
use http::HeaderMap;
use secrecy::SecretString;
use serde_json::Value;
use tracing::Instrument;

use crate::{
    ByteStream, RateLimit,
    budget::{Budget, Budgets},
    deadline::Deadline,
    openid::Sources,
    replacement::Replacement,
    sender::{Sender, Sink},
    session::Session,
    time::{Timer, unix},
};
pub(crate) use breaker::Breaker;
pub(crate) use cache::ResponseCache;
pub(crate) use colonies::Colonies;

/// The operation that exchanges a token for another service's.
const EXCHANGE: &str = "exchange_token";

/// The async transport. Cloning shares everything.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    settings: Arc<CallSettings>,
}

pub(crate) struct Shared {
    pub(crate) session: Arc<Session>,
    /// The tokens for other services.
    pub(crate) sources: Sources,
    pub(crate) sender: Sender,
    pub(crate) retry: RetryPolicy,
    /// The time limit of a whole call.
    pub(crate) deadline: Duration,
    /// Whether writes carry an idempotency key.
    pub(crate) idempotent_writes: bool,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) colonies: Colonies,
    pub(crate) cache: Option<ResponseCache>,
    pub(crate) breaker: Option<Breaker>,
    /// For programs that send requests of their own.
    pub(crate) replacement: Replacement,
    /// The daily budgets, if there is a policy.
    pub(crate) budgets: Option<Budgets>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.session.end();
    }
}

impl Http {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), settings: Arc::default() }
    }

    /// Returns the deadline of a call that begins now.
    fn deadline(&self) -> Deadline {
        Deadline::start(self.settings.deadline.unwrap_or(self.shared.deadline))
    }

    /// Calls a prepared operation: the layer below the typed methods, for programs that learn the operation only at
    /// run time.
    ///
    /// # Errors
    ///
    /// As the typed methods.
    pub async fn call(&self, mut call: Prepared) -> Result<CoreReply> {
        let reply = self.deliver_call(&mut call.request).await?;
        call.finish(reply)
    }

    /// Returns the last reply to the request of a call. The request is borrowed: handed on by value, it would take its
    /// place in the future of each function on the way.
    pub(crate) async fn deliver_call(&self, request: &mut Request) -> Result<CoreReply> {
        self.give_key(&mut Keys::of_call(self.settings.idempotency_key.as_deref()), request);
        request.check()?;
        self.admit(request)?;
        let (deadline, span) = (self.deadline(), trace::span(request));
        let outcome = {
            let work = pin!(self.resolve_and_deliver(request, &deadline));
            self.traced(span, &deadline, work).await
        };
        let reply = outcome.map_err(|error| error.about(request))?;
        if reply.is_success() && request.success_effect() == Effect::AdoptKey {
            self.adopt_key(&reply).await;
        }
        if reply.is_success() && request.operation() == "create_colony" {
            self.shared.colonies.forget();
        }
        Ok(reply)
    }

    /// Sends a download and yields its bytes as they arrive. The deadline covers the request up to the reply's
    /// headers.
    pub(crate) async fn open_call(&self, call: Prepared) -> Result<ByteStream> {
        call.request.check()?;
        let (deadline, sink, span) = (self.deadline(), Sink::default(), trace::span(&call.request));
        let outcome = {
            let work = pin!(self.deliver_until(&call.request, &deadline, Some(&sink)));
            self.traced(span, &deadline, work).await
        };
        let reply = outcome.map_err(|error| error.about(&call.request))?;
        match sink.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(stream) => Ok(stream),
            None => call.finish(reply).map(ByteStream::whole),
        }
    }

    async fn resolve_and_deliver(&self, request: &mut Request, deadline: &Deadline) -> Result<CoreReply> {
        if let Some(name) = request.unresolved_colony().map(str::to_owned) {
            let id = self.colony_id(&name).await?;
            request.resolve_colony(&id);
        }
        self.deliver_until(request, deadline, None).await
    }

    /// Returns the last reply to a request of a walk. Each request of a walk has a time limit of its own.
    pub(crate) async fn deliver(&self, request: &Request) -> Result<CoreReply> {
        let (deadline, span) = (self.deadline(), trace::span(request));
        let work = pin!(self.deliver_until(request, &deadline, None));
        let outcome = self.traced(span, &deadline, work).await;
        outcome.map_err(|error| error.about(request))
    }

    /// Runs one call in its span, and ends it at its deadline. The caller pins the future: one that is passed by
    /// value would take up space in each function on the way.
    async fn traced(
        &self,
        span: tracing::Span,
        deadline: &Deadline,
        work: Pin<&mut impl Future<Output = Result<CoreReply>>>,
    ) -> Result<CoreReply> {
        let outcome = self.bounded(deadline, work).instrument(span.clone()).await;
        trace::end(&span, &outcome);
        outcome
    }

    async fn bounded<T>(&self, deadline: &Deadline, work: impl Future<Output = Result<T>>) -> Result<T> {
        deadline.bound(work, || self.shared.session.failing_login()).await
    }

    /// Refuses a request that the policy does not allow.
    pub(crate) fn admit(&self, request: &Request) -> Result<()> {
        self.shared.budgets.as_ref().map_or(Ok(()), |budgets| budgets.check(request))
    }

    /// Returns the daily budgets of the [policy](crate::Builder::policy), and how much of them all programs of the
    /// account on this host have used today.
    pub async fn budgets(&self) -> Vec<Budget> {
        let Some(budgets) = &self.shared.budgets else { return Vec::new() };
        let held = self.shared.session.token(None).await.ok();
        budgets.spent(held.as_deref())
    }

    /// Refuses an action of the session itself, in place of an operation of this name.
    fn admit_named(&self, name: &str) -> Result<()> {
        self.shared.budgets.as_ref().map_or(Ok(()), |budgets| budgets.check_named(name))
    }

    /// Returns the login's token.
    pub(crate) async fn token(&self) -> Result<SecretString> {
        self.admit_named(LOGIN)?;
        let token = self.bounded(&self.deadline(), self.shared.session.token(None)).await?;
        Ok(token.secret.clone())
    }

    /// Returns a login's token that lives at least this long, and its expiry.
    pub(crate) async fn token_details(&self, min_ttl: Duration) -> Result<TokenDetails> {
        self.admit_named(LOGIN)?;
        let token = self.shared.session.token_lasting(Need::AccessToken, None, min_ttl);
        Ok(self.bounded(&self.deadline(), token).await?.details())
    }

    /// Returns a token for another service.
    pub(crate) async fn audience_token(&self, wanted: Wanted) -> Result<AudienceToken> {
        self.admit_named(EXCHANGE)?;
        self.bounded(&self.deadline(), self.shared.sources.token(wanted)).await
    }

    /// Returns the part of the token for another service that is needed.
    pub(crate) async fn audience_secret(&self, wanted: Wanted) -> Result<SecretString> {
        self.admit_named(EXCHANGE)?;
        self.bounded(&self.deadline(), self.shared.sources.secret(wanted)).await
    }

    /// Makes the next call for this audience exchange the login again.
    pub(crate) async fn forget_audience_token(&self, audience: &Audience) -> Result<()> {
        self.shared.sources.forget(audience).await
    }

    /// Returns this client with other settings for its calls.
    pub(crate) fn with_call_settings(&self, change: impl FnOnce(&mut CallSettings)) -> Self {
        let mut settings = CallSettings::clone(&self.settings);
        change(&mut settings);
        Self { shared: Arc::clone(&self.shared), settings: Arc::new(settings) }
    }

    /// Returns the idempotency keys of a call that sends several requests.
    pub(crate) fn batch_keys(&self) -> Keys {
        Keys::of_batch(self.settings.idempotency_key.as_deref())
    }

    /// Gives a write its key, or none where the server does not store keys.
    pub(crate) fn give_key(&self, keys: &mut Keys, request: &mut Request) {
        if !self.shared.idempotent_writes {
            request.set_keyless();
        }
        keys.give(request);
    }

    /// Calls an operation of the registry and returns its JSON. Downloads are refused, because their reply is bytes;
    /// see [`Transport::download`](colony_core::Transport::download).
    ///
    /// # Errors
    ///
    /// As the typed methods.
    pub async fn run(&self, call: Call) -> Result<Value> {
        match call {
            Call::Request(call) => self.call(call).await?.json(),
            Call::List(steps) => Ok(Value::Array(self.walk_all(steps).await?.0)),
            Call::Batch(steps, gather) => Ok(gather(self.walk_all(steps).await?.0)),
            Call::Token => {
                let token = self.token().await?;
                Ok(secrecy::ExposeSecret::expose_secret(&token).into())
            }
            Call::ForgetToken => {
                self.admit_named("refresh_token")?;
                self.forget().await;
                Ok(Value::Null)
            }
            Call::Local(value) => Ok(value),
            _ => Err(Error::build(ErrorKind::Config, "this call does not answer with JSON").finish()),
        }
    }

    pub(crate) async fn walk_all(&self, mut steps: Box<dyn Steps>) -> Result<(Vec<Value>, Option<Origin>)> {
        let (mut all, mut origin, mut keys) = (Vec::new(), None, self.batch_keys());
        while let Step::Send(mut request) = steps.next()? {
            self.give_key(&mut keys, &mut request);
            let reply = self.deliver(&request).await?;
            origin = Some(Origin::of(&request, &reply));
            all.extend(steps.take(reply).map_err(|error| error.about(&request))?);
        }
        Ok((all, origin))
    }

    /// Refuses a call from within one of the client's own hooks or callbacks, for the blocking client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`].
    #[doc(hidden)]
    pub fn check_caller(&self) -> Result<()> {
        self.shared.session.check_caller()
    }

    /// Returns the clock and timer of this client.
    pub(crate) fn timer(&self) -> &Arc<dyn Timer> {
        &self.shared.timer
    }

    /// Sends a read once, past the response cache, and returns a successful reply. The caller decides about retries.
    pub(crate) async fn send_fresh(&self, request: &Request) -> Result<CoreReply> {
        let (deadline, span) = (self.deadline(), trace::span(request));
        let work = pin!(self.deliver_fresh(request, &deadline));
        let outcome = self.traced(span, &deadline, work).await;
        let reply = outcome.map_err(|error| error.about(request))?;
        if reply.is_success() { Ok(reply) } else { Err(reply.into_error(request)) }
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.shared.sender
    }

    /// Returns the time limit of a request.
    pub(crate) fn timeout(&self) -> Duration {
        self.settings.timeout.unwrap_or(self.shared.sender.timeout)
    }

    /// Returns the token session.
    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.shared.session
    }

    async fn adopt_key(&self, reply: &CoreReply) {
        let key = reply.json().ok().and_then(|body| Some(body.get("api_key")?.as_str()?.to_owned()));
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            self.shared.session.change_key(key.into()).await;
            self.shared.sources.clear();
        }
    }

    /// Returns a token other than the one that this operation of the service refused with 401. For programs that send
    /// requests of their own with [`Transport::token`](colony_core::Transport::token), such as a proxy or a client of
    /// another protocol. If any process already holds another token, it is used; otherwise one login fetches it.
    /// `operation` names the refused operation, for example a method and a path.
    ///
    /// ```no_run
    /// use colony_async::{Client, Transport as _};
    ///
    /// # async fn example(client: Client) -> colony_async::Result<()> {
    /// let token = client.transport().token().await?;
    /// // The service answered 401:
    /// let other = client.transport().token_other_than(&token, "GET /users/me").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As a login. [`Auth`](ErrorKind::Auth) with the code `refused_when_new` while the operation refuses a token
    /// that was just fetched: for 2 s, doubling to 30 minutes, in every process. Other operations are not affected.
    pub async fn token_other_than(&self, rejected: &SecretString, operation: &str) -> Result<SecretString> {
        self.admit_named(LOGIN)?;
        let (shared, now) = (&*self.shared, unix(&*self.shared.timer));
        let other = shared.replacement.get(&shared.session, rejected, operation, now);
        self.bounded(&self.deadline(), other).await
    }

    /// Returns the base URL in use, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.shared.sender.base_url
    }

    /// Removes the replies that [`Builder::response_cache`](crate::Builder::response_cache) caches.
    pub fn clear_response_cache(&self) {
        if let Some(cache) = &self.shared.cache {
            cache.clear();
        }
    }

    /// Returns the rate limit reported by the last reply of this client or a clone of it; `None` before the first.
    /// Where several tasks share a client, the last reply can belong to another task.
    pub fn last_rate_limit(&self) -> Option<RateLimit> {
        self.shared.sender.notices.last_rate_limit()
    }

    /// Returns the headers of the last reply, whatever its status; empty before the first. As in
    /// [`last_rate_limit`](Self::last_rate_limit), logins do not count.
    pub fn last_response_headers(&self) -> HeaderMap {
        self.shared.sender.notices.last_headers()
    }

    /// Returns a verifier of `id_token`s that the site issued for this client id, with the keys that it publishes
    /// (feature `id-token`).
    #[cfg(feature = "id-token")]
    pub fn id_token_verifier(&self, audience: impl Into<String>) -> crate::IdTokenVerifier {
        self.shared.sources.verifier(audience.into())
    }

    /// Makes the next call log in.
    pub(crate) async fn forget(&self) {
        // Another token may be allowed to see other data.
        self.clear_response_cache();
        self.shared.session.forget().await;
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
