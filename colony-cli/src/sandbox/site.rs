//! Addresses at the site's root: the OpenID provider, the counts and the controls.

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::fail::{self, FailRule};
use super::lock;
use super::openid::{self, Asked, Endpoint, Found};
use super::reply::Reply;
use super::server::{MAX_BODY, Shared, method_not_allowed, respond};

pub(crate) async fn handle(shared: &Shared, request: Request) -> Response {
    let method = match *request.method() {
        Method::HEAD => "GET",
        ref method => method.as_str(),
    };
    match openid::find(method, request.uri().path()) {
        Found::Endpoint(endpoint) => provider(shared, endpoint, request).await,
        Found::OtherMethod => respond(method_not_allowed()),
        Found::Nothing => respond(own(shared, request).await),
    }
}

/// A call of the OpenID provider: counted, made to fail or delayed like those of the API.
async fn provider(shared: &Shared, endpoint: &Endpoint, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    shared.counters.arrived(endpoint.key);
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let mut path = endpoint.path.to_owned();
    let mut grant = None;
    if endpoint.key == openid::TOKEN {
        grant = body.as_ref().ok().and_then(|body| openid::grant_name(body));
        if let Some(name) = grant {
            shared.counters.grant_arrived(name);
            path = format!("{path}#{name}");
        }
        if !shared.openid.options.latency.is_zero() {
            tokio::time::sleep(shared.openid.options.latency).await;
        }
    }
    let failure = fail::take(&mut lock(&shared.fail), endpoint.method, endpoint.path, &path);
    let mut reply = match (failure, body) {
        (Some(failure), _) if !failure.after_acting => openid::failed(failure),
        (_, Err(_)) => openid::unreadable(),
        (failure, Ok(body)) => {
            let query = parts.uri.query().unwrap_or_default();
            let done = endpoint.answer(shared, &Asked { headers: &parts.headers, query, body });
            failure.map_or(done, openid::failed)
        }
    };
    shared.general_limit().write(&mut reply);
    shared.counters.answered(endpoint.key, reply.status);
    if let Some(name) = grant {
        shared.counters.grant_answered(name, reply.status);
    }
    respond(reply)
}

/// What is the sandbox's own: `/_stats` and `/_control/…`.
async fn own(shared: &Shared, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let path = parts.uri.path();
    if let Some(what) = path.strip_prefix("/_control/openid/") {
        let answered = openid::control(shared, &parts.method, what, &body);
        return answered.unwrap_or_else(not_found);
    }
    match (&parts.method, path) {
        (&Method::GET, "/_stats") => Reply::ok(&shared.counters.snapshot()),
        (&Method::POST, "/_control/revoke") => {
            shared.revoke_all();
            Reply::ok(&json!({"revoked": true}))
        }
        (&Method::POST, "/_control/reset") => {
            shared.reset();
            Reply::ok(&json!({"reset": true}))
        }
        (&Method::POST, "/_control/fail") => add_rule(shared, &body),
        (_, "/_stats" | "/_control/revoke" | "/_control/reset" | "/_control/fail") => method_not_allowed(),
        _ => not_found(),
    }
}

/// `{"rule": "POST /oauth/token#refresh_token=503x1"}`; `{"rule": null}` forgets all.
fn add_rule(shared: &Shared, body: &Bytes) -> Reply {
    let fields: Value = serde_json::from_slice(body).unwrap_or_default();
    match fields.get("rule") {
        Some(Value::Null) => {
            shared.clear_failures();
            Reply::ok(&json!({"cleared": true}))
        }
        Some(Value::String(text)) => match text.parse::<FailRule>() {
            Ok(rule) => {
                shared.add_failure(rule);
                Reply::ok(&json!({"added": true}))
            }
            Err(error) => Reply::error(400, "INVALID_INPUT", error.to_string()),
        },
        _ => Reply::error(400, "INVALID_INPUT", "give JSON: {\"rule\": \"POST /oauth/token=503x1\"}"),
    }
}

fn not_found() -> Reply {
    Reply::not_found("NOT_FOUND", "Page")
}
