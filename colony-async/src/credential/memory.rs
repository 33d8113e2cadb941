//! This process's copy of a stored credential.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwapOption;
use colony_core::credential::{
    Credential,
    document::Stored,
    spending::{Spending, Uptime},
};

use super::files::{Files, Found};
use crate::disk::Stamp;

/// How often, in seconds, the file is checked while a credential is used from memory. A logout by another process is
/// noticed within two seconds.
const LOOK_AGAIN: f64 = 1.0;

/// The credential in memory, and facts that the file does not record.
pub(super) struct Memory {
    held: ArcSwapOption<Stamped>,
    /// When the file was last seen unchanged, in seconds since boot, stored as bits.
    looked: AtomicU64,
    unwritten: Mutex<Unwritten>,
}

/// A credential, and the state of the file that it was read from or written to.
struct Stamped {
    credential: Arc<Credential>,
    stamp: Option<Stamp>,
}

/// Facts that this process knows and the file does not record.
#[derive(Default)]
pub(super) struct Unwritten {
    /// The attempt whose request provably had no effect, and the note that was there before it. The attempt's own
    /// note does not count if it is still in the file.
    pub(super) without_effect: Option<(String, Option<Spending>)>,
    /// A refreshed credential that could not be written, and the attempt that produced it.
    pub(super) unsaved: Option<(String, Stored)>,
    /// When the provider was last queried by introspection, and about which attempt.
    pub(super) introspected: Option<(String, Uptime)>,
}

impl Default for Memory {
    fn default() -> Self {
        let never = AtomicU64::new(f64::NEG_INFINITY.to_bits());
        Self { held: ArcSwapOption::empty(), looked: never, unwritten: Mutex::default() }
    }
}

impl Memory {
    pub(super) fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the credential in memory, unless the file has been changed or removed since it was read. The file is
    /// checked once a second.
    pub(super) fn present(&self, files: &Files, now: &Uptime) -> Option<Arc<Credential>> {
        let held = self.held.load();
        let held = held.as_ref()?;
        let looked = f64::from_bits(self.looked.load(Ordering::Relaxed));
        if !(0.0..LOOK_AGAIN).contains(&(now.seconds - looked)) {
            // A file that cannot be examined is assumed to be unchanged.
            if files.stamp().is_ok_and(|stamp| stamp != held.stamp) {
                return None;
            }
            self.looked.store(now.seconds.to_bits(), Ordering::Relaxed);
        }
        Some(Arc::clone(&held.credential))
    }

    /// Returns the credential in memory, whatever the state of the file.
    pub(super) fn held(&self) -> Option<Arc<Credential>> {
        self.held.load().as_ref().map(|held| Arc::clone(&held.credential))
    }

    /// Keeps a credential that was read from or written to the file in this state.
    pub(super) fn keep(&self, credential: &Credential, stamp: Option<Stamp>) {
        // An equal credential stays the same object, so that a renewal planned for it is not planned again.
        let same = self.held().filter(|held| {
            held.obtained_at == credential.obtained_at
                && held.refresh_fingerprint() == credential.refresh_fingerprint()
                && match &credential.access_token {
                    Some(token) => held.has_access_token(token),
                    None => held.access_token.is_none(),
                }
        });
        let credential = same.unwrap_or_else(|| Arc::new(credential.clone()));
        self.held.store(Some(Arc::new(Stamped { credential, stamp })));
    }

    /// Notes the state of a file that holds the same credential and was written with the lock held.
    pub(super) fn restamp(&self, stamp: Option<Stamp>) {
        if let Some(credential) = self.held() {
            self.held.store(Some(Arc::new(Stamped { credential, stamp })));
        }
    }

    /// Keeps the file's credential, which can stay in use when the refresh fails. Does nothing if this process has a
    /// later one that could not be stored.
    pub(super) fn see(&self, found: &Found) {
        if self.unsaved(&found.stored).is_none() {
            self.keep(&found.stored.credential, Some(found.stamp));
        }
    }

    /// Forgets the credential: the file is gone.
    pub(super) fn forget(&self) {
        self.held.store(None);
        self.unwritten().unsaved = None;
    }

    /// Returns a credential that this process refreshed and could not store, if the file has not changed since.
    pub(super) fn unsaved(&self, stored: &Stored) -> Option<Stored> {
        let mut unwritten = self.unwritten();
        let (attempt, unsaved) = unwritten.unsaved.as_ref()?;
        if stored.present_spending().is_some_and(|spending| spending.attempt == *attempt) {
            return Some(unsaved.clone());
        }
        // Another process has logged in since.
        unwritten.unsaved = None;
        None
    }
}
