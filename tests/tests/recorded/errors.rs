//! Every recorded reply that is an error, or nearly one: kind, status, code, body, message, the wait that the server
//! asked for, and the waits between tries.

use std::time::Duration;

use colony_core::{Error, Result, retry::RetryPolicy};
use colony_tests::{
    json_file,
    recorded::{Outcome, compare_outcome, kind_of, segments},
    server::Server,
    stage::{KINDS, Kind, LIFETIME, NOW, SEEDED, Settings, Stage, http_client, recorded_policy, report},
};
use serde_json::{Value, json};

const REPEATED: &str = "what cannot have acted, or is known again by its key, is sent again";
const EMPTY: &str = "an empty success where JSON is due is an error";
const SECOND_TOKEN: &str = "a 401 leads to one round with another token on uploads and downloads as well";
const WAIT_TOLD: &str = "Retry-After is told whatever the operation";
const NOT_UTF8: &str = "text that is not UTF-8 is a reply that cannot be read, not a failure of another kind";
const NOT_JSON: &str = "a reply that is not what was expected is an error of this SDK's own";
const NUMBER: &str = "a number in the place of a message says nothing; the status does";
const VALIDATION: &str = "the message names the fields in place of a printed Python list";
const PADDED: &str = "white space around a header's value is no part of it, and over a wire it is not seen";

/// Rows where this SDK differs deliberately. A row that agrees fails the test. `docs/differences.md` has the same as
/// a table.
pub(crate) const DIFFERENCES: [(&str, &str); 30] = [
    ("body_detail_number", NUMBER),
    ("body_invalid_utf8", NOT_UTF8),
    ("success_invalid_utf8", NOT_UTF8),
    ("success_not_json", NOT_JSON),
    ("register_begin_success_not_json", NOT_JSON),
    ("register_confirm_success_not_json", NOT_JSON),
    ("oauth_json_array", NOT_JSON),
    ("retry_after_padded", PADDED),
    ("read_timeout_is_not_wrapped", "a time-out is a network error"),
    ("upload_401", SECOND_TOKEN),
    ("download_401", SECOND_TOKEN),
    ("upload_429_text_header", "a Retry-After that is no number counts as absent"),
    ("download_429", WAIT_TOLD),
    ("download_429_long", WAIT_TOLD),
    ("register_begin_429", WAIT_TOLD),
    ("register_confirm_429", WAIT_TOLD),
    ("body_detail_list", VALIDATION),
    ("retry_after_date", "a date is waited for as seconds are"),
    ("success_empty", EMPTY),
    ("oauth_429", REPEATED),
    ("connection_refused", REPEATED),
    ("connection_refused_is_not_retried", REPEATED),
    ("connection_refused_on_login", REPEATED),
    ("refused_after_503", REPEATED),
    ("upload_429", REPEATED),
    ("upload_503", REPEATED),
    ("upload_refused", REPEATED),
    ("download_503", REPEATED),
    ("download_refused", REPEATED),
    ("download_429_text_header", REPEATED),
];

fn seconds(value: &Value, key: &str) -> Option<Duration> {
    value[key].as_f64().map(Duration::from_secs_f64)
}

fn policy(start: RetryPolicy, recorded: &Value) -> RetryPolicy {
    let mut policy = start;
    if let Some(times) = recorded["max_retries"].as_u64() {
        policy = policy.max_retries(times.try_into().expect("a small number"));
    }
    if let Some(delay) = seconds(recorded, "base_delay") {
        policy = policy.base_delay(delay);
    }
    if let Some(delay) = seconds(recorded, "max_delay") {
        policy = policy.max_delay(delay);
    }
    if let Some(wait) = seconds(recorded, "max_retry_after") {
        policy = policy.max_retry_after(wait);
    }
    if let Some(statuses) = recorded["retry_on"].as_array() {
        let statuses: Vec<u16> = statuses.iter().map(|x| x.as_u64().expect("a status") as u16).collect();
        policy = policy.retry_on(statuses);
    }
    policy
}

fn differences(row: &Value, kind: Kind, http: &reqwest::Client, stage: &Stage<'_>) -> Vec<String> {
    let server = stage.server;
    let silent =
        row["responses"].as_array().expect("responses").iter().any(|x| x["network_error"] == "timeout");
    let settings = Settings {
        retry: Some(policy(recorded_policy(), &row["retry"])),
        auth_retry: Some(policy(RetryPolicy::for_login(), &row["auth_token_retry"])),
        // The client waits only for a server that never answers.
        timeout: silent.then_some(Duration::from_millis(100)),
        http: Some(http.clone()),
        ..Settings::of_client(&row["client"])
    };
    if row["token_seeded"] == json!(true) {
        stage.seed(&settings, SEEDED, NOW + LIFETIME);
    }
    let client = stage.client(kind, &settings).expect("a client");
    server.play(row["responses"].as_array().expect("responses"));
    let outcome = client.call(row["method"].as_str().expect("a method"), &row["kwargs"]);
    let mut found = details(row, &outcome);
    found.extend(compare_outcome(row, outcome));
    // A pause of zero is not counted.
    let slept: Vec<f64> = stage.timer.take_sleeps();
    let recorded: Vec<f64> = row["sleeps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .filter(|x| *x > 0.0)
        .collect();
    if slept != recorded {
        found.push(format!("slept {slept:?}, recorded {recorded:?}"));
    }
    let made: Vec<Vec<String>> = server
        .take_received()
        .iter()
        .map(|request| segments(&format!("{} {}", request.method, request.path().replacen("/api/v1", "", 1))))
        .collect();
    let recorded: Vec<Vec<String>> = row["requests"]
        .as_array()
        .expect("requests")
        .iter()
        .map(|x| segments(x.as_str().expect("text")))
        .collect();
    if made != recorded {
        found.push(format!("requests {made:?}, recorded {recorded:?}"));
    }
    found
}

/// Compares the details of an error that only these rows record.
fn details(row: &Value, outcome: &Result<Outcome>) -> Vec<String> {
    let (Err(error), raises) = (outcome, &row["raises"]) else { return Vec::new() };
    let mut found = Vec::new();
    let wait = error.retry_after().map(|wait| wait.as_secs());
    // The package reports it only with a 429.
    if error.is_rate_limited() && wait != raises["retry_after"].as_u64() {
        found.push(format!("retry after {wait:?}, recorded {}", raises["retry_after"]));
    }
    if kind_of(raises["type"].as_str().unwrap_or_default()).is_none() {
        return found;
    }
    // A body that can hold a secret is not kept, and an array or a text is not compared.
    let body = error.body().filter(|body| body.is_object() && **body != raises["response"]);
    found.extend(body.map(|body| format!("body {body}, recorded {}", raises["response"])));
    found.extend(compare_message(row, error));
    found
}

/// Compares the server's text in the message. Without one, each SDK has its own wording.
fn compare_message(row: &Value, error: &Error) -> Option<String> {
    let recorded = row["raises"]["message"]["detail"].as_str()?;
    let last = row["responses"].as_array()?.last()?;
    let said = |text: &str| {
        last["json"]["detail"].is_array() || !text.is_empty() && last["json"].to_string().contains(text)
    };
    // The package puts OAuth's code before its description; here it is the error's code.
    let text = error.code().and_then(|code| recorded.strip_prefix(&format!("{code}: "))).unwrap_or(recorded);
    (said(text) && error.message() != text)
        .then(|| format!("message {:?}, recorded {recorded:?}", error.message()))
}

#[test]
fn every_row_agrees_or_is_listed() {
    let (file, server, folder) =
        (json_file("errors.json"), Server::start(), tempfile::tempdir().expect("a folder"));
    let rows = file["cases"].as_array().expect("cases");
    let (http, mut failures) = (http_client(), Vec::new());
    for row in rows {
        let id = row["id"].as_str().expect("an id");
        let listed = DIFFERENCES.iter().find(|(listed, _)| *listed == id);
        for kind in KINDS {
            let stage = Stage::new(&server, folder.path().join(format!("{id}-{kind:?}")));
            let found = differences(row, kind, &http, &stage);
            match (listed, found.is_empty()) {
                (None, false) => failures.push((format!("{id} ({kind:?})"), found)),
                (Some((_, reason)), true) => {
                    failures.push((id.to_owned(), vec![format!("agrees, though listed: {reason}")]));
                }
                _ => {}
            }
        }
    }
    println!("{} rows, {} of them listed as differences", rows.len(), DIFFERENCES.len());
    for (id, _) in DIFFERENCES {
        assert!(rows.iter().any(|row| row["id"] == id), "{id} is listed, but no row");
    }
    assert!(rows.len() >= 190 && failures.is_empty(), "{}", report(&failures, 60));
}
