//! Replacing the key: it is never lost, whatever happens to the reply.

use std::process::Command;

use serde_json::Value;

use crate::bench::{Bench, Done, mode, pipe};

fn log_in(bench: &Bench) {
    bench.pipe(&["auth", "login"], bench.sandbox.api_key()).ok();
}

fn kept(bench: &Bench) -> String {
    std::fs::read_to_string(bench.path(".config/colony-sdk/keys/default.key")).unwrap().trim().to_owned()
}

fn begun(bench: &Bench) -> usize {
    std::fs::read_dir(bench.path(".config/colony-sdk/rotations")).map_or(0, Iterator::count)
}

fn works(bench: &Bench) {
    std::fs::remove_dir_all(bench.path(".cache")).ok();
    bench.json(&["whoami"]);
}

#[test]
fn the_profile_gets_the_new_key() {
    let bench = Bench::new();
    log_in(&bench);
    let before = kept(&bench);
    let done = bench.run(&["auth", "rotate-key"]).ok();
    let after = kept(&bench);
    assert_ne!(before, after);
    assert_eq!(done.stdout(), "", "the key is kept, and nowhere shown");
    assert!(done.stderr().contains("profile default") && !done.stderr().contains(&after));
    works(&bench);
    // Also by its operation name, which prints the reply and reports the change to the profile.
    let done = bench.run(&["call", "rotate_key"]).ok();
    let answer: Value = serde_json::from_str(&done.stdout()).unwrap();
    assert_eq!(answer["api_key"], kept(&bench));
    assert!(done.stderr().contains("profile default"));
    works(&bench);
    assert_eq!(begun(&bench), 0);
    assert_eq!(bench.holding(&before), Vec::<std::path::PathBuf>::new());
}

/// The reply is lost, once or until the command gives up: the same rotation is repeated, and the key is the same.
#[test]
fn an_unknown_outcome_is_repeated() {
    for lost in [1, 9] {
        let bench = Bench::new();
        log_in(&bench);
        let before = kept(&bench);
        bench.sandbox.fail(format!("POST /auth/rotate-key=503x{lost};after-acting").parse().unwrap());
        let first = bench.run(&["auth", "rotate-key"]);
        if lost == 9 {
            first.fails(7, "again within 24 hours");
            assert_eq!((kept(&bench), begun(&bench)), (before.clone(), 1));
            bench.sandbox.clear_failures();
            bench.run(&["auth", "rotate-key"]).ok();
        } else {
            first.ok();
        }
        assert_ne!(kept(&bench), before);
        assert_eq!(begun(&bench), 0);
        works(&bench);
    }
}

#[test]
fn a_refusal_changes_nothing() {
    let bench = Bench::new();
    log_in(&bench);
    let before = kept(&bench);
    bench.sandbox.fail("POST /auth/rotate-key=403x1".parse().unwrap());
    bench.run(&["auth", "rotate-key"]).fails(3, "rotate_key");
    assert_eq!((kept(&bench), begun(&bench)), (before, 0));
}

/// A key that no profile stores is printed, or written to a file that exists before anything is sent.
#[test]
fn a_secret_gets_a_private_file_or_stdout() {
    let bench = Bench::new();
    let mut key = bench.sandbox.api_key().to_owned();
    let file = bench.path("answer");
    let name = file.to_str().unwrap();
    let with = |key: &str, arguments: &[&str]| {
        let mut command = bench.command(arguments);
        pipe(command.env("COLONY_API_KEY", key), "")
    };
    let sent = || bench.sandbox.stats().total("POST /auth/rotate-key");
    for bad in ["/nowhere/answer", bench.home.path().to_str().unwrap()] {
        with(&key, &["auth", "rotate-key", "--output", bad]).fails(2, "nothing was sent");
        with(&key, &["call", "rotate_key", "--output", bad]).fails(2, "nothing was sent");
        let webhook = [
            "call",
            "create_webhook",
            "url=https://example.org",
            "events=post_created",
            "secret=0123456789abcdef",
        ];
        with(&key, &[&webhook[..], &["--output", bad]].concat()).fails(2, "nothing was sent");
    }
    assert_eq!(sent(), 0);
    // A file that others can read is closed to them; a file that cannot be written does not lose the key.
    std::fs::write(&file, "x".repeat(4096)).unwrap();
    with(&key, &["auth", "rotate-key", "--output", name]).ok();
    key = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(mode(&file), 0o600);
    if std::path::Path::new("/dev/full").exists() {
        let done = with(&key, &["auth", "rotate-key", "--output", "/dev/full"]).fails(1, "on stdout");
        key = done.stdout().trim().to_owned();
    }
    let done = with(&key, &["auth", "rotate-key"]).ok();
    assert!(done.stderr().contains("COLONY_API_KEY"), "{}", done.stderr());
    key = done.stdout().trim().to_owned();
    with(&key, &["whoami"]).ok();
    // A registration is also written privately, and nothing is left of a refused one.
    let registered = bench.path("registered.json");
    let register = |username: &str| {
        let username = format!("username={username}");
        let arguments = ["call", "register", &username, "display_name=Ada", "bio=None", "--output"];
        bench.run(&[&arguments[..], &[registered.to_str().unwrap()]].concat())
    };
    register("a-new-agent").ok();
    assert_eq!(mode(&registered), 0o600);
    std::fs::remove_file(&registered).unwrap();
    assert_ne!(register("a-new-agent").code(), 0, "taken");
    assert!(!registered.exists());
    bench.sandbox.fail("POST /auth/register=500x1;after-acting".parse().unwrap());
    register("another-agent").fails(7, "may have been created");
}

/// Without a home nothing is written, and that is not an error.
#[test]
fn the_state_is_told_without_a_home() {
    let bench = Bench::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_colony"));
    let homeless = |command: &mut Command, arguments: &[&str]| {
        command.env_clear().args(arguments).env("HOME", "").env("NO_PROXY", "127.0.0.1");
        command
            .env("COLONY_BASE_URL", bench.sandbox.base_url())
            .env("COLONY_API_KEY", bench.sandbox.api_key());
        Done(command.output().unwrap())
    };
    let status = homeless(&mut command, &["--json", "auth", "status"]).json();
    assert!(status["key"]["fingerprint"].is_string(), "{status}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_colony"));
    homeless(&mut command, &["auth", "status", "--verify"]).ok();
    let mut command = Command::new(env!("CARGO_BIN_EXE_colony"));
    homeless(&mut command, &["auth", "logout"]).ok();
}
