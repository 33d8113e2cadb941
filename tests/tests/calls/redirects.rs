//! Where a redirect leads, and which replies are not an answer.

use serde_json::json;
use wiremock::ResponseTemplate;

use crate::scene::{KINDS, Scene, Setup, failed, made, post};

fn moved(code: u16, to: &str) -> ResponseTemplate {
    ResponseTemplate::new(code).insert_header("location", to)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_stays_a_write() {
    for kind in KINDS {
        for code in [301, 302, 303, 307, 308] {
            let scene = Scene::new().await;
            scene.on("POST", "/posts$", None, moved(code, "/api/v1/posts/")).await;
            scene.on("POST", "/posts/$", None, made()).await;
            let outcome = Setup::default().call(kind, &scene.base_url(), "create_post", post()).await;
            let sent = scene.requests().await;
            assert!(sent.iter().all(|request| request.method == "POST"), "{code}");
            if code >= 307 {
                assert!(outcome.is_ok() && sent.len() == 2, "{code}: {outcome:?}");
                assert_eq!(sent[0].body, sent[1].body);
                assert_eq!(sent[0].headers["idempotency-key"], sent[1].headers["idempotency-key"]);
                assert_eq!(sent[0].headers["authorization"], sent[1].headers["authorization"]);
            } else {
                let error = failed(outcome);
                assert_eq!((error.status(), error.code(), sent.len()), (Some(code), Some("redirected"), 1));
                assert!(error.to_string().contains("/api/v1/posts/"), "{error}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_follows_to_the_same_origin_and_to_no_other() {
    for kind in KINDS {
        for code in [301, 302, 303, 307, 308] {
            let scene = Scene::new().await;
            scene.on("GET", "/users/me$", None, moved(code, "me/")).await;
            let me = ResponseTemplate::new(200).set_body_json(json!({"id": "u", "username": "ada"}));
            scene.on("GET", "/users/me/$", None, me).await;
            let outcome = Setup::default().call(kind, &scene.base_url(), "get_me", json!({})).await;
            assert_eq!(outcome.expect("followed")["username"], "ada", "{code}");
        }
        let (scene, other) = (Scene::new().await, Scene::new().await);
        let elsewhere = format!("{}/users/me?x=1", other.base_url());
        scene.on("GET", "/users/me$", None, moved(307, &elsewhere)).await;
        let error = failed(Setup::default().call(kind, &scene.base_url(), "get_me", json!({})).await);
        assert_eq!((error.status(), error.code()), (Some(307), Some("redirected")));
        assert!(error.to_string().contains(&format!("{}/users/me", other.base_url())), "{error}");
        assert!(other.server.received_requests().await.expect("they are recorded").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_url_to_use_is_named_where_only_the_scheme_differs() {
    for kind in KINDS {
        let scene = Scene::new().await;
        let secure = scene.base_url().replacen("http:", "https:", 1);
        scene.on("POST", "/posts$", None, moved(301, &format!("{secure}/posts"))).await;
        let error = failed(Setup::default().call(kind, &scene.base_url(), "create_post", post()).await);
        assert!(error.hint().is_some_and(|hint| hint.contains(&secure)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_ends() {
    for kind in KINDS {
        let scene = Scene::new().await;
        scene.on("GET", "/users/me$", None, moved(302, "/api/v1/users/me")).await;
        let error = failed(Setup::default().call(kind, &scene.base_url(), "get_me", json!({})).await);
        assert_eq!(error.code(), Some("redirected"), "{error}");
        assert_eq!(scene.requests().await.len(), 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_or_a_page_is_no_success() {
    for kind in KINDS {
        for answer in [
            ResponseTemplate::new(200),
            ResponseTemplate::new(200).set_body_string("  \n"),
            ResponseTemplate::new(200).set_body_string("<html>welcome</html>"),
        ] {
            let scene = Scene::new().await;
            scene.on("GET", "/posts$", None, answer.insert_header("x-request-id", "req-7")).await;
            for name in ["get_posts", "iter_posts"] {
                let error = failed(Setup::default().call(kind, &scene.base_url(), name, json!({})).await);
                assert_eq!(error.kind(), colony_core::ErrorKind::Decode, "{error}");
                assert_eq!((error.operation(), error.request_id()), (Some(name), Some("req-7")), "{error}");
            }
        }
        // If the operation returns nothing, an empty reply is a success.
        let scene = Scene::new().await;
        scene.on("DELETE", "/posts/", None, ResponseTemplate::new(200)).await;
        let arguments = json!({"post_id": crate::scene::POST});
        let outcome = Setup::default().call(kind, &scene.base_url(), "delete_post", arguments).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}
