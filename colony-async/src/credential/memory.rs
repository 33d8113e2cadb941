//! What this process has in memory of a stored credential.

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

/// How often, in seconds, the file is looked at while a credential serves from memory: a logout by another process
/// is noticed within two seconds.
const LOOK_AGAIN: f64 = 1.0;

/// The credential in memory, and what the file does not say.
pub(super) struct Memory {
    held: ArcSwapOption<Stamped>,
    /// When the file was last seen to be as it was, seconds of this boot as bits.
    looked: AtomicU64,
    unwritten: Mutex<Unwritten>,
}

/// A credential, and the state of the file that it was read from or written to.
struct Stamped {
    credential: Arc<Credential>,
    stamp: Option<Stamp>,
}

/// What this process knows and the file does not say.
#[derive(Default)]
pub(super) struct Unwritten {
    /// The attempt whose request provably had no effect, and the note that was there before it. Its own note does
    /// not count, should it still be there.
    pub(super) without_effect: Option<(String, Option<Spending>)>,
    /// A refreshed credential that could not be written, and the attempt it came from.
    pub(super) unsaved: Option<(String, Stored)>,
    /// When the provider was last asked by introspection, and about which attempt.
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

    /// The credential in memory, unless the file has been changed or removed since it was read. The file is looked
    /// at once a second.
    pub(super) fn present(&self, files: &Files, now: &Uptime) -> Option<Arc<Credential>> {
        let held = self.held.load();
        let held = held.as_ref()?;
        let looked = f64::from_bits(self.looked.load(Ordering::Relaxed));
        if !(0.0..LOOK_AGAIN).contains(&(now.seconds - looked)) {
            // A file that cannot be looked at says nothing: it is there, as far as can be told.
            if files.stamp().is_ok_and(|stamp| stamp != held.stamp) {
                return None;
            }
            self.looked.store(now.seconds.to_bits(), Ordering::Relaxed);
        }
        Some(Arc::clone(&held.credential))
    }

    /// The credential in memory, whatever has become of the file.
    pub(super) fn held(&self) -> Option<Arc<Credential>> {
        self.held.load().as_ref().map(|held| Arc::clone(&held.credential))
    }

    /// Keeps a credential that was read from the file, or written to it, in this state.
    pub(super) fn keep(&self, credential: &Credential, stamp: Option<Stamp>) {
        // The same one stays the same: a renewal that was planned for it is not planned anew.
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

    /// Notes the state of the file, which holds the same credential and was written with the lock held.
    pub(super) fn restamp(&self, stamp: Option<Stamp>) {
        if let Some(credential) = self.held() {
            self.held.store(Some(Arc::new(Stamped { credential, stamp })));
        }
    }

    /// Keeps what is in the file, which may serve on when the rest fails. Not where this process has a later one
    /// that could not be stored.
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

    /// What this process refreshed and could not store, if the file is still as it was then.
    pub(super) fn unsaved(&self, stored: &Stored) -> Option<Stored> {
        let mut unwritten = self.unwritten();
        let (attempt, unsaved) = unwritten.unsaved.as_ref()?;
        if stored.present_spending().is_some_and(|spending| spending.attempt == *attempt) {
            return Some(unsaved.clone());
        }
        // Somebody has logged in since.
        unwritten.unsaved = None;
        None
    }
}
