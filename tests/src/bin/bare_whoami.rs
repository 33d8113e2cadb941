//! The program that the benchmarks compare with `colony whoami`: only reqwest and serde_json.
//!
//! It reads COLONY_BASE_URL and COLONY_TOKEN. With `--no-certificates` it does not load the system's root
//! certificates, which takes longer than all the rest and which plain HTTP does not need.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::{env, error::Error, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    colony_async::install_tls_provider();
    let mut builder = reqwest::Client::builder().timeout(Duration::from_secs(30));
    if env::args().any(|argument| argument == "--no-certificates") {
        builder = builder.tls_certs_only([]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let url = format!("{}/users/me", env::var("COLONY_BASE_URL")?);
        let request = builder.build()?.get(url).bearer_auth(env::var("COLONY_TOKEN")?);
        let body = request.send().await?.error_for_status()?.bytes().await?;
        let me: serde_json::Value = serde_json::from_slice(&body)?;
        println!("{}", me["username"].as_str().unwrap_or_default());
        Ok(())
    })
}
