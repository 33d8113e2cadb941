//! Logins with an API key from stdin.

use serde_json::Value;

use crate::bench::{Bench, pipe};

#[test]
fn a_key_is_kept_confirmed_and_used() {
    let bench = Bench::new();
    bench.run(&["whoami"]).fails(3, "colony auth login");
    let key = bench.sandbox.api_key();
    let done = bench.pipe(&["auth", "login"], &format!("  {key}\n")).ok();
    assert_eq!(done.stdout(), "", "data only");
    assert!(done.stderr().contains(bench.sandbox.username()) && !done.stderr().contains(key));
    assert_eq!(bench.json(&["whoami"])["username"], bench.sandbox.username());
    // The profile also provides the address.
    let me = pipe(bench.command(&["--json", "whoami"]).env_remove("COLONY_BASE_URL"), "").json();
    assert_eq!(me["username"], bench.sandbox.username());
    assert_eq!(bench.holding(key), [std::path::Path::new(".config/colony-sdk/keys/default.key")]);
    assert_eq!(bench.sandbox.stats().with_status("POST /auth/token", 200), 1, "the login that confirmed it");

    let status = bench.json(&["auth", "status"]);
    assert_eq!(status["profile"]["name"], "default");
    assert!(status["key"]["source"].as_str().unwrap().contains("default.key"));
    assert_eq!((&status["cache"]["fresh"], &status["openid"]), (&true.into(), &Value::Null));
}

#[cfg(unix)]
#[test]
fn files_are_private_and_others_are_not_read() {
    use crate::bench::mode;
    use std::os::unix::fs::PermissionsExt as _;

    let bench = Bench::new();
    bench.pipe(&["auth", "login"], bench.sandbox.api_key()).ok();
    for (path, expected) in [
        ("", 0o700),
        ("keys", 0o700),
        ("profiles", 0o700),
        ("keys/default.key", 0o600),
        ("profiles/default.json", 0o600),
    ] {
        assert_eq!(mode(&bench.path(".config/colony-sdk").join(path)), expected, "{path}");
    }
    let key = bench.path(".config/colony-sdk/keys/default.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    bench.run(&["whoami"]).fails(1, "chmod 600");
}

#[test]
fn a_refused_key_changes_nothing() {
    let bench = Bench::new();
    bench.pipe(&["auth", "login"], "col_wrong").fails(3, "nothing is kept");
    assert!(bench.holding("col_wrong").is_empty());
    assert!(!bench.path(".config/colony-sdk/profiles/default.json").exists());
    bench.pipe(&["auth", "login"], bench.sandbox.api_key()).ok();
    bench.pipe(&["auth", "login"], "col_wrong").fails(3, "former key is kept");
    assert!(bench.holding("col_wrong").is_empty());
    assert_eq!(bench.json(&["whoami"])["username"], bench.sandbox.username());
}

#[test]
fn a_key_that_cannot_be_confirmed_is_kept_only_where_nothing_is_lost() {
    let bench = Bench::with(|options| options.api_keys = vec!["col_one".into(), "col_two".into()]);
    let stop = || bench.sandbox.fail("POST /auth/token=429;retry-after=3600".parse().unwrap());
    stop();
    bench.pipe(&["auth", "login"], "col_one").fails(6, "could not be confirmed");
    assert_eq!(bench.holding("col_one").len(), 1, "it may be the only copy");
    bench.sandbox.clear_failures();
    bench.run(&["auth", "refresh", "--force"]).ok();
    let first = bench.json(&["whoami"])["username"].clone();
    stop();
    bench.pipe(&["auth", "login"], "col_two").fails(6, "former key is kept");
    assert!(bench.holding("col_two").is_empty());
    bench.sandbox.clear_failures();
    assert_eq!(bench.json(&["whoami"])["username"], first);
    // Another key replaces it once confirmed, and the former one's token is removed.
    let former = bench.json(&["auth", "status"])["cache"]["file"].clone();
    assert!(std::path::Path::new(former.as_str().unwrap()).exists());
    bench.pipe(&["auth", "login"], "col_two").fails(6, "auth refresh --force");
    bench.pipe(&["auth", "login", "--force"], "col_two").ok();
    assert_ne!(bench.json(&["whoami"])["username"], first);
    assert!(!std::path::Path::new(former.as_str().unwrap()).exists());
    assert!(bench.holding("col_one").is_empty());
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    let bench = Bench::new();
    for (text, said) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("col_a col_b", "white space"),
        ("col_a\ncol_b", "white space"),
        (&"x".repeat(20_000), "too long"),
    ] {
        bench.pipe(&["auth", "login"], text).fails(2, said);
    }
    if cfg!(not(feature = "keyring")) {
        let done = bench.pipe(&["auth", "login", "--storage", "keyring"], bench.sandbox.api_key());
        done.fails(2, "--features keyring");
    }
    assert_eq!(bench.sandbox.stats().total("POST /auth/token"), 0);
}

#[test]
fn logging_out_leaves_nothing_behind() {
    let bench = Bench::new();
    let key = bench.sandbox.api_key();
    bench.pipe(&["auth", "login"], key).ok();
    let token = bench.run(&["auth", "token"]).ok().stdout();
    assert!(!bench.holding(token.trim()).is_empty());
    let gone = bench.json(&["auth", "logout"]);
    assert_eq!((&gone["removed"], &gone["key_removed"]), (&1.into(), &true.into()));
    assert!(bench.holding(key).is_empty() && bench.holding(token.trim()).is_empty());
    bench.run(&["auth", "logout"]).fails(3, "no API key");
    bench.run(&["auth", "status"]).fails(3, "colony auth login");
}
