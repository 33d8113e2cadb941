//! When the next request is due.

use std::{ops::RangeInclusive, time::Duration};

use crate::{Error, ErrorKind, RateLimit};

/// The time of one decision.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Moment {
    /// Since some fixed moment, on a clock that nobody sets.
    pub elapsed: Duration,
    /// Unix seconds, the unit of the service's rate limit headers.
    pub unix: f64,
}

impl Moment {
    /// A moment on both clocks.
    pub fn new(elapsed: Duration, unix: f64) -> Self {
        Self { elapsed, unix }
    }
}

/// The first wait after a failure, and the longest.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5 * 60));
/// How long to wait after a 429 that says nothing about it.
const UNTOLD: Duration = Duration::from_secs(60);
/// Rounds that the bell starts are so far apart, and farther where they bring nothing.
const RINGS: Duration = Duration::from_secs(5);
/// The upper bound is so many times as high where the bell is heard.
const STRETCH: u32 = 2;
/// No longer than this is waited for a window to begin: the clocks may differ.
const WINDOW: f64 = 3600.0;

/// Spreads rounds over time.
#[derive(Debug)]
pub(super) struct Pace {
    interval: RangeInclusive<Duration>,
    /// How long to wait after the round that has ended.
    current: Duration,
    /// When the next request is due, on the clock that nobody sets.
    due: Duration,
    /// Not before this, as the service asks.
    held: Duration,
    failures: u32,
    /// Whether it rang since the round under way began, or the last one.
    rung: bool,
    /// When the last round began that it started, and whether that is under way.
    last_ring: Option<Duration>,
    by_ring: bool,
    /// How long after that another one may.
    ring_gap: Duration,
    /// Whether the bell is heard.
    is_stretched: bool,
}

/// How a failure is met.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// By waiting; `is_first`: of an outage.
    Waits { is_first: bool },
    /// Waiting does not help.
    Ends,
}

impl Pace {
    pub(super) fn new(interval: RangeInclusive<Duration>) -> Self {
        Self {
            current: *interval.start(),
            interval,
            due: Duration::ZERO,
            held: Duration::ZERO,
            failures: 0,
            rung: false,
            last_ring: None,
            by_ring: false,
            ring_gap: RINGS,
            is_stretched: false,
        }
    }

    /// How long until the next request is due; `None`: it is.
    pub(super) fn wait(&self, now: Moment) -> Option<Duration> {
        let mut due = self.due;
        if self.rung && self.failures == 0 {
            due = due.min(self.last_ring.map_or(Duration::ZERO, |last| last + self.ring_gap));
        }
        Some(due.max(self.held).saturating_sub(now.elapsed)).filter(|wait| !wait.is_zero())
    }

    /// The longest wait between two rounds.
    fn longest(&self) -> Duration {
        *self.interval.end() * if self.is_stretched { STRETCH } else { 1 }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// A request was answered. Says after how many failures.
    pub(super) fn answered(&mut self, limit: RateLimit, now: Moment, random: f64) -> u32 {
        self.hold_back(limit, now, random);
        std::mem::take(&mut self.failures)
    }

    /// A round begins.
    pub(super) fn round_begun(&mut self, now: Moment) {
        self.by_ring = std::mem::take(&mut self.rung);
        if self.by_ring {
            self.last_ring = Some(now.elapsed);
        }
    }

    /// A round has ended.
    pub(super) fn round_ended(&mut self, had_events: bool, now: Moment, random: f64) {
        // What rang may not be visible yet.
        let is_soon = had_events || self.by_ring && self.ring_gap == RINGS;
        self.current = match is_soon {
            true => *self.interval.start(),
            false => self.current.mul_f64(1.5).min(self.longest()),
        };
        if had_events {
            self.ring_gap = RINGS;
        } else if std::mem::take(&mut self.by_ring) {
            self.ring_gap = self.ring_gap.saturating_mul(2).min(RINGS.max(*self.interval.end()));
        }
        let wait = self.current.mul_f64(0.9 + 0.2 * random.clamp(0.0, 1.0));
        self.due = self.due.max(now.elapsed.saturating_add(wait));
    }

    /// Waits for the next window where less than a tenth of this one is left.
    fn hold_back(&mut self, limit: RateLimit, now: Moment, random: f64) {
        let (Some(all), Some(left), Some(reset)) = (limit.limit, limit.remaining, limit.reset) else {
            return;
        };
        if left.saturating_mul(10) >= all {
            return;
        }
        // A window that has begun by this clock says that the clocks differ.
        let until = reset as f64 - now.unix;
        let until = if (0.0..=WINDOW).contains(&until) { until } else { self.interval.end().as_secs_f64() };
        let spread = self.interval.start().mul_f64(random.clamp(0.0, 1.0));
        self.held = self.held.max(now.elapsed + Duration::from_secs_f64(until) + spread);
    }

    /// A request failed.
    pub(super) fn failed(&mut self, error: &Error, now: Moment, random: f64) -> Met {
        if is_final(error) {
            return Met::Ends;
        }
        let random = random.clamp(0.0, 1.0);
        if error.kind() == ErrorKind::RateLimit {
            let asked = error.retry_after().unwrap_or(UNTOLD);
            let spread = asked.mul_f64(0.1 * random).min(UNTOLD);
            self.held = self.held.max(now.elapsed.saturating_add(asked.saturating_add(spread)));
            return Met::Waits { is_first: false };
        }
        let (first, longest) = BACK_OFF;
        let wait = first.saturating_mul(1 << self.failures.min(16)).min(longest);
        self.due = now.elapsed.saturating_add(wait.mul_f64(0.8 + 0.2 * random));
        let asked = error.retry_after().unwrap_or_default().min(longest);
        self.held = self.held.max(now.elapsed.saturating_add(asked));
        self.failures = self.failures.saturating_add(1);
        Met::Waits { is_first: self.failures == 1 }
    }

    /// Makes the next round due, unless one has just begun for this reason or the service has asked for a pause.
    pub(super) fn ring(&mut self) {
        self.rung = true;
    }

    /// The bell is heard, or no longer.
    pub(super) fn stretch(&mut self, is_heard: bool, now: Moment) {
        if self.is_stretched && !is_heard && self.failures == 0 {
            self.due = self.due.min(now.elapsed.saturating_add(*self.interval.end()));
        }
        self.is_stretched = is_heard;
    }
}

/// Whether waiting cannot help.
fn is_final(error: &Error) -> bool {
    match error.kind() {
        // A page is not the service's verdict.
        ErrorKind::Auth => !error.is_page(),
        ErrorKind::Network
        | ErrorKind::Server
        | ErrorKind::RateLimit
        | ErrorKind::Decode
        | ErrorKind::Api
        | ErrorKind::Busy
        | ErrorKind::CredentialBusy => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::new(Duration::from_secs(seconds), 1_800_000_000.0 + seconds as f64)
    }

    fn pace() -> Pace {
        Pace::new(Duration::from_secs(10)..=Duration::from_secs(60))
    }

    fn seconds(pace: &Pace, now: Moment) -> f64 {
        pace.wait(now).unwrap_or_default().as_secs_f64()
    }

    fn error(kind: ErrorKind) -> Error {
        Error::build(kind, "no").finish()
    }

    #[test]
    fn empty_rounds_slow_down_and_an_event_starts_anew() {
        let mut pace = pace();
        let mut waits = Vec::new();
        for had_events in [true, false, false, false, false, false, false, true] {
            let now = Moment::new(pace.due, 0.0);
            pace.round_ended(had_events, now, 0.5);
            waits.push(seconds(&pace, now));
        }
        assert_eq!(waits, [10.0, 15.0, 22.5, 33.75, 50.625, 60.0, 60.0, 10.0]);
        let mut early = self::pace();
        early.round_ended(true, at(0), 0.0);
        let mut late = self::pace();
        late.round_ended(true, at(0), 1.0);
        assert_eq!((seconds(&early, at(0)), seconds(&late, at(0))), (9.0, 11.0));
    }

    #[test]
    fn failures_back_off_and_one_success_starts_anew() {
        let mut pace = pace();
        let mut waits = Vec::new();
        for _ in 0..11 {
            let now = Moment::new(pace.due, 0.0);
            pace.failed(&error(ErrorKind::Network), now, 1.0);
            waits.push(seconds(&pace, now));
        }
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]);
        assert_eq!(pace.answered(RateLimit::default(), at(0), 0.5), 11);
        assert_eq!(pace.failed(&error(ErrorKind::Decode), at(0), 1.0), Met::Waits { is_first: true });
        assert_eq!(pace.failed(&error(ErrorKind::Server), at(0), 1.0), Met::Waits { is_first: false });
    }

    #[test]
    fn an_hour_of_refused_connections_costs_few_requests() {
        for random in [0.0, 0.3, 1.0] {
            let (mut pace, mut requests) = (pace(), 0);
            while pace.due < Duration::from_secs(3600) {
                pace.failed(&error(ErrorKind::Network), Moment::new(pace.due, 0.0), random);
                requests += 1;
            }
            assert!(requests <= 25, "{requests} requests with {random}");
        }
    }

    #[test]
    fn the_servers_times_count() {
        let mut pace = pace();
        let limited =
            Error::build(ErrorKind::RateLimit, "slow").retry_after(Duration::from_secs(90)).finish();
        assert_eq!(pace.failed(&limited, at(0), 0.0), Met::Waits { is_first: false });
        assert_eq!((seconds(&pace, at(0)), pace.failures()), (90.0, 0), "not a failure");
        let mut pace = self::pace();
        let told = |remaining| RateLimit {
            limit: Some(120),
            remaining: Some(remaining),
            reset: Some(1_800_000_050),
        };
        pace.answered(told(12), at(0), 1.0);
        assert_eq!(seconds(&pace, at(0)), 0.0);
        pace.answered(told(0), at(0), 1.0);
        assert_eq!(seconds(&pace, at(0)), 60.0, "the window, and spread over ten seconds");
        pace.round_ended(true, at(0), 0.0);
        assert_eq!(seconds(&pace, at(0)), 60.0, "the later of the two");
    }

    #[test]
    fn what_waiting_cannot_mend_ends() {
        for kind in [
            ErrorKind::Auth,
            ErrorKind::Validation,
            ErrorKind::NotFound,
            ErrorKind::ReauthRequired,
            ErrorKind::TwoFactorRequired,
            ErrorKind::TwoFactorInvalid,
            ErrorKind::Config,
        ] {
            assert_eq!(pace().failed(&error(kind), at(0), 0.5), Met::Ends, "{kind:?}");
        }
    }
}
