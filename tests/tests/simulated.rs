//! Tests of the simulation `colony_tests::sim` itself. Its results for the protocol are the row SIM of `fire`.

use std::collections::BTreeSet;

use colony_tests::sim::{Chooser, Outcome, Scene, run};

#[test]
fn a_seed_is_a_history() {
    let first = run(Scene::drawn(7));
    for _ in 0..10 {
        assert_eq!(run(Scene::drawn(7)), first);
    }
    let others: BTreeSet<u64> = (0..50).map(|seed| run(Scene::drawn(seed)).history).collect();
    assert_eq!(others.len(), 50);
}

#[test]
fn a_quiet_world_has_one_login() {
    let report = run(Scene::quiet(4, Chooser::Random(1)));
    assert_eq!((report.logins, report.broken), ((1, 1), Vec::new()));
    assert_eq!(report.outcomes, [Outcome::Done; 5]);
}

/// Runs a chosen number of worlds and prints every loss, to search for one.
#[test]
fn rotations_lose_nothing() {
    let seeds = std::env::var("COLONY_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(100);
    let summary = colony_tests::sim::rotation::play(0..seeds);
    assert!(summary.lost.is_empty(), "{:#?}", summary.lost);
}

#[test]
fn a_late_call_counts_from_when_it_arrives() {
    let report = run(Scene::of_fleet(7787, false));
    assert_eq!((report.outcomes.last(), report.broken), (Some(&Outcome::Done), Vec::new()));
}
