//! The behaviour of this SDK where it deliberately differs from the Python package, on both clients.

use std::sync::Arc;

use colony_core::{Error, Result};
use colony_tests::{
    raw::Received,
    recorded::Outcome,
    server::Server,
    stage::{API_KEY, Client, KINDS, LIFETIME, NOW, SEEDED, Settings, Stage},
};
use serde_json::{Value, json};

const POST: &str = "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3";

/// A client, and its calls.
struct Scene<'a> {
    stage: Stage<'a>,
    client: Client,
}

impl Scene<'_> {
    /// Makes a call with these replies to its requests; returns the outcome and the requests.
    fn call(&self, operation: &str, arguments: Value, replies: &[Value]) -> (Result<Outcome>, Vec<Received>) {
        self.stage.server.play(replies);
        let outcome = self.client.call(operation, &arguments);
        (outcome, self.stage.server.take_received())
    }

    /// Reads a post and returns whether the server was asked.
    fn reads(&self) -> bool {
        let (outcome, received) = self.call("get_post", json!({"post_id": POST}), &[ok(json!({"id": POST}))]);
        assert!(outcome.is_ok(), "{outcome:?}");
        !received.is_empty()
    }

    /// Reads a post, with this status for every try. Returns the error.
    fn fails(&self, status: u16) -> Error {
        let reply = json!({"status": status, "json": {"detail": "no"}});
        let (outcome, _) =
            self.call("get_post", json!({"post_id": POST}), &[reply.clone(), reply.clone(), reply]);
        outcome.expect_err("a refused call")
    }
}

fn ok(body: Value) -> Value {
    json!({"status": 200, "json": body})
}

fn upload() -> Value {
    json!({"filename": "a.png", "file_bytes": {"$bytes_base64": "AAE="}, "content_type": "image/png"})
}

/// Runs this with each of the clients, which holds a token with `left` seconds to live.
fn with_both(settings: &Settings, left: f64, test: impl Fn(&Scene<'_>)) {
    for kind in KINDS {
        let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
        let stage = Stage::new(&server, folder.path().join("colony-sdk"));
        stage.seed(settings, SEEDED, NOW + left);
        let client = stage.client(kind, settings).expect("a client");
        test(&Scene { stage, client });
    }
}

#[test]
fn nothing_is_kept_unless_asked_for() {
    with_both(&Settings::default(), LIFETIME, |scene| {
        assert!(scene.reads());
        assert!(scene.reads());
    });
}

#[test]
fn every_write_empties_the_response_cache_and_a_refused_one_does_not() {
    let settings = Settings { response_cache: Some(60.0), ..Settings::default() };
    with_both(&settings, LIFETIME, |scene| {
        assert!(scene.reads());
        assert!(!scene.reads());
        let writes = [
            ("set_inbox_mode", json!({"inbox_mode": "open"})),
            ("upload_message_attachment", upload()),
            ("vote_post", json!({"post_id": POST})),
        ];
        for (operation, arguments) in writes {
            let refused = json!({"status": 403, "json": {"detail": "no"}});
            assert!(scene.call(operation, arguments.clone(), &[refused]).0.is_err());
            assert!(!scene.reads(), "{operation} was refused");
            // The effect of a write without an answer is unknown; it is tried twice, with one key.
            let lost = json!({"network_error": "refused"});
            assert!(scene.call(operation, arguments.clone(), &[lost.clone(), lost.clone()]).0.is_err());
            assert!(scene.reads(), "{operation} was not answered");
            assert!(scene.call(operation, arguments, &[ok(json!({}))]).0.is_ok());
            assert!(scene.reads(), "{operation} was done");
        }
    });
}

#[test]
fn the_breaker_counts_trouble_only_lets_one_call_through_after_a_rest_and_covers_uploads() {
    let settings = Settings { breaker: Some(2), ..Settings::default() };
    with_both(&settings, LIFETIME, |scene| {
        for _ in 0..5 {
            assert_eq!(scene.fails(404).status(), Some(404));
        }
        assert_eq!(scene.fails(500).status(), Some(500));
        let (outcome, _) =
            scene.call("upload_message_attachment", upload(), &[json!({"status": 500, "json": {}})]);
        assert_eq!(outcome.expect_err("a refused upload").status(), Some(500));
        let (outcome, received) = scene.call("upload_message_attachment", upload(), &[ok(json!({}))]);
        let error = outcome.expect_err("the breaker is open");
        assert!(error.is_network() && error.to_string().contains("30 s"), "{error}");
        assert!(received.is_empty());
        scene.stage.timer.advance(29.0);
        assert!(scene.fails(404).is_network());
        scene.stage.timer.advance(1.0);
        assert_eq!(scene.fails(500).status(), Some(500), "one call is let through");
        assert!(scene.fails(404).is_network(), "and its failure starts the next rest");
        scene.stage.timer.advance(30.0);
        assert!(scene.reads());
        assert!(scene.reads());
    });
}

#[test]
fn hooks_see_every_try_and_reply_and_no_secret() {
    for (index, settings) in
        KINDS.map(|_| Settings { hooks: Some(Arc::default()), ..Settings::default() }).iter().enumerate()
    {
        let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
        let stage = Stage::new(&server, folder.path());
        let client = stage.client(KINDS[index], settings).expect("a client");
        let scene = Scene { stage, client };
        let down = json!({"status": 503, "json": {"detail": "down"}});
        let token = ok(json!({"access_token": "jwt-secret-1"}));
        let made = json!({"status": 201, "json": {"id": POST}});
        let arguments = json!({"title": "t", "body": "b"});
        assert!(scene.call("create_post", arguments, &[token, down, made]).0.is_ok());
        let exchanged = ok(json!({"access_token": "jwt-secret-2", "token_type": "Bearer"}));
        assert!(scene.call("exchange_token", json!({"audience": "rp"}), &[exchanged]).0.is_ok());
        let key = ok(json!({"api_key": "col_secret_3"}));
        assert!(scene.call("rotate_key", json!({}), &[key]).0.is_ok());

        let seen = settings.hooks.as_ref().expect("hooks").lock().expect("no panic before");
        let told = json!(*seen).to_string();
        for secret in [API_KEY, "jwt-secret", "col_secret"] {
            assert!(!told.contains(secret), "{told}");
        }
        let base_url = format!("http://{}", server.authority());
        let short: Vec<String> = seen
            .iter()
            .map(|event| {
                let url = event[2].as_str().unwrap_or_default().replace(&base_url, "");
                let status = if event[0] == "response" { format!(" {}", event[3]) } else { String::new() };
                format!("{} {url}{status}", event[1].as_str().unwrap_or_default())
            })
            .collect();
        let expected = [
            "POST /api/v1/auth/token",
            "POST /api/v1/auth/token 200",
            "POST /api/v1/posts",
            "POST /api/v1/posts 503",
            "POST /api/v1/posts",
            "POST /api/v1/posts 201",
            "POST /oauth/token",
            "POST /oauth/token 200",
            "POST /api/v1/auth/rotate-key",
            "POST /api/v1/auth/rotate-key 200",
        ];
        assert_eq!(short, expected);
        assert_eq!(
            (&seen[2][3]["title"], &seen[5][4]["id"]),
            (&json!("t"), &json!(POST)),
            "what may be shown is"
        );
    }
}

#[test]
fn uploads_and_downloads_get_another_token_when_theirs_is_rejected() {
    with_both(&Settings::default(), LIFETIME, |scene| {
        let rejected = json!({"status": 401, "json": {"detail": "no"}});
        let login = ok(json!({"access_token": "jwt-2"}));
        let (outcome, received) = scene.call(
            "upload_message_attachment",
            upload(),
            &[rejected.clone(), login, ok(json!({"id": "a"}))],
        );
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(received.len(), 3);
        assert_eq!(received[2].header("authorization"), Some("Bearer jwt-2"));
        assert_eq!(received[0].body.len(), received[2].body.len(), "the file is sent again, whole");
        let (login, content) = (ok(json!({"access_token": "jwt-3"})), json!({"status": 200, "text": "x"}));
        let arguments = json!({"attachment_id": POST});
        let (outcome, received) =
            scene.call("get_message_attachment", arguments, &[rejected, login, content]);
        assert!(matches!(&outcome, Ok(Outcome::Bytes(bytes)) if bytes == "x"), "{outcome:?}");
        assert_eq!(received[2].header("authorization"), Some("Bearer jwt-3"));
    });
}

#[test]
fn a_token_with_a_minute_to_go_is_renewed() {
    for (left, logins) in [(60.5, 0), (60.0, 1)] {
        with_both(&Settings::default(), left, |scene| {
            let replies = [ok(json!({"access_token": "jwt-2"})), ok(json!({"id": "x"}))];
            let (outcome, received) = scene.call("get_me", json!({}), &replies[1 - logins..]);
            assert!(outcome.is_ok(), "{outcome:?}");
            assert_eq!(received.len(), 1 + logins, "{left} s to go");
        });
    }
}

#[test]
fn the_last_reply_tells_the_limit_even_if_it_was_refused() {
    with_both(&Settings::default(), LIFETIME, |scene| {
        assert_eq!(scene.client.last_rate_limit(), None);
        let headers =
            json!({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1790000060", "Retry-After": "90"});
        let limited = json!({"status": 429, "headers": headers, "json": {"detail": "no"}});
        let (outcome, _) = scene.call("get_post", json!({"post_id": POST}), &[limited]);
        assert!(outcome.is_err_and(|error| error.is_rate_limited()));
        let limit = scene.client.last_rate_limit().expect("a reply arrived");
        assert_eq!((limit.limit, limit.remaining, limit.reset), (None, Some(0), Some(1_790_000_060)));
        assert_eq!(scene.client.last_header("retry-after").as_deref(), Some("90"));
    });
}

#[test]
fn a_rejected_token_that_cannot_be_replaced_is_not_sent_again() {
    with_both(&Settings::default(), LIFETIME, |scene| {
        let refused =
            json!({"status": 401, "json": {"detail": {"code": "AUTH_INVALID_KEY", "message": "no"}}});
        let (outcome, received) = scene.call("get_me", json!({}), &[refused.clone(), refused.clone()]);
        assert!(outcome.is_err() && received.len() == 2, "{outcome:?}");
        scene.stage.timer.advance(1.0);
        let (outcome, received) = scene.call("get_me", json!({}), &[refused]);
        assert!(outcome.is_err());
        let paths: Vec<&str> = received.iter().map(Received::path).collect();
        assert_eq!(paths, ["/api/v1/auth/token"]);
    });
}
