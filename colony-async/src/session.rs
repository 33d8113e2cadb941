//! The token session: one login, however many tasks, clients and processes want a token.
//!
//! The order for one call: the token in memory; then a *single flight*, which all tasks of this process join. It
//! reads the file without a lock (a rename is atomic, so a read is whole or absent), then takes the lock file and
//! reads *the file again*, because another process may have logged in meanwhile; only then does it log in. Ten
//! thousand tasks read the file once.
//!
//! Trouble with the file, its directory or the lock never fails a call. It is reported as `tracing` events with the
//! target `colony::token`.
//!
//! | Noun | Means |
//! | --- | --- |
//! | [`CachedToken`] | a token with its lifetime |
//! | [`TokenStore`] | the file of one token, and the files beside it |
//! | [`Lock`](crate::disk::lock::Lock) | the held lock file, whose holder may log in |
//! | [`Refresh`](refresh::Refresh) | an attempt in flight to get a token |
//! | [`Note`] | a failed login, as one process reports it to others |

mod ahead;
mod directory;
mod events;
#[cfg(feature = "redis")]
pub(crate) mod fleet;
mod level;
mod login;
mod mint;
mod refresh;
mod round;
mod status;
mod store;

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use colony_core::{
    Error, Result,
    openid::audience::Need,
    token::{cache_path, cooldown::Note, refusals::Refusals, too_short},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    background,
    callback::Owner,
    deadline::{Failed, Tried},
    disk::Disk,
    gate::Gate,
    renewal::Renewal,
    time::{Timer, unix},
    token::CachedToken,
};

pub use directory::CacheDirectory;
pub(crate) use directory::{PROGRAM, in_use};
#[cfg(feature = "redis")]
pub use fleet::TokenStoreStatus;
pub use status::{CacheEntry, LockStatus, TokenStatus};
pub(crate) use status::{list_cache, remove_cached};

#[cfg(not(feature = "redis"))]
pub(crate) use level::warn_of_store;
use level::{Level, Worth};
pub(crate) use login::{Login, Totp, within};
pub(crate) use mint::{Attempt, Mint};
pub(crate) use refresh::Want;
pub(crate) use round::Round;
pub(crate) use store::TokenStore;

/// A callback that returns the key.
pub(crate) type AskKey = Arc<dyn Fn() -> Result<SecretString> + Send + Sync>;

/// A key and the location of its token. Replaced as a whole when the key changes.
struct Key {
    secret: Option<SecretString>,
    store: Option<TokenStore>,
    /// The token store that hosts share.
    level: Option<Arc<dyn Level>>,
}

/// The session's settings, as the builder sets them.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) refresh_ahead: bool,
    pub(crate) ignore_cool_down: bool,
    pub(crate) login_deadline: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) owner: Owner,
    /// The store that hosts share.
    #[cfg(feature = "redis")]
    pub(crate) fleet: Option<Arc<fleet::Fleet>>,
}

/// See the module's documentation.
pub(crate) struct Session {
    settings: Settings,
    mint: Box<dyn Mint>,
    timer: Arc<dyn Timer>,
    key: ArcSwap<Key>,
    memory: ArcSwapOption<CachedToken>,
    /// An attempt: its purpose and its outcome.
    gate: Arc<Gate<(Want, Result<Arc<CachedToken>>)>>,
    /// Tokens that [`Session::forget`] discarded, which must not be taken from the file again.
    given_up: Mutex<Vec<SecretString>>,
    /// A refused login of this process, for when it cannot be noted in a file.
    note: Mutex<Option<Note>>,
    /// Operations that refuse every token, as last read; only this process's own where they cannot be shared.
    refusals: Mutex<Refusals>,
    refusals_unshared: AtomicBool,
    /// A token that the program supplied at construction, until it is taken into memory.
    seed: Mutex<Option<Arc<CachedToken>>>,
    /// Returns the key when a token is needed and no key was given.
    ask_key: Option<AskKey>,
    /// A stale token that stays in use after a failed login.
    serving: Mutex<Option<refresh::Serving>>,
    /// The failed tries of the login under way.
    tried: Tried,
    warned: AtomicBool,
    renewal: Renewal,
    owner: Owner,
    process: u32,
}

impl Session {
    pub(crate) fn new(
        secret: Option<SecretString>,
        settings: Settings,
        mint: impl Mint,
        timer: Arc<dyn Timer>,
    ) -> Self {
        let (key, owner) = (Key::new(secret, &settings, &mint), settings.owner);
        Self {
            settings,
            mint: Box::new(mint),
            timer,
            key: ArcSwap::from_pointee(key),
            memory: ArcSwapOption::empty(),
            gate: Arc::default(),
            given_up: Mutex::new(Vec::new()),
            note: Mutex::new(None),
            refusals: Mutex::default(),
            refusals_unshared: AtomicBool::new(false),
            seed: Mutex::new(None),
            ask_key: None,
            serving: Mutex::new(None),
            tried: Tried::default(),
            warned: AtomicBool::new(false),
            renewal: Renewal::default(),
            owner,
            process: std::process::id(),
        }
    }

    /// Returns this session with a token that the program already has.
    pub(crate) fn seeded(self, token: Option<CachedToken>) -> Self {
        Self { seed: Mutex::new(token.map(Arc::new)), ..self }
    }

    /// Returns this session with a callback for its key.
    pub(crate) fn asking(self, ask_key: Option<AskKey>) -> Self {
        Self { ask_key, ..self }
    }

    /// Takes the seed; `None` after the first time.
    fn take_seed(&self) -> Option<Arc<CachedToken>> {
        self.seed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// Returns the key, from the callback if it is not known yet (blocking).
    fn key(&self) -> Result<Arc<Key>> {
        let key = self.key.load_full();
        let Some(ask) = self.ask_key.as_ref().filter(|_| key.secret.is_none()) else { return Ok(key) };
        let secret = self.owner.call(|| ask())?;
        check_key(&secret)?;
        let key = Arc::new(Key::new(Some(secret), &self.settings, &*self.mint));
        self.key.store(Arc::clone(&key));
        Ok(key)
    }

    /// Returns a token that is fresh now and is not the rejected one.
    ///
    /// # Errors
    ///
    /// The login's error, or the time left of a cool-down.
    pub(crate) async fn token(self: &Arc<Self>, rejected: Option<&SecretString>) -> Result<Arc<CachedToken>> {
        self.token_for(Need::AccessToken, rejected).await
    }

    /// As [`token`](Self::token), for a token whose `need` part is fresh.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub(crate) async fn token_for(
        self: &Arc<Self>,
        need: Need,
        rejected: Option<&SecretString>,
    ) -> Result<Arc<CachedToken>> {
        if let Some(token) = self.in_memory(need, rejected) {
            return Ok(token);
        }
        let want = Want::fresh(need);
        self.wait_for(match rejected {
            Some(rejected) => want.instead_of(rejected.clone(), None),
            None => want,
        })
        .await
    }

    /// Returns a token for this want.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub(crate) async fn get(self: &Arc<Self>, want: Want) -> Result<Arc<CachedToken>> {
        match self.in_memory(want.need(), want.other_than()) {
            Some(token) => Ok(token),
            None => self.wait_for(want).await,
        }
    }

    /// As [`token_for`](Self::token_for), for a token whose `need` part lives at least this long. A good token that
    /// is too short is not treated as rejected: it stays in place until a later one is available.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token), and [`too_short`].
    pub(crate) async fn token_lasting(
        self: &Arc<Self>,
        need: Need,
        rejected: Option<&SecretString>,
        min_ttl: Duration,
    ) -> Result<Arc<CachedToken>> {
        let mut token = self.token_for(need, rejected).await?;
        let least = min_ttl.as_secs_f64();
        // An attempt already under way can return the token that is known to be too short.
        for _ in 0..3 {
            let (end, whole) = token.end(need);
            if least == 0.0 || end - self.now() >= least {
                return Ok(token);
            }
            if whole.is_some_and(|whole| whole <= least) {
                return Err(too_short(min_ttl, whole));
            }
            let new = self.refresh(Want::later_than(Arc::clone(&token))).await?;
            let is_own = new.minted && !new.is(&token.secret);
            token = new;
            if is_own {
                break;
            }
        }
        let (end, whole) = token.end(need);
        if end - self.now() >= least {
            Ok(token)
        } else {
            Err(too_short(min_ttl, whole.filter(|_| token.minted)))
        }
    }

    /// Returns a fresh token from memory. The warm path: one atomic load, the clock and a comparison, and one
    /// reference count that keeps the token for the duration of a request.
    fn in_memory(&self, need: Need, other_than: Option<&SecretString>) -> Option<Arc<CachedToken>> {
        self.lend(need, other_than, Arc::clone)
    }

    /// Calls a function with a token from memory that is fresh now.
    pub(crate) fn lend<T>(
        &self,
        need: Need,
        other_than: Option<&SecretString>,
        found: impl FnOnce(&Arc<CachedToken>) -> T,
    ) -> Option<T> {
        let token = self.memory.load();
        let token = token.as_ref()?;
        if other_than.is_some_and(|other| token.is(other)) || !token.is_fresh(need, self.now()) {
            return None;
        }
        Some(found(token))
    }

    #[cold]
    async fn wait_for(self: &Arc<Self>, want: Want) -> Result<Arc<CachedToken>> {
        self.check_caller()?;
        self.refresh(want).await
    }

    /// Returns the last failed try of the login that calls are waiting for.
    pub(crate) fn failing_login(&self) -> Option<Failed> {
        // With a fresh token, no call waits for its renewal.
        self.tried.last().filter(|_| self.in_memory(Need::AccessToken, None).is_none())
    }

    /// Refuses callers that would wait forever: the client's own callbacks, and forked children, which have the
    /// client but none of its threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](colony_core::ErrorKind::Config).
    pub(crate) fn check_caller(&self) -> Result<()> {
        self.owner.check()?;
        if self.process == std::process::id() {
            return Ok(());
        }
        let message = "the client was built before the process forked, and cannot be used in the child";
        Err(Error::build(colony_core::ErrorKind::Config, message)
            .hint("Build a client in the child; it shares the login by the token cache")
            .finish())
    }

    /// Reads the file (blocking) and logs the outcome. Returns a usable token and whether it is fresh; a stale one
    /// can be used if the login that should replace it fails.
    fn read_file(&self, store: &TokenStore, want: &Want) -> Option<(Arc<CachedToken>, bool)> {
        let record = match store.read() {
            Ok(record) => record,
            Err(miss) => {
                if miss.is_suspicious() {
                    self.degraded("read", miss.as_str(), &miss);
                }
                events::miss(store, miss.as_str());
                return None;
            }
        };
        match self.judge(record, want) {
            Worth::Fresh(token) => {
                events::hit(store, token.lifetime.stale_at - self.now());
                Some((token, true))
            }
            Worth::Stale(token) => {
                events::miss(store, "stale");
                Some((token, false))
            }
            Worth::None(reason) => {
                events::miss(store, reason);
                None
            }
        }
    }

    /// As [`read_file`](Self::read_file), for the key in use.
    #[cfg(feature = "redis")]
    fn key_file(&self, want: &Want) -> Option<(Arc<CachedToken>, bool)> {
        self.read_file(self.key.load().store.as_ref()?, want)
    }

    /// Makes the next call log in: this client takes neither the token in memory nor the one now in the file. The
    /// file stays until the login has returned another token, because other programs use it and the login may fail or
    /// never happen.
    pub(crate) async fn forget(self: &Arc<Self>) {
        let token = self.memory.swap(None).or_else(|| self.take_seed());
        let session = Arc::clone(self);
        // The key names the file. If it cannot be obtained, the next call fails for that reason.
        let shared = move || Some(session.key().ok()?.store.as_ref()?.read().ok()?.token.secret);
        let shared = background::blocking(shared).await.ok().flatten();
        let given_up = token.iter().map(|token| token.secret.clone()).chain(shared).collect();
        *self.given_up.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = given_up;
    }

    /// Waits for the login under way, if there is one.
    pub(crate) async fn settled(&self) {
        self.gate.settled().await;
    }

    /// Ends the background renewal, when the last client is dropped.
    pub(crate) fn end(&self) {
        self.renewal.end();
    }

    fn is_given_up(&self, token: &SecretString) -> bool {
        let given_up = self.given_up.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        given_up.iter().any(|gone| gone.expose_secret() == token.expose_secret())
    }

    /// Replaces the key. The old key's files are removed first, including those of tokens that were exchanged for its
    /// token: their names would never be used again, while the tokens would still be valid.
    pub(crate) async fn change_key(self: &Arc<Self>, secret: SecretString) {
        let session = Arc::clone(self);
        let (store, level) = (self.key.load().store.clone(), self.key.load().level.clone());
        let removing = background::blocking(move || {
            let Some(store) = store else { return Vec::new() };
            let directory = session.settings.directory.as_deref();
            let mut names = directory.map_or_else(Vec::new, |directory| {
                status::names_of_exchanged(&session.settings.disk, directory, store.name())
            });
            names.push(store.name().to_owned());
            let exchanged = directory.map_or(Ok(0), |directory| {
                status::remove_exchanged(&session.settings.disk, directory, store.name())
            });
            let removed = [store.remove().err(), store.remove_refusals().err(), exchanged.err()];
            for error in removed.into_iter().flatten() {
                session.degraded("remove", "io", &error);
            }
            names
        });
        // Without a thread the files stay; no client reads them again.
        let names = removing.await.unwrap_or_default();
        if let Some(level) = level {
            let removing = background::spawn(move || async move { level.remove(&names).await });
            let _ = removing.await;
        }
        self.key.store(Arc::new(Key::new(Some(secret), &self.settings, &*self.mint)));
        self.memory.store(None);
        *self.lock_serving() = None;
        *self.refusals() = Refusals::default();
        events::key_changed();
    }

    /// Keeps a token in memory.
    fn keep(self: &Arc<Self>, token: &Arc<CachedToken>) {
        self.memory.store(Some(Arc::clone(token)));
        if self.settings.refresh_ahead {
            self.renewal.start(self);
        }
    }

    /// Writes a minted token to the file (blocking), unless the file holds a token that was obtained after this login
    /// was sent and is not in `gone`: this process was then stopped for longer than others wait for the lock, and was
    /// overtaken. The server may have replied at any time in the last `took`.
    fn save(&self, store: &TokenStore, token: &CachedToken, took: Duration, gone: &[SecretString]) {
        let now = self.now();
        let overtaken = store.read().is_ok_and(|record| {
            record.token.lifetime.stale_at > token.lifetime.stale_at - took.as_secs_f64()
                // A token that no client with these settings would take does not count as later.
                && record.is_taken(self.settings.ttl, now)
                && !gone.iter().any(|gone| record.token.is(gone))
        });
        if overtaken {
            events::overtaken(store);
        } else if let Err(error) = store.write(token) {
            self.degraded("write", "io", &error);
        }
    }

    /// Notes that the shared cache does not work: the first time at warn level, then quietly.
    fn degraded(&self, action: &'static str, reason: &'static str, error: &dyn fmt::Display) {
        let first = !self.warned.swap(true, Ordering::Relaxed);
        events::degraded(first, action, reason, error);
    }

    fn now(&self) -> f64 {
        unix(&*self.timer)
    }

    /// Returns the conditions that decide whether a login gets a reply.
    pub(crate) fn limits(&self) -> colony_core::token::cooldown::Limits {
        self.mint.limits()
    }

    /// Returns whether a login of this session could succeed where the noted one failed.
    pub(crate) fn differs(&self, note: &Note) -> bool {
        self.mint.differs(note)
    }

    /// Returns the store through which the token is shared.
    pub(crate) fn store(&self) -> Option<TokenStore> {
        self.key.load().store.clone()
    }

    /// Returns the key in use.
    pub(crate) fn secret(&self) -> Option<SecretString> {
        self.key.load().secret.clone()
    }

    /// Returns a callback that asks this session for its key, if the session itself uses a callback.
    pub(crate) fn key_asker(self: &Arc<Self>) -> Option<AskKey> {
        self.ask_key.as_ref()?;
        let session = Arc::clone(self);
        Some(Arc::new(move || session.key()?.secret.clone().ok_or_else(no_key)))
    }
}

impl Key {
    fn new(secret: Option<SecretString>, settings: &Settings, mint: &dyn Mint) -> Self {
        let store = secret.as_ref().zip(settings.directory.as_ref()).map(|(secret, directory)| {
            let base_url = cache_path::normalise_base_url(&settings.base_url);
            let (name, format) = mint.file(base_url, secret);
            TokenStore::on(Arc::clone(&settings.disk), directory.clone(), name, format)
        });
        #[cfg(feature = "redis")]
        let level = secret.as_ref().zip(settings.fleet.as_ref()).map(|(secret, fleet)| {
            let base_url = cache_path::normalise_base_url(&settings.base_url);
            Arc::new(fleet.level(base_url, secret, mint)) as Arc<dyn Level>
        });
        #[cfg(not(feature = "redis"))]
        let level = None;
        Self { secret, store, level }
    }
}

/// Returns the error of a client that was built without a key.
fn no_key() -> Error {
    Error::build(colony_core::ErrorKind::Auth, "this call needs an API key, and the client has none")
        .code("NO_API_KEY")
        .hint("Build the client with `Client::builder(key)`")
        .finish()
}

pub(crate) fn check_key(key: &SecretString) -> Result<()> {
    let key = key.expose_secret();
    let refused = |message: &str| Error::build(colony_core::ErrorKind::Config, message).finish();
    if key.trim().is_empty() {
        return Err(refused("the API key is empty; it looks like col_… and was shown once, at registration"));
    }
    if key.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(refused(
            "the API key holds white space or control characters; give it without the line's end",
        ));
    }
    Ok(())
}
