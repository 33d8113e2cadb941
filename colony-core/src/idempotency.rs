//! Keys by which the server recognises a repetition.
//!
//! Every authenticated write carries one, kept over its tries. The service keeps a key for 24 hours, for the
//! same user, method and path; not for replies over 1 MB, and not while its cache is down.

use crate::{Request, retry::Repeat};

/// Makes a new idempotency key: 32 hexadecimal digits, a random (version 4) UUID without its hyphens.
///
/// Make one for each thing to be done, keep it while that is tried, and give it to every try: the
/// server then acts once. The randomness is the operating system's.
///
/// ```
/// use colony_core::{api::posts::CreatePost, idempotency};
///
/// let key = idempotency::new_key();
/// let post = CreatePost::new("Second reading", "It holds.").idempotency_key(&key);
/// # assert_eq!(post.idempotency_key.as_deref(), Some(&*key));
/// ```
pub fn new_key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Makes an idempotency key of these parts: the same 32 hexadecimal digits for the same parts, on every host and after
/// every restart, and others for any other parts.
///
/// With it, what is heard at least once is done once, as long as the server keeps the key:
///
/// ```
/// use colony_core::{api::comments::CreateComment, idempotency::key_for};
///
/// let event = "notification:2e549d01-99f2-459f-8924-48b2690b2170";
/// let reply = CreateComment::new("p1", "Thank you").idempotency_key(key_for(&[event, "reply"]));
/// assert_ne!(key_for(&["ab", "c"]), key_for(&["a", "bc"]));
/// ```
pub fn key_for(parts: &[&str]) -> String {
    let text: String = parts.iter().map(|part| format!("{}:{part}\n", part.len())).collect();
    fingerprint(&text)
}

/// A text of 32 hexadecimal digits that stands for a key and does not tell it.
pub fn fingerprint(key: &str) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let digest = Sha256::digest(key);
    digest[..16].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The keys of one call: one for each request that is a write.
///
/// ```
/// use colony_core::{Request, idempotency::Keys};
/// use http::Method;
///
/// let mut keys = Keys::of_batch(Some("mine"));
/// let mut request = Request::new("delete_notifications", Method::POST, "/notifications/delete");
/// keys.give(&mut request);
/// assert_eq!(request.idempotency_text().as_deref(), Some("mine-1"));
/// ```
#[derive(Debug, Clone)]
pub struct Keys {
    key: Option<String>,
    /// How many requests of a batch have one.
    given: Option<u32>,
}

impl Keys {
    /// The key of a call of one request: the caller's own, else a new one.
    pub fn of_call(own: Option<&str>) -> Self {
        Self { key: own.map(str::to_owned), given: None }
    }

    /// The keys of a call of several requests: the caller's own or a new one, with `-1`, `-2` and so on
    /// at its end.
    pub fn of_batch(own: Option<&str>) -> Self {
        Self { given: Some(0), ..Self::of_call(own) }
    }

    /// Gives the request its key, unless it is none that is recognised by one. In a call of one request a
    /// key of its own stays.
    pub fn give(&mut self, request: &mut Request) {
        let own = self.key.is_some() || request.idempotency().is_some();
        if request.repeat() == Repeat::Safe || request.repeat() == Repeat::Once && !own {
            return;
        }
        let call = match (&self.key, request.idempotency_text()) {
            (_, Some(own)) => own,
            (Some(key), None) => key.clone(),
            (None, None) => self.key.insert(new_key()).clone(),
        };
        match &mut self.given {
            None => request.set_idempotency_key(&call),
            Some(given) => {
                *given += 1;
                request.set_idempotency_key(&format!("{call}-{given}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn key(keys: &mut Keys, request: Request) -> Option<String> {
        let mut request = request;
        keys.give(&mut request);
        request.idempotency_text()
    }

    #[test]
    fn a_key_is_made_of_all_its_parts() {
        // Fixed for ever: another key would do again what was done.
        assert_eq!(key_for(&["notification:1", "reply"]), GOLDEN);
        let all: [&[&str]; 7] = [&[], &[""], &["", ""], &["a"], &["a", ""], &["a\n0:"], &["1:a\n"]];
        let keys: std::collections::BTreeSet<String> = all.iter().map(|parts| key_for(parts)).collect();
        assert_eq!(keys.len(), all.len());
        assert!(keys.iter().all(|key| key.len() == 32));
    }

    const GOLDEN: &str = "0a5493db37d2d2237031ae1c78c31dc8";

    #[test]
    fn writes_have_a_key_and_reads_have_none() {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let request = || Request::new("x", method.clone(), "/x");
            let made = key(&mut Keys::of_call(None), request()).expect("a key");
            assert_eq!(made.len(), 32);
            assert_eq!(key(&mut Keys::of_call(Some("k")), request()).as_deref(), Some("k"));
            let own = request().idempotency_key(Some("own"));
            assert_eq!(key(&mut Keys::of_call(Some("k")), own).as_deref(), Some("own"));
            // Nobody would recognise a key that was made here.
            assert_eq!(key(&mut Keys::of_call(None), request().anonymous()), None);
            assert_eq!(key(&mut Keys::of_call(None), request().keyless()), None);
            assert_eq!(key(&mut Keys::of_call(Some("k")), request().keyless()).as_deref(), Some("k"));
        }
        assert_eq!(key(&mut Keys::of_call(Some("k")), Request::new("x", Method::GET, "/x")), None);
    }

    #[test]
    fn a_batch_counts_its_writes() {
        let mut keys = Keys::of_batch(None);
        let post = || Request::new("x", Method::POST, "/x");
        let first = key(&mut keys, post()).expect("a key");
        assert_eq!(key(&mut keys, Request::new("x", Method::GET, "/x")), None);
        let second = key(&mut keys, post()).expect("a key");
        assert_eq!(first.strip_suffix("-1"), second.strip_suffix("-2"));
        assert!(first.ends_with("-1"));
    }
}
