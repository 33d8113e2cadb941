//! Real processes that start at the same moment.

use std::{
    ffi::OsString,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::plan::{Order, Plan, Report};

/// The environment of workers.
#[derive(Debug, Clone)]
pub struct Place {
    /// The program `worker`.
    pub program: PathBuf,
    /// The server.
    pub base_url: String,
    /// The API key.
    pub api_key: String,
    /// The cache directory.
    pub directory: PathBuf,
    /// The program that runs the worker, with its arguments, if there is one: `strace`, for example.
    pub wrapper: Vec<OsString>,
    /// Further variables.
    pub environment: Vec<(OsString, OsString)>,
    /// The worker's user, if it is not this one.
    #[cfg(unix)]
    pub user: Option<u32>,
}

impl Place {
    /// Returns a place with no wrapper and no further variables.
    pub fn new(
        program: impl Into<PathBuf>,
        base_url: impl Into<String>,
        api_key: impl Into<String>,
        directory: impl Into<PathBuf>,
    ) -> Self {
        Self {
            program: program.into(),
            base_url: base_url.into(),
            api_key: api_key.into(),
            directory: directory.into(),
            wrapper: Vec::new(),
            environment: Vec::new(),
            #[cfg(unix)]
            user: None,
        }
    }

    /// Returns a command that runs this program, in the wrapper, with the environment of a worker.
    pub fn command(&self) -> Command {
        let mut words = self.wrapper.iter().cloned().chain([self.program.clone().into_os_string()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COLONY_") {
                command.env_remove(name);
            }
        }
        command
            .env("COLONY_BASE_URL", &self.base_url)
            .env("COLONY_API_KEY", &self.api_key)
            .env("COLONY_SDK_TOKEN_CACHE_DIR", &self.directory)
            .env("NO_PROXY", "127.0.0.1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        #[cfg(unix)]
        if let Some(user) = self.user {
            std::os::unix::process::CommandExt::uid(&mut command, user);
        }
        command
    }
}

/// One worker.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Worker {
    /// Starts a process without waiting for it; [`ready`](Self::ready) waits.
    ///
    /// # Errors
    ///
    /// When the process cannot be started.
    pub fn start(place: &Place, plan: &Plan) -> io::Result<Self> {
        let mut child = place
            .command()
            .arg(serde_json::to_string(plan)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if plan.trace { Stdio::piped() } else { Stdio::inherit() })
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| missing("stdout"))?;
        Ok(Self {
            stdin: child.stdin.take(),
            stderr: child.stderr.take(),
            stdout: BufReader::new(stdout),
            child,
        })
    }

    /// Waits until the client is built.
    ///
    /// # Errors
    ///
    /// When the process ended instead.
    pub fn ready(&mut self) -> io::Result<()> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        if line == "ready\n" { Ok(()) } else { Err(io::Error::other(format!("not ready: {line:?}"))) }
    }

    /// Lets it make its calls.
    ///
    /// # Errors
    ///
    /// When the process has ended.
    pub fn go(&mut self) -> io::Result<()> {
        self.stdin.as_mut().ok_or_else(|| missing("stdin"))?.write_all(b"go\n")
    }

    /// Lets it make its calls as ordered.
    ///
    /// # Errors
    ///
    /// When the process has ended.
    pub fn order(&mut self, order: &Order) -> io::Result<()> {
        let line = serde_json::to_string(order)? + "\n";
        self.stdin.as_mut().ok_or_else(|| missing("stdin"))?.write_all(line.as_bytes())
    }

    /// Waits for its report. `None` if the process was killed.
    ///
    /// # Errors
    ///
    /// When the line cannot be read.
    pub fn report(&mut self) -> io::Result<Option<Report>> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        if line.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_str(&line)?)) }
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, with SIGKILL.
    ///
    /// # Errors
    ///
    /// When it cannot be signalled.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// Lets it end, and returns everything that it wrote to stderr (only with [`Plan::trace`]).
    ///
    /// # Errors
    ///
    /// When the stream cannot be read.
    pub fn end(mut self) -> io::Result<String> {
        self.stdin = None;
        let mut text = Vec::new();
        if let Some(mut stderr) = self.stderr.take() {
            stderr.read_to_end(&mut text)?;
        }
        self.child.wait()?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // After a failure half-way no worker may be left waiting. Killing one that has ended does nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Workers that start at the same moment.
#[derive(Debug)]
pub struct Crew(pub Vec<Worker>);

impl Crew {
    /// Starts processes and waits until each is ready to call.
    ///
    /// # Errors
    ///
    /// When one cannot be started.
    pub fn hire(place: &Place, count: usize, plan: impl Fn(usize) -> Plan) -> io::Result<Self> {
        let started: io::Result<Vec<_>> = (0..count).map(|n| Worker::start(place, &plan(n))).collect();
        let mut crew = Self(started?);
        for worker in &mut crew.0 {
            worker.ready()?;
        }
        Ok(crew)
    }

    /// Lets all make their calls at the same moment.
    ///
    /// # Errors
    ///
    /// When one has ended.
    pub fn go(&mut self) -> io::Result<()> {
        self.0.iter_mut().try_for_each(Worker::go)
    }

    /// Does the same as [`go`](Self::go), with an order.
    ///
    /// # Errors
    ///
    /// When one has ended.
    pub fn order(&mut self, order: &Order) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|worker| worker.order(order))
    }

    /// Waits for the workers' reports; killed workers have none.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub fn reports(&mut self) -> io::Result<Vec<Report>> {
        self.0.iter_mut().filter_map(|worker| worker.report().transpose()).collect()
    }
}

fn missing(stream: &str) -> io::Error {
    io::Error::other(format!("a worker has no {stream}"))
}
