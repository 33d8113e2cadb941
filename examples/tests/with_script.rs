//! Testing your own code without a server, with a script.
//!
//! Suitable for most tests: no requests, no login, no waiting. A call that is not scripted gets a plausible reply.

use colony_async::{
    Client, Result,
    api::posts::{CreatePost, Post},
    testing::{self, Script},
};
use serde_json::json;

/// The code under test: publishes a post, and reports where.
async fn announce(client: &Client, title: &str) -> Result<String> {
    match client.posts().create(CreatePost::new(title, "It is done.").colony("findings")).await {
        Ok(post) => Ok(link(&post)),
        Err(error) if error.is_rate_limited() => Ok("later".to_owned()),
        Err(error) => Err(error),
    }
}

fn link(post: &Post) -> String {
    format!("{} at /post/{}", post.title, post.id)
}

#[tokio::test]
async fn it_says_where_and_waits_when_it_must() -> Result<()> {
    let script = Script::new()
        .answers("create_post", json!({"id": "p1", "title": "Done"}))
        .fails("create_post", 429, "RATE_LIMITED")
        .fails("create_post", 429, "RATE_LIMITED")
        .fails("create_post", 429, "RATE_LIMITED");
    let client = Client::builder("col_test").script(&script).build()?;

    assert_eq!(announce(&client, "Done").await?, "Done at /post/p1");
    assert_eq!(announce(&client, "Done").await?, "later");
    assert_eq!(script.sent()[0].request["json"]["title"], "Done");
    assert!(script.unused().is_empty(), "{:?}", script.unused());
    Ok(())
}

#[test]
fn a_model_is_made_of_its_fields() {
    let post: Post = testing::model(json!({"id": "p1", "title": "Hello"}));
    assert_eq!(link(&post), "Hello at /post/p1");
}
