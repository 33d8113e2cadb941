//! The level of a fleet: hosts share a token over a Redis or Valkey server.
//!
//! A host uses this level when its file has no token. It reads; then it tries to get a *lease*, a key with a random
//! value that expires by itself, and reads again. The holder of the lease logs in, renews the lease in the meantime,
//! and stores the token. The others poll until the token or a note is there. A lease saves logins and protects
//! nothing: two holders are allowed, since a failover can lose it.
//!
//! **Trouble with the server never fails a call.** Connecting and the first look have a time budget. Without a reply
//! the host continues without the store, and this process does not try it again for a while (`circuit`). A connection
//! is opened for each attempt and closed at its end: attempts are rare, so there is no pool, and no connection that
//! has died unnoticed.

mod circuit;
pub mod engine;
mod redis;
mod sealed;
mod status;

use std::{sync::Arc, time::Duration};

use colony_core::{
    Error, ErrorKind, Result,
    token::{
        cooldown::{Note, NoteKind},
        freshness::unix_seconds,
        store_url::TokenStoreUrl,
    },
};
use futures_util::future::{BoxFuture, Either, select};
use secrecy::SecretString;

use self::{
    circuit::Circuit,
    engine::{Answer, Connection, EXTEND, Engine, REFUSE, RELEASE, SAVE, Trouble, TroubleKind},
    sealed::{Entry, Seal},
};
use super::{
    events,
    level::{Ask, By, Got, Level, Worth},
    mint::{Mint, Patience},
};
use crate::{
    time::{Stopwatch, Timer},
    token::{CachedToken, Format},
};

pub use status::TokenStoreStatus;

/// How long a lease lasts that is not renewed, and how often it is renewed.
const LEASE: Duration = Duration::from_secs(10);
const LENGTHEN: Duration = Duration::from_secs(3);
const LENGTHEN_AGAIN: Duration = Duration::from_secs(1);
/// How long a busy server is retried, and how often.
const BUSY: Duration = Duration::from_secs(2);
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// The first pause between looks, and the longest; pauses grow from one to the other.
const POLL_FIRST: Duration = Duration::from_millis(25);
const POLL_LAST: Duration = Duration::from_millis(500);
/// The longest pause of a waiting process whose store became unreachable, so that not all log in at once.
const SPREAD: Duration = Duration::from_secs(1);
/// How long the note of a failed login stays in the store.
const TOLD: Duration = Duration::from_secs(30);
/// The difference of two clocks above which a warning is logged, in seconds.
const SKEW: f64 = 60.0;
/// The version of the entries: part of every name, of the field `v`, and of the data that each entry is bound to.
/// Programs of two versions share nothing, so a rolling update costs one login and neither version overwrites the
/// other's entries.
const VERSION: u32 = 1;

/// The server of a fleet, as all sessions of a client share it.
pub(crate) struct Fleet {
    url: TokenStoreUrl,
    engine: Box<dyn Engine>,
    circuit: Arc<Circuit>,
    /// When a host without the server logs in although its token lives, as a random fraction of the token's remaining
    /// time, so that the hosts of a fleet do not all log in together.
    alone_at: f64,
    version: u32,
}

impl Fleet {
    /// Creates a fleet that shares the server with this address.
    pub(crate) fn new(url: TokenStoreUrl, timer: &dyn Timer) -> Self {
        let engine = Box::new(redis::Redis::new(url.clone()));
        let circuit = Circuit::of(&format!("{url} {:?} {}", url.user, url.prefix));
        Self { engine, circuit, alone_at: timer.random(), version: VERSION, url }
    }

    /// Creates a fleet that shares this server, for tests.
    pub(crate) fn with_engine(url: TokenStoreUrl, engine: Box<dyn Engine>, timer: &dyn Timer) -> Self {
        Self { engine, circuit: Arc::default(), alone_at: timer.random(), version: VERSION, url }
    }

    /// Returns this fleet with entries of another version, for tests.
    pub(crate) fn of_version(self, version: Option<u32>) -> Self {
        Self { version: version.unwrap_or(self.version), ..self }
    }

    /// Returns the level of one key's token.
    pub(super) fn level(self: &Arc<Self>, base_url: &str, key: &SecretString, mint: &dyn Mint) -> RedisStore {
        let (file, format) = mint.file(base_url, key);
        let key = mint.store_secret(key);
        RedisStore { fleet: Arc::clone(self), base_url: base_url.to_owned(), key, file, format }
    }

    /// Returns the time limit of each command after the first look: half of the budget, 250 ms by default.
    fn command_limit(&self) -> Duration {
        self.url.budget / 2
    }

    /// Opens a connection, unless the last trouble is too recent.
    async fn connect(&self, timer: &dyn Timer) -> Result<Box<dyn Connection>, Trouble> {
        if !self.circuit.lets_through(timer) {
            return Err(Trouble::new(TroubleKind::NotAsked, "the store was out of reach a moment ago"));
        }
        self.engine.connect(self.url.budget).await
    }

    /// Reports trouble, and keeps other callers from running into it.
    fn troubled(&self, trouble: &Trouble, timer: &dyn Timer) {
        if trouble.kind == TroubleKind::NotAsked {
            return;
        }
        let is_loud = self.circuit.open(trouble, timer);
        events::store_trouble(is_loud, &self.url, trouble);
    }
}

/// One token's place in the store.
pub(crate) struct RedisStore {
    fleet: Arc<Fleet>,
    base_url: String,
    key: SecretString,
    file: String,
    format: Format,
}

/// The result of a look at the store.
struct Look {
    lease: Lease,
    entry: Option<Entry>,
    note: Option<Note>,
}

/// The holder of the lease, who may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lease {
    Ours,
    Theirs,
    /// There can be none: the server accepts no writes.
    None,
}

impl RedisStore {
    fn seal(&self, file: &str) -> Seal {
        let Fleet { url, version, .. } = &*self.fleet;
        Seal::new(*version, &url.prefix, &url.zone, &self.base_url, file, &self.key)
    }

    async fn get_token(&self, ask: &mut Ask<'_>) -> Result<Got> {
        let seal = self.seal(&self.file);
        let Some(owner) = sealed::owner() else { return self.alone(ask, None).await };
        let timer = ask.attempt.timer;
        ask.attempt.announce(self.fleet.url.budget + BUSY);
        let mut visit =
            Visit { store: self, seal: &seal, owner, timer, connection: None, seen: Vec::new(), lock: false };
        match visit.first_look().await {
            Ok(look) => visit.wait(ask, look).await,
            Err(trouble) => {
                self.fleet.troubled(&trouble, timer);
                self.alone(ask, None).await
            }
        }
    }

    /// Continues without the store. A host whose token lives postpones its login, and one that `waited` lets others
    /// go first.
    async fn alone(&self, ask: &Ask<'_>, waited: Option<Duration>) -> Result<Got> {
        let (session, timer) = (ask.session, ask.attempt.timer);
        if let Some(waited) = waited {
            let pause = SPREAD.mul_f64(timer.random());
            ask.attempt.announce(pause);
            timer.sleep(pause).await;
            if let Some((token, true)) = session.key_file(ask.want) {
                return Ok(Got { token, by: By::File(waited) });
            }
        }
        if let Some(stale) = ask.stale.as_ref().filter(|_| ask.want.can_wait()) {
            // A moment in the second half of its remaining time.
            let (from, to) = (stale.lifetime.stale_at, stale.lifetime.dead_at - stale.lifetime.margin);
            let at = from + (to - from).max(0.0) * (0.5 + 0.5 * self.fleet.alone_at);
            if session.now() < at {
                let message = "the token store is out of reach, and the present token lives";
                return Err(Error::build(ErrorKind::Busy, message).finish());
            }
        }
        ask.log_in().await
    }
}

fn got(token: CachedToken, seconds: f64) -> Got {
    Got { token: Arc::new(token), by: By::Login(Duration::from_secs_f64(seconds.max(0.0))) }
}

impl Level for RedisStore {
    fn get<'a, 'b: 'a>(&'a self, ask: &'a mut Ask<'b>) -> BoxFuture<'a, Result<Got>> {
        Box::pin(self.get_token(ask))
    }

    fn longest(&self, lock_timeout: Duration) -> Duration {
        lock_timeout.saturating_add(self.fleet.url.budget + BUSY + SPREAD)
    }

    fn remove<'a>(&'a self, files: &'a [String]) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let timer = crate::time::SystemTimer;
            let own = [self.file.clone()];
            let files = if files.is_empty() { &own } else { files };
            if let Err(trouble) = self.remove_entries(files, &timer).await {
                self.fleet.troubled(&trouble, &timer);
            }
        })
    }
}

/// A connection to the server, for one attempt to get a token.
struct Visit<'a> {
    store: &'a RedisStore,
    seal: &'a Seal,
    /// The lease's value when this process holds it.
    owner: String,
    timer: &'a dyn Timer,
    connection: Option<Box<dyn Connection>>,
    /// The ids of tokens in the store that were found and not taken.
    seen: Vec<String>,
    /// Whether this process tried for the lease: it may hold it although no reply said so.
    lock: bool,
}

impl Visit<'_> {
    /// Connects and reads, all within the budget; a server that is only busy is retried for a while.
    async fn first_look(&mut self) -> Result<Look, Trouble> {
        let fleet = &self.store.fleet;
        let mut watch = Stopwatch::start(self.timer);
        let mut is_again = false;
        loop {
            let once = Stopwatch::start(self.timer);
            let outcome = match fleet.connect(self.timer).await {
                Ok(connection) => {
                    self.connection = Some(connection);
                    let left = fleet.url.budget.saturating_sub(once.elapsed());
                    self.look(false, left).await
                }
                Err(trouble) => Err(trouble),
            };
            match outcome {
                Err(trouble) if trouble.kind == TroubleKind::Busy && watch.elapsed() < BUSY => {
                    watch.sleep(BUSY_PAUSE.mul_f64(0.5 + self.timer.random())).await;
                }
                // The master has changed.
                Err(trouble) if trouble.kind == TroubleKind::ReadOnly && !is_again => is_again = true,
                Ok(look) => {
                    fleet.circuit.close();
                    return Ok(look);
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Tries for the lease, if wanted, then reads. In this order, so that a read with the lease held sees the state
    /// that the lease protects.
    async fn look(&mut self, for_lease: bool, limit: Duration) -> Result<Look, Trouble> {
        let word = |text: &str| text.as_bytes().to_vec();
        let mut commands = Vec::new();
        if for_lease {
            let millis = LEASE.as_millis().to_string();
            let lock = ["SET", &self.seal.lock, &self.owner, "NX", "PX", &millis];
            commands.push(lock.map(word).to_vec());
            self.lock = true;
        }
        commands.push(["HMGET", &self.seal.token, "v", "exp", "id", "data"].map(word).to_vec());
        commands.push(["GET", &self.seal.note].map(word).to_vec());
        commands.push(["PTTL", &self.seal.note].map(word).to_vec());
        commands.push(["PTTL", &self.seal.lock].map(word).to_vec());
        commands.push(vec![word("TIME")]);
        let expected = commands.len();
        let connection = self.connection.as_mut().ok_or_else(away)?;
        let mut answers =
            connection.pipeline(commands, limit).await.inspect_err(|_| self.connection = None)?;
        if answers.len() != expected {
            return Err(Trouble::new(TroubleKind::Wrong, "the server sent an unexpected reply"));
        }
        let lease = if for_lease { Some(answers.remove(0)) } else { None };
        // A refused read is trouble; a refused lease is not.
        for answer in &answers {
            if let Answer::Refused(trouble) = answer {
                return Err(trouble.clone());
            }
        }
        let lease = match lease {
            None => Lease::Theirs,
            Some(Answer::Bytes(_)) => Lease::Ours,
            Some(Answer::Refused(trouble)) if trouble.kind == TroubleKind::Full => {
                // Another host may have got the lease before.
                if answers[3].number().is_some_and(|left| left > 0) { Lease::Theirs } else { Lease::None }
            }
            Some(Answer::Refused(trouble)) => return Err(trouble),
            Some(_) => Lease::Theirs,
        };
        self.compare_clocks(answers[4].list());
        let text = |at: usize| {
            let bytes = answers[0].list().get(at)?.bytes()?;
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        };
        let data = answers[0].list().get(3).and_then(Answer::bytes);
        let entry = data.map(|data| Entry {
            exp: text(1).unwrap_or_default(),
            id: text(2).unwrap_or_default(),
            data: data.to_vec(),
        });
        let note = answers[1].bytes().and_then(|data| self.seal.open_note(data));
        // The writer's clock may be wrong, but the time left is right.
        let now = self.now();
        let note = note.map(|mut note| {
            if note.kind == NoteKind::CoolDown {
                let left = answers[2].number().map_or(0.0, |millis| millis.max(0) as f64 / 1000.0);
                note.until = now + left;
            }
            note
        });
        Ok(Look { lease, entry, note })
    }

    fn now(&self) -> f64 {
        unix_seconds(self.timer.now())
    }

    /// Reports a clock that is far from the server's, once in this process.
    fn compare_clocks(&self, time: &[Answer]) {
        static TOLD: std::sync::Once = std::sync::Once::new();
        let seconds = time.first().and_then(Answer::bytes);
        let seconds = seconds.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<f64>().ok());
        if let Some(seconds) = seconds
            && (self.now() - seconds).abs() > SKEW
        {
            TOLD.call_once(|| events::clock_skew(self.now() - seconds));
        }
    }

    /// Waits for another host's token, or logs in.
    async fn wait(&mut self, ask: &mut Ask<'_>, mut look: Look) -> Result<Got> {
        let (session, timer) = (ask.session, ask.attempt.timer);
        let (mut watch, mut pause) = (Stopwatch::start(timer), POLL_FIRST);
        let (mut is_first, note_before) = (true, look.note.clone());
        loop {
            let waited = watch.elapsed();
            if let Some(token) = self.take(ask, &look) {
                self.release(&look).await;
                return Ok(Got { token, by: By::Host(waited) });
            }
            if let Some(note) = &look.note {
                let is_answer = note.is_failure() && note_before.as_ref() != Some(note);
                if let Some(error) = session.answered_by(note, is_answer) {
                    self.release(&look).await;
                    return Err(error);
                }
            }
            let patience = match &ask.stale {
                Some(stale) if stale.is_alive(ask.want.need(), session.now()) => Patience::OneTry,
                _ => Patience::Full,
            };
            ask.attempt.patience = patience;
            match look.lease {
                Lease::Ours => return self.login(ask, true).await,
                Lease::None => return self.login(ask, false).await,
                Lease::Theirs if waited >= session.waits(patience, None) => {
                    if patience == Patience::OneTry {
                        return Err(Error::build(ErrorKind::Busy, "another host has the lease").finish());
                    }
                    return self.login(ask, false).await;
                }
                Lease::Theirs => {}
            }
            if !is_first {
                let sleep = pause.mul_f64(0.5 + timer.random());
                ask.attempt.announce(sleep + self.store.fleet.command_limit() + SPREAD);
                watch.sleep(sleep).await;
                pause = (pause * 2).min(POLL_LAST);
            }
            is_first = false;
            look = match self.look(true, self.store.fleet.command_limit()).await {
                Ok(look) => look,
                Err(trouble) => match self.again(&trouble).await {
                    Some(look) => look,
                    None => {
                        self.store.fleet.troubled(&trouble, timer);
                        return self.store.alone(ask, Some(watch.elapsed())).await;
                    }
                },
            };
        }
    }

    /// Looks again after trouble that may be over at once.
    async fn again(&mut self, trouble: &Trouble) -> Option<Look> {
        let may_help = matches!(trouble.kind, TroubleKind::Busy | TroubleKind::ReadOnly);
        if !may_help { None } else { self.first_look().await.ok() }
    }

    /// Returns the token found by a look, if it can be used.
    fn take(&mut self, ask: &mut Ask<'_>, look: &Look) -> Option<Arc<CachedToken>> {
        let entry = look.entry.as_ref()?;
        let record = self.seal.open(&self.store.format, entry);
        let reason = match record.map(|record| ask.session.judge(record, ask.want)) {
            Some(Worth::Fresh(token)) => return Some(token),
            Some(Worth::Stale(token)) => {
                ask.stale.get_or_insert(token);
                "stale"
            }
            Some(Worth::None(reason)) => reason,
            None => "unreadable",
        };
        events::store_miss(reason);
        if !self.seen.contains(&entry.id) {
            self.seen.push(entry.id.clone());
        }
        None
    }

    /// Logs in and stores the outcome. The lease is renewed in the meantime.
    async fn login(&mut self, ask: &Ask<'_>, has_lease: bool) -> Result<Got> {
        let session = ask.session;
        let started = session.now();
        let answer = {
            let mut login = Box::pin(ask.mint());
            let mut lasts = has_lease;
            let (mut watch, mut pause, mut lengthened) =
                (Stopwatch::start(self.timer), LENGTHEN, Duration::ZERO);
            loop {
                if !lasts {
                    break login.await;
                }
                match select(login, self.timer.sleep(pause)).await {
                    Either::Left((answer, _)) => break answer,
                    Either::Right(((), unfinished)) => login = unfinished,
                }
                watch.has_slept(pause);
                // The lease counts from when it was requested, not from the reply.
                let asked = watch.elapsed();
                match self.lengthen().await {
                    Ok(is_ours) => (lasts, pause, lengthened) = (is_ours, LENGTHEN, asked),
                    Err(_) => {
                        pause = LENGTHEN_AGAIN;
                        lasts = watch.elapsed() < lengthened + LEASE;
                    }
                }
            }
        };
        let seconds = session.now() - started;
        match answer {
            Ok(token) => {
                if let Err(trouble) = self.save(&token, seconds, &ask.gone).await {
                    self.store.fleet.troubled(&trouble, self.timer);
                }
                Ok(got(token, seconds))
            }
            Err(error) => {
                let note = session.mint.note(&error, session.now());
                // A login without a reply at this host may get one at another.
                let note = note.filter(|note| !matches!(note.kind, NoteKind::NoAnswer(_)));
                if let Err(trouble) = self.refuse(note.as_ref(), ask.want.other_than()).await {
                    self.store.fleet.troubled(&trouble, self.timer);
                }
                Err(error)
            }
        }
    }

    async fn lengthen(&mut self) -> Result<bool, Trouble> {
        let arguments = vec![self.owner.clone().into_bytes(), LEASE.as_millis().to_string().into_bytes()];
        let done = self.eval(EXTEND, vec![self.seal.lock.clone()], arguments).await?;
        Ok(done.number() == Some(1))
    }

    /// Stores a token, unless a later usable one is there, and releases the lease.
    async fn save(&mut self, token: &CachedToken, took: f64, gone: &[SecretString]) -> Result<(), Trouble> {
        let now = self.now();
        let left = ((token.lifetime.dead_at - now) * 1000.0).floor();
        let Some(entry) = self.seal.close(&self.store.format, token, now).filter(|_| left >= 1.0) else {
            return self.release_lease().await;
        };
        let version = self.store.fleet.version.to_string();
        let after = (token.lifetime.stale_at - took.max(0.0)).to_string();
        let mut arguments: Vec<Vec<u8>> =
            [&version, &entry.exp, &entry.id, &format!("{left:.0}"), &after, &self.owner]
                .map(|text| text.as_bytes().to_vec())
                .to_vec();
        arguments.push(entry.data);
        arguments.extend(gone.iter().map(|token| self.seal.id(token).into_bytes()));
        arguments.extend(self.seen.iter().map(|id| id.clone().into_bytes()));
        let keys = vec![self.seal.token.clone(), self.seal.note.clone(), self.seal.lock.clone()];
        match self.eval(SAVE, keys, arguments).await? {
            Answer::Number(1) => events::stored(),
            _ => events::store_overtaken(),
        }
        Ok(())
    }

    /// Leaves a note for the other hosts, removes a rejected token from the store, and releases the lease.
    async fn refuse(&mut self, note: Option<&Note>, rejected: Option<&SecretString>) -> Result<(), Trouble> {
        let (data, millis) = match note {
            Some(note) => {
                let left = note.remaining(self.now()).unwrap_or(TOLD);
                (self.seal.close_note(note).unwrap_or_default(), left.as_millis().max(1))
            }
            None => (Vec::new(), 0),
        };
        let mut arguments = vec![data, millis.to_string().into_bytes(), self.owner.clone().into_bytes()];
        arguments.extend(rejected.map(|token| self.seal.id(token).into_bytes()));
        let keys = vec![self.seal.token.clone(), self.seal.note.clone(), self.seal.lock.clone()];
        self.eval(REFUSE, keys, arguments).await.map(drop)
    }

    /// Releases a lease that came with a look whose result does not need it.
    async fn release(&mut self, look: &Look) {
        if look.lease == Lease::Ours
            && let Err(trouble) = self.release_lease().await
        {
            // It expires by itself.
            self.store.fleet.troubled(&trouble, self.timer);
        }
    }

    async fn release_lease(&mut self) -> Result<(), Trouble> {
        if !self.lock {
            return Ok(());
        }
        let arguments = vec![self.owner.clone().into_bytes()];
        self.eval(RELEASE, vec![self.seal.lock.clone()], arguments).await.map(drop)
    }

    /// Runs a script, on a new connection if the last one failed.
    async fn eval(
        &mut self,
        script: &'static str,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
    ) -> Result<Answer, Trouble> {
        let mut is_new = false;
        loop {
            if self.connection.is_none() {
                is_new = true;
                self.connection = Some(self.store.fleet.connect(self.timer).await?);
            }
            let connection = self.connection.as_mut().ok_or_else(away)?;
            let limit = self.store.fleet.command_limit();
            match connection.eval(script, keys.clone(), arguments.clone(), limit).await {
                Ok(Answer::Refused(trouble)) if trouble.kind == TroubleKind::ReadOnly && !is_new => {
                    self.connection = None;
                }
                Ok(Answer::Refused(trouble)) => return Err(trouble),
                Ok(answer) => return Ok(answer),
                Err(trouble) if is_new || trouble.kind != TroubleKind::Away => return Err(trouble),
                // The script may have run; running it twice is harmless.
                Err(_) => self.connection = None,
            }
        }
    }
}

fn away() -> Trouble {
    Trouble::new(TroubleKind::Away, "the connection is gone")
}

impl RedisStore {
    /// Removes the entries of these files' tokens.
    async fn remove_entries(&self, files: &[String], timer: &dyn Timer) -> Result<u64, Trouble> {
        let mut connection = self.fleet.connect(timer).await?;
        let commands = files.iter().map(|file| {
            let seal = self.seal(file);
            ["DEL", &seal.token, &seal.note].map(|word| word.as_bytes().to_vec()).to_vec()
        });
        let mut removed = 0;
        for answer in connection.pipeline(commands.collect(), self.fleet.command_limit()).await? {
            match answer {
                Answer::Refused(trouble) => return Err(trouble),
                answer => removed += u64::from(answer.number().is_some_and(|count| count > 0)),
            }
        }
        Ok(removed)
    }
}
