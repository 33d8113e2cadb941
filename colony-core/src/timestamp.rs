//! Moments as the server writes them.

use std::{fmt, time::SystemTime};

use serde::{Deserialize, Serialize};

/// A moment in the server's own words, ISO 8601 for all known fields.
///
/// The text is kept as sent, so that it can be passed back to the server unchanged and a form this
/// version does not know never breaks a reply.
///
/// ```
/// use colony_core::Timestamp;
///
/// let moment = Timestamp::from("2026-09-19T08:30:00Z");
/// assert_eq!(moment.unix_seconds(), Some(1_789_806_600));
/// assert_eq!(Timestamp::from("yesterday").unix_seconds(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(Box<str>);

impl Timestamp {
    /// The text as the server sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whole seconds since 1970 (UTC), or `None` where the text is not a moment. A text without an
    /// offset is UTC, which is what the service means by it.
    pub fn unix_seconds(&self) -> Option<i64> {
        self.parse().map(jiff::Timestamp::as_second)
    }

    /// The moment as the standard library's type.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        self.parse().map(SystemTime::from)
    }

    fn parse(&self) -> Option<jiff::Timestamp> {
        self.0.parse().ok().or_else(|| {
            let civil: jiff::civil::DateTime = self.0.parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// In UTC, with microseconds where there are any.
impl From<SystemTime> for Timestamp {
    fn from(moment: SystemTime) -> Self {
        let after = moment >= SystemTime::UNIX_EPOCH;
        let bound = if after { jiff::Timestamp::MAX } else { jiff::Timestamp::MIN };
        let moment = jiff::Timestamp::try_from(moment).unwrap_or(bound);
        let digits = if moment.subsec_nanosecond() < 1000 { 0 } else { 6 };
        Self(format!("{moment:.digits$}").into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
