//! The operations that the session needs of a Redis server, and no others, so that tests can play one.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;

/// A server.
pub trait Engine: Send + Sync + 'static {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// The reason why no connection was made within `limit`.
    fn connect(&self, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Connection>, Trouble>>;
}

/// A connection. Dropping it closes it.
pub trait Connection: Send {
    /// Runs commands in order, even if some fail, and returns their replies.
    ///
    /// # Errors
    ///
    /// When not all replies arrived within `limit`. Commands that were sent may have been run, or still will be.
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

/// The reply to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// No value exists, or nothing was done.
    Nil,
    /// A number.
    Number(i64),
    /// Text or bytes; `OK`.
    Bytes(Vec<u8>),
    /// A list of replies.
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

/// The reason why a server cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The kind of remedy.
    pub kind: TroubleKind,
    /// The message of the server or the system.
    pub why: String,
}

/// The remedy for a [`Trouble`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TroubleKind {
    /// Waiting: the server is unreachable.
    Away,
    /// Retrying soon: the server is busy.
    Busy,
    /// A person: a wrong password, missing rights, a wrong certificate.
    Wrong,
    /// Locating the master again.
    ReadOnly,
    /// None: the server is full. Its data can still be read.
    Full,
    /// None: the server was not tried, since it was unreachable a moment ago.
    NotAsked,
}

impl Trouble {
    /// Creates a trouble of this kind.
    pub fn new(kind: TroubleKind, why: impl fmt::Display) -> Self {
        Self { kind, why: why.to_string() }
    }

    /// Interprets an error reply of the server.
    pub fn of_reply(text: &str) -> Self {
        let code = text.split(' ').next().unwrap_or_default();
        let kind = match code {
            "LOADING" | "BUSY" | "MASTERDOWN" | "TRYAGAIN" | "CLUSTERDOWN" => TroubleKind::Busy,
            _ if text.contains("max number of clients") => TroubleKind::Busy,
            "READONLY" => TroubleKind::ReadOnly,
            "OOM" | "MISCONF" | "NOREPLICAS" => TroubleKind::Full,
            _ => TroubleKind::Wrong,
        };
        // The part of a command that a server repeats can contain data that was sent.
        let why: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
        Self::new(kind, why)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Renews the lease, if this process holds it.
pub const EXTEND: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";

/// Releases the lease, if this process holds it.
pub const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// Stores a token, but not over one that is stale later than `after`, unless that one is among the discarded ones or
/// its entry is invalid. Removes the note, and releases the lease if this process holds it.
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

/// Leaves a note, if there is one; removes the token if it is the rejected one; and releases the lease if this
/// process holds it.
pub const REFUSE: &str = "
if ARGV[1] ~= '' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
if ARGV[4] and redis.call('HGET', KEYS[1], 'id') == ARGV[4] then redis.call('DEL', KEYS[1]) end
if redis.call('GET', KEYS[3]) == ARGV[3] then redis.call('DEL', KEYS[3]) end
return 1";
