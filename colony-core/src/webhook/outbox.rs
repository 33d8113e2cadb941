//! When deliveries are due: a rule of the time that is passed in.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How long the service waits after each failed attempt before the next: five attempts in all.
pub const PAUSES: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];

/// Says which delivery is due next, for programs that send them: first attempts in the order of arrival, further ones
/// after a pause each. One that waits for its next attempt does not hold up the others.
///
/// It sends nothing and reads no clock; `now` is the time since any moment that stays the same.
///
/// ```
/// use std::time::Duration;
/// use colony_core::webhook::{Due, Outbox};
///
/// let mut outbox = Outbox::new([Duration::from_secs(5)]);
/// outbox.push("mention");
/// let Due::Send(first) = outbox.next(Duration::ZERO) else { panic!() };
/// assert_eq!(outbox.failed(first, Duration::ZERO), Ok(Duration::from_secs(5)));
/// assert_eq!(outbox.next(Duration::from_secs(2)), Due::Wait(Duration::from_secs(3)));
/// let Due::Send(second) = outbox.next(Duration::from_secs(5)) else { panic!() };
/// assert_eq!(second.number, 2);
/// assert_eq!(outbox.failed(second, Duration::from_secs(5)), Err("mention"));
/// ```
#[derive(Debug, Clone)]
pub struct Outbox<T> {
    pauses: Vec<Duration>,
    fresh: VecDeque<T>,
    /// By when they are due, then by when they failed.
    later: BTreeMap<(Duration, u64), Try<T>>,
    failures: u64,
}

/// An attempt to deliver something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Try<T> {
    /// What is delivered.
    pub item: T,
    /// The attempt's number, from 1.
    pub number: u32,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due<T> {
    /// Make this attempt. If it fails, tell with [`Outbox::failed`].
    Send(Try<T>),
    /// Nothing is due for this long.
    Wait(Duration),
    /// There is nothing to deliver.
    Nothing,
}

impl<T> Outbox<T> {
    /// Creates an empty one with these pauses after failed attempts; there is one attempt more than pauses.
    pub fn new(pauses: impl Into<Vec<Duration>>) -> Self {
        Self { pauses: pauses.into(), fresh: VecDeque::new(), later: BTreeMap::new(), failures: 0 }
    }

    /// Adds something to deliver.
    pub fn push(&mut self, item: T) {
        self.fresh.push_back(item);
    }

    /// Returns what to do now. What is handed out is no longer held here.
    pub fn next(&mut self, now: Duration) -> Due<T> {
        let first = self.later.first_key_value().map(|((due, _), _)| *due);
        if first.is_some_and(|due| due <= now)
            && let Some((_, attempt)) = self.later.pop_first()
        {
            return Due::Send(attempt);
        }
        match (self.fresh.pop_front(), first) {
            (Some(item), _) => Due::Send(Try { item, number: 1 }),
            (None, Some(due)) => Due::Wait(due - now),
            (None, None) => Due::Nothing,
        }
    }

    /// Notes that an attempt failed, and returns how long it is until the next one.
    ///
    /// # Errors
    ///
    /// What was to be delivered, when that was the last attempt.
    pub fn failed(&mut self, attempt: Try<T>, now: Duration) -> Result<Duration, T> {
        let Try { item, number } = attempt;
        let Some(pause) = self.pauses.get(number as usize - 1).copied() else { return Err(item) };
        self.failures += 1;
        self.later.insert((now + pause, self.failures), Try { item, number: number + 1 });
        Ok(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn sent<T>(due: Due<T>) -> Try<T> {
        let Due::Send(attempt) = due else { panic!("nothing is due") };
        attempt
    }

    #[test]
    fn attempts_have_the_services_pauses_and_end() {
        let mut outbox = Outbox::new(PAUSES);
        outbox.push('a');
        let (mut now, mut times) = (at(0), Vec::new());
        loop {
            match outbox.next(now) {
                Due::Send(attempt) => {
                    times.push((now.as_secs(), attempt.number));
                    if outbox.failed(attempt, now).is_err() {
                        break;
                    }
                }
                Due::Wait(wait) => now += wait,
                Due::Nothing => panic!("it is lost"),
            }
        }
        assert_eq!(times, [(0, 1), (5, 2), (35, 3), (155, 4), (755, 5)]);
        assert_eq!(outbox.next(now), Due::Nothing);
    }

    #[test]
    fn first_attempts_are_in_order_and_nobody_waits_for_another() {
        let mut outbox = Outbox::new(PAUSES);
        "abc".chars().for_each(|item| outbox.push(item));
        let first = sent(outbox.next(at(0)));
        assert_eq!((first.item, first.number), ('a', 1));
        outbox.failed(first, at(0)).unwrap();
        assert_eq!(sent(outbox.next(at(1))).item, 'b');
        // What is due goes before what has not been tried.
        let again = sent(outbox.next(at(5)));
        assert_eq!((again.item, again.number), ('a', 2));
        assert_eq!(sent(outbox.next(at(5))).item, 'c');
        assert_eq!(outbox.next(at(5)), Due::Nothing);
    }

    #[test]
    fn two_that_are_due_at_once_go_in_the_order_of_their_failures() {
        let mut outbox = Outbox::new([at(5), at(5)]);
        "ab".chars().for_each(|item| outbox.push(item));
        let (first, second) = (sent(outbox.next(at(0))), sent(outbox.next(at(0))));
        outbox.failed(second, at(0)).unwrap();
        outbox.failed(first, at(0)).unwrap();
        assert_eq!(sent(outbox.next(at(9))).item, 'b');
        assert_eq!(sent(outbox.next(at(9))).item, 'a');
    }
}
