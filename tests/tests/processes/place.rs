//! The surroundings of the tests: a server, a private directory, and clients.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use colony_async::RetryPolicy;
use colony_cli::sandbox::{Options, Sandbox, Stats};
use colony_tests::{
    clock::Clock,
    crew::{Crew, Place},
    plan::{Plan, Report},
    service::Service,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const KEY: &str = "col_planted_key_0123456789";

/// Waits for this test's turn: two crews of two hundred at a time would starve each other.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A sandbox on its own threads, and an empty cache directory.
pub(crate) struct Served {
    sandbox: Sandbox,
    _runtime: Runtime,
    pub(crate) directory: TempDir,
}

impl Served {
    pub(crate) fn start(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let sandbox = runtime.block_on(Sandbox::start(options)).expect("a sandbox");
        Self { sandbox, _runtime: runtime, directory: directory() }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(crate) fn place(&self) -> Place {
        place(self.sandbox.base_url(), self.sandbox.api_key(), self.directory.path())
    }

    pub(crate) fn stats(&self) -> Stats {
        self.sandbox.stats()
    }

    /// Returns the number of logins with this status.
    pub(crate) fn logins(&self, status: u16) -> u64 {
        self.stats().with_status("POST /auth/token", status)
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::Builder::new().prefix("colony-").tempdir().expect("a directory")
}

pub(crate) fn place(base_url: String, api_key: &str, directory: &Path) -> Place {
    Place::new(env!("CARGO_BIN_EXE_worker"), base_url, api_key, directory)
}

/// Returns a plan: half of the workers are async, half blocking.
pub(crate) fn mixed(number: usize) -> Plan {
    Plan { blocking: number % 2 == 1, ..Plan::default() }
}

/// Starts a crew at the same moment and waits for all of it.
pub(crate) fn run(place: &Place, count: usize, plan: impl Fn(usize) -> Plan) -> Vec<Report> {
    let mut crew = Crew::hire(place, count, plan).expect("a crew");
    crew.go().expect("a start");
    let reports = crew.reports().expect("reports");
    assert_eq!(reports.len(), count);
    reports
}

/// Asserts that all succeeded, with one token, which is the one in the file; returns its digest.
pub(crate) fn all_hold_the_file_s_token(reports: &[Report], directory: &Path) -> String {
    let held = colony_tests::plan::digest(&token_in(directory));
    for report in reports {
        assert_eq!(report.failure, None);
        assert_eq!(report.token.as_ref(), Some(&held));
    }
    held
}

/// Returns the file of this kind in the directory; there must be exactly one.
pub(crate) fn file_in(directory: &Path, kind: &str) -> PathBuf {
    let entries =
        std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|it| it == kind)).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

pub(crate) fn token_in(directory: &Path) -> String {
    let text = std::fs::read(file_in(directory, "json")).expect("a cache file");
    let envelope = colony_core::token::envelope::Envelope::read(&text).expect("a whole file");
    secrecy::ExposeSecret::expose_secret(&envelope.token).to_owned()
}

/// A scripted service with its clock, and a cache directory.
pub(crate) struct Scripted {
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    pub(crate) directory: TempDir,
}

impl Scripted {
    /// Returns a service with a clock that stands still.
    pub(crate) fn standing() -> Self {
        Self::with(Clock::standing())
    }

    /// Returns a service with a clock on which every sleep ends at once.
    pub(crate) fn flowing() -> Self {
        Self::with(Clock::flowing())
    }

    fn with(clock: Clock) -> Self {
        let seen = clock.clone();
        let service = Service::start(move || seen.unix()).expect("a service");
        Self { service, clock, directory: directory() }
    }

    /// Returns a builder of async clients on this clock that try a login once.
    pub(crate) fn builder(&self) -> colony_async::Builder {
        colony_async::Client::builder(KEY)
            .base_url(self.service.base_url())
            .token_cache_dir(self.directory.path())
            .auth_retry(RetryPolicy::none())
            .timer(self.clock.clone())
    }

    pub(crate) fn client(&self) -> colony_async::Client {
        self.builder().build().expect("a client")
    }

    pub(crate) fn logins(&self) -> u64 {
        self.service.counts().logins
    }
}

/// Makes one call that needs a token.
pub(crate) async fn call(client: &colony_async::Client) -> colony_async::Result<()> {
    client.execute_json(colony_async::api::account::GetMe::default()).await.map(drop)
}
