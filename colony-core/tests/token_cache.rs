//! Every recorded row of the Python package's token cache, against the rules of this SDK.
//!
//! Where the two differ on purpose the row stands in [`DIFFERENCES`], with the reason; a row that stands
//! there and agrees after all fails the test, and so does one that the documentation does not show. The
//! `lifecycle` rows and the modes of files are for the tests of the clients.

use std::{collections::BTreeSet, ffi::OsString, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use colony_core::token::{
    cache_path::{self, Platform},
    envelope::{Envelope, Unreadable},
    freshness::{Lifetime, MARGIN, is_absurd},
};
use secrecy::ExposeSecret;
use serde_json::Value;

/// Rows where this SDK answers otherwise, and why. The module documentation has the same as a table.
const DIFFERENCES: [(&str, &str); 21] = [
    ("xdg_relative", "the XDG specification says to ignore it"),
    ("expiry_NaN", "not a moment"),
    ("expiry_Infinity", "not a moment"),
    ("expiry_overflowing_literal", "not a moment"),
    ("expiry_string_nan", "not a moment"),
    ("expiry_string_infinity", "not a moment"),
    ("expiry_huge", "no token lives so long"),
    ("token_number", "cannot be sent"),
    ("token_list", "cannot be sent"),
    ("token_object", "cannot be sent"),
    ("token_true", "cannot be sent"),
    ("token_space", "no header can carry it"),
    ("raw_utf8", "no header can carry it"),
    ("lone_surrogate_escape", "no header can carry it"),
    ("v_2", "a newer version's fields may mean something else"),
    ("top_level_array", "never fails a call"),
    ("top_level_array_of_object", "never fails a call"),
    ("top_level_string", "never fails a call"),
    ("top_level_number", "never fails a call"),
    ("top_level_null", "never fails a call"),
    ("top_level_true", "never fails a call"),
];

fn vectors() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/wire/token_cache.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn rows<'a>(vectors: &'a Value, path: &str) -> &'a [Value] {
    let rows = vectors.pointer(path).and_then(Value::as_array).unwrap();
    assert!(!rows.is_empty(), "{path}");
    rows
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} of {row}"))
}

/// Compares an answer with the recorded one, and that with what [`DIFFERENCES`] says of the row.
fn check<T: PartialEq + std::fmt::Debug>(id: &str, ours: T, recorded: T, wrong: &mut Vec<String>) {
    let listed = DIFFERENCES.iter().any(|(row, _)| *row == id);
    if listed && ours == recorded {
        wrong.push(format!("{id}: listed as a difference, but both answer {ours:?}"));
    } else if !listed && ours != recorded {
        wrong.push(format!("{id}: recorded {recorded:?}, here {ours:?}"));
    }
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn file_names() {
    let vectors = vectors();
    for row in rows(&vectors, "/filenames/function_of_pair") {
        assert_eq!(cache_path::file_name(text(row, "base_url"), text(row, "api_key")), text(row, "filename"));
    }
    for row in rows(&vectors, "/filenames/through_client") {
        let base_url = cache_path::normalise_base_url(text(row, "client_base_url"));
        let name = cache_path::file_name(base_url, text(row, "api_key"));
        assert_eq!(name, text(row, "filename"));
        assert_eq!(name, format!("{}.json", cache_path::fingerprint(base_url, text(row, "api_key"))));
    }
}

#[test]
fn directories() {
    let vectors = vectors();
    let mut wrong = Vec::new();
    for row in rows(&vectors, "/directories") {
        let platform = match text(row, "platform") {
            "win32" => Platform::Windows,
            "darwin" => Platform::MacOs,
            _ => Platform::Linux,
        };
        let variable = |name: &str| row["env"].get(name).and_then(Value::as_str).map(OsString::from);
        let directory = cache_path::directory(platform, &variable, Some(Path::new(text(row, "home"))));
        let relative = platform == Platform::Linux && row["env"]["XDG_CACHE_HOME"] == " ";
        let id = if relative { "xdg_relative".to_owned() } else { row.to_string() };
        check(&id, directory.as_deref(), Some(Path::new(text(row, "dir"))), &mut wrong);
        if relative {
            assert_eq!(directory.as_deref(), Some(Path::new("/home/ada/.cache/colony-sdk")));
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_variable_that_turns_it_off() {
    let vectors = vectors();
    for row in rows(&vectors, "/no_token_cache_variable") {
        assert_eq!(cache_path::is_disabled(row["value"].as_str()), row["disabled"], "{row}");
    }
}

/// What a client does with a file's content.
fn look_up(bytes: &[u8], now: f64) -> Result<Option<(String, f64)>, Unreadable> {
    let envelope = Envelope::read(bytes)?;
    if is_absurd(envelope.expiry, now) {
        return Err(Unreadable::ExpiryAbsurd);
    }
    let token = envelope.token.expose_secret();
    let life = Lifetime::from_file(envelope.expiry, token);
    Ok(life.is_fresh(now).then(|| (token.to_owned(), life.stale_at)))
}

#[test]
fn reading() {
    let vectors = vectors();
    let now = vectors["now"].as_f64().unwrap();
    assert_eq!(vectors["safety_margin_seconds"], MARGIN.as_secs_f64());
    let mut wrong = Vec::new();
    let mut without_content = Vec::new();
    for row in rows(&vectors, "/reading") {
        let id = text(row, "id");
        let bytes = match (row["text"].as_str(), row["bytes_base64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(base64)) => BASE64_STANDARD.decode(base64).unwrap(),
            (None, None) => {
                without_content.push(id);
                continue;
            }
        };
        // Failed calls and hits are shown as Python has them; a token need not even be text there.
        let recorded = match (row.get("raises"), row["hit"].as_bool()) {
            (Some(class), _) => format!("raises {class}"),
            (None, Some(true)) => format!("hit {} {}", row["token"], row["expiry"]),
            _ => "miss".to_owned(),
        };
        let ours = match look_up(&bytes, now) {
            Ok(Some((token, expiry))) => format!("hit {} {}", Value::from(token), Value::from(expiry)),
            Ok(None) | Err(_) => "miss".to_owned(),
        };
        check(id, ours, recorded, &mut wrong);
    }
    assert_eq!(without_content, ["no_file", "path_is_a_directory"]);
    assert_none(&wrong);
}

#[test]
fn differences_have_the_reason_that_is_documented() {
    let vectors = vectors();
    let now = vectors["now"].as_f64().unwrap();
    for row in rows(&vectors, "/reading") {
        let id = text(row, "id");
        if !DIFFERENCES.iter().any(|(listed, _)| *listed == id) {
            continue;
        }
        let expected = match id {
            "expiry_huge" => Unreadable::ExpiryAbsurd,
            "v_2" => Unreadable::NewerVersion,
            "token_space" | "raw_utf8" | "lone_surrogate_escape" => Unreadable::TokenUnusable,
            _ if id.starts_with("expiry_") => Unreadable::ExpiryNotFinite,
            _ if id.starts_with("token_") => Unreadable::TokenNotText,
            _ => Unreadable::NotAnObject,
        };
        assert_eq!(look_up(text(row, "text").as_bytes(), now), Err(expected), "{id}");
    }
}

#[test]
fn the_documentation_lists_the_same_differences() {
    let table = include_str!("../src/token.rs").split("# Differences").nth(1).unwrap();
    // The second cell of each line has the names of the rows.
    let documented: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.split(" | ").nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let listed: BTreeSet<&str> = DIFFERENCES.iter().map(|(row, _)| *row).collect();
    // A row of the session's life, which its own tests hold.
    assert_eq!(&documented - &BTreeSet::from(["refresh_token_deletes_file"]), listed);
}

#[test]
fn every_listed_difference_is_a_row() {
    let vectors = vectors();
    let recorded: BTreeSet<&str> = rows(&vectors, "/reading").iter().map(|row| text(row, "id")).collect();
    for (row, reason) in DIFFERENCES {
        assert!(row == "xdg_relative" || recorded.contains(row), "{row} ({reason}) is not recorded");
    }
}

#[test]
fn writing() {
    let vectors = vectors();
    for row in rows(&vectors, "/writing") {
        let token = text(row, "token");
        let life = Lifetime::at_login(token, row["now"].as_f64().unwrap());
        assert_eq!(life.stale_at, row["expiry"].as_f64().unwrap(), "{row}");
        let written = Envelope { token: token.into(), expiry: life.stale_at }.write().unwrap();
        assert_eq!(written, text(row, "file_text"));
    }
}

/// The pairs of `fixtures/python_floats.txt`: a number and Python's text for it.
fn python_floats() -> impl Iterator<Item = (f64, &'static str)> {
    include_str!("fixtures/python_floats.txt").lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (bits, text) = line.split_once(' ').unwrap();
        (f64::from_bits(u64::from_str_radix(bits, 16).unwrap()), text)
    })
}

fn file(expiry: &str) -> String {
    format!(r#"{{"v": 1, "token": "eyJ.open.token", "expiry": {expiry}}}"#)
}

#[test]
fn expiries_are_written_as_python_writes_them() {
    let mut count = 0;
    for (expiry, text) in python_floats() {
        let envelope = Envelope { token: "eyJ.open.token".into(), expiry };
        assert_eq!(envelope.write().as_deref(), Ok(&*file(text)), "{:x}", expiry.to_bits());
        count += 1;
    }
    assert!(count >= 2000, "{count}");
}

#[test]
fn a_file_that_is_read_and_written_again_does_not_change() {
    let mut count = 0;
    for (expiry, text) in python_floats() {
        let before = file(text);
        match Envelope::read(before.as_bytes()) {
            Ok(envelope) => {
                assert_eq!(envelope.expiry.to_bits(), expiry.to_bits(), "{text}");
                assert_eq!(envelope.write().as_ref(), Ok(&before));
                count += 1;
            }
            Err(reason) => {
                assert_eq!(reason, Unreadable::ExpiryAbsurd, "{text}");
                assert!(expiry > 250_000_000_000.0, "{text}");
            }
        }
    }
    assert!(count >= 1500, "{count}");
}
