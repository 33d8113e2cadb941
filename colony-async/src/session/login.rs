//! The login itself: one exchange of the key for a token.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use colony_core::{
    Error, ErrorKind, Reply, Request, Result,
    retry::RetryPolicy,
    token::{cache_path, cooldown::Note, freshness::Lifetime},
    two_factor_code,
};
use futures_util::future::BoxFuture;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Held, Kind, Mint, Patience};
use crate::{
    body,
    repeat::Repeat,
    sender::Sender,
    time::{Timer, unix},
};

/// The operation's name of a login.
pub(crate) const LOGIN: &str = "get_auth_token";

/// Where two-factor codes come from.
pub(crate) enum Totp {
    /// A code that serves for one login.
    Once(SecretString, AtomicBool),
    /// Asked at each login.
    Ask(Box<dyn Fn() -> String + Send + Sync>),
}

/// Logs in.
pub(crate) struct Login {
    pub(crate) sender: Sender,
    pub(crate) retry: RetryPolicy,
    pub(crate) totp: Option<Totp>,
}

impl Mint for Login {
    fn mint<'a>(
        &'a self,
        key: &'a SecretString,
        timer: &'a dyn Timer,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Held>> {
        Box::pin(async move {
            let token = self.run(key, timer, &patience.of(&self.retry)).await?;
            let lifetime = Lifetime::at_login(token.expose_secret(), unix(timer));
            Ok(Held::new(token, lifetime).just_minted())
        })
    }

    fn file(&self, base_url: &str, key: &SecretString) -> (String, Kind) {
        (cache_path::fingerprint(base_url, key.expose_secret()), Kind::Login)
    }

    fn longest(&self, patience: Patience) -> Duration {
        patience.of(&self.retry).longest(self.sender.timeout)
    }

    fn note(&self, error: &Error, now: f64) -> Option<Note> {
        match error.status()? {
            429 => Some(Note::cool_down(now, error.retry_after(), 429, error.code(), error.message())),
            401 | 403 if error.is_page() => None,
            status @ (401 | 403) => Some(Note::refused(now, status, error.code(), error.message())),
            _ => None,
        }
    }

    fn noted(&self, note: &Note, now: f64) -> Error {
        note.to_error(now)
    }

    /// Another program was asked for a two-factor code, or gave a wrong one; this one has its own.
    fn differs(&self, note: &Note) -> bool {
        note.is_two_factor() && self.totp.is_some()
    }
}

impl Login {
    /// Exchanges the key for a token.
    async fn run(&self, key: &SecretString, timer: &dyn Timer, retry: &RetryPolicy) -> Result<SecretString> {
        let mut tries = Repeat::of_login(LOGIN, retry, timer);
        let mut request = Request::new(LOGIN, Method::POST, "/auth/token")
            .json("api_key", key.expose_secret())
            .anonymous()
            .secret();
        if let Some(totp) = &self.totp {
            request = request.json("totp_code", totp.code()?.expose_secret());
        }
        loop {
            let outcome = self.sender.once_bounded(&request, body::LOGIN_LIMIT).await;
            let Some(outcome) = tries.settle(outcome).await else { continue };
            let reply = outcome?;
            return if reply.is_success() { read_token(&reply) } else { Err(reply.into_error(&request)) };
        }
    }
}

fn read_token(reply: &Reply) -> Result<SecretString> {
    let body = reply.json()?;
    match body.get("access_token").and_then(Value::as_str) {
        Some(token) if http::HeaderValue::from_str(token).is_ok() && !token.is_empty() => Ok(token.into()),
        _ => Err(Error::build(ErrorKind::Decode, "the login's reply holds no usable `access_token`")
            .operation(LOGIN)
            .status(reply.status.as_u16())
            .finish()),
    }
}

impl Totp {
    pub(crate) fn once(code: SecretString) -> Self {
        Self::Once(code, AtomicBool::new(false))
    }

    fn code(&self) -> Result<SecretString> {
        match self {
            Self::Ask(ask) => check_code(ask()),
            Self::Once(code, used) => {
                let checked = check_code(code.expose_secret().to_owned())?;
                if used.swap(true, Ordering::Relaxed) {
                    let message =
                        "the single two-factor code was already used, and each code is accepted once";
                    return Err(Error::build(ErrorKind::TwoFactorRequired, message)
                        .status(401)
                        .code("AUTH_2FA_REQUIRED")
                        .hint("Give the client a function that returns a fresh code: `totp_with(|| …)`")
                        .finish());
                }
                Ok(checked)
            }
        }
    }
}

fn check_code(code: String) -> Result<SecretString> {
    let code = SecretString::from(code);
    two_factor_code::check(code.expose_secret())?;
    Ok(code)
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Once(..) => "Totp::Once",
            Self::Ask(_) => "Totp::Ask",
        })
    }
}
