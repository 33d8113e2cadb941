//! What the provider answers, and what is lost on the way.

use colony_async::{ErrorKind, credential::ClientAuth};
use colony_tests::clock::Clock;
use serde_json::json;

use crate::{Ground, now, secret};

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

/// A provider that says it did not act is asked again, with the same token.
#[tokio::test]
async fn what_was_not_acted_on_is_sent_again() {
    let Some(ground) = Ground::new(&json!({"refuse_next": 2})) else { return };
    let first = ground.login_long_ago().await;
    let rotating = ground.rotating().build();
    for status in [503, 429] {
        ground.provider.set(&json!({"refuse": status}));
        let error = rotating.token().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(ground.spending(), json!(null));
        assert_eq!(ground.refresh_token(), secret(&first));
    }
    rotating.token().await.expect("a token");
    assert_eq!(ground.provider.count("presented_twice"), 2);
    ground.assert_family_alive();
}

/// The answer is lost: the token is spent, what came in its place is not known, and nothing is sent again.
#[tokio::test]
async fn a_lost_answer_is_never_asked_for_again() {
    for how in [json!("close"), json!(500), json!(502), json!(504), json!(204), json!(302)] {
        let Some(ground) = Ground::new(&json!({"lose_next": 1, "lose": how})) else { return };
        // Thirty seconds left.
        let living = ground.provider.login(ground.client, now() - 870.0);
        ground.store().save(&living).await.expect("stored");
        let token = ground.rotating().build().token().await.expect("the living token");
        assert!(living.has_access_token(&token), "{how}");
        assert_eq!(ground.provider.count("lost"), 1, "{how}");

        // Another process, and none of the life left: a person has to log in. Nothing is wiped.
        let later = Clock::standing();
        later.jump(60.0);
        let rotating =
            colony_async::credential::RotatingCredential::builder(ground.store().timer(later)).build();
        for _ in 0..3 {
            let error = rotating.token().await.unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::ReauthRequired, Some("interrupted")),
                "{how}"
            );
        }
        assert_eq!(ground.refresh_token(), secret(&living), "{how}");
        assert_eq!(ground.provider.count("token_requests"), 1, "{how}");
        assert_eq!(ground.provider.count("replays"), 0, "{how}");
        // Whoever logs in again is not held up by the note.
        ground.login_long_ago().await;
        ground.rotating().build().token().await.expect("a token");
    }
}

/// With an introspection endpoint the same is decided without a person, where that is possible.
#[tokio::test]
async fn introspection_decides_what_a_broken_connection_left_open() {
    for acted in [true, false] {
        let Some(ground) = Ground::new(&json!({"refuse": 502, "lose": 502})) else { return };
        ground.provider.set(&json!(if acted { json!({"lose_next": 1}) } else { json!({"refuse_next": 1}) }));
        let first = ground.login_long_ago().await;
        let clock = Clock::standing();
        let endpoint = format!("{}/oauth/introspect", ground.provider.issuer);
        let build = || {
            let store = ground.store().timer(clock.clone());
            colony_async::credential::RotatingCredential::builder(store)
                .introspection_endpoint(&endpoint)
                .build()
        };
        assert_eq!(build().token().await.unwrap_err().status(), (!acted).then_some(502).or(Some(502)));
        // The request may still be under way, so nothing is asked yet.
        let error = build().token().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::CredentialBusy, Some("interrupted")),
            "{error:?}"
        );
        assert_eq!(ground.provider.count("introspections"), 0);
        clock.jump(31.0);
        let outcome = build().token().await;
        assert_eq!(ground.provider.count("introspections"), 1);
        assert_eq!(ground.provider.count("replays"), 0);
        if acted {
            let error = outcome.unwrap_err();
            assert!(error.is_reauth_required(), "{error:?}");
            assert_eq!(ground.refresh_token(), secret(&first));
            // Known from now on, without asking.
            assert!(build().token().await.unwrap_err().is_reauth_required());
            assert_eq!(ground.provider.count("introspections"), 1);
        } else {
            outcome.expect("a token");
            ground.assert_family_alive();
        }
    }
}

/// One refresh for a crowd of tasks; and another process's is adopted without any.
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

    // A 401 for the token: one more; for an old one when a newer is stored: none.
    let new = other.token_other_than(&token).await.expect("another");
    assert_eq!(ground.provider.count("token_requests"), 2);
    rotating.token_other_than(&token).await.expect("the other's");
    assert_eq!(ground.provider.count("token_requests"), 2, "adopted");
    assert_ne!(secrecy::ExposeSecret::expose_secret(&new), secrecy::ExposeSecret::expose_secret(&token));
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

/// A time limit shorter than the provider takes: the request is on its way, and that is remembered.
#[tokio::test]
async fn a_time_limit_leaves_the_token_undecided() {
    let Some(ground) = Ground::new(&json!({"before_ms": 1500})) else { return };
    ground.login_long_ago().await;
    let rotating = ground.rotating().timeout(crate::SOON).build();
    let error = rotating.token().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::ReauthRequired, Some("interrupted")), "{error:?}");
    assert_eq!(ground.spending()["state"], "sent");
    ground.provider.set(&json!({"before_ms": 0}));
    assert!(rotating.token().await.unwrap_err().is_reauth_required());
    assert_eq!(ground.provider.count("token_requests"), 1);
}
