//! The subject under fire: the login of a client, or a token that a program fetches itself ([`SharedToken`]).

use std::{io, path::Path, sync::Arc, time::Duration};

use colony_async::{Minted, SharedToken, TokenName};
use colony_core::{Error, ErrorKind, Result};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::plan::Plan;

/// The kind of token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A client's, from its login.
    #[default]
    Login,
    /// A program's, which fetches it with its own request.
    Shared,
}

/// Returns the name of a program's token for this key.
pub fn name(key: &str) -> TokenName {
    TokenName::new("under-fire").part("service", "scripted").secret(key)
}

/// Returns the file of a program's token.
///
/// # Errors
///
/// Those of [`SharedTokenBuilder::build`](colony_async::SharedTokenBuilder::build).
pub fn file(key: &str, directory: &Path) -> Result<std::path::PathBuf> {
    let none = || async { Err(Error::build(ErrorKind::Config, "nothing is fetched here").finish()) };
    let source = SharedToken::builder(name(key)).directory(directory).mint(none).build()?;
    source.status().file.ok_or_else(|| Error::build(ErrorKind::Config, "there is no file").finish())
}

/// The requests of a program without an SDK.
#[derive(Debug)]
pub struct Program {
    http: reqwest::Client,
    runtime: Runtime,
    base_url: String,
}

impl Program {
    /// Returns a program for this service.
    ///
    /// # Errors
    ///
    /// When no runtime can be created.
    pub fn new(plan: &Plan, base_url: String) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { http: http(plan), runtime, base_url })
    }

    /// Makes a call with a token, and with another one if that is refused. Returns the accepted token.
    ///
    /// # Errors
    ///
    /// The source's, and [`Auth`](ErrorKind::Auth) when the other one is refused too.
    pub fn call(
        &self,
        token: impl Fn(Option<&SecretString>) -> Result<SecretString>,
    ) -> Result<SecretString> {
        let first = token(None)?;
        if self.is_taken(&first)? {
            return Ok(first);
        }
        let other = token(Some(&first))?;
        if self.is_taken(&other)? {
            return Ok(other);
        }
        Err(Error::build(ErrorKind::Auth, "two tokens were refused").status(401).finish())
    }

    fn is_taken(&self, token: &SecretString) -> Result<bool> {
        let request = self.http.get(format!("{}/users/me", self.base_url)).bearer_auth(token.expose_secret());
        match self.runtime.block_on(async { request.send().await }).map_err(unreachable)?.status().as_u16() {
            200 => Ok(true),
            401 => Ok(false),
            status => Err(Error::build(ErrorKind::Api, "the call failed").status(status).finish()),
        }
    }
}

/// Returns the function that fetches a token and identifies its process.
pub fn fetch(
    plan: &Plan,
    base_url: &str,
    key: &str,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = Result<Minted>> + Send>> + Send + Sync + 'static {
    let (http, url) = (http(plan), format!("{base_url}/auth/token"));
    let body = serde_json::json!({"api_key": key}).to_string();
    let body: Arc<str> = body.into();
    move || {
        let request = http.post(&url).body(body.to_string());
        Box::pin(async move {
            let reply = request.send().await.map_err(unreachable)?;
            let status = reply.status().as_u16();
            let wait = reply.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse().ok());
            let text = reply.text().await.map_err(unreachable)?;
            let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            match (status, json["access_token"].as_str()) {
                (200, Some(token)) => Ok(Minted::new(token.to_owned())),
                (429, _) => {
                    let error = Error::build(ErrorKind::RateLimit, "too many fetches").status(429);
                    Err(error.retry_after(Duration::from_secs(wait.unwrap_or(60))).finish())
                }
                (status, _) => {
                    let kind = if status >= 500 { ErrorKind::Server } else { ErrorKind::Auth };
                    Err(Error::build(kind, "no token was given").status(status).finish())
                }
            }
        })
    }
}

/// Returns an HTTP client that keeps no connections, because each fetch runs on a runtime that ends with it.
fn http(plan: &Plan) -> reqwest::Client {
    colony_async::install_tls_provider();
    reqwest::Client::builder()
        .user_agent(std::process::id().to_string())
        .timeout(plan.timeout_ms.map_or(Duration::from_secs(30), Duration::from_millis))
        .pool_max_idle_per_host(0)
        .build()
        .expect("an HTTP client")
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::build(ErrorKind::Network, "no answer").source(error).finish()
}
