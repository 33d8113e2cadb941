//! One value of a reply: `--field`, and `--jq` in builds that have it.

#[cfg(feature = "jq")]
mod jq;

use serde_json::Value;

use crate::{args::Global, failure::Failure};

/// The part of a reply to print.
#[derive(Debug, Clone)]
pub(crate) enum Select {
    /// The value at a path: `id`, `items.0.title`.
    Field(String),
    /// The results of a filter.
    #[cfg(feature = "jq")]
    Jq(String),
}

impl Select {
    /// Returns the selection of the options. An invalid filter is refused before anything is sent.
    pub(crate) fn of(global: &Global) -> Result<Option<Self>, Failure> {
        #[cfg(feature = "jq")]
        if let Some(filter) = &global.jq {
            jq::check(filter).map_err(Failure::usage)?;
            return Ok(Some(Self::Jq(filter.clone())));
        }
        Ok(global.field.clone().map(Self::Field))
    }

    /// Returns the selected values, or what is missing.
    pub(super) fn apply(&self, answer: &Value) -> Result<Vec<Value>, String> {
        match self {
            #[cfg(feature = "jq")]
            Self::Jq(filter) => jq::apply(filter, answer),
            Self::Field(path) => {
                let found = parts(path).iter().try_fold(answer, |value, part| match value {
                    Value::Object(fields) => fields.get(part),
                    Value::Array(items) => items.get(part.parse::<usize>().ok()?),
                    _ => None,
                });
                found
                    .map(|found| vec![found.clone()])
                    .ok_or_else(|| format!("the answer has no field {path:?}"))
            }
        }
    }
}

/// Returns the names and numbers of a path. A backslash makes a dot part of a name.
fn parts(path: &str) -> Vec<String> {
    let (mut parts, mut characters) = (vec![String::new()], path.chars());
    while let Some(c) = characters.next() {
        match (c, parts.last_mut()) {
            ('.', _) => parts.push(String::new()),
            ('\\', Some(last)) => last.extend(characters.next()),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_a_value() {
        let answer = json!({"id": "p1", "items": [{"title": "T", "n": null}], "a.b": {"": 3}, "x": {"1": true}, "n": 1.5,
            "deep": [[["x", {"y": []}]]], "日本": "語", "two words": 2, "big": 18_446_744_073_709_551_615_u64,
            "back\\slash": 4});
        for (path, expected) in [
            ("id", json!("p1")),
            ("items.0.title", json!("T")),
            ("items.0.n", Value::Null),
            ("items.0", json!({"title": "T", "n": null})),
            ("a\\.b.", json!(3)),
            ("x.1", json!(true)),
            ("items", json!([{"title": "T", "n": null}])),
            ("a\\.b", json!({"": 3})),
            ("x", json!({"1": true})),
            ("n", json!(1.5)),
            ("deep.0.0.0", json!("x")),
            ("deep.0.0", json!(["x", {"y": []}])),
            ("deep.0.0.1.y", json!([])),
            ("日本", json!("語")),
            ("two words", json!(2)),
            ("big", json!(18_446_744_073_709_551_615_u64)),
            ("back\\\\slash", json!(4)),
        ] {
            assert_eq!(Select::Field(path.to_owned()).apply(&answer), Ok(vec![expected]), "{path}");
        }
        for path in [
            "ID",
            "items.1",
            "items.-1",
            "items.title",
            "id.0",
            "",
            "items..0",
            ".id",
            "id.",
            "items.00x",
            "items.1e0",
            "items. 0",
            "deep.0.0.2",
            "n.0",
            "$.id",
        ] {
            let missing = Select::Field(path.to_owned()).apply(&answer).unwrap_err();
            assert!(missing.contains("no field"), "{path}");
        }
    }
}
