//! The events of the session: one function per event, so that names and fields stay the same everywhere.
//!
//! No event contains a token, a key or a reply.

use std::{fmt::Display, time::Duration};

use colony_core::openid::audience::Audience;

use super::store::{LockFile, TokenStore};

const TARGET: &str = "colony::token";

/// Reports that a token was taken from the file.
pub(super) fn hit(store: &TokenStore, seconds_left: f64) {
    tracing::debug!(target: TARGET, event = "hit", file = %store.file().display(), seconds_left, "token taken from the cache file");
}

/// Reports that no token was taken from the file.
pub(super) fn miss(store: &TokenStore, reason: &'static str) {
    tracing::debug!(target: TARGET, event = "miss", file = %store.file().display(), reason, "no token taken from the cache file");
}

/// Reports that another process got a token while this one waited.
pub(super) fn adopted(waited: Duration, audience: Option<&Audience>) {
    let waited_ms = millis(waited);
    match audience {
        None => {
            tracing::debug!(target: TARGET, event = "adopted", waited_ms, "another process logged in; its token is used");
        }
        Some(Audience { audience, .. }) => {
            tracing::debug!(target: TARGET, event = "adopted", waited_ms, audience, "another process got a token; it is used");
        }
    }
}

/// Reports that this process got a token from the server.
pub(super) fn minted(took: Duration, seconds_left: f64, audience: Option<&Audience>) {
    let took_ms = millis(took);
    match audience {
        None => tracing::info!(target: TARGET, event = "minted", took_ms, seconds_left, "logged in"),
        Some(Audience { audience, .. }) => {
            tracing::info!(target: TARGET, event = "minted", took_ms, seconds_left, audience, "got a token");
        }
    }
}

/// Reports that the server refused the token.
pub(super) fn rejected(operation: &str) {
    tracing::debug!(target: TARGET, event = "rejected", operation, "the server refused the token");
}

/// Reports that the server refused a token that was just issued for this operation.
pub(super) fn refuses_every_token(operation: &str) {
    tracing::warn!(
        target: TARGET, event = "refuses_every_token", operation,
        "the server refuses a token that it has just issued; for a while this operation's 401 leads to no new token"
    );
}

/// Reports that another process held the lock for a while.
pub(super) fn waited(store: &TokenStore, which: LockFile, waited: Duration, got_it: bool) {
    if got_it {
        if !waited.is_zero() {
            tracing::debug!(target: TARGET, event = "waited", waited_ms = millis(waited), "waited for the lock");
        }
    } else {
        let holder = store.announcement(which).map(|announced| announced.process);
        tracing::warn!(
            target: TARGET, event = "waited", waited_ms = millis(waited), holder, lock = %store.lock_file(which).display(),
            "the lock was not given up in the time that its holder may need; going on without it"
        );
    }
}

/// Reports that a cool-down noted earlier fails a call without a request to the server.
pub(super) fn cooling_down(left: Duration, audience: Option<&Audience>) {
    let left_s = left.as_secs();
    match audience {
        None => {
            tracing::debug!(target: TARGET, event = "cooling_down", left_s, "logins are paused after a refusal");
        }
        Some(Audience { audience, .. }) => {
            tracing::debug!(target: TARGET, event = "cooling_down", left_s, audience, "token requests are paused after a refusal");
        }
    }
}

/// Reports that other processes logged in later than this one and have stored their token.
pub(super) fn overtaken(store: &TokenStore) {
    tracing::debug!(target: TARGET, event = "overtaken", file = %store.file().display(), "a later token is in the cache file and stays");
}

/// Reports that a token near its end is used because no new one could be obtained.
pub(super) fn stale_used(seconds_left: f64, error: &dyn Display, audience: Option<&Audience>) {
    match audience {
        None => {
            tracing::warn!(target: TARGET, event = "stale_used", seconds_left, %error, "the login failed; the old token is used while it lives");
        }
        Some(Audience { audience, .. }) => {
            tracing::warn!(target: TARGET, event = "stale_used", seconds_left, %error, audience, "no new token could be had; the old one is used while it lives");
        }
    }
}

/// Reports that tokens are kept in a directory other than the preferred one, or in memory only.
pub(super) fn placed(first: bool, reason: &str) {
    if first {
        tracing::warn!(target: TARGET, event = "degraded", action = "locate", "{reason}");
    } else {
        tracing::debug!(target: TARGET, event = "degraded", action = "locate", "{reason}");
    }
}

/// Reports that the shared cache does not work.
pub(super) fn degraded(first: bool, action: &'static str, reason: &'static str, error: &dyn Display) {
    if first {
        tracing::warn!(target: TARGET, event = "degraded", action, reason, %error, "the token cache does not work; going on without it");
    } else {
        tracing::debug!(target: TARGET, event = "degraded", action, reason, %error, "the token cache does not work");
    }
}

/// Reports that the store that hosts share does not work.
#[cfg(feature = "redis")]
pub(super) fn store_trouble(first: bool, store: &dyn Display, error: &dyn Display) {
    if first {
        tracing::warn!(
            target: TARGET, event = "store_trouble", %store, %error,
            "the token store cannot be used; this host goes on without it"
        );
    } else {
        tracing::debug!(target: TARGET, event = "store_trouble", %store, %error, "the token store cannot be used");
    }
}

/// Reports that a token is in the store and is not used.
#[cfg(feature = "redis")]
pub(super) fn store_miss(reason: &'static str) {
    tracing::debug!(target: TARGET, event = "miss", level = "store", reason, "no token taken from the token store");
}

/// Reports that a token was stored for the other hosts.
#[cfg(feature = "redis")]
pub(super) fn stored() {
    tracing::debug!(target: TARGET, event = "stored", level = "store", "the token is stored for other hosts");
}

/// Reports that another host stored a later token.
#[cfg(feature = "redis")]
pub(super) fn store_overtaken() {
    tracing::debug!(target: TARGET, event = "overtaken", level = "store", "a later token is in the token store and stays");
}

/// Reports that this machine's clock and the store's are far apart.
#[cfg(feature = "redis")]
pub(super) fn clock_skew(seconds: f64) {
    tracing::warn!(
        target: TARGET, event = "clock_skew", seconds,
        "this machine's clock differs from the token store's; logins are more frequent when a clock is wrong"
    );
}

/// Reports that the token was renewed ahead of time, or that the renewal failed.
pub(super) fn renewal(error: Option<&dyn Display>) {
    match error {
        None => tracing::debug!(target: TARGET, event = "renewed", "token renewed ahead of time"),
        Some(error) => {
            tracing::warn!(target: TARGET, event = "renewal_failed", %error, "the token could not be renewed ahead of time");
        }
    }
}

/// Reports that the key was replaced.
pub(super) fn key_changed() {
    tracing::info!(target: TARGET, event = "key_changed", "the API key was replaced");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
