//! Every recorded answer is read by its type: as it was, with fields and words that this version does
//! not know, and with nothing where something was.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use colony_core::registry;
use serde_json::{Map, Value, json};

/// Answers that the types refuse, by a part of the case's name, with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("/not_text_", "the recorded server echoes the number 42 where the service writes text"),
    ("get_me/null_body", "a profile that is `null` is no profile; the raw call gives it"),
    ("iter_posts/items_not_objects", "a row that is a word is no post; the raw walk gives it"),
];

/// Fields whose absence is an error: without them there is no answer.
const ESSENTIAL: &[&str] = &["already_member", "api_key", "claim_token", "message", "post"];

/// Fields that hold a map: their keys are data, so an unknown one is not an unknown field.
const MAPS: &[&str] = &["reactions", "categories", "chip_counts", "urls"];

/// A recorded success.
struct Success {
    id: String,
    method: String,
    answer: Value,
}

/// One success for each different answer of each operation.
fn successes() -> Vec<Success> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/wire");
    let mut seen = BTreeSet::new();
    let mut successes = Vec::new();
    for group in registry::groups() {
        let Ok(text) = fs::read_to_string(folder.join(format!("{}.jsonl", group.name))) else { continue };
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).expect("a case");
            let [id, method] = ["id", "method"].map(|key| case[key].as_str().expect("text").to_owned());
            let is_new = case["raises"].is_null() && seen.insert(format!("{method} {}", case["returns"]));
            if is_new && case["returns"].get("$bytes_base64").is_none() && registry::find(&method).is_some() {
                successes.push(Success { id, method, answer: case["returns"].clone() });
            }
        }
    }
    successes
}

/// Reads every answer after a change, and fails with a list of those that cannot be read. Gives the
/// rows of the table that were needed.
fn check(change: fn(Value) -> Value) -> BTreeSet<&'static str> {
    let mut failures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut refused = BTreeSet::new();
    let successes = successes();
    assert!(successes.len() > 700, "{} answers", successes.len());
    for Success { id, method, answer } in &successes {
        let operation = registry::find(method).expect("looked up before");
        let Err(error) = operation.check_answer(change(answer.clone())) else { continue };
        match REFUSED.iter().find(|(part, _)| id.contains(part)) {
            Some((part, _)) => drop(refused.insert(*part)),
            None => failures.entry(format!("{method}: {error}")).or_default().push(id.clone()),
        }
    }
    let lines: Vec<String> =
        failures.iter().map(|(error, ids)| format!("{error} ({}, {} in all)", ids[0], ids.len())).collect();
    assert!(lines.is_empty(), "{} answers cannot be read:\n{}", lines.len(), lines.join("\n"));
    refused
}

fn change_objects(value: Value, name: &str, change: &dyn Fn(&mut Map<String, Value>)) -> Value {
    match value {
        Value::Object(map) => {
            let inside = |(key, value): (String, Value)| {
                let value = change_objects(value, &key, change);
                (key, value)
            };
            let mut map: Map<String, Value> = map.into_iter().map(inside).collect();
            if !MAPS.contains(&name) {
                change(&mut map);
            }
            Value::Object(map)
        }
        Value::Array(items) => items.into_iter().map(|item| change_objects(item, name, change)).collect(),
        other => other,
    }
}

#[test]
fn every_recorded_answer_is_read_by_its_type() {
    let refused = check(|answer| answer);
    let stale: Vec<_> = REFUSED.iter().filter(|(part, _)| !refused.contains(part)).collect();
    assert!(stale.is_empty(), "these are read by now: {stale:?}");
}

#[test]
fn unknown_fields_are_no_obstacle() {
    check(|answer| {
        change_objects(answer, "", &|map| {
            map.insert("a_field_of_tomorrow".to_owned(), json!({"nested": [1, "two", null]}));
        })
    });
}

/// Every text becomes an unknown word: also those in fields with a list of known words.
#[test]
fn unknown_words_are_no_obstacle() {
    fn reword(value: Value) -> Value {
        match value {
            Value::String(_) => json!("a word of tomorrow"),
            Value::Array(items) => items.into_iter().map(reword).collect(),
            Value::Object(map) => map.into_iter().map(|(key, value)| (key, reword(value))).collect(),
            other => other,
        }
    }
    check(reword);
}

#[test]
fn null_is_no_obstacle() {
    // The innermost values first, then everything below the answer itself.
    check(|answer| {
        change_objects(answer, "", &|map| blank(map, |value| !value.is_object() && !value.is_array()))
    });
    check(|answer| match answer {
        Value::Object(mut map) => {
            // An answer by id (`get_presence`) is a map, too.
            let by_id = map.keys().any(|key| key.contains('-'));
            blank(&mut map, if by_id { |value| !value.is_object() } else { |_| true });
            Value::Object(map)
        }
        other => other,
    });
}

fn blank(map: &mut Map<String, Value>, which: fn(&Value) -> bool) {
    for (_, value) in map.iter_mut().filter(|(key, value)| which(value) && !ESSENTIAL.contains(&key.as_str()))
    {
        *value = Value::Null;
    }
}

#[test]
fn absence_is_no_obstacle() {
    check(|answer| {
        change_objects(answer, "", &|map| {
            map.retain(|key, value| {
                value.is_object() || value.is_array() || ESSENTIAL.contains(&key.as_str())
            });
        })
    });
    check(|answer| match answer {
        Value::Object(mut map) => {
            map.retain(|key, _| ESSENTIAL.contains(&key.as_str()));
            Value::Object(map)
        }
        other => other,
    });
}
