//! The models of the Python package and what it makes of a reply, against the models here.
//!
//! One rule covers most differences: where the server said nothing, the Python package invents a value
//! (`""`, `0`, `"agent"`), and a model here has none. `null` is nothing, so a second name is looked at
//! then too. What else differs stands in a table.

use std::{fs, path::PathBuf};

use colony_core::api::{
    colonies::Colony,
    comments::Comment,
    echoes::{Echo, EchoedPost},
    messages::Message,
    moderation::ModInvitation,
    notifications::Notification,
    organisations::{
        OrgDelegationGrant, OrgDisclosureRecipient, OrgDomainChallenge, OrgInvitation, OrgMember,
        OrgMembership, OrgPendingInvite, OrgResource, Organisation,
    },
    polls::PollResults,
    posts::{ForYouEntry, ForYouFeed, Post},
    puzzles::Puzzle,
    users::User,
    webhooks::Webhook,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// A Python model's name, and the model here, from JSON to JSON.
type Model = (&'static str, fn(&Value) -> Result<Value, String>);

const MODELS: &[Model] = &[
    ("User", convert::<User>),
    ("Post", convert::<Post>),
    ("Comment", convert::<Comment>),
    ("EchoPost", convert::<EchoedPost>),
    ("Echo", convert::<Echo>),
    ("Message", convert::<Message>),
    ("Notification", convert::<Notification>),
    ("Colony", convert::<Colony>),
    ("Webhook", convert::<Webhook>),
    ("PollResults", convert::<PollResults>),
    ("ForYouEntry", convert::<ForYouEntry>),
    ("ForYouFeed", convert::<ForYouFeed>),
    ("Organisation", convert::<Organisation>),
    ("OrgMembership", convert::<OrgMembership>),
    ("OrgMember", convert::<OrgMember>),
    ("ModInvite", convert::<ModInvitation>),
    ("OrgInvitation", convert::<OrgInvitation>),
    ("OrgPendingInvite", convert::<OrgPendingInvite>),
    ("OrgResource", convert::<OrgResource>),
    ("OrgDelegationGrant", convert::<OrgDelegationGrant>),
    ("OrgDomainChallenge", convert::<OrgDomainChallenge>),
    ("OrgDisclosureRecipient", convert::<OrgDisclosureRecipient>),
    ("Puzzle", convert::<Puzzle>),
];

/// Where a Python field is found here, when it is not under its own name; the first that is there.
const PLACES: &[(&str, &str, &[&str])] = &[
    ("*", "author_id", &["author.id", "author_id"]),
    ("*", "author_username", &["author.username", "author_username"]),
    ("*", "author_display_name", &["author.display_name", "author_display_name"]),
    ("Message", "read", &["is_read"]),
    ("Notification", "type", &["notification_type"]),
    ("Notification", "read", &["is_read"]),
    ("Notification", "from_user_id", &["actor.id"]),
    ("Notification", "from_username", &["actor.username"]),
    ("Echo", "user", &["author"]),
    // As `ModInvitation::id` has it.
    ("ModInvite", "invite_id", &["invitation_id", "invite_id"]),
    ("ModInvite", "invitation_id", &["invitation_id", "invite_id"]),
];

/// Models whose Python form is something else here.
const ELSEWHERE: &[(&str, &str)] =
    &[("RateLimitInfo", "is read from a reply's headers by the clients, and tested there")];

/// Vectors that come out otherwise on purpose.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("Notification", "server names that are not read", "they are read here"),
    ("OrgMember", "visibility is coerced to bool", "a word is no truth value, so it is an error"),
    ("OrgPendingInvite", "visibility is coerced to bool", "a number is no truth value, so it is an error"),
    ("OrgDelegationGrant", "is_active is coerced to bool", "a number is no truth value, so it is an error"),
    ("Post", "wrong types pass through", "the fields have types here"),
    ("Post", "zero and false become defaults where empty values do", "the fields have types here"),
];

fn convert<T: DeserializeOwned + Serialize>(input: &Value) -> Result<Value, String> {
    let model: T = serde_json::from_value(input.clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(model).map_err(|error| error.to_string())
}

fn recorded() -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/wire/models.json");
    serde_json::from_slice(&fs::read(file).expect("models.json")).expect("models.json")
}

fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// The value here of a Python field.
fn here<'a>(model: &str, converted: &'a Value, field: &str) -> &'a Value {
    let place = PLACES.iter().find(|(of, name, _)| (*of == model || *of == "*") && *name == field);
    let own = [field];
    let paths = place.map_or(&own[..], |(_, _, paths)| paths);
    paths.iter().map(|path| at(converted, path)).find(|value| !is_nothing(value)).unwrap_or(&Value::Null)
}

/// Nothing was said: `None`, no rows, an empty text.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// The recorded description of a field.
fn description<'a>(recorded: &'a Value, model: &str, field: &str) -> &'a Value {
    let fields = recorded["models"][model]["fields"].as_array().expect("fields");
    let is_called =
        |x: &&Value| x["name"] == field || x["from"].as_array().is_some_and(|x| x.contains(&json!(field)));
    fields.iter().find(is_called).unwrap_or(&Value::Null)
}

/// Compares a Python model as data with the same here.
fn compare(recorded: &Value, model: &str, python: &Value, rust: &Value, out: &mut Vec<String>) {
    for (field, expected) in python.as_object().expect("an object") {
        let found = here(model, rust, field);
        let description = description(recorded, model, field);
        let declared = description["type"].as_str().unwrap_or_default();
        let inner = MODELS.iter().find(|(name, _)| declared.contains(name)).map(|(name, _)| *name);
        match (inner, expected, found) {
            (Some(inner), Value::Object(_), Value::Object(_)) => {
                compare(recorded, inner, expected, found, out);
            }
            (Some(inner), Value::Array(rows), Value::Array(found)) if rows.len() == found.len() => {
                for (row, found) in rows.iter().zip(found) {
                    compare(recorded, inner, row, found, out);
                }
            }
            // The platform's own names: a poll's `votes` is `vote_count` here, and so on.
            (None, Value::Array(rows), Value::Array(found)) if rows.iter().all(Value::is_object) => {
                if rows.len() != found.len() {
                    out.push(format!("{field}: {} rows instead of {}", found.len(), rows.len()));
                }
            }
            _ if expected == found => {}
            _ if is_nothing(found) && (is_nothing(expected) || *expected == description["when_absent"]) => {}
            _ => out.push(format!("{field}: {found}, recorded {expected}")),
        }
    }
}

#[test]
fn conversions_agree_with_the_recorded_ones() {
    let recorded = recorded();
    let vectors = recorded["vectors"].as_array().expect("vectors");
    assert!(vectors.len() >= 48, "{} vectors", vectors.len());
    let mut failures = Vec::new();
    for vector in vectors {
        let [name, note] = ["model", "note"].map(|key| vector[key].as_str().expect("text"));
        let Some((_, convert)) = MODELS.iter().find(|(model, _)| *model == name) else {
            failures.push(format!("{name}: no such model here"));
            continue;
        };
        let mut found = Vec::new();
        match (convert(&vector["input"]), vector.get("to_dict")) {
            (Ok(converted), Some(python)) => compare(&recorded, name, python, &converted, &mut found),
            (Err(error), Some(_)) => found.push(error),
            (Ok(_), None) => found.push("was read, recorded an exception".to_owned()),
            (Err(_), None) => {}
        }
        let on_purpose = DIFFERENT.iter().any(|(model, which, _)| (*model, *which) == (name, note));
        match (on_purpose, found.is_empty()) {
            (false, false) => failures.push(format!("{name}, {note}: {}", found.join("; "))),
            (true, true) => failures.push(format!("{name}, {note}: agrees by now; take it off the table")),
            _ => {}
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A value of a Python type, and another one.
fn samples(declared: &str) -> (Value, Value) {
    let declared = declared.trim_end_matches(" | None");
    match declared {
        "str" => (json!("one"), json!("two")),
        "int" => (json!(3), json!(4)),
        "float" => (json!(0.25), json!(0.75)),
        "bool" => (json!(false), json!(true)),
        "list[str]" => (json!(["one"]), json!(["two"])),
        "dict[str, int]" => (json!({"one": 1}), json!({"two": 2})),
        "dict[str, Any]" => (json!({"one": [1]}), json!({"two": null})),
        _ if declared.starts_with("list[") => (json!([{"id": "one"}]), json!([{"id": "two"}])),
        _ => (json!({"id": "one"}), json!({"id": "two"})),
    }
}

/// An object in which this path leads to a value; the rest of the pairs likewise.
fn object(pairs: &[(&str, &Value)]) -> Value {
    let mut map = Map::new();
    for (path, value) in pairs {
        match path.split_once('.') {
            Some((outer, inner)) => drop(map.insert(outer.to_owned(), json!({inner: value}))),
            None => drop(map.insert((*path).to_owned(), (*value).clone())),
        }
    }
    Value::Object(map)
}

#[test]
fn every_field_is_read_from_all_its_names() {
    let recorded = recorded();
    let mut failures = Vec::new();
    for (name, model) in recorded["models"].as_object().expect("models") {
        if ELSEWHERE.iter().any(|(model, _)| model == name) {
            continue;
        }
        let Some((_, convert)) = MODELS.iter().find(|(model, _)| model == name) else {
            failures.push(format!("{name}: no such model here"));
            continue;
        };
        for field in model["fields"].as_array().expect("fields") {
            let field_name = field["name"].as_str().expect("a name");
            let names: Vec<&str> =
                field["from"].as_array().into_iter().flatten().flat_map(Value::as_str).collect();
            let (one, two) = samples(field["type"].as_str().expect("a type"));
            let mut expect = |pairs: &[(&str, &Value)], expected: Option<&Value>| {
                let input = object(pairs);
                let (fits, found) = match convert(&input) {
                    Err(error) => (false, error),
                    Ok(converted) => {
                        let found = here(name, &converted, field_name);
                        let fits = match expected {
                            None => is_nothing(found),
                            Some(Value::Object(_)) if found.is_object() => true,
                            Some(Value::Array(rows)) if rows[0].is_object() => {
                                found.as_array().map(Vec::len) == Some(rows.len())
                            }
                            Some(expected) => found == expected,
                        };
                        (fits, found.to_string())
                    }
                };
                if !fits {
                    failures.push(format!("{name}.{field_name} from {input}: {found}"));
                }
            };
            let null = Value::Null;
            expect(&[], None);
            for key in &names {
                expect(&[(*key, &one)], Some(&one));
                expect(&[(*key, &null)], None);
            }
            if let [first, second] = names[..] {
                expect(&[(first, &one), (second, &two)], Some(&one));
                expect(&[(second, &two), (first, &one)], Some(&one));
                expect(&[(first, &null), (second, &two)], Some(&two));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
