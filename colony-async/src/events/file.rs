//! The file that keeps a position. It fails closed: an unreadable file is an error, never a new beginning.

use std::{
    fmt,
    fs::TryLockError,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use colony_core::{
    Error, ErrorKind, Result,
    events::{Position, StateFile, place::DIRECTORY_VARIABLE},
    token::cache_path,
};

use crate::disk::{
    Disk, Owner, Real,
    lock::Lock,
    place,
    private::{Directory, Durability, Unfit},
};

/// The largest file that is read, in bytes: several times the size of the greatest number of remembered ids.
const LIMIT: u64 = 4 * 1024 * 1024;

/// The state file of one watch, locked until it is dropped.
///
/// Not synced against power failures: those cost repeats, never an event.
pub struct PositionFile {
    directory: Directory,
    name: String,
    account: String,
    base_url: String,
    _lock: Lock,
}

impl PositionFile {
    /// Locks and reads the file of an account at a service.
    ///
    /// # Errors
    ///
    /// [`Busy`](ErrorKind::Busy) when another watch uses it; [`Io`](ErrorKind::Io) or [`Config`](ErrorKind::Config)
    /// when it cannot be used. The message names the file.
    pub fn open(file: &StateFile, account: &str, base_url: &str) -> Result<(Self, Option<Position>)> {
        let (directory, name) = match file {
            StateFile::Account(name) => (default_directory()?, file_name(name, account)?),
            StateFile::Path(path) => named(path)?,
            _ => return Err(unusable("this kind of state file is not known")),
        };
        Self::open_on(Arc::new(Real), directory, &name, account, base_url)
    }

    /// As [`open`](Self::open), on another file system, for tests of one that fails.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_on(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        name: &str,
        account: &str,
        base_url: &str,
    ) -> Result<(Self, Option<Position>)> {
        let path = directory.join(name);
        let failed = |what: &str, error: &dyn fmt::Display| {
            Error::build(
                ErrorKind::Io,
                format!("the state file {} cannot be {what}: {error}", path.display()),
            )
            .finish()
        };
        let directory = Directory::new(disk, directory);
        directory.make().map_err(|error| failed("made", &error))?;
        let lock = match Lock::try_acquire(directory.disk(), &directory.path().join(format!("{name}.lock"))) {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => {
                let message = format!("another watch has the state file {}", path.display());
                return Err(Error::build(ErrorKind::Busy, message)
                    .hint("Stop that one, or give this one a state file of its own")
                    .finish());
            }
            Err(TryLockError::Error(error)) => return Err(failed("locked", &error)),
        };
        let position = match directory.read(&path, LIMIT) {
            Ok(content) => {
                let read = Position::from_state(&content.bytes, account, base_url);
                Some(read.map_err(|error| {
                    let message = format!("{}: {}", path.display(), error.message());
                    Error::build(ErrorKind::Config, message)
                        .hint("Move it away to start from now; events since it was written would be skipped")
                        .finish()
                })?)
            }
            Err(Unfit::Absent) => None,
            Err(unfit) => return Err(failed("read", &unfit)),
        };
        let (account, base_url) = (account.to_owned(), base_url.to_owned());
        Ok((Self { directory, name: name.to_owned(), account, base_url, _lock: lock }, position))
    }

    /// Returns the path of the file.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// Writes a position: readers see the old one or the new one, complete.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) when it cannot be written; the old one stays.
    pub fn write(&mut self, position: &Position) -> Result<()> {
        let (path, text) = (self.path(), position.to_state(&self.account, &self.base_url));
        let written = self.directory.write(&self.name, &path, text.as_bytes(), Durability::Whole);
        written.map_err(|error| {
            Error::build(ErrorKind::Io, format!("the state file {} cannot be written", path.display()))
                .source(error)
                .finish()
        })
    }
}

impl fmt::Debug for PositionFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PositionFile").field("path", &self.path()).finish_non_exhaustive()
    }
}

/// Returns the state directory.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) when there is none.
pub(crate) fn default_directory() -> Result<PathBuf> {
    let environment = cache_path::from_environment();
    let remedy = format!("name a directory with {DIRECTORY_VARIABLE}");
    let Some(directory) = environment.state else {
        return Err(unusable(&format!("there is no home directory to keep state in; {remedy}")));
    };
    place::kept(&directory, environment.names_state).map_err(|error| unusable(&format!("{error}; {remedy}")))
}

fn file_name(name: &str, account: &str) -> Result<String> {
    let is_plain = |text: &str| {
        !text.is_empty()
            && !text.starts_with('.')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match is_plain(name) && is_plain(account) {
        true => Ok(format!("{name}-{account}.json")),
        false => Err(unusable(&format!("{name:?} cannot name a state file; use letters, digits, - and _"))),
    }
}

/// Returns the directory and name of an explicitly named file. Permissions of its directory are not changed.
fn named(path: &Path) -> Result<(PathBuf, String)> {
    let refused = |why: String| unusable(&format!("the state file {} cannot be used: {why}", path.display()));
    let whole = std::path::absolute(path).map_err(|error| refused(error.to_string()))?;
    let name =
        whole.file_name().and_then(|name| name.to_str()).ok_or_else(|| refused("it has no name".into()))?;
    let directory = whole.parent().unwrap_or(Path::new("/"));
    let directory = std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    match Real.facts(&directory) {
        Ok(facts) if facts.owner == Owner::Us && facts.mode & 0o022 != 0 && facts.mode & 0o1000 == 0 => {
            Err(refused(format!(
                "others can write in {0}; use another directory, or chmod go-w {0}",
                directory.display()
            )))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(error.to_string())),
        _ => Ok((directory, name.to_owned())),
    }
}

fn unusable(why: &str) -> Error {
    Error::build(ErrorKind::Config, why).finish()
}
