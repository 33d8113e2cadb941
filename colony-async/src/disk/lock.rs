//! The lock file: which process may act.
//!
//! A lock is advisory, does not reach across every network mount, and some systems have none. What that
//! means is for its users to say: the login goes on without one, the rotation of a credential does not.
//! The file is never deleted: a process that waits for the old file and one that makes a new one would
//! both hold "the" lock.

use std::{fmt, io, path::Path};

use super::{Access, Disk, Kind, OpenFile, Owner, uninterrupted};

/// The lock, held until dropped.
pub(crate) struct FileLock {
    file: Box<dyn OpenFile>,
    /// Whether the file holds our signature, which goes with the lock.
    signed: bool,
}

/// What [`FileLock::try_acquire`] found.
#[derive(Debug)]
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
    pub(crate) fn try_acquire(disk: &dyn Disk, path: &Path) -> Attempt {
        match acquire(disk, path, Access::Lock) {
            Ok(lock) => Attempt::Held(lock),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Attempt::Taken,
            Err(error) => Attempt::Unavailable(error),
        }
    }
}

fn acquire(disk: &dyn Disk, path: &Path, access: Access) -> io::Result<FileLock> {
    let mut file = uninterrupted(|| disk.open(path, access))?;
    check(&*file)?;
    uninterrupted(|| file.try_lock())?;
    let mut lock = FileLock { file, signed: false };
    // Who holds the lock, for `colony auth status` and for people. Nothing depends on it, so nothing else
    // than a signature is ever written over: what was opened may have been another file that had the lock's
    // name for a moment.
    if lock.file.read(LONGEST_SIGNATURE + 1).is_ok_and(|text| is_signature(&text)) {
        lock.signed = true;
        let _ = lock.file.write(format!("{}\n", std::process::id()).as_bytes());
    }
    Ok(lock)
}

/// Whether this is what a holder writes, or a part of it.
fn is_signature(text: &[u8]) -> bool {
    text.len() as u64 <= LONGEST_SIGNATURE && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'\n')
}

/// A process id and a line break are shorter, in bytes.
const LONGEST_SIGNATURE: u64 = 64;

impl fmt::Debug for FileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileLock")
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // While it is still ours: afterwards the next holder may have signed.
        if self.signed {
            let _ = self.file.write(b"");
        }
        let _ = uninterrupted(|| self.file.unlock());
    }
}

/// The process that signed the lock file, when somebody holds the lock at this moment.
pub(crate) fn holder(disk: &dyn Disk, path: &Path) -> Option<Option<u32>> {
    let mut file = uninterrupted(|| disk.open(path, Access::LockIfThere)).ok()?;
    check(&*file).ok()?;
    let text = file.read(LONGEST_SIGNATURE);
    match uninterrupted(|| file.try_lock()) {
        // On Windows what is locked cannot be read: then somebody holds it, and nobody knows who.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Some(text.ok().and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok()))
        }
        taken => {
            if taken.is_ok() {
                let _ = file.unlock();
            }
            None
        }
    }
}

/// The lock is written to, so it must not be another file by a second name, nor somebody else's. Its mode
/// does not matter: it holds nothing.
fn check(file: &dyn OpenFile) -> io::Result<()> {
    let facts = uninterrupted(|| file.facts())?;
    let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    match facts {
        facts if facts.kind != Kind::File => refused("the lock is not a regular file"),
        facts if facts.owner != Owner::Us => refused("the lock belongs to another user"),
        facts if facts.links != 1 => refused("the lock has a second name"),
        _ => Ok(()),
    }
}
