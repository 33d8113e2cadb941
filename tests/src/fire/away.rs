//! R26, S26: the service limits logins. R27, S27: the service is down.

use std::time::Duration;

use super::{Ground, Outcome, Tally, scene::Scene};
use crate::{plan::Plan, service::Answer, subject::Subject};

/// The most requests that all programs together may send in an outage.
const MOST_REQUESTS: u64 = 12;
/// How long the limit lasts, in seconds.
const LIMITED: u64 = 600;

/// Checks that a 429 to one process holds for all, until a person overrides it.
pub(super) fn limited(ground: &Ground, subject: Subject) -> Outcome {
    let (processes, rounds) = ground.scale.pick((40, 2), (200, 10));
    let mut tally = Tally::of("calls");
    let mut refused = 0;
    for _ in 0..rounds {
        let scene = Scene::of(ground, subject)?;
        scene.service.otherwise(Answer::Limited(LIMITED.to_string()));
        // Together, and later: no process asks again.
        for _ in 0..2 {
            for report in scene.run(processes, |number| scene.mixed(number))? {
                let failure = report.failure.clone().filter(|failure| failure.kind == "rate_limit");
                let wait = failure.as_ref().and_then(|failure| failure.retry_after).unwrap_or(0.0);
                let is_left = (1.0..=LIMITED as f64).contains(&wait);
                refused += u64::from(failure.is_some());
                tally.check(is_left, || format!("{report:?}"));
            }
        }
        tally.same("requests under a limit", scene.counts().logins, 1);
        scene.service.otherwise(Answer::Token);
        let person = |number| Plan { ignore_cool_down: true, ..scene.mixed(number) };
        let everybody = |number| scene.mixed(number);
        for report in scene.run(1, person)?.into_iter().chain(scene.run(processes, everybody)?) {
            let good = report.failure.is_none() && report.token == scene.newest();
            tally.check(good, || format!("after the limit: {report:?}"));
        }
        tally.same("requests in all", scene.counts().logins, 2);
    }
    tally.fault("calls that met the limit", refused, 2 * u64::try_from(processes)? * rounds);
    Ok(tally)
}

/// Lets the service always answer 503: all processes end together, after few requests in total.
pub(super) fn outage(ground: &Ground, subject: Subject) -> Outcome {
    let (processes, rounds) = ground.scale.pick((40, 2), (200, 10));
    let mut tally = Tally::of("calls");
    let (mut failed, mut most) = (0, 0);
    for _ in 0..rounds {
        let scene = Scene::of(ground, subject)?;
        scene.service.otherwise(Answer::Late(503, Duration::from_millis(300)));
        let plan = |number| Plan {
            first_pause_ms: Some(50),
            login_deadline_ms: Some(20_000),
            ..scene.mixed(number)
        };
        for report in scene.run(processes, plan)? {
            let is_told = report.failure.as_ref().is_some_and(|failure| failure.status == Some(503));
            failed += u64::from(is_told);
            tally.check(is_told, || format!("{report:?}"));
        }
        let requests = scene.counts().logins;
        tally.hold(requests <= MOST_REQUESTS, || format!("{requests} requests in an outage"));
        most = requests.max(most);
        // Once the service is back, every process gets a token.
        scene.service.otherwise(Answer::Token);
        for report in scene.run(processes, |number| scene.mixed(number))? {
            tally.check(report.failure.is_none(), || format!("after the outage: {report:?}"));
        }
        tally.same("requests after the outage", scene.counts().logins - requests, 1);
    }
    tally.fault("calls that met the outage", failed, u64::try_from(processes)? * rounds);
    tally.fact(format!("{processes} processes at a time, at most {most} requests for all of them"));
    Ok(tally)
}
