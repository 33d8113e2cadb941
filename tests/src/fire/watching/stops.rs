//! Stopping a watch of either client: in a wait, in a request, in a back-off.

use std::time::{Duration, Instant};

use colony_cli::sandbox::Options;

use super::scene::Scene;
use crate::{
    fire::{Ground, Scale, Tally},
    timer::HeldTimer,
};

pub(super) fn quick(ground: &Ground, tally: &mut Tally) -> Result<(), Box<dyn std::error::Error>> {
    let cases = [
        ("a wait", None),
        ("a request", Some("/since=okx1000;delay=30")),
        ("a back-off", Some("/since=503x1000")),
    ];
    let mut slowest = Duration::ZERO;
    for _ in 0..ground.scale.pick(1, 20) {
        for (what, rule) in cases {
            for blocking in [false, true] {
                let scene = Scene::new(ground, Options::default())?;
                if let Some(rule) = rule {
                    scene.sandbox.fail(rule.parse()?);
                }
                // On a stopped clock no wait ends by itself.
                let listener = scene.listen(blocking, Default::default(), HeldTimer::default())?;
                let stats = || scene.sandbox.stats();
                scene.until(what, |_| match what {
                    "a wait" => {
                        stats().with_status("GET /since", 200) > 0 && stats().total("GET /stream") > 0
                    }
                    "a request" => stats().total("GET /since") > 0,
                    _ => stats().with_status("GET /since", 503) > 0,
                })?;
                let start = Instant::now();
                let ended = listener.stop();
                let took = start.elapsed();
                slowest = slowest.max(took);
                let is_quick = took < Duration::from_millis(200) || ground.scale == Scale::Short;
                tally.check(ended == Ok(()) && is_quick, || format!("in {what}: {ended:?} after {took:?}"));
            }
        }
    }
    tally.fact(format!("a stop in a wait, a request or a back-off took {} ms at most", slowest.as_millis()));
    Ok(())
}
