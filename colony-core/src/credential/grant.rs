//! The refresh request, and what a reply says about the token that was presented.
//!
//! [RFC 6749, section 6](https://www.rfc-editor.org/rfc/rfc6749#section-6). What counts is not only whether
//! it worked: after anything but the provider's own answer the token may be spent.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Credential, document};
use crate::{Error, ErrorKind, Result};

/// The name of the operation in errors.
pub const OPERATION: &str = "refresh_credential";

/// How the client says who it is ([RFC 6749, section 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
///
/// The secret is the program's to keep: it is not a part of the credential's file.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// A public client: its id in the form, and no secret (`none`).
    #[default]
    None,
    /// Id and secret in the `Authorization` header (`client_secret_basic`).
    Basic(SecretString),
    /// Id and secret in the form (`client_secret_post`).
    Post(SecretString),
}

impl ClientAuth {
    /// The value of the `Authorization` header, for [`Basic`](Self::Basic).
    pub fn header(&self, client_id: &str) -> Option<SecretString> {
        let Self::Basic(secret) = self else { return None };
        let pair = format!("{}:{}", form_encoded(client_id), form_encoded(secret.expose_secret()));
        Some(format!("Basic {}", BASE64_STANDARD.encode(pair)).into())
    }
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic(_) => "Basic",
            Self::Post(_) => "Post",
        })
    }
}

/// A request to the token endpoint, or to one beside it.
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The address.
    pub url: String,
    /// The `Authorization` header.
    pub authorization: Option<SecretString>,
    /// The body, `application/x-www-form-urlencoded`.
    pub body: SecretString,
}

impl TokenRequest {
    /// The request that spends the refresh token. `None` without one.
    pub fn refresh(credential: &Credential, auth: &ClientAuth) -> Option<Self> {
        let token = credential.refresh_token.as_ref()?.expose_secret();
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        if let Some(resource) = &credential.id.resource {
            fields.push(("resource", resource));
        }
        Some(Self::new(&credential.token_endpoint, &credential.id.client_id, auth, fields))
    }

    /// The request that revokes the refresh token, or the access token where there is no other, and with it
    /// the family ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when the address is not on the issuer's host.
    pub fn revocation(credential: &Credential, endpoint: &str, auth: &ClientAuth) -> Result<Self> {
        super::check_endpoints(&credential.id.issuer, endpoint)?;
        let (hint, token) = match (&credential.refresh_token, &credential.access_token) {
            (Some(token), _) => ("refresh_token", token.expose_secret()),
            (None, Some(token)) => ("access_token", token.expose_secret()),
            (None, None) => return Err(Error::argument_refused("credential", "there is no token to revoke")),
        };
        let fields = vec![("token", token), ("token_type_hint", hint)];
        Ok(Self::new(endpoint, &credential.id.client_id, auth, fields))
    }

    /// The request that asks whether the refresh token is still good, without spending it
    /// ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)). `None` without one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when the address is not on the issuer's host.
    pub fn introspection(credential: &Credential, endpoint: &str, auth: &ClientAuth) -> Result<Option<Self>> {
        super::check_endpoints(&credential.id.issuer, endpoint)?;
        let Some(token) = &credential.refresh_token else { return Ok(None) };
        let fields = vec![("token", token.expose_secret()), ("token_type_hint", "refresh_token")];
        Ok(Some(Self::new(endpoint, &credential.id.client_id, auth, fields)))
    }

    fn new<'a>(
        url: &str,
        client_id: &'a str,
        auth: &'a ClientAuth,
        mut fields: Vec<(&'a str, &'a str)>,
    ) -> Self {
        match auth {
            ClientAuth::Basic(_) => {}
            ClientAuth::None => fields.push(("client_id", client_id)),
            ClientAuth::Post(secret) => {
                fields.extend([("client_id", client_id), ("client_secret", secret.expose_secret())]);
            }
        }
        let pairs: Vec<String> =
            fields.into_iter().map(|(name, value)| format!("{name}={}", form_encoded(value))).collect();
        Self { url: url.to_owned(), authorization: auth.header(client_id), body: pairs.join("&").into() }
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("url", &self.url).finish_non_exhaustive()
    }
}

/// `application/x-www-form-urlencoded`, but with `%20` for a space, which every reader of `+` takes too.
fn form_encoded(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

/// What a successful reply of a token endpoint holds.
pub(super) struct Tokens {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) expires_in: Option<f64>,
    pub(super) refresh_expires_in: Option<f64>,
    pub(super) scope: Option<String>,
}

impl Tokens {
    pub(super) fn read(body: &[u8]) -> Result<Self> {
        // Nothing of the body goes into the error: it may hold tokens.
        let refused = |what: &str| {
            Error::build(ErrorKind::Decode, format!("the token endpoint's reply holds no usable {what}"))
                .operation(OPERATION)
                .finish()
        };
        let body: Value = serde_json::from_slice(body).map_err(|_| refused("JSON"))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let access_token = text("access_token").filter(|token| document::is_access_token(token));
        let refresh_token = match body.get("refresh_token") {
            None | Some(Value::Null) => None,
            Some(token) => match token.as_str().filter(|token| document::is_refresh_token(token)) {
                Some(token) => Some(token.to_owned().into()),
                None => return Err(refused("`refresh_token`")),
            },
        };
        // Some providers send the number as text.
        let seconds = |name: &str| {
            let value = body.get(name)?;
            let seconds = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
            (0.0..1e10).contains(&seconds).then_some(seconds)
        };
        Ok(Self {
            access_token: access_token.ok_or_else(|| refused("`access_token`"))?.into(),
            refresh_token,
            expires_in: seconds("expires_in"),
            refresh_expires_in: seconds("refresh_token_expires_in").or_else(|| seconds("refresh_expires_in")),
            scope: text("scope"),
        })
    }
}

/// What a reply to a refresh says.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// It worked: the credential to store before anything else is done.
    Granted(Box<Credential>),
    /// The provider does not take this refresh token (`invalid_grant`): it is spent, revoked or expired.
    Refused(Error),
    /// The provider refused the request and did not act on it, so the token is as good as before.
    NotActedOn(Error),
    /// The token may be spent, and what came in its place is not known.
    Unclear(Error),
}

impl Answer {
    /// Reads a reply. `now`: when the request was sent.
    ///
    /// - 2xx with an access token is a grant. 2xx with anything else is unclear.
    /// - 400 or 401 with a JSON error code of
    ///   [RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2) or
    ///   [RFC 8628, section 3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5) is the provider's own refusal:
    ///   `invalid_grant` refuses the token, any other code says that the request was not acted on.
    /// - Everything else is unclear, whatever it says: a gateway that answers 403, 404, 408, 429 or 503 with
    ///   `Retry-After` may not know what happened behind it.
    pub fn read(
        credential: &Credential,
        status: u16,
        retry_after: Option<Duration>,
        body: &[u8],
        now: f64,
    ) -> Self {
        if (200..300).contains(&status) {
            return match Tokens::read(body) {
                Ok(tokens) => {
                    let mut credential = credential.clone();
                    credential.take(tokens, now);
                    Self::Granted(Box::new(credential))
                }
                Err(error) => Self::Unclear(error),
            };
        }
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let text = |name: &str| {
            let value = body.as_ref()?.get(name)?.as_str()?;
            (!value.is_empty()).then(|| clean(value, credential))
        };
        let code = text("error");
        let kind = match (status, code.as_deref()) {
            (_, Some("invalid_grant")) => ErrorKind::ReauthRequired,
            (_, Some("invalid_client" | "unauthorized_client")) | (401 | 403, _) => ErrorKind::Auth,
            (429, _) => ErrorKind::RateLimit,
            (500..=599, _) => ErrorKind::Server,
            (400..=499, _) => ErrorKind::Validation,
            _ => ErrorKind::Api,
        };
        let message = text("error_description")
            .or_else(|| code.clone())
            .unwrap_or_else(|| "the token endpoint answered without saying why".to_owned());
        let mut error = Error::build(kind, message).operation(OPERATION).status(status);
        if let Some(wait) = retry_after {
            error = error.retry_after(wait);
        }
        let own = matches!(status, 400 | 401) && code.as_deref().is_some_and(|code| CODES.contains(&code));
        let refused = own && code.as_deref() == Some("invalid_grant");
        match code.as_deref() {
            Some("invalid_grant") => error = error.hint(super::LOGIN),
            Some("invalid_client" | "unauthorized_client") => {
                error = error.hint("Check the client's id, its secret and how it is sent (`ClientAuth`)");
            }
            _ => {}
        }
        if let Some(code) = code {
            error = error.code(code);
        }
        let error = error.finish();
        match own {
            true if refused => Self::Refused(error),
            true => Self::NotActedOn(error),
            false => Self::Unclear(error),
        }
    }
}

/// The codes of a provider's own refusal.
const CODES: [&str; 10] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "authorization_pending",
    "slow_down",
    "access_denied",
    "expired_token",
];

/// What the provider says, without the credential's secrets, should it repeat them, and without an end.
fn clean(text: &str, credential: &Credential) -> String {
    let mut text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    for token in [&credential.refresh_token, &credential.access_token].into_iter().flatten() {
        text = text.replace(token.expose_secret(), "[redacted]");
    }
    text
}

/// Whether an introspection's reply says that the token is good.
///
/// # Errors
///
/// [`ErrorKind::Decode`] when it does not say either.
pub fn read_introspection(status: u16, body: &[u8]) -> Result<bool> {
    let body: Option<Value> = serde_json::from_slice(body).ok().filter(|_| status == 200);
    body.as_ref().and_then(|body| body.get("active")).and_then(Value::as_bool).ok_or_else(|| {
        let message = "the introspection endpoint does not say whether the token is active";
        Error::build(ErrorKind::Decode, message).operation("introspect_token").status(status).finish()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialId;

    const NOW: f64 = 1_790_000_000.0;

    fn credential() -> Credential {
        let id = CredentialId::new("https://thecolony.ai", "colony app").resource("https://r?x=1&y");
        let reply =
            br#"{"access_token": "at-1", "refresh_token": "rt 1+/=", "expires_in": 900, "scope": "a"}"#;
        Credential::from_reply(id, "https://thecolony.ai/oauth/token", reply, NOW - 500.0).unwrap()
    }

    fn read(status: u16, body: &str) -> Answer {
        Answer::read(&credential(), status, None, body.as_bytes(), NOW)
    }

    #[test]
    fn the_request_says_who_asks_in_one_way_only() {
        let base =
            "grant_type=refresh_token&refresh_token=rt%201%2B%2F%3D&resource=https%3A%2F%2Fr%3Fx%3D1%26y";
        let of = |auth: ClientAuth| {
            let request = TokenRequest::refresh(&credential(), &auth).unwrap();
            assert!(!format!("{request:?} {auth:?}").contains("s%:"), "{request:?}");
            (request.body.expose_secret().to_owned(), request.authorization)
        };
        let (body, header) = of(ClientAuth::None);
        assert_eq!(body, format!("{base}&client_id=colony%20app"));
        assert!(header.is_none());
        let (body, header) = of(ClientAuth::Post("s%:".to_owned().into()));
        assert_eq!(body, format!("{base}&client_id=colony%20app&client_secret=s%25%3A"));
        assert!(header.is_none());
        let (body, header) = of(ClientAuth::Basic("s%:".to_owned().into()));
        assert_eq!(body, base);
        let header = header.unwrap();
        let pair = BASE64_STANDARD.decode(header.expose_secret().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(pair, b"colony%20app:s%25%3A");
        let none = Credential { refresh_token: None, ..credential() };
        assert!(TokenRequest::refresh(&none, &ClientAuth::None).is_none());
    }

    #[test]
    fn a_grant_replaces_both_tokens() {
        let reply = r#"{"access_token": "at-2", "refresh_token": "rt-2", "expires_in": "300", "refresh_expires_in": 60}"#;
        let Answer::Granted(new) = read(200, reply) else { panic!("no grant") };
        assert_eq!(new.refresh_token.as_ref().unwrap().expose_secret(), "rt-2");
        assert_eq!((new.expiry, new.obtained_at, new.rotated_at), (NOW + 300.0, NOW, NOW));
        assert_eq!(new.refresh_expiry, Some(NOW + 60.0));
        assert_eq!(new.scope.as_deref(), Some("a"), "unsaid is unchanged");
    }

    #[test]
    fn a_provider_that_does_not_rotate_leaves_the_refresh_token() {
        let Answer::Granted(new) = read(200, r#"{"access_token": "at-2"}"#) else { panic!("no grant") };
        assert_eq!(new.refresh_token.as_ref().unwrap().expose_secret(), "rt 1+/=");
        assert_eq!((new.obtained_at, new.rotated_at), (NOW, NOW - 500.0));
        assert_eq!(new.expiry, NOW + 3600.0);
    }

    #[test]
    fn only_the_providers_own_refusal_leaves_the_token_as_it_was() {
        let code = |code: &str| format!(r#"{{"error": "{code}", "error_description": "no"}}"#);
        assert!(matches!(read(400, &code("invalid_grant")), Answer::Refused(_)));
        assert!(matches!(read(401, &code("invalid_grant")), Answer::Refused(_)));
        for (status, body) in [
            (401, code("invalid_client")),
            (400, code("invalid_scope")),
            (400, code("unauthorized_client")),
            (400, code("invalid_request")),
            (400, code("unsupported_grant_type")),
            (400, code("expired_token")),
        ] {
            assert!(matches!(read(status, &body), Answer::NotActedOn(_)), "{status} {body}");
        }
        let wait = Some(Duration::from_secs(3));
        let told = Answer::read(&credential(), 503, wait, b"", NOW);
        assert!(matches!(&told, Answer::Unclear(error) if error.retry_after() == wait), "{told:?}");
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (200, r#"{"access_token": ""}"#),
            (200, r#"{"access_token": "a b"}"#),
            (200, r#"{"access_token": "at", "refresh_token": 7}"#),
            (200, r#"{"access_token": "at", "refresh_token": ""}"#),
            (204, ""),
            (302, ""),
            (400, ""),
            (400, "<html>"),
            (400, r#"{"error": "bad"}"#),
            (401, r#"{"detail": "who are you"}"#),
            (403, "<html>"),
            (403, r#"{"error": "invalid_client"}"#),
            (403, r#"{"error": "invalid_grant"}"#),
            (404, ""),
            (408, ""),
            (429, ""),
            (429, r#"{"error": "slow_down"}"#),
            (503, r#"{"error": "temporarily_unavailable"}"#),
            (500, r#"{"error": "server_error"}"#),
            (500, r#"{"error": "invalid_grant"}"#),
            (502, "<html>"),
            (503, "<html>"),
            (504, ""),
        ] {
            assert!(matches!(read(status, body), Answer::Unclear(_)), "{status} {body}");
        }
    }

    #[test]
    fn errors_have_a_kind_and_no_secrets() {
        let kind = |status, body: &str| match read(status, body) {
            Answer::Refused(error) | Answer::NotActedOn(error) | Answer::Unclear(error) => {
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("at-1") && !shown.contains("rt 1"), "{shown}");
                error.kind()
            }
            Answer::Granted(_) => panic!("a grant"),
        };
        let told = r#"{"error": "invalid_grant", "error_description": "rt 1+/= is spent, at-1 too"}"#;
        assert_eq!(kind(400, told), ErrorKind::ReauthRequired);
        assert_eq!(kind(401, r#"{"error": "invalid_client"}"#), ErrorKind::Auth);
        assert_eq!(kind(429, ""), ErrorKind::RateLimit);
        assert_eq!(kind(502, ""), ErrorKind::Server);
        assert_eq!(kind(400, r#"{"error": "invalid_scope"}"#), ErrorKind::Validation);
        assert_eq!(kind(200, "at-1 rt 1+/="), ErrorKind::Decode);
    }

    #[test]
    fn an_introspection_says_yes_or_no_or_nothing() {
        assert!(read_introspection(200, br#"{"active": true}"#).unwrap());
        assert!(!read_introspection(200, br#"{"active": false}"#).unwrap());
        for (status, body) in [(200, "{}"), (200, ""), (401, r#"{"active": true}"#)] {
            assert_eq!(read_introspection(status, body.as_bytes()).unwrap_err().kind(), ErrorKind::Decode);
        }
    }
}
