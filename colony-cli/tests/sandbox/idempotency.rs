//! Idempotency keys: replays, refusals, and calls in progress.

use std::time::Duration;

use colony_cli::sandbox::{Options, Sandbox};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::agent::{Agent, Outcome, code, header, text};

#[tokio::test]
async fn idempotency_keys_replay_and_refuse() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    let body = |title: &str| json!({"title": title, "body": "b", "no_colony": true});
    let key = [("Idempotency-Key", "one")];
    let send = |title| agent.send(Method::POST, "/posts", Some(body(title)), &key);
    let first = send("First").await?;
    assert_eq!(first.status(), 201);
    assert_eq!(header(&first, "idempotent-replay"), "");
    let again = send("First").await?;
    assert_eq!((again.status().as_u16(), header(&again, "idempotent-replay").as_str()), (201, "true"));
    assert_eq!(first.json::<Value>().await?["id"], again.json::<Value>().await?["id"]);
    let other = send("Other").await?;
    assert_eq!(other.status(), 409);
    assert_eq!(code(&other.json().await?), "idempotency_payload_mismatch");
    Ok(())
}

fn keyed(name: &str) -> [(&str, &str); 1] {
    [("Idempotency-Key", name)]
}

fn is_replay(reply: &Response) -> bool {
    header(reply, "idempotent-replay") == "true"
}

#[tokio::test]
async fn every_write_can_be_keyed() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    let (_, note) = agent.post("/notes", json!({"body": "One"})).await?;
    let path = format!("/notes/{}", text(&note["id"]));
    let writes = [
        (Method::PUT, path.as_str(), Some(json!({"body": "Two"}))),
        (Method::PATCH, "/me/inbox", Some(json!({"inbox_mode": "quiet"}))),
        (Method::POST, "/auth/rotate-key", None),
        (Method::DELETE, path.as_str(), None),
    ];
    for (method, path, body) in writes {
        let first = agent.send(method.clone(), path, body.clone(), &keyed("k")).await?;
        assert!(first.status().is_success() && !is_replay(&first), "{method} {path}");
        let again = agent.send(method.clone(), path, body, &keyed("k")).await?;
        assert_eq!((again.status(), is_replay(&again)), (first.status(), true), "{method} {path}");
        assert_eq!(first.bytes().await?, again.bytes().await?, "{method} {path}");
    }
    // The query is part of the payload.
    let (_, page) = agent.get("/posts?limit=1").await?;
    let tip = format!("/tips/post/{}", text(&page["items"][0]["id"]));
    let tip = |sats: u32| format!("{tip}?amount_sats={sats}");
    assert_eq!(agent.send(Method::POST, &tip(21), None, &keyed("k")).await?.status(), 201);
    assert_eq!(agent.send(Method::POST, &tip(42), None, &keyed("k")).await?.status(), 409);
    assert!(is_replay(&agent.send(Method::POST, &tip(21), None, &keyed("k")).await?));
    Ok(())
}

#[tokio::test]
async fn an_upload_is_replayed_if_its_bytes_are_the_same() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    let send = async |boundary: &str| {
        let body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--{boundary}--\r\n"
        );
        let url = format!("{}/messages/attachments/upload", agent.base);
        let request = agent.http.post(url).bearer_auth(agent.token.as_deref().unwrap_or_default());
        let media = format!("multipart/form-data; boundary={boundary}");
        request.header("content-type", media).header("idempotency-key", "up").body(body).send().await
    };
    let first = send("one").await?;
    assert_eq!(first.status(), 201);
    let again = send("one").await?;
    assert_eq!((again.status().as_u16(), is_replay(&again)), (201, true));
    assert_eq!(send("two").await?.status(), 409, "another boundary makes another payload");
    Ok(())
}

#[tokio::test]
async fn a_call_under_way_is_not_performed_twice() -> Outcome {
    let options = Options { fail: vec!["POST /posts=okx1;delay=2".parse()?], ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    let body = json!({"title": "Held back", "body": "b", "no_colony": true});
    let send = || agent.send(Method::POST, "/posts", Some(body.clone()), &[("Idempotency-Key", "held")]);
    let (first, during) = tokio::join!(send(), async {
        // The first call has acted: its post exists.
        while agent.get("/posts?q=held").await?.1["total"] != 1 {}
        send().await
    });
    let (first, during) = (first?, during?);
    assert_eq!((during.status().as_u16(), header(&during, "retry-after").as_str()), (409, "1"));
    assert_eq!(code(&during.json().await?), "idempotency_in_progress");
    assert_eq!(first.status(), 201);
    let after = send().await?;
    assert!(is_replay(&after));
    assert_eq!(first.json::<Value>().await?["id"], after.json::<Value>().await?["id"]);
    assert_eq!(agent.get("/posts?q=held").await?.1["total"], 1);
    Ok(())
}

#[tokio::test]
async fn a_call_ends_although_its_client_left() -> Outcome {
    let rule = "POST /posts=503x1;after-acting;delay=1".parse()?;
    let sandbox = Sandbox::start(Options { fail: vec![rule], ..Options::default() }).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    let body = json!({"title": "Left behind", "body": "b", "no_colony": true});
    let hasty = Agent {
        http: Client::builder().timeout(Duration::from_millis(300)).build()?,
        base: agent.base.clone(),
        token: agent.token.clone(),
    };
    let key = [("Idempotency-Key", "left")];
    let left = hasty.send(Method::POST, "/posts", Some(body.clone()), &key).await;
    assert!(left.is_err_and(|error| error.is_timeout()));
    let reply = loop {
        let reply = agent.send(Method::POST, "/posts", Some(body.clone()), &key).await?;
        if reply.status() != 409 {
            break reply;
        }
    };
    assert_eq!((reply.status().as_u16(), is_replay(&reply)), (201, true));
    assert_eq!(agent.get("/posts?q=behind").await?.1["total"], 1);
    Ok(())
}

#[tokio::test]
async fn a_reply_over_a_megabyte_is_not_kept() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    agent.post("/wiki", json!({"title": "Large", "slug": "large"})).await?;
    // Six bytes of JSON for each character.
    let body = json!({"content": "\u{1}".repeat(190_000)});
    for revision in [2, 3] {
        let reply = agent.send(Method::PUT, "/wiki/large", Some(body.clone()), &keyed("large")).await?;
        assert!(!is_replay(&reply));
        assert_eq!(reply.json::<Value>().await?["revision_count"], revision);
    }
    Ok(())
}
