//! The lock file: which process may log in.
//!
//! The lock saves work and promises nothing more: it is advisory, does not reach across every network
//! mount, and some systems have none. Whoever cannot have it goes on without it. The file is never
//! deleted: a process that waits for the old file and one that makes a new one would both hold "the"
//! lock.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

/// The lock, held until dropped.
pub(crate) struct FileLock {
    file: fd_lock::RwLock<File>,
}

/// What [`FileLock::try_acquire`] found.
pub(crate) enum Attempt {
    /// The lock is ours.
    Held(FileLock),
    /// Another process holds it.
    Taken,
    /// There is no locking here; the reason is for the log.
    Unavailable(io::Error),
}

impl FileLock {
    /// Tries to take the lock without waiting. Makes the file if it is not there.
    pub(crate) fn try_acquire(path: &Path) -> Attempt {
        let mut file = match open(path) {
            Ok(file) => fd_lock::RwLock::new(file),
            Err(error) => return Attempt::Unavailable(error),
        };
        let taken = retry_interrupted(|| {
            file.try_write().map(|guard| {
                sign(&guard);
                // The guard borrows the file and cannot be kept beside it. Forgotten, it leaves the lock in
                // place until `drop` below gives it up.
                std::mem::forget(guard);
            })
        });
        match taken {
            Ok(()) => Attempt::Held(Self { file }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Attempt::Taken,
            Err(error) => Attempt::Unavailable(error),
        }
    }
}

/// Writes who holds the lock, for `colony auth status` and for people. Nothing depends on it.
fn sign(mut file: &File) {
    let _ = file.set_len(0);
    let _ = file.rewind();
    let _ = writeln!(file, "{}", std::process::id());
}

fn retry_interrupted<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Unlocking by name, not only by closing: a child forked meanwhile has a copy of the descriptor,
        // and closing ours would leave the lock with it.
        // The holder is given the lock again at once; where it is not (Windows), closing does it.
        if let Ok(guard) = self.file.try_write() {
            let _ = guard.set_len(0);
            drop(guard);
        }
    }
}

/// The process that signed the lock file, when somebody holds the lock at this moment.
pub(crate) fn holder(path: &Path) -> Option<Option<u32>> {
    let file = open_existing(path).ok()?;
    let mut text = String::new();
    let read = (&file).take(64).read_to_string(&mut text);
    let mut lock = fd_lock::RwLock::new(file);
    match lock.try_write() {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Some(read.ok().and_then(|_| text.trim().parse().ok()))
        }
        _ => None,
    }
}

fn open(path: &Path) -> io::Result<File> {
    checked(options().create(true).open(path)?)
}

fn open_existing(path: &Path) -> io::Result<File> {
    checked(options().open(path)?)
}

/// An exclusive lock on NFS needs a descriptor that may write.
fn options() -> OpenOptions {
    let mut options = super::private::options();
    options.write(true);
    options
}

/// The lock is written to, so it must not be another file by a second name, nor somebody else's. Its mode
/// does not matter: it holds nothing.
fn checked(file: File) -> io::Result<File> {
    let metadata = file.metadata()?;
    let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    if !metadata.is_file() {
        return refused("the lock is not a regular file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return refused("the lock belongs to another user");
        }
        if metadata.nlink() != 1 {
            return refused("the lock has a second name");
        }
    }
    Ok(file)
}
