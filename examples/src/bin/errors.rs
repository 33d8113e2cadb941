//! Receiving errors: branch on the kind, wait as long as the server requests, and print the rest unchanged.
//!
//! Passing trouble (429, 502, 503, 504) has been retried before you see it, and a rejected token has been replaced.
//! So each error that arrives needs a decision.

use std::time::Duration;

use colony_async::{Client, Error, ErrorKind, Result, api::posts::CreatePost};

#[tokio::main]
async fn main() -> Result<()> {
    let client = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default()).build()?;

    // A post that does not exist.
    if let Err(error) = client.posts().get("00000000-0000-4000-8000-000000000000").await {
        println!("get: {}", decide(&error));
    }

    // An argument that is refused before anything is sent.
    if let Err(error) = client.posts().create(CreatePost::new("", "no title")).await {
        println!("create: {}", decide(&error));
    }

    // A call that can be rate limited: the client has already waited up to `max_retry_after` (a minute).
    match client.notifications().count().await {
        Ok(count) => println!("count: {} unread", count.unread_count.unwrap_or(0)),
        Err(error) => println!("count: {}", decide(&error)),
    }

    // A server that does not exist.
    let nowhere = Client::anonymous().base_url("http://127.0.0.1:9/api/v1").build()?;
    if let Err(error) = nowhere.registration().check_username("somebody").await {
        println!("check: {}", decide(&error));
    }
    Ok(())
}

/// Returns what a program might do about an error.
fn decide(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("gone ({}); forget it", error.code().unwrap_or("no code")),
        ErrorKind::InvalidArgument => format!("a mistake in this program: {error}"),
        ErrorKind::RateLimit => {
            let wait = error.retry_after().unwrap_or(Duration::from_secs(60));
            format!("too often; come back in {} s", wait.as_secs())
        }
        ErrorKind::TwoFactorRequired | ErrorKind::TwoFactorInvalid => "ask a person for a code".to_owned(),
        ErrorKind::Auth => format!("not allowed: {}", error.message()),
        // The server may have acted on the request: repeat it only with an idempotency key.
        ErrorKind::Network => format!("no answer; later. {}", error.hint().unwrap_or_default()),
        ErrorKind::Server => "the server's trouble; later".to_owned(),
        // Kinds can be added, so there is always a last arm.
        _ => format!("unexpected: {error}, request {}", error.request_id().unwrap_or("unknown")),
    }
}
