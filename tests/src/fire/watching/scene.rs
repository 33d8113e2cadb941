//! The scene of watches: a sandbox, a separate home directory, and another account that raises events.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use colony_async::time::Timer;
use colony_cli::sandbox::{Options, Sandbox};
use colony_core::events::Watch;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::{Ground, scene::eventually};

type Failed = Box<dyn std::error::Error>;

/// The kinds of events that the sandbox raises.
pub(super) const KINDS: [&str; 4] = ["mention", "message", "post", "comment"];

pub(super) struct Scene {
    pub(super) sandbox: Sandbox,
    pub(super) home: TempDir,
    program: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    pub(super) fn new(ground: &Ground, options: Options) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let sandbox = runtime.block_on(Sandbox::start(options))?;
        let home = tempfile::Builder::new().prefix("colony-").tempdir()?;
        Ok(Self { sandbox, home, program: ground.program.clone(), runtime })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Returns a client's builder, without a token file.
    pub(super) fn builder(&self) -> colony_async::Builder {
        let base = self.sandbox.base_url();
        colony_async::Client::builder(self.sandbox.api_key()).base_url(base).cache_token(false)
    }

    /// Runs async code with a client.
    pub(super) fn with_client<T, F: Future<Output = colony_core::Result<T>>>(
        &self,
        work: impl FnOnce(colony_async::Client) -> F,
    ) -> Result<T, Failed> {
        let client = self.builder().build()?;
        Ok(self.runtime.block_on(work(client))?)
    }

    /// Returns a command that runs `colony` with these arguments.
    pub(super) fn colony(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        std::os::unix::process::CommandExt::arg0(&mut command, "colony");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home.path());
        command.env("COLONY_SDK_TOKEN_CACHE_DIR", self.path("tokens")).env("NO_PROXY", "127.0.0.1");
        command.env("COLONY_BASE_URL", self.sandbox.base_url()).env("COLONY_API_KEY", self.sandbox.api_key());
        command.stdin(Stdio::null()).current_dir(self.home.path()).args(arguments);
        command
    }

    pub(super) fn watch(&self, arguments: &[&str]) -> io::Result<Output> {
        self.watching(arguments).output()
    }

    pub(super) fn start(&self, arguments: &[&str]) -> io::Result<Child> {
        self.watching(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }

    fn watching(&self, arguments: &[&str]) -> Command {
        let mut command = self.colony(&["watch", "--interval", "100ms..200ms"]);
        command.args(arguments);
        command
    }

    /// Begins a watch of the program, from now on.
    pub(super) fn begin(&self) -> Result<(), Failed> {
        let begun = self.watch(&["--once", "--json"])?;
        let is_good = begun.status.success() && begun.stdout.is_empty();
        if is_good { Ok(()) } else { Err(format!("the first watch: {begun:?}").into()) }
    }

    /// Lets another account raise `count` events. Returns their ids.
    pub(super) fn happens(&self, kind: &str, count: usize) -> Result<Vec<String>, Failed> {
        self.happens_so(&json!({"kind": kind, "count": count}))
    }

    pub(super) fn happens_so(&self, event: &Value) -> Result<Vec<String>, Failed> {
        let reply = self.ask("POST", "/_control/event", "", &event.to_string())?;
        let ids = reply["ids"].as_array().ok_or_else(|| format!("the sandbox says {reply}"))?;
        Ok(ids.iter().filter_map(|id| Some(id.as_str()?.to_owned())).collect())
    }

    /// Sends a raw request.
    pub(super) fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Result<Value, Failed> {
        let site = self.sandbox.site();
        let host = site.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        let from = reply.find(['{', '[']).ok_or("an answer without JSON")?;
        let to = reply.rfind(['}', ']']).ok_or("an answer without JSON")?;
        Ok(serde_json::from_str(&reply[from..=to])?)
    }

    pub(super) fn token(&self) -> Result<String, Failed> {
        let body = json!({"api_key": self.sandbox.api_key()}).to_string();
        let reply = self.ask("POST", "/api/v1/auth/token", "", &body)?;
        Ok(reply["access_token"].as_str().ok_or("no token")?.to_owned())
    }

    /// Returns how often each event's id, without its kind, is in the log.
    pub(super) fn log(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(self.path("log")).unwrap_or_default().lines() {
            *counts.entry(line.rsplit(':').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        counts
    }

    /// Polls until the condition holds.
    pub(super) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) -> Result<(), Failed> {
        let is_so = eventually(Duration::from_secs(120), || is_so(self));
        if is_so { Ok(()) } else { Err(format!("{what}: that does not come about").into()) }
    }

    /// Returns how often a route was called.
    pub(super) fn asked(&self, route: &str) -> u64 {
        self.sandbox.stats().total(route)
    }

    /// Lets a client watch events until it is stopped.
    pub(super) fn listen(&self, blocking: bool, watch: Watch, timer: impl Timer) -> Result<Listener, Failed> {
        let (base, key) = (self.sandbox.base_url(), self.sandbox.api_key().to_owned());
        let (said, heard) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        let work = move || {
            if blocking {
                let client = colony_blocking::Client::builder(key).base_url(base).cache_token(false);
                let client = client.timer(timer).build().map_err(|error| error.to_string())?;
                let mut events = client.events().watch(watch);
                let _ = ready.send(events.stopper());
                while let Some(received) = events.try_next().map_err(|error| error.to_string())? {
                    let _ = said.send((received.id().to_string(), Instant::now()));
                    received.done();
                }
                return Ok(());
            }
            let runtime = super::super::scene::runtime().map_err(|error| error.to_string())?;
            runtime.block_on(async {
                let client = colony_async::Client::builder(key).base_url(base).cache_token(false);
                let client = client.timer(timer).build().map_err(|error| error.to_string())?;
                let mut events = client.events().watch(watch);
                let _ = ready.send(events.stopper());
                while let Some(received) = events.try_next().await.map_err(|error| error.to_string())? {
                    let _ = said.send((received.id().to_string(), Instant::now()));
                    received.done();
                }
                Ok(())
            })
        };
        let thread = std::thread::spawn(work);
        Ok(Listener { heard, stopper: started.recv()?, thread })
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
    }
}

/// A watch in a thread of this process.
pub(super) struct Listener {
    /// The id of each event, and the time of its delivery.
    pub(super) heard: mpsc::Receiver<(String, Instant)>,
    stopper: colony_async::events::Stopper,
    thread: JoinHandle<Result<(), String>>,
}

impl Listener {
    /// Waits for its end. Returns its error, if it ended with one.
    pub(super) fn ended(self) -> Result<(), String> {
        self.thread.join().unwrap_or_else(|_| Err("it panicked".to_owned()))
    }

    /// Stops it. Returns its error, if it ended with one.
    pub(super) fn stop(self) -> Result<(), String> {
        self.stopper.stop();
        self.ended()
    }
}

/// Returns the id without its kind.
pub(super) fn bare(id: &str) -> &str {
    id.rsplit(':').next().unwrap_or(id)
}

/// Returns the resident memory of a process, in KiB.
pub(super) fn resident(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
