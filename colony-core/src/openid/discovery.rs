//! What a provider says of itself: `/.well-known/openid-configuration`, and what of it is believed
//! ([OpenID Connect Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html),
//! [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)).
//!
//! The document says where tokens are sent to, so whoever can change it can have them. Three rules keep it
//! to the site that was asked: the document names the issuer that was asked, letter for letter (Discovery
//! 1.0, section 4.3; RFC 8414, section 3.3); the issuer is `https`, or on a loopback address; and every
//! address in it has the issuer's scheme, host and port.

use std::{error::Error as StdError, fmt, time::Duration};

use http::Method;
use serde::Deserialize;
use url::{Host, Url};

use crate::{Base, Error, ErrorKind, JsonObject, Request};

/// The document's place below the issuer (Discovery 1.0, section 4).
pub const PATH: &str = "/.well-known/openid-configuration";

/// The largest document that is read, in bytes. The Colony's has about eight thousand.
pub const MAX_BYTES: usize = 128 * 1024;

/// How long a document is believed. Then it is fetched again, when it is next needed.
pub const TTL: Duration = Duration::from_secs(60 * 60);

/// The name of the request for the document, in errors and hooks.
pub const OPERATION: &str = "openid_configuration";

/// Where the token endpoint is on a site without a document, which is also where the operation
/// [`exchange_token`](crate::api::auth::ExchangeToken) and the Python package take it to be.
const TOKEN_PATH: &str = "/oauth/token";

/// A provider: what its discovery document says. Every address in it has been checked.
///
/// ```
/// use colony_core::openid::discovery::{Provider, Refused};
///
/// let document = br#"{
///     "issuer": "https://thecolony.ai",
///     "token_endpoint": "https://thecolony.ai/oauth/token",
///     "jwks_uri": "https://thecolony.ai/.well-known/jwks.json"
/// }"#;
/// let provider = Provider::read("https://thecolony.ai", document)?;
/// assert_eq!(provider.token_endpoint.as_str(), "https://thecolony.ai/oauth/token");
///
/// // A document must come from the site that it describes.
/// let refused = Provider::read("https://colony.example", document).unwrap_err();
/// assert!(matches!(refused, Refused::IssuerMismatch { .. }));
/// # Ok::<(), Refused>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Provider {
    /// Who it is: `iss` in what it signs.
    pub issuer: String,
    /// Where tokens are issued and exchanged.
    pub token_endpoint: Url,
    /// Where its keys are.
    #[serde(default)]
    pub jwks_uri: Option<Url>,
    /// Where a person logs in.
    #[serde(default)]
    pub authorization_endpoint: Option<Url>,
    /// Where an access token is traded for what is known of its owner.
    #[serde(default)]
    pub userinfo_endpoint: Option<Url>,
    /// Where a token is revoked ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).
    #[serde(default)]
    pub revocation_endpoint: Option<Url>,
    /// Where a token's state can be asked for ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
    #[serde(default)]
    pub introspection_endpoint: Option<Url>,
    /// Where a login on another device begins ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).
    #[serde(default)]
    pub device_authorization_endpoint: Option<Url>,
    /// Where authorization requests are pushed to ([RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)).
    #[serde(default)]
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Where clients are registered ([RFC 7591](https://www.rfc-editor.org/rfc/rfc7591)).
    #[serde(default)]
    pub registration_endpoint: Option<Url>,
    /// Where a login is ended.
    #[serde(default)]
    pub end_session_endpoint: Option<Url>,
    /// The grant types it takes; `None` where it does not say.
    #[serde(default)]
    pub grant_types_supported: Option<Vec<String>>,
    /// The scopes it knows; `None` where it does not say.
    #[serde(default)]
    pub scopes_supported: Option<Vec<String>>,
    /// How clients prove themselves at the token endpoint; `None` where it does not say.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The algorithms it signs `id_token`s with; `None` where it does not say.
    #[serde(default)]
    pub id_token_signing_alg_values_supported: Option<Vec<String>>,
    /// The PKCE methods it takes ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)); `None` where it does
    /// not say.
    #[serde(default)]
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Everything else it says, unchecked.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl Provider {
    /// Reads the document that was found at an issuer's address.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the field that is at fault.
    pub fn read(issuer: &str, text: &[u8]) -> Result<Self, Refused> {
        let origin = check_issuer(issuer)?;
        if text.len() > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        let found: serde_json::Value = serde_json::from_slice(text).map_err(|_| Refused::NotJson)?;
        let Some(fields) = found.as_object() else { return Err(Refused::NotJson) };
        // First of all: another issuer's document need not look like anything.
        match fields.get("issuer").and_then(serde_json::Value::as_str) {
            None => return Err(Refused::Missing("issuer")),
            Some(found) if found != issuer => {
                return Err(Refused::IssuerMismatch { expected: issuer.to_owned(), found: shown(found) });
            }
            Some(_) => {}
        }
        for name in ENDPOINTS {
            match fields.get(*name) {
                None | Some(serde_json::Value::Null) => {}
                Some(address) => check_endpoint(name, address.as_str(), &origin)?,
            }
        }
        if !fields.get("token_endpoint").is_some_and(serde_json::Value::is_string) {
            return Err(Refused::Missing("token_endpoint"));
        }
        // From the text and not from `found`, in which of two equal fields one is lost.
        serde_json::from_slice(text).map_err(|_| Refused::Malformed)
    }

    /// The provider of a site that publishes no document (404): its token endpoint is at `/oauth/token`
    /// below the issuer, as it is for the operation
    /// [`exchange_token`](crate::api::auth::ExchangeToken); nothing else is known of it.
    ///
    /// # Errors
    ///
    /// [`Refused`] for an issuer that cannot be one.
    pub fn without_document(issuer: &str) -> Result<Self, Refused> {
        check_issuer(issuer)?;
        let token_endpoint =
            Url::parse(&format!("{issuer}{TOKEN_PATH}")).map_err(|_| Refused::IssuerUnusable)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            token_endpoint,
            jwks_uri: None,
            authorization_endpoint: None,
            userinfo_endpoint: None,
            revocation_endpoint: None,
            introspection_endpoint: None,
            device_authorization_endpoint: None,
            pushed_authorization_request_endpoint: None,
            registration_endpoint: None,
            end_session_endpoint: None,
            grant_types_supported: None,
            scopes_supported: None,
            token_endpoint_auth_methods_supported: None,
            id_token_signing_alg_values_supported: None,
            code_challenge_methods_supported: None,
            extra: JsonObject::new(),
        })
    }
}

/// The fields that say where something is sent to or fetched from. Whatever else looks like an address
/// (documentation, policies) is for people.
const ENDPOINTS: &[&str] = &[
    "token_endpoint",
    "jwks_uri",
    "authorization_endpoint",
    "userinfo_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "end_session_endpoint",
];

/// The request for an issuer's document.
pub fn request(issuer: &str) -> Request {
    Request::new(OPERATION, Method::GET, "").base(Base::Endpoint(format!("{issuer}{PATH}"))).anonymous()
}

/// Whether this document, fetched at a moment (unix seconds), is still believed. One from the future, by
/// more than [`CLOCK_GRACE`](crate::token::freshness::CLOCK_GRACE), has no known age and is not.
pub fn is_believed(fetched_at: f64, now: f64) -> bool {
    crate::token::freshness::Lifetime::within_ttl(fetched_at, Some(TTL), now)
}

/// Refuses an issuer that tokens must not be sent to, and gives what its addresses must begin with.
fn check_issuer(issuer: &str) -> Result<Url, Refused> {
    let url = parse(issuer).ok_or(Refused::IssuerUnusable)?;
    if url.query().is_some() || url.fragment().is_some() || has_login(&url) || issuer.ends_with('/') {
        return Err(Refused::IssuerUnusable);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(Refused::NotHttps("issuer")),
        _ => Err(Refused::IssuerUnusable),
    }
}

fn check_endpoint(name: &'static str, address: Option<&str>, issuer: &Url) -> Result<(), Refused> {
    let url = address.and_then(parse).ok_or(Refused::NotAnAddress(name))?;
    if has_login(&url) || url.fragment().is_some() {
        return Err(Refused::NotAnAddress(name));
    }
    if url.scheme() != issuer.scheme() {
        return Err(Refused::NotHttps(name));
    }
    if url.host() != issuer.host() || url.port_or_known_default() != issuer.port_or_known_default() {
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let host = shown(&format!("{}{port}", url.host_str().unwrap_or_default()));
        return Err(Refused::OtherHost { field: name, host });
    }
    Ok(())
}

/// An address as it stands: parsers of addresses drop white space and turn backslashes round, and what was
/// checked must be what is used.
fn parse(text: &str) -> Option<Url> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    Url::parse(text).ok().filter(|url| plain && url.has_host())
}

fn has_login(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether an address leads to this very host: what is sent there passes no network.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The longest piece of a document that a message repeats, in characters.
const MAX_SHOWN: usize = 200;

/// A stranger's text as it may stand in a message: on one line, and bounded.
fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Why a provider, or its document, is not believed.
///
/// New reasons may be added; match with a `_` arm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The issuer that was asked cannot be one: not an address, or with a query, a fragment, a user or a
    /// slash at its end.
    IssuerUnusable,
    /// More than [`MAX_BYTES`].
    TooLarge,
    /// Not a JSON object.
    NotJson,
    /// A field has another type than it must, or stands there twice.
    Malformed,
    /// This field is missing.
    Missing(&'static str),
    /// The document is another issuer's.
    IssuerMismatch {
        /// The issuer that was asked.
        expected: String,
        /// The one that the document names.
        found: String,
    },
    /// The address in this field is none.
    NotAnAddress(&'static str),
    /// The address in this field is `http`, or not of the issuer's scheme.
    NotHttps(&'static str),
    /// The address in this field is on another host or port.
    OtherHost {
        /// The field.
        field: &'static str,
        /// Where it points.
        host: String,
    },
}

impl Refused {
    /// The reason in one word, for a field of a log event and as [`Error::code`].
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::IssuerUnusable => "issuer_unusable",
            Self::TooLarge => "discovery_too_large",
            Self::NotJson => "discovery_not_json",
            Self::Malformed => "discovery_malformed",
            Self::Missing(_) => "discovery_incomplete",
            Self::IssuerMismatch { .. } => "issuer_mismatch",
            Self::NotAnAddress(_) => "endpoint_not_an_address",
            Self::NotHttps(_) => "endpoint_not_https",
            Self::OtherHost { .. } => "endpoint_on_other_host",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IssuerUnusable => {
                f.write_str("the issuer is not an address without query, user and slash at its end")
            }
            Self::TooLarge => write!(f, "the document has more than {MAX_BYTES} bytes"),
            Self::NotJson => f.write_str("the document is not a JSON object"),
            Self::Malformed => f.write_str("a field of the document has the wrong type or appears twice"),
            Self::Missing(field) => write!(f, "the document has no usable `{field}`"),
            Self::IssuerMismatch { expected, found } => {
                write!(f, "the document is for {found:?}, and {expected:?} was asked for")
            }
            Self::NotAnAddress(field) => write!(f, "`{field}` is not a plain address"),
            Self::NotHttps(field) => write!(f, "`{field}` is not https, which tokens are sent over"),
            Self::OtherHost { field, host } => {
                write!(f, "`{field}` points to {host:?}, which is not the issuer's host and port")
            }
        }
    }
}

impl StdError for Refused {}

impl From<Refused> for Error {
    /// An error of kind [`Decode`](ErrorKind::Decode) for a document, and
    /// [`Config`](ErrorKind::Config) for an issuer that nobody could have asked; [`Error::code`] is
    /// [`Refused::as_str`], and the source is the refusal.
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::IssuerUnusable | Refused::NotHttps("issuer") => ErrorKind::Config,
            _ => ErrorKind::Decode,
        };
        let hint = match kind {
            ErrorKind::Config => "Give the base URL as https://…, or one on a loopback address",
            _ => "Check the base URL; if it is right, tell the provider's operator. No token was sent",
        };
        Error::build(kind, format!("the provider's document is not trusted: {refused}"))
            .operation(OPERATION)
            .code(refused.as_str())
            .hint(hint)
            .source(refused)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://colony.example";

    fn document(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut document = json!({
            "issuer": ISSUER,
            "token_endpoint": "https://colony.example/oauth/token",
            "jwks_uri": "https://colony.example/.well-known/jwks.json",
            "userinfo_endpoint": null,
            "service_documentation": "http://elsewhere.example/docs",
            "grant_types_supported": ["refresh_token"],
        });
        change(&mut document);
        document.to_string().into_bytes()
    }

    fn refused(change: impl FnOnce(&mut Value)) -> Refused {
        Provider::read(ISSUER, &document(change)).expect_err("refused")
    }

    #[test]
    fn a_good_document_is_read_and_the_rest_kept() {
        let provider = Provider::read(ISSUER, &document(|_| {})).expect("good");
        assert_eq!(provider.token_endpoint.as_str(), "https://colony.example/oauth/token");
        assert_eq!(provider.userinfo_endpoint, None);
        assert_eq!(provider.grant_types_supported.as_deref(), Some(&["refresh_token".to_owned()][..]));
        assert_eq!(provider.extra["service_documentation"], "http://elsewhere.example/docs");
        // The default port, spelt out, is the same port.
        let spelt = document(|it| it["token_endpoint"] = json!("https://COLONY.example:443/t?x=1"));
        let provider = Provider::read(ISSUER, &spelt).expect("good");
        assert_eq!(provider.token_endpoint.as_str(), "https://colony.example/t?x=1");
    }

    #[test]
    fn the_issuer_is_the_one_that_was_asked_letter_for_letter() {
        for other in [
            "https://colony.example/",
            "https://Colony.example",
            "https://colony.example:443",
            "http://colony.example",
            "https://evil.example",
            "",
            "https://colony.example\u{0}",
        ] {
            let refusal = refused(|it| it["issuer"] = json!(other));
            assert!(matches!(refusal, Refused::IssuerMismatch { .. }), "{other:?}: {refusal:?}");
        }
        for none in [json!(null), json!(7), json!([ISSUER])] {
            assert_eq!(refused(|it| it["issuer"] = none), Refused::Missing("issuer"));
        }
        // Long and multi-line names do not flood a log.
        let text = refused(|it| it["issuer"] = json!("x\n".repeat(10_000))).to_string();
        assert!(text.len() < 400 && !text.contains('\n'), "{text}");
    }

    #[test]
    fn every_address_is_on_the_issuer_s_scheme_host_and_port() {
        for name in ENDPOINTS {
            for (address, code) in [
                ("http://colony.example/x", "endpoint_not_https"),
                ("ftp://colony.example/x", "endpoint_not_https"),
                ("https://evil.example/x", "endpoint_on_other_host"),
                ("https://colony.example.evil.example/x", "endpoint_on_other_host"),
                ("https://evil.colony.example/x", "endpoint_on_other_host"),
                ("https://colony.example:8443/x", "endpoint_on_other_host"),
                ("https://colony.example@evil.example/x", "endpoint_not_an_address"),
                ("https://user:pass@colony.example/x", "endpoint_not_an_address"),
                ("https://evil.example\\@colony.example/x", "endpoint_not_an_address"),
                ("https://colony.example/x#y", "endpoint_not_an_address"),
                (" https://colony.example/x", "endpoint_not_an_address"),
                ("https://colony.example/\tx", "endpoint_not_an_address"),
                ("//colony.example/x", "endpoint_not_an_address"),
                ("/oauth/token", "endpoint_not_an_address"),
                ("data:text/plain,x", "endpoint_not_an_address"),
                ("", "endpoint_not_an_address"),
            ] {
                let refusal = refused(|it| it[*name] = json!(address));
                assert_eq!(refusal.as_str(), code, "{name} {address}: {refusal:?}");
            }
            assert_eq!(refused(|it| it[*name] = json!(7)).as_str(), "endpoint_not_an_address");
        }
    }

    #[test]
    fn http_is_for_loopback_alone() {
        for (issuer, is_good) in [
            ("http://127.0.0.1:8000", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8000", true),
            ("http://localhost:8000/colony", true),
            ("https://10.0.0.5", true),
            ("http://10.0.0.5", false),
            ("http://localhost.evil.example", false),
            ("http://0.0.0.0:8000", false),
            ("ftp://127.0.0.1", false),
            ("https://colony.example/", false),
            ("https://colony.example?x=1", false),
            ("https://colony.example#x", false),
            ("https://user@colony.example", false),
            ("colony.example", false),
            ("", false),
        ] {
            let text = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/t")}).to_string();
            let read = Provider::read(issuer, text.as_bytes());
            assert_eq!(read.is_ok(), is_good, "{issuer}: {read:?}");
            assert_eq!(Provider::without_document(issuer).is_ok(), is_good, "{issuer}");
        }
        // A loopback issuer cannot be downgraded, nor lead away.
        let issuer = "https://localhost:8443";
        let text = json!({"issuer": issuer, "token_endpoint": "http://localhost:8443/t"}).to_string();
        assert_eq!(Provider::read(issuer, text.as_bytes()), Err(Refused::NotHttps("token_endpoint")));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let read = |text: &[u8]| Provider::read(ISSUER, text).expect_err("refused");
        for text in [&b""[..], b"<html>", b"[]", b"null", b"\"x\"", b"\xff", b"{} {}"] {
            assert_eq!(read(text), Refused::NotJson);
        }
        assert_eq!(read(&vec![b' '; MAX_BYTES + 1]), Refused::TooLarge);
        assert_eq!(refused(|it| it["token_endpoint"] = json!(null)), Refused::Missing("token_endpoint"));
        assert_eq!(
            refused(|it| drop(it.as_object_mut().unwrap().remove("token_endpoint"))),
            Refused::Missing("token_endpoint")
        );
        assert_eq!(refused(|it| it["grant_types_supported"] = json!("all")), Refused::Malformed);
        // Twice, so that a checker and a user could each take another one.
        let text = String::from_utf8(document(|_| {})).unwrap();
        let twice = text.replacen('{', r#"{"token_endpoint": "https://evil.example/t", "#, 1);
        assert_eq!(read(twice.as_bytes()), Refused::Malformed);
        let deep = format!("{{\"issuer\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(read(deep.as_bytes()), Refused::NotJson);
    }

    #[test]
    fn a_site_without_a_document_has_its_token_endpoint_where_the_operation_has_it() {
        let provider = Provider::without_document("https://host.example/colony").expect("an issuer");
        assert_eq!(provider.token_endpoint.as_str(), "https://host.example/colony/oauth/token");
        assert_eq!(provider.jwks_uri, None);
    }

    #[test]
    fn a_document_is_believed_for_an_hour() {
        assert!(is_believed(1e9, 1e9) && is_believed(1e9, 1e9 + 3600.0));
        assert!(!is_believed(1e9, 1e9 + 3601.0));
        assert!(is_believed(1e9, 1e9 - 60.0) && !is_believed(1e9, 1e9 - 61.0));
    }

    #[test]
    fn refusals_are_typed_errors() {
        let error = Error::from(refused(|it| it["issuer"] = json!("https://evil.example")));
        assert_eq!((error.kind(), error.code()), (ErrorKind::Decode, Some("issuer_mismatch")));
        let source = StdError::source(&error).and_then(|source| source.downcast_ref::<Refused>());
        assert!(matches!(source, Some(Refused::IssuerMismatch { .. })));
    }
}
