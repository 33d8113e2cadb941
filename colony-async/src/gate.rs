//! The in-process gate: one task does the work, all others wait for it and share what comes of it, also
//! an error.
//!
//! The work runs in a task of its own. Callers only wait, so a caller that is cancelled cancels nothing
//! that others wait for, and what was paid for (a login, a spent refresh token) is always kept.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

/// One piece of work at a time, shared by whoever asks for it meanwhile.
pub(crate) struct Gate<T: Clone> {
    flight: Mutex<Option<Flight<T>>>,
}

/// Work under way.
struct Flight<T: Clone> {
    number: u64,
    outcome: Shared<BoxFuture<'static, Ended<T>>>,
}

/// How a flight's task ended.
#[derive(Clone)]
enum Ended<T> {
    Done(T),
    Unfinished(Unfinished),
}

/// Why there is no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// The work panicked. It is not done again: it would only panic again.
    Panicked,
    /// The runtime was shut down under the work.
    Stopped,
    /// There is no runtime to do it on.
    NoRuntime,
}

impl<T: Clone> Default for Gate<T> {
    fn default() -> Self {
        Self { flight: Mutex::new(None) }
    }
}

impl<T: Clone + Send + Sync + 'static> Gate<T> {
    /// Joins the work under way, or sets this out.
    ///
    /// # Errors
    ///
    /// When the work cannot come to an end.
    pub(crate) async fn share<F>(self: &Arc<Self>, work: impl Fn() -> F) -> Result<T, Unfinished>
    where
        F: Future<Output = T> + Send + 'static,
    {
        // A flight dies with the runtime that it was started on; whoever is left starts another.
        for _ in 0..3 {
            match self.board(&work).await {
                Ended::Done(outcome) => return Ok(outcome),
                Ended::Unfinished(Unfinished::Stopped) => {}
                Ended::Unfinished(why) => return Err(why),
            }
        }
        Err(Unfinished::Stopped)
    }

    fn board<F>(self: &Arc<Self>, work: &impl Fn() -> F) -> Shared<BoxFuture<'static, Ended<T>>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut slot = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = &*slot
            && flight.outcome.peek().is_none()
        {
            return flight.outcome.clone();
        }
        let number = slot.as_ref().map_or(0, |flight| flight.number.wrapping_add(1));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            let nowhere = Ended::Unfinished(Unfinished::NoRuntime);
            return futures_util::future::ready(nowhere).boxed().shared();
        };
        let (gate, work) = (Arc::clone(self), work());
        let task = runtime.spawn(async move {
            let outcome = work.await;
            gate.land(number);
            outcome
        });
        let outcome = task.map(ended).boxed().shared();
        *slot = Some(Flight { number, outcome: outcome.clone() });
        outcome
    }

    /// Takes the flight off the board, so that whoever comes later starts with fresh eyes.
    fn land(&self, number: u64) {
        let mut slot = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|flight| flight.number == number) {
            *slot = None;
        }
    }
}

fn ended<T>(joined: Result<T, tokio::task::JoinError>) -> Ended<T> {
    match joined {
        Ok(outcome) => Ended::Done(outcome),
        Err(error) if error.is_panic() => Ended::Unfinished(Unfinished::Panicked),
        Err(_) => Ended::Unfinished(Unfinished::Stopped),
    }
}
