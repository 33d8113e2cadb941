//! The store: one credential's file, and the lock that login, logout and refresh all take.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        Credential, CredentialId,
        change::{self, Downgrade, Keeping, Standing},
        document::{Spending, State, Stored, Unreadable},
        timing::LOCK_LIMIT,
    },
    token::cache_path,
};

use super::{
    events,
    files::{self, Files, Problem, Vault},
    thread,
};
use crate::{
    LockStatus,
    disk::{
        Disk, Real,
        lock::{Attempt, FileLock},
    },
    time::{SystemTimer, Timer},
};

/// The first pauses between tries for the lock; they grow to the second.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(100);

/// Where one credential is kept: a private file, shared by all programs of this user on this host.
///
/// Cloning is cheap. Every change is made under the lock beside the file, on a thread of its own: a caller
/// that goes away leaves the file whole and the lock free.
///
/// ```no_run
/// use colony_async::credential::{Credential, CredentialId, CredentialStore};
///
/// # async fn example(reply: &[u8], now: f64) -> colony_async::Result<()> {
/// let id = CredentialId::new("https://thecolony.ai", "colony_app");
/// let store = CredentialStore::new(id.clone())?;
/// let credential = Credential::from_reply(id, "https://thecolony.ai/oauth/token", reply, now)?;
/// store.save(&credential).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CredentialStore {
    pub(super) files: Files,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) lock_limit: Duration,
    disk: Arc<dyn Disk>,
}

impl CredentialStore {
    /// The store of this credential, in the user's directory of credentials
    /// ([`place::directory`](colony_core::credential::place::directory)). Nothing is read or made yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when no directory can be told; set `COLONY_SDK_CREDENTIALS_DIR`.
    pub fn new(id: CredentialId) -> Result<Self> {
        Ok(Self::in_directory(default_directory()?, id))
    }

    /// The store of this credential in a directory. It is made when needed, closed to others.
    pub fn in_directory(directory: impl Into<PathBuf>, id: CredentialId) -> Self {
        let disk: Arc<dyn Disk> = Arc::new(Real);
        Self {
            files: Files::new(Arc::clone(&disk), directory.into(), id),
            timer: Arc::new(SystemTimer),
            lock_limit: LOCK_LIMIT,
            disk,
        }
    }

    /// How long [`save`](Self::save), [`remove`](Self::remove) and a refresh wait for another process: 35 s
    /// unless set, which is longer than the longest refresh. After less than that a refresh that is under
    /// way is mistaken for one that is stuck.
    #[must_use]
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.lock_limit = limit;
        self
    }

    /// Uses this clock and these pauses. For tests.
    #[must_use]
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Sets the file system, for tests of one that fails.
    #[doc(hidden)]
    #[must_use]
    pub fn disk(mut self, disk: impl Disk) -> Self {
        let directory = self.file().parent().map(Path::to_owned).unwrap_or_default();
        self.disk = Arc::new(disk);
        let vault = self.files.vault().cloned();
        self.files = Files::new(Arc::clone(&self.disk), directory, self.files.id().clone()).with_vault(vault);
        self
    }

    /// Keeps the credential in this vault, the system's keyring for example, and no longer in the file. What
    /// is in the file already moves there with the next write.
    #[must_use]
    pub fn vault(mut self, vault: impl Vault) -> Self {
        self.files = self.files.with_vault(Some(Arc::new(vault)));
        self
    }

    /// Whose credential it is.
    pub fn id(&self) -> &CredentialId {
        self.files.id()
    }

    /// The file. It need not be there.
    pub fn file(&self) -> PathBuf {
        self.files.file()
    }

    /// What is stored; `None` when nothing is. Takes no lock: a file is replaced as a whole.
    ///
    /// To present the refresh token found here is to spend it behind the back of every other program; take
    /// [`RotatingCredential`](super::RotatingCredential) for that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CredentialStore`] when the file cannot be read, or not be trusted.
    pub async fn load(&self) -> Result<Option<Credential>> {
        let store = self.clone();
        thread::run(async move || Ok(store.files.load()?.map(|stored| stored.credential))).await
    }

    /// Stores what a login gave, and reads it back. Waits for the lock.
    ///
    /// # Errors
    ///
    /// Nothing has changed when this fails with
    /// [`CredentialDowngrade`](ErrorKind::CredentialDowngrade) (the new one is worth less than the stored
    /// one, see [`Downgrade`]), [`CredentialBusy`](ErrorKind::CredentialBusy) (another process holds the
    /// lock) or [`InvalidArgument`](ErrorKind::InvalidArgument) (it is not this store's credential).
    /// [`CredentialStore`](ErrorKind::CredentialStore): the lock cannot be had, the present file cannot be
    /// read, or the new one not be written.
    pub async fn save(&self, credential: &Credential) -> Result<()> {
        self.put(credential.clone(), false).await
    }

    /// As [`save`](Self::save), although the stored credential is worth more. A file that cannot be read is
    /// not replaced by this either: [`remove`](Self::remove) it.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save), without [`CredentialDowngrade`](ErrorKind::CredentialDowngrade) but where
    /// more users could read the file than before.
    pub async fn save_despite_downgrade(&self, credential: &Credential) -> Result<()> {
        self.put(credential.clone(), true).await
    }

    async fn put(&self, credential: Credential, anyway: bool) -> Result<()> {
        let store = self.clone();
        thread::run(async move || {
            let lock = store.lock().await?;
            store.put_locked(&lock, credential, anyway)
        })
        .await
    }

    fn put_locked(&self, lock: &FileLock, credential: Credential, anyway: bool) -> Result<()> {
        let refused = |downgrade: Downgrade| {
            events::downgrade_refused(&self.file(), downgrade);
            Err(Error::from(downgrade))
        };
        let kept = match self.files.read() {
            Ok(kept) => kept,
            Err(Problem::Unreadable(Unreadable::OtherSchema(_))) => return refused(Downgrade::OlderSchema),
            Err(Problem::Unreadable(Unreadable::KeptElsewhere(_))) => {
                return refused(Downgrade::WeakerKeeping);
            }
            Err(problem) => return Err(self.files.unreadable(&problem)),
        };
        let mode = self.files.mode_of_new_files().map_err(|error| {
            let message = format!("nothing can be written beside {}: {error}", self.file().display());
            Error::build(ErrorKind::CredentialStore, message).code("io").source(error).finish()
        })?;
        if mode & 0o077 != 0 {
            return refused(Downgrade::WiderMode);
        }
        let mut meant = None;
        if let Some(kept) = &kept {
            let new = match self.files.vault() {
                Some(vault) => vault.keeping(),
                None => Keeping::File { mode },
            };
            let new = Standing::new(&credential).keeping(new);
            let old = worth(kept);
            if let Err(downgrade) = change::check(Standing::new(&old).keeping(self.files.keeping()), new) {
                if !anyway {
                    return refused(downgrade);
                }
                meant = Some(downgrade);
            }
        }
        if credential.id != *self.files.id() {
            let message = "the credential is another issuer's, client's or resource's than the store's; make a \
                           store for it";
            return Err(Error::argument_refused("credential", message));
        }
        let mut stored = Stored::new(credential);
        // The same refresh token again does not make it unspent.
        stored.spending = kept.and_then(|kept| kept.spending);
        stored.spending = stored.present_spending().cloned();
        self.files.write(lock, &stored)?;
        let back = self.files.load()?;
        let same = back.is_some_and(|back| back.write().ok() == stored.write().ok());
        if !same {
            let message = format!("what was written to {} is not what is read there", self.file().display());
            return Err(Error::build(ErrorKind::CredentialStore, message).code("not_kept").finish());
        }
        events::saved(&self.file(), meant);
        Ok(())
    }

    /// Removes the file, whatever it holds, and gives the credential that was in it. Waits for the lock. The
    /// tokens live on at the provider; to end them too, see
    /// [`RotatingCredential::log_out`](super::RotatingCredential::log_out).
    ///
    /// # Errors
    ///
    /// [`CredentialBusy`](ErrorKind::CredentialBusy) when another process holds the lock,
    /// [`CredentialStore`](ErrorKind::CredentialStore) when it cannot be had or the file not be removed.
    pub async fn remove(&self) -> Result<Option<Credential>> {
        let store = self.clone();
        thread::run(async move || {
            let lock = store.lock().await?;
            let stored = store.files.read().ok().flatten();
            if store.files.remove(&lock)? {
                events::removed(&store.file(), false);
            }
            Ok(stored.map(|stored| stored.credential))
        })
        .await
    }

    /// What is stored where, for a person. Never an error: what is wrong is a part of the answer.
    pub async fn status(&self) -> CredentialStatus {
        let store = self.clone();
        let found = thread::run(async move || {
            let lock = store.files.holder().map_or(LockStatus::Free, LockStatus::Held);
            Ok((store.files.read().map_err(|problem| problem.to_string()), lock))
        });
        let (read, lock) = found.await.unwrap_or_else(|error| (Err(error.to_string()), LockStatus::Free));
        CredentialStatus::of(self.file(), read, lock)
    }

    /// Waits for the lock, on the thread of [`thread::run`].
    pub(super) async fn lock(&self) -> Result<FileLock> {
        let (mut slept, mut pause) = (Duration::ZERO, POLL_FIRST);
        loop {
            match self.files.try_lock() {
                Attempt::Held(lock) => return Ok(lock),
                Attempt::Unavailable(error) => return Err(self.files.lock_unavailable(error)),
                Attempt::Taken => {}
            }
            if slept >= self.lock_limit {
                return Err(self.busy(slept));
            }
            slept += self.pause(&mut pause, self.lock_limit - slept).await;
        }
    }

    /// Sleeps a jittered while, and says how long. Counted in what was slept, not read off the wall clock,
    /// which may be set meanwhile.
    pub(super) async fn pause(&self, pause: &mut Duration, longest: Duration) -> Duration {
        *pause = (*pause).clamp(POLL_FIRST, POLL_LAST);
        let sleep = pause.mul_f64(0.5 + self.timer.random()).min(longest);
        self.timer.sleep(sleep).await;
        *pause *= 2;
        sleep
    }

    pub(super) fn busy(&self, waited: Duration) -> Error {
        let holder = self.files.holder().flatten();
        let lock = self.files.lock_file();
        events::contended(&lock, waited, true, holder);
        let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let message =
            format!("{who} holds {} and did not let go within {} s", lock.display(), waited.as_secs_f64());
        Error::build(ErrorKind::CredentialBusy, message)
            .hint("Try again; if the process hangs, end it. Never delete the lock file")
            .finish()
    }
}

impl fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialStore")
            .field("id", self.id())
            .field("file", &self.file())
            .finish_non_exhaustive()
    }
}

/// What is stored where, from [`CredentialStore::status`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CredentialStatus {
    /// The file.
    pub file: PathBuf,
    /// The credential, when it can be read. Its `Debug` form holds no token.
    pub credential: Option<Credential>,
    /// Since when, in Unix seconds, it has been open whether the refresh token is spent: a refresh is under
    /// way, or one was interrupted.
    pub refreshing_since: Option<f64>,
    /// Whether the provider refused the refresh token: a person has to log in again.
    pub is_refused: bool,
    /// Why the file cannot be used. `None` also when there is none.
    pub problem: Option<String>,
    /// Who holds the lock.
    pub lock: LockStatus,
}

impl CredentialStatus {
    fn of(file: PathBuf, read: Result<Option<Stored>, String>, lock: LockStatus) -> Self {
        let (stored, problem) = match read {
            Ok(stored) => (stored, None),
            Err(problem) => (None, Some(problem)),
        };
        let spending = stored.as_ref().and_then(Stored::present_spending);
        let state = spending.map(|spending| spending.state);
        let since = spending.map(|spending: &Spending| spending.since);
        Self {
            file,
            refreshing_since: since.filter(|_| state == Some(State::Sent)),
            is_refused: state == Some(State::Refused),
            credential: stored.map(|stored| stored.credential),
            problem,
            lock,
        }
    }
}

/// What is stored, as far as it is still worth something: a refresh token that may be spent makes no login
/// outdated, and one that was refused renews nothing.
fn worth(kept: &Stored) -> Credential {
    let mut credential = kept.credential.clone();
    if let Some(spending) = kept.present_spending() {
        credential.rotated_at = f64::NEG_INFINITY;
        if spending.state == State::Refused {
            credential.refresh_token = None;
        }
    }
    credential
}

/// The user's directory of credentials.
///
/// # Errors
///
/// [`ErrorKind::Config`] when none can be told; set `COLONY_SDK_CREDENTIALS_DIR`.
pub fn default_directory() -> Result<PathBuf> {
    cache_path::from_environment().credentials.ok_or_else(|| {
        Error::build(ErrorKind::Config, "no directory for credentials can be told")
            .hint("Set COLONY_SDK_CREDENTIALS_DIR or HOME")
            .finish()
    })
}

/// The credentials in a directory, for a person. Blocks, quickly.
///
/// # Errors
///
/// When the directory is there and cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<CredentialStatus>> {
    let disk: Arc<dyn Disk> = Arc::new(Real);
    let stems = files::stems(&*disk, directory)?;
    let status = |stem: String| {
        let read = files::peek(&disk, directory, &stem);
        let lock = crate::disk::lock::holder(&*disk, &directory.join(format!("{stem}.lock")));
        let lock = lock.map_or(LockStatus::Free, LockStatus::Held);
        let read = read.map(Some).map_err(|problem| problem.to_string());
        CredentialStatus::of(directory.join(format!("{stem}.json")), read, lock)
    };
    Ok(stems.into_iter().map(status).collect())
}
