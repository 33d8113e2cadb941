//! The document is fetched when it is needed, once for all callers, and is checked strictly.

use colony_async::{Client, ErrorKind};
use colony_core::openid::discovery::Refused;
use colony_tests::site::{Answer, DISCOVERY, EXCHANGE, Site};
use serde_json::{Value, json};

use crate::place::{APP, Place, exchange};

/// Returns the error of an exchange when the document gets this answer.
async fn refused(place: &Place, client: &Client, answer: Answer) -> colony_async::Error {
    place.site.otherwise(DISCOVERY, answer);
    // A failure is shared with callers within a few seconds, and this one is later.
    place.clock.jump(5.0);
    let error = exchange(client).await.expect_err("not believed");
    assert_eq!(place.site.count(EXCHANGE), 0, "nothing was sent to the token endpoint");
    error
}

fn with(place: &Place, field: &str, value: Value) -> Answer {
    let mut document = place.site.document();
    document[field] = value;
    Answer::Json(200, document)
}

#[tokio::test]
async fn documents_that_lead_away_are_refused_by_name() {
    let elsewhere = Site::start(|| 0.0).expect("another site");
    let place = Place::standing();
    let client = place.client();
    let away = format!("{}/oauth/token", elsewhere.issuer());
    let https = place.site.issuer().replace("http://", "https://");
    for (field, value, code) in [
        ("issuer", json!(elsewhere.issuer()), "issuer_mismatch"),
        ("issuer", json!(format!("{}/", place.site.issuer())), "issuer_mismatch"),
        ("issuer", json!(https), "issuer_mismatch"),
        ("issuer", json!(null), "discovery_incomplete"),
        ("token_endpoint", json!(away), "endpoint_on_other_host"),
        ("token_endpoint", json!("http://evil.example/oauth/token"), "endpoint_on_other_host"),
        ("token_endpoint", json!(format!("{https}/oauth/token")), "endpoint_not_https"),
        ("token_endpoint", json!("/oauth/token"), "endpoint_not_an_address"),
        ("token_endpoint", json!(null), "discovery_incomplete"),
        ("jwks_uri", json!(away), "endpoint_on_other_host"),
        ("revocation_endpoint", json!(away), "endpoint_on_other_host"),
        ("grant_types_supported", json!("all"), "discovery_malformed"),
    ] {
        let error = refused(&place, &client, with(&place, field, value.clone())).await;
        assert_eq!((error.kind(), error.code()), (ErrorKind::Decode, Some(code)), "{field} {value}");
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Refused>());
        assert!(source.is_some(), "{field} {value}");
    }
    for path in ["/oauth/token", DISCOVERY] {
        assert_eq!(elsewhere.count(path), 0, "nothing was sent elsewhere");
    }
    // It was asked each time.
    place.site.otherwise(DISCOVERY, Answer::Good);
    place.clock.jump(5.0);
    exchange(&client).await.expect("a token");
}

#[tokio::test]
async fn a_downgrade_to_http_is_refused() {
    // An address other than loopback is refused before anything is sent.
    let client = Client::builder(crate::place::KEY)
        .base_url("http://colony.invalid/api/v1")
        .cache_token(false)
        .build()
        .expect("a client");
    let error = exchange(&client).await.expect_err("not over http");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Config, Some("endpoint_not_https")));
}

#[tokio::test]
async fn answers_that_are_no_document_are_refused() {
    let place = Place::standing();
    let client = place.client();
    let text = |text: &str| Answer::Text(200, String::new(), text.to_owned());
    for (answer, kind, code) in [
        (text("<html>"), ErrorKind::Decode, Some("discovery_not_json")),
        (text(""), ErrorKind::Decode, Some("discovery_not_json")),
        (text("[]"), ErrorKind::Decode, Some("discovery_not_json")),
        (text(&"[".repeat(100_000)), ErrorKind::Decode, Some("discovery_not_json")),
        (text(&" ".repeat(200_000)), ErrorKind::Decode, Some("discovery_too_large")),
        (Answer::Endless, ErrorKind::Decode, Some("discovery_too_large")),
        (Answer::Json(403, json!({})), ErrorKind::Auth, None),
        (Answer::Limited("5".to_owned()), ErrorKind::RateLimit, Some("temporarily_unavailable")),
        (Answer::Json(500, json!({})), ErrorKind::Server, None),
        (Answer::Json(410, json!({})), ErrorKind::Api, None),
        (Answer::Hangup, ErrorKind::Network, None),
    ] {
        let error = refused(&place, &client, answer.clone()).await;
        assert_eq!((error.kind(), error.code()), (kind, code), "{answer:?}");
        assert_eq!(error.operation(), Some("openid_configuration"), "{answer:?}");
    }
}

#[tokio::test]
async fn redirects_to_another_host_are_not_followed_with_any_http_client() {
    let elsewhere = Site::start(|| 0.0).expect("another site");
    // The target would even return the right document.
    let place = Place::standing();
    elsewhere.otherwise(DISCOVERY, Answer::Json(200, place.site.document()));
    let location = format!("location: {}{DISCOVERY}\r\n", elsewhere.issuer());
    let own = place.client();
    let error = refused(&place, &own, Answer::Text(302, location.clone(), String::new())).await;
    assert_eq!(error.status(), Some(302));
    assert_eq!(elsewhere.count(DISCOVERY), 0);
    // A program's own HTTP client can follow redirects; the result is not accepted.
    colony_async::install_tls_provider();
    let given = place.builder().http_client(reqwest::Client::new()).build().expect("a client");
    let error = refused(&place, &given, Answer::Text(302, location, String::new())).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Decode, Some("redirected")));
    assert_eq!(elsewhere.count(DISCOVERY), 1);
}

#[tokio::test]
async fn a_redirect_within_the_site_is_followed() {
    let place = Place::standing();
    place.site.otherwise(DISCOVERY, Answer::Text(302, "location: /moved\r\n".to_owned(), String::new()));
    place.site.otherwise("/moved", Answer::Json(200, place.site.document()));
    exchange(&place.client()).await.expect("a token");
}

#[tokio::test]
async fn a_failure_is_remembered_for_a_moment_and_then_tried_again() {
    for answer in [
        Answer::Hangup,
        Answer::Json(500, json!({})),
        Answer::Json(503, json!({})),
        Answer::Text(200, String::new(), "<html>".to_owned()),
    ] {
        let place = Place::standing();
        let client = place.client();
        place.site.next(DISCOVERY, [answer.clone()]);
        for _ in 0..10 {
            assert!(exchange(&client).await.is_err(), "{answer:?}");
        }
        assert_eq!(place.site.count(DISCOVERY), 1, "{answer:?}");
        place.clock.jump(5.0);
        exchange(&client).await.unwrap_or_else(|error| panic!("{answer:?}: {error}"));
        assert_eq!((place.site.count(DISCOVERY), place.site.count(EXCHANGE)), (2, 1), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_ask_at_once_share_one_request_and_its_failure() {
    let place = Place::flowing();
    place.site.next(DISCOVERY, [Answer::Held(Box::new(Answer::Json(500, json!({}))))]);
    let client = place.builder().cache_token(false).build().expect("a client");
    let mut tasks = tokio::task::JoinSet::new();
    // Each for another audience, so that only the document is shared.
    for number in 0..100 {
        let client = client.clone();
        tasks.spawn(async move { client.auth().audience(format!("{APP}-{number}")).token().await });
    }
    place.site.until(DISCOVERY, 1).await;
    // All are under way: each in its own flight, which all wait for one fetch of the document.
    tokio::task::yield_now().await;
    place.site.release();
    let (mut failed, mut good) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        match done.expect("a task") {
            Ok(_) => good += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Server);
                failed += 1;
            }
        }
    }
    // Callers after the failure made one new request together.
    assert!(failed >= 1 && failed + good == 100);
    let documents = if good == 0 { 1 } else { 2 };
    assert_eq!((place.site.count(DISCOVERY), place.site.count(EXCHANGE)), (documents, good));
}

#[tokio::test]
async fn a_document_is_believed_for_an_hour() {
    let place = Place::standing();
    let client = place.client();
    for (after, documents) in [(0.0, 1), (1_800.0, 1), (1_799.0, 1), (2.0, 2), (3_600.0, 2), (-7_200.0, 3)] {
        place.clock.jump(after);
        client.auth().audience(APP).forget().await.expect("forgotten");
        client.auth().audience(APP).token().await.expect("a token");
        assert_eq!(place.site.count(DISCOVERY), documents, "after {after} s more");
    }
}

#[tokio::test]
async fn a_site_without_a_document_is_asked_where_it_has_always_been() {
    let place = Place::standing();
    place.site.otherwise(DISCOVERY, Answer::Json(404, json!({})));
    let client = place.client();
    exchange(&client).await.expect("a token");
    assert_eq!(place.site.counts(), (1, 1, 1));
    // The absence of an endpoint is not cached: one that appears is used.
    let mut moved = place.site.document();
    moved["token_endpoint"] = json!(format!("{}/moved/token", place.site.issuer()));
    place.site.otherwise(DISCOVERY, Answer::Json(200, moved));
    let body = json!({"access_token": "opaque", "token_type": "Bearer", "expires_in": 900});
    place.site.otherwise("/moved/token", Answer::Json(200, body));
    client.auth().audience("colony_other").token().await.expect("a token");
    assert_eq!((place.site.count(EXCHANGE), place.site.count("/moved/token")), (1, 1));
}
