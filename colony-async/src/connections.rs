//! The HTTP clients under this one.
//!
//! Loading the system's root certificates is by far the longest part of building an HTTP client: some
//! hundred files, milliseconds, and megabytes that stay. A client whose base URL is plain HTTP (a sandbox,
//! a test server, a proxy on the same host) does without until a call goes to an `https` address.

use std::{
    env,
    sync::{Arc, OnceLock},
    time::Duration,
};

use colony_core::{Error, ErrorKind, Result};

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

/// Gives the HTTP client for an address. Cloning shares everything.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    settings: Settings,
    /// For plain HTTP, where that is set up apart.
    plain: Option<reqwest::Client>,
    /// For everything else.
    full: OnceLock<reqwest::Client>,
}

impl Connections {
    /// Uses this client for everything.
    pub(crate) fn given(client: reqwest::Client) -> Self {
        Self(Arc::new(Inner { settings: Settings::default(), plain: None, full: OnceLock::from(client) }))
    }

    /// Sets up what calls to this base URL need, so that wrong settings are told now and not then.
    pub(crate) fn new(settings: Settings, base_url: &str) -> Result<Self> {
        let inner = if is_plain(base_url) && !proxied_over_tls(settings.proxy.as_deref()) {
            Inner { plain: Some(build(&settings, false)?), full: OnceLock::new(), settings }
        } else {
            Inner { plain: None, full: OnceLock::from(build(&settings, true)?), settings }
        };
        Ok(Self(Arc::new(inner)))
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

    /// The client for this address.
    pub(crate) fn to(&self, url: &url::Url) -> Result<&reqwest::Client> {
        match &self.0.plain {
            Some(plain) if url.scheme() == "http" => Ok(plain),
            _ => match self.0.full.get() {
                Some(full) => Ok(full),
                // Two tasks may both build one here; the first is kept.
                None => {
                    let client = build(&self.0.settings, true)?;
                    Ok(self.0.full.get_or_init(|| client))
                }
            },
        }
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
        builder = builder
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never());
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

    #[test]
    fn certificates_are_loaded_for_https_alone() {
        let plain = connections("HTTP://127.0.0.1:8000/api/v1", Some("http://127.0.0.1:1"));
        plain.to(&"http://127.0.0.1:8000/x".parse().unwrap()).unwrap();
        assert!(plain.0.full.get().is_none());
        // A call that names another base is given what it needs.
        plain.to(&"https://host.example/x".parse().unwrap()).unwrap();
        assert!(plain.0.full.get().is_some());

        assert!(connections("https://host.example/api/v1", None).0.full.get().is_some());
        let proxied = connections("http://127.0.0.1:8000/api/v1", Some("HTTPS://proxy.example"));
        assert!(proxied.0.plain.is_none());
    }

    #[test]
    fn a_client_that_was_given_serves_every_address() {
        let given = Connections::given(reqwest::Client::new());
        for url in ["http://host.example/", "https://host.example/"] {
            assert!(given.to(&url.parse().unwrap()).is_ok());
        }
    }
}
