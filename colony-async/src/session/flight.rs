//! Getting a token, once for all tasks of this process (see [`Gate`](crate::gate::Gate)).

use std::{
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
    Attempt, Held, Key, Patience, Refresh, Rejected, Seen, Session, events, no_key,
    store::{LockFile, Store},
};
use crate::{
    disk::{
        lock::FileLock,
        waiting::{Look, Waited, wait_for_lock},
    },
    time::unix,
};

/// What a token is wanted for.
#[derive(Clone)]
pub(super) enum Purpose {
    /// A token is needed that is fresh in this, and other than the rejected one.
    Want { need: Need, rejected: Option<Rejected> },
    /// A later one than the one that is held would be good to have.
    Renew(Arc<Held>),
}

impl Purpose {
    fn need(&self) -> Need {
        match self {
            Self::Want { need, .. } => *need,
            Self::Renew(_) => Need::AccessToken,
        }
    }

    fn rejected(&self) -> Option<&SecretString> {
        match self {
            Self::Want { rejected, .. } => rejected.as_ref().map(|rejected| &rejected.token),
            Self::Renew(held) => Some(&held.token),
        }
    }

    /// The operation that rejected the token.
    fn rejected_by(&self) -> Option<&Arc<str>> {
        match self {
            Self::Want { rejected, .. } => rejected.as_ref()?.by.as_ref(),
            Self::Renew(_) => None,
        }
    }
}

impl Session {
    /// Joins the attempt under way, or starts one.
    pub(super) async fn join_flight(
        self: &Arc<Self>,
        need: Need,
        rejected: Option<Rejected>,
    ) -> Result<Arc<Held>> {
        self.fly(Purpose::Want { need, rejected }).await
    }

    /// As [`join_flight`](Self::join_flight), to replace a token that is still good.
    pub(super) async fn replace(self: &Arc<Self>, held: Arc<Held>) -> Result<Arc<Held>> {
        self.fly(Purpose::Renew(held)).await
    }

    async fn fly(self: &Arc<Self>, purpose: Purpose) -> Result<Arc<Held>> {
        let work = || {
            let (session, purpose) = (Arc::clone(self), purpose.clone());
            async move {
                let (need, by) = (purpose.need(), purpose.rejected_by().cloned());
                Refresh { need, by, outcome: session.acquire(purpose).await }
            }
        };
        // An attempt may have begun before the token was rejected and bring that very token, or for less than is
        // needed here.
        let is_useless = |refresh: &Refresh| match (&purpose, &refresh.outcome) {
            (Purpose::Want { need, rejected }, Ok(held)) => {
                rejected.as_ref().is_some_and(|rejected| held.is(&rejected.token))
                    || !refresh.need.covers(*need) && !held.is_fresh(*need, self.now())
            }
            // It was given up for the sake of an operation that is not the caller's.
            (_, Err(error)) => is_final(error) && refresh.by.as_ref() != purpose.rejected_by(),
            _ => false,
        };
        let refresh = self.gate.share_unless(work, is_useless).await;
        refresh.map_or_else(|lost| Err(lost.into()), |refresh| refresh.outcome)
    }

    /// Gets a token: one that another caller has obtained, or a new one by logging in.
    async fn acquire(self: &Arc<Self>, purpose: Purpose) -> Result<Arc<Held>> {
        // Another attempt may have ended between the caller's look and the start of this one.
        if let Some(held) = self.in_memory(purpose.need(), purpose.rejected()) {
            return Ok(held);
        }
        if let Some(held) = self.serving(&purpose) {
            return Ok(held);
        }
        if let Some(seed) = self.take_seed() {
            self.keep(&seed);
            if let Some(held) = self.in_memory(purpose.need(), purpose.rejected()) {
                return Ok(held);
            }
        }
        let key = self.key()?;
        if key.secret.is_none() {
            return Err(no_key());
        }
        let mut stale =
            self.held.load_full().filter(|held| !purpose.rejected().is_some_and(|gone| held.is(gone)));
        if let Purpose::Renew(held) = &purpose {
            stale = Some(Arc::clone(held));
        }
        let outcome = match key.store.clone() {
            Some(store) => match self.look_without_lock(&store, &purpose) {
                Seen::Fresh(held) => Ok(held),
                seen => {
                    if let Seen::Stale(held) = seen {
                        stale = Some(held);
                    }
                    self.acquire_shared(&key, &store, &purpose, &mut stale).await
                }
            },
            None => {
                let patience = self.patience(stale.as_ref(), purpose.need());
                self.mint(&key, patience, None, None).await
            }
        };
        let outcome = outcome.or_else(|error| self.fall_back(stale, purpose.need(), error));
        match &outcome {
            // The key may have been replaced meanwhile; then this token is the old key's.
            Ok(held) if Arc::ptr_eq(&key, &self.key.load()) => self.keep(held),
            Ok(_) => {}
            // The token is not what is wrong.
            Err(error) if is_final(error) => {}
            Err(_) => self.drop_rejected(&purpose),
        }
        outcome
    }

    /// Forgets the token that the server rejected, since no other could be had: the next call would only
    /// be rejected with it again.
    fn drop_rejected(&self, purpose: &Purpose) {
        let Purpose::Want { rejected: Some(rejected), .. } = purpose else { return };
        let held = self.held.load();
        if held.as_ref().is_some_and(|held| held.is(&rejected.token)) {
            // Not if somebody else has put a good one in its place by now.
            self.held.compare_and_swap(&held, None);
        }
    }

    async fn acquire_shared(
        self: &Arc<Self>,
        key: &Arc<Key>,
        store: &Store,
        purpose: &Purpose,
        stale: &mut Option<Arc<Held>>,
    ) -> Result<Arc<Held>> {
        let mut noted = Noted { since: self.now(), before: None };
        // Those who stop waiting for the first lock do not arrive at the server together: they take the second.
        for which in [LockFile::First, LockFile::Second] {
            let look = |waited| match self.look(store, purpose, &mut noted, stale) {
                Err(error) => Look::Found(Err(error)),
                Ok(Some(held)) => {
                    events::adopted(waited, self.mint.audience());
                    Look::Found(Ok(held))
                }
                Ok(None) => Look::Patience(match self.patience(stale.as_ref(), purpose.need()) {
                    Patience::Full => self.settings.lock_timeout,
                    Patience::OneTry => self.settings.lock_timeout.min(self.mint.one_try()),
                }),
            };
            let (try_lock, announced) = (|| store.try_lock(which), || store.announcement(which));
            let waited = wait_for_lock(&*self.timer, try_lock, announced, look).await;
            let patience = self.patience(stale.as_ref(), purpose.need());
            match waited {
                Waited::Found(outcome) => return outcome,
                // The look was taken with the lock held: another process may have logged in meanwhile.
                Waited::Held(lock, waited) => {
                    events::waited(store, which, waited, true);
                    return self.mint(key, patience, Some(&lock), Some((store, purpose))).await;
                }
                Waited::Unavailable(error) => {
                    self.degraded("lock", "unavailable", &error);
                    break;
                }
                Waited::GaveUp(waited) => {
                    events::waited(store, which, waited, false);
                    if patience == Patience::OneTry {
                        return Err(Error::build(ErrorKind::Busy, "another process has the lock").finish());
                    }
                }
            }
        }
        let patience = self.patience(stale.as_ref(), purpose.need());
        self.mint(key, patience, None, Some((store, purpose))).await
    }

    /// Looks at the file alone.
    fn look_without_lock(&self, store: &Store, purpose: &Purpose) -> Seen {
        let seen = self.read_file(store, purpose.need(), purpose.rejected());
        self.learn_refusals(store);
        seen
    }

    /// Looks at the file and the note. A stale token is kept aside, a note's failure is an error.
    fn look(
        &self,
        store: &Store,
        purpose: &Purpose,
        noted: &mut Noted,
        stale: &mut Option<Arc<Held>>,
    ) -> Result<Option<Arc<Held>>> {
        match self.read_file(store, purpose.need(), purpose.rejected()) {
            Seen::Fresh(held) => return Ok(Some(held)),
            Seen::Stale(held) => *stale = Some(held),
            Seen::Nothing => {}
        }
        let note = store.read_note();
        // Told apart by what they say as well as by their dates, since a clock may be set meanwhile.
        let before = noted.before.get_or_insert_with(|| note.clone());
        if let Some(note) = &note {
            let is_new = note.is_failure() && before.as_ref() != Some(note);
            if (is_new || note.answers_waiter(noted.since, self.now())) && !self.mint.differs(note) {
                return Err(self.mint.noted(note, self.now()));
            }
        }
        let refusal = note.and_then(|note| self.cooling_down(&note));
        refusal.or_else(|| self.refuses_every_token(store, purpose)).map_or(Ok(None), Err)
    }

    /// Ends the search for a token where another process has learned that no token would serve.
    fn refuses_every_token(&self, store: &Store, purpose: &Purpose) -> Option<Error> {
        let (by, rejected) = (purpose.rejected_by()?, purpose.rejected()?);
        self.learn_refusals(store);
        self.refusals().stands(by, rejected, self.now()).then(|| {
            let message = format!("{by} refuses every token");
            Error::build(ErrorKind::Auth, message).code(FINAL).finish()
        })
    }

    /// The error of a cool-down that lasts.
    fn cooling_down(&self, note: &Note) -> Option<Error> {
        let now = self.now();
        let left = note.remaining(now).filter(|_| !self.settings.ignore_cool_down)?;
        events::cooling_down(left, self.mint.audience());
        Some(self.mint.noted(note, now))
    }

    /// How long a call is held up for a new token: not by a whole outage, where there is one that serves.
    fn patience(&self, stale: Option<&Arc<Held>>, need: Need) -> Patience {
        let serves = stale.is_some_and(|held| held.is_alive(need, self.now()));
        if serves { Patience::OneTry } else { Patience::Full }
    }

    /// Gets a token from the server and, with a store, shares what came of it.
    async fn mint(
        self: &Arc<Self>,
        key: &Key,
        patience: Patience,
        lock: Option<&FileLock>,
        shared: Option<(&Store, &Purpose)>,
    ) -> Result<Arc<Held>> {
        let Some(secret) = &key.secret else { return Err(no_key()) };
        {
            let own = self.note.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(error) = own.and_then(|note| self.cooling_down(&note)) {
                return Err(error);
            }
        }
        let started = self.now();
        let attempt = Attempt { timer: &*self.timer, patience, lock };
        let answer = self.mint.mint(secret, attempt).await;
        let now = unix(&*self.timer);
        let took = Duration::from_secs_f64((now - started).max(0.0));
        match answer {
            Ok(held) => {
                let held = Arc::new(held);
                events::minted(took, held.lifetime.stale_at - now, self.mint.audience());
                self.keep_note(None);
                let mut gone =
                    std::mem::take(&mut *self.given_up.lock().unwrap_or_else(PoisonError::into_inner));
                if let Some((store, purpose)) = shared {
                    gone.extend(purpose.rejected().cloned());
                    if let Some(by) = purpose.rejected_by() {
                        self.expect_refusal(store, by, &held);
                    }
                    self.save(store, &held, took, &gone);
                    if let Err(error) = store.remove_note() {
                        self.degraded("remove", "io", &error);
                    }
                }
                Ok(held)
            }
            Err(error) => {
                // One that stopped waiting for this process may have logged in meanwhile.
                if passes(&error)
                    && let Some((store, purpose)) = shared
                    && let Seen::Fresh(held) = self.read_file(store, purpose.need(), purpose.rejected())
                {
                    events::adopted(took, self.mint.audience());
                    return Ok(held);
                }
                if self.ask_key.is_some() && error.is_auth() {
                    // Asked again before the next login: the key may have been replaced.
                    self.key.store(Arc::new(Key { secret: None, store: None }));
                }
                self.share_refusal(&error, now, shared);
                Err(error)
            }
        }
    }

    /// Leaves a note for the others, and takes a rejected token out of their way.
    fn share_refusal(&self, error: &Error, now: f64, shared: Option<(&Store, &Purpose)>) {
        let note = self.mint.note(error, now);
        // The note beside the file is everybody's, so that a success or a person can end it for all. Only
        // where there is none, this client keeps a cool-down to itself.
        let own = note.clone().filter(|note| note.kind == NoteKind::CoolDown);
        let Some((store, purpose)) = shared else { return self.keep_note(own) };
        if let Purpose::Want { rejected: Some(rejected), .. } = purpose
            && let Err(error) = store.remove_if_holds(&rejected.token)
        {
            self.degraded("remove", "io", &error);
        }
        if let Some(note) = note
            && let Err(error) = store.write_note(&note)
        {
            self.degraded("write", "io", &error);
            self.keep_note(own);
        }
    }

    fn keep_note(&self, note: Option<Note>) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    /// A token with little time left is better than none, when the login failed for a passing reason. It
    /// serves for a while before a login is tried again, so that an outage does not hold up every call.
    fn fall_back(&self, stale: Option<Arc<Held>>, need: Need, error: Error) -> Result<Arc<Held>> {
        let now = self.now();
        match stale {
            Some(held) if passes(&error) && held.is_alive(need, now) => {
                events::stale_used(held.lifetime.dead_at - now, &error, self.mint.audience());
                let until = now + SERVES.as_secs_f64();
                *self.lock_serving() = Some(Serving { held: Arc::clone(&held), since: now, until });
                Ok(held)
            }
            _ => Err(error),
        }
    }

    /// The token that serves on after a login that failed, until the next one is tried.
    fn serving(&self, purpose: &Purpose) -> Option<Arc<Held>> {
        // Renewal ahead of time has pauses of its own, and a person who asks has a reason.
        let Purpose::Want { need, rejected } = purpose else { return None };
        let now = self.now();
        let mut slot = self.lock_serving();
        let Serving { held, since, until } = slot.as_ref()?;
        let is_gone =
            rejected.as_ref().is_some_and(|gone| held.is(&gone.token)) || self.is_given_up(&held.token);
        if is_gone || !(*since..*until).contains(&now) || !held.is_alive(*need, now) {
            *slot = None;
            return None;
        }
        Some(Arc::clone(held))
    }

    pub(super) fn lock_serving(&self) -> MutexGuard<'_, Option<Serving>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stale token that serves until a moment.
pub(super) struct Serving {
    held: Arc<Held>,
    since: f64,
    until: f64,
}

/// How long a stale token serves before the next login is tried.
const SERVES: Duration = Duration::from_secs(30);

/// Whether a login that failed so may succeed later without anybody's doing: the network, the service's own
/// trouble (any 5xx), too many logins, or a proxy's page.
fn passes(error: &Error) -> bool {
    let passing = [ErrorKind::Network, ErrorKind::Server, ErrorKind::RateLimit, ErrorKind::Busy];
    passing.contains(&error.kind()) || error.is_page()
}

/// The code of the error that ends the search for a token that would serve. No caller sees it.
const FINAL: &str = "refuses_every_token";

fn is_final(error: &Error) -> bool {
    error.code() == Some(FINAL)
}

/// What a caller knew of notes when it began to wait.
struct Noted {
    since: f64,
    /// The note that was there, if there was one, once that was looked at.
    before: Option<Option<Note>>,
}
