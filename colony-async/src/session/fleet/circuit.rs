//! A circuit breaker for a store that does not work.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::engine::{Trouble, TroubleKind};
use crate::time::{Timer, unix};

/// The pauses for an unreachable store: they double from the first to the last.
const FIRST: Duration = Duration::from_secs(5);
const LAST: Duration = Duration::from_secs(60);
/// The pause after trouble that only a person can fix, such as a wrong password.
const WRONG: Duration = Duration::from_secs(600);

/// Decides whether a store is used at all. All clients of a process that have one store share it.
#[derive(Default)]
pub(crate) struct Circuit(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    /// When the store is next tried.
    next: Option<f64>,
    /// When trouble was last reported at warn level.
    told: Option<f64>,
}

impl Circuit {
    /// Returns the circuit of the store with this address.
    pub(super) fn of(address: &str) -> Arc<Self> {
        static ALL: Mutex<BTreeMap<String, Arc<Circuit>>> = Mutex::new(BTreeMap::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(address.to_owned()).or_default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the store is tried now. After a pause one caller tries it, and the others wait out another
    /// pause.
    pub(super) fn lets_through(&self, timer: &dyn Timer) -> bool {
        let mut state = self.state();
        let now = unix(timer);
        match state.next {
            None => true,
            // A clock that was set back must not lengthen the pause.
            Some(next) if now < next && next - now <= 2.0 * WRONG.as_secs_f64() => false,
            Some(_) => {
                state.next = Some(now + FIRST.as_secs_f64());
                true
            }
        }
    }

    /// Notes that the store works.
    pub(super) fn close(&self) {
        let mut state = self.state();
        (state.failures, state.next) = (0, None);
    }

    /// Notes that the store does not work. Returns whether to report it at warn level: once in ten minutes.
    pub(super) fn open(&self, trouble: &Trouble, timer: &dyn Timer) -> bool {
        let mut state = self.state();
        let now = unix(timer);
        let pause = match trouble.kind {
            TroubleKind::NotAsked => return false,
            TroubleKind::Wrong => WRONG,
            _ => {
                let doubled = FIRST.saturating_mul(1 << state.failures.min(8)).min(LAST);
                doubled.mul_f64(0.5 + timer.random())
            }
        };
        state.failures += 1;
        state.next = Some(now + pause.as_secs_f64());
        let is_loud = state.told.is_none_or(|told| !(0.0..WRONG.as_secs_f64()).contains(&(now - told)));
        if is_loud {
            state.told = Some(now);
        }
        is_loud
    }
}
