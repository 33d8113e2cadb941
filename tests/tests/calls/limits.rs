//! Time limits: which one ends a call, and how the error reports it.

use std::time::{Duration, Instant};

use colony_core::{
    Error, Limit,
    retry::{RetryPolicy, Unanswered},
};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::scene::{KINDS, Scene, Setup, failed, made, post, status};

const SHORT: Duration = Duration::from_millis(200);
/// Longer than any test here takes, unless a limit has no effect.
const LONG: Duration = Duration::from_secs(600);

fn slow() -> ResponseTemplate {
    made().set_delay(LONG)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_ends_the_call_and_is_named() {
    let request = |setup: Setup| (setup, Limit::Request);
    let deadline = |setup: Setup| (setup, Limit::Deadline);
    let none = Setup::default();
    for kind in KINDS {
        for (setup, limit) in [
            request(Setup { timeout: Some(SHORT), ..none.clone() }),
            request(Setup { call_timeout: Some(SHORT), timeout: Some(LONG), ..none.clone() }),
            deadline(Setup { deadline: Some(SHORT), ..none.clone() }),
            deadline(Setup {
                call_deadline: Some(SHORT),
                deadline: Some(LONG),
                timeout: Some(LONG),
                ..none.clone()
            }),
        ] {
            let scene = Scene::new().await;
            scene.on("POST", "/posts$", None, slow()).await;
            let begun = Instant::now();
            let error = failed(setup.call(kind, &scene.base_url(), "create_post", post()).await);
            assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
            assert_eq!(error.limit(), Some((limit, SHORT)), "{error}");
            assert!(error.is_network() && error.to_string().contains("0.2 s"), "{error}");
            assert!(error.to_string().contains(limit.as_str()), "{error}");
            assert_eq!(error.operation(), Some("create_post"));
            // The server may have acted: the error has the key for a repetition, and the client did not repeat it.
            assert!(error.idempotency_key().is_some());
            assert_eq!(scene.requests().await.len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_beyond_the_deadline_is_not_waited_for() {
    let setup = Setup { deadline: Some(Duration::from_secs(20)), ..Setup::default() };
    for kind in KINDS {
        let scene = Scene::new().await;
        scene.on("GET", "/users/me$", None, status(503).insert_header("retry-after", "30")).await;
        let begun = Instant::now();
        let error = failed(setup.call(kind, &scene.base_url(), "get_me", json!({})).await);
        assert!(begun.elapsed() < Duration::from_secs(15), "{error}");
        assert_eq!((error.status(), error.retry_after()), (Some(503), Some(Duration::from_secs(30))));
        assert_eq!(error.limit(), Some((Limit::Deadline, Duration::from_secs(20))));
        assert!(
            error.to_string().contains("the deadline of 20 s leaves no time to try again after one try"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_the_login_counts() {
    let setup = Setup { deadline: Some(SHORT), timeout: Some(LONG), ..Setup::default() };
    for kind in KINDS {
        let server = wiremock::MockServer::start().await;
        let login = ResponseTemplate::new(200).set_delay(LONG);
        wiremock::Mock::given(wiremock::matchers::any()).respond_with(login).mount(&server).await;
        let base_url = format!("{}/api/v1", server.uri());
        let error = failed(setup.call(kind, &base_url, "get_me", json!({})).await);
        assert_eq!(error.limit(), Some((Limit::Deadline, SHORT)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_names_the_tries_that_failed() {
    let limit = Duration::from_secs(2);
    let retry = Some(RetryPolicy::default().base_delay(Duration::from_millis(1)));
    let setup = Setup { deadline: Some(limit), timeout: Some(LONG), retry, ..Setup::default() };
    for kind in KINDS {
        for (verb, paths, operation) in
            [("GET", "/users/me$", "get_me"), ("POST", "/auth/token$", "get_auth_token")]
        {
            let scene = Scene::new().await;
            scene.on(verb, paths, Some(2), status(503)).await;
            scene.on(verb, paths, Some(1), made().set_delay(LONG)).await;
            let error = failed(setup.call(kind, &scene.base_url(), "get_me", json!({})).await);
            assert_eq!(error.limit(), Some((Limit::Deadline, limit)), "{error}");
            let told = format!("2 tries of {operation} had failed, the last with status 503");
            assert!(error.to_string().contains(&told), "{error}");
            let cause = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
            assert_eq!(cause.and_then(Error::status), Some(503), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_names_the_cause_of_tries_without_an_answer() {
    let limit = Duration::from_secs(2);
    let retry = RetryPolicy::default().base_delay(LONG).max_delay(LONG);
    for kind in KINDS {
        let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let base_url = format!("http://{}/api/v1", closed.local_addr().expect("its address"));
        drop(closed);
        let setup = Setup { deadline: Some(limit), retry: Some(retry.clone()), ..Setup::default() };
        // An operation without a login, whose tries have a separate budget.
        let error = failed(setup.call(kind, &base_url, "recover_key", json!({"username": "ada"})).await);
        assert_eq!(error.limit(), Some((Limit::Deadline, limit)), "{error}");
        let told = ["connection refused", "the deadline of 2 s leaves no time to try again after one try"];
        assert!(told.iter().all(|told| error.to_string().contains(told)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_has_the_deadline_for_each_request() {
    let setup = Setup { deadline: Some(Duration::from_secs(20)), ..Setup::default() };
    for kind in KINDS {
        let scene = Scene::new().await;
        let page = ResponseTemplate::new(200).set_body_json(json!({"items": [], "has_more": false}));
        scene.on("GET", "/posts$", None, page).await;
        let outcome = setup.call(kind, &scene.base_url(), "iter_posts", json!({})).await;
        assert_eq!(outcome.expect("an empty list"), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cause_of_a_failed_connection_is_told() {
    for kind in KINDS {
        let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = closed.local_addr().expect("its address");
        drop(closed);
        for (base_url, cause) in [
            (format!("http://{address}/api/v1"), "connection refused"),
            ("http://no-such-host.invalid/api/v1".to_owned(), "no such host"),
        ] {
            let error = failed(Setup::default().call(kind, &base_url, "get_me", json!({})).await);
            assert!(error.to_string().contains(cause), "{error}");
            assert_eq!(error.unanswered(), Some(Unanswered::NotConnected), "{error}");
        }
    }
}
