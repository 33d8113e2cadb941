//! The store: one credential's file, and the lock shared by login, logout and refresh.

use std::{fmt, ops::ControlFlow, path::PathBuf, sync::Arc, time::Duration};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        Credential, CredentialId,
        change::{self, Downgrade, Standing},
        document::{Stored, Unreadable},
        keeping::Keeping,
        spending::State,
        timing::LOCK_LIMIT,
    },
    token::cache_path,
};

use super::{
    events,
    failure::Failure,
    files::{Files, Problem, Vault},
    status::CredentialStatus,
};
use crate::{
    background,
    disk::{
        Disk, Real,
        lock::Lock,
        place,
        waiting::{Waited, wait_for_lock},
    },
    time::{SystemTimer, Timer},
};

/// The store of one credential: a private file, shared by all programs of this user on this host.
///
/// Cloning is cheap. Every change is made under the lock beside the file, on a separate thread: if a caller is
/// dropped, the file is complete and the lock is free.
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
}

impl CredentialStore {
    /// Returns the store of this credential, in the user's directory of credentials
    /// ([`place::directory`](colony_core::credential::place::directory)). Nothing is read or created yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the directory cannot be determined; set `COLONY_SDK_CREDENTIALS_DIR`.
    pub fn new(id: CredentialId) -> Result<Self> {
        Ok(Self::in_directory(default_directory()?, id))
    }

    /// Returns the store of this credential in a directory, which is created when needed with no access for others. A
    /// relative path is resolved against the current working directory now.
    ///
    /// A symbolic link is followed if it and its target belong to this user and no other user can write in the
    /// target.
    pub fn in_directory(directory: impl Into<PathBuf>, id: CredentialId) -> Self {
        Self {
            files: Files::new(Arc::new(Real), place::given(&directory.into()), id),
            timer: Arc::new(SystemTimer),
            lock_limit: LOCK_LIMIT,
        }
    }

    /// Sets how long [`save`](Self::save), [`remove`](Self::remove) and a refresh wait for another process: 35 s
    /// unless set, which is longer than the longest refresh. With a shorter limit, a refresh under way is mistaken
    /// for one that is stuck.
    #[must_use]
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.lock_limit = limit;
        self
    }

    /// Uses this clock and its pauses. For tests.
    #[must_use]
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Sets the file system, for tests of one that fails.
    #[doc(hidden)]
    #[must_use]
    pub fn disk(mut self, disk: impl Disk) -> Self {
        self.files = self.files.on(Arc::new(disk));
        self
    }

    /// Sets the machine's id, for tests of a second machine.
    #[doc(hidden)]
    #[must_use]
    pub fn machine(mut self, id: Option<&str>) -> Self {
        self.files = self.files.machine(id.map(str::to_owned));
        self
    }

    /// Stores the credential in this vault, for example the system's keyring, instead of the file. The file's present
    /// content moves there with the next write.
    #[must_use]
    pub fn vault(mut self, vault: impl Vault) -> Self {
        self.files = self.files.with_vault(Some(Arc::new(vault)));
        self
    }

    /// Returns the id of the credential.
    pub fn id(&self) -> &CredentialId {
        self.files.id()
    }

    /// Returns the path of the file, which may not exist yet.
    pub fn file(&self) -> PathBuf {
        self.files.file()
    }

    /// Reads the stored credential; `None` if there is none. Takes no lock: a file is replaced as a whole.
    ///
    /// Presenting the refresh token found here uses it without the knowledge of the other programs; use
    /// [`RotatingCredential`](super::RotatingCredential) for that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CredentialStore`] when the file cannot be read or trusted.
    pub async fn load(&self) -> Result<Option<Credential>> {
        let store = self.clone();
        background::run(async move || Ok(store.files.load()?.map(|found| found.stored.credential))).await
    }

    /// Stores the credential of a login, and reads it back. Waits for the lock.
    ///
    /// A running program that has the previous one in memory notices within two seconds.
    ///
    /// # Errors
    ///
    /// Nothing has changed when this fails with [`CredentialDowngrade`](ErrorKind::CredentialDowngrade) (the new one
    /// is worth less than the stored one, see [`Downgrade`]), [`CredentialBusy`](ErrorKind::CredentialBusy) (another
    /// process holds the lock) or [`InvalidArgument`](ErrorKind::InvalidArgument) (it is not this store's
    /// credential). [`CredentialStore`](ErrorKind::CredentialStore) when the lock cannot be obtained, the present
    /// file cannot be read, or the new one cannot be written.
    pub async fn save(&self, credential: &Credential) -> Result<()> {
        self.put(credential.clone(), false).await
    }

    /// As [`save`](Self::save), even if the stored credential is worth more. A file that cannot be read is not
    /// replaced by this either: [`remove`](Self::remove) it.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save); [`CredentialDowngrade`](ErrorKind::CredentialDowngrade) only if more users could read
    /// the file than before.
    pub async fn save_despite_downgrade(&self, credential: &Credential) -> Result<()> {
        self.put(credential.clone(), true).await
    }

    /// Checks that a credential can be stored: the lock can be obtained, and new files are private. Call it before a
    /// login whose result can be obtained only once.
    ///
    /// # Errors
    ///
    /// [`CredentialStore`](ErrorKind::CredentialStore), [`CredentialBusy`](ErrorKind::CredentialBusy) and, where other
    /// users could read the file, [`CredentialDowngrade`](ErrorKind::CredentialDowngrade), as [`save`](Self::save).
    pub async fn check(&self) -> Result<()> {
        let store = self.clone();
        background::run(async move || {
            let _lock = store.lock().await?;
            store.mode_of_new_files().map(|_| ())
        })
        .await
    }

    async fn put(&self, credential: Credential, anyway: bool) -> Result<()> {
        let store = self.clone();
        background::run(async move || {
            let lock = store.lock().await?;
            store.put_locked(&lock, credential, anyway)
        })
        .await
    }

    /// Returns the mode of new files, if it keeps other users out.
    fn mode_of_new_files(&self) -> Result<u32> {
        let mode = self.files.mode_of_new_files().map_err(|error| {
            let message = format!("nothing can be written beside {}: {error}", self.file().display());
            Error::build(ErrorKind::CredentialStore, message).code("io").source(error).finish()
        })?;
        if mode & 0o077 == 0 { Ok(mode) } else { Err(self.refused(Downgrade::WiderMode)) }
    }

    fn refused(&self, downgrade: Downgrade) -> Error {
        events::downgrade_refused(&self.file(), downgrade);
        downgrade.into()
    }

    fn put_locked(&self, lock: &Lock, credential: Credential, anyway: bool) -> Result<()> {
        let refused = |downgrade| Err(self.refused(downgrade));
        let kept = match self.files.read() {
            Ok(kept) => kept.map(|found| found.stored),
            Err(Problem::Unreadable(Unreadable::OtherSchema(_))) => return refused(Downgrade::OlderSchema),
            Err(Problem::Unreadable(Unreadable::KeptElsewhere(_))) => {
                return refused(Downgrade::WeakerKeeping);
            }
            Err(problem) => return Err(self.files.unreadable(&problem)),
        };
        let mode = self.mode_of_new_files()?;
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
        // Saving the same refresh token again does not make it unspent.
        stored.spending = kept.and_then(|kept| kept.spending);
        stored.spending = stored.present_spending().cloned();
        self.files.write(lock, &stored)?;
        let back = self.files.load()?;
        stored.location = Some(self.files.here());
        let same = back.is_some_and(|back| back.stored.write().ok() == stored.write().ok());
        if !same {
            let message = format!("{} does not hold what was written to it", self.file().display());
            return Err(Error::build(ErrorKind::CredentialStore, message).code("not_kept").finish());
        }
        events::saved(&self.file(), meant);
        Ok(())
    }

    /// Removes the file, whatever its content, and returns the credential that was in it. Waits for the lock. The
    /// tokens stay valid at the provider; to revoke them too, see
    /// [`RotatingCredential::log_out`](super::RotatingCredential::log_out).
    ///
    /// # Errors
    ///
    /// [`CredentialBusy`](ErrorKind::CredentialBusy) when another process holds the lock,
    /// [`CredentialStore`](ErrorKind::CredentialStore) when it cannot be obtained or the file cannot be removed.
    pub async fn remove(&self) -> Result<Option<Credential>> {
        let store = self.clone();
        background::run(async move || {
            let lock = store.lock().await?;
            let found = store.files.read().ok().flatten();
            if store.files.remove(&lock)? {
                events::removed(&store.file(), false);
            }
            Ok(found.map(|found| found.stored.credential))
        })
        .await
    }

    /// Returns the status of the store, for display. Never an error: problems are part of the status.
    pub async fn status(&self) -> CredentialStatus {
        let store = self.clone();
        let found = background::run(async move || Ok(store.files.status(&store.timer.uptime())));
        found.await.unwrap_or_else(|error| CredentialStatus::unknown(self.file(), error.to_string()))
    }

    /// Declares that the store was moved here, and that the store it was copied from is no longer used. Waits for the
    /// lock. Returns whether it was a copy.
    ///
    /// # Errors
    ///
    /// [`ReauthRequired`](ErrorKind::ReauthRequired) when nothing is stored; otherwise as [`save`](Self::save).
    pub async fn adopt(&self) -> Result<bool> {
        let store = self.clone();
        background::run(async move || {
            let lock = store.lock().await?;
            let Some(found) = store.files.load()? else { return Err(Failure::no_credential().error) };
            let copied = store.files.is_copied(&found.stored);
            store.files.write(&lock, &found.stored)?;
            Ok(copied)
        })
        .await
    }

    /// Waits for the lock, on the thread of [`background::run`].
    pub(super) async fn lock(&self) -> Result<Lock> {
        let patience = |_| ControlFlow::<Lock, _>::Continue(self.lock_limit);
        match wait_for_lock(&*self.timer, || self.files.try_lock(), || None, patience).await {
            Waited::Held(lock, _) | Waited::Found(lock) => Ok(lock),
            Waited::GaveUp(slept) => Err(self.busy(slept)),
            Waited::Unavailable(error) => Err(self.files.lock_unavailable(error)),
        }
    }

    pub(super) fn busy(&self, waited: Duration) -> Error {
        let holder = self.files.holder().flatten();
        let lock = self.files.lock_file();
        events::contended(&lock, waited, true, holder);
        let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let message = format!(
            "{who} holds {} and did not release it within {} s",
            lock.display(),
            waited.as_secs_f64()
        );
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

/// Returns the part of the stored credential that still has value: a refresh token that may be spent makes no login
/// outdated, and a refused one renews nothing.
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

/// Returns the user's directory of credentials.
///
/// # Errors
///
/// [`ErrorKind::Config`] when it cannot be determined; set `COLONY_SDK_CREDENTIALS_DIR`.
pub fn default_directory() -> Result<PathBuf> {
    let environment = cache_path::from_environment();
    let refused = |message: String| {
        Error::build(ErrorKind::Config, message).hint("Set COLONY_SDK_CREDENTIALS_DIR or HOME").finish()
    };
    let Some(directory) = environment.credentials else {
        return Err(refused("the directory of credentials cannot be determined".to_owned()));
    };
    place::kept(&directory, environment.names_credentials)
        .map_err(|unusable| refused(format!("the directory of credentials cannot be used: {unusable}")))
}
