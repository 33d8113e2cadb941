//! The token session: one login, however many tasks, clients and processes want a token.
//!
//! The order for one call: the token in memory; then a *single flight*, which all tasks of this process join. It reads
//! the file without a lock (a rename is atomic, so a read is whole or absent), then takes the lock file and reads
//! *the file again*, because another process may have logged in meanwhile; and only then logs in. Ten thousand tasks
//! read the file once.
//!
//! Nothing about the file, its directory or the lock ever fails a call. What happens is reported as `tracing` events
//! with the target `colony::token`.
//!
//! | Noun | Means |
//! | --- | --- |
//! | [`Held`] | a token in memory, with its life; [`Kept`] is its form in the file |
//! | [`Store`] | the file of one token, and what lies beside it |
//! | [`FileLock`](lock::FileLock) | the lock file: which process may log in |
//! | [`Refresh`] | an attempt to get a token, shared by all tasks that wait |
//! | [`Note`] | a failed login, as one process tells it to others |

mod ahead;
mod directory;
mod events;
mod flight;
mod held;
mod login;
mod mint;
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
    token::{cache_path, cooldown::Note, freshness::Lifetime, refusals::Refusals},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    background,
    callback::Owner,
    disk::Disk,
    gate::Gate,
    renewal::Renewal,
    time::{Timer, unix},
};

pub use directory::CacheDirectory;
pub(crate) use directory::{PROGRAM, in_use};
pub use status::{CachedToken, LockStatus, TokenStatus};
pub(crate) use status::{list_cache, remove_cached};

pub(crate) use held::{Held, Kept, Kind};
pub(crate) use login::{LOGIN, Login, Totp, within};
pub(crate) use mint::{Attempt, Mint, Patience};
pub(crate) use round::Round;
pub(crate) use store::Store;

/// An attempt to get a token that has ended: what it was for, and what came of it.
#[derive(Clone)]
struct Refresh {
    need: Need,
    /// The operation whose rejected token it was to replace.
    by: Option<Arc<str>>,
    outcome: Result<Arc<Held>>,
}

/// A token that the server refused.
#[derive(Clone)]
pub(crate) struct Rejected {
    token: SecretString,
    /// The operation that refused it, where that is known.
    by: Option<Arc<str>>,
}

impl Rejected {
    pub(crate) fn of(token: SecretString, by: Option<&str>) -> Self {
        Self { token, by: by.map(Arc::from) }
    }
}

/// Where a key comes from.
pub(crate) type AskKey = Arc<dyn Fn() -> Result<SecretString> + Send + Sync>;

/// A key, and the place of its token. Replaced as a whole when the key changes.
struct Key {
    secret: Option<SecretString>,
    store: Option<Store>,
}

/// What the builder decides about the session.
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
}

/// See the module's documentation.
pub(crate) struct Session {
    settings: Settings,
    mint: Box<dyn Mint>,
    timer: Arc<dyn Timer>,
    key: ArcSwap<Key>,
    held: ArcSwapOption<Held>,
    gate: Arc<Gate<Refresh>>,
    /// Tokens that [`Session::forget`] gave up: not to be taken from the file again.
    given_up: Mutex<Vec<SecretString>>,
    /// A refusal of this process's own, for when there is no file to note it in.
    note: Mutex<Option<Note>>,
    /// Operations that refuse every token, as last read; this process's own where they cannot be shared.
    refusals: Mutex<Refusals>,
    refusals_unshared: AtomicBool,
    /// A token that the program had when it was built, until it is taken into memory.
    seed: Mutex<Option<Arc<Held>>>,
    /// Asked for the key when a token is needed, where none was given.
    ask_key: Option<AskKey>,
    /// A stale token that serves on after a login that failed.
    serving: Mutex<Option<flight::Serving>>,
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
            held: ArcSwapOption::empty(),
            gate: Arc::default(),
            given_up: Mutex::new(Vec::new()),
            note: Mutex::new(None),
            refusals: Mutex::default(),
            refusals_unshared: AtomicBool::new(false),
            seed: Mutex::new(None),
            ask_key: None,
            serving: Mutex::new(None),
            warned: AtomicBool::new(false),
            renewal: Renewal::default(),
            owner,
            process: std::process::id(),
        }
    }

    /// As this one, with a token that the program has already.
    pub(crate) fn seeded(self, held: Option<Held>) -> Self {
        Self { seed: Mutex::new(held.map(Arc::new)), ..self }
    }

    /// As this one, which asks for its key when a token is needed.
    pub(crate) fn asking(self, ask_key: Option<AskKey>) -> Self {
        Self { ask_key, ..self }
    }

    /// The seed, once.
    fn take_seed(&self) -> Option<Arc<Held>> {
        self.seed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// The key, asked for if there is none yet (blocking).
    fn key(&self) -> Result<Arc<Key>> {
        let key = self.key.load_full();
        let Some(ask) = self.ask_key.as_ref().filter(|_| key.secret.is_none()) else { return Ok(key) };
        let secret = self.owner.call(|| ask())?;
        crate::builder::check_key(&secret)?;
        let key = Arc::new(Key::new(Some(secret), &self.settings, &*self.mint));
        self.key.store(Arc::clone(&key));
        Ok(key)
    }

    /// A token that is fresh now, and not the rejected one.
    ///
    /// # Errors
    ///
    /// What the login was answered, or the time left of a cool-down.
    pub(crate) async fn token(self: &Arc<Self>, rejected: Option<&SecretString>) -> Result<Arc<Held>> {
        self.token_for(Need::AccessToken, rejected).await
    }

    /// As [`token`](Self::token), where what is needed of it is fresh.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub(crate) async fn token_for(
        self: &Arc<Self>,
        need: Need,
        rejected: Option<&SecretString>,
    ) -> Result<Arc<Held>> {
        if let Some(held) = self.in_memory(need, rejected) {
            return Ok(held);
        }
        let rejected = rejected.map(|token| Rejected { token: token.clone(), by: None });
        self.token_slowly(need, rejected).await
    }

    /// As [`token_for`](Self::token_for), after this one was rejected.
    pub(crate) async fn replacement(self: &Arc<Self>, need: Need, rejected: Rejected) -> Result<Arc<Held>> {
        if let Some(held) = self.in_memory(need, Some(&rejected.token)) {
            return Ok(held);
        }
        self.token_slowly(need, Some(rejected)).await
    }

    /// The warm path: one atomic load, the clock, a comparison; and a count, to keep the token while a
    /// request is under way.
    fn in_memory(&self, need: Need, rejected: Option<&SecretString>) -> Option<Arc<Held>> {
        self.lend(need, rejected, Arc::clone)
    }

    /// Lends a token from memory that is fresh now.
    pub(crate) fn lend<T>(
        &self,
        need: Need,
        rejected: Option<&SecretString>,
        found: impl FnOnce(&Arc<Held>) -> T,
    ) -> Option<T> {
        let held = self.held.load();
        let held = held.as_ref()?;
        if rejected.is_some_and(|rejected| held.is(rejected)) || !held.is_fresh(need, self.now()) {
            return None;
        }
        Some(found(held))
    }

    #[cold]
    async fn token_slowly(self: &Arc<Self>, need: Need, rejected: Option<Rejected>) -> Result<Arc<Held>> {
        self.check_caller()?;
        self.join_flight(need, rejected).await
    }

    /// Refuses callers that would wait for ever: the client's own callbacks, and forked children, which have the
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

    /// Reads the file (blocking) and reports in the log what came of it.
    fn read_file(&self, store: &Store, need: Need, rejected: Option<&SecretString>) -> Seen {
        let now = self.now();
        let found = match store.read() {
            Ok(found) => found,
            Err(miss) => {
                if miss.is_suspicious() {
                    self.degraded("read", miss.as_str(), &miss);
                }
                events::miss(store, miss.as_str());
                return Seen::Nothing;
            }
        };
        let doubt = found.kept.doubt(now);
        let held = Arc::new(found.kept.into_held());
        let reason = if let Some(doubt) = doubt {
            doubt
        } else if rejected.is_some_and(|rejected| held.is(rejected)) {
            "rejected"
        } else if self.is_given_up(&held.token) {
            "given_up"
        } else if !Lifetime::within_ttl(found.written_at, self.settings.ttl, now) {
            "older_than_ttl"
        } else if !held.is_fresh(need, now) {
            events::miss(store, "stale");
            return Seen::Stale(held);
        } else {
            events::hit(store, held.lifetime.stale_at - now);
            return Seen::Fresh(held);
        };
        events::miss(store, reason);
        Seen::Nothing
    }

    /// Makes the next call log in: this client takes neither the token in memory nor the one that is in the file now.
    /// The file stays until the login has brought another token. Other programs have use for it, and the login may
    /// fail, or never be made.
    pub(crate) async fn forget(self: &Arc<Self>) {
        let held = self.held.swap(None).or_else(|| self.take_seed());
        let session = Arc::clone(self);
        // The key names the file. Where it cannot be had, the next call fails for that reason.
        let shared = move || Some(session.key().ok()?.store.as_ref()?.read().ok()?.kept.token().clone());
        let shared = background::blocking(shared).await.ok().flatten();
        let given_up = held.iter().map(|held| held.token.clone()).chain(shared).collect();
        *self.given_up.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = given_up;
    }

    /// Ends the renewal in the background; the last client is gone.
    pub(crate) fn end(&self) {
        self.renewal.end();
    }

    fn is_given_up(&self, token: &SecretString) -> bool {
        let given_up = self.given_up.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        given_up.iter().any(|gone| gone.expose_secret() == token.expose_secret())
    }

    /// Puts another key in the place of this one. The old key's files go first, those of tokens that were
    /// exchanged for its own too: their names would never be looked at again, and the tokens live on.
    pub(crate) async fn change_key(self: &Arc<Self>, secret: SecretString) {
        let session = Arc::clone(self);
        let store = self.key.load().store.clone();
        let removing = background::blocking(move || {
            let Some(store) = store else { return };
            let directory = session.settings.directory.as_deref();
            let exchanged = directory.map_or(Ok(0), |directory| {
                status::remove_exchanged(&session.settings.disk, directory, store.name())
            });
            let removed = [store.remove().err(), store.remove_refusals().err(), exchanged.err()];
            for error in removed.into_iter().flatten() {
                session.degraded("remove", "io", &error);
            }
        });
        // Without a thread the files stay; nobody looks at them any more.
        let _ = removing.await;
        self.key.store(Arc::new(Key::new(Some(secret), &self.settings, &*self.mint)));
        self.held.store(None);
        *self.lock_serving() = None;
        *self.refusals() = Refusals::default();
        events::key_changed();
    }

    /// Keeps a token in memory.
    fn keep(self: &Arc<Self>, held: &Arc<Held>) {
        self.held.store(Some(Arc::clone(held)));
        if self.settings.refresh_ahead {
            self.renewal.start(self);
        }
    }

    /// Writes a minted token to the file (blocking), unless one is there that was got since this login was sent
    /// and is not among those that are `gone`: whoever was stopped for longer than others wait for the lock has
    /// been overtaken. The server may have answered any time since `took` ago, whenever that was read here.
    fn save(&self, store: &Store, held: &Held, took: Duration, gone: &[SecretString]) {
        let now = self.now();
        let overtaken = store.read().is_ok_and(|found| {
            let lifetime = found.kept.lifetime();
            lifetime.stale_at > held.lifetime.stale_at - took.as_secs_f64()
                // What nobody with these settings would take is not later than anything.
                && lifetime.is_fresh(now)
                && Lifetime::within_ttl(found.written_at, self.settings.ttl, now)
                && found.kept.doubt(now).is_none()
                && !gone.iter().any(|token| found.kept.holds(token))
        });
        if overtaken {
            events::overtaken(store);
        } else if let Err(error) = store.write(&held.kept()) {
            self.degraded("write", "io", &error);
        }
    }

    /// Notes that the shared cache does not work, once loudly and then quietly.
    fn degraded(&self, action: &'static str, reason: &'static str, error: &dyn fmt::Display) {
        let first = !self.warned.swap(true, Ordering::Relaxed);
        events::degraded(first, action, reason, error);
    }

    fn now(&self) -> f64 {
        unix(&*self.timer)
    }

    /// Under which conditions a login gets an answer or none.
    pub(crate) fn limits(&self) -> colony_core::token::cooldown::Limits {
        self.mint.limits()
    }

    /// Whether this session would not be refused as that one was.
    pub(crate) fn differs(&self, note: &Note) -> bool {
        self.mint.differs(note)
    }

    /// Where the token is shared.
    pub(crate) fn store(&self) -> Option<Store> {
        self.key.load().store.clone()
    }

    /// The key in use now.
    pub(crate) fn secret(&self) -> Option<SecretString> {
        self.key.load().secret.clone()
    }

    /// Asks this session for its key, where it has to ask for it itself.
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
            let (name, kind) = mint.file(base_url, secret);
            Store::on(Arc::clone(&settings.disk), directory.clone(), name, kind)
        });
        Self { secret, store }
    }
}

/// What the file holds.
enum Seen {
    /// A token that may be taken.
    Fresh(Arc<Held>),
    /// A token that is stale, and may serve if the login that should replace it fails.
    Stale(Arc<Held>),
    /// Nothing of use.
    Nothing,
}

/// The error of a client that was built without a key.
fn no_key() -> Error {
    Error::build(colony_core::ErrorKind::Auth, "this call needs an API key, and the client has none")
        .code("NO_API_KEY")
        .hint("Build the client with `Client::builder(key)`")
        .finish()
}
