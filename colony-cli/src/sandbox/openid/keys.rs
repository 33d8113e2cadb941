//! The keys that sign `id_token`s: RSA, published as a JSON Web Key Set (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The public exponent that the library uses, 65537, in DER and in base64url.
const EXPONENT_DER: &[u8] = &[0x02, 0x03, 0x01, 0x00, 0x01];
const EXPONENT: &str = "AQAB";

/// The keys, as RSAPrivateKey (RFC 8017, appendix A.1.2). ring cannot generate RSA keys, and these are public and
/// protect nothing.
const MADE: [&[u8]; 8] = [
    include_bytes!("made/0.der"),
    include_bytes!("made/1.der"),
    include_bytes!("made/2.der"),
    include_bytes!("made/3.der"),
    include_bytes!("made/4.der"),
    include_bytes!("made/5.der"),
    include_bytes!("made/6.der"),
    include_bytes!("made/7.der"),
];

/// One key and its name.
struct Key {
    pair: KeyPair,
    /// `kid`: the key's thumbprint (RFC 7638), which reveals nothing and never repeats.
    id: String,
    /// The modulus in base64url.
    modulus: String,
}

/// The published keys; the last one signs. The first is loaded on first use, since most users of a sandbox never
/// request an `id_token`.
#[derive(Default)]
pub(crate) struct Keys {
    published: Vec<Key>,
    /// The number of keys used so far.
    taken: usize,
}

impl Keys {
    /// Signs with a new key from now on. Earlier keys stay published unless `withdraw` is set, as at a provider that
    /// lets issued tokens expire.
    pub(crate) fn roll(&mut self, withdraw: bool) -> Option<()> {
        // A key that has not signed yet was still published: a client may have cached it.
        self.current()?;
        if withdraw {
            self.published.clear();
        }
        self.add()
    }

    /// Returns the published set (RFC 7517 section 5).
    pub(crate) fn published(&mut self) -> Option<Value> {
        self.current()?;
        let keys = self.published.iter().map(|key| {
            json!({
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.id, "n": key.modulus, "e": EXPONENT,
            })
        });
        Some(json!({"keys": keys.collect::<Vec<Value>>()}))
    }

    /// Returns a signed token (RFC 7519, RS256) with these claims.
    pub(crate) fn sign(&mut self, claims: &Value) -> Option<String> {
        let key = self.current()?;
        let header = json!({"alg": "RS256", "kid": key.id, "typ": "JWT"});
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; key.pair.public().modulus_len()];
        key.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn current(&mut self) -> Option<&Key> {
        if self.published.is_empty() {
            self.add()?;
        }
        self.published.last()
    }

    /// Makes the next key the signing key; the first follows the last.
    fn add(&mut self) -> Option<()> {
        let next = Key::read(MADE[self.taken % MADE.len()])?;
        self.taken += 1;
        self.published.retain(|key| key.id != next.id);
        self.published.push(next);
        Some(())
    }
}

impl Key {
    fn read(der: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_der(der).ok()?;
        let modulus = URL_SAFE_NO_PAD.encode(modulus(&pair)?);
        // RFC 7638 section 3: the required members in this order, without spaces.
        let members = format!(r#"{{"e":"{EXPONENT}","kty":"RSA","n":"{modulus}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        Some(Self { pair, id, modulus })
    }
}

/// Returns the modulus, from the end of the public key's DER: `… INTEGER modulus, INTEGER 65537`.
fn modulus(pair: &KeyPair) -> Option<Vec<u8>> {
    let before = pair.public_key().as_ref().strip_suffix(EXPONENT_DER)?;
    let start = before.len().checked_sub(pair.public().modulus_len())?;
    Some(before[start..].to_vec())
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;

    /// Checks a token with the published set alone, as a relying party would.
    fn verifies(token: &str, published: &Value) -> bool {
        let parts: Vec<&str> = token.split('.').collect();
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
        let keys = published["keys"].as_array().unwrap();
        let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else { return false };
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        let (n, e) = (part("n"), part("e"));
        let signed = format!("{}.{}", parts[0], parts[1]);
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        RsaPublicKeyComponents { n, e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .is_ok()
    }

    #[test]
    fn tokens_verify_with_the_published_keys_until_they_are_withdrawn() {
        let mut keys = Keys::default();
        let first = keys.sign(&json!({"sub": "a"})).unwrap();
        assert!(verifies(&first, &keys.published().unwrap()));
        assert!(!verifies(&first.replacen('.', ".x", 1), &keys.published().unwrap()));
        keys.roll(false).unwrap();
        let second = keys.sign(&json!({"sub": "a"})).unwrap();
        let both = keys.published().unwrap();
        assert_eq!(both["keys"].as_array().unwrap().len(), 2);
        assert!(verifies(&first, &both) && verifies(&second, &both));
        keys.roll(true).unwrap();
        let last = keys.published().unwrap();
        assert_eq!(last["keys"].as_array().unwrap().len(), 1);
        assert!(!verifies(&first, &last) && !verifies(&second, &last));
    }

    #[test]
    fn keys_come_again_after_the_last() {
        let mut keys = Keys::default();
        for _ in 0..3 * MADE.len() {
            keys.roll(false).unwrap();
            let token = keys.sign(&json!({})).unwrap();
            assert!(verifies(&token, &keys.published().unwrap()));
        }
        assert_eq!(keys.published().unwrap()["keys"].as_array().unwrap().len(), MADE.len());
    }

    #[test]
    fn rolling_before_the_first_use_keeps_the_published_key() {
        let mut keys = Keys::default();
        keys.roll(false).unwrap();
        assert_eq!(keys.published().unwrap()["keys"].as_array().unwrap().len(), 2);
    }
}
