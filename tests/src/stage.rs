//! A client under test, with its server, its clock and its cache directory.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use colony_async::{Builder, OverHttp, RateLimit};
use colony_core::{Error, Result, Transport, registry::Call, retry::RetryPolicy, token::cache_path};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{recorded::Outcome, server::Server, timer::TestTimer};

/// The API key of the recordings.
pub const API_KEY: &str = "col_open_0123456789abcdef";
/// The time of the recordings, in Unix seconds.
pub const NOW: f64 = 1_790_000_000.25;
/// The token of a client that "already held one".
pub const SEEDED: &str = "<token>";
/// How long a new token is trusted.
pub const LIFETIME: f64 = 82_800.0;

/// One of the two clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `colony_async`.
    Async,
    /// `colony_blocking`.
    Blocking,
}

/// Both.
pub const KINDS: [Kind; 2] = [Kind::Async, Kind::Blocking];

/// The settings of a recorded case.
#[derive(Default, Clone)]
pub struct Settings {
    /// The base URL's path. `/api/v1` unless set.
    pub base_path: Option<String>,
    /// The key. The recorded one unless set.
    pub api_key: Option<String>,
    /// A single two-factor code.
    pub totp: Option<String>,
    /// The results of a function that returns two-factor codes, in order.
    pub totp_sequence: Option<Vec<String>>,
    /// The retry budget of calls, if it is not that of the recordings.
    pub retry: Option<RetryPolicy>,
    /// The retry budget of logins, if it is not the default.
    pub auth_retry: Option<RetryPolicy>,
    /// The time limit of a request.
    pub timeout: Option<Duration>,
    /// The switch of the cache file.
    pub cache_token: Option<bool>,
    /// How long replies are kept.
    pub response_cache: Option<f64>,
    /// After how many failures the circuit breaker opens.
    pub breaker: Option<u32>,
    /// Where hooks write their records.
    pub hooks: Option<Arc<Mutex<Vec<Value>>>>,
    /// An HTTP client to use: building one is slow because of its certificates.
    pub http: Option<reqwest::Client>,
}

/// Returns the retry budget of the recordings.
pub fn recorded_policy() -> RetryPolicy {
    RetryPolicy::default().base_delay(Duration::from_secs(1)).max_delay(Duration::from_secs(10))
}

impl Settings {
    /// Reads the settings of a recorded `client` object.
    pub fn of_client(client: &Value) -> Self {
        let text = |key: &str| client[key].as_str().map(str::to_owned);
        let codes = client["totp_sequence"].as_array().map(|codes| {
            codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect::<Vec<_>>()
        });
        let base_path = client["base_url"].as_str().map(|url| {
            let (_, rest) = url.split_once("://").expect("a scheme");
            rest.find('/').map_or_else(String::new, |slash| rest[slash..].to_owned())
        });
        Self { base_path, totp: text("totp"), totp_sequence: codes, ..Self::default() }
    }

    fn apply<C: OverHttp>(&self, mut builder: Builder<C>, stage: &Stage<'_>) -> Builder<C> {
        builder = builder
            .base_url(format!("http://{}{}", stage.server.authority(), self.path()))
            .token_cache_dir(stage.directory.clone())
            .timer(stage.timer.clone())
            .retry(self.retry.clone().unwrap_or_else(recorded_policy));
        if let Some(policy) = &self.auth_retry {
            builder = builder.auth_retry(policy.clone());
        }
        if let Some(limit) = self.timeout {
            builder = builder.timeout(limit);
        }
        if let Some(on) = self.cache_token {
            builder = builder.cache_token(on);
        }
        if let Some(code) = &self.totp {
            builder = builder.totp(code.clone());
        }
        if let Some(codes) = &self.totp_sequence {
            let left = Mutex::new(VecDeque::from(codes.clone()));
            builder = builder.totp_with(move || {
                left.lock().unwrap_or_else(PoisonError::into_inner).pop_front().expect("one code more")
            });
        }
        if let Some(ttl) = self.response_cache {
            builder = builder.response_cache(Duration::from_secs_f64(ttl));
        }
        if let Some(threshold) = self.breaker {
            builder = builder.circuit_breaker(threshold);
        }
        if let Some(seen) = &self.hooks {
            let (requests, responses) = (Arc::clone(seen), Arc::clone(seen));
            let note = |seen: &Mutex<Vec<Value>>, event: Value| {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(event);
            };
            builder = builder
                .on_request(move |request| {
                    note(&requests, json!(["request", request.method.as_str(), request.url, request.body]));
                })
                .on_response(move |reply| {
                    let event =
                        json!(["response", reply.method.as_str(), reply.url, reply.status, reply.body]);
                    note(&responses, event);
                });
        }
        if let Some(http) = &self.http {
            builder = builder.http_client(http.clone());
        }
        builder
    }

    fn path(&self) -> &str {
        self.base_path.as_deref().unwrap_or("/api/v1")
    }

    fn key(&self) -> &str {
        self.api_key.as_deref().unwrap_or(API_KEY)
    }
}

/// Server, clock and cache directory of one case.
pub struct Stage<'a> {
    /// The server.
    pub server: &'a Server,
    /// The clock.
    pub timer: TestTimer,
    /// The cache directory, which does not exist at first.
    pub directory: PathBuf,
}

impl<'a> Stage<'a> {
    /// Sets up the stage.
    pub fn new(server: &'a Server, directory: impl Into<PathBuf>) -> Self {
        Self { server, timer: TestTimer::at(NOW), directory: directory.into() }
    }

    /// Returns the cache file of a client with these settings.
    pub fn file(&self, settings: &Settings) -> PathBuf {
        let base_url = format!("http://{}{}", self.server.authority(), settings.path());
        let base_url = cache_path::normalise_base_url(&base_url);
        self.directory.join(cache_path::file_name(base_url, settings.key()))
    }

    /// Writes a token into the cache file, as another program would.
    pub fn seed(&self, settings: &Settings, token: &str, expiry: f64) {
        make_private(&self.directory);
        let text = json!({"v": 1, "token": token, "expiry": expiry}).to_string();
        write_private(&self.file(settings), &text);
    }

    /// Builds a client.
    pub fn client(&self, kind: Kind, settings: &Settings) -> Result<Client> {
        Ok(match kind {
            Kind::Async => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let builder = colony_async::Client::builder(settings.key());
                let client = settings.apply(builder, self).build()?;
                Client::Async(client, runtime.expect("a runtime"))
            }
            Kind::Blocking => {
                let builder = colony_blocking::Client::builder(settings.key());
                Client::Blocking(settings.apply(builder, self).build()?)
            }
        })
    }

    /// Returns the base URL's path without trailing slashes.
    pub fn base_path(settings: &Settings) -> &str {
        settings.path().trim_end_matches('/')
    }
}

/// One of the clients.
#[allow(missing_debug_implementations, clippy::large_enum_variant)]
pub enum Client {
    /// The async client and the runtime that it is driven on.
    Async(colony_async::Client, tokio::runtime::Runtime),
    /// The blocking client.
    Blocking(colony_blocking::Client),
}

impl Client {
    /// Runs a call of the registry.
    ///
    /// # Errors
    ///
    /// The call's.
    pub fn run(&self, call: Call) -> Result<Outcome> {
        match (self, call) {
            (Self::Async(client, runtime), Call::Download(call)) => {
                runtime.block_on(client.transport().call(call)).map(|reply| Outcome::Bytes(reply.body))
            }
            (Self::Blocking(client), Call::Download(call)) => {
                client.transport().call(call).map(|reply| Outcome::Bytes(reply.body))
            }
            (Self::Async(client, runtime), call) => {
                runtime.block_on(client.transport().run(call)).map(Outcome::Json)
            }
            (Self::Blocking(client), call) => client.transport().run(call).map(Outcome::Json),
        }
    }

    /// Looks up an operation by name and calls it.
    ///
    /// # Errors
    ///
    /// The call's, and those of invalid arguments.
    pub fn call(&self, operation: &str, arguments: &Value) -> Result<Outcome> {
        let Some(operation) = colony_core::registry::find(operation) else {
            return Err(Error::argument_refused("operation", format!("{operation} is not in the registry")));
        };
        self.run(operation.prepare(arguments.clone())?)
    }

    /// Returns the session's token.
    ///
    /// # Errors
    ///
    /// The login's.
    pub fn token(&self) -> Result<String> {
        let token = match self {
            Self::Async(client, runtime) => runtime.block_on(client.transport().token()),
            Self::Blocking(client) => client.transport().token(),
        };
        token.map(|token| token.expose_secret().to_owned())
    }

    /// Calls [`colony_async::Http::clear_response_cache`].
    pub fn clear_response_cache(&self) {
        match self {
            Self::Async(client, _) => client.transport().clear_response_cache(),
            Self::Blocking(client) => client.transport().clear_response_cache(),
        }
    }

    /// Calls [`colony_async::Http::last_rate_limit`].
    pub fn last_rate_limit(&self) -> Option<RateLimit> {
        match self {
            Self::Async(client, _) => client.transport().last_rate_limit(),
            Self::Blocking(client) => client.transport().last_rate_limit(),
        }
    }

    /// Returns a header of the last reply.
    pub fn last_header(&self, name: &str) -> Option<String> {
        let headers = match self {
            Self::Async(client, _) => client.transport().last_response_headers(),
            Self::Blocking(client) => client.transport().last_response_headers(),
        };
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }
}

/// Returns the token in a cache file, if there is one.
pub fn token_in(file: &Path) -> Option<(String, f64)> {
    let value: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    Some((value["token"].as_str()?.to_owned(), value["expiry"].as_f64()?))
}

/// Creates a directory for this user only, as the SDK does.
fn make_private(directory: &Path) {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).expect("a cache directory");
}

fn write_private(file: &Path, text: &str) {
    fs::write(file, text).expect("a cache file");
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
}

/// Returns an HTTP client for many successive clients, each of which would otherwise read the system's certificates
/// again. It keeps no connections, since those belong to the runtime of a client that is gone.
pub fn http_client() -> reqwest::Client {
    let redirects = reqwest::redirect::Policy::none();
    colony_async::install_tls_provider();
    reqwest::Client::builder().pool_max_idle_per_host(0).redirect(redirects).build().expect("an HTTP client")
}

/// Returns the lines of a report on rows that differ; empty if none does.
pub fn report(rows: &[(String, Vec<String>)], show: usize) -> String {
    let mut out = String::new();
    for (id, found) in rows.iter().take(show) {
        let _ = writeln!(out, "{id}");
        for difference in found.iter().take(4) {
            let _ = writeln!(out, "    {difference:.400}");
        }
    }
    if rows.len() > show {
        let _ = writeln!(out, "and {} more", rows.len() - show);
    }
    out
}
