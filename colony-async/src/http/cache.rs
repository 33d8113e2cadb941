//! A response cache, so that an identical request is not sent again.
//!
//! Off unless [`Builder::response_cache`](crate::Builder::response_cache) turns it on. Replies to GET are kept by
//! address; downloads and secret replies are not. Every write empties the cache, since the client does not know what
//! else on the server a write changes.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use colony_core::{Reply, Request, Result};
use http::Method;

/// The most replies that are kept, the most bytes of all of them, and of one. A program that reads more does not
/// benefit from this cache.
const MOST: usize = 512;
const MOST_BYTES: usize = 16 * 1024 * 1024;
const LARGEST: usize = 1024 * 1024;

pub(crate) struct ResponseCache {
    ttl: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<String, (SystemTime, Reply)>,
    /// The size of all kept replies.
    bytes: usize,
    /// How often the cache was emptied: a reply requested before a write is outdated when it arrives.
    emptied: u64,
}

/// The result of a lookup.
pub(super) enum Cached {
    Hit(Reply),
    /// No reply. Contains a number to pass back when the reply is stored.
    Miss(u64),
}

impl ResponseCache {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { ttl, state: Mutex::default() }
    }

    pub(super) fn look(&self, url: &str, now: SystemTime) -> Cached {
        let state = self.lock();
        match state.kept.get(url) {
            Some((since, reply)) if self.is_fresh(*since, now) => Cached::Hit(reply.clone()),
            _ => Cached::Miss(state.emptied),
        }
    }

    pub(super) fn keep(&self, url: String, asked_at: u64, reply: &Reply, now: SystemTime) {
        let mut state = self.lock();
        if state.emptied != asked_at || reply.body.len() > LARGEST {
            return;
        }
        let size = weight(&url, reply);
        if state.is_full(size) {
            state.retain(|since| self.is_fresh(since, now));
            if state.is_full(size) {
                state.retain(|_| false);
            }
        }
        state.bytes += size;
        if let Some((_, old)) = state.kept.insert(url.clone(), (now, reply.clone())) {
            state.bytes -= weight(&url, &old);
        }
    }

    pub(super) fn clear(&self) {
        let mut state = self.lock();
        state.retain(|_| false);
        state.emptied = state.emptied.wrapping_add(1);
    }

    /// Returns whether a reply is fresh. A clock that was set back makes all replies old, rather than fresh for a
    /// long time.
    fn is_fresh(&self, since: SystemTime, now: SystemTime) -> bool {
        now.duration_since(since).is_ok_and(|age| age < self.ttl)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_full(&self, more: usize) -> bool {
        self.kept.len() >= MOST || self.bytes + more > MOST_BYTES
    }

    fn retain(&mut self, is_kept: impl Fn(SystemTime) -> bool) {
        self.kept.retain(|_, (since, _)| is_kept(*since));
        self.bytes = self.kept.iter().map(|(url, (_, reply))| weight(url, reply)).sum();
    }
}

/// Returns the approximate size of a reply; the headers count as the service's usual ones.
fn weight(url: &str, reply: &Reply) -> usize {
    url.len() + reply.body.len() + 1024
}

/// Returns whether the reply can be kept.
pub(super) fn is_kept(request: &Request) -> bool {
    *request.method() == Method::GET && !request.is_download() && !request.is_secret()
}

/// A write under way. It empties the cache when it ends, even if its caller was cancelled; only a refusal is known to
/// have changed nothing.
pub(super) struct Write<'a>(Option<&'a ResponseCache>);

impl<'a> Write<'a> {
    pub(super) fn begin(cache: &'a ResponseCache, request: &Request) -> Self {
        Self((!matches!(*request.method(), Method::GET | Method::HEAD)).then_some(cache))
    }

    pub(super) fn end(mut self, outcome: &Result<Reply>) {
        if outcome.as_ref().is_ok_and(|reply| reply.status.is_client_error()) {
            self.0 = None;
        }
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        if let Some(cache) = self.0 {
            cache.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    fn reply(status: u16) -> Reply {
        Reply::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), Bytes::from_static(b"{}"))
    }

    fn is_hit(cache: &ResponseCache, url: &str) -> bool {
        matches!(cache.look(url, SystemTime::UNIX_EPOCH), Cached::Hit(_))
    }

    #[test]
    fn a_reply_that_was_asked_for_before_a_write_is_not_kept() {
        let cache = ResponseCache::new(Duration::from_secs(60));
        let now = SystemTime::UNIX_EPOCH;
        let Cached::Miss(before) = cache.look("a", now) else { panic!("it is empty") };
        cache.clear();
        cache.keep("a".to_owned(), before, &reply(200), now);
        assert!(!is_hit(&cache, "a"));
        let Cached::Miss(after) = cache.look("a", now) else { panic!("it is empty") };
        cache.keep("a".to_owned(), after, &reply(200), now);
        assert!(is_hit(&cache, "a"));
    }

    #[test]
    fn an_abandoned_write_empties_it_and_a_refused_one_does_not() {
        let cache = ResponseCache::new(Duration::from_secs(60));
        let write = || Write::begin(&cache, &Request::new("x", Method::PATCH, "/x"));
        cache.keep("a".to_owned(), 0, &reply(200), SystemTime::UNIX_EPOCH);
        write().end(&Ok(reply(403)));
        assert!(is_hit(&cache, "a"));
        Write::begin(&cache, &Request::new("x", Method::GET, "/x")).end(&Ok(reply(200)));
        assert!(is_hit(&cache, "a"));
        drop(write());
        assert!(!is_hit(&cache, "a"));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let cache = ResponseCache::new(Duration::from_secs(60));
        for n in 0..3 * MOST {
            cache.keep(n.to_string(), 0, &reply(200), SystemTime::UNIX_EPOCH);
        }
        assert!(cache.lock().kept.len() <= MOST);
        assert!(is_hit(&cache, &(3 * MOST - 1).to_string()));
    }

    #[test]
    fn it_is_bounded_in_bytes() {
        let cache = ResponseCache::new(Duration::from_secs(60));
        let body = Bytes::from(vec![b' '; LARGEST]);
        for n in 0..100 {
            let reply = Reply::new(StatusCode::OK, HeaderMap::new(), body.clone());
            cache.keep((n % 50).to_string(), 0, &reply, SystemTime::UNIX_EPOCH);
            let state = cache.lock();
            let kept: usize = state.kept.iter().map(|(url, (_, reply))| weight(url, reply)).sum();
            assert_eq!(state.bytes, kept);
            assert!(kept <= MOST_BYTES);
        }
        let larger = Reply::new(StatusCode::OK, HeaderMap::new(), vec![b' '; LARGEST + 1].into());
        cache.keep("larger".to_owned(), 0, &larger, SystemTime::UNIX_EPOCH);
        assert!(!is_hit(&cache, "larger"));
    }
}
