//! The login itself: one exchange of the key for a token.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use colony_core::{
    Error, ErrorKind, Reply, Request, Result,
    retry::RetryPolicy,
    token::{
        LOGIN, cache_path,
        cooldown::{Limits, Note, NoteKind},
        freshness::Lifetime,
    },
    two_factor_code,
};
use futures_util::future::BoxFuture;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Attempt, Mint};
use crate::{
    body,
    callback::Owner,
    repeat::Repeat,
    sender::Sender,
    time::{Stopwatch, unix},
    token::{CachedToken, Format},
};

/// The source of two-factor codes.
#[derive(Clone)]
pub(crate) enum Totp {
    /// A code that can be used for one request.
    Once(SecretString, Arc<AtomicBool>),
    /// A callback for each request.
    Ask(Arc<dyn Fn() -> String + Send + Sync>),
}

/// Logs in.
pub(crate) struct Login {
    pub(crate) sender: Sender,
    pub(crate) retry: RetryPolicy,
    /// The time limit of a login, including all its tries.
    pub(crate) deadline: Duration,
    pub(crate) totp: Option<Totp>,
    pub(crate) owner: Owner,
}

impl Mint for Login {
    fn mint<'a>(&'a self, key: &'a SecretString, attempt: Attempt<'a>) -> BoxFuture<'a, Result<CachedToken>> {
        Box::pin(async move {
            let token = within(self.deadline, self.run(key, attempt)).await?;
            let lifetime = Lifetime::at_login(token.expose_secret(), unix(attempt.timer));
            Ok(CachedToken::new(token, lifetime).just_minted())
        })
    }

    fn file(&self, base_url: &str, key: &SecretString) -> (String, Format) {
        (cache_path::fingerprint(base_url, key.expose_secret()), Format::Login)
    }

    fn one_try(&self) -> Duration {
        self.sender.timeout
    }

    fn note(&self, error: &Error, now: f64) -> Option<Note> {
        match error.status() {
            Some(429) => Some(Note::cool_down(now, error.retry_after(), 429, error.code(), error.message())),
            Some(status @ (401 | 403)) if !error.is_page() => {
                Some(Note::refused(now, status, error.code(), error.message()))
            }
            status if status.is_some() || error.is_network() => {
                Some(Note::failed(now, status, self.limits(), error.code(), error.message()))
            }
            // The login failed here, before anything was sent.
            _ => None,
        }
    }

    fn noted(&self, note: &Note, now: f64) -> Error {
        note.to_error(now)
    }

    /// Returns whether this login could succeed: the other program lacked a two-factor code or had a wrong one, and
    /// this one has its own; or the other got no reply, and this one has other connection settings or a longer limit.
    fn differs(&self, note: &Note) -> bool {
        match &note.kind {
            NoteKind::NoAnswer(limits) => !self.limits().are_met_by(limits),
            _ => note.is_two_factor() && self.totp.is_some(),
        }
    }

    fn limits(&self) -> Limits {
        let millis = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Limits {
            connection: self.sender.http.fingerprint().to_owned(),
            timeout_ms: millis(self.sender.timeout),
            login_deadline_ms: millis(self.deadline),
        }
    }
}

impl Login {
    /// Exchanges the key for a token.
    async fn run(&self, key: &SecretString, attempt: Attempt<'_>) -> Result<SecretString> {
        let retry = attempt.patience.of(&self.retry);
        let (mut tries, mut watch) =
            (Repeat::of_login(&retry, attempt.timer, attempt.tried), Stopwatch::start(attempt.timer));
        loop {
            if self.totp.is_some() {
                // A person may be asked for the code.
                attempt.announce(self.deadline);
            }
            let request = self.request(key)?;
            attempt.announce_request(self.sender.timeout);
            let sent = watch.elapsed();
            let outcome = self.sender.once_bounded(&request, body::LOGIN_LIMIT).await;
            attempt.announce((sent + self.sender.timeout).saturating_sub(watch.elapsed()));
            match tries.pause(&outcome) {
                Some(pause) if self.may_try_again(watch.elapsed() + pause.time) => {
                    attempt.announce(pause.time + self.sender.timeout);
                    let error = outcome.map_or_else(|error| error, |reply| reply.into_error(&request));
                    tries.tell(&pause, error);
                    watch.sleep(pause.time).await;
                }
                _ => {
                    let reply = outcome?;
                    return if reply.is_success() {
                        read_token(&reply).map_err(|error| error.about(&request))
                    } else {
                        Err(reply.into_error(&request))
                    };
                }
            }
        }
    }
}

impl Login {
    /// Returns whether there is a code for another request, and time.
    fn may_try_again(&self, at: Duration) -> bool {
        at < self.deadline && !self.totp.as_ref().is_some_and(Totp::is_spent)
    }

    /// Returns the request, with its own two-factor code.
    fn request(&self, key: &SecretString) -> Result<Request> {
        let request = Request::new(LOGIN, Method::POST, "/auth/token")
            .json("api_key", key.expose_secret())
            .anonymous()
            .secret();
        match &self.totp {
            Some(totp) => Ok(request.json("totp_code", self.owner.call(|| totp.code())?.expose_secret())),
            None => Ok(request),
        }
    }
}

/// Ends work that takes longer than the deadline of a login. Does not use the client's timer, on which pauses can
/// take no time in tests.
pub(crate) async fn within<T>(deadline: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| {
        let message = format!("the login did not end within {} s (`login_deadline`)", deadline.as_secs_f64());
        Err(Error::build(ErrorKind::Network, message)
            .operation(LOGIN)
            .hint("Try again later, or allow more time with `login_deadline`")
            .finish())
    })
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
        Self::Once(code, Arc::default())
    }

    /// Returns whether there is no further code.
    fn is_spent(&self) -> bool {
        matches!(self, Self::Once(_, used) if used.load(Ordering::Relaxed))
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
    // Authenticators display a code in two groups.
    let code: String = SecretString::from(code).expose_secret().split_whitespace().collect();
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
