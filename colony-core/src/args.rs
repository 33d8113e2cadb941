//! Reading arguments that `colony call` was given as JSON.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, value::MapAccessDeserializer},
};
use serde_json::Value;

use crate::{Content, JsonObject};

/// Reads text, also from a number or a boolean, for arguments that the service judges by itself.
///
/// The other SDKs pass such a value on as it is; see
/// [`Request::restore_scalars`](crate::Request::restore_scalars).
pub(crate) fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string()),
        other => Err(de::Error::custom(format!("invalid type: expected text, got {}", kind_of(&other)))),
    }
}

/// Reads the content of a file, given as `{"$bytes_base64": "aGVsbG8="}`: JSON has no bytes.
pub(crate) fn content<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Encoded {
        #[serde(rename = "$bytes_base64")]
        text: String,
    }

    let refused = |problem: String| {
        de::Error::custom(format!(
            "{problem}; give the file's content as {{\"$bytes_base64\": \"...\"}} in standard base64"
        ))
    };
    let value = Value::deserialize(deserializer)?;
    let encoded: Encoded = serde_json::from_value(value).map_err(|error| refused(error.to_string()))?;
    let content = BASE64_STANDARD.decode(encoded.text).map_err(|error| refused(error.to_string()))?;
    Ok(Content::from(content))
}

/// Reads all arguments of an operation that takes open-ended ones beside the named. `flatten` would do
/// that too, but does not tell the names, by which [`registry`](crate::registry) lists them.
pub(crate) fn open_ended<'de, D: Deserializer<'de>>(
    deserializer: D,
    operation: &'static str,
    named: &'static [&'static str],
) -> Result<JsonObject, D::Error> {
    struct Visitor;

    impl<'de> de::Visitor<'de> for Visitor {
        type Value = JsonObject;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of arguments")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<JsonObject, A::Error> {
            JsonObject::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_struct(operation, named, Visitor)
}

/// Takes a named argument out of all arguments.
pub(crate) fn take<T: DeserializeOwned, E: de::Error>(
    arguments: &mut JsonObject,
    name: &'static str,
) -> Result<T, E> {
    let value = arguments.remove(name).ok_or_else(|| E::missing_field(name))?;
    serde_json::from_value(value).map_err(|error| E::custom(format!("argument {name}: {error}")))
}

/// The same for an optional argument; to be used with `#[serde(default)]`.
pub(crate) fn optional_scalar<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(value) => scalar(value).map(Some).map_err(de::Error::custom),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Array(_) => "a list",
        _ => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn open_ended_arguments_keep_what_has_no_name() {
        let mut rest = open_ended(json!({"colony": "x", "rules": null}), "update", &["colony"]).unwrap();
        let colony: String = take::<_, serde_json::Error>(&mut rest, "colony").unwrap();
        assert_eq!((colony.as_str(), json!(rest)), ("x", json!({"rules": null})));
        let missing = take::<String, serde_json::Error>(&mut rest, "colony").unwrap_err().to_string();
        assert!(missing.contains("missing field `colony`"), "{missing}");
    }

    #[test]
    fn bytes_come_as_base64_in_an_object() {
        assert_eq!(content(json!({"$bytes_base64": "aGVsbG8="})).unwrap(), Content::from("hello"));
        assert_eq!(content(json!({"$bytes_base64": ""})).unwrap(), Content::from(""));
        for refused in [json!("aGVsbG8="), json!({"$bytes_base64": "?"}), json!({}), json!(null)] {
            let error = content(refused).unwrap_err().to_string();
            assert!(error.contains("$bytes_base64"), "{error}");
        }
    }
}
