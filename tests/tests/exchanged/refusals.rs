//! Refusals of the server: of the login at the exchange, of the exchange itself, of a token later.

use std::time::Duration;

use colony_async::ErrorKind;
use colony_tests::site::{Answer, EXCHANGE, LOGIN};
use serde_json::json;

use crate::place::{APP, Place, access, exchange, identity};

fn invalid_grant() -> Answer {
    Answer::Json(400, json!({"error": "invalid_grant", "error_description": "expired"}))
}

fn unauthorised() -> Answer {
    Answer::Json(401, json!({"error": "invalid_token"}))
}

fn unknown_audience() -> Answer {
    Answer::Json(400, json!({"error": "invalid_target", "error_description": "no such app"}))
}

#[tokio::test]
async fn a_login_that_was_refused_is_replaced_once() {
    for refusal in [invalid_grant(), unauthorised()] {
        let place = Place::standing();
        place.site.next(EXCHANGE, [refusal]);
        exchange(&place.client()).await.expect("with another login");
        assert_eq!(place.site.counts(), (2, 1, 2));
        let subjects: Vec<_> =
            place.site.forms().into_iter().map(|form| form["subject_token"].clone()).collect();
        assert_ne!(subjects[0], subjects[1]);
    }
}

#[tokio::test]
async fn a_login_that_another_program_has_replaced_is_taken() {
    let place = Place::standing();
    let (one, other) = (place.client(), place.client());
    one.auth().token().await.expect("a login");
    other.auth().token().await.expect("the same");
    one.auth().forget_token().await.expect("forgotten");
    one.auth().token().await.expect("a login");
    place.site.next(EXCHANGE, [invalid_grant()]);
    exchange(&other).await.expect("with the other's login");
    assert_eq!(place.site.counts(), (2, 1, 2));
}

#[tokio::test]
async fn a_refusal_that_another_login_does_not_mend_costs_no_further_login() {
    for refusal in [invalid_grant(), unauthorised()] {
        let place = Place::standing();
        place.site.otherwise(EXCHANGE, refusal);
        let client = place.client();
        let error = exchange(&client).await.expect_err("refused twice");
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(place.site.counts(), (2, 1, 2));
        for round in 1..=5 {
            // A refusal is shared with the callers waiting at that moment, and with no later one.
            place.clock.jump(1.0);
            assert_eq!(exchange(&client).await.expect_err("refused").kind(), ErrorKind::Auth);
            assert_eq!(place.site.counts(), (2, 1, 2 + round), "an exchange each, and no login");
        }
    }
}

#[tokio::test]
async fn refusals_are_told_as_what_they_are() {
    for (answer, kind, code) in [
        (unknown_audience(), ErrorKind::Validation, Some("invalid_target")),
        (Answer::Json(400, json!({"error": "invalid_scope"})), ErrorKind::Validation, Some("invalid_scope")),
        (Answer::Json(403, json!({"error": "access_denied"})), ErrorKind::Auth, Some("access_denied")),
        (
            Answer::Json(400, json!({"error": "unsupported_grant_type"})),
            ErrorKind::Api,
            Some("unsupported_grant_type"),
        ),
        (Answer::Json(500, json!({})), ErrorKind::Server, None),
        (Answer::Hangup, ErrorKind::Network, None),
        (Answer::Text(200, String::new(), "<html>".to_owned()), ErrorKind::Decode, None),
        (Answer::Json(200, json!({"token_type": "Bearer"})), ErrorKind::Decode, None),
        (Answer::Json(200, json!({"access_token": "x y", "token_type": "Bearer"})), ErrorKind::Decode, None),
        (Answer::Json(200, json!({"access_token": "x", "token_type": "DPoP"})), ErrorKind::Decode, None),
        (Answer::Endless, ErrorKind::Decode, Some("too_large")),
    ] {
        let place = Place::standing();
        place.site.otherwise(EXCHANGE, answer.clone());
        let error = exchange(&place.client()).await.expect_err("refused");
        assert_eq!((error.kind(), error.code()), (kind, code), "{answer:?}");
        assert_eq!(error.operation(), Some("exchange_token"), "{answer:?}");
        // No file was written.
        assert!(place.files(".json").iter().all(|name| !name.starts_with("exchange-")), "{answer:?}");
        place.site.otherwise(EXCHANGE, Answer::Good);
        place.clock.jump(1.0);
        exchange(&place.client()).await.unwrap_or_else(|error| panic!("{answer:?}: {error}"));
    }
}

#[tokio::test]
async fn an_audience_that_cannot_be_is_refused_before_anything_is_sent() {
    let place = Place::standing();
    let client = place.client();
    for (audience, scope, argument) in [("", "", "audience"), (" ", "", "audience"), (APP, "ä", "scope")] {
        let tokens = client.auth().audience(audience).scope(scope);
        for error in [
            tokens.token().await.expect_err("refused"),
            tokens.access_token().await.expect_err("refused"),
            tokens.forget().await.expect_err("refused"),
        ] {
            assert_eq!(error.argument(), Some(argument));
        }
    }
    assert_eq!(place.site.counts(), (0, 0, 0));
    let anonymous =
        colony_async::Client::anonymous().base_url(place.site.base_url()).build().expect("a client");
    assert_eq!(exchange(&anonymous).await.expect_err("no key").kind(), ErrorKind::Auth);
    assert_eq!(place.site.counts(), (0, 0, 0));
}

#[tokio::test]
async fn a_limit_is_everybody_s_until_it_has_passed() {
    let place = Place::standing();
    place.site.next(EXCHANGE, [Answer::Limited("90".to_owned())]);
    let error = exchange(&place.client()).await.expect_err("limited");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimit, Some(Duration::from_secs(90))));
    place.clock.jump(30.0);
    let error = exchange(&place.client()).await.expect_err("limited still");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimit, Some(Duration::from_secs(60))));
    assert_eq!((error.status(), error.operation()), (Some(429), Some("exchange_token")));
    assert_eq!(place.site.count(EXCHANGE), 1);
    // Another audience has another limit; and a person can override it.
    place.client().auth().audience("colony_other").token().await.expect("a token");
    assert_eq!(place.site.count(EXCHANGE), 2);
    place.clock.jump(60.0);
    exchange(&place.client()).await.expect("it has passed");
    assert!(place.files(".note").is_empty(), "a success removes the note");
    place.site.next(EXCHANGE, [Answer::Limited("90".to_owned())]);
    place.clock.jump(850.0);
    access(&place.client()).await.expect("stale, and it lives");
    let client = place.builder().ignore_cool_down(true).build().expect("a client");
    access(&client).await.expect("asked all the same");
    assert_eq!(place.site.count(EXCHANGE), 5);
}

#[tokio::test]
async fn a_login_s_limit_is_not_an_exchange_s() {
    let place = Place::standing();
    place.site.next(LOGIN, [Answer::Limited("90".to_owned())]);
    let error = exchange(&place.client()).await.expect_err("no login");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::RateLimit, Some("get_auth_token")));
    let notes = place.files(".note");
    assert!(notes.len() == 1 && !notes[0].starts_with("exchange-"), "{notes:?}");
    assert_eq!(exchange(&place.client()).await.expect_err("no login").kind(), ErrorKind::RateLimit);
    assert_eq!((place.site.count(LOGIN), place.site.count(EXCHANGE)), (1, 0));
}

/// Runs five clients that share files and locks as separate processes do; the first is refused while four wait.
async fn refused_while_others_wait(path: &str, refusal: Answer) -> (Place, Vec<colony_async::Error>) {
    let place = Place::standing();
    place.site.next(path, [Answer::Held(Box::new(refusal))]);
    let mut tasks = tokio::task::JoinSet::new();
    let first = place.client();
    tasks.spawn(async move { exchange(&first).await });
    place.site.until(path, 1).await;
    for _ in 0..4 {
        let client = place.client();
        tasks.spawn(async move { exchange(&client).await });
    }
    place.clock.sleepers(4).await;
    place.site.release();
    let mut errors = Vec::new();
    let refused = tasks.join_next().await.expect("the first").expect("a task");
    errors.push(refused.expect_err("refused"));
    // The waiting clients check again after their sleep.
    place.clock.flow();
    while let Some(done) = tasks.join_next().await {
        errors.push(done.expect("a task").expect_err("refused"));
    }
    (place, errors)
}

#[tokio::test]
async fn a_refusal_is_the_answer_for_those_who_waited_for_it() {
    let (place, errors) = refused_while_others_wait(EXCHANGE, unknown_audience()).await;
    for error in &errors {
        assert_eq!((error.kind(), error.code()), (ErrorKind::Validation, Some("invalid_target")));
    }
    assert_eq!((errors.len(), place.site.count(EXCHANGE)), (5, 1));
    // A later client sends its own request.
    place.clock.jump(1.0);
    exchange(&place.client()).await.expect("a token");
    assert_eq!(place.site.count(EXCHANGE), 2);
}

#[tokio::test]
async fn so_is_the_refusal_of_the_login_it_needs() {
    let body = json!({"detail": {"code": "AUTH_INVALID_KEY", "message": "no such key"}});
    let (place, errors) = refused_while_others_wait(LOGIN, Answer::Json(401, body)).await;
    for error in &errors {
        assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, Some("AUTH_INVALID_KEY")));
    }
    assert_eq!((errors.len(), place.site.count(LOGIN), place.site.count(EXCHANGE)), (5, 1, 0));
}

#[tokio::test]
async fn a_token_that_the_service_refused_is_replaced_once_for_all() {
    let place = Place::standing();
    let (one, other) = (place.client(), place.client());
    let (first, id) = (access(&one).await.expect("a token"), identity(&one).await.expect("a token"));
    assert_eq!(access(&other).await.expect("a token"), first);
    // With either of its tokens; `one` exchanges, and `other` takes the result.
    let tokens = one.auth().audience(APP).scope("openid profile").instead_of(id);
    tokens.token().await.expect("another");
    assert_eq!(place.site.count(EXCHANGE), 2);
    let tokens = other.auth().audience(APP).scope("openid profile").instead_of(first.clone());
    tokens.token().await.expect("another");
    assert_ne!(access(&other).await.expect("a token"), first);
    assert_eq!(access(&other).await.expect("a token"), access(&one).await.expect("a token"));
    // A rejection of the old token does not affect the new one.
    let tokens = one.auth().audience(APP).scope("openid profile").instead_of(first);
    tokens.token().await.expect("the new one");
    assert_eq!(place.site.counts(), (1, 1, 2));
}

#[tokio::test]
async fn a_refused_token_does_not_serve_again_when_no_other_can_be_had() {
    let place = Place::standing();
    let client = place.client();
    let first = access(&client).await.expect("a token");
    place.site.otherwise(EXCHANGE, unknown_audience());
    let tokens = client.auth().audience(APP).scope("openid profile").instead_of(first);
    assert_eq!(tokens.token().await.expect_err("none").kind(), ErrorKind::Validation);
    assert!(place.files(".json").iter().all(|name| !name.starts_with("exchange-")), "the file went with it");
    assert!(access(&client).await.is_err());
    assert!(access(&place.client()).await.is_err());
}

#[tokio::test]
async fn forgetting_makes_one_exchange_and_no_login() {
    let place = Place::standing();
    let client = place.client();
    let tokens = client.auth().audience(APP).scope("openid profile");
    tokens.token().await.expect("a token");
    tokens.forget().await.expect("forgotten");
    assert_eq!(place.site.count(EXCHANGE), 1);
    tokens.token().await.expect("a token");
    tokens.token().await.expect("a token");
    assert_eq!(place.site.counts(), (1, 1, 2));
}
