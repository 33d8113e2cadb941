//! Functions for the benchmarks that programs do not need. Not part of the public interface: they change without
//! notice.

use std::path::PathBuf;

use colony_core::{Result, openid::audience::Need, token::freshness::Lifetime};
use secrecy::{ExposeSecret, SecretString};

use crate::{Http, session, token::CachedToken};

/// Returns the length of a fresh token in memory, without copying the token.
pub fn look(http: &Http) -> Option<usize> {
    http.session().lend(Need::AccessToken, None, |token| token.secret.expose_secret().len())
}

/// Gets the token as every call does, which keeps it for the duration of the request.
///
/// # Errors
///
/// As a call that needs a token.
pub async fn token(http: &Http) -> Result<()> {
    http.session().token(None).await.map(drop)
}

/// The token file of one key.
#[derive(Debug)]
pub struct TokenFile(session::TokenStore);

impl TokenFile {
    /// Creates a handle to the file `<directory>/<fingerprint>.json`.
    pub fn new(directory: PathBuf, fingerprint: String) -> Self {
        Self(session::TokenStore::new(directory, fingerprint))
    }

    /// Reads the token as the session does and returns its length; `None` for a miss.
    pub fn load(&self) -> Option<usize> {
        Some(self.0.read().ok()?.token.secret.expose_secret().len())
    }

    /// As [`load`](Self::load), with a short reason for a miss.
    ///
    /// # Errors
    ///
    /// The reason for a miss.
    pub fn load_or_why(&self) -> std::result::Result<usize, &'static str> {
        let record = self.0.read().map_err(|miss| miss.as_str())?;
        Ok(record.token.secret.expose_secret().len())
    }

    /// Writes a token as the session does.
    ///
    /// # Errors
    ///
    /// The file system's error.
    pub fn save(&self, token: &SecretString, expiry: f64) -> std::io::Result<()> {
        let lifetime = Lifetime::from_file(expiry, token.expose_secret());
        self.0.write(&CachedToken::new(token.clone(), lifetime))
    }
}
