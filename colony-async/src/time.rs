//! The clock and the waiting of a client, so that tests need neither.

use std::{future::Future, pin::Pin, time::Duration, time::SystemTime};

/// Tells the time and waits. Clients use [`SystemTimer`] unless given another with
/// [`Builder::timer`](crate::Builder::timer), which tests do.
pub trait Timer: Send + Sync + 'static {
    /// The wall clock: files outlive processes, so a monotonic clock would mean nothing in them.
    fn now(&self) -> SystemTime;

    /// Waits.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// A number from 0 to 1, by which waiting times are spread. Drawn anew each time unless told otherwise.
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
}

/// Unix seconds of the timer's clock; before 1970 they are negative.
pub(crate) fn unix(timer: &dyn Timer) -> f64 {
    colony_core::token::freshness::unix_seconds(timer.now())
}
