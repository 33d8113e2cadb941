//! `colony proxy` and `colony exec --proxy`, with curl as the caller.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bench::{Bench, Done, mode};

/// A proxy, and its output. Dropping it kills the proxy.
struct Running(Child, Value);

impl Running {
    fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let mut command = bench.command(&[&["--json", "proxy"], arguments].concat());
        command.env("COLONY_API_KEY", bench.sandbox.api_key());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, serde_json::from_str(&line).unwrap())
    }

    fn text(&self, name: &str) -> &str {
        self.1[name].as_str().unwrap()
    }

    fn end(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the status and the body that curl receives.
fn curl(arguments: &[&str]) -> (String, String) {
    let mut command = Command::new("curl");
    command.args(["-s", "-w", "\n%{http_code}"]).args(arguments).env_clear().env("PATH", "/usr/bin:/bin");
    let said = Done(command.output().unwrap()).ok().stdout();
    let (body, status) = said.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

fn logins(bench: &Bench) -> u64 {
    bench.sandbox.stats().with_status("POST /auth/token", 200)
}

#[test]
fn a_port_serves_those_who_know_the_word() {
    let bench = Bench::new();
    let proxy = Running::start(&bench, &["--listen", "127.0.0.1:0"]);
    let (base, word) = (proxy.text("base_url").to_owned(), proxy.text("token").to_owned());
    assert!(base.starts_with("http://127.0.0.1:") && base.ends_with("/api/v1") && word.len() > 40, "{base}");
    let bare = base.replace(&format!("/{word}"), "");
    let me = format!("{bare}/users/me");
    let bearer = format!("Authorization: Bearer {word}");
    for asked in [&[&*format!("{base}/users/me")][..], &["-H", &bearer, &me]] {
        let (status, body) = curl(asked);
        assert_eq!(status, "200", "{body}");
        assert!(body.contains(bench.sandbox.username()));
    }
    let key = format!("Authorization: Bearer {}", bench.sandbox.api_key());
    for stranger in [&[&*me][..], &["-H", "Authorization: Bearer x", &me], &["-H", &key, &me]] {
        let (status, body) = curl(stranger);
        assert_eq!(status, "401", "{body}");
        assert!(body.contains("PROXY_REFUSED") && !body.contains(&word), "{body}");
    }
    // A client that logs in gets the word and no token.
    let login = ["-d", "{\"api_key\": \"col_of_nobody\"}", &*format!("{base}/auth/token")];
    let (_, body) = curl(&login);
    let granted: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&granted["access_token"], logins(&bench)), (&word.into(), 1));
    assert_eq!(curl(&["-X", "POST", &format!("{base}/auth/rotate-key")]).0, "403");
    assert_eq!(curl(&["--path-as-is", &format!("{base}/../../_stats")]).0, "400");
    // A write with a body, after all tokens were revoked: one round, one login.
    bench.sandbox.revoke_all();
    let post =
        "{\"title\": \"A title\", \"body\": \"Some words that make a post.\", \"colony_id\": \"general\"}";
    let sent = ["-H", "content-type: application/json", "-d", post, &*format!("{base}/posts")];
    let (status, body) = curl(&sent);
    assert!(!matches!(&*status, "401" | "502"), "{status} {body}");
    assert_eq!((curl(&[&format!("{base}/users/me")]).0, logins(&bench)), ("200".to_owned(), 2));
    // Larger than the held size: the caller gets the 401, and the next request another token.
    bench.sandbox.revoke_all();
    let large = bench.path("large.json");
    fs::write(&large, format!("{{\"body\": \"{}\"}}", "x".repeat(1024 * 1024))).unwrap();
    let upload = format!("@{}", large.display());
    let large =
        ["-H", "content-type: application/json", "--data-binary", &*upload, &*format!("{base}/posts")];
    assert_eq!(curl(&large).0, "401");
    assert_eq!((curl(&[&format!("{base}/users/me")]).0, logins(&bench)), ("200".to_owned(), 3));
    assert_eq!(proxy.end(), Some(0));
}

#[test]
fn a_socket_file_is_this_user_s_alone() {
    let bench = Bench::new();
    let socket = bench.path("run/colony.sock");
    let place = format!("unix:{}", socket.display());
    let allow = ["--listen", &place, "--allow", "GET /posts*", "--allow", "GET /users/me"];
    let proxy = Running::start(&bench, &allow);
    assert_eq!((mode(&socket), mode(&bench.path("run"))), (0o600, 0o700));
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket() && proxy.1["token"].is_null());
    let ask =
        |path: &str| curl(&["--unix-socket", socket.to_str().unwrap(), &format!("http://colony{path}")]).0;
    assert_eq!(ask("/users/me"), "200");
    assert_eq!(ask("/api/v1/posts?limit=1"), "200");
    assert_eq!(ask("/users/me/"), "403");
    assert_eq!(ask("/notifications"), "403");
    bench
        .command(&["proxy", "--listen", &place])
        .env("COLONY_API_KEY", bench.sandbox.api_key())
        .output()
        .map(Done)
        .unwrap()
        .fails(2, "another program listens there");
    assert_eq!(proxy.end(), Some(0));
    assert!(!socket.exists());
    // A killed proxy leaves its file, which the next one removes.
    drop(Running::start(&bench, &allow));
    assert!(socket.exists());
    assert_eq!(Running::start(&bench, &allow).end(), Some(0));
    let open = bench.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = |place: &str, code: i32, said: &str| {
        let run = bench
            .command(&["proxy", "--listen", place])
            .env("COLONY_API_KEY", bench.sandbox.api_key())
            .output();
        Done(run.unwrap()).fails(code, said);
    };
    refused(&format!("unix:{}/x", open.display()), 2, "mkdir -m 700");
    refused("0.0.0.0:0", 2, "--listen");
    let bad = bench.run(&["proxy", "--allow", "posts"]);
    bad.fails(2, "--allow");
    bench.run(&["proxy"]).fails(3, "auth login");
    bench.run(&["--deadline", "5s", "proxy"]).fails(2, "--deadline");
}

#[test]
fn a_command_gets_a_proxy_and_no_token() {
    let bench = Bench::new();
    let key = bench.sandbox.api_key().to_owned();
    let run = |arguments: &[&str], script: &str| {
        let mut command =
            bench.command(&[&["exec", "--proxy"], arguments, &["--", "/bin/sh", "-c", script]].concat());
        command
            .env("COLONY_API_KEY", &key)
            .env("PATH", "/usr/bin:/bin")
            .env("COLONY", env!("CARGO_BIN_EXE_colony"));
        Done(command.output().unwrap())
    };
    let said = run(&[], "tr '\\0' ' ' < /proc/$$/cmdline; env; curl -s $COLONY_BASE_URL/users/me; exit 37");
    assert_eq!(said.code(), 37, "{}", said.stderr());
    let said = said.stdout();
    assert!(said.contains(bench.sandbox.username()), "{said}");
    assert!(!said.contains(&key) && !said.contains("eyJ"), "{said}");
    assert!(said.contains("COLONY_TOKEN=") && said.contains("COLONY_PROXY_URL=http://127.0.0.1:"), "{said}");
    let said = run(&[], "$COLONY api GET /users/me; $COLONY whoami").ok().stdout();
    assert!(said.matches(bench.sandbox.username()).count() > 1, "{said}");
    let code = "curl -s -o /dev/null -w '%{http_code}'";
    let said = run(
        &["--allow", "GET /posts*"],
        &format!("{code} $COLONY_BASE_URL/posts; {code} $COLONY_BASE_URL/users/me"),
    );
    assert_eq!(said.ok().stdout(), "200403");
    // Without the cache the proxy continues with the token in memory.
    let before = logins(&bench);
    let said = bench
        .command(&[
            "--no-cache",
            "exec",
            "--proxy",
            "--",
            "/bin/sh",
            "-c",
            &format!("{code} $COLONY_BASE_URL/users/me"),
        ])
        .env("COLONY_API_KEY", &key)
        .env("PATH", "/usr/bin:/bin")
        .output();
    assert_eq!((&*Done(said.unwrap()).ok().stdout(), logins(&bench)), ("200", before + 1));
    run(&["--audience", crate::bench::CLIENT], "true").fails(2, "--audience");
    assert_eq!(before, 1);
}

#[test]
fn the_proxy_of_a_command_ends_with_it() {
    let bench = Bench::new();
    let script = "trap 'echo term; exit 41' TERM; echo $COLONY_BASE_URL; while :; do sleep 0.05; done";
    let mut command = bench.command(&["exec", "--proxy", "--", "/bin/sh", "-c", script]);
    command.env("COLONY_API_KEY", bench.sandbox.api_key()).env("PATH", "/usr/bin:/bin");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let me = format!("{}/users/me", line.trim());
    let pid = Pid::from_child(&child);
    crate::bench::stop(&child);
    // The command is stopped, but a process that it started may continue.
    assert_eq!(curl(&[&me]).0, "200");
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    for own in fs::read_to_string(children).unwrap().split_whitespace() {
        let line = fs::read_to_string(format!("/proc/{own}/cmdline")).unwrap();
        assert!(!line.contains("proxy-keeper"), "the keeper is no child of the command");
    }
    kill_process(pid, Signal::CONT).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(41));
    line.clear();
    said.read_to_string(&mut line).unwrap();
    assert_eq!(line, "term\n");
    let gone = || !Command::new("curl").args(["-s", "-o", "/dev/null", &me]).status().unwrap().success();
    while !gone() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
