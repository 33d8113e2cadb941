//! The address of a store by which hosts share a token.

use std::{fmt, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{Error, ErrorKind, Result};

/// Names the store by which the programs of several hosts share a login; see [`TokenStoreUrl`].
pub const STORE_VARIABLE: &str = "COLONY_SDK_TOKEN_STORE";
/// The store's password, where it is not in its address.
pub const STORE_PASSWORD_VARIABLE: &str = "COLONY_SDK_TOKEN_STORE_PASSWORD";

/// The address of a Redis or Valkey server by which the programs of several hosts share a token:
/// `redis[s]://[user[:password]@]host[:port][/db][?parameters]`.
///
/// | Parameter | Means | Default |
/// | --- | --- | --- |
/// | `prefix` | what the names of all keys start with | `colony-sdk` |
/// | `zone` | whose limit of logins is shared: the programs behind one address | `default` |
/// | `sentinel` | the name of the master; host and port are those of a Sentinel | none |
/// | `file` | `no`: there is no file on this host, each process asks the store | `yes` |
/// | `ca` | a PEM file with the authority of the server's certificate, beside the system's | none |
/// | `budget` | how long a login may be held up to reach the store, in milliseconds, 10 to 10,000; each later command has half of it | 500 |
///
/// `Debug` and `Display` show scheme, host, port and database, and nothing else.
///
/// ```
/// use colony_core::token::store_url::TokenStoreUrl;
///
/// let url = TokenStoreUrl::parse("rediss://colony:secret@valkey.infra.svc/3?zone=nat-1")?;
/// assert_eq!((url.zone.as_str(), url.port), ("nat-1", 6379));
/// assert_eq!(url.to_string(), "rediss://valkey.infra.svc:6379/3");
/// # Ok::<(), colony_core::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenStoreUrl {
    /// Whether it is spoken to over TLS: `rediss`.
    pub tls: bool,
    /// The user; the default user where none is named.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// The server's name or address, an IPv6 address without brackets.
    pub host: String,
    /// The server's port; 6379 unless named, 26379 of a Sentinel.
    pub port: u16,
    /// The database.
    pub database: u32,
    /// What the names of all keys start with.
    pub prefix: String,
    /// Whose limit of logins is shared.
    pub zone: String,
    /// The name of the master that a Sentinel is asked for.
    pub sentinel: Option<String>,
    /// Whether the processes of this host share a file too.
    pub file: bool,
    /// A certificate authority that is trusted beside the system's.
    pub ca: Option<PathBuf>,
    /// How long a login may be held up to reach the store.
    pub budget: Duration,
}

impl TokenStoreUrl {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], with what is wrong and without the address, which may hold a password.
    pub fn parse(text: &str) -> Result<Self> {
        let url = Url::parse(text.trim()).map_err(|error| refused(format!("is not an address: {error}")))?;
        let tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(refused("starts with neither redis:// nor rediss://")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refused("names no host"))?;
        if url.fragment().is_some() {
            return Err(refused("has a `#`; percent-encode it in a password"));
        }
        let database = match url.path().trim_matches('/') {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number| *number < 1 << 20)
                .ok_or_else(|| refused("names a database that is not a number"))?,
        };
        let decoded = |text: &str, what: &str| {
            let decoded = percent_decode_str(text).decode_utf8().map(String::from);
            decoded.map_err(|_| refused(format!("has a {what} that is not UTF-8 text")))
        };
        let user = Some(url.username()).filter(|user| !user.is_empty());
        let mut out = Self {
            tls,
            user: user.map(|user| decoded(user, "user")).transpose()?,
            password: url
                .password()
                .map(|text| decoded(text, "password").map(SecretString::from))
                .transpose()?,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: 0,
            database,
            prefix: "colony-sdk".to_owned(),
            zone: "default".to_owned(),
            sentinel: None,
            file: true,
            ca: None,
            budget: Duration::from_millis(500),
        };
        for (name, value) in url.query_pairs() {
            out.set(&name, &value)?;
        }
        let usual = if out.sentinel.is_some() { 26379 } else { 6379 };
        out.port = url.port().unwrap_or(usual);
        Ok(out)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "prefix" => self.prefix = named(name, value)?,
            "zone" => self.zone = named(name, value)?,
            "sentinel" => self.sentinel = Some(named(name, value)?),
            "ca" if !value.is_empty() => self.ca = Some(value.into()),
            "ca" => return Err(refused("has an empty `ca`: name a PEM file")),
            "file" => {
                self.file = match value {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(refused("has a `file` that is neither yes nor no")),
                }
            }
            "budget" => {
                let millis = value.parse().ok().filter(|millis| (10..=10_000).contains(millis));
                let millis =
                    millis.ok_or_else(|| refused("has a `budget` that is not 10 to 10000 milliseconds"))?;
                self.budget = Duration::from_millis(millis);
            }
            _ => {
                return Err(refused(
                    "has a parameter that is none of prefix, zone, sentinel, file, ca and budget",
                ));
            }
        }
        Ok(())
    }

    /// This address with the password, unless it has one.
    #[must_use]
    pub fn or_password(self, password: Option<&SecretString>) -> Self {
        Self { password: self.password.or_else(|| password.cloned()), ..self }
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        address.map_or_else(|_| self.host == "localhost", |address| address.is_loopback())
    }
}

/// What may stand in the name of a key: nothing that ends a hash tag.
fn named(name: &str, value: &str) -> Result<String> {
    let fits = (1..=64).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if fits {
        Ok(value.to_owned())
    } else {
        Err(refused(format!("has a `{name}` that is not 1 to 64 letters, digits, `-`, `_`, `.` or `:`")))
    }
}

fn refused(why: impl fmt::Display) -> Error {
    Error::build(ErrorKind::Config, format!("the token store's address {why}"))
        .hint(format!(
            "Give {STORE_VARIABLE} or `token_store` as redis[s]://[user[:password]@]host[:port][/db]"
        ))
        .finish()
}

impl fmt::Display for TokenStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, port, database) = (if self.tls { "rediss" } else { "redis" }, self.port, self.database);
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{port}/{database}", self.host)
        } else {
            write!(f, "{scheme}://{}:{port}/{database}", self.host)
        }
    }
}

impl fmt::Debug for TokenStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for TokenStoreUrl {
    fn eq(&self, other: &Self) -> bool {
        let secret = |url: &Self| url.password.as_ref().map(|it| it.expose_secret().to_owned());
        let rest = |url: &Self| {
            let named = (url.prefix.clone(), url.zone.clone(), url.sentinel.clone(), url.ca.clone());
            (url.to_string(), url.user.clone(), named, url.file, url.budget)
        };
        rest(self) == rest(other) && secret(self) == secret(other)
    }
}

impl Eq for TokenStoreUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_all_its_parts() {
        let url = TokenStoreUrl::parse(
            "rediss://ann:p%40ss@[::1]:7000/2?prefix=a&zone=b&sentinel=mymaster&file=no&ca=/ca.pem&budget=80",
        )
        .unwrap();
        assert_eq!(url.password.as_ref().unwrap().expose_secret(), "p@ss");
        assert_eq!((url.host.as_str(), url.port, url.database, url.file), ("::1", 7000, 2, false));
        assert_eq!((url.prefix.as_str(), url.zone.as_str()), ("a", "b"));
        assert_eq!((url.sentinel.as_deref(), url.budget), (Some("mymaster"), Duration::from_millis(80)));
        assert_eq!(url.ca, Some("/ca.pem".into()));
        assert!(url.is_loopback());
        let shown = format!("{url} {url:?}");
        assert_eq!(shown, "rediss://[::1]:7000/2 rediss://[::1]:7000/2");
        let plain = TokenStoreUrl::parse("redis://redis").unwrap();
        assert_eq!((plain.port, plain.database, plain.tls, plain.file), (6379, 0, false, true));
        assert!(!plain.is_loopback() && TokenStoreUrl::parse("redis://localhost").unwrap().is_loopback());
        assert_eq!(TokenStoreUrl::parse("redis://s?sentinel=m").unwrap().port, 26379);
        let given = plain.or_password(Some(&"x".into()));
        assert_eq!(given.password.unwrap().expose_secret(), "x");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for wrong in [
            "",
            "redis",
            "redis://",
            "http://u:hidden@h",
            "redis://u:hidden@h/x",
            "redis://u:hidden@h:port",
            "redis://u:hidden@h?zone=",
            "redis://u:hidden@h?zone=a{b",
            "redis://u:hidden@h?file=maybe",
            "redis://u:hidden@h?budget=5",
            "redis://u:hidden@h?colour=red",
            "redis://u:hidden@h#x",
            "redis://u:%ff@h",
        ] {
            let error = TokenStoreUrl::parse(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{wrong}");
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
    }
}
