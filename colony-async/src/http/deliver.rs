//! One request, from the cache or over the wire, with all its tries.

use std::sync::Arc;

use colony_core::{Auth, Body, Reply, Request, Result};

use super::{
    Http,
    cache::{self, Look, Write},
};
use crate::{
    repeat::Repeat,
    session::{self, Held},
};

impl Http {
    /// Gives the last reply to a request, a kept one if there is one.
    pub(crate) async fn deliver(&self, request: &Request) -> Result<Reply> {
        let shared = &*self.shared;
        let Some(cache) = &shared.cache else { return self.send_guarded(request).await };
        if !cache::is_kept(request) {
            let write = Write::begin(cache, request);
            let outcome = self.send_guarded(request).await;
            write.end(&outcome);
            return outcome;
        }
        let url = shared.sender.url(request)?.to_string();
        let asked_at = match cache.look(&url, shared.timer.now()) {
            Look::Hit(reply) => return Ok(reply),
            Look::Miss(asked_at) => asked_at,
        };
        let reply = self.send_guarded(request).await?;
        if reply.is_success() {
            cache.keep(url, asked_at, &reply, shared.timer.now());
        }
        Ok(reply)
    }

    async fn send_guarded(&self, request: &Request) -> Result<Reply> {
        let Some(breaker) = &self.shared.breaker else { return self.send_with_retries(request).await };
        let admitted = breaker.admit(request, self.shared.timer.now())?;
        let outcome = self.send_with_retries(request).await;
        admitted.settle(&outcome, self.shared.timer.now());
        outcome
    }

    /// Sends a request as often as the policy and a rejected token ask for, and gives the last reply.
    async fn send_with_retries(&self, request: &Request) -> Result<Reply> {
        let shared = &*self.shared;
        let mut tries = Repeat::new(request, &shared.retry, &*shared.timer);
        let mut rounds = 0;
        let mut rejected: Option<Arc<Held>> = None;
        loop {
            let held = self.token_for(request, rejected.as_ref()).await?;
            let outcome = shared.sender.once(request, held.as_deref()).await;
            let refused = outcome.as_ref().is_ok_and(|reply| reply.status.as_u16() == 401);
            // One round with another token, and only for 401: a 403 is about rights, not about the token. The
            // round goes on when the other one was only found, and refused as well: a revocation ends all
            // tokens that are about. One that was just issued is the last that is tried.
            let found = held.as_ref().is_some_and(|held| !held.minted);
            if refused && request.auth() == Auth::Bearer && (rounds == 0 || rounds == 1 && found) {
                session::rejected(request.operation());
                rejected = held;
                rounds += 1;
                continue;
            }
            if let Some(outcome) = tries.settle(outcome).await {
                return outcome;
            }
        }
    }

    async fn token_for(&self, request: &Request, rejected: Option<&Arc<Held>>) -> Result<Option<Arc<Held>>> {
        // A form may carry the token although the request has no Authorization header.
        let in_form =
            matches!(request.body(), Body::Form(fields) if fields.iter().any(|(_, value)| value.is_none()));
        if request.auth() == Auth::Anonymous && !in_form {
            return Ok(None);
        }
        self.shared.session.token(rejected.map(|held| &held.token)).await.map(Some)
    }
}
