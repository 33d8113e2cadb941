//! Signing deliveries as the service does.

use std::{
    fmt::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use uuid::Uuid;

use super::{
    ATTEMPT_HEADER, DELIVERY_ID_HEADER, EVENT_HEADER, EVENT_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER,
    UNSTAMPED_SIGNATURE_HEADER,
};
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

    /// Returns all seven headers of one attempt to deliver this body, with signatures of this time.
    ///
    /// ```
    /// # use std::time::SystemTime;
    /// # use colony_core::webhook::{Attempt, Signer};
    /// let signer = Signer::new("whsec_sixteen_chars")?;
    /// let attempt = Attempt::new("mention", "b1a3f3a0-0000-8000-8000-000000000001");
    /// let body = br#"{"event": "mention", "actor": "ada"}"#;
    /// let headers = signer.attempt(&attempt, body, SystemTime::now());
    /// assert_eq!(headers["x-colony-event"], "mention");
    /// assert_eq!(headers["x-colony-attempt"], "1");
    /// assert_eq!(headers.len(), 7);
    /// # Ok::<(), colony_core::Error>(())
    /// ```
    #[must_use]
    pub fn attempt(&self, attempt: &Attempt, body: &[u8], now: SystemTime) -> HeaderMap {
        let mut headers = self.headers(body, now);
        let mut put = |name: &'static str, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put(EVENT_HEADER, &attempt.event);
        put(EVENT_ID_HEADER, &attempt.event_id);
        put(DELIVERY_ID_HEADER, &attempt.delivery_id);
        put(ATTEMPT_HEADER, &attempt.number.to_string());
        put(TIMESTAMP_HEADER, &seconds(now));
        headers
    }

    /// Returns the value of `X-Colony-Signature-256` for a body sent at this time: `t=<unix seconds>,v1=<hex>`.
    #[must_use]
    pub fn sign(&self, body: &[u8], now: SystemTime) -> String {
        let time = seconds(now);
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

/// One attempt to deliver an event: what its headers say beside the signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The event's name.
    pub event: String,
    /// The event's id: the same in every attempt.
    pub event_id: String,
    /// This attempt's id.
    pub delivery_id: String,
    /// This attempt's number, from 1.
    pub number: u32,
}

impl Attempt {
    /// Creates the first attempt to deliver an event, under a new random id.
    pub fn new(event: impl Into<String>, event_id: impl Into<String>) -> Self {
        let delivery_id = Uuid::new_v4().to_string();
        Self { event: event.into(), event_id: event_id.into(), delivery_id, number: 1 }
    }

    /// Sets the attempt's number.
    #[must_use]
    pub fn number(mut self, number: u32) -> Self {
        self.number = number;
        self
    }
}

impl fmt::Debug for Signer {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// A moment in Unix seconds.
fn seconds(now: SystemTime) -> String {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).to_string()
}

fn hex(mac: Hmac<Sha256>) -> String {
    mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
