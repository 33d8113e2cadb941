//! The status of cached tokens, for `colony auth status` and `colony cache`.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use colony_core::{
    openid::exchanged,
    token::{cache_path, freshness::Lifetime},
};
use secrecy::{ExposeSecret, SecretString};

use super::TokenStore;
use crate::{
    disk::{Disk, Real, private::temporary},
    token::Format,
};

/// The state of one key's cached token. Holds no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenStatus {
    /// The fingerprint of base URL and key, which is the file's name.
    pub fingerprint: String,
    /// The cache file.
    pub file: PathBuf,
    /// When the file was written, Unix seconds; `None` if it holds no usable token.
    pub written_at: Option<f64>,
    /// Until when the token is taken from the file, before the margin is subtracted, Unix seconds.
    pub fresh_until: Option<f64>,
    /// When the token expires, Unix seconds.
    pub expires_at: Option<f64>,
    /// Whether a call now would use the token.
    pub is_fresh: bool,
    /// Whether the token is older than the settings allow.
    pub is_too_old: bool,
    /// Why there is no usable token; `None` if there is one.
    pub reason: Option<String>,
    /// The process that holds the lock.
    pub lock: LockStatus,
    /// The time left of a cool-down after a 429.
    pub cool_down: Option<Duration>,
}

/// Whether another process is logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockStatus {
    /// No process is.
    Free,
    /// The process with this id, if it is known.
    Held(Option<u32>),
}

impl TokenStatus {
    /// Reads the status, without changing anything. Blocks briefly.
    ///
    /// `ttl` is the greatest age of a token that a call takes from the file, as in
    /// [`Builder::token_cache_ttl`](crate::Builder::token_cache_ttl); an older token counts as not fresh.
    pub fn read(
        directory: &Path,
        base_url: &str,
        key: &SecretString,
        ttl: Option<Duration>,
        now: f64,
    ) -> Self {
        let base_url = cache_path::normalise_base_url(base_url);
        let fingerprint = cache_path::fingerprint(base_url, key.expose_secret());
        let store = TokenStore::new(directory.to_owned(), fingerprint.clone());
        let found = store.read();
        let record = found.as_ref().ok();
        let lifetime = record.map(|record| record.token.lifetime);
        Self {
            fingerprint,
            file: store.file(),
            written_at: record.map(|record| record.written_at),
            fresh_until: lifetime.map(|lifetime| lifetime.stale_at),
            expires_at: lifetime.map(|lifetime| lifetime.dead_at),
            is_fresh: record.is_some_and(|record| record.is_taken(ttl, now)),
            is_too_old: record.is_some_and(|record| !Lifetime::within_ttl(record.written_at, ttl, now)),
            reason: found.err().map(|miss| miss.to_string()),
            lock: store.holder().map_or(LockStatus::Free, LockStatus::Held),
            cool_down: store.read_note().and_then(|note| note.remaining(now)),
        }
    }
}

/// Lists the token files in a directory.
pub(crate) fn list_cache(directory: &Path, ttl: Option<Duration>, now: f64) -> io::Result<Vec<CacheEntry>> {
    let mut out = Vec::new();
    for name in names(&Real, directory)? {
        let store = TokenStore::new(directory.to_owned(), name.clone());
        let (audience, found) = if is_exchanged(&name) {
            let label = store.label();
            let audience = label.as_ref().ok().map(|label| label.audience.clone());
            (audience, label.map(|label| (label.lifetime, label.at)))
        } else {
            (None, store.read().map(|record| (record.token.lifetime, record.written_at)))
        };
        let (life, written_at) = found.as_ref().ok().copied().unzip();
        let is_too_old = written_at.is_some_and(|at| !Lifetime::within_ttl(at, ttl, now));
        out.push(CacheEntry {
            fingerprint: name,
            file: store.file(),
            fresh_until: life.map(|life| life.stale_at),
            is_fresh: !is_too_old && life.is_some_and(|life| life.is_fresh(now)),
            is_too_old,
            problem: found.err().map(|miss| miss.to_string()),
            audience: audience.as_ref().map(|audience| audience.audience.clone()),
            scope: audience.and_then(|audience| audience.scope),
        });
    }
    Ok(out)
}

/// Removes the token files in a directory, or one of them and the tokens exchanged for its token, the notes beside
/// them, and temporary files left by killed processes. Lock files stay.
pub(crate) fn remove_cached(directory: &Path, only: Option<&str>) -> io::Result<usize> {
    let removed = remove_where(&(Arc::new(Real) as Arc<dyn Disk>), directory, |name, store| {
        only.is_none_or(|only| only == name || belongs_to(name, store, only))
    })?;
    sweep(directory, only)?;
    Ok(removed)
}

/// Removes temporary files, which may hold tokens. Those of exchanged tokens are removed with any login: half a file
/// does not show which login it belongs to. A writer whose temporary file is removed keeps its token in memory.
fn sweep(directory: &Path, only: Option<&str>) -> io::Result<()> {
    for entry in list(&Real, directory)? {
        let Some(name) = entry.to_str().and_then(temporary::name) else { continue };
        if is_name(name) && only.is_none_or(|only| only == name || is_exchanged(name)) {
            temporary::remove(&Real, &directory.join(&entry))?;
        }
    }
    Ok(())
}

/// Removes the tokens exchanged for the token of the login with this fingerprint.
pub(super) fn remove_exchanged(disk: &Arc<dyn Disk>, directory: &Path, login: &str) -> io::Result<usize> {
    remove_where(disk, directory, |name, store| belongs_to(name, store, login))
}

/// Returns the names of the files of tokens exchanged for the token of the login with this fingerprint.
pub(super) fn names_of_exchanged(disk: &Arc<dyn Disk>, directory: &Path, login: &str) -> Vec<String> {
    let mut found = names(&**disk, directory).unwrap_or_default();
    found.retain(|name| {
        let store = TokenStore::on(Arc::clone(disk), directory.to_owned(), name.clone(), Format::Login);
        belongs_to(name, &store, login)
    });
    found
}

fn remove_where(
    disk: &Arc<dyn Disk>,
    directory: &Path,
    goes: impl Fn(&str, &TokenStore) -> bool,
) -> io::Result<usize> {
    let mut removed = 0;
    for name in names(&**disk, directory)? {
        let store = TokenStore::on(Arc::clone(disk), directory.to_owned(), name.clone(), Format::Login);
        if goes(&name, &store) {
            removed += usize::from(store.remove()?);
            store.remove_note()?;
            store.remove_refusals()?;
        }
    }
    Ok(removed)
}

fn belongs_to(name: &str, store: &TokenStore, login: &str) -> bool {
    is_exchanged(name) && store.label().is_ok_and(|label| label.login == login)
}

fn is_exchanged(name: &str) -> bool {
    name.starts_with(exchanged::PREFIX)
}

/// One token file of the cache.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CacheEntry {
    /// The fingerprint of base URL and key. For an exchanged token, `exchange-` and the fingerprint of these together
    /// with the audience and the scopes.
    pub fingerprint: String,
    /// The file.
    pub file: PathBuf,
    /// Until when the token is taken from the file, Unix seconds.
    pub fresh_until: Option<f64>,
    /// Whether a call now would use the token.
    pub is_fresh: bool,
    /// Whether the token is older than the settings allow.
    pub is_too_old: bool,
    /// Why the token cannot be used.
    pub problem: Option<String>,
    /// The service that an exchanged token is for.
    pub audience: Option<String>,
    /// The scopes that were requested, for an exchanged token.
    pub scope: Option<String>,
}

/// Returns the names for which there is a token file, a note or a record of refusals, without extensions: 16 hex
/// digits, or `exchange-` and 16 hex digits, so that no other file in the directory is ever touched.
fn names(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for name in list(disk, directory)? {
        let Some((stem, "json" | "note" | "refusals")) = name.to_str().and_then(|name| name.rsplit_once('.'))
        else {
            continue;
        };
        if is_name(stem) {
            found.push(stem.to_owned());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn is_name(stem: &str) -> bool {
    let digits = stem.strip_prefix(exchanged::PREFIX).unwrap_or(stem);
    digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Lists the names in a directory; empty if there is no directory.
fn list(disk: &dyn Disk, directory: &Path) -> io::Result<Vec<OsString>> {
    match disk.list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names,
    }
}
