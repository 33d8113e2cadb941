//! Functions of the program's own that see every request and every reply.

use std::fmt;

use colony_core::{Body, Effect, JsonObject, Reply, Request};
use http::Method;
use serde_json::Value;
use url::Url;

/// A request that is about to be sent, as a hook sees it.
///
/// Each try is one, and so is each login. The token is never part of it, and what would give away a
/// secret (a login, a key's recovery or rotation, a webhook's secret) has no body here.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Outgoing<'a> {
    /// The operation's name, `create_post`.
    pub operation: &'static str,
    /// The method.
    pub method: &'a Method,
    /// The address, with its query.
    pub url: &'a str,
    /// The JSON body, when there is one and it may be shown.
    pub body: Option<&'a JsonObject>,
}

/// A reply that arrived, whatever its status, as a hook sees it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Incoming<'a> {
    /// The operation's name, `create_post`.
    pub operation: &'static str,
    /// The request's method.
    pub method: &'a Method,
    /// The request's address, with its query.
    pub url: &'a str,
    /// The status.
    pub status: u16,
    /// The body, when it is JSON and may be shown; an empty one is an empty object. Downloads have none.
    pub body: Option<&'a Value>,
}

type OnRequest = Box<dyn Fn(&Outgoing<'_>) + Send + Sync>;
type OnResponse = Box<dyn Fn(&Incoming<'_>) + Send + Sync>;

/// The hooks of a client, in the order they were given.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) requests: Vec<OnRequest>,
    pub(crate) responses: Vec<OnResponse>,
}

impl Hooks {
    pub(super) fn sending(&self, request: &Request, url: &Url) {
        if self.requests.is_empty() {
            return;
        }
        let body = match request.body() {
            Body::Json(fields) if !hides(request) => Some(fields),
            _ => None,
        };
        let seen =
            Outgoing { operation: request.operation(), method: request.method(), url: url.as_str(), body };
        for hook in &self.requests {
            hook(&seen);
        }
    }

    pub(super) fn received(&self, request: &Request, url: &Url, reply: &Reply) {
        if self.responses.is_empty() {
            return;
        }
        let shown = !hides(request) && !request.is_download();
        let body = shown.then(|| reply.json().ok()).flatten();
        let seen = Incoming {
            operation: request.operation(),
            method: request.method(),
            url: url.as_str(),
            status: reply.status.as_u16(),
            body: body.as_ref(),
        };
        for hook in &self.responses {
            hook(&seen);
        }
    }
}

/// Whether bodies of this request and its reply hold what no hook may see.
fn hides(request: &Request) -> bool {
    request.is_secret() || request.success_effect() == Effect::AdoptKey
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("requests", &self.requests.len())
            .field("responses", &self.responses.len())
            .finish()
    }
}
