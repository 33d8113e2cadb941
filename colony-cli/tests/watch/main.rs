//! `colony watch` against the sandbox: nothing is lost, stopping is clean, and text by others stays text.

#![cfg(unix)]

#[path = "../cli/bench.rs"]
#[allow(dead_code, reason = "shared with the tests of the other commands")]
mod bench;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use bench::{Bench, text};
use colony_cli::sandbox::Options;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// A watch in progress: earlier events do not concern it.
struct Scene {
    bench: Bench,
}

impl Scene {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let scene = Self { bench: Bench::with(options) };
        let begun = scene.watch(&["--once", "--json"]);
        assert_eq!(
            (begun.status.code(), text(&begun.stdout)),
            (Some(0), String::new()),
            "{}",
            text(&begun.stderr)
        );
        scene
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bench.command(&["watch", "--interval", "100ms..200ms"]);
        command.args(arguments).env("PATH", "/usr/bin:/bin").current_dir(self.bench.cache.path());
        command
    }

    fn watch(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Makes another account act. Returns the ids of the results.
    fn happens(&self, event: &Value) -> Vec<String> {
        let base = self.bench.sandbox.base_url();
        let host = base.trim_start_matches("http://").split('/').next().unwrap().to_owned();
        let mut stream = TcpStream::connect(&host).unwrap();
        let body = event.to_string();
        write!(
            stream,
            "POST /_control/event HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let body = &reply[reply.find('{').unwrap_or_else(|| panic!("{reply}"))..=reply.rfind('}').unwrap()];
        let ids: Value = serde_json::from_str(body).unwrap();
        ids["ids"]
            .as_array()
            .unwrap_or_else(|| panic!("{ids}"))
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.cache.path().join(name)
    }

    /// Returns how often each event is in the log.
    fn log(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(self.path("log")).unwrap_or_default().lines() {
            *counts.entry(line.split(':').next_back().unwrap().to_owned()).or_default() += 1;
        }
        counts
    }

    /// Polls until the condition holds.
    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !is_so(self) {
            assert!(Instant::now() < end, "{what}; the log has {:?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A command that records the event.
const NOTE: [&str; 4] = ["--exec", "/bin/sh", "-c", "echo \"$COLONY_EVENT_ID\" >> log"];

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn ended(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn w1_kills_lose_nothing() {
    let scene = Scene::new();
    let (mut ids, kills) = (Vec::new(), 8);
    for round in 0..kills {
        for kind in ["mention", "message", "post"] {
            ids.extend(scene.happens(&json!({"kind": kind, "count": 3})));
        }
        let child = scene.start(&NOTE);
        let wanted = round * 9 + 4;
        scene.until("some are noted", |scene| scene.log().values().sum::<usize>() >= wanted);
        signal(&child, Signal::KILL);
        ended(child);
    }
    let child = scene.start(&NOTE);
    scene.until("all are noted", |scene| ids.iter().all(|id| scene.log().contains_key(id)));
    signal(&child, Signal::TERM);
    let (code, _, stderr) = ended(child);
    assert_eq!(code, Some(0), "{stderr}");
    let repeats: usize =
        scene.log().iter().filter(|(id, _)| ids.contains(id)).map(|(_, count)| count - 1).sum();
    assert!(repeats <= kills, "{repeats} repeats after {kills} kills");
    // After a clean stop nothing is repeated.
    let again = scene.watch(&["--once", "--json"]);
    assert_eq!((again.status.code(), text(&again.stdout)), (Some(0), String::new()));
}

#[test]
fn w2_late_rows_are_seen() {
    let delay = Some(Duration::ZERO..=Duration::from_secs(3));
    let scene = Scene::with(Options { commit_delay: delay, ..Options::default() });
    let child = scene.start(&NOTE);
    let mut ids = Vec::new();
    for kind in ["mention", "message", "post", "message"] {
        ids.extend(scene.happens(&json!({"kind": kind, "count": 10})));
        scene.until("the first are noted", |scene| {
            ids.iter().filter(|id| scene.log().contains_key(*id)).count() * 4 > ids.len()
        });
    }
    scene.until("all are noted", |scene| ids.iter().all(|id| scene.log().contains_key(id)));
    signal(&child, Signal::TERM);
    assert_eq!(ended(child).0, Some(0));
    assert!(scene.log().values().all(|count| *count == 1), "none twice");
}

#[test]
fn w9_a_refused_login_ends_it() {
    let scene = Scene::new();
    let before = scene.bench.logins();
    scene.bench.sandbox.fail("/since=401x50".parse().unwrap());
    let watch = scene.watch(&["--json"]);
    assert_eq!(watch.status.code(), Some(3), "{}", text(&watch.stderr));
    assert!(scene.bench.logins() - before <= 2, "{} logins", scene.bench.logins() - before);
}

#[test]
fn w12_one_watch_has_the_state_file() {
    let scene = Scene::new();
    let first = scene.start(&NOTE);
    scene.happens(&json!({"kind": "message"}));
    scene.until("the first one runs", |scene| !scene.log().is_empty());
    let second = scene.watch(&["--json", "--once"]);
    assert_eq!(second.status.code(), Some(9), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains("another watch has the state file"), "{}", text(&second.stderr));
    signal(&first, Signal::KILL);
    ended(first);
    assert_eq!(scene.watch(&["--once"]).status.code(), Some(0));
}

#[test]
fn w13_a_command_that_runs_comes_to_its_end() {
    let scene = Scene::new();
    let id = scene.happens(&json!({"kind": "post"})).remove(0);
    let slow = "echo begun >> log; while [ ! -e go ]; do sleep 0.05; done; echo \"$COLONY_EVENT_ID\" >> log";
    let child = scene.start(&["--exec", "/bin/sh", "-c", slow]);
    scene.until("the command runs", |scene| scene.log().contains_key("begun"));
    signal(&child, Signal::TERM);
    fs::write(scene.path("go"), "").unwrap();
    let (code, _, stderr) = ended(child);
    assert_eq!((code, scene.log().contains_key(&id)), (Some(0), true), "{stderr}");
    assert!(text(&scene.watch(&["--once", "--json"]).stdout).is_empty(), "it is done");
    // A second signal ends it at once, and the event is repeated.
    fs::remove_file(scene.path("go")).unwrap();
    fs::remove_file(scene.path("log")).unwrap();
    let id = scene.happens(&json!({"kind": "post"})).remove(0);
    let mut child = scene.start(&["--exec", "/bin/sh", "-c", slow]);
    scene.until("the command runs", |scene| scene.log().contains_key("begun"));
    signal(&child, Signal::TERM);
    signal(&child, Signal::INT);
    // The command continues and keeps the pipes open.
    assert_eq!(child.wait().unwrap().code(), Some(130));
    fs::write(scene.path("go"), "").unwrap();
    assert!(text(&scene.watch(&["--once", "--json"]).stdout).contains(&id));
    // If the directory were removed first, it would wait for `go` forever.
    scene.until("the command ends", |scene| scene.log().contains_key(&id));
}

#[test]
fn w14_text_of_others_stays_text() {
    let scene = Scene::new();
    let hostile = "$(touch made) `touch made` '; touch made; \" \u{1b}]0;title\u{7}\u{1b}[2J\nsecond\r\u{202e}line\u{e0041}\u{9b}31m";
    for kind in ["message", "post"] {
        scene.happens(&json!({"kind": kind, "text": hostile}));
    }
    let shown = scene.watch(&["--once", "--no-state", "--since", "1h"]);
    let stdout = text(&shown.stdout);
    assert!(
        stdout.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}' && c != '\u{e0041}'),
        "{stdout:?}"
    );
    // The message, its notification, and at least two posts.
    assert_eq!(stdout.lines().filter(|line| line.contains("touch made")).count(), 2, "{stdout}");
    let run =
        scene.watch(&["--once", "--exec", "/bin/sh", "-c", "cat >> lines; env | grep ^COLONY_EVENT >> env"]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert!(!scene.path("made").exists());
    let lines = fs::read_to_string(scene.path("lines")).unwrap();
    let events: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("one line, one event")).collect();
    let message = events.iter().find(|event| event["kind"] == "message").unwrap();
    assert_eq!(
        (message["data"]["body"].as_str(), message["type"].as_str()),
        (Some(hostile), Some("direct_message"))
    );
    assert_eq!(
        (message["v"].as_u64(), message["idempotency_key"].as_str().map(str::len)),
        (Some(1), Some(32))
    );
    let environment = fs::read_to_string(scene.path("env")).unwrap();
    assert!(
        environment
            .lines()
            .all(|line| line.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-=".contains(&b))),
        "{environment}"
    );
}

/// An event's line is the row as received; `--clean` is for a model that reads it.
#[test]
fn a_model_is_given_cleaned_lines() {
    let scene = Scene::new();
    let hostile = "a\u{200b}b\u{e0041}\u{e0042}\u{202e}c\u{1b}[2J \u{645}\u{200c}\u{645}\n👩\u{200d}👧";
    scene.happens(&json!({"kind": "message", "text": hostile}));
    let message = |arguments: &[&str]| {
        let output = scene.watch(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let lines = text(&output.stdout) + &fs::read_to_string(scene.path("lines")).unwrap_or_default();
        let mut events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.find(|event| event["kind"] == "message").unwrap()
    };
    let once = ["--once", "--no-state", "--since", "1h", "--kind", "message"];
    let raw = message(&[&once[..], &["--json"]].concat());
    assert_eq!((raw["data"]["body"].as_str(), raw.get("removed_characters")), (Some(hostile), None));
    let command = ["--clean", "--exec", "/bin/sh", "-c", "cat >> lines"];
    for more in [&["--json", "--clean"][..], &command] {
        let cleaned = message(&[&once[..], more].concat());
        let kept = "abc[2J \u{645}\u{200c}\u{645}\n👩\u{200d}👧";
        assert_eq!(cleaned["data"]["body"], kept);
        // Nothing else is changed.
        let mut expected = raw.clone();
        expected["removed_characters"] = colony_core::untrusted::clean_json(&mut expected).into();
        assert_eq!(cleaned, expected);
        assert!(cleaned["removed_characters"].as_u64().unwrap() >= 5, "{cleaned}");
    }
    let refused = scene.watch(&["--once", "--clean"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("add --json or --exec"), "{}", text(&refused.stderr));
}

/// The stored row is as received; it is cleaned when it is passed to the command.
#[test]
fn a_failed_event_is_cleaned_when_it_is_given_again() {
    let scene = Scene::new();
    scene.happens(&json!({"kind": "message", "text": "a\u{e0041}b"}));
    let failed = ["--once", "--kind", "message", "--clean", "--attempts", "1", "--exec", "/bin/false"];
    assert_eq!(scene.watch(&failed).status.code(), Some(0));
    let again = ["--retry-failed", "--clean", "--exec", "/bin/sh", "-c", "cat >> lines; exit 1"];
    assert_eq!(scene.watch(&[&["--attempts", "1"], &again[..]].concat()).status.code(), Some(1));
    let lines = |path: PathBuf| fs::read_to_string(path).unwrap();
    let given: Value = serde_json::from_str(&lines(scene.path("lines"))).unwrap();
    assert_eq!((given["data"]["body"].as_str(), given["removed_characters"].as_u64()), (Some("ab"), Some(1)));
    let directory = fs::read_dir(scene.path(".local/state/colony-sdk")).unwrap();
    let kept = directory.map(|entry| entry.unwrap().path());
    let kept = kept.into_iter().find(|path| path.to_string_lossy().ends_with(".failed.jsonl")).unwrap();
    assert!(lines(kept).contains("a\u{e0041}b"));
}

#[test]
fn a_command_that_fails_is_kept_for_later() {
    let scene = Scene::new();
    let id = scene.happens(&json!({"kind": "post"})).remove(0);
    let failed = scene.watch(&["--once", "--attempts", "1", "--exec", "/bin/false"]);
    assert_eq!(failed.status.code(), Some(0), "{}", text(&failed.stderr));
    assert!(text(&failed.stderr).contains("exit code 1"), "{}", text(&failed.stderr));
    assert!(text(&scene.watch(&["--once", "--json"]).stdout).is_empty(), "it was passed over");
    let again = scene.watch(&["--retry-failed", "--attempts", "1", "--exec", "/bin/false"]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    let mut arguments = vec!["--retry-failed"];
    arguments.extend(NOTE);
    let done = scene.watch(&arguments);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(scene.log().get(&id), Some(&1));
    assert_eq!(scene.watch(&arguments).status.code(), Some(0));
    assert_eq!(scene.log().get(&id), Some(&1), "it is out of the file");
    // Or the watch ends before the event.
    let id = scene.happens(&json!({"kind": "post"})).remove(0);
    let stopped = scene.watch(&["--attempts", "1", "--on-failure", "stop", "--exec", "/bin/false"]);
    assert_eq!(stopped.status.code(), Some(1), "{}", text(&stopped.stderr));
    assert!(text(&scene.watch(&["--once", "--json"]).stdout).contains(&id));
}

#[test]
fn a_reader_that_went_away_ends_it_and_loses_nothing() {
    let scene = Scene::new();
    let first = scene.happens(&json!({"kind": "message"})).remove(0);
    let mut child = scene.start(&["--json", "--kind", "message"]);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains(&first), "{line}");
    drop(reader);
    let second = scene.happens(&json!({"kind": "message"})).remove(0);
    assert_eq!(ended(child).0, Some(0));
    assert!(text(&scene.watch(&["--once", "--json"]).stdout).contains(&second));
}

#[test]
fn a_state_file_that_cannot_be_read_is_no_new_beginning() {
    let scene = Scene::new();
    let directory = scene.path(".local/state/colony-sdk");
    let file = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "json")).unwrap();
    for content in ["", "{}", "{\"v\":2}"] {
        fs::write(&file, content).unwrap();
        let watch = scene.watch(&["--once", "--json"]);
        assert_eq!(watch.status.code(), Some(2), "{content}: {}", text(&watch.stderr));
        assert!(text(&watch.stderr).contains(file.to_str().unwrap()), "{}", text(&watch.stderr));
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
}
