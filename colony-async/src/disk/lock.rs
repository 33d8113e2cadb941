//! The lock file, which decides which process may act.
//!
//! A lock is advisory, does not work across every network mount, and some systems have none. Its users decide what
//! that means: the login goes on without a lock, the rotation of a credential does not. The file is never deleted: a
//! process that waits for the old file and one that creates a new one would both hold "the" lock.

use std::{
    fmt,
    fs::TryLockError,
    io,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{Access, Disk, Kind, OpenFile, Owner, uninterrupted};

/// The lock, held until dropped.
pub(crate) struct Lock(Mutex<Inner>);

struct Inner {
    file: Box<dyn OpenFile>,
    /// Whether the file contains this process's announcement, which is removed with the lock.
    signed: bool,
    renewals: u32,
}

/// A holder's announcement in the lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// Its process id.
    pub(crate) process: u32,
    /// How long it may still be working, from the time of the announcement.
    pub(crate) left: Duration,
    /// How often it has announced itself.
    renewals: u32,
}

impl Lock {
    /// Tries to take the lock without waiting. Creates the file if it does not exist.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when another process holds it, otherwise the reason why locking is not available.
    pub(crate) fn try_acquire(disk: &dyn Disk, path: &Path) -> Result<Self, TryLockError> {
        acquire(disk, path, Access::Lock).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => TryLockError::WouldBlock,
            _ => TryLockError::Error(error),
        })
    }
}

fn acquire(disk: &dyn Disk, path: &Path, access: Access) -> io::Result<Lock> {
    let mut file = uninterrupted(|| disk.open(path, access))?;
    check(&*file)?;
    uninterrupted(|| file.try_lock())?;
    // Only an announcement is ever overwritten: the opened file may have been another one that had the lock's name
    // for a moment.
    let signed = file.read(LONGEST_TEXT + 1).is_ok_and(|text| is_announcement(&text));
    let lock = Lock(Mutex::new(Inner { file, signed, renewals: 0 }));
    lock.announce(FILE_WORK);
    Ok(lock)
}

impl Lock {
    /// Announces to waiting processes how long the holder may still be working. This is not a promise: a holder that
    /// is stopped for longer finds that others continued without it.
    pub(crate) fn announce(&self, left: Duration) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.signed {
            let renewals = inner.renewals;
            let text = Announcement { process: std::process::id(), left, renewals }.write();
            let _ = inner.file.write_over(text.as_bytes());
            inner.renewals = renewals.wrapping_add(1);
        }
    }
}

impl Announcement {
    #[cfg(test)]
    pub(super) fn for_test(process: u32, left: Duration, renewals: u32) -> Self {
        Self { process, left, renewals }
    }

    /// Formats a filler, which is never read because Windows does not let others read the locked byte, and three
    /// numbers of a fixed width.
    fn write(&self) -> String {
        let left = u32::try_from(self.left.as_millis()).unwrap_or(u32::MAX);
        format!("0{:010}\n{left:010}\n{:010}\n", self.process, self.renewals)
    }

    /// Parses the text after the filler. `None` if it is empty, torn, or of another version.
    fn read(text: &[u8]) -> Option<Self> {
        if text.len() != 33 {
            return None;
        }
        let mut numbers = std::str::from_utf8(text).ok()?.split_terminator('\n');
        let mut number = || numbers.next().filter(|digits| digits.len() == 10)?.parse::<u32>().ok();
        let (process, left, renewals) = (number()?, number()?, number()?);
        Some(Self { process, left: Duration::from_millis(left.into()), renewals })
    }
}

/// Returns whether this is an announcement, or a part of one.
fn is_announcement(text: &[u8]) -> bool {
    text.len() as u64 <= LONGEST_TEXT && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'\n')
}

/// The limit of an announcement, in bytes; each is shorter.
const LONGEST_TEXT: u64 = 64;

/// How long the work on files beside the lock may take.
pub(crate) const FILE_WORK: Duration = Duration::from_secs(5);
/// How long after the limit of its request a holder announces that it is still working.
pub(crate) const ANSWER_GRACE: Duration = Duration::from_secs(2);

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let inner = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Only while this process holds the lock: afterwards, the next holder may have written its own announcement.
        if inner.signed {
            let _ = inner.file.write(b"");
        }
        let _ = uninterrupted(|| inner.file.unlock());
    }
}

/// Returns the announcement of the lock's holder, or one left by a killed holder.
pub(crate) fn announcement(disk: &dyn Disk, path: &Path) -> Option<Announcement> {
    let mut file = uninterrupted(|| disk.open(path, Access::LockIfThere)).ok()?;
    Announcement::read(&file.read_from(1, LONGEST_TEXT).ok()?)
}

/// Returns the process that announced itself in the lock file; the outer `None` if the lock is free.
pub(crate) fn holder(disk: &dyn Disk, path: &Path) -> Option<Option<u32>> {
    let mut file = uninterrupted(|| disk.open(path, Access::LockIfThere)).ok()?;
    check(&*file).ok()?;
    let text = file.read_from(1, LONGEST_TEXT);
    match uninterrupted(|| file.try_lock()) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Some(text.ok().and_then(|text| Announcement::read(&text)).map(|announced| announced.process))
        }
        taken => {
            if taken.is_ok() {
                let _ = file.unlock();
            }
            None
        }
    }
}

/// Checks the lock file. It is written to, so it must have only one name and belong to this user. Its mode does not
/// matter: it contains no secret.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_has_a_fixed_width_and_is_read_from_the_second_byte() {
        for (process, left, renewals) in [(1, 0, 0), (u32::MAX, 35_000, u32::MAX)] {
            let announced = Announcement { process, left: Duration::from_millis(left), renewals };
            let text = announced.write();
            assert_eq!(text.len(), 34);
            assert!(is_announcement(text.as_bytes()));
            assert_eq!(Announcement::read(&text.as_bytes()[1..]), Some(announced));
        }
        let long = Announcement { process: 1, left: Duration::MAX, renewals: 0 }.write();
        assert_eq!(long.len(), 34);
    }

    #[test]
    fn empty_torn_or_other_text_announces_nothing() {
        let whole = Announcement { process: 7, left: Duration::from_secs(1), renewals: 3 }.write();
        for end in 0..33 {
            assert_eq!(Announcement::read(&whole.as_bytes()[1..=end]), None, "{end}");
        }
        for other in ["12345\n", "000000000a\n0000000000\n0000000000\n", &"1".repeat(33)] {
            assert_eq!(Announcement::read(other.as_bytes()), None, "{other}");
        }
    }
}
