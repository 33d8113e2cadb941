//! R17: the holder of the lock is stopped (SIGSTOP) in the middle of its login.

use rustix::process::{Pid, Signal, kill_process};

use super::{
    Ground, Outcome, Tally,
    scene::{Scene, inode, mixed},
};
use crate::{
    crew::Worker,
    plan::{Plan, digest},
    service::Answer,
};

/// How long a login may take by the waiters' settings.
const LIMIT_MS: u64 = 1_000;

pub(super) fn run(ground: &Ground) -> Outcome {
    let rounds = ground.scale.pick(1, 20);
    let mut tally = Tally::of("calls beside a stopped holder");
    let (mut stopped, mut passed_by, mut named) = (0, 0, 0);
    for _ in 0..rounds {
        let scene = Scene::new(ground)?;
        scene.service.next([Answer::Held]);
        let mut holder = Worker::start(&scene.place, &Plan::default())?;
        holder.ready()?;
        holder.go()?;
        scene.until_logins(1)?;
        let process = i32::try_from(holder.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        kill_process(process, Signal::STOP)?;
        stopped += u64::from(scene.is_locked());
        let before = inode(&scene.file("lock"))?;

        let hasty = |number| Plan { timeout_ms: Some(LIMIT_MS), patient: false, ..mixed(number) };
        for report in scene.run(6, hasty)? {
            // Whoever waits does so for as long as a login could take, warns, and logs in for itself; whoever
            // came later finds that token.
            tally.check(report.failure.is_none(), || format!("{report:?}"));
            let waited: Vec<_> =
                report.warnings.iter().filter(|text| text.contains("event=\"waited\"")).collect();
            tally.same("warnings", report.warnings.len(), waited.len());
            tally.hold(waited.is_empty() || report.took_ms >= LIMIT_MS, || format!("not waited: {report:?}"));
            passed_by += waited.len() as u64;
            let name = format!("holder={}", holder.id());
            named += waited.iter().filter(|text| text.contains(&name)).count() as u64;
        }
        tally.hold(scene.is_locked(), || "somebody took the lock from its holder".to_owned());
        tally.same("the lock file's inode", inode(&scene.file("lock"))?, before);

        kill_process(process, Signal::CONT)?;
        scene.service.release();
        let report = holder.report()?.ok_or("the holder is gone")?;
        tally.check(report.failure.is_none(), || format!("the holder: {report:?}"));
        tally.hold(!scene.is_locked(), || "the lock is stuck".to_owned());
        let issued: Vec<_> = scene.service.issued().iter().map(|token| digest(token)).collect();
        let held = scene.held()?;
        tally.hold(held.is_some_and(|held| issued.contains(&held)), || "no token in the file".to_owned());
    }
    tally.same("warnings that name the holder", named, passed_by);
    tally.fault("holders stopped under the lock", stopped, rounds);
    tally.fault("waiters that went on without the lock", passed_by, rounds);
    Ok(tally)
}
