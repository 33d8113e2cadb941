//! A clock that stands still until a test moves it.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use colony_async::time::Timer;
use tokio::sync::watch;

/// The longest real wait. No test takes this long, so a longer wait is for an event that never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The clock; clones are the same clock.
///
/// Time passes up to a *horizon* and not beyond. A sleep that is due before the horizon returns at once and moves the
/// clock to its end; a later one waits until the horizon is moved.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct State {
    /// The wall-clock time minus the time that has passed.
    offset: f64,
    passed: f64,
    horizon: f64,
    sleepers: Vec<Sleeper>,
    slept: u64,
    next: u64,
}

struct Sleeper {
    id: u64,
    until: f64,
    waker: Option<Waker>,
}

impl Clock {
    /// Returns a clock that shows the real time and stands still.
    pub fn standing() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let state = State {
            offset: now.as_secs_f64().floor(),
            passed: 0.0,
            horizon: 0.0,
            sleepers: Vec::new(),
            slept: 0,
            next: 0,
        };
        Self(Arc::new(Inner { state: Mutex::new(state), changed: watch::Sender::new(()) }))
    }

    /// Returns a clock on which every sleep ends at once.
    pub fn flowing() -> Self {
        let clock = Self::standing();
        clock.flow();
        clock
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns its time, in Unix seconds.
    pub fn unix(&self) -> f64 {
        let state = self.state();
        state.offset + state.passed
    }

    /// Sets it to another time, as a person or a time server does; sleeps do not become shorter or longer.
    pub fn set(&self, unix: f64) {
        let mut state = self.state();
        state.offset = unix - state.passed;
    }

    /// Moves the clock forward by `seconds` for its readers. Sleepers are not woken.
    pub fn jump(&self, seconds: f64) {
        let now = self.unix();
        self.set(now + seconds);
    }

    /// Lets `seconds` pass for sleepers, and waits until all of them sleep beyond that; there must be one.
    ///
    /// # Panics
    ///
    /// When that does not happen within a minute of real time.
    pub async fn pass(&self, seconds: f64) {
        let mut changed = self.0.changed.subscribe();
        let horizon = {
            let mut state = self.state();
            state.horizon = state.passed + seconds;
            for waker in state.sleepers.iter_mut().filter_map(|sleeper| sleeper.waker.take()) {
                waker.wake();
            }
            state.horizon
        };
        loop {
            changed.borrow_and_update();
            {
                let mut state = self.state();
                if !state.sleepers.is_empty() && state.sleepers.iter().all(|one| one.until > horizon) {
                    state.passed = horizon;
                    return;
                }
            }
            let woken = tokio::time::timeout(PATIENCE, changed.changed()).await;
            assert!(woken.is_ok(), "nobody sleeps beyond the time that was to pass");
        }
    }

    /// Makes every sleep end at once from now on, including those under way.
    pub fn flow(&self) {
        let mut state = self.state();
        state.horizon = f64::INFINITY;
        for waker in state.sleepers.iter_mut().filter_map(|sleeper| sleeper.waker.take()) {
            waker.wake();
        }
    }

    /// Waits until `count` sleepers are asleep.
    ///
    /// # Panics
    ///
    /// When that does not happen within a minute of real time.
    pub async fn sleepers(&self, count: usize) {
        let mut changed = self.0.changed.subscribe();
        loop {
            changed.borrow_and_update();
            if self.state().sleepers.len() == count {
                return;
            }
            let woken = tokio::time::timeout(PATIENCE, changed.changed()).await;
            assert!(woken.is_ok(), "{} are asleep and not {count}", self.state().sleepers.len());
        }
    }

    /// Returns how many sleeps have ended.
    pub fn slept(&self) -> u64 {
        self.state().slept
    }
}

impl Timer for Clock {
    fn now(&self) -> SystemTime {
        let unix = self.unix();
        let distance = Duration::from_secs_f64(unix.abs());
        if unix < 0.0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.state();
        let id = state.next;
        state.next += 1;
        let until = state.passed + duration.as_secs_f64();
        state.sleepers.push(Sleeper { id, until, waker: None });
        drop(state);
        self.0.changed.send_replace(());
        Box::pin(Sleep { clock: self.clone(), id })
    }
}

struct Sleep {
    clock: Clock,
    id: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        let horizon = state.horizon;
        let Some(sleeper) = state.sleepers.iter_mut().find(|sleeper| sleeper.id == self.id) else {
            return Poll::Ready(());
        };
        if sleeper.until > horizon {
            sleeper.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        let until = sleeper.until;
        state.passed = state.passed.max(until);
        state.slept += 1;
        state.sleepers.retain(|sleeper| sleeper.id != self.id);
        drop(state);
        self.clock.0.changed.send_replace(());
        Poll::Ready(())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.state().sleepers.retain(|sleeper| sleeper.id != self.id);
        self.clock.0.changed.send_replace(());
    }
}
