//! The controls for tests, which clients do not have: deciding on logins, expiring tokens, changing keys.

use std::fmt;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::lock;
use super::super::reply::{Answer, Reply};
use super::store::{Decision, Grant, PendingKind, Session};
use super::{App, Provider, authorize, token};

/// The OpenID provider of a running sandbox, for tests in its process. For other processes `POST /_control/openid/…`
/// does the same.
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
    /// The argument of [`OpenId::approve`]: a device's user code, or the id of a browser's request.
    pub request: String,
    /// The client id of the app.
    pub client_id: String,
    /// The requested scopes.
    pub scopes: Vec<String>,
}

/// The state of one login: the family of its refresh tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantState {
    /// The client id of the app.
    pub client_id: String,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// Whether it has ended: it was revoked, or a spent refresh token was presented.
    pub revoked: bool,
    /// The number of spent refresh tokens.
    pub rotations: u64,
}

/// The error for an unknown pending login or username.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchRequest(&'static str);

impl fmt::Display for NoSuchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoSuchRequest {}

impl<'a> OpenId<'a> {
    /// Returns the issuer: the site's root.
    pub fn issuer(self) -> &'a str {
        &self.provider.site
    }

    /// Returns the first registered app.
    pub fn app(self) -> &'a App {
        // The list is never empty: by default it contains a generated app.
        &self.provider.apps[0]
    }

    /// Returns the logins that wait for a decision.
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

    /// Approves a login for the sandbox's own account. Returns the address where a browser's request continues, which
    /// contains the code; a device gets its tokens at its next poll.
    ///
    /// # Errors
    ///
    /// If no login with this name is pending.
    pub fn approve(self, request: &str) -> Result<Option<String>, NoSuchRequest> {
        self.approve_as(request, &self.provider.username)
    }

    /// Approves a login for another account.
    ///
    /// # Errors
    ///
    /// If no login with this name is pending, or the username is unknown.
    pub fn approve_as(self, request: &str, username: &str) -> Result<Option<String>, NoSuchRequest> {
        let user = lock(&self.provider.world).find_user(username);
        let user = user.map_err(|_| NoSuchRequest("there is no user of this name"))?;
        self.decide(request, Decision::Approved(user))
    }

    /// Denies a login.
    ///
    /// # Errors
    ///
    /// If no login with this name is pending.
    pub fn deny(self, request: &str) -> Result<Option<String>, NoSuchRequest> {
        self.decide(request, Decision::Denied)
    }

    fn decide(self, request: &str, decision: Decision) -> Result<Option<String>, NoSuchRequest> {
        let provider = self.provider;
        let mut store = lock(&provider.store);
        // A person may type a user code in lower case and without its dash.
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

    /// Logs the sandbox's own account in to the first app, like a device whose user has agreed, and returns the token
    /// endpoint's reply. With `offline_access` among the scopes it contains a refresh token.
    ///
    /// # Errors
    ///
    /// If the app may not have one of the scopes, or the account no longer exists.
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

    /// Returns all logins so far, in order, with their state.
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

    /// Expires every opaque access token; the API's JWTs stay valid.
    pub fn expire_access_tokens(self) {
        lock(&self.provider.store).expire_access_tokens();
    }

    /// Expires every refresh token.
    pub fn expire_refresh_tokens(self) {
        lock(&self.provider.store).expire_refresh_tokens();
    }

    /// Expires every device code, browser request and authorization code.
    pub fn expire_requests(self) {
        lock(&self.provider.store).expire_requests();
    }

    /// Revokes every login, as a user does who disconnects all apps: from now on every refresh fails with
    /// `invalid_grant`.
    pub fn revoke_grants(self) {
        lock(&self.provider.store).revoke_all_grants();
    }

    /// Signs with a new key from now on. The earlier keys stay published.
    ///
    /// # Errors
    ///
    /// If no key can be made.
    pub fn roll_keys(self) -> std::io::Result<()> {
        self.new_key(false)
    }

    /// Signs with a new key from now on, and publishes no other: tokens signed earlier no longer verify.
    ///
    /// # Errors
    ///
    /// If no key can be made.
    pub fn withdraw_keys(self) -> std::io::Result<()> {
        self.new_key(true)
    }

    fn new_key(self, withdraw: bool) -> std::io::Result<()> {
        let rolled = lock(&self.provider.keys).roll(withdraw);
        rolled.ok_or_else(|| std::io::Error::other("no RSA key could be made"))
    }
}

/// Handles `POST /_control/openid/…`, and `GET /_control/openid/requests` and `…/grants`. `None` for an unknown
/// address.
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
    /// Returns the account for which logins are approved by default.
    pub(super) fn default_user(&self) -> Option<Uuid> {
        lock(&self.world).find_user(&self.username).ok()
    }
}
