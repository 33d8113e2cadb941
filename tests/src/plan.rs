//! The orders of a worker, and its report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::subject::Subject;

/// A worker's orders: its only argument, as JSON. The key, the server and the directory come from the
/// environment, as for any program.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The kind of token to request.
    pub subject: Subject,
    /// Uses the blocking client.
    pub blocking: bool,
    /// The number of calls, one after the other, for each line on stdin.
    pub calls: u32,
    /// The time limit of one request.
    pub timeout_ms: Option<u64>,
    /// The limit of a login with all its tries.
    pub login_deadline_ms: Option<u64>,
    /// How long to wait for another process's login.
    pub lock_timeout_ms: Option<u64>,
    /// The first pause between the tries of a login.
    pub first_pause_ms: Option<u64>,
    /// Retries a failed login, as clients do by default.
    pub patient: bool,
    /// Logs in although a cool-down lasts.
    pub ignore_cool_down: bool,
    /// A two-factor code, given at each login.
    pub totp: Option<String>,
    /// Requests a token for this audience, instead of a call with the login's token.
    pub audience: Option<String>,
    /// The scopes of that request.
    pub scope: String,
    /// The version of the worker's entries in the store that hosts share, if it is not this build's.
    pub store_version: Option<u32>,
    /// Writes the complete log to stderr, and the `Debug` and `Display` forms of the worker's values.
    pub trace: bool,
    /// The process's umask, if it differs from the inherited one.
    pub umask: Option<u32>,
    /// The process ends itself after this many seconds in any case, so that no test waits for one that hangs.
    pub longest_life_s: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            subject: Subject::Login,
            blocking: false,
            calls: 1,
            timeout_ms: None,
            login_deadline_ms: None,
            lock_timeout_ms: None,
            first_pause_ms: None,
            patient: true,
            ignore_cool_down: false,
            totp: None,
            audience: None,
            scope: String::new(),
            store_version: None,
            trace: false,
            umask: None,
            longest_life_s: 120,
        }
    }
}

/// A line on a worker's stdin; the line `go` is the default one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// How many seconds the worker's clock is ahead of the system's from now on.
    pub skew_s: i64,
    /// Forgets the token before each call, so that it logs in.
    pub forget: bool,
    /// How long to keep making calls, beyond the number in the plan.
    pub during_ms: Option<u64>,
}

/// The result of the calls: one JSON line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The first call that failed.
    pub failure: Option<Failure>,
    /// The token held at the end, if every call succeeded; see [`digest`].
    pub token: Option<String>,
    /// How many calls were made.
    pub calls: u32,
    /// Events of level `WARN` so far.
    pub warnings: Vec<String>,
    /// How often the token session reported each event so far, by the event's name.
    pub events: BTreeMap<String, u64>,
    /// From the signal to the end of the last call.
    pub took_ms: u64,
}

/// An error as a worker reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Its kind's name.
    pub kind: String,
    /// The server's status.
    pub status: Option<u16>,
    /// The server's code.
    pub code: Option<String>,
    /// The time to wait, in seconds.
    pub retry_after: Option<f64>,
    /// Its `Display` form.
    pub message: String,
}

/// Identifies a token without revealing it.
pub fn digest(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
