//! When to try again, and after how long: a plain value and pure functions of what happened.

use std::time::Duration;

/// How often, after how long, and on which statuses a request is sent again.
///
/// The server's `Retry-After` wins over the computed delay; one above
/// [`max_retry_after`](Self::max_retry_after) ends the tries at once, because nobody waits an hour
/// inside a call. Requests that got no answer at all are not sent again: they may have been acted on.
///
/// ```
/// use std::time::Duration;
/// use colony_core::retry::{Decision, RetryPolicy};
///
/// let policy = RetryPolicy::default();
/// assert_eq!(policy.after(0, 503, None), Decision::After(Duration::from_secs(1)));
/// assert_eq!(policy.after(2, 503, None), Decision::Stop); // two more tries have been made
/// assert_eq!(policy.after(0, 429, Some(Duration::from_secs(3600))), Decision::Stop);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many times more a request is sent. Default 2 (`/auth/token`: 6).
    pub max_retries: u32,
    /// The delay before the first further try; it doubles with each. Default 1 s (`/auth/token`: 2 s).
    pub base_delay: Duration,
    /// The longest computed delay. Default 10 s (`/auth/token`: 60 s).
    pub max_delay: Duration,
    /// The longest `Retry-After` that is waited for. Default 60 s.
    pub max_retry_after: Duration,
    /// The statuses that are tried again. Default 429, 502, 503, 504 (`/auth/token`: not 429).
    pub retry_on: Vec<u16>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 2,
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(60),
            retry_on: vec![429, 502, 503, 504],
        }
    }
}

/// What [`RetryPolicy::after`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Give the reply to the caller.
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
            base_delay: Duration::from_secs(2),
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

    /// What to do after `retries` further tries and a reply of this status.
    pub fn after(&self, retries: u32, status: u16, retry_after: Option<Duration>) -> Decision {
        if retries >= self.max_retries || !self.retry_on.contains(&status) {
            return Decision::Stop;
        }
        match retry_after {
            Some(wait) if wait > self.max_retry_after => Decision::Stop,
            Some(wait) => Decision::After(wait),
            None => Decision::After(self.delay(retries)),
        }
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
        let waits = (0..self.max_retries.min(64)).map(|n| self.delay(n).max(self.max_retry_after));
        let waits = waits.fold(Duration::ZERO, Duration::saturating_add);
        timeout.saturating_mul(self.max_retries.saturating_add(1)).saturating_add(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_budget_doubles_to_a_minute_and_never_repeats_a_429() {
        let policy = RetryPolicy::for_login();
        let waits: Vec<u64> = (0..7)
            .map_while(|n| match policy.after(n, 503, None) {
                Decision::After(wait) => Some(wait.as_secs()),
                Decision::Stop => None,
            })
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60]);
        assert_eq!(policy.after(0, 429, Some(Duration::from_secs(1))), Decision::Stop);
    }

    #[test]
    fn the_longest_time_has_room_for_every_wait_the_server_may_ask_for() {
        let policy = RetryPolicy::for_login();
        let wait = Some(Duration::from_secs(60));
        let waits: Duration = (0..policy.max_retries)
            .map(|n| match policy.after(n, 503, wait) {
                Decision::After(wait) => wait,
                Decision::Stop => Duration::ZERO,
            })
            .sum();
        let timeout = Duration::from_secs(30);
        assert!(policy.longest(timeout) >= waits + timeout * (policy.max_retries + 1));
    }

    #[test]
    fn many_retries_do_not_overflow() {
        let policy = RetryPolicy::default().max_retries(1000);
        assert_eq!(policy.after(999, 503, None), Decision::After(Duration::from_secs(10)));
        assert!(policy.longest(Duration::from_secs(30)) > Duration::from_secs(30));
    }

    #[test]
    fn whoever_waits_for_ever_does_not_overflow() {
        let policy = RetryPolicy::for_login().max_retry_after(Duration::MAX).max_delay(Duration::MAX);
        assert_eq!(policy.longest(Duration::MAX), Duration::MAX);
        assert_eq!(policy.after(0, 503, Some(Duration::MAX)), Decision::After(Duration::MAX));
    }
}
