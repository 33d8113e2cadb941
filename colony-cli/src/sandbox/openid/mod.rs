//! The OpenID provider: discovery, keys, token exchange, refresh tokens that rotate, the device flow and authorization
//! codes. It behaves as is publicly known of the service; otherwise it follows the RFC that a line names.
//!
//! Its addresses are at the site's root, its errors in the form of RFC 6749 section 5.2, and its state in memory. No
//! browser is needed: requests wait until [`super::OpenId::approve`] or `POST /_control/openid/approve` decides on
//! them; [`OpenIdOptions::auto_approve`] decides at once.

mod app;
mod authorize;
mod claims;
mod control;
mod device;
mod discovery;
mod exchange;
mod keys;
mod request;
mod store;
mod token;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;

use super::fail::Failure;
use super::reply::{Answer, Reply};
use super::stats::Counters;
use super::world::World;

pub use app::{App, AudiencePolicy, ParseAppError};
pub use control::{GrantState, NoSuchRequest, OpenId, PendingRequest};

pub(crate) use control::answer as control;
use keys::Keys;
use request::{Form, refusal};
use store::{Lifetimes, Store};

/// The scopes that the sandbox knows; the service has more.
const SCOPES: [&str; 6] =
    ["openid", "profile", "email", "colony:karma", "colony:memberships", "offline_access"];

/// The app that is registered if none is given.
const DEFAULT_APP: &str = "colony_sandbox";

/// The configuration of a [`super::Sandbox`]'s OpenID provider.
#[derive(Debug, Clone)]
pub struct OpenIdOptions {
    /// The registered apps. Empty: one named `colony_sandbox`, with a generated secret.
    pub apps: Vec<App>,
    /// How long an opaque access token lives. Whole seconds; 15 minutes, as at the service.
    pub access_token_ttl: Duration,
    /// How long an `id_token` lives. Whole seconds; 5 minutes, as at the service.
    pub id_token_ttl: Duration,
    /// How long a refresh token lives unless it is used. Whole seconds; 30 days. The service's value is unknown.
    pub refresh_token_ttl: Duration,
    /// How long a device or a browser's request waits for its user. Whole seconds; 15 minutes.
    pub request_ttl: Duration,
    /// How often a device may poll; an earlier poll fails with `slow_down`. Whole seconds; 5, as at the service.
    pub device_interval: Duration,
    /// How long `POST /oauth/token` takes. The work is done at the end: a client that disconnects earlier has spent
    /// nothing.
    pub latency: Duration,
    /// Approves every login at once, for the account that [`super::Sandbox::username`] names.
    pub auto_approve: bool,
}

impl Default for OpenIdOptions {
    fn default() -> Self {
        Self {
            apps: Vec::new(),
            access_token_ttl: Duration::from_secs(15 * 60),
            id_token_ttl: Duration::from_secs(5 * 60),
            refresh_token_ttl: Duration::from_secs(30 * 24 * 60 * 60),
            request_ttl: Duration::from_secs(15 * 60),
            device_interval: Duration::from_secs(5),
            latency: Duration::ZERO,
            auto_approve: false,
        }
    }
}

/// The provider.
pub(crate) struct Provider {
    /// The accounts, and the API's tokens.
    world: Arc<Mutex<World>>,
    counters: Arc<Counters>,
    /// The site's root, which is also the issuer.
    pub(crate) site: String,
    pub(crate) apps: Vec<App>,
    pub(crate) options: OpenIdOptions,
    /// The user who logs in by default.
    pub(crate) username: String,
    keys: Mutex<Keys>,
    store: Mutex<Store>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("site", &self.site).finish_non_exhaustive()
    }
}

impl Provider {
    pub(crate) fn new(
        site: String,
        options: &OpenIdOptions,
        username: String,
        world: Arc<Mutex<World>>,
        counters: Arc<Counters>,
    ) -> Self {
        let mut apps = options.apps.clone();
        if apps.is_empty() {
            let secret: SecretString = store::secret("cs").into();
            apps.push(App::new(DEFAULT_APP).client_secret(secret));
        }
        let options = options.clone();
        Self {
            world,
            counters,
            site,
            apps,
            options,
            username,
            keys: Mutex::default(),
            store: Mutex::default(),
        }
    }

    fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            access: seconds(self.options.access_token_ttl),
            refresh: seconds(self.options.refresh_token_ttl),
        }
    }
}

/// A request to an endpoint.
pub(crate) struct Asked<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: &'a str,
    pub(crate) body: Bytes,
}

impl Asked<'_> {
    fn form(&self) -> Result<Form, Reply> {
        Form::from_body(self.headers, &self.body)
    }
}

/// An endpoint of the provider at the site's root.
pub(crate) struct Endpoint {
    /// Its name in the counters: `POST /oauth/token`.
    pub(crate) key: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    answer: fn(&Provider, &Asked<'_>) -> Answer,
}

/// The token endpoint.
pub(crate) const TOKEN: &str = "POST /oauth/token";

const ENDPOINTS: [Endpoint; 11] = [
    endpoint("GET /.well-known/openid-configuration", discovery::metadata),
    endpoint("GET /.well-known/oauth-authorization-server", discovery::metadata),
    endpoint("GET /.well-known/jwks.json", discovery::keys),
    endpoint(TOKEN, token::answer),
    endpoint("GET /oauth/authorize", authorize::answer),
    endpoint("POST /oauth/device_authorization", device::begin),
    endpoint("GET /device", device::page),
    endpoint("POST /oauth/revoke", token::revoke),
    endpoint("POST /oauth/introspect", token::introspect),
    endpoint("GET /oauth/userinfo", token::userinfo),
    endpoint("POST /oauth/userinfo", token::userinfo),
];

const fn endpoint(key: &'static str, answer: fn(&Provider, &Asked<'_>) -> Answer) -> Endpoint {
    // `str::split_once` is not const yet; every method here is GET or POST.
    let at = if key.as_bytes()[0] == b'G' { 3 } else { 4 };
    let (method, rest) = key.split_at(at);
    Endpoint { key, method, path: rest.split_at(1).1, answer }
}

/// The target of an address.
pub(crate) enum Found {
    Endpoint(&'static Endpoint),
    OtherMethod,
    Nothing,
}

pub(crate) fn find(method: &str, path: &str) -> Found {
    let mut here = ENDPOINTS.iter().filter(|endpoint| endpoint.path == path).peekable();
    if here.peek().is_none() {
        return Found::Nothing;
    }
    here.find(|endpoint| endpoint.method == method).map_or(Found::OtherMethod, Found::Endpoint)
}

impl Endpoint {
    /// Handles a request.
    pub(crate) fn answer(&self, provider: &Provider, asked: &Asked<'_>) -> Reply {
        (self.answer)(provider, asked).unwrap_or_else(|refusal| refusal)
    }
}

/// Returns the short name of the grant that a token request uses, if it is a known one.
pub(crate) fn grant_name(body: &[u8]) -> Option<&'static str> {
    let (_, wanted) = url::form_urlencoded::parse(body).find(|(name, _)| name == "grant_type")?;
    token::GRANTS.iter().find(|(urn, _)| *urn == wanted).map(|&(_, name)| name)
}

/// Returns a rule's failure, in the form of these endpoints.
pub(crate) fn failed(failure: Failure) -> Reply {
    let error = match failure.status {
        400 => "invalid_grant",
        401 => "invalid_client",
        403 => "access_denied",
        429 | 503 => "temporarily_unavailable",
        status if status < 500 => "invalid_request",
        _ => "server_error",
    };
    let reply = refusal(failure.status, error, "The sandbox was told to fail");
    match failure.retry_after {
        Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
        None => reply,
    }
}

/// Returns the reply to a body that was too large or incomplete.
pub(crate) fn unreadable() -> Reply {
    refusal(StatusCode::PAYLOAD_TOO_LARGE.as_u16(), "invalid_request", "The body could not be read")
}

/// Returns the reply to a failure that cannot happen, such as a key that cannot be made.
fn broken(what: &str) -> Reply {
    refusal(500, "server_error", what)
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_methods() {
        let found = |method, path| match find(method, path) {
            Found::Endpoint(endpoint) => endpoint.key,
            Found::OtherMethod => "405",
            Found::Nothing => "404",
        };
        assert_eq!(found("POST", "/oauth/token"), TOKEN);
        assert_eq!(found("GET", "/oauth/token"), "405");
        assert_eq!(found("POST", "/oauth/userinfo"), "POST /oauth/userinfo");
        assert_eq!(found("GET", "/oauth/par"), "404");
        for endpoint in &ENDPOINTS {
            assert_eq!(format!("{} {}", endpoint.method, endpoint.path), endpoint.key);
        }
    }

    #[test]
    fn grants_are_told_apart() {
        assert_eq!(grant_name(b"a=b&grant_type=refresh_token"), Some("refresh_token"));
        let exchange = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
        assert_eq!(grant_name(exchange), Some("token-exchange"));
        assert_eq!(grant_name(b"grant_type=password"), None);
    }
}
