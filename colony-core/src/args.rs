//! Reading arguments that `colony call` was given as JSON.

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

/// The same for an optional argument; to be used with `#[serde(default)]`.
pub(crate) fn optional_scalar<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(value) => scalar(value).map(Some).map_err(serde::de::Error::custom),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Array(_) => "a list",
        _ => "an object",
    }
}
