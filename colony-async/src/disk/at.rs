//! Accesses files by their names in an open directory. The directory of a path is opened first, and must not be a
//! link: if it was replaced by a link since it was checked, the link is not followed, neither for reading nor for
//! writing.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags},
    io::Errno,
};

use super::Access;

/// Opens a directory that is not a link; the path above it can contain links.
pub(super) fn directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // A link is not a directory.
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR => Errno::LOOP,
        other => other,
    })?;
    // Check the opened file, not its earlier name. In a sticky directory others cannot replace this user's files.
    let facts = rustix::fs::fstat(&opened)?;
    let is_ours = facts.st_uid == 0 || facts.st_uid == rustix::process::geteuid().as_raw();
    if is_ours || Mode::from_raw_mode(facts.st_mode).contains(Mode::SVTX) {
        return Ok(opened);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "its directory belongs to another user"))
}

/// Opens the directory of a path, and returns the name in it.
fn at(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
    };
    Ok((directory(parent)?, name))
}

/// Opens a file that has only this name. If it is created, it is private from its creation.
///
/// The opened file is compared with the one that has the name now: a file that had the name only at the moment of
/// opening belongs to another user, and its other name may be gone by the time its links are counted. If a writer
/// replaced the file meanwhile, it is opened again.
pub(super) fn open(path: &Path, access: Access) -> io::Result<File> {
    let (parent, name) = at(path)?;
    let flags = match access {
        Access::Read => OFlags::RDONLY,
        // An exclusive lock on NFS needs a writable descriptor.
        Access::LockIfThere => OFlags::RDWR,
        Access::Lock => OFlags::RDWR | OFlags::CREATE,
    };
    for _ in 0..TRIES {
        // Do not wait for the other end of a pipe.
        let file = open_at(&parent, name, flags | OFlags::NONBLOCK)?;
        let opened = rustix::fs::fstat(&file)?;
        let is_file = FileType::from_raw_mode(opened.st_mode) == FileType::RegularFile;
        if is_file && opened.st_nlink > 1 {
            return Err(SECOND_NAME.into());
        }
        match rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) if (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino) => return Ok(file),
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::STALE.into())
}

/// The error of [`open`] for a file with a second name.
pub(super) const SECOND_NAME: Errno = Errno::MLINK;

/// The number of tries. A writer takes milliseconds and a try microseconds, so they do not all fail.
const TRIES: u32 = 8;

/// Creates a new file with this path's name.
pub(super) fn create(parent: &OwnedFd, path: &Path) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default();
    open_at(parent, name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)
}

fn open_at(parent: impl AsFd, name: &OsStr, flags: OFlags) -> io::Result<File> {
    let mode = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::openat(parent, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode)?;
    Ok(file.into())
}

/// Renames a file within its directory.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let (parent, name, new) = within(from, to)?;
    Ok(rustix::fs::renameat(&parent, name, &parent, new)?)
}

/// Gives a file a second name in its directory.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    let (parent, name, new) = within(from, to)?;
    Ok(rustix::fs::linkat(&parent, name, &parent, new, AtFlags::empty())?)
}

/// Opens the directory of two paths once, and returns their names in it.
fn within<'p>(from: &'p Path, to: &'p Path) -> io::Result<(OwnedFd, &'p OsStr, &'p OsStr)> {
    let (parent, name) = at(from)?;
    match to.file_name() {
        Some(new) if from.parent() == to.parent() => Ok((parent, name, new)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "the paths lie in different directories")),
    }
}

/// Removes a file.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let (parent, name) = at(path)?;
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
}

/// Appends to a file that only this user can access, in one write.
pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (parent, name) = at(path)?;
    let file = open_at(&parent, name, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK)?;
    let facts = rustix::fs::fstat(&file)?;
    let is_ours = FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile
        && facts.st_uid == rustix::process::geteuid().as_raw()
        && facts.st_nlink == 1
        && Mode::from_raw_mode(facts.st_mode).bits() & 0o077 == 0;
    if !is_ours {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the log is not this user's private file",
        ));
    }
    match rustix::io::write(&file, bytes)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}
