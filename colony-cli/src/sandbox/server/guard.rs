//! Decides which requests are served: not those from a web page, or under a foreign host name.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header};

use super::super::reply::Reply;

/// The host names that the server accepts.
///
/// A web page can send requests to loopback, and a host name that points to loopback makes them look like the page's
/// own (DNS rebinding). The headers `Origin` and `Host` reveal both.
pub(crate) struct Hosts {
    /// Whether the server listens on more than loopback: then any IP address is accepted.
    wide: bool,
    allowed: Vec<String>,
}

impl Hosts {
    pub(crate) fn new(listens_on: IpAddr, allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|name| host_of(name).to_ascii_lowercase()).collect();
        Self { wide: !listens_on.is_loopback(), allowed }
    }

    /// Returns the refusal of a request that must not be served.
    pub(crate) fn refusal(&self, uri: &Uri, headers: &HeaderMap) -> Option<Reply> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let host = text(header::HOST).or(uri.authority().map(|authority| authority.as_str()));
        let host = host.map(host_of);
        if let Some(host) = host
            && !self.is_own(host, self.wide)
        {
            let message = format!(
                "The sandbox answers to loopback names, not to {host:?}. `colony sandbox --allow-host {host}` allows it"
            );
            return Some(Reply::forbidden("HOST_NOT_ALLOWED", message));
        }
        let origin = text(header::ORIGIN)?;
        let from = origin.split_once("://").map_or("", |(_, rest)| host_of(rest));
        if Some(from) == host || self.is_own(from, false) {
            return None;
        }
        let message = format!("The sandbox takes no requests from web pages: this one comes from {origin:?}");
        Some(Reply::forbidden("ORIGIN_NOT_ALLOWED", message))
    }

    fn is_own(&self, host: &str, any_address: bool) -> bool {
        let host = host.to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<IpAddr>().is_ok_and(|address| any_address || address.is_loopback());
        address || host == "localhost" || host.ends_with(".localhost") || self.allowed.contains(&host)
    }
}

/// Returns a host without its port, and without a trailing dot.
fn host_of(authority: &str) -> &str {
    let end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    authority[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(hosts: &Hosts, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        hosts.refusal(&Uri::from_static("/posts"), &headers).is_some()
    }

    #[test]
    fn loopback_names_are_its_own() {
        let hosts = Hosts::new("127.0.0.1".parse().unwrap(), &["Colony".to_owned()]);
        for host in ["127.0.0.1:8000", "localhost", "LOCALHOST.:80", "[::1]:80", "a.localhost", "colony:8000"]
        {
            assert!(!refused(&hosts, host, None), "{host}");
        }
        for host in ["evil.example:8000", "192.0.2.1", "127.0.0.1.evil.example", "localhost.evil.example", ""]
        {
            assert!(refused(&hosts, host, None), "{host}");
        }
        let wide = Hosts::new("0.0.0.0".parse().unwrap(), &[]);
        assert!(!refused(&wide, "192.0.2.1:8000", None));
        assert!(refused(&wide, "evil.example", None));
    }

    #[test]
    fn pages_of_others_are_refused() {
        let hosts = Hosts::new("0.0.0.0".parse().unwrap(), &[]);
        for origin in ["http://evil.example", "null", "https://192.0.2.7", "http://127.0.0.1.evil.example"] {
            assert!(refused(&hosts, "127.0.0.1:8000", Some(origin)), "{origin}");
        }
        for origin in ["http://127.0.0.1:8000", "http://localhost:3000"] {
            assert!(!refused(&hosts, "127.0.0.1:8000", Some(origin)), "{origin}");
        }
        assert!(!refused(&hosts, "192.0.2.1:8000", Some("http://192.0.2.1:8000")), "its own page");
    }
}
