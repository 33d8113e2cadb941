//! Receiving deliveries once: verification, and a memory of what was handled.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::{Delivery, Rejected, TOLERANCE, Verifier};
use crate::{Error, Result};

/// Receives the deliveries of a webhook, each event once: for a handler that acts on them, in any web framework.
///
/// The service delivers at least once, and again when the answer is no success. What makes an event *seen* is therefore
/// the handler's success, which [`Claim::done`] notes. A claim that is dropped, because the handler failed, panicked or
/// lost its connection, lets the next attempt through.
///
/// ```
/// use std::time::SystemTime;
/// use colony_core::webhook::{Incoming, Receiver};
/// use http::{HeaderMap, StatusCode};
///
/// fn receive(receiver: &Receiver, headers: &HeaderMap, body: &[u8]) -> StatusCode {
///     match receiver.receive(headers, body, SystemTime::now()) {
///         Incoming::New(delivery, claim) => {
///             println!("{}", delivery.event.name());
///             claim.done();
///             StatusCode::NO_CONTENT
///         }
///         other => other.status(),
///     }
/// }
/// ```
///
/// The event's id is not signed, so a captured delivery could be played again under another id while its signature is
/// fresh. A signature is therefore good for one event id only.
#[derive(Debug)]
pub struct Receiver {
    verifiers: Vec<Verifier>,
    body_limit: usize,
    tolerance: Duration,
    seen: Arc<Mutex<Seen>>,
}

/// The largest body, in bytes, unless said otherwise.
const BODY_LIMIT: usize = 256 * 1024;
/// So many handled events are remembered, unless said otherwise.
const REMEMBERED: usize = 10_000;
/// How long a sender should wait while the same event is being handled, in seconds.
pub const RETRY_AFTER: u64 = 5;

/// What a request turned out to be.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// A delivery to act on.
    New(Box<Delivery>, Claim),
    /// An event that was handled before: a success, without acting on it.
    Seen,
    /// An event that is being handled: the sender is to come again in [`RETRY_AFTER`] seconds.
    Running,
    /// No delivery to act on.
    Refused(Rejected),
    /// The body is larger than allowed. It was not looked at.
    TooLarge,
}

impl Incoming {
    /// The status to answer with: 200 for what was handled before, 503 while it is being handled, 400 for what is malformed,
    /// 401 for a signature that is wrong, too old or used before, 413 for a body that is too large; and 204 for a new one, once
    /// it is handled.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::New(..) => StatusCode::NO_CONTENT,
            Self::Seen => StatusCode::OK,
            Self::Running => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refused(Rejected::Malformed(_)) => StatusCode::BAD_REQUEST,
            Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// An event that is being handled. Dropping it lets the next attempt through.
#[derive(Debug)]
#[must_use = "a claim that is dropped was not handled"]
pub struct Claim {
    id: String,
    seen: Arc<Mutex<Seen>>,
}

impl Claim {
    /// Notes that the event is handled: what comes with its id from now on is [`Incoming::Seen`].
    pub fn done(self) {
        lock(&self.seen).done(&self.id);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.seen).running.remove(&self.id);
    }
}

/// What was received.
struct Seen {
    running: HashSet<String>,
    done: HashSet<String>,
    /// The same, oldest first.
    order: VecDeque<String>,
    remembered: usize,
    /// What was signed, until when that is remembered, and the event that it belongs to.
    signed: HashMap<[u8; 32], String>,
    signed_order: VecDeque<(SystemTime, [u8; 32])>,
}

impl Seen {
    fn done(&mut self, id: &str) {
        if self.done.insert(id.to_owned()) {
            self.order.push_back(id.to_owned());
        }
        while self.order.len() > self.remembered {
            if let Some(oldest) = self.order.pop_front() {
                self.done.remove(&oldest);
            }
        }
    }

    /// Whether what was signed belongs to this event, or to none yet.
    fn belongs(&mut self, signed: [u8; 32], id: &str, now: SystemTime, until: SystemTime) -> bool {
        while self.signed_order.front().is_some_and(|(until, _)| *until < now) {
            if let Some((_, old)) = self.signed_order.pop_front() {
                self.signed.remove(&old);
            }
        }
        if let Some(first) = self.signed.get(&signed) {
            return first == id;
        }
        self.signed.insert(signed, id.to_owned());
        self.signed_order.push_back((until, signed));
        true
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("done", &self.done.len()).field("running", &self.running.len()).finish()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// A receiver for these secrets; two while one replaces the other.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty secret, or none.
    pub fn new(secrets: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self> {
        let verifiers: Vec<Verifier> = secrets.into_iter().map(Verifier::new).collect::<Result<_>>()?;
        if verifiers.is_empty() {
            return Err(Error::argument_refused(
                "secrets",
                "there is no secret; give the one the webhook was made with",
            ));
        }
        let seen = Seen {
            running: HashSet::new(),
            done: HashSet::new(),
            order: VecDeque::new(),
            remembered: REMEMBERED,
            signed: HashMap::new(),
            signed_order: VecDeque::new(),
        };
        Ok(Self { verifiers, body_limit: BODY_LIMIT, tolerance: TOLERANCE, seen: Arc::new(Mutex::new(seen)) })
    }

    /// Sets how far a signature's time may be from now, either way. 5 minutes unless set.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self.verifiers = self.verifiers.into_iter().map(|verifier| verifier.tolerance(tolerance)).collect();
        self
    }

    /// Sets how many handled events are remembered, in memory. 10,000 unless set.
    #[must_use]
    pub fn remember(self, events: usize) -> Self {
        lock(&self.seen).remembered = events.max(1);
        self
    }

    /// Sets the largest body, in bytes. 256 KiB unless set.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The largest body, in bytes: what a framework need not read on after.
    pub fn largest_body(&self) -> usize {
        self.body_limit
    }

    /// Checks a delivery and claims its event. The body must be the bytes as they came.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Incoming {
        if body.len() > self.body_limit {
            return Incoming::TooLarge;
        }
        let mut refused = Rejected::Malformed("there is no secret to check it with");
        for verifier in &self.verifiers {
            match verifier.receive_signed(headers, body, now) {
                Ok((delivery, time)) => return self.claim(delivery, body, time, now),
                Err(why) if why.nearness() >= refused.nearness() => refused = why,
                Err(_) => {}
            }
        }
        Incoming::Refused(refused)
    }

    fn claim(&self, delivery: Delivery, body: &[u8], time: u32, now: SystemTime) -> Incoming {
        // The time and the body are what is signed, whatever the secret.
        let signed: [u8; 32] =
            Sha256::new().chain_update(time.to_be_bytes()).chain_update(body).finalize().into();
        let hash = || crate::canonical::sha256_hex(&signed);
        let id = delivery.event_id.clone().unwrap_or_else(hash);
        let mut seen = lock(&self.seen);
        // Until no clock can take it for fresh.
        if !seen.belongs(signed, &id, now, now + self.tolerance * 2) {
            return Incoming::Refused(Rejected::Replayed);
        }
        if seen.done.contains(&id) {
            return Incoming::Seen;
        }
        if !seen.running.insert(id.clone()) {
            return Incoming::Running;
        }
        Incoming::New(Box::new(delivery), Claim { id, seen: Arc::clone(&self.seen) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::webhook::{EVENT_ID_HEADER, Signer};

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + NOW + Duration::from_secs(seconds)
    }

    fn signed(secret: &str, body: &[u8], id: &str, seconds: u64) -> HeaderMap {
        let mut headers = Signer::new(secret).unwrap().headers(body, at(seconds));
        headers.insert(EVENT_ID_HEADER, id.parse().unwrap());
        headers
    }

    fn body(number: usize) -> Vec<u8> {
        format!(r#"{{"event": "mention", "actor": "ada", "n": {number}}}"#).into_bytes()
    }

    #[test]
    fn a_failing_handler_gets_it_again_and_a_done_one_never() {
        let receiver = Receiver::new(["s1"]).unwrap();
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        let (mut handled, mut answers) = (0, HashMap::new());
        for event in 0..2000 {
            let (body, id) = (body(event), format!("e{event}"));
            for attempt in 0..7 {
                let incoming = receiver.receive(&signed("s1", &body, &id, attempt), &body, at(attempt));
                *answers.entry(incoming.status().as_u16()).or_insert(0) += 1;
                match incoming {
                    Incoming::New(_, claim) => {
                        let twin = receiver.receive(&signed("s1", &body, &id, attempt), &body, at(attempt));
                        assert!(matches!(twin, Incoming::Running), "{twin:?}");
                        // It succeeds at last; else the claim is dropped.
                        if attempt == 5 || next(2) == 0 {
                            claim.done();
                            handled += 1;
                        }
                    }
                    Incoming::Seen => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(handled, 2000);
        assert_eq!(answers.keys().copied().collect::<HashSet<_>>(), HashSet::from([200, 204]));
    }

    #[test]
    fn a_captured_delivery_is_refused_under_another_id() {
        let receiver = Receiver::new(["s1", "s2"]).unwrap();
        for secret in ["s1", "s2"] {
            let (id, body) = (format!("of-{secret}"), body(secret.len() + usize::from(secret == "s2")));
            let first = receiver.receive(&signed(secret, &body, &id, 0), &body, at(0));
            let Incoming::New(_, claim) = first else { panic!("{first:?}") };
            claim.done();
            for (number, seconds) in (0..300).enumerate() {
                let replayed =
                    receiver.receive(&signed(secret, &body, &format!("x{number}"), 0), &body, at(seconds));
                assert!(matches!(replayed, Incoming::Refused(Rejected::Replayed)), "{replayed:?}");
                assert_eq!(replayed.status(), 401);
            }
            let same = receiver.receive(&signed(secret, &body, &id, 0), &body, at(10));
            assert!(matches!(same, Incoming::Seen));
            let late = receiver.receive(&signed(secret, &body, "x", 0), &body, at(301));
            assert!(matches!(late, Incoming::Refused(Rejected::Expired { .. })));
        }
    }

    #[test]
    fn what_is_no_delivery_is_refused() {
        let receiver = Receiver::new(["s1"]).unwrap().body_limit(100);
        let good = body(1);
        let status =
            |headers: &HeaderMap, body: &[u8]| receiver.receive(headers, body, at(0)).status().as_u16();
        assert_eq!(status(&HeaderMap::new(), &good), 400);
        assert_eq!(status(&signed("other", &good, "e", 0), &good), 401);
        assert_eq!(status(&signed("s1", &good, "e", 0), &body(2)), 401);
        assert_eq!(status(&signed("s1", &good, "e", 9000), &good), 401);
        assert_eq!(status(&HeaderMap::new(), &[b'x'; 101]), 413);
        assert!(Receiver::new([""]).is_err());
        assert!(Receiver::new(Vec::<String>::new()).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let receiver = Receiver::new(["s1"]).unwrap().remember(10);
        for event in 0..50 {
            let body = body(event);
            let seconds = event as u64 * 700;
            let incoming =
                receiver.receive(&signed("s1", &body, &format!("e{event}"), seconds), &body, at(seconds));
            let Incoming::New(_, claim) = incoming else { panic!("{incoming:?}") };
            claim.done();
        }
        let seen = lock(&receiver.seen);
        assert_eq!(
            (seen.done.len(), seen.order.len(), seen.signed.len(), seen.running.len()),
            (10, 10, 1, 0)
        );
    }
}
