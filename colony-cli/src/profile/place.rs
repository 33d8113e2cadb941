//! The profile directory: a pure function of the platform, the environment and the home directory, so that every
//! system's rule is tested on every system.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use colony_core::token::cache_path::Platform;

/// The variable that names the directory itself; takes precedence over the platform's rules.
pub(crate) const DIRECTORY_VARIABLE: &str = "COLONY_CONFIG_DIR";

/// Returns the directory by the first rule that applies. `None` if none does.
///
/// | Platform | Directory |
/// |---|---|
/// | all | `$COLONY_CONFIG_DIR`, taken literally |
/// | Windows | `%LOCALAPPDATA%\colony-sdk\Config`, else `~\AppData\Local\colony-sdk\Config` |
/// | macOS | `~/Library/Application Support/colony-sdk` |
/// | others | `$XDG_CONFIG_HOME/colony-sdk`, else `~/.config/colony-sdk` |
///
/// On Windows this is not the roaming data: the directory contains keys, which must not be copied to other machines.
/// An empty variable counts as unset, and so does a relative `XDG_CONFIG_HOME`.
pub(crate) fn directory(
    platform: Platform,
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<&Path>,
) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(directory) = set(DIRECTORY_VARIABLE) {
        return Some(directory);
    }
    let home = home.filter(|home| !home.as_os_str().is_empty());
    match platform {
        Platform::Windows => {
            let base = set("LOCALAPPDATA").or_else(|| Some(home?.join("AppData").join("Local")))?;
            Some(base.join("colony-sdk").join("Config"))
        }
        Platform::MacOs => Some(home?.join("Library").join("Application Support").join("colony-sdk")),
        _ => {
            // Not `Path::is_absolute`, which follows the system that the test runs on.
            let rooted = |path: &PathBuf| path.as_os_str().as_encoded_bytes().starts_with(b"/");
            let base = set("XDG_CONFIG_HOME").filter(rooted).or_else(|| Some(home?.join(".config")))?;
            Some(base.join("colony-sdk"))
        }
    }
}

/// Returns the directory of this process, and whether a person named it.
pub(crate) fn from_environment() -> Option<(PathBuf, bool)> {
    // A home directory relative to the working directory does not count.
    let home = etcetera::home_dir().ok().filter(|home| home.is_absolute());
    let named = std::env::var_os(DIRECTORY_VARIABLE).is_some_and(|value| !value.is_empty());
    let found = directory(Platform::current(), &|name| std::env::var_os(name), home.as_deref())?;
    Some((found, named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_has_its_place() {
        let found = |platform, name: &'static str, value: &'static str, home: Option<&str>| {
            let variable = move |asked: &str| (asked == name).then(|| OsString::from(value));
            directory(platform, &variable, home.map(Path::new))
        };
        let here = |text: &str| Some(PathBuf::from(text));
        for platform in [Platform::Linux, Platform::MacOs, Platform::Windows] {
            assert_eq!(found(platform, DIRECTORY_VARIABLE, "/c", None), here("/c"));
            assert_eq!(found(platform, DIRECTORY_VARIABLE, "", None), None);
            assert_eq!(found(platform, "NOTHING", "", Some("")), None);
        }
        let linux = |name, value| found(Platform::Linux, name, value, Some("/home/ada"));
        assert_eq!(linux("NOTHING", ""), here("/home/ada/.config/colony-sdk"));
        assert_eq!(linux("XDG_CONFIG_HOME", "/etc/ada"), here("/etc/ada/colony-sdk"));
        assert_eq!(linux("XDG_CONFIG_HOME", "relative"), here("/home/ada/.config/colony-sdk"));
        let mac = found(Platform::MacOs, "XDG_CONFIG_HOME", "/x", Some("/Users/ada"));
        assert_eq!(mac, here("/Users/ada/Library/Application Support/colony-sdk"));
        let base = PathBuf::from("/local").join("colony-sdk").join("Config");
        assert_eq!(found(Platform::Windows, "LOCALAPPDATA", "/local", None), Some(base));
        let windows = found(Platform::Windows, "APPDATA", "/roaming", Some("/ada")).unwrap();
        assert!(windows.starts_with("/ada/AppData/Local"), "{windows:?} must not roam");
    }
}
