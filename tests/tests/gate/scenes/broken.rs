//! Gates with typical faults: the checker must find each.

use std::sync::Arc;

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use shuttle::{future::block_on, sync::Mutex};

use super::{Outcome, Session, Watch};
use crate::tasks::Handle;

type Flight = Shared<BoxFuture<'static, Outcome>>;

/// Looks for a flight, releases the lock, and starts one if there was none.
pub(crate) fn looked_and_then_acted() {
    let (watch, slot, runtime) = (Arc::<Watch>::default(), Arc::new(Mutex::new(None)), Handle::default());
    let ask = |watch: Arc<Watch>, slot: Arc<Mutex<Option<Flight>>>| async move {
        let under_way = slot.lock().expect("a lock").clone();
        let flight = match under_way {
            Some(flight) => flight,
            None => {
                let task = Handle::try_current().ok().expect("a runtime").spawn(watch.work(Ok));
                let flight = task.map(|joined| joined.expect("an outcome")).boxed().shared();
                *slot.lock().expect("a lock") = Some(flight.clone());
                flight
            }
        };
        flight.await
    };
    let callers: Vec<_> = (0..2).map(|_| runtime.spawn(ask(Arc::clone(&watch), Arc::clone(&slot)))).collect();
    block_on(async {
        for caller in callers {
            caller.await.expect("two at a time").expect("a token");
        }
    });
}

/// Runs the work in the caller, so that it ends with it.
pub(crate) fn worked_in_the_caller() {
    let (watch, runtime) = (Arc::<Watch>::default(), Handle::default());
    let caller = runtime.spawn(Arc::clone(&watch).work(Ok));
    let canceller = runtime.spawn(async move {
        caller.abort();
        let _ = caller.await;
    });
    block_on(canceller).expect("done");
    assert_eq!(watch.begun.load(super::SeqCst), watch.ended.load(super::SeqCst), "work was begun, not ended");
}

/// Lets a caller whose token was rejected ask three times, and accept any result the third time.
pub(crate) fn asked_three_times() {
    async fn token(session: Arc<Session>, rejected: Option<usize>) -> Outcome {
        if let Some(held) = session.in_memory(rejected) {
            return Ok(held);
        }
        let mut outcome = Err(0);
        for _ in 0..3 {
            let work = || Arc::clone(&session).acquire(rejected);
            outcome = session.gate.share(work).await.expect("an outcome");
            if rejected.is_none_or(|rejected| outcome != Ok(rejected)) {
                break;
            }
        }
        outcome
    }
    let (session, runtime) = (Arc::<Session>::default(), Handle::default());
    let others: Vec<_> = (0..4).map(|_| runtime.spawn(token(Arc::clone(&session), None))).collect();
    let rejected = runtime.spawn(token(Arc::clone(&session), Some(super::REJECTED)));
    block_on(async {
        for caller in others {
            caller.await.expect("an answer").expect("a token");
        }
        let token = rejected.await.expect("an answer").expect("a token");
        assert_ne!(token, super::REJECTED, "the rejected token again");
    });
}
