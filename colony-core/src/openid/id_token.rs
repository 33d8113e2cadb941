//! Whether an `id_token` says what it must
//! ([OpenID Connect Core 1.0, section 3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation),
//! [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725)).
//!
//! Everything but the arithmetic of the signature, which is passed in. `colony_async` has it all together,
//! behind its feature `id-token`.

use std::{error::Error as StdError, fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::keys::{Key, KeySet};
use crate::{Error, ErrorKind, JsonObject};

/// The one algorithm that is accepted: what the provider's discovery document names. A token does not choose
/// how it is verified (RFC 8725, section 3.1).
pub const ALGORITHM: &str = "RS256";

/// By how much the provider's clock and this one may disagree.
pub const LEEWAY: Duration = Duration::from_secs(60);

/// The largest token that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// The name of the verification in errors.
pub const OPERATION: &str = "verify_id_token";

/// What a token has to say.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Expected {
    /// Who issued it: `iss`, letter for letter.
    pub issuer: String,
    /// Whom it is for: this client's id, which must be its only audience.
    pub audience: String,
    /// The nonce that was sent with the login; `None` where none was.
    pub nonce: Option<String>,
    /// The access token that came with it, to be held against `at_hash` where the token has one.
    pub access_token: Option<SecretString>,
    /// By how much the clocks may disagree. [`LEEWAY`] unless set.
    pub leeway: Duration,
}

impl Expected {
    /// A token by this issuer for this client.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            nonce: None,
            access_token: None,
            leeway: LEEWAY,
        }
    }

    /// Sets the nonce that was sent with the login, which the token must then repeat.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// Sets the access token that came with it.
    #[must_use]
    pub fn access_token(mut self, token: impl Into<SecretString>) -> Self {
        self.access_token = Some(token.into());
        self
    }
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// Who issued it (`iss`).
    pub issuer: String,
    /// Whom it names (`sub`): the only claim to know somebody by; names change.
    pub subject: String,
    /// Whom it is for (`aud`).
    pub audience: String,
    /// When it ends (`exp`), unix seconds by the provider's clock.
    pub expires_at: f64,
    /// When it was issued (`iat`), unix seconds by the provider's clock.
    pub issued_at: f64,
    /// When its subject logged in (`auth_time`), unix seconds.
    pub auth_time: Option<f64>,
    /// The nonce of the login.
    pub nonce: Option<String>,
    /// The username (scope `profile`).
    pub preferred_username: Option<String>,
    /// The name to show (scope `profile`).
    pub name: Option<String>,
    /// A picture's address (scope `profile`).
    pub picture: Option<String>,
    /// The profile's address (scope `profile`).
    pub profile: Option<String>,
    /// The mail address (scope `email`).
    pub email: Option<String>,
    /// Whether the mail address was verified (scope `email`).
    pub email_verified: Option<bool>,
    /// Whether a human was seen at the keyboard; `false` for a token that an agent exchanged.
    pub colony_verified_human: Option<bool>,
    /// The karma (scope `colony:karma`).
    pub colony_karma: Option<f64>,
    /// Everything else the token says; and what of the above has another type than it should.
    pub extra: JsonObject,
}

/// A token whose signature has not been verified. Nothing it says can be had before.
pub struct Unverified<'t> {
    key: Option<String>,
    signed: &'t [u8],
    signature: Vec<u8>,
    claims: JsonObject,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart, and refuses it for what its header asks for.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    pub fn read(token: &'t str) -> Result<Self, Refused> {
        if token.len() > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        let mut segments = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(Refused::Malformed("not three segments"));
        };
        let decode = |segment: &str| BASE64_URL_SAFE_NO_PAD.decode(segment).ok();
        let object = |segment: &str| {
            let Strict(fields) = serde_json::from_slice(&decode(segment)?).ok()?;
            Some(fields)
        };
        let header_fields = object(header).ok_or(Refused::Malformed("the header is not a JSON object"))?;
        let key = check_header(&header_fields)?;
        let claims = object(payload).ok_or(Refused::Malformed("the claims are not a JSON object"))?;
        let signature = decode(signature).ok_or(Refused::Malformed("the signature is not base64url"))?;
        let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
        Ok(Self { key, signed, signature, claims })
    }

    /// The key that it says it is signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Verifies the signature with one of these keys, then what the token says, at `now` (unix seconds).
    ///
    /// `is_signed(key, message, signature)` is the arithmetic: RSASSA-PKCS1-v1_5 with SHA-256
    /// ([RFC 7518, section 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)).
    ///
    /// # Errors
    ///
    /// [`Refused`]; of several reasons the first in the order signature, issuer, audience, times, nonce.
    pub fn verify(
        self,
        keys: &KeySet,
        expected: &Expected,
        now: f64,
        is_signed: impl Fn(&Key, &[u8], &[u8]) -> bool,
    ) -> Result<Claims, Refused> {
        let candidates = keys.candidates(self.key_id());
        if candidates.is_empty() {
            return Err(Refused::UnknownKey);
        }
        if !candidates.into_iter().any(|key| is_signed(key, self.signed, &self.signature)) {
            return Err(Refused::Signature);
        }
        check_claims(self.claims, expected, now)
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Refuses what a header asks for, and gives the key's id. Keys in the header, or addresses of some (`jwk`,
/// `jku`, `x5u`), are never looked at (RFC 8725, section 3.10).
fn check_header(header: &JsonObject) -> Result<Option<String>, Refused> {
    if header.get("alg").and_then(Value::as_str) != Some(ALGORITHM) {
        return Err(Refused::Algorithm);
    }
    // It names extensions that must be understood, and none is here (RFC 7515, section 4.1.11).
    if header.contains_key("crit") {
        return Err(Refused::CriticalExtension);
    }
    // Other kinds of tokens that the same key signs say so (RFC 8725, section 3.11).
    let plain = |kind: &Value| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("JWT"));
    if !header.get("typ").is_none_or(plain) {
        return Err(Refused::Kind);
    }
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(id)) => Ok(Some(id.clone())),
        Some(_) => Err(Refused::Malformed("`kid` is not text")),
    }
}

fn check_claims(mut claims: JsonObject, expected: &Expected, now: f64) -> Result<Claims, Refused> {
    let mut text = |name: &'static str| take(&mut claims, name, |value| value.as_str().map(str::to_owned));
    let issuer = text("iss").ok_or(Refused::Missing("iss"))?;
    if issuer != expected.issuer {
        return Err(Refused::Issuer);
    }
    let subject = text("sub").filter(|sub| !sub.is_empty()).ok_or(Refused::Missing("sub"))?;
    if text("azp").is_some_and(|party| party != expected.audience) {
        return Err(Refused::Audience);
    }
    let nonce = text("nonce");
    let hash = text("at_hash");
    let (preferred_username, name) = (text("preferred_username"), text("name"));
    let (picture, profile, email) = (text("picture"), text("profile"), text("email"));
    // One audience and no other: another one could present the token here as ours (section 3.1.3.7, 3).
    let audience = take(&mut claims, "aud", |value| match value {
        Value::Array(all) if all.len() == 1 => all[0].as_str().map(str::to_owned),
        other => other.as_str().map(str::to_owned),
    });
    let audience = audience.filter(|audience| *audience == expected.audience).ok_or(Refused::Audience)?;
    let mut moment = |name: &'static str| {
        // Present and no number is a mistake, and not the same as absent.
        match claims.remove(name) {
            None => Ok(None),
            Some(value) => value.as_f64().filter(|it| it.is_finite()).map(Some).ok_or(Refused::Missing(name)),
        }
    };
    let expires_at = moment("exp")?.ok_or(Refused::Missing("exp"))?;
    let issued_at = moment("iat")?.ok_or(Refused::Missing("iat"))?;
    let not_before = moment("nbf")?;
    let auth_time = moment("auth_time")?;
    let leeway = expected.leeway.as_secs_f64();
    let (latest, earliest) = (expires_at + leeway, now + leeway);
    // A clock that shows no time at all is neither before nor after anything.
    if now.is_nan() || now >= latest {
        return Err(Refused::Expired);
    }
    if issued_at > earliest || not_before.is_some_and(|from| from > earliest) {
        return Err(Refused::NotYet);
    }
    if expires_at < issued_at {
        return Err(Refused::Expired);
    }
    if expected.nonce.is_some() && nonce != expected.nonce {
        return Err(Refused::Nonce);
    }
    if let (Some(hash), Some(token)) = (&hash, &expected.access_token)
        && *hash != half_hash(token)
    {
        return Err(Refused::AccessToken);
    }
    Ok(Claims {
        issuer,
        subject,
        audience,
        expires_at,
        issued_at,
        auth_time,
        nonce,
        preferred_username,
        name,
        picture,
        profile,
        email,
        email_verified: take(&mut claims, "email_verified", Value::as_bool),
        colony_verified_human: take(&mut claims, "colony_verified_human", Value::as_bool),
        colony_karma: take(&mut claims, "colony_karma", Value::as_f64),
        extra: claims,
    })
}

/// Takes a claim out, if it is of the type it should be.
fn take<T>(claims: &mut JsonObject, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    let value = read(claims.get(name)?)?;
    claims.remove(name);
    Some(value)
}

/// The left half of an access token's hash, as `at_hash` has it (OpenID Connect Core 1.0, section 3.1.3.6).
fn half_hash(token: &SecretString) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(token.expose_secret())[..16])
}

/// A JSON object in which no name stands twice: a parser that takes the first and one that takes the last
/// would read two tokens (RFC 7519, section 4).
struct Strict(JsonObject);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Strict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
                let mut fields = JsonObject::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if fields.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                Ok(Strict(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Why a token is not believed.
///
/// None of these holds a piece of the token. New reasons may be added; match with a `_` arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// More than [`MAX_BYTES`].
    TooLarge,
    /// Not a signed JWT; the reason is for people.
    Malformed(&'static str),
    /// It asks for another algorithm than [`ALGORITHM`], `none` for example.
    Algorithm,
    /// It needs an extension that is not understood (`crit`).
    CriticalExtension,
    /// It is another kind of token (`typ`).
    Kind,
    /// The provider has no such key.
    UnknownKey,
    /// The signature is wrong.
    Signature,
    /// This claim is missing or has the wrong type.
    Missing(&'static str),
    /// It is another issuer's.
    Issuer,
    /// It is for another client, or not for this one alone.
    Audience,
    /// It has ended.
    Expired,
    /// It is not good yet.
    NotYet,
    /// It was issued for another login.
    Nonce,
    /// It came with another access token (`at_hash`).
    AccessToken,
}

impl Refused {
    /// The reason in one word, for a field of a log event and as [`Error::code`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "id_token_too_large",
            Self::Malformed(_) => "id_token_malformed",
            Self::Algorithm => "id_token_algorithm",
            Self::CriticalExtension => "id_token_critical_extension",
            Self::Kind => "id_token_kind",
            Self::UnknownKey => "id_token_unknown_key",
            Self::Signature => "id_token_signature",
            Self::Missing(_) => "id_token_incomplete",
            Self::Issuer => "id_token_issuer",
            Self::Audience => "id_token_audience",
            Self::Expired => "id_token_expired",
            Self::NotYet => "id_token_not_yet",
            Self::Nonce => "id_token_nonce",
            Self::AccessToken => "id_token_access_token",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "it has more than {MAX_BYTES} bytes"),
            Self::Malformed(why) => write!(f, "it is not a signed JWT: {why}"),
            Self::Algorithm => write!(f, "it is not signed with {ALGORITHM}"),
            Self::CriticalExtension => f.write_str("it needs an extension that is not understood"),
            Self::Kind => f.write_str("it is another kind of token"),
            Self::UnknownKey => f.write_str("the provider has no key of that name"),
            Self::Signature => f.write_str("its signature is wrong"),
            Self::Missing(claim) => write!(f, "it has no usable `{claim}`"),
            Self::Issuer => f.write_str("it is another issuer's"),
            Self::Audience => f.write_str("it is not for this client only"),
            Self::Expired => f.write_str("it has ended"),
            Self::NotYet => f.write_str("it is not valid yet; are the clocks right?"),
            Self::Nonce => f.write_str("it was issued for another login"),
            Self::AccessToken => f.write_str("it came with another access token"),
        }
    }
}

impl StdError for Refused {}

impl From<Refused> for Error {
    /// An error of kind [`Auth`](ErrorKind::Auth); [`Error::code`] is [`Refused::as_str`], and the source is
    /// the refusal.
    fn from(refused: Refused) -> Self {
        Error::build(ErrorKind::Auth, format!("the id_token is not trusted: {refused}"))
            .operation(OPERATION)
            .code(refused.as_str())
            .source(refused)
            .finish()
    }
}
