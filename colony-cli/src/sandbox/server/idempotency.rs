//! Idempotency keys: a repeated write gets its earlier reply.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::HeaderValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::lock;
use super::super::reply::Reply;

const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const LARGEST_REPLY: usize = 1_000_000;

type Id = (Uuid, String, String, String);

/// One keyed call: its user, method and path, key, and payload.
pub(crate) struct Slot {
    id: Id,
    payload: [u8; 32],
}

impl Slot {
    /// Returns the slot of user, method, path and key; 400 for a key that the platform refuses.
    pub(crate) fn new(
        user: Uuid,
        method: &str,
        path: &str,
        key: &HeaderValue,
        query: &str,
        body: &[u8],
    ) -> Result<Self, Reply> {
        match key.to_str() {
            Ok(key) if key.len() <= 255 => Ok(Self {
                id: (user, method.to_owned(), path.to_owned(), key.to_owned()),
                payload: Sha256::new()
                    .chain_update(query)
                    .chain_update([0])
                    .chain_update(body)
                    .finalize()
                    .into(),
            }),
            _ => {
                let message = "Idempotency-Key must be at most 255 ASCII characters";
                Err(Reply::error(400, "idempotency_key_invalid", message))
            }
        }
    }
}

/// Replies by slot.
#[derive(Default)]
pub(crate) struct Memory {
    calls: Mutex<HashMap<Id, Known>>,
}

struct Known {
    since: Instant,
    payload: [u8; 32],
    /// `None` while the call is in progress.
    reply: Option<Reply>,
}

/// How to handle a keyed call.
pub(crate) enum Begun {
    /// The first call under its key: to be performed.
    First(UnderWay),
    /// The reply: an earlier one, or why there is none.
    Answered(Reply),
}

/// A keyed call in progress. Dropping it without [`UnderWay::finish`] frees its key.
pub(crate) struct UnderWay {
    memory: Arc<Memory>,
    id: Id,
}

impl Memory {
    pub(crate) fn begin(self: &Arc<Self>, slot: Slot) -> Begun {
        let mut calls = lock(&self.calls);
        match calls.get(&slot.id).filter(|known| known.since.elapsed() <= KEPT) {
            Some(known) if known.payload != slot.payload => {
                let message = "This Idempotency-Key was used with another payload";
                Begun::Answered(Reply::error(409, "idempotency_payload_mismatch", message))
            }
            Some(Known { reply: Some(reply), .. }) => {
                Begun::Answered(reply.clone().with_header("idempotent-replay", "true"))
            }
            Some(_) => {
                let message = "The first call with this Idempotency-Key is still under way";
                let refusal = Reply::error(409, "idempotency_in_progress", message);
                Begun::Answered(refusal.with_header("retry-after", "1"))
            }
            None => {
                let known = Known { since: Instant::now(), payload: slot.payload, reply: None };
                calls.insert(slot.id.clone(), known);
                Begun::First(UnderWay { memory: Arc::clone(self), id: slot.id })
            }
        }
    }
}

impl UnderWay {
    /// Stores a successful reply of reasonable size.
    pub(crate) fn finish(self, reply: &Reply) {
        if (200..300).contains(&reply.status)
            && reply.body.len() <= LARGEST_REPLY
            && let Some(known) = lock(&self.memory.calls).get_mut(&self.id)
        {
            known.reply = Some(reply.clone());
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut calls = lock(&self.memory.calls);
        if calls.get(&self.id).is_some_and(|known| known.reply.is_none()) {
            calls.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(user: u128, key: &'static str, body: &[u8]) -> Slot {
        let key = HeaderValue::from_static(key);
        Slot::new(Uuid::from_u128(user), "POST", "/posts", &key, "", body)
            .unwrap_or_else(|reply| panic!("{}", reply.status))
    }

    fn first(memory: &Arc<Memory>, slot: Slot) -> UnderWay {
        match memory.begin(slot) {
            Begun::First(call) => call,
            Begun::Answered(reply) => panic!("{}", reply.status),
        }
    }

    fn answered(memory: &Arc<Memory>, slot: Slot) -> Reply {
        match memory.begin(slot) {
            Begun::First(_) => panic!("carried out again"),
            Begun::Answered(reply) => reply,
        }
    }

    #[test]
    fn replay_mismatch_and_errors() {
        let memory = Arc::new(Memory::default());
        first(&memory, slot(1, "k", b"a")).finish(&Reply::error(400, "INVALID_INPUT", "no"));
        first(&memory, slot(1, "k", b"a")).finish(&Reply::created(&1));
        let replay = answered(&memory, slot(1, "k", b"a"));
        assert_eq!((replay.status, &replay.body[..]), (201, &b"1"[..]));
        assert_eq!(replay.headers, [("idempotent-replay", "true".to_owned())]);
        assert_eq!(answered(&memory, slot(1, "k", b"b")).status, 409);
        drop(first(&memory, slot(2, "k", b"a")));
        first(&memory, slot(1, "large", b"a")).finish(&Reply::ok(&"x".repeat(LARGEST_REPLY)));
        drop(first(&memory, slot(1, "large", b"a")));
    }

    #[test]
    fn a_call_under_way_keeps_others_waiting() {
        let memory = Arc::new(Memory::default());
        let call = first(&memory, slot(1, "k", b"a"));
        let busy = answered(&memory, slot(1, "k", b"a"));
        assert_eq!(busy.status, 409);
        assert!(busy.body.windows(23).any(|part| part == b"idempotency_in_progress"));
        assert_eq!(busy.headers, [("retry-after", "1".to_owned())]);
        drop(call);
        drop(first(&memory, slot(1, "k", b"a")));
    }

    #[test]
    fn long_and_foreign_keys_are_refused() {
        let user = Uuid::from_u128(1);
        let long = HeaderValue::from_str(&"k".repeat(256)).unwrap_or(HeaderValue::from_static(""));
        let foreign = HeaderValue::from_bytes(b"\xe9").unwrap_or(HeaderValue::from_static(""));
        for key in [long, foreign] {
            let refusal = Slot::new(user, "POST", "/posts", &key, "", b"").err();
            assert_eq!(refusal.map(|reply| reply.status), Some(400));
        }
    }
}
