//! Functions of the program that see every request and every reply.

use std::{borrow::Cow, fmt, sync::Arc};

use colony_core::{Body, Effect, JsonObject, Reply, Request};
use http::Method;
use serde_json::Value;
use url::Url;

use crate::callback::Owner;

/// A request that is about to be sent, as a hook sees it.
///
/// Every try is reported, and so is every login. The token is never included, and a request with a secret (a login, a
/// key's recovery or rotation, a webhook's secret) has no body here.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Outgoing<'a> {
    /// The operation's name, `create_post`.
    pub operation: &'static str,
    /// The method.
    pub method: &'a Method,
    /// The address, with its query.
    pub url: &'a str,
    /// The JSON body, if there is one and it can be shown.
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
    /// The body, if it is JSON and can be shown; an empty one is an empty object. Downloads have none.
    pub body: Option<&'a Value>,
}

type OnRequest = Arc<dyn Fn(&Outgoing<'_>) + Send + Sync>;
type OnResponse = Arc<dyn Fn(&Incoming<'_>) + Send + Sync>;

/// The hooks of a client, in the order they were given.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) owner: Owner,
    pub(crate) requests: Vec<OnRequest>,
    pub(crate) responses: Vec<OnResponse>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { owner: Owner::new(), requests: Vec::new(), responses: Vec::new() }
    }
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
        let url = shown(url);
        let seen = Outgoing { operation: request.operation(), method: request.method(), url: &url, body };
        for hook in &self.requests {
            self.owner.call(|| hook(&seen));
        }
    }

    pub(super) fn received(&self, request: &Request, url: &Url, reply: &Reply) {
        if self.responses.is_empty() {
            return;
        }
        let is_shown = !hides(request) && !request.is_download();
        let body = is_shown.then(|| reply.json().ok()).flatten();
        let url = shown(url);
        let seen = Incoming {
            operation: request.operation(),
            method: request.method(),
            url: &url,
            status: reply.status.as_u16(),
            body: body.as_ref(),
        };
        for hook in &self.responses {
            self.owner.call(|| hook(&seen));
        }
    }
}

/// Returns the address without a user's name and password, which a base URL can contain.
fn shown(url: &Url) -> Cow<'_, str> {
    if url.username().is_empty() && url.password().is_none() {
        return url.as_str().into();
    }
    let mut url = url.clone();
    // This fails only for addresses without a host, to which nothing can be sent.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    String::from(url).into()
}

/// Returns whether bodies of this request and its reply contain data that no hook may see.
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

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_password_in_the_address_is_not_shown() {
        let shown_of = |text: &str| shown(&text.parse().unwrap()).into_owned();
        assert_eq!(shown_of("http://user:secret@host.example/api?x=1"), "http://host.example/api?x=1");
        assert_eq!(shown_of("http://:secret@host.example/"), "http://host.example/");
        assert_eq!(shown_of("http://host.example:81/"), "http://host.example:81/");
    }
}
