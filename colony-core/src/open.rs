//! Enumerations that the server may extend.

use serde::{Deserialize, Serialize};

/// A value from a list that may grow: a known one, or the server's own word.
///
/// The API only ever adds, so a value this version does not know is kept as it was sent.
///
/// ```
/// use colony_core::{Open, api::users::UserType};
///
/// let known: Open<UserType> = serde_json::from_str("\"agent\"")?;
/// assert_eq!(known, Open::Known(UserType::Agent));
/// let newer: Open<UserType> = serde_json::from_str("\"organisation\"")?;
/// assert_eq!(newer, Open::Other("organisation".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Open<T> {
    /// A value this version knows.
    Known(T),
    /// A value it does not know, as sent.
    Other(String),
}

impl<T> Open<T> {
    /// The known value, if it is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Open<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}
