//! A limit over a sliding window of time, separate for each client.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Counts calls for each client over the last `span`, and refuses those above `limit`.
#[derive(Debug)]
pub(crate) struct SlidingWindow<K> {
    limit: usize,
    span: Duration,
    calls: HashMap<K, VecDeque<Instant>>,
}

/// The window's decision on one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The limit.
    pub(crate) limit: usize,
    /// Whether the call is within it. A refused call takes no slot.
    pub(crate) allowed: bool,
    /// Slots left after this call.
    pub(crate) remaining: usize,
    /// Whole seconds, rounded up and at least one, until the oldest slot becomes free.
    pub(crate) frees_in: u64,
}

impl<K: Hash + Eq> SlidingWindow<K> {
    pub(crate) fn new(limit: u32, span: Duration) -> Self {
        Self { limit: limit as usize, span, calls: HashMap::new() }
    }

    /// Requests a slot at `now`.
    pub(crate) fn ask(&mut self, client: K, now: Instant) -> Verdict {
        let calls = self.calls.entry(client).or_default();
        while calls.front().is_some_and(|&first| now.saturating_duration_since(first) >= self.span) {
            calls.pop_front();
        }
        let allowed = calls.len() < self.limit;
        if allowed {
            calls.push_back(now);
        }
        let frees_in = match calls.front() {
            Some(&first) => {
                let left = self.span.saturating_sub(now.saturating_duration_since(first));
                (left.as_millis().div_ceil(1000) as u64).max(1)
            }
            None => self.span.as_secs().max(1),
        };
        Verdict { limit: self.limit, allowed, remaining: self.limit.saturating_sub(calls.len()), frees_in }
    }

    /// Removes all calls.
    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: u8 = 1;

    #[test]
    fn slots_become_free_one_by_one() {
        let mut window = SlidingWindow::new(2, Duration::from_secs(3600));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(window.ask(HERE, at(0)).remaining, 1);
        assert!(window.ask(HERE, at(100)).allowed);
        let refused = window.ask(HERE, at(600));
        assert_eq!(refused, Verdict { limit: 2, allowed: false, remaining: 0, frees_in: 3000 });
        assert!(!window.ask(HERE, at(3599)).allowed);
        assert!(window.ask(HERE, at(3600)).allowed, "the first slot is free");
        let next = window.ask(HERE, at(3601));
        assert_eq!((next.allowed, next.frees_in), (false, 99), "the second one is not");
    }

    #[test]
    fn part_seconds_round_up_and_a_refusal_takes_no_slot() {
        let mut window = SlidingWindow::new(1, Duration::from_secs(10));
        let start = Instant::now();
        assert!(window.ask(HERE, start).allowed);
        for _ in 0..5 {
            assert_eq!(window.ask(HERE, start + Duration::from_millis(8_500)).frees_in, 2);
        }
        assert!(window.ask(HERE, start + Duration::from_secs(10)).allowed);
    }

    #[test]
    fn clients_are_counted_apart_and_zero_refuses_all() {
        let mut window = SlidingWindow::new(1, Duration::from_secs(10));
        let now = Instant::now();
        assert!(window.ask(HERE, now).allowed);
        assert!(window.ask(2, now).allowed);
        window.clear();
        assert!(window.ask(HERE, now).allowed);
        let mut closed = SlidingWindow::new(0, Duration::from_secs(10));
        assert_eq!(closed.ask(HERE, now), Verdict { limit: 0, allowed: false, remaining: 0, frees_in: 10 });
    }
}
