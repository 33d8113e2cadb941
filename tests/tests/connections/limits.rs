//! Many calls at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use colony_async::{ErrorKind, api::posts::CreatePost};
use futures_util::future::join_all;
use http::Method;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::{builder, servers};

#[tokio::test]
async fn requests_wait_for_their_turn() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let server = servers::plain_with(move || {
        peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        inside.fetch_sub(1, Ordering::SeqCst);
    });
    let client = builder(&server).max_in_flight(3).build().expect("a client");
    let calls = (0..60).map(|_| client.request(Method::GET, "/stats").send());
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[tokio::test]
async fn one_wrong_name_is_looked_up_once() {
    let server = MockServer::start().await;
    let json = |body| ResponseTemplate::new(200).set_body_json(body);
    Mock::given(path("/auth/token"))
        .respond_with(json(serde_json::json!({"access_token": "token"})))
        .mount(&server)
        .await;
    Mock::given(path("/colonies"))
        .respond_with(json(serde_json::json!([{"name": "there", "id": "a8b7"}])))
        .expect(1)
        .mount(&server)
        .await;
    let client = builder(&server.uri()).build().expect("a client");
    let post = || client.posts().create(CreatePost::new("A title", "A text.").colony("not-there"));
    let all = join_all((0..100).map(|_| post())).await.into_iter().chain([post().await]);
    for outcome in all {
        assert_eq!(outcome.expect_err("there is none").kind(), ErrorKind::InvalidArgument);
    }
}
