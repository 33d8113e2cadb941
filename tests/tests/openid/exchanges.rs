//! R23: discovery is lazy and shared, and so is an exchange.

use colony_async::{Client, RetryPolicy};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::Ground;

fn client(ground: &Ground) -> Client {
    Client::builder("col_rig")
        .base_url(format!("{}/api/v1", ground.provider.issuer))
        .token_cache_dir(ground.directory.path())
        .auth_retry(RetryPolicy::none())
        .build()
        .expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r23_a_hundred_exchanges_on_a_cold_cache_are_one() {
    let Some(ground) = Ground::new(&json!({"before_ms": 20})) else { return };
    let first = client(&ground);
    let counts = || {
        let stats = ground.provider.stats();
        ["discovery", "exchanges", "logins"].map(|name| stats[name].as_u64().expect("a count"))
    };
    assert_eq!(counts(), [0, 0, 0], "nothing is asked before it is needed");
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let client = first.clone();
            tokio::spawn(async move { client.auth().audience("colony_public").access_token().await })
        })
        .collect();
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await.expect("no panic").expect("a token").expose_secret().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    let cold = counts();
    assert_eq!(cold, [1, 1, 1]);

    // A hundred programs that start later.
    for _ in 0..100 {
        let token = client(&ground).auth().audience("colony_public").access_token().await.expect("a token");
        assert_eq!(token.expose_secret(), tokens[0]);
    }
    assert_eq!(counts(), cold);
    println!(
        "R23 100 exchanges at once on a cold cache: {} discovery, {} exchange; warm, 100 clients: {} and {}",
        cold[0],
        cold[1],
        counts()[0] - cold[0],
        counts()[1] - cold[1]
    );
}
