//! The clock and the pauses of a client, which tests can replace.

use std::{
    future::Future,
    pin::Pin,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

pub use colony_core::credential::spending::Uptime;

/// Provides the time and waits. Clients use [`SystemTimer`] unless given another with
/// [`Builder::timer`](crate::Builder::timer), which tests do.
pub trait Timer: Send + Sync + 'static {
    /// Returns the wall clock's time: files outlive processes, so a monotonic clock would mean nothing in them.
    fn now(&self) -> SystemTime;

    /// Waits for this duration.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Returns the time since the machine was started, by a clock that cannot be set and that runs while the machine
    /// sleeps. It measures how long ago a refresh was sent. The default is the wall clock's time.
    fn uptime(&self) -> Uptime {
        Uptime::new("wall", colony_core::token::freshness::unix_seconds(self.now()))
    }

    /// Returns the time since some fixed moment of this process, on the monotonic clock. `None`, the default, if
    /// there is no such clock: then only the time spent sleeping is counted.
    fn monotonic(&self) -> Option<Duration> {
        None
    }

    /// Returns a number from 0 to 1 that spreads waiting times. The default draws a new one each time.
    fn random(&self) -> f64 {
        fastrand::f64()
    }
}

/// The system's clock and tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTimer;

impl Timer for SystemTimer {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn monotonic(&self) -> Option<Duration> {
        static START: OnceLock<Instant> = OnceLock::new();
        Some(START.get_or_init(Instant::now).elapsed())
    }

    fn uptime(&self) -> Uptime {
        match (boot_id(), since_boot()) {
            (Some(boot), Some(seconds)) => Uptime::new(boot, seconds),
            // Windows offers neither to safe code.
            _ => Uptime::new("wall", unix(self)),
        }
    }
}

/// Returns an id of the running boot of this machine.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn boot_id() -> Option<&'static str> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    };
    BOOT.get_or_init(read).as_deref()
}

/// Returns one id for all boots. The clock starts from zero with each boot. Its reading now, less the reading in an
/// earlier boot, is therefore less than the time that has passed, or negative: boots need no ids.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn boot_id() -> Option<&'static str> {
    Some("monotonic")
}

#[cfg(not(unix))]
fn boot_id() -> Option<&'static str> {
    None
}

#[cfg(unix)]
fn since_boot() -> Option<f64> {
    // On Linux the monotonic clock stands still while the machine sleeps; on macOS it does not.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

#[cfg(not(unix))]
fn since_boot() -> Option<f64> {
    None
}

/// Measures how long something takes, even if the wall clock is set meanwhile.
pub(crate) struct Stopwatch<'t> {
    timer: &'t dyn Timer,
    start: Option<Duration>,
    slept: Duration,
}

impl<'t> Stopwatch<'t> {
    pub(crate) fn start(timer: &'t dyn Timer) -> Self {
        Self { timer, start: timer.monotonic(), slept: Duration::ZERO }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match (self.timer.monotonic(), self.start) {
            (Some(now), Some(start)) => now.saturating_sub(start),
            _ => self.slept,
        }
    }

    pub(crate) async fn sleep(&mut self, duration: Duration) {
        self.timer.sleep(duration).await;
        self.has_slept(duration);
    }

    /// Counts a sleep that was made elsewhere.
    pub(crate) fn has_slept(&mut self, duration: Duration) {
        self.slept = self.slept.saturating_add(duration);
    }
}

/// Returns the Unix seconds of the timer's clock; negative before 1970.
pub(crate) fn unix(timer: &dyn Timer) -> f64 {
    colony_core::token::freshness::unix_seconds(timer.now())
}
