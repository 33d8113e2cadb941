//! R9: callers are dropped, and whole runtimes, in the middle of a login.

use std::{
    future::Future as _,
    task::{Context, Poll, Waker},
    time::Duration,
};

use colony_async::api::account::GetMe;
use colony_core::retry::RetryPolicy;
use secrecy::ExposeSecret as _;

use super::{
    Ground, Outcome, Tally,
    scene::{Scene, eventually, runtime},
};
use crate::{plan::digest, service::Answer};

pub(super) fn run(ground: &Ground) -> Outcome {
    let mut tally = callers(ground)?;
    tally.add(runtimes(ground)?);
    Ok(tally)
}

/// Polls callers a few times and drops them, at random, until none or few are left; the login continues and serves
/// the next caller.
fn callers(ground: &Ground) -> Outcome {
    const CALLERS: usize = 4;
    let least = ground.scale.pick(100, 1_000);
    let scene = Scene::new(ground)?;
    scene.service.otherwise(Answer::Held);
    let mut tally = Tally::of("logins of callers or runtimes that went away");
    let (mut cut, mut abandoned, mut rounds) = (0, 0, 0);
    runtime()?.block_on(async {
        while cut < least {
            rounds += 1;
            // The previous login can hold the lock a moment after its token is in the file, and `forget_token` does
            // not disturb the holder of the lock.
            while scene.is_locked() {
                tokio::task::yield_now().await;
            }
            let client = scene.builder().build()?;
            client.auth().forget_token().await?;
            let mut callers: Vec<_> = (0..CALLERS).map(|_| Some(Box::pin(client.auth().token()))).collect();
            // The login is under way, or about to be: a step of the runtime lies between two polls.
            for _ in 0..fastrand::usize(1..24) {
                let caller = &mut callers[fastrand::usize(..CALLERS)];
                let polled =
                    caller.as_mut().map(|reply| reply.as_mut().poll(&mut Context::from_waker(Waker::noop())));
                match polled {
                    Some(Poll::Pending) if fastrand::u8(..3) == 0 => {
                        *caller = None;
                        cut += 1;
                    }
                    Some(Poll::Ready(outcome)) => {
                        *caller = None;
                        let outcome = outcome.map(|token| digest(token.expose_secret()));
                        tally
                            .hold(false, || format!("round {rounds}: served before the answer: {outcome:?}"));
                    }
                    _ => {}
                }
                tokio::task::yield_now().await;
            }
            // At least one caller must have been polled, or no token was requested.
            if let Some(reply) = callers.iter_mut().flatten().next() {
                let _ = reply.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            scene.service.until(|counts| counts.logins >= rounds).await;
            if fastrand::bool() {
                cut += callers.iter().flatten().count() as u64;
                callers.clear();
                // The client is dropped too.
                abandoned += 1;
                drop(client);
            }
            callers.clear();
            let former = scene.held()?;
            scene.service.release();
            // The file keeps the former token until the login, which no caller waits for any more, has replaced it.
            let replaced = async {
                while scene.held()? == former {
                    tokio::task::yield_now().await;
                }
                Ok::<_, Box<dyn std::error::Error>>(())
            };
            tokio::time::timeout(Duration::from_secs(10), replaced)
                .await
                .map_err(|_| "the login is lost")??;
            let next = scene.builder().build()?;
            let token = next.auth().token().await?;
            let expected = scene.newest();
            tally.check(Some(digest(token.expose_secret())) == expected, || "another token".to_owned());
            tally.same("logins", scene.counts().logins, rounds);
            tally.same("the token in the file", scene.held()?, expected);
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    tally.hold(eventually(Duration::from_secs(5), || !scene.is_locked()), || "the lock is stuck".to_owned());
    tally.same("temporary files left", scene.litter(), Vec::new());
    tally.fault("callers dropped while they waited", cut, least);
    tally.fault("logins left by everybody, the client included", abandoned, least / 20);
    Ok(tally)
}

/// Shuts a runtime down at a random moment of a login: before the lock, under it, after the answer. Its tasks are
/// lost, as with a kill; the lock is free, the file is whole, and the next call works.
fn runtimes(ground: &Ground) -> Outcome {
    let times = ground.scale.pick(40, 400);
    let scene = Scene::new(ground)?;
    scene.service.otherwise(Answer::After(Duration::from_millis(4)));
    let mut tally = Tally::of("runtimes");
    let (mut in_flight, mut under_lock, mut after_answer, mut extra) = (0, 0, 0, 0);
    for round in 0..times {
        let client = scene.builder().auth_retry(RetryPolicy::none()).build()?;
        let before = scene.counts().logins;
        let first = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let caller = first.spawn({
            let client = client.clone();
            async move { client.execute_json(GetMe::default()).await.map(drop) }
        });
        std::thread::sleep(Duration::from_micros(fastrand::u64(..9_000)));
        let (began, answered) = (scene.counts().logins - before, scene.service.log().len());
        let (locked, done) = (scene.is_locked(), caller.is_finished());
        if round % 2 == 0 {
            drop(first);
        } else {
            first.shutdown_background();
        }
        in_flight += u64::from(began == 1 && !done);
        under_lock += u64::from(locked && !done);
        after_answer += u64::from(began == 1 && answered as u64 == before + 1 && !done);
        // File operations that had begun end by themselves.
        let free = eventually(Duration::from_secs(5), || !scene.is_locked());
        tally.hold(free, || format!("round {round}: the lock is stuck"));
        let second = runtime()?;
        let outcome = second.block_on(client.execute_json(GetMe::default()));
        tally.check(outcome.is_ok(), || format!("round {round}: {outcome:?}"));
        let other = scene.builder().build()?;
        let token = second.block_on(other.auth().token())?;
        tally.same("the others' token", Some(digest(token.expose_secret())), scene.held()?);
        // One that was cut off, or whose token did not reach the file; and one that replaced it. From then on all
        // callers have its token.
        let logins = scene.counts().logins - before;
        tally.hold((1..=2).contains(&logins), || format!("round {round}: {logins} logins"));
        extra += logins - 1;
        let third = scene.builder().build()?;
        second.block_on(third.auth().token())?;
        tally.same("logins after the others'", scene.counts().logins - before, logins);
        std::fs::remove_file(scene.file("json"))?;
    }
    tally.same("temporary files left", scene.litter(), Vec::new());
    tally.fault("runtimes shut down with a login in flight", in_flight, times / 8);
    tally.fault("under the lock", under_lock, times / 8);
    tally.fact(format!("{after_answer} after the answer; {extra} logins repeated"));
    Ok(tally)
}
