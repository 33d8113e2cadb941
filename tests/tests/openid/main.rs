//! Rotating credentials against `oidc-provider`, a third party's provider: it answers each use of a refresh token
//! with the next one, and revokes the family when a spent one is presented again.
//!
//! ```console
//! $ cargo test -p colony-tests --test openid -- --nocapture                       # short, a minute
//! $ COLONY_TESTS_LONG=1 cargo test -p colony-tests --test openid -- --nocapture   # the pass lines of the list
//! ```
//!
//! Each test with figures prints them: promise, tries, faults that landed, losses. The tests need Node 20 and npm.

#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

mod answers;
mod background;
mod cancels;
mod closed;
mod copies;
mod crashes;
mod disks;
mod downgrades;
mod exchanges;
mod late;
mod machine;
mod noticed;
mod processes;
mod unknown;

use std::{
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use colony_async::{
    credential::{Credential, CredentialId, CredentialStore, RotatingBuilder, RotatingCredential},
    time::Timer,
};
use colony_tests::provider::Provider;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A provider, and a directory for a store. One test runs at a time: some measure a crowd of processes, and two
/// crowds would starve each other.
struct Ground {
    provider: Provider,
    directory: TempDir,
    client: &'static str,
    _turn: MutexGuard<'static, ()>,
}

impl Ground {
    fn new(settings: &Value) -> Option<Self> {
        Self::of_client("colony_public", settings)
    }

    fn of_client(client: &'static str, settings: &Value) -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = in_memory();
        Some(Self { provider: Provider::start(settings)?, directory, client, _turn: turn })
    }

    fn id(&self) -> CredentialId {
        self.provider.id(self.client)
    }

    fn store(&self) -> CredentialStore {
        CredentialStore::in_directory(self.directory.path(), self.id())
    }

    fn rotating(&self) -> RotatingBuilder {
        RotatingCredential::builder(self.store())
    }

    /// Does the same as [`rotating`](Self::rotating), with this clock.
    fn over(&self, timer: impl Timer) -> RotatingBuilder {
        RotatingCredential::builder(self.store().timer(timer))
    }

    /// Logs in, as a person would, and stores the credential.
    async fn login(&self) -> Credential {
        let credential = self.provider.login(self.client, now());
        self.store().save(&credential).await.expect("a login is stored");
        credential
    }

    /// Does the same as [`login`](Self::login), with an expired access token.
    async fn login_long_ago(&self) -> Credential {
        let credential = self.provider.login(self.client, now() - 10_000.0);
        self.store().save(&credential).await.expect("a login is stored");
        credential
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.store().file()).expect("the file")
    }

    /// Reads the stored refresh token, as a person would.
    fn refresh_token(&self) -> String {
        let value: Value = serde_json::from_slice(&self.bytes()).expect("JSON");
        value["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    fn spending(&self) -> Value {
        serde_json::from_slice::<Value>(&self.bytes()).expect("JSON")["spending"].clone()
    }

    /// Asserts that no spent token was sent again, and that the stored one is valid.
    fn assert_family_alive(&self) {
        let stats = self.provider.stats();
        assert_eq!((&stats["replays"], &stats["invalid_grant"]), (&json!(0), &json!(0)), "{stats}");
        assert!(self.provider.is_good(&self.refresh_token()), "the stored refresh token is not good");
    }
}

/// Returns a directory in memory if the system has such a place: on a disk each write waits, and a test makes very
/// many. Without power cuts there is no other difference.
fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// Returns whether the full length was requested.
fn long() -> bool {
    std::env::var_os("COLONY_TESTS_LONG").is_some_and(|value| value != "0")
}

fn scale(short: u32, full: u32) -> u32 {
    if long() { full } else { short }
}

fn secret(credential: &Credential) -> String {
    credential.refresh_token.as_ref().expect("a refresh token").expose_secret().to_owned()
}
