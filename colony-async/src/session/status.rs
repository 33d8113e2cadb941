//! What there is to know about a cached token, for `colony auth status` and `colony cache`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use colony_core::token::{cache_path, freshness::Lifetime};
use secrecy::{ExposeSecret, SecretString};

use super::store::Store;

/// The state of one key's cached token. Holds no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenStatus {
    /// The fingerprint of base URL and key, by which the file is named.
    pub fingerprint: String,
    /// The cache file.
    pub file: PathBuf,
    /// When the file was written, Unix seconds; `None` when there is no usable token in it.
    pub written_at: Option<f64>,
    /// Until when its token is taken from the file (margin not yet taken off), Unix seconds.
    pub fresh_until: Option<f64>,
    /// When its token ends, Unix seconds.
    pub expires_at: Option<f64>,
    /// Whether a call now would use it.
    pub is_fresh: bool,
    /// Why there is no usable token, when there is none.
    pub reason: Option<String>,
    /// Who holds the lock.
    pub lock: LockStatus,
    /// The time left of a cool-down after a 429.
    pub cool_down: Option<Duration>,
}

/// Whether another process is logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockStatus {
    /// Nobody is.
    Free,
    /// This process, if it could be told.
    Held(Option<u32>),
}

impl TokenStatus {
    /// Looks, without changing anything. Blocking, and quick.
    pub fn read(directory: &Path, base_url: &str, key: &SecretString, now: f64) -> Self {
        let base_url = cache_path::normalise_base_url(base_url);
        let fingerprint = cache_path::fingerprint(base_url, key.expose_secret());
        let store = Store::new(directory.to_owned(), fingerprint.clone());
        let found = store.read();
        let lifetime = found
            .as_ref()
            .ok()
            .map(|found| Lifetime::from_file(found.envelope.expiry, found.envelope.token.expose_secret()));
        Self {
            fingerprint,
            file: store.file(),
            written_at: found.as_ref().ok().map(|found| found.written_at),
            fresh_until: lifetime.map(|lifetime| lifetime.stale_at),
            expires_at: lifetime.map(|lifetime| lifetime.dead_at),
            is_fresh: lifetime.is_some_and(|lifetime| lifetime.is_fresh(now)),
            reason: found.err().map(|miss| miss.to_string()),
            lock: store.holder().map_or(LockStatus::Free, LockStatus::Held),
            cool_down: store.read_note().and_then(|note| note.remaining(now)),
        }
    }
}

/// The token files in a directory: fingerprint, and what is in each.
pub(crate) fn list_cache(directory: &Path, now: f64) -> io::Result<Vec<CachedToken>> {
    let mut out = Vec::new();
    for fingerprint in fingerprints(directory)? {
        let store = Store::new(directory.to_owned(), fingerprint.clone());
        let found = store.read();
        let lifetime = found
            .as_ref()
            .ok()
            .map(|found| Lifetime::from_file(found.envelope.expiry, found.envelope.token.expose_secret()));
        out.push(CachedToken {
            fingerprint,
            file: store.file(),
            fresh_until: lifetime.map(|lifetime| lifetime.stale_at),
            is_fresh: lifetime.is_some_and(|lifetime| lifetime.is_fresh(now)),
            problem: found.err().map(|miss| miss.to_string()),
        });
    }
    Ok(out)
}

/// Removes the token files in a directory, or one of them, and the notes beside them. Lock files stay.
pub(crate) fn remove_cached(directory: &Path, only: Option<&str>) -> io::Result<usize> {
    let mut removed = 0;
    for fingerprint in fingerprints(directory)? {
        if only.is_none_or(|only| only == fingerprint) {
            let store = Store::new(directory.to_owned(), fingerprint);
            removed += usize::from(store.remove()?);
            store.remove_note()?;
        }
    }
    Ok(removed)
}

/// One token file of the cache.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CachedToken {
    /// The fingerprint of base URL and key.
    pub fingerprint: String,
    /// The file.
    pub file: PathBuf,
    /// Until when its token is taken from the file, Unix seconds.
    pub fresh_until: Option<f64>,
    /// Whether it would be used now.
    pub is_fresh: bool,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// The fingerprints for which there is a token file or a note: 16 hex digits each, so that nothing else
/// in the directory is ever touched.
fn fingerprints(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(stem) =
            name.to_str().and_then(|name| name.strip_suffix(".json").or(name.strip_suffix(".note")))
        else {
            continue;
        };
        if stem.len() == 16 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            found.push(stem.to_owned());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
