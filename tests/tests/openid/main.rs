//! Rotating credentials against `oidc-provider`, a provider nobody here wrote: it answers each use of a refresh
//! token with the next one, and revokes the family when a spent one comes again.
//!
//! ```console
//! $ cargo test -p colony-tests --test openid -- --nocapture                       # short, a minute
//! $ COLONY_TESTS_LONG=1 cargo test -p colony-tests --test openid -- --nocapture   # the pass lines of the list
//! ```
//!
//! Each test that has figures prints them: promise, tried, faults that landed, lost. Needs Node 20 and npm.

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

/// A provider, and a directory for a store. One test at a time: some measure a crowd of processes, and two
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

    /// As [`rotating`](Self::rotating), by this clock.
    fn over(&self, timer: impl Timer) -> RotatingBuilder {
        RotatingCredential::builder(self.store().timer(timer))
    }

    /// Logs in, as a person would, and stores what comes of it.
    async fn login(&self) -> Credential {
        let credential = self.provider.login(self.client, now());
        self.store().save(&credential).await.expect("a login is stored");
        credential
    }

    /// As [`login`](Self::login), with an access token that has ended.
    async fn login_long_ago(&self) -> Credential {
        let credential = self.provider.login(self.client, now() - 10_000.0);
        self.store().save(&credential).await.expect("a login is stored");
        credential
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.store().file()).expect("the file")
    }

    /// The stored refresh token, read as a person would.
    fn refresh_token(&self) -> String {
        let value: Value = serde_json::from_slice(&self.bytes()).expect("JSON");
        value["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    fn spending(&self) -> Value {
        serde_json::from_slice::<Value>(&self.bytes()).expect("JSON")["spending"].clone()
    }

    /// Nothing that was spent was sent again, and what is stored is good.
    fn assert_family_alive(&self) {
        let stats = self.provider.stats();
        assert_eq!((&stats["replays"], &stats["invalid_grant"]), (&json!(0), &json!(0)), "{stats}");
        assert!(self.provider.is_good(&self.refresh_token()), "the stored refresh token is not good");
    }
}

/// A directory in memory where the system has such a place: each write waits for the disk, and a test has very
/// many. No power is cut here, so nothing else is different.
fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// Whether the full length was asked for.
fn long() -> bool {
    std::env::var_os("COLONY_TESTS_LONG").is_some_and(|value| value != "0")
}

fn scale(short: u32, full: u32) -> u32 {
    if long() { full } else { short }
}

fn secret(credential: &Credential) -> String {
    credential.refresh_token.as_ref().expect("a refresh token").expose_secret().to_owned()
}
