//! `colony doctor` finds each planted fault, and reports none on a healthy host; `auth list` and `auth switch`.

#![allow(clippy::print_stderr, reason = "what was seen, for who runs it with --nocapture")]

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use crate::bench::{Bench, Done, colony};

pub(crate) const KEY: &str = "default.key";

/// Returns a host that is logged in and has a token.
pub(crate) fn healthy() -> Bench {
    let bench = Bench::new();
    let key = bench.sandbox.api_key().to_owned();
    bench.pipe(&["auth", "login"], &key).ok();
    bench.run(&["whoami"]).ok();
    bench
}

fn doctor(bench: &Bench, more: &[&str], change: impl FnOnce(&mut Command)) -> (i32, Vec<(String, Value)>) {
    let mut command = colony(bench.home.path());
    command.args(["--json", "doctor"]).args(more).env("PATH", std::env::var_os("PATH").unwrap());
    change(&mut command);
    let output = command.output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let checks = said["checks"].as_array().unwrap();
    let wrong = checks.iter().filter(|check| check["ok"] == false);
    let wrong: Vec<_> =
        wrong.map(|check| (check["check"].as_str().unwrap().to_owned(), check.clone())).collect();
    assert_eq!(said["findings"], wrong.len());
    assert!(wrong.iter().all(|(_, check)| !check["next"].as_str().unwrap().is_empty()), "{said}");
    let said = said.to_string();
    // The name of a temporary directory may contain these letters after others.
    let mut words = said.split(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
    assert!(words.all(|word| !word.starts_with("eyJ")), "a token: {said}");
    assert!(!said.contains(bench.sandbox.api_key()), "the key: {said}");
    (output.status.code().unwrap(), wrong)
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    chmod(path, 0o600);
}

fn age(path: &Path, seconds: u64) {
    let past = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(past).unwrap();
}

fn cache(bench: &Bench) -> PathBuf {
    bench.path(".cache/colony-sdk")
}

fn token_file(bench: &Bench) -> PathBuf {
    let mut entries = fs::read_dir(cache(bench)).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.extension().is_some_and(|it| it == "json")).unwrap()
}

pub(crate) fn config(bench: &Bench, below: &str) -> PathBuf {
    bench.path(".config/colony-sdk").join(below)
}

pub(crate) fn change_profile(bench: &Bench, change: impl FnOnce(&mut Value)) {
    let path = config(bench, "profiles/default.json");
    let mut profile: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut profile);
    fs::write(&path, profile.to_string()).unwrap();
}

fn set(command: &mut Command, name: &str, value: &str) {
    command.env(name, value);
}

type Plant = fn(&Bench, &mut Command);

/// The planted faults, the check that finds each, and how.
const FAULTS: &[(&str, &str, &[&str], Plant)] = &[
    ("the cache is off", "settings", &[], |_, it| set(it, "COLONY_SDK_NO_TOKEN_CACHE", "1")),
    ("no age is allowed", "settings", &[], |_, it| set(it, "COLONY_SDK_TOKEN_CACHE_TTL", "0")),
    ("an age that is none", "settings", &[], |_, it| set(it, "COLONY_SDK_TOKEN_CACHE_TTL", "soon")),
    ("no TLS", "address", &[], |bench, it| {
        let _ = fs::remove_file(config(bench, "profiles/default.json"));
        it.env("COLONY_API_KEY", "col_x").env("COLONY_BASE_URL", "http://colony.example/api/v1");
    }),
    ("no path", "address", &[], |bench, it| {
        let _ = fs::remove_file(config(bench, "profiles/default.json"));
        it.env("COLONY_API_KEY", "col_x").env("COLONY_BASE_URL", "https://colony.example");
    }),
    ("the directory is a file", "place", &[], |bench, it| {
        fs::write(bench.path("file"), "").unwrap();
        it.env("COLONY_SDK_TOKEN_CACHE_DIR", bench.path("file"));
    }),
    ("the directory is open", "modes", &[], |bench, _| chmod(&cache(bench), 0o777)),
    ("the token is open", "token files", &[], |bench, _| chmod(&token_file(bench), 0o644)),
    ("the token is a link", "token files", &[], |bench, _| {
        let file = token_file(bench);
        fs::rename(&file, bench.path("elsewhere")).unwrap();
        symlink(bench.path("elsewhere"), file).unwrap();
    }),
    ("the token has a second name", "token files", &[], |bench, _| {
        fs::hard_link(token_file(bench), bench.path("second")).unwrap();
    }),
    ("the token is torn", "token files", &[], |bench, _| put(&token_file(bench), "{\"v\": 1, \"tok")),
    ("the token is of a later version", "token files", &[], |bench, _| {
        put(&token_file(bench), "{\"v\": 2, \"token\": \"x\", \"expiry\": 1}");
    }),
    ("the token is too large", "token files", &[], |bench, _| put(&token_file(bench), &"x".repeat(70_000))),
    ("the lock is a directory", "locks", &[], |bench, _| {
        let lock = token_file(bench).with_extension("lock");
        let _ = fs::remove_file(&lock);
        fs::create_dir(lock).unwrap();
    }),
    ("the lock's holder is stuck", "locks", &[], |bench, _| {
        let lock = token_file(bench).with_extension("lock");
        put(&lock, "00000000001\n0000000005\n0000000000\n");
        age(&lock, 900);
        let file = File::options().read(true).write(true).open(lock).unwrap();
        file.lock().unwrap();
        // Held until the test ends.
        std::mem::forget(file);
    }),
    ("logins are paused", "cool-down", &[], |bench, _| {
        bench.sandbox.fail("/auth/token=429x1;retry-after=600".parse().unwrap());
        assert_eq!(bench.run(&["auth", "refresh"]).code(), 6);
    }),
    ("a writer was killed", "left over", &[], |bench, _| {
        let left = cache(bench).join(".0123456789abcdef.x.tmp");
        put(&left, "eyJ");
        age(&left, 900);
    }),
    ("the profile is torn", "profile", &[], |bench, _| put(&config(bench, "profiles/default.json"), "{")),
    ("the profile is of a later version", "profile", &[], |bench, _| {
        change_profile(bench, |profile| profile["schema"] = json!(2));
    }),
    ("the profile is open", "profile", &[], |bench, _| {
        chmod(&config(bench, "profiles/default.json"), 0o644);
    }),
    ("there is no such profile", "profile", &[], |_, it| set(it, "COLONY_PROFILE", "nobody")),
    ("the key is gone", "key", &[], |bench, _| {
        fs::remove_file(config(bench, "keys").join(KEY)).unwrap();
    }),
    ("the key is open", "key", &[], |bench, _| chmod(&config(bench, "keys").join(KEY), 0o644)),
    ("it is no key", "key", &[], |bench, _| put(&config(bench, "keys").join(KEY), "hunter2\n")),
    ("there is no login", "key", &[], |bench, _| {
        change_profile(bench, |profile| profile["api_key"] = Value::Null);
    }),
    ("the program of the key is gone", "key", &[], |bench, _| {
        change_profile(bench, |profile| profile["api_key_command"] = json!(["/nowhere/pass"]));
    }),
    ("git has forgotten", "helpers", &[], |bench, _| {
        change_profile(bench, |profile| profile["helpers"] = json!({"git": {"git.example": {}}}));
    }),
    ("the app's secret is gone", "app secret", &[], |bench, _| {
        bench.bring(&[], &bench.refresh_token()).ok();
        fs::remove_file(bench.path("app-secret")).unwrap();
    }),
    ("the credential is gone", "credential", &[], |bench, _| {
        bench.bring(&[], &bench.refresh_token()).ok();
        fs::remove_file(credential(bench)).unwrap();
    }),
    ("the credential is torn", "credential", &[], |bench, _| {
        bench.bring(&[], &bench.refresh_token()).ok();
        put(&credential(bench), "{");
    }),
    ("the credential is a copy", "credential", &[], |bench, _| {
        bench.bring(&[], &bench.refresh_token()).ok();
        let store = bench.path(".local/share/colony-sdk/credentials");
        fs::rename(&store, bench.path("moved")).unwrap();
        let copied = Command::new("cp").arg("-a").arg(bench.path("moved")).arg(&store).status().unwrap();
        assert!(copied.success());
    }),
    ("nobody listens", "server", &["--online"], |bench, _| {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/api/v1");
        change_profile(bench, |profile| profile["base_url"] = json!(url));
    }),
    ("the key is refused", "account", &["--online"], |bench, _| {
        put(&config(bench, "keys").join(KEY), "col_nobody_knows_this_key_0123456789\n");
    }),
];

pub(crate) fn credential(bench: &Bench) -> PathBuf {
    let directory = fs::read_dir(bench.path(".local/share/colony-sdk/credentials")).unwrap();
    let mut files = directory.map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|it| it == "json")).unwrap()
}

#[test]
fn each_planted_fault_is_found_and_no_other() {
    let mut missed = Vec::new();
    for (what, check, more, plant) in FAULTS {
        let bench = healthy();
        assert_eq!(doctor(&bench, more, |_| ()), (0, vec![]), "before {what}");
        let (code, wrong) = doctor(&bench, more, |command| plant(&bench, command));
        let found: Vec<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
        if (code, &*found) == (1, &[*check][..]) {
            eprintln!("{what}: {} ({})", wrong[0].1["says"], wrong[0].1["next"]);
        } else {
            missed.push(format!("{what}: {code}, {wrong:?}"));
        }
    }
    eprintln!("{} planted, {} found", FAULTS.len(), FAULTS.len() - missed.len());
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_clock_that_is_wrong_is_found() {
    let bench = healthy();
    let server = bench.block_on(async {
        use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(200)
            .insert_header("date", "Tue, 15 Nov 1994 08:12:31 GMT")
            .set_body_json(json!({"id": "u", "username": "ada", "access_token": "opaque"}));
        Mock::given(any()).respond_with(answer).mount(&server).await;
        server
    });
    change_profile(&bench, |profile| profile["base_url"] = json!(format!("{}/api/v1", server.uri())));
    let (_, wrong) = doctor(&bench, &["--online"], |_| ());
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].1["says"].as_str().unwrap().contains("ahead of the server's"), "{wrong:?}");
}

#[test]
fn people_get_a_line_for_each_check() {
    let bench = healthy();
    let said = bench.run(&["doctor", "--online"]).ok().stdout();
    assert!(said.lines().count() > 10 && said.lines().all(|line| line.starts_with("ok ")), "{said}");
    chmod(&token_file(&bench), 0o644);
    let said = bench.run(&["doctor"]).fails(1, "one thing is wrong").stdout();
    let line = said.lines().find(|line| line.starts_with("wrong ")).unwrap();
    assert!(line.contains("open to group or others") && line.contains("; type: rm "), "{line}");
}

/// The advice changes the profile in use, and keeps the other profiles and the file's content.
#[test]
fn a_broken_profile_is_named_and_kept() {
    let bench = healthy();
    let key = bench.sandbox.api_key().to_owned();
    bench.pipe(&["--profile", "work", "auth", "login"], &key).ok();
    let work = config(&bench, "profiles/work.json");
    let next = || {
        let (code, wrong) = doctor(&bench, &[], |command| {
            command.env("COLONY_PROFILE", "work");
        });
        assert_eq!(code, 1);
        wrong.iter().find(|(check, _)| check == "profile").unwrap().1["next"].as_str().unwrap().to_owned()
    };
    chmod(&work, 0o644);
    assert_eq!(next(), format!("chmod 600 {}", work.display()));
    chmod(&work, 0o600);
    put(&work, "{");
    let path = work.display();
    assert_eq!(next(), format!("mv {path} {path}.old; colony --profile work auth login"));
}

#[test]
fn profiles_are_listed_and_switched() {
    let bench = healthy();
    let other = bench.sandbox.api_key().to_owned();
    bench.pipe(&["--profile", "work", "auth", "login"], &other).ok();
    let current = |rows: &Value| {
        let rows = rows.as_array().unwrap().iter();
        let names = rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row["current"] == true));
        names.collect::<Vec<_>>()
    };
    let is = |name: &str, current: bool| (name.to_owned(), current);
    let rows = bench.json(&["auth", "list"]);
    assert_eq!(current(&rows), [is("default", true), is("work", false)]);
    assert_eq!((&rows[0]["login"], &rows[0]["kept_in"]), (&json!("api_key"), &json!("file")));
    bench.run(&["auth", "switch", "nobody"]).fails(2, "there is no profile");
    bench.run(&["auth", "switch", "work"]).ok();
    assert_eq!(current(&bench.json(&["auth", "list"])), [is("default", false), is("work", true)]);
    assert_eq!(bench.json(&["auth", "status"])["profile"]["name"], "work");
    let named = bench.command(&["--json", "auth", "status"]).env("COLONY_PROFILE", "default").output();
    assert_eq!(Done(named.unwrap()).json()["profile"]["name"], "default");
    let shown = bench.run(&["auth", "list"]).ok().stdout();
    assert!(shown.contains("work") && shown.contains('*') && !shown.contains(&other), "{shown}");
    // A profile that is logged out is no longer the one in use.
    bench.run(&["auth", "logout"]).ok();
    assert_eq!(bench.json(&["auth", "status"])["profile"]["name"], "default");
}
