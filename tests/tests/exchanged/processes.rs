//! Real processes against the sandbox, whose tokens are real.

use std::{path::Path, time::Duration};

use colony_cli::sandbox::{Options, Sandbox, Stats};
use colony_tests::{
    crew::{Crew, Place, Worker},
    plan::{Plan, Report},
    site::{Answer, EXCHANGE, Site},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::place::{KEY, directory, real_time};

const PROCESSES: usize = 50;
const DOCUMENT: &str = "GET /.well-known/openid-configuration";

struct Served {
    sandbox: Sandbox,
    _runtime: Runtime,
    directory: TempDir,
}

impl Served {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let options = Options { auth_latency: Duration::from_millis(30), ..Options::default() };
        let sandbox = runtime.block_on(Sandbox::start(options)).expect("a sandbox");
        Self { sandbox, _runtime: runtime, directory: directory() }
    }

    fn place(&self) -> Place {
        place(self.sandbox.base_url(), self.sandbox.api_key(), self.directory.path())
    }

    /// Returns the counts of logins, documents and exchanges so far.
    fn counts(&self) -> (u64, u64, u64) {
        let stats: Stats = self.sandbox.stats();
        (stats.logins_started, stats.total(DOCUMENT), stats.grant("token-exchange"))
    }

    /// Returns a plan: half of the workers are async, half blocking.
    fn plan(&self, number: usize) -> Plan {
        Plan {
            blocking: number % 2 == 1,
            audience: Some(self.sandbox.openid().app().client_id.clone()),
            scope: "openid profile".to_owned(),
            ..Plan::default()
        }
    }

    fn run(&self, count: usize) -> Vec<Report> {
        let mut crew = Crew::hire(&self.place(), count, |number| self.plan(number)).expect("a crew");
        crew.go().expect("a start");
        let reports = crew.reports().expect("reports");
        assert_eq!(reports.len(), count);
        reports
    }
}

fn place(base_url: String, key: &str, directory: &Path) -> Place {
    Place::new(env!("CARGO_BIN_EXE_worker"), base_url, key, directory)
}

fn with_variable(mut place: Place, name: &str, value: &str) -> Place {
    place.environment.push((name.into(), value.into()));
    place
}

/// Asserts that all succeeded with one token; returns its digest.
fn all_hold_one(reports: &[Report]) -> String {
    let held = reports[0].token.clone().expect("a token");
    for report in reports {
        assert_eq!((report.failure.as_ref(), report.token.as_ref()), (None, Some(&held)));
        assert!(report.warnings.is_empty(), "{report:?}");
    }
    held
}

#[test]
fn fifty_processes_on_a_cold_cache_and_then_on_a_warm_one() {
    let served = Served::start();
    let cold = all_hold_one(&served.run(PROCESSES));
    assert_eq!(served.counts(), (1, 1, 1), "logins, documents, exchanges");
    let warm = all_hold_one(&served.run(PROCESSES));
    assert_eq!(warm, cold);
    assert_eq!(served.counts(), (1, 1, 1), "no request at all with a warm cache");
}

#[test]
fn fifty_processes_whose_login_was_revoked_exchange_with_one_other() {
    let served = Served::start();
    // The login in the cache is no longer valid.
    let plan = |_| Plan::default();
    let mut crew = Crew::hire(&served.place(), 1, plan).expect("a crew");
    crew.go().expect("a start");
    crew.reports().expect("reports");
    served.sandbox.revoke_all();
    all_hold_one(&served.run(PROCESSES));
    // One exchange was refused with the old login.
    assert_eq!(served.counts(), (2, 1, 2));
}

#[test]
fn a_process_that_is_killed_while_it_exchanges_holds_nobody_up() {
    let site = Site::start(real_time).expect("a site");
    let directory = directory();
    let place = place(site.base_url(), KEY, directory.path());
    let plan = Plan { audience: Some("colony_app".to_owned()), ..Plan::default() };
    site.next(EXCHANGE, [Answer::Held(Box::new(Answer::Good))]);
    let mut first = Worker::start(&place, &plan).expect("a worker");
    first.ready().expect("ready");
    first.go().expect("a start");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(site.until(EXCHANGE, 1));
    let mut crew = Crew::hire(&place, 8, |number| Plan { blocking: number % 2 == 1, ..plan.clone() });
    let crew = crew.as_mut().expect("a crew");
    crew.go().expect("a start");
    first.kill().expect("killed");
    let reports = crew.reports().expect("reports");
    assert_eq!(reports.len(), 8);
    all_hold_one(&reports);
    assert_eq!((site.counts().0, site.counts().2), (1, 2), "a login, and an exchange more than was killed");
}

#[test]
fn the_switch_in_the_environment_turns_the_file_off() {
    let served = Served::start();
    let directory = served.directory.path().join("untouched");
    let place = Place { directory: directory.clone(), ..served.place() };
    let place = with_variable(place, "COLONY_SDK_NO_TOKEN_CACHE", "1");
    for _ in 0..2 {
        let mut worker = Worker::start(&place, &served.plan(0)).expect("a worker");
        worker.ready().expect("ready");
        worker.go().expect("a start");
        assert_eq!(worker.report().expect("a report").expect("it lives").failure, None);
    }
    assert_eq!(served.counts(), (2, 2, 2));
    assert!(!directory.exists());
}

#[test]
fn the_age_in_the_environment_is_heeded() {
    let served = Served::start();
    for (age, exchanges) in [("0", 1), ("0", 2), ("1h", 3), ("1h", 3), ("0", 4)] {
        let place = with_variable(served.place(), "COLONY_SDK_TOKEN_CACHE_TTL", age);
        let mut worker = Worker::start(&place, &served.plan(1)).expect("a worker");
        worker.ready().expect("ready");
        worker.go().expect("a start");
        assert_eq!(worker.report().expect("a report").expect("it lives").failure, None);
        assert_eq!(served.counts().2, exchanges, "{age}");
    }
}

#[test]
fn no_log_no_error_and_no_panic_tells_a_secret() {
    for blocking in [false, true] {
        let site = Site::start(real_time).expect("a site");
        let invalid = serde_json::json!({"error": "invalid_grant", "error_description": "no"});
        site.next(
            EXCHANGE,
            [
                Answer::Json(400, invalid.clone()),
                Answer::Json(400, invalid),
                Answer::Json(503, serde_json::json!({})),
                Answer::Hangup,
                Answer::Limited("0".to_owned()),
                Answer::Good,
            ],
        );
        let directory = directory();
        let plan = Plan {
            blocking,
            trace: true,
            patient: false,
            audience: Some("colony_app".to_owned()),
            scope: "openid".to_owned(),
            ..Plan::default()
        };
        let place = place(site.base_url(), KEY, directory.path());
        let mut worker = Worker::start(&place, &plan).expect("a worker");
        worker.ready().expect("ready");
        let mut written = String::new();
        let mut succeeded = 0;
        for _ in 0..8 {
            worker.go().expect("a start");
            let report = worker.report().expect("a report").expect("it lives");
            succeeded += u32::from(report.failure.is_none());
            written.push_str(&serde_json::to_string(&report).expect("a line"));
        }
        for entry in std::fs::read_dir(directory.path()).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|kind| kind != "json") {
                written.push_str(&std::fs::read_to_string(&path).expect("a file"));
            }
        }
        written.push_str(&worker.end().expect("an end"));
        // The log is not empty, so the search could have found something.
        for event in ["subject_rejected", "exchange_refused", "got a token", "discovered", "panicked at"] {
            assert!(written.contains(event), "{event} in {written:.3000}");
        }
        assert!(succeeded >= 3, "{written:.3000}");
        let mut secrets = vec![KEY.to_owned(), "planted".to_owned(), "e30.".to_owned()];
        secrets.extend(site.issued());
        for secret in secrets {
            let hit = written.find(&secret).map(|at| &written[at.saturating_sub(200)..at]);
            assert_eq!(hit, None, "a secret was written");
        }
    }
}
