//! Rotating credentials: an access token, the refresh token that renews it, and what makes sharing them
//! between programs safe.
//!
//! A refresh token is spent by its use: the provider answers with the next one, and revokes the whole family
//! when a spent one is presented again ([RFC 9700, section 4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14)).
//! So nothing here may be guessed, and whatever is in doubt is refused: unlike the login's cache, this store
//! *fails closed*.
//!
//! These are the rules as functions; nothing here opens a file or a socket. `colony_async::credential` acts
//! by them.
//!
//! | Module | Decides |
//! |---|---|
//! | [`place`] | which directory, and which file in it |
//! | [`document`] | what the file says, and what is refused |
//! | [`keeping`] | how a credential is kept: in a file, or in a vault |
//! | [`change`] | which credential may not take another's place |
//! | [`location`] | where a store lives, so that a copy of it is noticed |
//! | [`timing`] | when a token is fresh, when it is renewed, how long others are waited for |
//! | [`grant`] | the refresh request, and what a reply says about the token that was presented |
//! | [`spending`] | the note about a token that was presented, and when it may be presented again |

pub mod change;
pub mod document;
pub mod grant;
pub mod keeping;
pub mod location;
pub mod place;
pub mod spending;
pub mod timing;

use std::{fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use crate::{Error, ErrorKind, JsonObject, Result, canonical::sha256_hex};

/// Whose credential it is: the provider, the client it was issued to, and the resource it is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CredentialId {
    /// The provider's issuer URL, as its discovery document says it: `https://thecolony.ai`.
    pub issuer: String,
    /// The client's id at the provider, `colony_…`.
    pub client_id: String,
    /// The resource the tokens are for ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)), when one was
    /// named at the login.
    pub resource: Option<String>,
}

impl CredentialId {
    /// A client of a provider.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), client_id: client_id.into(), resource: None }
    }

    /// The resource the tokens are for.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }
}

/// What a login at an OpenID provider gave, or a later rotation.
///
/// All moments are Unix seconds by this machine's wall clock.
///
/// ```
/// use colony_core::credential::{Credential, CredentialId};
///
/// let id = CredentialId::new("https://thecolony.ai", "colony_app");
/// let reply = br#"{"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 900, "token_type": "Bearer"}"#;
/// let credential = Credential::from_reply(id, "https://thecolony.ai/oauth/token", reply, 1_790_000_000.0)?;
/// assert!(credential.is_refreshable());
/// assert_eq!(credential.expiry, 1_790_000_900.0);
/// # Ok::<(), colony_core::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Credential {
    /// Whose it is.
    pub id: CredentialId,
    /// Where it is refreshed. `https`, or plain HTTP to this host, and on the issuer's host.
    pub token_endpoint: String,
    /// The access token; `None` when only a refresh token was brought, before its first use.
    pub access_token: Option<SecretString>,
    /// The refresh token; `None` when the provider gave none: then the credential ends with its access token.
    pub refresh_token: Option<SecretString>,
    /// When the access token ends.
    pub expiry: f64,
    /// The scopes that were granted, separated by spaces, when the provider said so.
    pub scope: Option<String>,
    /// When the access token was obtained.
    pub obtained_at: f64,
    /// When the refresh token last changed: the login, or the last rotation.
    pub rotated_at: f64,
    /// When the refresh token ends unless it is rotated before, when the provider said so
    /// (`refresh_token_expires_in` or `refresh_expires_in`, which no standard defines).
    pub refresh_expiry: Option<f64>,
    /// The [`fingerprint`] of the refresh token that this login was
    /// [brought](Self::from_refresh_token) with. That token is spent: who brings it again has logged in already.
    pub brought: Option<String>,
    /// What a file said that this version does not know. It is written again, and never shown.
    pub extra: JsonObject,
}

/// How long an access token is used whose reply does not say how long it lives.
pub const ASSUMED_LIFETIME: Duration = Duration::from_secs(60 * 60);

impl Credential {
    /// Reads a token endpoint's successful reply to a login, whichever grant that was
    /// ([RFC 6749, section 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)). `now`: when the request
    /// was *sent*, so that the token's life is not overrated. Without `expires_in` it is taken to live for
    /// [`ASSUMED_LIFETIME`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when there is no usable `access_token`; [`ErrorKind::InvalidArgument`] when the
    /// issuer or the token endpoint is not to be trusted with it ([`check_endpoints`]).
    pub fn from_reply(
        id: CredentialId,
        token_endpoint: impl Into<String>,
        reply: &[u8],
        now: f64,
    ) -> Result<Self> {
        let token_endpoint = token_endpoint.into();
        check_endpoints(&id.issuer, &token_endpoint)?;
        let reply = grant::Tokens::read(reply)?;
        let mut credential = Self::bare(id, token_endpoint, now);
        credential.take(reply, now);
        Ok(credential)
    }

    /// A credential of which only the refresh token is known, brought from elsewhere. Its first use rotates
    /// it, so every other copy is useless from then on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when the token has characters that none has, or the issuer or the token
    /// endpoint is not to be trusted with it ([`check_endpoints`]).
    pub fn from_refresh_token(
        id: CredentialId,
        token_endpoint: impl Into<String>,
        refresh_token: SecretString,
        now: f64,
    ) -> Result<Self> {
        let token_endpoint = token_endpoint.into();
        check_endpoints(&id.issuer, &token_endpoint)?;
        if !document::is_refresh_token(refresh_token.expose_secret()) {
            let message = "the refresh token is empty or has characters that none has; give it without the \
                           line's end";
            return Err(Error::argument_refused("refresh_token", message));
        }
        let mut credential = Self::bare(id, token_endpoint, now);
        credential.brought = Some(fingerprint(&refresh_token));
        credential.refresh_token = Some(refresh_token);
        Ok(credential)
    }

    fn bare(id: CredentialId, token_endpoint: String, now: f64) -> Self {
        Self {
            id,
            token_endpoint,
            access_token: None,
            refresh_token: None,
            expiry: now,
            scope: None,
            obtained_at: now,
            rotated_at: now,
            refresh_expiry: None,
            brought: None,
            extra: JsonObject::new(),
        }
    }

    /// Puts a reply's tokens in the place of the present ones.
    fn take(&mut self, reply: grant::Tokens, now: f64) {
        self.access_token = Some(reply.access_token);
        self.expiry = now + reply.expires_in.unwrap_or(ASSUMED_LIFETIME.as_secs_f64());
        self.obtained_at = now;
        // A provider that does not rotate sends none, and the old one stays good (RFC 6749, section 6).
        if let Some(token) = reply.refresh_token {
            self.refresh_token = Some(token);
            self.rotated_at = now;
            self.refresh_expiry = reply.refresh_expires_in.map(|seconds| now + seconds);
        }
        self.scope = reply.scope.or_else(|| self.scope.take());
    }

    /// Whether it can be renewed without a person.
    pub fn is_refreshable(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Names the refresh token without telling it.
    pub fn refresh_fingerprint(&self) -> Option<String> {
        self.refresh_token.as_ref().map(fingerprint)
    }

    /// Whether this is its access token.
    pub fn has_access_token(&self, token: &SecretString) -> bool {
        self.access_token.as_ref().is_some_and(|own| own.expose_secret() == token.expose_secret())
    }
}

/// Names a token without telling it: the first 16 hex digits of its SHA-256.
pub fn fingerprint(token: &SecretString) -> String {
    let mut digest = sha256_hex(token.expose_secret().as_bytes());
    digest.truncate(16);
    digest
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Unknown fields are left out: they may be secrets of a later version.
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("token_endpoint", &self.token_endpoint)
            .field("refreshable", &self.is_refreshable())
            .field("expiry", &self.expiry)
            .field("scope", &self.scope)
            .field("obtained_at", &self.obtained_at)
            .field("rotated_at", &self.rotated_at)
            .finish_non_exhaustive()
    }
}

/// Whether tokens of this issuer may be sent to this address: both are `https` (plain HTTP only to a loopback
/// address), neither holds a user name, and both are on the same host and port.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`], which names the address and what is wrong with it.
pub fn check_endpoints(issuer: &str, token_endpoint: &str) -> Result<()> {
    let own = Origin::of("issuer", issuer)?;
    let other = Origin::of("token_endpoint", token_endpoint)?;
    if own != other {
        let message = format!(
            "the token endpoint {token_endpoint:?} is not on the issuer's host, {issuer:?}; take it from the \
             issuer's own discovery document"
        );
        return Err(Error::argument_refused("token_endpoint", message));
    }
    Ok(())
}

/// Scheme, host and port of an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) is_https: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    pub(crate) fn of(argument: &'static str, url: &str) -> Result<Self> {
        let refused = |why: &str| Err(Error::argument_refused(argument, format!("{argument} {why}")));
        // As it stands: parsers of addresses drop white space and turn backslashes round, and what was checked
        // must be what is used.
        let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let Some(parsed) = url::Url::parse(url).ok().filter(|parsed| plain && parsed.has_host()) else {
            return refused("is not an address like https://thecolony.ai");
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            // Not repeated here: it may be a password.
            return refused("holds a user name or password");
        }
        let is_https = parsed.scheme() == "https";
        let is_local = parsed.scheme() == "http" && crate::openid::discovery::is_loopback(&parsed);
        if !(is_https || is_local) {
            return refused(&format!(
                "is {url:?}; tokens are sent by https only, and by http to a loopback address"
            ));
        }
        let host = parsed.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        Ok(Self { is_https, host, port: parsed.port_or_known_default().unwrap_or_default() })
    }
}

/// How a person renews a credential.
const LOGIN: &str = "Log in again (`colony auth login --device`)";

/// The error of a credential that only a person can renew.
pub fn reauth_required(message: impl Into<String>) -> Error {
    Error::build(ErrorKind::ReauthRequired, message)
        .hint(format!("{LOGIN}; what is stored was left as it is"))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_to_the_issuers_own_host_over_https() {
        for (issuer, endpoint) in [
            ("https://thecolony.ai", "https://thecolony.ai/oauth/token"),
            ("https://thecolony.ai/", "https://THECOLONY.ai:443/oauth/token"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/oauth/token"),
            ("http://localhost:1", "http://localhost:1/token"),
            ("http://[::1]:1", "http://[::1]:1/token"),
        ] {
            check_endpoints(issuer, endpoint).unwrap();
        }
        for (issuer, endpoint, argument) in [
            ("http://thecolony.ai", "https://thecolony.ai/oauth/token", "issuer"),
            ("https://thecolony.ai", "http://thecolony.ai/oauth/token", "token_endpoint"),
            ("https://thecolony.ai", "https://evil.example/oauth/token", "token_endpoint"),
            ("https://thecolony.ai", "https://thecolony.ai:8443/oauth/token", "token_endpoint"),
            ("https://thecolony.ai", "https://thecolony.ai@evil.example/token", "token_endpoint"),
            ("https://thecolony.ai", "/oauth/token", "token_endpoint"),
            ("https://thecolony.ai", "file:///etc/passwd", "token_endpoint"),
            ("http://127.0.0.1:1", "http://127.0.0.1:2/token", "token_endpoint"),
            ("https://thecolony.ai", "https://thecolony.ai\\@evil.example/token", "token_endpoint"),
            ("https://thecolony.ai", "https://thecolony.ai\t.evil.example/token", "token_endpoint"),
            ("http://127.0.0.1.evil.example", "http://127.0.0.1.evil.example/t", "issuer"),
            ("", "https://thecolony.ai/oauth/token", "issuer"),
        ] {
            let error = check_endpoints(issuer, endpoint).unwrap_err();
            assert_eq!(error.argument(), Some(argument), "{issuer} {endpoint}: {error}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let id = CredentialId::new("https://thecolony.ai", "colony_app");
        let reply = br#"{"access_token": "at-planted", "refresh_token": "rt-planted", "expires_in": 900}"#;
        let mut credential =
            Credential::from_reply(id, "https://thecolony.ai/oauth/token", reply, 1.0).unwrap();
        credential.extra.insert("later".to_owned(), "secret-planted".into());
        let shown = format!("{credential:?}");
        assert!(!shown.contains("planted"), "{shown}");
    }
}
