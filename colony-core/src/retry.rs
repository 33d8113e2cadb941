//! When a request is sent again, and after how long: plain values and pure functions of what happened.
//!
//! Whether a request may be repeated is a property of the operation, [`Repeat`]; what happened is a
//! [`Failure`]; the pauses are a [`RetryPolicy`]'s. [`Tries`] puts the three together:
//!
//! | What happened | [`Safe`](Repeat::Safe) | [`Keyed`](Repeat::Keyed) | [`Once`](Repeat::Once) |
//! | --- | --- | --- | --- |
//! | no connection was made | again | again | again |
//! | the connection was closed before a byte of the answer | again | again, once | error |
//! | no answer in time, or half of one | again | error | error |
//! | 429 | again after `Retry-After` | again | again |
//! | 502, 503, 504 | again | again, same key | error |
//! | 409 `idempotency_in_progress` | – | again after `Retry-After` | – |

use std::time::Duration;

use http::Method;

use crate::{Reply, Result};

/// Whether a request may be sent again, and what makes that harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// A read: sending it twice does what sending it once does.
    Safe,
    /// A write that carries an `Idempotency-Key`, by which the server recognises the repetition.
    Keyed,
    /// A write that the server could not recognise. It is repeated only where the first one cannot have
    /// acted.
    Once,
}

impl Repeat {
    /// The class of a request with this method, given whether the server keeps no key for it.
    pub fn of(method: &Method, keyless: bool) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Safe,
            _ if keyless => Self::Once,
            _ => Self::Keyed,
        }
    }

    /// The class's name as `colony methods --json` prints it: `safe`, `keyed` or `once`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Keyed => "keyed",
            Self::Once => "once",
        }
    }
}

/// How a request ended that got no answer; from [`Error::unanswered`](crate::Error::unanswered).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unanswered {
    /// No connection was made, so nothing was sent.
    NotConnected,
    /// The connection was closed or reset before a byte of the answer. Mostly one that was kept open and
    /// that the server had given up; but the server may have acted.
    Closed,
    /// There was no answer within the limit, or half of one. The server may have acted.
    Lost,
}

/// Why an outcome is not the final one yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No answer arrived.
    Unanswered(Unanswered),
    /// This status arrived.
    Status(u16),
    /// 409 `idempotency_in_progress`: an earlier request with the same key is still under way.
    InProgress,
}

impl Failure {
    /// What may be wrong with an outcome; `None` for one that no repetition would change.
    pub fn of(outcome: &Result<Reply>) -> Option<Self> {
        match outcome {
            Ok(reply) if reply.is_success() => None,
            Ok(reply) if reply.status.as_u16() == 409 && reply.error_code_is("idempotency_in_progress") => {
                Some(Self::InProgress)
            }
            Ok(reply) => Some(Self::Status(reply.status.as_u16())),
            // One that does not say how it ended was not sent, or is not to be repeated: a deadline's, a script's.
            Err(error) => error.unanswered().map(Self::Unanswered),
        }
    }

    /// The failure as the attribute `error.type` of the OpenTelemetry conventions names it.
    pub fn as_str(self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::Unanswered(Unanswered::NotConnected) => "not_connected".into(),
            Self::Unanswered(Unanswered::Closed) => "closed".into(),
            Self::Unanswered(Unanswered::Lost) => "no_answer".into(),
            Self::Status(status) => status.to_string().into(),
            Self::InProgress => "409".into(),
        }
    }
}

/// What a class of requests may be repeated after: the columns of the module's table.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// How often after a connection that was closed before a byte of the answer.
    closed: u32,
    /// Whether after no answer, or half of one.
    lost: bool,
    /// Whether after the other statuses of the policy, by which a gateway says that it does not know.
    gateway: bool,
    /// Whether after 409 `idempotency_in_progress`.
    in_progress: bool,
    /// Whether pauses do not grow where no connection is made: nothing is sent, and somebody waits for the word
    /// that the address is wrong.
    steady: bool,
}

impl Rules {
    fn of(repeat: Repeat) -> Self {
        match repeat {
            Repeat::Safe => {
                Self { closed: u32::MAX, lost: true, gateway: true, in_progress: false, steady: false }
            }
            Repeat::Keyed => Self { closed: 1, lost: false, gateway: true, in_progress: true, steady: false },
            Repeat::Once => {
                Self { closed: 0, lost: false, gateway: false, in_progress: false, steady: false }
            }
        }
    }

    /// A login changes nothing but costs one of the hour's.
    const LOGIN: Self =
        Self { closed: u32::MAX, lost: false, gateway: true, in_progress: false, steady: true };
}

/// The tries of one request.
///
/// ```
/// use std::time::Duration;
/// use colony_core::retry::{Decision, Failure, Repeat, RetryPolicy, Tries};
///
/// let policy = RetryPolicy::default();
/// let mut tries = Tries::new(&policy, Repeat::Safe);
/// // The last argument spreads the pauses: 0 for none, up to 1.
/// assert_eq!(tries.after(Failure::Status(503), None, 0.0), Decision::After(Duration::from_secs(2)));
/// assert_eq!(tries.after(Failure::Status(503), None, 1.0), Decision::After(Duration::from_secs(2)));
/// assert_eq!(tries.after(Failure::Status(503), None, 0.0), Decision::Stop); // two more tries were made
///
/// let mut tries = Tries::new(&policy, Repeat::Once);
/// assert_eq!(tries.after(Failure::Status(503), None, 0.0), Decision::Stop); // it may have acted
/// ```
#[derive(Debug, Clone)]
pub struct Tries<'p> {
    policy: &'p RetryPolicy,
    rules: Rules,
    /// How often it was sent again, waiting for an earlier request aside.
    made: u32,
    closed: u32,
    resent: u32,
    /// How long an earlier request with the same key was waited for.
    waited: Duration,
}

impl<'p> Tries<'p> {
    /// The tries of a request of this class, the first not made yet.
    pub fn new(policy: &'p RetryPolicy, repeat: Repeat) -> Self {
        Self::under(policy, Rules::of(repeat))
    }

    /// The tries of a login: again when no connection was made, when it was closed before a byte of the
    /// answer, and on the policy's statuses.
    pub fn of_login(policy: &'p RetryPolicy) -> Self {
        Self::under(policy, Rules::LOGIN)
    }

    fn under(policy: &'p RetryPolicy, rules: Rules) -> Self {
        Self { policy, rules, made: 0, closed: 0, resent: 0, waited: Duration::ZERO }
    }

    /// How many times more the request was sent.
    pub fn resent(&self) -> u32 {
        self.resent
    }

    /// Decides what to do after a failure.
    ///
    /// `retry_after` is the pause that the server asked for; it wins over the computed one and is never
    /// shortened. `jitter`, from 0 to 1, spreads the pauses of many clients: it shortens a computed one by
    /// up to half and lengthens the server's by up to a tenth.
    pub fn after(&mut self, failure: Failure, retry_after: Option<Duration>, jitter: f64) -> Decision {
        let policy = self.policy;
        if policy.max_retries == 0 || retry_after.is_some_and(|wait| wait > policy.max_retry_after) {
            return Decision::Stop;
        }
        if failure == Failure::InProgress {
            return self.after_in_progress(retry_after, jitter);
        }
        let allowed = match failure {
            Failure::Unanswered(Unanswered::NotConnected) => true,
            Failure::Unanswered(Unanswered::Closed) => {
                self.closed += 1;
                self.closed <= self.rules.closed
            }
            Failure::Unanswered(Unanswered::Lost) => self.rules.lost,
            Failure::Status(status) => {
                policy.retry_on.contains(&status) && (status == 429 || self.rules.gateway)
            }
            Failure::InProgress => false,
        };
        if !allowed || self.made >= policy.max_retries {
            return Decision::Stop;
        }
        let pause = match retry_after {
            Some(wait) => lengthen(wait, jitter),
            // A connection that was kept open and had been given up: another one is at hand.
            None if self.closed == 1 && matches!(failure, Failure::Unanswered(Unanswered::Closed)) => {
                Duration::ZERO
            }
            None if self.rules.steady && failure == Failure::Unanswered(Unanswered::NotConnected) => {
                scale(policy.delay(0), 1.0 - spread(jitter) / 2.0)
            }
            None => scale(policy.delay(self.made), 1.0 - spread(jitter) / 2.0),
        };
        self.made += 1;
        self.resent += 1;
        Decision::After(pause)
    }

    /// The earlier request is waited for, without a limit of tries, up to
    /// [`max_retry_after`](RetryPolicy::max_retry_after) in all.
    fn after_in_progress(&mut self, retry_after: Option<Duration>, jitter: f64) -> Decision {
        let asked = retry_after.filter(|wait| !wait.is_zero()).unwrap_or(self.policy.base_delay);
        self.waited = self.waited.saturating_add(asked);
        if !self.rules.in_progress || asked.is_zero() || self.waited > self.policy.max_retry_after {
            return Decision::Stop;
        }
        self.resent += 1;
        Decision::After(lengthen(asked, jitter))
    }
}

fn spread(jitter: f64) -> f64 {
    // A NaN is no spread.
    if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 1.0) }
}

/// A pause that the server asked for, and up to a tenth more.
fn lengthen(wait: Duration, jitter: f64) -> Duration {
    scale(wait, 1.0 + spread(jitter) / 10.0).max(wait)
}

/// Multiplies a pause, up to the longest there is.
fn scale(pause: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(pause.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// How often, after how long, and on which statuses a request is sent again.
///
/// The server's `Retry-After` wins over the computed delay; one above
/// [`max_retry_after`](Self::max_retry_after) ends the tries at once, because nobody waits an hour
/// inside a call. Computed delays are spread over their upper half, so that many clients do not come
/// back together; see [`Tries::after`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many times more a request is sent. Default 2 (`/auth/token`: 6).
    pub max_retries: u32,
    /// The delay before the first further try; it doubles with each. Default 2 s.
    pub base_delay: Duration,
    /// The longest computed delay. Default 20 s (`/auth/token`: 60 s).
    pub max_delay: Duration,
    /// The longest `Retry-After` that is waited for. Default 60 s.
    pub max_retry_after: Duration,
    /// The statuses that are tried again, as far as [`Repeat`] allows. Default 429, 502, 503, 504
    /// (`/auth/token`: not 429).
    pub retry_on: Vec<u16>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 2,
            base_delay: Duration::from_secs(2),
            max_delay: Duration::from_secs(20),
            max_retry_after: Duration::from_secs(60),
            retry_on: vec![429, 502, 503, 504],
        }
    }
}

/// What [`Tries::after`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The outcome is final.
    Stop,
    /// Wait so long, then send the request again.
    After(Duration),
}

impl RetryPolicy {
    /// The budget of `/auth/token`: patient with an outage, never repeating a 429, which would only
    /// lengthen the lock-out of everybody behind the same address.
    pub fn for_login() -> Self {
        Self {
            max_retries: 6,
            max_delay: Duration::from_secs(60),
            retry_on: vec![502, 503, 504],
            ..Self::default()
        }
    }

    /// No further tries.
    pub fn none() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// Sets how many times more a request is sent.
    #[must_use]
    pub fn max_retries(mut self, times: u32) -> Self {
        self.max_retries = times;
        self
    }

    /// Sets the delay before the first further try.
    #[must_use]
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// Sets the longest computed delay.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Sets the longest `Retry-After` that is waited for.
    #[must_use]
    pub fn max_retry_after(mut self, wait: Duration) -> Self {
        self.max_retry_after = wait;
        self
    }

    /// Sets the statuses that are tried again, in place of the present ones.
    #[must_use]
    pub fn retry_on(mut self, statuses: impl Into<Vec<u16>>) -> Self {
        self.retry_on = statuses.into();
        self
    }

    /// The computed delay after `retries` further tries.
    fn delay(&self, retries: u32) -> Duration {
        let factor = 1_u32.checked_shl(retries).unwrap_or(u32::MAX);
        self.base_delay.saturating_mul(factor).min(self.max_delay)
    }

    /// The longest time all tries together can take, given the time limit of one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use colony_core::retry::RetryPolicy;
    /// let policy = RetryPolicy::none();
    /// assert_eq!(policy.longest(Duration::from_secs(30)), Duration::from_secs(30));
    /// ```
    pub fn longest(&self, timeout: Duration) -> Duration {
        // The server may ask for more than the computed delay.
        let asked = lengthen(self.max_retry_after, 1.0);
        let waits = (0..self.max_retries.min(64)).map(|n| self.delay(n).max(asked));
        let waits = waits.fold(Duration::ZERO, Duration::saturating_add);
        timeout.saturating_mul(self.max_retries.saturating_add(1)).saturating_add(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unanswered::{Closed, Lost, NotConnected};

    const SECOND: Duration = Duration::from_secs(1);

    /// How often a request of this class is sent again when it always ends like this.
    fn resent(repeat: Repeat, failure: Failure) -> u32 {
        let policy = RetryPolicy::default().max_retries(5);
        let mut tries = Tries::new(&policy, repeat);
        while tries.resent() < 50 && tries.after(failure, Some(SECOND), 0.5) != Decision::Stop {}
        tries.resent()
    }

    #[test]
    fn each_class_is_repeated_after_what_cannot_have_acted_twice() {
        // With five retries; a request with the same key is waited for up to a minute.
        let table = [
            (Failure::Unanswered(NotConnected), [5, 5, 5]),
            (Failure::Unanswered(Closed), [5, 1, 0]),
            (Failure::Unanswered(Lost), [5, 0, 0]),
            (Failure::Status(429), [5, 5, 5]),
            (Failure::Status(502), [5, 5, 0]),
            (Failure::Status(503), [5, 5, 0]),
            (Failure::Status(504), [5, 5, 0]),
            (Failure::Status(500), [0, 0, 0]),
            (Failure::Status(409), [0, 0, 0]),
            (Failure::InProgress, [0, 50, 0]),
        ];
        for (failure, expected) in table {
            let got = [Repeat::Safe, Repeat::Keyed, Repeat::Once].map(|repeat| resent(repeat, failure));
            assert_eq!(got, expected, "{failure:?}");
        }
    }

    #[test]
    fn a_login_is_repeated_in_an_outage_and_never_after_a_429() {
        let policy = RetryPolicy::for_login();
        for (failure, expected) in [
            (Failure::Unanswered(NotConnected), 6),
            (Failure::Unanswered(Closed), 6),
            (Failure::Unanswered(Lost), 0),
            (Failure::Status(503), 6),
            (Failure::Status(429), 0),
        ] {
            let mut tries = Tries::of_login(&policy);
            while tries.after(failure, None, 0.0) != Decision::Stop {}
            assert_eq!(tries.resent(), expected, "{failure:?}");
        }
    }

    #[test]
    fn the_login_s_pauses_double_to_a_minute() {
        let policy = RetryPolicy::for_login();
        let mut tries = Tries::of_login(&policy);
        let waits: Vec<u64> = std::iter::from_fn(|| match tries.after(Failure::Status(503), None, 0.0) {
            Decision::After(wait) => Some(wait.as_secs()),
            Decision::Stop => None,
        })
        .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60]);
        // An address where nothing listens is reported within a quarter of a minute.
        let mut tries = Tries::of_login(&policy);
        for _ in 0..6 {
            let decision = tries.after(Failure::Unanswered(NotConnected), None, 0.0);
            assert_eq!(decision, Decision::After(2 * SECOND));
        }
    }

    #[test]
    fn a_key_in_use_is_waited_for_up_to_the_longest_retry_after() {
        let policy = RetryPolicy::default().max_retry_after(Duration::from_secs(10));
        let mut tries = Tries::new(&policy, Repeat::Keyed);
        for _ in 0..5 {
            assert_eq!(tries.after(Failure::InProgress, Some(2 * SECOND), 0.0), Decision::After(2 * SECOND));
        }
        assert_eq!(tries.after(Failure::InProgress, Some(2 * SECOND), 0.0), Decision::Stop);
        let none = RetryPolicy::none();
        assert_eq!(Tries::new(&none, Repeat::Keyed).after(Failure::InProgress, None, 0.0), Decision::Stop);
        // A server that says "now" would be asked without a pause.
        let mut tries = Tries::new(&policy, Repeat::Keyed);
        let again = tries.after(Failure::InProgress, Some(Duration::ZERO), 0.0);
        assert_eq!(again, Decision::After(policy.base_delay));
    }

    #[test]
    fn pauses_are_spread_and_the_server_s_never_shortened() {
        let policy = RetryPolicy::default();
        let pause = |asked, jitter| match Tries::new(&policy, Repeat::Safe).after(
            Failure::Status(503),
            asked,
            jitter,
        ) {
            Decision::After(pause) => pause,
            Decision::Stop => panic!("{asked:?} {jitter}"),
        };
        for (jitter, computed, asked) in
            [(0.0, 2000, 10_000), (0.5, 1500, 10_500), (1.0, 1000, 11_000), (7.0, 1000, 11_000)]
        {
            assert_eq!(pause(None, jitter), Duration::from_millis(computed));
            assert_eq!(pause(Some(10 * SECOND), jitter), Duration::from_millis(asked));
        }
        assert_eq!(pause(None, f64::NAN), 2 * SECOND);
        let hour = Some(Duration::from_secs(3600));
        let decision = Tries::new(&policy, Repeat::Safe).after(Failure::Status(429), hour, 0.0);
        assert_eq!(decision, Decision::Stop);
    }

    #[test]
    fn the_longest_time_has_room_for_every_wait_the_server_may_ask_for() {
        let policy = RetryPolicy::for_login();
        let (mut tries, mut waits) = (Tries::of_login(&policy), Duration::ZERO);
        while let Decision::After(wait) = tries.after(Failure::Status(503), Some(60 * SECOND), 1.0) {
            waits += wait;
        }
        let timeout = Duration::from_secs(30);
        assert!(policy.longest(timeout) >= waits + timeout * (policy.max_retries + 1));
    }

    #[test]
    fn extreme_policies_do_not_overflow() {
        let policy = RetryPolicy::default().max_retries(1000);
        assert_eq!(policy.delay(999), policy.max_delay);
        assert!(policy.longest(Duration::from_secs(30)) > Duration::from_secs(30));
        let policy = RetryPolicy::for_login().max_retry_after(Duration::MAX).max_delay(Duration::MAX);
        assert_eq!(policy.longest(Duration::MAX), Duration::MAX);
        let decision = Tries::of_login(&policy).after(Failure::Status(503), Some(Duration::MAX), 1.0);
        assert_eq!(decision, Decision::After(Duration::MAX));
    }
}
