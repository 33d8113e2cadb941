//! Long waits are reported.

use std::time::{Duration, Instant};

use colony_cli::sandbox::Options;

use crate::bench::{Bench, colony, text};

#[test]
fn an_outage_and_a_slow_answer_are_told() {
    let fail = |rule: &str| rule.parse().unwrap();
    let bench = Bench::with(Options {
        fail: vec![fail("POST /auth/token=503x1"), fail("GET /users/me=okx4;delay=1.6")],
        ..Options::default()
    });
    let started = Instant::now();
    let output = bench.run(&["whoami"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("retrying the login (503), next try in ") && said.contains(" s more"), "{said}");
    assert!(said.contains("waiting for the answer to get_me, for 1 s so far, at most 29 s more"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(60));
    for silent in [&["--quiet", "whoami"][..], &["--json", "whoami"]] {
        let said = text(&bench.run(silent).stderr);
        assert!(!said.contains("waiting"), "{silent:?}: {said}");
    }
}

#[test]
fn a_deadline_in_a_pause_names_the_tries_that_failed() {
    let fail = |rule: &str| vec![rule.parse().unwrap()];
    for (rule, told) in [
        ("POST /auth/token=503x9", "of get_auth_token had failed"),
        ("GET /users/me=503x9", "leaves no time to try again after"),
    ] {
        let bench = Bench::with(Options { fail: fail(rule), ..Options::default() });
        let output = bench.run(&["--deadline", "1s", "--json", "whoami"]);
        let said = text(&output.stderr);
        assert!(said.contains("503") && said.contains(told), "{rule}: {said}");
    }
}

#[test]
fn a_cache_that_does_not_work_is_told_in_one_line() {
    let bench = Bench::new();
    let run = |arguments: &[&str]| {
        let mut command = colony(bench.cache.path());
        let file = bench.cache.path().join("in-the-way");
        std::fs::write(&file, "").unwrap();
        command.args(arguments).env("COLONY_SDK_TOKEN_CACHE_DIR", file.join("tokens"));
        command
            .env("COLONY_BASE_URL", bench.sandbox.base_url())
            .env("COLONY_API_KEY", bench.sandbox.api_key());
        command.output().unwrap()
    };
    let output = run(&["posts", "list"]);
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert_eq!(said.matches("warning: ").count(), 1, "{said}");
    assert!(!text(&run(&["--quiet", "posts", "list"]).stderr).contains("cache"));
    assert!(!text(&bench.run(&["posts", "list"]).stderr).contains("cache"));
}
