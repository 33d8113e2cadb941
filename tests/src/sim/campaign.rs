//! Many worlds, one after the other, and their combined results.

use std::collections::{BTreeMap, BTreeSet};

use colony_async::ErrorKind;

use super::{Chooser, Failover, Fault, Fleet, Outcome, Report, Sabotage, Scene, run};

/// The results of many worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Simulated worlds.
    pub worlds: u64,
    /// Steps in all of them.
    pub steps: u64,
    /// Logins that were answered.
    pub logins: u64,
    /// Processes that were killed, and how many of them held the lock.
    pub kills: (u64, u64),
    /// Processes that were stopped for a while, and how many of them held the lock.
    pub stops: (u64, u64),
    /// Good tokens that a process overwrote after it had been stopped with the lock.
    pub overwritten: u64,
    /// Calls to a store, failed calls, failovers, and stored tokens.
    pub store: (u64, u64, u64, u64),
    /// Worlds in which the power failed.
    pub power_cuts: u64,
    /// Calls that ended with a typed refusal, for a reason.
    pub refusals: u64,
    /// Worlds whose history differed from all others.
    pub different: u64,
    /// Failures, each with the scene that shows it.
    pub lost: Vec<String>,
}

impl Summary {
    fn add(&mut self, scene: &Scene, report: &Report, seen: &mut BTreeSet<u64>) {
        self.worlds += 1;
        self.steps += report.steps;
        self.logins += report.logins.1;
        self.kills.0 += report.kills.0;
        self.kills.1 += report.kills.1;
        self.stops.0 += report.stops.0;
        self.stops.1 += report.stops.1;
        self.overwritten += report.overwritten;
        self.store.0 += report.store.0;
        self.store.1 += report.store.1;
        self.store.2 += report.store.2;
        self.store.3 += report.store.3;
        self.power_cuts += u64::from(report.power_failed);
        self.different += u64::from(seen.insert(report.history));
        let mut lost = report.broken.clone();
        for outcome in &report.outcomes {
            match outcome {
                Outcome::Done => {}
                Outcome::Failed(kind) if expected(scene, *kind) => self.refusals += 1,
                Outcome::Failed(kind) => lost.push(format!("a call failed: {kind:?}")),
            }
        }
        // A process that starts after all others always gets a token.
        if report.outcomes.last() != Some(&Outcome::Done) {
            lost.push("the last to come got no token".to_owned());
        }
        self.lost.extend(lost.into_iter().map(|what| format!("{what}, in {scene:?}")));
    }
}

/// Returns whether calls of this scene can fail with this kind.
fn expected(scene: &Scene, kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::RateLimit => scene.refused > 0,
        // A call is tried with one other token, and not again.
        ErrorKind::Auth => scene.revocations.len() > 1,
        _ => false,
    }
}

/// Simulates scenes and adds up their results.
pub fn play(scenes: impl IntoIterator<Item = Scene>) -> Summary {
    let (mut summary, mut seen) = (Summary::default(), BTreeSet::new());
    for scene in scenes {
        let report = run(scene.clone());
        summary.add(&scene, &report, &mut seen);
    }
    summary
}

impl Scene {
    /// Returns a scene in which `processes` processes with an empty cache make one call each, without faults.
    pub fn quiet(processes: usize, chooser: Chooser) -> Self {
        Self {
            processes,
            calls: 1,
            kills: BTreeSet::new(),
            stops: BTreeSet::new(),
            pause: 0.0,
            power_cut: None,
            revocations: BTreeSet::new(),
            refused: 0,
            chooser,
            sabotage: None,
            rotation: None,
            fleet: None,
        }
    }

    /// Returns a random scene from this seed: a few processes with a few calls, kills, revocations, refused logins,
    /// power cuts, in any number and at any moment.
    pub fn drawn(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (processes, calls) = (random.usize(2..=5), random.usize(1..=3));
        // About the number of steps of one call that logs in.
        let end = 45 * processes as u64;
        let mut some = |most: usize| -> BTreeSet<u64> {
            let count = random.usize(..=most);
            (0..count).map(|_| random.u64(1..end)).collect()
        };
        let (kills, revocations, stops) = (some(3), some(2), some(1));
        // A token is fresh for a day minus an hour; in its last hour it is stale, but valid.
        let pause = [0.0, 1_800.0, 23.2 * 3600.0, 30.0 * 3600.0][random.usize(..4)];
        Self {
            calls,
            pause,
            kills,
            stops: if random.bool() { stops } else { BTreeSet::new() },
            revocations,
            power_cut: (random.u8(..4) == 0).then(|| random.u64(1..end)),
            refused: if random.u8(..4) == 0 { random.u64(1..=2) } else { 0 },
            ..Self::quiet(processes, Chooser::Random(seed))
        }
    }

    /// Returns a random scene of hosts that share a store, from this seed. A quiet scene has no faults.
    pub fn of_fleet(seed: u64, is_quiet: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (processes, calls) = (random.usize(2..=5), random.usize(1..=3));
        let mut fleet = Fleet { skew: vec![0.0], ..Fleet::default() };
        if is_quiet {
            return Self { fleet: Some(fleet), ..Self::quiet(processes, Chooser::Random(seed)) };
        }
        let end = 30 * processes as u64;
        let kinds = [Fault::Refused, Fault::Lost, Fault::AnswerLost, Fault::Late];
        let mut faults = BTreeMap::new();
        // An outage takes many calls in a row.
        let (from, long) = (random.u64(1..end), random.u64(1..20));
        if random.u8(..4) == 0 {
            faults.extend((from..from + long).map(|call| (call, Fault::Refused)));
        }
        for _ in 0..random.usize(..=4) {
            faults.insert(random.u64(1..end), kinds[random.usize(..4)]);
        }
        fleet.faults = faults;
        let kinds = [Failover::Empty, Failover::NoLease, Failover::Before];
        for _ in 0..random.usize(..=2) {
            fleet.failovers.insert(random.u64(1..end), kinds[random.usize(..3)]);
        }
        if random.u8(..4) == 0 {
            let drawn = [0.0, 300.0, -300.0, 7_200.0, -7_200.0, -86_400.0];
            fleet.skew = (0..processes).map(|_| drawn[random.usize(..6)]).chain([0.0]).collect();
            fleet.server_skew = [0.0, 3_600.0, -3_600.0][random.usize(..3)];
        }
        Self { fleet: Some(fleet), power_cut: None, calls, ..Self::drawn(seed) }
    }

    /// Returns the scene with this deliberate fault.
    #[must_use]
    pub fn sabotaged(self, sabotage: Sabotage) -> Self {
        Self { sabotage: Some(sabotage), ..self }
    }
}

/// Returns every way in which `processes` processes can act with at most `preemptions` interruptions: the acting
/// process continues until it waits, but after these steps another one acts.
pub fn interleavings(processes: usize, preemptions: usize) -> Vec<Scene> {
    let steps = run(Scene::quiet(processes, Chooser::Preempted(BTreeSet::new()))).steps;
    let mut chosen = vec![BTreeSet::new()];
    let mut latest = chosen.clone();
    for _ in 0..preemptions {
        let longer = latest.iter().flat_map(|after: &BTreeSet<u64>| {
            // An interruption can add steps of other processes.
            let from = after.last().map_or(1, |last| last + 1);
            (from..=steps + 20).map(|step| after.iter().copied().chain([step]).collect())
        });
        latest = longer.collect();
        chosen.extend(latest.iter().cloned());
    }
    chosen.into_iter().map(|after| Scene::quiet(processes, Chooser::Preempted(after))).collect()
}

/// Returns [`interleavings`] with one interruption, and a kill at each step.
pub fn kills_everywhere(processes: usize) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for scene in interleavings(processes, 1) {
        let steps = run(scene.clone()).steps;
        scenes.extend((1..=steps).map(|step| Scene { kills: [step].into(), ..scene.clone() }));
    }
    scenes
}
