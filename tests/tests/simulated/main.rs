//! The protocol between processes, simulated: the real session over a simulated disk, clock and service.

use std::collections::BTreeSet;

use colony_tests::sim::{
    Chooser, Sabotage, Scene,
    campaign::{Summary, interleavings, kills_everywhere, play},
    run,
};

/// How much is played: `COLONY_LONG=1` asks for a hundred times the seeds and for every interleaving with two
/// interruptions.
fn is_long() -> bool {
    std::env::var("COLONY_LONG").is_ok_and(|value| value == "1")
}

#[expect(clippy::print_stdout, reason = "the figures that docs/reliability.md quotes")]
fn tell(what: &str, summary: &Summary) {
    let Summary { worlds, different, steps, logins, kills, stops, power_cuts, refusals, lost } = summary;
    println!(
        "{what}: {worlds} worlds ({different} different), {steps} steps, {logins} logins, {} kills ({} of holders), \
         {} stops ({} of holders), {power_cuts} power cuts, {refusals} typed refusals, {} lost",
        kills.0,
        kills.1,
        stops.0,
        stops.1,
        lost.len()
    );
    assert!(lost.is_empty(), "{what}: {:#?}", &lost[..lost.len().min(5)]);
}

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
fn drawn_worlds() {
    let seeds = if is_long() { 100_000 } else { 1_000 };
    let summary = play((0..seeds).map(Scene::drawn));
    tell("drawn worlds", &summary);
    // What is drawn does happen.
    assert!(summary.kills.1 * 20 > seeds, "{summary:?}");
    assert!(summary.stops.1 * 40 > seeds, "{summary:?}");
    assert!(summary.power_cuts * 10 > seeds, "{summary:?}");
    assert!(summary.refusals > 0, "{summary:?}");
}

#[test]
fn every_interleaving_of_two_with_few_interruptions() {
    let summary = play(interleavings(2, if is_long() { 2 } else { 1 }));
    tell("interleavings of two processes", &summary);
    assert_eq!(summary.logins, summary.worlds, "each world has one login");
    if is_long() {
        let summary = play(interleavings(3, 2));
        tell("interleavings of three processes", &summary);
        assert_eq!(summary.logins, summary.worlds);
    }
}

#[test]
fn a_kill_at_every_step_of_every_interleaving() {
    let mut scenes = kills_everywhere(2);
    if !is_long() {
        // Every seventh: a different step in each interleaving.
        scenes = scenes.into_iter().step_by(7).collect();
    }
    let summary = play(scenes);
    tell("kills everywhere", &summary);
    assert!(summary.kills.1 * 5 > summary.worlds, "too few held the lock: {summary:?}");
}

#[test]
fn what_is_broken_on_purpose_is_found() {
    for sabotage in [Sabotage::LockForAll, Sabotage::LockDeleted, Sabotage::NoSync, Sabotage::InPlace] {
        let found = (0..400).find(|seed| {
            let scene = Scene { calls: 3, ..Scene::drawn(*seed) }.sabotaged(sabotage);
            !run(scene).broken.is_empty()
        });
        assert!(found.is_some(), "{sabotage:?} goes unnoticed");
    }
    let sound = Scene::quiet(3, Chooser::Random(1));
    assert!(run(sound).broken.is_empty());
}
