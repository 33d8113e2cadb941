//! A long-running client of a service that is not The Colony: `POST /auth/token` takes a key in the header
//! `X-API-Key` and returns `{"jwt": "…"}`.
//!
//! Each line on stdin names reports. They are fetched at once, one task each, and all tasks share one token, with
//! each other and with every other process of this user. A token that lives for ten minutes or more is used until 60
//! s before its expiry, and renewed in the background before that.
//!
//! Reads `REPORTS_URL` and `REPORTS_API_KEY`, and optionally an initial token from `REPORTS_JWT`.

use std::{sync::Arc, time::Duration};

use colony_async::{Error, ErrorKind, Minted, Result, SharedToken, StatusCode, TokenName};
use reqwest::{Response, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    jwt: SecretString,
}

/// Fetches a token. Its expiry is read from the JWT. No error contains the reply, which may contain a token.
async fn fetch(http: reqwest::Client, url: String, key: SecretString) -> Result<Minted> {
    let request = http.post(format!("{url}/auth/token")).header("x-api-key", key.expose_secret());
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status().as_u16();
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.bytes().await.map_err(unreachable)?;
    if status != 200 {
        let wait = seconds.map(Duration::from_secs);
        return Err(Error::from_api_reply("reports_token", status, &body, wait).without_body().finish());
    }
    let Answer { jwt } = serde_json::from_slice(&body)
        .map_err(|_| Error::build(ErrorKind::Decode, "the answer has no `jwt`").finish())?;
    Ok(Minted::new(jwt))
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::build(ErrorKind::Network, "the service did not answer").source(error.without_url()).finish()
}

struct Reports {
    http: reqwest::Client,
    url: String,
    token: SharedToken,
}

impl Reports {
    fn new(url: String, key: SecretString, in_hand: Option<String>) -> Result<Self> {
        colony_async::install_tls_provider();
        // No connection is kept: a token is fetched on a runtime that ends with the fetch.
        let http = reqwest::Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0);
        let http = http.timeout(Duration::from_secs(30)).build().map_err(unreachable)?;
        let name = TokenName::new("reports").part("url", &url).secret(key.expose_secret());
        let mut source = SharedToken::builder(name).refresh_ahead(true);
        if let Some(jwt) = in_hand {
            source = source.seed(Minted::new(jwt));
        }
        let (client, address) = (http.clone(), url.clone());
        let token = source.mint(move || fetch(client.clone(), address.clone(), key.clone())).build()?;
        Ok(Self { http, url, token })
    }

    async fn report(&self, name: &str) -> Result<String> {
        let token = self.token.token().await?;
        let mut response = self.get(name, &token).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            response = self.get(name, &self.token.token_other_than(&token).await?).await?;
        }
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(Error::from_api_reply("report", status.as_u16(), &body, None).finish());
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    async fn get(&self, name: &str, token: &SecretString) -> Result<Response> {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let request = self.http.get(format!("{}/reports?name={name}", self.url));
        request.bearer_auth(token.expose_secret()).send().await.map_err(unreachable)
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let key = std::env::var("REPORTS_API_KEY")?.into();
    let reports =
        Arc::new(Reports::new(std::env::var("REPORTS_URL")?, key, std::env::var("REPORTS_JWT").ok())?);
    for line in std::io::stdin().lines() {
        let fetching: Vec<_> = line?
            .split_whitespace()
            .map(|name| {
                let (reports, name) = (Arc::clone(&reports), name.to_owned());
                tokio::spawn(async move { (reports.report(&name).await, name) })
            })
            .collect();
        for task in fetching {
            // A failure affects one report; the program continues.
            match task.await? {
                (Ok(report), name) => println!("{name}: {report}"),
                (Err(error), name) => println!("{name}: not now: {error}"),
            }
        }
    }
    Ok(())
}
