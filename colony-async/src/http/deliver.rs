//! One request, from the cache or over the wire, with all its tries.

use std::sync::Arc;

use colony_core::{Auth, Body, Reply, Request, Result, retry::Decision};

use super::{
    Http,
    cache::{self, Look, Write},
};
use crate::{
    sender::Sink,
    session::{self, Held},
};

impl Http {
    /// Gives the last reply to a request, a kept one if there is one.
    pub(crate) async fn deliver(&self, request: &Request) -> Result<Reply> {
        self.deliver_to(request, None).await
    }

    /// The same, where the body of a success goes to the sink as a stream and the reply has none.
    pub(super) async fn deliver_to(&self, request: &Request, sink: Option<&Sink>) -> Result<Reply> {
        let shared = &*self.shared;
        let Some(cache) = &shared.cache else { return self.send_guarded(request, sink).await };
        if !cache::is_kept(request) || sink.is_some() {
            let write = Write::begin(cache, request);
            let outcome = self.send_guarded(request, sink).await;
            write.end(&outcome);
            return outcome;
        }
        let url = shared.sender.url(request)?.to_string();
        let asked_at = match cache.look(&url, shared.timer.now()) {
            Look::Hit(reply) => return Ok(reply),
            Look::Miss(asked_at) => asked_at,
        };
        let reply = self.send_guarded(request, None).await?;
        if reply.is_success() {
            cache.keep(url, asked_at, &reply, shared.timer.now());
        }
        Ok(reply)
    }

    async fn send_guarded(&self, request: &Request, sink: Option<&Sink>) -> Result<Reply> {
        let Some(breaker) = &self.shared.breaker else { return self.send_with_retries(request, sink).await };
        let admitted = breaker.admit(request, self.shared.timer.now())?;
        let outcome = self.send_with_retries(request, sink).await;
        admitted.settle(&outcome, self.shared.timer.now());
        outcome
    }

    /// Sends a request as often as the policy and a rejected token ask for, and gives the last reply.
    async fn send_with_retries(&self, request: &Request, sink: Option<&Sink>) -> Result<Reply> {
        let shared = &*self.shared;
        let (mut retries, mut rounds) = (0, 0);
        let mut rejected: Option<Arc<Held>> = None;
        loop {
            let held = self.token_for(request, rejected.as_ref()).await?;
            let reply = shared.sender.once(request, held.as_deref(), sink).await?;
            // Part of what cannot be read again is gone.
            if !request.is_repeatable() {
                return Ok(reply);
            }
            let status = reply.status.as_u16();
            // One round with another token, and only for 401: a 403 is about rights, not about the token. The
            // round goes on when the other one was only found, and refused as well: a revocation ends all
            // tokens that are about. One that was just issued is the last that is tried.
            let found = held.as_ref().is_some_and(|held| !held.minted);
            if status == 401 && request.auth() == Auth::Bearer && (rounds == 0 || rounds == 1 && found) {
                session::rejected(request.operation());
                rejected = held;
                rounds += 1;
                continue;
            }
            if !request.is_retried() {
                return Ok(reply);
            }
            match shared.retry.after(retries, status, reply.retry_after()) {
                Decision::Stop => return Ok(reply),
                Decision::After(wait) => {
                    tracing::debug!(
                        target: "colony::http", operation = request.operation(), status,
                        wait_ms = wait.as_millis() as u64, "sending the request again after a pause"
                    );
                    shared.timer.sleep(wait).await;
                }
            }
            retries += 1;
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
