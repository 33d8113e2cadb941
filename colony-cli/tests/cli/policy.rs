//! Policies: a forbidden operation is not sent (exit code 10), and a budget covers all programs of the account.

use serde_json::Value;

use crate::bench::{Bench, error_line, text};

/// Returns the number of requests that the sandbox received, except logins.
fn asked(bench: &Bench) -> u64 {
    let stats = bench.sandbox.stats();
    stats.routes.iter().filter(|(route, _)| *route != "POST /auth/token").map(|(_, count)| count.total).sum()
}

const POST: &[&str] = &["create_post", "title=A title", "body=Some text"];

fn call<'a>(before: &[&'a str], operation: &[&'a str]) -> Vec<&'a str> {
    [&["--json", "call"], before, operation].concat()
}

#[test]
fn what_a_policy_does_not_let_through_is_not_sent() {
    let bench = Bench::new();
    let delete = ["delete_post", "post_id=2e549d01-99f2-459f-8924-48b2690b2170"];
    let cases: [(Vec<&str>, &str); 9] = [
        (call(&["--read-only"], POST), "access"),
        (call(&["--allow", "vote_post"], POST), "access"),
        (call(&["--deny", "create_post"], POST), "denied"),
        (call(&["--deny", "group:posts"], &delete), "denied"),
        (call(&["--daily", "create_post=0"], POST), "budget"),
        (call(&["--read-only"], &["rotate_key"]), "access"),
        (call(&["--allow", "group:auth"], &["get_auth_token"]), "access"),
        (vec!["--json", "api", "DELETE", "/posts/x", "--allow", "delete_post"], "access"),
        (
            vec!["--json", "comment", "2e549d01-99f2-459f-8924-48b2690b2170", "--body", "x", "--read-only"],
            "access",
        ),
    ];
    for (arguments, why) in cases {
        let (code, error) = bench.failure(&arguments);
        assert_eq!(
            (code, error["kind"].as_str(), error["code"].as_str()),
            (10, Some("refused"), Some(why)),
            "{arguments:?} {error}"
        );
    }
    assert_eq!((asked(&bench), bench.logins()), (0, 0), "not even a token is asked for");
    // Allowed operations work as before.
    bench.json(&["--json", "whoami", "--read-only"]);
    bench.json(&["--json", "api", "GET", "/users/me", "--read-only"]);
    bench.json(&call(&["--read-only", "--allow", "create_post"], POST));
    // A dry run sends nothing.
    bench.json(&call(&["--read-only", "--dry-run"], POST));
}

#[test]
fn a_policy_that_cannot_be_read_is_wrong_usage() {
    let bench = Bench::new();
    for arguments in [
        call(&["--deny", "creat_post"], POST),
        call(&["--allow", "group:postz"], POST),
        call(&["--daily", "create_post"], POST),
        call(&["--daily", "creat_post=3"], POST),
        vec!["--json", "cache", "list", "--read-only"],
        vec!["--json", "auth", "status", "--deny", "create_post"],
    ] {
        let (code, error) = bench.failure(&arguments);
        assert_eq!((code, error["kind"].as_str()), (2, Some("invalid_argument")), "{arguments:?} {error}");
    }
    assert_eq!(asked(&bench), 0);
}

#[test]
fn a_budget_is_counted_in_the_ledger_and_given_back_where_nothing_was_done() {
    let bench = Bench::new();
    let budget = ["--daily", "create_post=2"];
    // A refusal by the server and a replay do not count.
    let (code, _) = bench.failure(&call(&budget, &["create_post", "title=A", "body=x"]));
    assert_eq!(code, 5);
    let once = [&budget[..], &["--idempotency-key", "once"]].concat();
    let first = bench.json(&call(&once, POST));
    assert_eq!(bench.json(&call(&once, POST))["id"], first["id"]);
    bench.json(&call(&budget, &["create_post", "title=Another", "body=Some other text"]));
    let (code, error) =
        bench.failure(&call(&budget, &["create_post", "title=A third", "body=Some more text"]));
    assert_eq!((code, error["code"].as_str()), (10, Some("budget")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("2 a day") && message.contains(".ledger"), "{message}");
    // A truncated ledger does not show the spending.
    let mut files = std::fs::read_dir(bench.cache.path().join(".local/state/colony-sdk")).unwrap();
    let is_ledger = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "ledger");
    let ledger = files.find_map(|entry| Some(entry.unwrap().path()).filter(is_ledger)).unwrap();
    let whole = std::fs::read(&ledger).unwrap();
    std::fs::write(&ledger, &whole[..whole.len() / 2]).unwrap();
    let (code, error) = bench.failure(&call(&["--daily", "create_post=9"], POST));
    assert_eq!((code, error["code"].as_str()), (10, Some("ledger")));
    assert!(error["message"].as_str().unwrap().contains(ledger.to_str().unwrap()), "{error}");
    // Without a budget the ledger is not read.
    bench.json(&call(&[], &["create_post", "title=Unlimited", "body=Quite some text"]));
}

#[test]
fn flags_only_tighten_the_policy_of_the_profile() {
    let bench = Bench::new();
    for setting in [
        &["policy.read_only", "true"][..],
        &["policy.allow", "vote_post", "create_comment"],
        &["policy.daily", "create_comment=1"],
    ] {
        assert!(bench.run(&[&["config", "set"], setting].concat()).status.success(), "{setting:?}");
    }
    let shown: Value = bench.json(&["--json", "config", "list"]);
    assert_eq!(shown["policy.allow"], serde_json::json!(["vote_post", "create_comment"]), "{shown}");
    assert_eq!(shown["policy.read_only"], true);
    for before in [&[][..], &["--allow", "create_post"]] {
        let (code, error) = bench.failure(&call(before, POST));
        assert_eq!((code, error["kind"].as_str()), (10, Some("refused")), "{error}");
    }
    assert_eq!(asked(&bench), 0);
    for (setting, value) in
        [("policy.deny", "creat_post"), ("policy.read_only", "maybe"), ("policy.daily", "x")]
    {
        let (code, _) = bench.failure(&["--json", "config", "set", setting, value]);
        assert_eq!(code, 2, "{setting} {value}");
    }
    // A limit that this version does not know is still a limit.
    let path = text(&bench.run(&["config", "path"]).stdout).trim().to_owned();
    let profile = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, profile.replace("\"read_only\"", "\"read_slowly\"")).unwrap();
    let output = bench.run(&["--json", "whoami"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error_line(&output)["message"].as_str().unwrap().contains("read_slowly"));
}
