//! The advice in login errors is what `colony doctor` finds and reports: each state that leads to such an error is
//! planted, a command runs into it, and then the doctor runs.

#![allow(clippy::print_stderr, reason = "what was seen, for who runs it with --nocapture")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    bench::{Bench, colony},
    doctor::{KEY, change_profile, chmod, config, credential, healthy, put},
};

/// Plants a state. Returns the variables that it needs.
type Plant = fn(&Bench) -> Vec<(&'static str, String)>;

/// A state, the command that runs into it, the doctor's arguments, and the remedy that both name.
type State = (&'static str, &'static [&'static str], &'static [&'static str], &'static str, Plant);

const STATES: &[State] = &[
    ("there is no login", &["whoami"], &[], "colony auth login", |bench| {
        change_profile(bench, |profile| profile["api_key"] = Value::Null);
        vec![]
    }),
    ("the key is gone", &["whoami"], &[], "colony auth login", |bench| {
        fs::remove_file(config(bench, "keys").join(KEY)).unwrap();
        vec![]
    }),
    ("the key is open", &["whoami"], &[], "chmod 600", |bench| {
        chmod(&config(bench, "keys").join(KEY), 0o644);
        vec![]
    }),
    ("the key is refused", &["whoami"], &["--online"], "colony auth login", |bench| {
        put(&config(bench, "keys").join(KEY), "col_nobody_knows_this_key_0123456789\n");
        vec![]
    }),
    ("it is no key", &["whoami"], &[], "colony auth login", |bench| {
        put(&config(bench, "keys").join(KEY), "hunter2\n");
        vec![]
    }),
    ("the key is in a keyring", &["whoami"], &[], "--storage file", |bench| {
        change_profile(bench, |profile| profile["api_key"] = json!("keyring"));
        vec![]
    }),
    ("the program of the key is gone", &["whoami"], &[], "colony config set api_key_command", |bench| {
        change_profile(bench, |profile| profile["api_key_command"] = json!(["/nowhere/pass"]));
        vec![]
    }),
    (
        "the program of the key fails",
        &["whoami"],
        &["--online"],
        "colony config set api_key_command",
        |bench| {
            change_profile(bench, |profile| profile["api_key_command"] = json!(["/bin/false"]));
            vec![]
        },
    ),
    ("no program is named", &["whoami"], &[], "colony config set api_key_command", |bench| {
        change_profile(bench, |profile| profile["api_key_command"] = json!([]));
        vec![]
    }),
    ("logins are paused", &["auth", "refresh"], &[], "colony auth refresh --force", |bench| {
        bench.sandbox.fail("/auth/token=429x1;retry-after=600".parse().unwrap());
        assert_eq!(bench.run(&["auth", "refresh"]).code(), 6);
        vec![]
    }),
    ("a code is needed", &["whoami"], &["--online"], "COLONY_TOTP", |bench| {
        let body =
            json!({"detail": {"code": "AUTH_2FA_REQUIRED", "message": "A two-factor code is required"}});
        let server = bench.block_on(async {
            use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};
            let server = MockServer::start().await;
            let answer = ResponseTemplate::new(401).set_body_json(body);
            Mock::given(any()).respond_with(answer).mount(&server).await;
            server
        });
        change_profile(bench, |profile| profile["base_url"] = json!(format!("{}/api/v1", server.uri())));
        // It serves until the test ends.
        std::mem::forget(server);
        vec![]
    }),
    ("the address has no path", &["whoami"], &[], "/api/v1", |bench| {
        fs::remove_file(config(bench, "profiles/default.json")).unwrap();
        let key = bench.sandbox.api_key().to_owned();
        vec![("COLONY_API_KEY", key), ("COLONY_BASE_URL", bench.sandbox.site())]
    }),
    ("nobody listens", &["whoami"], &["--online"], "COLONY_BASE_URL", |bench| {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/api/v1");
        change_profile(bench, |profile| profile["base_url"] = json!(url));
        vec![]
    }),
    ("only https is allowed", &["whoami"], &[], "https", |bench| {
        fs::remove_file(config(bench, "profiles/default.json")).unwrap();
        vec![
            ("COLONY_API_KEY", "col_x".to_owned()),
            ("COLONY_BASE_URL", "http://colony.example/api/v1".to_owned()),
            ("COLONY_HTTPS_ONLY", "1".to_owned()),
        ]
    }),
    ("the authority's file is no PEM", &["whoami"], &[], "PEM", |bench| {
        fs::remove_file(config(bench, "profiles/default.json")).unwrap();
        vec![
            ("COLONY_API_KEY", "col_x".to_owned()),
            ("COLONY_BASE_URL", "https://127.0.0.1:1/api/v1".to_owned()),
            ("COLONY_CA_FILE", bench.path("app-secret").to_str().unwrap().to_owned()),
        ]
    }),
    ("the proxy is none", &["whoami"], &["--online"], "http://host:port", |bench| {
        fs::remove_file(config(bench, "profiles/default.json")).unwrap();
        vec![
            ("COLONY_API_KEY", "col_x".to_owned()),
            ("COLONY_BASE_URL", "https://colony.invalid/api/v1".to_owned()),
            ("HTTPS_PROXY", "gopher://127.0.0.1:1".to_owned()),
        ]
    }),
    ("the profile is torn", &["whoami"], &[], "log in again", |bench| {
        put(&config(bench, "profiles/default.json"), "{");
        vec![]
    }),
    ("the profile is open", &["whoami"], &[], "chmod 600", |bench| {
        chmod(&config(bench, "profiles/default.json"), 0o644);
        vec![]
    }),
    ("there is no such profile", &["whoami"], &[], "colony --profile nobody auth login", |_| {
        vec![("COLONY_PROFILE", "nobody".to_owned())]
    }),
    ("the profile is of another service", &["whoami"], &[], "COLONY_BASE_URL", |_| {
        vec![("COLONY_BASE_URL", "https://colony.example/api/v1".to_owned())]
    }),
    ("the credential is gone", &["auth", "refresh"], &[], "auth login", |bench| {
        at_provider(bench);
        fs::remove_file(credential(bench)).unwrap();
        vec![]
    }),
    ("the credential is torn", &["auth", "refresh"], &[], "log in again", |bench| {
        at_provider(bench);
        put(&credential(bench), "{");
        vec![]
    }),
    ("the credential is a copy", &["auth", "refresh"], &[], "colony auth adopt", |bench| {
        at_provider(bench);
        let store = bench.path(".local/share/colony-sdk/credentials");
        fs::rename(&store, bench.path("moved")).unwrap();
        let copied = Command::new("cp").arg("-a").arg(bench.path("moved")).arg(&store).status().unwrap();
        assert!(copied.success());
        vec![]
    }),
    ("the refresh token is refused", &["auth", "refresh"], &[], "colony auth login", |bench| {
        at_provider(bench);
        bench.sandbox.openid().revoke_grants();
        vec![]
    }),
    ("the answer to a refresh is lost", &["auth", "refresh"], &[], "colony auth login", |bench| {
        at_provider(bench);
        bench.sandbox.fail("/oauth/token#refresh_token=503x9;after-acting".parse().unwrap());
        vec![]
    }),
    ("the app's secret is gone", &["auth", "refresh"], &[], "--client-secret-file", |bench| {
        at_provider(bench);
        fs::remove_file(bench.path("app-secret")).unwrap();
        vec![]
    }),
];

/// Makes the login one at a provider only.
fn at_provider(bench: &Bench) {
    bench.bring(&[], &bench.refresh_token()).ok();
    change_profile(bench, |profile| profile["api_key"] = Value::Null);
}

/// Commands in errors that no state of this host leads to.
const ELSEWHERE: &[(&str, &str)] = &[
    ("colony config list", "what the policy refuses is not allowed, and nothing is wrong"),
    ("colony auth status", "it shows more; what ends the matter is the command beside it"),
    ("colony auth status --verify", "it shows more; what ends the matter is the command beside it"),
    ("colony exec", "it is where a key comes from"),
];

/// Returns the error of a command that must fail, and the doctor's findings.
fn seen(bench: &Bench, run: &[&str], more: &[&str], plant: Plant) -> (String, Vec<String>) {
    let set = plant(bench);
    let with = |arguments: &[&str]| {
        let mut command = colony(bench.home.path());
        command.arg("--json").args(arguments).env("PATH", std::env::var_os("PATH").unwrap());
        command.envs(set.iter().map(|(name, value)| (name, value))).output().unwrap()
    };
    let failed = with(run);
    let stderr = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success(), "{run:?} {set:?} {}", String::from_utf8_lossy(&failed.stdout));
    let line = stderr.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{stderr}"));
    let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let error = format!("{}; {}", part(&error["error"]["message"]), part(&error["error"]["hint"]));
    let doctor = with(&[&["doctor"], more].concat());
    let said: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let wrong = said["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    (error, wrong.map(|check| format!("{}; type: {}", part(&check["says"]), part(&check["next"]))).collect())
}

#[test]
fn the_next_step_of_an_error_is_the_doctors_too() {
    let mut missed = Vec::new();
    let mut errors = String::new();
    for (what, run, more, remedy, plant) in STATES {
        let bench = healthy();
        let (error, found) = seen(&bench, run, more, *plant);
        eprintln!("{what}: {error}\n  doctor: {}", found.join("\n  doctor: "));
        errors += &error;
        // No other advice is given.
        if !error.contains(remedy) || found.is_empty() || !found.iter().all(|line| line.contains(remedy)) {
            missed.push(format!("{what} ({remedy}): {error}\n  doctor: {found:?}"));
        }
    }
    eprintln!("{} states, {} remedies alike", STATES.len(), STATES.len() - missed.len());
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    // No error names another command.
    let unseen: Vec<String> = commands().into_iter().filter(|it| !errors.contains(it.as_str())).collect();
    assert!(unseen.is_empty(), "no state leads to these: {unseen:?}");
}

/// Returns the commands in backticks in the login's messages and hints.
fn commands() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [
        "src/failure.rs",
        "src/client.rs",
        "src/profile.rs",
        "src/profile/keys.rs",
        "src/profile/key_command.rs",
        "../colony-async/src/credential/failure.rs",
        "../colony-core/src/credential.rs",
    ];
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let code: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect();
        // Joins texts that continue on the next line.
        for line in code.join("\n").replace("\\\n", "").lines() {
            let named = line.split('`').skip(1).step_by(2).filter(|it| it.starts_with("colony "));
            found.extend(named.map(|it| it.replace("{}", "nobody")));
        }
    }
    assert!(found.len() > 5, "{found:?}");
    found.retain(|it| ELSEWHERE.iter().all(|(elsewhere, _)| it != elsewhere));
    found
}
