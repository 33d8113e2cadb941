//! A service that is a function: it issues tokens, knows which are valid, and can refuse. It serves clients without a
//! socket ([`Script::served_by`]), of which tests create thousands.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use colony_async::testing::Script;
use colony_core::{Reply, Request, Result};
use reqwest::{StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

/// The service; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Played(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    logins: u64,
    calls: u64,
    rejected: u64,
    good: HashSet<String>,
    /// The status of logins, if they get no token.
    refusal: Option<u16>,
}

/// How long a token lives: a day, in seconds.
pub const LIFETIME: f64 = 86_400.0;

impl Played {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a script that connects a client to this service. `now` is in Unix seconds.
    pub fn script(&self, now: impl Fn() -> f64 + Send + Sync + 'static) -> Script {
        let service = self.clone();
        Script::new().served_by(move |request, token| service.answer(request, token, now()))
    }

    /// Answers one request.
    ///
    /// # Errors
    ///
    /// Never; the signature is that of a transport.
    pub fn answer(&self, request: &Request, token: Option<&SecretString>, now: f64) -> Result<Reply> {
        if request.template() == "/auth/token" { Ok(self.log_in(now)) } else { Ok(self.call(token)) }
    }

    fn log_in(&self, now: f64) -> Reply {
        let mut state = self.state();
        state.logins += 1;
        if let Some(status) = state.refusal {
            return reply(status, &json!({"detail": {"code": "REFUSED", "message": "as told"}}));
        }
        let token = issue(now, LIFETIME, state.logins);
        state.good.insert(token.clone());
        reply(200, &json!({"access_token": token, "token_type": "bearer"}))
    }

    fn call(&self, token: Option<&SecretString>) -> Reply {
        let mut state = self.state();
        state.calls += 1;
        let good = token.is_some_and(|token| state.good.contains(token.expose_secret()));
        if good {
            return reply(200, &json!({"id": "u", "username": "ada"}));
        }
        state.rejected += 1;
        reply(401, &json!({"detail": {"code": "AUTH_INVALID_TOKEN", "message": "no good"}}))
    }

    /// Returns how many logins arrived.
    pub fn logins(&self) -> u64 {
        self.state().logins
    }

    /// Returns how many other calls arrived, and how many of them with an invalid token.
    pub fn calls(&self) -> (u64, u64) {
        let state = self.state();
        (state.calls, state.rejected)
    }

    /// Returns whether it accepts this token.
    pub fn knows(&self, token: &str) -> bool {
        self.state().good.contains(token)
    }

    /// Makes every token issued so far answer 401.
    pub fn revoke(&self) {
        self.state().good.clear();
    }

    /// Refuses all further logins with this status, or none.
    pub fn refuse(&self, status: Option<u16>) {
        self.state().refusal = status;
    }

    /// Issues a valid token without a login.
    pub fn issue(&self, now: f64, lifetime: f64) -> String {
        let mut state = self.state();
        let token = issue(now, lifetime, 1_000_000 + state.good.len() as u64);
        state.good.insert(token.clone());
        token
    }
}

/// Returns a token in the form of a JWT. Its signature is never checked.
fn issue(now: f64, lifetime: f64, number: u64) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"sub": "ada", "iat": now, "exp": now + lifetime, "jti": number});
    format!("{}.{}.signature", part(&json!({"alg": "HS256"})), part(&claims))
}

fn reply(status: u16, body: &Value) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().expect("a value"));
    Reply::new(StatusCode::from_u16(status).expect("a status"), headers, Bytes::from(body.to_string()))
}
