//! What the benchmarks measure and programs have no use for. Not part of the public interface: it changes
//! without notice.

use std::path::PathBuf;

use colony_core::{Result, token::envelope::Envelope};
use secrecy::{ExposeSecret, SecretString};

use crate::{Http, session};

/// Looks the token up as every call does.
///
/// # Errors
///
/// As a call that needs a token.
pub async fn lookup(http: &Http) -> Result<()> {
    http.lookup().await
}

/// The token file of one key.
#[derive(Debug)]
pub struct TokenFile(session::Store);

impl TokenFile {
    /// The file `<directory>/<fingerprint>.json`.
    pub fn new(directory: PathBuf, fingerprint: String) -> Self {
        Self(session::Store::new(directory, fingerprint))
    }

    /// Reads the token as the session does and gives its length; `None` for a miss.
    pub fn load(&self) -> Option<usize> {
        Some(self.0.read().ok()?.envelope.token.expose_secret().len())
    }

    /// Writes a token as the session does.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn save(&self, token: &SecretString, expiry: f64) -> std::io::Result<()> {
        self.0.write(&Envelope { token: token.clone(), expiry })
    }
}
