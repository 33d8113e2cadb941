//! What a test may do that a client may not: decide on logins, end tokens, change keys.

use std::fmt;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::lock;
use super::super::reply::{Answer, Reply};
use super::store::{Decision, Grant, PendingKind, Session};
use super::{App, Provider, authorize, token};

/// The OpenID side of a running sandbox, for tests in its process. `POST /_control/openid/…` does the same
/// for others.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use colony_cli::sandbox::{Options, Sandbox};
///
/// let sandbox = Sandbox::start(Options::default()).await?;
/// assert_eq!(sandbox.openid().issuer(), sandbox.site());
/// assert_eq!(sandbox.openid().app().client_id, "colony_sandbox");
/// assert!(sandbox.openid().pending().is_empty());
/// assert!(sandbox.openid().approve("nothing of the kind").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct OpenId<'a> {
    pub(in super::super) provider: &'a Provider,
}

/// A login that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingRequest {
    /// What [`OpenId::approve`] takes: a device's user code, or the id of a browser's request.
    pub request: String,
    /// The app that asks.
    pub client_id: String,
    /// What it asks for.
    pub scopes: Vec<String>,
}

/// What became of one login: the family of its refresh tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantState {
    /// The app.
    pub client_id: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// Whether it has ended: revoked, or a spent refresh token was presented.
    pub revoked: bool,
    /// How many refresh tokens were spent.
    pub rotations: u64,
}

/// No login waits under this name, or nobody has this username.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchRequest(&'static str);

impl fmt::Display for NoSuchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoSuchRequest {}

impl<'a> OpenId<'a> {
    /// The issuer: the site's root.
    pub fn issuer(self) -> &'a str {
        &self.provider.site
    }

    /// The first registered app.
    pub fn app(self) -> &'a App {
        // There is always one: without any, one is made.
        &self.provider.apps[0]
    }

    /// The logins that wait for a decision.
    pub fn pending(self) -> Vec<PendingRequest> {
        let store = lock(&self.provider.store);
        let waiting = store.requests.iter().filter(|request| request.decision.is_none());
        waiting
            .map(|request| PendingRequest {
                request: request.id.clone(),
                client_id: request.client_id.clone(),
                scopes: request.scopes.clone(),
            })
            .collect()
    }

    /// Lets a login in, as the sandbox's own account. A browser's request goes on at the address that is
    /// returned, which holds the code; a device is told when it asks.
    ///
    /// # Errors
    ///
    /// When nothing waits under this name.
    pub fn approve(self, request: &str) -> Result<Option<String>, NoSuchRequest> {
        self.approve_as(request, &self.provider.username)
    }

    /// Lets a login in, as somebody.
    ///
    /// # Errors
    ///
    /// When nothing waits under this name, or the username is nobody's.
    pub fn approve_as(self, request: &str, username: &str) -> Result<Option<String>, NoSuchRequest> {
        let user = lock(&self.provider.world).find_user(username);
        let user = user.map_err(|_| NoSuchRequest("there is no user of this name"))?;
        self.decide(request, Decision::Approved(user))
    }

    /// Refuses a login.
    ///
    /// # Errors
    ///
    /// When nothing waits under this name.
    pub fn deny(self, request: &str) -> Result<Option<String>, NoSuchRequest> {
        self.decide(request, Decision::Denied)
    }

    fn decide(self, request: &str, decision: Decision) -> Result<Option<String>, NoSuchRequest> {
        let provider = self.provider;
        let mut store = lock(&provider.store);
        // A person may type a user code in small letters and without its dash.
        let plain = |text: &str| text.replace('-', "").to_uppercase();
        let wanted = plain(request);
        let at = store.requests.iter().position(|known| {
            known.decision.is_none() && plain(&known.id) == wanted && super::now() < known.expires
        });
        let at = at.ok_or(NoSuchRequest("no login waits under this name, or it has expired"))?;
        if matches!(store.requests[at].kind, PendingKind::Device { .. }) {
            store.requests[at].decision = Some(decision);
            return Ok(None);
        }
        let request = store.requests.remove(at);
        Ok(authorize::decide(&mut store, &provider.site, &request, decision))
    }

    /// Logs the sandbox's own account in to the first app, as a device whose user has agreed, and gives
    /// what the token endpoint would answer. With `offline_access` among the scopes there is a refresh
    /// token.
    ///
    /// # Errors
    ///
    /// When the app may not have one of the scopes, or the account is gone.
    pub fn login(self, scope: &str) -> Result<Value, NoSuchRequest> {
        let (app, provider) = (self.app(), &self.provider);
        let scopes: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
        if !scopes.iter().all(|scope| app.allows_scope(scope)) {
            return Err(NoSuchRequest("the app may not have one of the scopes"));
        }
        let user = self.provider.default_user().ok_or(NoSuchRequest("the sandbox's account is gone"))?;
        let now = super::now();
        let grant = Grant::new(app.client_id.clone(), user, scopes, Session::new(now, None));
        let (_, issued) = lock(&provider.store).begin(grant, now, provider.lifetimes());
        let reply = token::reply(self.provider, &app.client_id, &issued, None);
        let reply = reply.map_err(|_| NoSuchRequest("the login could not be answered"))?;
        Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// All logins so far, in order, with what became of them.
    pub fn grants(self) -> Vec<GrantState> {
        let store = lock(&self.provider.store);
        let grants = store.grants().iter().map(|grant| GrantState {
            client_id: grant.client_id.clone(),
            scopes: grant.scopes.clone(),
            revoked: grant.revoked,
            rotations: grant.rotations,
        });
        grants.collect()
    }

    /// Ends every opaque access token; the JWTs of the API live on.
    pub fn expire_access_tokens(self) {
        lock(&self.provider.store).expire_access_tokens();
    }

    /// Lets every refresh token expire.
    pub fn expire_refresh_tokens(self) {
        lock(&self.provider.store).expire_refresh_tokens();
    }

    /// Lets every device code, every request of a browser and every authorization code expire.
    pub fn expire_requests(self) {
        lock(&self.provider.store).expire_requests();
    }

    /// Revokes every login, as a user does who disconnects all apps: from now on every refresh is
    /// answered `invalid_grant`.
    pub fn revoke_grants(self) {
        lock(&self.provider.store).revoke_all_grants();
    }

    /// Signs with a new key from now on. The former ones stay published.
    ///
    /// # Errors
    ///
    /// When no key can be made.
    pub fn roll_keys(self) -> std::io::Result<()> {
        self.new_key(false)
    }

    /// Signs with a new key from now on, and publishes no other: tokens signed before verify no more.
    ///
    /// # Errors
    ///
    /// When no key can be made.
    pub fn withdraw_keys(self) -> std::io::Result<()> {
        self.new_key(true)
    }

    fn new_key(self, withdraw: bool) -> std::io::Result<()> {
        let rolled = lock(&self.provider.keys).roll(withdraw);
        rolled.ok_or_else(|| std::io::Error::other("no RSA key could be made"))
    }
}

/// Answers `POST /_control/openid/…`, and `GET /_control/openid/requests` and `…/grants`. `None` for an
/// address that is not there.
pub(crate) fn answer(provider: &Provider, method: &Method, what: &str, body: &Bytes) -> Option<Reply> {
    let openid = OpenId { provider };
    let done = |name: &str| Ok(Reply::ok(&json!({ name: true })));
    let fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let decided = |name: &str, outcome: Result<Option<String>, NoSuchRequest>| match outcome {
        Ok(next) => Ok(Reply::ok(&json!({ name: true, "redirect_to": next }))),
        Err(error) => Err(Reply::error(404, "NOT_FOUND", error.0)),
    };
    let need =
        || text("request").ok_or_else(|| wrong("give JSON: {\"request\": \"…\", \"username\": \"…\"}"));
    let outcome: Answer = match (method, what) {
        (&Method::GET, "requests") => {
            let rows = openid
                .pending()
                .into_iter()
                .map(|row| json!({"request": row.request, "client_id": row.client_id, "scopes": row.scopes}));
            Ok(Reply::ok(&rows.collect::<Vec<Value>>()))
        }
        (&Method::GET, "grants") => {
            let rows = openid.grants().into_iter().map(|row| {
                json!({
                    "client_id": row.client_id, "scopes": row.scopes, "revoked": row.revoked,
                    "rotations": row.rotations,
                })
            });
            Ok(Reply::ok(&rows.collect::<Vec<Value>>()))
        }
        (&Method::POST, "approve") => need().and_then(|request| {
            let username = text("username").unwrap_or(&provider.username);
            decided("approved", openid.approve_as(request, username))
        }),
        (&Method::POST, "deny") => need().and_then(|request| decided("denied", openid.deny(request))),
        (&Method::POST, "login") => match openid.login(text("scope").unwrap_or("openid offline_access")) {
            Ok(reply) => Ok(Reply::ok(&reply)),
            Err(error) => Err(wrong(error.0)),
        },
        (&Method::POST, "expire") => match text("what").unwrap_or("access_tokens") {
            "access_tokens" => {
                openid.expire_access_tokens();
                done("expired")
            }
            "refresh_tokens" => {
                openid.expire_refresh_tokens();
                done("expired")
            }
            "requests" => {
                openid.expire_requests();
                done("expired")
            }
            _ => Err(wrong("`what` is access_tokens, refresh_tokens or requests")),
        },
        (&Method::POST, "revoke") => {
            openid.revoke_grants();
            done("revoked")
        }
        (&Method::POST, "keys") => {
            let withdraw = fields.get("withdraw").and_then(Value::as_bool).unwrap_or(false);
            match openid.new_key(withdraw) {
                Ok(()) => done("rolled"),
                Err(error) => Err(Reply::error(500, "SANDBOX_FAILURE", error.to_string())),
            }
        }
        (_, "requests" | "grants" | "approve" | "deny" | "login" | "expire" | "revoke" | "keys") => {
            Err(Reply::error(405, "METHOD_NOT_ALLOWED", "Method not allowed"))
        }
        _ => return None,
    };
    Some(outcome.unwrap_or_else(|refusal| refusal))
}

fn wrong(message: &str) -> Reply {
    Reply::error(400, "INVALID_INPUT", message)
}

impl Provider {
    /// The account in whose name logins are approved when nobody is named.
    pub(super) fn default_user(&self) -> Option<Uuid> {
        lock(&self.world).find_user(&self.username).ok()
    }
}
