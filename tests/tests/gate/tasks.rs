//! The gate's primitives, for the model checker: every lock, wake and spawn is a point where the scheduler can switch
//! to another thread.

use std::{
    cell::RefCell,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures_util::FutureExt as _;
use shuttle::future;
pub(crate) use shuttle::sync::Mutex;
pub(crate) use std::sync::PoisonError;

shuttle::thread_local! {
    static RUNTIME: RefCell<Option<Handle>> = RefCell::new(None);
}

/// A runtime: tasks that are stopped together.
#[derive(Clone, Default)]
pub(crate) struct Handle(Arc<std::sync::Mutex<Tasks>>);

#[derive(Default)]
struct Tasks {
    shut_down: bool,
    tasks: Vec<future::AbortHandle>,
}

/// The error when there is no runtime.
pub(crate) struct NoRuntime;

impl Handle {
    pub(crate) fn try_current() -> Result<Self, NoRuntime> {
        RUNTIME.with(|current| current.borrow().clone()).ok_or(NoRuntime)
    }

    pub(crate) fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let here = self.clone();
        let task = future::spawn(async move {
            RUNTIME.with(|current| *current.borrow_mut() = Some(here));
            AssertUnwindSafe(work).catch_unwind().await.map_err(|_| JoinError)
        });
        let mut tasks = self.tasks();
        tasks.tasks.push(task.abort_handle());
        let shut_down = tasks.shut_down;
        drop(tasks);
        if shut_down {
            task.abort();
        }
        JoinHandle(task)
    }

    /// Stops all tasks, at whatever point they are.
    pub(crate) fn shut_down(&self) {
        let tasks = {
            let mut tasks = self.tasks();
            tasks.shut_down = true;
            std::mem::take(&mut tasks.tasks)
        };
        tasks.iter().for_each(future::AbortHandle::abort);
    }

    /// Locks the tasks. The lock is never held during a switch to another thread.
    fn tasks(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records that work has ended, in any way, before a caller learns of it.
struct SetsWhenDropped(Arc<AtomicBool>);

impl Drop for SetsWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct JoinHandle<T>(future::JoinHandle<Result<T, JoinError>>);

impl<T> JoinHandle<T> {
    pub(crate) fn abort(&self) {
        self.0.abort();
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = ready!(self.0.poll_unpin(context));
        Poll::Ready(joined.unwrap_or(Err(JoinError)))
    }
}

/// The task panicked or was stopped.
#[derive(Debug)]
pub(crate) struct JoinError;

/// Starts work that does not end with a runtime.
pub(crate) fn spawn<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Task<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let finished = Finished(Arc::default());
    let sets = SetsWhenDropped(Arc::clone(&finished.0));
    let work = work();
    let task = future::spawn(async move {
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        drop(sets);
        outcome.map_err(|_| Lost::Panicked)
    });
    Task { task, finished }
}

/// Work under way.
pub(crate) struct Task<T> {
    task: future::JoinHandle<Result<T, Lost>>,
    finished: Finished,
}

impl<T> Task<T> {
    pub(crate) fn finished(&self) -> Finished {
        self.finished.clone()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = ready!(self.task.poll_unpin(context));
        Poll::Ready(joined.unwrap_or(Err(Lost::Panicked)))
    }
}

#[derive(Clone)]
pub(crate) struct Finished(Arc<AtomicBool>);

impl Finished {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Why work has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Panicked,
}
