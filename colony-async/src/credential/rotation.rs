//! One refresh: who may, with which token, and what its answer means for the file.
//!
//! ```text
//!          ┌ fresh in the file ─────────────────────────────────────────────▶ adopt
//! read ──▶ try the lock ── taken ──▶ wait, read again ── time is up ────────▶ CredentialBusy
//!          └ held ──▶ read AGAIN ── newer ──────────────────────────────────▶ adopt
//!                     └ note left behind ── good by introspection? no ──────▶ ReauthRequired
//!                       └ write the note, sync ── cannot ───────────────────▶ CredentialStore
//!                         └ SEND ── no connection, or not acted on ── unnote ▶ passing
//!                                ── granted ──▶ store, sync ────────────────▶ done
//!                                ── invalid_grant ── note it as refused ─────▶ ReauthRequired
//!                                ── anything else: the note stays ───────────▶ undecided
//! ```

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{
        Credential,
        document::{Spending, State, Stored},
        grant::{self, Answer, TokenRequest},
        reauth_required, timing,
    },
};
use secrecy::SecretString;

use super::{
    events,
    provider::{Failed, Provider},
    rotating::{Failure, Outcome, Rotation, Shared},
};
use crate::disk::lock::{Attempt, FileLock};

/// What a refresh is for.
#[derive(Clone)]
pub(super) enum Purpose {
    /// An access token that is fresh.
    Fresh,
    /// One other than this, which a resource refused.
    OtherThan(SecretString),
    /// A credential that has been refreshed since this one.
    NewerThan(Arc<Credential>),
}

/// What this process knows and the file does not say.
#[derive(Default)]
pub(super) struct Known {
    /// The attempt whose request provably had no effect: its note does not count, should it still be there.
    without_effect: Option<String>,
    /// A refreshed credential that could not be written, and the attempt it came from.
    unsaved: Option<(String, Stored)>,
}

/// The pauses between tries to store what cannot be had again.
const STORE_PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];

impl Purpose {
    /// Whether this credential is not what is asked for, whatever its age.
    pub(super) fn rejects(&self, credential: &Credential) -> bool {
        match self {
            Self::Fresh => false,
            Self::OtherThan(rejected) => credential.has_access_token(rejected),
            Self::NewerThan(known) => {
                let same_access = match &known.access_token {
                    Some(token) => credential.has_access_token(token),
                    None => credential.access_token.is_none(),
                };
                same_access && known.refresh_fingerprint() == credential.refresh_fingerprint()
            }
        }
    }

    fn is_served_by(&self, credential: &Credential, now: f64) -> bool {
        timing::is_fresh(credential, now) && !self.rejects(credential)
    }
}

impl Shared {
    /// See the module.
    pub(super) async fn refresh(&self, purpose: &Purpose) -> Outcome {
        let outcome = self.take_turn(purpose).await;
        let file = self.settings.store.file();
        match &outcome {
            Ok(rotation) => self.held.store(Some(Arc::new(rotation.credential.clone()))),
            Err(failure) => {
                events::refused(&file, failure.reason, &failure.error);
                let now = self.now();
                if let Some(held) = &*self.held.load()
                    && failure.living_serves
                    && timing::is_alive(held, now)
                {
                    events::living_used(&file, held.expiry - now, &failure.error);
                }
            }
        }
        outcome
    }

    async fn take_turn(&self, purpose: &Purpose) -> Outcome {
        let store = &self.settings.store;
        let (mut slept, mut pause) = (Duration::ZERO, Duration::ZERO);
        loop {
            // Without the lock first: mostly somebody else has been here.
            let seen = store.files.read().ok().flatten();
            if let Some(stored) = &seen {
                if purpose.is_served_by(&stored.credential, self.now()) {
                    return Ok(self.adopt(&stored.credential, slept));
                }
                self.see(stored);
            }
            match store.files.try_lock() {
                Attempt::Held(lock) => return self.with_lock(&lock, purpose, slept).await,
                Attempt::Unavailable(error) => {
                    return Err(Failure::passing("lock_unavailable", store.files.lock_unavailable(error)));
                }
                Attempt::Taken => {}
            }
            let present = seen.as_ref().map(|stored| &stored.credential);
            let present = present.filter(|credential| !purpose.rejects(credential));
            let limit = timing::patience(present, store.lock_limit, self.now());
            if slept >= limit {
                return Err(Failure::passing("busy", store.busy(slept)));
            }
            if slept.is_zero() {
                events::contended(&store.files.lock_file(), slept, false, None);
            }
            slept += store.pause(&mut pause, limit - slept).await;
        }
    }

    async fn with_lock(&self, lock: &FileLock, purpose: &Purpose, slept: Duration) -> Outcome {
        let store = &self.settings.store;
        // Here everybody else fails: what was read before the lock need not be true now.
        let stored = store.files.load().map_err(|error| Failure::passing("unreadable", error))?;
        let Some(mut stored) = stored else {
            // Logged out. What this process still has in memory goes with it.
            self.held.store(None);
            self.known.lock().unwrap_or_else(PoisonError::into_inner).unsaved = None;
            return Err(no_credential());
        };
        if let Some(unsaved) = self.unsaved(&stored) {
            store.files.write(lock, &unsaved).map_err(|error| {
                // In memory it is good for as long as its access token lives.
                self.held.store(Some(Arc::new(unsaved.credential.clone())));
                Failure::passing("unsaved", error)
            })?;
            self.known.lock().unwrap_or_else(PoisonError::into_inner).unsaved = None;
            stored = unsaved;
        }
        let now = self.now();
        if purpose.is_served_by(&stored.credential, now) {
            return Ok(self.adopt(&stored.credential, slept));
        }
        self.see(&stored);
        if !stored.credential.is_refreshable() {
            let error = reauth_required("the stored credential has no refresh token");
            return Err(Failure::passing("not_refreshable", with_code(error, "not_refreshable")));
        }
        if let Some(spending) = stored.present_spending().cloned() {
            self.decide(lock, &stored, &spending, now).await?;
        }
        self.spend(lock, stored, now).await
    }

    /// Keeps what is in the file, which may still be alive when the rest fails. Not where this process has a
    /// later one that could not be stored.
    fn see(&self, stored: &Stored) {
        if self.unsaved(stored).is_none() {
            self.held.store(Some(Arc::new(stored.credential.clone())));
        }
    }

    /// What this process refreshed and could not store, if the file is still as it was then.
    fn unsaved(&self, stored: &Stored) -> Option<Stored> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (attempt, unsaved) = known.unsaved.as_ref()?;
        if stored.present_spending().is_some_and(|spending| spending.attempt == *attempt) {
            return Some(unsaved.clone());
        }
        // Somebody has logged in since.
        known.unsaved = None;
        None
    }

    /// An earlier refresh of this token was not brought to its end. May the token be sent?
    async fn decide(
        &self,
        lock: &FileLock,
        stored: &Stored,
        spending: &Spending,
        now: f64,
    ) -> Result<(), Failure> {
        let file = self.settings.store.file();
        let age = now - spending.since;
        if spending.state == State::Refused {
            return Err(refused_before());
        }
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.without_effect.as_ref() == Some(&spending.attempt) {
                return Ok(());
            }
        }
        let Some(endpoint) = &self.settings.introspection else {
            events::interrupted(&file, age, "no");
            return Err(Failure::passing("interrupted", interrupted(None)));
        };
        // The request may still be under way; and a clock that was set back says nothing.
        let limit = self.settings.request_limit.as_secs_f64();
        if age.is_nan() || age < limit {
            let message =
                "an earlier refresh may still be under way; it is asked about when its time is over";
            let error = Error::build(ErrorKind::CredentialBusy, message).code("interrupted").finish();
            return Err(Failure::passing("interrupted", error));
        }
        match self.introspect(&stored.credential, endpoint).await {
            Ok(true) => {
                events::interrupted(&file, age, "unspent");
                Ok(())
            }
            Ok(false) => {
                events::interrupted(&file, age, "spent");
                self.mark_refused(lock, stored, spending);
                Err(Failure::passing("interrupted", interrupted(None)))
            }
            Err(error) => {
                events::interrupted(&file, age, "unknown");
                Err(Failure::passing("interrupted", error))
            }
        }
    }

    async fn introspect(&self, credential: &Credential, endpoint: &str) -> Result<bool> {
        let Some(request) = TokenRequest::introspection(credential, endpoint, &self.settings.auth)? else {
            return Ok(false);
        };
        match self.provider(endpoint)?.send(&request).await {
            Ok(answered) => grant::read_introspection(answered.status, &answered.body),
            Err(Failed::NeverLeft(error) | Failed::MaybeLeft(error)) => Err(error),
        }
    }

    /// Sends the refresh token that was just read under the lock.
    async fn spend(&self, lock: &FileLock, stored: Stored, now: f64) -> Outcome {
        let store = &self.settings.store;
        let attempt = format!("{:016x}", fastrand::u64(..));
        let request = TokenRequest::refresh(&stored.credential, &self.settings.auth);
        let spending = Spending::of(&stored.credential, now, attempt.clone());
        let (Some(request), Some(spending)) = (request, spending) else { return Err(no_credential()) };
        let provider = self
            .provider(&stored.credential.token_endpoint)
            .map_err(|error| Failure::lasting("configuration", error))?;

        // From here to the write of the answer is the one dangerous window. Whoever is killed in it leaves the
        // note.
        let mut marked = stored.clone();
        marked.spending = Some(spending.clone());
        // Also if the write fails half-way: nothing has been sent.
        self.set_without_effect(Some(attempt.clone()));
        if let Err(error) = store.files.write(lock, &marked) {
            // Where only the directory was not synced, the note is there, and would say what is not so.
            self.unmark(lock, stored, attempt).await;
            return Err(Failure::passing("not_writable", error));
        }
        self.set_without_effect(None);
        let sent = provider.send(&request).await;

        let answered = match sent {
            Ok(answered) => answered,
            Err(Failed::NeverLeft(error)) => {
                self.unmark(lock, stored, attempt).await;
                return Err(Failure::passing("no_connection", error));
            }
            Err(Failed::MaybeLeft(error)) => return Err(self.undecided(error)),
        };
        let answer =
            Answer::read(&stored.credential, answered.status, answered.retry_after, &answered.body, now);
        match answer {
            Answer::Granted(credential) => {
                Ok(self.store_granted(lock, &marked, attempt, *credential, now).await)
            }
            Answer::NotActedOn(error) => {
                self.unmark(lock, stored, attempt).await;
                let passing = matches!(error.kind(), ErrorKind::RateLimit | ErrorKind::Server);
                Err(if passing {
                    Failure::passing("not_acted_on", error)
                } else {
                    Failure::lasting("not_acted_on", error)
                })
            }
            Answer::Refused(error) => self.invalid_grant(lock, &marked, &spending, error),
            Answer::Unclear(error) => Err(self.undecided(error)),
            _ => Err(self.undecided(interrupted(None))),
        }
    }

    /// Stores what cannot be had again; keeps it in memory where that does not work.
    async fn store_granted(
        &self,
        lock: &FileLock,
        marked: &Stored,
        attempt: String,
        credential: Credential,
        sent_at: f64,
    ) -> Arc<Rotation> {
        let store = &self.settings.store;
        let new = Stored::new(credential);
        let written = self.write_patiently(lock, &new).await;
        let now = self.now();
        let rotated = marked.credential.refresh_fingerprint() != new.credential.refresh_fingerprint();
        events::refreshed(&store.file(), rotated, (now - sent_at).max(0.0), &new.credential, now);
        if let Err(error) = written {
            events::unsaved(&store.file(), &error);
            self.known.lock().unwrap_or_else(PoisonError::into_inner).unsaved = Some((attempt, new.clone()));
        }
        Arc::new(Rotation { credential: new.credential, is_own: true })
    }

    /// Tries a few times: what is written here cannot be had again, or holds up everybody else.
    async fn write_patiently(&self, lock: &FileLock, stored: &Stored) -> Result<()> {
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

    /// The provider refused the token. Nothing is wiped: the store is read once more, and if it still holds
    /// that token, it is noted so that nobody presents it again.
    fn invalid_grant(&self, lock: &FileLock, marked: &Stored, spending: &Spending, error: Error) -> Outcome {
        let store = &self.settings.store;
        if let Ok(Some(again)) = store.files.read()
            && again.credential.refresh_fingerprint() != marked.credential.refresh_fingerprint()
        {
            // Somebody who takes no lock has stored another one.
            return Ok(self.adopt(&again.credential, Duration::ZERO));
        }
        self.mark_refused(lock, marked, spending);
        let message = "the provider refused the refresh token: it is spent, revoked or expired";
        let error = Error::build(ErrorKind::ReauthRequired, message)
            .operation(grant::OPERATION)
            .status(error.status().unwrap_or(400))
            .code("invalid_grant")
            .hint("Log in again (`colony auth login`); what is stored was left as it is")
            .source(error)
            .finish();
        Err(Failure::lasting("invalid_grant", error))
    }

    fn mark_refused(&self, lock: &FileLock, stored: &Stored, spending: &Spending) {
        let mut refused = stored.clone();
        refused.spending = Some(spending.clone()).map(|mut spending| {
            spending.state = State::Refused;
            spending
        });
        // Where that does not work the note stays as it is, which forbids no less.
        let _ = self.settings.store.files.write(lock, &refused);
    }

    /// The request had no effect: takes the note back. Where that does not work, this process still knows.
    async fn unmark(&self, lock: &FileLock, mut stored: Stored, attempt: String) {
        stored.spending = None;
        self.set_without_effect(Some(attempt));
        // As it is to be read again, whatever comes of this.
        let _ = self.write_patiently(lock, &stored).await;
    }

    fn set_without_effect(&self, attempt: Option<String>) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).without_effect = attempt;
    }

    /// The token may be spent. It can be asked about later, or a person has to log in again when the access
    /// token ends.
    fn undecided(&self, error: Error) -> Failure {
        let decidable = self.settings.introspection.is_some();
        Failure::passing("undecided", if decidable { error } else { interrupted(Some(error)) })
    }

    fn adopt(&self, credential: &Credential, waited: Duration) -> Arc<Rotation> {
        let left = credential.expiry - self.now();
        events::adopted(&self.settings.store.file(), waited, left);
        Arc::new(Rotation { credential: credential.clone(), is_own: false })
    }

    fn provider(&self, endpoint: &str) -> Result<Provider> {
        Provider::new(self.settings.request_limit, self.settings.proxy.clone(), endpoint)
    }

    pub(super) async fn log_out(&self, revocation_endpoint: Option<String>) -> Result<bool> {
        let store = &self.settings.store;
        let lock = store.lock().await?;
        if let Some(endpoint) = &revocation_endpoint
            && let Some(stored) = store.files.load()?
        {
            let request = TokenRequest::revocation(&stored.credential, endpoint, &self.settings.auth)?;
            match self.provider(endpoint)?.send(&request).await {
                Ok(answered) if (200..300).contains(&answered.status) => {}
                Ok(answered) => {
                    let message = "the provider did not confirm the revocation; nothing was removed";
                    let error = Error::build(ErrorKind::Api, message).operation("revoke_token");
                    return Err(error.status(answered.status).finish());
                }
                Err(Failed::NeverLeft(error) | Failed::MaybeLeft(error)) => return Err(error),
            }
        }
        let removed = store.files.remove(&lock)?;
        self.held.store(None);
        if removed {
            events::removed(&store.file(), revocation_endpoint.is_some());
        }
        Ok(removed)
    }
}

/// Nothing is stored.
pub(super) fn no_credential() -> Failure {
    let error = Error::build(ErrorKind::ReauthRequired, "no credential is stored")
        .code("no_credential")
        .hint("Log in (`colony auth login`)")
        .finish();
    Failure::lasting("no_credential", error)
}

fn refused_before() -> Failure {
    let error = reauth_required("the provider has refused the stored refresh token before");
    Failure::lasting("invalid_grant", with_code(error, "invalid_grant"))
}

/// It is open whether the refresh token is spent.
fn interrupted(cause: Option<Error>) -> Error {
    let message = "a refresh was sent and its answer was lost, so the stored refresh token may be spent";
    let error = Error::build(ErrorKind::ReauthRequired, message)
        .operation(grant::OPERATION)
        .code("interrupted")
        .hint(
            "Log in again (`colony auth login`); presenting a spent token would revoke every token of the login",
        );
    match cause {
        Some(cause) => error.source(cause).finish(),
        None => error.finish(),
    }
}

fn with_code(error: Error, code: &'static str) -> Error {
    Error::build(error.kind(), error.message())
        .code(code)
        .hint(error.hint().unwrap_or_default().to_owned())
        .finish()
}
