//! The keys that a provider signs with: a JWK set ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::Method;
use serde_json::Value;
use url::Url;

use crate::{Base, Request, token::freshness::Lifetime};

/// The largest set that is read, in bytes.
pub const MAX_BYTES: usize = 128 * 1024;

/// How long a set is believed. A key that the provider withdraws is not trusted for longer.
pub const TTL: Duration = Duration::from_secs(60 * 60);

/// The least time between two requests for the keys that a stranger can bring about, by a token that names a
/// key which is not in the set.
pub const LEAST_INTERVAL: Duration = Duration::from_secs(60);

/// The name of the request for the keys, in errors and hooks.
pub const OPERATION: &str = "openid_keys";

/// The sizes of a key that is used, in bits; less is no longer thought safe
/// ([RFC 7518, section 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)), more would only keep us busy.
const SIZES: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The keys of a set that can verify an RS256 signature. Others are passed over: a set may hold keys for
/// other purposes (RFC 7517, section 5).
///
/// ```
/// use colony_core::openid::keys::KeySet;
///
/// let set = KeySet::read(br#"{"keys": [{"kty": "EC", "kid": "of-no-use-here"}]}"#).unwrap();
/// assert!(set.candidates(Some("of-no-use-here")).is_empty());
/// assert!(KeySet::read(b"[]").is_none());
/// ```
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// An RSA public key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// What tokens call it.
    pub id: Option<String>,
    /// The modulus, most significant byte first, without zeros in front.
    pub modulus: Vec<u8>,
    /// The exponent, in the same form.
    pub exponent: Vec<u8>,
}

impl KeySet {
    /// Reads a set. `None` for whatever is none.
    pub fn read(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let set: Value = serde_json::from_slice(text).ok()?;
        let keys = set.as_object()?.get("keys")?.as_array()?;
        Some(Self { keys: keys.iter().filter_map(Key::read).collect() })
    }

    /// The keys that a token may be signed with which names this key, or none. One that names none can only
    /// be verified where there is just one key
    /// ([OpenID Connect Core 1.0, section 10.1](https://openid.net/specs/openid-connect-core-1_0.html#Signing)).
    pub fn candidates(&self, id: Option<&str>) -> Vec<&Key> {
        match id {
            Some(id) => self.keys.iter().filter(|key| key.id.as_deref() == Some(id)).collect(),
            None if self.keys.len() == 1 => self.keys.iter().collect(),
            None => Vec::new(),
        }
    }
}

impl Key {
    fn read(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        // What is not said does not speak against it, what is said must fit.
        let fits = |name: &str, value: &str| match key.get(name) {
            None => true,
            Some(said) => said.as_str() == Some(value),
        };
        let verifies = match key.get("key_ops") {
            None => true,
            Some(said) => said.as_array().is_some_and(|all| all.iter().any(|one| one == "verify")),
        };
        if text("kty") != Some("RSA") || !fits("use", "sig") || !fits("alg", "RS256") || !verifies {
            return None;
        }
        let number = |name: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(text(name)?).ok()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        let (modulus, exponent) = (number("n")?, number("e")?);
        let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
        let odd = exponent.last().is_some_and(|byte| byte % 2 == 1) && exponent != [1];
        if !SIZES.contains(&bits) || !odd || exponent.len() > 8 {
            return None;
        }
        Some(Self { id: text("kid").map(str::to_owned), modulus, exponent })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The request for a provider's keys.
pub fn request(jwks_uri: &Url) -> Request {
    Request::new(OPERATION, Method::GET, "").base(Base::Endpoint(jwks_uri.to_string())).anonymous()
}

/// Whether a set that was fetched at a moment (unix seconds) is still believed.
pub fn is_believed(fetched_at: f64, now: f64) -> bool {
    Lifetime::within_ttl(fetched_at, Some(TTL), now)
}

/// Whether the keys may be asked for again because of a key that is not known, when they were last asked for
/// at this moment (unix seconds). After the clock was set back they may be.
pub fn may_ask_again(asked_at: f64, now: f64) -> bool {
    !Lifetime::within_ttl(asked_at, Some(LEAST_INTERVAL), now)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn modulus(bits: usize) -> String {
        let mut bytes = vec![0xff; bits / 8];
        if let Some(last) = bytes.last_mut() {
            *last = 0x0d;
        }
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn key(change: impl FnOnce(&mut Value)) -> Value {
        let mut key =
            json!({"kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": modulus(2048), "e": "AQAB"});
        change(&mut key);
        key
    }

    fn read(keys: &[Value]) -> KeySet {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).expect("a set")
    }

    #[test]
    fn only_keys_for_rs256_signatures_are_kept() {
        assert_eq!(read(&[key(|_| {})]).keys.len(), 1);
        assert_eq!(read(&[key(|it| drop(it.as_object_mut().unwrap().remove("use")))]).keys.len(), 1);
        assert_eq!(read(&[key(|it| it["key_ops"] = json!(["verify"]))]).keys.len(), 1);
        for (name, value) in [
            ("kty", json!("oct")),
            ("kty", json!("EC")),
            ("use", json!("enc")),
            ("use", json!(null)),
            ("alg", json!("RS512")),
            ("alg", json!("HS256")),
            ("alg", json!("none")),
            ("key_ops", json!(["encrypt"])),
            ("key_ops", json!("verify")),
            ("n", json!(modulus(1024))),
            ("n", json!(modulus(2040))),
            ("n", json!(modulus(16384))),
            ("n", json!("")),
            ("n", json!("****")),
            ("n", json!(7)),
            ("e", json!("AQ")),
            ("e", json!("AA")),
            ("e", json!("AAAAAAAAAAAAAAAA")),
            ("e", json!("Ag")),
            ("e", json!("")),
        ] {
            assert!(read(&[key(|it| it[name] = value.clone())]).keys.is_empty(), "{name} {value}");
        }
        assert_eq!(read(&[json!(7), json!(null), json!({}), key(|_| {})]).keys.len(), 1);
        // Zeros in front are not part of the number.
        let mut bytes = vec![0, 0];
        bytes.extend(BASE64_URL_SAFE_NO_PAD.decode(modulus(2048)).unwrap());
        let padded = read(&[key(|it| it["n"] = json!(BASE64_URL_SAFE_NO_PAD.encode(bytes)))]);
        assert_eq!(padded.keys[0].modulus.len(), 256);
    }

    #[test]
    fn a_token_that_names_no_key_needs_a_set_of_one() {
        let (one, other) = (key(|_| {}), key(|it| it["kid"] = json!("b")));
        let both = read(&[one.clone(), other]);
        assert_eq!(both.candidates(Some("b")).len(), 1);
        assert!(both.candidates(None).is_empty() && both.candidates(Some("c")).is_empty());
        assert_eq!(read(std::slice::from_ref(&one)).candidates(None).len(), 1);
        assert_eq!(read(&[one.clone(), one]).candidates(Some("a")).len(), 2);
    }

    #[test]
    fn what_is_no_set_is_none() {
        for text in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": null}"#, "<html>"] {
            assert!(KeySet::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(KeySet::read(&vec![b' '; MAX_BYTES + 1]).is_none());
        assert!(read(&[]).keys.is_empty());
    }

    #[test]
    fn the_least_interval() {
        assert!(!may_ask_again(100.0, 100.0) && !may_ask_again(100.0, 160.0) && may_ask_again(100.0, 161.0));
        assert!(may_ask_again(f64::NEG_INFINITY, 100.0) && may_ask_again(1e9, 100.0));
    }
}
