//! The system's keyring as the place of a profile's API key: Keychain, Credential Manager, or the Secret
//! Service. Where there is none, or it is locked, the command fails and says so.

use std::path::Path;

use keyring::Error;
use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::Failure;

/// What the entries are filed under.
const SERVICE: &str = "colony-sdk";

/// One profile's entry. It is named after the file that would hold the key, so that profiles of different
/// directories do not meet.
pub(crate) struct Entry {
    name: String,
}

impl Entry {
    pub(super) fn new(root: &Path, profile: &str) -> Self {
        Self { name: root.join("keys").join(profile).display().to_string() }
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> String {
        format!("the system's keyring ({SERVICE}, {})", self.name)
    }

    pub(super) fn read(&self, staged: bool) -> Result<Option<SecretString>, Failure> {
        match self.open(staged)?.get_password() {
            Ok(key) => Ok(Some(key.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    pub(super) fn write(&self, key: &SecretString, staged: bool) -> Result<(), Failure> {
        self.open(staged)?.set_password(key.expose_secret()).map_err(|error| told(&error))
    }

    /// Removes the key, and says whether there was one.
    pub(super) fn remove(&self, staged: bool) -> Result<bool, Failure> {
        match self.open(staged)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(told(&error)),
        }
    }

    fn open(&self, staged: bool) -> Result<keyring::Entry, Failure> {
        if let Err(error) = keyring::Entry::store_status() {
            return Err(told(error));
        }
        let suffix = if staged { " (not confirmed)" } else { "" };
        keyring::Entry::new(SERVICE, &format!("{}{suffix}", self.name)).map_err(|error| told(&error))
    }
}

/// Only what the error says of itself: some of its forms carry the secret's bytes.
fn told(error: &Error) -> Failure {
    Failure::Local(format!(
        "the system's keyring cannot be used: {error}. Unlock it or start it; or keep the key in a file: \
         `colony auth login --storage file`. Nothing was kept elsewhere in its place"
    ))
}
