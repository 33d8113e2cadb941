//! Scenes at the gate, and the conditions that must hold in every order.

pub(crate) mod broken;

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use shuttle::future::{self, block_on, yield_now};

use crate::{
    gate::Gate,
    tasks::{Handle, Lost},
};

/// The outcome of work: its number, as a token or as an error.
pub(crate) type Outcome = Result<usize, usize>;

/// The observations of a scene. Their own locks and counters are not points for the scheduler.
#[derive(Default)]
pub(crate) struct Watch {
    moments: AtomicUsize,
    in_flight: AtomicUsize,
    begun: AtomicUsize,
    ended: AtomicUsize,
    answers: Mutex<Vec<Answer>>,
    /// The time at which each panic had ended.
    panics: Mutex<Vec<usize>>,
}

/// One caller's answer, with the times of its request and reply.
#[derive(Debug, Clone, Copy)]
struct Answer {
    asked: usize,
    given: usize,
    outcome: Result<Outcome, Lost>,
}

/// Counts the work under way, also if it is dropped in the middle.
struct Working<'w>(&'w Watch);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

impl Watch {
    fn moment(&self) -> usize {
        self.moments.fetch_add(1, SeqCst)
    }

    /// Does one piece of work, which takes several steps and must be alone.
    pub(crate) async fn work(self: Arc<Self>, end: fn(usize) -> Outcome) -> Outcome {
        let others = self.in_flight.fetch_add(1, SeqCst);
        let _working = Working(&self);
        assert_eq!(others, 0, "two at a time");
        let number = self.begun.fetch_add(1, SeqCst);
        yield_now().await;
        yield_now().await;
        let outcome = end(number);
        self.ended.fetch_add(1, SeqCst);
        outcome
    }

    /// Makes a caller's request, and records the answer.
    async fn ask<F: Future<Output = Outcome> + Send + 'static>(
        self: Arc<Self>,
        gate: Arc<Gate<Outcome>>,
        work: impl Fn() -> F,
    ) {
        let asked = self.moment();
        let outcome = gate.share(work).await;
        let answer = Answer { asked, given: self.moment(), outcome };
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    }

    fn answers(&self) -> Vec<Answer> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks that a caller that asks after an outcome was delivered does not get that outcome.
    fn nobody_is_given_an_old_outcome(&self) {
        let answers = self.answers();
        for late in &answers {
            let old = answers.iter().find(|one| one.given < late.asked && one.outcome == late.outcome);
            assert!(late.outcome.is_err() || old.is_none(), "{late:?} after {old:?}");
        }
    }
}

/// A runtime, a gate on it, and callers that ask once each and are recorded.
struct Scene {
    watch: Arc<Watch>,
    gate: Arc<Gate<Outcome>>,
}

impl Scene {
    fn set() -> Self {
        Self { watch: Arc::default(), gate: Arc::default() }
    }

    /// Returns a caller of this gate whose work would have this end.
    fn caller(&self, end: fn(usize) -> Outcome) -> impl Future<Output = ()> + Send + 'static {
        let watch = Arc::clone(&self.watch);
        let work = move || Arc::clone(&watch).work(end);
        Arc::clone(&self.watch).ask(Arc::clone(&self.gate), work)
    }
}

pub(crate) fn callers_share() {
    let (scene, runtime) = (Scene::set(), Handle::default());
    let callers: Vec<_> = (0..4).map(|_| runtime.spawn(scene.caller(Ok))).collect();
    block_on(async {
        for caller in callers {
            caller.await.expect("an answer");
        }
    });
    let answers = scene.watch.answers();
    assert_eq!(answers.len(), 4);
    assert!(answers.iter().all(|answer| matches!(answer.outcome, Ok(Ok(_)))));
    assert_eq!(scene.watch.begun.load(SeqCst), scene.watch.ended.load(SeqCst));
    scene.watch.nobody_is_given_an_old_outcome();
}

pub(crate) fn an_error_is_shared_once() {
    let (scene, runtime) = (Scene::set(), Handle::default());
    let end = |number| if number == 0 { Err(number) } else { Ok(number) };
    let early: Vec<_> = (0..2).map(|_| runtime.spawn(scene.caller(end))).collect();
    // One that asks again after its error, and so must have another outcome.
    let (first, second) = (scene.caller(end), scene.caller(end));
    let twice = runtime.spawn(async {
        first.await;
        second.await;
    });
    block_on(async {
        for caller in early {
            caller.await.expect("an answer");
        }
        twice.await.expect("two answers");
    });
    let answers = scene.watch.answers();
    assert_eq!(answers.len(), 4);
    assert!(answers.iter().any(|answer| answer.outcome == Ok(Err(0))), "nobody had the error");
    assert!(
        answers.iter().any(|answer| matches!(answer.outcome, Ok(Ok(_)))),
        "nobody had more than the error"
    );
    scene.watch.nobody_is_given_an_old_outcome();
}

pub(crate) fn callers_are_cancelled() {
    let (scene, runtime) = (Scene::set(), Handle::default());
    let cancelled: Vec<_> = (0..2).map(|_| runtime.spawn(scene.caller(Ok))).collect();
    let patient = runtime.spawn(scene.caller(Ok));
    let canceller = future::spawn(async move {
        for caller in &cancelled {
            caller.abort();
        }
        for caller in cancelled {
            let _ = caller.await;
        }
    });
    block_on(async {
        patient.await.expect("an answer");
        canceller.await.expect("done");
        // Work is done one at a time, so when this has an answer, all before it is at its end.
        runtime.spawn(scene.caller(Ok)).await.expect("an answer");
    });
    let Watch { begun, ended, .. } = &*scene.watch;
    assert_eq!(begun.load(SeqCst), ended.load(SeqCst), "work that was begun was not ended");
    let patient = scene.watch.answers();
    assert!(patient.len() >= 2 && patient.iter().all(|answer| matches!(answer.outcome, Ok(Ok(_)))));
    scene.watch.nobody_is_given_an_old_outcome();
}

/// Records the time when a panic has ended.
struct Panicking(Arc<Watch>);

impl Drop for Panicking {
    fn drop(&mut self) {
        let moment = self.0.moment();
        self.0.panics.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
    }
}

pub(crate) fn work_panics() {
    let (scene, runtime) = (Scene::set(), Handle::default());
    let caller = || {
        let watch = Arc::clone(&scene.watch);
        let work = move || {
            let watch = Arc::clone(&watch);
            async move {
                let first = watch.begun.load(SeqCst) == 0;
                let _note = first.then(|| Panicking(Arc::clone(&watch)));
                let outcome = Arc::clone(&watch).work(Ok).await;
                if first {
                    // Without the hook that would print it.
                    std::panic::resume_unwind(Box::new("planted"));
                }
                outcome
            }
        };
        Arc::clone(&scene.watch).ask(Arc::clone(&scene.gate), work)
    };
    // The first one can be gone before any caller has seen the panic.
    let gone = runtime.spawn(caller());
    let callers: Vec<_> = (0..2).map(|_| runtime.spawn(caller())).collect();
    block_on(async {
        gone.abort();
        let _ = gone.await;
        for caller in callers {
            caller.await.expect("an answer");
        }
        runtime.spawn(caller()).await.expect("an answer");
    });
    let panics = scene.watch.panics.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for answer in scene.watch.answers() {
        match answer.outcome {
            Ok(Ok(_)) => {}
            // A caller that gets the panic asked before it was over.
            Err(Lost::Panicked) => {
                assert!(panics.iter().any(|over| *over > answer.asked), "{answer:?} is told of {panics:?}");
            }
            other @ Ok(Err(_)) => panic!("{other:?}"),
        }
    }
}

pub(crate) fn a_runtime_is_shut_down() {
    let scene = Scene::set();
    let (doomed, lasting) = (Handle::default(), Handle::default());
    let lost: Vec<_> = (0..2).map(|_| doomed.spawn(scene.caller(Ok))).collect();
    let kept: Vec<_> = (0..2).map(|_| lasting.spawn(scene.caller(Ok))).collect();
    let end = future::spawn(async move { doomed.shut_down() });
    block_on(async {
        for caller in kept {
            caller.await.expect("an answer");
        }
        end.await.expect("done");
        for caller in lost {
            // Answered, or stopped with its runtime, but never left waiting.
            let _ = caller.await;
        }
        // Work is done one at a time, so when this has an answer, all before it is at its end.
        lasting.spawn(scene.caller(Ok)).await.expect("an answer");
    });
    let Watch { begun, ended, .. } = &*scene.watch;
    assert_eq!(begun.load(SeqCst), ended.load(SeqCst), "work ended with the runtime of its caller");
    let answers = scene.watch.answers();
    let good = answers.iter().filter(|answer| matches!(answer.outcome, Ok(Ok(_)))).count();
    assert!(good >= 2, "{answers:?}");
    scene.watch.nobody_is_given_an_old_outcome();
}

/// A simplified session: a token in memory, one in a file, and a server that issues new ones.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) gate: Arc<Gate<Outcome>>,
    memory: Mutex<Option<usize>>,
    logins: AtomicUsize,
    watch: Arc<Watch>,
}

/// The token in the file, which the server has revoked.
const REJECTED: usize = 0;

impl Session {
    pub(crate) fn in_memory(&self, rejected: Option<usize>) -> Option<usize> {
        let held = *self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        held.filter(|held| Some(*held) != rejected)
    }

    pub(crate) async fn acquire(self: Arc<Self>, rejected: Option<usize>) -> Outcome {
        if let Some(held) = self.in_memory(rejected) {
            return Ok(held);
        }
        let outcome = Arc::clone(&self.watch).work(Ok).await;
        let token = if rejected == Some(REJECTED) { 1 + self.logins.fetch_add(1, SeqCst) } else { REJECTED };
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        outcome.map(|_| token)
    }

    async fn token(self: Arc<Self>, rejected: Option<usize>) -> Outcome {
        if let Some(held) = self.in_memory(rejected) {
            return Ok(held);
        }
        let work = || Arc::clone(&self).acquire(rejected);
        let is_rejected = |outcome: &Outcome| rejected.is_some_and(|rejected| *outcome == Ok(rejected));
        self.gate.share_unless(work, is_rejected).await.expect("an outcome")
    }
}

pub(crate) fn a_token_is_rejected() {
    let (session, runtime) = (Arc::<Session>::default(), Handle::default());
    let others: Vec<_> = (0..3).map(|_| runtime.spawn(Arc::clone(&session).token(None))).collect();
    let rejected: Vec<_> =
        (0..2).map(|_| runtime.spawn(Arc::clone(&session).token(Some(REJECTED)))).collect();
    block_on(async {
        for caller in others {
            caller.await.expect("an answer").expect("a token");
        }
        for caller in rejected {
            let token = caller.await.expect("an answer").expect("a token");
            assert_ne!(token, REJECTED, "the rejected token again");
        }
    });
    assert_eq!(session.logins.load(SeqCst), 1, "logins");
}
