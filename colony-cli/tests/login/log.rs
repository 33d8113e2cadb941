//! The token log: who got a token, in whole lines, without secrets.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bench::{Bench, Done, mode, start};

fn lines(bench: &Bench) -> Vec<Value> {
    let said = bench.run(&["--json", "auth", "log"]).ok().stdout();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'l>(lines: &'l [Value], event: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn each_minted_token_is_logged_once_and_refusals_too() {
    let bench = Bench::with(|options| options.auth_limit = 10_000);
    let key = bench.sandbox.api_key().to_owned();
    bench.pipe(&["auth", "login"], &key).ok();
    for round in 1..=3 {
        let jobs: Vec<_> = (0..30).map(|_| start(&mut bench.command(&["auth", "refresh"]), "")).collect();
        for job in jobs {
            Done(job.wait_with_output().unwrap()).ok();
        }
        let minted = bench.sandbox.stats().with_status("POST /auth/token", 200);
        let lines = lines(&bench);
        let logged = of(&lines, "minted");
        let tokens: BTreeSet<&str> = logged.iter().map(|line| line["token"].as_str().unwrap()).collect();
        assert_eq!((logged.len() as u64, tokens.len() as u64), (minted, minted), "round {round}");
        assert!(
            logged.iter().all(|line| line["program"] == "colony" && line["expires_at"].is_f64()),
            "{logged:?}"
        );
    }
    bench.sandbox.fail("/auth/token=401x1".parse().unwrap());
    bench.run(&["auth", "refresh"]).fails(3, "");
    let all = lines(&bench);
    let refused = of(&all, "refused");
    assert_eq!((refused.len(), &refused[0]["status"]), (1, &Value::from(401)));
    let log = bench.path(".cache/colony-sdk/log.jsonl");
    assert_eq!(mode(&log), 0o600);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("eyJ") && !text.contains(&key), "{text}");
    let told = bench.run(&["auth", "log"]).ok().stdout();
    assert_eq!(told.lines().count(), all.len());
    // Calls with a token in the file write nothing.
    bench.run(&["auth", "refresh"]).ok();
    let before = lines(&bench).len();
    for _ in 0..5 {
        bench.run(&["whoami"]).ok();
    }
    assert_eq!(lines(&bench).len(), before);
}

#[test]
fn a_rotation_is_logged() {
    let bench = Bench::new();
    bench.bring(&[], &bench.refresh_token()).ok();
    bench.run(&["auth", "refresh"]).ok();
    let lines = lines(&bench);
    assert!(!of(&lines, "refreshed").is_empty(), "{lines:?}");
}
