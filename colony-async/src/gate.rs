//! The in-process gate: one task does the work, all others wait for it and share what comes of it, also
//! an error.
//!
//! The work runs in a task of its own. Callers only wait, so a caller that is cancelled cancels nothing
//! that others wait for, and what was paid for (a login, a spent refresh token) is always kept.
//!
//! A model checker looks at this file too (`tests/tests/gate`), with primitives of its own in the place of
//! [`tasks`](crate::tasks).

use std::{future::Future, sync::Arc};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::tasks::{AbortHandle, Handle, JoinError, Mutex, PoisonError};

/// One piece of work at a time, shared by whoever asks for it meanwhile.
pub(crate) struct Gate<T: Clone> {
    flight: Mutex<Option<Flight<T>>>,
}

/// Work under way.
struct Flight<T: Clone> {
    number: u64,
    task: AbortHandle,
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
        self.share_unless(work, |_| false).await
    }

    /// As [`share`](Self::share), but work that was under way before the caller asked may bring just what
    /// is of no use to the caller. That is left to the others, and the work is joined or set out again, until
    /// it brings something else or is the caller's own.
    ///
    /// # Errors
    ///
    /// When the work cannot come to an end.
    pub(crate) async fn share_unless<F>(
        self: &Arc<Self>,
        work: impl Fn() -> F,
        is_useless: impl Fn(&T) -> bool,
    ) -> Result<T, Unfinished>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut stops = 0_u8;
        loop {
            let (outcome, own) = self.board(&work);
            match outcome.await {
                Ended::Done(outcome) if own || !is_useless(&outcome) => return Ok(outcome),
                Ended::Done(_) => {}
                // A flight dies with the runtime that it was started on; whoever is left starts another. What
                // others start on a runtime that is going says nothing of the caller's own.
                Ended::Unfinished(Unfinished::Stopped) if !own || stops < 2 => stops += u8::from(own),
                Ended::Unfinished(why) => return Err(why),
            }
        }
    }

    /// The work under way, or else this, set out; and whether it is this.
    fn board<F>(self: &Arc<Self>, work: &impl Fn() -> F) -> (Shared<BoxFuture<'static, Ended<T>>>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut slot = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        // One that panicked or was stopped has not landed, and is nobody's any more but those' who waited.
        if let Some(flight) = &*slot
            && !flight.task.is_finished()
        {
            return (flight.outcome.clone(), false);
        }
        let number = slot.as_ref().map_or(0, |flight| flight.number.wrapping_add(1));
        let Ok(runtime) = Handle::try_current() else {
            let nowhere = Ended::Unfinished(Unfinished::NoRuntime);
            return (futures_util::future::ready(nowhere).boxed().shared(), true);
        };
        let (gate, work) = (Arc::clone(self), work());
        let task = runtime.spawn(async move {
            let outcome = work.await;
            gate.land(number);
            outcome
        });
        let handle = task.abort_handle();
        let outcome = task.map(ended).boxed().shared();
        *slot = Some(Flight { number, task: handle, outcome: outcome.clone() });
        (outcome, true)
    }

    /// Takes the flight off the board, so that whoever comes later starts with fresh eyes.
    fn land(&self, number: u64) {
        let mut slot = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|flight| flight.number == number) {
            *slot = None;
        }
    }
}

fn ended<T>(joined: Result<T, JoinError>) -> Ended<T> {
    match joined {
        Ok(outcome) => Ended::Done(outcome),
        Err(error) if error.is_panic() => Ended::Unfinished(Unfinished::Panicked),
        Err(_) => Ended::Unfinished(Unfinished::Stopped),
    }
}
