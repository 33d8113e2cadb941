//! Arguments that an operation accepts.

use colony_tests::openapi::{Description, Field};
use serde_json::{Map, Value, json};

use crate::{
    Covered,
    draw::{Draw, UUID, Way},
};

/// Arguments that cannot be guessed; `null` for one that excludes the others.
const GIVEN: [(&str, &str, &str); 14] = [
    (
        "attest_post",
        "signer",
        r#"{"$ed25519_seed_hex": "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"}"#,
    ),
    ("create_reminder", "duration", "null"),
    ("get_reaction_users", "comment_id", "null"),
    ("get_user_comments", "user_id", "null"),
    ("get_user_notarisations", "user_id", "null"),
    ("iter_user_comments", "user_id", "null"),
    ("react_comment", "emoji", r#""fire""#),
    ("react_post", "emoji", r#""fire""#),
    ("report_comment", "reason", r#""other""#),
    ("report_post", "reason", r#""other""#),
    ("suppress_suggestions", "username", "null"),
    ("subscribe_premium", "period", r#""monthly""#),
    ("vote_comment", "value", "1"),
    ("vote_post", "value", "1"),
];

/// Returns values for all arguments of the operation.
pub(crate) fn all(description: &Description, covered: &Covered<'_>) -> Result<Value, String> {
    let names = covered.operation.arguments();
    let start = names.iter().map(|name| (*name, 0)).collect();
    let mut arguments = settle(description, covered, start)?;
    // Some accept more than the ones they name.
    for field in fields(description, covered).iter().filter(|field| field.place.is_none()) {
        if arguments.get(&field.name).is_none() && !names.contains(&&*field.name) {
            let mut more = arguments.clone();
            more[&field.name] = Draw::new(description, Way::Full(0)).field(field);
            if covered.operation.prepare(more.clone()).is_ok() {
                arguments = more;
            }
        }
    }
    Ok(arguments)
}

/// Returns the fewest arguments that the operation accepts.
pub(crate) fn fewest(description: &Description, covered: &Covered<'_>) -> Result<Value, String> {
    settle(description, covered, Vec::new())
}

/// Tries values until the arguments are accepted: an error names the one that is wrong or missing.
fn settle(
    description: &Description,
    covered: &Covered<'_>,
    mut chosen: Vec<(&'static str, usize)>,
) -> Result<Value, String> {
    let operation = covered.operation;
    let names = operation.arguments();
    for _ in 0..200 {
        let arguments: Map<String, Value> = chosen
            .iter()
            .map(|(name, index)| ((*name).to_owned(), candidates(description, covered, name)[*index].clone()))
            .filter(|(_, value)| !value.is_null())
            .collect();
        let Err(error) = operation.prepare(arguments.clone().into()) else { return Ok(arguments.into()) };
        let message = error.message();
        let named = |name: &&&str| {
            message.strip_prefix("argument ").is_some_and(|rest| rest.starts_with(&format!("{name}:")))
                || message.starts_with(&format!("{name} "))
                || message.contains(&format!("`{name}`"))
        };
        let name = names.iter().filter(named).max_by_key(|name| name.len());
        let Some(name) = name.or_else(|| names.iter().find(|name| message.contains(**name))) else {
            return Err(message.to_owned());
        };
        match chosen.iter_mut().find(|(known, _)| known == name) {
            None => chosen.push((name, 0)),
            Some((_, index)) => {
                *index += 1;
                if *index == candidates(description, covered, name).len() {
                    return Err(format!("no value for {name}: {message}"));
                }
            }
        }
    }
    Err("no end".to_owned())
}

fn candidates(description: &Description, covered: &Covered<'_>, name: &str) -> Vec<Value> {
    let given = GIVEN
        .iter()
        .filter(|(operation, argument, _)| *operation == covered.operation.name && *argument == name);
    let mut values: Vec<Value> =
        given.map(|(_, _, value)| serde_json::from_str(value).expect("JSON")).collect();
    let declared = fields(description, covered).into_iter().find(|field| field.name == name);
    values.extend(declared.map(|field| Draw::new(description, Way::Full(0)).field(field)));
    values.extend([
        json!(UUID),
        json!(3),
        json!(true),
        json!([UUID]),
        json!(["a", "b"]),
        json!({"a key": "a value"}),
        json!("some-text"),
        json!("2026-09-19T08:30:00Z"),
        json!({"$bytes_base64": "aGVsbG8="}),
        json!([{"a key": "a value"}]),
    ]);
    values
}

/// Returns every parameter and every body field of the description.
pub(crate) fn fields<'d>(description: &'d Description, covered: &Covered<'d>) -> Vec<&'d Field> {
    let facts = covered.facts;
    let mut fields: Vec<&Field> = facts.params.iter().collect();
    if let Some(body) = &facts.body {
        fields.extend(&body.fields);
        if let Some(colony_tests::openapi::Type::Schema(name)) = &body.schema {
            fields.extend(&description.schema(name).fields);
        }
    }
    fields
}
