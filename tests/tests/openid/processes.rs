//! R10, first half: many processes, one family.

use std::{path::Path, time::Instant};

use colony_tests::rotators::{Orders, Rotator};
use serde_json::json;

use crate::{Ground, scale};

/// Lets every process make `rotations` rotations *itself*; adopted ones do not count.
async fn crew(processes: u32, rotations: u32) {
    let Some(ground) = Ground::new(&json!({"before_ms": 1, "after_ms": 1})) else { return };
    ground.login().await;
    let started = Instant::now();
    let orders = |number: u32| Orders {
        issuer: ground.provider.issuer.clone(),
        client_id: ground.client.to_owned(),
        directory: ground.directory.path().to_owned(),
        rotations: Some(rotations),
        undaunted: false,
        blocking: number % 4 == 3,
        one_token: None,
    };
    let program = Path::new(env!("CARGO_BIN_EXE_rotator"));
    let mut crew: Vec<Rotator> =
        (0..processes).map(|number| Rotator::start(program, &orders(number)).expect("a process")).collect();
    crew.iter_mut().for_each(|rotator| rotator.ready().expect("it starts"));
    crew.iter_mut().for_each(|rotator| rotator.go().expect("it goes"));
    let reports: Vec<_> =
        crew.iter_mut().map(|rotator| rotator.report().expect("a line").expect("not killed")).collect();

    for report in &reports {
        assert_eq!((report.own, &report.failure), (rotations, &None));
    }
    let stats = ground.provider.stats();
    let adopted: u32 = reports.iter().map(|report| report.adopted).sum();
    println!(
        "R10 rotation by {processes} processes, {rotations} each: {} refresh requests, {} granted, \
         {} invalid_grant, {} spent tokens sent again, at most {} in flight, {adopted} adopted; family alive; {:.1} s",
        stats["token_requests"],
        stats["granted"],
        stats["invalid_grant"],
        stats["replays"],
        stats["most_in_flight"],
        started.elapsed().as_secs_f64()
    );
    assert_eq!(stats["granted"], u64::from(processes * rotations), "{stats}");
    assert_eq!(stats["token_requests"], stats["granted"], "{stats}");
    assert_eq!((&stats["presented_twice"], &stats["most_in_flight"]), (&json!(0), &json!(1)), "{stats}");
    assert!(adopted > 0, "nobody ever found the work done");
    ground.assert_family_alive();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_a_crowd_of_processes_shares_one_family() {
    crew(scale(20, 100), scale(5, 20)).await;
}

/// The counterpart: without turns the same provider revokes the family. Otherwise the tests above would prove
/// nothing.
#[tokio::test]
async fn the_provider_revokes_a_family_whose_spent_token_comes_again() {
    let Some(ground) = Ground::new(&json!({})) else { return };
    let first = ground.login().await;
    let spent = ground.bytes();
    let rotating = ground.rotating().build();
    rotating.rotate().await.expect("a rotation");
    assert!(ground.provider.is_good(&ground.refresh_token()));
    // A copy of the earlier file, as in a restored backup or on another machine.
    std::fs::write(ground.store().file(), &spent).expect("a copy");
    let error = ground.rotating().build().rotate().await.unwrap_err();
    assert!(error.is_reauth_required(), "{error}");
    assert_eq!(error.code(), Some("invalid_grant"), "{error}");
    assert_eq!(ground.provider.count("replays"), 1);
    assert_eq!(ground.refresh_token(), crate::secret(&first), "nothing is wiped");
    // And it is not presented a third time.
    let error = ground.rotating().build().rotate().await.unwrap_err();
    assert_eq!((error.code(), ground.provider.count("replays")), (Some("invalid_grant"), 1));
}
