//! A disk whose n-th call fails.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
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
    /// The calls so far, and which of them failed.
    calls: Mutex<Vec<(&'static str, bool)>>,
}

/// Which calls fail; they are counted from 1.
#[derive(Debug)]
enum Which {
    Only(usize),
    From(usize),
    Named(&'static str),
}

impl Failing {
    /// The call number `at` fails with this error number.
    pub fn once(at: usize, errno: i32) -> Self {
        Self::new(Which::Only(at), errno)
    }

    /// The call number `at` and all after it fail.
    pub fn for_good(at: usize, errno: i32) -> Self {
        Self::new(Which::From(at), errno)
    }

    /// All calls of this name fail: those of [`Disk`], and those of [`OpenFile`] where they have other names
    /// (`file_facts`, `try_lock` …).
    pub fn always(name: &'static str, errno: i32) -> Self {
        Self::new(Which::Named(name), errno)
    }

    fn new(which: Which, errno: i32) -> Self {
        Self(Arc::new(Faults { which, errno, calls: Mutex::default() }))
    }

    /// The calls that failed, by name.
    pub fn failed(&self) -> Vec<&'static str> {
        let calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|(_, failed)| *failed).map(|(name, _)| *name).collect()
    }

    /// How many calls there were.
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

    fn file(&self, inner: Box<dyn OpenFile>) -> Box<dyn OpenFile> {
        Box::new(FailingFile { inner, disk: self.clone() })
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
        Real.open(path, access).map(|inner| self.file(inner))
    }

    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
        self.call("create_temporary")?;
        Real.create_temporary(directory, prefix).map(|(path, inner)| (path, self.file(inner)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("rename")?;
        Real.rename(from, to)
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
        Real.sync_directory(directory)
    }

    fn pause(&self, _: Duration) {}
}

struct FailingFile {
    inner: Box<dyn OpenFile>,
    disk: Failing,
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
        if let Err(error) = self.disk.call("write") {
            // A full disk takes a part.
            let _ = self.inner.write(&content[..content.len() / 2]);
            return Err(error);
        }
        self.inner.write(content)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.call("sync")?;
        self.inner.sync()
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
