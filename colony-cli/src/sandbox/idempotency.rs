//! Idempotency keys: a repeated write is answered from memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::HeaderValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::reply::Reply;

const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const LARGEST_REPLY: usize = 1_000_000;

type Id = (Uuid, String, String, String);

/// Where the reply to one keyed call belongs.
pub(crate) struct Slot {
    id: Id,
    body: [u8; 32],
}

impl Slot {
    /// The slot of user, method, path and key; 400 for a key that the platform refuses.
    pub(crate) fn new(
        user: Uuid,
        method: &str,
        path: &str,
        key: &HeaderValue,
        body: &[u8],
    ) -> Result<Self, Reply> {
        match key.to_str() {
            Ok(key) if key.len() <= 255 => Ok(Self {
                id: (user, method.to_owned(), path.to_owned(), key.to_owned()),
                body: Sha256::digest(body).into(),
            }),
            _ => {
                let message = "Idempotency-Key must be at most 255 ASCII characters";
                Err(Reply::error(400, "idempotency_key_invalid", message))
            }
        }
    }
}

/// Replies by slot. A call and its reply are one step under the world's lock, so no call ever finds
/// another one in progress.
#[derive(Default)]
pub(crate) struct Memory {
    replies: HashMap<Id, (Instant, [u8; 32], Reply)>,
}

impl Memory {
    /// The earlier reply, or 409 if the earlier call had another body.
    pub(crate) fn find(&self, slot: &Slot) -> Option<Reply> {
        let (at, body, reply) = self.replies.get(&slot.id)?;
        if at.elapsed() > KEPT {
            return None;
        }
        if *body != slot.body {
            let message = "This Idempotency-Key was used with another payload";
            return Some(Reply::error(409, "idempotency_payload_mismatch", message));
        }
        Some(reply.clone().with_header("idempotent-replay", "true"))
    }

    /// Keeps a successful reply of reasonable size.
    pub(crate) fn remember(&mut self, slot: Slot, reply: &Reply) {
        if (200..300).contains(&reply.status) && reply.body.len() <= LARGEST_REPLY {
            self.replies.insert(slot.id, (Instant::now(), slot.body, reply.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(user: u128, key: &'static str, body: &[u8]) -> Slot {
        let key = HeaderValue::from_static(key);
        Slot::new(Uuid::from_u128(user), "POST", "/posts", &key, body)
            .unwrap_or_else(|reply| panic!("{}", reply.status))
    }

    #[test]
    fn replay_mismatch_and_errors() {
        let mut memory = Memory::default();
        assert!(memory.find(&slot(1, "k", b"a")).is_none());
        memory.remember(slot(1, "k", b"a"), &Reply::error(400, "INVALID_INPUT", "no"));
        assert!(memory.find(&slot(1, "k", b"a")).is_none(), "only successes are kept");
        memory.remember(slot(1, "k", b"a"), &Reply::created(&1));
        let replay = memory.find(&slot(1, "k", b"a"));
        let replay = replay.unwrap_or_else(|| panic!("no replay"));
        assert_eq!((replay.status, &replay.body[..]), (201, &b"1"[..]));
        assert_eq!(replay.headers, [("idempotent-replay", "true".to_owned())]);
        assert_eq!(memory.find(&slot(1, "k", b"b")).map(|reply| reply.status), Some(409));
        assert!(memory.find(&slot(2, "k", b"a")).is_none(), "keys belong to a user");
    }

    #[test]
    fn long_and_foreign_keys_are_refused() {
        let user = Uuid::from_u128(1);
        let long = HeaderValue::from_str(&"k".repeat(256)).unwrap_or(HeaderValue::from_static(""));
        let foreign = HeaderValue::from_bytes(b"\xe9").unwrap_or(HeaderValue::from_static(""));
        for key in [long, foreign] {
            let refusal = Slot::new(user, "POST", "/posts", &key, b"").err();
            assert_eq!(refusal.map(|reply| reply.status), Some(400));
        }
    }
}
