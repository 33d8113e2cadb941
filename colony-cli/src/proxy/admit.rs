//! Decides whether a request is let through, before anything is sent.
//!
//! hyper has parsed the request by then, and refuses invalid HTTP. This module checks the destination: a request goes
//! to the one origin, below its base path, or is refused.

use std::{io, net::SocketAddr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts};
use percent_encoding::percent_decode;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::Allow;

/// The most layers of encoding that are removed from a path.
const MOST_ENCODINGS: usize = 4;
/// Let through only if an [`Allow`] names it: its response contains a new key, and it ends the login's own key.
const ROTATE_KEY: &str = "/auth/rotate-key";
/// Answered by the proxy: a client that logs in first needs no key, and no key of its own leaves this machine.
const LOGIN: &str = "/auth/token";

/// The rules of a proxy.
pub(super) struct Gate {
    /// The destination of requests, without a slash at the end of its path.
    pub(super) base: Url,
    pub(super) allow: Vec<Allow>,
    /// Whether the proxy answers [`LOGIN`].
    pub(super) answers_login: bool,
    pub(super) door: Door,
}

/// How callers connect.
pub(super) enum Door {
    /// Through a socket file, whose mode restricts access.
    Private,
    /// Through a port that every user of this machine can reach.
    Port { own: Vec<String>, word: Word },
}

/// The secret that callers send, so that other users of the machine get no access.
pub(super) struct Word {
    secret: SecretString,
    hash: [u8; 32],
}

/// A request that is let through.
#[derive(Debug)]
pub(super) enum Admitted {
    /// A request to this address; the path is the part below the base URL.
    Forward { url: Url, path: String },
    /// A login by the caller.
    Login,
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Word {
    /// Returns a new word of 256 bits.
    ///
    /// # Errors
    ///
    /// If the system provides no random numbers.
    pub(super) fn draw() -> io::Result<Self> {
        let mut bits = [0; 32];
        SystemRandom::new()
            .fill(&mut bits)
            .map_err(|_| io::Error::other("the system provides no random numbers"))?;
        let text = BASE64_URL_SAFE_NO_PAD.encode(bits);
        Ok(Self { hash: Sha256::digest(&text).into(), secret: text.into() })
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Compares hashes, so that the duration reveals nothing about the word.
    fn is(&self, text: &[u8]) -> bool {
        <[u8; 32]>::from(Sha256::digest(text)) == self.hash
    }
}

impl Door {
    /// Returns the rules of a port at this address, with a new word.
    ///
    /// # Errors
    ///
    /// As [`Word::draw`].
    pub(super) fn port(address: SocketAddr) -> io::Result<Self> {
        let own = vec![address.to_string(), format!("localhost:{}", address.port())];
        Ok(Self::Port { own, word: Word::draw()? })
    }
}

impl Gate {
    /// Decides about a request.
    ///
    /// # Errors
    ///
    /// Why the request is refused, with the status of the response.
    pub(super) fn admit(&self, request: &Parts) -> Result<Admitted, Refusal> {
        let Parts { method, uri, headers, .. } = request;
        if matches!(*method, Method::CONNECT | Method::TRACE) {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "this proxy opens no tunnels and sends no traces");
        }
        self.check_address(uri, headers)?;
        if headers.contains_key(header::CONTENT_LENGTH) && headers.contains_key(header::TRANSFER_ENCODING) {
            return refuse(StatusCode::BAD_REQUEST, "the body has two lengths");
        }
        // An offer of HTTP/2 can be ignored (RFC 9110, section 7.8); other protocols are not supported here.
        if headers.get_all(header::UPGRADE).iter().any(|protocol| protocol != "h2c") {
            return refuse(StatusCode::NOT_IMPLEMENTED, "this proxy upgrades no connections");
        }
        let path = self.check_word(uri.path(), headers)?;
        let Some(plain) = plain(path).filter(|_| path.starts_with('/')) else {
            return refuse(StatusCode::BAD_REQUEST, "the path has `..`, a backslash or control characters");
        };
        let base = self.base.path().trim_end_matches('/');
        let below = path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let path = below.unwrap_or(path);
        let is = |other: &str| {
            plain == other.as_bytes() || plain.strip_prefix(base.as_bytes()) == Some(other.as_bytes())
        };
        if self.answers_login && *method == Method::POST && is(LOGIN) {
            return Ok(Admitted::Login);
        }
        let is_rotation = self.answers_login && is(ROTATE_KEY);
        if !self.allows(method, path, is_rotation) {
            let message = format!("{method} {path} is not among what --allow names");
            return refuse(StatusCode::FORBIDDEN, message);
        }
        let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let url = Url::parse(&format!("{}{base}{path}{query}", self.base.origin().ascii_serialization()));
        match url {
            // The checked address must be the one that is sent: the URL parser may normalize differently.
            Ok(url) if url.origin() == self.base.origin() && url.path().starts_with(base) => {
                Ok(Admitted::Forward { path: path.to_owned(), url })
            }
            _ => refuse(StatusCode::BAD_REQUEST, "the path is invalid"),
        }
    }

    fn allows(&self, method: &Method, path: &str, is_rotation: bool) -> bool {
        self.allow.is_empty() && !is_rotation || self.allow.iter().any(|allow| allow.passes(method, path))
    }

    /// Refuses a request that names a server other than this proxy, or names the origin by its full address.
    fn check_address(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
        let (Some(host), None) = (host, hosts.next()) else {
            return refuse(StatusCode::BAD_REQUEST, "the request needs one Host");
        };
        let is_own = |name: &str| match &self.door {
            Door::Private => true,
            Door::Port { own, .. } => own.iter().any(|own| own == name),
        };
        match (uri.scheme_str(), uri.authority()) {
            (None, None) if is_own(&host) => Ok(()),
            (None, None) => refuse(
                StatusCode::MISDIRECTED_REQUEST,
                format!("this proxy does not answer to the host {host:?}"),
            ),
            (Some(scheme), Some(authority)) => {
                let authority = authority.as_str().to_ascii_lowercase();
                let to_self =
                    scheme == "http" && matches!(self.door, Door::Port { .. }) && is_own(&authority);
                if host == authority && (to_self || self.is_origin(scheme, &authority)) {
                    return Ok(());
                }
                let origin = self.base.origin().ascii_serialization();
                refuse(StatusCode::FORBIDDEN, format!("this proxy forwards to {origin} and nowhere else"))
            }
            _ => refuse(StatusCode::BAD_REQUEST, "the request's address is invalid"),
        }
    }

    fn is_origin(&self, scheme: &str, authority: &str) -> bool {
        // A name or password in an address would make it look like another host's.
        !authority.contains('@')
            && Url::parse(&format!("{scheme}://{authority}/"))
                .is_ok_and(|url| url.origin() == self.base.origin())
    }

    /// Returns the path without the word, after checking the word there or in the `Authorization` header.
    fn check_word<'p>(&self, path: &'p str, headers: &HeaderMap) -> Result<&'p str, Refusal> {
        let Door::Port { word, .. } = &self.door else { return Ok(path) };
        let rest = path.strip_prefix('/').unwrap_or_default();
        let end = rest.find('/').unwrap_or(rest.len());
        if word.is(&rest.as_bytes()[..end]) {
            return Ok(if end == rest.len() { "/" } else { &rest[end..] });
        }
        let shown = headers.get(header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let shown = shown.and_then(|value| value.split_at_checked(7));
        match shown {
            Some((scheme, shown)) if scheme.eq_ignore_ascii_case(b"bearer ") && word.is(shown) => Ok(path),
            _ => refuse(
                StatusCode::UNAUTHORIZED,
                "show this proxy's word, in the path as it printed it or as `Authorization: Bearer WORD`",
            ),
        }
    }
}

fn refuse<T>(status: StatusCode, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status, message: message.into() })
}

/// Returns the path as a server may read it: decoded, with single slashes, without a trailing one. `None` for a path
/// that may lead elsewhere: by dot segments, a backslash, control characters, or any of these encoded, even more than
/// once.
fn plain(path: &str) -> Option<Vec<u8>> {
    let mut text = path.as_bytes().to_vec();
    for _ in 0..MOST_ENCODINGS {
        let is_dots = |segment: &[u8]| {
            // Some servers do not count the text after a semicolon as part of the name.
            let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
            matches!(name, b"." | b"..")
        };
        if text.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\')
            || text.split(|byte| *byte == b'/').any(is_dots)
        {
            return None;
        }
        let decoded: Vec<u8> = percent_decode(&text).collect();
        if decoded == text {
            let names = text.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
            return Some(names.flat_map(|name| [b"/", name].concat()).collect());
        }
        text = decoded;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "a-word";

    fn gate(door: Door, allow: &[&str]) -> Gate {
        Gate {
            base: "https://colony.example/api/v1".parse().expect("an address"),
            allow: allow.iter().map(|text| text.parse().expect("a pattern")).collect(),
            answers_login: true,
            door,
        }
    }

    fn port() -> Door {
        let word = Word { secret: WORD.into(), hash: Sha256::digest(WORD).into() };
        Door::Port { own: vec!["127.0.0.1:4000".to_owned(), "localhost:4000".to_owned()], word }
    }

    fn ask(gate: &Gate, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<String, u16> {
        let mut request = http::Request::builder().method(method).uri(uri);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:4000");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        match gate.admit(&parts) {
            Ok(Admitted::Forward { url, .. }) => Ok(url.into()),
            Ok(Admitted::Login) => Ok("login".to_owned()),
            Err(refusal) => Err(refusal.status.as_u16()),
        }
    }

    #[test]
    fn a_path_stays_below_the_base() {
        let gate = gate(Door::Private, &[]);
        for (path, goes_to) in [
            ("/posts?limit=3", "posts?limit=3"),
            ("/api/v1/posts?x=/../y", "posts?x=/../y"),
            ("/a%2Fb/...", "a%2Fb/..."),
            ("/api/v10", "api/v10"),
            ("//evil.example/x", "/evil.example/x"),
            ("/@evil.example", "@evil.example"),
        ] {
            let expected = format!("https://colony.example/api/v1/{goes_to}");
            assert_eq!(ask(&gate, "GET", path, &[]), Ok(expected), "{path}");
        }
        for path in [
            "/../x",
            "/api/v1/../../x",
            "/posts/..",
            "/posts/%2e%2E/x",
            "/posts/.%2e",
            "/posts/%252e%252e/x",
            "/posts/..%2f..%2fx",
            "/posts/%2e%2e%5cx",
            "/posts/..;/x",
            "/posts/./x",
            "/a%0d%0aHost:%20evil.example",
            "/a%00",
            "/%25252525252e",
        ] {
            assert_eq!(ask(&gate, "GET", path, &[]), Err(400), "{path}");
        }
    }

    #[test]
    fn no_other_server_is_reached() {
        let gate = gate(Door::Private, &[]);
        let origin = [("host", "colony.example")];
        assert!(ask(&gate, "GET", "https://colony.example/api/v1/posts", &origin).is_ok());
        assert!(
            ask(&gate, "GET", "https://colony.example:443/posts", &[("host", "colony.example:443")]).is_ok()
        );
        for uri in [
            "https://evil.example/posts",
            "http://colony.example/posts",
            "https://colony.example:444/posts",
            "https://colony.example@evil.example/posts",
            "https://evil.example@colony.example/posts",
            "ftp://colony.example/posts",
        ] {
            let authority = uri.split('/').nth(2).expect("an authority");
            assert_eq!(ask(&gate, "GET", uri, &[("host", authority)]), Err(403), "{uri}");
            assert_eq!(ask(&gate, "GET", uri, &origin), Err(403), "{uri}");
        }
        assert_eq!(ask(&gate, "CONNECT", "colony.example:443", &[]), Err(405));
        assert_eq!(ask(&gate, "TRACE", "/posts", &[]), Err(405));
        assert_eq!(ask(&gate, "GET", "/posts", &[("host", "a"), ("host", "a")]), Err(400));
        assert_eq!(ask(&gate, "GET", "/stream", &[("upgrade", "websocket")]), Err(501));
        assert!(ask(&gate, "GET", "/posts", &[("upgrade", "h2c")]).is_ok());
        let lengths = [("content-length", "3"), ("transfer-encoding", "chunked")];
        assert_eq!(ask(&gate, "POST", "/posts", &lengths), Err(400));
    }

    #[test]
    fn a_port_wants_its_word_and_its_name() {
        let gate = gate(port(), &[]);
        assert_eq!(ask(&gate, "GET", "/posts", &[]), Err(401));
        assert_eq!(ask(&gate, "GET", "/another-word/posts", &[]), Err(401));
        assert_eq!(ask(&gate, "GET", "/posts", &[("authorization", "Bearer another")]), Err(401));
        assert_eq!(ask(&gate, "GET", "/posts", &[("authorization", "Basic a-word")]), Err(401));
        let expected = || Ok("https://colony.example/api/v1/posts".to_owned());
        assert_eq!(ask(&gate, "GET", "/posts", &[("authorization", "bearer a-word")]), expected());
        assert_eq!(ask(&gate, "GET", "/a-word/posts", &[]), expected());
        assert_eq!(ask(&gate, "GET", "/a-word/api/v1/posts", &[("host", "LOCALHOST:4000")]), expected());
        for host in ["evil.example", "127.0.0.1", "127.0.0.1:4001", "colony.example", ""] {
            assert_eq!(ask(&gate, "GET", "/a-word/posts", &[("host", host)]), Err(421), "{host}");
        }
        let own = "http://127.0.0.1:4000/a-word/posts";
        assert_eq!(ask(&gate, "GET", own, &[]), expected());
        assert_eq!(ask(&gate, "GET", "/a-word/../posts", &[]), Err(400));
    }

    #[test]
    fn only_what_is_allowed_passes() {
        let open = gate(Door::Private, &[]);
        assert!(ask(&open, "DELETE", "/posts/1", &[]).is_ok());
        for path in ["/auth/rotate-key", "/api/v1/auth//rotate-key/", "/auth/rotate%2Dkey"] {
            assert_eq!(ask(&open, "POST", path, &[]), Err(403), "{path}");
        }
        assert_eq!(ask(&open, "POST", "/api/v1/auth/token", &[]), Ok("login".to_owned()));
        let some = gate(Door::Private, &["GET /posts*", "POST /auth/rotate-key"]);
        assert!(ask(&some, "GET", "/posts/1", &[]).is_ok());
        assert!(ask(&some, "POST", "/auth/rotate-key", &[]).is_ok());
        for (method, path) in
            [("POST", "/posts"), ("GET", "/%70osts"), ("HEAD", "/posts"), ("GET", "/users/me")]
        {
            assert_eq!(ask(&some, method, path, &[]), Err(403), "{method} {path}");
        }
    }
}
