//! Every case of the operations.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use colony_core::registry;
use colony_tests::{
    json_lines,
    recorded::{accepted_differences, compare_outcome, is_scored},
    server::Server,
    stage::{
        API_KEY, Client, KINDS, Kind, LIFETIME, NOW, SEEDED, Settings, Stage, http_client, report, token_in,
    },
    wire, wire_folder,
};
use serde_json::{Value, json};

/// A case that Rust cannot express: the setting is not text.
const NOT_TEXT: &str = "get_auth_token/totp_not_text";

fn cases() -> Vec<Value> {
    let only = std::env::var("COLONY_VECTORS").ok();
    let mut cases = Vec::new();
    for group in registry::groups() {
        let wanted = only.as_ref().is_none_or(|only| only.split(',').any(|name| name == group.name));
        let file = format!("{}.jsonl", group.name);
        // `colony-core`'s test of the cases names missing operations.
        if group.operations.is_empty() {
            continue;
        }
        // Operations beyond the Python package were never recorded.
        if wanted && wire_folder().join(&file).exists() {
            cases.extend(
                json_lines(&file).into_iter().filter(|case| is_scored(case) && case["id"] != NOT_TEXT),
            );
        }
    }
    cases
}

#[test]
fn operations_agree_with_the_recorded_cases() {
    let cases = cases();
    let explained = accepted_differences(&wire_folder());
    let folder = tempfile::tempdir().expect("a folder");
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let (server, http) = (Server::start(), http_client());
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let id = case["id"].as_str().expect("an id");
                    if explained.contains_key(id) {
                        continue;
                    }
                    for kind in KINDS {
                        let found = differences(case, kind, &server, &http, folder.path());
                        if !found.is_empty() {
                            let row =
                                (format!("{id} ({kind:?})  {:.200}", case["kwargs"].to_string()), found);
                            failures.lock().expect("no panic before").push(row);
                        }
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no panic before");
    failures.sort();
    println!("{} of {} runs agree", 2 * cases.len() - failures.len(), 2 * cases.len());
    assert!(cases.len() > 4000 || std::env::var_os("COLONY_VECTORS").is_some(), "{} cases", cases.len());
    assert!(failures.is_empty(), "{} runs differ\n{}", failures.len(), report(&failures, 60));
}

fn differences(
    case: &Value,
    kind: Kind,
    server: &Server,
    http: &reqwest::Client,
    folder: &Path,
) -> Vec<String> {
    let directory =
        folder.join(format!("{}-{kind:?}", case["id"].as_str().expect("an id").replace('/', "-")));
    let stage = Stage::new(server, directory);
    let settings = Settings { http: Some(http.clone()), ..Settings::of_client(&case["client"]) };
    if case["token_seeded"] != json!(false) {
        stage.seed(&settings, SEEDED, NOW + LIFETIME);
    }
    let client = match stage.client(kind, &settings) {
        Ok(client) => client,
        Err(error) => return vec![format!("the client cannot be built: {error}")],
    };
    let exchanges = &case["exchanges"];
    server.play(exchanges.as_array().expect("exchanges").iter().map(|exchange| &exchange["response"]));
    let (arguments, other_base) = at_home(&case["kwargs"], server);
    let outcome = client.call(case["method"].as_str().expect("a method"), &arguments);
    let mut found = compare_outcome(case, outcome);
    let base_path = other_base.as_deref().unwrap_or(Stage::base_path(&settings));
    found.extend(wire::compare_all(exchanges, &server.take_received(), base_path));
    let slept = stage.timer.take_sleeps();
    let recorded: Vec<f64> =
        case["sleeps"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    if slept != recorded {
        found.push(format!("slept {slept:?}, recorded {recorded:?}"));
    }
    if found.is_empty() && case["after"].is_object() {
        found.extend(changes(&case["after"], &client, &stage, &settings));
    }
    found
}

/// Returns the arguments, with any base URL replaced by this server's, at a path of its own.
fn at_home(arguments: &Value, server: &Server) -> (Value, Option<String>) {
    let mut arguments = arguments.clone();
    let Some(url) = arguments.get_mut("base_url").filter(|url| url.is_string()) else {
        return (arguments, None);
    };
    // The slash at the end is part of what is recorded.
    *url = format!("http://{}/another/api/v1/", server.authority()).into();
    (arguments, Some("/another/api/v1".to_owned()))
}

/// Returns the differences in the client's state after a case, seen from outside: the token that it uses next, and
/// the key of its login if it has none.
fn changes(after: &Value, client: &Client, stage: &Stage<'_>, settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    // A refused login is shared with earlier callers, and time stands still here.
    stage.timer.advance(1.0);
    let probe = json!({"status": 200, "json": {"access_token": "probe"}});
    stage.server.play([&probe]);
    let token = client.token();
    let received = stage.server.take_received();
    let expected = after["token"].as_str();
    match (expected, &token) {
        (Some(expected), Ok(token)) if token == expected && received.is_empty() => {}
        // The recording has no key, so this case does not check the token.
        (None, Ok(token)) if token == "probe" || after.get("token").is_none() => {}
        _ => found.push(format!("token {token:?} after {} logins, recorded {expected:?}", received.len())),
    }
    if let Some(login) = received.first() {
        let key = after["api_key"].as_str().unwrap_or(API_KEY);
        if login.json().is_none_or(|body| body["api_key"] != key) {
            found.push(format!("logs in with another key than {key}: {login:?}"));
        }
    } else if after["api_key"].is_string() {
        found.push("no login showed the key".to_owned());
    }
    if let Some(left) = after["token_expires_in"].as_f64() {
        let file = token_in(&stage.file(settings));
        let expected = expected.map(|token| (token.to_owned(), NOW + left));
        if file != expected {
            found.push(format!("cache file {file:?}, recorded {expected:?}"));
        }
    }
    found
}
