//! A sample of each event that a webhook can subscribe to, with every field of the service's description:
//! `samples.jsonl`, which `COLONY_UPDATE=1 cargo test -p colony-cli --lib samples` generates from `tests/openapi`.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use strsim::normalized_damerau_levenshtein;

use crate::failure::Failure;

/// The body of a delivery: fields beside the event's name.
#[derive(Debug, Clone)]
pub(crate) struct Sample(Map<String, Value>);

/// Returns all 58, in the order of the service's list.
pub(crate) fn all() -> &'static [Sample] {
    static ALL: LazyLock<Vec<Sample>> = LazyLock::new(|| {
        let lines = include_str!("samples.jsonl").lines();
        lines.map(|line| Sample(serde_json::from_str(line).unwrap_or_default())).collect()
    });
    &ALL
}

/// Returns the sample of the event of this name.
pub(crate) fn find(event: &str) -> Option<&'static Sample> {
    all().iter().find(|sample| sample.event() == event)
}

/// Returns the sample of an event that a person named.
pub(crate) fn named(event: &str) -> Result<&'static Sample, Failure> {
    find(event).ok_or_else(|| {
        let closeness = |sample: &&Sample| normalized_damerau_levenshtein(sample.event(), event);
        let near = all().iter().max_by(|a, b| closeness(a).total_cmp(&closeness(b)));
        let near = near.filter(|near| closeness(near) > 0.6);
        let near = near.map_or_else(String::new, |near| format!(" Did you mean {}?", near.event()));
        Failure::usage(format!("there is no event {event:?}.{near} `colony trigger --list` names all"))
    })
}

impl Sample {
    /// Returns the event's name.
    pub(crate) fn event(&self) -> &str {
        self.0.get("event").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the fields, including `event`.
    pub(crate) fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Sets a field to a value given as text, parsed as the field's type; `null` is null.
    pub(crate) fn set(&mut self, field: &str, text: &str) -> Result<(), String> {
        if field == "event" || !self.0.contains_key(field) {
            let known: Vec<&str> =
                self.0.keys().map(String::as_str).filter(|name| *name != "event").collect();
            return Err(format!("{} has no field {field:?}; it has {}", self.event(), known.join(", ")));
        }
        let old = &self.0[field];
        let read: Option<Value> = match old {
            _ if text == "null" => Some(Value::Null),
            Value::String(_) => Some(text.into()),
            _ => serde_json::from_str(text).ok().filter(|new: &Value| {
                new.is_number() && old.is_number() || new.is_boolean() && old.is_boolean()
            }),
        };
        let new = read.ok_or_else(|| format!("{field} is like {old}, and {text:?} is not"))?;
        self.0.insert(field.to_owned(), new);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use colony_core::idempotency::key_for;
    use serde_json::json;

    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/openapi/schemas.json");

    /// Returns a value of this type that a field of this name may have.
    fn value(name: &str, kind: &str) -> Value {
        match (kind, name) {
            ("uuid", _) => {
                let key = key_for(&["sample", name]);
                let bytes = u128::from_str_radix(&key, 16).unwrap().to_be_bytes();
                uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string().into()
            }
            ("boolean", _) => true.into(),
            ("integer", "rating") => 5.into(),
            ("integer", "threshold" | "active_count" | "steps_completed") => 3.into(),
            ("integer", "platform_fee_sats") => 50.into(),
            ("integer", "seller_payout_sats") => 950.into(),
            ("integer", _) => 1000.into(),
            ("number", _) => json!(0.87),
            ("string", "deadline" | "expires_at") => "2026-12-01T12:00:00Z".into(),
            ("string", "emoji" | "award_icon") => "🚀".into(),
            ("string", "colony" | "org_slug") => "findings".into(),
            ("string", "org_name") => "Findings".into(),
            ("string", "post_type") => "finding".into(),
            ("string", "title" | "post_title" | "document_title") => "A sample post".into(),
            ("string", "sender_display_name" | "human_name") => "Ada Lovelace".into(),
            ("string", "user_type") => "agent".into(),
            ("string", "new_role") => "admin".into(),
            ("string", "status") => "accepted".into(),
            ("string", "severity") => "minor".into(),
            ("string", "fired_action") => "ban".into(),
            ("string", "by") => "your operator".into(),
            (
                "string",
                "award_label" | "reason" | "body_excerpt" | "message" | "result" | "revision_notes",
            ) => format!("a sample {}", name.replace('_', " ")).into(),
            ("string", _) => "ada".into(),
            other => panic!("no sample of {other:?}"),
        }
    }

    fn made() -> String {
        let schemas: Value = serde_json::from_slice(&std::fs::read(FOLDER).unwrap()).unwrap();
        let words = schemas["WebhookEvent"]["enum"].as_array().unwrap();
        let mut text = String::new();
        for event in words.iter().map(|word| word.as_str().unwrap()) {
            let letters = |word: &str| word[..1].to_uppercase() + &word[1..];
            let schema = event.split('_').map(letters).collect::<String>() + "Payload";
            let mut sample = Map::from_iter([("event".to_owned(), event.into())]);
            for field in schemas[&schema]["fields"].as_array().unwrap_or_else(|| panic!("no {schema}")) {
                let (name, kind) = (field["name"].as_str().unwrap(), field["type"].as_str().unwrap());
                let value = match (event, name) {
                    // The older name of the same field.
                    ("direct_message", "sender") => value("sender_display_name", kind),
                    _ => value(name, kind),
                };
                sample.insert(name.to_owned(), value);
            }
            text += &format!("{}\n", Value::Object(sample));
        }
        text
    }

    #[test]
    fn the_samples_are_those_of_the_description() {
        let made = made();
        if std::env::var_os("COLONY_UPDATE").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/samples.jsonl"), &made).unwrap();
        }
        assert!(made == include_str!("samples.jsonl"), "write it again with COLONY_UPDATE=1");
        assert_eq!(all().len(), 58);
        assert!(all().iter().all(|sample| find(sample.event()).is_some() && !sample.event().is_empty()));
    }

    #[test]
    fn fields_are_set_by_their_type() {
        let mut sample = find("tip_received").unwrap().clone();
        for (field, text, value) in [
            ("amount_sats", "7", json!(7)),
            ("tipper", "7", json!("7")),
            ("comment_id", "null", Value::Null),
            ("comment_id", "x", json!("x")),
        ] {
            if sample.0[field].is_null() {
                sample.0.insert(field.to_owned(), "".into());
            }
            sample.set(field, text).unwrap();
            assert_eq!(sample.fields()[field], value);
        }
        assert!(sample.set("amount_sats", "many").unwrap_err().contains("is like 7"));
        let unknown = sample.set("emoji", "x").unwrap_err();
        assert!(unknown.contains("it has amount_sats, comment_id, post_id"), "{unknown}");
        assert!(sample.set("event", "mention").is_err());
    }
}
