//! The events of the credential store: one function per event, so that names and fields stay the same everywhere.
//! Every refusal states its reason.
//!
//! No event contains a token, a client secret or a reply.

use std::{path::Path, time::Duration};

use colony_core::{
    Error,
    credential::{Credential, change::Downgrade},
};

const TARGET: &str = "colony::credential";

/// Reports that this process used a refresh token and stored the new credential.
pub(super) fn refreshed(file: &Path, rotated: bool, took: f64, credential: &Credential, now: f64) {
    let seconds_left = credential.expiry - now;
    tracing::info!(
        target: TARGET, event = "refreshed", file = %file.display(), rotated, took_ms = took * 1000.0, seconds_left,
        "credential refreshed"
    );
}

/// Reports that a credential stored by another process is used.
pub(super) fn adopted(file: &Path, waited: Duration, seconds_left: f64) {
    let waited_ms = millis(waited);
    tracing::debug!(
        target: TARGET, event = "adopted", file = %file.display(), waited_ms, seconds_left,
        "another process's credential is used"
    );
}

/// Reports that another process holds the lock.
pub(super) fn contended(lock: &Path, waited: Duration, gave_up: bool, holder: Option<u32>) {
    let waited_ms = millis(waited);
    if gave_up {
        tracing::warn!(
            target: TARGET, event = "contended", lock = %lock.display(), waited_ms, holder,
            "the lock was not released in time; nothing was sent"
        );
    } else {
        tracing::debug!(
            target: TARGET, event = "contended", lock = %lock.display(), waited_ms, holder,
            "another process holds the lock"
        );
    }
}

/// Reports that a refresh was not attempted, or failed.
pub(super) fn refused(file: &Path, reason: &'static str, error: &Error) {
    tracing::warn!(
        target: TARGET, event = "refused", file = %file.display(), reason, %error, "no refresh of the credential"
    );
}

/// Reports that the present access token stays in use.
pub(super) fn living_used(file: &Path, seconds_left: f64, error: &Error) {
    tracing::warn!(
        target: TARGET, event = "living_used", file = %file.display(), seconds_left, %error,
        "the refresh failed; the current token is used while it is valid"
    );
}

/// Reports that the outcome of an earlier refresh is not known. `decision` is the action taken: `waiting`,
/// `presented`, `spent` or `refused`.
pub(super) fn interrupted(file: &Path, age: f64, decision: &'static str) {
    tracing::warn!(
        target: TARGET, event = "interrupted", file = %file.display(), age_s = age, decision,
        "the outcome of an earlier refresh is not known"
    );
}

/// Reports that the new credential is in memory only.
pub(super) fn unsaved(file: &Path, error: &Error) {
    tracing::error!(
        target: TARGET, event = "unsaved", file = %file.display(), %error,
        "the refreshed credential could not be stored; it is kept in memory and stored as soon as possible"
    );
}

/// Reports that a login stored a credential.
pub(super) fn saved(file: &Path, downgrade: Option<Downgrade>) {
    let downgrade = downgrade.map(Downgrade::as_str);
    tracing::info!(target: TARGET, event = "saved", file = %file.display(), downgrade, "credential stored");
}

/// Reports that a credential was not stored.
pub(super) fn downgrade_refused(file: &Path, downgrade: Downgrade) {
    tracing::warn!(
        target: TARGET, event = "downgrade_refused", file = %file.display(), reason = downgrade.as_str(),
        "the stored credential was not replaced"
    );
}

/// Reports that a credential was removed.
pub(super) fn removed(file: &Path, revoked: bool) {
    tracing::info!(target: TARGET, event = "removed", file = %file.display(), revoked, "credential removed");
}

/// Reports that the credential was renewed in the background, or that the renewal failed.
pub(super) fn renewal(error: Option<&Error>) {
    match error {
        None => {
            tracing::debug!(target: TARGET, event = "renewed", "credential renewed in the background");
        }
        Some(error) => {
            tracing::warn!(
                target: TARGET, event = "renewal_failed", %error,
                "the credential could not be renewed in the background"
            );
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
