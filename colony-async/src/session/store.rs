//! The cache file, its note and its lock file: their names and contents.
//!
//! Everything here blocks briefly; the session runs it off the async threads.
//! [`Directory`](crate::disk::private::Directory) reads and writes the files safely.

use std::{fmt, fs::TryLockError, io, path::PathBuf, sync::Arc, time::Duration};

use colony_core::{
    openid::{audience::Audience, exchanged::Label},
    token::{
        cooldown::{self, Note},
        envelope::{MAX_BYTES, Unreadable},
        refusals::{self, Refusals},
    },
};
use secrecy::SecretString;

use crate::{
    disk::{
        Disk, Real,
        lock::{self, Announcement, Lock},
        private::{Directory, Durability, Unfit},
        uninterrupted,
    },
    journal,
    token::{CachedToken, Format, Record},
};

/// The location of one token.
#[derive(Debug, Clone)]
pub(crate) struct TokenStore {
    directory: Directory,
    /// The name of the files, without extensions.
    name: String,
    format: Format,
}

/// The lock files of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockFile {
    First,
    /// For processes that stopped waiting for the first, so that they do not all continue at once.
    Second,
}

impl LockFile {
    fn extension(self) -> &'static str {
        match self {
            Self::First => "lock",
            Self::Second => "lock2",
        }
    }
}

/// Why no token was taken from the file.
#[derive(Debug)]
pub(crate) enum Miss {
    /// The file must not be trusted.
    Unfit(Unfit),
    /// The file holds no token.
    Unreadable(Unreadable),
}

impl Miss {
    /// Returns a short reason for the log.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Unfit(unfit) => unfit.as_str(),
            Self::Unreadable(reason) => reason.as_str(),
        }
    }

    /// Returns whether a person should learn of it: a sign of tampering or a wrong setup. A file that is absent or
    /// half-written (the Python package writes in place) is normal; one that is far too large is not.
    pub(crate) fn is_suspicious(&self) -> bool {
        !matches!(self, Self::Unfit(Unfit::Absent) | Self::Unreadable(_))
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Unreadable(reason) => reason.fmt(f),
        }
    }
}

impl TokenStore {
    /// Creates the store of a login's token on the system's disk.
    pub(crate) fn new(directory: PathBuf, fingerprint: String) -> Self {
        Self::on(Arc::new(Real), directory, fingerprint, Format::Login)
    }

    pub(crate) fn on(disk: Arc<dyn Disk>, directory: PathBuf, name: String, format: Format) -> Self {
        Self { directory: Directory::new(disk, directory), name, format }
    }

    /// Returns the name of the files, without extensions: for a login, its fingerprint.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path("json")
    }

    pub(crate) fn lock_file(&self, which: LockFile) -> PathBuf {
        self.path(which.extension())
    }

    pub(crate) fn note_file(&self) -> PathBuf {
        self.path("note")
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.directory.path().join(format!("{}.{extension}", self.name))
    }

    /// Adds a line to the log.
    pub(crate) fn log(&self, now: f64, audience: Option<&Audience>, event: &journal::Event<'_>) {
        self.directory.log(now, &self.name, audience, event);
    }

    /// Reads the token.
    pub(crate) fn read(&self) -> Result<Record, Miss> {
        match self.read_once(&self.file()) {
            // The Python package truncates before it writes; a moment later the file is complete.
            Err(Miss::Unreadable(_)) => {
                self.directory.disk().pause(TORN_PAUSE);
                self.read_once(&self.file())
            }
            other => other,
        }
    }

    /// Returns the label of the exchanged token in the file.
    pub(crate) fn label(&self) -> Result<Label, Miss> {
        let content = self.directory.read(&self.file(), MAX_BYTES as u64).map_err(Miss::Unfit)?;
        Label::read(&content.bytes).map_err(Miss::Unreadable)
    }

    fn read_once(&self, path: &std::path::Path) -> Result<Record, Miss> {
        let content = self.directory.read(path, MAX_BYTES as u64).map_err(Miss::Unfit)?;
        self.format.read(&content.bytes, content.written_at).map_err(Miss::Unreadable)
    }

    /// Writes the token, completely or not at all.
    pub(crate) fn write(&self, token: &CachedToken) -> io::Result<()> {
        let text = self.format.write(token).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the token is not cached: {error}"))
        })?;
        self.directory.write(&self.name, &self.file(), text.as_bytes(), Durability::Whole)
    }

    /// Reads the note left by a refused login.
    pub(crate) fn read_note(&self) -> Option<Note> {
        let content = self.directory.read(&self.note_file(), cooldown::MAX_BYTES as u64).ok()?;
        Note::read(&content.bytes)
    }

    pub(crate) fn write_note(&self, note: &Note) -> io::Result<()> {
        let text = note.write();
        self.directory.write(&self.name, &self.note_file(), text.as_bytes(), Durability::Whole)
    }

    pub(crate) fn remove_note(&self) -> io::Result<bool> {
        self.directory.remove(&self.note_file())
    }

    /// Reads the operations that refuse every token.
    pub(crate) fn read_refusals(&self) -> Refusals {
        let content = self.directory.read(&self.path("refusals"), refusals::MAX_BYTES as u64).ok();
        content.and_then(|content| Refusals::read(&content.bytes)).unwrap_or_default()
    }

    /// Changes the operations that refuse every token, unless `change` returns false. Two concurrent writers can undo
    /// each other's change, so each checks that its own is there.
    pub(crate) fn change_refusals(&self, change: impl Fn(&mut Refusals) -> bool) -> io::Result<()> {
        for _ in 0..3 {
            let mut refusals = self.read_refusals();
            if !change(&mut refusals) {
                break;
            }
            if refusals.is_empty() {
                self.remove_refusals()?;
            } else {
                let text = refusals.write();
                self.directory.write(
                    &self.name,
                    &self.path("refusals"),
                    text.as_bytes(),
                    Durability::Whole,
                )?;
            }
        }
        Ok(())
    }

    pub(crate) fn remove_refusals(&self) -> io::Result<bool> {
        self.directory.remove(&self.path("refusals"))
    }

    /// Removes the token file, but only if it holds this token.
    ///
    /// Reading and deleting are two steps, and the Python package takes no lock: it may store a good token in
    /// between. So the file is first moved aside, then read, and moved back if it holds another token.
    pub(crate) fn remove_if_holds(&self, token: &SecretString) -> io::Result<bool> {
        let path = self.file();
        let holds = |path| self.read_once(path).is_ok_and(|record| record.token.is(token));
        if !holds(&path) {
            return Ok(false);
        }
        let disk = self.directory.disk();
        let aside = self.directory.aside(&self.name);
        match uninterrupted(|| disk.rename(&path, &aside)) {
            Ok(()) => {}
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        let removed = holds(&aside);
        if !removed {
            // `link` does not replace: a file that appeared meanwhile is newer and stays.
            let _ = uninterrupted(|| disk.link(&aside, &path));
        }
        // The file may hold a living token: try twice, rather than leave it to the next write's cleanup.
        self.directory.remove(&aside).or_else(|_| self.directory.remove(&aside))?;
        Ok(removed)
    }

    /// Removes the token file, whatever its content.
    pub(crate) fn remove(&self) -> io::Result<bool> {
        self.directory.remove(&self.file())
    }

    /// Tries to take a lock; creates the directory for it.
    pub(crate) fn try_lock(&self, which: LockFile) -> Result<Lock, TryLockError> {
        match self.directory.make() {
            Ok(()) => Lock::try_acquire(self.directory.disk(), &self.lock_file(which)),
            Err(error) => Err(TryLockError::Error(error)),
        }
    }

    /// Returns the announcement of the lock's holder.
    pub(crate) fn announcement(&self, which: LockFile) -> Option<Announcement> {
        lock::announcement(self.directory.disk(), &self.lock_file(which))
    }

    /// Returns the process that signed the lock file; the outer `None` if the lock is free.
    pub(crate) fn holder(&self) -> Option<Option<u32>> {
        lock::holder(self.directory.disk(), &self.lock_file(LockFile::First))
    }
}

/// The pause before a torn file is read a second time.
const TORN_PAUSE: Duration = Duration::from_millis(20);
