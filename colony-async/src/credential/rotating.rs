//! The token source for programs.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        Credential,
        grant::ClientAuth,
        spending::{SETTLE, Uptime},
        timing::{self, REQUEST_LIMIT},
    },
    token::{TokenDetails, freshness::unix_seconds, too_short},
};
use secrecy::SecretString;

use super::{
    endpoint::Wire,
    events,
    failure::Failure,
    rotation::{Outcome, Purpose, Rotation, Rotator},
    settings::{Settings, Unclear},
    store::CredentialStore,
};
use crate::{
    background,
    gate::Gate,
    renewal::{Renewal, Renewing},
    time::Timer,
    tls::Certificates,
};

/// The first pause after a failed refresh while the present token lives; it doubles up to the last. Seconds.
const FIRST_PAUSE: f64 = 5.0;
const LAST_PAUSE: f64 = 60.0;

/// Returns access tokens of one stored credential, and refreshes it in turn with every other program that shares its
/// store.
///
/// Cloning is cheap, and all clones share everything. See the [module](super) for its guarantees.
#[derive(Clone)]
pub struct RotatingCredential {
    shared: Arc<Shared>,
    /// Ends the background task when the last clone is dropped.
    _alive: Arc<Alive>,
}

/// Settings of a [`RotatingCredential`].
#[derive(Debug)]
pub struct RotatingBuilder {
    settings: Settings,
}

impl RotatingBuilder {
    /// Sets how the client authenticates at the token endpoint: [`ClientAuth::None`] unless set.
    #[must_use]
    pub fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.settings.auth = auth;
        self
    }

    /// Sets the time limit of one request to the provider: 30 s unless set. The store's
    /// [`lock_limit`](CredentialStore::lock_limit) becomes at least 5 s more.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.request_limit = limit;
        self
    }

    /// Sets the proxy, in place of the environment's.
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<String>) -> Self {
        self.settings.proxy = Some(proxy.into());
        self
    }

    /// Trusts the certificate authorities in this PEM file in addition to the system's.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.settings.certificates.authorities = Some(path.into());
        self
    }

    /// Sets the introspection endpoint, which reports whether a refresh token is still valid ([RFC
    /// 7662](https://www.rfc-editor.org/rfc/rfc7662)), on the issuer's host. After a refresh with an unknown outcome,
    /// "inactive" settles the question at once: the token is spent and is not presented again. "Active" changes
    /// nothing, because the request may still be under way.
    #[must_use]
    pub fn introspection_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.introspection = Some(endpoint.into());
        self
    }

    /// Sets how long a refresh token is not used after a refresh with an unknown outcome, counted from when it was
    /// sent: 5 minutes unless set, never less than the request's [`timeout`](Self::timeout). Each further unknown
    /// outcome doubles it, up to an hour. A request must not be under way for longer than this, at the provider or at
    /// a proxy in front of it.
    #[must_use]
    pub fn settle(mut self, time: Duration) -> Self {
        self.settings.settle = time;
        self
    }

    /// Sets what happens to a refresh token when the outcome of its refresh is not known and `settle` has passed:
    /// [`Unclear::Retry`] unless set.
    #[must_use]
    pub fn unclear(mut self, policy: Unclear) -> Self {
        self.settings.unclear = policy;
        self
    }

    /// Sets whether to refresh in the background, in the minute before a call would have to. Off unless set. The task
    /// starts with the first token and ends with the last clone.
    #[must_use]
    pub fn refresh_ahead(mut self, on: bool) -> Self {
        self.settings.ahead = on.then_some(1.0);
        self
    }

    /// Refreshes in the background when this fraction of the access token's life has passed, and switches
    /// [`refresh_ahead`](Self::refresh_ahead) on. With 0.5, half of the life is left for an outage of the provider.
    /// From 0.1 to 1.
    #[must_use]
    pub fn refresh_ahead_at(mut self, fraction: f64) -> Self {
        self.settings.ahead = Some(fraction);
        self
    }

    /// Sets whether to rotate when half of the refresh token's lifetime has passed, so that a program whose access
    /// tokens live long does not lose it. It rotates in the background if that is enabled, and with the next
    /// [`token`](RotatingCredential::token) otherwise. Off unless set. The lifetime is the provider's
    /// (`refresh_token_expires_in`) unless [`refresh_token_lifetime`](Self::refresh_token_lifetime) sets it; without
    /// either, this has no effect.
    #[must_use]
    pub fn keep_alive(mut self, on: bool) -> Self {
        self.settings.keep_alive = on;
        self
    }

    /// Sets how long an unused refresh token lives, and switches [`keep_alive`](Self::keep_alive) on.
    #[must_use]
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.refresh_token_lifetime = Some(lifetime);
        self.settings.keep_alive = true;
        self
    }

    /// Sets the object that plays the provider. For tests.
    #[doc(hidden)]
    #[must_use]
    pub fn wire(mut self, wire: impl Wire) -> Self {
        self.settings.wire = Some(Arc::new(wire));
        self
    }

    /// Builds the token source. Nothing is read or sent yet.
    #[must_use]
    pub fn build(self) -> RotatingCredential {
        let mut settings = self.settings;
        let least = settings.request_limit.saturating_add(Duration::from_secs(5));
        settings.store.lock_limit = settings.store.lock_limit.max(least);
        let shared = Arc::new(Shared {
            rotator: Arc::new(Rotator::new(settings)),
            gate: Arc::default(),
            calm: Mutex::default(),
            renewal: Renewal::default(),
        });
        RotatingCredential { _alive: Arc::new(Alive(Arc::clone(&shared))), shared }
    }
}

/// The state that all clones share.
struct Shared {
    rotator: Arc<Rotator>,
    gate: Arc<Gate<Outcome>>,
    calm: Mutex<Option<Calm>>,
    renewal: Renewal,
}

/// After a failure, delays the next try while there is a token that can still be used.
#[derive(Clone)]
struct Calm {
    since: Uptime,
    lasts: f64,
    pause: f64,
}

struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.renewal.end();
    }
}

impl RotatingCredential {
    /// Returns a token source over a store.
    pub fn builder(store: CredentialStore) -> RotatingBuilder {
        let settings = Settings {
            store,
            auth: ClientAuth::None,
            request_limit: REQUEST_LIMIT,
            proxy: None,
            certificates: Certificates::default(),
            introspection: None,
            settle: SETTLE,
            unclear: Unclear::default(),
            ahead: None,
            keep_alive: false,
            refresh_token_lifetime: None,
            wire: None,
        };
        RotatingBuilder { settings }
    }

    /// Returns the store.
    pub fn store(&self) -> &CredentialStore {
        &self.shared.settings().store
    }

    /// Returns an access token with more than a minute to live (half its life, if that is less than two minutes). The
    /// token comes from memory, else from the store if another process put one there, else from a refresh, which all
    /// waiting calls share.
    ///
    /// When the refresh fails for a passing reason, a token that has not expired yet is still returned, with a
    /// warning, and no refresh is tried for a few seconds. A logout by another process is noticed within two seconds.
    ///
    /// # Errors
    ///
    /// - [`ReauthRequired`](ErrorKind::ReauthRequired) when a person has to log in again; with [`code`](Error::code)
    ///   `no_credential`, `not_refreshable`, `invalid_grant`, `copied` (the store is a copy of another one, see
    ///   [`CredentialStore::adopt`]) or `interrupted` (the outcome of a refresh is not known, and cannot be found out
    ///   or the settings forbid trying).
    /// - [`CredentialBusy`](ErrorKind::CredentialBusy) when another process holds the lock for too long; with the
    ///   code `interrupted` when the outcome of a refresh is not known, and its token is presented once more after
    ///   [`retry_after`](Error::retry_after).
    /// - [`CredentialStore`](ErrorKind::CredentialStore) when the lock or the file cannot be used; nothing was sent.
    /// - The provider's error otherwise, or [`Network`](ErrorKind::Network) when no connection was made.
    pub async fn token(&self) -> Result<SecretString> {
        access_token(&*self.acquire(Purpose::Fresh).await?)
    }

    /// Returns an access token, as [`token`](Self::token) does, and when it expires.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub async fn token_details(&self) -> Result<TokenDetails> {
        self.token_with_min_ttl(Duration::ZERO).await
    }

    /// Returns an access token that lives at least `min_ttl`, and when it expires. If the present one is too short,
    /// the credential is refreshed, once for all waiting callers.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token), except that a living token with too little time left does not hide a failed
    /// refresh; and [`InvalidArgument`](ErrorKind::InvalidArgument) when `min_ttl` is longer than the life of a new
    /// token.
    pub async fn token_with_min_ttl(&self, min_ttl: Duration) -> Result<TokenDetails> {
        let least = min_ttl.as_secs_f64();
        let mut held = self.acquire(Purpose::Fresh).await?;
        // A refresh already under way can return the token that is known to be too short.
        for _ in 0..3 {
            let details = TokenDetails::new(access_token(&held)?, held.expiry);
            let left = unix_seconds(details.expires_at) - self.shared.settings().now();
            if least == 0.0 || left >= least {
                return Ok(details);
            }
            let whole = held.expiry - held.obtained_at;
            if whole <= least {
                return Err(too_short(min_ttl, Some(whole)));
            }
            held = self.acquire(Purpose::NewerThan(held)).await?;
        }
        Err(too_short(min_ttl, None))
    }

    /// Returns an access token other than this one, which the resource has just refused (401). The token comes from
    /// the store if another process has stored a newer one, otherwise from a refresh.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub async fn token_other_than(&self, rejected: &SecretString) -> Result<SecretString> {
        access_token(&*self.acquire(Purpose::OtherThan(rejected.clone())).await?)
    }

    /// Refreshes now, even if the present token is fresh: the refresh token known to this process is used, unless
    /// another process has used it in the meantime. It counts as a person's request: if the outcome of an earlier
    /// refresh is not known and `settle` has passed, the token is presented although the access token lives.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token); a living access token does not hide a failure here.
    pub async fn rotate(&self) -> Result<Rotation> {
        let known = match self.shared.rotator.memory.held() {
            Some(held) => held,
            None => match self.store().load().await? {
                Some(credential) => Arc::new(credential),
                None => return Err(Failure::no_credential().error),
            },
        };
        let outcome = self.shared.fly(Purpose::Asked(known)).await;
        outcome.map(|rotation| (*rotation).clone()).map_err(|failure| failure.error)
    }

    /// Waits until no refresh is under way and all replies are stored. Call it before the process ends, if it
    /// refreshes in the background or calls may have been dropped.
    pub async fn settle(&self) {
        self.shared.rotator.activity.idle().await;
    }

    /// Closes this source before the process ends. No refresh token is sent from now on, and this returns once the
    /// replies to sent requests are stored, after the request's time limit at most. Refreshes fail with
    /// [`Busy`](ErrorKind::Busy) afterwards; a living access token is still returned.
    pub async fn close(&self) {
        self.shared.rotator.activity.close().await;
    }

    /// Removes the credential from the store. With an endpoint, first revokes its tokens at the provider ([RFC
    /// 7009](https://www.rfc-editor.org/rfc/rfc7009)). Waits for the lock. Returns whether there was a credential.
    ///
    /// # Errors
    ///
    /// As [`CredentialStore::remove`]. If the provider does not confirm the revocation, its error; then nothing is
    /// removed, so that the call can be repeated.
    pub async fn log_out(&self, revocation_endpoint: Option<&str>) -> Result<bool> {
        let (rotator, endpoint) = (Arc::clone(&self.shared.rotator), revocation_endpoint.map(str::to_owned));
        background::run(async move || rotator.log_out(endpoint).await).await
    }

    async fn acquire(&self, purpose: Purpose) -> Result<Arc<Credential>> {
        let shared = &self.shared;
        let (rotator, settings) = (&shared.rotator, shared.settings());
        // Checked against the file: a credential that another process removed or replaced is not used.
        let present = || rotator.memory.present(&settings.store.files, &settings.uptime());
        let living =
            || present().filter(|held| timing::is_alive(held, settings.now()) && !purpose.rejects(held));
        if let Some(held) = present()
            && rotator.is_served_by(&purpose, &held, settings.now())
        {
            return Ok(held);
        }
        if shared.is_calm()
            && let Some(living) = living()
        {
            return Ok(living);
        }
        let credential = match shared.fly(purpose.clone()).await {
            Ok(rotation) => Arc::new(rotation.credential.clone()),
            // A fresh credential that was to be kept alive is used in any case.
            Err(failure) => match living() {
                Some(held) if failure.living_serves || timing::is_fresh(&held, settings.now()) => held,
                _ => return Err(failure.error),
            },
        };
        if settings.ahead.is_some() || settings.keep_alive {
            shared.renewal.start(shared);
        }
        Ok(credential)
    }
}

impl Shared {
    fn settings(&self) -> &Settings {
        &self.rotator.settings
    }

    /// Joins the refresh under way, or begins one. If the one under way has a purpose whose outcome cannot be used
    /// here, begins another after it.
    async fn fly(&self, purpose: Purpose) -> Outcome {
        let work = || {
            let (rotator, purpose) = (Arc::clone(&self.rotator), purpose.clone());
            let under_way = rotator.activity.refresh();
            async move {
                let outcome = rotator.refresh(&purpose).await;
                drop(under_way);
                outcome
            }
        };
        let is_useless = |outcome: &Outcome| match outcome {
            Ok(rotation) => purpose.rejects(&rotation.credential),
            Err(failure) => failure.is_for_those_who_can_wait && purpose.cannot_wait(),
        };
        let outcome = self.gate.share_unless(work, is_useless).await;
        let outcome = outcome.unwrap_or_else(|lost| Err(Failure::lasting("thread", lost.into())));
        self.note(&outcome);
        outcome
    }

    fn is_calm(&self) -> bool {
        let now = self.settings().uptime();
        let calm = self.calm.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = calm.as_ref().and_then(|calm| Some((now.since(&calm.since)?, calm.lasts)));
        passed.is_some_and(|(passed, lasts)| passed < lasts)
    }

    fn note(&self, outcome: &Outcome) {
        let mut calm = self.calm.lock().unwrap_or_else(PoisonError::into_inner);
        *calm = outcome.as_ref().err().map(|failure| {
            let former = calm.as_ref().map_or(0.0, |calm| calm.pause);
            let pause = (former * 2.0).clamp(FIRST_PAUSE, LAST_PAUSE);
            let asked = failure.error.retry_after().map_or(0.0, |wait| wait.as_secs_f64());
            Calm { since: self.settings().uptime(), lasts: pause.max(asked), pause }
        });
    }
}

impl Renewing for Shared {
    type Token = Credential;

    fn timer(&self) -> &dyn Timer {
        &*self.settings().store.timer
    }

    fn present(&self) -> Option<Arc<Credential>> {
        self.rotator.memory.held()
    }

    fn due(&self, held: &Credential, random: f64) -> f64 {
        let Settings { ahead, keep_alive, refresh_token_lifetime, .. } = self.settings();
        let ahead = ahead.map_or(f64::INFINITY, |fraction| timing::ahead_due(held, fraction, random));
        let kept = keep_alive.then(|| timing::keep_alive_due(held, *refresh_token_lifetime, random));
        kept.flatten().unwrap_or(f64::INFINITY).min(ahead)
    }

    async fn renew(self: Arc<Self>, held: Arc<Credential>) -> Result<(), Duration> {
        match self.fly(Purpose::NewerThan(held)).await {
            Ok(_) => {
                events::renewal(None);
                Ok(())
            }
            Err(failure) => {
                events::renewal(Some(&failure.error));
                Err(failure.error.retry_after().unwrap_or_default())
            }
        }
    }
}

fn access_token(credential: &Credential) -> Result<SecretString> {
    credential.access_token.clone().ok_or_else(|| {
        Error::build(ErrorKind::CredentialStore, "the stored credential has no access token").finish()
    })
}

impl fmt::Debug for RotatingCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingCredential").field("store", self.store()).finish_non_exhaustive()
    }
}
