//! A real OpenID provider, `oidc-provider` from the npm registry, as a child process; see
//! `tests/openid/provider.mjs`.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use colony_async::credential::{Credential, CredentialId};
use serde_json::{Value, json};

/// A running provider. It ends when this is dropped.
#[derive(Debug)]
pub struct Provider {
    child: Child,
    /// Its issuer URL, `http://127.0.0.1:PORT`.
    pub issuer: String,
}

impl Provider {
    /// Starts a provider. Returns `None`, with a notice on stderr, if Node is not installed; in CI that is a failure.
    ///
    /// # Panics
    ///
    /// When it cannot be installed or started although there is Node, and without Node in CI.
    pub fn start(settings: &Value) -> Option<Self> {
        if !node_is_there() {
            let notice = "Node is missing, so NOTHING was tried against the OpenID provider";
            assert!(std::env::var_os("CI").is_none(), "{notice}, and in CI that must not be");
            // Not with `eprintln!`: the test harness hides the output of a passing test.
            let _ = writeln!(io::stderr(), "\n!!! {notice}. Install Node 20 or later. !!!\n");
            return None;
        }
        let mut child = Command::new("node")
            .arg(folder().join("provider.mjs"))
            .arg(modules())
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let told: Value = serde_json::from_str(&line).expect("the provider says where it listens");
        let issuer = told["issuer"].as_str().expect("an issuer").to_owned();
        Some(Self { child, issuer })
    }

    /// Returns the id of a client's credentials: `colony_public`, `colony_basic` or `colony_post`.
    pub fn id(&self, client: &str) -> CredentialId {
        CredentialId::new(&self.issuer, client)
    }

    /// Returns the address of the token endpoint.
    pub fn token_endpoint(&self) -> String {
        format!("{}/oauth/token", self.issuer)
    }

    /// Returns the refresh token of a new login of this client.
    pub fn refresh_token(&self, client: &str) -> String {
        let reply = self.ask("POST", "/_rig/login", &json!({"client_id": client}));
        reply["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    /// Logs this client in, and returns the credential as of `now` (Unix seconds).
    pub fn login(&self, client: &str, now: f64) -> Credential {
        self.login_with_fate(client, now, &Value::Null)
    }

    /// Does the same; `fate` is applied when its refresh token is first presented.
    pub fn login_with_fate(&self, client: &str, now: f64, fate: &Value) -> Credential {
        let reply = self.ask("POST", "/_rig/login", &json!({"client_id": client, "fate": fate})).to_string();
        Credential::from_reply(self.id(client), self.token_endpoint(), reply.as_bytes(), now)
            .expect("a login")
    }

    /// Changes its settings.
    pub fn set(&self, settings: &Value) {
        self.ask("POST", "/_rig/settings", settings);
    }

    /// Returns the requests so far.
    pub fn stats(&self) -> Value {
        self.ask("GET", "/_rig/stats", &Value::Null)
    }

    /// Returns one of its counts.
    pub fn count(&self, name: &str) -> u64 {
        self.stats()[name].as_u64().unwrap_or_else(|| panic!("no count {name}"))
    }

    /// Returns whether this refresh token is valid, without presenting it.
    pub fn is_good(&self, refresh_token: &str) -> bool {
        self.ask("POST", "/_rig/token", &json!({"refresh_token": refresh_token}))["good"] == true
    }

    /// Returns when this refresh token was presented, in seconds since 1970.
    pub fn presented(&self, refresh_token: &str) -> Vec<f64> {
        let told = self.ask("POST", "/_rig/token", &json!({"refresh_token": refresh_token}));
        let times = told["presented"].as_array().cloned().unwrap_or_default();
        times.iter().filter_map(|time| Some(time.as_f64()? / 1_000.0)).collect()
    }

    /// Returns the provider's process, to stop it.
    pub fn process(&mut self) -> &mut Child {
        &mut self.child
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let reply = self.exchange(method, path, &body.to_string()).expect("the provider answers");
        let (_, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{method} {path}: {reply}"))
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.issuer.trim_start_matches("http://"))?;
        // HTTP/1.0: a body without chunks, which ends with the connection.
        write!(stream, "{method} {path} HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openid")
}

fn node_is_there() -> bool {
    let works = |program: &str| {
        let run = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    works("node") && works("npm")
}

/// Returns the folder below `target` with the pinned packages, which are installed if they are missing.
fn modules() -> &'static Path {
    static MODULES: OnceLock<PathBuf> = OnceLock::new();
    MODULES.get_or_init(|| {
        let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/openid");
        fs::create_dir_all(&target).expect("a folder below target");
        let lock = fs::read(folder().join("package-lock.json")).expect("the lock file");
        // Written after a complete installation, so that an interrupted one is not taken for complete.
        let done = target.join("installed-lock.json");
        if fs::read(&done).ok().as_deref() != Some(lock.as_slice()) {
            for name in ["package.json", "package-lock.json"] {
                fs::copy(folder().join(name), target.join(name)).expect("a copy");
            }
            let installed = Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
                .current_dir(&target)
                .status();
            assert!(installed.is_ok_and(|status| status.success()), "`npm ci` in target/openid failed");
            fs::write(&done, lock).expect("a note of it");
        }
        target
    })
}
