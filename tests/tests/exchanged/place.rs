//! The surroundings of the tests: a scripted site, its clock, a private directory.

use std::time::SystemTime;

use colony_async::{Client, RetryPolicy};
use colony_core::openid::AudienceToken;
use colony_tests::{clock::Clock, site::Site};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

pub(crate) const KEY: &str = "col_planted_key_0123456789";
pub(crate) const APP: &str = "colony_app";

pub(crate) struct Place {
    pub(crate) site: Site,
    pub(crate) clock: Clock,
    pub(crate) directory: TempDir,
    real: bool,
}

impl Place {
    /// Returns a place with a clock that stands still.
    pub(crate) fn standing() -> Self {
        Self::with(Clock::standing())
    }

    /// Returns a place with a clock on which every sleep ends at once.
    pub(crate) fn flowing() -> Self {
        Self::with(Clock::flowing())
    }

    fn with(clock: Clock) -> Self {
        let seen = clock.clone();
        let site = Site::start(move || seen.unix()).expect("a site");
        Self { site, clock, directory: directory(), real: false }
    }

    /// Returns a place with the system's clock, for clients that wait for each other: on a clock on which sleeping
    /// takes no time, a wait for a lock would reach its limit at once.
    pub(crate) fn real() -> Self {
        let site = Site::start(real_time).expect("a site");
        Self { site, clock: Clock::standing(), directory: directory(), real: true }
    }

    /// Returns a builder of clients on this clock that try everything once.
    pub(crate) fn builder(&self) -> colony_async::Builder {
        let builder = Client::builder(KEY)
            .base_url(self.site.base_url())
            .token_cache_dir(self.directory.path())
            .auth_retry(RetryPolicy::none());
        if self.real { builder } else { builder.timer(self.clock.clone()) }
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().expect("a client")
    }

    /// Returns the names in the directory with this ending.
    pub(crate) fn files(&self, ending: &str) -> Vec<String> {
        let names = std::fs::read_dir(self.directory.path()).expect("a directory");
        let names = names.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        names.filter(|name| name.ends_with(ending)).collect()
    }

    /// Returns the file of the only exchanged token.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        let mut files = self.files(".json");
        files.retain(|name| name.starts_with("exchange-"));
        assert_eq!(files.len(), 1, "{files:?}");
        self.directory.path().join(&files[0])
    }
}

/// Returns the system's time in Unix seconds.
pub(crate) fn real_time() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

pub(crate) fn directory() -> TempDir {
    tempfile::Builder::new().prefix("colony-").tempdir().expect("a directory")
}

pub(crate) async fn exchange(client: &Client) -> colony_async::Result<AudienceToken> {
    client.auth().audience(APP).scope("openid profile").token().await
}

pub(crate) async fn access(client: &Client) -> colony_async::Result<String> {
    let token = client.auth().audience(APP).scope("openid profile").access_token().await?;
    Ok(token.expose_secret().to_owned())
}

pub(crate) async fn identity(client: &Client) -> colony_async::Result<String> {
    let token = client.auth().audience(APP).scope("openid profile").id_token().await?;
    Ok(token.expose_secret().to_owned())
}
