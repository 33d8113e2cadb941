//! Keeping a token for another service: the file's name, what it says, and for how long it serves.
//!
//! The file is this SDK's own (the Python package keeps no such tokens) and lies beside the login's:
//! `exchange-<fingerprint>.json`, with a lock file and a note of the same name, under the same rules. It says
//! whose it is, so that a file under a wrong name is a miss, and a logout finds what belongs to a key.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::audience::{Audience, OPERATION};
use crate::{
    Error, ErrorKind, Reply, Result,
    token::{
        cache_path,
        envelope::{MAX_BYTES, Unreadable, Unwritable},
        freshness::{self, Lifetime},
    },
};

/// What the names of these files begin with; the [`fingerprint`] follows.
pub const PREFIX: &str = "exchange-";

/// The version that is written.
pub const VERSION: u32 = 1;

/// How long a token is trusted that came without a lifetime, in seconds: what the shortest of The Colony's
/// live for. [RFC 8693, section 2.2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1) only recommends
/// `expires_in`.
pub const UNTOLD_LIFETIME: f64 = 300.0;

/// The longest life of an exchanged token that is believed, in seconds: that of the login it was exchanged
/// for.
pub const LONGEST_LIFETIME: f64 = 24.0 * 60.0 * 60.0;

/// The first 16 hex digits of the sha256 of base URL, key, audience and scopes, each preceded by its length,
/// so that no two lists are spelt alike. It does not give the key away and may stand in a log.
///
/// The base URL is taken as given; pass it through
/// [`normalise_base_url`](cache_path::normalise_base_url) first.
///
/// ```
/// use colony_core::openid::{audience::Audience, exchanged::fingerprint};
///
/// let app = Audience::new("colony_app").scope("openid profile");
/// assert_eq!(fingerprint("https://thecolony.ai/api/v1", "col_k", &app), "f2c020cedb068820");
/// ```
pub fn fingerprint(base_url: &str, api_key: &str, audience: &Audience) -> String {
    let mut hash = Sha256::new().chain_update("colony-sdk exchanged token");
    // No scope and an empty one are the same: `Audience::scope` makes nothing of an empty text.
    let scope = audience.scope.as_deref().unwrap_or_default();
    for part in [base_url, api_key, &audience.audience, scope] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    cache_path::short_hex(&hash.finalize())
}

/// Whether a file that says it was written at this moment may be believed at `now` (both unix seconds): not
/// if it is from the future, by more than [`CLOCK_GRACE`](freshness::CLOCK_GRACE). The clock was set back, and
/// nothing else in the file would tell when an opaque token ends.
pub fn is_dated_well(at: f64, now: f64) -> bool {
    at <= now + freshness::CLOCK_GRACE.as_secs_f64()
}

/// What an exchange granted, and from when.
#[derive(Clone)]
#[non_exhaustive]
pub struct Granted {
    /// The access token.
    pub access_token: SecretString,
    /// The `id_token`, where one came with it.
    pub id_token: Option<SecretString>,
    /// The scopes that were granted.
    pub scope: Option<String>,
    /// When it was granted, unix seconds by this machine's clock.
    pub at: f64,
    /// When the access token ends, unix seconds by this machine's clock.
    pub expiry: f64,
    /// When the `id_token` ends, unix seconds by this machine's clock.
    pub id_expiry: Option<f64>,
}

impl Granted {
    /// A token that was got at one moment and ends at another, both unix seconds by this machine's clock.
    pub fn new(access_token: SecretString, at: f64, expiry: f64) -> Self {
        Self { access_token, id_token: None, scope: None, at, expiry, id_expiry: None }
    }

    /// Reads the reply to an exchange that was answered at `now` (unix seconds).
    ///
    /// The access token lives for `expires_in`, the `id_token` for `exp − iat`, both counted from `now`, so
    /// that a clock that is wrong does not matter. A life that is not told is [`UNTOLD_LIFETIME`], and none
    /// is longer than [`LONGEST_LIFETIME`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] for a reply without a token that can be sent as `Bearer`.
    pub fn read_reply(reply: &Reply, now: f64) -> Result<Self> {
        let refuse = |what: &str| {
            let message = format!("the reply to the exchange {what}");
            let status = reply.status.as_u16();
            Error::build(ErrorKind::Decode, message).operation(OPERATION).status(status).finish()
        };
        let body = reply.json().map_err(|_| refuse("is not JSON"))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let sendable =
            |name: &str| text(name).filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
        let access_token =
            sendable("access_token").ok_or_else(|| refuse("holds no usable `access_token`"))?;
        // RFC 8693 has `N_A` for what is no access token; one that is bound to a key (`DPoP`) cannot be used.
        if !text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer") || kind == "N_A") {
            return Err(refuse("holds a token of a type that this client cannot use"));
        }
        let told = body.get("expires_in").and_then(seconds);
        let id_token = sendable("id_token");
        let id_life = id_token.map(|token| {
            let life = Lifetime::at_login(token, now);
            let readable = freshness::claims(token).is_some_and(|claims| claims.exp.is_some());
            if readable { believed(life.dead_at - now) } else { UNTOLD_LIFETIME }
        });
        Ok(Self {
            access_token: access_token.into(),
            id_token: id_token.map(SecretString::from),
            scope: text("scope").map(str::to_owned),
            at: now,
            expiry: now + told.map_or(UNTOLD_LIFETIME, believed),
            id_expiry: id_life.map(|life| now + life),
        })
    }

    /// Reads a file's content, for these tokens of the key with this login fingerprint (the
    /// [`cache_path::fingerprint`]).
    ///
    /// # Errors
    ///
    /// [`Unreadable`], for whatever the bytes are; it never panics. A file that cannot be read is a miss, not
    /// a failure.
    pub fn read(text: &[u8], login: &str, audience: &Audience) -> Result<Self, Unreadable> {
        let file = File::read(text)?;
        if file.login != login || file.audience != audience.audience || file.requested_scope != audience.scope
        {
            return Err(Unreadable::Another);
        }
        file.granted()
    }

    /// The file's content: one JSON object.
    ///
    /// # Errors
    ///
    /// [`Unwritable`], where the file could not be read again.
    pub fn write(&self, login: &str, audience: &Audience) -> Result<String, Unwritable> {
        let moments = [Some(self.at), Some(self.expiry), self.id_expiry];
        if moments.into_iter().flatten().any(|moment| !moment.is_finite()) {
            return Err(Unwritable::ExpiryNotFinite);
        }
        if self.access_token.expose_secret().is_empty() {
            return Err(Unwritable::NoToken);
        }
        let file = Written {
            v: VERSION,
            kind: KIND,
            login,
            audience: &audience.audience,
            requested_scope: audience.scope.as_deref(),
            at: self.at,
            access_token: self.access_token.expose_secret(),
            expiry: self.expiry,
            id_token: self.id_token.as_ref().map(ExposeSecret::expose_secret),
            id_expiry: self.id_expiry,
            scope: self.scope.as_deref(),
        };
        let text = serde_json::to_string(&file).map_err(|_| Unwritable::ExpiryNotFinite)?;
        if text.len() > MAX_BYTES { Err(Unwritable::TooLarge) } else { Ok(text) }
    }

    /// How long the access token serves.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime::short(self.at, self.expiry)
    }

    /// How long the `id_token` serves, where there is one.
    pub fn id_lifetime(&self) -> Option<Lifetime> {
        Some(Lifetime::short(self.at, self.id_expiry?))
    }
}

impl fmt::Debug for Granted {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted")
            .field("scope", &self.scope)
            .field("at", &self.at)
            .field("expiry", &self.expiry)
            .field("id_expiry", &self.id_expiry)
            .finish_non_exhaustive()
    }
}

/// Whose tokens a file holds, for lists of what is cached; the tokens themselves aside.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Label {
    /// The [`cache_path::fingerprint`] of base URL and key.
    pub login: String,
    /// The service and the scopes.
    pub audience: Audience,
    /// How long the access token serves.
    pub lifetime: Lifetime,
    /// When it was granted, Unix seconds.
    pub at: f64,
}

impl Label {
    /// Reads it off a file's content.
    ///
    /// # Errors
    ///
    /// As [`Granted::read`].
    pub fn read(text: &[u8]) -> Result<Self, Unreadable> {
        let file = File::read(text)?;
        let mut audience = Audience::new(file.audience.clone());
        audience.scope.clone_from(&file.requested_scope);
        let login = file.login.clone();
        let at = file.at;
        Ok(Self { login, audience, lifetime: file.granted()?.lifetime(), at })
    }
}

/// What tells these files from others.
const KIND: &str = "exchanged_token";

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    kind: &'static str,
    login: &'a str,
    audience: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_scope: Option<&'a str>,
    at: f64,
    access_token: &'a str,
    expiry: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_expiry: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

#[derive(Deserialize)]
struct File {
    v: u32,
    kind: String,
    login: String,
    audience: String,
    requested_scope: Option<String>,
    at: f64,
    access_token: SecretString,
    expiry: f64,
    id_token: Option<SecretString>,
    id_expiry: Option<f64>,
    scope: Option<String>,
}

impl File {
    fn read(text: &[u8]) -> Result<Self, Unreadable> {
        if text.len() > MAX_BYTES {
            return Err(Unreadable::TooLarge);
        }
        let version: Version = serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)?;
        if version.v.is_some_and(|v| v > f64::from(VERSION)) {
            return Err(Unreadable::NewerVersion);
        }
        let file: Self = serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)?;
        if file.v != VERSION || file.kind != KIND {
            return Err(Unreadable::Another);
        }
        Ok(file)
    }

    fn granted(self) -> Result<Granted, Unreadable> {
        if self.access_token.expose_secret().is_empty() {
            return Err(Unreadable::NoToken);
        }
        let tokens = [Some(&self.access_token), self.id_token.as_ref()];
        let sendable =
            |token: &SecretString| token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
        if !tokens.into_iter().flatten().all(sendable) {
            return Err(Unreadable::TokenUnusable);
        }
        // No token lives longer, so a longer lifetime is a mistake or a lie.
        let lives = |expiry: f64| expiry - self.at <= LONGEST_LIFETIME + 1.0;
        if ![Some(self.expiry), self.id_expiry].into_iter().flatten().all(lives) {
            return Err(Unreadable::ExpiryAbsurd);
        }
        // A file that claims more than the JWT inside it is not believed: by the length of its life, where
        // that is told, so that a clock that is wrong does not matter. What has no end has no life.
        let id_expiry = self.id_token.as_ref().map(|token| {
            let claims = freshness::claims(token.expose_secret());
            let (exp, iat) = claims.map_or((None, None), |claims| (claims.exp, claims.iat));
            let told = exp.map(|exp| iat.filter(|iat| *iat < exp).map_or(exp, |iat| self.at + (exp - iat)));
            let written = self.id_expiry.unwrap_or(self.at);
            told.map_or(written, |told| written.min(told))
        });
        Ok(Granted {
            access_token: self.access_token,
            id_token: self.id_token,
            scope: self.scope,
            at: self.at,
            expiry: self.expiry,
            id_expiry,
        })
    }
}

#[derive(Deserialize)]
struct Version {
    v: Option<f64>,
}

fn believed(lifetime: f64) -> f64 {
    lifetime.clamp(0.0, LONGEST_LIFETIME)
}

/// A number of seconds, which some providers write as text.
fn seconds(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    const NOW: f64 = 1_790_000_000.25;
    const LOGIN: &str = "977e76005e3b03fa";

    fn app() -> Audience {
        Audience::new("colony_app").scope("openid profile")
    }

    fn jwt(iat: f64, exp: f64) -> String {
        let claims = json!({"iat": iat, "exp": exp}).to_string();
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    fn reply(change: impl FnOnce(&mut Value)) -> Result<Granted> {
        let mut body = json!({
            "access_token": "opaque", "token_type": "Bearer", "expires_in": 900, "scope": "openid",
            "id_token": jwt(NOW, NOW + 300.0),
        });
        change(&mut body);
        let body = Bytes::from(body.to_string());
        Granted::read_reply(&Reply::new(StatusCode::OK, HeaderMap::new(), body), NOW)
    }

    #[test]
    fn no_two_lists_are_spelt_alike() {
        let mut seen = HashSet::new();
        for (base_url, key, audience, scope) in [
            ("b", "k", "a", "s"),
            ("bk", "", "a", "s"),
            ("b", "ka", "", "s"),
            ("b", "k", "as", ""),
            ("b", "k", "a s", ""),
            ("b", "k", "a", "s t"),
            ("b|k", "", "a", "s"),
            ("", "b", "k", "a"),
            ("b", "k", "s", "a"),
        ] {
            let audience = Audience::new(audience).scope(scope);
            assert!(seen.insert(fingerprint(base_url, key, &audience)), "{base_url} {key} {audience:?}");
        }
        assert_ne!(fingerprint("b", "k", &app()), cache_path::fingerprint("b", "k"));
    }

    #[test]
    fn lives_are_counted_from_now_and_bounded() {
        let granted = reply(|_| {}).unwrap();
        assert_eq!((granted.expiry - NOW, granted.id_expiry.map(|it| it - NOW)), (900.0, Some(300.0)));
        // The provider's clock is a year ahead.
        let granted = reply(|it| it["id_token"] = jwt(NOW + 3e7, NOW + 3e7 + 300.0).into()).unwrap();
        assert_eq!(granted.id_expiry, Some(NOW + 300.0));
        for (told, life) in [
            (json!(null), UNTOLD_LIFETIME),
            (json!("900"), 900.0),
            (json!("soon"), UNTOLD_LIFETIME),
            (json!(-1), UNTOLD_LIFETIME),
            (json!(0), 0.0),
            (json!(1e300), LONGEST_LIFETIME),
        ] {
            let granted = reply(|it| it["expires_in"] = told.clone()).unwrap();
            assert_eq!(granted.expiry - NOW, life, "{told}");
        }
        let granted = reply(|it| it["id_token"] = "e30.e30.c2ln".into()).unwrap();
        assert_eq!(granted.id_expiry, Some(NOW + UNTOLD_LIFETIME));
    }

    #[test]
    fn what_cannot_be_sent_is_no_token() {
        for (name, value) in [
            ("access_token", json!(null)),
            ("access_token", json!("")),
            ("access_token", json!("two words")),
            ("access_token", json!("a\r\nx: y")),
            ("token_type", json!("DPoP")),
            ("token_type", json!("mac")),
        ] {
            let error = reply(|it| it[name] = value.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{name} {value}");
        }
        for kind in [json!("bearer"), json!("BEARER"), json!("N_A"), json!(null)] {
            assert!(reply(|it| it["token_type"] = kind.clone()).is_ok(), "{kind}");
        }
        assert!(reply(|it| it["id_token"] = "two words".into()).unwrap().id_token.is_none());
    }

    #[test]
    fn the_file_says_the_same_when_it_is_read() {
        let granted = reply(|_| {}).unwrap();
        let text = granted.write(LOGIN, &app()).unwrap();
        let read = Granted::read(text.as_bytes(), LOGIN, &app()).unwrap();
        assert_eq!(read.write(LOGIN, &app()).unwrap(), text);
        assert_eq!((read.at, read.expiry, read.id_expiry), (granted.at, granted.expiry, granted.id_expiry));
        assert_eq!((read.lifetime().margin, read.id_lifetime().map(|it| it.margin)), (60.0, Some(30.0)));
        let label = Label::read(text.as_bytes()).unwrap();
        assert_eq!((label.login.as_str(), label.audience), (LOGIN, app()));
        // Nothing that came is needed.
        let bare = reply(|it| *it = json!({"access_token": "x"})).unwrap();
        let text = bare.write(LOGIN, &Audience::new("a")).unwrap();
        assert!(Granted::read(text.as_bytes(), LOGIN, &Audience::new("a")).unwrap().id_token.is_none());
    }

    #[test]
    fn another_s_file_is_a_miss() {
        let text = reply(|_| {}).unwrap().write(LOGIN, &app()).unwrap();
        for (login, audience) in [
            ("0000000000000000", app()),
            (LOGIN, Audience::new("colony_app")),
            (LOGIN, Audience::new("other").scope("openid profile")),
        ] {
            assert_eq!(Granted::read(text.as_bytes(), login, &audience).err(), Some(Unreadable::Another));
        }
        let newer = text.replacen("\"v\":1", "\"v\":2", 1);
        assert_eq!(Label::read(newer.as_bytes()).err(), Some(Unreadable::NewerVersion));
        assert_eq!(Label::read(b"[]").err(), Some(Unreadable::NotJson));
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let mut granted = reply(|_| {}).unwrap();
        granted.expiry = f64::NAN;
        assert_eq!(granted.write(LOGIN, &app()), Err(Unwritable::ExpiryNotFinite));
        granted.expiry = NOW;
        granted.access_token = "".into();
        assert_eq!(granted.write(LOGIN, &app()), Err(Unwritable::NoToken));
        granted.access_token = "x".repeat(MAX_BYTES).into();
        assert_eq!(granted.write(LOGIN, &app()), Err(Unwritable::TooLarge));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", reply(|_| {}).unwrap());
        assert!(!shown.contains("opaque") && !shown.contains("e30"), "{shown}");
    }
}
