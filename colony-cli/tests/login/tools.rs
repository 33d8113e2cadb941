//! Other tools with this login: git, kubectl, docker and google-auth as installed, bazel's protocol, and commands that
//! are given a token.

#![allow(clippy::print_stderr, reason = "what was seen, for who runs it with --nocapture")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bench::{Bench, Done, long, pipe, start};

/// Returns a bench whose profile has the key, as after a person's login; the cache is empty.
fn logged_in() -> Bench {
    let bench = Bench::new();
    let key = bench.sandbox.api_key().to_owned();
    bench.pipe(&["auth", "login"], &key).ok();
    let _ = fs::remove_dir_all(bench.path(".cache"));
    bench.sandbox.reset();
    bench
}

fn logins(bench: &Bench) -> u64 {
    bench.sandbox.stats().with_status("POST /auth/token", 200)
}

fn exp(token: &str) -> i64 {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["exp"].as_i64().unwrap()
}

fn moment(text: &Value) -> i64 {
    text.as_str().unwrap().parse::<colony_core::Timestamp>().unwrap().unix_seconds().unwrap()
}

/// Creates a program that a tool runs.
fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns the tool with its home in the bench, or `None` if it is not installed.
fn tool(bench: &Bench, name: &str) -> Option<Command> {
    let path = std::env::var("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file());
    let Some(found) = found else {
        eprintln!("{name} is not here: its part is left out");
        return None;
    };
    let mut command = Command::new(found);
    command
        .env_clear()
        .env("PATH", format!("{}:{path}", bench.path("bin").display()))
        .env("HOME", bench.home.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("GIT_TERMINAL_PROMPT", "0");
    Some(command)
}

/// A Kubernetes API server that greets requests with a token.
struct Cluster(Child, u16);

impl Cluster {
    fn start(bench: &Bench) -> Option<Self> {
        const SERVER: &str = r#"
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.headers.get("Authorization", "nobody").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;
        let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests/connections/made/server.pem");
        let mut server = tool(bench, "python3")?;
        let mut server = server.args(["-c", SERVER]).arg(made).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Some(Self(server, port))
    }

    fn configuration(&self, bench: &Bench) -> PathBuf {
        let user = json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": env!("CARGO_BIN_EXE_colony"),
            "args": ["auth", "token", "--format", "exec-credential"], "interactiveMode": "Never",
        }});
        let server = format!("https://127.0.0.1:{}", self.1);
        let configuration = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": true}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        });
        let path = bench.path("kubeconfig");
        fs::write(&path, configuration.to_string()).unwrap();
        path
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Mocks the daemon that a docker client asks in order to log in.
fn daemon(bench: &Bench) -> wiremock::MockServer {
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{method, path, path_regex},
    };

    bench.block_on(async {
        let server = MockServer::start().await;
        let ping =
            ResponseTemplate::new(200).insert_header("Api-Version", "1.44").insert_header("OSType", "linux");
        Mock::given(path("/_ping")).respond_with(ping).mount(&server).await;
        let granted = json!({"Status": "Login Succeeded", "IdentityToken": ""});
        let granted = ResponseTemplate::new(200).set_body_json(granted);
        Mock::given(method("POST")).and(path_regex("/auth$")).respond_with(granted).mount(&server).await;
        server
    })
}

/// The tools' own parsers, fifty of each at once, on an empty cache.
#[test]
fn tools_started_together_share_one_login() {
    const AT_ONCE: usize = 50;
    let each = if long() { AT_ONCE } else { 10 };
    let bench = logged_in();
    fs::create_dir(bench.path("bin")).unwrap();
    let install =
        |tool: &str, host: &str| bench.run(&["auth", "helper", "install", tool, host]).ok().stdout();
    let mut commands: Vec<(&str, Command, &str)> = Vec::new();
    let mut add = |name: &'static str, stdin: &'static str, command: &dyn Fn() -> Option<Command>| {
        for _ in 0..each {
            let Some(command) = command() else { break };
            commands.push((name, command, stdin));
        }
    };
    let git = tool(&bench, "git").expect("git is needed");
    drop(git);
    let mut path = std::env::var("PATH").unwrap_or_default();
    path.insert_str(0, &format!("{}:", bench.path("bin").display()));
    let installed =
        bench.command(&["auth", "helper", "install", "git", "git.example"]).env("PATH", &path).output();
    Done(installed.unwrap()).ok();
    add("git", "protocol=https\nhost=git.example\n\n", &|| {
        let mut git = tool(&bench, "git")?;
        git.args(["credential", "fill"]);
        Some(git)
    });
    let cluster = tool(&bench, "kubectl").and_then(|_| Cluster::start(&bench));
    let configuration = cluster.as_ref().map(|cluster| cluster.configuration(&bench));
    add("kubectl", "", &|| {
        let mut kubectl = tool(&bench, "kubectl")?;
        kubectl.arg("--kubeconfig").arg(configuration.as_ref()?).args(["get", "--raw", "/who"]);
        Some(kubectl)
    });
    script(&bench.path("bin/docker-credential-colony"), &install("docker", "registry.example"));
    fs::create_dir(bench.path(".docker")).unwrap();
    let helpers = json!({"credHelpers": {"registry.example": "colony"}});
    fs::write(bench.path(".docker/config.json"), helpers.to_string()).unwrap();
    let daemon = daemon(&bench);
    add("docker", "", &|| {
        let mut docker = tool(&bench, "docker")?;
        docker.args(["login", "registry.example"]);
        docker.env("DOCKER_HOST", daemon.uri().replace("http://", "tcp://"));
        Some(docker)
    });
    script(&bench.path("bin/bazel-helper"), &install("bazel", "cache.example"));
    add("bazel", "{\"uri\":\"https://cache.example/artifact\"}", &|| {
        let mut bazel = Command::new(bench.path("bin/bazel-helper"));
        bazel.arg("get").env_clear().env("HOME", bench.home.path()).env("PATH", "/usr/bin:/bin");
        Some(bazel)
    });
    const GOOGLE: &str = r#"
import sys
from google.auth import pluggable
command = {"command": sys.argv[1] + " auth token --format google", "timeout_millis": 60000}
credentials = pluggable.Credentials(
    audience="//iam.googleapis.com/pool", subject_token_type="urn:ietf:params:oauth:token-type:jwt",
    token_url="https://sts.googleapis.com/v1/token", credential_source={"executable": command})
print(credentials.retrieve_subject_token(None))
"#;
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/google-auth/bin/python");
    add("google", "", &|| {
        let mut google = tool(&bench, python.to_str()?)?;
        google.args(["-c", GOOGLE, env!("CARGO_BIN_EXE_colony")]);
        google.env("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        Some(google)
    });
    let started: Vec<_> =
        commands.iter_mut().map(|(name, command, stdin)| (*name, start(command, stdin))).collect();
    let mut seen = std::collections::BTreeMap::new();
    let mut tokens = Vec::new();
    for (name, child) in started {
        let done = Done(child.wait_with_output().unwrap());
        assert_eq!(done.code(), 0, "{name}: {}{}", done.stdout(), done.stderr());
        *seen.entry(name).or_insert(0) += 1;
        let said = done.stdout();
        tokens.push(match name {
            "git" => {
                let line =
                    |key: &str| said.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
                assert_eq!(line("password_expiry_utc="), exp(&line("password=")).to_string());
                line("password=")
            }
            "kubectl" => said.strip_prefix("Bearer ").unwrap().to_owned(),
            "docker" => continue,
            "bazel" => {
                let said: Value = serde_json::from_str(&said).unwrap();
                let header = said["headers"]["Authorization"][0].as_str().unwrap();
                let token = header.strip_prefix("Bearer ").unwrap();
                assert_eq!(moment(&said["expires"]), exp(token));
                token.to_owned()
            }
            _ => said.trim().to_owned(),
        });
    }
    for request in bench.block_on(daemon.received_requests()).unwrap() {
        if request.url.path().ends_with("/auth") {
            let login: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(
                (&login["username"], &login["serveraddress"]),
                (&json!("oauth2"), &json!("registry.example"))
            );
            tokens.push(login["password"].as_str().unwrap().to_owned());
        }
    }
    tokens.sort();
    tokens.dedup();
    eprintln!("started together: {seen:?}; logins: {}", logins(&bench));
    assert_eq!((tokens.len(), logins(&bench)), (1, 1));
}

#[test]
fn every_format_names_the_end_of_the_token() {
    let bench = logged_in();
    let token = bench.run(&["auth", "token"]).ok().stdout().trim().to_owned();
    let ends = exp(&token);
    let as_json = bench.run(&["auth", "token", "--format", "json"]).json();
    assert_eq!(
        as_json,
        json!({"token": token, "token_type": "Bearer", "expires_at": ends, "audience": null})
    );
    assert_eq!(bench.json(&["auth", "token"]), as_json);
    let header = bench.run(&["auth", "token", "--format", "header"]).ok().stdout();
    assert_eq!(header, format!("Authorization: Bearer {token}\n"));
    let kubernetes = bench.run(&["auth", "token", "--format", "exec-credential"]).json();
    assert_eq!(kubernetes["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(
        (&kubernetes["kind"], &kubernetes["status"]["token"]),
        (&json!("ExecCredential"), &json!(token))
    );
    assert_eq!(moment(&kubernetes["status"]["expirationTimestamp"]), ends);
    let file = bench.path("google.json");
    let google = bench
        .command(&["auth", "token", "--format", "google"])
        .env("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", &file)
        .output();
    let google = Done(google.unwrap()).json();
    let expected = json!({
        "version": 1, "success": true, "token_type": "urn:ietf:params:oauth:token-type:jwt", "id_token": token,
        "expiration_time": ends,
    });
    assert_eq!(google, expected);
    assert_eq!(serde_json::from_slice::<Value>(&fs::read(&file).unwrap()).unwrap(), expected);
    assert_eq!(crate::bench::mode(&file), 0o600);
    assert_eq!(logins(&bench), 1);
    // A failure is reported in the expected format, and by the exit code.
    let refused = bench
        .command(&["auth", "token", "--format", "google"])
        .env("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", "urn:ietf:params:oauth:token-type:saml2")
        .output();
    let refused = Done(refused.unwrap()).fails(2, "saml2");
    assert!(refused.stdout().contains("\"success\":false"), "{}", refused.stdout());
    let refused = bench
        .command(&["auth", "token", "--format", "exec-credential"])
        .env("KUBERNETES_EXEC_INFO", "{\"apiVersion\": \"client.authentication.k8s.io/v1alpha1\"}")
        .output();
    assert_eq!(Done(refused.unwrap()).fails(2, "v1alpha1").stdout(), "");
}

#[test]
fn a_token_for_another_service_and_the_least_life() {
    let bench = logged_in();
    let app = ["auth", "token", "--format", "json", "--audience", crate::bench::CLIENT];
    let access = bench.run(&app).json();
    assert_eq!(access["audience"], crate::bench::CLIENT);
    let id = bench.run(&[&app[..], &["--id-token"]].concat()).json();
    let (token, ends) = (id["token"].as_str().unwrap(), id["expires_at"].as_i64().unwrap());
    assert_eq!(ends, exp(token));
    let google =
        bench.run(&["auth", "token", "--format", "google", "--audience", crate::bench::CLIENT]).json();
    assert_eq!((&google["id_token"], &google["expiration_time"]), (&json!(token), &json!(ends)));
    let sent = bench.sandbox.stats();
    // An id_token lives five minutes: nothing is sent for a longer lifetime, which is impossible.
    bench.run(&[&app[..], &["--id-token", "--min-ttl", "10m"]].concat()).fails(2, "lives 300 s");
    bench.run(&["auth", "token", "--min-ttl", "48h"]).fails(2, "lives 86400 s");
    assert_eq!(bench.sandbox.stats().total("POST /oauth/token"), sent.total("POST /oauth/token"));
    assert_eq!(logins(&bench), 1);
}

/// A required lifetime beyond that of the cached token costs one login, which all callers share.
#[test]
fn who_needs_more_life_gets_a_later_token_once_for_all() {
    let bench = logged_in();
    let first = bench.run(&["auth", "token"]).ok().stdout();
    // As if it had been issued a day ago, with twenty minutes left.
    bench.sandbox.revoke_all();
    let file = fs::read_dir(bench.path(".cache/colony-sdk")).unwrap();
    let file =
        file.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|it| it == "json"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({"iat": now - 85_200, "exp": now + 1_200, "jti": "old"}).to_string();
    let old = format!("eyJhbGciOiJub25lIn0.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let envelope = json!({"v": 1, "token": old, "expiry": (now + 1_100) as f64});
    fs::write(file.unwrap(), envelope.to_string()).unwrap();
    assert_eq!(bench.run(&["auth", "token", "--min-ttl", "10m"]).ok().stdout().trim(), old);
    let jobs: Vec<_> =
        (0..20).map(|_| start(&mut bench.command(&["auth", "token", "--min-ttl", "1h"]), "")).collect();
    let mut got: Vec<String> =
        jobs.into_iter().map(|job| Done(job.wait_with_output().unwrap()).ok().stdout()).collect();
    got.dedup();
    assert!(got.len() == 1 && got[0] != first && got[0].trim() != old, "{got:?}");
    assert_eq!(logins(&bench), 2);
}

#[test]
fn only_hosts_that_were_named_are_answered() {
    let bench = logged_in();
    let ask = |tool: &str, operation: &str, question: &str| {
        pipe(&mut bench.command(&["auth", "token", "--format", tool, operation]), question)
    };
    assert_eq!(ask("git", "get", "protocol=https\nhost=git.example\n\n").ok().stdout(), "");
    assert_eq!(ask("bazel", "get", "{\"uri\":\"https://git.example\"}").json(), json!({"headers": {}}));
    let none = ask("docker", "get", "git.example\n");
    assert_eq!((none.code(), none.stdout().as_str()), (1, "credentials not found in native keychain\n"));
    assert_eq!((logins(&bench), none.stderr().as_str()), (0, ""));
    let script = bench.run(&["auth", "helper", "install", "docker", "https://Registry.Example/v2/"]).ok();
    assert!(script.stdout().contains("auth token --format docker"));
    assert_eq!(ask("docker", "list", "").json(), json!({"https://registry.example": "oauth2"}));
    let known = ask("docker", "get", "https://registry.example/v1/").json();
    assert_eq!(
        (&known["Username"], &known["ServerURL"]),
        (&json!("oauth2"), &json!("https://registry.example/v1/"))
    );
    for operation in ["store", "erase"] {
        assert_eq!(ask("docker", operation, "{}").ok().stdout(), "");
        assert_eq!(ask("git", operation, "protocol=https\nhost=x\n").ok().stdout(), "");
    }
    for question in ["registry.example:444", "http://registry.example", "https://registry.example.evil", ""] {
        assert_eq!(ask("docker", "get", question).code(), 1, "{question}");
    }
    assert_eq!(
        ask("git", "get", "protocol=https\nhost=registry.example\n\n").ok().stdout(),
        "",
        "named for docker"
    );
    bench.run(&["auth", "helper", "remove", "docker", "registry.example"]).ok();
    assert_eq!(ask("docker", "get", "registry.example").code(), 1);
    bench.run(&["auth", "helper", "remove", "docker", "registry.example"]).fails(1, "no host");
    bench.run(&["auth", "helper", "install", "git", "http://git.example"]).fails(2, "https");
    assert_eq!(logins(&bench), 1);
}

#[test]
fn a_command_gets_a_token_and_no_key() {
    let bench = Bench::new();
    let key = bench.sandbox.api_key().to_owned();
    let exec = |arguments: &[&str], script: &str| {
        let mut command = bench.command(&[&["exec"], arguments, &["--", "/bin/sh", "-c", script]].concat());
        command.env("COLONY_API_KEY", &key).env("PATH", "/usr/bin:/bin").env("COLONY_TOTP", "123456");
        command.env("COLONY_WEBHOOK_SECRET", "whsec_planted");
        command
    };
    let run = |arguments: &[&str], script: &str| Done(exec(arguments, script).output().unwrap());
    let said = run(&[], "tr '\\0' ' ' < /proc/$$/cmdline; env; exit 37");
    assert_eq!(said.code(), 37, "{}", said.stderr());
    let token =
        said.stdout().lines().find_map(|line| line.strip_prefix("COLONY_TOKEN=").map(str::to_owned)).unwrap();
    assert!(said.stdout().contains(&format!("COLONY_TOKEN_EXPIRES_AT={}", exp(&token))));
    assert!(!said.stdout().contains(&key) && !said.stdout().contains("123456"), "{}", said.stdout());
    assert!(!said.stdout().contains("whsec_planted"), "{}", said.stdout());
    let said = run(&["--env", "GH_TOKEN"], "echo $GH_TOKEN $GH_TOKEN_EXPIRES_AT $COLONY_TOKEN").ok().stdout();
    assert_eq!(said.trim(), format!("{token} {}", exp(&token)));
    let said = run(&["--fd", "7"], "cat <&7; env | grep -c eyJ; exit 0").ok().stdout();
    let (first, rest) = said.split_once('\n').unwrap();
    let read: Value = serde_json::from_str(first).unwrap();
    assert_eq!((&read["token"], &read["expires_at"], rest), (&json!(token), &json!(exp(&token)), "0\n"));
    assert_eq!(
        run(&[], "curl -s -o /dev/null || true; kill -9 $$").0.status.code(),
        None,
        "ended by a signal"
    );
    run(&["--env", "A=B"], "true").fails(2, "--env");
    let none = bench.command(&["exec", "--", "/nowhere/program"]).env("COLONY_API_KEY", &key).output();
    Done(none.unwrap()).fails(1, "cannot be run");
    let late =
        bench.command(&["--deadline", "5s", "exec", "--", "true"]).env("COLONY_API_KEY", &key).output();
    Done(late.unwrap()).fails(2, "--deadline");
    assert_eq!(logins(&bench), 1);
}

#[test]
fn signals_and_stops_reach_the_command() {
    let bench = logged_in();
    let script = "trap 'echo term; exit 41' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = bench.command(&["exec", "--", "/bin/sh", "-c", script]);
    let mut child = child.env("PATH", "/usr/bin:/bin").stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = Pid::from_child(&child);
    crate::bench::stop(&child);
    kill_process(pid, Signal::CONT).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(41));
    line.clear();
    said.read_to_string(&mut line).unwrap();
    assert_eq!(line, "term\n");
}
