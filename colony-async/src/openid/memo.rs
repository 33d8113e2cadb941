//! A document of a provider, fetched when it is first needed and kept in memory for a while.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use colony_core::{Error, Result, retry::RetryPolicy};

use crate::{
    gate::Gate,
    time::{Timer, unix},
};

/// How long a failure is remembered: many callers must not send requests one after another to a provider that is in
/// trouble.
const FAILURE_KEPT: Duration = Duration::from_secs(5);

/// How often a fetch is retried, whatever the policy for logins: two minutes are too long for a document.
const MOST_RETRIES: u32 = 2;

/// The last fetch. One fetch serves all waiting callers.
pub(super) struct Memo<T> {
    timer: Arc<dyn Timer>,
    known: ArcSwapOption<Fetched<T>>,
    failed: Mutex<Option<Failed>>,
    gate: Arc<Gate<Result<Arc<Fetched<T>>>>>,
}

/// A fetched value.
pub(super) struct Fetched<T> {
    pub(super) value: T,
    /// When it was fetched, Unix seconds; `None` if it must be fetched again the next time.
    pub(super) fetched_at: Option<f64>,
}

struct Failed {
    error: Error,
    /// Unix seconds.
    at: f64,
}

impl<T: Send + Sync + 'static> Memo<T> {
    pub(super) fn new(timer: Arc<dyn Timer>) -> Self {
        Self { timer, known: ArcSwapOption::empty(), failed: Mutex::default(), gate: Arc::default() }
    }

    /// Returns the known value, if it is believed.
    pub(super) fn known(&self, is_believed: fn(f64, f64) -> bool) -> Option<Arc<Fetched<T>>> {
        let now = unix(&*self.timer);
        let is_believed = |known: &Arc<Fetched<T>>| known.fetched_at.is_some_and(|at| is_believed(at, now));
        self.known.load_full().filter(is_believed)
    }

    /// Returns the known and believed value, other than `not`, and fetches it if necessary.
    ///
    /// # Errors
    ///
    /// The error of the fetch, also for callers that follow within a few seconds.
    pub(super) async fn get<F>(
        self: &Arc<Self>,
        not: Option<&Arc<Fetched<T>>>,
        is_believed: fn(f64, f64) -> bool,
        fetch: impl Fn() -> F,
    ) -> Result<Arc<Fetched<T>>>
    where
        F: Future<Output = Result<Fetched<T>>> + Send + 'static,
    {
        let is_useful = |known: &Arc<Fetched<T>>| not.is_none_or(|not| !Arc::ptr_eq(known, not));
        if let Some(known) = self.known(is_believed).filter(is_useful) {
            return Ok(known);
        }
        if let Some(error) = self.recent_failure() {
            return Err(error);
        }
        let work = || {
            let (memo, not, fetching) = (Arc::clone(self), not.cloned(), fetch());
            async move {
                // Another fetch may have ended between the check and the start of this one.
                let is_useful = |known: &Arc<Fetched<T>>| not.is_none_or(|not| !Arc::ptr_eq(known, &not));
                if let Some(known) = memo.known(is_believed).filter(is_useful) {
                    return Ok(known);
                }
                let fetched = fetching.await.map(Arc::new);
                let failed = fetched.as_ref().err().cloned();
                *memo.failed.lock().unwrap_or_else(PoisonError::into_inner) =
                    failed.map(|error| Failed { error, at: unix(&*memo.timer) });
                if let Ok(known) = &fetched {
                    memo.known.store(Some(Arc::clone(known)));
                }
                fetched
            }
        };
        self.gate.share(work).await.unwrap_or_else(|lost| Err(lost.into()))
    }

    fn recent_failure(&self) -> Option<Error> {
        let now = unix(&*self.timer);
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let Failed { error, at } = failed.as_ref()?;
        (*at..*at + FAILURE_KEPT.as_secs_f64()).contains(&now).then(|| error.clone())
    }
}

/// Returns the retry policy of a fetch.
pub(super) fn budget(login: &RetryPolicy) -> RetryPolicy {
    let RetryPolicy { max_retries, max_delay, .. } = RetryPolicy::default();
    login.clone().max_retries(login.max_retries.min(max_retries.min(MOST_RETRIES))).max_delay(max_delay)
}
