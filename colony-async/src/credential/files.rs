//! One credential's file and its lock. Everything here blocks briefly.

use std::{
    fmt,
    fs::TryLockError,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        CredentialId,
        document::{self, Stored, Unreadable},
        keeping::Keeping,
        location::Location,
        place,
    },
    token::envelope::MAX_BYTES,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    disk::{
        Disk, Stamp,
        lock::{self, Lock},
        private::{Directory, Durability, Unfit},
    },
    journal,
};

/// The location of one credential.
#[derive(Debug, Clone)]
pub(super) struct Files {
    directory: Directory,
    disk: Arc<dyn Disk>,
    id: CredentialId,
    stem: String,
    vault: Option<Arc<dyn Vault>>,
    /// The machine's id, if it has one.
    machine: Option<String>,
}

/// A stored credential, and the state of the file that it was read from.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) stored: Stored,
    pub(super) stamp: Stamp,
}

/// A place for credentials other than the file, such as the system's keyring. The file is then a pointer without
/// tokens; the lock stays beside it.
///
/// It must be chosen explicitly with [`CredentialStore::vault`](super::CredentialStore::vault). A vault that does not
/// work is an error; the file is never used instead.
pub trait Vault: fmt::Debug + Send + Sync + 'static {
    /// Returns how well it protects credentials: [`Keeping::Keyring`] or [`Keeping::Encrypted`].
    fn keeping(&self) -> Keeping;

    /// Returns the document stored under this name, 32 hex digits; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The system's error, in the other methods as well.
    fn read(&self, name: &str) -> io::Result<Option<SecretString>>;

    /// Stores a document under the name, replacing any other. It must be durable when this returns.
    fn write(&self, name: &str, document: &SecretString) -> io::Result<()>;

    /// Removes the document stored under the name, if there is one.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// The reason why the file can be neither read nor written.
#[derive(Debug)]
pub(super) enum Problem {
    Unfit(Unfit),
    Unreadable(Unreadable),
    /// The file holds another credential.
    Misplaced,
    /// The keyring does not work.
    Vault(io::Error),
}

impl Files {
    pub(super) fn new(disk: Arc<dyn Disk>, directory: PathBuf, id: CredentialId) -> Self {
        let stem = place::stem(&id);
        let directory = Directory::new(Arc::clone(&disk), directory);
        Self { directory, disk, id, stem, vault: None, machine: machine_id() }
    }

    pub(super) fn on(self, disk: Arc<dyn Disk>) -> Self {
        let directory = Directory::new(Arc::clone(&disk), self.directory.path().to_owned());
        Self { directory, disk, ..self }
    }

    pub(super) fn machine(self, machine: Option<String>) -> Self {
        Self { machine, ..self }
    }

    pub(super) fn with_vault(mut self, vault: Option<Arc<dyn Vault>>) -> Self {
        self.vault = vault;
        self
    }

    pub(super) fn vault(&self) -> Option<&Arc<dyn Vault>> {
        self.vault.as_ref()
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

    /// Adds a line to the log.
    pub(super) fn log(&self, now: f64, event: &journal::Event<'_>) {
        self.directory.log(now, &self.stem, None, event);
    }

    /// Reads the stored credential; `None` if there is none.
    pub(super) fn read(&self) -> Result<Option<Found>, Problem> {
        let content = match self.directory.read(&self.file(), MAX_BYTES as u64) {
            Ok(content) => content,
            Err(Unfit::Absent) => return Ok(None),
            // The read above has restricted the permissions. The content is checked below: a file that others may
            // have put there is refused because of its owner.
            Err(Unfit::LooseDirectory) => match self.directory.read(&self.file(), MAX_BYTES as u64) {
                Ok(content) => content,
                Err(Unfit::Absent) => return Ok(None),
                Err(unfit) => return Err(Problem::Unfit(unfit)),
            },
            Err(unfit) => return Err(Problem::Unfit(unfit)),
        };
        let stored = match Stored::read(&content.bytes) {
            Err(Unreadable::KeptElsewhere(keeping)) => {
                let vault = self.vault.as_ref().filter(|vault| vault.keeping() == keeping);
                let vault = vault.ok_or(Problem::Unreadable(Unreadable::KeptElsewhere(keeping)))?;
                let Some(text) = vault.read(&self.stem).map_err(Problem::Vault)? else { return Ok(None) };
                Stored::read(text.expose_secret().as_bytes())
            }
            read => read,
        };
        let stored = stored.map_err(Problem::Unreadable)?;
        if stored.credential.id != self.id {
            return Err(Problem::Misplaced);
        }
        Ok(Some(Found { stored, stamp: content.stamp }))
    }

    /// Returns the file's present state; `None` if there is no file. Quick.
    pub(super) fn stamp(&self) -> io::Result<Option<Stamp>> {
        match self.disk.facts(&self.file()) {
            Ok(facts) => Ok(Some(facts.stamp)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the location of the store.
    pub(super) fn here(&self) -> Location {
        let directory = self.disk.facts(self.directory.path()).map(|facts| facts.stamp).unwrap_or_default();
        Location::of(self.machine.as_deref(), directory.inode, directory.born)
    }

    /// Returns whether this credential was stored in another place, so that the store is a copy.
    pub(super) fn is_copied(&self, stored: &Stored) -> bool {
        stored.location.as_ref().is_some_and(|location| location.is_elsewhere(&self.here()))
    }

    /// Returns how the credential is protected.
    pub(super) fn keeping(&self) -> Keeping {
        let content = self.directory.read(&self.file(), MAX_BYTES as u64);
        match content.map(|content| Stored::read(&content.bytes)) {
            Ok(Err(Unreadable::KeptElsewhere(keeping))) => keeping,
            _ => Keeping::PRIVATE_FILE,
        }
    }

    /// As [`read`](Self::read), with the error for callers.
    pub(super) fn load(&self) -> Result<Option<Found>> {
        self.read().map_err(|problem| self.unreadable(&problem))
    }

    /// Writes the file, completely and durably or not at all, with its own location in it. Takes the lock as proof.
    pub(super) fn write(&self, _: &Lock, stored: &Stored) -> Result<()> {
        let mut stored = stored.clone();
        stored.location = Some(self.here());
        let bytes = stored.write().map_err(|error| {
            Error::build(ErrorKind::CredentialStore, format!("the credential cannot be stored: {error}"))
                .finish()
        })?;
        let Some(vault) = &self.vault else { return self.write_file(&bytes) };
        let text = String::from_utf8(bytes).unwrap_or_default();
        vault.write(&self.stem, &text.into()).map_err(|error| self.failed("kept", error))?;
        // The tokens leave the file only when the vault has them. An existing pointer is rewritten, so that other
        // programs notice the change.
        self.write_file(&document::pointer(&self.id, vault.keeping()))
    }

    fn write_file(&self, bytes: &[u8]) -> Result<()> {
        self.directory
            .write(&self.stem, &self.file(), bytes, Durability::Lasting)
            .map_err(|error| self.failed("written", error))
    }

    /// Removes the file, and returns whether it existed. Takes the lock as proof.
    pub(super) fn remove(&self, _: &Lock) -> Result<bool> {
        if let Some(vault) = &self.vault {
            vault.remove(&self.stem).map_err(|error| self.failed("removed", error))?;
        }
        self.directory.remove(&self.file()).map_err(|error| self.failed("removed", error))
    }

    pub(super) fn try_lock(&self) -> Result<Lock, TryLockError> {
        match self.directory.make() {
            Ok(()) => Lock::try_acquire(&*self.disk, &self.lock_file()),
            Err(error) => Err(TryLockError::Error(error)),
        }
    }

    /// Returns the process that holds the lock; the outer `None` if none does.
    pub(super) fn holder(&self) -> Option<Option<u32>> {
        lock::holder(&*self.disk, &self.lock_file())
    }

    /// Returns the permission bits that a new file gets here: some mounts change the requested ones.
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
            .hint("It was left as it is; repair it or move it away, then log in again")
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
            Self::Vault(_) => "vault",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Unreadable(unreadable) => unreadable.fmt(f),
            Self::Misplaced => f.write_str("the file holds another credential"),
            Self::Vault(error) => write!(f, "the keyring cannot read it: {error}"),
        }
    }
}

/// Returns the machine's id (`man 5 machine-id`), if it has one. Never shown and never written unchanged.
fn machine_id() -> Option<String> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    read("/etc/machine-id").or_else(|| read("/var/lib/dbus/machine-id"))
}

/// Returns the stems of the credential files in the directory.
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

/// Returns the id of the credential in a file of the directory.
pub(super) fn peek(disk: &Arc<dyn Disk>, directory: &Path, stem: &str) -> Result<CredentialId, Problem> {
    let path = directory.join(format!("{stem}.json"));
    let content = Directory::new(Arc::clone(disk), directory.to_owned())
        .read(&path, MAX_BYTES as u64)
        .map_err(Problem::Unfit)?;
    let id = Stored::read(&content.bytes).map_err(Problem::Unreadable)?.credential.id;
    if place::stem(&id) == stem { Ok(id) } else { Err(Problem::Misplaced) }
}
