//! One request, from the cache or over the wire, with all its tries.

use colony_core::{Auth, Body, Reply, Request, Result, retry::Decision};

use super::{
    Http,
    cache::{self, Look, Write},
};
use crate::session::Round;

impl Http {
    /// Gives the last reply to a request, a kept one if there is one.
    pub(crate) async fn deliver(&self, request: &Request) -> Result<Reply> {
        let shared = &*self.shared;
        shared.session.check_caller()?;
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
        let mut retries = 0;
        let mut tokens = carries_token(request).then(|| Round::new(&shared.session, request));
        loop {
            let mut held = match &tokens {
                Some(tokens) => Some(tokens.token().await?),
                None => None,
            };
            let mut reply = shared.sender.once(request, held.as_deref()).await?;
            if let (Some(tokens), Auth::Bearer) = (&mut tokens, request.auth()) {
                while let Some(refused) = held.take()
                    && let Some(other) = tokens.another(&refused, &reply).await?
                {
                    reply = shared.sender.once(request, Some(&*other)).await?;
                    held = Some(other);
                }
                if reply.is_success() {
                    tokens.succeeded().await;
                }
            }
            let status = reply.status.as_u16();
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
}

/// Whether a token goes with the request: in a header, or in a form, where such a request has no header.
fn carries_token(request: &Request) -> bool {
    let in_form =
        matches!(request.body(), Body::Form(fields) if fields.iter().any(|(_, value)| value.is_none()));
    request.auth() == Auth::Bearer || in_form
}
