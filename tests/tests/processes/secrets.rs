//! Nothing that a program can print holds a secret.

use std::time::SystemTime;

use colony_tests::{
    crew::Worker,
    plan::Plan,
    service::{Answer, Service},
};

use crate::place::{KEY, call, directory, place, turn};

const TOTP: &str = "plantedtotp12";
const PASSWORD: &str = "planted-password";

/// Runs a worker through a session and returns its whole output.
fn session(base_url: String, blocking: bool, rounds: usize) -> String {
    let directory = directory();
    let plan = Plan {
        blocking,
        trace: true,
        patient: false,
        totp: Some(TOTP.to_owned()),
        timeout_ms: Some(2_000),
        ..Plan::default()
    };
    let mut worker = Worker::start(&place(base_url, KEY, directory.path()), &plan).expect("a worker");
    worker.ready().expect("ready");
    let mut written = String::new();
    for _ in 0..rounds {
        worker.go().expect("a start");
        let report = worker.report().expect("a report").expect("it lives");
        written.push_str(&serde_json::to_string(&report).expect("a line"));
    }
    // The note and the lock beside the token's file hold no secret either.
    for entry in std::fs::read_dir(directory.path()).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|kind| kind != "json") {
            written.push_str(&std::fs::read_to_string(&path).expect("a file"));
        }
    }
    written + &worker.end().expect("an end")
}

fn assert_clean(written: &str, secrets: &[&str]) {
    for secret in secrets {
        let hit = written.find(secret).map(|at| {
            let line = written[..at].rfind('\n').map_or(0, |start| start + 1);
            written[line..].lines().next().unwrap_or_default()
        });
        assert_eq!(hit, None, "a secret was written");
    }
}

#[test]
fn no_log_no_error_and_no_panic_tells_a_secret() {
    let _turn = turn();
    let clock =
        || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    for blocking in [false, true] {
        let service = Service::start(clock).expect("a service");
        service.next([Answer::Status(401), Answer::Hangup, Answer::Status(503), Answer::Token]);
        service.answer_calls(403);
        let written = session(service.base_url(), blocking, 6);
        // The log is not empty, so the search could have found something.
        assert!(written.contains("colony::token") && written.contains("panicked at"), "{written:.2000}");
        let mut secrets = vec![KEY, TOTP, "planted", "e30."];
        let issued = service.issued();
        assert_eq!(
            (service.counts().logins, issued.len()),
            (4, 1),
            "a token was held and could have been told"
        );
        secrets.extend(issued.iter().map(String::as_str));
        assert_clean(&written, &secrets);
    }
}

#[tokio::test]
async fn builders_clients_and_refusals_show_no_secret() {
    let with_password = format!("http://someone:{PASSWORD}@127.0.0.1:9/api/v1");
    let mut shown = format!("{:?}", colony_async::Client::builder(KEY).base_url(&with_password));
    let directory = directory();
    // No program listens there.
    let builder = colony_async::Client::builder(KEY)
        .totp(TOTP)
        .base_url("http://127.0.0.1:9/api/v1")
        .token_cache_dir(directory.path())
        .proxy(format!("http://someone:{PASSWORD}@127.0.0.1:9"));
    shown += &format!("{builder:?}");
    let client = builder.build().expect("a client");
    let unreachable = call(&client).await.expect_err("no such proxy");
    shown += &format!("{unreachable:?} {unreachable} {:?}", std::error::Error::source(&unreachable));
    shown += &format!("{client:?} {:?}", client.transport());
    let wrong = [
        colony_async::Client::builder(format!("{KEY} \n")).build(),
        colony_async::Client::builder(KEY).base_url(with_password).build(),
        colony_async::Client::builder(KEY).base_url(format!("ftp://someone:{PASSWORD}@host")).build(),
        colony_async::Client::builder(KEY).proxy(format!("socks9://someone:{PASSWORD}@:x")).build(),
        colony_async::Client::builder(KEY).user_agent("two\nlines").build(),
    ];
    for error in wrong.map(|built| built.expect_err("wrong")) {
        shown +=
            &format!("{error:?} {error} {:?}", std::error::Error::source(&error).map(ToString::to_string));
    }
    assert_clean(&shown, &[KEY, TOTP, PASSWORD]);
}
