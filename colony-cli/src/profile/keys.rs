//! The store of a profile's API key: a private file, or the system's keyring if that was chosen. Neither falls back to
//! the other: a secret is where the user was told it is, or the command fails.

use std::{fmt, path::Path};

use colony_async::private_files::PrivateFiles;
use secrecy::{ExposeSecret as _, SecretString};

use super::Storage;
use crate::{failure::Failure, signals};

/// The store of one profile's key.
#[derive(Clone)]
pub(crate) enum KeyStore {
    File {
        files: PrivateFiles,
        name: String,
    },
    #[cfg(feature = "keyring")]
    Keyring(super::keyring::Entry),
}

/// A stored key with its location.
pub(crate) struct Kept {
    pub(crate) key: SecretString,
    pub(crate) place: String,
}

impl KeyStore {
    pub(super) fn new(root: &Path, profile: &str, storage: Storage) -> Result<Self, Failure> {
        match storage {
            Storage::File => {
                Ok(Self::File { files: PrivateFiles::new(root.join("keys")), name: format!("{profile}.key") })
            }
            #[cfg(feature = "keyring")]
            Storage::Keyring => Ok(Self::Keyring(super::keyring::Entry::new(root, profile))),
            #[cfg(not(feature = "keyring"))]
            Storage::Keyring => Err(without_keyring()),
        }
    }

    /// Returns its location, for people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::File { files, name } => files.path(name).display().to_string(),
            #[cfg(feature = "keyring")]
            Self::Keyring(entry) => entry.place(),
        }
    }

    /// Reads the key; `None` if none is stored.
    pub(crate) fn read(&self) -> Result<Option<Kept>, Failure> {
        Ok(self.get()?.map(|key| Kept { key, place: self.place() }))
    }

    /// Stores a key during its confirmation, beside the current one, and reads it back. It is removed when the result
    /// is dropped, and when a signal ends the program.
    pub(crate) fn stage(&self, key: &SecretString) -> Result<Staged, Failure> {
        let staged = self.staged();
        staged.write(key)?;
        let removed = staged.clone();
        let cleanup = signals::on_end(move || drop(removed.remove()));
        Ok(Staged { store: staged, _cleanup: cleanup })
    }

    /// Replaces the current key, and reads the new one back.
    pub(crate) fn write(&self, key: &SecretString) -> Result<(), Failure> {
        match self {
            Self::File { files, name } => {
                files.write(name, format!("{}\n", key.expose_secret()).as_bytes())?;
            }
            #[cfg(feature = "keyring")]
            Self::Keyring(entry) => entry.write(key)?,
        }
        if self.get()?.is_some_and(|back| back.expose_secret() == key.expose_secret()) {
            return Ok(());
        }
        Err(Failure::Local(format!("{} does not hold what was written to it", self.place())))
    }

    /// Removes the key. Returns whether there was one.
    pub(crate) fn remove(&self) -> Result<bool, Failure> {
        match self {
            Self::File { files, name } => Ok(files.remove(name)?),
            #[cfg(feature = "keyring")]
            Self::Keyring(entry) => entry.remove(),
        }
    }

    fn get(&self) -> Result<Option<SecretString>, Failure> {
        match self {
            Self::File { files, name } => read_file(files, name),
            #[cfg(feature = "keyring")]
            Self::Keyring(entry) => entry.read(),
        }
    }

    /// Returns the store for an unconfirmed key, which no other process uses. A later write removes what a killed
    /// process leaves there, like all temporary files.
    fn staged(&self) -> Self {
        match self {
            Self::File { files, name } => {
                Self::File { files: files.clone(), name: format!(".{name}.{:016x}.tmp", fastrand::u64(..)) }
            }
            #[cfg(feature = "keyring")]
            Self::Keyring(entry) => Self::Keyring(entry.staged()),
        }
    }
}

/// A key that is stored during its confirmation.
pub(crate) struct Staged {
    store: KeyStore,
    _cleanup: signals::Cleanup,
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = self.store.remove();
    }
}

#[cfg(not(feature = "keyring"))]
pub(super) fn without_keyring() -> Failure {
    Failure::usage(
        "this build cannot use the system's keyring: build it with `--features keyring`, or keep the secret in a \
         file (`--storage file`)",
    )
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

fn read_file(files: &PrivateFiles, name: &str) -> Result<Option<SecretString>, Failure> {
    let Some(content) = files.read(name)? else { return Ok(None) };
    let text = std::str::from_utf8(content.expose_secret()).map(str::trim).unwrap_or_default();
    if text.is_empty() || text.contains(char::is_whitespace) {
        let path = files.path(name);
        return Err(Failure::Local(format!("{} holds no API key; log in again", path.display())));
    }
    Ok(Some(text.to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_key_disturbs_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = KeyStore::new(directory.path(), "default", Storage::File).unwrap();
        let shown = || store.read().unwrap().map(|kept| kept.key.expose_secret().to_owned());
        assert_eq!(shown(), None);
        store.write(&"col_one".into()).unwrap();
        let staged = store.stage(&"col_two".into()).unwrap();
        let other = store.stage(&"col_three".into()).unwrap();
        assert_eq!(shown().as_deref(), Some("col_one"));
        let kept = || std::fs::read_dir(directory.path().join("keys")).unwrap().count();
        assert_eq!(kept(), 3, "each by itself");
        drop((staged, other));
        store.write(&"col_two".into()).unwrap();
        assert_eq!(shown().as_deref(), Some("col_two"));
        assert_eq!(kept(), 1, "nothing staged is left");
        assert!(store.remove().unwrap() && !store.remove().unwrap());
        assert!(format!("{store:?}").ends_with("default.key"));
    }

    #[test]
    fn a_file_without_a_key_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let store = KeyStore::new(directory.path(), "default", Storage::File).unwrap();
        let files = PrivateFiles::new(directory.path().join("keys"));
        for text in [&b""[..], b"two words", b"\xff"] {
            files.write("default.key", text).unwrap();
            assert!(store.read().is_err());
        }
    }
}
