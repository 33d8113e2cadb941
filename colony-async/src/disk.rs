//! The file system as the shared files need it: every file operation goes through [`Disk`], so that each one
//! can be made to fail, and whole crowds of processes be played, in tests.
//!
//! Not part of the public interface: it changes without notice.
//!
//! What is built on it: `private::Directory` reads and writes files that are to be ours alone,
//! `lock::Lock` says which process may act, and `waiting` waits for it.

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

/// A file system. All calls are blocking and quick; none waits for another process.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// What is at this path; a link is not followed.
    ///
    /// # Errors
    ///
    /// What the system says, also in all other methods here.
    fn facts(&self, path: &Path) -> io::Result<Facts>;

    /// Makes a directory and its parents, closed to everybody else from the beginning. One that is there
    /// already is no error.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Sets the permissions of a directory of ours.
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Opens a file. Links are not followed, also where the file's directory should be, and nobody waits for
    /// the other end of a pipe.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>>;

    /// Makes a new file, private from its creation, with a name that nobody has: the prefix, something
    /// random, `.tmp`.
    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)>;

    /// Renames a file within its directory atomically, replacing a file of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name, which nothing must have.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory.
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>>;

    /// Makes sure that the names in a directory outlive a power cut.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Adds these bytes to the end of a file of ours, in one piece; it is made, private, if it is not there. Does
    /// nothing unless told otherwise.
    fn append(&self, _path: &Path, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    /// Waits, for the moment that another program takes to end a write in place.
    fn pause(&self, duration: Duration);
}

/// An open file.
pub trait OpenFile: Send {
    /// What was opened, whatever its name may mean by now.
    ///
    /// # Errors
    ///
    /// What the system says, also in all other methods here.
    fn facts(&self) -> io::Result<Facts>;

    /// Reads at most `limit` bytes from the beginning.
    fn read(&mut self, limit: u64) -> io::Result<Vec<u8>>;

    /// Reads at most `limit` bytes from this offset. Windows refuses to read a byte that is locked.
    fn read_from(&mut self, offset: usize, limit: u64) -> io::Result<Vec<u8>> {
        Ok(self.read(limit.saturating_add(offset as u64))?.into_iter().skip(offset).collect())
    }

    /// Puts these bytes in the place of the content. Not atomic.
    fn write(&mut self, content: &[u8]) -> io::Result<()>;

    /// Puts these bytes over the first ones of the content.
    fn write_over(&mut self, start: &[u8]) -> io::Result<()> {
        let mut content = self.read(1 << 16)?;
        content.splice(..start.len().min(content.len()), start.iter().copied());
        self.write(&content)
    }

    /// Makes sure that the content outlives a power cut.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes the lock, which another open file of the same name may have: then
    /// [`WouldBlock`](io::ErrorKind::WouldBlock). It is held until [`unlock`](Self::unlock) or the end of
    /// the process; dropping this file gives it up unless a forked child has a copy.
    fn try_lock(&mut self) -> io::Result<()>;

    /// Releases the lock.
    fn unlock(&mut self) -> io::Result<()>;
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For reading.
    Read,
    /// For locking: for reading and writing. It is made, private, if it is not there.
    Lock,
    /// As [`Lock`](Self::Lock), but only if it is there.
    LockIfThere,
}

/// What there is to know of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// What it is.
    pub kind: Kind,
    /// Its permission bits; 0700 or 0600 where there are none.
    pub mode: u32,
    /// Whose it is.
    pub owner: Owner,
    /// How many names it has.
    pub links: u64,
    /// How long it is, in bytes.
    pub len: u64,
    /// When it was last written, Unix seconds.
    pub modified: f64,
    /// What tells it from others.
    pub stamp: Stamp,
}

/// Tells a file from every other one, and from itself once it was changed. Times are nanoseconds since 1970; what
/// a system does not say is zero or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The file system it is on. May be another after a reboot.
    pub device: u64,
    /// Its number there.
    pub inode: Option<u64>,
    /// How long it is, in bytes.
    pub len: u64,
    /// When its content was changed.
    pub modified: i128,
    /// When its content or its attributes were changed.
    pub changed: i128,
    /// When it was created.
    pub born: Option<i128>,
}

/// What a path leads to.
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

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The user of this process.
    Us,
    /// The system's.
    Root,
    /// Somebody else.
    Other,
}

/// Does it again when a signal came in between.
pub(crate) fn uninterrupted<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
