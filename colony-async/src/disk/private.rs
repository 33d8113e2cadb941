//! Files that only this user can access, in a directory of the same kind: nothing is written in place, no link is
//! followed, and no file is read that others could have put there.

use std::{
    ffi::OsStr,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use colony_core::openid::audience::Audience;

use super::{Access, Disk, Facts, Kind, OpenFile, Owner, Stamp, uninterrupted};
use crate::journal;

/// A temporary file that is older than the file just written by this many seconds was left behind by a killed
/// process: no write takes so long.
const LEFT_BEHIND: f64 = 600.0;

/// A directory for private files.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

/// The content of a trusted file.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    /// When the file was written, Unix seconds.
    pub(crate) written_at: f64,
    /// The state of the file, to detect later changes.
    pub(crate) stamp: Stamp,
}

/// The reason why a file is not read.
#[derive(Debug)]
pub(crate) enum Unfit {
    Absent,
    Link,
    NotRegular,
    ForeignOwner,
    OpenToOthers,
    HardLinked,
    LooseDirectory,
    TooLarge,
    Io(io::Error),
}

/// Whether written content must survive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The content is either the new or the old one, complete. After a power failure it can be either.
    Whole,
    /// In addition, it is the new one once the write has returned.
    #[allow(dead_code, reason = "for data that cannot be obtained again")]
    Lasting,
}

impl Directory {
    pub(crate) fn new(disk: Arc<dyn Disk>, path: PathBuf) -> Self {
        Self { disk, path }
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line to the log of this directory, if others cannot write in the directory.
    pub(crate) fn log(&self, now: f64, name: &str, audience: Option<&Audience>, event: &journal::Event<'_>) {
        if self.check().is_ok() {
            journal::write(self.disk(), &self.path, now, name, audience, event);
        }
    }

    /// Reads a small file.
    pub(crate) fn read(&self, path: &Path, limit: u64) -> Result<Content, Unfit> {
        self.check()?;
        let mut file = uninterrupted(|| self.disk.open(path, Access::Read)).map_err(unfit)?;
        // Check the opened file, not its name, which may now refer to another one.
        let facts = uninterrupted(|| file.facts()).map_err(Unfit::Io)?;
        check_file(&facts)?;
        if facts.len > limit {
            return Err(Unfit::TooLarge);
        }
        // One byte more than allowed, so that a file that grew meanwhile is detected as too large.
        let bytes = uninterrupted(|| file.read(limit + 1)).map_err(Unfit::Io)?;
        if bytes.len() as u64 > limit {
            return Err(Unfit::TooLarge);
        }
        Ok(Content { bytes, written_at: facts.modified, stamp: facts.stamp })
    }

    /// Writes a file by creating a new one beside it and renaming it: readers see the old content or the new, never a
    /// part. The new file is private (0600) from its creation, and is named `.<name>.<random>.tmp` until it is
    /// complete.
    pub(crate) fn write(
        &self,
        name: &str,
        path: &Path,
        content: &[u8],
        durability: Durability,
    ) -> io::Result<()> {
        self.make()?;
        let prefix = format!(".{name}.");
        let (temporary, mut file) = uninterrupted(|| self.disk.create_temporary(&self.path, &prefix))?;
        let temporary = Temporary { disk: &*self.disk, path: temporary };
        let written_at = self.fill(&mut *file, content)?;
        // Windows does not rename a file that is open.
        drop(file);
        uninterrupted(|| self.disk.rename(&temporary.path, path))?;
        std::mem::forget(temporary);
        if durability == Durability::Lasting {
            uninterrupted(|| self.disk.sync_directory(&self.path))?;
        }
        self.sweep(&prefix, written_at);
        Ok(())
    }

    fn fill(&self, file: &mut dyn OpenFile, content: &[u8]) -> io::Result<f64> {
        uninterrupted(|| file.write(content))?;
        uninterrupted(|| file.sync())?;
        Ok(file.facts().map_or(f64::NEG_INFINITY, |facts| facts.modified))
    }

    /// Removes temporary files left behind by killed processes.
    fn sweep(&self, prefix: &str, now: f64) {
        for name in self.disk.list(&self.path).unwrap_or_default() {
            if !temporary::is_one(&name) || !name.to_str().is_some_and(|name| name.starts_with(prefix)) {
                continue;
            }
            let path = self.path.join(&name);
            let old = self.disk.facts(&path).is_ok_and(|facts| facts.modified < now - LEFT_BEHIND);
            if old {
                let _ = self.disk.remove(&path);
            }
        }
    }

    /// Removes a file, and returns whether it existed.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<bool> {
        temporary::remove(&*self.disk, path)
    }

    /// Returns an unused path in the directory, named so that a later [`write`](Self::write) removes it as a
    /// temporary file.
    pub(crate) fn aside(&self, name: &str) -> PathBuf {
        self.path.join(format!(".{name}.{:016x}.tmp", fastrand::u64(..)))
    }

    /// Creates the directory, or checks that it can be written to safely.
    pub(crate) fn make(&self) -> io::Result<()> {
        uninterrupted(|| self.disk.create_directory(&self.path))?;
        match self.check() {
            // The check has closed it to others, so it can be written to now.
            Ok(()) | Err(Unfit::LooseDirectory) => Ok(()),
            Err(Unfit::Io(error)) => Err(error),
            Err(unfit) => Err(io::Error::new(io::ErrorKind::PermissionDenied, unfit.to_string())),
        }
    }

    /// Checks the directory. One in which others can replace files is not trusted. If it belongs to this user, it is
    /// closed to others, and trusted from the next time on.
    pub(crate) fn check(&self) -> Result<(), Unfit> {
        let facts = uninterrupted(|| self.disk.facts(&self.path)).map_err(unfit)?;
        match facts.kind {
            Kind::Directory => {}
            Kind::Link => return Err(Unfit::Link),
            _ => return Err(Unfit::NotRegular),
        }
        let sticky = facts.mode & 0o1000 != 0;
        if facts.mode & 0o022 == 0 || sticky {
            // In a sticky directory (like /tmp) others cannot replace this user's files, and files of other users are
            // refused one by one.
            let fit = facts.owner != Owner::Other || sticky;
            return if fit { Ok(()) } else { Err(Unfit::ForeignOwner) };
        }
        if facts.owner != Owner::Us {
            return Err(Unfit::ForeignOwner);
        }
        uninterrupted(|| self.disk.set_mode(&self.path, facts.mode & 0o700)).map_err(Unfit::Io)?;
        Err(Unfit::LooseDirectory)
    }
}

/// A temporary file, removed when this is dropped.
struct Temporary<'d> {
    disk: &'d dyn Disk,
    path: PathBuf,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let _ = uninterrupted(|| self.disk.remove(&self.path));
    }
}

fn check_file(facts: &Facts) -> Result<(), Unfit> {
    match facts {
        facts if facts.kind != Kind::File => Err(Unfit::NotRegular),
        facts if facts.owner != Owner::Us => Err(Unfit::ForeignOwner),
        facts if facts.mode & 0o077 != 0 => Err(Unfit::OpenToOthers),
        // Zero is fine: since it was opened, a writer has put a newer file in its place.
        facts if facts.links > 1 => Err(Unfit::HardLinked),
        _ => Ok(()),
    }
}

fn unfit(error: io::Error) -> Unfit {
    if error.kind() == io::ErrorKind::NotFound {
        return Unfit::Absent;
    }
    #[cfg(not(unix))]
    if error.kind() == io::ErrorKind::InvalidInput {
        return Unfit::Link;
    }
    #[cfg(unix)]
    match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => return Unfit::Link,
        Some(code) if code == super::at::SECOND_NAME.raw_os_error() => return Unfit::HardLinked,
        // The error for opening a socket or a device without a driver.
        Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => return Unfit::NotRegular,
        _ => {}
    }
    Unfit::Io(error)
}

impl Unfit {
    /// Returns a short reason for the log.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Link => "link",
            Self::NotRegular => "not_a_regular_file",
            Self::ForeignOwner => "foreign_owner",
            Self::OpenToOthers => "open_to_others",
            Self::HardLinked => "hard_linked",
            Self::LooseDirectory => "loose_directory",
            Self::TooLarge => "too_large",
            Self::Io(_) => "io",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no file"),
            Self::Link => f.write_str("the file is a link"),
            Self::NotRegular => f.write_str("it is not a regular file"),
            Self::ForeignOwner => f.write_str("it belongs to another user"),
            Self::OpenToOthers => f.write_str("it is open to group or others"),
            Self::HardLinked => f.write_str("the file has a second name"),
            Self::LooseDirectory => f.write_str("others could write in its directory"),
            Self::TooLarge => f.write_str("the file is too large"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// Incomplete files, `.<name>.<random>.tmp`, some of them left by killed writers.
pub(crate) mod temporary {
    use super::*;

    /// Returns whether a name is that of a temporary file.
    pub(crate) fn is_one(name: &OsStr) -> bool {
        name.to_str().is_some_and(|text| name_in(text).is_some())
    }

    /// Returns the name that the complete file would have, without its extension.
    pub(crate) fn name(temporary: &str) -> Option<&str> {
        name_in(temporary)?.rsplit_once('.').map(|(name, _)| name)
    }

    fn name_in(temporary: &str) -> Option<&str> {
        temporary.strip_prefix('.')?.strip_suffix(".tmp")
    }

    /// Removes a file, and returns whether it existed.
    pub(crate) fn remove(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
        match uninterrupted(|| disk.remove(path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
