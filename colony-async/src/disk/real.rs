//! The system's file system.

#[cfg(not(unix))]
use std::fs::OpenOptions;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

#[cfg(unix)]
use super::at;
use super::{Access, Disk, Facts, Kind, OpenFile, Owner, Stamp};

/// The system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Real;

impl Disk for Real {
    fn facts(&self, path: &Path) -> io::Result<Facts> {
        let found = fs::symlink_metadata(path).map(|metadata| facts(&metadata));
        #[cfg(windows)]
        let found = found.map(|found| identified(found, winapi_util::Handle::from_path_any(path)));
        found
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        // The mode is set at creation: otherwise others could put files into it for a moment.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    #[cfg(unix)]
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        // The type has two bytes on some systems, four on others.
        let mode = rustix::fs::Mode::from_raw_mode(mode as rustix::fs::RawMode);
        Ok(rustix::fs::fchmod(at::directory(path)?, mode)?)
    }

    #[cfg(not(unix))]
    fn set_mode(&self, _: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    #[cfg(unix)]
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(RealFile(at::open(path, access)?)))
    }

    #[cfg(not(unix))]
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>> {
        // Links cannot be refused when opening the file.
        if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a link"));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(access != Access::Read).create(access == Access::Lock);
        Ok(Box::new(RealFile(options.open(path)?)))
    }

    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).suffix(".tmp");
        #[cfg(unix)]
        let made = {
            let parent = at::directory(directory)?;
            builder.make_in(directory, |path| at::create(&parent, path))?
        };
        #[cfg(not(unix))]
        let made = builder.tempfile_in(directory)?;
        // The file is kept: the caller renames or removes it.
        let (file, path) = made.keep().map_err(|error| error.error)?;
        Ok((path, Box::new(RealFile(file))))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(unix)]
        return at::rename(from, to);
        #[cfg(windows)]
        return patiently(|| fs::rename(from, to));
        #[cfg(not(any(unix, windows)))]
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(unix)]
        return at::link(from, to);
        #[cfg(not(unix))]
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        #[cfg(unix)]
        return at::remove(path);
        #[cfg(not(unix))]
        fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    #[cfg(unix)]
    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        Ok(rustix::fs::fsync(at::directory(directory)?)?)
    }

    /// On other systems a directory cannot be opened for this.
    #[cfg(not(unix))]
    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(unix)]
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        at::append(path, bytes)
    }

    #[cfg(not(unix))]
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
    }

    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// How long to wait on Windows for a file that is in use. Python's readers and virus scanners finish sooner.
#[cfg(windows)]
const PATIENCE: Duration = Duration::from_secs(3);

/// Repeats an operation for a while. Windows refuses to replace a file that is open without sharing the right to
/// delete it, for example in a reader of another SDK; readers are quick.
#[cfg(windows)]
fn patiently(mut work: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let (mut waited, mut pause) = (Duration::ZERO, Duration::from_millis(5));
    loop {
        match work() {
            Err(error) if is_in_use(&error) && waited < PATIENCE => {
                std::thread::sleep(pause);
                waited += pause;
                pause = (pause * 2).min(Duration::from_millis(100));
            }
            other => return other,
        }
    }
}

/// Returns whether the error is `ERROR_ACCESS_DENIED`, `ERROR_SHARING_VIOLATION` or `ERROR_LOCK_VIOLATION`. Which of
/// them occurs depends on the file system and on how the file was opened.
#[cfg(windows)]
fn is_in_use(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(5 | 32 | 33))
}

struct RealFile(File);

impl OpenFile for RealFile {
    fn facts(&self) -> io::Result<Facts> {
        let found = self.0.metadata().map(|metadata| facts(&metadata));
        #[cfg(windows)]
        let found =
            found.map(|found| identified(found, self.0.try_clone().map(winapi_util::Handle::from_file)));
        found
    }

    fn read(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.0.rewind()?;
        (&self.0).take(limit).read_to_end(&mut content)?;
        Ok(content)
    }

    fn read_from(&mut self, offset: usize, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.0.seek(io::SeekFrom::Start(offset as u64))?;
        (&self.0).take(limit).read_to_end(&mut content)?;
        Ok(content)
    }

    fn write_over(&mut self, start: &[u8]) -> io::Result<()> {
        self.0.rewind()?;
        self.0.write_all(start)
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.0.rewind()?;
        self.0.set_len(0)?;
        self.0.write_all(content)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn try_lock(&mut self) -> io::Result<()> {
        let mut lock = fd_lock::RwLock::new(&self.0);
        let guard = lock.try_write()?;
        // The guard borrows and cannot be stored beside the file. Forgetting it leaves the lock in place.
        std::mem::forget(guard);
        Ok(())
    }

    fn unlock(&mut self) -> io::Result<()> {
        // The holder gets the lock again at once, and the guard releases it explicitly rather than by closing,
        // because a child forked meanwhile has a copy of the descriptor, and closing ours would leave the lock with
        // it. Where the holder does not get it again (Windows), closing releases it.
        fd_lock::RwLock::new(&self.0).try_write().map(drop)
    }
}

#[cfg(unix)]
fn facts(metadata: &fs::Metadata) -> Facts {
    use std::os::unix::fs::MetadataExt as _;
    let owner = match metadata.uid() {
        uid if uid == rustix::process::geteuid().as_raw() => Owner::Us,
        0 => Owner::Root,
        _ => Owner::Other,
    };
    let plain = plain_facts(metadata);
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let stamp = Stamp {
        device: metadata.dev(),
        inode: Some(metadata.ino()),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        ..plain.stamp
    };
    Facts { mode: metadata.mode() & 0o7777, owner, links: metadata.nlink(), stamp, ..plain }
}

/// Adds the file's number to the facts; Windows reports it only for an open file.
#[cfg(windows)]
fn identified(mut found: Facts, handle: io::Result<winapi_util::Handle>) -> Facts {
    if let Ok(information) = handle.and_then(winapi_util::file::information) {
        found.stamp.device = information.volume_serial_number();
        found.stamp.inode = Some(information.file_index());
    }
    found
}

#[cfg(not(unix))]
fn facts(metadata: &fs::Metadata) -> Facts {
    plain_facts(metadata)
}

fn plain_facts(metadata: &fs::Metadata) -> Facts {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_symlink() => Kind::Link,
        _ => Kind::Other,
    };
    Facts {
        kind,
        mode: if kind == Kind::Directory { 0o700 } else { 0o600 },
        owner: Owner::Us,
        links: 1,
        len: metadata.len(),
        modified: metadata.modified().map_or(0.0, colony_core::token::freshness::unix_seconds),
        stamp: Stamp {
            len: metadata.len(),
            modified: metadata.modified().ok().and_then(nanoseconds).unwrap_or_default(),
            // Some file systems report 1970 for an unknown time.
            born: metadata.created().ok().and_then(nanoseconds).filter(|born| *born != 0),
            ..Stamp::default()
        },
    }
}

fn nanoseconds(time: SystemTime) -> Option<i128> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i128::try_from(since.as_nanos()).ok()
}

#[cfg(all(test, windows))]
mod windows_tests {
    use std::os::windows::fs::OpenOptionsExt as _;

    use super::*;

    /// Opens a file as Python's `open` does: others can read and write it, but not replace it.
    fn hold(path: &Path) -> File {
        OpenOptions::new().read(true).share_mode(0x1 | 0x2).open(path).expect("a file")
    }

    fn pair() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let (new, old) = (directory.path().join("new"), directory.path().join("old"));
        fs::write(&new, "new").expect("a file");
        fs::write(&old, "old").expect("a file");
        (directory, new, old)
    }

    #[test]
    fn a_file_that_is_held_open_is_replaced_once_it_is_let_go() {
        let (_directory, new, old) = pair();
        let (mut holder, mut tries) = (Some(hold(&old)), 0);
        patiently(|| {
            tries += 1;
            let tried = fs::rename(&new, &old);
            if tries == 3 {
                holder = None;
            }
            tried
        })
        .expect("it was let go");
        assert_eq!(tries, 4, "it could be replaced while it was open");
        assert_eq!(fs::read_to_string(&old).expect("a file"), "new");
    }

    #[test]
    fn a_file_that_is_held_for_ever_stays_as_it_is() {
        let (_directory, new, old) = pair();
        let holder = hold(&old);
        let error = Real.rename(&new, &old).expect_err("it is open in another process");
        assert!(is_in_use(&error), "{error}");
        assert_eq!(fs::read_to_string(&old).expect("a file"), "old");
        assert_eq!(fs::read_to_string(&new).expect("a file"), "new");
        drop(holder);
    }

    #[test]
    fn a_file_that_is_not_there_is_not_waited_for() {
        let (_directory, new, old) = pair();
        let mut tries = 0;
        let error = patiently(|| {
            tries += 1;
            fs::rename(new.with_extension("gone"), &old)
        });
        assert_eq!(error.expect_err("it is not there").kind(), io::ErrorKind::NotFound);
        assert_eq!(tries, 1);
    }
}
