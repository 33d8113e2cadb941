//! Counts of the sandbox's requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::lock;

/// The counts that `GET /_stats` returns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls by route (`GET /posts/{post_id}`).
    pub routes: BTreeMap<String, RouteStats>,
    /// The highest number of `POST /auth/token` calls in progress at the same time.
    pub in_flight_logins_max: u64,
    /// Calls of `POST /auth/token` that arrived.
    pub logins_started: u64,
    /// Calls of `POST /auth/token` that were answered, with any status, while the client was still connected.
    pub logins_completed: u64,
    /// Calls of `POST /oauth/token` by grant: `token-exchange`, `refresh_token`, `device_code`,
    /// `authorization_code`.
    #[serde(default)]
    pub grants: BTreeMap<String, RouteStats>,
    /// Refresh tokens that were spent, whether or not the reply arrived.
    #[serde(default)]
    pub rotations: u64,
    /// Spent refresh tokens that were presented again while their family was valid, which ended it.
    #[serde(default)]
    pub replays: u64,
}

/// The counts of one route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStats {
    /// Calls that arrived. Exceeds the sum of `by_status` while some are in progress, or if a client disconnected
    /// before its reply.
    pub total: u64,
    /// Replies by status.
    pub by_status: BTreeMap<u16, u64>,
}

impl Stats {
    /// Returns how often a route (`POST /auth/token`) was called.
    pub fn total(&self, route: &str) -> u64 {
        self.routes.get(route).map_or(0, |counts| counts.total)
    }

    /// Returns how often the token endpoint was called for a grant (`refresh_token`).
    pub fn grant(&self, grant: &str) -> u64 {
        self.grants.get(grant).map_or(0, |counts| counts.total)
    }

    /// Returns how often a route replied with `status`.
    pub fn with_status(&self, route: &str, status: u16) -> u64 {
        self.routes.get(route).and_then(|counts| counts.by_status.get(&status)).map_or(0, |&n| n)
    }
}

/// The running counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    stats: Stats,
    logins_in_flight: u64,
}

impl Counters {
    pub(crate) fn arrived(&self, route: &str) {
        let mut inner = lock(&self.inner);
        if let Some(counts) = inner.stats.routes.get_mut(route) {
            counts.total += 1;
        } else {
            let counts = RouteStats { total: 1, ..RouteStats::default() };
            inner.stats.routes.insert(route.to_owned(), counts);
        }
    }

    pub(crate) fn answered(&self, route: &str, status: u16) {
        let mut inner = lock(&self.inner);
        // The route is absent if the counters were reset in the meantime.
        if let Some(counts) = inner.stats.routes.get_mut(route) {
            *counts.by_status.entry(status).or_default() += 1;
        }
    }

    /// Counts a call of the token endpoint for this grant.
    pub(crate) fn grant_arrived(&self, grant: &str) {
        lock(&self.inner).stats.grants.entry(grant.to_owned()).or_default().total += 1;
    }

    pub(crate) fn grant_answered(&self, grant: &str, status: u16) {
        if let Some(counts) = lock(&self.inner).stats.grants.get_mut(grant) {
            *counts.by_status.entry(status).or_default() += 1;
        }
    }

    pub(crate) fn rotated(&self) {
        lock(&self.inner).stats.rotations += 1;
    }

    pub(crate) fn replayed(&self) {
        lock(&self.inner).stats.replays += 1;
    }

    /// Counts a login; it is in flight until the guard is dropped.
    pub(crate) fn login_started(self: &Arc<Self>) -> LoginGuard {
        let mut inner = lock(&self.inner);
        inner.stats.logins_started += 1;
        inner.logins_in_flight += 1;
        inner.stats.in_flight_logins_max = inner.stats.in_flight_logins_max.max(inner.logins_in_flight);
        LoginGuard { counters: Arc::clone(self) }
    }

    pub(crate) fn snapshot(&self) -> Stats {
        lock(&self.inner).stats.clone()
    }

    pub(crate) fn clear(&self) {
        lock(&self.inner).stats = Stats::default();
    }
}

/// One login in flight. Dropped without [`LoginGuard::completed`] when its client disconnects.
#[derive(Debug)]
pub(crate) struct LoginGuard {
    counters: Arc<Counters>,
}

impl LoginGuard {
    pub(crate) fn completed(self) {
        lock(&self.counters.inner).stats.logins_completed += 1;
    }
}

impl Drop for LoginGuard {
    fn drop(&mut self) {
        let mut inner = lock(&self.counters.inner);
        inner.logins_in_flight = inner.logins_in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_in_flight_and_abandoned() {
        let counters = Arc::new(Counters::default());
        let first = counters.login_started();
        let second = counters.login_started();
        drop(first);
        counters.login_started().completed();
        second.completed();
        let stats = counters.snapshot();
        assert_eq!((stats.in_flight_logins_max, stats.logins_started, stats.logins_completed), (2, 3, 2));
        assert_eq!(lock(&counters.inner).logins_in_flight, 0);
    }

    #[test]
    fn shape_of_the_json() {
        let counters = Counters::default();
        counters.arrived("POST /auth/token");
        counters.answered("POST /auth/token", 200);
        counters.arrived("POST /auth/token");
        let json = serde_json::to_value(counters.snapshot()).unwrap_or_default();
        assert_eq!(
            json["routes"],
            serde_json::json!({"POST /auth/token": {"total": 2, "by_status": {"200": 1}}})
        );
        counters.clear();
        counters.answered("POST /auth/token", 200);
        assert_eq!(counters.snapshot(), Stats::default());
    }
}
