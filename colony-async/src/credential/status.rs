//! The status of stored credentials, for display.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use colony_core::credential::{
    Credential,
    document::Stored,
    spending::{Outlook, SETTLE, State, Uptime},
};

use super::files::{self, Files};
use crate::{
    LockStatus,
    disk::{Disk, Real},
    time::{SystemTimer, Timer as _},
};

/// The status of a store, from [`CredentialStore::status`](super::CredentialStore::status).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CredentialStatus {
    /// The file.
    pub file: PathBuf,
    /// The credential, when it can be read. Its `Debug` form holds no token.
    pub credential: Option<Credential>,
    /// Since when, in Unix seconds, the outcome of a refresh has been unknown: it is under way, or was interrupted.
    pub refreshing_since: Option<f64>,
    /// How long the refresh token is not used because of that, with the default setting.
    pub settles_in: Option<Duration>,
    /// Whether the provider refused the refresh token: a person has to log in again.
    pub is_refused: bool,
    /// Whether the store was written in another place and is a copy; see
    /// [`CredentialStore::adopt`](super::CredentialStore::adopt).
    pub is_copied: bool,
    /// Why the file cannot be used. `None` also when there is no file.
    pub problem: Option<String>,
    /// The process that holds the lock.
    pub lock: LockStatus,
}

impl CredentialStatus {
    pub(super) fn unknown(file: PathBuf, problem: String) -> Self {
        Self {
            file,
            credential: None,
            refreshing_since: None,
            settles_in: None,
            is_refused: false,
            is_copied: false,
            problem: Some(problem),
            lock: LockStatus::Free,
        }
    }

    fn of(file: PathBuf, read: Result<Option<Stored>, String>, now: &Uptime, is_copied: bool) -> Self {
        let stored = match read {
            Ok(stored) => stored,
            Err(problem) => return Self::unknown(file, problem),
        };
        let note = stored.as_ref().and_then(Stored::present_spending);
        let sent = note.filter(|note| note.state == State::Sent);
        let settles_in = sent.map(|note| match note.outlook(SETTLE, now) {
            Outlook::Wait(left) => left,
            Outlook::Settled => Duration::ZERO,
            _ => note.wait(SETTLE),
        });
        Self {
            refreshing_since: sent.map(|note| note.since),
            settles_in,
            is_refused: note.is_some_and(|note| note.state == State::Refused),
            is_copied,
            credential: stored.map(|stored| stored.credential),
            problem: None,
            ..Self::unknown(file, String::new())
        }
    }
}

impl Files {
    pub(super) fn status(&self, now: &Uptime) -> CredentialStatus {
        let read = self.read().map(|found| found.map(|found| found.stored));
        let copied = matches!(&read, Ok(Some(stored)) if self.is_copied(stored));
        let read = read.map_err(|problem| problem.to_string());
        let lock = self.holder().map_or(LockStatus::Free, LockStatus::Held);
        CredentialStatus { lock, ..CredentialStatus::of(self.file(), read, now, copied) }
    }
}

/// Returns the status of the credentials in a directory, for display. Blocks briefly.
///
/// # Errors
///
/// When the directory exists and cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<CredentialStatus>> {
    let disk: Arc<dyn Disk> = Arc::new(Real);
    let stems = files::stems(&*disk, directory)?;
    let now = SystemTimer.uptime();
    let status = |stem: String| {
        let file = directory.join(format!("{stem}.json"));
        match files::peek(&disk, directory, &stem) {
            Ok(id) => Files::new(Arc::clone(&disk), directory.to_owned(), id).status(&now),
            Err(problem) => {
                let lock = crate::disk::lock::holder(&*disk, &directory.join(format!("{stem}.lock")));
                let lock = lock.map_or(LockStatus::Free, LockStatus::Held);
                CredentialStatus { lock, ..CredentialStatus::unknown(file, problem.to_string()) }
            }
        }
    };
    Ok(stems.into_iter().map(status).collect())
}
