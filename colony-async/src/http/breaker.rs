//! A circuit breaker, which stops requests to a service that is down.
//!
//! Off unless [`Builder::circuit_breaker`](crate::Builder::circuit_breaker) turns it on. After `threshold` calls in a
//! row that ended without a reply, or with a 5xx after their retries, calls fail at once. After a rest one call is
//! let through: if it succeeds, all are let through again; if it fails, the next rest begins.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use colony_core::{Error, ErrorKind, Reply, Request, Result};

/// How long no request is sent.
const REST: Duration = Duration::from_secs(30);

pub(crate) struct Breaker {
    threshold: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Failures in a row.
    failures: u32,
    /// Since when no request is sent.
    open_since: Option<SystemTime>,
    /// Whether the one call after a rest is under way.
    trying: bool,
    /// How often the breaker has opened or closed. A call let through before the last turn says nothing about the
    /// present.
    turns: u64,
}

impl Breaker {
    /// Creates a breaker; `None` for a threshold of zero, which means off.
    pub(crate) fn new(threshold: u32) -> Option<Self> {
        (threshold > 0).then(|| Self { threshold, state: Mutex::default() })
    }

    /// Lets a call through, or fails it.
    pub(super) fn admit(&self, request: &Request, now: SystemTime) -> Result<Admitted<'_>> {
        let mut state = self.lock();
        let Some(since) = state.open_since else { return Ok(self.admitted(&state, false)) };
        // A clock that was set back must not lengthen the rest.
        let rested = now.duration_since(since).unwrap_or(REST);
        if state.trying || rested < REST {
            // It is not known how long the call under way takes.
            let left = REST.saturating_sub(rested).max(Duration::from_secs(1));
            let message = format!("the last {} calls failed, so nothing is sent for a while", state.failures);
            return Err(Error::build(ErrorKind::Network, message)
                .operation(request.operation())
                .code("circuit_open")
                .retry_after(left)
                .hint("The service is in trouble; the circuit breaker was set with `circuit_breaker`")
                .finish());
        }
        state.trying = true;
        Ok(self.admitted(&state, true))
    }

    fn admitted(&self, state: &State, is_trial: bool) -> Admitted<'_> {
        Admitted { breaker: self, is_trial, turn: state.turns }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that was let through. Dropped without an outcome (the caller was cancelled) it changes nothing, except that
/// another trial can start.
pub(super) struct Admitted<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
    turn: u64,
}

impl Admitted<'_> {
    pub(super) fn settle(self, outcome: &Result<Reply>, now: SystemTime) {
        let mut state = self.breaker.lock();
        if state.turns != self.turn {
            return;
        }
        match answers(outcome) {
            Some(true) => {
                state.failures = 0;
                state.turns += u64::from(state.open_since.take().is_some());
            }
            Some(false) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= self.breaker.threshold {
                    state.open_since = Some(now);
                    state.turns += 1;
                }
            }
            None => {}
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            self.breaker.lock().trying = false;
        }
    }
}

/// Returns whether the outcome shows a working service; `None` when it shows nothing. A 404 is the reply of a healthy
/// service.
fn answers(outcome: &Result<Reply>) -> Option<bool> {
    match outcome {
        Ok(reply) => Some(!reply.status.is_server_error()),
        Err(error) => match error.kind() {
            ErrorKind::Network | ErrorKind::Server => Some(false),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, Method, StatusCode};

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn call(breaker: &Breaker, seconds: u64, status: u16) -> bool {
        let request = Request::new("x", Method::GET, "/x");
        let Ok(admitted) = breaker.admit(&request, at(seconds)) else { return false };
        let status = StatusCode::from_u16(status).unwrap();
        admitted.settle(&Ok(Reply::new(status, HeaderMap::new(), Bytes::new())), at(seconds));
        true
    }

    #[test]
    fn it_opens_rests_and_tries_once() {
        let breaker = Breaker::new(2).unwrap();
        assert!(call(&breaker, 0, 500));
        assert!(call(&breaker, 0, 404)); // a reply: the count starts again
        assert!(call(&breaker, 0, 500));
        assert!(call(&breaker, 0, 503));
        assert!(!call(&breaker, 29, 200));
        assert!(call(&breaker, 30, 500)); // the trial fails
        assert!(!call(&breaker, 59, 200));
        assert!(call(&breaker, 60, 200));
        assert!(call(&breaker, 60, 500));
        assert!(call(&breaker, 60, 200));
    }

    #[test]
    fn calls_that_were_let_through_before_it_opened_do_not_open_it_again() {
        let breaker = Breaker::new(1).unwrap();
        let request = Request::new("x", Method::GET, "/x");
        let failed = || {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Ok(Reply::new(status, HeaderMap::new(), Bytes::new()))
        };
        let admit = |seconds| breaker.admit(&request, at(seconds)).unwrap_or_else(|error| panic!("{error}"));
        let (first, slow, slower) = (admit(0), admit(0), admit(0));
        first.settle(&failed(), at(0));
        slow.settle(&failed(), at(25));
        // The rest counts from the failure that opened the breaker.
        let error = breaker.admit(&request, at(29)).err().expect("it is open");
        assert_eq!((error.code(), error.retry_after()), (Some("circuit_open"), Some(Duration::from_secs(1))));
        assert!(call(&breaker, 30, 200));
        slower.settle(&failed(), at(31));
        assert!(call(&breaker, 31, 200));
    }

    #[test]
    fn one_trial_at_a_time_and_an_abandoned_one_makes_room() {
        let breaker = Breaker::new(1).unwrap();
        let request = Request::new("x", Method::GET, "/x");
        assert!(call(&breaker, 0, 500));
        let trial = breaker.admit(&request, at(30)).unwrap_or_else(|error| panic!("{error}"));
        assert!(breaker.admit(&request, at(31)).is_err());
        drop(trial);
        assert!(breaker.admit(&request, at(31)).is_ok());
        // The clock was set back.
        assert!(Breaker::new(0).is_none());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lock_out() {
        let breaker = Breaker::new(1).unwrap();
        assert!(call(&breaker, 1000, 500));
        assert!(!call(&breaker, 1001, 200));
        assert!(call(&breaker, 5, 200));
    }
}
