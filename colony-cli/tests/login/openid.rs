//! Logins at the OpenID provider: with a refresh token, with a browser; their state and their end.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
};

use colony_cli::sandbox::{App, Options};
use serde_json::Value;

use crate::bench::{Bench, CLIENT, Done, SECRET};

const STORE: &str = ".local/share/colony-sdk/credentials";

#[test]
fn a_refresh_token_is_spent_stored_and_rotated_on_demand() {
    let bench = Bench::new();
    let brought = bench.refresh_token();
    let done = bench.bring(&[], &brought).ok();
    assert!(done.stderr().contains("the one you brought is spent"), "{}", done.stderr());
    assert!(done.stderr().contains(bench.sandbox.username()));
    assert!(bench.holding(&brought).is_empty(), "a spent token is of no use to anybody");
    assert_eq!(bench.sandbox.stats().rotations, 1);

    // A fresh token needs no request to the provider, not even discovery.
    bench.sandbox.reset();
    let token = bench.run(&["auth", "token"]).ok().stdout();
    assert!(token.starts_with("at_"), "{token}");
    assert!(bench.sandbox.stats().routes.is_empty());

    let status = bench.json(&["auth", "status"]);
    let openid = &status["openid"];
    assert_eq!(
        (&openid["present"], &openid["refreshable"], &openid["fresh"]),
        (&true.into(), &true.into(), &true.into())
    );
    assert_eq!((&status["key"], &openid["verified"]), (&Value::Null, &Value::Null));
    assert!(openid["file"].as_str().unwrap().contains(STORE));
    assert!(bench.sandbox.stats().routes.is_empty());

    let rotated = bench.json(&["auth", "refresh"]);
    assert_eq!((&rotated["refreshed"], bench.sandbox.stats().rotations), (&true.into(), 1));
    assert_ne!(bench.run(&["auth", "token"]).ok().stdout(), token);
    assert_eq!(bench.sandbox.stats().replays, 0);
    assert!(bench.holding(SECRET) == [std::path::Path::new("app-secret")], "only its path is kept");
}

#[test]
fn verifying_says_so_when_it_rotates() {
    let bench = Bench::new();
    bench.bring(&[], &bench.refresh_token()).ok();
    bench.sandbox.reset();
    let calm = bench.run(&["auth", "status", "--verify"]).ok();
    assert!(calm.stdout().contains(bench.sandbox.username()));
    assert!(calm.stderr().contains("Not tested is the refresh token: --rotate"), "{}", calm.stderr());
    assert_eq!(bench.sandbox.stats().rotations, 0);
    // The access token was revoked at the provider early.
    bench.sandbox.openid().expire_access_tokens();
    let done = bench.run(&["auth", "status", "--verify"]).ok();
    assert!(done.stderr().contains("and the refresh token, by rotating it"), "{}", done.stderr());
    bench.sandbox.openid().expire_access_tokens();
    let verified = bench.json(&["auth", "status", "--verify"]);
    assert_eq!(verified["openid"]["verified"]["rotated"], true);
    assert_eq!(verified["openid"]["verified"]["account"]["preferred_username"], bench.sandbox.username());
    assert_eq!(
        verified["openid"]["verified"]["tested"],
        serde_json::json!(["access_token", "refresh_token"])
    );
    assert_eq!((bench.sandbox.stats().rotations, bench.sandbox.stats().replays), (2, 0));
    let verified = bench.json(&["auth", "status", "--rotate"]);
    assert_eq!(verified["openid"]["verified"]["rotated"], true);
    assert_eq!((bench.sandbox.stats().rotations, bench.sandbox.stats().replays), (3, 0));
    let verified = bench.json(&["auth", "status", "--verify"]);
    assert_eq!(verified["openid"]["verified"]["tested"], serde_json::json!(["access_token"]));
}

#[test]
fn a_token_that_is_not_good_changes_nothing() {
    let bench = Bench::new();
    bench.bring(&[], "rt_nonsense").fails(3, "nothing has changed");
    assert!(!bench.path(".config/colony-sdk/profiles/default.json").exists());
    assert!(bench.holding("rt_nonsense").is_empty());
    bench.bring(&[], &bench.refresh_token()).ok();
    let before = bench.run(&["auth", "token"]).ok().stdout();
    bench.bring(&[], "rt_nonsense").fails(3, "nothing has changed");
    assert_eq!(bench.run(&["auth", "token"]).ok().stdout(), before);
    bench.pipe(&["auth", "login", "--with-refresh-token"], "a b").fails(2, "white space");
    assert!(!bench.sandbox.openid().grants()[0].revoked);
}

#[test]
fn a_lost_answer_is_not_answered_with_a_second_try() {
    let bench = Bench::new();
    bench.bring(&[], &bench.refresh_token()).ok();
    let before = bench.json(&["auth", "status"]);
    let brought = bench.refresh_token();
    bench.sandbox.fail("POST /oauth/token#refresh_token=502x1;after-acting".parse().unwrap());
    bench.bring(&[], &brought).fails(9, "could not be confirmed");
    assert_eq!(bench.json(&["auth", "status"])["openid"]["rotated_at"], before["openid"]["rotated_at"]);
    assert_eq!(bench.sandbox.stats().rotations, 2);
    // At the next try it is introspected and not sent: a second use would end the family.
    bench.bring(&[], &brought).fails(3, "no longer valid");
    assert_eq!((bench.sandbox.stats().rotations, bench.sandbox.stats().replays), (2, 0));
}

#[test]
fn a_login_without_a_refresh_token_warns_and_never_takes_the_place_of_a_better_one() {
    let bench = Bench::with(|options| options.openid.auto_approve = true);
    let secret = bench.path("app-secret");
    let login = |more: &[&str]| {
        let arguments =
            ["auth", "login", "--client-id", CLIENT, "--client-secret-file", secret.to_str().unwrap()];
        bench.run(&[&arguments, more].concat())
    };
    let done = login(&["--scope", "openid profile", "--quiet"]).ok();
    let said = done.stderr();
    assert!(said.contains("no refresh token") && said.contains("offline_access"), "{said}");
    assert_eq!(bench.json(&["auth", "status"])["openid"]["refreshable"], false);
    bench.run(&["auth", "refresh"]).fails(3, "auth login");
    login(&[]).ok();
    let file = bench.json(&["auth", "status"])["openid"]["file"].as_str().unwrap().to_owned();
    let stored = std::fs::read(&file).unwrap();
    login(&["--scope", "openid profile"]).fails(5, "--force");
    assert_eq!(std::fs::read(&file).unwrap(), stored);
    login(&["--scope", "openid profile", "--force"]).ok();
    assert_eq!(bench.json(&["auth", "status"])["openid"]["refreshable"], false);
}

#[test]
fn a_person_at_a_browser_lets_a_device_in_or_not() {
    let bench = Bench::new();
    for (answer, code) in [("approve", 0), ("deny", 3)] {
        let mut command = bench.command(&["--quiet", "auth", "login", "--device", "--client-id", CLIENT]);
        command.env("COLONY_CLIENT_SECRET", SECRET).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.contains(&format!("{}/device", bench.sandbox.site())), "{line}");
        let user_code = line.trim().rsplit(' ').next().unwrap();
        match answer {
            "approve" => bench.sandbox.openid().approve(user_code).unwrap(),
            _ => bench.sandbox.openid().deny(user_code).unwrap(),
        };
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{rest}");
        assert_eq!(rest.contains("refused at the browser"), code != 0, "{rest}");
    }
    assert_eq!(bench.json(&["auth", "status"])["openid"]["refreshable"], true, "the first login stands");
}

#[test]
fn a_provider_that_is_not_to_be_believed_gets_nothing() {
    let bench = Bench::new();
    let login = |issuer: &str| -> Done {
        bench.pipe(
            &["auth", "login", "--with-refresh-token", "--client-id", CLIENT, "--issuer", issuer],
            "rt_planted",
        )
    };
    login("http://thecolony.example").fails(2, "is not used");
    login(&bench.sandbox.site().replace("127.0.0.1", "localhost")).fails(2, "is not used");
    login("nonsense").fails(2, "is not used");
    bench.pipe(&["auth", "login", "--with-refresh-token"], "rt_planted").fails(2, "--client-id");
    assert_eq!(bench.sandbox.stats().total("POST /oauth/token"), 0);
    bench.bring(&["--profile", "x"], "rt_planted").fails(3, "");
    let without =
        bench.pipe(&["auth", "login", "--with-refresh-token", "--client-id", CLIENT], &bench.refresh_token());
    assert_eq!(without.code(), 3, "{}", without.stderr());
    assert!(without.stderr().contains("client"), "{}", without.stderr());
}

#[test]
fn logging_out_removes_and_revokes_or_does_nothing() {
    let bench = Bench::new();
    bench.bring(&[], &bench.refresh_token()).ok();
    bench.sandbox.fail("/oauth/revoke=503x1".parse().unwrap());
    bench.run(&["auth", "logout", "--revoke"]).fails(7, "nothing has changed");
    assert_eq!(bench.json(&["auth", "status"])["openid"]["present"], true);
    let out = bench.json(&["auth", "logout", "--revoke"]);
    assert_eq!((&out["credential_removed"], &out["revoked"]), (&true.into(), &true.into()));
    assert!(bench.sandbox.openid().grants()[0].revoked);
    assert!(bench.holding("rt_").is_empty() && bench.holding("at_").is_empty());
    bench.run(&["auth", "token"]).fails(3, "colony auth login");

    bench.bring(&[], &bench.refresh_token()).ok();
    let done = bench.run(&["auth", "logout"]).ok();
    assert!(done.stderr().contains("--revoke"), "{}", done.stderr());
    assert!(!bench.sandbox.openid().grants()[1].revoked, "it lives on at the provider");
    assert!(bench.holding("rt_").is_empty());
}

#[test]
fn a_key_and_a_login_at_the_provider_share_a_profile() {
    let bench = Bench::new();
    bench.pipe(&["auth", "login"], bench.sandbox.api_key()).ok();
    bench.bring(&[], &bench.refresh_token()).ok();
    let done = bench.run(&["auth", "status", "--verify"]).ok();
    for part in ["key:", "token:", "provider:", "refresh token:", "last rotated", "fresh until"] {
        assert!(done.stdout().contains(part), "{part}: {}", done.stdout());
    }
    let token = bench.run(&["auth", "token"]).ok().stdout();
    assert!(token.starts_with("ey"), "the API's own: {token}");
    bench.run(&["auth", "logout"]).ok();
    assert!(bench.holding("rt_").is_empty() && bench.holding(bench.sandbox.api_key()).is_empty());
}

#[test]
fn a_token_is_exchanged_once_while_it_lives() {
    let bench = Bench::with(|options: &mut Options| {
        options
            .openid
            .apps
            .push(App::new("colony_humans").audience_policy(colony_cli::sandbox::AudiencePolicy::HumansOnly));
    });
    bench.pipe(&["auth", "login"], bench.sandbox.api_key()).ok();
    let exchange =
        |more: &[&'static str]| [&["auth", "exchange", "--audience", "colony_other"], more].concat();
    let first = bench.run(&exchange(&[])).ok();
    assert!(first.stdout().starts_with("at_") && first.stdout().lines().count() == 1);
    let json = bench.json(&exchange(&[]));
    assert_eq!(json["access_token"], first.stdout().trim());
    assert_eq!((&json["scope"], json["id_token"].is_string()), (&"openid".into(), true));
    let id_token = bench.run(&exchange(&["--id-token"])).ok().stdout();
    assert_eq!(id_token.trim(), json["id_token"]);
    assert_eq!(bench.sandbox.stats().grant("token-exchange"), 1, "kept between processes");
    let scoped = bench.json(&exchange(&["--scope", "profile offline_access"]));
    assert_eq!(scoped["scope"], "openid profile");
    assert_eq!(bench.sandbox.stats().grant("token-exchange"), 2);
    bench.run(&["auth", "exchange", "--audience", "nobody"]).fails(5, "invalid_target");
    bench.run(&["auth", "exchange", "--audience", "colony_humans"]).fails(5, "audience_policy");
    bench.run(&["auth", "exchange"]).fails(2, "--audience");
}

#[test]
fn profiles_at_one_provider_do_not_meet() {
    let bench = Bench::new();
    bench.bring(&[], &bench.refresh_token()).ok();
    bench.bring(&["--profile", "other"], &bench.refresh_token()).ok();
    let file = |arguments: &[&str]| bench.json(arguments)["openid"]["file"].as_str().unwrap().to_owned();
    assert_ne!(file(&["auth", "status"]), file(&["auth", "status", "--profile", "other"]));
    bench.run(&["auth", "logout", "--revoke"]).ok();
    bench.run(&["auth", "refresh", "--profile", "other"]).ok();
}
