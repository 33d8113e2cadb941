//! Work on a separate thread.
//!
//! A task stands still when its runtime is not polled, and ends with it, even in the middle of a login or between
//! spending a refresh token and writing the reply. Blocking work waits for a free thread of the runtime's pool, which
//! callers may all occupy. A separate thread always runs, and ends only with the process.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread,
};

use colony_core::{Error, ErrorKind, Result};
use futures_util::FutureExt;
use tokio::sync::oneshot;
use tracing::{Span, dispatcher};

/// The reason why work has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It panicked with this message. It is not repeated: it would only panic again.
    Panicked(Arc<str>),
    /// No thread could be started for it.
    NoThread(Arc<str>),
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Panicked(message) => {
                Self::build(ErrorKind::Config, format!("a callback or the timer panicked: {message}"))
                    .hint("Fix the `totp_with` callback, the hook or the timer that the client was given")
                    .finish()
            }
            Lost::NoThread(error) => Self::build(
                ErrorKind::Busy,
                format!("no thread can be started, so nothing was sent: {error}"),
            )
            .hint("Raise the limits of threads and open files, or use fewer at a time")
            .finish(),
        }
    }
}

/// Work in progress. It continues when its waiters are dropped.
pub(crate) struct Task<T> {
    outcome: oneshot::Receiver<Result<T, Lost>>,
    finished: Finished,
}

/// Whether work has ended. It is set before the outcome is available.
#[derive(Clone, Default)]
pub(crate) struct Finished(Arc<AtomicBool>);

impl Finished {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl<T> Task<T> {
    pub(crate) fn finished(&self) -> Finished {
        self.finished.clone()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.outcome
            .poll_unpin(context)
            .map(|outcome| outcome.unwrap_or_else(|_| Err(Lost::Panicked("the thread ended".into()))))
    }
}

/// Starts async work, with its own runtime.
pub(crate) fn spawn<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Task<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    start(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Lost::NoThread(error.to_string().into()))?;
        let outcome = runtime.block_on(async move { work().await });
        // Does not wait for blocking work: a name lookup can hang.
        runtime.shutdown_background();
        Ok(outcome)
    })
}

/// Does fallible async work and waits for its outcome.
///
/// # Errors
///
/// The work's own error, and when no thread can be started.
pub(crate) async fn run<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>>,
{
    spawn(work).await.unwrap_or_else(|lost| Err(lost.into()))
}

/// Starts blocking work.
pub(crate) fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Task<T> {
    start(move || Ok(work()))
}

fn start<T: Send + 'static>(work: impl FnOnce() -> Result<T, Lost> + Send + 'static) -> Task<T> {
    let (sender, outcome) = oneshot::channel();
    let finished = Finished::default();
    let (seen, span, subscriber) = (finished.clone(), Span::current(), dispatcher::get_default(Clone::clone));
    let run = move || {
        let work = || dispatcher::with_default(&subscriber, || span.in_scope(work));
        let outcome = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(Lost::Panicked(panic_message(&*panic).into())));
        seen.0.store(true, Ordering::Release);
        let _ = sender.send(outcome);
    };
    match thread::Builder::new().name("colony-background".to_owned()).spawn(run) {
        Ok(_) => Task { outcome, finished },
        Err(error) => {
            finished.0.store(true, Ordering::Release);
            let (sender, outcome) = oneshot::channel();
            let _ = sender.send(Err(Lost::NoThread(error.to_string().into())));
            Task { outcome, finished }
        }
    }
}

/// Returns the message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
