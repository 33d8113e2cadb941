//! Reading arguments that `colony call` was given as JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads text, also from a number or a boolean, for arguments that the service judges by itself.
///
/// The other SDKs pass such a value on as it is; see
/// [`Request::restore_scalars`](crate::Request::restore_scalars).
pub(crate) fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string()),
        other => {
            Err(serde::de::Error::custom(format!("invalid type: expected text, got {}", kind_of(&other))))
        }
    }
}

/// The same for an argument that may be left out or `null`.
pub(crate) fn scalar_some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => scalar(value).map(Some).map_err(serde::de::Error::custom),
    }
}

/// Reads the content of a file, given as `{"$bytes_base64": "aGVsbG8="}`: JSON has no bytes.
pub(crate) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Encoded {
        #[serde(rename = "$bytes_base64")]
        text: String,
    }

    let refused = |problem: String| {
        serde::de::Error::custom(format!(
            "{problem}; give the file's content as {{\"$bytes_base64\": \"...\"}} in standard base64"
        ))
    };
    let value = Value::deserialize(deserializer)?;
    let encoded: Encoded = serde_json::from_value(value).map_err(|error| refused(error.to_string()))?;
    let content = BASE64_STANDARD.decode(encoded.text).map_err(|error| refused(error.to_string()))?;
    Ok(Bytes::from(content))
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
    fn bytes_come_as_base64_in_an_object() {
        assert_eq!(bytes(json!({"$bytes_base64": "aGVsbG8="})).unwrap(), "hello");
        assert_eq!(bytes(json!({"$bytes_base64": ""})).unwrap(), "");
        for refused in [json!("aGVsbG8="), json!({"$bytes_base64": "?"}), json!({}), json!(null)] {
            let error = bytes(refused).unwrap_err().to_string();
            assert!(error.contains("$bytes_base64"), "{error}");
        }
    }
}
