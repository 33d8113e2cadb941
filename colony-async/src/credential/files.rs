//! One credential's file and its lock. Everything here blocks, quickly.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        CredentialId,
        document::{Stored, Unreadable},
        place,
    },
    token::envelope::MAX_BYTES,
};

use crate::disk::{
    Disk,
    lock::{self, Attempt, FileLock},
    private::{Directory, Durability, Unfit},
};

/// Where one credential is kept.
#[derive(Debug, Clone)]
pub(super) struct Files {
    directory: Directory,
    disk: Arc<dyn Disk>,
    id: CredentialId,
    stem: String,
}

/// Why nothing can be taken from the file, nor written to it.
#[derive(Debug)]
pub(super) enum Problem {
    Unfit(Unfit),
    Unreadable(Unreadable),
    /// The file is another credential's.
    Misplaced,
}

impl Files {
    pub(super) fn new(disk: Arc<dyn Disk>, directory: PathBuf, id: CredentialId) -> Self {
        let stem = place::stem(&id);
        Self { directory: Directory::new(Arc::clone(&disk), directory), disk, id, stem }
    }

    pub(super) fn id(&self) -> &CredentialId {
        &self.id
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join(format!("{}.json", self.stem))
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.directory.path().join(format!("{}.lock", self.stem))
    }

    /// What is stored; `None` when nothing is.
    pub(super) fn read(&self) -> Result<Option<Stored>, Problem> {
        let content = match self.directory.read(&self.file(), MAX_BYTES as u64) {
            Ok(content) => content,
            Err(Unfit::Absent) => return Ok(None),
            // It was tightened by the look at it, and what is in it is looked at below: a file that others
            // may have put there is refused for its owner.
            Err(Unfit::LooseDirectory) => match self.directory.read(&self.file(), MAX_BYTES as u64) {
                Ok(content) => content,
                Err(Unfit::Absent) => return Ok(None),
                Err(unfit) => return Err(Problem::Unfit(unfit)),
            },
            Err(unfit) => return Err(Problem::Unfit(unfit)),
        };
        let stored = Stored::read(&content.bytes).map_err(Problem::Unreadable)?;
        if stored.credential.id == self.id { Ok(Some(stored)) } else { Err(Problem::Misplaced) }
    }

    /// As [`read`](Self::read), with the error that callers are given.
    pub(super) fn load(&self) -> Result<Option<Stored>> {
        self.read().map_err(|problem| self.unreadable(&problem))
    }

    /// Writes the file, whole and lasting or not at all. Takes the lock as proof.
    pub(super) fn write(&self, _: &FileLock, stored: &Stored) -> Result<()> {
        let bytes = stored.write().map_err(|error| {
            Error::build(ErrorKind::CredentialStore, format!("the credential cannot be stored: {error}"))
                .finish()
        })?;
        self.directory
            .write(&self.stem, &self.file(), &bytes, Durability::Lasting)
            .map_err(|error| self.failed("written", error))
    }

    /// Removes the file, and says whether it was there. Takes the lock as proof.
    pub(super) fn remove(&self, _: &FileLock) -> Result<bool> {
        self.directory.remove(&self.file()).map_err(|error| self.failed("removed", error))
    }

    pub(super) fn try_lock(&self) -> Attempt {
        match self.directory.make() {
            Ok(()) => FileLock::try_acquire(&*self.disk, &self.lock_file()),
            Err(error) => Attempt::Unavailable(error),
        }
    }

    /// The process that holds the lock, when one does.
    pub(super) fn holder(&self) -> Option<Option<u32>> {
        lock::holder(&*self.disk, &self.lock_file())
    }

    /// The permission bits that a new file gets here: on some mounts they are not what was asked for.
    pub(super) fn mode_of_new_files(&self) -> io::Result<u32> {
        self.directory.make()?;
        let prefix = format!(".{}.", self.stem);
        let (path, file) = self.disk.create_temporary(self.directory.path(), &prefix)?;
        let facts = file.facts();
        drop(file);
        let _ = self.disk.remove(&path);
        facts.map(|facts| facts.mode)
    }

    pub(super) fn unreadable(&self, problem: &Problem) -> Error {
        let file = self.file();
        let message = format!("the credential in {} cannot be used: {problem}", file.display());
        Error::build(ErrorKind::CredentialStore, message)
            .code(problem.as_str())
            .hint("It was left as it is; mend it or move it away, then log in again")
            .finish()
    }

    pub(super) fn lock_unavailable(&self, error: io::Error) -> Error {
        let message =
            format!("{} cannot be locked, so nothing was sent or changed", self.lock_file().display());
        Error::build(ErrorKind::CredentialStore, format!("{message}: {error}"))
            .code("lock_unavailable")
            .hint("Keep credentials on a local file system: set COLONY_SDK_CREDENTIALS_DIR")
            .source(error)
            .finish()
    }

    fn failed(&self, what: &str, error: io::Error) -> Error {
        let message = format!("the credential in {} cannot be {what}: {error}", self.file().display());
        Error::build(ErrorKind::CredentialStore, message).code("io").source(error).finish()
    }
}

impl Problem {
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Unfit(unfit) => unfit.as_str(),
            Self::Unreadable(unreadable) => unreadable.as_str(),
            Self::Misplaced => "misplaced",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Unreadable(unreadable) => unreadable.fmt(f),
            Self::Misplaced => f.write_str("the file holds another credential"),
        }
    }
}

/// The directory's files of credentials: their stems.
pub(super) fn stems(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<String>> {
    let names = match disk.list(directory) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let stem = |name: &std::ffi::OsString| Some(name.to_str()?.strip_suffix(".json")?.to_owned());
    let mut stems: Vec<String> = names
        .iter()
        .filter_map(stem)
        .filter(|stem| stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .collect();
    stems.sort();
    Ok(stems)
}

/// What is in a file of the directory, whosever credential it is.
pub(super) fn peek(disk: &Arc<dyn Disk>, directory: &Path, stem: &str) -> Result<Stored, Problem> {
    let path = directory.join(format!("{stem}.json"));
    let content = Directory::new(Arc::clone(disk), directory.to_owned())
        .read(&path, MAX_BYTES as u64)
        .map_err(Problem::Unfit)?;
    let stored = Stored::read(&content.bytes).map_err(Problem::Unreadable)?;
    if place::stem(&stored.credential.id) == stem { Ok(stored) } else { Err(Problem::Misplaced) }
}
