//! A local proxy that logs in for its callers: it adds the token to requests without a key or a token.
//!
//! It forwards to one origin only. It refuses requests that are not plainly meant for that origin: other hosts,
//! tunnels, upgrades, paths that leave the base path. It does not forward the caller's own `Authorization`, its
//! cookies, or other proxies' headers about it; it replaces a token in a response with `*`, and keeps the origin's
//! cookies. Bodies stream both ways. A body of up to 1 MiB is held, so that the request can be sent again with another
//! token after a 401; with a larger body the caller gets the 401.
//!
//! Callers connect through a socket file for this user only, or a loopback port with a *word*: a secret of the session
//! that callers send in the path or as `Authorization: Bearer`, since every user of the machine can reach the port.
//! The proxy itself answers a client that logs in first (`POST /auth/token`), with the word as the token.
//!
//! ```no_run
//! use colony_cli::proxy::{ClientTokens, Listen, Options, Proxy};
//!
//! # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
//! let options = Options::new(client.transport().base_url());
//! let proxy = Proxy::start(options, ClientTokens::new(client)).await?;
//! println!("send requests to {}", proxy.base_url());
//! proxy.stop().await;
//! # Ok(())
//! # }
//! ```

mod admit;
mod allow;
mod forward;
mod listen;
mod scrub;
mod tokens;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::Request, extract::State, response::IntoResponse as _, response::Response};
use colony_core::{Error, ErrorKind, Result, openid::discovery::is_loopback};
use http::{StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::{sync::watch, task::JoinHandle};
use url::Url;

use self::{
    admit::{Admitted, Door, Gate},
    forward::Forwarder,
    listen::Listening,
};

pub use allow::{Allow, ParseAllowError};
pub use listen::{Listen, ParseListenError};
pub use tokens::{AudienceSource, ClientTokens, CredentialTokens, TokenSource};

/// How long requests in progress may take once the proxy stops.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// The token for a client that logs in where no word is needed.
const NO_WORD: &str = "proxy";

/// The configuration of a [`Proxy`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The origin and the base path that requests go to.
    pub base_url: String,
    /// The address to listen on: a free loopback port by default.
    pub listen: Listen,
    /// The requests to let through. Empty: all but `POST /auth/rotate-key`, whose response contains a new key and
    /// which ends the login.
    pub allow: Vec<Allow>,
    /// How long the origin may take to begin a response: 30 s by default. Uploads above 1 MiB have no limit.
    pub timeout: Duration,
    /// A PEM file of authorities to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether the origin is The Colony, whose clients log in by `POST /auth/token`. True by default.
    pub answers_login: bool,
}

impl Options {
    /// Returns the options of a proxy for this base URL.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            listen: Listen::default(),
            allow: Vec::new(),
            timeout: Duration::from_secs(30),
            ca_file: None,
            answers_login: true,
        }
    }
}

/// A running proxy. Dropping it stops the proxy; [`Proxy::stop`] waits for requests in progress.
pub struct Proxy {
    listening: Listening,
    base_url: String,
    word: Option<SecretString>,
    quit: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("listening", &self.listening).finish_non_exhaustive()
    }
}

struct Shared {
    gate: Gate,
    forwarder: Forwarder,
}

impl Proxy {
    /// Starts a proxy on the current tokio runtime. The proxy listens when this returns, and sends nothing before the
    /// first request.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a base URL that is not http or https, or that is plain http
    /// to another machine, and for an address that cannot be listened on; [`Config`](ErrorKind::Config) for a CA file
    /// that cannot be read.
    pub async fn start(options: Options, tokens: impl TokenSource) -> Result<Self> {
        colony_async::install_tls_provider();
        let base = base(&options.base_url)?;
        let http = client(&base, options.ca_file.as_deref())?;
        let (listener, listening) = options.listen.bind().await?;
        let door = match &listening {
            Listening::File { .. } => Door::Private,
            Listening::Port(address) => Door::port(*address)
                .map_err(|error| Error::build(ErrorKind::Config, error.to_string()).finish())?,
        };
        let word = match &door {
            Door::Private => None,
            Door::Port { word, .. } => Some(word.secret().clone()),
        };
        let path = base.path().trim_end_matches('/');
        let base_url = match (&listening, &word) {
            (Listening::Port(address), Some(word)) => {
                format!("http://{address}/{}{path}", word.expose_secret())
            }
            // HTTP requires a host name, which has no effect here.
            _ => format!("http://localhost{path}"),
        };
        let gate =
            Gate { base: base.clone(), allow: options.allow, answers_login: options.answers_login, door };
        let forwarder = Forwarder::new(http, options.timeout, Box::new(tokens));
        let router = Router::new().fallback(answer).with_state(Arc::new(Shared { gate, forwarder }));
        let (quit, quitting) = watch::channel(false);
        let task = tokio::spawn(listener.serve(router, quitting));
        Ok(Self { listening, base_url, word, quit, task: Some(task) })
    }

    /// Returns the base URL for callers. On a port it includes the word.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the word that callers send on a port; `None` on a socket file.
    pub fn word(&self) -> Option<&SecretString> {
        self.word.as_ref()
    }

    /// Returns the socket file, if the proxy listens on one.
    pub fn socket(&self) -> Option<&Path> {
        match &self.listening {
            Listening::File { path, .. } => Some(path),
            Listening::Port(_) => None,
        }
    }

    /// Stops: accepts no more requests, and waits at most 5 s for those in progress.
    pub async fn stop(mut self) {
        self.quit.send_replace(true);
        if let Some(task) = self.task.take() {
            let abort = task.abort_handle();
            if tokio::time::timeout(LAST_REQUESTS, task).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.quit.send_replace(true);
        self.listening.clear();
    }
}

/// Returns the origin with its base path.
fn base(text: &str) -> Result<Url> {
    let refused = |why: &str| {
        let message = format!("{text:?} is no address that a proxy can forward to: {why}");
        Error::build(ErrorKind::InvalidArgument, message).finish()
    };
    let url: Url = text.parse().map_err(|error: url::ParseError| refused(&error.to_string()))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(refused("it may have a host and a path, and nothing else"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refused("plain http to another machine shows the token to the network; use https")),
        _ => Err(refused("give one that begins with https://")),
    }
}

/// Returns the client that sends to the origin: once, without cookies, redirects or decompression.
fn client(base: &Url, ca_file: Option<&Path>) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .no_gzip();
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    if let Some(path) = ca_file {
        let unusable = |why: String| {
            Error::build(ErrorKind::Config, format!("the CA file {} cannot be used: {why}", path.display()))
                .finish()
        };
        let content = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&content);
        builder = builder.tls_certs_merge(authorities.map_err(|error| unusable(error.to_string()))?);
    }
    builder
        .build()
        .map_err(|error| Error::build(ErrorKind::Config, "no HTTP client can be made").source(error).finish())
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match shared.gate.admit(&parts) {
        Ok(Admitted::Forward { url, path }) => shared.forwarder.pass(&url, &path, parts, body).await,
        Ok(Admitted::Login) => logged_in(&shared.gate),
        Err(refusal) => {
            tracing::debug!(target: "colony::proxy", status = refusal.status.as_u16(), "refused a request");
            let mut response = forward::failed(refusal.status, "PROXY_REFUSED", &refusal.message);
            if refusal.status == StatusCode::UNAUTHORIZED {
                let scheme = header::HeaderValue::from_static("Bearer realm=\"colony proxy\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            // The rest of the request is not read.
            response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            response
        }
    }
}

/// Returns the response to a client that logs in: the word that it sends here, which is no token of the service.
fn logged_in(gate: &Gate) -> Response {
    let shown = match &gate.door {
        Door::Port { word, .. } => word.secret().expose_secret(),
        Door::Private => NO_WORD,
    };
    let body = json!({"access_token": shown, "token_type": "bearer"});
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body.to_string())
        .into_response()
}
