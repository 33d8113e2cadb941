//! The way of a call: from the socket through counters, failures, limits and sign-in to its handler.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router as AxumRouter;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use super::call::Call;
use super::fail::{self, FailRule, Failure};
use super::idempotency;
use super::jwt::{Claims, Signer};
use super::login;
use super::openid::Provider;
use super::reply::Reply;
use super::router::{Found, Route, Router};
use super::routes::Access;
use super::site;
use super::state::{Account, World};
use super::stats::Counters;
use super::window::{SlidingWindow, Verdict};
use super::{API_PATH, Options, lock};

/// The largest body that is read.
pub(crate) const MAX_BODY: usize = 16 * 1024 * 1024;
/// The general limit that headers speak of. It is not enforced: benchmarks run against the sandbox.
const REQUESTS_PER_MINUTE: u64 = 1_000_000;
const LOGIN: &str = "POST /auth/token";

/// Everything that calls share.
pub(crate) struct Shared {
    pub(crate) world: Mutex<World>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) token_ttl: Duration,
    pub(crate) openid: Provider,
    pub(crate) fail: Mutex<Vec<FailRule>>,
    auth_limit: u32,
    auth_latency: Duration,
    router: Router,
    window: Mutex<SlidingWindow>,
    signer: Signer,
    generation: AtomicU64,
    requests: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    /// A new world at this address, and the account that is the caller's own.
    pub(crate) fn new(options: &Options, site: String) -> (Self, Account) {
        let (world, account) = World::seeded(&options.api_keys);
        let secret: Vec<u8> =
            [Uuid::new_v4(), Uuid::new_v4()].iter().flat_map(|id| id.into_bytes()).collect();
        let shared = Self {
            world: Mutex::new(world),
            counters: Arc::new(Counters::default()),
            token_ttl: options.token_ttl,
            openid: Provider::new(site, &options.openid, account.username.clone()),
            auth_limit: options.auth_limit,
            auth_latency: options.auth_latency,
            router: Router::new(),
            window: Mutex::new(SlidingWindow::new(options.auth_limit, Duration::from_secs(3600))),
            fail: Mutex::new(options.fail.clone()),
            signer: Signer::new(&secret),
            generation: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        };
        (shared, account)
    }

    pub(crate) fn revoke_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn reset(&self) {
        self.counters.clear();
        lock(&self.window).clear();
    }

    pub(crate) fn add_failure(&self, rule: FailRule) {
        lock(&self.fail).push(rule);
    }

    pub(crate) fn clear_failures(&self) {
        lock(&self.fail).clear();
    }

    /// A new access token for a user.
    pub(crate) fn issue(&self, user: Uuid) -> String {
        let iat = Timestamp::now().as_second();
        let lifetime = i64::try_from(self.token_ttl.as_secs()).unwrap_or(i64::MAX);
        self.signer.sign(&Claims {
            sub: user,
            token_use: "access".to_owned(),
            iat,
            exp: iat.saturating_add(lifetime),
            jti: Uuid::new_v4().simple().to_string(),
            generation: self.generation.load(Ordering::SeqCst),
        })
    }

    /// Who a bearer token speaks for: `Ok(None)` without one, 401 for one that is no good.
    fn identify(&self, headers: &HeaderMap) -> Result<Option<Uuid>, Reply> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default();
        let Some((scheme, token)) = text.split_once(' ') else { return Ok(None) };
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            return Ok(None);
        }
        self.user_of(token.trim()).map(Some).ok_or_else(|| {
            Reply::error(401, "AUTH_INVALID_TOKEN", "Invalid or expired token")
                .with_header("www-authenticate", "Bearer")
        })
    }

    /// Whom an access token of the API speaks for, if it is good.
    pub(crate) fn user_of(&self, token: &str) -> Option<Uuid> {
        self.signer
            .verify(token, Timestamp::now().as_second())
            .filter(|claims| claims.generation == self.generation.load(Ordering::SeqCst))
            .map(|claims| claims.sub)
            .filter(|user| lock(&self.world).users.contains_key(user))
    }
}

/// Serves until told to quit, then lets calls in progress end.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, mut quitting: watch::Receiver<bool>) {
    let app = AxumRouter::new().fallback(handle).with_state(shared);
    let listener = listener.tap_io(|stream| {
        // Best effort: without it answers are only later.
        let _ = stream.set_nodelay(true);
    });
    let quit = async move {
        // An error means that the sandbox is gone, which is a reason to quit as well.
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
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let path = request.uri().path();
    if let Some(api) = path.strip_prefix(API_PATH).filter(|rest| rest.starts_with('/')) {
        let api = api.to_owned();
        return handle_api(&shared, peer.ip(), &api, request).await;
    }
    site::handle(&shared, request).await
}

async fn handle_api(shared: &Shared, ip: IpAddr, path: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let method = match parts.method {
        Method::HEAD => "GET",
        _ => parts.method.as_str(),
    };
    let (route, params) = match shared.router.find(method, path) {
        Found::Route(route, params) => (route, params),
        Found::OtherMethod => return unrouted(shared, method_not_allowed()),
        Found::Nothing => return unrouted(shared, Reply::not_found("NOT_FOUND", "Path")),
    };
    shared.counters.arrived(route.key);
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let failure = fail::take(&mut lock(&shared.fail), route.method, route.template, path);
    let (failure, afterwards) = match failure {
        Some(failure) if failure.after_acting => (None, Some(failure)),
        before => (before, None),
    };
    let mut login = None;
    let mut reply = if route.key == LOGIN {
        let guard = shared.counters.login_started();
        let (reply, verdict) = timed_login(shared, ip, failure, body).await;
        guard.completed();
        login = verdict;
        reply
    } else {
        match (failure, body) {
            (Some(failure), _) => injected(route, failure),
            (None, Err(_)) => unreadable(),
            (None, Ok(body)) => {
                let call = Incoming { headers: &parts.headers, params, path, body };
                answer(shared, route, &parts.uri, call)
            }
        }
    };
    if let Some(failure) = afterwards {
        reply = injected(route, failure);
    }
    let limits = match login {
        Some(verdict) => RateLimit {
            limit: u64::from(shared.auth_limit),
            remaining: verdict.remaining as u64,
            resets_in: verdict.frees_in,
        },
        None => shared.general_limit(),
    };
    limits.write(&mut reply);
    shared.counters.answered(route.key, reply.status);
    respond(reply)
}

/// A login: the limit is asked on arrival, the answer comes after the latency.
async fn timed_login(
    shared: &Shared,
    ip: IpAddr,
    failure: Option<Failure>,
    body: Result<Bytes, axum::Error>,
) -> (Reply, Option<Verdict>) {
    // A login that is made to fail never reaches the limit, like one that a proxy refuses.
    let verdict = failure.is_none().then(|| lock(&shared.window).ask(ip, Instant::now()));
    if !shared.auth_latency.is_zero() {
        tokio::time::sleep(shared.auth_latency).await;
    }
    let reply = match (failure, verdict, body) {
        (Some(failure), ..) => failed(failure, "AUTH_INVALID_KEY"),
        (None, Some(verdict), _) if !verdict.allowed => {
            let seconds = verdict.frees_in;
            let message = format!("Too many logins from this address. Try again in {seconds} s");
            Reply::error(429, "RATE_LIMITED", message).with_header("retry-after", seconds.to_string())
        }
        (_, _, Err(_)) => unreadable(),
        (_, _, Ok(body)) => {
            let call =
                Call { params: Vec::new(), query: Vec::new(), body: object(&body), user: None, shared };
            login::token(&call).unwrap_or_else(|refusal| refusal)
        }
    };
    (reply, verdict)
}

struct Incoming<'a> {
    headers: &'a HeaderMap,
    params: Vec<(&'a str, String)>,
    path: &'a str,
    body: Bytes,
}

/// Signs in, then replays or runs the handler.
fn answer(shared: &Shared, route: &Route, uri: &http::Uri, incoming: Incoming<'_>) -> Reply {
    let access = route.action.map_or(Access::Required, |(access, _)| access);
    let user = match access {
        Access::Ignored => None,
        _ => match shared.identify(incoming.headers) {
            Ok(user) => user,
            Err(refusal) => return refusal,
        },
    };
    if access == Access::Required && user.is_none() {
        return Reply::forbidden("FORBIDDEN", "Not authenticated");
    }
    let Some((_, handler)) = route.action else { return not_implemented(route) };
    let slot = match (user, incoming.headers.get("idempotency-key")) {
        (Some(user), Some(key)) if route.method != "GET" => {
            match idempotency::Slot::new(user, route.method, incoming.path, key, &incoming.body) {
                Ok(slot) => Some(slot),
                Err(refusal) => return refusal,
            }
        }
        _ => None,
    };
    let query = uri.query().unwrap_or_default().as_bytes();
    let call = Call {
        params: incoming.params,
        query: url::form_urlencoded::parse(query).into_owned().collect(),
        body: object(&incoming.body),
        user,
        shared,
    };
    let mut world = lock(&shared.world);
    if let Some(slot) = &slot
        && let Some(earlier) = world.idempotency.find(slot)
    {
        return earlier;
    }
    let reply = handler(&mut world, &call).unwrap_or_else(|refusal| refusal);
    if let Some(slot) = slot {
        world.idempotency.remember(slot, &reply);
    }
    reply
}

/// The body as a JSON object; the handler that needs one answers 422 for anything else.
fn object(body: &[u8]) -> Result<Map<String, Value>, Reply> {
    if body.is_empty() {
        return Err(Reply::invalid(&["body"], "missing", "Field required", Value::Null));
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

fn injected(route: &Route, failure: Failure) -> Reply {
    let public = route.action.is_some_and(|(access, _)| access == Access::Ignored);
    failed(failure, if public { "AUTH_INVALID_KEY" } else { "AUTH_INVALID_TOKEN" })
}

fn failed(failure: Failure, unauthorized: &str) -> Reply {
    let code = match failure.status {
        400 => "INVALID_INPUT",
        401 => unauthorized,
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

fn unrouted(shared: &Shared, mut reply: Reply) -> Response {
    shared.general_limit().write(&mut reply);
    respond(reply)
}

pub(crate) fn method_not_allowed() -> Reply {
    Reply::error(405, "METHOD_NOT_ALLOWED", "Method not allowed")
}

fn unreadable() -> Reply {
    let message = format!("The body could not be read, or is larger than {MAX_BODY} bytes");
    Reply::error(413, "PAYLOAD_TOO_LARGE", message)
}

pub(crate) struct RateLimit {
    limit: u64,
    remaining: u64,
    resets_in: u64,
}

impl RateLimit {
    pub(crate) fn write(&self, reply: &mut Reply) {
        let reset = Timestamp::now().as_second() as u64 + self.resets_in;
        reply.headers.push(("x-ratelimit-limit", self.limit.to_string()));
        reply.headers.push(("x-ratelimit-remaining", self.remaining.to_string()));
        reply.headers.push(("x-ratelimit-reset", reset.to_string()));
    }
}

impl Shared {
    pub(crate) fn general_limit(&self) -> RateLimit {
        let used = self.requests.fetch_add(1, Ordering::Relaxed) % REQUESTS_PER_MINUTE + 1;
        RateLimit { limit: REQUESTS_PER_MINUTE, remaining: REQUESTS_PER_MINUTE - used, resets_in: 60 }
    }
}

pub(crate) fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body.clone()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !reply.body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
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
