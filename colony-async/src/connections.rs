//! The HTTP clients under this one.
//!
//! Loading the system's root certificates is by far the longest part of building an HTTP client: some
//! hundred files, milliseconds, and megabytes that stay. A client whose base URL is plain HTTP (a sandbox,
//! a test server, a proxy on the same host) does without until a call goes to an `https` address.

use std::{
    env,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use colony_core::{Error, ErrorKind, Result, token::cache_path};
use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
};

/// What decides how connections are made.
#[derive(Default)]
pub(crate) struct Settings {
    /// The time limit of a request; none where the program brought its own client.
    pub(crate) timeout: Option<Duration>,
    pub(crate) connect_timeout: Duration,
    pub(crate) proxy: Option<String>,
    /// For requests that must go out once at most: a connection for each, no redirects, and none of the
    /// repetitions that an HTTP client makes on its own account.
    pub(crate) single_use: bool,
}

/// Gives the HTTP client for an address, one for each runtime. Cloning shares everything.
///
/// A connection is driven by tasks of the runtime that opened it. On another runtime it would stand still
/// whenever the first one is not polled, and break when it ends. So each runtime has a pool of its own, which
/// is dropped with the runtime.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    settings: Settings,
    /// Names the settings without giving them away.
    fingerprint: String,
    /// Serves every runtime: a client of the program's own, or one that keeps no connections.
    shared: Option<reqwest::Client>,
    /// Whether plain HTTP has a client of its own, without certificates.
    splits: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Built ahead of the first call, which showed that the settings are good; the first runtime takes it.
    spare: Option<reqwest::Client>,
    pools: Vec<Pool>,
}

/// The clients of one runtime.
struct Pool {
    runtime: Id,
    plain: Option<reqwest::Client>,
    full: Option<reqwest::Client>,
    /// Ends the task that waits for the runtime's end.
    _watched: oneshot::Sender<()>,
}

impl Connections {
    /// Uses this client for everything.
    pub(crate) fn given(client: reqwest::Client) -> Self {
        // Nobody knows what it does with a request, so what comes of it concerns this process only.
        let fingerprint = format!("given {}", std::process::id());
        Self(Arc::new(Inner {
            settings: Settings::default(),
            fingerprint,
            shared: Some(client),
            splits: false,
            state: Mutex::default(),
        }))
    }

    /// Sets up what calls to this base URL need, so that wrong settings are told now and not then.
    pub(crate) fn new(settings: Settings, base_url: &str) -> Result<Self> {
        let fingerprint = settings.fingerprint();
        let splits = is_plain(base_url) && !proxied_over_tls(settings.proxy.as_deref());
        let first = build(&settings, !splits)?;
        // Without idle connections there is nothing that a runtime could leave behind.
        let (shared, spare) =
            if settings.single_use && !splits { (Some(first), None) } else { (None, Some(first)) };
        let state = Mutex::new(State { spare, pools: Vec::new() });
        Ok(Self(Arc::new(Inner { settings, fingerprint, shared, splits, state })))
    }

    /// Names the settings by which connections are made, the environment's included: processes with the same one reach
    /// a server or fail to together.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// Whether the clients end requests that take too long, so that the requests need no limit of their
    /// own, which would cost each an allocation or two.
    pub(crate) fn end_requests(&self) -> bool {
        self.0.settings.timeout.is_some()
    }

    /// The limit for opening a connection, where it is known.
    pub(crate) fn connect_timeout(&self) -> Option<Duration> {
        self.end_requests().then_some(self.0.settings.connect_timeout)
    }

    /// The client for this address on the current runtime.
    pub(crate) fn to(&self, url: &url::Url) -> Result<reqwest::Client> {
        if let Some(shared) = &self.0.shared {
            return Ok(shared.clone());
        }
        let runtime = Handle::try_current().map_err(|_| {
            Error::build(ErrorKind::Config, "a call was made outside of a tokio runtime")
                .hint("Run it on tokio, or use `colony_blocking`")
                .finish()
        })?;
        let plain = self.0.splits && url.scheme() == "http";
        let (client, ended) = self.0.pooled(runtime.id(), plain)?;
        // Not under the lock: a runtime that is ending drops the task, and with it the guard, at once.
        if let Some(ended) = ended {
            let guard = PoolGuard { inner: Arc::downgrade(&self.0), runtime: runtime.id() };
            runtime.spawn(async move {
                let _guard = guard;
                let _ = ended.await;
            });
        }
        Ok(client)
    }
}

impl Inner {
    /// The client of this runtime, and for a new pool what tells that it is no longer needed.
    fn pooled(&self, runtime: Id, plain: bool) -> Result<(reqwest::Client, Option<oneshot::Receiver<()>>)> {
        let mut state = self.lock();
        let State { spare, pools } = &mut *state;
        let (at, ended) = match pools.iter().position(|pool| pool.runtime == runtime) {
            Some(at) => (at, None),
            None => {
                let (watched, ended) = oneshot::channel();
                pools.push(Pool { runtime, plain: None, full: None, _watched: watched });
                (pools.len() - 1, Some(ended))
            }
        };
        let pool = &mut pools[at];
        let slot = if plain { &mut pool.plain } else { &mut pool.full };
        let client = match slot {
            Some(client) => client.clone(),
            None => {
                // The spare one is of the kind that the base URL needs.
                let ready = if plain == self.splits { spare.take() } else { None };
                let client = match ready {
                    Some(client) => client,
                    None => build(&self.settings, !plain)?,
                };
                slot.insert(client).clone()
            }
        };
        Ok((client, ended))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a runtime's pool when the runtime ends, which drops its tasks.
struct PoolGuard {
    inner: Weak<Inner>,
    runtime: Id,
}

impl Drop for PoolGuard {
    fn drop(&mut self) {
        let Some(inner) = self.inner.upgrade() else { return };
        let removed = {
            let mut state = inner.lock();
            let at = state.pools.iter().position(|pool| pool.runtime == self.runtime);
            at.map(|at| state.pools.swap_remove(at))
        };
        drop(removed);
    }
}

impl Settings {
    fn fingerprint(&self) -> String {
        let mut settings = vec![self.proxy.clone().unwrap_or_default()];
        let variables =
            ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"];
        for name in variables {
            settings.push(env::var(name).or_else(|_| env::var(name.to_lowercase())).unwrap_or_default());
        }
        // With their lengths, so that no two lists look alike.
        let text: String = settings.iter().map(|setting| format!("{}:{setting}", setting.len())).collect();
        cache_path::fingerprint(&text, "")
    }
}

fn is_plain(base_url: &str) -> bool {
    base_url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}

/// Whether a proxy is spoken to over TLS, which needs certificates whatever lies behind it.
fn proxied_over_tls(proxy: Option<&str>) -> bool {
    let over_tls = |url: &str| url.trim_start().get(..6).is_some_and(|s| s.eq_ignore_ascii_case("https:"));
    match proxy {
        Some(url) => over_tls(url),
        None => ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
            .iter()
            .any(|name| env::var(name).is_ok_and(|url| over_tls(&url))),
    }
}

fn build(settings: &Settings, with_certificates: bool) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(settings.connect_timeout)
        .redirect(reqwest::redirect::Policy::none());
    if settings.single_use {
        builder = builder.pool_max_idle_per_host(0).retry(reqwest::retry::never());
    }
    if let Some(limit) = settings.timeout {
        builder = builder.timeout(limit);
    }
    if !with_certificates {
        builder = without_certificates(builder);
    }
    if let Some(proxy) = &settings.proxy {
        let proxy = reqwest::Proxy::all(proxy).map_err(|error| {
            Error::build(ErrorKind::Config, "the proxy's URL cannot be used").source(error).finish()
        })?;
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| {
        Error::build(
            ErrorKind::Config,
            "the HTTP client cannot be built; check the TLS feature and proxy settings",
        )
        .source(error)
        .finish()
    })
}

/// Trusts nobody, so a connection over TLS that should not have come here fails.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn without_certificates(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.tls_certs_only([])
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn without_certificates(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(base_url: &str, proxy: Option<&str>) -> Connections {
        let settings = Settings {
            timeout: None,
            connect_timeout: Duration::from_secs(1),
            proxy: proxy.map(str::to_owned),
            single_use: false,
        };
        Connections::new(settings, base_url).expect("these settings are good")
    }

    fn has_full(connections: &Connections) -> bool {
        let state = connections.0.lock();
        !connections.0.splits && state.spare.is_some() || state.pools.iter().any(|pool| pool.full.is_some())
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn certificates_are_loaded_for_https_alone() {
        let runtime = runtime();
        let _inside = runtime.enter();
        let plain = connections("HTTP://127.0.0.1:8000/api/v1", Some("http://127.0.0.1:1"));
        plain.to(&"http://127.0.0.1:8000/x".parse().unwrap()).unwrap();
        assert!(!has_full(&plain));
        // A call that names another base is given what it needs.
        plain.to(&"https://host.example/x".parse().unwrap()).unwrap();
        assert!(has_full(&plain));

        assert!(has_full(&connections("https://host.example/api/v1", None)));
        let proxied = connections("http://127.0.0.1:8000/api/v1", Some("HTTPS://proxy.example"));
        assert!(has_full(&proxied));
    }

    #[test]
    fn a_pool_ends_with_its_runtime() {
        let all = connections("http://127.0.0.1:8000/api/v1", None);
        let pools = || all.0.lock().pools.len();
        let call = async || drop(all.to(&"http://127.0.0.1:8000/x".parse().unwrap()).unwrap());
        let (one, two) = (runtime(), runtime());
        for _ in 0..3 {
            one.block_on(call());
            two.block_on(call());
        }
        assert_eq!(pools(), 2);
        drop(one);
        assert_eq!(pools(), 1);
        drop(two);
        assert_eq!(pools(), 0);
        assert!(all.to(&"http://127.0.0.1:8000/x".parse().unwrap()).is_err());
    }

    #[test]
    fn a_client_that_was_given_serves_every_address() {
        let given = Connections::given(reqwest::Client::new());
        for url in ["http://host.example/", "https://host.example/"] {
            assert!(given.to(&url.parse().unwrap()).is_ok());
        }
    }
}
