//! How far a watch has come, and the form in which that is kept.

use serde::{Deserialize, Serialize};

use super::EventId;
use crate::{Error, ErrorKind, Result, Timestamp};

/// How far a watch has come: the service's cursor of the oldest round that still has something undone, and what was done
/// since. Opaque; keep it as JSON.
///
/// ```
/// use colony_core::events::Position;
///
/// let kept = serde_json::to_string(&Position::now())?;
/// let position: Position = serde_json::from_str(&kept)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct Position {
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<Timestamp>,
    /// Rows up to this moment are not events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<Timestamp>,
    pub(super) done: Vec<EventId>,
}

/// The version that this crate reads and writes.
const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Form {
    v: u32,
    cursor: Option<Timestamp>,
    floor: Option<Timestamp>,
    #[serde(default)]
    done: Vec<EventId>,
}

impl TryFrom<Form> for Position {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let Form { v, cursor, floor, done } = form;
        if v != VERSION {
            return Err(format!("it is of version {v}, and this program reads version {VERSION}"));
        }
        if let Some(wrong) = [&cursor, &floor].into_iter().flatten().find(|at| at.to_system_time().is_none())
        {
            return Err(format!("{:?} is not a moment", wrong.as_str()));
        }
        Ok(Self { v, cursor, floor, done })
    }
}

impl Position {
    /// The position from which nothing that has happened is given.
    pub fn now() -> Self {
        Self::at(None, None, Vec::new())
    }

    pub(super) fn at(cursor: Option<Timestamp>, floor: Option<Timestamp>, done: Vec<EventId>) -> Self {
        Self { v: VERSION, cursor, floor, done }
    }
}

/// The state file: a position, and whose it is.
#[derive(Serialize, Deserialize)]
struct State {
    account: String,
    base_url: String,
    #[serde(flatten)]
    position: Position,
}

impl Position {
    /// Writes the state file of an account at a service.
    pub fn to_state(&self, account: &str, base_url: &str) -> String {
        let state =
            State { account: account.to_owned(), base_url: base_url.to_owned(), position: self.clone() };
        serde_json::to_string(&state).unwrap_or_default() + "\n"
    }

    /// Reads the state file of an account at a service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for what is not a whole state file of this account, this service and this version. The
    /// message says what to do, and does not name the file.
    pub fn from_state(text: &[u8], account: &str, base_url: &str) -> Result<Self> {
        let refused = |why: String| {
            Error::build(ErrorKind::Config, format!("the state file cannot be used: {why}"))
                .hint("Move it away to start from now; events since then would be lost")
                .finish()
        };
        // A later version may have other fields.
        let version = serde_json::from_slice::<serde_json::Value>(text).ok();
        let version = version.as_ref().and_then(|state| state.get("v")?.as_u64());
        if let Some(version) = version.filter(|version| *version != u64::from(VERSION)) {
            return Err(refused(format!(
                "it is of version {version}, and this program reads version {VERSION}"
            )));
        }
        let state: State = serde_json::from_slice(text).map_err(|error| refused(error.to_string()))?;
        if state.account != account {
            return Err(refused(format!("it is of the account {}, not of {account}", state.account)));
        }
        if state.base_url != base_url {
            return Err(refused(format!("it is of {}, not of {base_url}", state.base_url)));
        }
        Ok(state.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position::at(Some("2026-11-26T10:00:00Z".into()), None, vec!["post:1".into(), "gap:2".into()])
    }

    #[test]
    fn a_state_file_is_read_as_it_was_written() {
        let text = position().to_state("u1", "http://x/api/v1");
        assert_eq!(
            text.trim(),
            r#"{"account":"u1","base_url":"http://x/api/v1","v":1,"cursor":"2026-11-26T10:00:00Z","done":["post:1","gap:2"]}"#
        );
        assert_eq!(Position::from_state(text.as_bytes(), "u1", "http://x/api/v1").unwrap(), position());
    }

    #[test]
    fn what_is_not_whole_or_not_ours_is_refused() {
        let text = position().to_state("u1", "b");
        for end in 0..text.trim().len() {
            assert!(Position::from_state(&text.as_bytes()[..end], "u1", "b").is_err(), "{end}");
        }
        let cases = [
            (text.replace("\"v\":1", "\"v\":2"), "version 2"),
            (text.replace("u1", "u2"), "of the account u2"),
            (text.replace("\"b\"", "\"c\""), "of c"),
            (text.replace("2026-11-26T10:00:00Z", "today"), "not a moment"),
        ];
        for (text, why) in cases {
            let error = Position::from_state(text.as_bytes(), "u1", "b").unwrap_err();
            assert!(error.message().contains(why), "{error}");
            assert_eq!(error.kind(), ErrorKind::Config);
        }
    }
}
