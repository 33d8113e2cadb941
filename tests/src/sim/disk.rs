//! The file system of a simulated machine: names, files, locks, and their state after a power cut.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use colony_async::disk::{Access, Disk, Facts, Kind, OpenFile, Owner, Stamp};
use colony_core::{credential::document::Stored, token::envelope::Envelope};

use super::world::{Killed, Pid, Sabotage, Shared, World};

/// All files of the machine, in one directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    is_made: bool,
    names: BTreeMap<String, Inode>,
    /// The names on the disk, and the changes to them since.
    durable: BTreeMap<String, Inode>,
    journal: Vec<(String, Option<Inode>)>,
    files: BTreeMap<Inode, File>,
    next: Inode,
}

type Inode = u64;

#[derive(Debug, Clone, Default)]
struct File {
    content: Vec<u8>,
    synced: Vec<u8>,
    modified: f64,
    locked_by: Option<(Pid, u64)>,
}

impl Files {
    fn create(&mut self, name: &str) -> Inode {
        self.next += 1;
        self.files.insert(self.next, File::default());
        self.put(name, Some(self.next));
        self.next
    }

    /// Adds a file that exists before the simulation, and is on the disk.
    pub(super) fn begin_with(&mut self, name: &str, content: Vec<u8>) {
        self.is_made = true;
        let inode = self.create(name);
        let file = self.file(inode);
        file.synced.clone_from(&content);
        file.content = content;
        self.sync_names();
    }

    fn put(&mut self, name: &str, inode: Option<Inode>) {
        match inode {
            Some(inode) => self.names.insert(name.to_owned(), inode),
            None => self.names.remove(name),
        };
        self.journal.push((name.to_owned(), inode));
    }

    fn find(&self, name: &str) -> io::Result<Inode> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file(&mut self, inode: Inode) -> &mut File {
        self.files.entry(inode).or_default()
    }

    fn links(&self, inode: Inode) -> u64 {
        self.names.values().filter(|other| **other == inode).count() as u64
    }

    /// Returns all names and contents.
    pub(super) fn all(&self) -> Vec<(String, Vec<u8>)> {
        let content = |inode| self.files.get(inode).map_or_else(Vec::new, |file| file.content.clone());
        self.names.iter().map(|(name, inode)| (name.clone(), content(inode))).collect()
    }

    pub(super) fn holds_a_lock(&self, pid: Pid) -> bool {
        self.files.values().any(|file| file.locked_by.is_some_and(|(holder, _)| holder == pid))
    }

    /// Releases the locks of a process that has ended, as the system does.
    pub(super) fn release(&mut self, pid: Pid) {
        for file in self.files.values_mut() {
            if file.locked_by.is_some_and(|(holder, _)| holder == pid) {
                file.locked_by = None;
            }
        }
    }

    /// Cuts the power. Names that were not synced reach the disk up to some point, in order; contents that were not
    /// synced are there whole, in part, or not.
    pub(super) fn power_cut(&mut self, random: &mut fastrand::Rng) {
        let reached = random.usize(..=self.journal.len());
        for (name, inode) in self.journal.drain(..).take(reached) {
            match inode {
                Some(inode) => self.durable.insert(name, inode),
                None => self.durable.remove(&name),
            };
        }
        self.names = self.durable.clone();
        for file in self.files.values_mut() {
            file.locked_by = None;
            if file.content != file.synced {
                file.content = match random.u8(..3) {
                    0 => file.content.clone(),
                    1 => file.content[..random.usize(..=file.content.len())].to_vec(),
                    _ => file.synced.clone(),
                };
                file.synced = file.content.clone();
            }
        }
    }

    fn sync_names(&mut self) {
        self.durable = self.names.clone();
        self.journal.clear();
    }
}

impl World {
    /// Checks the rules of replacing or removing a name.
    fn check_loss(&mut self, name: &str, replaced_by: Option<Inode>) {
        let Some(old) = self.files.names.get(name).copied().filter(|_| name.ends_with(".json")) else {
            return;
        };
        let old = self.files.file(old).content.clone();
        let new = replaced_by.map(|inode| self.files.file(inode).content.clone());
        if self.scene.rotation.is_some() {
            let holds = |content: &[u8]| self.provider.holds_the_living_token(content);
            if holds(&old) && !new.is_some_and(|new| holds(&new)) {
                self.breaks(format!("the living refresh token in {name} is destroyed"));
            }
            return;
        }
        if !self.is_good(&old) || new.is_some_and(|new| self.is_good(&new)) {
            return;
        }
        // A process that is stopped while others continue without its lock can replace a later token with an older
        // one, although it checks again: a token whose answer is read after the stop looks younger than it is, and
        // there is no atomic compare-and-rename.
        if self.stops.1 > 0 {
            self.overwritten += 1;
        } else {
            self.breaks(format!("a good token in {name} is destroyed"));
        }
    }

    fn check_read(&mut self, name: &str, content: &[u8]) {
        let torn = match self.scene.rotation {
            None => Envelope::read(content).is_err(),
            Some(_) => Stored::read(content).is_err(),
        };
        if name.ends_with(".json") && torn {
            let len = content.len();
            self.breaks(format!("{name} is torn: {len} bytes"));
        }
    }
}

/// A process's view of the disk.
#[derive(Debug, Clone)]
pub(super) struct SimDisk {
    pub(super) shared: Shared,
    pub(super) pid: Pid,
}

impl From<Killed> for io::Error {
    fn from(_: Killed) -> Self {
        Self::other("the process was killed")
    }
}

impl SimDisk {
    fn step<T>(&self, what: &str, act: impl FnOnce(&mut World) -> io::Result<T>) -> io::Result<T> {
        self.shared.step(self.pid, what, act)?
    }

    fn open_file(&self, name: String, inode: Inode, opening: u64) -> Box<dyn OpenFile> {
        Box::new(SimFile { disk: self.clone(), name, inode, opening })
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn directory() -> Facts {
    let stamp = Stamp { inode: Some(1), ..Stamp::default() };
    Facts { kind: Kind::Directory, mode: 0o700, owner: Owner::Us, links: 2, len: 0, modified: 0.0, stamp }
}

impl Disk for SimDisk {
    fn facts(&self, path: &Path) -> io::Result<Facts> {
        self.step("facts", |world| {
            let name = name_of(path);
            if name == DIRECTORY {
                return if world.files.is_made {
                    Ok(directory())
                } else {
                    Err(io::ErrorKind::NotFound.into())
                };
            }
            let inode = world.files.find(&name)?;
            Ok(facts(world, inode))
        })
    }

    fn create_directory(&self, _: &Path) -> io::Result<()> {
        self.step("create_directory", |world| {
            world.files.is_made = true;
            Ok(())
        })
    }

    fn set_mode(&self, _: &Path, _: u32) -> io::Result<()> {
        self.step("set_mode", |_| Ok(()))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn OpenFile>> {
        let name = name_of(path);
        let (inode, opening) = self.step("open", |world| {
            let inode = match world.files.find(&name) {
                Err(_) if access == Access::Lock => world.files.create(&name),
                found => found?,
            };
            Ok((inode, world.steps))
        })?;
        Ok(self.open_file(name, inode, opening))
    }

    fn create_temporary(&self, directory: &Path, prefix: &str) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
        let (name, inode, opening) = self.step("create_temporary", |world| {
            let mut name = format!("{prefix}{}.tmp", world.files.next);
            if world.scene.sabotage == Some(Sabotage::InPlace) {
                name = format!("{}.json", prefix.trim_matches('.'));
            }
            Ok((name.clone(), world.files.create(&name), world.steps))
        })?;
        Ok((directory.join(&name), self.open_file(name, inode, opening)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", |world| {
            let (from, to) = (name_of(from), name_of(to));
            let inode = world.files.find(&from)?;
            let note =
                String::from_utf8_lossy(&world.files.file(inode).content).contains("\"state\": \"sent\"");
            if note && world.scene.sabotage == Some(Sabotage::NoNote) {
                world.files.put(&from, None);
                return Ok(());
            }
            world.check_loss(&to, Some(inode));
            world.check_loss(&from, (from == to).then_some(inode));
            world.files.put(&from, None);
            world.files.put(&to, Some(inode));
            Ok(())
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("link", |world| {
            let (from, to) = (name_of(from), name_of(to));
            let inode = world.files.find(&from)?;
            if world.files.find(&to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            world.files.put(&to, Some(inode));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step("remove", |world| {
            let name = name_of(path);
            world.files.find(&name)?;
            world.check_loss(&name, None);
            if name.ends_with(".lock") || name.ends_with(".lock2") {
                world.breaks("a lock file is deleted".to_owned());
            }
            world.files.put(&name, None);
            Ok(())
        })
    }

    fn list(&self, _: &Path) -> io::Result<Vec<OsString>> {
        self.step("list", |world| Ok(world.files.names.keys().map(OsString::from).collect()))
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        self.step("sync_directory", |world| {
            world.files.sync_names();
            for (name, content) in world.files.all() {
                if name.ends_with(".json") && world.scene.rotation.is_some() {
                    world.provider.stored(&content);
                }
            }
            Ok(())
        })
    }

    fn pause(&self, duration: Duration) {
        let _ = self.shared.sleep(self.pid, duration.as_secs_f64());
    }
}

/// The name of the one directory.
pub(super) const DIRECTORY: &str = "colony-sdk";

fn facts(world: &mut World, inode: Inode) -> Facts {
    let links = world.files.links(inode);
    let file = world.files.file(inode);
    let len = file.content.len() as u64;
    let modified = file.modified;
    let stamp = Stamp { inode: Some(inode), len, modified: (modified * 1e9) as i128, ..Stamp::default() };
    Facts { kind: Kind::File, mode: 0o600, owner: Owner::Us, links, len, modified, stamp }
}

struct SimFile {
    disk: SimDisk,
    name: String,
    inode: Inode,
    /// The number of this open file: each can hold the lock separately.
    opening: u64,
}

impl OpenFile for SimFile {
    fn facts(&self) -> io::Result<Facts> {
        self.disk.step("file_facts", |world| Ok(facts(world, self.inode)))
    }

    fn read(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        self.disk.step("read", |world| {
            let content = world.files.file(self.inode).content.clone();
            world.check_read(&self.name, &content);
            Ok(content.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
        })
    }

    /// Writes in two steps, so that a reader in between sees half of the content.
    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        for part in [&content[..content.len() / 2], content] {
            self.disk.step("write", |world| {
                let now = world.now;
                let file = world.files.file(self.inode);
                file.content = part.to_vec();
                file.modified = now;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.step("sync", |world| {
            if world.scene.sabotage != Some(Sabotage::NoSync) {
                let file = world.files.file(self.inode);
                file.synced.clone_from(&file.content);
            }
            Ok(())
        })
    }

    fn try_lock(&mut self) -> io::Result<()> {
        self.disk.step("try_lock", |world| {
            let us = (self.disk.pid, self.opening);
            let for_all = world.scene.sabotage == Some(Sabotage::LockForAll);
            let file = world.files.file(self.inode);
            match file.locked_by {
                Some(holder) if holder != us && !for_all => Err(io::ErrorKind::WouldBlock.into()),
                _ => {
                    file.locked_by = Some(us);
                    Ok(())
                }
            }
        })
    }

    fn unlock(&mut self) -> io::Result<()> {
        self.disk.step("unlock", |world| {
            let us = (self.disk.pid, self.opening);
            if world.scene.sabotage == Some(Sabotage::LockDeleted) {
                world.files.put(&self.name, None);
            }
            let file = world.files.file(self.inode);
            if file.locked_by == Some(us) {
                file.locked_by = None;
            }
            Ok(())
        })
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        // Closing releases the lock. This is not a step, since no other order of steps would differ.
        let us = Some((self.disk.pid, self.opening));
        let mut world = self.disk.shared.world();
        let file = world.files.file(self.inode);
        if file.locked_by == us {
            file.locked_by = None;
        }
    }
}
