//! Idempotency keys, and the requests that are repeated.

use colony_tests::server::Server;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::scene::{KINDS, POST, Scene, Setup, failed, made, post, status};

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_repeated_under_its_key_and_under_no_other() {
    for kind in KINDS {
        for code in [429, 502, 503, 504] {
            let scene = Scene::new().await;
            scene.on("POST", "/posts$", Some(2), status(code)).await;
            scene.on("POST", "/posts$", None, made()).await;
            let outcome = Setup::default().call(kind, &scene.base_url(), "create_post", post()).await;
            assert!(outcome.is_ok(), "{kind:?} {code}: {outcome:?}");
            let keys = scene.keys().await;
            let first = keys[0].clone().expect("a key");
            assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
            assert_eq!(keys, vec![Some(first); 3], "{kind:?} {code}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_outlives_a_rejected_token() {
    for kind in KINDS {
        let scene = Scene::new().await;
        scene.on("DELETE", "/posts/", Some(1), status(401)).await;
        scene.on("DELETE", "/posts/", None, ResponseTemplate::new(204)).await;
        let arguments = json!({"post_id": POST});
        let outcome = Setup::default().call(kind, &scene.base_url(), "delete_post", arguments).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        let keys = scene.keys().await;
        assert!(keys.len() == 2 && keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_gives_the_key_back_and_it_can_be_used_again() {
    for kind in KINDS {
        let scene = Scene::new().await;
        scene.on("POST", "/posts$", None, status(504)).await;
        let error = failed(Setup::default().call(kind, &scene.base_url(), "create_post", post()).await);
        let key = error.idempotency_key().expect("a key").to_owned();
        assert_eq!(scene.keys().await, vec![Some(key); 3]);

        let setup = Setup { call_key: Some("mine"), ..Setup::default() };
        let error = failed(setup.call(kind, &scene.base_url(), "create_post", post()).await);
        assert_eq!(error.idempotency_key(), Some("mine"));
        // A key among the arguments wins.
        let own = json!({"title": "t", "body": "b", "idempotency_key": "own"});
        let error = failed(setup.call(kind, &scene.base_url(), "create_post", own).await);
        assert_eq!(error.idempotency_key(), Some("own"));
        let setup = Setup { call_key: Some("no\nkey"), ..Setup::default() };
        let error = failed(setup.call(kind, &scene.base_url(), "create_post", post()).await);
        assert_eq!(error.argument(), Some("idempotency_key"));
        assert_eq!(scene.requests().await.len(), 9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_carry_no_key_and_writes_without_a_login_are_not_repeated() {
    for kind in KINDS {
        let scene = Scene::new().await;
        scene.on("GET", "/users/me$", None, status(503)).await;
        scene.on("POST", "/auth/recover-key$", None, status(503)).await;
        let error = failed(Setup::default().call(kind, &scene.base_url(), "get_me", json!({})).await);
        assert_eq!((error.status(), error.idempotency_key()), (Some(503), None));
        let arguments = json!({"username": "ada"});
        let error = failed(Setup::default().call(kind, &scene.base_url(), "recover_key", arguments).await);
        assert_eq!((error.status(), error.idempotency_key()), (Some(503), None));
        assert_eq!(scene.keys().await, vec![None; 4], "three reads and one write");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_server_keeps_no_keys_a_write_is_sent_once() {
    let setup = Setup { keyless: true, ..Setup::default() };
    for kind in KINDS {
        let scene = Scene::new().await;
        scene.on("POST", "/posts$", None, status(504)).await;
        assert!(setup.call(kind, &scene.base_url(), "create_post", post()).await.is_err());
        assert_eq!(scene.keys().await, [None]);
        // A 429 was not acted on.
        let scene = Scene::new().await;
        scene.on("POST", "/posts$", Some(1), status(429)).await;
        scene.on("POST", "/posts$", None, made()).await;
        assert!(setup.call(kind, &scene.base_url(), "create_post", post()).await.is_ok());
        assert_eq!(scene.keys().await, [None, None]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_still_under_way_is_waited_for() {
    for kind in KINDS {
        let scene = Scene::new().await;
        let detail = json!({"detail": {"code": "idempotency_in_progress", "message": "still under way"}});
        let busy = ResponseTemplate::new(409).set_body_json(detail).insert_header("retry-after", "1");
        scene.on("POST", "/posts$", Some(9), busy).await;
        scene.on("POST", "/posts$", None, made()).await;
        let outcome = Setup::default().call(kind, &scene.base_url(), "create_post", post()).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(scene.requests().await.len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_counts_its_requests() {
    for kind in KINDS {
        let scene = Scene::new().await;
        let answer = ResponseTemplate::new(200).set_body_json(json!({"deleted": 1}));
        scene.on("POST", "/notifications", None, answer).await;
        let ids: Vec<String> = (0..250).map(|n| format!("e70a15ec-ec4f-43fa-a1a8-{n:012}")).collect();
        let setup = Setup { call_key: Some("mine"), ..Setup::default() };
        let arguments = json!({"notification_ids": ids});
        let outcome = setup.call(kind, &scene.base_url(), "delete_notifications", arguments).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        let keys = scene.keys().await;
        assert!(keys.len() > 1, "{keys:?}");
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(key.as_deref(), Some(&*format!("mine-{}", index + 1)));
        }
    }
}

/// The server closes the connection without a byte, as with a kept connection that it has closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_is_no_answer() {
    let (login, ok) = (
        json!({"status": 200, "json": {"access_token": "jwt"}}),
        json!({"status": 200, "json": {"id": POST, "title": "t"}}),
    );
    let closed = json!({"network_error": "closed"});
    let requests = |server: &Server| {
        server
            .take_received()
            .into_iter()
            .filter(|request| !request.path().ends_with("/token"))
            .collect::<Vec<_>>()
    };
    for kind in KINDS {
        let server = Server::start();
        let base_url = format!("http://{}/api/v1", server.authority());
        let run = async |name: &str, arguments: Value, script: &[&Value]| {
            server.play(script.iter().copied());
            let outcome = Setup::default().call(kind, &base_url, name, arguments).await;
            (outcome, requests(&server))
        };
        let (outcome, sent) = run("get_me", json!({}), &[&login, &closed, &closed, &ok]).await;
        assert!(outcome.is_ok() && sent.len() == 3, "{outcome:?}");
        // A write is sent again, with the same key.
        let (outcome, sent) = run("create_post", post(), &[&login, &closed, &ok]).await;
        assert!(outcome.is_ok() && sent.len() == 2, "{outcome:?}");
        let keys: Vec<_> = sent.iter().map(|request| request.header("idempotency-key")).collect();
        assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
        let (outcome, sent) = run("create_post", post(), &[&login, &closed, &closed, &ok]).await;
        assert!(failed(outcome).idempotency_key().is_some());
        assert_eq!(sent.len(), 2);
        let (outcome, sent) = run("recover_key", json!({"username": "ada"}), &[&closed, &ok]).await;
        assert!(failed(outcome).is_network());
        assert_eq!(sent.len(), 1);
        // The login is repeated too.
        let (outcome, _) = run("get_me", json!({}), &[&closed, &login, &ok]).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_upload_has_the_same_bytes() {
    for kind in KINDS {
        let scene = Scene::new().await;
        scene.on("POST", "/upload$", Some(1), status(503)).await;
        scene
            .on("POST", "/upload$", None, ResponseTemplate::new(201).set_body_json(json!({"id": POST})))
            .await;
        let file = json!({"filename": "a.png", "content_type": "image/png", "file_bytes": {"$bytes_base64": "AAAA"}});
        let outcome = Setup::default().call(kind, &scene.base_url(), "upload_message_attachment", file).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        let sent = scene.requests().await;
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[0].body, sent[1].body);
        assert_eq!(sent[0].headers["content-type"], sent[1].headers["content-type"]);
    }
}
