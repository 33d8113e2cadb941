//! Moments as the server writes them.

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr, time::SystemTime};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

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
    /// offset is UTC, which is what the service means by it, unless it names a time zone (`[Europe/Paris]`).
    pub fn unix_seconds(&self) -> Option<i64> {
        self.parse().map(jiff::Timestamp::as_second)
    }

    /// The moment as the standard library's type.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        self.parse().map(SystemTime::from)
    }

    fn parse(&self) -> Option<jiff::Timestamp> {
        let text = &*nine_digits(&self.0);
        if let Ok(moment) = text.parse() {
            return Some(moment);
        }
        if text.contains('[') {
            return text.parse::<jiff::Zoned>().ok().map(|zoned| zoned.timestamp());
        }
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    }
}

/// The text with the fraction of a second cut to nanoseconds.
fn nine_digits(text: &str) -> Cow<'_, str> {
    let Some(point) = text.find(['.', ',']) else { return text.into() };
    let digits = text[point + 1..].bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 9 {
        text.into()
    } else {
        format!("{}{}", &text[..point + 10], &text[point + 1 + digits..]).into()
    }
}

/// By the moment; a text that is not one comes first. Two texts for one moment are ordered by their letters, since they
/// are not equal.
impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parse().cmp(&other.parse()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Takes only a moment. [`From`] takes any text, as the service might send it.
impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let moment = Self::from(text);
        match moment.parse() {
            Some(_) => Ok(moment),
            None => Err(Error::argument_refused(
                "timestamp",
                format!("{text:?} is not a moment; write it like 2026-09-19T08:30:00Z"),
            )),
        }
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
    fn a_time_zone_is_honoured_and_further_digits_are_cut() {
        let nanos = |text: &str| {
            let since = Timestamp::from(text).to_system_time()?.duration_since(SystemTime::UNIX_EPOCH);
            Some(since.unwrap().as_nanos())
        };
        let at = |seconds: u128, nanos: u128| Some(seconds * 1_000_000_000 + nanos);
        assert_eq!(nanos("2026-09-19T08:30:00.123456789012Z"), at(1_789_806_600, 123_456_789));
        assert_eq!(nanos("2026-09-19T10:30:00.123456789012+02:00"), at(1_789_806_600, 123_456_789));
        assert_eq!(nanos("2026-09-19T08:30:00,1234567890123456"), at(1_789_806_600, 123_456_789));
        assert_eq!(nanos("2026-09-19T10:30:00+02:00[Europe/Paris]"), at(1_789_806_600, 0));
        assert_eq!(nanos("2026-09-19T08:30:00Z[Europe/Paris]"), at(1_789_806_600, 0));
        // Where the system knows the zone; never taken for UTC where it does not.
        if let Some(found) = nanos("2026-09-19T10:30:00[Europe/Paris]") {
            assert_eq!(Some(found), at(1_789_806_600, 0));
        }
        assert_eq!(nanos("2026-09-19T10:30:00[Nowhere/At_All]"), None);
    }

    #[test]
    fn moments_are_in_order_and_read_from_text() {
        let mut all = ["2026-09-19T10:30:00+02:00", "soon", "2026-09-19T08:29:59Z", "2026-09-19T09:00:00"];
        all.sort_by_key(|text| Timestamp::from(*text));
        assert_eq!(all, ["soon", "2026-09-19T08:29:59Z", "2026-09-19T10:30:00+02:00", "2026-09-19T09:00:00"]);
        assert_eq!("2026-09-19T08:30:00Z".parse::<Timestamp>().unwrap().to_string(), "2026-09-19T08:30:00Z");
        assert!("soon".parse::<Timestamp>().unwrap_err().is_invalid_argument());
    }

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
