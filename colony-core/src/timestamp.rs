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
        // Before 1970 the library counts the fraction backwards, from the second that follows.
        let fraction = moment.subsec_nanosecond().rem_euclid(1_000_000_000);
        let digits = if fraction < 1000 { 0 } else { 6 };
        Self(format!("{moment:.digits$}").into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn microseconds_are_written_on_both_sides_of_1970() {
        let written = |before: bool, nanos| {
            let distance = Duration::from_nanos(nanos);
            let moment =
                if before { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance };
            Timestamp::from(moment).to_string()
        };
        assert_eq!(written(false, 1_500_000_999), "1970-01-01T00:00:01.500000Z");
        assert_eq!(written(false, 1_000_000_999), "1970-01-01T00:00:01Z");
        assert_eq!(written(true, 1_000), "1969-12-31T23:59:59.999999Z");
        assert_eq!(written(true, 999_999_000), "1969-12-31T23:59:59.000001Z");
        assert_eq!(written(true, 1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(written(true, 1_000_000_000), "1969-12-31T23:59:59Z");
    }
}
