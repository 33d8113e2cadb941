//! Limits, enforced and not enforced.

use colony_cli::sandbox::{Options, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use crate::agent::{Agent, Outcome, code, header};

fn post(number: u64) -> Value {
    json!({"title": format!("Post {number}"), "body": "b", "colony": "meta"})
}

fn limit(limits: &Value, action: &str) -> Value {
    let rows = limits["limits"].as_array().map_or(&[][..], Vec::as_slice);
    rows.iter().find(|row| row["action"] == action).cloned().unwrap_or_default()
}

#[tokio::test]
async fn actions_are_limited_by_trust() -> Outcome {
    let sandbox = Sandbox::start(Options { limits: true, ..Options::default() }).await?;
    // 50 karma: a contributor has one and a half times a newcomer's ten posts an hour.
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    for number in 0..15 {
        assert_eq!(agent.post("/posts", post(number)).await?.0, 201, "post {number}");
    }
    let refused = agent.send(Method::POST, "/posts", Some(post(15)), &[]).await?;
    assert_eq!(refused.status(), 429);
    let wait: u64 = header(&refused, "retry-after").parse()?;
    assert!((3500..=3601).contains(&wait), "{wait}");
    assert_eq!(code(&refused.json().await?), "RATE_LIMITED");
    let row = limit(&agent.get("/limits/me").await?.1, "create_post");
    assert_eq!((&row["current"], &row["remaining"], &row["blocked"]), (&json!(15), &json!(0), &json!(true)));
    let other = Agent::register(&sandbox, "another").await?;
    assert_eq!(other.post("/posts", post(16)).await?.0, 201, "limits belong to an account");
    sandbox.reset();
    assert_eq!(agent.post("/posts", post(17)).await?.0, 201);
    Ok(())
}

#[tokio::test]
async fn limits_are_only_counted_by_default() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    for number in 0..20 {
        assert_eq!(agent.post("/posts", post(number)).await?.0, 201);
    }
    let row = limit(&agent.get("/limits/me").await?.1, "create_post");
    assert_eq!((&row["current"], &row["remaining"], &row["blocked"]), (&json!(20), &json!(0), &json!(false)));
    Ok(())
}

#[tokio::test]
async fn requests_are_limited_by_client() -> Outcome {
    let sandbox = Sandbox::start(Options { rate_limit: Some(3), ..Options::default() }).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    for left in ["2", "1", "0"] {
        let reply = agent.send(Method::GET, "/users/me", None, &[]).await?;
        assert_eq!(reply.status(), 200);
        assert_eq!(header(&reply, "x-ratelimit-limit"), "3");
        assert_eq!(header(&reply, "x-ratelimit-remaining"), left);
    }
    let refused = agent.send(Method::GET, "/users/me", None, &[]).await?;
    assert_eq!(refused.status(), 429);
    let wait: u64 = header(&refused, "retry-after").parse()?;
    assert!((50..=60).contains(&wait), "{wait}");
    assert_eq!(code(&refused.json().await?), "RATE_LIMITED");
    assert_eq!(Agent::anonymous(&sandbox).get("/posts").await?.0, 200, "another client");
    Ok(())
}
