//! R17, S17: the holder of the lock is stopped (SIGSTOP) in the middle of its login.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{
    Ground, Outcome, Tally,
    scene::{Scene, inode, mixed},
};
use crate::{
    crew::{Crew, Worker},
    plan::{Plan, Report, digest},
    service::Answer,
    subject::Subject,
};

type Failed = Box<dyn std::error::Error>;

/// How long the waiters wait for the lock.
const LIMIT_MS: u64 = 1_000;

pub(super) fn run(ground: &Ground, subject: Subject) -> Outcome {
    let rounds = ground.scale.pick(1, 20);
    let mut tally = Tally::of("calls beside a stopped holder");
    // For a shared token the holder announces, and its waiters can set, only the time limit of a fetch.
    let hurry = (subject == Subject::Shared).then_some(LIMIT_MS);
    let (mut stopped, mut passed_by, mut named) = (0, 0, 0);
    for _ in 0..rounds {
        let scene = Scene::of(ground, subject)?;
        let mut holder = Worker::start(&scene.place, &Plan { login_deadline_ms: hurry, ..scene.mixed(0) })?;
        stop_in_its_login(&scene, &mut holder)?;
        stopped += u64::from(scene.is_locked());
        let before = inode(&scene.file("lock"))?;

        let hasty = |number| Plan {
            lock_timeout_ms: Some(LIMIT_MS),
            login_deadline_ms: hurry,
            patient: false,
            ..scene.mixed(number)
        };
        for report in scene.run(6, hasty)? {
            // A waiter waits for as long as its settings allow, warns, and logs in itself; a later process finds that
            // token.
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

        signal(&holder, Signal::CONT)?;
        scene.service.release();
        let report = holder.report()?.ok_or("the holder is gone")?;
        tally.check(report.failure.is_none(), || format!("the holder: {report:?}"));
        tally.hold(!scene.is_locked(), || "the lock is stuck".to_owned());
        let issued: Vec<_> = scene.service.issued().iter().map(|token| digest(token)).collect();
        let held = scene.held()?;
        tally.hold(held.is_some_and(|held| issued.contains(&held)), || "no token in the file".to_owned());
    }
    tally.same("warnings that name the holder", named, passed_by);
    if subject == Subject::Login {
        stopped += crowds(ground, &mut tally)?;
    }
    tally.fault("holders stopped under the lock", stopped, rounds);
    tally.fault("waiters that went on without the lock", passed_by, rounds);
    Ok(tally)
}

/// Runs crowds beside a stopped holder: they wait for the time that it announced, and do not log in together. Returns
/// how many holders were stopped.
fn crowds(ground: &Ground, tally: &mut Tally) -> Result<u64, Failed> {
    let all = [5, 30, 50].iter().flat_map(|waiters| [300, 1_000, 5_000].map(|login| (*waiters, login)));
    let (limit_ms, expected, crowds) = ground.scale.pick(
        // The announced end is earlier.
        (3_000, 5_000..14_000, vec![(5, 300), (30, 1_000)]),
        (30_000, 30_000..40_000, all.collect()),
    );
    let mut stopped = 0;
    // Also with the default settings, where the announced end is always earlier.
    let crowds = crowds.into_iter().flat_map(|crowd| [Some(30_000), None].map(|timeout| (crowd, timeout)));
    for ((waiters, login_ms), lock_timeout_ms) in crowds {
        let scene = Scene::new(ground)?;
        scene.service.otherwise(Answer::After(Duration::from_millis(login_ms)));
        let plan = |number| Plan { timeout_ms: Some(limit_ms), lock_timeout_ms, ..mixed(number) };
        let mut holder = Worker::start(&scene.place, &plan(0))?;
        let mut crew = Crew::hire(&scene.place, waiters, plan)?;
        stop_in_its_login(&scene, &mut holder)?;
        stopped += u64::from(scene.is_locked());
        crew.go()?;
        let reports = crew.reports()?;
        let took = |report: &Report| report.took_ms;
        for report in &reports {
            tally.check(report.failure.is_none(), || format!("{waiters} waiters: {report:?}"));
            tally.hold(expected.contains(&took(report)), || format!("{report:?}"));
        }
        let logins = scene.counts().logins - 1;
        tally.hold((1..=2).contains(&logins), || format!("{logins} logins of {waiters} waiters"));
        let slowest = reports.iter().map(took).max().unwrap_or_default();
        tally.fact(format!(
            "{waiters} waiters, a login of {login_ms} ms, lock_timeout {}: {logins} more, all within {slowest} ms",
            lock_timeout_ms.map_or_else(|| "unset".to_owned(), |limit| format!("{limit} ms"))
        ));
        signal(&holder, Signal::CONT)?;
    }
    Ok(stopped)
}

/// Stops a ready process in the middle of its first login.
fn stop_in_its_login(scene: &Scene, holder: &mut Worker) -> Result<(), Failed> {
    scene.service.next([Answer::Held]);
    holder.ready()?;
    holder.go()?;
    scene.until_logins(1)?;
    signal(holder, Signal::STOP)
}

fn signal(worker: &Worker, signal: Signal) -> Result<(), Failed> {
    let process = i32::try_from(worker.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
    Ok(kill_process(process, signal)?)
}
