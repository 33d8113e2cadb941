//! One way to a token, which all tasks of this process take together (see [`Gate`](crate::gate::Gate)).

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
    Held, Key, Landed, Passed, Patience, Rejected, Session, events, no_key, no_runtime, off_thread,
    store::Store,
};
use crate::{disk::lock::Attempt, gate::Unfinished, time::unix};

/// Why a flight sets out.
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

/// The first pauses between tries for the lock; they grow to the second.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(100);

impl Session {
    /// Joins the flight under way, or sets one out.
    pub(super) async fn join_flight(
        self: &Arc<Self>,
        need: Need,
        rejected: Option<Rejected>,
    ) -> Result<Arc<Held>> {
        self.fly(Purpose::Want { need, rejected }).await
    }

    /// As [`join_flight`](Self::join_flight), to renew a token that is still good.
    pub(super) async fn renew(self: &Arc<Self>, held: Arc<Held>) -> Result<Arc<Held>> {
        self.fly(Purpose::Renew(held)).await
    }

    async fn fly(self: &Arc<Self>, purpose: Purpose) -> Result<Arc<Held>> {
        let work = || {
            let (session, purpose) = (Arc::clone(self), purpose.clone());
            async move {
                let (need, by) = (purpose.need(), purpose.rejected_by().cloned());
                Landed { need, by, outcome: session.acquire(purpose).await }
            }
        };
        // A flight may have set out before the token was rejected and bring that very token, or for less than
        // is needed here.
        let is_useless = |landed: &Landed| match (&purpose, &landed.outcome) {
            (Purpose::Want { need, rejected }, Ok(held)) => {
                rejected.as_ref().is_some_and(|rejected| held.is(&rejected.token))
                    || !landed.need.covers(*need) && !held.is_fresh(*need, self.now())
            }
            // It was given up for the sake of an operation that is not the caller's.
            (_, Err(error)) => is_final(error) && landed.by.as_ref() != purpose.rejected_by(),
            _ => false,
        };
        let landed = self.gate.share_unless(work, is_useless).await;
        landed.map_or_else(|unfinished| Err(no_outcome(unfinished)), |landed| landed.outcome)
    }

    /// Gets a token: from whoever was first, or by logging in.
    async fn acquire(self: &Arc<Self>, purpose: Purpose) -> Result<Arc<Held>> {
        // Between the caller's look and the start of this flight another one may have landed.
        if let Some(held) = self.in_memory(purpose.need(), purpose.rejected()) {
            return Ok(held);
        }
        if let Some(held) = self.serving(&purpose) {
            return Ok(held);
        }
        let key = self.key.load_full();
        if key.secret.is_none() {
            return Err(no_key());
        }
        let mut stale =
            self.held.load_full().filter(|held| !purpose.rejected().is_some_and(|gone| held.is(gone)));
        if let Purpose::Renew(held) = &purpose {
            stale = Some(Arc::clone(held));
        }
        let outcome = match key.store.clone() {
            Some(store) => match self.look_without_lock(&store, &purpose).await {
                Some(Seen::Fresh(held)) => Ok(held),
                seen => {
                    if let Some(Seen::Stale(held)) = seen {
                        stale = Some(held);
                    }
                    self.acquire_shared(&key, store, &purpose, &mut stale).await
                }
            },
            None => {
                let patience = self.patience(stale.as_ref(), purpose.need());
                self.mint(&key, patience, None).await
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
        store: Store,
        purpose: &Purpose,
        stale: &mut Option<Arc<Held>>,
    ) -> Result<Arc<Held>> {
        let started = self.now();
        // Counted in what was slept, not read off the wall clock, which may be set meanwhile.
        let mut slept = Duration::ZERO;
        let mut pause = POLL_FIRST;
        loop {
            let look = self.look(&store, purpose, started).await;
            if let Some(Seen::Stale(held)) = look.seen {
                *stale = Some(held);
            } else if let Some(Seen::Fresh(held)) = look.seen {
                if !slept.is_zero() {
                    events::waited(&store, slept, true);
                }
                events::adopted(slept, self.mint.audience());
                return Ok(held);
            }
            if let Some(error) = look.refusal {
                return Err(error);
            }
            let patience = self.patience(stale.as_ref(), purpose.need());
            match look.attempt {
                Some(Attempt::Held(lock)) => {
                    if !slept.is_zero() {
                        events::waited(&store, slept, true);
                    }
                    // Here everybody else fails: what was true before the lock need not be true now, so the
                    // look above was taken with the lock held.
                    let outcome = self.mint(key, patience, Some((&store, purpose))).await;
                    off_thread(move || drop(lock)).await;
                    return outcome;
                }
                Some(Attempt::Unavailable(error)) => {
                    self.degraded("lock", "unavailable", &error);
                    return self.mint(key, patience, Some((&store, purpose))).await;
                }
                // The runtime is shutting down: nothing more can be done here.
                None => return Err(Error::build(ErrorKind::Busy, "the runtime is shutting down").finish()),
                Some(Attempt::Taken) => {}
            }
            let limit = self.mint.longest(patience);
            if slept >= limit {
                events::waited(&store, slept, false);
                if patience == Patience::OneTry {
                    return Err(Error::build(ErrorKind::Busy, "another process has the lock").finish());
                }
                return self.mint(key, patience, Some((&store, purpose))).await;
            }
            let sleep = pause.mul_f64(0.5 + self.timer.random()).min(limit - slept);
            self.timer.sleep(sleep).await;
            slept += sleep;
            pause = (pause * 2).min(POLL_LAST);
        }
    }

    /// Looks at the file alone.
    async fn look_without_lock(self: &Arc<Self>, store: &Store, purpose: &Purpose) -> Option<Seen> {
        let (session, store, purpose) = (Arc::clone(self), store.clone(), purpose.clone());
        let look = move || {
            let seen = session.seen(&store, &purpose);
            session.learn_refusals(&store);
            seen
        };
        off_thread(look).await?
    }

    fn seen(&self, store: &Store, purpose: &Purpose) -> Option<Seen> {
        match self.read_file(store, purpose.need(), purpose.rejected()) {
            Ok(held) => Some(Seen::Fresh(held)),
            Err(Passed::Stale(held)) => Some(Seen::Stale(held)),
            Err(Passed::Nothing) => None,
        }
    }

    /// Tries for the lock, then looks at the file and the note: in this order, so that with the lock held
    /// what is seen is the state that the lock protects.
    async fn look(self: &Arc<Self>, store: &Store, purpose: &Purpose, waiting_since: f64) -> Look {
        let (session, store, purpose) = (Arc::clone(self), store.clone(), purpose.clone());
        let looked = off_thread(move || {
            let attempt = store.try_lock();
            let seen = session.seen(&store, &purpose);
            let note = store.read_note();
            let refusal = note.and_then(|note| session.refusal(&note, waiting_since));
            let refusal = refusal.or_else(|| session.refuses_every_token(&store, &purpose));
            Look { attempt: Some(attempt), seen, refusal }
        })
        .await;
        looked.unwrap_or(Look { attempt: None, seen: None, refusal: None })
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

    /// The error a note stands for, as far as it concerns a caller who has waited since then.
    fn refusal(&self, note: &Note, waiting_since: f64) -> Option<Error> {
        let now = self.now();
        if note.answers_waiter(waiting_since) && !self.mint.differs(note) {
            return Some(self.mint.noted(note, now));
        }
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
        shared: Option<(&Store, &Purpose)>,
    ) -> Result<Arc<Held>> {
        let Some(secret) = &key.secret else { return Err(no_key()) };
        {
            let own = self.note.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(error) = own.and_then(|note| self.refusal(&note, f64::INFINITY)) {
                return Err(error);
            }
        }
        let started = self.now();
        let answer = self.mint.mint(secret, &*self.timer, patience).await;
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
                    let (session, store, minted) = (Arc::clone(self), store.clone(), Arc::clone(&held));
                    off_thread(move || {
                        session.save(&store, &minted, took, &gone);
                        if let Err(error) = store.remove_note() {
                            session.degraded("remove", "io", &error);
                        }
                    })
                    .await;
                }
                Ok(held)
            }
            Err(error) => {
                self.share_refusal(&error, now, shared).await;
                Err(error)
            }
        }
    }

    /// Leaves a note for the others, and takes a rejected token out of their way.
    async fn share_refusal(self: &Arc<Self>, error: &Error, now: f64, shared: Option<(&Store, &Purpose)>) {
        let note = self.mint.note(error, now);
        // The note beside the file is everybody's, so that a success or a person can end it for all. Only
        // where there is none, this client keeps a cool-down to itself.
        let own = note.clone().filter(|note| note.kind == NoteKind::CoolDown);
        let Some((store, purpose)) = shared else { return self.keep_note(own) };
        let rejected = match purpose {
            Purpose::Want { rejected, .. } => rejected.as_ref().map(|rejected| rejected.token.clone()),
            Purpose::Renew(_) => None,
        };
        let (session, store) = (Arc::clone(self), store.clone());
        off_thread(move || {
            if let Some(rejected) = rejected
                && let Err(error) = store.remove_if_holds(&rejected)
            {
                session.degraded("remove", "io", &error);
            }
            if let Some(note) = note
                && let Err(error) = store.write_note(&note)
            {
                session.degraded("write", "io", &error);
                session.keep_note(own);
            }
        })
        .await;
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

/// The error of a login whose task did not come to an end.
fn no_outcome(unfinished: Unfinished) -> Error {
    match unfinished {
        Unfinished::Panicked => {
            Error::build(ErrorKind::Config, "the login panicked; its message is on stderr")
                .hint("Mend the function given to `totp_with`, or the timer")
                .finish()
        }
        Unfinished::Stopped => {
            Error::build(ErrorKind::Busy, "the runtime was shut down during the login").finish()
        }
        Unfinished::NoRuntime => no_runtime(),
    }
}

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

/// What one look at the shared state found.
struct Look {
    attempt: Option<Attempt>,
    seen: Option<Seen>,
    refusal: Option<Error>,
}

enum Seen {
    Fresh(Arc<Held>),
    Stale(Arc<Held>),
}
