//! How commands use the cached token: under the settings in force, with tokens of every kind, and when the server
//! issues no new one.

#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use colony_core::token::{cache_path, envelope::Envelope};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

const KEY: &str = "col_planted_key_0123456789";

/// A server whose login replies each test sets, and a cache directory.
struct Scene {
    server: MockServer,
    runtime: tokio::runtime::Runtime,
    cache: TempDir,
    environment: Vec<(&'static str, &'static str)>,
}

impl Scene {
    fn new(login: ResponseTemplate) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let scene = Self { server, runtime, cache: tempfile::tempdir().unwrap(), environment: Vec::new() };
        scene.answers(login);
        scene
    }

    /// Sets the reply to logins from now on.
    fn answers(&self, login: ResponseTemplate) {
        let me = json!({"id": "u", "username": "ada"});
        self.runtime.block_on(async {
            self.server.reset().await;
            let me = ResponseTemplate::new(200).set_body_json(me);
            Mock::given(method("GET")).and(path("/users/me")).respond_with(me).mount(&self.server).await;
            Mock::given(method("POST"))
                .and(path("/auth/token"))
                .respond_with(login)
                .mount(&self.server)
                .await;
        });
    }

    fn logins(&self) -> usize {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap();
        requests.iter().filter(|request| request.url.path() == "/auth/token").count()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.wrapped(&[env!("CARGO_BIN_EXE_colony")], arguments)
    }

    fn wrapped(&self, program: &[&str], arguments: &[&str]) -> Command {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.cache.path())
            .env("COLONY_SDK_TOKEN_CACHE_DIR", self.directory())
            .env("COLONY_BASE_URL", self.server.uri())
            .env("COLONY_API_KEY", KEY)
            .env("NO_PROXY", "127.0.0.1")
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> (String, String) {
        done(&self.command(arguments).output().unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments).0).unwrap()
    }

    fn directory(&self) -> PathBuf {
        self.cache.path().join("tokens")
    }

    fn file(&self) -> PathBuf {
        self.directory().join(cache_path::file_name(&self.server.uri(), KEY))
    }

    /// Writes a token with a day's lifetime into the file, as if it had been written a while ago.
    fn seed(&self, age: Duration) {
        fs::create_dir(self.directory()).unwrap();
        fs::set_permissions(self.directory(), fs::Permissions::from_mode(0o700)).unwrap();
        let now = now();
        let envelope = Envelope { token: jwt(now, now + 86_400).into(), expiry: (now + 82_800) as f64 };
        fs::write(self.file(), envelope.write().unwrap()).unwrap();
        fs::set_permissions(self.file(), fs::Permissions::from_mode(0o600)).unwrap();
        let file = fs::File::options().write(true).open(self.file()).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    fn token(&self) -> String {
        let envelope = Envelope::read(&fs::read(self.file()).unwrap()).unwrap();
        envelope.token.expose_secret().to_owned()
    }
}

fn done(output: &Output) -> (String, String) {
    let said = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{:?}: {said:?}", output.status);
    said
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn jwt(iat: u64, exp: u64) -> String {
    let payload = BASE64_URL_SAFE_NO_PAD.encode(json!({"iat": iat, "exp": exp, "jti": exp}).to_string());
    format!("eyJhbGciOiJub25lIn0.{payload}.c2ln")
}

fn gives(token: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"access_token": token}))
}

fn warnings(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("warning: ")).collect()
}

#[test]
fn a_token_that_the_age_limit_refuses_is_no_later_one() {
    let mut scene = Scene::new(gives(&jwt(now(), now() + 7_200)));
    scene.environment.push(("COLONY_SDK_TOKEN_CACHE_TTL", "5m"));
    scene.seed(Duration::from_secs(600));
    let status = scene.json(&["--json", "auth", "status"]);
    assert_eq!((&status["cache"]["fresh"], &status["cache"]["too_old"]), (&json!(false), &json!(true)));
    assert!(scene.run(&["auth", "status"]).0.contains("older than COLONY_SDK_TOKEN_CACHE_TTL allows"));
    assert!(scene.run(&["cache", "list"]).0.contains("older than"));
    assert_eq!(scene.json(&["--json", "cache", "list"])[0]["fresh"], false);
    for _ in 0..5 {
        scene.run(&["whoami"]);
    }
    assert_eq!(scene.logins(), 1);
    assert_eq!(scene.json(&["--json", "cache", "list"])[0]["fresh"], true);
}

#[test]
fn an_age_limit_of_zero_turns_the_file_off() {
    let mut scene = Scene::new(gives(&jwt(now(), now() + 7_200)));
    scene.environment.push(("COLONY_SDK_TOKEN_CACHE_TTL", "0"));
    for _ in 0..3 {
        assert_eq!(warnings(&scene.run(&["whoami"]).1), Vec::<&str>::new());
    }
    assert_eq!(scene.logins(), 3);
    assert!(!scene.directory().exists());
    scene.seed(Duration::ZERO);
    scene.run(&["whoami"]);
    assert_eq!(scene.logins(), 4, "the file was read");
    let status = scene.json(&["--json", "auth", "status"]);
    assert_eq!((&status["cache"]["enabled"], &status["cache"]["fresh"]), (&json!(false), &json!(false)));
    assert!(scene.run(&["auth", "status"]).0.contains("the cache is off"));
    assert!(scene.run(&["cache", "list"]).0.contains("the cache is off"));
}

#[test]
fn a_token_with_impossible_times_serves_everybody_for_23_hours() {
    let now = now();
    let without_iat = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp": 0}"#);
    for token in
        [jwt(now, now), jwt(now, 0), jwt(now + 60, now), format!("eyJhbGciOiJub25lIn0.{without_iat}.c2ln")]
    {
        let scene = Scene::new(gives(&token));
        for _ in 0..4 {
            scene.run(&["whoami"]);
        }
        assert_eq!(scene.logins(), 1, "{token}");
        let left = scene.json(&["--json", "auth", "status"])["cache"]["seconds_left"].as_f64().unwrap();
        assert!((82_000.0..=82_800.0).contains(&left), "{left}");
    }
}

#[test]
fn a_token_too_large_for_a_file_serves_from_memory() {
    let scene = Scene::new(gives(&format!("eyJ.{}.x", "a".repeat(90 * 1024))));
    for _ in 0..2 {
        let (_, said) = scene.run(&["whoami"]);
        let said = warnings(&said);
        assert!(said.len() == 1 && said[0].contains("not cached"), "{said:?}");
    }
    assert_eq!(scene.logins(), 2);
    assert!(!scene.file().exists());
}

#[test]
fn a_limit_of_the_size_of_files_ends_no_command() {
    let scene = Scene::new(gives(&jwt(now(), now() + 7_200)));
    let shell = ["sh", "-c", "ulimit -f 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_colony")];
    let (_, said) = done(&scene.wrapped(&shell, &["whoami"]).output().unwrap());
    let said = warnings(&said);
    assert!(said.len() == 1 && said[0].contains("File too large"), "{said:?}");
}

#[test]
fn a_refresh_that_fails_leaves_the_former_token() {
    let first = jwt(now(), now() + 7_200);
    let scene = Scene::new(gives(&first));
    scene.run(&["whoami"]);
    let fails = |what: &str, code: i32| {
        let output = scene.command(&["--json", "auth", "refresh"]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{what}: {}", text(&output.stderr));
        assert_eq!(scene.token(), first, "{what}");
    };
    let refused = || ResponseTemplate::new(429).insert_header("retry-after", "600");
    scene.answers(refused().set_body_json(json!({"detail": {"code": "RATE_LIMITED", "message": "no"}})));
    fails("429", 6);
    assert_eq!(scene.logins(), 1);
    fails("a cool-down", 6);
    assert_eq!(scene.logins(), 1, "nothing is sent");
    scene.run(&["whoami"]);
    fs::remove_file(scene.file().with_extension("note")).unwrap();
    scene.answers(ResponseTemplate::new(503));
    let refused = scene.command(&["--deadline", "1s", "auth", "refresh"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(8), "503: {}", text(&refused.stderr));
    assert_eq!(scene.token(), first, "503");
    scene.answers(gives(&jwt(now(), now() + 9_000)).set_delay(Duration::from_secs(60)));
    let kills = if std::env::var_os("COLONY_TESTS_LONG").is_some_and(|value| value != "0") { 60 } else { 3 };
    for _ in 0..kills {
        let before = scene.logins();
        let mut refresh: Child = scene.command(&["auth", "refresh"]).spawn().unwrap();
        while scene.logins() == before {
            std::thread::sleep(Duration::from_millis(10));
        }
        refresh.kill().unwrap();
        refresh.wait().unwrap();
        assert_eq!(scene.token(), first, "killed");
    }
    let second = jwt(now(), now() + 9_000);
    scene.answers(gives(&second));
    scene.run(&["auth", "refresh"]);
    assert_eq!(scene.token(), second);
}

#[test]
fn a_code_that_repeats_what_was_sent_is_not_told() {
    let echo = json!({"detail": {"code": format!("NO_{KEY}"), "message": format!("no {KEY}")}});
    for status in [401, 403, 429] {
        let login = ResponseTemplate::new(status).set_body_json(&echo).insert_header("x-request-id", KEY);
        let scene = Scene::new(login);
        let output = scene.command(&["--json", "-vv", "whoami"]).output().unwrap();
        assert!(!output.status.success());
        let said = text(&output.stderr);
        assert!(said.contains("NO_[hidden]") && !said.contains(KEY), "{status}: {said}");
        assert!(!holds(&scene.directory(), KEY), "{status}: the key is in a file");
    }
}

fn holds(directory: &Path, secret: &str) -> bool {
    let mut files = fs::read_dir(directory).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.any(|content| text(&content).contains(secret))
}
