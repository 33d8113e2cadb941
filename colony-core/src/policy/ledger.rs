//! What was spent of daily budgets: one JSON line for each UTC day and operation.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// How many days are kept.
const KEPT: usize = 7;

/// What was spent, by day and operation.
///
/// The day that counts is the latest that was ever written, or the clock's, whichever is later: a clock that is set back
/// gives no budget a second time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    days: BTreeMap<String, BTreeMap<String, u32>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    day: String,
    operation: String,
    count: u32,
}

impl Ledger {
    /// Reads a ledger. No text is an empty one.
    ///
    /// # Errors
    ///
    /// For a line that is torn, of another version, or there twice. What was spent is not known then.
    pub fn read(text: &[u8]) -> Result<Self, TornLedger> {
        let text = std::str::from_utf8(text).map_err(|_| TornLedger(1))?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(TornLedger(text.lines().count()));
        }
        let mut ledger = Self::default();
        for (index, line) in text.lines().enumerate() {
            let torn = || TornLedger(index + 1);
            let line: Line = serde_json::from_str(line).map_err(|_| torn())?;
            if !is_day(&line.day) {
                return Err(torn());
            }
            let counts = ledger.days.entry(line.day).or_default();
            if counts.insert(line.operation, line.count).is_some() {
                return Err(torn());
            }
        }
        Ok(ledger)
    }

    /// The text of a ledger, of which [`read`](Self::read) makes it again.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (day, counts) in &self.days {
            for (operation, count) in counts {
                let line = Line { day: day.clone(), operation: operation.clone(), count: *count };
                text += &serde_json::to_string(&line).unwrap_or_default();
                text.push('\n');
            }
        }
        text
    }

    /// The day that counts when the clock says that it is `today`.
    pub fn day(&self, today: &str) -> String {
        self.days
            .keys()
            .next_back()
            .filter(|latest| latest.as_str() > today)
            .map_or(today, |day| day)
            .to_owned()
    }

    /// How often the operation was carried out on a day.
    pub fn spent(&self, day: &str, operation: &str) -> u32 {
        self.days.get(day).and_then(|counts| counts.get(operation)).copied().unwrap_or_default()
    }

    /// Counts one more, and forgets days long past.
    pub fn reserve(&mut self, day: &str, operation: &str) {
        let count = self.days.entry(day.to_owned()).or_default().entry(operation.to_owned()).or_default();
        *count = count.saturating_add(1);
        while self.days.len() > KEPT {
            self.days.pop_first();
        }
    }

    /// Takes one back that was counted and not carried out.
    pub fn give_back(&mut self, day: &str, operation: &str) {
        if let Some(count) = self.days.get_mut(day).and_then(|counts| counts.get_mut(operation)) {
            *count = count.saturating_sub(1);
        }
    }
}

/// The UTC day of a moment in Unix seconds: `2026-11-27`.
///
/// ```
/// assert_eq!(colony_core::policy::day_of(1_795_737_599.9), "2026-11-26");
/// assert_eq!(colony_core::policy::day_of(1_795_737_600.0), "2026-11-27");
/// ```
pub fn day_of(unix: f64) -> String {
    let moment = jiff::Timestamp::from_second(unix.floor() as i64).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime("%Y-%m-%d").to_string()
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

/// A ledger that cannot be read: it does not say what was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornLedger(usize);

impl fmt::Display for TornLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is not one of a ledger of this version", self.0)
    }
}

impl std::error::Error for TornLedger {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut ledger = Ledger::default();
        assert_eq!(Ledger::read(b"").unwrap(), ledger);
        for (day, name) in [("2026-11-26", "vote_post"), ("2026-11-27", "dm"), ("2026-11-27", "dm")] {
            ledger.reserve(day, name);
        }
        let text = ledger.to_text();
        assert!(text.ends_with("{\"day\":\"2026-11-27\",\"operation\":\"dm\",\"count\":2}\n"), "{text}");
        assert_eq!(Ledger::read(text.as_bytes()).unwrap(), ledger);
        ledger.give_back("2026-11-27", "dm");
        ledger.give_back("2026-11-01", "dm");
        assert_eq!(ledger.spent("2026-11-27", "dm"), 1);
    }

    #[test]
    fn every_torn_text_is_refused() {
        let mut ledger = Ledger::default();
        ledger.reserve("2026-11-27", "create_comment");
        ledger.reserve("2026-11-27", "vote_post");
        let whole = ledger.to_text();
        let ends: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
        for end in 1..whole.len() {
            let read = Ledger::read(&whole.as_bytes()[..end]);
            assert_eq!(read.is_ok(), ends.contains(&end), "{:?}", &whole[..end]);
        }
        for text in ["\n", "{}\n", "\0\n", "[]\n", &format!("{whole}{whole}")] {
            assert!(Ledger::read(text.as_bytes()).is_err(), "{text:?}");
        }
        for (from, to) in [("2026-11-27", "tomorrow!!"), (":1", ":-1"), (":1}", ":1,\"v\":2}")] {
            assert!(Ledger::read(whole.replace(from, to).as_bytes()).is_err(), "{to}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_gives_no_budget_a_second_time() {
        let mut ledger = Ledger::default();
        ledger.reserve("2026-11-27", "vote_post");
        assert_eq!(ledger.day("2026-11-26"), "2026-11-27");
        assert_eq!(ledger.day("2026-11-28"), "2026-11-28");
        for day in 1..=20 {
            ledger.reserve(&format!("2026-12-{day:02}"), "vote_post");
        }
        assert_eq!(ledger.days.len(), KEPT);
        assert_eq!(ledger.day("2026-12-01"), "2026-12-20");
    }
}
