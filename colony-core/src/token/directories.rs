//! In which directory shared tokens lie: pure functions of the platform, the environment, the home directory and the
//! user's number, so that every system's rule is tested on every system.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Names the directory itself, before every rule of the platform.
pub const DIRECTORY_VARIABLE: &str = "COLONY_SDK_TOKEN_CACHE_DIR";

/// Whose conventions decide where cache files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Platform {
    /// Linux and every other Unix that is not macOS: the XDG base directories.
    Linux,
    /// macOS: `~/Library/Caches`.
    MacOs,
    /// Windows: the local application data.
    Windows,
}

impl Platform {
    /// The platform this program was built for.
    pub fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// The directory of the cache files, the first of these that applies. `None` when none does.
///
/// | Platform | Directory |
/// |---|---|
/// | all | `$COLONY_SDK_TOKEN_CACHE_DIR`, taken literally: no `~`, a relative one is below the working directory |
/// | Windows | `%LOCALAPPDATA%\colony-sdk\Cache`, `%APPDATA%\colony-sdk\Cache`, `~\AppData\Local\colony-sdk\Cache` |
/// | macOS | `~/Library/Caches/colony-sdk` |
/// | others | `$XDG_CACHE_HOME/colony-sdk`, `~/.cache/colony-sdk` |
///
/// An empty variable, and a `home` that is empty or (but on Windows) relative, count as unset. A relative `XDG_CACHE_HOME` is ignored, as
/// the [XDG Base Directory Specification](https://specifications.freedesktop.org/basedir-spec/latest/)
/// asks; the Python package follows it into the working directory.
///
/// ```
/// use std::{ffi::OsString, path::Path};
/// use colony_core::token::cache_path::{Platform, directory};
///
/// let home = Path::new("/home/ada");
/// let unset = |_: &str| None;
/// assert_eq!(
///     directory(Platform::Linux, &unset, Some(home)).unwrap(),
///     Path::new("/home/ada/.cache/colony-sdk"),
/// );
/// let xdg = |name: &str| (name == "XDG_CACHE_HOME").then(|| OsString::from("/fast/cache"));
/// assert_eq!(
///     directory(Platform::Linux, &xdg, Some(home)).unwrap(),
///     Path::new("/fast/cache/colony-sdk"),
/// );
/// assert_eq!(directory(Platform::MacOs, &unset, None), None);
/// ```
pub fn directory(
    platform: Platform,
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<&Path>,
) -> Option<PathBuf> {
    set(variable, DIRECTORY_VARIABLE)
        .or_else(|| Some(in_base(Some(platform), &base(platform, variable, home)?, PROGRAM)))
}

/// What this SDK's directories are called.
const PROGRAM: &str = "colony-sdk";

/// The value of a variable as a path; an empty one counts as unset.
pub(crate) fn set(variable: &dyn Fn(&str) -> Option<OsString>, name: &str) -> Option<PathBuf> {
    variable(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Whether a path of Unix starts at the root. Not `Path::is_absolute`, which asks the system the test runs on.
pub(crate) fn is_rooted(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().starts_with(b"/")
}

/// A home directory that can be used: one below wherever the program was started is none.
pub(crate) fn home_of(platform: Platform, home: Option<&Path>) -> Option<&Path> {
    let is_windows = platform == Platform::Windows;
    home.filter(|home| is_rooted(home) || is_windows && !home.as_os_str().is_empty())
}

/// A directory of this SDK for files that are not to be lost, unlike those in a cache.
pub(crate) struct Lasting {
    /// Names the directory itself, before every rule of the platform.
    pub(crate) variable: &'static str,
    /// Its name in this SDK's directory on Windows.
    pub(crate) windows: &'static str,
    /// Its name in this SDK's directory on macOS.
    pub(crate) macos: &'static str,
    /// Names the base directory elsewhere.
    pub(crate) xdg: &'static str,
    /// The base directory in `~/.local`, unless that names it.
    pub(crate) local: &'static str,
    /// Its name in this SDK's directory there; `None`: that directory itself.
    pub(crate) name: Option<&'static str>,
}

impl Lasting {
    pub(crate) fn directory(
        &self,
        platform: Platform,
        variable: &dyn Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Option<PathBuf> {
        let set = |name| set(variable, name);
        if let Some(directory) = set(self.variable) {
            return Some(directory);
        }
        let home = home_of(platform, home);
        match platform {
            Platform::Windows => {
                let base = set("LOCALAPPDATA").or_else(|| Some(home?.join("AppData").join("Local")))?;
                Some(base.join(PROGRAM).join(self.windows))
            }
            Platform::MacOs => {
                Some(home?.join("Library").join("Application Support").join(PROGRAM).join(self.macos))
            }
            Platform::Linux => {
                let local = || Some(home?.join(".local").join(self.local));
                let base = set(self.xdg).filter(|path| is_rooted(path)).or_else(local)?.join(PROGRAM);
                Some(self.name.map_or_else(|| base.clone(), |name| base.join(name)))
            }
        }
    }
}

/// The system's directory of caches, which has one directory for each program.
fn base(
    platform: Platform,
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<&Path>,
) -> Option<PathBuf> {
    let set = |name| set(variable, name);
    let home = home_of(platform, home);
    match platform {
        Platform::Windows => {
            let local = || Some(home?.join("AppData").join("Local"));
            set("LOCALAPPDATA").or_else(|| set("APPDATA")).or_else(local)
        }
        Platform::MacOs => Some(home?.join("Library").join("Caches")),
        Platform::Linux => {
            set("XDG_CACHE_HOME").filter(|path| is_rooted(path)).or_else(|| Some(home?.join(".cache")))
        }
    }
}

/// A program's directory in the system's directory of caches.
fn in_base(platform: Option<Platform>, base: &Path, program: &str) -> PathBuf {
    let directory = base.join(program);
    if platform == Some(Platform::Windows) { directory.join("Cache") } else { directory }
}

/// Where a program's shared tokens go: the preferred directory, and those to take when it cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directories {
    /// The directory of choice. `None`: it cannot be determined.
    pub preferred: Option<PathBuf>,
    /// Whether somebody named it, by [`DIRECTORY_VARIABLE`] or in the program. Then there are no others: who names
    /// one does not expect tokens elsewhere.
    pub is_explicit: bool,
    /// The others, best first.
    pub fallbacks: Vec<PathBuf>,
}

impl Directories {
    /// The directory that a person or a program names.
    pub fn explicit(directory: impl Into<PathBuf>) -> Self {
        Self { preferred: Some(directory.into()), is_explicit: true, fallbacks: Vec::new() }
    }
}

/// The directories where the system keeps short-lived files, as the environment names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bases {
    platform: Option<Platform>,
    cache: Option<PathBuf>,
    runtime: Option<PathBuf>,
    temporary: Option<PathBuf>,
}

impl Bases {
    pub(super) fn of(
        platform: Platform,
        variable: &dyn Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Self {
        let rooted = |name| set(variable, name).filter(|path| is_rooted(path));
        let (runtime, temporary) = match platform {
            Platform::Windows => (None, set(variable, "TMP").or_else(|| set(variable, "TEMP"))),
            _ => (rooted("XDG_RUNTIME_DIR"), rooted("TMPDIR").or_else(|| Some("/tmp".into()))),
        };
        Self { platform: Some(platform), cache: base(platform, variable, home), runtime, temporary }
    }

    pub(super) fn directories(&self, program: &str, user: Option<u32>) -> Directories {
        let preferred = self.cache.as_ref().map(|base| in_base(self.platform, base, program));
        let of_user = |user: Option<u32>| match user {
            Some(user) => format!("{program}-{user}"),
            None => program.to_owned(),
        };
        let runtime = self.runtime.as_ref().map(|base| base.join(program));
        let temporary = self.temporary.as_ref().map(|base| base.join(of_user(user)));
        Directories {
            preferred,
            is_explicit: false,
            fallbacks: runtime.into_iter().chain(temporary).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(platform: Platform, values: &[(&str, &str)], home: &str) -> Directories {
        let variable =
            |name: &str| values.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        Bases::of(platform, &variable, Some(Path::new(home))).directories("fctl", Some(7))
    }

    fn paths(texts: &[&str]) -> Vec<PathBuf> {
        texts.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn each_platform_has_a_preferred_directory_and_others() {
        for platform in [Platform::Linux, Platform::MacOs] {
            let runtime = [("XDG_RUNTIME_DIR", "/run/user/7"), ("TMPDIR", "/scratch/")];
            assert_eq!(found(platform, &[], "/home/ada").fallbacks, paths(&["/tmp/fctl-7"]));
            let both = paths(&["/run/user/7/fctl", "/scratch/fctl-7"]);
            assert_eq!(found(platform, &runtime, "/home/ada").fallbacks, both);
            let relative = [("XDG_RUNTIME_DIR", "run"), ("TMPDIR", "tmp")];
            assert_eq!(found(platform, &relative, "/home/ada").fallbacks, paths(&["/tmp/fctl-7"]));
            for home in ["", "relative/home", "./home"] {
                assert_eq!(found(platform, &[], home).preferred, None, "{home:?}");
            }
        }
        let linux = found(Platform::Linux, &[], "/home/ada");
        assert_eq!((linux.preferred, linux.is_explicit), (Some("/home/ada/.cache/fctl".into()), false));
        let windows = found(Platform::Windows, &[("LOCALAPPDATA", "/local"), ("TEMP", "/temp")], "/ada");
        assert_eq!(windows.preferred, Some(Path::new("/local").join("fctl").join("Cache")));
        assert_eq!(windows.fallbacks, [Path::new("/temp").join("fctl-7")]);
        assert_eq!(found(Platform::Windows, &[], "/ada").fallbacks, paths(&[]));
    }

    #[test]
    fn where_users_have_no_numbers_the_name_has_none() {
        let variable = |name: &str| (name == "TMP").then(|| OsString::from("/temp"));
        let bases = Bases::of(Platform::Windows, &variable, None);
        assert_eq!(bases.directories("fctl", None).fallbacks, [Path::new("/temp").join("fctl")]);
    }
}
