//! Tests of private files and the lock on the system's file system, on every platform.

use std::{
    fs::{self, TryLockError},
    io,
    path::PathBuf,
    sync::Arc,
};

use super::{
    Real,
    lock::{Lock, holder},
    private::{Directory, Durability, Unfit},
};

struct Place {
    _outer: tempfile::TempDir,
    directory: Directory,
}

impl Place {
    fn new() -> Self {
        let outer = tempfile::tempdir().expect("a directory");
        let path = outer.path().join("made").join("on demand");
        Self { directory: Directory::new(Arc::new(Real), path), _outer: outer }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("a directory");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn write(&self, content: &str) -> io::Result<()> {
        self.directory.write("name", &self.file("name.json"), content.as_bytes(), Durability::Lasting)
    }

    fn read(&self) -> Result<String, Unfit> {
        let content = self.directory.read(&self.file("name.json"), 100)?;
        Ok(String::from_utf8(content.bytes).expect("text"))
    }
}

#[test]
fn what_is_written_is_read_and_replaced_and_nothing_is_left() {
    let place = Place::new();
    assert!(matches!(place.read(), Err(Unfit::Absent)));
    place.write("one").expect("a file");
    assert_eq!(place.read().expect("a file"), "one");
    place.write("another").expect("a file");
    assert_eq!(place.read().expect("a file"), "another");
    assert_eq!(place.names(), ["name.json"]);
    place.write(&"x".repeat(101)).expect("a file");
    assert!(matches!(place.read(), Err(Unfit::TooLarge)));
    assert!(place.directory.remove(&place.file("name.json")).expect("it was there"));
    assert!(!place.directory.remove(&place.file("name.json")).expect("it was not"));
}

#[test]
fn a_directory_in_the_file_s_place_is_neither_read_nor_replaced() {
    let place = Place::new();
    fs::create_dir_all(place.file("name.json").join("inner")).expect("a directory");
    assert!(place.read().is_err());
    assert!(place.write("one").is_err());
    assert_eq!(place.names(), ["name.json"], "a temporary file was left");
}

#[test]
fn one_holds_the_lock_at_a_time_and_the_file_stays() {
    let place = Place::new();
    place.directory.make().expect("a directory");
    let path = place.file("name.lock");
    let acquire = || Lock::try_acquire(&Real, &path);
    assert_eq!(holder(&Real, &path), None);
    let Ok(lock) = acquire() else { panic!("nobody holds it") };
    assert!(matches!(acquire(), Err(TryLockError::WouldBlock)));
    let signed = holder(&Real, &path).expect("it is held");
    // On Windows a locked file cannot be read.
    assert!(cfg!(windows) && signed.is_none() || signed == Some(std::process::id()), "{signed:?}");
    drop(lock);
    assert_eq!(holder(&Real, &path), None);
    assert!(path.exists());
    let Ok(_again) = acquire() else { panic!("it was let go") };
}

#[test]
fn where_no_lock_can_be_the_reason_is_told() {
    let place = Place::new();
    fs::create_dir_all(place.file("name.lock")).expect("a directory");
    let attempt = Lock::try_acquire(&Real, &place.file("name.lock"));
    assert!(matches!(attempt, Err(TryLockError::Error(_))), "{attempt:?}");
    assert_eq!(holder(&Real, &place.file("name.lock")), None);
}
