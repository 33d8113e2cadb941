//! Tokens for other services: what is asked for, and what it is
//! ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::Method;
use secrecy::{ExposeSecret, SecretString};

use crate::{Base, Error, Request, Result, Transport};

/// The name of the exchange, in errors and hooks: that of the operation
/// [`exchange_token`](crate::api::auth::ExchangeToken).
pub const OPERATION: &str = "exchange_token";

/// The longest audience or list of scopes, in bytes.
const MAX_TEXT: usize = 2_000;

// ---- handle

/// The tokens of the caller for one other service, from
/// [`Auth::audience`](crate::api::auth::Auth::audience).
///
/// The client exchanges its login for a token that the service takes, keeps it, and shares it with every
/// program of this user as it does its login: one exchange, however many tasks and processes want one.
/// While the token lives nothing is sent at all, also by a program that has just been started.
///
/// Handles are cheap, and all of a client for the same audience and scopes share one token. The order of
/// the scopes does not matter ([RFC 6749, section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
///
/// ```no_run
/// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
/// let app = client.auth().audience("colony_their-client-id").scope("openid profile");
/// let token = app.token().await?;
/// println!("granted: {:?}", token.scope);
///
/// // Only the signed statement of who the caller is, which ends before the access token does:
/// let id_token = app.id_token().await?;
/// # Ok(()) }
/// ```
#[must_use = "a handle does nothing until a token is asked for"]
pub struct AudienceTokens<'c, C> {
    transport: &'c C,
    audience: Audience,
    instead_of: Option<SecretString>,
    min_ttl: Duration,
}

impl<'c, C: Transport> AudienceTokens<'c, C> {
    /// The tokens for this service.
    pub fn new(transport: &'c C, audience: Audience) -> Self {
        Self { transport, audience, instead_of: None, min_ttl: Duration::ZERO }
    }

    /// Sets the scopes, separated by spaces. The server always grants `openid`, and drops silently what it
    /// does not grant: see [`AudienceToken::scope`].
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.audience = self.audience.scope(scope);
        self
    }

    /// Asks for a token other than this one, an access token or an `id_token`, which the service has
    /// refused. Where another program has got a new one already, that is taken; else one is exchanged.
    pub fn instead_of(mut self, refused: impl Into<SecretString>) -> Self {
        self.instead_of = Some(refused.into());
        self
    }

    /// Asks for a token that lives at least this long; a later one is exchanged where the present one does not.
    /// Without one the call fails as [`token_with_min_ttl`](crate::api::auth::Auth::token_with_min_ttl) does.
    pub fn min_ttl(mut self, min_ttl: Duration) -> Self {
        self.min_ttl = min_ttl;
        self
    }

    /// Returns all that was granted, each part of it with more than its margin to live.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the login, or its token at the exchange (`invalid_grant`), is
    /// refused; [`Validation`](crate::ErrorKind::Validation) for an unknown audience or one that does not
    /// take this caller (`invalid_target`); [`RateLimit`](crate::ErrorKind::RateLimit) while exchanges are
    /// limited; [`Decode`](crate::ErrorKind::Decode) where the provider's discovery document is not to be
    /// believed (see [`discovery`](crate::openid::discovery)).
    pub fn token(&self) -> C::Reply<AudienceToken> {
        self.token_for(Need::All)
    }

    /// Returns all that was granted, where only this part of it has more than its margin to live.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub fn token_for(&self, need: Need) -> C::Reply<AudienceToken> {
        self.transport.audience_token(self.wanted(need))
    }

    /// Returns the access token, with more than its margin to live.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub fn access_token(&self) -> C::Reply<SecretString> {
        self.transport.audience_secret(self.wanted(Need::AccessToken))
    }

    /// Returns the `id_token`, with more than its margin to live.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token); and [`Api`](crate::ErrorKind::Api) where the provider granted none.
    pub fn id_token(&self) -> C::Reply<SecretString> {
        self.transport.audience_secret(self.wanted(Need::IdToken))
    }

    /// Forgets the token, so that the next call exchanges anew. Nothing is sent now, and other programs
    /// keep theirs.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an audience or scopes that cannot be.
    pub fn forget(&self) -> C::Reply<()> {
        self.transport.forget_audience_token(self.audience.clone())
    }

    fn wanted(&self, need: Need) -> Wanted {
        let (audience, instead_of) = (self.audience.clone(), self.instead_of.clone());
        Wanted { audience, need, instead_of, min_ttl: self.min_ttl }
    }
}

impl<C> fmt::Debug for AudienceTokens<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudienceTokens").field("audience", &self.audience).finish_non_exhaustive()
    }
}

// ---- what is asked for

/// A service, and what it is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Audience {
    /// The service's client id.
    pub audience: String,
    /// The scopes, each once, sorted; `None` for the provider's default.
    pub scope: Option<String>,
}

impl Audience {
    /// This service, with the provider's default scopes.
    pub fn new(audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), scope: None }
    }

    /// Sets the scopes, separated by spaces; an empty text stands for the default.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        let scope = scope.into();
        let mut words: Vec<&str> = scope.split(' ').filter(|word| !word.is_empty()).collect();
        words.sort_unstable();
        words.dedup();
        self.scope = (!words.is_empty()).then(|| words.join(" "));
        self
    }

    /// Returns whether it can be asked for.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an audience that is blank, or a text that
    /// is too long or has characters that it cannot have
    /// ([RFC 6749, section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
    pub fn check(&self) -> Result<()> {
        if self.audience.trim().is_empty() {
            let message = "audience is empty; give the other service's client id (colony_…)";
            return Err(Error::argument_refused("audience", message));
        }
        if self.audience.len() > MAX_TEXT || self.audience.chars().any(char::is_control) {
            let message = "audience is too long or has control characters; give the service's client id";
            return Err(Error::argument_refused("audience", message));
        }
        let scope = self.scope.as_deref().unwrap_or_default();
        let is_plain = scope.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if scope.len() > MAX_TEXT || !is_plain || scope.contains(['"', '\\']) {
            let message = "scope has characters that no scope has; give words separated by spaces, like \
                           \"openid profile\"";
            return Err(Error::argument_refused("scope", message));
        }
        Ok(())
    }

    /// The exchange of a token for one that this service takes, at the provider's token endpoint
    /// ([RFC 8693, section 2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)).
    pub fn request(&self, token_endpoint: &str, subject_token: &SecretString) -> Request {
        let request = Request::new(OPERATION, Method::POST, "")
            .base(Base::Endpoint(token_endpoint.to_owned()))
            .anonymous()
            .secret()
            .form("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .form("subject_token", subject_token.expose_secret())
            .form("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
            .form("audience", &self.audience);
        match &self.scope {
            None => request,
            Some(scope) => request.form("scope", scope),
        }
    }
}

/// Which part of what was granted has to be good for a while yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Need {
    /// The access token.
    #[default]
    AccessToken,
    /// The `id_token`.
    IdToken,
    /// Every part there is.
    All,
}

impl Need {
    /// Returns whether this covers at least what the other asks for.
    pub fn covers(self, other: Self) -> bool {
        self == Self::All || self == other
    }
}

/// What a caller wants: a token for a service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Wanted {
    /// The service and the scopes.
    pub audience: Audience,
    /// What has to be good for a while yet.
    pub need: Need,
    /// A token that the service refused: it is not to be this one.
    pub instead_of: Option<SecretString>,
    /// How long what is needed has to live at least.
    pub min_ttl: Duration,
}

// ---- what it is

/// A token for another service, and what came with it.
#[derive(Clone)]
#[non_exhaustive]
pub struct AudienceToken {
    /// The access token. The Colony's is opaque, and good for the user-info address alone.
    pub access_token: SecretString,
    /// When the access token ends, by this machine's clock.
    pub expires_at: SystemTime,
    /// The signed statement of who the caller is, for the service that was named as the audience.
    pub id_token: Option<SecretString>,
    /// When the `id_token` ends, by this machine's clock; minutes before the access token does.
    pub id_token_expires_at: Option<SystemTime>,
    /// The scopes that were granted, separated by spaces. Refused ones are left out silently.
    pub scope: Option<String>,
}

impl AudienceToken {
    /// A token and when it ends.
    pub fn new(access_token: SecretString, expires_at: SystemTime) -> Self {
        Self { access_token, expires_at, id_token: None, id_token_expires_at: None, scope: None }
    }
}

impl fmt::Debug for AudienceToken {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudienceToken")
            .field("expires_at", &self.expires_at)
            .field("id_token_expires_at", &self.id_token_expires_at)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body;

    #[test]
    fn scopes_are_a_set() {
        let scope = |text: &str| Audience::new("a").scope(text).scope;
        assert_eq!(scope("profile openid  openid ").as_deref(), Some("openid profile"));
        assert_eq!(scope(" "), None);
        assert_eq!(scope(""), None);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_name() {
        let refused = |audience: &str, scope: &str| {
            Audience::new(audience).scope(scope).check().err().and_then(|error| error.argument())
        };
        assert_eq!(refused("colony_app", "openid colony:orgs"), None);
        assert_eq!(refused("a b/c#d?e=%41&ü+", ""), None, "it is the server's to judge");
        for audience in ["", "  ", "a\nb", &"a".repeat(3_000)] {
            assert_eq!(refused(audience, ""), Some("audience"), "{audience:.9}");
        }
        for scope in ["a\"b", "a\\b", "ä", "a\tb", "a\u{7f}", &"a".repeat(3_000)] {
            assert_eq!(refused("a", scope), Some("scope"), "{scope:.9}");
        }
    }

    #[test]
    fn the_request_is_the_operation_s_at_another_address() {
        use crate::{Endpoint as _, api::auth::ExchangeToken};
        let subject = SecretString::from("jwt");
        let ours = Audience::new("rp").scope("openid").request("https://h.example/t", &subject);
        let theirs = ExchangeToken::new("rp").scope("openid").subject_token("jwt").request();
        let form = |request: &Request| match request.body() {
            Body::Form(fields) => fields.clone(),
            _ => panic!("a form"),
        };
        assert_eq!(form(&ours), form(&theirs));
        assert!(ours.is_secret() && ours.is_oauth() && ours.repeat() == crate::retry::Repeat::Once);
        assert_eq!(ours.base_part(), &Base::Endpoint("https://h.example/t".to_owned()));
    }

    #[test]
    fn debug_shows_no_secret() {
        let wanted = Wanted {
            audience: Audience::new("rp"),
            need: Need::All,
            instead_of: Some(SecretString::from("hush")),
            min_ttl: Duration::ZERO,
        };
        let mut token = AudienceToken::new("hush".into(), SystemTime::UNIX_EPOCH);
        token.id_token = Some("hush".into());
        let shown = format!("{wanted:?} {token:?}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
