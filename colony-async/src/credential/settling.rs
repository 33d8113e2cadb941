//! Decides whether a token whose last request has no known outcome may be presented again.
//!
//! It may not while that request can still be on its way, whatever introspection says: "active" says nothing about a
//! request that the provider has not acted on yet. "Inactive" settles the question at once. When the request is over
//! and the access token has expired, the token is presented *once more*: not presenting it would lose the login in
//! every case, and presenting it saves the login if the provider had not acted.

use std::time::Duration;

use colony_core::{
    Result,
    credential::{
        Credential,
        document::Stored,
        grant::{self, TokenRequest},
        spending::{Outlook, Spending, State},
    },
};

use super::{
    events,
    failure::Failure,
    memory::Memory,
    settings::{Settings, Unclear},
};
use crate::disk::lock::Lock;

/// How often, in seconds, the provider is queried by introspection while a token is not used.
const ASK_AGAIN: f64 = 30.0;

/// The decision about a token that has a note.
pub(super) struct Case<'a> {
    pub(super) settings: &'a Settings,
    pub(super) memory: &'a Memory,
    pub(super) lock: &'a Lock,
    pub(super) stored: &'a Stored,
    pub(super) note: &'a Spending,
    /// Whether a person or program explicitly requested the refresh.
    pub(super) is_asked: bool,
    /// How long the access token still serves the purpose.
    pub(super) alive: Option<Duration>,
}

impl Case<'_> {
    /// Decides whether the token may be presented now.
    ///
    /// # Errors
    ///
    /// The reason why not.
    pub(super) async fn may_present(&self) -> Result<(), Failure> {
        let Self { settings, note, .. } = self;
        match note.state {
            State::Refused => return Err(Failure::refused_before()),
            State::Declined => {
                let left = note.declined_for(&settings.uptime()).filter(|_| !self.is_asked);
                return left.map_or(Ok(()), |left| Err(Failure::declined_before(left)));
            }
            _ => {}
        }
        if settings.unclear == Unclear::Refuse {
            self.report("refused");
            return Err(Failure::interrupted(None));
        }
        let left = match note.outlook(settings.settle, &settings.uptime()) {
            Outlook::Settled => None,
            Outlook::Wait(left) => Some(left),
            // This reader counts from now on, and so does every later one.
            _ => {
                let mut seen = self.stored.clone();
                seen.spending = Some((*note).clone().seen_at(settings.uptime()));
                let written = settings.store.files.write(self.lock, &seen);
                written.map_err(|error| Failure::passing("not_writable", error))?;
                Some(note.wait(settings.settle))
            }
        };
        let spared = self.alive.filter(|_| left.is_none() && !self.is_asked);
        // The last moment always queries the provider: if it has acted, it reports that, and the token is not
        // presented.
        let at_last = left.is_none() && spared.is_none();
        if self.is_known_to_be_spent(at_last).await {
            self.report("spent");
            mark(settings, self.lock, self.stored, (*note).clone().refused());
            return Err(Failure::spent());
        }
        if let Some(left) = left {
            self.report("waiting");
            return Err(Failure::unsettled(left));
        }
        if let Some(left) = spared {
            return Err(Failure::spared(left));
        }
        self.report("presented");
        Ok(())
    }

    /// Returns whether the provider reports that the token is no longer valid. Any other reply, or none, changes
    /// nothing.
    async fn is_known_to_be_spent(&self, at_last: bool) -> bool {
        let Self { settings, memory, note, .. } = self;
        let Some(endpoint) = &settings.introspection else { return false };
        let now = settings.uptime();
        let recently = memory.unwritten().introspected.as_ref().is_some_and(|(attempt, asked)| {
            *attempt == note.attempt && now.since(asked).is_some_and(|passed| passed < ASK_AGAIN)
        });
        if recently && !at_last {
            return false;
        }
        memory.unwritten().introspected = Some((note.attempt.clone(), now));
        introspect(settings, &self.stored.credential, endpoint).await.is_ok_and(|active| !active)
    }

    fn report(&self, settled: &'static str) {
        let age = self.settings.now() - self.note.since;
        events::interrupted(&self.settings.store.file(), age, settled);
    }
}

/// Writes another note about the token. If that fails, the previous one stays, which forbids at least as much.
pub(super) fn mark(settings: &Settings, lock: &Lock, stored: &Stored, note: Spending) {
    let mut marked = stored.clone();
    marked.spending = Some(note);
    let _ = settings.store.files.write(lock, &marked);
}

async fn introspect(settings: &Settings, credential: &Credential, endpoint: &str) -> Result<bool> {
    let Some(request) = TokenRequest::introspection(credential, endpoint, &settings.auth)? else {
        return Ok(false);
    };
    let answered = settings.line(endpoint)?.send(&request).await?;
    grant::read_introspection(answered.status, &answered.body)
}
