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
        change::Keeping,
        document::{self, Stored, Unreadable},
        place,
    },
    token::envelope::MAX_BYTES,
};
use secrecy::{ExposeSecret, SecretString};

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
    vault: Option<Arc<dyn Vault>>,
}

/// Where credentials are kept instead of in the file: the system's keyring. The file is then a pointer without
/// tokens; the lock stays beside it.
///
/// Chosen explicitly with [`CredentialStore::vault`](super::CredentialStore::vault): a vault that does not
/// work is an error, and never a file instead.
pub trait Vault: fmt::Debug + Send + Sync + 'static {
    /// How well it keeps them: [`Keeping::Keyring`] or [`Keeping::Encrypted`].
    fn keeping(&self) -> Keeping;

    /// What is kept under this name, 32 hex digits; `None` when nothing is.
    ///
    /// # Errors
    ///
    /// What the system says, also in the other methods.
    fn read(&self, name: &str) -> io::Result<Option<SecretString>>;

    /// Puts this in the place of what is kept under the name; it must last when this returns.
    fn write(&self, name: &str, document: &SecretString) -> io::Result<()>;

    /// Removes what is kept under the name, when something is.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// Why nothing can be taken from the file, nor written to it.
#[derive(Debug)]
pub(super) enum Problem {
    Unfit(Unfit),
    Unreadable(Unreadable),
    /// The file is another credential's.
    Misplaced,
    /// The keyring does not work.
    Vault(io::Error),
}

impl Files {
    pub(super) fn new(disk: Arc<dyn Disk>, directory: PathBuf, id: CredentialId) -> Self {
        let stem = place::stem(&id);
        Self { directory: Directory::new(Arc::clone(&disk), directory), disk, id, stem, vault: None }
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
        if stored.credential.id == self.id { Ok(Some(stored)) } else { Err(Problem::Misplaced) }
    }

    /// How what is stored is kept.
    pub(super) fn keeping(&self) -> Keeping {
        let content = self.directory.read(&self.file(), MAX_BYTES as u64);
        match content.map(|content| Stored::read(&content.bytes)) {
            Ok(Err(Unreadable::KeptElsewhere(keeping))) => keeping,
            _ => Keeping::PRIVATE_FILE,
        }
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
        let Some(vault) = &self.vault else { return self.write_file(&bytes) };
        let text = String::from_utf8(bytes).unwrap_or_default();
        vault.write(&self.stem, &text.into()).map_err(|error| self.failed("kept", error))?;
        if self.keeping() == vault.keeping() {
            return Ok(());
        }
        // The tokens leave the file only when the vault has them.
        self.write_file(&document::pointer(&self.id, vault.keeping()))
    }

    fn write_file(&self, bytes: &[u8]) -> Result<()> {
        self.directory
            .write(&self.stem, &self.file(), bytes, Durability::Lasting)
            .map_err(|error| self.failed("written", error))
    }

    /// Removes the file, and says whether it was there. Takes the lock as proof.
    pub(super) fn remove(&self, _: &FileLock) -> Result<bool> {
        if let Some(vault) = &self.vault {
            vault.remove(&self.stem).map_err(|error| self.failed("removed", error))?;
        }
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
            Self::Vault(error) => write!(f, "the keyring does not give it: {error}"),
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
