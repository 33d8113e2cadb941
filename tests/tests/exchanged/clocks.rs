//! Ages and expiries, on one clock that the tests set.

use std::time::Duration;

use colony_async::Client;
use colony_tests::site::{Answer, EXCHANGE};

use crate::place::{Place, access, exchange, identity};

fn capped(place: &Place, seconds: u64) -> Client {
    place.builder().token_cache_ttl(Duration::from_secs(seconds)).build().expect("a client")
}

#[tokio::test]
async fn an_age_caps_what_is_taken_from_the_file() {
    let place = Place::standing();
    exchange(&place.client()).await.expect("a token");
    place.clock.jump(100.0);
    access(&capped(&place, 100)).await.expect("young enough");
    assert_eq!(place.site.count(EXCHANGE), 1);
    place.clock.jump(1.0);
    access(&place.client()).await.expect("no cap");
    assert_eq!(place.site.count(EXCHANGE), 1);
    let client = capped(&place, 100);
    access(&client).await.expect("exchanged");
    assert_eq!(place.site.count(EXCHANGE), 2);
    // It keeps a token that it exchanged itself: the cap is for tokens from the disk.
    place.clock.jump(200.0);
    access(&client).await.expect("held");
    assert_eq!(place.site.count(EXCHANGE), 2);
}

#[tokio::test]
async fn an_age_of_zero_takes_nothing_from_the_file() {
    let place = Place::standing();
    for round in 1..=3 {
        let client = capped(&place, 0);
        for _ in 0..3 {
            exchange(&client).await.expect("a token");
        }
        assert_eq!(place.site.count(EXCHANGE), round, "one for each client, not for each call");
    }
}

#[tokio::test]
async fn a_file_from_the_future_is_a_miss_beyond_the_grace() {
    let place = Place::standing();
    exchange(&place.client()).await.expect("a token");
    place.clock.jump(-60.0);
    exchange(&place.client()).await.expect("within the grace");
    assert_eq!(place.site.count(EXCHANGE), 1);
    place.clock.jump(-1.0);
    exchange(&place.client()).await.expect("exchanged");
    assert_eq!(place.site.count(EXCHANGE), 2);
    // And the new token is valid.
    exchange(&place.client()).await.expect("from the file");
    assert_eq!(place.site.count(EXCHANGE), 2);
}

#[tokio::test]
async fn clocks_that_are_set_make_no_loop_and_no_panic() {
    const HOUR: f64 = 3_600.0;
    let place = Place::standing();
    let real = place.clock.unix();
    let running = place.client();
    for step in [real - HOUR, real + HOUR, real + 87_600.0 * HOUR, 0.0, 1.0, -HOUR, real, 4e9, real] {
        place.clock.set(step);
        let before = place.site.count(EXCHANGE);
        for _ in 0..10 {
            exchange(&running).await.unwrap_or_else(|error| panic!("{step}: {error}"));
            identity(&place.client()).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        }
        let exchanges = place.site.count(EXCHANGE) - before;
        assert!(exchanges <= 2, "{exchanges} exchanges after {step}");
    }
}

#[tokio::test]
async fn a_wrong_clock_does_not_shorten_a_token_s_life() {
    // The site's clock is right, ours is a day ahead: the tokens' own times have long passed.
    let place = Place::standing();
    let real = place.clock.unix();
    let site = colony_tests::site::Site::start(move || real).expect("a site");
    let client = || place.builder().base_url(site.base_url()).build().expect("a client");
    place.clock.jump(86_400.0);
    identity(&client()).await.expect("a token");
    identity(&client()).await.expect("a token");
    assert_eq!(site.count(EXCHANGE), 1);
    place.clock.jump(271.0);
    identity(&client()).await.expect("a token");
    assert_eq!(site.count(EXCHANGE), 2);
}

#[tokio::test]
async fn a_stale_token_serves_while_exchanges_fail_for_a_passing_reason() {
    for answer in [Answer::Hangup, Answer::Json(500, "x".into()), Answer::Json(503, "x".into()), limited()] {
        let place = Place::standing();
        let client = place.client();
        let first = access(&client).await.expect("a token");
        place.site.otherwise(EXCHANGE, answer.clone());
        // Within the margin of a minute.
        place.clock.jump(850.0);
        assert_eq!(access(&client).await.expect("it lives"), first, "{answer:?}");
        assert_eq!(access(&place.client()).await.expect("it lives"), first, "{answer:?}");
        // The id_token has ended, whatever the access token does.
        assert!(identity(&client).await.is_err(), "{answer:?}");
        place.clock.jump(51.0);
        assert!(access(&client).await.is_err(), "{answer:?}");
        assert!(access(&place.client()).await.is_err(), "{answer:?}");
    }
}

fn limited() -> Answer {
    Answer::Limited("5".to_owned())
}

#[tokio::test]
async fn a_stale_token_serves_while_the_document_cannot_be_had() {
    use colony_tests::site::DISCOVERY;
    let place = Place::standing();
    let first = access(&place.client()).await.expect("a token");
    place.site.otherwise(DISCOVERY, Answer::Json(503, "x".into()));
    place.clock.jump(850.0);
    assert_eq!(access(&place.client()).await.expect("it lives"), first);
    place.clock.jump(51.0);
    assert!(access(&place.client()).await.is_err());
    assert_eq!(place.site.count(EXCHANGE), 1);
}

#[tokio::test]
async fn a_token_of_seconds_is_used_by_whoever_got_it_and_makes_no_loop() {
    let place = Place::standing();
    let body = serde_json::json!({"access_token": "opaque", "token_type": "Bearer", "expires_in": 5});
    place.site.otherwise(EXCHANGE, Answer::Json(200, body));
    let client = place.client();
    // It is used for its whole life except a second.
    for (after, exchanges) in [(0.0, 1), (3.9, 1), (0.2, 2), (3.9, 2), (60.0, 3)] {
        place.clock.jump(after);
        access(&client).await.expect("a token");
        assert_eq!(place.site.count(EXCHANGE), exchanges, "{after} s later");
    }
}
