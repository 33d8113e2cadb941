//! What the session needs of a Redis server, and nothing more: so that tests can play one.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;

/// A server.
pub trait Engine: Send + Sync + 'static {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// Why there is none within this time.
    fn connect(&self, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Connection>, Trouble>>;
}

/// A connection. Dropping it closes it.
pub trait Connection: Send {
    /// Carries out commands, one after the other whatever comes of each, and gives their answers.
    ///
    /// # Errors
    ///
    /// When they did not all come within this time. What was sent may have been carried out, or will be.
    fn pipeline(
        &mut self,
        commands: Vec<Vec<Vec<u8>>>,
        limit: Duration,
    ) -> BoxFuture<'_, Result<Vec<Answer>, Trouble>>;

    /// Runs a script.
    ///
    /// # Errors
    ///
    /// As [`pipeline`](Self::pipeline).
    fn eval(
        &mut self,
        script: &'static str,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
        limit: Duration,
    ) -> BoxFuture<'_, Result<Answer, Trouble>>;
}

/// What a command was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Nothing is there, or nothing was done.
    Nil,
    /// A number.
    Number(i64),
    /// Text or bytes; `OK`.
    Bytes(Vec<u8>),
    /// Several.
    List(Vec<Answer>),
    /// The server refused the command.
    Refused(Trouble),
}

impl Answer {
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(super) fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn list(&self) -> &[Answer] {
        if let Self::List(list) = self { list } else { &[] }
    }
}

/// Why a server is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What may help.
    pub kind: TroubleKind,
    /// What the server or the system says.
    pub why: String,
}

/// What may help against a [`Trouble`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TroubleKind {
    /// Waiting: it is out of reach.
    Away,
    /// Asking again soon: it has too much to do.
    Busy,
    /// A person: a wrong password, missing rights, a wrong certificate.
    Wrong,
    /// Asking for the master again.
    ReadOnly,
    /// It takes nothing more in; what is there can be read.
    Full,
    /// Nothing: it was not asked, since it was out of reach a moment ago.
    NotAsked,
}

impl Trouble {
    /// A trouble of this kind.
    pub fn new(kind: TroubleKind, why: impl fmt::Display) -> Self {
        Self { kind, why: why.to_string() }
    }

    /// What a server's error means.
    pub fn of_reply(text: &str) -> Self {
        let code = text.split(' ').next().unwrap_or_default();
        let kind = match code {
            "LOADING" | "BUSY" | "MASTERDOWN" | "TRYAGAIN" | "CLUSTERDOWN" => TroubleKind::Busy,
            _ if text.contains("max number of clients") => TroubleKind::Busy,
            "READONLY" => TroubleKind::ReadOnly,
            "OOM" | "MISCONF" | "NOREPLICAS" => TroubleKind::Full,
            _ => TroubleKind::Wrong,
        };
        // What a server repeats of a command may hold what was sent.
        let why: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
        Self::new(kind, why)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Lengthens the lease, if it is ours.
pub const EXTEND: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";

/// Gives the lease up, if it is ours.
pub const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// Stores a token: not over one that is stale later than `after`, unless that one is among those that are gone or its
/// entry is no entry. Removes the note, and gives the lease up if it is ours.
pub const SAVE: &str = "
local found = redis.pcall('HMGET', KEYS[1], 'exp', 'id')
local stays = false
if not found.err and found[1] then
  local exp = tonumber(found[1])
  stays = exp ~= nil and exp > tonumber(ARGV[5])
  for at = 8, #ARGV do
    if found[2] == ARGV[at] then stays = false end
  end
end
if not stays then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'v', ARGV[1], 'exp', ARGV[2], 'id', ARGV[3], 'data', ARGV[7])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
redis.call('DEL', KEYS[2])
if redis.call('GET', KEYS[3]) == ARGV[6] then redis.call('DEL', KEYS[3]) end
return stays and 0 or 1";

/// Leaves a note, where there is one to leave; removes the token if it is the rejected one; and gives the lease up if it
/// is ours.
pub const REFUSE: &str = "
if ARGV[1] ~= '' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
if ARGV[4] and redis.call('HGET', KEYS[1], 'id') == ARGV[4] then redis.call('DEL', KEYS[1]) end
if redis.call('GET', KEYS[3]) == ARGV[3] then redis.call('DEL', KEYS[3]) end
return 1";
