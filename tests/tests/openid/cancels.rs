//! R9, for rotations: callers and runtimes that go away.

use std::time::Duration;

use serde_json::json;

use crate::{Ground, scale};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r9_callers_that_go_away_lose_no_rotation() {
    let Some(ground) = Ground::new(&json!({"before_ms": 2, "after_ms": 2})) else { return };
    ground.login().await;
    let wanted = scale(300, 1000);
    let rotating = ground.rotating().build();
    let (mut cancelled, mut in_flight) = (0, 0);
    while cancelled < wanted {
        let limit = Duration::from_micros(fastrand::u64(0..12_000));
        if tokio::time::timeout(limit, rotating.rotate()).await.is_err() {
            cancelled += 1;
            // Between the note and the answer.
            in_flight += u32::from(ground.spending()["state"] == "sent");
        }
    }
    rotating.settle().await;
    let stats = ground.provider.stats();
    println!(
        "R9 rotations cancelled: {cancelled}, {in_flight} of them after the request was on its way; {} refresh \
         requests, {} granted, {} spent tokens sent again",
        stats["token_requests"], stats["granted"], stats["replays"]
    );
    assert!(in_flight >= wanted / 20, "the cancels missed: {in_flight}");
    assert_eq!(stats["token_requests"], stats["granted"], "{stats}");
    assert_eq!(ground.spending(), json!(null), "every rotation was stored");
    ground.assert_family_alive();
    // The stored token is the last one issued: another rotation works.
    rotating.rotate().await.expect("a rotation");
    ground.assert_family_alive();
}

#[test]
fn r9_runtimes_that_end_lose_no_rotation() {
    let Some(ground) = Ground::new(&json!({"before_ms": 2, "after_ms": 2})) else { return };
    let runtime = || {
        let mut builder = if fastrand::bool() {
            tokio::runtime::Builder::new_current_thread()
        } else {
            tokio::runtime::Builder::new_multi_thread()
        };
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    };
    runtime().block_on(ground.login());
    let rotating = ground.rotating().build();
    let (wanted, mut ended, mut in_flight) = (scale(50, 300), 0, 0);
    while ended < wanted {
        let own = runtime();
        let credential = rotating.clone();
        own.block_on(async move {
            let limit = Duration::from_micros(fastrand::u64(0..12_000));
            let _ = tokio::time::timeout(limit, credential.rotate()).await;
        });
        in_flight += u32::from(ground.spending()["state"] == "sent");
        if fastrand::bool() {
            own.shutdown_background();
        }
        ended += 1;
    }
    runtime().block_on(rotating.settle());
    let stats = ground.provider.stats();
    println!(
        "R9 runtimes ended: {ended}, {in_flight} of them with a request on its way; {} refresh requests, {} granted, \
         {} spent tokens sent again",
        stats["token_requests"], stats["granted"], stats["replays"]
    );
    assert!(in_flight >= wanted / 20, "the ends missed: {in_flight}");
    assert_eq!(stats["token_requests"], stats["granted"], "{stats}");
    assert_eq!(ground.spending(), json!(null), "every rotation was stored");
    ground.assert_family_alive();
}
