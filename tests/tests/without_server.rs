//! Clients that answer from a script: every operation, on both clients, with no server.

use std::{collections::BTreeMap, fs};

use colony_async::testing::Script;
use colony_core::{
    api::{posts::IterPosts, votes_reactions::VotePost},
    registry::{self, Call},
};
use serde_json::{Value, json};

/// The recorded arguments by which each operation is called: those of its first recorded success.
fn arguments() -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(colony_tests::wire_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl")
            || path.ends_with("client_behaviour.jsonl")
        {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            if case["raises"].is_null() {
                found.entry(case["method"].as_str().unwrap().to_owned()).or_insert(case["kwargs"].clone());
            }
        }
    }
    found
}

/// Why an operation cannot answer without more than its arguments.
fn is_excused(name: &str) -> bool {
    // Always refused, by every SDK; and one that needs a signing key.
    matches!(name, "report_user" | "report_message" | "attest_post")
}

#[test]
fn every_operation_has_a_plausible_reply() {
    let arguments = arguments();
    let script = Script::new();
    let blocking = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let async_client = colony_async::Client::builder("col_test").script(&script).build().unwrap();
    let mut failures = Vec::new();
    for (_, operation) in registry::operations() {
        if is_excused(operation.name) {
            continue;
        }
        // What goes beyond the recordings takes no required arguments but ids and names.
        let kwargs = arguments.get(operation.name).cloned().unwrap_or_else(|| {
            let given = ["webhook_id", "delivery_id", "username", "display_name", "since", "bio"];
            operation
                .arguments()
                .into_iter()
                .filter(|name| given.contains(name))
                .map(|name| (name, json!("x")))
                .collect()
        });
        let prepare = || operation.prepare(kwargs.clone());
        let both = match prepare() {
            Ok(Call::Download(call)) => blocking.transport().call(call).map(|_| Value::Null),
            Ok(call) => blocking.transport().run(call).and_then(|answer| {
                let other = runtime.block_on(async_client.transport().run(prepare()?))?;
                assert_eq!(answer, other, "{}: both clients answer the same", operation.name);
                operation.check_answer(answer.clone()).map(|()| answer)
            }),
            Err(error) => Err(error),
        };
        if let Err(error) = both {
            failures.push(format!("{}: {error}", operation.name));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(script.sent().len() > 500, "{}", script.sent().len());
}

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

/// Two pages of two posts, then an error.
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
        let mut posts = client.posts().iter(IterPosts::new().page_size(2));
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
        .iter(IterPosts::new().page_size(2).max_results(4))
        .map(|post| post.unwrap().id.to_string())
        .collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    assert_eq!(script.sent().len(), 2);
    assert_eq!(client.posts().iter(IterPosts::new().max_results(0)).count(), 0);
    assert_eq!(script.sent().len(), 2, "a limit of none asks for nothing");
}

#[test]
fn a_dropped_walk_asks_for_nothing_more() {
    let script = three_pages();
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let mut posts = client.posts().iter(IterPosts::new().page_size(2));
    assert_eq!(posts.next().unwrap().unwrap().id, "a");
    drop(posts);
    assert_eq!(script.sent().len(), 1);
}
