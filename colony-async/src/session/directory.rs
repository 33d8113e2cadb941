//! The directory of a session's files.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use colony_core::token::cache_path::{self, Directories};

use super::events;
use crate::disk::place::{self, Place};

/// The directory in which programs with this program's environment share the login's token. Holds no secret.
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
    /// The directory in use. `None` if tokens are kept in memory only.
    pub path: Option<PathBuf>,
    /// Why this is not the preferred directory, and the remedy; `None` when it is.
    pub reason: Option<String>,
    /// The directories in which this user's tokens may be, the one in use first. A logout removes them from all.
    pub all: Vec<PathBuf>,
}

impl CacheDirectory {
    /// Reads the environment and examines the directories, without creating any. Blocks briefly.
    pub fn from_environment() -> Self {
        let directories = cache_path::from_environment().directories(place::user());
        let Place { path, reason, .. } = place::choose(&directories, PROGRAM);
        Self { path, reason, all: place::all(&directories, PROGRAM) }
    }
}

/// The name of the login's directories.
pub(crate) const PROGRAM: &str = "colony-sdk";

/// Returns the directory in use. If it is not the preferred one, that is reported once in this process.
pub(crate) fn in_use(directories: &Directories, program: &str) -> Option<PathBuf> {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let Place { path, reason, .. } = place::choose(directories, program);
    if let Some(reason) = reason {
        let is_new = REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(reason.clone());
        events::placed(is_new, &reason);
    }
    path
}
