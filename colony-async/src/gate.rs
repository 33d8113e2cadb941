//! The in-process gate, a single flight: one thread does the work, and all callers wait for it and share its outcome,
//! including an error.
//!
//! The work runs on a separate thread ([`background`](crate::background)). Callers only wait, so a caller that is
//! cancelled, or whose runtime is not polled, does not block others, and a result that was paid for (a login, a spent
//! refresh token) is always kept.
//!
//! A model checker also runs this file (`tests/tests/gate`), with its own primitives in place of
//! [`tasks`](crate::tasks).

use std::{future::Future, sync::Arc};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::tasks::{Finished, Lost, Mutex, PoisonError, spawn};

/// Does one piece of work at a time, shared by all callers that request it meanwhile.
pub(crate) struct Gate<T: Clone> {
    flight: Mutex<Option<Flight<T>>>,
}

/// Work under way.
struct Flight<T: Clone> {
    number: u64,
    finished: Finished,
    outcome: Shared<BoxFuture<'static, Result<T, Lost>>>,
}

impl<T: Clone> Default for Gate<T> {
    fn default() -> Self {
        Self { flight: Mutex::new(None) }
    }
}

impl<T: Clone + Send + Sync + 'static> Gate<T> {
    /// Joins the work under way, or starts this.
    ///
    /// # Errors
    ///
    /// When the work panics, or no thread can be started for it.
    pub(crate) async fn share<F>(self: &Arc<Self>, work: impl Fn() -> F) -> Result<T, Lost>
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.share_unless(work, |_| false).await
    }

    /// As [`share`](Self::share). A caller that cannot use the shared outcome, because the work began before it
    /// asked, joins or starts another attempt, until the outcome is useful or that of its own attempt.
    ///
    /// # Errors
    ///
    /// As [`share`](Self::share).
    pub(crate) async fn share_unless<F>(
        self: &Arc<Self>,
        work: impl Fn() -> F,
        is_useless: impl Fn(&T) -> bool,
    ) -> Result<T, Lost>
    where
        F: Future<Output = T> + Send + 'static,
    {
        loop {
            let (outcome, own) = self.board(&work);
            match outcome.await {
                Ok(outcome) if !own && is_useless(&outcome) => {}
                outcome => return outcome,
            }
        }
    }

    /// Waits for the work under way, if there is any.
    pub(crate) async fn settled(&self) {
        let under_way = {
            let slot = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
            slot.as_ref().filter(|flight| !flight.finished.is_set()).map(|flight| flight.outcome.clone())
        };
        if let Some(outcome) = under_way {
            // The outcome concerns only its callers.
            let _ = outcome.await;
        }
    }

    /// Returns the work under way, or else this work, just started, and whether it is this one.
    fn board<F>(
        self: &Arc<Self>,
        work: &impl Fn() -> F,
    ) -> (Shared<BoxFuture<'static, Result<T, Lost>>>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut slot = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        // Work that panicked is still in the slot. It belongs only to the callers already waiting for it.
        if let Some(flight) = &*slot
            && !flight.finished.is_set()
        {
            return (flight.outcome.clone(), false);
        }
        let number = slot.as_ref().map_or(0, |flight| flight.number.wrapping_add(1));
        let (gate, work) = (Arc::clone(self), work());
        let task = spawn(move || async move {
            let outcome = work.await;
            gate.land(number);
            outcome
        });
        let finished = task.finished();
        let outcome = task.boxed().shared();
        *slot = Some(Flight { number, finished, outcome: outcome.clone() });
        (outcome, true)
    }

    /// Empties the slot, so that later callers start new work.
    fn land(&self, number: u64) {
        let mut slot = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|flight| flight.number == number) {
            *slot = None;
        }
    }
}
