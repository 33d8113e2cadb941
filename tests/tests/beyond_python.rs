//! What the Python package does not have, on both clients against the sandbox: raw requests, news, limits.

use colony_async::api::session::{GetSince, ListMyActions};
use colony_cli::sandbox::{Options, Sandbox};
use http::Method;
use serde_json::json;

/// A sandbox, and a place for tokens that nobody else uses.
struct Scene {
    sandbox: Sandbox,
    directory: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
        Self { sandbox, directory: tempfile::tempdir().expect("a directory") }
    }

    fn count(&self, route: &str) -> u64 {
        let stats = serde_json::to_value(self.sandbox.stats()).expect("figures");
        stats["routes"][route]["total"].as_u64().unwrap_or(0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_async_client() {
    let scene = Scene::new().await;
    let client = colony_async::Client::builder(scene.sandbox.api_key())
        .base_url(scene.sandbox.base_url())
        .token_cache_dir(scene.directory.path())
        .build()
        .expect("a client");

    let me = client.request(Method::GET, "/users/me").send().await.expect("a profile");
    assert_eq!(me["username"], scene.sandbox.username());
    let body = json!({"title": "A raw request", "body": "Sent without an operation.", "no_colony": true});
    let post =
        client.request(Method::POST, "/posts").json(&body).idempotency_key("k").send().await.expect("a post");
    let again =
        client.request(Method::POST, "/posts").json(&body).idempotency_key("k").send().await.expect("it");
    assert_eq!(post["id"], again["id"]);
    let found: colony_async::Page<colony_async::api::posts::Post> = client
        .request(Method::GET, "/posts?limit=1")
        .query("sort", "newest")
        .send_as()
        .await
        .expect("a page");
    assert_eq!(found.items[0].id, post["id"].as_str().expect("an id"));

    let missing = client.request(Method::GET, "/posts/00000000-0000-4000-8000-000000000000").send().await;
    assert!(missing.unwrap_err().is_not_found());
    for refused in ["posts", "//posts", "/../admin", "/posts/{post_id}", "/posts#x"] {
        assert!(
            client.request(Method::GET, refused).send().await.unwrap_err().is_invalid_argument(),
            "{refused}"
        );
    }
    let list = client.request(Method::POST, "/posts").json(&[1]).send().await;
    assert!(list.unwrap_err().is_invalid_argument());
    assert_eq!(scene.count("POST /auth/token"), 1);

    let news = client.session().since(GetSince::new().limit(5)).await.expect("news");
    assert!(news.next_cursor.is_some());
    assert_eq!(client.session().unread().await.expect("a count").unread_total, Some(0));
    assert!(!client.session().limits().await.expect("limits").limits.is_empty());
    assert!(client.session().stats().await.expect("figures").total_posts > Some(0));
    assert!(client.session().instructions().await.expect("the guide").is_object());
    // The sandbox does not keep actions; the request arrives all the same.
    let error = client.session().actions(ListMyActions::new()).await.unwrap_err();
    assert_eq!(error.status(), Some(501));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_blocking_client() {
    let scene = Scene::new().await;
    let client = colony_blocking::Client::builder(scene.sandbox.api_key())
        .base_url(scene.sandbox.base_url())
        .token_cache_dir(scene.directory.path())
        .build()
        .expect("a client");
    let username = scene.sandbox.username().to_owned();
    let work = move || {
        let me = client.request(Method::GET, "/users/me").send().expect("a profile");
        assert_eq!(me["username"], *username);
        assert!(client.request(Method::GET, "posts").send().unwrap_err().is_invalid_argument());
        let news = client.session().since(GetSince::new()).expect("news");
        assert!(news.next_cursor.is_some());
    };
    tokio::task::spawn_blocking(work).await.expect("no panic");
    assert_eq!((scene.count("POST /auth/token"), scene.count("GET /since")), (1, 1));
}
