//! A memory beside the cache file of operations that refuse every token with 401.
//!
//! A misconfigured gateway, or a right that is missing, may make one operation answer 401 whatever token comes
//! with it. Without a memory each such call would cost a login. So when an operation refuses even the token
//! that was just issued for it, the operation and a hash of that token are remembered, for 2 s at first and for
//! twice as long with each further refusal, up to 30 minutes. While *that* token is in use, the operation's 401
//! is final; any other token's 401 leads to a new login as ever (rule 7 of the design). A success of the
//! operation removes it.
//!
//! The login that was made because of such a 401 is remembered too, as an *expected* refusal, until the operation has
//! answered: others that were refused the same token wait a moment for that instead of logging in as well.
//!
//! Like a [`Note`](super::cooldown::Note) this is a hint: a program that cannot read it logs in.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{cache_path::short_hex, freshness::CLOCK_GRACE};

/// How long the first refusal is remembered.
pub const FIRST: Duration = Duration::from_secs(2);
/// The longest time that a refusal is remembered.
pub const LONGEST: Duration = Duration::from_secs(30 * 60);
/// The most entries that are kept; the oldest go first.
pub const MAX_ENTRIES: usize = 64;
/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 32 * 1024;
/// The longest name of an operation that is remembered, in bytes: the path of a raw call may be any length.
const MAX_NAME: usize = 256;
/// How long an entry that has ended still counts for the length of the next one, in seconds.
const KEPT: f64 = 2.0 * LONGEST.as_secs() as f64;

/// The operations that refuse a token, and which token.
///
/// ```
/// use colony_core::token::refusals::Refusals;
///
/// let (token, now) = ("eyJ.just.issued".into(), 1_790_000_000.0);
/// let mut refusals = Refusals::default();
/// refusals.add("get_posts", &token, now);
/// let read = Refusals::read(refusals.write().as_bytes()).unwrap();
/// assert!(read.stands("get_posts", &token, now + 1.9));
/// assert!(!read.stands("get_posts", &token, now + 2.0));
/// assert!(!read.stands("get_posts", &"eyJ.another.token".into(), now + 1.0));
/// assert!(!read.stands("create_post", &token, now + 1.0));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Refusals(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    operation: String,
    /// The first 16 hex digits of the token's SHA-256.
    token: String,
    /// Unix seconds.
    since: f64,
    /// Unix seconds.
    until: f64,
    /// The operation has not answered yet.
    #[serde(default, skip_serializing_if = "is_false")]
    expected: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize, Deserialize)]
struct File {
    v: u64,
    refusals: Vec<Entry>,
}

impl Refusals {
    /// Reads the file's content. `None` for whatever is not one, a newer version's included.
    pub fn read(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let File { v, mut refusals } = serde_json::from_slice(text).ok()?;
        refusals.retain(|entry| entry.since.is_finite() && entry.until.is_finite());
        (v == 1).then_some(Self(refusals))
    }

    /// The file's content: one JSON object.
    pub fn write(&self) -> String {
        serde_json::to_string(&File { v: 1, refusals: self.0.clone() }).unwrap_or_default()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this operation is remembered, with whatever token.
    pub fn names(&self, operation: &str) -> bool {
        self.0.iter().any(|entry| entry.operation == operation)
    }

    /// Whether this operation's 401 is final while this token is in use, at `now` (Unix seconds).
    pub fn stands(&self, operation: &str, token: &SecretString, now: f64) -> bool {
        self.find(operation, token, now).is_some_and(|entry| !entry.expected)
    }

    /// Returns whether another caller has just logged in for this operation and waits for its answer, at `now` (Unix seconds).
    pub fn is_expected(&self, operation: &str, token: &SecretString, now: f64) -> bool {
        self.find(operation, token, now).is_some_and(|entry| entry.expected)
    }

    fn find(&self, operation: &str, token: &SecretString, now: f64) -> Option<&Entry> {
        let token = hash(token);
        self.0.iter().find(|entry| entry.operation == operation && entry.token == token && entry.holds(now))
    }

    /// Remembers for [`FIRST`] that this token was got because this operation refused another. Returns whether that
    /// is news.
    pub fn expect(&mut self, operation: &str, token: &SecretString, now: f64) -> bool {
        self.enter(operation, token, now, FIRST.as_secs_f64(), true)
    }

    /// Remembers that an operation refused a token that was just issued. Returns whether that is news.
    pub fn add(&mut self, operation: &str, token: &SecretString, now: f64) -> bool {
        self.0.retain(|entry| entry.is_dated_well(now) && now < entry.until + KEPT);
        let known = self.0.iter().filter(|entry| entry.operation == operation && !entry.expected);
        let before = known.map(|entry| entry.until - entry.since).max_by(f64::total_cmp);
        let span = before.map_or(FIRST.as_secs_f64(), |before| (before * 2.0).min(LONGEST.as_secs_f64()));
        self.enter(operation, token, now, span, false)
    }

    fn enter(&mut self, operation: &str, token: &SecretString, now: f64, span: f64, expected: bool) -> bool {
        let is_known = self.find(operation, token, now).is_some_and(|entry| expected || !entry.expected);
        if operation.len() > MAX_NAME || is_known {
            return false;
        }
        let token = hash(token);
        // What has ended counts for the length of the next one only.
        self.0.retain(|entry| {
            entry.operation != operation || entry.token != token && (expected || entry.holds(now))
        });
        let (operation, until) = (operation.to_owned(), now + span);
        self.0.push(Entry { operation, token, since: now, until, expected });
        let surplus = self.0.len().saturating_sub(MAX_ENTRIES);
        self.0.drain(..surplus);
        true
    }

    /// Forgets an operation, because it succeeded. Returns whether it was remembered.
    pub fn remove(&mut self, operation: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|entry| entry.operation != operation);
        self.0.len() != before
    }
}

impl Entry {
    fn holds(&self, now: f64) -> bool {
        self.is_dated_well(now) && now < self.until
    }

    /// An entry from the future is not believed: a clock was set back. Neither is one that lasts too long.
    fn is_dated_well(&self, now: f64) -> bool {
        // The times are rounded to the last place of a large number, hence the second of grace.
        self.since <= now + CLOCK_GRACE.as_secs_f64()
            && self.until - self.since <= LONGEST.as_secs_f64() + 1.0
    }
}

/// The first 16 hex digits of a token's SHA-256, by which it is known where it must not be told.
pub fn hash(token: &SecretString) -> String {
    short_hex(&Sha256::digest(token.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_790_000_000.25;

    fn token(number: u32) -> SecretString {
        format!("e30.{number}.c2ln").into()
    }

    #[test]
    fn an_hour_of_calls_costs_at_most_twelve_logins() {
        let (mut refusals, mut logins) = (Refusals::default(), 0);
        for second in 0..3600 {
            let now = NOW + f64::from(second);
            if !refusals.stands("x", &token(logins), now) {
                logins += 1;
                assert!(refusals.add("x", &token(logins), now));
            }
        }
        assert!((9..=12).contains(&logins), "{logins}");
    }

    #[test]
    fn it_doubles_to_half_an_hour_and_is_forgotten_by_a_success() {
        let mut refusals = Refusals::default();
        let mut now = NOW;
        for (number, span) in [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 1800.0, 1800.0]
            .into_iter()
            .enumerate()
        {
            let token = token(u32::try_from(number).unwrap());
            assert!(refusals.add("x", &token, now));
            assert!(!refusals.add("x", &token, now), "once for each token");
            assert!(refusals.stands("x", &token, now + span - 0.01));
            now += span;
            assert!(!refusals.stands("x", &token, now), "{span}");
        }
        assert!(refusals.remove("x") && !refusals.remove("x"));
        refusals.add("x", &token(99), now);
        assert!(!refusals.stands("x", &token(99), now + 2.0), "the first again");
    }

    #[test]
    fn tokens_that_were_refused_at_one_time_stand_side_by_side() {
        let mut refusals = Refusals::default();
        refusals.add("x", &token(1), NOW);
        refusals.add("x", &token(2), NOW + 1.0);
        assert!(refusals.stands("x", &token(1), NOW + 1.5) && refusals.stands("x", &token(2), NOW + 1.5));
        refusals.add("x", &token(3), NOW + 4.0);
        assert!(!refusals.stands("x", &token(1), NOW + 4.0) && refusals.stands("x", &token(3), NOW + 11.0));
    }

    #[test]
    fn a_token_that_was_got_for_an_operation_is_waited_for() {
        let mut refusals = Refusals::default();
        refusals.add("x", &token(1), NOW);
        assert!(refusals.expect("x", &token(2), NOW + 3.0) && !refusals.expect("x", &token(2), NOW + 3.0));
        let read = Refusals::read(refusals.write().as_bytes()).unwrap();
        assert!(read.is_expected("x", &token(2), NOW + 4.9) && !read.is_expected("x", &token(2), NOW + 5.0));
        assert!(!read.stands("x", &token(2), NOW + 4.0) && !read.is_expected("x", &token(1), NOW + 1.0));
        assert!(refusals.add("x", &token(2), NOW + 4.0), "and it was refused");
        assert!(
            refusals.stands("x", &token(2), NOW + 7.9) && !refusals.is_expected("x", &token(2), NOW + 4.0)
        );
        assert!(!refusals.expect("x", &token(2), NOW + 5.0));
    }

    #[test]
    fn it_does_not_grow_for_ever_and_keeps_the_latest() {
        let mut refusals = Refusals::default();
        for number in 0..200 {
            refusals.add(&format!("GET /x/{number}"), &token(number), NOW);
        }
        assert_eq!(refusals.0.len(), MAX_ENTRIES);
        assert!(refusals.names("GET /x/199") && !refusals.names("GET /x/0"));
        assert!(!refusals.add(&"x".repeat(300), &token(1), NOW));
        assert!(refusals.write().len() < MAX_BYTES);
        refusals.add("later", &token(1), NOW + 3.0 * 3600.0);
        assert_eq!(refusals.0.len(), 1);
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        let of = |since: f64, until: f64| {
            let hash = hash(&token(1));
            let text = format!(
                r#"{{"v": 1, "refusals": [{{"operation": "x", "token": "{hash}", "since": {since}, "until": {until}}}]}}"#
            );
            Refusals::read(text.as_bytes()).unwrap().stands("x", &token(1), NOW)
        };
        assert!(of(NOW - 1.0, NOW + 1.0));
        assert!(!of(NOW + 61.0, NOW + 62.0), "from the future");
        assert!(!of(NOW - 1.0, NOW + 9e9), "for ever");
        for bad in ["", "{}", "[]", r#"{"v": 2, "refusals": []}"#, r#"{"v": 1, "refusals": [1]}"#] {
            assert_eq!(Refusals::read(bad.as_bytes()), None, "{bad}");
        }
    }
}
