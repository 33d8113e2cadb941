//! Clients that reply from a script: every operation, on both clients, without a server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::SystemTime,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use colony_async::testing::Script;
use colony_core::{
    Reply,
    api::{posts::GetPosts, session::ListMyActions, votes_reactions::VotePost},
    retry::RetryPolicy,
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

#[test]
fn a_script_is_followed_and_what_was_sent_is_known() {
    let script = Script::new()
        .answers("get_me", json!({"id": "u1", "username": "ada"}))
        .fails("get_me", 503, "UNAVAILABLE")
        .fails("get_me", 503, "UNAVAILABLE")
        .fails("get_me", 503, "UNAVAILABLE")
        .loses("vote_post");
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    assert_eq!(client.account().get().unwrap().username, "ada");
    let error = client.account().get().unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (Some(503), Some("UNAVAILABLE")),
        "after its retries, without pauses"
    );
    assert!(client.execute(VotePost::new("p1")).unwrap_err().is_network());
    let operations: Vec<&str> = script.sent().iter().map(|sent| sent.operation).collect();
    assert_eq!(operations, ["get_me", "get_me", "get_me", "get_me", "vote_post"]);
    assert_eq!(script.sent()[4].request["json"], json!({"value": 1}));
}

#[test]
fn has_replied_asks_for_one_comment_on_the_post() {
    let page = |items: Value| json!({"items": items, "next_cursor": null, "has_more": false});
    let comment = json!([{"id": "a1", "kind": "comment_created", "resource_id": "c1", "parent_id": "p1"}]);
    let script = Script::new()
        .answers("list_my_actions", page(json!([])))
        .answers("list_my_actions", page(comment))
        .fails("list_my_actions", 404, "NO_SUCH_POST");
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    assert!(!client.session().has_replied("p1").unwrap());
    assert!(client.session().has_replied("p1").unwrap());
    assert_eq!(client.session().has_replied("p1").unwrap_err().status(), Some(404));
    let query = json!([["kinds", "comment_created"], ["parent_id", "p1"], ["limit", "1"]]);
    assert!(script.sent().iter().all(|sent| sent.request["query"] == query), "{:?}", script.sent());
}

/// Returns two pages of two posts, then an error.
fn three_pages() -> Script {
    let page = |ids: [&str; 2]| {
        let items: Vec<Value> = ids.iter().map(|id| json!({"id": id, "title": id, "body": "b"})).collect();
        json!({"items": items, "has_more": true})
    };
    Script::new().answers("iter_posts", page(["a", "b"])).answers("iter_posts", page(["c", "d"])).fails(
        "iter_posts",
        404,
        "GONE",
    )
}

#[test]
fn a_stream_asks_for_a_page_only_when_it_is_needed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = three_pages();
    let client = colony_async::Client::builder("col_test").script(&script).build().unwrap();
    runtime.block_on(async {
        let mut posts = client.posts().iter(GetPosts::new().limit(2));
        assert_eq!(script.sent().len(), 0, "nothing is sent before the first poll");
        for (id, pages) in [("a", 1), ("b", 1), ("c", 2), ("d", 2)] {
            assert_eq!(posts.next().await.unwrap().unwrap().id, id);
            assert_eq!(
                script.sent().len(),
                pages,
                "{id}: a page when the items before it are taken, not sooner"
            );
        }
        assert!(posts.next().await.unwrap().unwrap_err().is_not_found(), "the error, after the good items");
        assert!(posts.next().await.is_none(), "and the end");
        assert_eq!(script.sent().len(), 3);
    });
}

#[test]
fn a_limit_asks_for_no_page_that_cannot_be_needed() {
    let script = three_pages();
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let ids: Vec<String> = client
        .posts()
        .iter(GetPosts::new().limit(2))
        .take(4)
        .map(|post| post.unwrap().id.to_string())
        .collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    assert_eq!(script.sent().len(), 2);
    assert_eq!(client.posts().iter(GetPosts::new()).take(0).count(), 0);
    assert_eq!(script.sent().len(), 2, "a limit of none asks for nothing");
}

#[test]
fn a_stream_of_so_many_items_asks_for_no_page_that_cannot_be_needed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = three_pages();
    let client = colony_async::Client::builder("col_test").script(&script).build().unwrap();
    runtime.block_on(async {
        let posts = client.posts().iter(GetPosts::new().limit(2)).take(4).collect().await.unwrap();
        assert_eq!(posts.len(), 4);
        assert_eq!(client.posts().iter(GetPosts::new()).take(0).collect().await.unwrap().len(), 0);
    });
    assert_eq!(script.sent().len(), 2);
}

#[test]
fn a_page_fetches_the_next_one() {
    let page = |ids: [&str; 2], more: Option<bool>, total: Option<u64>| {
        let items: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        json!({"items": items, "has_more": more, "total": total})
    };
    let script = Script::new()
        .answers("get_posts", page(["a", "b"], None, Some(6)))
        .answers("get_posts", page(["c", "d"], Some(true), None))
        .answers("get_posts", page(["e", "f"], None, Some(6)));
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let mut page = client.posts().list(GetPosts::new().limit(2).author("ada")).unwrap();
    let mut ids = Vec::new();
    loop {
        ids.extend(page.items.iter().map(|post| post.id.to_string()));
        let Some(next) = page.next_page() else { break };
        page = client.page(next).unwrap();
    }
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
    let sent: Vec<Value> = script.sent().into_iter().map(|sent| sent.request["query"].clone()).collect();
    let offsets: Vec<Option<&str>> = sent.iter().map(|query| of(query, "offset")).collect();
    assert_eq!(offsets, [None, Some("2"), Some("4")]);
    assert!(sent.iter().all(|query| of(query, "author") == Some("ada")));

    let cursor = |next: Option<&str>| json!({"items": [], "next_cursor": next});
    let script =
        Script::new().answers("list_my_actions", cursor(Some("c1"))).answers("list_my_actions", cursor(None));
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let page = client.execute(ListMyActions::new().kinds(["dm_sent"])).unwrap();
    let page = client.page(page.next_page().unwrap()).unwrap();
    assert!(page.next_page().is_none());
    assert_eq!(of(&script.sent()[1].request["query"], "cursor"), Some("c1"));
    assert_eq!(of(&script.sent()[1].request["query"], "kinds"), Some("dm_sent"));
}

/// Returns a parameter of a query.
fn of<'q>(query: &'q Value, name: &str) -> Option<&'q str> {
    query.as_array()?.iter().find(|pair| pair[0] == name)?[1].as_str()
}

#[test]
fn a_dropped_walk_asks_for_nothing_more() {
    let script = three_pages();
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let mut posts = client.posts().iter(GetPosts::new().limit(2));
    assert_eq!(posts.next().unwrap().unwrap().id, "a");
    drop(posts);
    assert_eq!(script.sent().len(), 1);
}

/// A client with a script waits for nothing, except between renewals: each would be due at once.
#[test]
fn renewing_ahead_of_time_is_no_busy_loop() {
    for answer in [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE] {
        let logins = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&logins);
        let script = Script::new().served_by(move |request, _| {
            let is_login = request.template() == "/auth/token";
            let status =
                if is_login && counted.fetch_add(1, Ordering::SeqCst) > 0 { answer } else { StatusCode::OK };
            // A token that is stale as soon as it is issued.
            let iat = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            let claims = BASE64_URL_SAFE_NO_PAD.encode(json!({"iat": iat, "exp": iat + 1}).to_string());
            let body = json!({"access_token": format!("e30.{claims}.signature"), "token_type": "bearer"});
            Ok(Reply::new(status, HeaderMap::new(), Bytes::from(body.to_string())))
        });
        let builder = colony_blocking::Client::builder("col_test").script(&script);
        let client = builder.auth_retry(RetryPolicy::none()).refresh_ahead(true).build().unwrap();
        client.execute_json(colony_blocking::api::account::GetMe::default()).unwrap();
        while logins.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
        // Enough time for thousands of renewals without pauses.
        let other = colony_blocking::Client::builder("col_test").script(&Script::new()).build().unwrap();
        (0..1_000).for_each(|_| drop(other.account().get().unwrap()));
        assert_eq!(logins.load(Ordering::SeqCst), 2, "{answer}");
    }
}

/// A watch waits until points in time: each of its waits ends at once.
#[tokio::test]
async fn a_watch_with_a_script_does_not_wait_for_its_rounds() {
    use std::time::Duration;

    use colony_async::events::Watch;

    let script = || {
        let post = json!({"id": "p1", "title": "Hello", "created_at": "2026-11-27T00:30:00Z"});
        Script::new()
            .answers("get_me", json!({"id": "u1", "username": "ada"}))
            .answers("get_since", json!({"next_cursor": "2026-11-27T00:00:00Z"}))
            .answers("get_since", json!({"next_cursor": "2026-11-27T01:00:00Z", "posts": [post]}))
    };
    let hour = Duration::from_secs(3600);
    let (one, other) = (script(), script());
    let client = colony_async::Client::builder("col_test").script(&one).build().unwrap();
    let mut events = client.events().watch(Watch::new().interval(hour..=hour));
    assert_eq!(events.try_next().await.unwrap().unwrap().id().as_str(), "post:p1");
    let blocking = tokio::task::spawn_blocking(move || {
        let client = colony_blocking::Client::builder("col_test").script(&other).build().unwrap();
        let mut events = client.events().watch(Watch::new().interval(hour..=hour));
        assert_eq!(events.try_next().unwrap().unwrap().id().as_str(), "post:p1");
        other.sent()
    });
    let asked: Vec<&str> = one.sent().iter().map(|sent| sent.operation).collect();
    assert_eq!(asked, ["get_me", "get_since", "get_since"]);
    assert_eq!(blocking.await.unwrap(), one.sent());
}
