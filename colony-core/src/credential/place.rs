//! Where credentials are kept: pure functions of the platform, the environment and the home directory.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::CredentialId;
pub use crate::token::cache_path::Platform;
use crate::{canonical::sha256_hex, token::directories::Lasting};

/// Names the directory itself, before every rule of the platform.
pub const DIRECTORY_VARIABLE: &str = "COLONY_SDK_CREDENTIALS_DIR";

/// The directory of the credential files, the first of these that applies. `None` when none does.
///
/// | Platform | Directory |
/// |---|---|
/// | all | `$COLONY_SDK_CREDENTIALS_DIR`, taken literally |
/// | Windows | `%LOCALAPPDATA%\colony-sdk\Credentials`, else `~\AppData\Local\colony-sdk\Credentials` |
/// | macOS | `~/Library/Application Support/colony-sdk/credentials` |
/// | others | `$XDG_DATA_HOME/colony-sdk/credentials`, else `~/.local/share/colony-sdk/credentials` |
///
/// Not a cache directory: those may be emptied at any time, and a lost refresh token costs a login by a
/// person. And never a directory that is copied between machines (Windows' roaming data): two copies of a
/// refresh token end with the family revoked. An empty variable counts as unset, and so does a relative
/// `XDG_DATA_HOME`.
///
/// ```
/// use std::path::Path;
/// use colony_core::credential::place::{Platform, directory};
///
/// let found = directory(Platform::Linux, &|_| None, Some(Path::new("/home/ada")));
/// assert_eq!(found.unwrap(), Path::new("/home/ada/.local/share/colony-sdk/credentials"));
/// ```
pub fn directory(
    platform: Platform,
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<&Path>,
) -> Option<PathBuf> {
    DIRECTORY.directory(platform, variable, home)
}

const DIRECTORY: Lasting = Lasting {
    variable: DIRECTORY_VARIABLE,
    windows: "Credentials",
    macos: "credentials",
    xdg: "XDG_DATA_HOME",
    local: "share",
    name: Some("credentials"),
};

/// The name of a credential's file, without `.json`: 32 hex digits of the SHA-256 of issuer, client id and
/// resource, each preceded by its length, so that no two ids say the same.
///
/// Not normalised: issuers are compared as they are written
/// ([OpenID Connect Discovery, section 4.3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation)).
pub fn stem(id: &CredentialId) -> String {
    let mut text = String::new();
    for part in [Some(&id.issuer), Some(&id.client_id), id.resource.as_ref()] {
        match part {
            Some(part) => text.push_str(&format!("{}:{part}\n", part.len())),
            None => text.push_str("-\n"),
        }
    }
    let mut digest = sha256_hex(text.as_bytes());
    digest.truncate(32);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_has_its_place() {
        let home = Some(Path::new("/home/ada"));
        let with = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| OsString::from(value))
        };
        let found = |platform, name, value| directory(platform, &with(name, value), home);
        let here = |text: &str| Some(PathBuf::from(text));
        for platform in [Platform::Linux, Platform::MacOs, Platform::Windows] {
            assert_eq!(found(platform, DIRECTORY_VARIABLE, "/keys"), here("/keys"));
            assert_eq!(directory(platform, &|_| None, None), None);
            assert_eq!(directory(platform, &|_| None, Some(Path::new(""))), None);
        }
        assert_eq!(found(Platform::Linux, "XDG_DATA_HOME", "/data"), here("/data/colony-sdk/credentials"));
        let standard = here("/home/ada/.local/share/colony-sdk/credentials");
        assert_eq!(found(Platform::Linux, "XDG_DATA_HOME", "data"), standard);
        assert_eq!(found(Platform::Linux, "XDG_DATA_HOME", ""), standard);
        assert_eq!(
            found(Platform::MacOs, "XDG_DATA_HOME", "/data"),
            here("/home/ada/Library/Application Support/colony-sdk/credentials")
        );
        let windows = found(Platform::Windows, "APPDATA", "/roaming").unwrap();
        assert!(windows.starts_with("/home/ada/AppData/Local"), "{windows:?} must not roam");
    }

    #[test]
    fn no_two_ids_share_a_file() {
        let ids = [
            CredentialId::new("https://a", "b"),
            CredentialId::new("https://a", "b").resource(""),
            CredentialId::new("https://a", "b").resource("c"),
            CredentialId::new("https://a/", "b"),
            CredentialId::new("https://ab", ""),
            CredentialId::new("https://a", "b\n-"),
            CredentialId::new("https://a", "b\n1:c"),
        ];
        let mut stems: Vec<_> = ids.iter().map(stem).collect();
        assert!(stems.iter().all(|stem| stem.len() == 32));
        stems.sort();
        stems.dedup();
        assert_eq!(stems.len(), ids.len());
        // Fixed for ever: another name would be another, empty, store.
        assert_eq!(stem(&CredentialId::new("https://thecolony.ai", "colony_app")), GOLDEN);
    }

    const GOLDEN: &str = "09f28d2e7b3760a422f42a511b05990a";
}
