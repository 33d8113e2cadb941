//! The command line as a program: what scripts can rely on.

mod bench;
mod completion;
#[cfg(unix)]
mod edit;
mod help;
mod input;
mod policy;
mod proxies;
mod short;
#[cfg(unix)]
mod streams;
#[cfg(unix)]
mod tables;
mod waiting;

#[cfg(unix)]
use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use colony_cli::sandbox::Options;
use serde_json::Value;

use bench::{Bench, colony, error_line, text};

#[test]
fn a_session_logs_in_once() {
    let bench = Bench::new();
    let me = bench.json(&["--json", "whoami"]);
    assert_eq!(me["username"], bench.sandbox.username());
    let created = bench.json(&[
        "--json",
        "posts",
        "create",
        "--title",
        "A title",
        "--body",
        "Some text",
        "--colony",
        "general",
    ]);
    let id = created["id"].as_str().unwrap();
    let seen = bench.json(&["--json", "posts", "view", id]);
    assert_eq!(seen["post"]["title"], "A title");
    assert_eq!(bench.json(&["call", "get_post", "--args", &format!("{{\"post_id\": {id:?}}}")])["id"], id);
    assert!(
        bench.json(&["call", "iter_posts", "--args", "{\"max_results\": 3}"]).as_array().unwrap().len() == 3
    );
    let found = bench.json(&["--json", "search", "title"]);
    assert!(found["items"].as_array().unwrap().iter().any(|post| post["id"] == id), "{found}");
    assert!(bench.json(&["--json", "notifications"]).is_array());
    assert_eq!(bench.json(&["api", "GET", "/users/me"])["username"], bench.sandbox.username());
    assert_eq!(bench.logins(), 1);
}

#[test]
fn people_get_tables_and_plain_words() {
    let bench = Bench::new();
    let output = bench.run(&["posts", "list", "-n", "2"]);
    let stdout = text(&output.stdout);
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    assert!(stdout.contains("TITLE"));
    assert!(!stdout.contains('\u{1b}'), "no colour into a pipe");
    let output = bench.run(&["posts", "view", "not-there"]);
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("error: get_post:"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'));
}

#[test]
fn exit_codes_and_error_kinds() {
    let fail = |rule: &str| rule.parse().unwrap();
    let bench = Bench::with(Options {
        fail: vec![
            fail("GET /me/unread=500"),
            fail("GET /stats=429x1;retry-after=3600"),
            fail("PUT /users/me=409"),
            fail("GET /home=403"),
        ],
        ..Options::default()
    });
    let missing = "00000000-0000-4000-8000-000000000000";
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &["--json", "call", "get_post", "--args", &format!("{{\"post_id\": \"{missing}\"}}")],
            4,
            "not_found",
        ),
        (&["--json", "call", "get_post", "--args", "{\"post_id\": \"x\"}"], 5, "validation"),
        (&["--json", "call", "get_post", "--args", "{}"], 2, "invalid_argument"),
        (&["--json", "call", "get_post", "--args", "nonsense"], 2, "invalid_argument"),
        (&["--json", "call", "no_such_operation"], 2, "invalid_argument"),
        (&["--json", "api", "GET", "/me/unread"], 7, "server"),
        (&["--json", "api", "GET", "/stats"], 6, "rate_limit"),
        (&["--json", "api", "PUT", "/users/me", "--data", "{}"], 5, "conflict"),
        (&["--json", "api", "GET", "/home"], 3, "auth"),
    ];
    for (arguments, code, kind) in cases {
        let (got, error) = bench.failure(arguments);
        assert_eq!((got, error["kind"].as_str().unwrap()), (code, kind), "{arguments:?}: {error}");
        if kind == "rate_limit" {
            assert_eq!(error["retry_after"], 3600);
            assert_eq!(error["status"], 429);
        }
    }
    let (code, error) = bench.failure(&["--json", "no-such-command"]);
    assert_eq!((code, error["kind"].as_str().unwrap()), (2, "invalid_argument"));
}

#[test]
fn without_a_key_or_a_server() {
    let cache = tempfile::tempdir().unwrap();
    let output = colony(cache.path()).args(["--json", "whoami"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(error_line(&output)["kind"], "auth");
    // A port that was free a moment ago: nothing listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = colony(cache.path())
        .args(["--json", "whoami", "--base-url", &format!("http://127.0.0.1:{port}/api/v1")])
        .env("COLONY_API_KEY", "col_x")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert_eq!(error_line(&output)["kind"], "network");
}

#[test]
fn the_key_comes_from_a_file_or_the_environment() {
    let bench = Bench::new();
    let file = bench.cache.path().join("key");
    std::fs::write(&file, format!("{}\n", bench.sandbox.api_key())).unwrap();
    let output = bench
        .command(&["--json", "whoami", "--api-key-file", file.to_str().unwrap()])
        .env("COLONY_API_KEY", "col_wrong")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (code, error) = bench.failure(&["--json", "whoami", "--api-key-file", "/nowhere/key"]);
    assert_eq!(code, 2);
    assert!(error["message"].as_str().unwrap().contains("/nowhere/key"));
    assert!(!bench.run(&["whoami", "--api-key", "col_x"]).status.success(), "no key on the command line");
}

#[test]
fn auth_tells_the_state_and_never_a_secret() {
    let bench = Bench::new();
    let cold = bench.json(&["--json", "auth", "status"]);
    assert_eq!(cold["cache"]["present"], false);
    assert_eq!(bench.logins(), 0, "status asks nobody");

    let token = text(&bench.run(&["auth", "token"]).stdout).trim().to_owned();
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(text(&bench.run(&["auth", "token"]).stdout).trim(), token, "the same, from the cache");

    let output = bench.run(&["--json", "auth", "status", "--verify"]);
    let warm: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(warm["cache"]["fresh"], true);
    assert_eq!(warm["lock"]["held"], false);
    assert_eq!(warm["account"]["username"], bench.sandbox.username());
    let left = warm["cache"]["seconds_left"].as_f64().unwrap();
    assert!(left > 82_000.0 && left <= 82_800.0, "{left}");
    for words in [
        text(&output.stdout),
        text(&bench.run(&["auth", "status"]).stdout),
        text(&bench.run(&["cache", "list"]).stdout),
    ] {
        assert!(!words.contains(&token) && !words.contains(bench.sandbox.api_key()), "{words}");
    }

    assert_eq!(bench.json(&["--json", "auth", "refresh"])["refreshed"], true);
    assert_ne!(text(&bench.run(&["auth", "token"]).stdout).trim(), token);
    assert_eq!(bench.logins(), 2);
    assert_eq!(bench.json(&["--json", "cache", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(bench.json(&["--json", "auth", "logout"])["removed"], 1);
    assert_eq!(bench.json(&["--json", "cache", "clear"])["removed"], 0);
    let path = text(&bench.run(&["cache", "path"]).stdout);
    assert_eq!(path.trim(), bench.cache.path().join("tokens").to_str().unwrap());
}

#[test]
fn a_cool_down_is_shown_and_can_be_overridden_by_a_person() {
    let bench = Bench::with(Options { auth_limit: 0, ..Options::default() });
    let (code, error) = bench.failure(&["--json", "whoami"]);
    assert_eq!((code, error["kind"].as_str().unwrap()), (6, "rate_limit"));
    let refused = bench.sandbox.stats().total("POST /auth/token");
    let (_, again) = bench.failure(&["--json", "whoami"]);
    assert_eq!(again["kind"], "rate_limit");
    assert!(again["retry_after"].as_u64().unwrap() > 0);
    assert_eq!(bench.sandbox.stats().total("POST /auth/token"), refused, "answered without asking");
    assert!(bench.json(&["--json", "auth", "status"])["cool_down"].as_f64().unwrap() > 0.0);
    bench.failure(&["--json", "auth", "refresh", "--force"]);
    assert_eq!(bench.sandbox.stats().total("POST /auth/token"), refused + 1);
}

#[test]
fn a_dry_run_sends_nothing() {
    let bench = Bench::new();
    let before = bench.sandbox.stats().routes.len();
    let request = bench.json(&[
        "call",
        "create_post",
        "--dry-run",
        "--args",
        r#"{"title": "T", "body": "B", "colony": "general"}"#,
    ]);
    assert_eq!(request["method"], "POST");
    assert_eq!(request["json"]["colony_id"], "2e549d01-99f2-459f-8924-48b2690b2170");
    assert_eq!(bench.sandbox.stats().routes.len(), before);
    let refused = bench.failure(&[
        "--json",
        "call",
        "create_post",
        "--dry-run",
        "--args",
        r#"{"title": " ", "body": "B"}"#,
    ]);
    assert_eq!(refused.0, 2);
}

#[test]
fn every_operation_has_help() {
    let cache = tempfile::tempdir().unwrap();
    let output = colony(cache.path()).args(["methods", "--json"]).output().unwrap();
    let methods: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(methods.len() >= 310, "{}", methods.len());
    for method in &methods {
        assert!(method["docs"].as_str().is_some_and(|docs| !docs.is_empty()), "{method}");
        assert!(method["arguments"].is_array(), "{method}");
    }
    let help = colony(cache.path()).args(["call", "create_comment", "--help"]).output().unwrap();
    assert!(text(&help.stdout).contains("post_id"));
}

#[cfg(unix)]
#[test]
fn the_sandbox_says_where_it_listens_and_ends_on_sigterm() {
    let cache = tempfile::tempdir().unwrap();
    let mut server = colony(cache.path())
        .args(["sandbox", "--port", "0", "--json", "--auth-limit", "5", "--fail", "/users/me=401x1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let me = colony(cache.path())
        .args(["--json", "whoami"])
        .env("COLONY_BASE_URL", said["base_url"].as_str().unwrap())
        .env("COLONY_API_KEY", said["api_key"].as_str().unwrap())
        .output()
        .unwrap();
    let me: Value = serde_json::from_slice(&me.stdout).expect("the 401 led to one round with a new token");
    assert_eq!(me["username"], said["username"]);
    let killed = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(server.wait().unwrap().success(), "a clean end");
}

#[test]
fn the_demo_shows_one_login() {
    let cache = tempfile::tempdir().unwrap();
    let output = colony(cache.path())
        .args(["demo", "--json", "--processes", "4", "--auth-limit", "2"])
        .output()
        .unwrap();
    let rounds: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let logins = |cached: bool| -> Vec<(u64, u64, u64)> {
        let of = |round: &Value, key: &str| round[key].as_u64().unwrap();
        rounds
            .iter()
            .filter(|round| round["cache"] == cached)
            .map(|round| (of(round, "succeeded"), of(round, "logins"), of(round, "refused")))
            .collect()
    };
    assert_eq!(logins(true), [(4, 1, 0), (4, 0, 0), (4, 1, 0)]);
    assert_eq!(logins(false), [(2, 2, 2), (0, 0, 4), (0, 0, 4)]);
}
