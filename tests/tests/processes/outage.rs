//! The service is down: programs that wait for one login end together, after few requests in total.

use std::time::SystemTime;

use colony_async::ErrorKind;
use colony_tests::{
    plan::Plan,
    service::{Answer, Service},
};

use crate::place::{KEY, Scripted, call, directory, mixed, place, run, turn};

fn real_time() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

#[test]
fn thirty_processes_in_an_outage_end_together() {
    let _turn = turn();
    let (service, directory) = (Service::start(real_time).expect("a service"), directory());
    service.otherwise(Answer::Status(503));
    let limited =
        |number| Plan { login_deadline_ms: Some(6_000), first_pause_ms: Some(200), ..mixed(number) };
    for report in run(&place(service.base_url(), KEY, directory.path()), 30, limited) {
        assert_eq!(report.failure.expect("an outage").status, Some(503));
        assert!(report.took_ms < 20_000, "one after the other: {} ms", report.took_ms);
    }
    let logins = service.counts().logins;
    assert!((2..=12).contains(&logins), "{logins} requests");
}

#[test]
fn twelve_processes_whose_login_hangs_end_together() {
    let _turn = turn();
    let (service, directory) = (Service::start(real_time).expect("a service"), directory());
    service.otherwise(Answer::Held);
    let limited = |number| Plan { timeout_ms: Some(3_000), ..mixed(number) };
    for report in run(&place(service.base_url(), KEY, directory.path()), 12, limited) {
        let failure = report.failure.expect("no answer");
        assert_eq!((failure.kind.as_str(), failure.status), ("network", None));
        assert!(report.took_ms < 12_000, "one after the other: {} ms", report.took_ms);
    }
    assert!(service.counts().logins <= 2, "{} requests", service.counts().logins);
}

/// Waiting clients with longer limits than the one that got no answer try themselves, one at a time.
#[test]
fn a_failure_without_an_answer_is_not_shared_with_those_who_are_more_patient() {
    let _turn = turn();
    let (service, directory) = (Service::start(real_time).expect("a service"), directory());
    service.otherwise(Answer::After(std::time::Duration::from_secs(2)));
    let plan = |number| Plan { timeout_ms: Some(if number == 0 { 500 } else { 20_000 }), ..mixed(number) };
    let mut crew = colony_tests::crew::Crew::hire(&place(service.base_url(), KEY, directory.path()), 4, plan)
        .expect("a crew");
    crew.0[0].go().expect("a start");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(service.until(|counts| counts.logins == 1));
    for worker in &mut crew.0[1..] {
        worker.go().expect("a start");
    }
    let reports = crew.reports().expect("reports");
    assert!(reports[0].failure.is_some());
    assert!(reports[1..].iter().all(|report| report.failure.is_none()), "{reports:?}");
    assert_eq!(service.counts().logins, 2);
}

/// At any wall-clock time a failure is recognised as that of the awaited login.
#[tokio::test]
async fn a_clock_that_is_set_meanwhile_costs_no_login() {
    for seconds in [7_200.0, -7_200.0] {
        let scripted = Scripted::standing();
        scripted.service.next([Answer::Refused(503)]);
        let call = |client: colony_async::Client| tokio::spawn(async move { call(&client).await });
        let first = call(scripted.client());
        scripted.service.until(|counts| counts.logins == 1).await;
        let second = call(scripted.client());
        scripted.clock.sleepers(1).await;
        scripted.clock.jump(seconds);
        scripted.service.release();
        let error = first.await.expect("a task").expect_err("an outage");
        assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
        scripted.clock.flow();
        let error = second.await.expect("a task").expect_err("the same outage");
        assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
        assert_eq!(scripted.logins(), 1);
    }
}
