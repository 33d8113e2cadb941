//! The cache file during the life of a client.

use std::{fs, path::Path, process::Command};

use colony_tests::{
    json_file,
    recorded::{Outcome, kind_of},
    server::Server,
    stage::{Client, KINDS, Kind, NOW, Settings, Stage, report, token_in},
};
use serde_json::{Value, json};

/// Names a row for a child process, whose environment the row sets.
const ROW: &str = "COLONY_TESTS_ROW";

/// Returns the reply to a recorded request; only its status is recorded.
fn reply(request: &Value, step: &Value) -> Value {
    let status = request[3].as_u64().expect("a status");
    if status != 200 {
        let code = step["raises"]["code"].as_str().unwrap_or("AUTH_TOKEN_REJECTED");
        return json!({"status": status, "json": {"detail": {"code": code, "message": "no"}}});
    }
    let body = match request[1].as_str().expect("a path") {
        "/auth/token" => json!({"access_token": step["token_in_memory"]}),
        "/auth/rotate-key" | "/auth/recover-key/confirm" => json!({"api_key": "col_open_another"}),
        _ => json!({"id": "x"}),
    };
    json!({"status": 200, "json": body})
}

fn differences(row: &Value, kind: Kind, server: &Server, directory: &Path) -> Vec<String> {
    let (stage, setup) = (Stage::new(server, directory), &row["setup"]);
    let settings = Settings {
        cache_token: setup["cache_token"].as_bool(),
        totp: setup["totp"].as_str().map(str::to_owned),
        ..Settings::default()
    };
    if let Some(cached) = setup["cached"].as_array() {
        stage.seed(&settings, cached[0].as_str().expect("a token"), cached[1].as_f64().expect("an expiry"));
    }
    let client = stage.client(kind, &settings).expect("a client");
    let mut found = Vec::new();
    for (index, step) in row["steps"].as_array().expect("steps").iter().enumerate() {
        let requests = step["requests"].as_array().expect("requests");
        let replies: Vec<Value> = requests.iter().map(|request| reply(request, step)).collect();
        server.play(&replies);
        let outcome = client.call(step["call"].as_str().expect("a call"), &step["kwargs"]);
        let mut differs = |what: &str, ours: Value, recorded: &Value| {
            if ours != *recorded {
                found.push(format!("step {}: {what} {ours}, recorded {recorded}", index + 1));
            }
        };
        let made: Vec<Value> = server
            .take_received()
            .iter()
            .zip(requests.iter().map(|request| request[3].clone()).chain(std::iter::repeat(Value::Null)))
            .map(|(x, status)| {
                json!([x.method, x.path().replacen("/api/v1", "", 1), x.header("authorization"), status])
            })
            .collect();
        differs("requests", json!(made), &step["requests"]);
        let error = outcome.as_ref().err();
        let kind = error.map(|error| error.kind().as_str());
        differs("error", json!(kind), &json!(step["raises"]["type"].as_str().and_then(kind_of)));
        if let Some(error) = error {
            differs("status", json!(error.status()), &step["raises"]["status"]);
            differs("code", json!(error.code()), &step["raises"]["code"]);
        }
        let file = stage.file(&settings);
        // The file stays until the requested login replaces it.
        if step["call"] == "refresh_token" && step["file_exists"] == false {
            differs("file exists", json!(file.exists()), &json!(true));
            continue;
        }
        differs("file exists", json!(file.exists()), &step["file_exists"]);
        differs("token in the file", json!(token_in(&file).map(|(token, _)| token)), &step["file_token"]);
    }
    let last = row["steps"].as_array().expect("steps").last().expect("a step");
    found.extend(memory(last, &client, &stage, setup.get("totp").is_none()));
    found
}

/// Compares the client's token after the last step, seen from outside: it uses the token without a request until a
/// minute before the recorded expiry, and no longer.
fn memory(step: &Value, client: &Client, stage: &Stage<'_>, sound_code: bool) -> Vec<String> {
    let probe = json!({"status": 200, "json": {"access_token": "probe"}});
    let mut found = Vec::new();
    stage.server.play([&probe]);
    let expiry = step["expiry_in_memory"].as_f64().expect("an expiry");
    let recorded = step["token_in_memory"].as_str();
    if recorded.is_some() {
        stage.timer.set(expiry - 60.5);
        let token = client.token().ok();
        if token.as_deref() != recorded || !stage.server.take_received().is_empty() {
            found.push(format!("token {token:?} in memory, recorded {recorded:?}"));
        }
        stage.timer.set(expiry - 60.0);
    } else {
        // A refused login is shared with earlier callers, and time stands still here.
        stage.timer.advance(1.0);
    }
    let token = client.token();
    // A client with an invalid code sends no request, but its error shows that it tried to log in.
    if token.as_ref().is_err_and(|error| error.argument() == Some("totp")) && !sound_code {
        return found;
    }
    if token.as_deref().ok() != Some("probe") || stage.server.take_received().len() != 1 {
        found.push(format!("token {token:?} where a login was due, recorded {recorded:?}"));
    }
    found
}

/// Runs a row in a separate process, with the row's environment.
fn in_child(id: &str, variables: &Value) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "lifecycle::every_row_agrees", "--nocapture"]).env(ROW, id);
    for (name, value) in variables.as_object().expect("variables") {
        child.env(name, value.as_str().expect("text"));
    }
    let output = child.output().expect("a child");
    let text = String::from_utf8_lossy(&output.stdout);
    // Without this check a filter that matches nothing would pass.
    if output.status.success() && text.contains("1 rows agree") {
        return Vec::new();
    }
    vec![format!("in a process of its own: {text}{}", String::from_utf8_lossy(&output.stderr))]
}

#[test]
fn every_row_agrees() {
    let (file, server, folder) =
        (json_file("token_cache.json"), Server::start(), tempfile::tempdir().expect("a folder"));
    let only = std::env::var(ROW).ok();
    let (mut failures, mut agreed) = (Vec::new(), 0);
    for row in file["lifecycle"].as_array().expect("rows") {
        let id = row["id"].as_str().expect("an id");
        if only.as_ref().is_some_and(|only| only != id) {
            continue;
        }
        let found = match row["setup"].get("env") {
            Some(variables) if only.is_none() => in_child(id, variables),
            _ => KINDS
                .iter()
                .flat_map(|kind| {
                    differences(row, *kind, &server, &folder.path().join(format!("{id}-{kind:?}")))
                })
                .collect(),
        };
        agreed += usize::from(found.is_empty());
        if !found.is_empty() {
            failures.push((id.to_owned(), found));
        }
    }
    println!("{agreed} rows agree");
    assert!(failures.is_empty() && agreed >= 1, "{}", report(&failures, 20));
}

/// Logs a client in, in this directory, and returns its token.
fn log_in(kind: Kind, server: &Server, directory: &Path) -> String {
    let stage = Stage::new(server, directory);
    let client = stage.client(kind, &Settings::default()).expect("a client");
    let login = json!({"status": 200, "json": {"access_token": "jwt-1"}});
    server.play([&login, &json!({"status": 200, "json": {"id": "x"}})]);
    let outcome = client.call("get_me", &json!({}));
    assert!(matches!(outcome, Ok(Outcome::Json(_))), "{outcome:?}");
    assert_eq!(server.take_received().len(), 2, "one login, one call");
    client.token().expect("a token")
}

/// Returns the names in a directory, except the log's.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name != colony_async::LOG_FILE);
    names.sort();
    names
}

#[test]
fn a_login_makes_the_folders_and_one_private_file() {
    let (file, server) = (json_file("token_cache.json"), Server::start());
    let writing = &file["writing"][1];
    assert_eq!(writing["now"], NOW);
    for kind in KINDS {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = folder.path().join("a/b/colony-sdk");
        assert_eq!(log_in(kind, &server, &directory), "jwt-1");
        let path = Stage::new(&server, &directory).file(&Settings::default());
        assert_eq!(fs::read_to_string(&path).expect("the file"), writing["file_text"]);
        // The file, and the lock beside it, which is never removed. No temporary file is left.
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(names(&directory), [name.clone(), name.replace(".json", ".lock")]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o7777;
            assert_eq!(format!("0o{:o}", mode(&path)), writing["mode_octal"].as_str().expect("a mode"));
            assert_eq!(mode(&directory), 0o700);
            assert_eq!(mode(&folder.path().join("a")), 0o700);
        }
    }
}

#[test]
fn a_folder_in_the_file_s_place_is_a_miss_and_fails_nothing() {
    let server = Server::start();
    for kind in KINDS {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Stage::new(&server, folder.path()).file(&Settings::default());
        fs::create_dir(&path).expect("a folder in its place");
        assert_eq!(log_in(kind, &server, folder.path()), "jwt-1");
        assert!(path.is_dir(), "what is in the way is left alone");
        let left: Vec<String> =
            names(folder.path()).into_iter().filter(|name| name.ends_with(".tmp")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn no_file_costs_a_login_and_the_next_client_finds_one() {
    let server = Server::start();
    for kind in KINDS {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(log_in(kind, &server, folder.path()), "jwt-1");
        let stage = Stage::new(&server, folder.path());
        server.play([]);
        for other in KINDS {
            let client = stage.client(other, &Settings::default()).expect("a client");
            assert_eq!(client.token().expect("a token"), "jwt-1");
        }
        assert!(server.take_received().is_empty());
    }
}
