//! The builder of a client.

use std::{fmt, marker::PhantomData, path::PathBuf, sync::Arc, time::Duration};

#[cfg(feature = "redis")]
use crate::session::fleet::{Fleet, engine::Engine};
use colony_core::{
    Client, DEFAULT_BASE_URL, Error, ErrorKind, Result, Transport,
    policy::Policy,
    retry::RetryPolicy,
    token::{
        cache_path::{self, Directories},
        freshness::Lifetime,
    },
};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use url::Url;

use crate::{
    Incoming, Outgoing, body,
    budget::Budgets,
    callback::Owner,
    connections::{self, Connections},
    disk::{Disk, Real, place},
    http::{Breaker, Colonies, Http, ResponseCache, Shared},
    notices::{Hooks, Notices},
    openid::Sources,
    replacement::Replacement,
    sender::Sender,
    session::{self, AskKey, Login, Session, Settings, Totp},
    time::{SystemTimer, Timer, unix},
    tls::{self, Certificates},
    token::CachedToken,
};

/// The default time limit of a login, including all tries and pauses.
const LOGIN_DEADLINE: Duration = Duration::from_secs(130);
/// How much longer the wait for a lock lasts than a login.
const LOCK_GRACE: Duration = Duration::from_secs(15);

/// Settings of a client, from [`Client::builder`](colony_core::Client::builder).
///
/// A setting that is not set comes from the environment, then from the default:
///
/// | Setting | Environment | Default |
/// | --- | --- | --- |
/// | [`base_url`](Self::base_url) | `COLONY_BASE_URL` | `https://thecolony.ai/api/v1` |
/// | [`cache_token`](Self::cache_token) | `COLONY_SDK_NO_TOKEN_CACHE` = `1`, `true` or `yes` turns it off, whatever the builder says | on |
/// | [`token_cache_dir`](Self::token_cache_dir) | `COLONY_SDK_TOKEN_CACHE_DIR` | the system's cache directory, see [`cache_path`]; where that cannot be used, `$XDG_RUNTIME_DIR/colony-sdk`, else `<temporary directory>/colony-sdk-<uid>` |
/// | [`token_cache_ttl`](Self::token_cache_ttl) | `COLONY_SDK_TOKEN_CACHE_TTL` (seconds, `5m`, `1h`) | none |
/// | [`token_store`](Self::token_store) | `COLONY_SDK_TOKEN_STORE`, `COLONY_SDK_TOKEN_STORE_PASSWORD` | none |
/// | [`timeout`](Self::timeout) | | 30 s |
/// | [`connect_timeout`](Self::connect_timeout) | | 10 s |
/// | [`deadline`](Self::deadline) | | 3 min |
/// | [`max_reply_size`](Self::max_reply_size) | | 16 MiB |
/// | [`max_in_flight`](Self::max_in_flight) | | no limit |
/// | [`retry`](Self::retry) | | [`RetryPolicy::default`] |
/// | [`auth_retry`](Self::auth_retry) | | [`RetryPolicy::for_login`] |
/// | [`idempotent_writes`](Self::idempotent_writes) | | on |
/// | [`login_deadline`](Self::login_deadline) | | 130 s |
/// | [`lock_timeout`](Self::lock_timeout) | | `login_deadline` and 15 s |
/// | [`proxy`](Self::proxy) | `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` | none |
/// | [`ca_file`](Self::ca_file) | `SSL_CERT_FILE`, `SSL_CERT_DIR` (in place of the system's) | the system's |
/// | [`https_only`](Self::https_only) | `COLONY_HTTPS_ONLY` = `1`, `true` or `yes` | off |
/// | [`user_agent`](Self::user_agent) | | `colony-sdk-rust/` and the version |
///
/// ```
/// use std::time::Duration;
/// use colony_async::Client;
///
/// # fn main() -> colony_async::Result<()> {
/// let client = Client::builder("col_example")
///     .base_url("http://127.0.0.1:8000/api/v1")
///     .timeout(Duration::from_secs(5))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder<C = Http> {
    client: PhantomData<fn() -> C>,
    api_key: Option<SecretString>,
    ask_key: Option<AskKey>,
    seed: Option<SecretString>,
    base_url: Option<String>,
    timeout: Duration,
    deadline: Duration,
    /// Ten seconds unless set.
    connect_timeout: Option<Duration>,
    max_reply_size: usize,
    max_in_flight: Option<usize>,
    retry: RetryPolicy,
    auth_retry: RetryPolicy,
    idempotent_writes: bool,
    login_deadline: Duration,
    lock_timeout: Option<Duration>,
    cache_token: bool,
    token_cache_dir: Option<PathBuf>,
    token_cache_ttl: Option<Duration>,
    token_store: Option<SecretString>,
    #[cfg(feature = "redis")]
    engine: Option<Arc<dyn Fn() -> Box<dyn Engine> + Send + Sync>>,
    #[cfg(feature = "redis")]
    store_version: Option<u32>,
    refresh_ahead: Option<bool>,
    ignore_cool_down: bool,
    totp: Option<Totp>,
    proxy: Option<String>,
    certificates: Certificates,
    https_only: bool,
    user_agent: Option<String>,
    http_client: Option<reqwest::Client>,
    timer: Arc<dyn Timer>,
    disk: Option<Arc<dyn Disk>>,
    /// How long replies are cached.
    cache: Option<Duration>,
    /// The number of failures in a row after which no request is sent.
    breaker: Option<u32>,
    policy: Policy,
    state_dir: Option<PathBuf>,
    hooks: Hooks,
    #[cfg(feature = "testing")]
    script: Option<crate::testing::Script>,
}

impl<C: OverHttp> Builder<C> {
    /// Creates a builder with the defaults. Programs use
    /// [`Client::builder`](colony_core::Client::builder) or
    /// [`Client::anonymous`](colony_core::Client::anonymous).
    pub fn new(api_key: Option<SecretString>) -> Self {
        Self {
            client: PhantomData,
            api_key,
            ask_key: None,
            seed: None,
            base_url: None,
            timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(180),
            connect_timeout: None,
            max_reply_size: body::REPLY_LIMIT,
            max_in_flight: None,
            retry: RetryPolicy::default(),
            auth_retry: RetryPolicy::for_login(),
            idempotent_writes: true,
            login_deadline: LOGIN_DEADLINE,
            lock_timeout: None,
            cache_token: true,
            token_cache_dir: None,
            token_cache_ttl: None,
            token_store: None,
            #[cfg(feature = "redis")]
            engine: None,
            #[cfg(feature = "redis")]
            store_version: None,
            refresh_ahead: None,
            ignore_cool_down: false,
            totp: None,
            proxy: None,
            certificates: Certificates::default(),
            https_only: false,
            user_agent: None,
            http_client: None,
            timer: Arc::new(SystemTimer),
            disk: None,
            #[cfg(feature = "testing")]
            script: None,
            cache: None,
            breaker: None,
            policy: Policy::new(),
            state_dir: None,
            hooks: Hooks::default(),
        }
    }

    /// Sets a callback that returns the API key, for a client that is built without one. It is called on a thread
    /// where it can block: when a token is needed that is not in memory, and again after a refused login.
    ///
    /// ```
    /// # fn main() -> colony_async::Result<()> {
    /// let client: colony_async::Client = colony_async::Builder::new(None)
    ///     .api_key_with(|| Ok(std::env::var("COLONY_API_KEY").unwrap_or_default().into()))
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn api_key_with(mut self, key: impl Fn() -> Result<SecretString> + Send + Sync + 'static) -> Self {
        self.ask_key = Some(Arc::new(key));
        self
    }

    /// Starts with a token that the program already has. It is used from memory until it is stale or refused, and is
    /// not written to the file.
    pub fn seed_token(mut self, token: impl Into<SecretString>) -> Self {
        self.seed = Some(token.into());
        self
    }

    /// Sets the API's base URL, `/api/v1` included.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets which operations this client may call. Others are refused before a token is requested, with an error of
    /// the kind [`Refused`](colony_core::ErrorKind::Refused). All are allowed unless set.
    ///
    /// Raw requests count as [`Remove`](colony_core::registry::Access::Remove), unless they are a GET. Daily budgets
    /// are counted before a request is sent, in a file in the [state directory](Self::state_dir) that all programs of
    /// the account share. A request that cannot be counted is not sent.
    ///
    /// ```
    /// use colony_async::{Client, policy::Policy};
    ///
    /// # fn main() -> colony_async::Result<()> {
    /// let policy = Policy::read_only().allow("create_comment").daily("create_comment", 20);
    /// let client = Client::builder("col_example").policy(policy).build()?;
    /// # Ok(()) }
    /// ```
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the directory in which daily budgets are counted, in place of the [state
    /// directory](colony_core::events::place::directory). A relative path is resolved against the working directory.
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// Sets the time limit of one request, including its reply.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the time limit of a whole call: waiting for the login, all tries and the pauses between them. The default
    /// is 3 minutes. In a walk, the limit applies to each request.
    ///
    /// The error of a call that runs out of time has a [`limit`](colony_core::Error::limit). A login that the call
    /// waited for continues for other callers. [`with_deadline`](colony_core::Client::with_deadline) sets the limit
    /// for single calls.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Sets the time limit for opening a connection.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Sets the maximum size of a reply in bytes, counted after decompression. The default is 16 MiB.
    ///
    /// A longer reply is an error of kind [`Decode`](ErrorKind::Decode) with the code `too_large`, and the rest of it
    /// is not read. Of an error reply, at most the first 1 MiB is kept. Logins, discovery and OAuth replies have a
    /// limit of 1 MiB or less, whatever is set here; streamed downloads have none.
    ///
    /// ```
    /// # fn main() -> colony_async::Result<()> {
    /// let client = colony_async::Client::builder("col_example").max_reply_size(64 * 1024 * 1024).build()?;
    /// # Ok(()) }
    /// ```
    pub fn max_reply_size(mut self, bytes: usize) -> Self {
        self.max_reply_size = bytes;
        self
    }

    /// Sets how many requests of this client can be under way at once. Others wait for their turn, in order, so that
    /// ten thousand tasks do not run out of file descriptors. No limit unless set; zero counts as one.
    ///
    /// A streamed download counts until it is read to its end or dropped. The wait is not part of
    /// [`timeout`](Self::timeout).
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = Some(requests);
        self
    }

    /// Sets when calls are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets when logins, and exchanges of the login for another service's token, are retried. They have a retry
    /// budget of their own.
    pub fn auth_retry(mut self, policy: RetryPolicy) -> Self {
        self.auth_retry = policy;
        self
    }

    /// Sets whether writes carry an `Idempotency-Key`, by which the server recognizes a repetition. On unless set.
    ///
    /// Turn it off for a base URL whose server does not store keys. A write is then repeated only where the first one
    /// cannot have acted, as [`Repeat::Once`](colony_core::retry::Repeat::Once) describes.
    pub fn idempotent_writes(mut self, on: bool) -> Self {
        self.idempotent_writes = on;
        self
    }

    /// Sets the time limit of a login, including all its tries and pauses. The default is 130 s.
    ///
    /// A call that waits for the login of another task or process can end earlier because of its own limits; the
    /// login continues for the others.
    pub fn login_deadline(mut self, limit: Duration) -> Self {
        self.login_deadline = limit;
        self
    }

    /// Sets how long to wait for a login of another process. The default is [`login_deadline`](Self::login_deadline)
    /// plus 15 s. The wait is shorter if the lock holder exceeds its announced time, for example because it is
    /// stopped. Processes that stop waiting log in one at a time as far as possible.
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.lock_timeout = Some(limit);
        self
    }

    /// Sets whether the token is shared through the cache file. `COLONY_SDK_NO_TOKEN_CACHE` overrides this.
    pub fn cache_token(mut self, on: bool) -> Self {
        self.cache_token = on;
        self
    }

    /// Sets the file system of the shared files, for tests of one that fails.
    #[doc(hidden)]
    pub fn disk(mut self, disk: impl Disk) -> Self {
        self.disk = Some(Arc::new(disk));
        self
    }

    /// Sets the directory of the cache file. A relative path is resolved against the current working directory now.
    ///
    /// A symbolic link is followed if it and its target belong to this user and no other user can write in the
    /// target. In a directory that belongs to another user, the subdirectory `colony-sdk-<uid>` is used, and its
    /// files are not shared with the Python package. If the directory cannot be used, tokens are kept in memory only.
    /// Both are reported as a `tracing` event at warn level.
    pub fn token_cache_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.token_cache_dir = Some(directory.into());
        self
    }

    /// Caps the age of a token taken from a file, either a login's token or one for another service. The cap applies
    /// when a token is taken; a token already in memory is used until it expires. Zero turns the file off, as
    /// [`cache_token(false)`](Self::cache_token) does: nothing is read, written or waited for.
    ///
    /// The age of a login's file is its modification time; the file of an exchanged token records when it was
    /// granted. A time in the future counts as new up to a [grace](colony_core::token::freshness::CLOCK_GRACE) of a
    /// minute; beyond that, the age is unknown.
    pub fn token_cache_ttl(mut self, age: Duration) -> Self {
        self.token_cache_ttl = Some(age);
        self
    }

    /// Shares the token with programs on other hosts as well, over this Redis or Valkey server (feature `redis`):
    /// `redis[s]://[user[:password]@]host[:port][/db]`, with the parameters of
    /// [`TokenStoreUrl`](colony_core::token::store_url::TokenStoreUrl). Unless set, `COLONY_SDK_TOKEN_STORE` applies.
    /// A password is better placed in `COLONY_SDK_TOKEN_STORE_PASSWORD`.
    ///
    /// The server sees names and sealed bytes, derived from the API key. Trouble with it never fails a call: it has
    /// half a second to reply, then this host continues without it for a while. Settings that turn the file off also
    /// turn this off: [`cache_token(false)`](Self::cache_token), `COLONY_SDK_NO_TOKEN_CACHE`, and a
    /// [`token_cache_ttl`](Self::token_cache_ttl) of zero.
    ///
    /// ```no_run
    /// # fn main() -> colony_async::Result<()> {
    /// let client = colony_async::Client::builder("col_example")
    ///     .token_store("rediss://valkey.infra.svc:6379/0?zone=nat-1")
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn token_store(mut self, url: impl Into<SecretString>) -> Self {
        self.token_store = Some(url.into());
        self
    }

    /// Uses this store in place of a Redis server, for tests. It needs a [`token_store`](Self::token_store).
    #[cfg(feature = "redis")]
    #[doc(hidden)]
    pub fn token_store_engine(mut self, engine: impl Engine + Clone) -> Self {
        self.engine = Some(Arc::new(move || Box::new(engine.clone())));
        self
    }

    /// Reads and writes entries of this version in the [`token_store`](Self::token_store), for tests of a rolling
    /// update.
    #[cfg(feature = "redis")]
    #[doc(hidden)]
    pub fn token_store_version(mut self, version: u32) -> Self {
        self.store_version = Some(version);
        self
    }

    /// Sets whether a background task renews the token before it goes stale, so that no call waits for a login. The
    /// task starts with the first token and ends with the client. Off unless set, and on with a
    /// [`token_store`](Self::token_store), so that the hosts of a fleet do not all log in at one moment.
    pub fn refresh_ahead(mut self, on: bool) -> Self {
        self.refresh_ahead = Some(on);
        self
    }

    /// Logs in even while a cool-down noted by this or another process lasts. For a person who knows that the limit
    /// is over; a program that sets this lengthens the lock-out for every client behind its IP address.
    pub fn ignore_cool_down(mut self, on: bool) -> Self {
        self.ignore_cool_down = on;
        self
    }

    /// Sets a two-factor code. It is used for one login request: each code is accepted once, so a failed login is not
    /// retried with it.
    pub fn totp(mut self, code: impl Into<String>) -> Self {
        self.totp = Some(Totp::once(SecretString::from(code.into())));
        self
    }

    /// Sets a callback that returns two-factor codes. It is called for each login request that is sent, retries
    /// included, because a code is accepted once. It must not call this client.
    pub fn totp_with(mut self, code: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.totp = Some(Totp::Ask(Arc::new(code)));
        self
    }

    /// Sends all requests through this proxy, in place of the one that the environment names: `http://host:port`,
    /// `https://…`, `socks5h://…` (the proxy resolves names), `socks5://…`, `socks4a://…` or `socks4://…`.
    ///
    /// Unless set, `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` (or their lowercase forms) name the proxy, and
    /// `NO_PROXY` the exceptions, separated by commas: `*`, hosts (including their subdomains), `host:port`,
    /// addresses and ranges like `10.0.0.0/8`. Requests to this machine never use such a proxy.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Trusts the certificate authorities in this PEM file in addition to the system's. The file is read by
    /// [`build`](Self::build).
    ///
    /// The system's authorities come from its store; with the feature `rustls` on Linux, `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name others in their place.
    ///
    /// ```no_run
    /// # fn main() -> colony_async::Result<()> {
    /// let client = colony_async::Client::builder("col_example").ca_file("/etc/ssl/corp-ca.pem").build()?;
    /// # Ok(()) }
    /// ```
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificates.authorities = Some(path.into());
        self
    }

    /// Presents this certificate to servers that request one. Both files are PEM and are read by
    /// [`build`](Self::build): the certificate with its chain, and its key, which can be in the same file.
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.certificates.own = Some((certificate.into(), key.into()));
        self
    }

    /// Sets whether plain HTTP to another machine is refused, with [`ErrorKind::Config`]. Off unless set here or by
    /// `COLONY_HTTPS_ONLY` = `1`, `true` or `yes`; when off, the first such request is reported as a `tracing`
    /// warning with the target `colony::http`. Loopback addresses are always allowed.
    ///
    /// ```
    /// let refused = colony_async::Client::builder("col_example")
    ///     .base_url("http://colony.example/api/v1")
    ///     .https_only(true)
    ///     .build();
    /// assert!(refused.is_err());
    /// ```
    pub fn https_only(mut self, on: bool) -> Self {
        self.https_only = on;
        self
    }

    /// Sets the `User-Agent` header.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// Uses this HTTP client, with its own proxy, TLS and connection settings.
    ///
    /// [`build`](Self::build) refuses [`proxy`](Self::proxy), [`connect_timeout`](Self::connect_timeout),
    /// [`ca_file`](Self::ca_file) and [`client_certificate`](Self::client_certificate) together with it, since they
    /// would have no effect. Its connections are shared by all runtimes: use it on one.
    ///
    /// It must follow no redirects (`redirect(Policy::none())`): reqwest's own policy would send a login's form to
    /// another host. A client that several SDK clients share should keep no idle connections
    /// (`pool_max_idle_per_host(0)`): a connection is driven by the blocking client or the login that opened it, and
    /// ends with it. A login whose connection ended is sent again.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Caches replies to GET for `ttl` and answers identical requests from the cache, without sending them. Off
    /// unless set; zero means off.
    ///
    /// Every write through this client (POST, PUT, PATCH, DELETE, uploads) empties the cache unless the server
    /// refused it (4xx), and so does forgetting the token (`refresh_token`). Writes by other clients are not seen
    /// before `ttl` has passed. Downloads and replies over 1 MiB are not cached. The cache holds at most 512 replies
    /// and 16 MiB. See [`Http::clear_response_cache`](crate::Http::clear_response_cache).
    pub fn response_cache(mut self, ttl: Duration) -> Self {
        self.cache = (!ttl.is_zero()).then_some(ttl);
        self
    }

    /// Fails calls at once, with [`ErrorKind::Network`], after `threshold` calls in a row that ended without a reply
    /// or with a 5xx after their retries. After 30 s one call is let through; if it succeeds, the circuit closes. Off
    /// unless set; zero means off.
    pub fn circuit_breaker(mut self, threshold: u32) -> Self {
        self.breaker = Some(threshold);
        self
    }

    /// Calls this function with each request before it is sent; every try counts, logins included. It runs within the
    /// call, so it should be quick, and it must not call this client. Can be set several times.
    ///
    /// ```
    /// # fn main() -> colony_async::Result<()> {
    /// let client = colony_async::Client::builder("col_example")
    ///     .on_request(|request| println!("{} {}", request.method, request.url))
    ///     .on_response(|reply| println!("{} {}: {}", reply.method, reply.url, reply.status))
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn on_request(mut self, hook: impl Fn(&Outgoing<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.requests.push(Arc::new(hook));
        self
    }

    /// Calls this function with each reply, whatever its status. See [`on_request`](Self::on_request).
    pub fn on_response(mut self, hook: impl Fn(&Incoming<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.responses.push(Arc::new(hook));
        self
    }

    /// Uses this clock and its pauses. For tests.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Replies to every call from a script. No request is sent, no file is touched, and pauses take no time. For your
    /// own tests, see [`crate::testing`].
    #[cfg(feature = "testing")]
    pub fn script(mut self, script: &crate::testing::Script) -> Self {
        self.script = Some(script.clone());
        self.cache_token = false;
        self.timer(crate::testing::NoPauses)
    }

    /// Builds the client. No request is sent and no file is touched.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the key, the base URL, the proxy or the user agent cannot be used.
    pub fn build(self) -> Result<Client<C>> {
        tls::install_tls_provider();
        if let Some(problem) = self.policy.problem() {
            return Err(problem.clone());
        }
        let environment = cache_path::from_environment();
        for problem in &environment.problems {
            tracing::warn!(target: "colony::token", "{problem}");
        }
        let base_url =
            self.base_url.or(environment.base_url.clone()).unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
        let base_url = cache_path::normalise_base_url(&base_url).to_owned();
        let address = check_base_url(&base_url)?;
        if let Some(key) = &self.api_key {
            session::check_key(key)?;
        }
        let https_only = self.https_only || https_only_by_environment();
        if self.login_deadline.is_zero() {
            return Err(config(
                "login_deadline is zero, which leaves no time for a login; the default is 130 s",
            ));
        }
        let http = match self.http_client {
            Some(client) => {
                let without_effect = [
                    ("proxy", self.proxy.is_some()),
                    ("connect_timeout", self.connect_timeout.is_some()),
                    ("ca_file", self.certificates.authorities.is_some()),
                    ("client_certificate", self.certificates.own.is_some()),
                ];
                if let Some((name, _)) = without_effect.iter().find(|(_, is_set)| *is_set) {
                    return Err(config(format!(
                        "{name} has no effect on the client given with http_client: set it on that client"
                    )));
                }
                Connections::given(client, https_only, &address)?
            }
            None => {
                let settings = connections::Settings {
                    timeout: Some(self.timeout),
                    connect_timeout: self.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
                    proxy: self.proxy,
                    certificates: self.certificates,
                    https_only,
                    single_use: false,
                };
                Connections::new(settings, &address)?
            }
        };
        let name = self
            .user_agent
            .unwrap_or_else(|| format!("{}/{}", colony_core::CLIENT_NAME, env!("CARGO_PKG_VERSION")));
        let user_agent = HeaderValue::from_str(&name)
            .map_err(|_| config("the user agent cannot be sent in a header: use printable ASCII"))?;
        // Each client that a cloned builder makes is a separate owner.
        let owner = Owner::new();
        let notices = Arc::new(Notices::new(Hooks { owner, ..self.hooks }));
        let sender = Sender {
            http,
            base_url: base_url.clone(),
            base: address,
            timeout: self.timeout,
            max_reply_size: self.max_reply_size,
            in_flight: self
                .max_in_flight
                .map(|most| Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)))),
            user_agent,
            notices,
            timer: Arc::clone(&self.timer),
            #[cfg(feature = "testing")]
            script: self.script,
        };
        let ttl = self.token_cache_ttl.or(environment.ttl);
        let directories = match self.token_cache_dir {
            Some(directory) => Directories::explicit(directory),
            None => environment.directories(place::user()),
        };
        let is_off = !self.cache_token || environment.disabled || ttl == Some(Duration::ZERO);
        let url = environment.token_store(self.token_store.as_ref())?.filter(|_| !is_off);
        let has_file = url.as_ref().is_none_or(|url| url.file);
        let refresh_ahead = self.refresh_ahead.unwrap_or(url.is_some());
        #[cfg(feature = "redis")]
        let fleet = url.map(|url| {
            if url.password.is_some() && !url.tls && !url.is_loopback() {
                tracing::warn!(
                    target: "colony::token", store = %url,
                    "the token store's password is sent unencrypted; use rediss://"
                );
            }
            let fleet = match &self.engine {
                Some(engine) => Fleet::with_engine(url, engine(), &*self.timer),
                None => Fleet::new(url, &*self.timer),
            };
            Arc::new(fleet.of_version(self.store_version))
        });
        #[cfg(not(feature = "redis"))]
        session::warn_of_store(url.as_ref());
        let directory = match self.disk {
            _ if is_off || !has_file => None,
            // Another file system is not examined before it is used.
            Some(_) => directories.preferred,
            None => session::in_use(&directories, session::PROGRAM),
        };
        let disk = self.disk.unwrap_or_else(|| Arc::new(Real));
        let budgets = (!self.policy.is_unlimited())
            .then(|| Budgets::new(self.policy, self.state_dir, Arc::clone(&disk), Arc::clone(&self.timer)));
        let settings = Settings {
            base_url,
            directory,
            disk,
            ttl,
            refresh_ahead,
            ignore_cool_down: self.ignore_cool_down,
            login_deadline: self.login_deadline,
            lock_timeout: self.lock_timeout.unwrap_or(self.login_deadline.saturating_add(LOCK_GRACE)),
            owner,
            #[cfg(feature = "redis")]
            fleet,
        };
        let login = Login {
            sender: sender.clone(),
            retry: self.auth_retry.clone(),
            deadline: self.login_deadline,
            totp: self.totp,
            owner,
        };
        let seed = self.seed.map(|token| {
            let lifetime = Lifetime::in_hand(token.expose_secret(), unix(&*self.timer));
            CachedToken::new(token, lifetime)
        });
        let session = Session::new(self.api_key, settings.clone(), login, Arc::clone(&self.timer))
            .seeded(seed)
            .asking(self.ask_key);
        let session = Arc::new(session);
        let sources = Sources::new(
            Arc::clone(&session),
            settings,
            sender.clone(),
            self.auth_retry,
            Arc::clone(&self.timer),
        );
        C::over(Http::new(Shared {
            session,
            sources,
            sender,
            retry: self.retry,
            deadline: self.deadline,
            idempotent_writes: self.idempotent_writes,
            timer: self.timer,
            colonies: Colonies::default(),
            cache: self.cache.map(ResponseCache::new),
            breaker: self.breaker.and_then(Breaker::new),
            replacement: Replacement::default(),
            budgets,
        }))
        .map(Client::from_transport)
    }
}

/// The default time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

fn https_only_by_environment() -> bool {
    std::env::var("COLONY_HTTPS_ONLY")
        .is_ok_and(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes"))
}

fn check_base_url(base_url: &str) -> Result<Url> {
    if base_url.contains('@') {
        // It would travel in the header that the token needs. The message does not repeat it.
        return Err(config(
            "base_url holds a user name or password; the API key alone identifies the caller",
        ));
    }
    let address =
        crate::sender::address(base_url).filter(|url| url.query().is_none() && url.fragment().is_none());
    address.ok_or_else(|| {
        config(format!(
            "base_url {base_url:?} is not an http or https address with a host, like {DEFAULT_BASE_URL}"
        ))
    })
}

fn config(message: impl Into<String>) -> Error {
    Error::build(ErrorKind::Config, message).finish()
}

/// A transport that works over the async one: the async one itself, or a facade. It lets all clients share this
/// builder.
pub trait OverHttp: Transport {
    /// Wraps the async transport.
    ///
    /// # Errors
    ///
    /// When the facade cannot obtain a resource that it needs, such as a thread.
    fn over(http: Http) -> Result<Self>;
}

impl OverHttp for Http {
    fn over(http: Http) -> Result<Self> {
        Ok(http)
    }
}

/// Returns an address in a form that is safe to show, even one that [`check_base_url`] would refuse.
fn without_login(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, host)| host)
}

impl<C> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("base_url", &self.base_url.as_deref().map(without_login))
            .field("cache_token", &self.cache_token)
            .finish_non_exhaustive()
    }
}
