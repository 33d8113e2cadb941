//! `colony listen` and `colony trigger` against a receiver on this machine.

#![cfg(unix)]

#[path = "../cli/bench.rs"]
#[allow(dead_code, reason = "shared with the tests of the other commands")]
mod bench;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use bench::{Bench, colony, text};
use colony_core::webhook::{Rejected, Signer, Verifier};
use colony_tests::{raw::Received, recorder::Recorder};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

/// A separate home, without an account.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = colony(self.0.path());
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn secret(&self) -> String {
        let output = self.run(&["listen", "--print-secret"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }
}

/// A program that runs until it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn verify(secret: &str, request: &Received) -> Result<String, Rejected> {
    let delivery =
        Verifier::new(secret).unwrap().receive(&request.header_map(), &request.body, SystemTime::now())?;
    Ok(delivery.event.name().to_owned())
}

/// Makes another account act.
fn happens(bench: &Bench, event: &Value) {
    let base = bench.sandbox.base_url();
    let host = base.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let reply = post(&host, "/_control/event", &[], event.to_string().as_bytes());
    assert!(reply.contains("ids"), "{reply}");
}

fn post(host: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len()).unwrap();
    // The reply may come before all of the body is read.
    let _ = stream.write_all(body);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    text(&reply)
}

#[test]
fn a_sample_is_taken_by_a_receiver_without_an_account() {
    let (home, recorder) = (Home::new(), Recorder::start(|_, _| 204).unwrap());
    let url = recorder.url();
    let sent = home.run(&["trigger", "mention", "--set", "actor=eve", "--forward-to", &url]);
    assert_eq!(sent.status.code(), Some(0), "{}", text(&sent.stderr));
    let stdout = text(&sent.stdout);
    assert!(
        stdout.contains(" → mention ") && stdout.contains("(attempt 1)") && stdout.contains("← 204 "),
        "{stdout}"
    );
    let request = recorder.requests().remove(0);
    assert_eq!(verify(&home.secret(), &request), Ok("mention".to_owned()));
    let body = request.json().unwrap();
    assert_eq!((body["actor"].as_str(), body["post_title"].as_str()), (Some("eve"), Some("A sample post")));
    for name in
        ["event", "event-id", "delivery", "attempt", "timestamp", "signature", "signature-256", "made-by"]
    {
        assert!(request.header(&format!("x-colony-{name}")).is_some(), "{name}");
    }
    let json =
        home.run(&["--json", "trigger", "tip_received", "--set", "amount_sats=7", "--forward-to", &url]);
    let lines: Vec<Value> =
        text(&json.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["kind"], &lines[1]["kind"]), (&json!("attempt"), &json!("answer")));
    assert_eq!((&lines[1]["status"], &lines[1]["delivered"]), (&json!(204), &json!(true)));
    assert_eq!(recorder.requests()[1].json().unwrap()["amount_sats"], 7);
    let list = home.run(&["--json", "trigger", "--list"]);
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&list.stdout).unwrap().len(), 58);
    assert!(text(&home.run(&["trigger", "--list"]).stdout).contains("direct_message"));
}

#[test]
fn the_exit_code_says_what_the_receiver_did() {
    let home = Home::new();
    for (status, code) in [(200, 0), (299, 0), (302, 7), (401, 7), (500, 7)] {
        let recorder = Recorder::start(move |_, _| status).unwrap();
        let sent = home.run(&["trigger", "mention", "--forward-to", &recorder.url()]);
        assert_eq!(sent.status.code(), Some(code), "{status}: {}", text(&sent.stderr));
        assert_eq!(recorder.requests().len(), 1, "redirects are not followed");
    }
    let gone = Recorder::start(|_, _| 204).unwrap().url();
    let sent = home.run(&["--json", "trigger", "mention", "--forward-to", &gone]);
    assert_eq!(sent.status.code(), Some(8));
    let error = bench::error_line(&sent);
    assert!(error["message"].as_str().unwrap().contains("refused") && error["kind"] == "network", "{error}");
    for arguments in [
        &["trigger", "mentoin", "--forward-to", &gone][..],
        &["trigger", "mention", "--set", "emoji=x", "--forward-to", &gone],
        &["trigger", "tip_received", "--set", "amount_sats=many", "--forward-to", &gone],
        &["trigger", "mention", "--forward-to", "http://example.com/"],
        &["trigger", "mention"],
        &["listen"],
        &["listen", "--events", "mentoin", "--forward-to", &gone],
        &["--deadline", "5s", "listen", "--forward-to", &gone],
    ] {
        let refused = home.run(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused.stderr));
    }
    assert!(text(&home.run(&["trigger", "mentoin", "--forward-to", &gone]).stderr).contains("mention?"));
}

#[test]
fn what_is_tampered_with_is_refused_by_a_verifier() {
    let home = Home::new();
    let secret = home.secret();
    let checked = secret.clone();
    let recorder = Recorder::start(move |_, request| verify(&checked, request).map_or(401, |_| 204)).unwrap();
    for tamper in ["signature", "time", "body"] {
        let sent = home.run(&["trigger", "mention", "--tamper", tamper, "--forward-to", &recorder.url()]);
        assert_eq!(sent.status.code(), Some(7), "{tamper}");
        assert!(text(&sent.stderr).contains("as it should be"), "{}", text(&sent.stderr));
    }
    let why: Vec<Rejected> =
        recorder.requests().iter().map(|request| verify(&secret, request).unwrap_err()).collect();
    assert!(matches!(why[..], [Rejected::Mismatch, Rejected::Expired { .. }, Rejected::Mismatch]), "{why:?}");
}

#[test]
fn the_secret_is_made_once_and_private() {
    let (home, recorder) = (Home::new(), Recorder::start(|_, _| 204).unwrap());
    // Two that start together create one secret.
    let both: Vec<Child> = (0..2)
        .map(|_| home.command(&["listen", "--print-secret"]).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    let both: Vec<String> =
        both.into_iter().map(|child| text(&child.wait_with_output().unwrap().stdout)).collect();
    let secret = home.secret();
    assert!(both.iter().all(|printed| *printed == format!("{secret}\n")), "{both:?}");
    assert!(secret.starts_with("whsec_") && secret.len() >= 32, "{secret}");
    let file = home.0.path().join(".config/colony-sdk/webhooks/default.secret");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let sent = home.run(&["-vv", "trigger", "mention", "--forward-to", &recorder.url()]);
    assert!(!(text(&sent.stdout) + &text(&sent.stderr)).contains(&secret));
    let other = home.run(&["--profile", "work", "listen", "--print-secret"]);
    assert!(other.status.success() && text(&other.stdout).trim() != secret, "{}", text(&other.stderr));
    assert_eq!(home.run(&["--profile", "../x", "listen", "--print-secret"]).status.code(), Some(2));
    // A given secret takes precedence.
    let given = home.0.path().join("given");
    fs::write(&given, "\u{feff}from_a_file\r\n").unwrap();
    let printed = |command: &mut Command| text(&command.output().unwrap().stdout);
    let mut by_variable = home.command(&["listen", "--print-secret"]);
    assert_eq!(printed(by_variable.env("COLONY_WEBHOOK_SECRET", "from_a_variable")), "from_a_variable\n");
    let mut by_file = home.command(&["listen", "--print-secret", "--secret-file", given.to_str().unwrap()]);
    assert_eq!(printed(by_file.env("COLONY_WEBHOOK_SECRET", "x")), "from_a_file\n");
    fs::write(&given, " \n").unwrap();
    let empty = home.run(&["listen", "--print-secret", "--secret-file", given.to_str().unwrap()]);
    assert_eq!(empty.status.code(), Some(2));
    assert_eq!(home.secret(), secret);
}

#[test]
fn what_happens_is_delivered_under_the_same_ids_after_a_restart() {
    let bench = Bench::new();
    let recorder = Recorder::start(|number, _| if number == 2 { 500 } else { 204 }).unwrap();
    let listen = |more: &[&str]| {
        let url = recorder.url();
        let mut arguments =
            vec!["listen", "--forward-to", &url, "--since", "1h", "--interval", "100ms..200ms"];
        arguments.extend(["--attempts", "1", "--json"]);
        arguments.extend(more);
        let mut command = bench.command(&arguments);
        Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    };
    for kind in ["mention", "message", "post"] {
        happens(&bench, &json!({"kind": kind, "count": 2}));
    }
    let wanted = |request: &Received| {
        let event = request.header("x-colony-event").unwrap_or_default().to_owned();
        let id = request.header("x-colony-event-id").unwrap_or_default().to_owned();
        (id, event, request.body.clone())
    };
    let first = listen(&[]);
    let mut before: Vec<_> = recorder.wait(6, LIMIT).iter().map(wanted).collect();
    drop(first);
    let names: Vec<&str> = before.iter().map(|(_, event, _)| event.as_str()).collect();
    for event in ["mention", "direct_message", "post_created"] {
        assert_eq!(names.iter().filter(|name| **name == event).count(), 2, "{names:?}");
    }
    // The delivery that the receiver failed is done after its only attempt, and the others continued.
    let _second = listen(&["--events", "mention,direct_message", "--events", "post_created"]);
    let all = recorder.wait(12, LIMIT);
    let mut after: Vec<_> = all[6..12].iter().map(wanted).collect();
    before.sort();
    after.sort();
    assert_eq!(before, after);
    let secret = bench.run(&["listen", "--print-secret"]);
    for request in &all {
        assert_eq!(request.header("x-colony-made-by"), Some("colony listen"));
        let event = verify(text(&secret.stdout).trim(), request).unwrap();
        assert_eq!(Some(event.as_str()), request.header("x-colony-event"));
    }
    let mut deliveries: Vec<_> =
        all.iter().map(|request| request.header("x-colony-delivery").unwrap()).collect();
    deliveries.sort_unstable();
    deliveries.dedup();
    assert_eq!(deliveries.len(), all.len(), "each attempt has an id of its own");
}

#[test]
fn received_deliveries_are_checked_and_passed_on_as_they_came() {
    let home = Home::new();
    let secret = home.secret();
    let recorder = Recorder::start(|number, _| [204, 503, 200][number.min(2)]).unwrap();
    let url = recorder.url();
    let command = &mut home.command(&["--json", "listen", "--receive", "127.0.0.1:0", "--forward-to", &url]);
    let mut listen = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(listen.0.stdout.take().unwrap()).lines();
    let mut line = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let address = line()["address"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let signer = Signer::new(&secret).unwrap();
    let deliver = |signer: &Signer, body: &[u8]| {
        let signature = signer.sign(body, SystemTime::now());
        let headers = [
            ("X-Colony-Signature-256", signature.as_str()),
            ("X-Colony-Event", "mention"),
            ("X-Colony-Event-Id", "e1"),
            ("Content-Type", "application/octet-stream"),
            ("X-Other", "stays"),
        ];
        let headers = if body.is_empty() { &headers[1..] } else { &headers[..] };
        post(&address, "/any/path", headers, body).split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let body = b"{ \"event\" :\t\"mention\",\0 \xff\xfe }\r\n\n";
    assert_eq!(deliver(&signer, body), "204");
    assert_eq!(deliver(&signer, b"{}"), "503", "the receiver's answer is the sender's");
    assert_eq!(deliver(&Signer::new("another").unwrap(), body), "401");
    assert_eq!(deliver(&signer, b""), "400", "there is no signature");
    let large = vec![b' '; 256 * 1024 + 1];
    assert_eq!(deliver(&signer, &large), "413");
    assert_eq!(deliver(&signer, &large[1..]), "200");
    let requests = recorder.requests();
    let bodies: Vec<&[u8]> = requests.iter().map(|request| request.body.as_slice()).collect();
    assert_eq!(bodies, [body.as_slice(), b"{}", &large[1..]], "and nothing else was forwarded");
    assert_eq!(requests[0].header("content-type"), Some("application/octet-stream"));
    assert_eq!(requests[0].header("x-other"), None);
    assert!(requests[0].header("x-colony-signature-256").is_some_and(|value| value.starts_with("t=")));
    let kinds: Vec<String> = (0..9).map(|_| line()["kind"].as_str().unwrap().to_owned()).collect();
    let expected =
        ["attempt", "answer", "attempt", "answer", "refused", "refused", "refused", "attempt", "answer"];
    assert_eq!(kinds, expected);
    drop(recorder);
    assert_eq!(deliver(&signer, body), "502");
}
