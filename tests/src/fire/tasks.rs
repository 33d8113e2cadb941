//! R6: ten thousand tasks request a token at the same moment.

use std::{
    future::Future as _,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use colony_async::Client;
use colony_core::retry::RetryPolicy;
use secrecy::ExposeSecret as _;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Ground, Outcome, Tally, scene::Scene};
use crate::{plan::digest, service::Answer};

const TASKS: usize = 10_000;
const CLIENTS: usize = 4;

/// Runs rounds on an emptied cache. The server answers when all ten thousand tasks wait, so that none is late; every
/// fifth answer is a refusal.
pub(super) fn run(ground: &Ground) -> Outcome {
    let rounds = ground.scale.pick(5, 50);
    let scene = Scene::new(ground)?;
    let mut tally = Tally::of("tasks");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(16).enable_all().build()?;
    let mut waited = 0;
    for round in 1..=rounds {
        let refuse = round % 5 == 0;
        scene.service.next([if refuse { Answer::Refused(401) } else { Answer::Held }]);
        let clients: Result<Vec<Client>, _> =
            (0..CLIENTS).map(|_| scene.builder().auth_retry(RetryPolicy::none()).build()).collect();
        let (outcomes, waiting) = runtime.block_on(all_at_once(&scene, clients?, round));
        waited += waiting;
        let expected = if refuse { None } else { scene.newest() };
        for outcome in outcomes {
            let good = outcome.as_ref().ok() == expected.as_ref();
            tally.check(good, || format!("round {round}: {outcome:?}, expected {expected:?}"));
        }
        tally.same("logins so far", scene.counts().logins, round);
        let _ = std::fs::remove_file(scene.file("json"));
    }
    tally.fault("tasks that waited for a login that was held", waited, TASKS as u64 * rounds);
    tally.fact(format!("{rounds} rounds, {} of them refused; {CLIENTS} clients, 16 threads", rounds / 5));
    Ok(tally)
}

/// Returns every task's outcome, and how many were waiting when the server answered.
async fn all_at_once(scene: &Scene, clients: Vec<Client>, round: u64) -> (Vec<Result<String, String>>, u64) {
    let (waiting, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let client = clients[number % CLIENTS].clone();
        let (waiting, all) = (Arc::clone(&waiting), Arc::clone(&all));
        tasks.spawn(async move {
            let mut token = pin!(client.auth().token());
            let mut counted = false;
            std::future::poll_fn(|context| {
                let polled = token.as_mut().poll(context);
                if polled.is_pending() && !counted {
                    counted = true;
                    if waiting.fetch_add(1, Ordering::Relaxed) + 1 == TASKS {
                        all.add_permits(1);
                    }
                }
                match polled {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Ok(token)) => Poll::Ready(Ok(digest(token.expose_secret()))),
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error.to_string())),
                }
            })
            .await
        });
    }
    scene.service.until(|counts| counts.logins >= round).await;
    // No task can get a token before the answer; if one does, the count is short and the row fails.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(60), all.acquire()).await;
    let waited = waiting.load(Ordering::Relaxed) as u64;
    scene.service.release();
    let mut outcomes = Vec::with_capacity(TASKS);
    while let Some(outcome) = tasks.join_next().await {
        outcomes.push(outcome.unwrap_or_else(|error| Err(error.to_string())));
    }
    (outcomes, waited)
}
