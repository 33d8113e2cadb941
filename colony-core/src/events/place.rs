//! Where positions are kept: pure functions of the platform, the environment and the home directory.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::token::directories::{Lasting, Platform};

/// Names the directory itself, before every rule of the platform.
pub const DIRECTORY_VARIABLE: &str = "COLONY_STATE_DIR";

const DIRECTORY: Lasting = Lasting {
    variable: DIRECTORY_VARIABLE,
    windows: "State",
    macos: "state",
    xdg: "XDG_STATE_HOME",
    local: "state",
    name: None,
};

/// The state directory, the first of these that applies. `None` when none does.
///
/// | Platform | Directory |
/// |---|---|
/// | all | `$COLONY_STATE_DIR`, taken literally |
/// | Windows | `%LOCALAPPDATA%\colony-sdk\State`, else `~\AppData\Local\colony-sdk\State` |
/// | macOS | `~/Library/Application Support/colony-sdk/state` |
/// | others | `$XDG_STATE_HOME/colony-sdk`, else `~/.local/state/colony-sdk` |
///
/// Neither a cache, which may be emptied, nor configuration, which a person writes. An empty variable counts as unset,
/// and so does a relative `XDG_STATE_HOME`.
///
/// ```
/// use std::path::Path;
/// use colony_core::{events::place::directory, token::cache_path::Platform};
///
/// let found = directory(Platform::Linux, &|_| None, Some(Path::new("/home/ada")));
/// assert_eq!(found.unwrap(), Path::new("/home/ada/.local/state/colony-sdk"));
/// ```
pub fn directory(
    platform: Platform,
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<&Path>,
) -> Option<PathBuf> {
    DIRECTORY.directory(platform, variable, home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_has_its_place() {
        let home = Some(Path::new("/home/ada"));
        let found = |platform, name: &'static str, value: &'static str| {
            let set = move |asked: &str| (asked == name).then(|| OsString::from(value));
            directory(platform, &set, home)
        };
        let here = |text: &str| Some(PathBuf::from(text));
        for platform in [Platform::Linux, Platform::MacOs, Platform::Windows] {
            assert_eq!(found(platform, DIRECTORY_VARIABLE, "/state"), here("/state"));
            assert_eq!(directory(platform, &|_| None, None), None);
        }
        assert_eq!(found(Platform::Linux, "XDG_STATE_HOME", "/state"), here("/state/colony-sdk"));
        assert_eq!(
            found(Platform::Linux, "XDG_STATE_HOME", "state"),
            here("/home/ada/.local/state/colony-sdk")
        );
        let macos = here("/home/ada/Library/Application Support/colony-sdk/state");
        assert_eq!(found(Platform::MacOs, "XDG_STATE_HOME", "/state"), macos);
        let windows = found(Platform::Windows, "LOCALAPPDATA", "/local").unwrap();
        assert_eq!(windows, Path::new("/local").join("colony-sdk").join("State"));
    }
}
