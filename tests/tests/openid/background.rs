//! Refreshing ahead of time, and keeping the refresh token alive, on a clock that stands still until a test moves it.

use colony_async::credential::{RotatingBuilder, RotatingCredential};
use colony_tests::clock::Clock;
use serde_json::json;
use std::time::Duration;

use crate::Ground;

fn over(ground: &Ground, clock: &Clock) -> RotatingBuilder {
    RotatingCredential::builder(ground.store().timer(clock.clone()))
}

/// Logs in at the clock's time.
async fn login(ground: &Ground, clock: &Clock) {
    let credential = ground.provider.login(ground.client, clock.unix());
    ground.store().save(&credential).await.expect("stored");
}

#[tokio::test]
async fn a_token_is_refreshed_before_a_call_has_to() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let clock = Clock::standing();
    login(&ground, &clock).await;
    let rotating = over(&ground, &clock).refresh_ahead(true).build();
    let first = rotating.token().await.expect("a token");
    clock.sleepers(1).await;
    clock.pass(770.0).await;
    assert_eq!(ground.provider.count("token_requests"), 0, "more than two minutes to live");
    clock.pass(75.0).await;
    assert_eq!(ground.provider.count("token_requests"), 1, "less than a minute to live");
    let second = rotating.token().await.expect("a token");
    assert_eq!(ground.provider.count("token_requests"), 1, "the call found it done");
    assert_ne!(secrecy::ExposeSecret::expose_secret(&first), secrecy::ExposeSecret::expose_secret(&second));
    // And so on, with the next token.
    clock.pass(850.0).await;
    assert_eq!(ground.provider.count("token_requests"), 2);
    ground.assert_family_alive();
    drop(rotating);
    clock.sleepers(0).await;
}

#[tokio::test]
async fn a_refresh_token_is_rotated_at_half_its_life() {
    let Some(ground) = Ground::new(&json!({"access_token_seconds": 7 * 86_400})) else { return };
    let clock = Clock::standing();
    login(&ground, &clock).await;
    let day = Duration::from_secs(86_400);
    let rotating = over(&ground, &clock).refresh_token_lifetime(2 * day).build();
    rotating.token().await.expect("a token");
    clock.sleepers(1).await;
    clock.pass(0.89 * 86_400.0).await;
    assert_eq!(ground.provider.count("token_requests"), 0);
    clock.pass(0.12 * 86_400.0).await;
    assert_eq!(ground.provider.count("token_requests"), 1, "though the access token is fresh");
    ground.assert_family_alive();
}

/// Without the background task, a call rotates; a failed rotation does not fail the call.
#[tokio::test]
async fn a_call_rotates_at_half_the_refresh_tokens_life() {
    let Some(ground) = Ground::new(&json!({"access_token_seconds": 7 * 86_400})) else { return };
    let clock = Clock::standing();
    login(&ground, &clock).await;
    let day = Duration::from_secs(86_400);
    // Each call acts as a separate process, which ends with it.
    let call = async || over(&ground, &clock).refresh_token_lifetime(2 * day).build().token().await;
    call().await.expect("a token");
    clock.jump(0.99 * 86_400.0);
    call().await.expect("a token");
    assert_eq!(ground.provider.count("token_requests"), 0);
    clock.jump(0.02 * 86_400.0);
    ground.provider.set(&json!({"decline_next": 1, "decline": "invalid_client"}));
    call().await.expect("the fresh token");
    call().await.expect("a token");
    assert_eq!(ground.provider.count("token_requests"), 2);
    call().await.expect("a token");
    assert_eq!(ground.provider.count("token_requests"), 2, "once for each half of a life");
    ground.assert_family_alive();
}

/// The refresh is earlier than calls need it, by a fraction of the access token's life.
#[tokio::test]
async fn a_token_is_refreshed_at_a_fraction_of_its_life() {
    let Some(ground) = Ground::new(&json!({"access_token_seconds": 10_000})) else { return };
    let clock = Clock::standing();
    login(&ground, &clock).await;
    let rotating = over(&ground, &clock).refresh_ahead_at(0.5).build();
    rotating.token().await.expect("a token");
    clock.sleepers(1).await;
    clock.pass(4_930.0).await;
    assert_eq!(ground.provider.count("token_requests"), 0);
    clock.pass(110.0).await;
    assert_eq!(ground.provider.count("token_requests"), 1);
    ground.assert_family_alive();
}

/// One process refreshes ahead of time, the others on demand: all find its result.
#[tokio::test]
async fn background_and_demand_take_the_same_turns() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let clock = Clock::standing();
    login(&ground, &clock).await;
    let all: Vec<_> = (0..5).map(|n| over(&ground, &clock).refresh_ahead(n == 0).build()).collect();
    for rotating in &all {
        rotating.token().await.expect("a token");
    }
    clock.sleepers(1).await;
    clock.pass(850.0).await;
    assert_eq!(ground.provider.count("token_requests"), 1);
    for rotating in &all {
        rotating.token().await.expect("a token");
    }
    assert_eq!(ground.provider.count("token_requests"), 1, "adopted");
    ground.assert_family_alive();
}

/// After a failure the task pauses before the next try, and does not end.
#[tokio::test]
async fn a_failed_refresh_is_tried_again_after_a_pause() {
    let Some(ground) = Ground::new(
        &json!({"decline_next": 1_000_000, "decline": "slow_down", "access_token_seconds": 36_000}),
    ) else {
        return;
    };
    let clock = Clock::standing();
    login(&ground, &clock).await;
    let rotating = over(&ground, &clock).refresh_ahead(true).build();
    rotating.token().await.expect("a token");
    clock.sleepers(1).await;
    // An hour after the token's expiry.
    clock.pass(36_000.0 + 3600.0).await;
    let tries = ground.provider.count("token_requests");
    assert!((6..=40).contains(&tries), "{tries} tries in an hour: neither a busy loop nor a surrender");
    ground.provider.set(&json!({"decline_next": 0}));
    clock.pass(1000.0).await;
    rotating.token().await.expect("a token");
    ground.assert_family_alive();
}

/// Within the last minute a call that could not refresh uses its token, and later calls do not ask the provider
/// again.
#[tokio::test]
async fn a_failure_on_demand_is_not_repeated_by_every_call() {
    let Some(ground) = Ground::new(&json!({"decline_next": 1_000_000, "decline": "slow_down"})) else {
        return;
    };
    let clock = Clock::standing();
    login(&ground, &clock).await;
    let rotating = over(&ground, &clock).build();
    rotating.token().await.expect("a token");
    clock.jump(850.0);
    for _ in 0..200 {
        rotating.token().await.expect("the living token");
    }
    assert_eq!(ground.provider.count("token_requests"), 1);
    clock.jump(6.0);
    rotating.token().await.expect("the living token");
    assert_eq!(ground.provider.count("token_requests"), 2);
    clock.jump(60.0);
    let error = rotating.token().await.unwrap_err();
    assert_eq!(error.code(), Some("slow_down"), "{error:?}");
    // Clock jumps cause no busy loop and no panic.
    for jump in [-3600.0, 3600.0, 315_360_000.0, -400_000_000.0] {
        clock.jump(jump);
        let _ = rotating.token().await;
        let _ = rotating.token().await;
    }
    assert!(ground.provider.count("token_requests") <= 12, "{}", ground.provider.stats());
}
