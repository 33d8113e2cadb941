//! Receiving webhooks: is this delivery from The Colony, is it fresh, and what does it say.
//!
//! ```
//! use std::time::SystemTime;
//! use colony_core::webhook::{Event, KnownEvent, Rejected, Verifier};
//!
//! fn receive(headers: &http::HeaderMap, body: &[u8], secret: &str) -> Result<u16, colony_core::Error> {
//!     let delivery = match Verifier::new(secret)?.receive(headers, body, SystemTime::now()) {
//!         Ok(delivery) => delivery,
//!         Err(Rejected::Malformed(_)) => return Ok(400),
//!         Err(_) => return Ok(401),
//!     };
//!     // The same event can come more than once: `delivery.event_id` tells.
//!     match delivery.event {
//!         Event::Known(KnownEvent::Mention { actor, .. }) => println!("{actor} mentioned you"),
//!         other => println!("{}", other.name()),
//!     }
//!     Ok(204)
//! }
//! ```
//!
//! Two signatures come with each delivery. `X-Colony-Signature-256` covers the time and the body, so an
//! old delivery that somebody kept cannot be played again; [`Verifier::receive`] asks for it.
//! `X-Colony-Signature` covers the body alone and is looked at by
//! [`verify_unstamped`](Verifier::verify_unstamped) only, for receivers that must take it.

mod event;
mod outbox;
mod receiver;
mod signer;
mod store;

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use serde_json::Value;
use sha2::Sha256;

pub use self::{
    event::{Event, KnownEvent},
    outbox::{Due, Outbox, PAUSES, Try},
    receiver::{Claim, Incoming, RETRY_AFTER, Receiver},
    signer::{Attempt, Signer},
    store::{SeenMemory, SeenStore, StoreError},
};

use crate::{Error, Result};

/// The header of the signature over time and body.
pub const SIGNATURE_HEADER: &str = "x-colony-signature-256";
/// The header of the older signature, over the body alone.
pub const UNSTAMPED_SIGNATURE_HEADER: &str = "x-colony-signature";
/// The header of the event's name.
pub const EVENT_HEADER: &str = "x-colony-event";
/// The header of the moment of the attempt's signature, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "x-colony-timestamp";
/// The header of the event's id, the same in every attempt to deliver it.
pub const EVENT_ID_HEADER: &str = "x-colony-event-id";
/// The header of the attempt's own id.
pub const DELIVERY_ID_HEADER: &str = "x-colony-delivery";
/// The header of the attempt's number, from 1.
pub const ATTEMPT_HEADER: &str = "x-colony-attempt";
/// How far a signature's time may be from now, either way, unless said otherwise.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Why a delivery is not to be acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It is not of the form of a delivery: a header is missing or unreadable, or the body is.
    #[error("the delivery is malformed: {0}")]
    Malformed(&'static str),
    /// The signature is not this body's with this secret.
    #[error("the signature does not belong to this body and secret")]
    Mismatch,
    /// The signature is right and was made too long ago, or in the future.
    #[error("the delivery was signed {} s away from now", distance.as_secs())]
    Expired {
        /// How far away.
        distance: Duration,
    },
    /// The signature is right and belongs to a delivery of another event that came before.
    #[error("the delivery came before, as another event's")]
    Replayed,
}

impl Rejected {
    /// How near to a good delivery it was.
    fn nearness(&self) -> u8 {
        match self {
            Self::Malformed(_) => 0,
            Self::Mismatch => 1,
            Self::Expired { .. } | Self::Replayed => 2,
        }
    }
}

/// A delivery whose signature was found right.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// What happened.
    pub event: Event,
    /// The event's id: the same in every attempt, so what was seen before is recognised by it. Not
    /// covered by the signature.
    pub event_id: Option<String>,
    /// This attempt's id. Not covered by the signature.
    pub delivery_id: Option<String>,
    /// This attempt's number, from 1. Not covered by the signature.
    pub attempt: Option<u32>,
}

/// Checks deliveries against a webhook's secret.
#[derive(Clone)]
pub struct Verifier {
    key: Hmac<Sha256>,
    tolerance: Duration,
}

impl Verifier {
    /// A verifier for this secret.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty secret, with which anybody
    /// could sign: it is usually a variable that was not filled in.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self { key: key_of(secret.as_ref())?, tolerance: TOLERANCE })
    }

    /// Sets how far a signature's time may be from now, either way. 5 minutes unless set.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Checks a delivery and reads it. The body must be the bytes as they came.
    ///
    /// # Errors
    ///
    /// [`Rejected`]. A delivery without `X-Colony-Signature-256` is malformed even when it carries the
    /// older signature: or leaving the header out would be all it takes to play an old delivery again.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Result<Delivery, Rejected> {
        self.receive_signed(headers, body, now).map(|(delivery, _)| delivery)
    }

    /// As [`receive`](Self::receive), with the time that was signed.
    fn receive_signed(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(Delivery, u32), Rejected> {
        let time = self.verify_headers(headers, body, now)?;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let delivery = Delivery {
            event: Event::read(body).ok_or(Rejected::Malformed("the body is not an event"))?,
            event_id: text(EVENT_ID_HEADER).map(str::to_owned),
            delivery_id: text(DELIVERY_ID_HEADER).map(str::to_owned),
            attempt: text(ATTEMPT_HEADER).and_then(|number| number.parse().ok()),
        };
        Ok((delivery, time))
    }

    /// Checks the signature of a delivery whose body is not read: one that is passed on as it came. Returns the time that
    /// was signed, in Unix seconds.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive), but for a body that is no event.
    pub fn verify_headers(&self, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Result<u32, Rejected> {
        // A proxy may add a header of its own beside the service's.
        let signatures = headers.get_all(SIGNATURE_HEADER).iter().filter_map(|value| value.to_str().ok());
        let stamped = signatures.flat_map(read_header);
        self.verify_any(body, stamped, Rejected::Malformed("no X-Colony-Signature-256"), now)
    }

    /// Checks the signature over time and body: the value of `X-Colony-Signature-256`,
    /// `t=<unix seconds>,v1=<hex>`. Other keys in it are left for versions to come.
    ///
    /// # Errors
    ///
    /// [`Rejected::Malformed`], [`Rejected::Mismatch`], or, of a right signature, [`Rejected::Expired`].
    pub fn verify(&self, body: &[u8], header: &str, now: SystemTime) -> Result<(), Rejected> {
        self.verify_any(
            body,
            read_header(header),
            Rejected::Malformed("the signature header has no time"),
            now,
        )
        .map(drop)
    }

    /// Looks for one valid signature; if there is none, reports the error that came closest.
    fn verify_any<'h>(
        &self,
        body: &[u8],
        stamped: impl IntoIterator<Item = Stamped<'h>>,
        none: Rejected,
        now: SystemTime,
    ) -> Result<u32, Rejected> {
        let mut refused = none;
        for stamped in stamped {
            let wrong = match self.verify_stamped(body, &stamped, now) {
                Ok(time) => return Ok(time),
                Err(wrong) => wrong,
            };
            if wrong.nearness() >= refused.nearness() {
                refused = wrong;
            }
        }
        Err(refused)
    }

    fn verify_stamped(&self, body: &[u8], stamped: &Stamped<'_>, now: SystemTime) -> Result<u32, Rejected> {
        // 32 bits last until 2106, and no sum of them and a tolerance overflows.
        let digits = stamped.time.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: Option<u32> = stamped.time.parse().ok().filter(|_| digits);
        let seconds = seconds.ok_or(Rejected::Malformed("the signature's time is not a number"))?;
        if stamped.signatures.is_empty() {
            return Err(Rejected::Malformed("the signature header has no v1 of 64 hex digits"));
        }
        let mac = self.key.clone().chain_update(stamped.time).chain_update(b".").chain_update(body);
        // More than one may stand there while a secret is being replaced.
        if !stamped.signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()) {
            return Err(Rejected::Mismatch);
        }
        let signed = UNIX_EPOCH + Duration::from_secs(u64::from(seconds));
        let distance = now.duration_since(signed).unwrap_or_else(|ahead| ahead.duration());
        if distance > self.tolerance { Err(Rejected::Expired { distance }) } else { Ok(seconds) }
    }

    /// Checks the older signature, over the body alone: the value of `X-Colony-Signature`, with or
    /// without `sha256=` before it. It does not tell an old delivery from a new one.
    ///
    /// # Errors
    ///
    /// [`Rejected::Malformed`] or [`Rejected::Mismatch`].
    #[doc(alias = "verify_webhook")]
    pub fn verify_unstamped(&self, body: &[u8], header: &str) -> Result<(), Rejected> {
        let digits = header.strip_prefix("sha256=").unwrap_or(header);
        let signature = digest(digits).ok_or(Rejected::Malformed("the signature is not 64 hex digits"))?;
        self.key.clone().chain_update(body).verify_slice(&signature).map_err(|_| Rejected::Mismatch)
    }
}

impl fmt::Debug for Verifier {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}

fn key_of(secret: &[u8]) -> Result<Hmac<Sha256>> {
    let key = Hmac::new_from_slice(secret).ok().filter(|_| !secret.is_empty());
    key.ok_or_else(|| {
        Error::argument_refused("secret", "secret is empty; give the one the webhook was made with")
    })
}

/// A time and the signatures that go with it.
struct Stamped<'a> {
    time: &'a str,
    signatures: Vec<[u8; 32]>,
}

/// The times in a header, each with the signatures after it. There is more than one where a proxy joined two headers.
/// What is not understood is left for versions to come.
fn read_header(header: &str) -> Vec<Stamped<'_>> {
    let mut all: Vec<Stamped<'_>> = Vec::new();
    // Signatures before the first time belong to it.
    let mut early = Vec::new();
    for (key, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
        match (key, all.last_mut()) {
            ("t", _) => all.push(Stamped { time: value, signatures: std::mem::take(&mut early) }),
            ("v1", Some(stamped)) => stamped.signatures.extend(digest(value)),
            ("v1", None) => early.extend(digest(value)),
            _ => {}
        }
    }
    all
}

/// 64 hexadecimal digits, in either case.
fn digest(digits: &str) -> Option<[u8; 32]> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| u8::try_from(value(*high)? << 4 | value(*low)?).ok()).collect();
    bytes?.try_into().ok()
}

impl Event {
    fn read(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        serde_json::from_value(value).ok()
    }
}

#[cfg(test)]
mod tests;
