//! The proxy that the environment names for an address, as far as reqwest does not report it.
//!
//! reqwest itself reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and the system's settings, with `NO_PROXY`. This
//! module adds: an address on this machine uses no proxy, `NO_PROXY` can name a port, and a proxy that cannot be used
//! is an error instead of being ignored. For the rest of `NO_PROXY` it uses the same matcher as reqwest.

use std::{env, net::IpAddr};

use colony_core::{Error, ErrorKind, Result};
use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

const SOCKS: [&str; 4] = ["socks4", "socks4a", "socks5", "socks5h"];

/// The environment's proxy settings, read once.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    /// For `http` and `https` addresses: the variable and its value.
    http: Option<(&'static str, String)>,
    https: Option<(&'static str, String)>,
    /// `NO_PROXY`, if a proxy is named; and its entries that name a port.
    exceptions: Option<Matcher>,
    direct: Vec<(String, u16)>,
}

impl Proxies {
    pub(crate) fn from_environment() -> Self {
        Self::of(&|name| env::var(name).ok())
    }

    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        // A server may have derived the variable from a request's `Proxy` header.
        if variable("REQUEST_METHOD").is_some() {
            return Self::default();
        }
        let first = |names: [&'static str; 2]| {
            let (name, value) = names.iter().find_map(|name| Some((*name, variable(name)?)))?;
            (!value.trim().is_empty()).then_some((name, value))
        };
        let all = || first(["ALL_PROXY", "all_proxy"]);
        let exceptions = first(["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
        let with_port = |entry: &str| {
            let (host, port) = entry.trim().rsplit_once(':')?;
            let is_host = !host.contains(':') || host.starts_with('[') && host.ends_with(']');
            Some((host.to_ascii_lowercase(), port.parse().ok().filter(|_| is_host)?))
        };
        let http = first(["HTTP_PROXY", "http_proxy"]).or_else(all);
        let https = first(["HTTPS_PROXY", "https_proxy"]).or_else(all);
        let direct = exceptions.split(',').filter_map(with_port).collect();
        let matcher = || Matcher::builder().all("http://proxy.invalid").no(exceptions).build();
        let exceptions = (http.is_some() || https.is_some()).then(matcher);
        Self { http, https, exceptions, direct }
    }

    /// Returns whether requests to this address use no proxy, whatever is set.
    pub(crate) fn bypass(&self, url: &Url) -> bool {
        is_loopback(url)
            || self.direct.iter().any(|(host, port)| {
                url.port_or_known_default() == Some(*port)
                    && url.host_str().is_some_and(|own| is_within(own, host))
            })
    }

    /// Refuses a proxy that reqwest would silently ignore.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`]. The value is not shown: it may hold a password.
    pub(crate) fn check(&self, url: &Url) -> Result<()> {
        let Some((name, value)) = self.named(url) else { return Ok(()) };
        let scheme = value.split_once("://").map_or("http", |(scheme, _)| scheme);
        let known = is_http(scheme) || SOCKS.contains(&scheme);
        let problem = if !known {
            format!("names a proxy of the kind {scheme:?}")
        } else if is_address(value.trim()) {
            return Ok(());
        } else {
            "is not the address of a proxy".to_owned()
        };
        Err(Error::build(ErrorKind::Config, format!("{name} {problem}"))
            .hint(
                "Give http://host:port, https://…, socks5h:// (names are resolved by the proxy) or socks5://",
            )
            .finish())
    }

    /// Returns whether the connection to the proxy for this address uses TLS.
    pub(crate) fn over_tls(&self, url: &Url) -> bool {
        self.named(url).is_some_and(|(_, value)| is_https(value))
    }

    /// Returns the variable that names the proxy for this address, and the proxy in a form that is safe to show.
    pub(crate) fn told(&self, url: &Url) -> Option<String> {
        let (name, value) = self.named(url)?;
        Some(format!("{name}={}", without_login(value)))
    }

    /// Returns whether reqwest bypasses the proxy.
    fn is_exception(&self, url: &Url) -> bool {
        let passes =
            |matcher: &Matcher| url.as_str().parse().is_ok_and(|url| matcher.intercept(&url).is_none());
        self.exceptions.as_ref().is_some_and(passes)
    }

    fn named(&self, url: &Url) -> Option<&(&'static str, String)> {
        if self.bypass(url) || self.is_exception(url) {
            return None;
        }
        if url.scheme() == "https" { self.https.as_ref() } else { self.http.as_ref() }
    }
}

/// Returns the address of a proxy without the user's name and password.
pub(crate) fn without_login(proxy: &str) -> String {
    let (scheme, rest) = proxy.trim().split_once("://").unwrap_or(("http", proxy.trim()));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// Returns whether the text is an `https` address.
pub(crate) fn is_https(url: &str) -> bool {
    url.trim_start().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
}

/// Returns whether reqwest accepts the text as an address with a host; it would silently ignore any other.
fn is_address(value: &str) -> bool {
    let whole = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let has_host = Url::parse(&whole).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    has_host && value.parse::<http::Uri>().is_ok_and(|uri| uri.authority().is_some())
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Returns whether the address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

/// Returns whether the host is this one or below it, as `NO_PROXY` defines it.
fn is_within(own: &str, entry: &str) -> bool {
    let entry = entry.trim_start_matches("*.").trim_start_matches('.');
    entry == "*"
        || own == entry
        || own.strip_suffix(entry).is_some_and(|before| before.ends_with('.') && !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(values: &[(&str, &str)]) -> Proxies {
        Proxies::of(&|name| values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn this_machine_needs_no_proxy() {
        let none = proxies(&[]);
        for near in [
            "http://localhost/",
            "http://a.localhost:1/",
            "https://127.0.0.9/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(none.bypass(&url(near)), "{near}");
        }
        for far in ["http://localhost.example/", "http://128.0.0.1/", "http://[::2]/", "http://notlocalhost/"]
        {
            assert!(!none.bypass(&url(far)), "{far}");
        }
    }

    #[test]
    fn an_exception_may_name_a_port() {
        let found =
            proxies(&[("NO_PROXY", "a.example:8080, .b.example:443,[::5]:80,10.0.0.1:81,*:9,fe80::1")]);
        for direct in [
            "http://a.example:8080/",
            "http://sub.a.example:8080/",
            "https://sub.b.example/",
            "https://b.example/",
            "http://[::5]/",
            "http://10.0.0.1:81/",
            "http://any.example:9/",
        ] {
            assert!(found.bypass(&url(direct)), "{direct}");
        }
        for proxied in [
            "http://a.example/",
            "http://xa.example:8080/",
            "http://b.example/",
            "http://[::5]:81/",
            "http://10.0.0.1/",
        ] {
            assert!(!found.bypass(&url(proxied)), "{proxied}");
        }
    }

    #[test]
    fn an_exception_is_not_told_of_a_proxy_nor_refused_for_one() {
        for (exceptions, address) in [
            ("*", "https://far.example/"),
            ("b.example, far.example", "http://far.example/"),
            (".example", "http://far.example/"),
            ("10.0.0.0/8", "http://10.9.8.7/"),
            ("fd00::/8", "http://[fd01::2]:81/"),
        ] {
            let found = proxies(&[("ALL_PROXY", "nothing://of-use"), ("NO_PROXY", exceptions)]);
            let url = url(address);
            assert_eq!(found.told(&url), None, "{exceptions}");
            assert!(found.check(&url).is_ok(), "{exceptions}");
            assert!(found.check(&"http://elsewhere.test/".parse().unwrap()).is_err() || exceptions == "*");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused() {
        let far = url("http://far.example/");
        for usable in ["http://p:1", "p:1", "p", "https://p", "socks5h://u:secret@p:1", "HTTP://p", " ", ""] {
            assert!(proxies(&[("ALL_PROXY", usable)]).check(&far).is_ok(), "{usable}");
        }
        for useless in
            ["socks://secret@p:1", "SOCKS5://secret", "ftp://secret", "http://", "http://secret@:x"]
        {
            let found = proxies(&[("all_proxy", useless)]);
            let error = found.check(&far).unwrap_err();
            assert!(error.message().contains("all_proxy") && !error.message().contains("secret"), "{error}");
            assert!(found.check(&url("http://localhost/")).is_ok());
            assert!(proxies(&[("all_proxy", useless), ("HTTP_PROXY", "p:1")]).check(&far).is_ok());
        }
        let of_a_request = proxies(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://p")]);
        assert_eq!(of_a_request.told(&far), None);
        let told = proxies(&[("ALL_PROXY", "socks5h://user:secret@p:1")]).told(&far);
        assert_eq!(told.as_deref(), Some("ALL_PROXY=socks5h://p:1"));
        assert!(proxies(&[("https_proxy", "https://p")]).over_tls(&url("https://far.example/")));
    }
}
