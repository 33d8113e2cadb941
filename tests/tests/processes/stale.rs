//! Times: a token near its expiry, files that claim too much, clocks that are set.

use std::{fs, time::Duration};

use colony_async::{ErrorKind, RetryPolicy};
use colony_core::token::envelope::Envelope;
use colony_tests::service::Answer;

use crate::place::{Scripted, call, file_in, token_in};

const DAY: f64 = 86_400.0;
/// A token that lives for a day is stale after 23 hours.
const STALE: f64 = DAY * 23.0 / 24.0;

/// Logs in once and lets time pass until half a minute before the token is stale.
async fn nearly_stale(scripted: &Scripted) -> colony_async::Client {
    let client = scripted.client();
    call(&client).await.expect("a call");
    scripted.clock.jump(STALE - 30.0);
    client
}

#[tokio::test]
async fn a_token_near_its_end_is_replaced() {
    let scripted = Scripted::standing();
    let client = nearly_stale(&scripted).await;
    call(&client).await.expect("a call");
    call(&client).await.expect("a call");
    assert_eq!(scripted.logins(), 2);
}

#[tokio::test]
async fn it_serves_on_while_logins_fail_for_a_passing_reason() {
    let passing = [
        Answer::Hangup,
        Answer::Status(500),
        Answer::Status(502),
        Answer::Status(503),
        Answer::Status(504),
        Answer::Limited("5".to_owned()),
    ];
    for answer in passing {
        let scripted = Scripted::standing();
        let held_in_memory = nearly_stale(&scripted).await;
        scripted.service.otherwise(answer.clone());
        call(&held_in_memory).await.unwrap_or_else(|error| panic!("{answer:?}: {error}"));
        // A program that starts now has only the file.
        call(&scripted.client()).await.unwrap_or_else(|error| panic!("{answer:?}: {error}"));
        let counts = scripted.service.counts();
        assert_eq!((counts.calls, counts.rejected), (3, 0), "{answer:?}");
        let uncached = scripted.builder().cache_token(false).build().expect("a client");
        assert!(call(&uncached).await.is_err(), "{answer:?}: logins do fail");

        // Past its expiry it is not used.
        scripted.clock.jump(30.0 + DAY - STALE);
        assert!(call(&held_in_memory).await.is_err(), "{answer:?}");
        assert!(call(&scripted.client()).await.is_err(), "{answer:?}");
        assert_eq!(scripted.service.counts().calls, 3, "{answer:?}");
    }
}

#[tokio::test]
async fn an_outage_holds_up_no_call_while_a_token_lives() {
    let scripted = Scripted::standing();
    // With all tries of a login, which would sleep for ever on a clock that stands still.
    let client = scripted.builder().auth_retry(RetryPolicy::for_login()).build().expect("a client");
    call(&client).await.expect("a call");
    scripted.clock.jump(STALE - 30.0);
    scripted.service.otherwise(Answer::Status(503));
    for tries in [2, 3] {
        for _ in 0..5 {
            call(&client).await.expect("a call");
        }
        assert_eq!(scripted.logins(), tries, "one try, and no other for half a minute");
        scripted.clock.jump(31.0);
    }
    scripted.service.otherwise(Answer::Token);
    call(&client).await.expect("a call");
    call(&client).await.expect("a call");
    assert_eq!(scripted.logins(), 4);
}

#[tokio::test]
async fn it_does_not_serve_when_the_key_is_refused() {
    for status in [401, 403] {
        let scripted = Scripted::standing();
        let held_in_memory = nearly_stale(&scripted).await;
        scripted.service.otherwise(Answer::Status(status));
        for client in [held_in_memory, scripted.client()] {
            assert_eq!(call(&client).await.expect_err("refused").kind(), ErrorKind::Auth);
        }
        assert_eq!(scripted.service.counts().calls, 1);
    }
}

#[tokio::test]
async fn a_rejected_token_does_not_serve_again_when_the_login_fails() {
    let scripted = Scripted::standing();
    let client = nearly_stale(&scripted).await;
    scripted.service.revoke();
    scripted.service.otherwise(Answer::Status(503));
    // Stale, but not known to be revoked: it is tried and refused, and there is no other token.
    assert_eq!(call(&client).await.expect_err("no token").kind(), ErrorKind::Server);
    assert_eq!(scripted.service.counts().rejected, 1);
}

fn plant(scripted: &Scripted, token: &str, expiry: f64) {
    let envelope = Envelope { token: token.into(), expiry };
    let file = file_in(scripted.directory.path(), "json");
    fs::write(file, envelope.write().expect("an envelope")).expect("a file");
}

#[tokio::test]
async fn a_file_that_claims_more_than_its_token_is_not_believed() {
    let scripted = Scripted::standing();
    call(&scripted.client()).await.expect("a call");
    let token = token_in(scripted.directory.path());
    let start = scripted.clock.unix();
    plant(&scripted, &token, start + 300.0 * DAY);
    scripted.clock.jump(STALE - 61.0);
    call(&scripted.client()).await.expect("a call");
    assert_eq!(scripted.logins(), 1, "still fresh");
    scripted.clock.jump(1.0);
    call(&scripted.client()).await.expect("a call");
    assert_eq!(scripted.logins(), 2, "by the token's own expiry");
}

#[tokio::test]
async fn a_short_token_and_an_opaque_one_make_no_loop() {
    let scripted = Scripted::standing();
    scripted.service.lifetime(900.0);
    let client = scripted.client();
    for _ in 0..5 {
        call(&client).await.expect("a call");
        scripted.clock.jump(100.0);
    }
    assert_eq!(scripted.logins(), 1);
    scripted.clock.jump(400.0);
    call(&client).await.expect("a call");
    assert_eq!(scripted.logins(), 2);
}

#[tokio::test]
async fn an_absurd_expiry_is_a_miss() {
    let scripted = Scripted::standing();
    call(&scripted.client()).await.expect("a call");
    for (logins, expiry) in
        [(2, scripted.clock.unix() + 400.0 * DAY), (3, 1e12), (4, 1e300), (5, -1.0), (6, 0.0)]
    {
        plant(&scripted, "opaque", expiry);
        call(&scripted.client()).await.expect("a call");
        assert_eq!((scripted.logins(), scripted.service.counts().rejected), (logins, 0), "{expiry}");
    }
}

#[tokio::test]
async fn an_age_of_zero_turns_the_file_off() {
    let scripted = Scripted::standing();
    for round in 1..=3 {
        let client = scripted.builder().token_cache_ttl(Duration::ZERO).build().expect("a client");
        for _ in 0..3 {
            call(&client).await.expect("a call");
        }
        assert_eq!(scripted.logins(), round, "one login for each client, not for each call");
    }
    assert!(fs::read_dir(scripted.directory.path()).expect("a directory").next().is_none());
    for _ in 0..2 {
        let client = scripted.builder().token_cache_ttl(Duration::from_secs(300)).build().expect("a client");
        call(&client).await.expect("a call");
        assert_eq!(scripted.logins(), 4);
    }
    // By the file's modification time, which is real.
    scripted.clock.jump(400.0);
    let client = scripted.builder().token_cache_ttl(Duration::from_secs(300)).build().expect("a client");
    call(&client).await.expect("a call");
    assert_eq!(scripted.logins(), 5);
}

#[tokio::test]
async fn clocks_that_are_set_make_no_loop() {
    const HOUR: f64 = 3_600.0;
    let real = Scripted::standing().clock.unix();
    let steps = [real - HOUR, real + HOUR, real + 10.0 * 365.0 * DAY, 0.0, 1.0, -HOUR, real, 4e9, real];
    let scripted = Scripted::standing();
    // The server's clock is right; ours is set repeatedly.
    let server = colony_tests::service::Service::start(move || real).expect("a service");
    let builder = || scripted.builder().base_url(server.base_url());
    let running = builder().build().expect("a client");
    for (n, step) in steps.into_iter().enumerate() {
        scripted.clock.set(step);
        let before = server.counts().logins;
        for _ in 0..20 {
            call(&running).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        let starting = builder().build().expect("a client");
        for _ in 0..20 {
            call(&starting).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        let logins = server.counts().logins - before;
        assert!(logins <= 2, "{logins} logins after step {n} to {step}");
    }
    assert_eq!(server.counts().rejected, 0);
}
