//! The server refuses a token: it is replaced once, and a valid one is never destroyed.

use std::fs;

use colony_async::ErrorKind;
use colony_cli::sandbox::Options;
use colony_core::token::envelope::Envelope;
use colony_tests::{crew::Crew, service::Answer};

use crate::place::{Scripted, Served, all_hold_the_file_s_token, call, file_in, mixed, token_in, turn};

#[tokio::test]
async fn five_hundred_calls_with_a_revoked_token_make_one_login() {
    let scripted = Scripted::standing();
    let client = scripted.client();
    call(&client).await.expect("a call");
    scripted.service.revoke();
    // No call is answered before all five hundred have been sent with the old token.
    scripted.service.gather(501);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let client = client.clone();
        tasks.spawn(async move { call(&client).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a task").expect("a call");
    }
    let counts = scripted.service.counts();
    assert_eq!((counts.logins, counts.calls, counts.rejected), (2, 1 + 500 + 500, 500));
}

#[tokio::test]
async fn a_token_that_another_client_has_fetched_serves_without_a_login() {
    let scripted = Scripted::standing();
    let (one, other) = (scripted.client(), scripted.client());
    call(&one).await.expect("a call");
    call(&other).await.expect("a call");
    scripted.service.revoke();
    call(&one).await.expect("a call");
    assert_eq!(scripted.logins(), 2);
    call(&other).await.expect("a call");
    let counts = scripted.service.counts();
    assert_eq!((counts.logins, counts.rejected), (2, 2));
}

#[tokio::test]
async fn a_revocation_of_two_tokens_does_not_fail_a_call() {
    let scripted = Scripted::standing();
    let (one, other) = (scripted.client(), scripted.client());
    call(&one).await.expect("a call");
    other.auth().forget_token().await.expect("forgotten");
    call(&other).await.expect("a call");
    assert_eq!(scripted.logins(), 2, "each holds a token of its own");
    scripted.service.revoke();
    // Its own is refused, then the one that it finds in the file; then it logs in.
    call(&one).await.expect("a call");
    let counts = scripted.service.counts();
    assert_eq!((counts.logins, counts.rejected), (3, 2));
    call(&other).await.expect("a call");
    assert_eq!(scripted.logins(), 3);
}

#[tokio::test]
async fn a_403_is_about_rights_and_not_about_the_token() {
    let scripted = Scripted::standing();
    scripted.service.answer_calls(403);
    let client = scripted.client();
    for _ in 0..3 {
        assert_eq!(call(&client).await.expect_err("forbidden").status(), Some(403));
    }
    let counts = scripted.service.counts();
    assert_eq!((counts.logins, counts.calls), (1, 3));
    assert_eq!(token_in(scripted.directory.path()), scripted.service.issued()[0]);
}

#[tokio::test]
async fn one_round_for_each_request() {
    let scripted = Scripted::standing();
    scripted.service.answer_calls(401);
    let error = call(&scripted.client()).await.expect_err("refused twice");
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    let counts = scripted.service.counts();
    assert_eq!((counts.logins, counts.calls), (2, 2));
}

#[tokio::test]
async fn the_file_goes_if_it_holds_the_rejected_token_and_no_other_can_be_had() {
    let scripted = Scripted::standing();
    let client = scripted.client();
    call(&client).await.expect("a call");
    let file = file_in(scripted.directory.path(), "json");
    scripted.service.revoke();
    scripted.service.next([Answer::Status(401)]);
    assert_eq!(call(&client).await.expect_err("no login").kind(), ErrorKind::Auth);
    assert!(!file.exists());
}

#[tokio::test]
async fn the_file_stays_if_it_holds_another_token() {
    let scripted = Scripted::standing();
    let client = scripted.client();
    call(&client).await.expect("a call");
    let file = file_in(scripted.directory.path(), "json");
    // A stale token of another program, which this client must leave alone.
    let other = Envelope { token: "another".into(), expiry: scripted.clock.unix() + 30.0 };
    let text = other.write().expect("an envelope");
    fs::write(&file, &text).expect("a file");
    scripted.service.revoke();
    scripted.service.next([Answer::Status(401)]);
    assert_eq!(call(&client).await.expect_err("no login").kind(), ErrorKind::Auth);
    assert_eq!(fs::read_to_string(&file).expect("the file"), text);
}

#[tokio::test]
async fn forgetting_a_token_makes_one_login() {
    let scripted = Scripted::standing();
    let client = scripted.client();
    call(&client).await.expect("a call");
    let former = token_in(scripted.directory.path());
    client.auth().forget_token().await.expect("forgotten");
    assert_eq!(scripted.logins(), 1);
    assert_eq!(token_in(scripted.directory.path()), former, "it may be all that there is");
    for _ in 0..2 {
        scripted.service.next([Answer::Status(503)]);
        call(&client).await.expect_err("no login, and the token was given up");
        assert_eq!(token_in(scripted.directory.path()), former);
        call(&scripted.client()).await.expect("another client's call");
    }
    let logins = scripted.logins() - 1;
    call(&client).await.expect("a call");
    assert_ne!(token_in(scripted.directory.path()), former);
    call(&client).await.expect("a call");
    assert_eq!((scripted.logins() - logins, scripted.service.counts().rejected), (2, 0));
}

#[tokio::test]
async fn forgetting_a_token_does_not_destroy_a_later_one() {
    let scripted = Scripted::standing();
    let (one, other) = (scripted.client(), scripted.client());
    call(&one).await.expect("a call");
    call(&other).await.expect("a call");
    other.auth().forget_token().await.expect("forgotten");
    call(&other).await.expect("a call");
    let later = token_in(scripted.directory.path());
    one.auth().forget_token().await.expect("forgotten");
    assert_eq!(token_in(scripted.directory.path()), later);
    // It makes the requested login.
    call(&one).await.expect("a call");
    assert_eq!(scripted.logins(), 3);
}

#[test]
fn processes_race_after_each_of_many_revocations() {
    const ROUNDS: u64 = 15;
    let _turn = turn();
    let served = Served::start(Options::default());
    let mut crew = Crew::hire(&served.place(), 4, mixed).expect("a crew");
    crew.go().expect("a start");
    all_hold_the_file_s_token(&crew.reports().expect("reports"), served.directory.path());
    for round in 1..=ROUNDS {
        served.sandbox().revoke_all();
        crew.go().expect("a start");
        all_hold_the_file_s_token(&crew.reports().expect("reports"), served.directory.path());
        assert_eq!(served.stats().logins_started, 1 + round);
    }
    assert_eq!(served.stats().in_flight_logins_max, 1);
}
