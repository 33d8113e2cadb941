//! W18: the bell only starts rounds. With or without it the same events are delivered; if it rings, they are
//! delivered at once.

use std::{
    collections::BTreeMap,
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use colony_async::time::SystemTimer;
use colony_cli::sandbox::{Options, StreamMode};
use colony_core::events::Watch;

use super::scene::{KINDS, Listener, Scene, bare, resident};
use crate::{
    fire::{Ground, Outcome, Scale, Tally},
    timer::HeldTimer,
};

/// A short time, without a promise.
const MOMENT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("events");
    for blocking in [false, true] {
        at_once(ground, &mut tally, blocking)?;
        for mode in StreamMode::ALL {
            misbehaving(ground, &mut tally, blocking, mode)?;
        }
    }
    memory(ground, &mut tally)?;
    latency(ground, &mut tally)?;
    Ok(tally)
}

fn begin(
    scene: &Scene,
    blocking: bool,
    watch: Watch,
    timer: &HeldTimer,
) -> Result<Listener, Box<dyn std::error::Error>> {
    let listener = scene.listen(blocking, watch, timer.clone())?;
    scene.until("the watch begins", |scene| scene.sandbox.stats().with_status("GET /since", 200) > 0)?;
    Ok(listener)
}

/// Runs on a stopped clock, so that no round is due: only the bell can start one.
fn at_once(ground: &Ground, tally: &mut Tally, blocking: bool) -> Result<(), Box<dyn std::error::Error>> {
    let scene = Scene::new(ground, Options::default())?;
    let timer = HeldTimer::default();
    let listener = begin(&scene, blocking, Watch::new().bell(false), &timer)?;
    scene.happens("mention", 1)?;
    tally.hold(listener.heard.recv_timeout(MOMENT).is_err(), || "the clock does not stand still".to_owned());
    listener.stop()?;
    let listener = begin(&scene, blocking, Watch::new(), &timer)?;
    scene.until("the bell opens", |scene| scene.sandbox.stats().with_status("GET /stream", 200) > 0)?;
    let before = scene.asked("GET /since");
    let count = 5;
    for _ in 0..count {
        let id = scene.happens("mention", 1)?.remove(0);
        let heard = listener.heard.recv_timeout(PATIENCE);
        let is_good = heard.as_ref().is_ok_and(|(heard, _)| bare(heard) == id);
        tally.check(is_good, || format!("not heard without waiting for a round: {heard:?}"));
        // More than the pause between two rounds that the bell starts, and less than the pause before a regular
        // round.
        timer.advance(Duration::from_secs(6));
    }
    tally.same("rounds", scene.asked("GET /since") - before, count);
    tally.fault("events that arrived while no round was due", count, 5);
    tally.same("how the watch ended", listener.stop(), Ok(()));
    Ok(())
}

fn misbehaving(
    ground: &Ground,
    tally: &mut Tally,
    blocking: bool,
    mode: StreamMode,
) -> Result<(), Box<dyn std::error::Error>> {
    let scene = Scene::new(ground, Options::default())?;
    scene.sandbox.stream(mode);
    let timer = HeldTimer::default();
    let listener = begin(&scene, blocking, Watch::new(), &timer)?;
    scene.until("the bell is tried", |scene| scene.asked("GET /stream") > 0)?;
    let mut raised = Vec::new();
    let mut heard: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..ground.scale.pick(8, 100) {
        raised.extend(scene.happens(KINDS[n % KINDS.len()], 1)?);
        let end = Instant::now() + PATIENCE;
        while raised.iter().any(|id| !heard.contains_key(id)) && Instant::now() < end {
            match listener.heard.recv_timeout(Duration::from_millis(20)) {
                Ok((id, _)) => *heard.entry(bare(&id).to_owned()).or_default() += 1,
                Err(RecvTimeoutError::Timeout) => timer.advance(Duration::from_secs(7)),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }
    let what = format!("{} on the {} client", mode.as_str(), if blocking { "blocking" } else { "async" });
    for id in &raised {
        let times = heard.get(id).copied().unwrap_or_default();
        tally.check(times == 1, || format!("{what}: {id} was given {times} times"));
    }
    tally.same(&what, listener.stop(), Ok(()));
    if !blocking {
        tally.fault(format!("streams tried, {}", mode.as_str()), scene.asked("GET /stream"), 1);
    }
    Ok(())
}

/// Checks that an endless stream takes no memory: this process has both the stream and its reader.
fn memory(ground: &Ground, tally: &mut Tally) -> Result<(), Box<dyn std::error::Error>> {
    for mode in [StreamMode::Garbage, StreamMode::Endless] {
        let scene = Scene::new(ground, Options::default())?;
        scene.sandbox.stream(mode);
        let listener = scene.listen(false, Watch::new(), SystemTimer)?;
        scene.until("the bell is tried", |scene| scene.asked("GET /stream") > 0)?;
        let before = resident("self").ok_or("no /proc")?;
        let end = Instant::now() + ground.scale.pick(Duration::from_secs(1), Duration::from_secs(60));
        let mut most = before;
        while Instant::now() < end {
            std::thread::sleep(MOMENT);
            most = most.max(resident("self").unwrap_or_default());
        }
        tally.hold(most < before + 5 * 1024, || format!("{}: {before} KiB became {most} KiB", mode.as_str()));
        tally.fact(format!("{}: {} KiB more", mode.as_str(), most - before));
        tally.same("how the watch ended", listener.stop(), Ok(()));
    }
    Ok(())
}

/// Measures the time from the request that raises an event to its handler, on the real clock.
fn latency(ground: &Ground, tally: &mut Tally) -> Result<(), Box<dyn std::error::Error>> {
    // The watches, and the events for each, a minute apart.
    let (watches, events, apart) =
        ground.scale.pick((1, 3, Duration::from_millis(5200)), (10, 10, Duration::from_secs(60)));
    let mut heard = Vec::new();
    for _ in 0..watches {
        let scene = Scene::new(ground, Options::default())?;
        let listener = scene.listen(false, Watch::new(), SystemTimer)?;
        scene.until("the bell opens", |scene| scene.sandbox.stats().with_status("GET /stream", 200) > 0)?;
        heard.push((scene, listener));
    }
    let mut times = Vec::new();
    for n in 0..events {
        for (scene, listener) in &heard {
            let start = Instant::now();
            let id = scene.happens("mention", 1)?.remove(0);
            let (heard, at) = listener.heard.recv_timeout(Duration::from_secs(150))?;
            tally.check(bare(&heard) == id, || format!("{heard} in the place of {id}"));
            times.push(at.saturating_duration_since(start));
        }
        if n + 1 < events {
            std::thread::sleep(apart);
        }
    }
    times.sort();
    let (median, most) = (times[times.len() / 2], times[(times.len() * 99 / 100).min(times.len() - 1)]);
    if ground.scale == Scale::Long {
        tally.hold(median <= Duration::from_millis(300), || format!("median {median:?}"));
        tally.hold(most <= Duration::from_secs(2), || format!("99 %: {most:?}"));
    }
    tally.fact(format!(
        "from the event to its handler: median {} ms, 99 % {} ms, of {} events {} s apart on {watches} watches",
        median.as_millis(),
        most.as_millis(),
        times.len(),
        apart.as_secs_f64()
    ));
    for (_, listener) in heard {
        tally.same("how the watch ended", listener.stop(), Ok(()));
    }
    Ok(())
}
