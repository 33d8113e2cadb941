//! R16: SIGALRM every millisecond, in every thread of processes that compete for the lock and write.

use std::{ffi::OsString, fs, path::Path};

use super::{
    Ground, Outcome, Tally, preload,
    scene::{Scene, mixed},
};
use crate::{
    crew::Worker,
    plan::{Order, Plan},
};

const PROCESSES: usize = 4;

/// Installs a handler without `SA_RESTART`, so a system call that a signal interrupts fails with EINTR.
pub(super) fn run(ground: &Ground) -> Outcome {
    let during_ms = ground.scale.pick(2_000, 60_000);
    let scene = Scene::new(ground)?;
    let mut tally = Tally::of("logins and calls");
    let Some(library) = preload::compile(scene.outer.path())? else {
        tally.not_tried("signals: there is no C compiler");
        return Ok(tally);
    };
    let counters = |number: usize| scene.outer.path().join(format!("alarms.{number}"));
    let mut crew = Vec::new();
    for number in 0..PROCESSES {
        let mut place = scene.place.clone();
        let variable = |name: &str, value: &Path| (OsString::from(name), value.as_os_str().to_owned());
        place.environment.push(variable("LD_PRELOAD", &library));
        place.environment.push(variable("UNDER_FIRE_ALARM", &counters(number)));
        let plan = Plan { longest_life_s: 300, ..mixed(number) };
        crew.push(Worker::start(&place, &plan)?);
    }
    for worker in &mut crew {
        worker.ready()?;
    }
    let order = Order { forget: true, during_ms: Some(during_ms), ..Order::default() };
    for worker in &mut crew {
        worker.order(&order)?;
    }
    for worker in &mut crew {
        let report = worker.report()?.ok_or("a process was killed by a signal")?;
        tally.tries(report.calls.into());
        tally.hold(report.failure.is_none(), || format!("{:?}", report.failure));
        tally.hold(report.warnings.is_empty(), || format!("{:?}", report.warnings));
    }
    drop(crew);
    let (mut signals, mut cut_off) = (0, 0);
    for number in 0..PROCESSES {
        let bytes = fs::read(counters(number))?;
        let counter = |at: usize| bytes[at..at + 8].try_into().map(u64::from_ne_bytes).unwrap_or_default();
        signals += counter(0);
        cut_off += counter(8);
    }
    tally.hold(scene.held()?.is_some() && !scene.is_locked(), || "the file or the lock".to_owned());
    tally.same("temporary files left", scene.litter(), Vec::new());
    tally.fault("signals handled", signals, during_ms);
    tally.fault("system calls that they cut off", cut_off, during_ms / 20);
    tally.fact(format!(
        "{PROCESSES} processes for {} s, {} logins",
        during_ms / 1_000,
        scene.counts().logins
    ));
    Ok(tally)
}
