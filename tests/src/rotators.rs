//! Real processes that share one rotating credential; each is the program `rotator`.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::plan::Failure;

/// A rotator's orders: its only argument, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    /// The provider.
    pub issuer: String,
    /// The client.
    pub client_id: String,
    /// The directory of the store.
    pub directory: PathBuf,
    /// Rotates until it has itself done so this often; for ever without.
    pub rotations: Option<u32>,
    /// Goes on after a failure, until it is killed.
    pub undaunted: bool,
    /// Uses the blocking facade.
    pub blocking: bool,
    /// Wants a token once, and asks again while it is told to wait; instead of rotating.
    #[serde(default)]
    pub one_token: Option<OneToken>,
}

/// How one token is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OneToken {
    /// The limit of a request, and how long an unknown outcome is left alone.
    pub limit: Duration,
    /// See `limit`.
    pub settle: Duration,
    /// The pause between two looks.
    pub pause: Duration,
    /// The client's secret; with it the provider is asked by introspection too.
    pub secret: Option<String>,
    /// By how many seconds the process's wall clock is wrong.
    pub wrong: f64,
    /// Whether it asks once only.
    pub once: bool,
    /// Whether a token of unknown outcome is never presented again.
    pub refuse: bool,
}

/// What came of it: one JSON line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Rotated {
    /// The rotations that this process made.
    pub own: u32,
    /// Those it adopted.
    pub adopted: u32,
    /// How often it was told to wait.
    pub busy: u32,
    /// What ended it early.
    pub failure: Option<Failure>,
}

/// A process that rotates.
#[derive(Debug)]
pub struct Rotator {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Rotator {
    /// Starts one; it waits for [`go`](Self::go).
    ///
    /// # Errors
    ///
    /// When there can be no process.
    pub fn start(program: &Path, orders: &Orders) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(serde_json::to_string(orders)?)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no stdout"))?;
        Ok(Self { stdin: child.stdin.take(), stdout: BufReader::new(stdout), child })
    }

    /// Waits until it has started.
    ///
    /// # Errors
    ///
    /// When it ended instead.
    pub fn ready(&mut self) -> io::Result<()> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        if line == "ready\n" { Ok(()) } else { Err(io::Error::other(format!("not ready: {line:?}"))) }
    }

    /// Lets it begin.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn go(&mut self) -> io::Result<()> {
        self.stdin.as_mut().ok_or_else(|| io::Error::other("no stdin"))?.write_all(b"go\n")
    }

    /// Waits for its report; `None` when it was killed.
    ///
    /// # Errors
    ///
    /// When the line cannot be read.
    pub fn report(&mut self) -> io::Result<Option<Rotated>> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        if line.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_str(&line)?)) }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGKILL, and says whether it was still running.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> io::Result<bool> {
        let was_running = self.child.try_wait()?.is_none();
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(was_running)
    }
}

impl Drop for Rotator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
