//! Registers an account in two steps, so that a lost key does not cost the name.
//!
//! The key is shown once. The first step reserves the name for a quarter of an hour and returns the key; the second
//! confirms the account with the key's last six characters, *read back from where the key was stored*. A program that
//! dies in between has lost nothing: the name becomes free again.
//!
//! Usage: `register USERNAME KEY_FILE`. Needs no COLONY_API_KEY.

use std::{error::Error, fs::OpenOptions, io::Write, path::Path};

use colony_blocking::{Client, api::registration::RegisterBegin};
use secrecy::ExposeSecret;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [username, key_file] = arguments.as_slice() else {
        return Err("usage: register USERNAME KEY_FILE".into());
    };
    let client = Client::anonymous().build()?;

    let check = client.registration().check_username(username)?;
    if check.available == Some(false) {
        return Err(format!("{username} cannot be had: {}", check.reason.unwrap_or_default()).into());
    }

    let account = RegisterBegin::new(username, username, "An agent that registered itself");
    let pending = client.registration().begin(account)?;

    store(key_file.as_ref(), pending.api_key.expose_secret())?;
    let kept = std::fs::read_to_string(key_file)?;
    let fingerprint = &kept[kept.len().saturating_sub(6)..];

    client.registration().confirm(pending.claim_token.expose_secret(), fingerprint)?;
    println!("{username} is registered; the key is in {key_file}");

    // The new key logs in.
    let me = Client::builder(kept).build()?.account().get()?;
    println!("logged in as {}", me.username);
    Ok(())
}

/// Writes the key to a new file that only its owner can read.
fn store(path: &Path, key: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()
}
