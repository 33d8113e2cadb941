//! Signing deliveries as the service does.

use std::{
    fmt::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

use super::{SIGNATURE_HEADER, UNSTAMPED_SIGNATURE_HEADER};
use crate::Result;

/// Signs deliveries as the service does, for tests of a receiver and for stand-in servers.
///
/// ```
/// use std::time::SystemTime;
/// use colony_core::webhook::{Signer, Verifier};
///
/// let (secret, now) = ("whsec_sixteen_chars", SystemTime::now());
/// let body = br#"{"event": "mention", "actor": "ada"}"#;
/// let headers = Signer::new(secret)?.headers(body, now);
/// let delivery = Verifier::new(secret)?.receive(&headers, body, now).unwrap();
/// assert_eq!(delivery.event.name(), "mention");
/// # Ok::<(), colony_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    key: Hmac<Sha256>,
}

impl Signer {
    /// Creates a signer for this secret.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty secret.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self { key: super::key_of(secret.as_ref())? })
    }

    /// Returns the value of `X-Colony-Signature-256` for a body sent at this time: `t=<unix seconds>,v1=<hex>`.
    #[must_use]
    pub fn sign(&self, body: &[u8], now: SystemTime) -> String {
        let time = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).to_string();
        let mac = self.key.clone().chain_update(&time).chain_update(b".").chain_update(body);
        format!("t={time},v1={}", hex(mac))
    }

    /// Returns the value of `X-Colony-Signature` for a body: `sha256=<hex>`.
    #[must_use]
    pub fn sign_unstamped(&self, body: &[u8]) -> String {
        format!("sha256={}", hex(self.key.clone().chain_update(body)))
    }

    /// Returns the two signature headers of a delivery.
    #[must_use]
    pub fn headers(&self, body: &[u8], now: SystemTime) -> HeaderMap {
        let signatures = [
            (SIGNATURE_HEADER, self.sign(body, now)),
            (UNSTAMPED_SIGNATURE_HEADER, self.sign_unstamped(body)),
        ];
        let value = |text: &str| HeaderValue::from_str(text).ok();
        signatures
            .iter()
            .filter_map(|(name, text)| Some((HeaderName::from_static(name), value(text)?)))
            .collect()
    }
}

impl fmt::Debug for Signer {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

fn hex(mac: Hmac<Sha256>) -> String {
    mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
