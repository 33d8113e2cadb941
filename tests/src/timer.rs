//! A clock that moves only when a test moves it, or when a caller sleeps, which takes no time.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use colony_async::time::Timer;

/// The clock of a client under test. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct TestTimer(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: SystemTime,
    sleeps: Vec<f64>,
}

impl TestTimer {
    /// Returns a clock that shows this many Unix seconds.
    pub fn at(unix: f64) -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(unix);
        Self(Arc::new(Mutex::new(State { now, sleeps: Vec::new() })))
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: f64) {
        self.lock().now += Duration::from_secs_f64(seconds);
    }

    /// Moves the clock to this many Unix seconds.
    pub fn set(&self, unix: f64) {
        self.lock().now = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(unix);
    }

    /// Returns the sleeps since the last call, in seconds.
    pub fn take_sleeps(&self) -> Vec<f64> {
        std::mem::take(&mut self.lock().sleeps)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timer for TestTimer {
    fn now(&self) -> SystemTime {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.lock();
        state.now += duration;
        state.sleeps.push(duration.as_secs_f64());
        Box::pin(std::future::ready(()))
    }

    /// Returns a constant, so that pauses have no jitter.
    fn random(&self) -> f64 {
        0.0
    }
}

/// A clock that stands still until a test moves it; sleepers wait for that. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct HeldTimer {
    start: SystemTime,
    passed: tokio::sync::watch::Sender<Duration>,
}

impl Default for HeldTimer {
    fn default() -> Self {
        Self { start: SystemTime::now(), passed: tokio::sync::watch::Sender::new(Duration::ZERO) }
    }
}

impl HeldTimer {
    /// Moves the clock forward.
    pub fn advance(&self, time: Duration) {
        self.passed.send_modify(|passed| *passed += time);
    }
}

impl Timer for HeldTimer {
    fn now(&self) -> SystemTime {
        self.start + *self.passed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut passed = self.passed.subscribe();
        let until = passed.borrow().saturating_add(duration);
        Box::pin(async move {
            // The sender lives in the timer, which can be gone: then no caller waits for this any more.
            let _ = passed.wait_for(|passed| *passed >= until).await;
        })
    }

    fn monotonic(&self) -> Option<Duration> {
        Some(*self.passed.borrow())
    }

    fn random(&self) -> f64 {
        0.5
    }
}
