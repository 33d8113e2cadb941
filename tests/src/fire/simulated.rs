//! The protocol between processes, simulated: see [`sim`](crate::sim).

use super::{Ground, Outcome, Tally};
use crate::sim::{
    Chooser, Fleet, Sabotage, Scene,
    campaign::{Summary, interleavings, kills_everywhere, play},
    rotation, run as play_one,
};

/// Simulates random worlds from seeds, every interleaving of a few processes with a few interruptions, and a kill at
/// each step of these. Checks that deliberate faults are found.
pub(super) fn run(ground: &Ground) -> Outcome {
    let seeds = ground.scale.pick(800, 20_000);
    let mut tally = Tally::of("worlds");
    let drawn = play((0..seeds).map(Scene::drawn));
    tally.fault("kills", drawn.kills.0, seeds / 2);
    tally.fault("of them of the lock's holder", drawn.kills.1, seeds / 20);
    tally.fault("holders stopped", drawn.stops.1, seeds / 40);
    tally.fault("power cuts", drawn.power_cuts, seeds / 10);
    tally.fact(format!("{} good tokens overwritten by a process that had been stopped", drawn.overwritten));
    tally.fact(format!("{} of {} drawn histories differ", drawn.different, drawn.worlds));
    add(&mut tally, &drawn);

    let mut orders = play(interleavings(2, ground.scale.pick(1, 2)));
    if let super::Scale::Long = ground.scale {
        add(&mut tally, &play(interleavings(3, 1)));
    }
    tally.same("logins where nothing goes wrong", orders.logins, orders.worlds);
    add(&mut tally, &orders);

    // In the short form every seventh: a different step in each interleaving.
    let kills = kills_everywhere(2).into_iter().step_by(ground.scale.pick(7, 1));
    orders = play(kills);
    tally.fault("kills of a holder at a chosen step", orders.kills.1, orders.worlds / 5);
    add(&mut tally, &orders);

    let broken = [Sabotage::LockForAll, Sabotage::LockDeleted, Sabotage::NoSync, Sabotage::InPlace];
    let found = broken.into_iter().filter(|sabotage| is_found(*sabotage)).count() as u64;
    tally.fault("kinds of sabotage found", found, broken.len() as u64);
    Ok(tally)
}

/// Simulates random hosts that share only a store, from seeds. Checks that deliberate faults are found.
pub(super) fn fleets(ground: &Ground) -> Outcome {
    let seeds = ground.scale.pick(400, 20_000);
    let mut tally = Tally::of("worlds");
    let quiet = play((0..seeds / 4).map(|seed| Scene::of_fleet(seed, true)));
    tally.same("logins where nothing goes wrong", quiet.logins, quiet.worlds);
    add(&mut tally, &quiet);
    let drawn = play((0..seeds).map(|seed| Scene::of_fleet(seed, false)));
    let (calls, faults, failovers, saved) = drawn.store;
    tally.fault("calls to the store that went wrong", faults, seeds / 2);
    tally.fault("failovers", failovers, seeds / 10);
    tally.fault("kills", drawn.kills.0, seeds / 4);
    tally.fault("hosts stopped", drawn.stops.0, seeds / 20);
    tally
        .fact(format!("{calls} calls to the store, {saved} tokens stored, {} logins answered", drawn.logins));
    tally.fact(format!("{} of {} drawn histories differ", drawn.different, drawn.worlds));
    add(&mut tally, &drawn);
    let broken = [Sabotage::LeaseForAll, Sabotage::StoresOverLater];
    let is_found = |sabotage: &Sabotage| {
        (0..2_000).any(|seed| {
            let scene = Scene::of_fleet(seed, *sabotage == Sabotage::LeaseForAll).sabotaged(*sabotage);
            !play_one(scene).broken.is_empty()
        })
    };
    let found = broken.iter().filter(|sabotage| is_found(sabotage)).count() as u64;
    tally.fault("kinds of sabotage found", found, broken.len() as u64);
    Ok(tally)
}

/// F17: hosts with wrong clocks share a store for three days, with a call in each hour.
pub(super) fn clocks(ground: &Ground) -> Outcome {
    let seeds = ground.scale.pick(4, 100);
    let mut tally = Tally::of("worlds of three days");
    let logins = |seed: u64, skew: &[f64]| {
        let fleet = Fleet { skew: skew.to_vec(), ..Fleet::default() };
        let quiet = Scene::quiet(4, Chooser::Random(seed));
        play([Scene { fleet: Some(fleet), calls: 72, pause: 3_600.0, ..quiet }])
    };
    for (what, skew) in [
        ("right clocks", [0.0; 5]),
        ("5 minutes wrong", [300.0, -300.0, 0.0, 0.0, 0.0]),
        ("2 hours wrong", [7_200.0, -7_200.0, 0.0, 0.0, 0.0]),
        ("a day behind", [-86_400.0, 0.0, 0.0, 0.0, 0.0]),
    ] {
        let (mut most, mut least) = (0, u64::MAX);
        for seed in 0..seeds {
            let right = logins(seed, &[0.0]).logins;
            let summary = logins(seed, &skew);
            add(&mut tally, &summary);
            (most, least) = (most.max(summary.logins), least.min(summary.logins));
            let more = summary.logins.saturating_sub(right);
            let is_near = skew.iter().all(|seconds| seconds.abs() <= 300.0);
            tally.hold(!is_near || more <= 3, || format!("{what}: {more} logins more in three days"));
        }
        tally.fact(format!("{what}: {least} to {most} logins in three days"));
    }
    tally.fault("worlds with a wrong clock", 3 * seeds, 3 * seeds);
    Ok(tally)
}

/// Simulates random rotations of a credential, from seeds. Checks that deliberate faults are found.
pub(super) fn rotations(ground: &Ground) -> Outcome {
    let seeds = ground.scale.pick(1_000, 20_000);
    let mut tally = Tally::of("worlds");
    let drawn = rotation::play(0..seeds);
    let counts = drawn.counts;
    tally.fault("kills", drawn.kills.0, seeds / 3);
    tally.fault("of them of the lock's holder", drawn.kills.1, seeds / 20);
    tally.fault("of them with a token under way", counts.killed, seeds / 100);
    tally.fault("holders stopped", drawn.stops.1, seeds / 50);
    tally.fault("power cuts", drawn.power_cuts, seeds / 10);
    tally.fault("requests acted on after the client was gone", counts.late, seeds / 40);
    tally.fault("answers by a gateway in the provider's place", counts.by_gateway, seeds / 20);
    tally.fault("last presentations of a token of unknown outcome", counts.again, seeds / 10);
    tally.fact(format!("{} of them of a spent token, whose answer nobody had got", counts.replays));
    tally.fact(format!("{} requests, {} granted", counts.requests, counts.granted));
    tally.fact(format!(
        "{} logins alive at the end without a person, {} lost with an answer that was lost",
        drawn.alive, drawn.reauth
    ));
    tally.fact(format!("{} of {} histories differ", drawn.different, drawn.worlds));
    tally.tries(drawn.worlds);
    tally.losses(drawn.lost.len() as u64, || drawn.lost.first().cloned().unwrap_or_default());

    let broken = [
        Sabotage::LockForAll,
        Sabotage::LockDeleted,
        Sabotage::NoSync,
        Sabotage::InPlace,
        Sabotage::NoNote,
        Sabotage::ClockRunsFast,
    ];
    let is_found = |sabotage: Sabotage| {
        (0..2_000).any(|seed| !play_one(Scene::rotating(seed).sabotaged(sabotage)).broken.is_empty())
    };
    let found = broken.into_iter().filter(|sabotage| is_found(*sabotage)).count() as u64;
    tally.fault("kinds of sabotage found", found, broken.len() as u64);
    Ok(tally)
}

fn add(tally: &mut Tally, summary: &Summary) {
    tally.tries(summary.worlds);
    let lost = summary.lost.len() as u64;
    tally.losses(lost, || summary.lost.first().cloned().unwrap_or_default());
}

/// Returns whether some world shows this fault.
fn is_found(sabotage: Sabotage) -> bool {
    (0..400).any(|seed| {
        let scene = Scene { calls: 3, ..Scene::drawn(seed) }.sabotaged(sabotage);
        !play_one(scene).broken.is_empty()
    })
}
