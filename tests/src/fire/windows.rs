//! R1, S1: tokens expire repeatedly while a crowd of processes uses them.

use std::{collections::BTreeSet, fs, time::Duration};

use colony_async::LOG_FILE;
use serde_json::Value;

use super::{
    Ground, Outcome, Tally,
    scene::{DAY, Scene, inode},
};
use crate::{
    crew::Crew,
    plan::{Order, Plan, digest},
    service::Answer,
    subject::Subject,
};

/// Lets every process make a call in every window. A window begins with the clocks set a day ahead, so that the token
/// in memory and in the file has expired for all of them.
pub(super) fn run(ground: &Ground, subject: Subject) -> Outcome {
    let (processes, windows) = ground.scale.pick((60, 8), (200, 50));
    let scene = Scene::of(ground, subject)?;
    scene.service.otherwise(Answer::After(Duration::from_millis(30)));
    let plan = |number| Plan { longest_life_s: 3_600, ..scene.mixed(number) };
    let mut crew = Crew::hire(&scene.place, processes, plan)?;
    let mut tally = Tally::of("calls");
    let (mut lock, mut waited) = (None, 0);
    for window in 0..windows {
        let order = Order { skew_s: window * DAY, ..Order::default() };
        scene.skew(order.skew_s);
        crew.order(&order)?;
        let reports = crew.reports()?;
        tally.same("processes that reported", reports.len(), processes);
        let issued = scene.service.issued();
        let expected = issued.get(usize::try_from(window)?).map(|token| digest(token));
        for report in &reports {
            let good = report.failure.is_none() && report.token == expected && report.warnings.is_empty();
            tally.check(good, || format!("window {window}: {report:?}"));
        }
        let logins = scene.counts().logins;
        tally.same("logins so far", logins, u64::try_from(window)? + 1);
        tally.same("the token in the file", scene.held()?, expected);
        let now = inode(&scene.file("lock"))?;
        tally.same("the lock file's inode", now, *lock.get_or_insert(now));
        waited = reports.iter().filter_map(|report| report.events.get("adopted")).sum();
    }
    let counts = scene.counts();
    tally.same("calls at the server", counts.calls, u64::try_from(processes)? * u64::try_from(windows)?);
    tally.same("calls with a dead token", counts.rejected, 0);
    let mut spans: Vec<_> = scene.service.log().iter().map(|login| (login.from, login.to)).collect();
    spans.sort();
    tally.same("logins in flight together", spans.windows(2).filter(|pair| pair[1].0 < pair[0].1).count(), 0);
    tally.same("temporary files left", scene.litter(), Vec::new());
    check_log(&scene, counts.logins, &mut tally)?;
    tally.fault("waits for another process's login", waited, u64::try_from(windows)?);
    tally.fact(format!("{processes} processes × {windows} windows, {} logins", counts.logins));
    Ok(tally)
}

/// Checks the host's log, which all processes write to: each line is whole, and each login is there once.
fn check_log(scene: &Scene, logins: u64, tally: &mut Tally) -> Result<(), Box<dyn std::error::Error>> {
    let text = fs::read_to_string(scene.file("lock").with_file_name(LOG_FILE))?;
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    tally.same("whole lines of the log", lines.len(), text.lines().count());
    let minted: Vec<_> = lines.iter().filter(|line| line["event"] == "minted").collect();
    let tokens: BTreeSet<_> = minted.iter().filter_map(|line| line["token"].as_str()).collect();
    tally.same("logins in the log", (minted.len() as u64, tokens.len() as u64), (logins, logins));
    tally.fact(format!("{} lines in the log", lines.len()));
    Ok(())
}
