//! The note that a refresh token was presented, and when it may be presented again.
//!
//! The note is written before the request is sent. A note that is found with the lock free means that the outcome
//! of that request is *not known*: its process was killed, or no clear answer came. The request may still be on
//! its way, so the token is not presented again until `settle` has passed since it was sent.
//!
//! That time is counted on the boot-time clock, which cannot be set. A reader of the same
//! boot compares that clock with the note's. Any other reader writes into the note that it has seen it, and counts
//! from there.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Credential, timing::REQUEST_LIMIT};

/// How long a token whose outcome is not known is left alone, unless set otherwise.
pub const SETTLE: Duration = Duration::from_secs(5 * 60);

/// The longest wait that doubling leads to, unless a longer one was set.
pub const LONGEST_SETTLE: Duration = Duration::from_secs(60 * 60);

/// How long an answer of `invalid_request` is remembered instead of asking again.
pub const DECLINED_FOR: Duration = Duration::from_secs(10 * 60);

/// A moment on the clock of one boot of a machine, which runs while the machine sleeps and cannot be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uptime {
    /// Which boot. Moments of two boots cannot be compared.
    pub boot: Cow<'static, str>,
    /// Seconds since then.
    pub seconds: f64,
}

impl Uptime {
    /// A moment.
    pub fn new(boot: impl Into<Cow<'static, str>>, seconds: f64) -> Self {
        Self { boot: boot.into(), seconds }
    }

    /// The seconds from an earlier moment to this one. `None` where they cannot be compared: the other is of
    /// another boot, or lies ahead.
    pub fn since(&self, earlier: &Self) -> Option<f64> {
        let passed = self.seconds - earlier.seconds;
        (self.boot == earlier.boot && passed >= 0.0).then_some(passed)
    }
}

/// A note that a refresh token was presented, or was about to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct Spending {
    /// The token's [`fingerprint`](super::fingerprint): the note is about this token only.
    pub token: String,
    /// When, Unix seconds, for people: rules go by [`sent`](Self::sent).
    pub since: f64,
    /// A random name of the attempt, by which the process that made it knows its own.
    pub attempt: String,
    /// What is known of it.
    pub state: State,
    /// When, on the clock of the boot in which it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Uptime>,
    /// When a reader that cannot compare [`sent`](Self::sent) first saw the note, on the reader's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Uptime>,
    /// How long the request was allowed to take, in seconds.
    #[serde(default = "usual_limit")]
    pub limit: f64,
    /// How many requests presented this token without a known outcome, one that is under way included.
    #[serde(default)]
    pub unknown: u32,
}

fn usual_limit() -> f64 {
    REQUEST_LIMIT.as_secs_f64()
}

/// What is known of a refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// It was sent, or was about to be, and no answer was stored: it may be spent.
    Sent,
    /// The provider refused it (`invalid_grant`).
    Refused,
    /// The provider refused the request as such (`invalid_request`), which is how some answer an expired
    /// token. It was not acted on.
    Declined,
}

/// Whether a token whose last request has no known outcome may be presented.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Outlook {
    /// This reader cannot tell how long ago it was sent: write that the note was [`seen_at`](Spending::seen_at)
    /// now, and count from there.
    Unseen,
    /// Not before this time has passed: the request may still be on its way.
    Wait(Duration),
    /// The request is over, whatever came of it.
    Settled,
}

impl Spending {
    /// The note to write before this refresh token is sent: `now` by the wall clock and by `uptime`, with the
    /// limit of the request. `former` is the note that was there. `None` when there is no refresh token.
    pub fn of(
        credential: &Credential,
        attempt: impl Into<String>,
        now: f64,
        uptime: Uptime,
        limit: Duration,
        former: Option<&Self>,
    ) -> Option<Self> {
        Some(Self {
            token: credential.refresh_fingerprint()?,
            since: now,
            attempt: attempt.into(),
            state: State::Sent,
            sent: Some(uptime),
            seen: None,
            limit: limit.as_secs_f64(),
            unknown: former.map_or(0, Self::unknown).saturating_add(1),
        })
    }

    /// How many requests presented this token without a known outcome. A note of an earlier version does not say.
    fn unknown(&self) -> u32 {
        if self.state == State::Sent { self.unknown.max(1) } else { self.unknown }
    }

    /// This note once the provider has refused the token.
    #[must_use]
    pub fn refused(self) -> Self {
        Self { state: State::Refused, ..self }
    }

    /// This note once its request was answered with `invalid_request`.
    #[must_use]
    pub fn declined(self) -> Self {
        Self { state: State::Declined, unknown: self.unknown.saturating_sub(1), ..self }
    }

    /// This note, seen by a reader who cannot compare clocks with its writer.
    #[must_use]
    pub fn seen_at(self, now: Uptime) -> Self {
        Self { seen: Some(now), ..self }
    }

    /// How long the token is left alone after this note's request: `settle`, but no less than the request was
    /// allowed to take; twice as long with each further unknown outcome, up to [`LONGEST_SETTLE`].
    pub fn wait(&self, settle: Duration) -> Duration {
        let limit = Duration::try_from_secs_f64(self.limit).unwrap_or(REQUEST_LIMIT).min(LONGEST_SETTLE);
        let first = settle.max(limit);
        let doubled = 1_u32.checked_shl(self.unknown().saturating_sub(1)).unwrap_or(u32::MAX);
        first.saturating_mul(doubled).min(LONGEST_SETTLE.max(first))
    }

    /// Whether the request may still be on its way.
    pub fn outlook(&self, settle: Duration, now: &Uptime) -> Outlook {
        let Some(passed) = self.passed(now) else { return Outlook::Unseen };
        let left = self.wait(settle).as_secs_f64() - passed;
        if left > 0.0 { Outlook::Wait(Duration::from_secs_f64(left)) } else { Outlook::Settled }
    }

    /// For how long an answer of `invalid_request` is still remembered. `None` when it is not.
    pub fn declined_for(&self, now: &Uptime) -> Option<Duration> {
        // Not a question of safety: a reader that cannot tell asks again.
        let passed = self.passed(now).filter(|_| self.state == State::Declined)?;
        let left = DECLINED_FOR.as_secs_f64() - passed;
        (left > 0.0).then(|| Duration::from_secs_f64(left))
    }

    fn passed(&self, now: &Uptime) -> Option<f64> {
        let since = |moment: &Option<Uptime>| now.since(moment.as_ref()?);
        since(&self.sent).or_else(|| since(&self.seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialId;

    const LIMIT: Duration = Duration::from_secs(30);

    fn at(boot: &'static str, seconds: f64) -> Uptime {
        Uptime::new(boot, seconds)
    }

    fn noted(former: Option<&Spending>) -> Spending {
        let id = CredentialId::new("https://thecolony.ai", "colony_app");
        let reply = br#"{"access_token": "a", "refresh_token": "r"}"#;
        let credential = Credential::from_reply(id, "https://thecolony.ai/token", reply, 1.0).unwrap();
        Spending::of(&credential, "a1", 1.0, at("b1", 100.0), LIMIT, former).unwrap()
    }

    fn left(seconds: f64) -> Outlook {
        Outlook::Wait(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn a_reader_of_the_same_boot_compares_the_clock() {
        let note = noted(None);
        assert_eq!(note.outlook(SETTLE, &at("b1", 100.0)), left(300.0));
        assert_eq!(note.outlook(SETTLE, &at("b1", 399.5)), left(0.5));
        assert_eq!(note.outlook(SETTLE, &at("b1", 400.0)), Outlook::Settled);
    }

    #[test]
    fn any_other_reader_counts_from_when_it_saw_the_note() {
        let note = noted(None);
        for now in [at("b2", 1e6), at("b1", 99.0), at("b1", f64::NAN)] {
            assert_eq!(note.outlook(SETTLE, &now), Outlook::Unseen, "{now:?}");
        }
        let seen = note.seen_at(at("b2", 1000.0));
        assert_eq!(seen.outlook(SETTLE, &at("b2", 1001.0)), left(299.0));
        assert_eq!(seen.outlook(SETTLE, &at("b2", 1300.0)), Outlook::Settled);
        assert_eq!(seen.outlook(SETTLE, &at("b3", 1e6)), Outlook::Unseen);
        assert_eq!(seen.outlook(SETTLE, &at("b1", 400.0)), Outlook::Settled, "the writer's own clock");
    }

    #[test]
    fn the_wait_is_never_below_the_requests_limit_and_doubles_to_an_hour() {
        let mut note = noted(None);
        assert_eq!(note.wait(Duration::ZERO), LIMIT);
        note.limit = 1e300;
        assert_eq!(note.wait(SETTLE), SETTLE, "a limit that none can have is the usual one");
        note.limit = 30.0;
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push(note.wait(SETTLE).as_secs());
            note = noted(Some(&note));
        }
        assert_eq!(waits, [300, 600, 1200, 2400, 3600, 3600]);
        note.unknown = u32::MAX;
        assert_eq!(note.wait(SETTLE), LONGEST_SETTLE);
        assert_eq!(note.wait(LONGEST_SETTLE * 2), LONGEST_SETTLE * 2);
    }

    #[test]
    fn a_declined_request_is_remembered_for_ten_minutes_and_counts_as_answered() {
        let first = noted(None).declined();
        assert_eq!(first.declined_for(&at("b1", 101.0)), Some(Duration::from_secs(599)));
        assert_eq!(first.declined_for(&at("b1", 700.0)), None);
        assert_eq!(first.declined_for(&at("b2", 101.0)), None);
        assert_eq!(noted(Some(&first)).unknown, 1);
        assert_eq!(noted(Some(&noted(None))).unknown, 2);
        assert_eq!(noted(None).declined_for(&at("b1", 101.0)), None);
    }

    #[test]
    fn a_note_of_an_earlier_version_is_of_another_boot() {
        let text = r#"{"token": "t", "since": 1.0, "attempt": "a1", "state": "sent"}"#;
        let note: Spending = serde_json::from_str(text).unwrap();
        assert_eq!(note.outlook(SETTLE, &at("b1", 1e6)), Outlook::Unseen);
        assert_eq!((note.unknown(), note.limit), (1, 30.0));
        let written = serde_json::to_string(&noted(None)).unwrap();
        assert_eq!(serde_json::from_str::<Spending>(&written).unwrap(), noted(None));
    }
}
