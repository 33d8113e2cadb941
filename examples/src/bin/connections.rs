//! A client behind a proxy, with its own limits, retries and hooks, whose events go to a log.
//!
//! Reads the proxy from `HTTPS_PROXY`; the network's own certificate authority comes from `SSL_CERT_FILE`.

use std::time::Duration;

use colony_async::{RetryPolicy, prelude::*};

#[tokio::main]
async fn main() -> Result<()> {
    // The library reports retries, waits and trouble with the token file as events; a subscriber shows them.
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::DEBUG).init();

    let settings = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default())
        .timeout(Duration::from_secs(20))
        .connect_timeout(Duration::from_secs(5))
        .retry(RetryPolicy::default().max_retries(4).base_delay(Duration::from_millis(500)))
        .on_request(|request| eprintln!("> {} {}", request.method, request.url))
        .on_response(|reply| eprintln!("< {} {}", reply.status, reply.url));
    // Settings can be used more than once.
    let client = match std::env::var("HTTPS_PROXY") {
        Ok(proxy) => settings.clone().proxy(proxy).build()?,
        Err(_) => settings.build()?,
    };

    let me = client.execute_answered(api::account::GetMe::default()).await?;
    println!("{} (request {:?})", me.value.username, me.request_id());
    println!("{:?} requests left", me.rate_limit().remaining);
    Ok(())
}
