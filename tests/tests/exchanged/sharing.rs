//! One exchange for any number of callers, and none while there is a valid token.

use std::collections::HashSet;

use colony_async::ErrorKind;
use colony_tests::site::{Answer, DISCOVERY, EXCHANGE};
use secrecy::ExposeSecret as _;

use crate::place::{APP, Place, access, exchange, identity};

/// Runs `count` tasks that each get a token; returns the number of different tokens.
async fn tasks(place: &Place, clients: usize, count: usize) -> usize {
    let clients: Vec<_> = (0..clients).map(|_| place.client()).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count {
        let client = clients[number % clients.len()].clone();
        tasks.spawn(async move { exchange(&client).await });
    }
    let mut tokens = HashSet::new();
    while let Some(done) = tasks.join_next().await {
        let token = done.expect("a task").expect("a token");
        tokens.insert(token.access_token.expose_secret().to_owned());
    }
    tokens.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_tasks_on_a_cold_cache_and_then_on_a_warm_one() {
    let place = Place::real();
    assert_eq!(tasks(&place, 1, 100).await, 1);
    assert_eq!(place.site.counts(), (1, 1, 1), "logins, documents, exchanges");
    // New clients, as in programs that have just started.
    assert_eq!(tasks(&place, 10, 100).await, 1);
    assert_eq!(place.site.counts(), (1, 1, 1), "no request at all with a warm cache");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_tasks_of_ten_clients_on_a_cold_cache() {
    let place = Place::real();
    assert_eq!(tasks(&place, 10, 100).await, 1);
    assert_eq!(place.site.counts(), (1, 1, 1));
}

#[tokio::test]
async fn nothing_is_asked_before_somebody_wants_a_token() {
    let place = Place::standing();
    let client = place.client();
    client.auth().token().await.expect("a login");
    client.execute_json(colony_async::api::account::GetMe::default()).await.expect("a call");
    let _ = client.auth().audience(APP);
    assert_eq!(place.site.counts(), (1, 0, 0));
}

#[tokio::test]
async fn what_was_granted_is_told_and_kept() {
    let place = Place::standing();
    let first = exchange(&place.client()).await.expect("a token");
    let again = exchange(&place.client()).await.expect("a token");
    for token in [&first, &again] {
        assert_eq!(token.scope.as_deref(), Some("openid profile"));
        let left = |until: std::time::SystemTime| {
            colony_core::token::freshness::unix_seconds(until) - place.clock.unix()
        };
        assert_eq!(left(token.expires_at).round(), 900.0);
        assert_eq!(token.id_token_expires_at.map(left).map(f64::round), Some(300.0));
    }
    let id = |token: &colony_core::openid::AudienceToken| {
        token.id_token.as_ref().map(|id| id.expose_secret().to_owned())
    };
    assert!(id(&first).is_some());
    assert_eq!(id(&first), id(&again));
    let form = &place.site.forms()[0];
    assert_eq!((form["audience"].as_str(), form["scope"].as_str()), (APP, "openid profile"));
    assert_eq!(form["subject_token"], place.site.issued()[0]);
}

#[tokio::test]
async fn the_order_of_scopes_does_not_matter_and_their_set_does() {
    let place = Place::standing();
    let client = place.client();
    let mut seen = HashSet::new();
    for scope in ["openid profile", "profile openid", " profile  openid profile"] {
        let token = client.auth().audience(APP).scope(scope).access_token().await.expect("a token");
        seen.insert(token.expose_secret().to_owned());
    }
    assert_eq!((seen.len(), place.site.count(EXCHANGE)), (1, 1));
    for (exchanges, audience, scope) in
        [(2, APP, "openid"), (3, APP, ""), (4, "colony_other", "openid profile")]
    {
        client.auth().audience(audience).scope(scope).token().await.expect("a token");
        assert_eq!(place.site.count(EXCHANGE), exchanges);
    }
    let other = colony_async::Client::builder("col_another_key")
        .base_url(place.site.base_url())
        .token_cache_dir(place.directory.path())
        .build()
        .expect("a client");
    exchange(&other).await.expect("a token");
    assert_eq!(place.site.counts(), (2, 2, 5), "another key's login and tokens are its own");
}

#[tokio::test]
async fn whichever_part_is_asked_for_lives() {
    let place = Place::standing();
    let client = place.client();
    let (first_access, first_id) =
        (access(&client).await.expect("one"), identity(&client).await.expect("one"));
    assert_eq!(place.site.count(EXCHANGE), 1);
    // The id_token's margin is half a minute of its five.
    place.clock.jump(269.0);
    assert_eq!(identity(&client).await.expect("one"), first_id);
    place.clock.jump(2.0);
    assert_eq!(access(&client).await.expect("one"), first_access, "good for ten minutes yet");
    assert_eq!(access(&place.client()).await.expect("one"), first_access);
    assert_eq!(place.site.count(EXCHANGE), 1);
    let second_id = identity(&client).await.expect("one");
    assert_ne!(second_id, first_id);
    assert_eq!(place.site.count(EXCHANGE), 2);
    // Both tokens must be valid: the second's access token is, its id_token is not.
    place.clock.jump(271.0);
    exchange(&place.client()).await.expect("a token");
    assert_eq!(place.site.count(EXCHANGE), 3);
    place.clock.jump(839.0);
    access(&client).await.expect("one");
    assert_eq!(place.site.count(EXCHANGE), 3);
    place.clock.jump(2.0);
    access(&client).await.expect("one");
    assert_eq!(place.site.count(EXCHANGE), 4);
    assert_eq!(place.site.count(DISCOVERY), 2, "one for each client that exchanged: it is known for an hour");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_needs_more_than_the_flight_under_way_sets_out_again() {
    let place = Place::flowing();
    let client = place.client();
    exchange(&client).await.expect("a token");
    place.clock.jump(280.0);
    let mut wanted = tokio::task::JoinSet::new();
    for number in 0..60 {
        let client = client.clone();
        wanted.spawn(async move {
            match number % 3 {
                0 => access(&client).await,
                1 => identity(&client).await,
                _ => exchange(&client).await.map(|token| token.access_token.expose_secret().to_owned()),
            }
        });
    }
    while let Some(done) = wanted.join_next().await {
        done.expect("a task").expect("a token");
    }
    assert_eq!(place.site.count(EXCHANGE), 2);
}

#[tokio::test]
async fn a_provider_without_id_tokens_says_so_and_is_not_asked_again_and_again() {
    let place = Place::standing();
    let body = serde_json::json!({"access_token": "opaque", "token_type": "Bearer", "expires_in": 900});
    place.site.otherwise(EXCHANGE, Answer::Json(200, body));
    let client = place.client();
    for _ in 0..3 {
        let error = identity(&client).await.expect_err("there is none");
        assert_eq!(error.kind(), ErrorKind::Api);
    }
    assert_eq!(exchange(&client).await.expect("a token").id_token.map(|_| ()), None);
    assert_eq!(place.site.count(EXCHANGE), 1);
}

#[tokio::test]
async fn without_the_file_each_client_exchanges_for_itself_and_once() {
    let place = Place::standing();
    for round in 1..=2 {
        let client = place.builder().cache_token(false).build().expect("a client");
        for _ in 0..3 {
            exchange(&client).await.expect("a token");
        }
        assert_eq!(place.site.counts(), (round, round, round));
    }
    assert!(place.files("").is_empty());
}

#[tokio::test]
async fn a_caller_that_gives_up_loses_nothing() {
    let place = Place::standing();
    place.site.next(EXCHANGE, [Answer::Held(Box::new(Answer::Good))]);
    let client = place.client();
    let task = {
        let client = client.clone();
        tokio::spawn(async move { exchange(&client).await })
    };
    place.site.until(EXCHANGE, 1).await;
    task.abort();
    assert!(task.await.expect_err("given up").is_cancelled());
    place.site.release();
    exchange(&client).await.expect("a token");
    assert_eq!(place.site.counts(), (1, 1, 1));
}

#[test]
fn the_blocking_client_has_the_same() {
    let place = Place::real();
    let client = || {
        colony_blocking::Client::builder(crate::place::KEY)
            .base_url(place.site.base_url())
            .token_cache_dir(place.directory.path())
            .build()
            .expect("a client")
    };
    let (one, other) = (client(), client());
    std::thread::scope(|scope| {
        for number in 0..16 {
            let client = if number % 2 == 0 { &one } else { &other };
            scope.spawn(move || client.auth().audience(APP).token().expect("a token"));
        }
    });
    assert_eq!(place.site.counts(), (1, 1, 1));
    one.auth().audience(APP).forget().expect("forgotten");
    one.auth().audience(APP).id_token().expect("a token");
    one.auth().audience(APP).access_token().expect("a token");
    // Either of the two clients can have read the document.
    let (logins, documents, exchanges) = place.site.counts();
    assert_eq!((logins, exchanges), (1, 2));
    assert!(documents <= 2, "{documents} documents");
}

#[tokio::test]
async fn clients_with_a_script_exchange_too() {
    let script = colony_async::testing::Script::new();
    let client = colony_async::Client::builder("col_test").script(&script).build().expect("a client");
    let token = client.auth().audience(APP).token().await.expect("a token");
    assert!(token.id_token.is_some());
    let operations: Vec<_> = script.sent().into_iter().map(|sent| sent.operation).collect();
    assert_eq!(operations, ["openid_configuration", "exchange_token"]);
}

/// The memory of a program that takes audiences from others is bounded.
#[tokio::test]
async fn so_many_audiences_are_kept_and_no_more() {
    const KEPT: usize = 256;
    let script = colony_async::testing::Script::new();
    let client = colony_async::Client::builder("col_test").script(&script).build().expect("a client");
    let exchanges = async |audiences: usize| {
        for number in 0..audiences {
            client.auth().audience(format!("app-{number}")).token().await.expect("a token");
        }
        script.sent().iter().filter(|sent| sent.operation == "exchange_token").count()
    };
    // Without a file only a token that is still in memory costs no exchange.
    assert_eq!(exchanges(KEPT).await, KEPT);
    assert_eq!(exchanges(KEPT).await, KEPT, "all are kept");
    assert_eq!(exchanges(KEPT + 50).await, KEPT + 50);
    assert!(exchanges(KEPT + 50).await >= KEPT + 100, "only so many are kept");
}
