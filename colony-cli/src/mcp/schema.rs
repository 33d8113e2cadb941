//! An operation's arguments as JSON Schema, from the same table as `colony call NAME --help`.

use serde_json::{Map, Value, json};

use crate::operation_docs::{Argument, OperationDocs};

/// The longest idempotency key of a caller, in characters.
pub(super) const LONGEST_REQUEST_ID: usize = 200;

/// Bounds beyond which an operation itself refuses a number: the operation, the argument, the minimum, the maximum.
const BOUNDS: &[(&str, &str, i64, i64)] = &[("create_puzzle", "difficulty", 1, 5)];

/// Returns the schema of an operation's arguments.
pub(super) fn of(docs: &OperationDocs) -> Map<String, Value> {
    let fields =
        docs.arguments.iter().map(|argument| (argument.name.clone(), property(argument), argument.required));
    let mut schema = object(fields);
    for (_, name, least, most) in BOUNDS.iter().filter(|(operation, ..)| *operation == docs.name) {
        schema["properties"][name]["minimum"] = (*least).into();
        schema["properties"][name]["maximum"] = (*most).into();
    }
    if docs.open {
        schema.insert("additionalProperties".to_owned(), true.into());
    }
    schema
}

/// Returns the schema of a tool that takes some of an operation's arguments.
pub(super) fn picked(docs: &OperationDocs, names: &[&str]) -> Map<String, Value> {
    let picked =
        names.iter().filter_map(|name| docs.arguments.iter().find(|argument| argument.name == *name));
    object(picked.map(|argument| (argument.name.clone(), property(argument), argument.required)))
}

/// Returns an object schema with exactly these fields: names, schemas, whether they are required.
pub(super) fn object(fields: impl IntoIterator<Item = (String, Value, bool)>) -> Map<String, Value> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, schema, is_required) in fields {
        if is_required {
            required.push(Value::from(name.clone()));
        }
        properties.insert(name, schema);
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// Returns the argument by which a caller distinguishes requests.
pub(super) fn request_id() -> (String, Value, bool) {
    let docs = "Tells this request from an equal one: what is repeated with the same one is done once.";
    (
        "request_id".to_owned(),
        json!({"type": "string", "maxLength": LONGEST_REQUEST_ID, "description": docs}),
        false,
    )
}

fn property(argument: &Argument) -> Value {
    let mut schema = kind(&argument.kind);
    if !argument.words.is_empty() {
        schema["enum"] = argument.choices().into();
    }
    schema["description"] = argument.docs.clone().into();
    schema
}

fn kind(kind: &str) -> Value {
    match kind {
        "integer" => json!({"type": "integer"}),
        "number" => json!({"type": "number"}),
        "boolean" => json!({"type": "boolean"}),
        "object" => json!({"type": "object"}),
        "any JSON" => json!({}),
        "bytes" => json!({
            "type": "object", "properties": {"$bytes_base64": {"type": "string"}},
            "required": ["$bytes_base64"], "additionalProperties": false,
        }),
        _ => match kind.strip_prefix("list of ") {
            Some(of) => json!({"type": "array", "items": self::kind(of)}),
            None => json!({"type": "string"}),
        },
    }
}
