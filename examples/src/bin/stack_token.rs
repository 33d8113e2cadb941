//! A command line for a service that is not The Colony, with one token per organization and stack.
//!
//! A person's membership token is exchanged for a token of one stack (grant `jwt-bearer`, RFC 7523). However many
//! commands start at once, only one of them calls the token endpoint. While the token is fresh, none sends a request
//! for it: discovery is a part of the exchange.
//!
//! Usage: `stack_token ORGANISATION STACK`. Reads `STACKS_URL` and `STACKS_MEMBERSHIP_TOKEN`.

use std::time::Duration;

use colony_async::{Error, ErrorKind, Minted, Result, SharedToken, StatusCode, TokenName};
use colony_core::credential::check_endpoints;
use reqwest::{RequestBuilder, Response, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded::Serializer;

#[derive(Clone)]
struct Service {
    http: reqwest::Client,
    url: String,
    membership: SecretString,
}

#[derive(Deserialize)]
struct Discovery {
    token_endpoint: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: u64,
}

impl Service {
    /// Returns the token source of one stack. Everything that determines which token is right is a part of its name.
    fn stack_token(&self, org: &str, stack: &str) -> Result<SharedToken> {
        let name = TokenName::new("stacks")
            .part("url", &self.url)
            .part("org", org)
            .part("stack", stack)
            .secret(self.membership.expose_secret());
        let (service, scope) = (self.clone(), format!("org:{org} stack:{stack}"));
        SharedToken::builder(name)
            .ttl(Duration::from_secs(300))
            .mint(move || {
                let (service, scope) = (service.clone(), scope.clone());
                async move { service.exchange(&scope).await }
            })
            .build()
    }

    /// Fetches a token. This and the discovery happen only when a token is due.
    async fn exchange(&self, scope: &str) -> Result<Minted> {
        let url = format!("{}/.well-known/oauth-authorization-server", self.url);
        let Discovery { token_endpoint } = json(self.http.get(url)).await?;
        // The membership token is sent only to the service's own host.
        check_endpoints(&self.url, &token_endpoint)?;
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", self.membership.expose_secret())
            .append_pair("scope", scope)
            .finish();
        let request = self.http.post(token_endpoint).body(form);
        let granted: Granted =
            json(request.header("content-type", "application/x-www-form-urlencoded")).await?;
        Ok(Minted::new(granted.access_token).expires_in(Duration::from_secs(granted.expires_in)))
    }

    async fn list(&self, org: &str, stack: &str, token: &SecretString) -> Result<Response> {
        let query =
            Serializer::new(String::new()).append_pair("org", org).append_pair("stack", stack).finish();
        let request = self.http.get(format!("{}/services?{query}", self.url));
        request.bearer_auth(token.expose_secret()).send().await.map_err(unreachable)
    }
}

/// Sends a request and reads its reply. A refusal keeps its status: a 429 makes every command wait. No error contains
/// the reply, which may contain a token.
async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status().as_u16();
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.bytes().await.map_err(unreachable)?;
    if status != 200 {
        let wait = seconds.map(Duration::from_secs);
        return Err(Error::from_oauth_reply("stack_token", status, &body)
            .retry_after(wait)
            .without_body()
            .finish());
    }
    serde_json::from_slice(&body)
        .map_err(|_| Error::build(ErrorKind::Decode, "the answer lacks what it must have").finish())
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::build(ErrorKind::Network, "the service did not answer").source(error.without_url()).finish()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [org, stack] = arguments.as_slice() else {
        return Err("usage: stack_token ORGANISATION STACK".into());
    };
    colony_async::install_tls_provider();
    // No connection is kept: a token is fetched on a runtime that ends with the fetch.
    let http = reqwest::Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0);
    let service = Service {
        http: http.timeout(Duration::from_secs(30)).build()?,
        url: std::env::var("STACKS_URL")?,
        membership: std::env::var("STACKS_MEMBERSHIP_TOKEN")?.into(),
    };

    let source = service.stack_token(org, stack)?;
    let token = source.token().await?;
    let mut answer = service.list(org, stack, &token).await?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        // Revoked: one command fetches another token, and all others use it.
        answer = service.list(org, stack, &source.token_other_than(&token).await?).await?;
    }
    println!("{org}/{stack}: {}", answer.error_for_status()?.text().await?);
    Ok(())
}
