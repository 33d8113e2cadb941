//! The choice of a command's profile and key.

use colony_cli::sandbox::Options;

use crate::bench::{Bench, pipe};

fn two_accounts() -> Bench {
    Bench::with(|options: &mut Options| options.api_keys = vec!["col_one".into(), "col_two".into()])
}

#[test]
fn each_profile_is_its_own_login() {
    let bench = two_accounts();
    bench.pipe(&["auth", "login"], "col_one").ok();
    bench.pipe(&["auth", "login", "--profile", "work"], "col_two").ok();
    let who = |arguments: &[&str]| bench.json(arguments)["username"].as_str().unwrap().to_owned();
    let (one, two) = (who(&["whoami"]), who(&["whoami", "--profile", "work"]));
    assert_ne!(one, two);
    let named = pipe(bench.command(&["--json", "whoami"]).env("COLONY_PROFILE", "work"), "");
    assert_eq!(named.json()["username"].as_str(), Some(two.as_str()));
    // A key in the environment takes precedence over the default profile, but not over one named by an option.
    let with_key = |arguments: &[&str]| {
        let mut command = bench.command(&[&["--json"], arguments].concat());
        pipe(command.env("COLONY_API_KEY", "col_one"), "").json()["username"].as_str().unwrap().to_owned()
    };
    assert_eq!(with_key(&["whoami"]), one);
    assert_eq!(with_key(&["whoami", "--profile", "work"]), two);
    bench.run(&["auth", "logout", "--profile", "work"]).ok();
    bench.run(&["whoami", "--profile", "work"]).fails(2, "known: default");
    assert_eq!(who(&["whoami"]), one);
}

#[test]
fn a_profiles_key_goes_to_its_own_service_only() {
    let bench = two_accounts();
    let other = Bench::new();
    bench.pipe(&["auth", "login"], "col_one").ok();
    for arguments in [&["whoami"][..], &["auth", "status"], &["auth", "token"], &["posts", "list"]] {
        let mut command = bench.command(arguments);
        pipe(command.env("COLONY_BASE_URL", other.sandbox.base_url()), "").fails(2, "is logged in at");
    }
    let mut command = bench.command(&["auth", "login"]);
    pipe(command.env("COLONY_BASE_URL", other.sandbox.base_url()), "col_two").fails(2, "is logged in at");
    assert!(other.sandbox.stats().routes.is_empty(), "nothing was sent");
    // A given key goes to the given address.
    let mut command = bench.command(&["whoami"]);
    command.env("COLONY_BASE_URL", other.sandbox.base_url()).env("COLONY_API_KEY", other.sandbox.api_key());
    pipe(&mut command, "").ok();
}

#[test]
fn broken_and_unknown_profiles_are_errors_with_remedies() {
    let bench = two_accounts();
    bench.run(&["whoami", "--profile", "nobody"]).fails(2, "colony --profile nobody auth login");
    bench.run(&["whoami", "--profile", "../x"]).fails(2, "is not a profile name");
    bench.pipe(&["auth", "login"], "col_one").ok();
    let file = bench.path(".config/colony-sdk/profiles/default.json");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("\"schema\": 1", "\"schema\": 9")).unwrap();
    bench.run(&["whoami"]).fails(2, "schema 9");
    bench.pipe(&["auth", "login"], "col_one").fails(2, "schema 9");
    // With a given key and address the profile does not matter.
    pipe(bench.command(&["whoami"]).env("COLONY_API_KEY", "col_one"), "").ok();
    std::fs::write(&file, good).unwrap();
    std::fs::remove_file(bench.path(".config/colony-sdk/keys/default.key")).unwrap();
    bench.run(&["whoami"]).fails(3, "is not in");
}

#[test]
fn without_a_home_a_key_in_the_environment_still_serves() {
    let bench = two_accounts();
    let mut command = bench.command(&["whoami"]);
    command.env("HOME", "").env("COLONY_API_KEY", "col_one");
    pipe(&mut command, "").ok();
    let mut command = bench.command(&["auth", "login"]);
    command.env("HOME", "").env("COLONY_CONFIG_DIR", bench.path("elsewhere"));
    pipe(&mut command, "col_one").ok();
    assert!(bench.path("elsewhere/profiles/default.json").exists());
}
