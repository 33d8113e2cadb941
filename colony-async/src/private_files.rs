//! Small files that are private to one user, for the programs of this SDK: profiles and keys of the command line.
//!
//! Not part of the public interface: it changes without notice.
//!
//! They follow the rules of the token's file: a directory that belongs to this user alone (0700), a regular file of
//! this user (0600, one name, no link, at most 64 KiB), and a write that readers see completely or not at all, which
//! has reached the disk when it returns.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::SecretSlice;

use crate::disk::{
    Disk, Real, place,
    private::{Directory, Durability, Unfit, temporary},
};

/// Returns the directory to use for private files that must not be lost, given the requested one.
///
/// # Errors
///
/// When it does not exist and its nearest existing ancestor belongs to another user.
pub fn directory(path: &Path, is_explicit: bool) -> io::Result<PathBuf> {
    Ok(place::kept(path, is_explicit)?)
}

/// The largest file that is read, in bytes.
const LIMIT: u64 = 64 * 1024;

/// A directory of private files, created by the first write. Calls block briefly.
///
/// ```
/// use colony_async::private_files::PrivateFiles;
/// use secrecy::ExposeSecret;
///
/// let directory = tempfile::tempdir()?;
/// let files = PrivateFiles::new(directory.path().join("keys"));
/// assert!(files.read("default.key")?.is_none());
/// files.write("default.key", b"col_key")?;
/// assert_eq!(files.read("default.key")?.unwrap().expose_secret(), b"col_key");
/// assert_eq!(files.names()?, ["default.key"]);
/// assert!(files.remove("default.key")?);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PrivateFiles {
    directory: Directory,
}

impl PrivateFiles {
    /// Creates a handle to the files in a directory. A relative path is resolved against the current working
    /// directory now.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self::on(Arc::new(Real), place::given(&directory.into()))
    }

    /// As [`new`](Self::new), on another file system, for tests of one that fails.
    pub fn on(disk: Arc<dyn Disk>, directory: impl Into<PathBuf>) -> Self {
        Self { directory: Directory::new(disk, directory.into()) }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the path of a file, which may not exist.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Creates the directory, or checks that it can be written to safely.
    ///
    /// # Errors
    ///
    /// When it cannot be created, or is accessible to other users.
    pub fn make(&self) -> io::Result<()> {
        self.directory.make()
    }

    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read or trusted. The message names it and the reason.
    pub fn read(&self, name: &str) -> io::Result<Option<SecretSlice<u8>>> {
        let path = self.path(name);
        let read = match self.directory.read(&path, LIMIT) {
            // The read above has closed the directory to others. Files that they put there before are refused because
            // of their owner, one by one.
            Err(Unfit::LooseDirectory) => self.directory.read(&path, LIMIT),
            read => read,
        };
        match read {
            Ok(content) => Ok(Some(content.bytes.into())),
            Err(Unfit::Absent) => Ok(None),
            Err(unfit) => Err(told(&path, &unfit)),
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    ///
    /// When it cannot be written. The old one stays, and the message names it.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let written = self.directory.write(name, &path, content, Durability::Lasting);
        written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Removes a file, and returns whether it existed.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<bool> {
        let path = self.path(name);
        let removed = self.directory.remove(&path);
        removed.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    /// Returns the names of the files, in order, without temporary files.
    ///
    /// # Errors
    ///
    /// When the directory exists and cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = match self.directory.disk().list(self.directory.path()) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        names.retain(|name| !temporary::is_one(name));
        let mut names: Vec<String> = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        Ok(names)
    }
}

fn told(path: &Path, unfit: &Unfit) -> io::Error {
    let remedy = match unfit {
        Unfit::OpenToOthers => "; if its content is yours, close it (chmod 600)",
        Unfit::Link | Unfit::HardLinked | Unfit::NotRegular => "; put a regular file of its own in its place",
        Unfit::ForeignOwner => "; it is not used, because others may have written it",
        _ => "",
    };
    let kind = match unfit {
        Unfit::Io(error) => error.kind(),
        _ => io::ErrorKind::PermissionDenied,
    };
    io::Error::new(kind, format!("{}: {unfit}{remedy}", path.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn files_and_their_directory_are_private_whatever_was_there() {
        let base = tempfile::tempdir().unwrap();
        let files = PrivateFiles::new(base.path().join("a/b"));
        files.write("x", b"1").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(files.directory()), mode(&files.path("x"))), (0o700, 0o600));
        std::fs::set_permissions(files.path("x"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = files.read("x").unwrap_err().to_string();
        assert!(error.contains("chmod 600") && error.contains("/x"), "{error}");
        files.write("x", b"2").unwrap();
        assert_eq!(files.read("x").unwrap().unwrap().expose_secret(), b"2");
        assert_eq!(mode(&files.path("x")), 0o600);
        std::fs::set_permissions(files.directory(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(files.read("x").unwrap().unwrap().expose_secret(), b"2");
        assert_eq!(mode(files.directory()), 0o700, "closed by the check");
        symlink(files.path("x"), files.path("y")).unwrap();
        assert!(files.read("y").unwrap_err().to_string().contains("link"));
        assert_eq!(files.names().unwrap(), ["x", "y"]);
        assert!(!files.remove("z").unwrap());
    }
}
