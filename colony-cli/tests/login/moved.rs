//! A credential in another place, and an unreachable provider.

use serde_json::{Value, json};

use crate::bench::{Bench, colony};

fn stored(bench: &Bench) -> std::path::PathBuf {
    bench.json(&["auth", "status"])["openid"]["file"].as_str().unwrap().into()
}

#[test]
fn a_copied_home_is_told_and_adopted() {
    let bench = Bench::new();
    bench.bring(&[], &bench.refresh_token()).ok();
    bench.run(&["auth", "adopt"]).ok();
    let copy = tempfile::tempdir().unwrap();
    let target = copy.path().join("home");
    let copied = std::process::Command::new("cp").arg("-a").arg(bench.path("")).arg(&target).status();
    assert!(copied.unwrap().success());
    let there = |arguments: &[&str]| {
        let mut command = colony(&target);
        command.args(arguments).env("COLONY_BASE_URL", bench.sandbox.base_url());
        crate::bench::pipe(&mut command, "")
    };
    bench.sandbox.reset();
    there(&["auth", "refresh"]).fails(3, "colony auth adopt");
    let told: Value = serde_json::from_str(&there(&["--json", "auth", "refresh"]).stderr()).unwrap();
    assert_eq!(
        (&told["error"]["kind"], &told["error"]["code"]),
        (&json!("reauth_required"), &json!("copied"))
    );
    assert_eq!(there(&["--json", "auth", "status"]).json()["openid"]["copied"], true);
    assert!(there(&["auth", "status"]).ok().stdout().contains("this is a copy"));
    // The access token works there while it is valid.
    there(&["auth", "token"]).ok();
    assert_eq!(bench.sandbox.stats().rotations, 0);
    assert_eq!(there(&["--json", "auth", "adopt"]).json()["adopted"], true);
    assert_eq!(there(&["--json", "auth", "adopt"]).json()["adopted"], false);
    there(&["auth", "refresh"]).ok();
    assert_eq!((bench.sandbox.stats().rotations, bench.sandbox.stats().replays), (1, 0));
}

#[test]
fn a_provider_that_is_away_takes_no_living_token() {
    let bench = Bench::new();
    bench.bring(&[], &bench.refresh_token()).ok();
    let token = bench.run(&["auth", "token"]).ok().stdout();
    let set_expiry = |left: f64| {
        let file = stored(&bench);
        let mut value: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        value["expiry"] = json!(now.as_secs_f64() + left);
        value["obtained_at"] = json!(now.as_secs_f64() - 900.0);
        std::fs::write(&file, value.to_string()).unwrap();
    };
    bench.sandbox.fail("GET /.well-known/openid-configuration=503".parse().unwrap());
    set_expiry(30.0);
    let done = bench.run(&["auth", "token"]).ok();
    assert_eq!(done.stdout(), token);
    assert!(done.stderr().contains("could not be refreshed"), "{}", done.stderr());
    set_expiry(-1.0);
    bench.run(&["auth", "token"]).fails(7, "");
    bench.sandbox.clear_failures();
    assert_ne!(bench.run(&["auth", "token"]).ok().stdout(), token);
}

/// The advice names the profile concerned, and asks for no API key.
#[test]
fn the_next_step_names_the_command() {
    let bench = Bench::new();
    bench.bring(&["--profile", "work"], &bench.refresh_token()).ok();
    bench.sandbox.openid().revoke_grants();
    bench
        .run(&["--profile", "work", "auth", "refresh"])
        .fails(3, "`colony --profile work auth login --device`");
    bench.bring(&[], &bench.refresh_token()).ok();
    bench.sandbox.openid().revoke_grants();
    bench.run(&["auth", "refresh"]).fails(3, "`colony auth login --device`");
}
