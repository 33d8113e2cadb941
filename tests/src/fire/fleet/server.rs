//! A `redis-server` of the system's package, as a child process.

#![expect(
    clippy::missing_errors_doc,
    reason = "each fails when the program cannot be run or does not answer"
)]

use std::{
    io,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::fire::scene::eventually;

/// A server on a free port. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    /// The port where it listens, on the loopback address.
    pub port: u16,
    /// Where its files are.
    pub directory: TempDir,
    arguments: Vec<String>,
}

impl Server {
    /// Returns whether the program is installed.
    pub fn is_installed() -> bool {
        let version = Command::new("redis-server").arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    }

    /// Starts a server with these settings in addition to the usual ones.
    pub fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut server = Self {
            child: None,
            port: 0,
            directory: tempfile::Builder::new().prefix("colony-redis-").tempdir()?,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        };
        // It cannot choose a port itself, and another program can take the free one.
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            if server.restart().is_ok() {
                return Ok(server);
            }
        }
        Err(io::Error::other("redis-server does not start"))
    }

    /// Starts a server that also accepts TLS, on a separate port that is returned with it. This directory gets the
    /// authority, `ca.pem`, and another one, `other.pem`. Returns `None` if the program `openssl` is missing.
    pub fn over_tls(certificates: &Path) -> io::Result<Option<(Self, u16)>> {
        if !certify(certificates) {
            return Ok(None);
        }
        let path = |name: &str| certificates.join(name).display().to_string();
        let (cert, key, ca) = (path("server.pem"), path("server.key"), path("ca.pem"));
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let settings = [
            ("--tls-port", &*port.to_string()),
            ("--tls-cert-file", &cert),
            ("--tls-key-file", &key),
            ("--tls-ca-cert-file", &ca),
            ("--tls-auth-clients", "no"),
        ];
        let arguments: Vec<&str> = settings.iter().flat_map(|(name, value)| [*name, *value]).collect();
        Ok(Some((Self::start(&arguments)?, port)))
    }

    /// Starts it again on the same port.
    pub fn restart(&mut self) -> io::Result<()> {
        self.kill()?;
        let port = self.port.to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--daemonize", "no", "--dir"])
            .arg(self.directory.path())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.child = Some(child);
        let is_up = || self.cli(&["PING"]).is_ok_and(|answer| !answer.is_empty());
        if eventually(Duration::from_secs(10), is_up) {
            Ok(())
        } else {
            Err(io::Error::other("it is not up"))
        }
    }

    /// Ends it at once; its data is lost.
    pub fn kill(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Stops it, or lets it continue.
    pub fn stop(&self, is_stopped: bool) -> io::Result<()> {
        use rustix::process::{Pid, Signal, kill_process};
        let child = self.child.as_ref().ok_or_else(|| io::Error::other("it does not run"))?;
        let signal = if is_stopped { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(child), signal).map_err(Into::into)
    }

    /// Runs a command with `redis-cli`.
    pub fn cli(&self, words: &[&str]) -> io::Result<String> {
        let mut command = Command::new("redis-cli");
        let output = command.args(["-p", &self.port.to_string()]).args(words).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(text) } else { Err(io::Error::other(text)) }
    }

    /// Returns a number from `INFO`.
    pub fn info(&self, section: &str, name: &str) -> io::Result<u64> {
        let text = self.cli(&["INFO", section])?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let value = line.and_then(|value| value.trim().parse().ok());
        value.ok_or_else(|| io::Error::other(format!("INFO says no {name}")))
    }

    /// Returns the keys whose names have this end.
    pub fn keys(&self, end: &str) -> io::Result<Vec<String>> {
        let text = self.cli(&["KEYS", "*"])?;
        Ok(text.lines().filter(|name| name.contains(end)).map(str::to_owned).collect())
    }

    /// Writes everything that it is sent from now on to a file.
    pub fn monitor(&self, to: &Path) -> io::Result<Monitor> {
        let child = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "MONITOR"])
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(to)?)
            .spawn()?;
        let is_up = eventually(Duration::from_secs(5), || std::fs::metadata(to).is_ok_and(|it| it.len() > 0));
        if is_up { Ok(Monitor(child)) } else { Err(io::Error::other("MONITOR says nothing")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Writes until it is dropped.
#[derive(Debug)]
pub struct Monitor(Child);

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Creates an authority, `ca.pem`, its certificate for `localhost`, `server.pem` with `server.key`, and another
/// authority, `other.pem`. Returns whether that worked; it needs the program `openssl`.
fn certify(directory: &Path) -> bool {
    let openssl = |words: &str| {
        let output = Command::new("openssl").args(words.split(' ')).current_dir(directory).output();
        output.is_ok_and(|output| output.status.success())
    };
    let written = std::fs::write(directory.join("san.txt"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    written.is_ok()
        && openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca")
        && openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other",
        )
        && openssl("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost")
        && openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile san.txt",
        )
}
