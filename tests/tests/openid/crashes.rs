//! R10, second half: kill -9 at random points, also in the window between sending a refresh token and storing
//! its answer.

use std::{path::Path, thread, time::Duration};

use colony_async::ErrorKind;
use colony_tests::rotators::{Orders, Rotator};
use serde_json::json;

use crate::{Ground, scale};

#[derive(Default)]
struct Tally {
    kills: u32,
    in_window: u32,
    valid: u32,
    unknown: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_kill_9_at_random_points() {
    let Some(ground) = Ground::new(&json!({"before_ms": 4, "after_ms": 4})) else { return };
    ground.login().await;
    let orders = Orders {
        issuer: ground.provider.issuer.clone(),
        client_id: ground.client.to_owned(),
        directory: ground.directory.path().to_owned(),
        rotations: None,
        undaunted: true,
        blocking: false,
        one_token: None,
    };
    let program = Path::new(env!("CARGO_BIN_EXE_rotator"));
    let start = |undaunted| {
        let orders = Orders { undaunted, ..orders.clone() };
        Rotator::start(program, &orders).expect("a process")
    };
    // Survives all kills of others, and contends for the lock.
    let mut bystander = start(true);
    bystander.ready().and_then(|()| bystander.go()).expect("it goes");

    let wanted = scale(60, 300);
    let mut tally = Tally::default();
    // Started ahead, so that a round does not wait for a process to start.
    let mut next = vec![start(true), start(true)];
    while tally.kills < wanted {
        let mut victim = next.remove(0);
        next.push(start(true));
        victim.ready().and_then(|()| victim.go()).expect("it goes");
        if tally.kills % 2 == 0 {
            // Any moment, from its first instruction on.
            thread::sleep(Duration::from_micros(fastrand::u64(0..60_000)));
        } else {
            // Any moment of its turn: even on a busy machine some of these are in the window.
            wait_for_its_turn(&ground, victim.id());
            thread::sleep(Duration::from_micros(fastrand::u64(0..12_000)));
        }
        tally.kills += u32::from(victim.kill().expect("it dies"));

        match ground.rotating().build().rotate().await {
            Ok(_) => {
                // The stored token was valid, the old or a new one.
                tally.valid += 1;
            }
            Err(error) => {
                // A typed error, and only if the victim was killed in the window: its request can be under way.
                assert_eq!(
                    (error.kind(), error.code()),
                    (ErrorKind::CredentialBusy, Some("interrupted")),
                    "{error:?}"
                );
                assert_eq!(ground.spending()["state"], "sent");
                tally.unknown += 1;
                tally.in_window += 1;
                ground.login().await;
            }
        }
        let replays = ground.provider.count("replays");
        assert_eq!(replays, 0, "a spent token was sent again after {} kills", tally.kills);
    }
    bystander.kill().expect("it dies");
    drop(next);

    let stats = ground.provider.stats();
    println!(
        "R10 kill -9: {} kills, {} in the window between sending and storing; {} valid afterwards (old or new), \
         {} left alone for `settle`, 0 anything else; {} refresh requests, {} spent tokens sent again, {} invalid_grant",
        tally.kills,
        tally.in_window,
        tally.valid,
        tally.unknown,
        stats["token_requests"],
        stats["replays"],
        stats["invalid_grant"]
    );
    assert_eq!(tally.valid + tally.unknown, wanted);
    assert!(tally.in_window >= wanted / 20, "the kills missed the window: {}", tally.in_window);
    assert!(tally.valid >= wanted / 20, "the kills hit nothing but the window: {}", tally.valid);
    assert_eq!(stats["invalid_grant"], 0, "{stats}");
    assert_eq!(stats["presented_twice"], 0, "{stats}");
}

/// Waits until this process holds the lock, or has had enough time for it.
fn wait_for_its_turn(ground: &Ground, process: u32) {
    let (lock, process) = (ground.store().file().with_extension("lock"), format!("{process:010}"));
    for _ in 0..20_000 {
        if std::fs::read_to_string(&lock).is_ok_and(|text| text.get(1..11) == Some(&process)) {
            return;
        }
        thread::sleep(Duration::from_micros(100));
    }
}

/// The provider goes away in the middle and never returns: callers get an error that says so, and nothing is lost.
#[tokio::test]
async fn a_provider_that_is_gone_costs_nothing() {
    let Some(mut ground) = Ground::new(&json!({})) else { return };
    ground.login_long_ago().await;
    let before = ground.bytes();
    ground.provider.process().kill().and_then(|()| ground.provider.process().wait()).expect("it ends");
    let rotating = ground.rotating().build();
    for _ in 0..2 {
        let error = rotating.token().await.unwrap_err();
        assert!(error.is_network() && error.is_retryable(), "{error:?}");
    }
    assert_eq!(ground.bytes(), before, "no connection, so nothing left and the note is taken back");
}
