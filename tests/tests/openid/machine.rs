//! A machine whose time tests control: one boot-time clock, which all processes share, and wall clocks that can be
//! wrong.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use colony_async::time::{Timer, Uptime};

#[derive(Debug, Clone)]
pub(crate) struct Machine(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    boot: u64,
    uptime: f64,
    wall: f64,
}

impl Machine {
    /// Returns a machine whose wall clock shows the real time.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { boot: fastrand::u64(..), uptime: 1_000.0, wall: crate::now() })))
    }

    /// Lets this many seconds pass.
    pub(crate) fn pass(&self, seconds: f64) {
        let mut state = self.state();
        state.uptime += seconds;
        state.wall += seconds;
    }

    /// Restarts it, after this many seconds.
    pub(crate) fn reboot(&self, seconds: f64) {
        self.pass(seconds);
        let mut state = self.state();
        state.boot = fastrand::u64(..);
        state.uptime = 20.0;
    }

    /// Returns the clock of a process whose wall clock is wrong by this many seconds.
    pub(crate) fn timer(&self, wrong: f64) -> ProcessTimer {
        ProcessTimer { machine: self.clone(), wrong }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct ProcessTimer {
    machine: Machine,
    wrong: f64,
}

impl Timer for ProcessTimer {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(self.machine.state().wall + self.wrong)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.machine.pass(duration.as_secs_f64());
        Box::pin(tokio::task::yield_now())
    }

    fn uptime(&self) -> Uptime {
        let state = self.machine.state();
        Uptime::new(format!("{:016x}", state.boot), state.uptime)
    }
}
