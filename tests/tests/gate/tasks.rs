//! What the gate is built on, as the model checker has it: every lock, wake and spawn is a point where the scheduler
//! may let somebody else go on.

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

/// There is no runtime here.
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
        let (here, finished) = (self.clone(), Finished(Arc::default()));
        let seen = Arc::clone(&finished.0);
        let task = future::spawn(async move {
            let _finished = finished;
            RUNTIME.with(|current| *current.borrow_mut() = Some(here));
            AssertUnwindSafe(work).catch_unwind().await.map_err(|_| JoinError::Panicked)
        });
        let mut tasks = self.tasks();
        tasks.tasks.push(task.abort_handle());
        let shut_down = tasks.shut_down;
        drop(tasks);
        if shut_down {
            task.abort();
        }
        JoinHandle { task, finished: seen }
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

    /// Never held while somebody else goes on.
    fn tasks(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a task is at its end, however that came, before anybody is told of it.
struct Finished(Arc<AtomicBool>);

impl Drop for Finished {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct JoinHandle<T> {
    task: future::JoinHandle<Result<T, JoinError>>,
    finished: Arc<AtomicBool>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn abort_handle(&self) -> AbortHandle {
        AbortHandle { finished: Arc::clone(&self.finished) }
    }

    pub(crate) fn abort(&self) {
        self.task.abort();
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = ready!(self.task.poll_unpin(context));
        Poll::Ready(joined.unwrap_or(Err(JoinError::Stopped)))
    }
}

pub(crate) struct AbortHandle {
    finished: Arc<AtomicBool>,
}

impl AbortHandle {
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub(crate) enum JoinError {
    Panicked,
    Stopped,
}

impl JoinError {
    pub(crate) fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked)
    }
}
