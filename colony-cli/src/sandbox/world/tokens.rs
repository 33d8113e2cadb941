//! Access tokens: HS256 JSON Web Tokens, encoded and verified without a JWT library.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

const HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;

/// Issues access tokens, and recognises those that it issued.
pub(crate) struct Tokens {
    signer: Signer,
    lifetime: Duration,
    generation: u64,
    /// Individually revoked tokens.
    ended: std::collections::HashSet<String>,
}

impl Tokens {
    /// Returns an issuer with a new secret.
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            signer: Signer::new(super::random_text().as_bytes()),
            lifetime,
            generation: 0,
            ended: Default::default(),
        }
    }

    /// Returns a new access token for a user.
    pub(crate) fn issue(&self, user: Uuid) -> String {
        let iat = Timestamp::now().as_second();
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        self.signer.sign(&Claims {
            sub: user,
            token_use: "access".to_owned(),
            iat,
            exp: iat.saturating_add(lifetime),
            jti: Uuid::new_v4().simple().to_string(),
            generation: self.generation,
        })
    }

    /// Returns the user of a valid token.
    pub(crate) fn user_of(&self, token: &str) -> Option<Uuid> {
        let claims = self.signer.verify(token, Timestamp::now().as_second())?;
        if self.ended.contains(token) {
            return None;
        }
        (claims.generation == self.generation).then_some(claims.sub)
    }

    /// Revokes a token.
    pub(crate) fn revoke(&mut self, token: &str) {
        self.ended.insert(token.to_owned());
    }

    /// Revokes all tokens issued so far.
    pub(crate) fn revoke_all(&mut self) {
        self.generation += 1;
    }
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    /// The user's id.
    sub: Uuid,
    /// Always `access`.
    token_use: String,
    iat: i64,
    exp: i64,
    jti: String,
    /// The generation of tokens; revoking all raises it.
    #[serde(rename = "gen")]
    generation: u64,
}

/// Signs and verifies tokens with one secret.
struct Signer {
    mac: Hmac<Sha256>,
}

impl Signer {
    fn new(secret: &[u8]) -> Self {
        // HMAC accepts a key of any length.
        Self { mac: Hmac::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default())) }
    }

    fn sign(&self, claims: &Claims) -> String {
        let payload = serde_json::to_vec(claims).unwrap_or_default();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload));
        let mut mac = self.mac.clone();
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// Returns the claims of a token that this signer made and that has not expired at `now` (Unix seconds).
    fn verify(&self, token: &str, now: i64) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        if URL_SAFE_NO_PAD.decode(header).ok()? != HEADER {
            return None;
        }
        let mut mac = self.mac.clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        (claims.token_use == "access" && now < claims.exp).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            sub: Uuid::from_u128(7),
            token_use: "access".into(),
            iat: 1_000,
            exp: 2_000,
            jti: "j".into(),
            generation: 3,
        }
    }

    #[test]
    fn round_trip_until_expiry() {
        let signer = Signer::new(b"secret");
        let token = signer.sign(&claims());
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(signer.verify(&token, 1_999), Some(claims()));
        assert_eq!(signer.verify(&token, 2_000), None);
    }

    #[test]
    fn signature_matches_a_known_token() {
        // A widely published example of HMAC-SHA256 with the key "key".
        let mut mac = Signer::new(b"key").mac;
        mac.update(b"The quick brown fox jumps over the lazy dog");
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    }

    #[test]
    fn altered_or_foreign_tokens_are_refused() {
        let signer = Signer::new(b"secret");
        let token = signer.sign(&claims());
        assert_eq!(Signer::new(b"other").verify(&token, 1_500), None);
        let (head, rest) = token.split_once('.').unwrap_or_default();
        let (_, signature) = rest.split_once('.').unwrap_or_default();
        let mut changed = claims();
        changed.exp = 9_000;
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&changed).unwrap_or_default());
        assert_eq!(signer.verify(&format!("{head}.{payload}.{signature}"), 1_500), None);
        let none = URL_SAFE_NO_PAD.encode(br#"{"alg":"none"}"#);
        for bad in ["", ".", "..", "a.b.c", "col_key", &format!("{none}.{payload}.")] {
            assert_eq!(signer.verify(bad, 1_500), None, "{bad}");
        }
    }
}
