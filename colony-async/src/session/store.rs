//! The cache file, its note and its lock file: the only place that touches the disk.
//!
//! Everything here is blocking and quick; the session runs it off the async threads. Nothing is ever
//! written in place, nothing is followed that is a link, and nothing is read that others could have
//! put there.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use colony_core::token::{
    cooldown::Note,
    envelope::{Envelope, MAX_BYTES, Unreadable},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    lock::{Attempt, FileLock},
    private,
};

/// Where one key's token is kept.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    directory: PathBuf,
    fingerprint: String,
}

/// What a good file held.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) envelope: Envelope,
    /// When the file was written, Unix seconds.
    pub(crate) written_at: f64,
}

/// Why nothing was taken from the file.
#[derive(Debug)]
pub(crate) enum Miss {
    Absent,
    Unreadable(Unreadable),
    Link,
    NotRegular,
    ForeignOwner,
    OpenToOthers,
    HardLinked,
    LooseDirectory,
    Io(io::Error),
}

impl Miss {
    /// One word for the log.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unreadable(reason) => reason.as_str(),
            Self::Link => "link",
            Self::NotRegular => "not_a_regular_file",
            Self::ForeignOwner => "foreign_owner",
            Self::OpenToOthers => "open_to_others",
            Self::HardLinked => "hard_linked",
            Self::LooseDirectory => "loose_directory",
            Self::Io(_) => "io",
        }
    }

    /// Whether a person should hear of it: somebody tampered, or something is set up wrongly. A file
    /// that is absent or half-written (the Python package writes in place) is everyday business; one that
    /// is far too large is not.
    pub(crate) fn is_suspicious(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Unreadable(reason) => *reason == Unreadable::TooLarge,
            _ => true,
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no file"),
            Self::Unreadable(reason) => reason.fmt(f),
            Self::Link => f.write_str("the file is a link"),
            Self::NotRegular => f.write_str("it is not a regular file"),
            Self::ForeignOwner => f.write_str("it belongs to another user"),
            Self::OpenToOthers => f.write_str("it is open to group or others"),
            Self::HardLinked => f.write_str("the file has a second name"),
            Self::LooseDirectory => f.write_str("others could write in its directory"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl Store {
    pub(crate) fn new(directory: PathBuf, fingerprint: String) -> Self {
        Self { directory, fingerprint }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.join(format!("{}.json", self.fingerprint))
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.directory.join(format!("{}.lock", self.fingerprint))
    }

    pub(crate) fn note_file(&self) -> PathBuf {
        self.directory.join(format!("{}.note", self.fingerprint))
    }

    /// Reads the token.
    pub(crate) fn read(&self) -> Result<Found, Miss> {
        self.check_directory()?;
        let path = self.file();
        match self.read_once(&path) {
            // The Python package truncates before it writes; a moment later the file is whole.
            Err(Miss::Unreadable(reason)) if reason != Unreadable::TooLarge => {
                std::thread::sleep(TORN_PAUSE);
                self.read_once(&path)
            }
            other => other,
        }
    }

    fn read_once(&self, path: &Path) -> Result<Found, Miss> {
        let (text, written_at) = read_private(path)?;
        let envelope = Envelope::read(&text).map_err(Miss::Unreadable)?;
        Ok(Found { envelope, written_at })
    }

    /// Writes the token, whole or not at all.
    pub(crate) fn write(&self, envelope: &Envelope) -> io::Result<()> {
        let text = envelope.write().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.write_file(&self.file(), text.as_bytes())
    }

    /// Reads the note left by a refused login.
    pub(crate) fn read_note(&self) -> Option<Note> {
        self.check_directory().ok()?;
        Note::read(&read_private(&self.note_file()).ok()?.0)
    }

    pub(crate) fn write_note(&self, note: &Note) -> io::Result<()> {
        self.write_file(&self.note_file(), note.write().as_bytes())
    }

    pub(crate) fn remove_note(&self) {
        let _ = fs::remove_file(self.note_file());
    }

    /// Removes the token file if it holds this token, and only then.
    ///
    /// Looking and deleting are two steps, and the Python package takes no lock: it may put a good
    /// token there in between. So the file is first moved aside, then looked at, and moved back when it
    /// turns out to be another.
    pub(crate) fn remove_if_holds(&self, token: &SecretString) -> io::Result<bool> {
        let path = self.file();
        let holds = |path: &Path| {
            let found = self.read_once(path).ok();
            found.is_some_and(|found| found.envelope.token.expose_secret() == token.expose_secret())
        };
        if !holds(&path) {
            return Ok(false);
        }
        let aside = self.directory.join(format!(".{}.{:016x}.tmp", self.fingerprint, fastrand::u64(..)));
        fs::rename(&path, &aside)?;
        let removed = holds(&aside);
        if !removed {
            // `hard_link` does not replace: a file that appeared meanwhile is newer and stays.
            let _ = fs::hard_link(&aside, &path);
        }
        fs::remove_file(&aside)?;
        Ok(removed)
    }

    /// Removes the token file, whatever it holds.
    pub(crate) fn remove(&self) -> io::Result<bool> {
        match fs::remove_file(self.file()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Tries to take the lock; makes the directory for it.
    pub(crate) fn try_lock(&self) -> Attempt {
        match self.make_directory() {
            Ok(()) => FileLock::try_acquire(&self.lock_file()),
            Err(error) => Attempt::Unavailable(error),
        }
    }

    fn write_file(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.make_directory()?;
        write_atomically(&self.directory, &self.fingerprint, path, content)
    }

    fn make_directory(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.directory)?;
        match self.check_directory() {
            // Tightened by the check, so it may be written now.
            Ok(()) | Err(Miss::LooseDirectory) => Ok(()),
            Err(miss) => Err(io::Error::new(io::ErrorKind::PermissionDenied, miss.to_string())),
        }
    }

    /// A directory in which others can replace files is not to be trusted. One of ours is tightened,
    /// and trusted from the next time on.
    #[cfg(unix)]
    fn check_directory(&self) -> Result<(), Miss> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let metadata = fs::symlink_metadata(&self.directory).map_err(miss_of)?;
        if metadata.is_symlink() {
            return Err(Miss::Link);
        }
        if !metadata.is_dir() {
            return Err(Miss::NotRegular);
        }
        let (mode, ours) = (metadata.mode(), metadata.uid() == rustix::process::geteuid().as_raw());
        let sticky = mode & 0o1000 != 0;
        if mode & 0o022 == 0 || sticky {
            // In a sticky directory (like /tmp) others cannot replace what is ours, and what is not
            // ours is refused file by file.
            return if ours || sticky || metadata.uid() == 0 { Ok(()) } else { Err(Miss::ForeignOwner) };
        }
        if !ours {
            return Err(Miss::ForeignOwner);
        }
        fs::set_permissions(&self.directory, fs::Permissions::from_mode(mode & 0o700)).map_err(Miss::Io)?;
        Err(Miss::LooseDirectory)
    }

    #[cfg(not(unix))]
    fn check_directory(&self) -> Result<(), Miss> {
        Ok(())
    }
}

/// How long a torn file is given before it is read a second time.
const TORN_PAUSE: Duration = Duration::from_millis(20);

/// Reads a small file that must be ours alone; also gives when it was written.
fn read_private(path: &Path) -> Result<(Vec<u8>, f64), Miss> {
    #[cfg(not(unix))]
    if fs::symlink_metadata(path).map_err(miss_of)?.is_symlink() {
        return Err(Miss::Link);
    }
    let file = private::options().open(path).map_err(miss_of)?;
    let metadata = check_file(&file)?;
    let limit = MAX_BYTES as u64;
    if metadata.len() > limit {
        return Err(Miss::Unreadable(Unreadable::TooLarge));
    }
    let mut text = Vec::with_capacity(metadata.len() as usize + 1);
    // One byte more than allowed, so that a file that grew meanwhile is seen as too large.
    (&file).take(limit + 1).read_to_end(&mut text).map_err(Miss::Io)?;
    let written_at = metadata.modified().map_or(0.0, colony_core::token::freshness::unix_seconds);
    Ok((text, written_at))
}

/// Looks at the opened file, not at its name, which may mean another one by now.
fn check_file(file: &File) -> Result<fs::Metadata, Miss> {
    let metadata = file.metadata().map_err(Miss::Io)?;
    if !metadata.is_file() {
        return Err(Miss::NotRegular);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(Miss::ForeignOwner);
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(Miss::OpenToOthers);
        }
        if metadata.nlink() != 1 {
            return Err(Miss::HardLinked);
        }
    }
    Ok(metadata)
}

fn miss_of(error: io::Error) -> Miss {
    if error.kind() == io::ErrorKind::NotFound {
        return Miss::Absent;
    }
    #[cfg(unix)]
    match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => return Miss::Link,
        // Opening a socket or a device without a driver.
        Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => return Miss::NotRegular,
        _ => {}
    }
    Miss::Io(error)
}

/// Writes a file by making a new one beside it and renaming: readers see the old content or the new,
/// never a part. The new file is private (0600) from its creation.
fn write_atomically(directory: &Path, name: &str, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file =
        tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".tmp").tempfile_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    persist(file, path)
}

#[cfg(not(windows))]
fn persist(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Windows refuses to replace a file that somebody holds open, as a reader of another SDK may; readers
/// are quick, so it is tried again for a while.
#[cfg(windows)]
fn persist(mut file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    let mut pause = Duration::from_millis(5);
    loop {
        match file.persist(path) {
            Ok(_) => return Ok(()),
            Err(error) if pause > Duration::from_millis(1000) => return Err(error.error),
            Err(error) => file = error.file,
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
}
