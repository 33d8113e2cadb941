//! The exchange itself, of the client's login for a token that another service accepts
//! ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use colony_core::{
    Error, ErrorKind, Reply, Request, Result,
    openid::{
        self,
        audience::{Audience, OPERATION},
        exchanged::{self, Granted},
    },
    retry::RetryPolicy,
    token::{
        cache_path,
        cooldown::{Limits, Note},
        envelope::MAX_BYTES,
    },
};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Discovery, send};
use crate::{
    sender::Sender,
    session::{Attempt, Mint, Session, within},
    time::unix,
    token::{CachedToken, Format},
};

const TARGET: &str = "colony::token";

/// Gets tokens for one audience.
pub(super) struct Exchange {
    pub(super) audience: Audience,
    /// The login that is exchanged.
    pub(super) login: Arc<Session>,
    pub(super) discovery: Arc<Discovery>,
    pub(super) sender: Sender,
    pub(super) retry: RetryPolicy,
    /// The time limit of each request, including all its tries.
    pub(super) deadline: Duration,
    /// How long the login may wait for its lock.
    pub(super) lock_timeout: Duration,
    /// A login's token that was refused here although it was just obtained: then the login is not the problem, and
    /// another one would not help.
    pub(super) innocent: Mutex<Option<SecretString>>,
}

impl Exchange {
    async fn run(&self, key: &SecretString, attempt: Attempt<'_>) -> Result<CachedToken> {
        let timer = attempt.timer;
        // Discovery and the login have their own limits; the login may wait for its lock.
        attempt.announce(self.deadline);
        let provider = self.discovery.provider().await?;
        let login_limit = self.lock_timeout.saturating_mul(2).saturating_add(self.deadline);
        attempt.announce(login_limit);
        let endpoint = provider.token_endpoint.as_str();
        let mut login = self.login.token(None).await?;
        let mut request = self.audience.request(endpoint, &login.secret);
        let mut reply = self.send(&request, attempt).await?;
        if refuses_subject(&reply) && !self.is_innocent(&login.secret) {
            tracing::debug!(
                target: TARGET, event = "subject_rejected", audience = self.audience.audience,
                status = reply.status.as_u16(), "the login was refused at the exchange; it is tried with another one"
            );
            attempt.announce(login_limit);
            login = self.login.token(Some(&login.secret)).await?;
            request = self.audience.request(endpoint, &login.secret);
            reply = self.send(&request, attempt).await?;
            if refuses_subject(&reply) {
                *self.innocent.lock().unwrap_or_else(PoisonError::into_inner) = Some(login.secret.clone());
            }
        }
        if !reply.is_success() {
            let error = openid::refusal(&reply, &request);
            tracing::debug!(
                target: TARGET, event = "exchange_refused", audience = self.audience.audience,
                status = error.status(), reason = error.code(), "the exchange was refused"
            );
            return Err(error);
        }
        let granted = Granted::read_reply(&reply, unix(timer))?;
        // The account may have changed with the key, and this token must not be kept as the other account's.
        if self.login.secret().is_none_or(|now| now.expose_secret() != key.expose_secret()) {
            let message = "the API key was replaced during the exchange";
            return Err(Error::build(ErrorKind::Busy, message).operation(OPERATION).finish());
        }
        Ok(CachedToken::exchanged(granted))
    }

    async fn send(&self, request: &Request, attempt: Attempt<'_>) -> Result<Reply> {
        attempt.announce(self.deadline);
        let retry = attempt.patience.of(&self.retry);
        within(self.deadline, send(&self.sender, request, MAX_BYTES, &retry, attempt.timer)).await
    }

    fn is_innocent(&self, login: &SecretString) -> bool {
        let innocent = self.innocent.lock().unwrap_or_else(PoisonError::into_inner);
        innocent.as_ref().is_some_and(|token| token.expose_secret() == login.expose_secret())
    }
}

/// Returns whether the login was refused: 401, or `invalid_grant`
/// ([RFC 8693, section 2.2.2](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2)).
fn refuses_subject(reply: &Reply) -> bool {
    let code = || Some(reply.json().ok()?.get("error").and_then(Value::as_str)? == "invalid_grant");
    match reply.status.as_u16() {
        401 => true,
        400 => code() == Some(true),
        _ => false,
    }
}

impl Mint for Exchange {
    fn mint<'a>(&'a self, key: &'a SecretString, attempt: Attempt<'a>) -> BoxFuture<'a, Result<CachedToken>> {
        Box::pin(self.run(key, attempt))
    }

    fn file(&self, base_url: &str, key: &SecretString) -> (String, Format) {
        let key = key.expose_secret();
        let fingerprint = exchanged::fingerprint(base_url, key, &self.audience);
        let login = cache_path::fingerprint(base_url, key);
        (
            format!("{}{fingerprint}", exchanged::PREFIX),
            Format::Exchanged { login, audience: self.audience.clone() },
        )
    }

    fn one_try(&self) -> Duration {
        self.sender.timeout
    }

    fn note(&self, error: &Error, now: f64) -> Option<Note> {
        match error.status() {
            // A login's rate limit has its own note, which is read by all processes that need a login.
            Some(429) if error.operation() == Some(OPERATION) => {
                Some(Note::cool_down(now, error.retry_after(), 429, error.code(), error.message()))
            }
            Some(429) => None,
            Some(status @ (400 | 401 | 403)) if !error.is_page() => {
                Some(Note::refused(now, status, error.code(), error.message()))
            }
            status if status.is_some() || error.is_network() => {
                Some(Note::failed(now, status, self.login.limits(), error.code(), error.message()))
            }
            _ => None,
        }
    }

    fn noted(&self, note: &Note, now: f64) -> Error {
        note.to_exchange_error(now)
    }

    /// Returns whether this login could succeed: the other one lacked a two-factor code, and this one may have one.
    fn differs(&self, note: &Note) -> bool {
        self.login.differs(note)
    }

    fn limits(&self) -> Limits {
        self.login.limits()
    }

    fn audience(&self) -> Option<&Audience> {
        Some(&self.audience)
    }
}
