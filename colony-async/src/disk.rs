//! The file system of the shared files. Every file operation goes through [`Disk`], so that tests can make each one
//! fail, and can simulate many processes.
//!
//! Not part of the public interface: it changes without notice.
//!
//! Built on it: `private::Directory` reads and writes files that only this user can access, `lock::Lock` decides
//! which process may act, and `waiting` waits for it.

#[cfg(unix)]
mod at;
pub(crate) mod lock;
pub(crate) mod place;
pub(crate) mod private;
mod real;
#[cfg(test)]
mod tests;
pub(crate) mod waiting;

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

pub use real::Real;

/// A file system. All calls block briefly; none waits for another process.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Returns the facts about a path; a link is not followed.
    ///
    /// # Errors
    ///
    /// The system's error, in all other methods here as well.
    fn facts(&self, path: &Path) -> io::Result<Facts>;

    /// Creates a directory and its parents, with no access for others from the beginning. An existing directory is no
    /// error.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Sets the permissions of a directory that belongs to this user.
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Opens a file. Links are not followed, neither for the file nor for its directory, and opening a pipe does not
    /// wait for its other end.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>>;

    /// Creates a new file, private from its creation, with a unique name: the prefix, random characters and `.tmp`.
    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)>;

    /// Renames a file within its directory atomically, replacing a file of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name, which must be free.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns the names in a directory.
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>>;

    /// Makes sure that the names in a directory survive a power failure.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Appends these bytes to a file of this user in one piece; a missing file is created, private. The default does
    /// nothing.
    fn append(&self, _path: &Path, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    /// Waits for the moment that another program takes to finish a write in place.
    fn pause(&self, duration: Duration);
}

/// An open file.
pub trait OpenFile: Send {
    /// Returns the facts about the opened file, even if its name now refers to another.
    ///
    /// # Errors
    ///
    /// The system's error, in all other methods here as well.
    fn facts(&self) -> io::Result<Facts>;

    /// Reads at most `limit` bytes from the beginning.
    fn read(&mut self, limit: u64) -> io::Result<Vec<u8>>;

    /// Reads at most `limit` bytes from this offset. Windows refuses to read a byte that is locked.
    fn read_from(&mut self, offset: usize, limit: u64) -> io::Result<Vec<u8>> {
        Ok(self.read(limit.saturating_add(offset as u64))?.into_iter().skip(offset).collect())
    }

    /// Replaces the content with these bytes. Not atomic.
    fn write(&mut self, content: &[u8]) -> io::Result<()>;

    /// Overwrites the beginning of the content with these bytes.
    fn write_over(&mut self, start: &[u8]) -> io::Result<()> {
        let mut content = self.read(1 << 16)?;
        content.splice(..start.len().min(content.len()), start.iter().copied());
        self.write(&content)
    }

    /// Makes sure that the content survives a power failure.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes the lock, or fails with [`WouldBlock`](io::ErrorKind::WouldBlock) if another open file of the same name
    /// has it. It is held until [`unlock`](Self::unlock) or the end of the process; dropping this file releases it
    /// unless a forked child has a copy.
    fn try_lock(&mut self) -> io::Result<()>;

    /// Releases the lock.
    fn unlock(&mut self) -> io::Result<()>;
}

/// The purpose for which a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For reading.
    Read,
    /// For locking: for reading and writing. A missing file is created, private.
    Lock,
    /// As [`Lock`](Self::Lock), but only if the file exists.
    LockIfThere,
}

/// The facts about a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// Its kind.
    pub kind: Kind,
    /// Its permission bits; 0700 or 0600 on systems without them.
    pub mode: u32,
    /// Its owner.
    pub owner: Owner,
    /// How many names it has.
    pub links: u64,
    /// Its length in bytes.
    pub len: u64,
    /// When it was last written, Unix seconds.
    pub modified: f64,
    /// Its identity.
    pub stamp: Stamp,
}

/// Distinguishes a file from every other one, and from itself after a change. Times are nanoseconds since 1970;
/// values that a system does not provide are zero or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The file system it is on. Can change with a reboot.
    pub device: u64,
    /// Its number there.
    pub inode: Option<u64>,
    /// Its length in bytes.
    pub len: u64,
    /// When its content was changed.
    pub modified: i128,
    /// When its content or its attributes were changed.
    pub changed: i128,
    /// When it was created.
    pub born: Option<i128>,
}

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// The owner of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The user of this process.
    Us,
    /// The system.
    Root,
    /// Another user.
    Other,
}

/// Repeats an operation that a signal interrupted.
pub(crate) fn uninterrupted<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
