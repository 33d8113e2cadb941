//! W2: rows that become visible after their time. With an overlap none is missed; without one some must be, or the
//! row proves nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use colony_async::time::SystemTimer;
use colony_cli::sandbox::Options;
use colony_core::events::Watch;

use super::scene::{KINDS, Scene, bare};
use crate::fire::{Ground, Outcome, Tally};

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("events");
    let missed = play(ground, Duration::from_secs(10), Some(&mut tally))?;
    tally.losses(missed as u64, || format!("{missed} events are missing"));
    let missed = play(ground, Duration::ZERO, None)?;
    tally.fault("events missed without an overlap", missed as u64, 1);
    Ok(tally)
}

/// Raises events in bursts, each after some events of the previous one were delivered. Returns how many are not
/// delivered in the end.
fn play(
    ground: &Ground,
    overlap: Duration,
    tally: Option<&mut Tally>,
) -> Result<usize, Box<dyn std::error::Error>> {
    let (bursts, size, latest) = ground.scale.pick((4, 12, 2), (105, 48, 8));
    let commit_delay = Some(Duration::ZERO..=Duration::from_secs(latest));
    let scene = Scene::new(ground, Options { commit_delay, ..Options::default() })?;
    let quick = Duration::from_millis(100)..=Duration::from_millis(200);
    let listener = scene.listen(false, Watch::new().interval(quick).overlap(overlap), SystemTimer)?;
    scene.until("the watch begins", |scene| scene.sandbox.stats().with_status("GET /since", 200) > 0)?;
    let mut raised = BTreeSet::new();
    let mut heard: BTreeMap<String, usize> = BTreeMap::new();
    let take = |heard: &mut BTreeMap<String, usize>| {
        if let Ok((id, _)) = listener.heard.recv_timeout(Duration::from_millis(50)) {
            *heard.entry(bare(&id).to_owned()).or_default() += 1;
        }
    };
    for _ in 0..bursts {
        for kind in KINDS {
            raised.extend(scene.happens(kind, size / KINDS.len())?);
        }
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end {
            take(&mut heard);
        }
    }
    // By then each row is visible, and rounds have followed.
    let end = Instant::now() + Duration::from_secs(latest) + Duration::from_secs(3);
    let all = Instant::now() + Duration::from_secs(60);
    while Instant::now() < if overlap.is_zero() { end } else { all }
        && raised.iter().any(|id| !heard.contains_key(id))
    {
        take(&mut heard);
    }
    listener.stop()?;
    if let Some(tally) = tally {
        tally.tries(raised.len() as u64);
        let twice = heard.values().filter(|count| **count > 1).count();
        tally.losses(twice as u64, || format!("{twice} events were given twice"));
        tally.fact(format!("rows visible up to {latest} s after their time, {bursts} bursts a second apart"));
    }
    Ok(raised.iter().filter(|id| !heard.contains_key(*id)).count())
}
