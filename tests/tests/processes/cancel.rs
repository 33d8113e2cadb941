//! Callers go away in the middle of a login; the login continues, once, and its token is kept.

use std::{
    future::Future as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
};

use colony_core::retry::RetryPolicy;
use colony_tests::service::Answer;
use secrecy::ExposeSecret as _;

use crate::place::{Scripted, call, token_in};

#[tokio::test]
async fn callers_dropped_at_random_moments() {
    const ROUNDS: u64 = 100;
    let scripted = Scripted::flowing();
    scripted.service.otherwise(Answer::Held);
    let mut cut = 0_u64;
    for round in 1..=ROUNDS {
        let client = scripted.client();
        client.auth().forget_token().await.expect("forgotten");
        let mut callers: Vec<_> = (0..4).map(|_| Some(Box::pin(client.auth().token()))).collect();
        // Each is polled a few times and dropped; the login is under way or about to be.
        for _ in 0..12 {
            let caller = &mut callers[fastrand::usize(..4)];
            let gone = match caller.as_mut() {
                None => continue,
                Some(reply) => {
                    let pending = reply.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
                    pending && fastrand::u8(..4) == 0
                }
            };
            if gone {
                *caller = None;
                cut += 1;
            }
            tokio::task::yield_now().await;
        }
        let polled = callers.len();
        if fastrand::bool() {
            cut += callers.iter().flatten().count() as u64;
            callers.clear();
        }
        assert_eq!(polled, 4);
        scripted.service.until(|counts| counts.logins >= round).await;
        callers.clear();
        scripted.service.release();
        // The next caller gets the token of that login.
        let token = client.auth().token().await.expect("a token");
        assert_eq!(scripted.logins(), round);
        assert_eq!(Some(token.expose_secret()), scripted.service.issued().last().map(String::as_str));
        assert_eq!(token_in(scripted.directory.path()), token.expose_secret());
    }
    assert!(cut >= ROUNDS, "only {cut} callers were cut off");
}

#[tokio::test]
async fn a_login_that_everybody_left_is_kept() {
    let scripted = Scripted::flowing();
    scripted.service.next([Answer::Held]);
    let client = scripted.client();
    let caller = tokio::spawn({
        let client = client.clone();
        async move { call(&client).await }
    });
    scripted.service.until(|counts| counts.logins == 1).await;
    caller.abort();
    assert!(caller.await.expect_err("aborted").is_cancelled());
    drop(client);
    scripted.service.release();
    // The client is gone too. The next one waits for the lock that the login holds, and adopts its token.
    let next = scripted.builder().auth_retry(RetryPolicy::for_login()).build().expect("a client");
    call(&next).await.expect("a call");
    assert_eq!(scripted.logins(), 1);
}

#[test]
fn a_runtime_is_shut_down_in_the_middle_of_a_login() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for _ in 0..20 {
        let scripted = Scripted::flowing();
        scripted.service.next([Answer::Held]);
        let client = scripted.client();
        let first = runtime();
        let caller = first.spawn({
            let client = client.clone();
            async move { call(&client).await }
        });
        first.block_on(scripted.service.until(|counts| counts.logins == 1));
        drop(first);
        let second = runtime();
        assert!(second.block_on(caller).expect_err("cut off").is_cancelled());
        scripted.service.release();
        second.block_on(call(&client)).expect("a call on another runtime");
        // The lock is free again, and the file is whole.
        second.block_on(call(&scripted.client())).expect("a call");
        assert_eq!(scripted.logins(), 1, "a login outlives the runtime of its caller");
    }
}

#[tokio::test]
async fn a_panicking_callback_is_told_and_not_asked_again() {
    let scripted = Scripted::flowing();
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    let client = scripted.builder().totp_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("the callback's own message")
    });
    let client = client.build().expect("a client");
    let error = call(&client).await.expect_err("no code");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "one call asks once");
    assert!(!error.is_retryable(), "{error}");
    assert!(error.message().contains("the callback's own message"), "{error}");
    // And the lock is free for others.
    call(&scripted.client()).await.expect("a call");
}
