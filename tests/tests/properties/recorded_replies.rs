//! Recorded replies as a later version of the service might send them, and invalid replies.
//!
//! The service only adds: fields, values of enumerations, kinds of objects. So a recorded success with fields added
//! everywhere, and with every text replaced by another, must still be read by the same operation.

use std::{cell::Cell, fs};

use bytes::Bytes;
use colony_core::{
    Reply, Result,
    registry::{self, Operation},
};
use colony_tests::soundness;
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{bytes, holds, json, text};

/// Objects that map names to numbers or texts. They grow by entries of the same kind, so no other field can be added.
const TABLES: [&str; 5] = ["chip_counts", "reactions", "urls", "categories", "counts"];

/// One recorded success of one request.
struct Recorded {
    id: String,
    operation: &'static Operation,
    arguments: Value,
    body: Value,
}

/// Returns the recorded successes whose replies the operation reads unchanged.
fn recorded() -> Vec<Recorded> {
    let mut found = Vec::new();
    let mut skipped = 0;
    let mut files: Vec<_> = fs::read_dir(colony_tests::wire_folder())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    for path in files {
        if path.extension().is_none_or(|extension| extension != "jsonl")
            || path.ends_with("client_behaviour.jsonl")
        {
            continue;
        }
        for line in fs::read_to_string(&path).expect("text").lines() {
            let case: Value = serde_json::from_str(line).expect("a case");
            let exchanges = case["exchanges"].as_array().expect("exchanges");
            let (Some(operation), [exchange]) =
                (registry::find(case["method"].as_str().expect("a method")), &exchanges[..])
            else {
                continue;
            };
            let response = &exchange["response"];
            let success = response["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
            let (true, true, Some(body)) = (success, case["raises"].is_null(), response.get("json")) else {
                continue;
            };
            let recorded = Recorded {
                id: case["id"].as_str().expect("an id").to_owned(),
                operation,
                arguments: case["kwargs"].clone(),
                body: body.clone(),
            };
            match recorded.read(&recorded.body) {
                Some(Ok(_)) => found.push(recorded),
                Some(Err(_)) => skipped += 1,
                None => {}
            }
        }
    }
    println!("{} recorded successes, {skipped} that are not read as they are", found.len());
    assert!(found.len() > 500 && skipped * 10 < found.len());
    found
}

fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    Reply::new(StatusCode::from_u16(status).expect("a status"), HeaderMap::new(), body.into())
}

impl Recorded {
    /// Reads this body as the operation does; `None` if it needs no reply.
    fn read(&self, body: &Value) -> Option<Result<Vec<String>>> {
        self.answer(reply(200, body.to_string()))
    }

    fn answer(&self, reply: Reply) -> Option<Result<Vec<String>>> {
        soundness::answer(self.operation, self.arguments.clone(), reply)
    }
}

/// Picks one of them at random.
fn one(of: &[Recorded]) -> impl Strategy<Value = &Recorded> + '_ {
    (0..of.len()).prop_map(|index| &of[index])
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.id, self.body)
    }
}

/// Adds a field to every object that is not a table.
fn grown(value: &Value, name: &str, added: &Value, is_table: bool) -> Value {
    match value {
        Value::Object(fields) => {
            // Or a map from users' ids.
            let is_table = is_table || !fields.is_empty() && fields.keys().all(|key| key.len() == 36);
            let mut all: Map<String, Value> = fields
                .iter()
                .map(|(key, value)| (key.clone(), grown(value, name, added, TABLES.contains(&&**key))))
                .collect();
            if !is_table {
                all.insert(name.to_owned(), added.clone());
            }
            Value::Object(all)
        }
        Value::Array(items) => items.iter().map(|item| grown(item, name, added, false)).collect(),
        other => other.clone(),
    }
}

/// Replaces every text.
fn reworded(value: &Value, word: &str) -> Value {
    match value {
        Value::String(_) => Value::from(word),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), reworded(value, word))).collect()
        }
        Value::Array(items) => items.iter().map(|item| reworded(item, word)).collect(),
        other => other.clone(),
    }
}

#[test]
fn unknown_fields_never_break_a_reply() {
    let recorded = recorded();
    let values = (one(&recorded), "new_[a-z_]{0,12}", json());
    holds("a recorded reply with fields added", values, |(recorded, name, added)| {
        let grown = grown(&recorded.body, &name, &added, false);
        recorded.read(&grown).expect("as before").unwrap_or_else(|error| panic!("{}: {error}", recorded.id));
    });
}

#[test]
fn unknown_words_never_break_a_reply() {
    let recorded = recorded();
    let word = prop_oneof![text(), "[a-z_]{1,12}"];
    holds("a recorded reply with other words", (one(&recorded), word), |(recorded, word)| {
        let reworded = reworded(&recorded.body, &word);
        recorded
            .read(&reworded)
            .expect("as before")
            .unwrap_or_else(|error| panic!("{}: {error}", recorded.id));
    });
}

#[test]
fn a_reply_of_any_bytes_and_status_is_read_or_an_error() {
    let recorded = recorded();
    let errors = Cell::new(0_u32);
    let damaged = one(&recorded)
        .prop_flat_map(|recorded| (Just(recorded), crate::damaged(recorded.body.to_string().into_bytes())));
    let body = prop_oneof![
        2 => damaged,
        1 => (one(&recorded), bytes()),
        2 => (one(&recorded), json().prop_map(|value| value.to_string().into_bytes())),
        // The body of one operation as the answer to another.
        1 => (one(&recorded), one(&recorded).prop_map(|other| other.body.to_string().into_bytes())),
    ];
    let status = prop_oneof![2 => Just(200), 1 => 100..1000_u16];
    holds("a reply of any bytes and status", (body, status), |((recorded, body), status)| {
        let answer = recorded.answer(reply(status, body)).expect("as before");
        errors.set(errors.get() + u32::from(answer.is_err()));
    });
    assert!(errors.get() > 0, "nothing was ever wrong");
}
