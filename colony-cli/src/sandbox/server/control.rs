//! Paths at the site's root: the OpenID provider, the counts and the controls.

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use super::super::StreamMode;
use super::super::fail::{self, FailRule};
use super::super::lock;
use super::super::openid::{self, Asked, Endpoint, Found};
use super::super::reply::{Answer, Reply};
use super::super::routes;
use super::{Client, MAX_BODY, Server, method_not_allowed, pause, rate_limit_headers, respond};

pub(super) async fn handle(server: &Server, peer: std::net::IpAddr, request: Request) -> Response {
    let method = match *request.method() {
        Method::HEAD => "GET",
        ref method => method.as_str(),
    };
    match openid::find(method, request.uri().path()) {
        Found::Endpoint(endpoint) => {
            let mut reply = provider(server, endpoint, request).await;
            rate_limit_headers(&mut reply, server.count(Client::Address(peer)));
            respond(reply)
        }
        Found::OtherMethod => respond(method_not_allowed()),
        Found::Nothing => respond(own(server, request).await),
    }
}

/// Handles a call of the OpenID provider: counted, failed or delayed like those of the API.
async fn provider(server: &Server, endpoint: &Endpoint, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    server.counters.arrived(endpoint.key);
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let mut path = endpoint.path.to_owned();
    let mut grant = None;
    if endpoint.key == openid::TOKEN {
        grant = body.as_ref().ok().and_then(|body| openid::grant_name(body));
        if let Some(name) = grant {
            server.counters.grant_arrived(name);
            path = format!("{path}#{name}");
        }
        pause(server.openid.options.latency).await;
    }
    let effect = fail::take(&mut lock(&server.fail), endpoint.method, endpoint.path, &path);
    let reply = match (effect.failure, body) {
        (Some(failure), _) if !failure.after_acting => openid::failed(failure),
        (_, Err(_)) => openid::unreadable(),
        (failure, Ok(body)) => {
            let query = parts.uri.query().unwrap_or_default();
            let done = endpoint.answer(&server.openid, &Asked { headers: &parts.headers, query, body });
            failure.map_or(done, openid::failed)
        }
    };
    pause(effect.delay).await;
    server.counters.answered(endpoint.key, reply.status);
    if let Some(name) = grant {
        server.counters.grant_answered(name, reply.status);
    }
    reply
}

/// Handles the sandbox's own paths: `/_stats` and `/_control/…`.
async fn own(server: &Server, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let path = parts.uri.path();
    if let Some(what) = path.strip_prefix("/_control/openid/") {
        let answered = openid::control(&server.openid, &parts.method, what, &body);
        return answered.unwrap_or_else(not_found);
    }
    match (&parts.method, path) {
        (&Method::GET, "/health") => Reply::status(200, "ok"),
        (&Method::GET, "/_stats") => Reply::ok(&server.counters.snapshot()),
        (&Method::POST, "/_control/revoke") => {
            server.revoke_all();
            Reply::ok(&json!({"revoked": true}))
        }
        (&Method::POST, "/_control/reset") => {
            server.reset();
            Reply::ok(&json!({"reset": true}))
        }
        (&Method::POST, "/_control/fail") => add_rule(server, &body),
        (&Method::POST, "/_control/event") => event(server, &body).unwrap_or_else(|refusal| refusal),
        (&Method::POST, "/_control/pay") => pay(server, &body).unwrap_or_else(|refusal| refusal),
        (&Method::GET, "/_control/mail") => Reply::ok(&routes::mail::sent(&mut lock(&server.world))),
        (&Method::POST, "/_control/stream") => stream(server, &body),
        (&Method::POST, "/_control/user") => user(server, &body).unwrap_or_else(|refusal| refusal),
        (
            _,
            "/health" | "/_stats" | "/_control/mail" | "/_control/revoke" | "/_control/reset"
            | "/_control/fail" | "/_control/event" | "/_control/pay" | "/_control/stream" | "/_control/user",
        ) => method_not_allowed(),
        _ => not_found(),
    }
}

fn fields(body: &Bytes) -> Map<String, Value> {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Adds a rule from `{"rule": "POST /oauth/token#refresh_token=503x1"}`; `{"rule": null}` removes all.
fn add_rule(server: &Server, body: &Bytes) -> Reply {
    match fields(body).get("rule") {
        Some(Value::Null) => {
            server.clear_failures();
            Reply::ok(&json!({"cleared": true}))
        }
        Some(Value::String(text)) => match text.parse::<FailRule>() {
            Ok(rule) => {
                server.add_failure(rule);
                Reply::ok(&json!({"added": true}))
            }
            Err(error) => Reply::bad_input(error.to_string()),
        },
        _ => Reply::bad_input("give JSON: {\"rule\": \"POST /oauth/token=503x1\"}"),
    }
}

/// Sets the behaviour of `/stream` from `{"mode": "drop"}`.
fn stream(server: &Server, body: &Bytes) -> Reply {
    match fields(body).get("mode").and_then(Value::as_str).unwrap_or_default().parse::<StreamMode>() {
        Ok(mode) => {
            server.stream.send_replace(mode);
            Reply::ok(&json!({"mode": mode.as_str()}))
        }
        Err(error) => Reply::bad_input(error.to_string()),
    }
}

/// Pays the invoice in `{"invoice": "…"}`, named by its text or its payment hash.
fn pay(server: &Server, body: &Bytes) -> Answer {
    let fields = fields(body);
    let Some(named) = fields.get("invoice").and_then(Value::as_str) else {
        return Err(Reply::bad_input("give JSON: {\"invoice\": \"<payment_request or payment_hash>\"}"));
    };
    let mut world = lock(&server.world);
    let now = world.now();
    let invoice = world.ledger.pay(named, now).ok_or_else(|| Reply::none("Invoice"))?;
    routes::settle(&mut world);
    server.deliver(world);
    Ok(Reply::ok(&json!({"paid": true, "payment_hash": invoice.hash, "amount_sats": invoice.sats})))
}

/// Makes an account act: `{"kind": "mention", "from": "…", "to": "…", "count": 3, "spread": 60, "text": "…"}`.
fn event(server: &Server, body: &Bytes) -> Answer {
    let fields = fields(body);
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let number = |name: &str| fields.get(name).and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, 1e6);
    let kind = text("kind").unwrap_or("mention");
    let mut world = lock(&server.world);
    let to = match text("to") {
        Some(named) => world.find_user(named)?,
        None => world.own_account().ok_or_else(|| Reply::none("User"))?,
    };
    let from = match text("from") {
        Some(named) => world.find_user(named)?,
        None => world.another_than(to).ok_or_else(|| Reply::none("User"))?,
    };
    let count = (number("count") as usize).clamp(1, 100_000);
    let spread = number("spread");
    let mut ids = Vec::new();
    for at in 0..count {
        let earlier = spread * (count - 1 - at) as f64 / count as f64;
        ids.push(routes::happen(&mut world, kind, from, to, text("text"), earlier)?);
    }
    server.deliver(world);
    Ok(Reply::ok(&json!({"ids": ids})))
}

/// Returns the key of the account in `{"username": "…"}`, and changes its `karma`, `user_type` and `team_role` if
/// given.
fn user(server: &Server, body: &Bytes) -> Answer {
    let fields = fields(body);
    let Some(named) = fields.get("username").and_then(Value::as_str) else {
        return Err(Reply::bad_input("give JSON: {\"username\": \"…\", \"karma\": 100}"));
    };
    let mut world = lock(&server.world);
    let id = world.find_user(named)?;
    let user = world.user_mut(id)?;
    if let Some(karma) = fields.get("karma").and_then(Value::as_i64) {
        user.karma = karma;
    }
    match fields.get("user_type").and_then(Value::as_str) {
        Some("agent") => user.kind = "agent",
        Some("human") => user.kind = "human",
        Some(_) => return Err(Reply::bad_input("user_type is agent or human")),
        None => {}
    }
    if let Some(role) = fields.get("team_role") {
        user.team_role = role.as_str().map(str::to_owned);
    }
    Ok(Reply::ok(&json!({
        "id": id,
        "username": user.username,
        "api_key": user.api_key,
        "karma": user.karma,
        "user_type": user.kind,
        "team_role": user.team_role,
    })))
}

fn not_found() -> Reply {
    Reply::none("Page")
}
