//! What the benchmarks measure and programs have no use for. Not part of the public interface: it changes
//! without notice.

use std::path::PathBuf;

use colony_core::{Result, openid::audience::Need, token::freshness::Lifetime};
use secrecy::{ExposeSecret, SecretString};

use crate::{Http, session, token::CachedToken};

/// Looks for a fresh token in memory and lends it: its length.
pub fn look(http: &Http) -> Option<usize> {
    http.session().lend(Need::AccessToken, None, |token| token.secret.expose_secret().len())
}

/// Gets the token as every call does, which keeps it while the request is under way.
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
    /// The file `<directory>/<fingerprint>.json`.
    pub fn new(directory: PathBuf, fingerprint: String) -> Self {
        Self(session::TokenStore::new(directory, fingerprint))
    }

    /// Reads the token as the session does and gives its length; `None` for a miss.
    pub fn load(&self) -> Option<usize> {
        Some(self.0.read().ok()?.token.secret.expose_secret().len())
    }

    /// As [`load`](Self::load), with the reason of a miss in a word.
    ///
    /// # Errors
    ///
    /// A miss.
    pub fn load_or_why(&self) -> std::result::Result<usize, &'static str> {
        let record = self.0.read().map_err(|miss| miss.as_str())?;
        Ok(record.token.secret.expose_secret().len())
    }

    /// Writes a token as the session does.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn save(&self, token: &SecretString, expiry: f64) -> std::io::Result<()> {
        let lifetime = Lifetime::from_file(expiry, token.expose_secret());
        self.0.write(&CachedToken::new(token.clone(), lifetime))
    }
}
