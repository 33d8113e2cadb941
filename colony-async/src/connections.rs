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

use colony_core::{Error, ErrorKind, Result, token::cache_path};

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
    /// Names the settings without giving them away.
    fingerprint: String,
    /// For plain HTTP, where that is set up apart.
    plain: Option<reqwest::Client>,
    /// For everything else.
    full: OnceLock<reqwest::Client>,
}

impl Connections {
    /// Uses this client for everything.
    pub(crate) fn given(client: reqwest::Client) -> Self {
        // Nobody knows what it does with a request, so what comes of it concerns this process only.
        let fingerprint = format!("given {}", std::process::id());
        Self(Arc::new(Inner {
            settings: Settings::default(),
            fingerprint,
            plain: None,
            full: OnceLock::from(client),
        }))
    }

    /// Sets up what calls to this base URL need, so that wrong settings are told now and not then.
    pub(crate) fn new(settings: Settings, base_url: &str) -> Result<Self> {
        let fingerprint = settings.fingerprint();
        let inner = if is_plain(base_url) && !proxied_over_tls(settings.proxy.as_deref()) {
            Inner { plain: Some(build(&settings, false)?), full: OnceLock::new(), fingerprint, settings }
        } else {
            Inner { plain: None, full: OnceLock::from(build(&settings, true)?), fingerprint, settings }
        };
        Ok(Self(Arc::new(inner)))
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
        .redirect(same_origin_redirects());
    if settings.single_use {
        builder = builder
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
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

/// Follows a redirect to the same scheme, host and port, five at most. A reply that points elsewhere is
/// given as it is: the token is for this server, and a downgrade to `http` is not followed.
fn same_origin_redirects() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        if same && attempt.previous().len() <= 5 { attempt.follow() } else { attempt.stop() }
    })
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
