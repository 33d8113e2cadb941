//! One refresh: which process may do it, with which token, and what the reply means for the file.
//!
//! ```text
//!          ┌ fresh in the file ─────────────────────────────────────────────▶ adopt
//! read ──▶ try the lock ── taken ──▶ wait, read again ── time is up ────────▶ CredentialBusy
//!          └ held ──▶ read AGAIN ── newer ──────────────────────────────────▶ adopt
//!                     ├ written in another place ───────────────────────────▶ ReauthRequired (copied)
//!                     ├ note left behind (`settling`) ── refused ───────────▶ ReauthRequired
//!                     │                               ── may be under way ──▶ CredentialBusy
//!                     │                               ── over, token dead ──▶ once more
//!                     └ write a new note, sync ── cannot ───────────────────▶ CredentialStore
//!                       └ SEND ── no connection ── put the former note back ▶ passing
//!                              ── refused, not acted on ── likewise ────────▶ the provider's error
//!                              ── granted ──▶ store, sync ──────────────────▶ done
//!                              ── invalid_grant ── note it as refused ──────▶ ReauthRequired
//!                              ── anything else: the note stays ────────────▶ CredentialBusy
//! ```

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        Credential,
        document::Stored,
        grant::{Answer, TokenRequest},
        spending::Spending,
        timing,
    },
};
use secrecy::SecretString;

use super::{
    activity::Activity,
    endpoint::Failed,
    events,
    failure::Failure,
    files::Found,
    memory::Memory,
    settings::{Settings, Unclear},
    settling::{self, Case},
};
use crate::{
    disk::{
        lock::Lock,
        waiting::{Waited, wait_for_lock},
    },
    journal,
};

/// The purpose of a refresh.
#[derive(Clone)]
pub(super) enum Purpose {
    /// A fresh access token.
    Fresh,
    /// An access token other than this one, which a resource refused.
    OtherThan(SecretString),
    /// A credential that has been refreshed since this one, in the background.
    NewerThan(Arc<Credential>),
    /// The same, at the request of a person or program.
    Asked(Arc<Credential>),
}

/// The result of [`RotatingCredential::rotate`](super::RotatingCredential::rotate).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rotation {
    /// The credential that is stored now.
    pub credential: Credential,
    /// Whether this process sent the request; otherwise another one did in the meantime.
    pub is_own: bool,
}

/// The outcome of a refresh, shared by all waiting callers.
pub(super) type Outcome = Result<Arc<Rotation>, Failure>;

/// Refreshes one stored credential, in turn with every other program that shares it.
pub(super) struct Rotator {
    pub(super) settings: Settings,
    pub(super) memory: Memory,
    pub(super) activity: Activity,
}

/// The pauses between tries to store a credential that cannot be obtained again.
const STORE_PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];

impl Purpose {
    /// Returns whether this credential cannot serve the purpose, whatever its age.
    pub(super) fn rejects(&self, credential: &Credential) -> bool {
        match self {
            Self::Fresh => false,
            Self::OtherThan(rejected) => credential.has_access_token(rejected),
            Self::NewerThan(known) | Self::Asked(known) => {
                let same_access = match &known.access_token {
                    Some(token) => credential.has_access_token(token),
                    None => credential.access_token.is_none(),
                };
                same_access && known.refresh_fingerprint() == credential.refresh_fingerprint()
            }
        }
    }

    /// Returns whether the present access token is no reason to wait: a caller requests a refresh, or a resource
    /// refused the token.
    pub(super) fn cannot_wait(&self) -> bool {
        matches!(self, Self::Asked(_) | Self::OtherThan(_))
    }

    /// Returns whether the access token, while it lives, can be used until there is a newer one.
    fn is_helped_by(&self, credential: &Credential) -> bool {
        match self {
            Self::OtherThan(_) => !self.rejects(credential),
            _ => true,
        }
    }
}

impl Rotator {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, memory: Memory::default(), activity: Activity::default() }
    }

    /// Returns whether this credential serves the purpose as it is.
    pub(super) fn is_served_by(&self, purpose: &Purpose, credential: &Credential, now: f64) -> bool {
        let kept = matches!(purpose, Purpose::Fresh) && self.is_to_be_kept_alive(credential, now);
        timing::is_fresh(credential, now) && !purpose.rejects(credential) && !kept
    }

    /// Returns whether half of the refresh token's life is over and the settings rotate it for that reason.
    fn is_to_be_kept_alive(&self, credential: &Credential, now: f64) -> bool {
        let due = timing::keep_alive_due(credential, self.settings.refresh_token_lifetime, 0.0);
        self.settings.keep_alive && due.is_some_and(|due| due <= now)
    }

    /// Refreshes the credential for this purpose. See the module.
    pub(super) async fn refresh(&self, purpose: &Purpose) -> Outcome {
        let outcome = self.take_turn(purpose).await;
        if let Err(failure) = &outcome {
            let file = self.settings.store.file();
            events::refused(&file, failure.reason, &failure.error);
            let now = self.settings.now();
            self.settings.store.files.log(now, &journal::Event::Refused { error: &failure.error });
            if let Some(held) = self.memory.held()
                && failure.living_serves
                && timing::is_alive(&held, now)
            {
                events::living_used(&file, held.expiry - now, &failure.error);
            }
        }
        outcome
    }

    async fn take_turn(&self, purpose: &Purpose) -> Outcome {
        let store = &self.settings.store;
        let mut is_contended = false;
        let waited = wait_for_lock(
            &*store.timer,
            || store.files.try_lock(),
            || None,
            |slept| {
                // In most cases another process has refreshed it in the meantime.
                let found = match store.files.read() {
                    Ok(Some(found)) => Some(found),
                    Ok(None) => {
                        self.memory.forget();
                        return ControlFlow::Break(Err(Failure::no_credential()));
                    }
                    Err(_) => None,
                };
                let now = self.settings.now();
                if let Some(found) = &found {
                    if self.is_served_by(purpose, &found.stored.credential, now) {
                        return ControlFlow::Break(Ok(self.adopt(found, slept)));
                    }
                    self.memory.see(found);
                }
                if self.activity.is_closed() {
                    return ControlFlow::Break(Err(Failure::closed()));
                }
                if slept > Duration::ZERO && !std::mem::replace(&mut is_contended, true) {
                    events::contended(&store.files.lock_file(), slept, false, None);
                }
                let present = found.as_ref().map(|found| &found.stored.credential);
                let present = present.filter(|credential| !purpose.rejects(credential));
                ControlFlow::Continue(timing::patience(present, store.lock_limit, now))
            },
        );
        match waited.await {
            Waited::Found(outcome) => outcome,
            Waited::Held(lock, slept) => self.with_lock(&lock, purpose, slept).await,
            Waited::GaveUp(slept) => Err(Failure::passing("busy", store.busy(slept))),
            Waited::Unavailable(error) => {
                Err(Failure::passing("lock_unavailable", store.files.lock_unavailable(error)))
            }
        }
    }

    async fn with_lock(&self, lock: &Lock, purpose: &Purpose, slept: Duration) -> Outcome {
        let Settings { store, .. } = &self.settings;
        // Read again under the lock: another process may have refreshed the credential in the meantime.
        let found = store.files.load().map_err(|error| Failure::passing("unreadable", error))?;
        let Some(mut found) = found else {
            self.memory.forget();
            return Err(Failure::no_credential());
        };
        if let Some(unsaved) = self.memory.unsaved(&found.stored) {
            if let Err(error) = store.files.write(lock, &unsaved) {
                // In memory it is usable as long as its access token lives.
                self.memory.keep(&unsaved.credential, Some(found.stamp));
                return Err(Failure::passing("unsaved", error));
            }
            self.memory.unwritten().unsaved = None;
            found = Found { stored: unsaved, stamp: store.files.stamp().ok().flatten().unwrap_or_default() };
        }
        let now = self.settings.now();
        if self.is_served_by(purpose, &found.stored.credential, now) {
            return Ok(self.adopt(&found, slept));
        }
        self.memory.see(&found);
        let outcome = self.renew(lock, purpose, found.stored, now).await;
        if outcome.is_err() {
            // No other process has changed it since, but the note may have changed.
            self.memory.restamp(store.files.stamp().ok().flatten());
        }
        outcome
    }

    /// Presents the refresh token, if that is allowed.
    async fn renew(&self, lock: &Lock, purpose: &Purpose, mut stored: Stored, now: f64) -> Outcome {
        if !stored.credential.is_refreshable() {
            return Err(Failure::not_refreshable());
        }
        if self.settings.store.files.is_copied(&stored) {
            return Err(Failure::copied());
        }
        self.put_former_note_back(&mut stored);
        if let Some(note) = stored.present_spending() {
            let credential = &stored.credential;
            let lives = timing::is_alive(credential, now) && purpose.is_helped_by(credential);
            let case = Case {
                settings: &self.settings,
                memory: &self.memory,
                lock,
                stored: &stored,
                note,
                is_asked: matches!(purpose, Purpose::Asked(_)),
                alive: lives.then(|| timing::delay(credential.expiry, now, Duration::MAX)),
            };
            case.may_present().await?;
        }
        self.spend(lock, stored, now).await
    }

    /// Replaces a note of this process with the one before it, if its request had no effect and it could not be
    /// removed.
    fn put_former_note_back(&self, stored: &mut Stored) {
        if let Some((attempt, former)) = &self.memory.unwritten().without_effect
            && stored.present_spending().is_some_and(|note| note.attempt == *attempt)
        {
            stored.spending.clone_from(former);
        }
    }

    /// Sends the refresh token, which was just read under the lock.
    async fn spend(&self, lock: &Lock, stored: Stored, now: f64) -> Outcome {
        let Settings { store, auth, request_limit, .. } = &self.settings;
        let attempt = format!("{:016x}", fastrand::u64(..));
        let request = TokenRequest::refresh(&stored.credential, auth);
        let note = Spending::of(
            &stored.credential,
            attempt.clone(),
            now,
            self.settings.uptime(),
            *request_limit,
            stored.present_spending(),
        );
        let (Some(request), Some(note)) = (request, note) else { return Err(Failure::no_credential()) };
        let line = self
            .settings
            .line(&stored.credential.token_endpoint)
            .map_err(|error| Failure::lasting("configuration", error))?;
        let Some(_under_way) = self.activity.spend() else { return Err(Failure::closed()) };

        // From here until the reply is written is the one dangerous window. A process that is killed in it leaves the
        // note.
        let mut marked = stored.clone();
        marked.spending = Some(note.clone());
        // Set in case the write fails half-way: nothing has been sent.
        self.set_without_effect(Some((&attempt, &stored)));
        if let Err(error) = store.files.write(lock, &marked) {
            // If only the sync of the directory failed, the note is in the file and would be wrong.
            self.unmark(lock, stored, &attempt).await;
            return Err(Failure::passing("not_writable", error));
        }
        self.set_without_effect(None);
        let answered = match line.send(&request).await {
            Ok(answered) => answered,
            Err(Failed::NeverLeft(error)) => {
                self.unmark(lock, stored, &attempt).await;
                return Err(Failure::passing("no_connection", error));
            }
            Err(Failed::MaybeLeft(error)) => return Err(self.unknown(&note, error)),
        };
        let answer =
            Answer::read(&stored.credential, answered.status, answered.retry_after, &answered.body, now);
        match answer {
            Answer::Granted(credential) => {
                Ok(self.store_granted(lock, &marked, attempt, *credential, now).await)
            }
            Answer::NotActedOn(error) => {
                let mut stored = stored;
                if error.code() == Some("invalid_request") {
                    stored.spending = Some(note.declined());
                }
                self.unmark(lock, stored, &attempt).await;
                Err(if error.kind() == ErrorKind::Auth {
                    // The client's settings are wrong.
                    Failure::lasting("not_acted_on", error)
                } else {
                    Failure::passing("not_acted_on", error)
                })
            }
            Answer::Refused(error) => self.invalid_grant(lock, &marked, note, error),
            Answer::Unclear(error) => Err(self.unknown(&note, error)),
            _ => Err(Failure::interrupted(None)),
        }
    }

    /// Stores a credential that cannot be obtained again; keeps it in memory if that fails.
    async fn store_granted(
        &self,
        lock: &Lock,
        marked: &Stored,
        attempt: String,
        credential: Credential,
        sent_at: f64,
    ) -> Arc<Rotation> {
        let files = &self.settings.store.files;
        let new = Stored::new(credential);
        let written = self.write_patiently(lock, &new).await;
        let now = self.settings.now();
        let rotated = marked.credential.refresh_fingerprint() != new.credential.refresh_fingerprint();
        events::refreshed(&files.file(), rotated, (now - sent_at).max(0.0), &new.credential, now);
        files.log(
            now,
            &journal::Event::Refreshed {
                token: new.credential.access_token.as_ref(),
                expires_at: new.credential.expiry,
                took: Duration::try_from_secs_f64(now - sent_at).unwrap_or_default(),
            },
        );
        self.memory.keep(&new.credential, files.stamp().ok().flatten());
        if let Err(error) = written {
            events::unsaved(&files.file(), &error);
            self.memory.unwritten().unsaved = Some((attempt, new.clone()));
        }
        Arc::new(Rotation { credential: new.credential, is_own: true })
    }

    /// Tries a few times: the content cannot be obtained again, or blocks every other process.
    async fn write_patiently(&self, lock: &Lock, stored: &Stored) -> Result<()> {
        let store = &self.settings.store;
        let mut written = store.files.write(lock, stored);
        for pause in STORE_PAUSES {
            if written.is_ok() {
                break;
            }
            store.timer.sleep(pause).await;
            written = store.files.write(lock, stored);
        }
        written
    }

    /// Handles a token that the provider refused. Nothing is wiped: the store is read again, and if it still holds
    /// that token, the token is marked as refused so that no process presents it again.
    fn invalid_grant(&self, lock: &Lock, marked: &Stored, note: Spending, error: Error) -> Outcome {
        if let Ok(Some(again)) = self.settings.store.files.read()
            && again.stored.credential.refresh_fingerprint() != marked.credential.refresh_fingerprint()
        {
            // A program that takes no lock has stored another one.
            return Ok(self.adopt(&again, Duration::ZERO));
        }
        settling::mark(&self.settings, lock, marked, note.refused());
        Err(Failure::invalid_grant(error))
    }

    /// Handles a request that had no effect: restores the previous note. If that fails, this process still knows.
    async fn unmark(&self, lock: &Lock, stored: Stored, attempt: &str) {
        self.set_without_effect(Some((attempt, &stored)));
        // This is the state that the next read should find, whether or not the write succeeds.
        let _ = self.write_patiently(lock, &stored).await;
    }

    fn set_without_effect(&self, attempt: Option<(&str, &Stored)>) {
        let attempt = attempt.map(|(attempt, before)| (attempt.to_owned(), before.spending.clone()));
        self.memory.unwritten().without_effect = attempt;
    }

    /// Returns the failure for a token that may be spent.
    fn unknown(&self, note: &Spending, error: Error) -> Failure {
        match self.settings.unclear {
            Unclear::Refuse => Failure::interrupted(Some(error)),
            Unclear::Retry => Failure::unknown(error, note.wait(self.settings.settle)),
        }
    }

    fn adopt(&self, found: &Found, waited: Duration) -> Arc<Rotation> {
        let credential = &found.stored.credential;
        let left = credential.expiry - self.settings.now();
        events::adopted(&self.settings.store.file(), waited, left);
        let event = journal::Event::Adopted { token: credential.access_token.as_ref(), waited };
        self.settings.store.files.log(self.settings.now(), &event);
        self.memory.keep(credential, Some(found.stamp));
        Arc::new(Rotation { credential: credential.clone(), is_own: false })
    }

    /// Removes the credential; if an endpoint is given, first revokes it at the provider.
    pub(super) async fn log_out(&self, revocation_endpoint: Option<String>) -> Result<bool> {
        let Settings { store, auth, .. } = &self.settings;
        let lock = store.lock().await?;
        if let Some(endpoint) = &revocation_endpoint
            && let Some(found) = store.files.load()?
        {
            if store.files.is_copied(&found.stored) {
                return Err(Failure::copied().error);
            }
            let request = TokenRequest::revocation(&found.stored.credential, endpoint, auth)?;
            let answered = self.settings.line(endpoint)?.send(&request).await?;
            if !(200..300).contains(&answered.status) {
                let message = "the provider did not confirm the revocation; nothing was removed";
                let error = Error::build(ErrorKind::Api, message).operation("revoke_token");
                return Err(error.status(answered.status).finish());
            }
        }
        let removed = store.files.remove(&lock)?;
        self.memory.forget();
        if removed {
            events::removed(&store.file(), revocation_endpoint.is_some());
        }
        Ok(removed)
    }
}
