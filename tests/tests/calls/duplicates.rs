//! A call acts once even if it is sent several times: writes of every kind through a gateway that loses, repeats and
//! holds back requests and answers. `COLONY_TESTS_LONG=1` makes ten thousand.

use std::{collections::HashMap, sync::Arc, time::Duration};

use colony_async::OverHttp;
use colony_cli::sandbox::{Options, Sandbox};
use colony_core::{
    Prepared, Request, Result,
    registry::{self, Call},
};
use colony_tests::{clock::Clock, raw::Listener};
use http::Method;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Settings};

/// The number of writes, half of them for each client.
const SHORT: usize = 480;
const LONG: usize = 10_000;
const AT_ONCE: usize = 8;

/// The objects that the writes need.
struct Scene {
    sandbox: Sandbox,
    base_url: String,
    gateway: Gateway,
    _listener: Listener,
    post: String,
    own_post: String,
    /// Another account, about which notes are kept.
    peer: String,
}

impl Scene {
    async fn new(settings: Settings) -> Self {
        let options = Options { auth_limit: 1_000_000, ..Options::default() };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let site = sandbox.base_url().trim_end_matches("/api/v1").to_owned();
        let direct = colony_async::Client::builder(sandbox.api_key())
            .base_url(sandbox.base_url())
            .cache_token(false)
            .build()
            .expect("a client");
        let run = async |name: &str, arguments: Value| {
            direct.transport().run(call(name, arguments)).await.expect("an answer")
        };
        let page = run("get_posts", json!({"limit": 1})).await;
        let own = run("create_post", json!({"title": "Own", "body": "b"})).await;
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let (gateway, listener) = Gateway::start(site, settings);
        Self {
            post: text(&page["items"][0]["id"]),
            own_post: text(&own["id"]),
            peer: text(&page["items"][0]["author"]["username"]),
            base_url: format!("http://{}/api/v1", listener.address),
            _listener: listener,
            sandbox,
            gateway,
        }
    }

    /// Returns the `n`-th write, which carries the marker `call-n`. All kinds take turns.
    fn write(&self, n: usize) -> Call {
        let marker = format!("call-{n}");
        let raw = |method, path: &str, body: Value| {
            let request = Request::raw(method, path).expect("a path");
            let Value::Object(fields) = body else { unreachable!("an object") };
            Call::Request(Prepared::plain(request.json_object().json_fields(&fields)))
        };
        let image = format!("\u{89}PNG {marker}").chars().map(|c| c as u8).collect::<Vec<u8>>();
        match n % 8 {
            0 => call("create_post", json!({"title": marker, "body": "b"})),
            1 => call("create_comment", json!({"post_id": self.post, "body": marker})),
            2 => call("update_post", json!({"post_id": self.own_post, "title": "Own", "body": marker})),
            3 => raw(Method::PATCH, &format!("/me/inbox?marker={marker}"), json!({"inbox_mode": "open"})),
            4 => raw(Method::DELETE, &format!("/users/me/notes/{}?marker={marker}", self.peer), json!({})),
            5 => call(
                "upload_message_attachment",
                json!({
                    "filename": format!("{marker}.png"), "content_type": "image/png",
                    "file_bytes": {"$bytes_base64": base64::Engine::encode(&base64::prelude::BASE64_STANDARD, image)},
                }),
            ),
            6 => call("send_message", json!({"username": self.peer, "body": marker})),
            _ => raw(
                Method::PUT,
                &format!("/users/me/notes/{}?marker={marker}", self.peer),
                json!({"body": "x"}),
            ),
        }
    }

    fn client<C: OverHttp>(&self, idempotent_writes: bool) -> colony_core::Client<C> {
        colony_async::Builder::<C>::new(Some(self.sandbox.api_key().to_owned().into()))
            .base_url(&self.base_url)
            .cache_token(false)
            .timer(Clock::flowing())
            .timeout(Duration::from_secs(60))
            .idempotent_writes(idempotent_writes)
            .build()
            .expect("a client")
    }
}

fn call(name: &str, arguments: Value) -> Call {
    registry::find(name).expect(name).prepare(arguments).expect("arguments")
}

/// Returns whether each call succeeded, by number.
async fn run(scene: &Arc<Scene>, writes: usize, idempotent_writes: bool) -> HashMap<usize, bool> {
    let asynchronous = scene.client::<colony_async::Http>(idempotent_writes);
    let blocking = scene.client::<colony_blocking::Http>(idempotent_writes);
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..AT_ONCE {
        let (scene, client) = (Arc::clone(scene), asynchronous.clone());
        tasks.spawn(async move {
            let mut outcomes = Vec::new();
            for n in (worker..writes / 2).step_by(AT_ONCE) {
                let outcome = client.transport().run(scene.write(n)).await;
                outcomes.push((n, is_success(n, outcome)));
            }
            outcomes
        });
    }
    for worker in 0..AT_ONCE {
        let (scene, client) = (Arc::clone(scene), blocking.clone());
        tasks.spawn_blocking(move || {
            let numbers = (writes / 2 + worker..writes).step_by(AT_ONCE);
            numbers.map(|n| (n, is_success(n, client.transport().run(scene.write(n))))).collect()
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

fn is_success(n: usize, outcome: Result<Value>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(error) => {
            // Only errors that a gateway causes.
            let by_gateway = error.is_network() || matches!(error.status(), Some(404 | 502..=504));
            assert!(by_gateway, "call-{n}: {error}");
            false
        }
    }
}

fn writes() -> usize {
    if std::env::var_os("COLONY_TESTS_LONG").is_some() { LONG } else { SHORT }
}

fn seed() -> u64 {
    std::env::var("COLONY_TESTS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9)
}

/// Checks that no call acted twice, and that each successful call acted once.
async fn acts_once(hides_keys: bool) {
    let settings = Settings { seed: seed(), hides_keys };
    let scene = Arc::new(Scene::new(settings).await);
    let writes = writes();
    let outcomes = run(&scene, writes, !hides_keys).await;
    let tally = scene.gateway.tally();
    let acted = |n: usize| tally.acted.get(&format!("call-{n}")).copied().unwrap_or(0);
    let succeeded = outcomes.values().filter(|ok| **ok).count();
    let total: u32 = (0..writes).map(acted).sum();
    println!("{writes} writes: {succeeded} succeeded, {total} acted; {:?}", tally.fates);
    assert_eq!(outcomes.len(), writes);
    for n in 0..writes {
        let (acted, ok) = (acted(n), outcomes[&n]);
        assert!(acted <= 1, "call-{n} acted {acted} times (seed {})", settings.seed);
        assert!(!ok || acted == 1, "call-{n} succeeded and did not act (seed {})", settings.seed);
    }
    // The gateway failed requests, and the client repeated them.
    assert!(succeeded > writes / 3, "{succeeded} of {writes}");
    assert!(tally.fates.values().all(|count| *count > 0) && tally.fates.len() >= 7, "{:?}", tally.fates);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_keyed_write_acts_once() {
    acts_once(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_keys_are_ignored_a_write_is_not_repeated() {
    acts_once(true).await;
}
