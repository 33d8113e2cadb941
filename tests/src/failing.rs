//! A disk whose n-th call fails, or that loses power at that call.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use colony_async::disk::{Access, Disk, Facts, OpenFile, Real};

/// The system's disk, with faults. Clones share the count.
#[derive(Debug, Clone)]
pub struct Failing(Arc<Faults>);

#[derive(Debug)]
struct Faults {
    which: Which,
    errno: i32,
    /// The calls so far, and whether each failed.
    calls: Mutex<Vec<(&'static str, bool)>>,
    unsynced: Mutex<Unsynced>,
}

/// The changes that a power cut can undo.
#[derive(Debug, Default)]
struct Unsynced {
    /// Files whose content was not synced.
    contents: BTreeSet<PathBuf>,
    /// Names that were created and not synced, in order.
    names: Vec<Name>,
}

#[derive(Debug)]
enum Name {
    Made(PathBuf),
    Moved { from: PathBuf, to: PathBuf, replaced: Option<Vec<u8>> },
}

/// How much a power cut leaves of a file's content that was not synced.
#[derive(Debug, Clone, Copy)]
pub enum Left {
    /// An empty file.
    Nothing,
    /// The first half.
    Half,
    /// All of it.
    All,
}

/// Which calls fail; they are counted from 1.
#[derive(Debug)]
enum Which {
    Only(usize),
    From(usize),
    Named(&'static str),
}

impl Failing {
    /// Makes call number `at` fail with this error number.
    pub fn once(at: usize, errno: i32) -> Self {
        Self::new(Which::Only(at), errno)
    }

    /// Makes call number `at` and all later ones fail.
    pub fn for_good(at: usize, errno: i32) -> Self {
        Self::new(Which::From(at), errno)
    }

    /// Makes all calls of this name fail: those of [`Disk`], and those of [`OpenFile`] if they have other names
    /// (`file_facts`, `try_lock` …).
    pub fn always(name: &'static str, errno: i32) -> Self {
        Self::new(Which::Named(name), errno)
    }

    fn new(which: Which, errno: i32) -> Self {
        Self(Arc::new(Faults { which, errno, calls: Mutex::default(), unsynced: Mutex::default() }))
    }

    /// Returns the names of the calls that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|(_, failed)| *failed).map(|(name, _)| *name).collect()
    }

    /// Returns the number of calls.
    pub fn calls(&self) -> usize {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn call(&self, name: &'static str) -> io::Result<()> {
        let mut calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let number = calls.len() + 1;
        let fails = match self.0.which {
            Which::Only(at) => number == at,
            Which::From(at) => number >= at,
            Which::Named(named) => name == named,
        };
        calls.push((name, fails));
        if fails { Err(io::Error::from_raw_os_error(self.0.errno)) } else { Ok(()) }
    }

    /// Cuts the power: undoes up to `names` of the last names that were not synced, and leaves `left` of contents
    /// that were not synced. Returns how many names were undone. Removed names are not restored.
    ///
    /// # Errors
    ///
    /// The system's errors.
    pub fn cut_power(&self, names: usize, left: Left) -> io::Result<usize> {
        let mut unsynced = self.unsynced();
        for path in &unsynced.contents {
            if let Ok(content) = fs::read(path) {
                let len = match left {
                    Left::Nothing => 0,
                    Left::Half => content.len() / 2,
                    Left::All => content.len(),
                };
                fs::write(path, &content[..len])?;
            }
        }
        let kept = unsynced.names.len().saturating_sub(names);
        let undone = unsynced.names.split_off(kept);
        for name in undone.iter().rev() {
            match name {
                Name::Made(path) => drop(fs::remove_file(path)),
                Name::Moved { from, to, replaced } => {
                    fs::rename(to, from)?;
                    if let Some(content) = replaced {
                        // A copy keeps the mode.
                        fs::copy(from, to)?;
                        fs::write(to, content)?;
                    }
                }
            }
        }
        Ok(undone.len())
    }

    fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, path: &Path, inner: Box<dyn OpenFile>) -> Box<dyn OpenFile> {
        Box::new(FailingFile { inner, disk: self.clone(), path: path.to_owned() })
    }
}

impl Disk for Failing {
    fn facts(&self, path: &Path) -> io::Result<Facts> {
        self.call("facts")?;
        Real.facts(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.call("create_directory")?;
        Real.create_directory(path)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.call("set_mode")?;
        Real.set_mode(path, mode)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>> {
        self.call("open")?;
        Real.open(path, access).map(|inner| self.file(path, inner))
    }

    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
        self.call("create_temporary")?;
        let (path, inner) = Real.create_temporary(directory, prefix)?;
        self.unsynced().names.push(Name::Made(path.clone()));
        let file = self.file(&path, inner);
        Ok((path, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("rename")?;
        let replaced = fs::read(to).ok();
        Real.rename(from, to)?;
        let mut unsynced = self.unsynced();
        if unsynced.contents.remove(from) {
            unsynced.contents.insert(to.to_owned());
        }
        unsynced.names.push(Name::Moved { from: from.to_owned(), to: to.to_owned(), replaced });
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("link")?;
        Real.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call("remove")?;
        Real.remove(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.call("list")?;
        Real.list(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.call("sync_directory")?;
        Real.sync_directory(directory)?;
        self.unsynced().names.clear();
        Ok(())
    }

    fn pause(&self, _: Duration) {}
}

struct FailingFile {
    inner: Box<dyn OpenFile>,
    disk: Failing,
    path: PathBuf,
}

impl OpenFile for FailingFile {
    fn facts(&self) -> io::Result<Facts> {
        self.disk.call("file_facts")?;
        self.inner.facts()
    }

    fn read(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        self.disk.call("read")?;
        self.inner.read(limit)
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.disk.unsynced().contents.insert(self.path.clone());
        if let Err(error) = self.disk.call("write") {
            // A full disk writes a part.
            let _ = self.inner.write(&content[..content.len() / 2]);
            return Err(error);
        }
        self.inner.write(content)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.call("sync")?;
        self.inner.sync()?;
        self.disk.unsynced().contents.remove(&self.path);
        Ok(())
    }

    fn try_lock(&mut self) -> io::Result<()> {
        self.disk.call("try_lock")?;
        self.inner.try_lock()
    }

    fn unlock(&mut self) -> io::Result<()> {
        self.disk.call("unlock")?;
        self.inner.unlock()
    }
}
