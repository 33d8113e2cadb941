//! The provider's answers, and lost ones.

use std::time::Duration;

use colony_async::{Error, ErrorKind, credential::ClientAuth};
use colony_tests::clock::Clock;
use serde_json::json;

use crate::{Ground, machine::Machine, now, secret};

#[tokio::test]
async fn each_way_to_say_who_asks_works() {
    let auths = [
        ("colony_public", ClientAuth::None),
        ("colony_basic", ClientAuth::Basic("rig secret: 100%".to_owned().into())),
        ("colony_post", ClientAuth::Post("rig secret: 100%".to_owned().into())),
    ];
    for (client, auth) in auths {
        let Some(ground) = Ground::of_client(client, &json!({})) else { return };
        let first = ground.login_long_ago().await;
        let rotating = ground.rotating().client_auth(auth).build();
        let token = rotating.token().await.unwrap_or_else(|error| panic!("{client}: {error}"));
        assert!(!first.has_access_token(&token));
        assert_ne!(ground.refresh_token(), secret(&first));
        ground.assert_family_alive();
    }
}

#[tokio::test]
async fn a_wrong_secret_is_no_refused_credential() {
    let Some(ground) = Ground::of_client("colony_basic", &json!({})) else { return };
    ground.login_long_ago().await;
    let before = ground.bytes();
    let wrong = ClientAuth::Basic("wrong".to_owned().into());
    let error = ground.rotating().client_auth(wrong).build().token().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, Some("invalid_client")), "{error:?}");
    assert_eq!(ground.bytes(), before);
    let right = ClientAuth::Basic("rig secret: 100%".to_owned().into());
    ground.rotating().client_auth(right).build().token().await.expect("a token");
    ground.assert_family_alive();
}

#[tokio::test]
async fn a_refresh_token_from_elsewhere_is_spent_at_once() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let login = ground.provider.login(ground.client, now());
    let brought = colony_async::credential::Credential::from_refresh_token(
        ground.id(),
        ground.provider.token_endpoint(),
        secret(&login).into(),
        now(),
    )
    .expect("a refresh token");
    ground.store().save(&brought).await.expect("stored");
    ground.rotating().build().token().await.expect("a token");
    assert_ne!(ground.refresh_token(), secret(&login));
    ground.assert_family_alive();
}

/// A request that the provider itself refused is sent again, with the same token.
#[tokio::test]
async fn what_the_provider_refused_is_sent_again() {
    let Some(ground) = Ground::new(&json!({"decline_next": 2})) else { return };
    let first = ground.login_long_ago().await;
    let rotating = ground.rotating().build();
    for code in ["slow_down", "invalid_scope"] {
        ground.provider.set(&json!({"decline": code}));
        let error = rotating.token().await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(400), Some(code)));
        assert_eq!(ground.spending(), json!(null));
        assert_eq!(ground.refresh_token(), secret(&first));
    }
    rotating.token().await.expect("a token");
    assert_eq!(ground.provider.count("presented_twice"), 2);
    ground.assert_family_alive();
}

/// `invalid_request`, which some providers return for an expired refresh token, is remembered for ten minutes,
/// without a request for each call. A person's refresh asks again, and nothing is marked spent.
#[tokio::test]
async fn an_invalid_request_is_remembered_for_a_while() {
    let Some(ground) = Ground::new(&json!({"decline_next": 1_000})) else { return };
    let machine = Machine::new();
    let first = ground.login_long_ago().await;
    let process = || ground.over(machine.timer(0.0)).build();
    let invalid = |error: Error| {
        assert_eq!((error.kind(), error.code()), (ErrorKind::Validation, Some("invalid_request")), "{error}");
        error
    };
    invalid(process().token().await.unwrap_err());
    for _ in 0..20 {
        let error = invalid(process().token().await.unwrap_err());
        assert!(error.retry_after().is_some_and(|wait| wait.as_secs() <= 600), "{error:?}");
    }
    assert_eq!(ground.provider.count("token_requests"), 1);
    // A person asks.
    invalid(process().rotate().await.unwrap_err());
    assert_eq!(ground.provider.count("token_requests"), 2);
    machine.pass(599.0);
    invalid(process().token().await.unwrap_err());
    assert_eq!(ground.provider.count("token_requests"), 2);
    machine.pass(2.0);
    invalid(process().token().await.unwrap_err());
    assert_eq!(ground.provider.count("token_requests"), 3);
    assert_eq!(ground.refresh_token(), secret(&first));
    // Once the provider works again, the login is still valid.
    ground.provider.set(&json!({"decline_next": 0}));
    process().rotate().await.expect("a rotation");
    ground.assert_family_alive();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_tasks_shares_one_refresh() {
    let Some(ground) = Ground::new(&json!({"before_ms": 20})) else { return };
    ground.login_long_ago().await;
    let rotating = ground.rotating().build();
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            let rotating = rotating.clone();
            tokio::spawn(async move { rotating.token().await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("a token");
    }
    assert_eq!(ground.provider.count("token_requests"), 1);
    let other = ground.rotating().build();
    let token = other.token().await.expect("a token");
    assert_eq!(ground.provider.count("token_requests"), 1, "adopted");

    // A 401 for the current token costs one more refresh; for an old one, with a newer one stored, none.
    let new = other.token_other_than(&token).await.expect("another");
    assert_eq!(ground.provider.count("token_requests"), 2);
    rotating.token_other_than(&token).await.expect("the other's");
    assert_eq!(ground.provider.count("token_requests"), 2, "adopted");
    assert_ne!(secrecy::ExposeSecret::expose_secret(&new), secrecy::ExposeSecret::expose_secret(&token));
    ground.assert_family_alive();
}

#[tokio::test]
async fn a_token_that_is_too_short_is_refreshed_once_for_all() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let first = ground.login().await;
    let clock = Clock::flowing();
    clock.set(first.obtained_at);
    let rotating = ground.over(clock.clone()).build();
    let details = rotating.token_details().await.expect("a token");
    assert_eq!((first.has_access_token(&details.token), ground.provider.count("token_requests")), (true, 0));
    let whole = Duration::from_secs_f64(first.expiry - first.obtained_at);
    let ever = rotating.token_with_min_ttl(whole + Duration::from_secs(1)).await.unwrap_err();
    assert_eq!((ever.argument(), ground.provider.count("token_requests")), (Some("min_ttl"), 0));
    clock.jump(whole.as_secs_f64() / 2.0);
    let tasks = (0..20).map(|_| {
        let rotating = rotating.clone();
        tokio::spawn(async move { rotating.token_with_min_ttl(whole * 3 / 4).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        let later = task.await.expect("no panic").expect("a token");
        assert!(!first.has_access_token(&later.token));
    }
    assert_eq!(ground.provider.count("token_requests"), 1);
    ground.assert_family_alive();
}

#[tokio::test]
async fn logging_out_ends_the_family_and_the_file() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let first = ground.login().await;
    let rotating = ground.rotating().build();
    let elsewhere = rotating.log_out(Some("https://evil.example/revoke")).await.unwrap_err();
    assert!(elsewhere.is_invalid_argument());
    let missing = rotating.log_out(Some(&format!("{}/nothing", ground.provider.issuer))).await.unwrap_err();
    assert_eq!(missing.status(), Some(404));
    assert_eq!(ground.refresh_token(), secret(&first), "not confirmed, not removed");

    let endpoint = format!("{}/oauth/revoke", ground.provider.issuer);
    assert!(rotating.log_out(Some(&endpoint)).await.expect("logged out"));
    assert!(!ground.provider.is_good(&secret(&first)));
    assert!(!ground.store().file().exists());
    assert!(!rotating.log_out(Some(&endpoint)).await.expect("nothing left"));
    let error = rotating.token().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::ReauthRequired, Some("no_credential")));
}

#[tokio::test]
async fn a_credential_that_cannot_renew_itself_serves_to_its_end() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let mut credential = ground.provider.login(ground.client, now() - 870.0);
    credential.refresh_token = None;
    ground.store().save(&credential).await.expect("stored");
    let clock = Clock::standing();
    let rotating =
        colony_async::credential::RotatingCredential::builder(ground.store().timer(clock.clone())).build();
    rotating.token().await.expect("it lives");
    clock.jump(60.0);
    let error = rotating.token().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::ReauthRequired, Some("not_refreshable")),
        "{error:?}"
    );
    assert_eq!(ground.provider.count("token_requests"), 0);
}
