//! The underlying HTTP clients.
//!
//! Loading the system's root certificates is by far the longest part of building an HTTP client: some hundred files,
//! milliseconds, and megabytes that stay in memory. A client whose base URL is plain HTTP (a sandbox, a test server,
//! a proxy on the same host) does not load them until a call goes to an `https` address.

use std::{
    env,
    net::ToSocketAddrs as _,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use colony_core::{Error, ErrorKind, Result, token::cache_path};
use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
};
use url::Url;

use crate::{
    proxies::{self, Proxies},
    tls::{Certificates, Tls},
};

/// The settings of connections.
#[derive(Default)]
pub(crate) struct Settings {
    /// The time limit of a request; `None` if the program brought its own client.
    pub(crate) timeout: Option<Duration>,
    pub(crate) connect_timeout: Duration,
    /// A proxy in place of the environment's.
    pub(crate) proxy: Option<String>,
    pub(crate) certificates: Certificates,
    /// Refuses plain HTTP to other machines.
    pub(crate) https_only: bool,
    /// For requests that must be sent at most once: a new connection for each, no redirects, and no automatic retries
    /// by the HTTP client.
    pub(crate) single_use: bool,
}

/// Returns the HTTP client for an address, one for each runtime. Cloning shares everything.
///
/// A connection is driven by tasks of the runtime that opened it. On another runtime it would stand still
/// whenever the first one is not polled, and break when it ends. So each runtime has a pool of its own, which
/// is dropped with the runtime.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    settings: Settings,
    /// Identifies the settings without revealing them.
    fingerprint: String,
    /// Used on every runtime: a client of the program's own, or one that keeps no connections.
    shared: Option<reqwest::Client>,
    /// Whether plain HTTP has a separate client, without certificates.
    splits: bool,
    /// The environment's proxies, used if the settings name none.
    proxies: Proxies,
    /// Loaded once for all runtimes.
    tls: OnceLock<Tls>,
    /// Whether a warning was logged that a key goes over plain HTTP.
    warned: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Built before the first call, to check the settings; the first runtime takes it.
    spare: Option<(Kind, reqwest::Client)>,
    pools: Vec<Pool>,
}

/// The purpose of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// Without certificates.
    plain: bool,
    /// Without the environment's proxy.
    direct: bool,
}

/// The clients of one runtime.
struct Pool {
    runtime: Id,
    clients: Vec<(Kind, reqwest::Client)>,
    /// Ends the task that waits for the runtime's end.
    _watched: oneshot::Sender<()>,
}

impl Connections {
    /// Creates connections that use this client for everything.
    pub(crate) fn given(client: reqwest::Client, https_only: bool, base_url: &Url) -> Result<Self> {
        let settings = Settings { https_only, ..Settings::default() };
        // This client's handling of requests is unknown, so its outcomes concern this process only.
        let fingerprint = format!("given {}", std::process::id());
        let inner = Inner { shared: Some(client), fingerprint, ..Inner::new(settings, false) };
        inner.refuse_plain(base_url)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Sets up what calls to this base URL need, so that wrong settings fail now and not at the first call.
    pub(crate) fn new(settings: Settings, base_url: &Url) -> Result<Self> {
        let over_tls = match &settings.proxy {
            Some(proxy) => proxies::is_https(proxy),
            None => Proxies::from_environment().over_tls(base_url),
        };
        let mut inner = Inner::new(settings, base_url.scheme() == "http" && !over_tls);
        inner.refuse_plain(base_url)?;
        let kind = inner.kind(base_url)?;
        let first = inner.build(kind)?;
        // Without idle connections, a runtime can leave nothing behind.
        if inner.settings.single_use && !inner.splits {
            inner.shared = Some(first);
        } else {
            inner.lock().spare = Some((kind, first));
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Returns an id of the connection settings, including the environment's: processes with the same id reach a
    /// server or fail to together.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// Returns whether the clients themselves end requests that take too long. The requests then need no limit of
    /// their own, which would cost an allocation or two each.
    pub(crate) fn end_requests(&self) -> bool {
        self.0.settings.timeout.is_some()
    }

    /// Returns the proxy that requests to this address go through, in a form that is safe to show.
    pub(crate) fn proxy_of(&self, url: &Url) -> Option<String> {
        match &self.0.settings.proxy {
            Some(proxy) => Some(proxies::without_login(proxy)),
            None if self.0.shared.is_some() => None,
            None => self.0.proxies.told(url),
        }
    }

    /// Returns the time limit for opening a connection, if known.
    pub(crate) fn connect_timeout(&self) -> Option<Duration> {
        self.end_requests().then_some(self.0.settings.connect_timeout)
    }

    /// Returns the client for this address on the current runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an address that the settings refuse, and outside of a runtime.
    pub(crate) fn to(&self, url: &Url) -> Result<reqwest::Client> {
        self.0.check_plain(url)?;
        if let Some(shared) = &self.0.shared {
            return Ok(shared.clone());
        }
        let kind = self.0.kind(url)?;
        let runtime = Handle::try_current().map_err(|_| {
            Error::build(ErrorKind::Config, "a call was made outside of a tokio runtime")
                .hint("Run it on tokio, or use `colony_blocking`")
                .finish()
        })?;
        let (client, ended) = self.0.pooled(runtime.id(), kind)?;
        // Without holding the lock: a runtime that is ending drops the task, and with it the guard, at once.
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
    fn new(settings: Settings, splits: bool) -> Self {
        let fingerprint = settings.fingerprint();
        Self {
            proxies: if settings.proxy.is_none() { Proxies::from_environment() } else { Proxies::default() },
            settings,
            fingerprint,
            shared: None,
            splits,
            tls: OnceLock::new(),
            warned: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Refuses plain HTTP to another machine, which reveals the key on the network, if only HTTPS is allowed.
    fn refuse_plain(&self, url: &Url) -> Result<()> {
        if !self.settings.https_only || is_private(url) {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        Err(Error::build(
            ErrorKind::Config,
            format!("plain http to {host} is refused: only https is allowed"),
        )
        .hint("Use an https address; the rule is `https_only`, or COLONY_HTTPS_ONLY in the environment")
        .finish())
    }

    /// As [`refuse_plain`](Self::refuse_plain), with a warning if plain HTTP is allowed.
    fn check_plain(&self, url: &Url) -> Result<()> {
        self.refuse_plain(url)?;
        if !is_private(url) && !self.warned.swap(true, Ordering::Relaxed) {
            let host = url.host_str().unwrap_or_default();
            tracing::warn!(
                target: "colony::http", event = "plain_http", host,
                "keys and tokens go to {host} unencrypted; use https, and `https_only` or COLONY_HTTPS_ONLY=1 to be sure"
            );
        }
        Ok(())
    }

    fn kind(&self, url: &Url) -> Result<Kind> {
        let direct = self.settings.proxy.is_none() && self.proxies.bypass(url);
        if !direct {
            self.proxies.check(url)?;
        }
        Ok(Kind { plain: self.splits && url.scheme() == "http" && !self.proxies.over_tls(url), direct })
    }

    /// Returns the client of this runtime, and for a new pool a receiver that reports when it is no longer needed.
    fn pooled(&self, runtime: Id, kind: Kind) -> Result<(reqwest::Client, Option<oneshot::Receiver<()>>)> {
        let mut state = self.lock();
        let State { spare, pools } = &mut *state;
        let (at, ended) = match pools.iter().position(|pool| pool.runtime == runtime) {
            Some(at) => (at, None),
            None => {
                let (watched, ended) = oneshot::channel();
                pools.push(Pool { runtime, clients: Vec::new(), _watched: watched });
                (pools.len() - 1, Some(ended))
            }
        };
        let clients = &mut pools[at].clients;
        let found = clients.iter().find(|(of, _)| *of == kind).map(|(_, client)| client.clone());
        let client = match found {
            Some(client) => client,
            None => {
                let client = match spare.take_if(|(of, _)| *of == kind) {
                    Some((_, client)) => client,
                    None => self.build(kind)?,
                };
                clients.push((kind, client.clone()));
                client
            }
        };
        Ok((client, ended))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, kind: Kind) -> Result<reqwest::Client> {
        let settings = &self.settings;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            .dns_resolver(Arc::new(Resolver))
            .redirect(reqwest::redirect::Policy::none());
        if settings.single_use {
            builder = builder.pool_max_idle_per_host(0).retry(reqwest::retry::never());
        }
        if let Some(limit) = settings.timeout {
            builder = builder.timeout(limit);
        }
        builder = if kind.plain { Tls::none()?.apply(builder) } else { self.tls()?.apply(builder) };
        if kind.direct {
            builder = builder.no_proxy();
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

    fn tls(&self) -> Result<&Tls> {
        match self.tls.get() {
            Some(tls) => Ok(tls),
            None => {
                let loaded = Tls::load(&self.settings.certificates)?;
                Ok(self.tls.get_or_init(|| loaded))
            }
        }
    }
}

/// Returns whether requests to this address cannot be read on the network.
fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || proxies::is_loopback(url)
}

/// Resolves names on separate threads: the caller's may all be waiting for this very call.
struct Resolver;

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            let look_up = move || drop(sender.send((name.as_str(), 0).to_socket_addrs()));
            thread::Builder::new().name("colony-dns".to_owned()).spawn(look_up)?;
            Ok(Box::new(receiver.await??) as reqwest::dns::Addrs)
        })
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
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string()).unwrap_or_default();
        let mut settings = vec![
            self.proxy.clone().unwrap_or_default(),
            path(self.certificates.authorities.as_ref()),
            path(self.certificates.own.as_ref().map(|(certificate, _)| certificate)),
        ];
        let variables =
            ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"];
        for name in variables {
            settings.push(env::var(name).or_else(|_| env::var(name.to_lowercase())).unwrap_or_default());
        }
        // Lengths are included so that no two lists look alike.
        let text: String = settings.iter().map(|setting| format!("{}:{setting}", setting.len())).collect();
        cache_path::fingerprint(&text, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(base_url: &str, proxy: Option<&str>) -> Connections {
        let settings = Settings {
            connect_timeout: Duration::from_secs(1),
            proxy: proxy.map(str::to_owned),
            ..Settings::default()
        };
        Connections::new(settings, &base_url.parse().unwrap()).expect("these settings are good")
    }

    fn has_full(connections: &Connections) -> bool {
        connections.0.tls.get().is_some()
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
        // A call to another base URL gets the client that it needs.
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
        crate::install_tls_provider();
        let base_url = "http://host.example/".parse().unwrap();
        let given = Connections::given(reqwest::Client::new(), false, &base_url).unwrap();
        for url in ["http://host.example/", "https://host.example/"] {
            assert!(given.to(&url.parse().unwrap()).is_ok());
        }
    }
}
