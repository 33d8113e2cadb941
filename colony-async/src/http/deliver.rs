//! Delivers one request, from the cache or over the network, with all its tries.

use colony_core::{Auth, Body, Reply, Request, Result, retry::RetryPolicy};

use super::{
    Http,
    cache::{self, Cached, Write},
};
use crate::{deadline::Deadline, repeat::Repeat, sender::Sink, session::Round};

impl Http {
    /// Returns the last reply to a request, or a cached one. With a sink, the body of a success goes there as a
    /// stream, and the reply has none.
    pub(super) async fn deliver_until(
        &self,
        request: &Request,
        deadline: &Deadline,
        sink: Option<&Sink>,
    ) -> Result<Reply> {
        let shared = &*self.shared;
        shared.session.check_caller()?;
        self.admit(request)?;
        let Some(cache) = &shared.cache else { return self.send_guarded(request, deadline, sink).await };
        if !cache::is_kept(request) || sink.is_some() {
            let write = Write::begin(cache, request);
            let outcome = self.send_guarded(request, deadline, sink).await;
            write.end(&outcome);
            return outcome;
        }
        let url = shared.sender.url(request)?.to_string();
        let asked_at = match cache.look(&url, shared.timer.now()) {
            Cached::Hit(reply) => return Ok(reply),
            Cached::Miss(asked_at) => asked_at,
        };
        let reply = self.send_guarded(request, deadline, None).await?;
        if reply.is_success() {
            cache.keep(url, asked_at, &reply, shared.timer.now());
        }
        Ok(reply)
    }

    /// Sends a request once, past the cache and the circuit breaker.
    pub(super) async fn deliver_fresh(&self, request: &Request, deadline: &Deadline) -> Result<Reply> {
        self.shared.session.check_caller()?;
        self.admit(request)?;
        self.send_with_retries(request, deadline, None, &RetryPolicy::none()).await
    }

    async fn send_guarded(
        &self,
        request: &Request,
        deadline: &Deadline,
        sink: Option<&Sink>,
    ) -> Result<Reply> {
        let Some(breaker) = &self.shared.breaker else {
            return self.send_with_retries(request, deadline, sink, &self.shared.retry).await;
        };
        let admitted = breaker.admit(request, self.shared.timer.now())?;
        let outcome = self.send_with_retries(request, deadline, sink, &self.shared.retry).await;
        admitted.settle(&outcome, self.shared.timer.now());
        outcome
    }

    /// Sends a request with the retries of the policy and for a rejected token, and returns the last reply.
    async fn send_with_retries(
        &self,
        request: &Request,
        deadline: &Deadline,
        sink: Option<&Sink>,
        policy: &RetryPolicy,
    ) -> Result<Reply> {
        let shared = &*self.shared;
        let mut tries = Repeat::new(request, policy, &*shared.timer).until(deadline);
        let mut tokens = carries_token(request).then(|| Round::new(&shared.session, request));
        let Some(budgets) = shared.budgets.as_ref().filter(|budgets| budgets.counts(request)) else {
            return self.send_until_final(request, sink, &mut tries, tokens.as_mut()).await;
        };
        // Rare, and large: on the heap it adds nothing to the future of other calls.
        Box::pin(async {
            let held = match &tokens {
                Some(tokens) => Some(tokens.token().await?),
                None => None,
            };
            let reservation = budgets.reserve(request, held.as_deref()).await?;
            let outcome = self.send_until_final(request, sink, &mut tries, tokens.as_mut()).await;
            reservation.settle(&outcome, tries.resent()).await;
            outcome
        })
        .await
    }

    async fn send_until_final(
        &self,
        request: &Request,
        sink: Option<&Sink>,
        tries: &mut Repeat<'_>,
        mut tokens: Option<&mut Round<'_>>,
    ) -> Result<Reply> {
        loop {
            let outcome = self.send_once(request, tokens.as_deref_mut(), sink).await?;
            // Part of the content has been read and cannot be read again.
            if !request.is_repeatable() {
                return outcome;
            }
            if let Some(outcome) = tries.settle(request, outcome).await {
                return outcome;
            }
        }
    }

    /// Sends a request once, and again with another token while its own is refused. The outer error is that of a
    /// login, which has used up its own retries.
    async fn send_once(
        &self,
        request: &Request,
        tokens: Option<&mut Round<'_>>,
        sink: Option<&Sink>,
    ) -> Result<Result<Reply>> {
        let (sender, limit) = (&self.shared.sender, self.settings.timeout);
        let Some(tokens) = tokens else { return Ok(sender.once(request, None, limit, sink).await) };
        let mut held = tokens.token().await?;
        loop {
            let outcome = sender.once(request, Some(&*held), limit, sink).await;
            let Ok(reply) = &outcome else { return Ok(outcome) };
            if request.auth() != Auth::Bearer || !request.is_repeatable() {
                return Ok(outcome);
            }
            if reply.is_success() {
                tokens.succeeded().await;
            }
            match tokens.another(&held, reply).await? {
                Some(other) => held = other,
                None => return Ok(outcome),
            }
        }
    }
}

/// Returns whether the request carries a token: in a header, or in a form, where such a request has no header.
fn carries_token(request: &Request) -> bool {
    let in_form =
        matches!(request.body(), Body::Form(fields) if fields.iter().any(|(_, value)| value.is_none()));
    request.auth() == Auth::Bearer || in_form
}
