//! Signals: they never cost a login, and the terminal and the disk are left as they were.
//!
//! ```console
//! $ COLONY_TESTS_LONG=1 cargo test -p colony-cli --test login signals -- --nocapture    # 60 of them
//! ```

#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use colony_tests::provider::Provider;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bench::{Bench, Done, colony, long, pipe};

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

/// A home directory that is logged in at a real provider.
struct Home {
    provider: Provider,
    directory: tempfile::TempDir,
}

impl Home {
    fn new(settings: &Value) -> Option<Self> {
        let provider = Provider::start(settings)?;
        let home = Self { provider, directory: tempfile::tempdir().unwrap() };
        home.login();
        Some(home)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = colony(self.directory.path());
        command.args(arguments).env("COLONY_BASE_URL", format!("{}/api/v1", self.provider.issuer));
        command
    }

    /// Logs in as a person would.
    fn login(&self) {
        let token = self.provider.refresh_token("colony_public");
        let login = ["auth", "login", "--with-refresh-token", "--client-id", "colony_public"];
        pipe(self.command(&login).args(["--issuer", &self.provider.issuer]), &token).ok();
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn stored(&self) -> Value {
        let directory = self.directory.path().join(".local/share/colony-sdk/credentials");
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let file = entries.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "json"));
        serde_json::from_slice(&std::fs::read(file.expect("a credential")).unwrap()).expect("whole")
    }

    fn is_under_way(&self) -> bool {
        self.stored()["spending"]["state"] == "sent"
    }

    fn is_alive(&self) -> bool {
        self.stored()["spending"].is_null()
            && self.provider.is_good(self.stored()["refresh_token"].as_str().unwrap())
    }
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// A refresh in each of the commands that make one, with each signal, at any time.
#[test]
fn a_signal_during_a_refresh_costs_no_login() {
    let Some(home) = Home::new(&json!({"before_ms": 20, "after_ms": 80})) else { return };
    let wanted = if long() { 60 } else { 12 };
    let commands: [&[&str]; 3] = [&["auth", "refresh"], &["auth", "token"], &["auth", "status", "--rotate"]];
    let (mut alive, mut under_way, mut held) = (0, 0, 0);
    for round in 0..wanted {
        let ((signal, code), command) = (SIGNALS[round % 3], commands[round / 3 % 3]);
        // Fresh for the provider, expired for the command: it must refresh.
        home.provider.set(&json!({"access_token_seconds": 1}));
        pipe(&mut home.command(&["auth", "refresh"]), "").ok();
        home.provider.set(&json!({"access_token_seconds": 900}));
        std::thread::sleep(Duration::from_millis(if command == commands[1] { 1_000 } else { 0 }));
        let child = home.start(command);
        // Half of them after the token was sent, the others at any time.
        if round % 2 == 0 {
            let started = Instant::now();
            while !home.is_under_way() && started.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..60)));
        let sent = home.is_under_way();
        under_way += u32::from(sent);
        send(&child, signal);
        let (ended, said) = end(child);
        if sent {
            held += u32::from(said.contains("is stored"));
            assert!(matches!(ended, Some(0)) || ended == Some(code), "{command:?} {code}: {ended:?} {said}");
        }
        alive += usize::from(home.is_alive());
        assert_eq!(home.provider.count("replays"), 0);
    }
    println!(
        "Signals during a refresh: {wanted} (SIGINT, SIGTERM, SIGHUP; auth refresh, token, status --rotate), \
         {under_way} of them with the token under way, {held} held until the answer was stored; {alive} of {wanted} \
         logins alive"
    );
    assert_eq!(alive, wanted);
    assert!(under_way as usize >= wanted / 4 && held > 0, "the signals missed: {under_way}, {held}");
}

/// Without the hold such a signal loses a login: a kill, which cannot be held, at the same point.
#[test]
fn a_kill_in_the_same_place_leaves_the_outcome_unknown() {
    let Some(home) = Home::new(&json!({"after_ms": 2_000})) else { return };
    let child = home.start(&["auth", "refresh"]);
    while !home.is_under_way() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    send(&child, Signal::KILL);
    end(child);
    assert!(home.is_under_way() && !home.is_alive());
    pipe(&mut home.command(&["auth", "refresh"]), "").fails(9, "presented again");
    let status = pipe(&mut home.command(&["auth", "status"]), "").ok().stdout();
    assert!(status.contains("what came of it is not known"), "{status}");
    home.login();
    assert!(home.is_alive());
}

/// A second signal ends the program at once.
#[test]
fn a_second_signal_ends_the_program() {
    let Some(home) = Home::new(&json!({"after_ms": 20_000})) else { return };
    let mut child = home.start(&["auth", "refresh"]);
    while !home.is_under_way() {
        std::thread::sleep(Duration::from_millis(1));
    }
    send(&child, Signal::TERM);
    // Waits until it has reported that it holds the first.
    let mut said = [0; 8];
    child.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
    assert_eq!(&said, b"stopping");
    send(&child, Signal::TERM);
    assert_eq!(end(child).0, Some(130));
}

/// A process that waits for another's lock has sent nothing, and ends at once.
#[test]
fn a_signal_while_waiting_for_another_process_ends_the_program() {
    let Some(home) = Home::new(&json!({"after_ms": 8_000})) else { return };
    let first = home.start(&["auth", "refresh"]);
    while !home.is_under_way() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = home.start(&["auth", "refresh"]);
    // Gives it time to reach the lock, which it then checks ten times a second.
    std::thread::sleep(Duration::from_millis(1_500));
    let requests = home.provider.count("token_requests");
    send(&second, Signal::TERM);
    let (ended, said) = end(second);
    assert_eq!(ended, Some(143), "{said}");
    assert!(home.is_under_way(), "it waited for the other one");
    assert_eq!(home.provider.count("token_requests"), requests);
    assert_eq!(end(first).0, Some(0));
    assert!(home.is_alive());
}

/// SIGTERM, since background programs of a script ignore SIGINT.
///
/// A key that is being confirmed is removed when a signal ends the login; a program under `nohup` ignores the signal
/// and continues.
#[test]
fn nothing_staged_is_left_behind() {
    let bench = Bench::with(|options| options.auth_latency = Duration::from_millis(800));
    let key = bench.sandbox.api_key().to_owned();
    let keys = bench.path(".config/colony-sdk/keys");
    let staged = || std::fs::read_dir(&keys).is_ok_and(|mut entries| entries.next().is_some());
    for twice in [true, false] {
        let child = crate::bench::start(&mut bench.command(&["auth", "login"]), &key);
        while !staged() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // The login is in progress: the first signal is held until the reply arrives.
        std::thread::sleep(Duration::from_millis(100));
        send(&child, Signal::TERM);
        if twice {
            std::thread::sleep(Duration::from_millis(100));
            send(&child, Signal::TERM);
        }
        let done = Done(child.wait_with_output().unwrap());
        assert_eq!(done.code(), if twice { 130 } else { 143 }, "{}", done.stderr());
        let names: Vec<_> =
            std::fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let expected: &[&str] = if twice { &[] } else { &["default.key"] };
        assert_eq!(names, expected, "{}", done.stderr());
    }
}
