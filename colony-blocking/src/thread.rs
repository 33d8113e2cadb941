//! The thread that a client keeps.

use std::{fmt, future::Future, sync::mpsc, thread};

use colony_core::{Error, ErrorKind, Result};
use tokio::{runtime::Handle, sync::oneshot, task::JoinError};

/// A thread with a runtime. The thread ends when this is dropped; nobody waits for it, so dropping is
/// quick and safe anywhere.
pub(crate) struct Thread {
    runtime: Handle,
    /// The process that has the thread: a forked child has this struct, but only the thread that forked.
    process: u32,
    _alive: oneshot::Sender<()>,
}

impl Thread {
    pub(crate) fn start() -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::build(ErrorKind::Config, "the client's background thread cannot be started")
                .source(error)
                .finish()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        let run = move || {
            let _ = runtime.block_on(ended);
            // Not waiting for blocking work: a file operation may hang on a network mount.
            runtime.shutdown_background();
        };
        thread::Builder::new().name("colony".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { runtime: handle, process: std::process::id(), _alive: alive })
    }

    /// Does the work there and waits for what comes of it.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // Nobody would ever answer.
        if self.process != std::process::id() {
            let message = "the client was built before the process forked, and cannot be used in the child";
            return Err(Error::build(ErrorKind::Config, message)
                .hint("Build a client in the child; it shares the login by the token cache")
                .finish());
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let outcome = tokio::spawn(work).await;
            let _ = sender.send(outcome.unwrap_or_else(|error| Err(unfinished(error))));
        });
        receiver.recv().unwrap_or_else(|_| {
            Err(Error::build(ErrorKind::Config, "the client's background thread is gone").finish())
        })
    }
}

/// The error of a call in which a hook or a callback panicked.
fn unfinished(error: JoinError) -> Error {
    let Ok(panic) = error.try_into_panic() else {
        return Error::build(ErrorKind::Config, "the client's background thread is gone").finish();
    };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    Error::build(ErrorKind::Config, format!("a hook or callback panicked during the call: {text}"))
        .hint("Fix the hook, callback or timer that the client was given")
        .finish()
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thread")
    }
}
