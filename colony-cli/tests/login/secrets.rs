//! No command reveals a secret unless that is its purpose, at any verbosity.

use crate::bench::{Bench, CLIENT, Done, SECRET};

#[test]
fn nothing_that_is_told_holds_a_secret() {
    let bench = Bench::new();
    let mut told = String::new();
    let mut hear = |done: Done| told += &(done.stdout() + &done.stderr());
    let key = bench.sandbox.api_key().to_owned();
    let brought = bench.refresh_token();
    hear(bench.pipe(&["-vvv", "auth", "login"], &key).ok());
    hear(bench.bring(&["-vvv"], &brought).ok());
    hear(bench.run(&["-vvv", "--json", "auth", "status", "--verify"]).ok());
    bench.sandbox.openid().expire_access_tokens();
    hear(bench.run(&["-vvv", "auth", "status", "--verify"]).ok());
    // The stored secrets, and the ones that these commands are for.
    let mut secrets = vec![key, brought, SECRET.to_owned()];
    for command in [&["auth", "token"][..], &["auth", "exchange", "--audience", CLIENT]] {
        secrets.push(bench.run(command).ok().stdout().trim().to_owned());
    }
    let id_token = bench.json(&["auth", "exchange", "--audience", CLIENT])["id_token"].clone();
    secrets.push(id_token.as_str().unwrap().to_owned());
    let stored = bench.json(&["auth", "status"])["openid"]["file"].clone();
    let stored: serde_json::Value =
        serde_json::from_slice(&std::fs::read(stored.as_str().unwrap()).unwrap()).unwrap();
    for name in ["access_token", "refresh_token"] {
        secrets.push(stored[name].as_str().unwrap().to_owned());
    }
    // Each way in which it can fail.
    hear(bench.bring(&["-vvv"], &secrets[1]).ok());
    hear(bench.bring(&["-vvv"], "rt_planted_and_wrong").fails(3, ""));
    hear(bench.pipe(&["-vvv", "auth", "login"], "col_planted_and_wrong").fails(3, ""));
    bench.sandbox.fail("POST /oauth/token=500".parse().unwrap());
    hear(bench.run(&["-vvv", "auth", "exchange", "--audience", "colony_other"]).fails(7, "told to fail"));
    bench.sandbox.clear_failures();
    hear(bench.run(&["-vvv", "auth", "logout", "--revoke"]).ok());
    secrets.extend(["col_planted_and_wrong", "rt_planted_and_wrong"].map(str::to_owned));

    assert_eq!(secrets.len(), 10);
    assert!(told.len() > 10_000, "it was asked to tell much: {}", told.len());
    for secret in &secrets {
        assert!(secret.len() > 10);
        assert!(!told.contains(secret.as_str()), "{secret} is told");
    }
}
