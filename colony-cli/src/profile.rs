//! Profiles: what a login stores, so that later commands know the service and the account.
//!
//! A profile is a small file without secrets. It names the service, the app that logs in, and where the credential is
//! kept; the API key is in a separate file, or in the system's keyring if that was chosen, or another program prints
//! it. All of them are private files (0600 in 0700), written whole or not at all.

mod key_command;
#[cfg(feature = "keyring")]
mod keyring;
mod keys;
mod lock;
pub(crate) mod place;

use std::{fmt, path::PathBuf};

use clap::ValueEnum;
use colony_async::{
    credential::CredentialStore,
    private_files::{self, PrivateFiles},
};
use colony_core::{Error, ErrorKind};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{auth::Hosts, failure::Failure, policy::PolicySettings};

pub(crate) use key_command::KeyCommand;
pub(crate) use keys::KeyStore;
pub(crate) use lock::ProfileLock;

/// The default profile's name.
pub(crate) const DEFAULT: &str = "default";
/// The file that names the profile in use.
const CURRENT: &str = "current";
/// The version that is written, and the only one that is read.
const SCHEMA: u64 = 1;

/// The content of a profile's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    schema: u64,
    /// The API's base URL.
    pub(crate) base_url: String,
    /// The login at the OpenID provider, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) openid: Option<OpenIdLogin>,
    /// Where the API key is kept, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<Storage>,
    /// The program that prints the API key, and its arguments; takes precedence over a stored key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key_command: Option<Vec<String>>,
    /// `json`, or `table`, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    /// Limits on the commands with this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicySettings>,
    /// The hosts for which other tools get tokens.
    #[serde(default, skip_serializing_if = "Hosts::is_empty")]
    pub(crate) helpers: Hosts,
    /// Fields that a later version wrote; preserved on writing.
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// The app and the provider of a login. The tokens are in the credential store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenIdLogin {
    /// The provider.
    pub(crate) issuer: String,
    /// The app.
    pub(crate) client_id: String,
    /// The file with the app's secret, if it has one. Only the path is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Where its tokens are kept.
    #[serde(default)]
    pub(crate) storage: Storage,
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Storage {
    /// A private file
    #[default]
    File,
    /// The system's keyring
    Keyring,
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Keyring => "keyring",
        })
    }
}

/// Selects where a store keeps its tokens: the keyring leaves only a pointer in the file.
#[cfg(feature = "keyring")]
pub(crate) fn kept_in(storage: Storage, store: CredentialStore) -> Result<CredentialStore, Failure> {
    Ok(match storage {
        Storage::File => store,
        Storage::Keyring => {
            let vault = keyring::Tokens::new(store.file().parent().unwrap_or(std::path::Path::new("")));
            store.vault(vault)
        }
    })
}

/// Selects where a store keeps its tokens: this build supports files only.
#[cfg(not(feature = "keyring"))]
pub(crate) fn kept_in(storage: Storage, store: CredentialStore) -> Result<CredentialStore, Failure> {
    match storage {
        Storage::File => Ok(store),
        Storage::Keyring => Err(keys::without_keyring()),
    }
}

impl Profile {
    pub(crate) fn new(base_url: String) -> Self {
        let (openid, api_key, api_key_command, output, policy, helpers) = Default::default();
        Self {
            schema: SCHEMA,
            base_url,
            openid,
            api_key,
            api_key_command,
            output,
            policy,
            helpers,
            extra: Map::new(),
        }
    }

    /// Returns whether there is a login. It is used only at the profile's service.
    pub(crate) fn has_login(&self) -> bool {
        self.openid.is_some() || self.api_key.is_some() || self.api_key_command.is_some()
    }
}

/// The profiles of this user.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    files: PrivateFiles,
    root: PathBuf,
}

impl Profiles {
    /// Returns the profiles at the location that the environment names.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        let remedy = format!("set {} or HOME", place::DIRECTORY_VARIABLE);
        let (root, is_explicit) = place::from_environment()
            .ok_or_else(|| config(format!("the directory of profiles cannot be determined: {remedy}")))?;
        let root = private_files::directory(&root, is_explicit).map_err(|unusable| {
            config(format!("the directory of profiles cannot be used: {unusable}; {remedy}"))
        })?;
        Ok(Self { files: PrivateFiles::new(root.join("profiles")), root })
    }

    /// Returns private files of another kind beside the profiles.
    pub(crate) fn beside(&self, kind: &str) -> PrivateFiles {
        PrivateFiles::new(self.root.join(kind))
    }

    /// Returns the path of a profile's file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.path(&file_name(name))
    }

    /// Reads a profile; `None` if there is none of this name.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Profile>, Failure> {
        check_name(name)?;
        let Some(content) = self.files.read(&file_name(name))? else { return Ok(None) };
        let unreadable = |why: String| {
            let path = self.path(name);
            config(format!("the profile {} {why}; repair it, or remove it and log in again", path.display()))
        };
        let head: Value = serde_json::from_slice(content.expose_secret())
            .map_err(|error| unreadable(format!("is not JSON ({error})")))?;
        match head.get("schema").and_then(Value::as_u64) {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(unreadable(format!("has the schema {other}, which this version does not know")));
            }
            None => return Err(unreadable("says no schema".to_owned())),
        }
        serde_json::from_value(head)
            .map(Some)
            .map_err(|error| unreadable(format!("cannot be read ({error})")))
    }

    /// Returns whether a profile that may be unreadable seems to have a policy.
    pub(crate) fn may_have_policy(&self, name: &str) -> bool {
        let content = self.files.read(&file_name(name));
        content.is_ok_and(|content| {
            content
                .is_some_and(|content| content.expose_secret().windows(8).any(|word| word == b"\"policy\""))
        })
    }

    /// Waits until no other login or logout of this profile is running, and calls `told` once if that takes long. The
    /// profile does not change until the lock is dropped.
    pub(crate) async fn lock(&self, name: &str, told: impl FnOnce()) -> Result<ProfileLock, Failure> {
        check_name(name)?;
        self.files.make()?;
        ProfileLock::wait(&self.files.path(&format!(".{name}.lock")), name, told).await
    }

    /// Writes a profile and reads it back.
    pub(crate) fn write(&self, _: &ProfileLock, name: &str, profile: &Profile) -> Result<(), Failure> {
        check_name(name)?;
        let mut text = serde_json::to_vec_pretty(profile).map_err(std::io::Error::from)?;
        text.push(b'\n');
        self.files.write(&file_name(name), &text)?;
        if self.read(name)?.as_ref() == Some(profile) {
            return Ok(());
        }
        Err(Failure::Local(format!("{} does not hold what was written to it", self.path(name).display())))
    }

    /// Removes a profile. Returns whether it existed.
    pub(crate) fn remove(&self, _: &ProfileLock, name: &str) -> Result<bool, Failure> {
        check_name(name)?;
        Ok(self.files.remove(&file_name(name))?)
    }

    /// Returns the names of all profiles.
    pub(crate) fn names(&self) -> Result<Vec<String>, Failure> {
        let names = self.files.names()?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect())
    }

    /// Returns the profile that was chosen as the default, if it exists.
    pub(crate) fn current(&self) -> Option<String> {
        let content = PrivateFiles::new(&self.root).read(CURRENT).ok().flatten()?;
        let name = std::str::from_utf8(content.expose_secret()).ok()?.trim().to_owned();
        (check_name(&name).is_ok() && self.path(&name).is_file()).then_some(name)
    }

    /// Makes this profile the default.
    pub(crate) fn make_current(&self, name: &str) -> Result<(), Failure> {
        check_name(name)?;
        Ok(PrivateFiles::new(&self.root).write(CURRENT, format!("{name}\n").as_bytes())?)
    }

    /// Returns the program that prints the profile's key, if it has one.
    pub(crate) fn key_command(name: &str, profile: &Profile) -> Result<Option<KeyCommand>, Failure> {
        let command = profile.api_key_command.as_deref();
        Ok(command.map(|command| KeyCommand::new(name, command)).transpose()?)
    }

    /// Returns the store of a profile's API key.
    pub(crate) fn key(&self, name: &str, storage: Storage) -> Result<KeyStore, Failure> {
        check_name(name)?;
        KeyStore::new(&self.root, name, storage)
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.json")
}

/// Checks a profile's name, which is part of file names: no separators, no hidden files, no names that some systems
/// treat as equal.
fn check_name(name: &str) -> Result<(), Failure> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
    if first && rest && name.len() <= 64 && !name.ends_with('.') {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{name:?} is not a profile name: up to 64 lower-case letters, digits, `-`, `_` and `.`, the first a letter \
         or digit (--profile, COLONY_PROFILE)"
    )))
}

fn config(message: String) -> Failure {
    Error::build(ErrorKind::Config, message).finish().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(directory: &std::path::Path) -> Profiles {
        Profiles { files: PrivateFiles::new(directory.join("profiles")), root: directory.to_owned() }
    }

    #[tokio::test]
    async fn a_profile_is_read_as_it_was_written_and_keeps_what_it_does_not_know() {
        let directory = tempfile::tempdir().unwrap();
        let profiles = profiles(directory.path());
        assert_eq!(profiles.read("work").unwrap(), None);
        let mut profile = Profile::new("https://thecolony.ai/api/v1".to_owned());
        profile.api_key = Some(Storage::File);
        profile.extra.insert("later".to_owned(), 7.into());
        let lock = profiles.lock("work", || ()).await.unwrap();
        profiles.write(&lock, "work", &profile).unwrap();
        assert_eq!(profiles.read("work").unwrap(), Some(profile));
        assert_eq!(profiles.names().unwrap(), ["work"]);
        assert!(profiles.remove(&lock, "work").unwrap());
        assert!(!profiles.remove(&lock, "work").unwrap());
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_a_missing_profile() {
        let directory = tempfile::tempdir().unwrap();
        let profiles = profiles(directory.path());
        for (text, why) in [
            ("", "is not JSON"),
            ("{}", "says no schema"),
            (r#"{"schema": 2}"#, "has the schema 2"),
            (r#"{"schema": 1}"#, "base_url"),
        ] {
            profiles.files.write("default.json", text.as_bytes()).unwrap();
            let Err(Failure::Api(error)) = profiles.read("default") else { panic!("{text}") };
            assert!(error.message().contains(why), "{error}");
        }
    }

    #[test]
    fn names_are_fit_for_file_names() {
        for name in ["default", "a", "work-2", "my.bot_1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "Work", ".hidden", "-x", "a.", "ä", "a b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name(&"x".repeat(65)).is_err());
    }
}
