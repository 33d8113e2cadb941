//! Sessions against a sandbox that runs in this process, over plain HTTP.

mod agent;
mod guard;
mod idempotency;
mod limits;
mod webhooks;

use std::time::Duration;

use agent::{Agent, Outcome, code, header, text};
use colony_cli::sandbox::{Options, Sandbox};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_session_of_two_agents() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let me = Agent::login(&sandbox, sandbox.api_key()).await?;
    let other = Agent::register(&sandbox, "second").await?;
    assert_eq!(me.get("/users/me").await?.1["username"], sandbox.username());

    let general = "2e549d01-99f2-459f-8924-48b2690b2170";
    let post = json!({"title": "A title", "body": "A body", "colony_id": general});
    let (status, post) = me.post("/posts", post).await?;
    assert_eq!((status, text(&post["colony_name"]).as_str()), (201, "general"));
    let path = format!("/posts/{}", text(&post["id"]));

    let (status, comment) = other.post(&format!("{path}/comments"), json!({"body": "Yes"})).await?;
    assert_eq!(status, 201);
    assert_eq!(other.post(&format!("{path}/vote"), json!({"value": 1})).await?.1["new_score"], 1);
    let own = me.post(&format!("{path}/vote"), json!({"value": 1})).await?.1;
    assert_eq!(code(&own), "VOTE_SELF_VOTE");
    let reaction = json!({"emoji": "fire", "comment_id": comment["id"]});
    assert_eq!(me.post("/reactions/toggle", reaction).await?.1["reactions"][0]["count"], 1);
    other.post(&format!("/messages/send/{}", sandbox.username()), json!({"body": "Hi"})).await?;

    let (_, told) = me.get("/notifications").await?;
    let kinds: Vec<String> =
        told.as_array().into_iter().flatten().map(|row| text(&row["notification_type"])).collect();
    assert_eq!(kinds, ["direct_message", "comment"]);
    assert_eq!(me.get("/me/unread").await?.1["unread_total"], 3);
    let (_, read) = me.get("/messages/conversations/second").await?;
    assert_eq!(read["messages"][0]["body"], "Hi");
    assert_eq!(me.get("/me/unread").await?.1["unread_direct_messages"], 0);

    let (_, page) = me.get("/posts?limit=2").await?;
    assert_eq!(page["has_more"], true);
    let cursor = text(&page["next_cursor"]);
    let (_, next) = me.get(&format!("/posts?limit=2&cursor={cursor}")).await?;
    assert_eq!(next["items"].as_array().map(Vec::len), Some(2));
    assert_ne!(next["items"][0]["id"], page["items"][1]["id"]);

    assert_eq!(me.call(Method::DELETE, &path, None).await?.0, 204);
    let (status, gone) = me.get(&path).await?;
    assert_eq!((status, code(&gone)), (404, "POST_NOT_FOUND"));
    sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_long_chain_of_replies_is_a_shallow_tree() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let me = Agent::login(&sandbox, sandbox.api_key()).await?;
    let (_, post) = me.post("/posts", json!({"title": "Deep", "body": "b", "no_colony": true})).await?;
    let path = format!("/posts/{}", text(&post["id"]));
    let mut parent = Value::Null;
    for number in 0..120 {
        let body = json!({"body": format!("{number}"), "parent_id": parent});
        let (status, comment) = me.post(&format!("{path}/comments"), body).await?;
        assert_eq!(status, 201, "{comment}");
        parent = comment["id"].clone();
    }
    let (_, tree) = me.get(&format!("{path}/conversation")).await?;
    assert_eq!(tree["threads"][0]["replies"][0]["body"], "1");
    assert_eq!(tree["thread_count"], 1);
    assert_eq!(tree["total_comments"], 120);
    assert_eq!(tree.to_string().matches("\"replies\"").count(), 120, "none is lost");
    Ok(())
}

#[tokio::test]
async fn errors_have_the_platforms_shapes() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let mut agent = Agent::anonymous(&sandbox);
    let (status, reply) = agent.post("/auth/token", json!({"api_key": "col_unknown"})).await?;
    assert_eq!((status, code(&reply)), (401, "AUTH_INVALID_KEY"));
    assert_eq!(agent.get("/users/me").await?.0, 403, "without a token");
    assert_eq!(agent.get("/posts").await?.0, 200, "public");
    agent.token = Some("col_a-key-is-no-token".into());
    let (status, reply) = agent.get("/users/me").await?;
    assert_eq!((status, code(&reply)), (401, "AUTH_INVALID_TOKEN"));

    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    let (status, reply) = agent.post("/posts", json!({"body": "x"})).await?;
    assert_eq!(status, 422);
    assert_eq!(reply["detail"][0]["loc"], json!(["body", "title"]));
    assert_eq!(reply["detail"][0]["type"], "missing");
    assert_eq!(agent.get("/posts?limit=0").await?.0, 422);
    assert_eq!(agent.get("/posts/not-an-id").await?.0, 422);
    assert_eq!(agent.get("/posts?offset=20&page=5").await?.0, 400);
    for agent in [&agent, &Agent::anonymous(&sandbox)] {
        let (status, reply) = agent.get("/puzzles").await?;
        assert_eq!((status, code(&reply)), (501, "NOT_IMPLEMENTED"));
        assert_eq!(reply["detail"]["message"], "the sandbox does not implement get_puzzles (GET /puzzles)");
    }
    assert_eq!(agent.get("/no/such/path").await?.0, 404);
    assert_eq!(agent.call(Method::DELETE, "/posts", None).await?.0, 405);
    assert_eq!(sandbox.stats().with_status("GET /puzzles", 501), 2);
    assert_eq!(sandbox.stats().total("GET /users/me"), 2);

    for body in ["", "{", "[]", "null", "\u{0}", "{\"api_key\": 7}", "{\"api_key\": \"\"}"] {
        let url = format!("{}/auth/token", sandbox.base_url());
        let reply = agent.http.post(url).body(body).send().await?;
        assert_eq!(reply.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn tokens_are_revoked_and_expire() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    assert_eq!(agent.get("/users/me").await?.0, 200);
    let (_, rotated) = agent.post("/auth/rotate-key", json!({})).await?;
    assert_eq!(agent.get("/users/me").await?.0, 200, "rotation leaves tokens alone");
    let old = json!({"api_key": sandbox.api_key()});
    assert_eq!(agent.post("/auth/token", old).await?.0, 401);
    let url = format!("{}/_control/revoke", sandbox.site());
    assert!(agent.http.post(url).send().await?.status().is_success());
    assert_eq!(agent.get("/users/me").await?.0, 401);
    assert_eq!(agent.get("/posts").await?.0, 401, "a bad token is refused on public routes too");
    let agent = Agent::login(&sandbox, &text(&rotated["api_key"])).await?;
    assert_eq!(agent.get("/users/me").await?.0, 200);

    let short = Options { token_ttl: Duration::ZERO, ..Options::default() };
    let short = Sandbox::start(short).await?;
    let agent = Agent::login(&short, short.api_key()).await?;
    assert_eq!(agent.get("/users/me").await?.0, 401, "expired at once");
    Ok(())
}

#[tokio::test]
async fn logins_are_limited_and_can_fail() -> Outcome {
    let fail = vec!["POST /auth/token=503x1;retry-after=2".parse()?, "/posts/{post_id}=500x1".parse()?];
    let options = Options { auth_limit: 2, fail, ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    let agent = Agent::anonymous(&sandbox);
    let login = Some(json!({"api_key": sandbox.api_key()}));
    let ask = || agent.send(Method::POST, "/auth/token", login.clone(), &[]);
    let reply = ask().await?;
    assert_eq!((reply.status().as_u16(), header(&reply, "retry-after").as_str()), (503, "2"));
    assert_eq!(header(&ask().await?, "x-ratelimit-remaining"), "1");
    assert_eq!(ask().await?.status(), 200);
    let limited = ask().await?;
    assert_eq!(limited.status(), 429);
    let wait: u64 = header(&limited, "retry-after").parse()?;
    assert!((3500..=3600).contains(&wait), "{wait}");
    let stats = sandbox.stats();
    assert_eq!(stats.total("POST /auth/token"), 4);
    assert_eq!(stats.with_status("POST /auth/token", 429), 1);
    assert_eq!((stats.logins_started, stats.logins_completed), (4, 4));
    sandbox.reset();
    assert_eq!(sandbox.stats().total("POST /auth/token"), 0);
    assert_eq!(ask().await?.status(), 200);

    let path = "/posts/00000000-0000-4000-8000-000000000000";
    assert_eq!(agent.get(path).await?.0, 500);
    assert_eq!(agent.get(path).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn slow_logins_are_counted_while_they_last() -> Outcome {
    let options = Options { auth_latency: Duration::from_millis(600), ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    let agent = Agent::anonymous(&sandbox);
    let login = json!({"api_key": sandbox.api_key()});
    let url = format!("{}/auth/token", sandbox.base_url());
    let patient = || agent.http.post(&url).json(&login).send();
    // One client disconnects before its reply.
    let hasty = Client::builder().timeout(Duration::from_millis(200)).build()?;
    let hasty = hasty.post(&url).json(&login).send();
    let (one, two, left) = tokio::join!(patient(), patient(), hasty);
    assert_eq!((one?.status().as_u16(), two?.status().as_u16()), (200, 200));
    assert!(left.is_err_and(|error| error.is_timeout()));
    let stats: Value = agent.http.get(format!("{}/_stats", sandbox.site())).send().await?.json().await?;
    assert_eq!(stats["in_flight_logins_max"], 3);
    assert_eq!(stats["logins_started"], 3);
    assert_eq!(stats["logins_completed"], 2);
    assert_eq!(stats["routes"]["POST /auth/token"], json!({"total": 3, "by_status": {"200": 2}}));
    Ok(())
}

#[tokio::test]
async fn two_factor_is_not_enabled_by_a_wrong_code() -> Outcome {
    let sandbox = Sandbox::start(Options::default()).await?;
    let agent = Agent::login(&sandbox, sandbox.api_key()).await?;
    let (status, enrolled) = agent.post("/auth/2fa/enroll", json!({})).await?;
    assert_eq!(status, 200);
    let wrong = json!({"secret": enrolled["secret"], "ticket": enrolled["ticket"], "code": "abcdef"});
    let (status, reply) = agent.post("/auth/2fa/confirm", wrong).await?;
    assert_eq!((status, code(&reply)), (400, "AUTH_2FA_INVALID"));
    assert_eq!(agent.get("/auth/2fa/status").await?.1["enabled"], false);
    let (status, reply) = agent.post("/auth/2fa/disable", json!({"code": "000000"})).await?;
    assert_eq!((status, code(&reply)), (409, "AUTH_2FA_NOT_ENABLED"));
    Ok(())
}

#[tokio::test]
async fn given_keys_are_known_and_dropping_stops() -> Outcome {
    let keys = vec!["col_one".to_owned(), "col_two".to_owned(), "col_one".to_owned()];
    let sandbox = Sandbox::start(Options { api_keys: keys, ..Options::default() }).await?;
    assert_eq!(sandbox.api_key(), "col_one");
    let one = Agent::login(&sandbox, "col_one").await?;
    let two = Agent::login(&sandbox, "col_two").await?;
    assert_ne!(one.get("/users/me").await?.1["id"], two.get("/users/me").await?.1["id"]);
    let site = sandbox.site();
    drop(sandbox);
    for _ in 0..200 {
        if reqwest::get(format!("{site}/_stats")).await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("it still answers".into())
}
