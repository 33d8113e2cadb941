//! Every list that the registry walks, on both clients, against difficult servers: each walk ends, yields each row
//! once and misses none that existed throughout.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use colony_async::testing::Script;
use colony_core::{
    ErrorKind, Reply, Request, Result,
    registry::{self, Call, Operation},
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// A server's behaviour towards walks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Habit {
    /// It has no fault.
    Honest,
    /// It returns at most this many rows, whatever the request.
    Caps(usize),
    /// It always returns the first page.
    IgnoresPosition,
    /// It adds this many rows on top before every request but the first.
    Adds(usize),
    /// It removes the first row before every request but the first.
    Removes,
}

/// The information in a page about the list.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Total,
    More,
    Both,
    Nothing,
}

/// The initial number of rows.
const ROWS: usize = 130;

#[derive(Debug)]
struct Server {
    habit: Habit,
    says: Says,
    asked: usize,
}

impl Server {
    fn answer(&mut self, request: &Request) -> Value {
        let query = |name: &str| -> Option<usize> {
            request.query_pairs().iter().find(|(key, _)| key == name)?.1.parse().ok()
        };
        let before = self.asked;
        self.asked += 1;
        assert!(before < 100, "the walk goes on for ever");
        let rows: Vec<usize> = match self.habit {
            // The list stops growing at some point, or no walk would reach its end.
            Habit::Adds(added) => (0..before.min(3) * added).map(|n| 1000 + n).rev().chain(0..ROWS).collect(),
            Habit::Removes => (before.min(9)..ROWS).collect(),
            _ => (0..ROWS).collect(),
        };
        let limit = query("limit").unwrap_or(20);
        let size = if let Habit::Caps(cap) = self.habit { limit.min(cap) } else { limit };
        let start = query("page").map_or(query("offset").unwrap_or(0), |page| (page - 1) * size);
        let start = if self.habit == Habit::IgnoresPosition { 0 } else { start };
        let end = rows.len().min(start + size);
        let page: Vec<Value> = rows
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .map(|row| json!({"id": row.to_string()}))
            .collect();
        if is_bare(request.operation()) {
            return page.into();
        }
        let more = self.habit == Habit::IgnoresPosition || end < rows.len();
        match self.says {
            Says::Total => json!({"items": page, "total": rows.len()}),
            Says::More => json!({"items": page, "has_more": more}),
            Says::Both => json!({"items": page, "total": rows.len(), "has_more": more}),
            Says::Nothing => json!({"items": page}),
        }
    }
}

/// Returns whether a list is returned as a bare array.
fn is_bare(operation: &str) -> bool {
    matches!(operation, "iter_notifications" | "iter_conversations")
}

fn reply(body: &Value) -> Reply {
    let headers = HeaderMap::from_iter([
        (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (http::HeaderName::from_static("x-request-id"), HeaderValue::from_static("req-7")),
    ]);
    Reply::new(StatusCode::OK, headers, Bytes::from(body.to_string()))
}

/// Returns a script whose replies, except to logins, come from this function.
fn served(answer: impl Fn(&Request) -> Value + Send + Sync + 'static) -> Script {
    Script::new().served_by(move |request, _| {
        if request.template() == "/auth/token" {
            return Ok(reply(&json!({"access_token": "a-token", "token_type": "bearer"})));
        }
        Ok(reply(&answer(request)))
    })
}

/// Returns the operations that walk a list.
fn walks() -> impl Iterator<Item = &'static Operation> {
    registry::operations().map(|(_, operation)| operation).filter(|operation| {
        matches!(call(operation), Some(Call::List(_))) || operation.name == "get_all_comments"
    })
}

fn call(operation: &Operation) -> Option<Call> {
    let given = operation.arguments().into_iter().filter(|name| matches!(*name, "post_id" | "username"));
    operation.prepare(given.map(|name| (name, json!("x"))).collect()).ok()
}

/// Both clients of a server whose habit can be changed.
struct Walkers {
    server: Arc<Mutex<Server>>,
    runtime: tokio::runtime::Runtime,
    client: colony_async::Client,
    blocking: colony_blocking::Client,
}

impl Walkers {
    fn new() -> Self {
        let server = Arc::new(Mutex::new(Server { habit: Habit::Honest, says: Says::Both, asked: 0 }));
        let shared = Arc::clone(&server);
        let script = served(move |request| shared.lock().unwrap().answer(request));
        Self {
            server,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            client: colony_async::Client::builder("col_test").script(&script).build().unwrap(),
            blocking: colony_blocking::Client::builder("col_test").script(&script).build().unwrap(),
        }
    }

    /// Returns the rows that each client finds.
    fn walk(&self, operation: &Operation, habit: Habit, says: Says) -> [Result<Vec<usize>>; 2] {
        let prepare = || {
            *self.server.lock().unwrap() = Server { habit, says, asked: 0 };
            call(operation).expect("it was prepared before")
        };
        let ids = |answer: Value| -> Vec<usize> {
            answer
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_str().unwrap().parse().unwrap())
                .collect()
        };
        [
            self.runtime.block_on(self.client.transport().run(prepare())).map(ids),
            self.blocking.transport().run(prepare()).map(ids),
        ]
    }
}

#[test]
fn each_row_comes_once_and_none_is_missed() {
    let (walkers, mut tried) = (Walkers::new(), 0);
    for operation in walks() {
        let habits = [
            Habit::Honest,
            Habit::Caps(50),
            Habit::Caps(7),
            Habit::Adds(1),
            Habit::Adds(20),
            Habit::Adds(45),
        ];
        for habit in habits {
            for says in [Says::Total, Says::More, Says::Both, Says::Nothing] {
                // An object without information about the list is taken for the last page if it is short.
                if matches!(habit, Habit::Caps(_)) && says == Says::Nothing && !is_bare(operation.name) {
                    continue;
                }
                // If a whole page is added each time and the server gives no count, it cannot be told from a repeated
                // page.
                if habit == Habit::Adds(20) && matches!(says, Says::More | Says::Nothing) {
                    continue;
                }
                for found in walkers.walk(operation, habit, says) {
                    let found = found
                        .unwrap_or_else(|error| panic!("{} {habit:?} {says:?}: {error}", operation.name));
                    let missed =
                        (0..ROWS).find(|row| found.iter().filter(|other| *other == row).count() != 1);
                    assert_eq!(missed, None, "{} {habit:?} {says:?}: {found:?}", operation.name);
                }
                tried += 1;
            }
        }
    }
    assert!(tried >= 10 * 18, "{tried}");
}

#[test]
fn rows_that_move_up_are_not_missed_where_the_server_counts() {
    let walkers = Walkers::new();
    for operation in walks().filter(|operation| !is_bare(operation.name)) {
        for says in [Says::Total, Says::Both] {
            for found in walkers.walk(operation, Habit::Removes, says) {
                let found = found.unwrap();
                let missed = (9..ROWS).find(|row| found.iter().filter(|other| *other == row).count() != 1);
                assert_eq!(missed, None, "{} {says:?}: {found:?}", operation.name);
            }
        }
    }
}

#[test]
fn a_server_that_ignores_the_position_is_an_error() {
    let walkers = Walkers::new();
    for operation in walks() {
        for says in [Says::More, Says::Both] {
            for found in walkers.walk(operation, Habit::IgnoresPosition, says) {
                let error = found.unwrap_err();
                assert!(error.message().contains("does not honour"), "{error}");
                assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some(operation.name)));
                assert_eq!(error.request_id(), Some("req-7"), "{error}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_names_operation_and_request() {
    let script = served(|request| match request.operation() {
        "get_post" => json!({"id": {}}),
        _ => json!({"items": [{"id": "a"}, {"id": {}}], "total": 2}),
    });
    let client = colony_blocking::Client::builder("col_test").script(&script).build().unwrap();
    let post = client.posts().get("p1").unwrap_err();
    let mut walk = client.posts().iter(colony_core::api::posts::GetPosts::new());
    assert!(walk.next().unwrap().is_ok());
    let item = walk.next().unwrap().unwrap_err();
    assert!(walk.next().is_none());
    let comments = client.comments().list_all("p1").unwrap_err();
    for (error, operation) in [(post, "get_post"), (item, "iter_posts"), (comments, "get_all_comments")] {
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some(operation)));
        let shown = error.to_string();
        assert!(shown.contains(operation) && shown.contains("req-7"), "{shown}");
    }
}
