//! A sandbox, a home directory, and commands in it.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use colony_cli::sandbox::{App, OpenIdOptions, Options, Sandbox};
use serde_json::Value;

pub(crate) const CLIENT: &str = "colony_cli_test";
pub(crate) const SECRET: &str = "a-planted-secret";

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// Returns a sandbox with one app that has a secret and no limit on requests.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let openid = OpenIdOptions {
            apps: vec![App::new(CLIENT).client_secret(SECRET), App::new("colony_other")],
            device_interval: std::time::Duration::ZERO,
            ..OpenIdOptions::default()
        };
        let mut options = Options { openid, ..Options::default() };
        change(&mut options);
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("app-secret"), SECRET).unwrap();
        Self { sandbox, home, runtime }
    }

    /// Returns a command that has the sandbox's address, and no key.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = colony(self.home.path());
        command.args(arguments).env("COLONY_BASE_URL", self.sandbox.base_url());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        Done(self.command(arguments).output().unwrap())
    }

    /// Runs a command with this stdin.
    pub(crate) fn pipe(&self, arguments: &[&str], stdin: &str) -> Done {
        pipe(&mut self.command(arguments), stdin)
    }

    /// Returns the JSON that a command prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[&["--json"], arguments].concat()).json()
    }

    /// Returns the refresh token of a new login at the provider.
    pub(crate) fn refresh_token(&self) -> String {
        let reply = self.sandbox.openid().login("openid profile offline_access").unwrap();
        reply["refresh_token"].as_str().unwrap().to_owned()
    }

    /// Logs the default profile in with a refresh token.
    pub(crate) fn bring(&self, more: &[&str], token: &str) -> Done {
        let secret = self.home.path().join("app-secret");
        let arguments = [
            more,
            &["auth", "login", "--with-refresh-token", "--client-id", CLIENT, "--client-secret-file"],
            &[secret.to_str().unwrap()],
        ]
        .concat();
        self.pipe(&arguments, token)
    }

    /// Runs this on the sandbox's runtime.
    #[cfg(target_os = "linux")]
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// Returns all files below the home directory that contain this text.
    pub(crate) fn holding(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.home.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(text) {
                    found.push(path.strip_prefix(self.home.path()).unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
    }
}

/// Returns the program without any of this process's environment.
pub(crate) fn colony(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colony"));
    command.env_clear().env("HOME", home).env("NO_PROXY", "127.0.0.1").stdin(Stdio::null());
    command
}

pub(crate) fn pipe(command: &mut Command, stdin: &str) -> Done {
    Done(start(command, stdin).wait_with_output().unwrap())
}

/// Starts a command with this stdin.
pub(crate) fn start(command: &mut Command, stdin: &str) -> Child {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments does not read stdin.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child
}

/// Returns whether the full length was requested.
#[cfg(unix)]
pub(crate) fn long() -> bool {
    std::env::var_os("COLONY_TESTS_LONG").is_some_and(|value| value != "0")
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Done(pub(crate) Output);

impl Done {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code(), 0, "{}", self.stderr());
        self
    }

    pub(crate) fn json(self) -> Value {
        let done = self.ok();
        serde_json::from_slice(&done.0.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout()))
    }

    /// Fails unless the command failed with this code, and with this text on stderr.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, said: &str) -> Self {
        assert_eq!(self.code(), code, "{}", self.stderr());
        assert!(self.stderr().contains(said), "{said:?} is not in: {}", self.stderr());
        self
    }
}

#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Stops a child, and waits until it has stopped.
#[cfg(target_os = "linux")]
pub(crate) fn stop(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    };
    while state() != 'T' {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
