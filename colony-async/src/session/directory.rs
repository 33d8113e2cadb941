//! In which directory the files of a session lie.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use colony_core::token::cache_path::{self, Directories};

use super::events;
use crate::disk::place::{self, Place};

/// Where programs that are started like this one share the login's token. Holds no secret.
///
/// ```
/// let directory = colony_async::CacheDirectory::from_environment();
/// if let Some(reason) = &directory.reason {
///     println!("{reason}");
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CacheDirectory {
    /// The directory in use. `None`: tokens are kept in memory only.
    pub path: Option<PathBuf>,
    /// Why it is not the directory of choice, and what to do about that; `None` when it is.
    pub reason: Option<String>,
    /// The directories in which this user's tokens may lie, the one in use first: what is removed at a logout.
    pub all: Vec<PathBuf>,
}

impl CacheDirectory {
    /// Reads the environment and looks at the directories, without making any. Blocking, and quick.
    pub fn from_environment() -> Self {
        let directories = cache_path::from_environment().directories(place::user());
        let Place { path, reason, .. } = place::choose(&directories, PROGRAM);
        Self { path, reason, all: place::all(&directories, PROGRAM) }
    }
}

/// What the login's directories are called.
pub(crate) const PROGRAM: &str = "colony-sdk";

/// The directory in use. One that is not the directory of choice is reported, once in this process.
pub(crate) fn in_use(directories: &Directories, program: &str) -> Option<PathBuf> {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let Place { path, reason, .. } = place::choose(directories, program);
    if let Some(reason) = reason {
        let is_new = REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(reason.clone());
        events::placed(is_new, &reason);
    }
    path
}
