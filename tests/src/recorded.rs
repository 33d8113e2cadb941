//! The recorded cases that are scored, and the comparison of outcomes. `colony-core` tests against the same cases
//! without sockets, and includes this file by its path, because that crate cannot depend on this one.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use colony_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

/// Classes of cases that do not apply to a typed language.
const UNSCORED: [&str; 12] = [
    "/falsy_",
    "/alias_",
    "/max_results",
    "/null_instead",
    "/bad_key_",
    "/typed_",
    "/empty_content_type",
    "/blank_content_type",
    "/chars_content_type",
    "/not_text_content_type",
    "/blank_filename",
    "/never",
];

/// The outcome of a case.
#[derive(Debug)]
pub enum Outcome {
    /// JSON.
    Json(Value),
    /// A download.
    Bytes(Bytes),
    /// The connection broke; how a client reports that is not compared.
    #[allow(dead_code, reason = "only where nothing is sent")]
    NoReply,
}

/// Returns whether this SDK has to agree with a case. Cases with their own client settings are for tests that have a
/// client.
pub fn is_scored(case: &Value) -> bool {
    let id = case["id"].as_str().expect("an id");
    let arguments = case["kwargs"].as_object().expect("arguments");
    let seed = arguments.values().any(|value| value.get("$ed25519_seed_hex").is_some());
    let is_set = |key: &str| case.get(key).is_some_and(|value| !value.is_null());
    !(is_set("quirk")
        || is_set("warnings")
        || seed
        || case["raises"]["type"].as_str().is_some_and(|class| kind_of(class).is_none())
        || UNSCORED.iter().any(|class| id.contains(class)))
}

/// Returns the cases where this SDK differs deliberately, with the reasons.
pub fn accepted_differences(folder: &Path) -> BTreeMap<String, String> {
    let text = fs::read(folder.join("differences.json")).expect("differences.json");
    serde_json::from_slice(&text).expect("differences.json")
}

/// Returns the name of the error kind of an exception; `None` for exceptions that escaped by accident.
pub fn kind_of(class: &str) -> Option<&'static str> {
    Some(match class {
        "ColonyAuthError" => "auth",
        "ColonyTwoFactorRequiredError" => "two_factor_required",
        "ColonyTwoFactorInvalidError" => "two_factor_invalid",
        "ColonyNotFoundError" => "not_found",
        "ColonyConflictError" => "conflict",
        "ColonyValidationError" => "validation",
        "ColonyRateLimitError" => "rate_limit",
        "ColonyServerError" => "server",
        "ColonyAPIError" => "api",
        "ColonyNetworkError" => "network",
        "ValueError" | "TypeError" | "NotImplementedError" => "invalid_argument",
        _ => return None,
    })
}

/// Returns the differences between an outcome and a recorded one (an object with `returns` and `raises`).
pub fn compare_outcome(recorded: &Value, outcome: Result<Outcome>) -> Vec<String> {
    let mut out = Vec::new();
    let raises = &recorded["raises"];
    match (outcome, raises["type"].as_str()) {
        (Ok(Outcome::NoReply), _) => {}
        (Ok(_), Some(class)) => out.push(format!("succeeded, recorded {class}")),
        (Ok(Outcome::Json(value)), None) => {
            let (mut got, mut want) = (value, recorded["returns"].clone());
            count_reasons(&mut got, &mut want);
            if mask(got.clone()) != mask(want.clone()) {
                out.push(format!("result {got}, recorded {want}"));
            }
        }
        (Ok(Outcome::Bytes(bytes)), None) => {
            if recorded["returns"]["$bytes_base64"].as_str() != Some(&BASE64_STANDARD.encode(bytes)) {
                out.push("bytes differ".to_owned());
            }
        }
        (Err(error), None) => out.push(format!("failed: {error}")),
        (Err(error), Some(class)) => compare_error(raises, class, &error, &mut out),
    }
    out
}

fn compare_error(raises: &Value, class: &str, error: &Error, out: &mut Vec<String>) {
    if error.kind().as_str() != kind_of(class).unwrap_or("-") {
        out.push(format!("error kind {:?} ({error}), recorded {class}", error.kind()));
        return;
    }
    if error.kind() == ErrorKind::InvalidArgument {
        return;
    }
    let status = raises["status"].as_u64().filter(|status| *status != 0);
    if error.status().map(u64::from) != status {
        out.push(format!("status {:?}, recorded {status:?}", error.status()));
    }
    let code = raises["code"].as_str().filter(|code| !code.is_empty());
    if error.code().filter(|code| !code.is_empty()) != code {
        out.push(format!("code {:?}, recorded {code:?}", error.code()));
    }
}

/// Replaces the reasons of a locally computed answer by their number: the wording is this SDK's own, and only the
/// number is recorded.
fn count_reasons(got: &mut Value, want: &mut Value) {
    if want.get("reasons_count").is_none() {
        return;
    }
    got["reasons_count"] = json!(got["reasons"].as_array().map_or(0, Vec::len));
    for (map, keys) in [(got, &["notes", "reasons"][..]), (want, &["notes_count"][..])] {
        for key in keys {
            map.as_object_mut().expect("an object").remove(*key);
        }
    }
}

/// Replaces the name that each SDK sends for itself.
pub fn mask(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| {
                let own =
                    key == "client" && value.as_str().is_some_and(|name| name.starts_with("colony-sdk"));
                (key, if own { json!("<sdk>") } else { mask(value) })
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(mask).collect(),
        // 90.0 and 90 are the same number on the wire.
        Value::Number(number) => number.as_f64().map_or(Value::Null, |number| json!(number)),
        other => other,
    }
}

/// Returns the decoded segments of a path.
pub fn segments(path: &str) -> Vec<String> {
    path.split('/').map(decode).collect()
}

/// Undoes percent-encoding.
pub fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Returns pairs of text, sorted for comparison.
pub fn pairs(recorded: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut pairs: Vec<(String, String)> =
        recorded.as_array().into_iter().flatten().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    pairs.sort();
    pairs
}
