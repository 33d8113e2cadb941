//! Reading fields of a reply that the server may send as `null`.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the type's default: no rows, an empty text.
pub(crate) fn as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
