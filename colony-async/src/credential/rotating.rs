//! The token source that programs hold.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        Credential,
        grant::ClientAuth,
        timing::{self, REQUEST_LIMIT},
    },
};
use secrecy::SecretString;

use super::{ahead::Ahead, rotation::Purpose, store::CredentialStore, thread};
use crate::{
    gate::{Gate, Unfinished},
    time::unix,
};

/// The first pause after a refresh that failed while the present token lives; it doubles to the last.
const FIRST_PAUSE: f64 = 5.0;
const LAST_PAUSE: f64 = 60.0;

/// Gives access tokens of one stored credential, and refreshes it, together with every other program that
/// shares its store.
///
/// Cloning is cheap, and all clones share everything. See the [module](super) for what is promised.
#[derive(Clone)]
pub struct RotatingCredential {
    pub(super) shared: Arc<Shared>,
    /// Ends the background task with the last clone.
    _alive: Arc<Alive>,
}

/// Settings of a [`RotatingCredential`].
#[derive(Debug)]
pub struct RotatingBuilder {
    pub(super) store: CredentialStore,
    pub(super) auth: ClientAuth,
    pub(super) request_limit: Duration,
    pub(super) proxy: Option<String>,
    pub(super) introspection: Option<String>,
    pub(super) ahead: bool,
    pub(super) keep_alive: bool,
    pub(super) refresh_token_lifetime: Option<Duration>,
}

impl RotatingBuilder {
    /// How the client says who it is at the token endpoint: [`ClientAuth::None`] unless set.
    #[must_use]
    pub fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// How long one request to the provider may take: 30 s unless set. The store's
    /// [`lock_limit`](CredentialStore::lock_limit) becomes at least 5 s more.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.request_limit = limit;
        self
    }

    /// The proxy to go through, instead of the environment's.
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<String>) -> Self {
        self.proxy = Some(proxy.into());
        self
    }

    /// Where to ask whether a refresh token is still good
    /// ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)), on the issuer's host. With it, a refresh that a
    /// crash or a broken connection left undecided is decided without a person, unless its answer was lost.
    /// It is asked once the request that may still be under way has run out of time.
    #[must_use]
    pub fn introspection_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.introspection = Some(endpoint.into());
        self
    }

    /// Refreshes in the background, in the minute before a call would have to. Off unless set. The task starts
    /// with the first token and ends with the last clone.
    #[must_use]
    pub fn refresh_ahead(mut self, on: bool) -> Self {
        self.ahead = on;
        self
    }

    /// Rotates in the background at half the refresh token's lifetime, so that a program that seldom needs a
    /// token does not lose it. Off unless set. The lifetime is what the provider said
    /// (`refresh_token_expires_in`) unless
    /// [`refresh_token_lifetime`](Self::refresh_token_lifetime) says it; without either nothing is done.
    #[must_use]
    pub fn keep_alive(mut self, on: bool) -> Self {
        self.keep_alive = on;
        self
    }

    /// How long a refresh token lives when it is not used, and switches [`keep_alive`](Self::keep_alive) on.
    #[must_use]
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.refresh_token_lifetime = Some(lifetime);
        self.keep_alive = true;
        self
    }

    /// The token source. Nothing is read or sent yet.
    #[must_use]
    pub fn build(mut self) -> RotatingCredential {
        let least = self.request_limit.saturating_add(Duration::from_secs(5));
        self.store.lock_limit = self.store.lock_limit.max(least);
        let shared = Arc::new(Shared {
            settings: self,
            held: ArcSwapOption::empty(),
            gate: Arc::default(),
            calm: Mutex::default(),
            known: Mutex::default(),
            ahead: Ahead::default(),
        });
        RotatingCredential { _alive: Arc::new(Alive(Arc::clone(&shared))), shared }
    }
}

/// What [`RotatingCredential::rotate`] did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rotation {
    /// What is stored now.
    pub credential: Credential,
    /// Whether this process sent the request; otherwise another one did meanwhile.
    pub is_own: bool,
}

/// What all clones share.
pub(super) struct Shared {
    pub(super) settings: RotatingBuilder,
    pub(super) held: ArcSwapOption<Credential>,
    gate: Arc<Gate<Outcome>>,
    calm: Mutex<Calm>,
    pub(super) known: Mutex<super::rotation::Known>,
    pub(super) ahead: Ahead,
}

/// What a flight came to; all who waited share it.
pub(super) type Outcome = Result<Arc<Rotation>, Failure>;

/// Why there is no new credential.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// One word for the log.
    pub(super) reason: &'static str,
    /// Whether the present access token is as good as before.
    pub(super) living_serves: bool,
}

/// When to try again after a failure.
#[derive(Default)]
struct Calm {
    until: f64,
    pause: f64,
}

struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.ahead.end();
    }
}

impl RotatingCredential {
    /// A token source over a store.
    pub fn builder(store: CredentialStore) -> RotatingBuilder {
        RotatingBuilder {
            store,
            auth: ClientAuth::None,
            request_limit: REQUEST_LIMIT,
            proxy: None,
            introspection: None,
            ahead: false,
            keep_alive: false,
            refresh_token_lifetime: None,
        }
    }

    /// The store.
    pub fn store(&self) -> &CredentialStore {
        &self.shared.settings.store
    }

    /// An access token with more than a minute to live (half its life, where that is less than two minutes).
    /// From memory if there is one, from the store if another process put one there, else by a refresh, which
    /// all who wait share.
    ///
    /// When the refresh fails for a passing reason, a token that is not expired yet is given all the same,
    /// with a warning, and for a few seconds no refresh is tried again.
    ///
    /// # Errors
    ///
    /// [`ReauthRequired`](ErrorKind::ReauthRequired) when a person has to log in again; with
    /// [`code`](Error::code) `no_credential`, `not_refreshable`, `interrupted` or `invalid_grant`.
    /// [`CredentialBusy`](ErrorKind::CredentialBusy) when another process holds the lock for too long,
    /// [`CredentialStore`](ErrorKind::CredentialStore) when the lock or the file cannot be used: nothing was
    /// sent then. What the provider answered otherwise, or [`Network`](ErrorKind::Network).
    pub async fn token(&self) -> Result<SecretString> {
        let now = self.shared.now();
        if let Some(held) = &*self.shared.held.load()
            && timing::is_fresh(held, now)
            && let Some(token) = &held.access_token
        {
            return Ok(token.clone());
        }
        access_token(&*self.acquire(Purpose::Fresh).await?)
    }

    /// An access token other than this one, which the resource has just refused (401). If another process has
    /// stored a newer one, that; else by a refresh.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub async fn token_other_than(&self, rejected: &SecretString) -> Result<SecretString> {
        let now = self.shared.now();
        if let Some(held) = &*self.shared.held.load()
            && timing::is_fresh(held, now)
            && !held.has_access_token(rejected)
            && let Some(token) = &held.access_token
        {
            return Ok(token.clone());
        }
        access_token(&*self.acquire(Purpose::OtherThan(rejected.clone())).await?)
    }

    /// Refreshes now, although the present token may be fresh: the refresh token known to this process is
    /// spent, unless another process has done so meanwhile.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token); a living access token does not hide a failure here.
    pub async fn rotate(&self) -> Result<Rotation> {
        let known = match self.shared.held.load_full() {
            Some(held) => held,
            None => match self.store().load().await? {
                Some(credential) => Arc::new(credential),
                None => return Err(super::rotation::no_credential().error),
            },
        };
        let outcome = self.shared.fly(Purpose::NewerThan(known)).await;
        outcome.map(|rotation| (*rotation).clone()).map_err(|failure| failure.error)
    }

    /// Waits until nothing is under way: no refresh whose answer is still to be stored. Call it before the
    /// process ends, if it refreshes in the background or calls may have been given up.
    ///
    /// # Errors
    ///
    /// As [`CredentialStore::save`] when the lock cannot be had.
    pub async fn settle(&self) -> Result<()> {
        // Joins the flight under way; without one, this is all the work there is.
        let nothing = || std::future::ready(Err(super::rotation::no_credential()));
        let _ = self.shared.gate.share(nothing).await;
        let store = self.store().clone();
        // One whose runtime has ended holds the lock until its answer is stored.
        thread::run(async move || store.lock().await.map(drop)).await
    }

    /// Removes the credential from the store, and with an endpoint ends its tokens at the provider first
    /// ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)). Waits for the lock. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`CredentialStore::remove`]. When the provider does not confirm the revocation, what it answered;
    /// then nothing is removed, so that it can be tried again.
    pub async fn log_out(&self, revocation_endpoint: Option<&str>) -> Result<bool> {
        let (shared, endpoint) = (Arc::clone(&self.shared), revocation_endpoint.map(str::to_owned));
        thread::run(async move || shared.log_out(endpoint).await).await
    }

    async fn acquire(&self, purpose: Purpose) -> Result<Arc<Credential>> {
        let shared = &self.shared;
        let living = |shared: &Shared| {
            let held = shared.held.load_full()?;
            (timing::is_alive(&held, shared.now()) && !purpose.rejects(&held)).then_some(held)
        };
        if shared.is_calm()
            && let Some(living) = living(shared)
        {
            return Ok(living);
        }
        let credential = match shared.fly(purpose.clone()).await {
            Ok(rotation) => Arc::new(rotation.credential.clone()),
            Err(failure) if failure.living_serves => match living(shared) {
                Some(living) => living,
                None => return Err(failure.error),
            },
            Err(failure) => return Err(failure.error),
        };
        if shared.settings.ahead || shared.settings.keep_alive {
            shared.ahead.start(shared);
        }
        Ok(credential)
    }
}

impl Shared {
    pub(super) fn now(&self) -> f64 {
        unix(&*self.settings.store.timer)
    }

    /// Joins the flight under way, or sets one out; and another, if what it brings is not what is needed.
    pub(super) async fn fly(self: &Arc<Self>, purpose: Purpose) -> Outcome {
        let mut outcome = self.join(&purpose).await;
        for _ in 0..2 {
            match &outcome {
                Ok(rotation) if purpose.rejects(&rotation.credential) => outcome = self.join(&purpose).await,
                _ => break,
            }
        }
        outcome
    }

    async fn join(self: &Arc<Self>, purpose: &Purpose) -> Outcome {
        let work = || {
            let (shared, purpose) = (Arc::clone(self), purpose.clone());
            async move {
                let own = Arc::clone(&shared);
                // The flight's own errors come inside; the outer one is the thread's.
                let outcome = thread::run(async move || Ok(own.refresh(&purpose).await)).await;
                let outcome = outcome.unwrap_or_else(|error| Err(Failure::lasting("thread", error)));
                shared.note(&outcome);
                outcome
            }
        };
        self.gate
            .share(work)
            .await
            .unwrap_or_else(|unfinished| Err(Failure::lasting("runtime", unfinished.into())))
    }

    fn is_calm(&self) -> bool {
        self.calm.lock().unwrap_or_else(PoisonError::into_inner).until > self.now()
    }

    /// After a failure the next try waits a little, as long as there is a token to go on with.
    fn note(&self, outcome: &Outcome) {
        let now = self.now();
        let mut calm = self.calm.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(_) => *calm = Calm::default(),
            Err(failure) => {
                calm.pause = (calm.pause * 2.0).clamp(FIRST_PAUSE, LAST_PAUSE);
                let asked = failure.error.retry_after().map_or(0.0, |wait| wait.as_secs_f64());
                calm.until = now + calm.pause.max(asked);
            }
        }
    }
}

impl Failure {
    /// One after which the present access token is as good as before.
    pub(super) fn passing(reason: &'static str, error: Error) -> Self {
        Self { error, reason, living_serves: true }
    }

    /// One that a person has to hear of now.
    pub(super) fn lasting(reason: &'static str, error: Error) -> Self {
        Self { error, reason, living_serves: false }
    }
}

impl From<Unfinished> for Error {
    fn from(unfinished: Unfinished) -> Self {
        let (kind, message, hint) = match unfinished {
            Unfinished::NoRuntime => (
                ErrorKind::Config,
                "a rotating credential was used outside a tokio runtime",
                "Use it inside `Runtime::block_on`, or take `colony_blocking::credential`",
            ),
            Unfinished::Stopped => (
                ErrorKind::Busy,
                "the runtime was shut down during the refresh",
                "The refresh goes on; ask again",
            ),
            Unfinished::Panicked => {
                (ErrorKind::Config, "the refresh panicked; its message is on stderr", "Mend the timer")
            }
        };
        Self::build(kind, message).hint(hint).finish()
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
