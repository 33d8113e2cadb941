//! Receiving deliveries once: verification, and a memory of what was handled.

use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::{
    Delivery, Rejected, TOLERANCE, Verifier,
    store::{DONE, SeenMemory, SeenStore, StoreError},
};
use crate::{Error, Result, idempotency};

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
/// async fn receive(receiver: &Receiver, headers: &HeaderMap, body: &[u8]) -> StatusCode {
///     match receiver.receive(headers, body, SystemTime::now()).await {
///         Incoming::New(delivery, claim) => {
///             println!("{}", delivery.event.name());
///             // A store that cannot be asked: better once more than never.
///             claim.done().await.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::NO_CONTENT)
///         }
///         other => other.status(),
///     }
/// }
/// ```
///
/// What was seen is kept in memory ([`SeenMemory`]), 10,000 handled events, unless [`remember`](Self::remember) sets
/// another store; receivers on several machines share one. Code without async has
/// [`receive_now`](Self::receive_now) and [`Claim::done_now`], for the memory alone.
///
/// The event's id is not signed, so a captured delivery could be played again under another id while its signature is
/// fresh. A signature is therefore good for one event id only. Two events whose bodies are equal and that were signed in the
/// same second, messages of one sender for example, have equal signatures too: the second one is refused, and let
/// through with its next attempt.
pub struct Receiver<S = SeenMemory> {
    verifiers: Vec<Verifier>,
    body_limit: usize,
    tolerance: Duration,
    lease: Duration,
    keep: Duration,
    store: Arc<S>,
}

/// The largest body, in bytes, unless said otherwise.
const BODY_LIMIT: usize = 256 * 1024;
/// So many handled events are remembered, unless said otherwise.
const REMEMBERED: usize = 10_000;
/// How long an event counts as being handled, unless said otherwise: a handler whose process died in the fourth attempt
/// leaves the fifth one time.
const LEASE: Duration = Duration::from_secs(300);
/// How long a handled event is remembered, unless said otherwise.
const KEEP: Duration = Duration::from_secs(24 * 3600);
/// The longest id that is a key as it stands; a longer one is hashed.
const LONGEST_ID: usize = 200;
/// How long a sender should wait while the same event is being handled, in seconds.
pub const RETRY_AFTER: u64 = 5;

/// What a request turned out to be.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming<S: SeenStore = SeenMemory> {
    /// A delivery to act on.
    New(Box<Delivery>, Claim<S>),
    /// An event that was handled before: a success, without acting on it.
    Seen,
    /// An event that is being handled: the sender is to come again in [`RETRY_AFTER`] seconds.
    Running,
    /// No delivery to act on.
    Refused(Rejected),
    /// The body is larger than allowed. It was not looked at.
    TooLarge,
    /// The store cannot be asked, so nothing may be acted on: the sender is to come again.
    Unavailable(StoreError),
}

impl<S: SeenStore> Incoming<S> {
    /// The status to answer with: 200 for what was handled before, 503 while it is being handled or the store cannot be
    /// asked, 400 for what is malformed, 401 for a signature that is wrong, too old or used before, 413 for a body that is
    /// too large; and 204 for a new one, once it is handled.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::New(..) => StatusCode::NO_CONTENT,
            Self::Seen => StatusCode::OK,
            Self::Running | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refused(Rejected::Malformed(_)) => StatusCode::BAD_REQUEST,
            Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// An event that is being handled. Dropping it lets the next attempt through.
#[must_use = "a claim that is dropped was not handled"]
pub struct Claim<S: SeenStore = SeenMemory> {
    store: Arc<S>,
    key: String,
    /// What stands under the key while this claim holds it.
    owner: String,
    keep: Duration,
    now: SystemTime,
    is_settled: bool,
}

impl<S: SeenStore> Claim<S> {
    /// Notes that the event is handled: what comes with its id from now on is [`Incoming::Seen`].
    ///
    /// # Errors
    ///
    /// When the store cannot be asked. The event is not seen then, and the claim is given up: answer with 503, and the
    /// handler runs once more.
    pub async fn done(mut self) -> Result<(), StoreError> {
        self.store.set(&self.key, DONE, self.keep, self.now).await?;
        self.is_settled = true;
        Ok(())
    }

    /// Gives the event up, so that the next attempt is let through: what dropping does, where the store allows waiting
    /// for it.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked. The claim then ends with its [lease](Receiver::lease).
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.is_settled = true;
        self.store.remove(&self.key, &self.owner).await
    }
}

impl Claim {
    /// As [`done`](Self::done), for code without async.
    pub fn done_now(self) {
        // The memory never fails.
        let _ = at_once(self.done());
    }
}

impl<S: SeenStore> Drop for Claim<S> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.store.abandon(&self.key, &self.owner);
        }
    }
}

impl<S: SeenStore> fmt::Debug for Claim<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a future gives that never waits.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
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
        let store = Arc::new(SeenMemory::new(REMEMBERED));
        Ok(Self { verifiers, body_limit: BODY_LIMIT, tolerance: TOLERANCE, lease: LEASE, keep: KEEP, store })
    }

    /// As [`receive`](Self::receive), for code without async.
    pub fn receive_now(&self, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Incoming {
        at_once(self.receive(headers, body, now)).unwrap_or(Incoming::Running)
    }
}

impl<S> Receiver<S> {
    /// Keeps what was seen in this store: [`SeenMemory`] of another size, or one that several receivers share.
    #[must_use]
    pub fn remember<T: SeenStore>(self, store: T) -> Receiver<T> {
        let Self { verifiers, body_limit, tolerance, lease, keep, .. } = self;
        Receiver { verifiers, body_limit, tolerance, lease, keep, store: Arc::new(store) }
    }

    /// Sets how long a handled event is remembered, at most. 24 hours unless set.
    #[must_use]
    pub fn remember_for(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }

    /// Sets how long an event counts as being handled when nothing is heard of its handler, whose process may have died.
    /// It is longer than any handler runs, and shorter than the service's last pause (10 minutes). 5 minutes unless set.
    #[must_use]
    pub fn lease(mut self, time: Duration) -> Self {
        self.lease = time;
        self
    }

    /// Sets how far a signature's time may be from now, either way. 5 minutes unless set.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self.verifiers = self.verifiers.into_iter().map(|verifier| verifier.tolerance(tolerance)).collect();
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
}

impl<S: SeenStore> Receiver<S> {
    /// Checks a delivery and claims its event. The body must be the bytes as they came.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Incoming<S> {
        if body.len() > self.body_limit {
            return Incoming::TooLarge;
        }
        let mut refused = Rejected::Malformed("there is no secret to check it with");
        for verifier in &self.verifiers {
            match verifier.receive_signed(headers, body, now) {
                Ok((delivery, time)) => {
                    return self.claim(delivery, body, time, now).await.unwrap_or_else(Incoming::Unavailable);
                }
                Err(why) if why.nearness() >= refused.nearness() => refused = why,
                Err(_) => {}
            }
        }
        Incoming::Refused(refused)
    }

    async fn claim(
        &self,
        delivery: Delivery,
        body: &[u8],
        time: u32,
        now: SystemTime,
    ) -> Result<Incoming<S>, StoreError> {
        // The time and the body are what is signed, whatever the secret.
        let signed: [u8; 32] =
            Sha256::new().chain_update(time.to_be_bytes()).chain_update(body).finalize().into();
        let signed = crate::canonical::sha256_hex(&signed);
        let id = match &delivery.event_id {
            Some(id) if id.len() <= LONGEST_ID => id.clone(),
            Some(id) => crate::canonical::sha256_hex(id.as_bytes()),
            None => signed.clone(),
        };
        // Until no clock can take it for fresh.
        let first = self.store.insert(&format!("signature:{signed}"), &id, self.tolerance * 2, now).await?;
        if first.is_some_and(|first| first != id) {
            return Ok(Incoming::Refused(Rejected::Replayed));
        }
        let (key, owner) = (format!("event:{id}"), idempotency::new_key());
        let there = self.store.insert(&key, &owner, self.lease, now).await?;
        Ok(match there.as_deref() {
            Some(DONE) => Incoming::Seen,
            Some(_) => Incoming::Running,
            None => {
                let (store, keep) = (Arc::clone(&self.store), self.keep);
                let claim = Claim { store, key, owner, keep, now, is_settled: false };
                Incoming::New(Box::new(delivery), claim)
            }
        })
    }
}

impl<S> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("body_limit", &self.body_limit)
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{HashMap, HashSet},
        time::UNIX_EPOCH,
    };

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
                let incoming = receiver.receive_now(&signed("s1", &body, &id, attempt), &body, at(attempt));
                *answers.entry(incoming.status().as_u16()).or_insert(0) += 1;
                match incoming {
                    Incoming::New(_, claim) => {
                        let twin =
                            receiver.receive_now(&signed("s1", &body, &id, attempt), &body, at(attempt));
                        assert!(matches!(twin, Incoming::Running), "{twin:?}");
                        // It succeeds at last; else the claim is dropped.
                        if attempt == 5 || next(2) == 0 {
                            claim.done_now();
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
            let first = receiver.receive_now(&signed(secret, &body, &id, 0), &body, at(0));
            let Incoming::New(_, claim) = first else { panic!("{first:?}") };
            claim.done_now();
            for (number, seconds) in (0..300).enumerate() {
                let replayed = receiver.receive_now(
                    &signed(secret, &body, &format!("x{number}"), 0),
                    &body,
                    at(seconds),
                );
                assert!(matches!(replayed, Incoming::Refused(Rejected::Replayed)), "{replayed:?}");
                assert_eq!(replayed.status(), 401);
            }
            let same = receiver.receive_now(&signed(secret, &body, &id, 0), &body, at(10));
            assert!(matches!(same, Incoming::Seen));
            let late = receiver.receive_now(&signed(secret, &body, "x", 0), &body, at(301));
            assert!(matches!(late, Incoming::Refused(Rejected::Expired { .. })));
        }
    }

    #[test]
    fn what_is_no_delivery_is_refused() {
        let receiver = Receiver::new(["s1"]).unwrap().body_limit(100);
        let good = body(1);
        let status =
            |headers: &HeaderMap, body: &[u8]| receiver.receive_now(headers, body, at(0)).status().as_u16();
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
        let receiver = Receiver::new(["s1"]).unwrap().remember(SeenMemory::new(10));
        for event in 0..50 {
            let body = body(event);
            let seconds = event as u64 * 700;
            let incoming =
                receiver.receive_now(&signed("s1", &body, &format!("e{event}"), seconds), &body, at(seconds));
            let Incoming::New(_, claim) = incoming else { panic!("{incoming:?}") };
            claim.done_now();
        }
        // Ten events, and the signature of the last one.
        assert_eq!(format!("{:?}", receiver.store), "SeenMemory { entries: 11, done: 10 }");
    }

    #[test]
    fn a_claim_ends_with_its_lease_and_harms_no_later_one() {
        let receiver = Receiver::new(["s1"]).unwrap().lease(Duration::from_secs(60));
        let receive =
            |seconds| receiver.receive_now(&signed("s1", &body(1), "e", seconds), &body(1), at(seconds));
        let Incoming::New(_, lost) = receive(0) else { panic!() };
        assert!(matches!(receive(60), Incoming::Running));
        let Incoming::New(_, second) = receive(61) else { panic!() };
        // The first one is given up late.
        drop(lost);
        assert!(matches!(receive(62), Incoming::Running));
        second.done_now();
        assert!(matches!(receive(63), Incoming::Seen));
        assert!(matches!(receive(61 + 24 * 3600), Incoming::Seen));
        assert!(matches!(receive(62 + 24 * 3600), Incoming::New(..)));
    }

    /// A store that cannot be asked now and then, and of whose claims nothing is heard from destructors.
    #[derive(Debug)]
    struct Far(SeenMemory, std::sync::atomic::AtomicBool);

    impl Far {
        fn fails(&self) -> Result<(), StoreError> {
            match self.1.load(std::sync::atomic::Ordering::Relaxed) {
                true => Err("no connection".into()),
                false => Ok(()),
            }
        }
    }

    impl SeenStore for Far {
        async fn insert(
            &self,
            key: &str,
            value: &str,
            keep: Duration,
            now: SystemTime,
        ) -> Result<Option<String>, StoreError> {
            self.fails()?;
            self.0.insert(key, value, keep, now).await
        }

        async fn set(
            &self,
            key: &str,
            value: &str,
            keep: Duration,
            now: SystemTime,
        ) -> Result<(), StoreError> {
            self.fails()?;
            self.0.set(key, value, keep, now).await
        }

        async fn remove(&self, key: &str, value: &str) -> Result<(), StoreError> {
            self.fails()?;
            self.0.remove(key, value).await
        }
    }

    #[test]
    fn receivers_share_a_store_and_a_store_may_fail() {
        let store = Far(SeenMemory::new(10), false.into());
        let receiver = Receiver::new(["s1"]).unwrap().remember(store).lease(Duration::from_secs(60));
        let receive = |seconds| {
            let (headers, body) = (signed("s1", &body(1), "e", seconds), body(1));
            at_once(receiver.receive(&headers, &body, at(seconds))).unwrap()
        };
        let fails = |fails| receiver.store.1.store(fails, std::sync::atomic::Ordering::Relaxed);
        fails(true);
        let unavailable = receive(0);
        assert!(matches!(unavailable, Incoming::Unavailable(_)), "{unavailable:?}");
        assert_eq!(unavailable.status(), 503);
        fails(false);
        let Incoming::New(_, claim) = receive(1) else { panic!() };
        at_once(claim.release()).unwrap().unwrap();
        let Incoming::New(_, claim) = receive(2) else { panic!() };
        drop(claim);
        assert!(matches!(receive(3), Incoming::Running), "only its lease ends it");
        let Incoming::New(_, claim) = receive(63) else { panic!() };
        fails(true);
        assert!(at_once(claim.done()).unwrap().is_err());
        fails(false);
        let Incoming::New(_, claim) = receive(124) else { panic!() };
        at_once(claim.done()).unwrap().unwrap();
        assert!(matches!(receive(125), Incoming::Seen));
    }
}
