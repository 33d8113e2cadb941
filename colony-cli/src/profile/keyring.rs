//! The system's keyring as the store of a profile's API key or tokens: Keychain, Credential Manager, or the Secret
//! Service. If there is none, or it is locked, the command fails and reports that.

use std::{io, path::Path};

use colony_async::credential::{Keeping, Vault};
use keyring::Error;
use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::Failure;

/// The service name of the entries.
const SERVICE: &str = "colony-sdk";

/// One profile's entry. It is named after the file that would hold the key, so that profiles in different directories
/// do not collide.
#[derive(Clone)]
pub(crate) struct Entry {
    name: String,
}

impl Entry {
    pub(super) fn new(root: &Path, profile: &str) -> Self {
        Self { name: root.join("keys").join(profile).display().to_string() }
    }

    /// Returns its location, for people.
    pub(super) fn place(&self) -> String {
        format!("the system's keyring ({SERVICE}, {})", self.name)
    }

    /// Returns the entry for an unconfirmed key, which no other process uses.
    pub(super) fn staged(&self) -> Self {
        Self { name: format!("{} (not confirmed, {:016x})", self.name, fastrand::u64(..)) }
    }

    pub(super) fn read(&self) -> Result<Option<SecretString>, Failure> {
        match self.open()?.get_password() {
            Ok(key) => Ok(Some(key.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    pub(super) fn write(&self, key: &SecretString) -> Result<(), Failure> {
        self.open()?.set_password(key.expose_secret()).map_err(|error| told(&error))
    }

    /// Removes the key. Returns whether there was one.
    pub(super) fn remove(&self) -> Result<bool, Failure> {
        match self.open()?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(told(&error)),
        }
    }

    fn open(&self) -> Result<keyring::Entry, Failure> {
        open(&self.name).map_err(|error| told(&error))
    }
}

/// The keyring as the store of one credential directory's tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    directory: String,
}

impl Tokens {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.display().to_string() }
    }

    fn open(&self, name: &str) -> Result<keyring::Entry, Error> {
        open(&format!("{}/{name}", self.directory))
    }
}

impl Vault for Tokens {
    fn keeping(&self) -> Keeping {
        Keeping::Keyring
    }

    fn read(&self, name: &str) -> io::Result<Option<SecretString>> {
        match self.open(name).and_then(|entry| entry.get_password()) {
            Ok(document) => Ok(Some(document.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(io::Error::other(message(&error))),
        }
    }

    fn write(&self, name: &str, document: &SecretString) -> io::Result<()> {
        let written = self.open(name).and_then(|entry| entry.set_password(document.expose_secret()));
        written.map_err(|error| io::Error::other(message(&error)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match self.open(name).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(io::Error::other(message(&error))),
        }
    }
}

fn open(name: &str) -> Result<keyring::Entry, Error> {
    match keyring::Entry::store_status() {
        Ok(_) => keyring::Entry::new(SERVICE, name),
        Err(error) => Err(Error::NoStorageAccess(error.to_string().into())),
    }
}

fn told(error: &Error) -> Failure {
    Failure::Local(message(error))
}

/// Returns only the error's own message: some variants carry the secret's bytes.
fn message(error: &Error) -> String {
    format!(
        "the system's keyring cannot be used: {error}. Unlock it or start it; or keep the secret in a file: \
         `colony auth login --storage file`. Nothing was kept elsewhere in its place"
    )
}
