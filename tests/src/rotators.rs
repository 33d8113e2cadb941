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
    /// How many rotations it makes itself before it ends; unlimited if absent.
    pub rotations: Option<u32>,
    /// Continues after a failure, until it is killed.
    pub undaunted: bool,
    /// Uses the blocking facade.
    pub blocking: bool,
    /// Requests one token, and asks again while it has to wait, instead of rotating.
    #[serde(default)]
    pub one_token: Option<OneToken>,
}

/// The settings of a request for one token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OneToken {
    /// The limit of a request, and how long a token with an unknown outcome is not presented.
    pub limit: Duration,
    /// See `limit`.
    pub settle: Duration,
    /// The pause between two attempts.
    pub pause: Duration,
    /// The client's secret; with it the process also asks the provider by introspection.
    pub secret: Option<String>,
    /// By how many seconds the process's wall clock is wrong.
    pub wrong: f64,
    /// Whether it asks once only.
    pub once: bool,
    /// Whether a token of unknown outcome is never presented again.
    pub refuse: bool,
}

/// The result: one JSON line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Rotated {
    /// The rotations that this process made.
    pub own: u32,
    /// Those it adopted.
    pub adopted: u32,
    /// How often it had to wait.
    pub busy: u32,
    /// The failure that ended it early.
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
    /// Starts a process, which waits for [`go`](Self::go).
    ///
    /// # Errors
    ///
    /// When the process cannot be started.
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

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGKILL, and returns whether it was still running.
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
