//! Sends a request until its outcome is final: the one driver of calls, logins and OAuth requests.
//!
//! [`colony_core::retry`] decides what is repeated and after how long; this module does the waiting. A request that
//! carries a refresh token never comes here: see [`crate::credential`].

use std::time::Duration;

use colony_core::{
    Error, Reply, Request, Result,
    retry::{Decision, Failure, RetryPolicy, Tries},
    token::LOGIN,
};

use crate::{
    deadline::{Deadline, Failed, Tried},
    time::Timer,
};

/// The tries of one request.
pub(crate) struct Repeat<'a> {
    tries: Tries<'a>,
    timer: &'a dyn Timer,
    operation: &'static str,
    /// The deadline of the call that the request belongs to.
    deadline: Option<&'a Deadline>,
    tried: Option<&'a Tried>,
}

impl<'a> Repeat<'a> {
    pub(crate) fn new(request: &Request, policy: &'a RetryPolicy, timer: &'a dyn Timer) -> Self {
        Self {
            tries: Tries::new(policy, request.repeat()),
            timer,
            operation: request.operation(),
            deadline: None,
            tried: None,
        }
    }

    /// Stops when the next try would begin after the deadline.
    pub(crate) fn until(self, deadline: &'a Deadline) -> Self {
        Self { deadline: Some(deadline), tried: Some(&deadline.tried), ..self }
    }

    /// Returns the tries of a login; callers waiting for it can report them.
    pub(crate) fn of_login(policy: &'a RetryPolicy, timer: &'a dyn Timer, tried: &'a Tried) -> Self {
        let tries = Tries::of_login(policy);
        Self { tries, timer, operation: LOGIN, deadline: None, tried: Some(tried) }
    }

    /// Returns a final outcome. Otherwise waits until the request should be sent again.
    pub(crate) async fn settle(
        &mut self,
        request: &Request,
        outcome: Result<Reply>,
    ) -> Option<Result<Reply>> {
        let Some(pause) = self.pause(&outcome) else { return Some(outcome) };
        let error = outcome.map_or_else(|error| error, |reply| reply.into_error(request));
        match self.deadline {
            Some(deadline) if !deadline.has_time_for(pause.time) => {
                return Some(Err(deadline.cuts(error, self.tries.resent())));
            }
            _ => {}
        }
        self.tell(&pause, error);
        if !pause.time.is_zero() {
            self.timer.sleep(pause.time).await;
        }
        None
    }

    /// Returns the pause before the request is sent again; `None` when the outcome is final.
    pub(crate) fn pause(&mut self, outcome: &Result<Reply>) -> Option<Pause> {
        let failure = Failure::of(outcome)?;
        let asked = outcome.as_ref().ok().and_then(Reply::retry_after);
        match self.tries.after(failure, asked, self.timer.random()) {
            Decision::Stop => None,
            Decision::After(time) => Some(Pause { failure, time }),
        }
    }

    /// Returns how often the request was sent again.
    pub(crate) fn resent(&self) -> u32 {
        self.tries.resent()
    }

    /// Reports that a pause begins, after a try that failed with `error`.
    pub(crate) fn tell(&self, pause: &Pause, error: Error) {
        let tries = self.tries.resent();
        if let Some(tried) = self.tried {
            tried.set(Some(Failed { operation: self.operation, tries, error }));
        }
        tracing::Span::current().record("http.request.resend_count", self.tries.resent());
        tracing::info!(
            target: "colony::http", event = "retry", operation = self.operation,
            "error.type" = &*pause.failure.as_str(), "http.request.resend_count" = self.tries.resent(),
            wait_ms = pause.time.as_millis() as u64, "sending the request again after a pause"
        );
    }
}

/// A pause before the next try.
pub(crate) struct Pause {
    failure: Failure,
    pub(crate) time: Duration,
}
