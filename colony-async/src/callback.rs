//! A program's own functions (hooks, the two-factor callback) must not call the client that calls them: the client
//! would wait for itself forever.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

use colony_core::{Error, ErrorKind, Result};

thread_local! {
    static RUNNING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The client that owns the callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(u64);

impl Owner {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Calls one of the owner's callbacks.
    pub(crate) fn call<T>(self, callback: impl FnOnce() -> T) -> T {
        struct Running;
        impl Drop for Running {
            fn drop(&mut self) {
                RUNNING.with_borrow_mut(Vec::pop);
            }
        }
        RUNNING.with_borrow_mut(|running| running.push(self.0));
        let _running = Running;
        callback()
    }

    /// Refuses a call from within one of the owner's callbacks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when one is running on this thread.
    pub(crate) fn check(self) -> Result<()> {
        if !RUNNING.with_borrow(|running| running.contains(&self.0)) {
            return Ok(());
        }
        let message = "a hook or callback of this client called the client, which waits for that hook";
        Err(Error::build(ErrorKind::Config, message)
            .hint("Give the hook a client of its own, or make the call elsewhere")
            .finish())
    }
}
