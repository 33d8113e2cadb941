//! Webhooks: the deliveries that a receiver gets, their signatures, and their retries.

use std::time::Duration;

use colony_cli::sandbox::{Options, Sandbox};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::agent::{Agent, Outcome, code, text};

const SECRET: &str = "0123456789abcdef";

async fn sandbox(attempts: usize) -> std::io::Result<Sandbox> {
    let webhook_pauses = vec![Duration::from_millis(1); attempts - 1];
    Sandbox::start(Options { webhook_pauses, ..Options::default() }).await
}

/// Returns a receiver that fails this often, and then accepts everything.
async fn receiver(failures: u64) -> MockServer {
    let server = MockServer::start().await;
    if failures > 0 {
        let fails =
            Mock::given(method("POST")).respond_with(ResponseTemplate::new(500).set_body_string("no"));
        fails.up_to_n_times(failures).mount(&server).await;
    }
    let takes = Mock::given(method("POST")).respond_with(ResponseTemplate::new(200).set_body_string("ok"));
    takes.with_priority(9).mount(&server).await;
    server
}

/// Waits until this many requests have arrived.
async fn arrived(server: &MockServer, count: usize) -> Vec<Request> {
    loop {
        let requests = server.received_requests().await.unwrap_or_default();
        if requests.len() >= count {
            return requests;
        }
        tokio::task::yield_now().await;
    }
}

async fn subscribe(agent: &Agent, url: &str, events: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
    let (status, hook) =
        agent.post("/webhooks", json!({"url": url, "secret": SECRET, "events": events})).await?;
    assert_eq!(status, 201, "{hook}");
    Ok(format!("/webhooks/{}", text(&hook["id"])))
}

/// Waits until a webhook has made this many attempts. Returns them, latest first.
async fn attempts(agent: &Agent, hook: &str, count: usize) -> reqwest::Result<Vec<Value>> {
    loop {
        let (_, rows) = agent.get(&format!("{hook}/deliveries?limit=100")).await?;
        let rows = rows.as_array().cloned().unwrap_or_default();
        if rows.len() >= count {
            return Ok(rows);
        }
        tokio::task::yield_now().await;
    }
}

fn field(request: &Request, name: &str) -> String {
    request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fails unless both signatures of a delivery are correct.
fn check_signatures(request: &Request, secret: &str) {
    let at = field(request, "x-colony-timestamp");
    let plain = format!("sha256={}", hmac(secret, &[&request.body]));
    assert_eq!(field(request, "x-colony-signature"), plain);
    let timed = hmac(secret, &[at.as_bytes(), b".", &request.body]);
    assert_eq!(field(request, "x-colony-signature-256"), format!("t={at},v1={timed}"));
}

#[tokio::test]
async fn an_event_arrives_signed_at_those_whom_it_concerns() -> Outcome {
    let (sandbox, server) = (sandbox(1).await?, receiver(0).await);
    let me = Agent::login(&sandbox, sandbox.api_key()).await?;
    let other = Agent::register(&sandbox, "sender").await?;
    subscribe(&me, &server.uri(), &["direct_message"]).await?;
    // The sender's own webhook is not called.
    subscribe(&other, &server.uri(), &["direct_message", "mention"]).await?;
    other.post(&format!("/messages/send/{}", sandbox.username()), json!({"body": "Hi"})).await?;
    let request = arrived(&server, 1).await.remove(0);
    let event: Value = serde_json::from_slice(&request.body)?;
    assert_eq!(
        event,
        json!({"event": "direct_message", "sender_display_name": "sender", "sender": "sender"})
    );
    assert_eq!(field(&request, "x-colony-event"), "direct_message");
    assert_eq!(field(&request, "x-colony-attempt"), "1");
    check_signatures(&request, SECRET);
    // Public events go to every subscriber.
    subscribe(&other, &server.uri(), &["post_created"]).await?;
    let post = json!({"title": "News for @sender", "body": "b", "colony": "meta"});
    me.post("/posts", post).await?;
    let names: Vec<String> =
        arrived(&server, 3).await.iter().map(|row| field(row, "x-colony-event")).collect();
    assert_eq!(names.iter().filter(|name| *name == "post_created").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "mention").count(), 1, "{names:?}");
    Ok(())
}

#[tokio::test]
async fn what_fails_is_tried_again_under_the_same_event() -> Outcome {
    let (sandbox, server) = (sandbox(5).await?, receiver(2).await);
    let me = Agent::login(&sandbox, sandbox.api_key()).await?;
    let hook = subscribe(&me, &server.uri(), &["post_created"]).await?;
    me.post("/posts", json!({"title": "Thrice", "body": "b", "no_colony": true})).await?;
    let requests = arrived(&server, 3).await;
    let all = |name| requests.iter().map(|row| field(row, name)).collect::<Vec<_>>();
    assert_eq!(all("x-colony-attempt"), ["1", "2", "3"]);
    let (events, deliveries) = (all("x-colony-event-id"), all("x-colony-delivery"));
    assert!(events.iter().all(|id| *id == events[0]), "{events:?}");
    assert!(deliveries[0] != deliveries[1] && deliveries[1] != deliveries[2], "{deliveries:?}");
    requests.iter().for_each(|request| check_signatures(request, SECRET));
    let rows = attempts(&me, &hook, 3).await?;
    assert_eq!((&rows[0]["success"], &rows[0]["response_body"]), (&json!(true), &json!("ok")));
    assert_eq!((&rows[2]["success"], &rows[2]["response_status"]), (&json!(false), &json!(500)));
    assert_eq!(rows[0]["id"], deliveries[2].as_str());
    assert_eq!(me.get(&hook).await?.1["failure_count"], 0, "the last attempt succeeded");

    // A replay is the same event, attempted from the start.
    let replay = format!("{hook}/deliveries/{}/replay", text(&rows[2]["id"]));
    assert_eq!(me.post(&replay, Value::Null).await?.0, 202);
    let again = arrived(&server, 4).await.remove(3);
    assert_eq!(
        (field(&again, "x-colony-event-id"), field(&again, "x-colony-attempt")),
        (events[0].clone(), "1".into())
    );
    assert_eq!(attempts(&me, &hook, 4).await?[0]["is_replay"], true);
    Ok(())
}

#[tokio::test]
async fn ten_failures_in_a_row_switch_a_webhook_off() -> Outcome {
    let (sandbox, server) = (sandbox(5).await?, receiver(11).await);
    let me = Agent::login(&sandbox, sandbox.api_key()).await?;
    let hook = subscribe(&me, &server.uri(), &["post_created"]).await?;
    let post =
        async |title: &str| me.post("/posts", json!({"title": title, "body": "b", "no_colony": true})).await;
    // A test reports its result, and does not count.
    let (_, tested) = me.post(&format!("{hook}/test"), Value::Null).await?;
    assert_eq!((&tested["event"], &tested["response_status"]), (&json!("test.ping"), &json!(500)));
    for round in 1..=2 {
        post("Down").await?;
        attempts(&me, &hook, 1 + 5 * round).await?;
    }
    let (_, state) = me.get(&hook).await?;
    assert_eq!((&state["is_active"], &state["failure_count"]), (&json!(false), &json!(10)));
    post("Unheard").await?;
    let secret = "another secret of mine";
    let (_, state) = me.call(Method::PUT, &hook, Some(json!({"is_active": true, "secret": secret}))).await?;
    assert_eq!((&state["is_active"], &state["failure_count"]), (&json!(true), &json!(0)));
    post("Heard").await?;
    let last = arrived(&server, 12).await.remove(11);
    assert!(String::from_utf8_lossy(&last.body).contains("Heard"));
    check_signatures(&last, secret);
    Ok(())
}

#[tokio::test]
async fn registrations_are_checked() -> Outcome {
    let sandbox = sandbox(1).await?;
    let me = Agent::login(&sandbox, sandbox.api_key()).await?;
    let hook =
        |url: &str, secret: &str, event: &str| json!({"url": url, "secret": secret, "events": [event]});
    let url = "http://127.0.0.1:9/";
    for (body, status) in [
        (hook("ftp://127.0.0.1/", SECRET, "mention"), 400),
        (hook(url, "short", "mention"), 422),
        (hook(url, SECRET, "no_such_event"), 422),
        (json!({"url": url, "secret": SECRET, "events": []}), 422),
    ] {
        assert_eq!(me.post("/webhooks", body.clone()).await?.0, status, "{body}");
    }
    for _ in 0..10 {
        assert_eq!(me.post("/webhooks", hook(url, SECRET, "mention")).await?.0, 201);
    }
    let (status, reply) = me.post("/webhooks", hook(url, SECRET, "mention")).await?;
    assert_eq!((status, code(&reply)), (400, "LIMIT_EXCEEDED"));
    Ok(())
}
