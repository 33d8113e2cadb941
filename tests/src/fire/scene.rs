//! The scene of a row: a server, a private cache directory, and the names of its files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use colony_core::token::{cache_path, envelope::Envelope};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

use super::Ground;
use crate::{
    crew::{Crew, Place},
    plan::{Plan, Report, digest},
    service::{Counts, Service},
    subject::{self, Subject},
};

/// The API key.
pub(super) const KEY: &str = "col_planted_key_0123456789";
pub(super) const DAY: i64 = 86_400;

/// A server whose clock can be set wrong, and a cache directory that the first user creates.
pub(super) struct Scene {
    pub(super) service: Service,
    /// Holds the cache directory and the files outside of it.
    pub(super) outer: TempDir,
    pub(super) place: Place,
    skew: Arc<AtomicI64>,
    pub(super) subject: Subject,
}

impl Scene {
    pub(super) fn new(ground: &Ground) -> io::Result<Self> {
        Self::of(ground, Subject::Login)
    }

    /// Returns a scene in which workers request a token of this kind.
    pub(super) fn of(ground: &Ground, subject: Subject) -> io::Result<Self> {
        let skew = Arc::new(AtomicI64::new(0));
        let seen = Arc::clone(&skew);
        let service = Service::start(move || real_time() + seen.load(Ordering::Relaxed) as f64)?;
        let outer = tempfile::Builder::new().prefix("colony-").tempdir()?;
        let place = Place::new(&ground.program, service.base_url(), KEY, outer.path().join("cache"));
        Ok(Self { service, outer, place, skew, subject })
    }

    /// Sets the server's clock.
    pub(super) fn skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }

    pub(super) fn cache(&self) -> &Path {
        &self.place.directory
    }

    pub(super) fn fingerprint(&self) -> String {
        cache_path::fingerprint(cache_path::normalise_base_url(&self.place.base_url), KEY)
    }

    /// Returns the file of this kind: `json`, `lock`, `note`.
    pub(super) fn file(&self, kind: &str) -> PathBuf {
        match self.subject {
            Subject::Login => self.cache().join(format!("{}.{kind}", self.fingerprint())),
            Subject::Shared => {
                subject::file(KEY, self.cache()).expect("a directory that can be used").with_extension(kind)
            }
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.service.counts()
    }

    /// Returns the digest of the token in the file; `None` without one, an error if the file is torn.
    pub(super) fn held(&self) -> io::Result<Option<String>> {
        match fs::read(self.file("json")) {
            Ok(text) => match token_in(self.subject, &text) {
                Some(token) => Ok(Some(digest(token.expose_secret()))),
                None => Err(io::Error::other("the file is not whole")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the digest of the last issued token.
    pub(super) fn newest(&self) -> Option<String> {
        self.service.issued().last().map(|token| digest(token))
    }

    /// Returns the temporary files in the cache directory.
    pub(super) fn litter(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache()).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".tmp")).collect()
    }

    /// Returns whether a process holds the lock.
    pub(super) fn is_locked(&self) -> bool {
        is_locked(&self.file("lock"))
    }

    /// Waits until `count` logins have arrived.
    pub(super) fn until_logins(&self, count: u64) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.service.until(|counts| counts.logins >= count));
        Ok(())
    }

    /// Runs workers once each, at the same moment.
    pub(super) fn run(&self, count: usize, plan: impl Fn(usize) -> Plan) -> io::Result<Vec<Report>> {
        let mut crew = Crew::hire(&self.place, count, plan)?;
        crew.go()?;
        crew.reports()
    }

    /// Returns a plan: half of the workers are async, half blocking.
    pub(super) fn mixed(&self, number: usize) -> Plan {
        Plan { subject: self.subject, ..mixed(number) }
    }

    /// Returns a builder of async clients for this process.
    pub(super) fn builder(&self) -> colony_async::Builder {
        colony_async::Client::builder(KEY).base_url(&self.place.base_url).token_cache_dir(self.cache())
    }
}

/// Returns the token in a file with this content; `None` if it is torn.
pub(super) fn token_in(subject: Subject, text: &[u8]) -> Option<SecretString> {
    match subject {
        Subject::Login => Some(Envelope::read(text).ok()?.token),
        Subject::Shared => {
            let file: serde_json::Value = serde_json::from_slice(text).ok()?;
            Some(file["access_token"].as_str()?.into())
        }
    }
}

/// Returns a plan for a client's login: half of the workers are async, half blocking.
pub(super) fn mixed(number: usize) -> Plan {
    Plan { blocking: number % 2 == 1, ..Plan::default() }
}

pub(super) fn is_locked(lock: &Path) -> bool {
    let Ok(file) = fs::OpenOptions::new().read(true).write(true).open(lock) else { return false };
    fd_lock::RwLock::new(file).try_write().is_err()
}

pub(super) fn inode(path: &Path) -> io::Result<u64> {
    Ok(std::os::unix::fs::MetadataExt::ino(&fs::metadata(path)?))
}

pub(super) fn real_time() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Polls a condition until it holds; returns `false` if it does not within the limit.
pub(super) fn eventually(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let start = std::time::Instant::now();
    while !is_so() {
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Returns a runtime of one thread.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Returns whether this process has root's rights: to give files away, be another user, mount.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
