//! The path of a call: from the socket through the guard, counters, failures, limits and sign-in to its handler.

mod control;
mod guard;
mod idempotency;
mod router;
mod stream;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router as AxumRouter;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use super::call::Call;
use super::fail::{self, Effect, FailRule, Failure};
use super::openid::Provider;
use super::reply::Reply;
use super::routes::{Access, Action, Pending, limits, login, posts, webhooks};
use super::stats::Counters;
use super::window::{SlidingWindow, Verdict};
use super::world::{Account, World};
use super::{API_PATH, Options, StreamMode, lock};
use guard::Hosts;
use idempotency::{Begun, Memory, Slot, UnderWay};
use router::{Found, Route, Router};

pub use router::{ListedRoute, listed};

/// The largest body that is read, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// The general limit in headers while none is enforced.
const NO_LIMIT: u32 = 1_000_000;
const LOGIN: &str = "POST /auth/token";

/// A server and the state that its calls share.
pub(crate) struct Server {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) openid: Provider,
    fail: Mutex<Vec<FailRule>>,
    auth_latency: Duration,
    router: Router,
    memory: Arc<Memory>,
    hosts: Hosts,
    /// Requests per minute, by account or by address.
    window: Mutex<SlidingWindow<Client>>,
    window_enforced: bool,
    /// The behaviour of `/stream`.
    pub(crate) stream: watch::Sender<StreamMode>,
    quitting: watch::Receiver<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    User(Uuid),
    Address(IpAddr),
}

impl Server {
    /// Returns a server for this site, and the caller's own account.
    pub(crate) fn new(
        options: &Options,
        address: IpAddr,
        site: String,
        quitting: watch::Receiver<bool>,
    ) -> (Self, Account) {
        let (mut world, account) = World::seeded(&options.api_keys, options.token_ttl, site.clone());
        login::limit(&mut world, options.auth_limit);
        limits::enforce(&mut world, options.limits);
        world.commit_delay = options.commit_delay.clone();
        webhooks::pauses(&mut world, &options.webhook_pauses);
        let world = Arc::new(Mutex::new(world));
        let counters = Arc::new(Counters::default());
        let rate_limit = options.rate_limit.or(options.limits.then_some(limits::REQUESTS_PER_MINUTE));
        let openid = Provider::new(
            site,
            &options.openid,
            account.username.clone(),
            Arc::clone(&world),
            Arc::clone(&counters),
        );
        let server = Self {
            world,
            counters,
            openid,
            fail: Mutex::new(options.fail.clone()),
            auth_latency: options.auth_latency,
            router: Router::new(),
            memory: Arc::default(),
            hosts: Hosts::new(address, &options.allow_hosts),
            window: Mutex::new(SlidingWindow::new(rate_limit.unwrap_or(NO_LIMIT), Duration::from_secs(60))),
            window_enforced: rate_limit.is_some(),
            stream: watch::Sender::new(StreamMode::On),
            quitting,
        };
        (server, account)
    }

    pub(crate) fn revoke_all(&self) {
        lock(&self.world).tokens.revoke_all();
    }

    pub(crate) fn reset(&self) {
        self.counters.clear();
        lock(&self.window).clear();
        let mut world = lock(&self.world);
        login::reset(&mut world);
        limits::reset(&mut world);
    }

    pub(crate) fn add_failure(&self, rule: FailRule) {
        lock(&self.fail).push(rule);
    }

    pub(crate) fn clear_failures(&self) {
        lock(&self.fail).clear();
    }
}

/// Serves until told to quit, then completes calls in progress.
pub(crate) async fn serve(listener: TcpListener, server: Arc<Server>) {
    let mut quitting = server.quitting.clone();
    let app = AxumRouter::new().fallback(handle).with_state(server);
    let listener = listener.tap_io(|stream| {
        // Best effort: without it replies are only slower.
        let _ = stream.set_nodelay(true);
    });
    let quit = async move {
        // An error means that the sandbox was dropped, which is a reason to quit as well.
        let _ = quitting.wait_for(|quit| *quit).await;
    };
    let served = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(quit)
        .await;
    if let Err(error) = served {
        tracing::warn!(%error, "the sandbox stopped serving");
    }
}

async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if let Some(refusal) = server.hosts.refusal(request.uri(), request.headers()) {
        return respond(refusal);
    }
    let path = request.uri().path().to_owned();
    match path.strip_prefix(API_PATH) {
        Some("") => api(&server, peer.ip(), "/", request).await,
        Some(rest) if rest.starts_with('/') => api(&server, peer.ip(), rest, request).await,
        _ => control::handle(&server, peer.ip(), request).await,
    }
}

/// Handles a call of the API.
async fn api(server: &Arc<Server>, peer: IpAddr, path: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let method = match parts.method {
        Method::HEAD => "GET",
        _ => parts.method.as_str(),
    };
    let (route, params) = match server.router.find(method, path) {
        Found::Route(route, params) => (route, params),
        Found::OtherMethod => return server.unrouted(peer, method_not_allowed()),
        Found::Nothing => return server.unrouted(peer, Reply::none("Path")),
    };
    server.counters.arrived(route.key);
    let arrived = Arrived { route, params, path, peer, parts: &parts };
    if matches!(route.handler.map(|handler| handler.action), Some(Action::Stream)) {
        let effect = server.effect(&arrived);
        pause(effect.delay).await;
        let response = match effect.failure {
            Some(failure) => respond(injected(route, failure)),
            None => stream::serve(server, peer, &parts).await,
        };
        server.counters.answered(route.key, response.status().as_u16());
        return response;
    }
    let reply = if route.key == LOGIN {
        let guard = server.counters.login_started();
        let reply = server.login(arrived, body).await;
        guard.completed();
        reply
    } else {
        server.call(arrived, body).await
    };
    server.counters.answered(route.key, reply.status);
    respond(reply)
}

/// A call with its route.
struct Arrived<'a> {
    route: &'a Route,
    params: Vec<(&'static str, String)>,
    path: &'a str,
    peer: IpAddr,
    parts: &'a Parts,
}

/// The body of a call.
struct Sent {
    bytes: Bytes,
    /// The file, if the body is a form.
    file: Option<Bytes>,
}

/// The progress of a handler.
enum Act {
    Done(Reply),
    Pending(Pending),
}

impl Server {
    /// Handles a login: its limit is checked on arrival, the reply comes after the latency.
    async fn login(&self, arrived: Arrived<'_>, body: Body) -> Reply {
        let (route, client) = (arrived.route, Client::Address(arrived.peer));
        let sent = read(&arrived.parts.headers, body).await;
        let effect = self.effect(&arrived);
        let before = effect.failure.filter(|failure| !failure.after_acting);
        // A login that is made to fail does not count toward the limit, like one that a proxy refuses.
        let verdict = before.is_none().then(|| login::arrived(&mut lock(&self.world), arrived.peer));
        pause(self.auth_latency + effect.delay).await;
        let mut reply = match (before, verdict) {
            (Some(failure), _) => injected(route, failure),
            (None, Some(verdict)) if !verdict.allowed => too_many(verdict, "logins from this address"),
            _ => match self.act(arrived, Ok(None), sent) {
                (Act::Done(reply), _) => reply,
                (Act::Pending(pending), _) => pending.await,
            },
        };
        if let Some(failure) = effect.failure {
            reply = injected(route, failure);
        }
        rate_limit_headers(&mut reply, verdict.unwrap_or_else(|| self.count(client)));
        reply
    }

    /// Handles any other call: signs in, counts, and performs it.
    async fn call(&self, arrived: Arrived<'_>, body: Body) -> Reply {
        let user = match arrived.route.access() {
            Access::Ignored => Ok(None),
            _ => self.identify(&arrived.parts.headers),
        };
        let verdict = self.count(match user {
            Ok(Some(user)) => Client::User(user),
            _ => Client::Address(arrived.peer),
        });
        let mut reply = if verdict.allowed || !self.window_enforced {
            self.perform(arrived, user, body).await
        } else {
            too_many(verdict, "requests")
        };
        rate_limit_headers(&mut reply, verdict);
        reply
    }

    async fn perform(&self, arrived: Arrived<'_>, user: Result<Option<Uuid>, Reply>, body: Body) -> Reply {
        let route = arrived.route;
        let sent = read(&arrived.parts.headers, body).await;
        let Effect { failure, delay } = self.effect(&arrived);
        if let Some(failure) = failure.filter(|failure| !failure.after_acting) {
            pause(delay).await;
            return injected(route, failure);
        }
        let (act, keyed) = self.act(arrived, user, sent);
        let reply = match act {
            Act::Done(reply) => reply,
            Act::Pending(pending) => pending.await,
        };
        match keyed {
            Some(keyed) if delay.is_zero() => keyed.finish(&reply),
            Some(keyed) => {
                // The call continues after its client disconnects.
                let reply = reply.clone();
                let held = tokio::spawn(async move {
                    pause(delay).await;
                    keyed.finish(&reply);
                });
                let _ = held.await;
            }
            None => pause(delay).await,
        }
        failure.map_or(reply, |failure| injected(route, failure))
    }

    /// Performs a call, or replays it.
    fn act(
        &self,
        arrived: Arrived<'_>,
        user: Result<Option<Uuid>, Reply>,
        sent: Result<Sent, Reply>,
    ) -> (Act, Option<UnderWay>) {
        let refuse = |reply| (Act::Done(reply), None);
        let Arrived { route, params, path, parts, .. } = arrived;
        let Some(handler) = &route.handler else { return refuse(not_implemented(route)) };
        let (user, sent) = match (user, sent) {
            (Ok(user), Ok(sent)) => (user, sent),
            (Err(refusal), _) | (_, Err(refusal)) => return refuse(refusal),
        };
        if handler.access == Access::Required && user.is_none() {
            return refuse(Reply::forbidden("FORBIDDEN", "Not authenticated"));
        }
        let query = parts.uri.query().unwrap_or_default();
        let mut keyed = None;
        if let (Some(user), Some(key)) = (user, parts.headers.get("idempotency-key"))
            && route.method != "GET"
        {
            let slot = match Slot::new(user, route.method, path, key, query, &sent.bytes) {
                Ok(slot) => slot,
                Err(refusal) => return refuse(refusal),
            };
            match self.memory.begin(slot) {
                Begun::First(call) => keyed = Some(call),
                Begun::Answered(reply) => return refuse(reply),
            }
        }
        let call = Call {
            params,
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: &parts.headers,
            body: object(&sent.bytes),
            file: sent.file,
            user,
            deprecated: Default::default(),
        };
        (self.handle(route, handler.action, &call), keyed)
    }

    fn handle(&self, route: &Route, action: Action, call: &Call<'_>) -> Act {
        let mut world = lock(&self.world);
        posts::publish_due(&mut world);
        if let Some(user) = call.user
            && let Err(refusal) = limits::admit(&mut world, user, route.key)
        {
            return Act::Done(refusal);
        }
        let answer = match action {
            Action::Now(handler) => handler(&mut world, call).unwrap_or_else(|refusal| refusal),
            Action::Stream => not_implemented(route),
            Action::Later(begin) => match begin(&mut world, &self.world, call) {
                Ok(pending) => return Act::Pending(pending),
                Err(refusal) => refusal,
            },
        };
        let mut reply = answer;
        if let Some(user) = call.user
            && reply.status < 300
        {
            limits::record(&mut world, user, route.key);
        }
        self.deliver(world);
        let deprecated = call.deprecated.borrow();
        if !deprecated.is_empty() {
            reply.headers.push(("x-colony-deprecated-params", deprecated.join(", ")));
        }
        Act::Done(reply)
    }

    /// Starts the deliveries that are due.
    fn deliver(&self, mut world: MutexGuard<'_, World>) {
        let jobs = webhooks::due(&mut world);
        drop(world);
        for job in jobs {
            tokio::spawn(webhooks::deliver(Arc::clone(&self.world), job, self.quitting.clone()));
        }
    }

    /// Returns a bearer token's user: `Ok(None)` without a token, 401 for an invalid one.
    fn identify(&self, headers: &HeaderMap) -> Result<Option<Uuid>, Reply> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default();
        let Some((scheme, token)) = text.split_once(' ') else { return Ok(None) };
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            return Ok(None);
        }
        lock(&self.world).signed_in(token.trim()).map(Some).ok_or_else(|| {
            Reply::error(401, "AUTH_INVALID_TOKEN", "Invalid or expired token")
                .with_header("www-authenticate", "Bearer")
        })
    }

    /// Counts a client's request toward the general limit.
    fn count(&self, client: Client) -> Verdict {
        lock(&self.window).ask(client, Instant::now())
    }

    /// Returns the effect of the rules on a call.
    fn effect(&self, arrived: &Arrived<'_>) -> Effect {
        fail::take(&mut lock(&self.fail), arrived.route.method, arrived.route.template, arrived.path)
    }

    fn unrouted(&self, peer: IpAddr, mut reply: Reply) -> Response {
        rate_limit_headers(&mut reply, self.count(Client::Address(peer)));
        respond(reply)
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Reads a body, and the file in a form.
async fn read(headers: &HeaderMap, body: Body) -> Result<Sent, Reply> {
    let unreadable = |_| {
        let message = format!("The body could not be read, or is larger than {MAX_BODY} bytes");
        Reply::error(413, "PAYLOAD_TOO_LARGE", message)
    };
    let bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(unreadable)?;
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut file = None;
    if let Ok(boundary) = multer::parse_boundary(media) {
        let whole = bytes.clone();
        let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(whole) });
        let mut form = multer::Multipart::new(stream, boundary);
        let broken = |error: multer::Error| Reply::bad_input(format!("The form could not be read: {error}"));
        while let Some(field) = form.next_field().await.map_err(broken)? {
            if field.name() == Some("file") {
                file = Some(field.bytes().await.map_err(broken)?);
            }
        }
    }
    Ok(Sent { bytes, file })
}

/// Parses the body as a JSON object; the handler that needs one replies 422 to anything else. An empty body is an
/// object without fields.
fn object(body: &[u8]) -> Result<Map<String, Value>, Reply> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => {
            let message = "Input should be a valid dictionary";
            Err(Reply::invalid(&["body"], "model_attributes_type", message, other))
        }
        Err(_) => Err(Reply::invalid(&["body"], "json_invalid", "JSON decode error", Value::Null)),
    }
}

/// Returns the reply that a rule demands.
fn injected(route: &Route, failure: Failure) -> Reply {
    let code = match failure.status {
        400 => "INVALID_INPUT",
        401 if route.access() == Access::Ignored => "AUTH_INVALID_KEY",
        401 => "AUTH_INVALID_TOKEN",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        409 => "CONFLICT",
        429 => "RATE_LIMITED",
        502 => "UPSTREAM_FAILURE",
        503 => "UNAVAILABLE",
        _ => "SANDBOX_FAILURE",
    };
    let reply = match failure.status {
        422 => Reply::invalid(&["body"], "value_error", "The sandbox was told to fail", Value::Null),
        status => Reply::error(status, code, "The sandbox was told to fail"),
    };
    match failure.retry_after {
        Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
        None => reply,
    }
}

fn not_implemented(route: &Route) -> Reply {
    let (operations, key) = (route.operations.replace(',', ", "), route.key);
    let message = format!("the sandbox does not implement {operations} ({key})");
    Reply::error(501, "NOT_IMPLEMENTED", message)
}

fn too_many(verdict: Verdict, what: &str) -> Reply {
    let seconds = verdict.frees_in;
    let message = format!("Too many {what}. Try again in {seconds} s");
    Reply::error(429, "RATE_LIMITED", message).with_header("retry-after", seconds.to_string())
}

fn method_not_allowed() -> Reply {
    Reply::error(405, "METHOD_NOT_ALLOWED", "Method not allowed")
}

fn rate_limit_headers(reply: &mut Reply, verdict: Verdict) {
    let reset = Timestamp::now().as_second() as u64 + verdict.frees_in;
    reply.headers.push(("x-ratelimit-limit", verdict.limit.to_string()));
    reply.headers.push(("x-ratelimit-remaining", verdict.remaining.to_string()));
    reply.headers.push(("x-ratelimit-reset", reset.to_string()));
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body.clone()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !reply.body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.media));
    }
    let id = format!("req_{}", Uuid::new_v4().simple());
    let all = reply.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in all.chain([("x-request-id", id.as_str())]) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
