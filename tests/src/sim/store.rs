//! A simulated Redis server: its entries, the faults of calls, and failovers.
//!
//! The session's scripts are reimplemented here; the rows of fleets show that they do the same on a real server.

use std::{collections::BTreeMap, collections::BTreeSet, time::Duration};

use colony_async::token_store_engine::{
    Answer, Connection, EXTEND, Engine, REFUSE, RELEASE, SAVE, Trouble, TroubleKind,
};
use futures_util::future::{BoxFuture, FutureExt as _};

use super::world::{Pid, Sabotage, Shared, World};

/// The faults of a simulated store.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// The fault of the n-th call to the server.
    pub faults: BTreeMap<u64, Fault>,
    /// Before these calls the server fails over, and has only these entries left.
    pub failovers: BTreeMap<u64, Failover>,
    /// By how many seconds each process's clock is wrong; the last value is for all further processes.
    pub skew: Vec<f64>,
    /// By how many seconds the server's clock is wrong.
    pub server_skew: f64,
}

impl Fleet {
    /// Returns whether the server has no faults.
    pub(super) fn is_quiet(&self) -> bool {
        self.faults.is_empty() && self.failovers.is_empty()
    }

    pub(super) fn skew_of(&self, pid: Pid) -> f64 {
        self.skew.get(pid).or(self.skew.last()).copied().unwrap_or_default()
    }
}

/// The fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused at once.
    Refused,
    /// It is never executed, and its limit passes.
    Lost,
    /// It is executed, and the answer is lost.
    AnswerLost,
    /// Its limit passes, and it is executed three seconds later.
    Late,
}

/// The entries left after a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failover {
    /// None.
    Empty,
    /// All but the lease.
    NoLease,
    /// The state before the last change.
    Before,
}

/// The server's state.
#[derive(Debug, Clone, Default)]
pub(super) struct Store {
    held: Held,
    before: Held,
    /// Calls that arrive later.
    late: Vec<(f64, Call)>,
    pub(super) calls: u64,
    pub(super) faults: u64,
    pub(super) failovers: u64,
    /// Tokens that were overwritten or removed, although they were good and later.
    pub(super) saved: u64,
    /// The tokens of stored entries, by the names in the entries.
    tokens: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
struct Held {
    token: Option<(Entry, f64)>,
    note: Option<(Vec<u8>, f64)>,
    lock: Option<(Vec<u8>, f64)>,
}

#[derive(Debug, Clone)]
struct Entry {
    v: Vec<u8>,
    exp: String,
    id: String,
    data: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Call {
    Pipeline(Vec<Vec<Vec<u8>>>),
    Eval(&'static str, Vec<Vec<u8>>),
}

#[derive(Clone)]
pub(super) struct SimEngine {
    pub(super) shared: Shared,
    pub(super) pid: Pid,
}

struct SimConnection(SimEngine);

impl SimEngine {
    /// Makes one call, with its fault, and returns its answers.
    fn call(&self, what: &str, call: Option<&Call>, limit: Duration) -> Result<Vec<Answer>, Trouble> {
        let pid = self.pid;
        let gone = |_| Trouble::new(TroubleKind::Away, "the process was killed");
        let outcome = self.shared.step(pid, what, |world| {
            world.store.calls += 1;
            let number = world.store.calls;
            let fleet = world.scene.fleet.clone().unwrap_or_default();
            if let Some(failover) = fleet.failovers.get(&number) {
                world.store.failovers += 1;
                world.fail_over(*failover);
            }
            world.arrive();
            let fault = fleet.faults.get(&number).copied();
            world.store.faults += u64::from(fault.is_some());
            let mut answers = Vec::new();
            if matches!(fault, None | Some(Fault::AnswerLost)) {
                answers = call.map_or_else(Vec::new, |call| world.carry_out(call, Some(pid)));
            }
            if let (Some(Fault::Late), Some(call)) = (fault, call) {
                let at = world.now + 3.0;
                world.store.late.push((at, call.clone()));
            }
            fault.map_or(Ok(answers), Err)
        });
        match outcome.map_err(gone)? {
            Ok(answers) => Ok(answers),
            Err(Fault::Refused) => Err(Trouble::new(TroubleKind::Away, "refused")),
            Err(_) => {
                self.shared.sleep(pid, limit.as_secs_f64()).map_err(gone)?;
                Err(Trouble::new(TroubleKind::Away, "no answer"))
            }
        }
    }
}

impl Engine for SimEngine {
    fn connect(&self, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Connection>, Trouble>> {
        async move {
            self.call("connects", None, limit)?;
            Ok(Box::new(SimConnection(self.clone())) as Box<dyn Connection>)
        }
        .boxed()
    }
}

impl Connection for SimConnection {
    fn pipeline(
        &mut self,
        commands: Vec<Vec<Vec<u8>>>,
        limit: Duration,
    ) -> BoxFuture<'_, Result<Vec<Answer>, Trouble>> {
        async move { self.0.call("asks the store", Some(&Call::Pipeline(commands)), limit) }.boxed()
    }

    fn eval(
        &mut self,
        script: &'static str,
        _: Vec<String>,
        arguments: Vec<Vec<u8>>,
        limit: Duration,
    ) -> BoxFuture<'_, Result<Answer, Trouble>> {
        async move {
            let answers = self.0.call("runs a script", Some(&Call::Eval(script, arguments)), limit)?;
            Ok(answers.into_iter().next().unwrap_or(Answer::Nil))
        }
        .boxed()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl World {
    fn fail_over(&mut self, failover: Failover) {
        match failover {
            Failover::Empty => self.store.held = Held::default(),
            Failover::NoLease => self.store.held.lock = None,
            Failover::Before => self.store.held = self.store.before.clone(),
        }
    }

    /// Executes late calls, and removes expired entries.
    fn arrive(&mut self) {
        let now = self.now;
        let late = std::mem::take(&mut self.store.late);
        for (at, call) in late {
            if at <= now {
                // A time to live counts from then on.
                self.now = at;
                self.carry_out(&call, None);
                self.now = now;
            } else {
                self.store.late.push((at, call));
            }
        }
        let held = &mut self.store.held;
        held.token.take_if(|(_, end)| *end <= now);
        held.note.take_if(|(_, end)| *end <= now);
        held.lock.take_if(|(_, end)| *end <= now);
    }

    fn carry_out(&mut self, call: &Call, pid: Option<Pid>) -> Vec<Answer> {
        self.arrive_no_more();
        match call {
            Call::Pipeline(commands) => commands.iter().map(|words| self.command(words)).collect(),
            Call::Eval(script, arguments) => vec![self.script(script, arguments, pid)],
        }
    }

    fn arrive_no_more(&mut self) {
        self.store.before = self.store.held.clone();
    }

    fn command(&mut self, words: &[Vec<u8>]) -> Answer {
        let now = self.now;
        let word = |at: usize| words.get(at).map(|word| text(word)).unwrap_or_default();
        let bytes = |value: &[u8]| Answer::Bytes(value.to_vec());
        let left = |end: f64| Answer::Number(((end - now) * 1000.0) as i64);
        match word(0).as_str() {
            "SET" => {
                let gives_to_all = self.scene.sabotage == Some(Sabotage::LeaseForAll);
                if self.store.held.lock.is_some() && !gives_to_all {
                    return Answer::Nil;
                }
                let millis: f64 = word(5).parse().unwrap_or_default();
                self.store.held.lock = Some((words[2].clone(), now + millis / 1000.0));
                bytes(b"OK")
            }
            "HMGET" => match &self.store.held.token {
                None => Answer::List(vec![Answer::Nil; 4]),
                Some((entry, _)) => Answer::List(vec![
                    bytes(&entry.v),
                    bytes(entry.exp.as_bytes()),
                    bytes(entry.id.as_bytes()),
                    bytes(&entry.data),
                ]),
            },
            "GET" => self.store.held.note.as_ref().map_or(Answer::Nil, |(note, _)| bytes(note)),
            "PTTL" => {
                let held = &self.store.held;
                let end = if word(1).ends_with(":lock") {
                    held.lock.as_ref().map(|(_, end)| *end)
                } else {
                    held.note.as_ref().map(|(_, end)| *end)
                };
                end.map_or(Answer::Number(-2), left)
            }
            "TIME" => {
                let skew = self.scene.fleet.as_ref().map_or(0.0, |fleet| fleet.server_skew);
                let seconds = (now + skew) as i64;
                Answer::List(vec![bytes(seconds.to_string().as_bytes()), bytes(b"0")])
            }
            other => Answer::Refused(Trouble::of_reply(&format!("ERR unknown command {other}"))),
        }
    }

    fn script(&mut self, script: &str, arguments: &[Vec<u8>], pid: Option<Pid>) -> Answer {
        let now = self.now;
        let argument = |at: usize| arguments.get(at - 1).map(|it| text(it)).unwrap_or_default();
        let millis = |at: usize| argument(at).parse::<f64>().unwrap_or_default() / 1000.0;
        let is_ours = |held: &Held, at: usize| {
            held.lock.as_ref().is_some_and(|(owner, _)| Some(owner) == arguments.get(at - 1))
        };
        match script {
            EXTEND => {
                let is_ours = is_ours(&self.store.held, 1);
                if let Some((_, end)) = self.store.held.lock.as_mut().filter(|_| is_ours) {
                    *end = now + millis(2);
                }
                Answer::Number(is_ours.into())
            }
            RELEASE => {
                let is_ours = is_ours(&self.store.held, 1);
                if is_ours {
                    self.store.held.lock = None;
                }
                Answer::Number(is_ours.into())
            }
            SAVE => {
                let entry = Entry {
                    v: arguments[0].clone(),
                    exp: argument(2),
                    id: argument(3),
                    data: arguments[6].clone(),
                };
                let gone: BTreeSet<String> = (8..=arguments.len()).map(&argument).collect();
                let number = |text: &str| text.parse::<f64>().ok();
                let stays = self.store.held.token.as_ref().is_some_and(|(old, _)| {
                    !gone.contains(&old.id) && number(&old.exp) > number(&argument(5))
                });
                let stays = stays && self.scene.sabotage != Some(Sabotage::StoresOverLater);
                // A process that stores now stores the token of its last login.
                if let Some(token) = pid.and_then(|pid| self.logged_in.get(&pid).cloned()) {
                    self.store.tokens.insert(entry.id.clone(), token);
                }
                if !stays {
                    self.check_store_loss(&gone, number(&entry.exp), number(&argument(5)));
                    self.store.saved += 1;
                    self.store.held.token = Some((entry, now + millis(4)));
                }
                self.store.held.note = None;
                if is_ours(&self.store.held, 6) {
                    self.store.held.lock = None;
                }
                Answer::Number((!stays).into())
            }
            REFUSE => {
                if !arguments[0].is_empty() {
                    self.store.held.note = Some((arguments[0].clone(), now + millis(2)));
                }
                let rejected = argument(4);
                if self.store.held.token.as_ref().is_some_and(|(entry, _)| entry.id == rejected) {
                    let token = self.store.tokens.get(&rejected).cloned().unwrap_or_default();
                    if self.service.good.contains(&token) && self.scene.revocations.is_empty() {
                        self.breaks("a good token is removed from the store".to_owned());
                    }
                    self.store.held.token = None;
                }
                if is_ours(&self.store.held, 3) {
                    self.store.held.lock = None;
                }
                Answer::Number(1)
            }
            _ => Answer::Refused(Trouble::of_reply("ERR no such script")),
        }
    }

    /// Checks that a good token that goes stale later is not overwritten, unless its own process gave it up.
    fn check_store_loss(&mut self, gone: &BTreeSet<String>, exp: Option<f64>, after: Option<f64>) {
        let Some((old, _)) = &self.store.held.token else { return };
        let is_good = self.store.tokens.get(&old.id).is_some_and(|token| self.service.good.contains(token));
        let is_later = old.exp.parse::<f64>().ok() > exp && old.exp.parse::<f64>().ok() > after;
        if is_good && is_later && !gone.contains(&old.id) {
            self.breaks("a later good token in the store is replaced".to_owned());
        }
    }
}
