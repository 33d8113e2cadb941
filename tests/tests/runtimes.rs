//! One client, many runtimes: its connections belong to the runtime that drives them.

use std::{sync::mpsc, thread, time::Duration};

use colony_async::Client;
use tokio::runtime::{Builder, Runtime};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

/// A test that hangs fails after this.
const LIMIT: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Returns a server that keeps connections open, and a client of it.
fn stage(runtime: &Runtime) -> (MockServer, Client) {
    runtime.block_on(async {
        let server = MockServer::start().await;
        let login = ResponseTemplate::new(200).set_body_json(serde_json::json!({"access_token": "token"}));
        Mock::given(method("POST")).respond_with(login).mount(&server).await;
        let answer = ResponseTemplate::new(200).set_body_json(serde_json::json!({"total_posts": 1}));
        Mock::given(method("GET")).respond_with(answer).mount(&server).await;
        let client = Client::builder("col_runtimes")
            .base_url(server.uri())
            .cache_token(false)
            .timeout(Duration::from_secs(5))
            .build()
            .expect("a client");
        (server, client)
    })
}

async fn call(client: &Client) -> Result<(), String> {
    let answer = client.request(http::Method::GET, "/stats").send().await;
    answer.map(drop).map_err(|error| error.to_string())
}

/// Runs the work under the limit.
fn limited(work: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let worker = thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    match ended.recv_timeout(LIMIT) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => worker.join().expect("it failed"),
    }
}

/// Uses a client as the `#[tokio::test]`s of a program use one in a `static`: each has its own runtime, several run
/// at once, and each ends while others are under way.
#[test]
fn a_client_serves_runtimes_that_come_and_go() {
    limited(|| {
        let main = runtime();
        let (_server, client) = stage(&main);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || {
                    let mut lost = Vec::new();
                    for _ in 0..6 {
                        let own = runtime();
                        own.block_on(async {
                            for _ in 0..30 {
                                lost.extend(call(&client).await.err());
                            }
                        });
                    }
                    lost
                })
            })
            .collect();
        let lost: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect();
        assert!(lost.is_empty(), "{} of 720 calls were lost: {:?}", lost.len(), lost.first());
    });
}

#[test]
fn two_runtimes_take_turns() {
    limited(|| {
        let main = runtime();
        let (_server, client) = stage(&main);
        let pair = [runtime(), runtime()];
        for turn in 0..10 {
            assert_eq!(pair[turn % 2].block_on(call(&client)), Ok(()), "turn {turn}");
        }
    });
}
