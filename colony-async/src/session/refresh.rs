//! An attempt to get a token, made once for all tasks of this process (see [`Gate`](crate::gate::Gate)).

use std::{
    ops::{ControlFlow, Range},
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use colony_core::{
    Error, ErrorKind, Result,
    openid::audience::Need,
    token::cooldown::{Note, NoteKind},
};
use secrecy::SecretString;

use super::{
    Key, Session, events,
    level::{Ask, By, Got},
    mint::{Attempt, Patience},
    no_key,
    store::{LockFile, TokenStore},
};
use crate::{
    disk::{
        lock::Lock,
        waiting::{Waited, wait_for_lock},
    },
    journal,
    token::CachedToken,
};

/// The purpose of a token.
#[derive(Clone)]
pub(crate) struct Want {
    /// The part of the token that must be fresh.
    need: Need,
    /// The token that the server rejected.
    rejected: Option<SecretString>,
    /// The operation that rejected it, if known.
    rejected_by: Option<Arc<str>>,
    /// A token that is still good and needs a later one to follow it.
    renews: Option<Arc<CachedToken>>,
    /// Whether the renewal is ahead of time and not for a caller.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
    is_ahead: bool,
}

impl Want {
    /// Wants a token of which this part is fresh.
    pub(crate) fn fresh(need: Need) -> Self {
        Self { need, rejected: None, rejected_by: None, renews: None, is_ahead: false }
    }

    /// Wants a token other than this one, which the server rejected.
    pub(crate) fn instead_of(self, rejected: SecretString, by: Option<&str>) -> Self {
        Self { rejected: Some(rejected), rejected_by: by.map(Arc::from), ..self }
    }

    /// Wants a later token than this one.
    pub(super) fn later_than(token: Arc<CachedToken>) -> Self {
        Self { renews: Some(token), ..Self::fresh(Need::AccessToken) }
    }

    /// As [`later_than`](Self::later_than), ahead of time.
    pub(super) fn ahead_of(token: Arc<CachedToken>) -> Self {
        Self { is_ahead: true, ..Self::later_than(token) }
    }

    /// Returns whether a living token is sufficient for now.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
    pub(super) fn can_wait(&self) -> bool {
        self.renews.is_none() || self.is_ahead
    }

    pub(super) fn need(&self) -> Need {
        self.need
    }

    /// Returns the token that must not be returned again.
    pub(super) fn other_than(&self) -> Option<&SecretString> {
        self.rejected.as_ref().or_else(|| self.renews.as_ref().map(|token| &token.secret))
    }

    /// Returns whether this token is ruled out.
    fn rules_out(&self, token: &CachedToken) -> bool {
        self.other_than().is_some_and(|other| token.is(other))
    }

    /// Returns whether a caller with this want cannot use the outcome of an attempt that was made for another want.
    fn cannot_use(&self, made_for: &Self, outcome: &Result<Arc<CachedToken>>, now: f64) -> bool {
        match outcome {
            // An attempt may have begun before the token was rejected and return that very token, or one that lacks
            // the part needed here.
            Ok(token) => {
                let is_less = !made_for.need.covers(self.need) && !token.is_fresh(self.need, now);
                self.renews.is_none() && (self.rules_out(token) || is_less)
            }
            // The attempt gave up because of another operation than the caller's.
            Err(error) => is_final(error) && made_for.rejected_by != self.rejected_by,
        }
    }
}

impl Session {
    /// Joins the attempt under way, or starts one.
    pub(super) async fn refresh(self: &Arc<Self>, want: Want) -> Result<Arc<CachedToken>> {
        let work = || {
            let (session, want) = (Arc::clone(self), want.clone());
            async move { (want.clone(), session.attempt(want).await) }
        };
        let cannot_use = |(made_for, outcome): &(Want, _)| want.cannot_use(made_for, outcome, self.now());
        let outcome = self.gate.share_unless(work, cannot_use).await;
        outcome.map_or_else(|lost| Err(lost.into()), |(_, outcome)| outcome)
    }

    /// Gets a token: one that another caller has obtained, or a new one by logging in.
    async fn attempt(self: Arc<Self>, want: Want) -> Result<Arc<CachedToken>> {
        // Another attempt may have ended between the caller's check and the start of this one.
        let in_memory = || self.in_memory(want.need, want.other_than());
        if let Some(token) = in_memory().or_else(|| self.serving(&want)) {
            return Ok(token);
        }
        if let Some(seed) = self.take_seed() {
            self.keep(&seed);
            if let Some(token) = in_memory() {
                return Ok(token);
            }
        }
        let key = self.key()?;
        if key.secret.is_none() {
            return Err(no_key());
        }
        let stale = match &want.renews {
            Some(token) => Some(Arc::clone(token)),
            None => self.memory.load_full().filter(|token| !want.rules_out(token)),
        };
        let mut refresh = Refresh { session: &self, key: &key, want: &want, stale };
        let outcome = match refresh.get().await {
            Err(error) => refresh.fall_back(error),
            outcome => outcome,
        };
        match &outcome {
            // The key may have been replaced meanwhile; then this token belongs to the old key.
            Ok(token) if Arc::ptr_eq(&key, &self.key.load()) => self.keep(token),
            Ok(_) => {}
            // The token is not the problem.
            Err(error) if is_final(error) => {}
            Err(_) => self.drop_rejected(&want),
        }
        outcome
    }

    /// Forgets the token that the server rejected when no other could be obtained: the next call would only be
    /// rejected again.
    fn drop_rejected(&self, want: &Want) {
        let Some(rejected) = &want.rejected else { return };
        let held = self.memory.load();
        if held.as_ref().is_some_and(|held| held.is(rejected)) {
            // Unless another caller has stored a good one in the meantime.
            self.memory.compare_and_swap(&held, None);
        }
    }

    /// Returns the error of a cool-down that lasts.
    pub(super) fn cooling_down(&self, note: &Note) -> Option<Error> {
        let now = self.now();
        let left = note.remaining(now).filter(|_| !self.settings.ignore_cool_down)?;
        events::cooling_down(left, self.mint.audience());
        Some(self.mint.noted(note, now))
    }

    fn keep_note(&self, note: Option<Note>) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    /// Returns the token that stays in use after a failed login until the next try.
    fn serving(&self, want: &Want) -> Option<Arc<CachedToken>> {
        // Renewal ahead of time has its own pauses, and an explicit request has a reason.
        if want.renews.is_some() {
            return None;
        }
        let now = self.now();
        let mut slot = self.lock_serving();
        let (token, time) = slot.as_ref()?;
        let is_gone = want.rules_out(token) || self.is_given_up(&token.secret);
        if is_gone || !time.contains(&now) || !token.is_alive(want.need, now) {
            *slot = None;
            return None;
        }
        Some(Arc::clone(token))
    }

    pub(super) fn lock_serving(&self) -> MutexGuard<'_, Option<Serving>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stale token, and the time in which it is used.
pub(super) type Serving = (Arc<CachedToken>, Range<f64>);

/// An attempt to get a token that is under way.
struct Refresh<'a> {
    session: &'a Arc<Session>,
    key: &'a Key,
    want: &'a Want,
    /// A token near its end, which can be used if no other is available.
    stale: Option<Arc<CachedToken>>,
}

impl Refresh<'_> {
    async fn get(&mut self) -> Result<Arc<CachedToken>> {
        let Some(store) = &self.key.store else { return self.mint(None).await };
        // Reads only the file, without the lock.
        let found = self.read(store);
        self.session.learn_refusals(store);
        match found {
            Some(token) => Ok(token),
            None => self.get_in_turn(store).await,
        }
    }

    /// Waits for the lock, unless another process stores a token meanwhile, and logs in.
    async fn get_in_turn(&mut self, store: &TokenStore) -> Result<Arc<CachedToken>> {
        let session = self.session;
        let (since, mut note_before) = (session.now(), None);
        // Processes that stop waiting for the first lock take the second, so that they do not reach the server
        // together.
        for which in [LockFile::First, LockFile::Second] {
            let look = |waited| match self.look(store, since, &mut note_before) {
                Err(error) => ControlFlow::Break(Err(error)),
                Ok(Some(token)) => {
                    events::adopted(waited, session.mint.audience());
                    self.log(&journal::Event::Adopted { token: Some(&token.secret), waited });
                    ControlFlow::Break(Ok(token))
                }
                Ok(None) => ControlFlow::Continue(session.waits(self.patience(), self.key.level.as_ref())),
            };
            let (try_lock, announced) = (|| store.try_lock(which), || store.announcement(which));
            match wait_for_lock(&*session.timer, try_lock, announced, look).await {
                Waited::Found(outcome) => return outcome,
                // The look was taken with the lock held: another process may have logged in meanwhile.
                Waited::Held(lock, waited) => {
                    events::waited(store, which, waited, true);
                    return self.mint(Some(&lock)).await;
                }
                Waited::Unavailable(error) => {
                    session.degraded("lock", "unavailable", &error);
                    break;
                }
                Waited::GaveUp(waited) => {
                    events::waited(store, which, waited, false);
                    if self.patience() == Patience::OneTry {
                        return Err(Error::build(ErrorKind::Busy, "another process has the lock").finish());
                    }
                }
            }
        }
        self.mint(None).await
    }

    /// Reads the file. Keeps a stale token aside.
    fn read(&mut self, store: &TokenStore) -> Option<Arc<CachedToken>> {
        let (token, is_fresh) = self.session.read_file(store, self.want)?;
        if is_fresh {
            return Some(token);
        }
        self.stale = Some(token);
        None
    }

    /// Reads the file, and the note of a failed login, which is returned as an error if it is newer than the wait.
    /// The wait began at `since`, when the note was `note_before`.
    fn look(
        &mut self,
        store: &TokenStore,
        since: f64,
        note_before: &mut Option<Option<Note>>,
    ) -> Result<Option<Arc<CachedToken>>> {
        if let Some(token) = self.read(store) {
            return Ok(Some(token));
        }
        let session = self.session;
        let note = store.read_note();
        // Notes are compared by content as well as by date, since a clock may be set meanwhile.
        let before = note_before.get_or_insert_with(|| note.clone());
        if let Some(note) = &note {
            let is_new = note.is_failure() && before.as_ref() != Some(note);
            let is_answer = is_new || note.answers_waiter(since, session.now());
            if let Some(error) = session.answered_by(note, is_answer) {
                return Err(error);
            }
        }
        self.refuses_every_token(store).map_or(Ok(None), Err)
    }

    /// Returns the error that ends the search if another process has learned that no token would be accepted.
    fn refuses_every_token(&self, store: &TokenStore) -> Option<Error> {
        let (by, rejected) = (self.want.rejected_by.as_ref()?, self.want.rejected.as_ref()?);
        self.session.learn_refusals(store);
        self.session.refusals().stands(by, rejected, self.session.now()).then(|| {
            let message = format!("{by} refuses every token");
            Error::build(ErrorKind::Auth, message).code(FINAL).finish()
        })
    }

    /// Returns how long a call waits for a new token: while one is still usable, not for a whole outage.
    fn patience(&self) -> Patience {
        let now = self.session.now();
        let serves = self.stale.as_ref().is_some_and(|token| token.is_alive(self.want.need, now));
        if serves { Patience::OneTry } else { Patience::Full }
    }

    /// Gets a token from the level below and, if there is a file, shares the outcome.
    async fn mint(&mut self, lock: Option<&Lock>) -> Result<Arc<CachedToken>> {
        let session = self.session;
        let Some(secret) = &self.key.secret else { return Err(no_key()) };
        {
            let own = session.note.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(error) = own.and_then(|note| session.cooling_down(&note)) {
                return Err(error);
            }
        }
        let started = session.now();
        let attempt =
            Attempt { timer: &*session.timer, patience: self.patience(), lock, tried: &session.tried };
        let (stale, gone) = (self.stale.clone(), self.gone());
        let mut ask = Ask { session, secret, want: self.want, stale, gone, attempt };
        let answer = match &self.key.level {
            Some(level) => level.get(&mut ask).await,
            None => ask.log_in().await,
        };
        // A token that the level found can be used if this failed.
        self.stale = ask.stale;
        let now = session.now();
        let took = Duration::from_secs_f64((now - started).max(0.0));
        let error = match answer {
            Ok(Got { token, by }) => {
                self.share(&token, by);
                return Ok(token);
            }
            Err(error) => error,
        };
        // A process that stopped waiting for this one may have logged in meanwhile.
        if passes(&error)
            && let Some(store) = &self.key.store
            && let Some((token, true)) = session.read_file(store, self.want)
        {
            events::adopted(took, session.mint.audience());
            self.log(&journal::Event::Adopted { token: Some(&token.secret), waited: took });
            return Ok(token);
        }
        if session.ask_key.is_some() && error.is_auth() {
            // The next login asks for the key again, which may have been replaced.
            session.key.store(Arc::new(Key { secret: None, store: None, level: None }));
        }
        self.share_refusal(&error, now);
        self.log(&journal::Event::Refused { error: &error });
        Err(error)
    }

    /// Adds a line to the log, if there are files.
    fn log(&self, event: &journal::Event<'_>) {
        if let Some(store) = &self.key.store {
            store.log(self.session.now(), self.session.mint.audience(), event);
        }
    }

    /// Returns the tokens that must not be returned again.
    fn gone(&self) -> Vec<SecretString> {
        let given_up = self.session.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.iter().chain(self.want.other_than()).cloned().collect()
    }

    /// Reports how a token was obtained, and writes it to the file.
    fn share(&self, token: &CachedToken, by: By) {
        let session = self.session;
        session.keep_note(None);
        let (gone, expires_at) = (self.gone(), token.lifetime.dead_at);
        session.given_up.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // A token from another process is not new: it replaces none that is stale later.
        let took = match by {
            By::Login(took) => {
                events::minted(took, token.lifetime.stale_at - session.now(), session.mint.audience());
                took
            }
            By::Host(waited) | By::File(waited) => {
                events::adopted(waited, session.mint.audience());
                self.log(&journal::Event::Adopted { token: Some(&token.secret), waited });
                Duration::ZERO
            }
        };
        let Some(store) = self.key.store.as_ref().filter(|_| !matches!(by, By::File(_))) else { return };
        if let (Some(operation), By::Login(_)) = (&self.want.rejected_by, by) {
            session.expect_refusal(store, operation, token);
        }
        session.save(store, token, took, &gone);
        if let Err(error) = store.remove_note() {
            session.degraded("remove", "io", &error);
        }
        if let By::Login(took) = by {
            self.log(&journal::Event::Minted { token: &token.secret, expires_at, took });
        }
    }

    /// Leaves a note for other processes, and removes a rejected token from the file.
    fn share_refusal(&self, error: &Error, now: f64) {
        let session = self.session;
        let note = session.mint.note(error, now);
        // The note beside the file belongs to all processes, so that a success or a person can end it for all. This
        // client keeps a cool-down to itself only if there is no file.
        let own = note.clone().filter(|note| note.kind == NoteKind::CoolDown);
        let Some(store) = &self.key.store else { return session.keep_note(own) };
        if let Some(rejected) = &self.want.rejected
            && let Err(error) = store.remove_if_holds(rejected)
        {
            session.degraded("remove", "io", &error);
        }
        if let Some(note) = note
            && let Err(error) = store.write_note(&note)
        {
            session.degraded("write", "io", &error);
            session.keep_note(own);
        }
    }

    /// Falls back to a token with little time left when the login failed for a passing reason. The token is used for
    /// a while before the next login, so that an outage does not delay every call.
    fn fall_back(self, error: Error) -> Result<Arc<CachedToken>> {
        let (session, now) = (self.session, self.session.now());
        match self.stale {
            Some(token) if passes(&error) && token.is_alive(self.want.need, now) => {
                events::stale_used(token.lifetime.dead_at - now, &error, session.mint.audience());
                let time = now..now + SERVES.as_secs_f64();
                *session.lock_serving() = Some((Arc::clone(&token), time));
                Ok(token)
            }
            _ => Err(error),
        }
    }
}

/// How long a stale token is used before the next login is tried.
const SERVES: Duration = Duration::from_secs(30);

/// Returns whether a failed login may succeed later by itself: trouble with the network or the service (any 5xx), too
/// many logins, or a proxy's page.
fn passes(error: &Error) -> bool {
    let passing = [ErrorKind::Network, ErrorKind::Server, ErrorKind::RateLimit, ErrorKind::Busy];
    passing.contains(&error.kind()) || error.is_page()
}

/// The code of the error that ends the search for a token. No caller sees it.
const FINAL: &str = "refuses_every_token";

fn is_final(error: &Error) -> bool {
    error.code() == Some(FINAL)
}
