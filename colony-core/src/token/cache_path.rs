//! Where the cache file lives: pure functions of the platform, the environment and the home directory,
//! so that every system's rule is tested on every system.
//!
//! Only [`from_environment`] reads the process's environment; everything else takes its inputs as arguments.

use std::{
    ffi::OsString,
    fmt::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

pub use super::directories::{DIRECTORY_VARIABLE, Directories, Platform, directory};
use super::{
    directories::{Bases, set},
    store_url::{STORE_PASSWORD_VARIABLE, STORE_VARIABLE, TokenStoreUrl},
};
use crate::{Error, ErrorKind, Result};

/// Turns the file off for every client of the process; see [`is_disabled`].
pub const DISABLED_VARIABLE: &str = "COLONY_SDK_NO_TOKEN_CACHE";
/// Caps the age of a token taken from the file; see [`parse_ttl`].
pub const TTL_VARIABLE: &str = "COLONY_SDK_TOKEN_CACHE_TTL";
/// The service's address, when the program names none.
pub const BASE_URL_VARIABLE: &str = "COLONY_BASE_URL";

/// The base URL without its trailing slashes, all of them: the form that [`file_name`] and
/// [`fingerprint`] expect, so that `…/v1` and `…/v1/` share a token.
///
/// ```
/// # use colony_core::token::cache_path::normalise_base_url;
/// assert_eq!(normalise_base_url("https://thecolony.ai/api/v1//"), "https://thecolony.ai/api/v1");
/// ```
pub fn normalise_base_url(base_url: &str) -> &str {
    base_url.trim_end_matches('/')
}

/// The name of the cache file: the [`fingerprint`], then `.json`.
///
/// ```
/// use colony_core::token::cache_path::{file_name, normalise_base_url};
///
/// let base_url = normalise_base_url("https://thecolony.ai/api/v1/");
/// assert_eq!(file_name(base_url, "col_k"), "977e76005e3b03fa.json");
/// ```
pub fn file_name(base_url: &str, api_key: &str) -> String {
    format!("{}.json", fingerprint(base_url, api_key))
}

/// The first 16 hex digits of sha256 of `base_url|api_key`: what an account on a server is called in
/// the cache directory. It does not give the key away and may stand in a log.
///
/// Both are taken as given; pass the base URL through [`normalise_base_url`] first.
pub fn fingerprint(base_url: &str, api_key: &str) -> String {
    short_hex(&Sha256::new().chain_update(base_url).chain_update("|").chain_update(api_key).finalize())
}

/// The first 16 hex digits of a hash.
pub(crate) fn short_hex(hash: &[u8]) -> String {
    hash.iter().take(8).fold(String::with_capacity(16), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Whether this value of `COLONY_SDK_NO_TOKEN_CACHE` turns the file off: `1`, `true` or `yes`, in any
/// case, white space around it ignored. Anything else does not, as in the Python package.
pub fn is_disabled(value: Option<&str>) -> bool {
    let value = value.unwrap_or_default().trim();
    ["1", "true", "yes"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
}

/// Reads a value of `COLONY_SDK_TOKEN_CACHE_TTL`: whole seconds (`300`, `90s`), minutes (`5m`) or hours
/// (`1h`). `0` turns the file off.
///
/// ```
/// use std::time::Duration;
/// use colony_core::token::cache_path::parse_ttl;
///
/// assert_eq!(parse_ttl("5m")?, Duration::from_secs(300));
/// assert!(parse_ttl("soon").is_err());
/// # Ok::<(), colony_core::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Config`] for anything else; the message names the variable and the forms.
pub fn parse_ttl(text: &str) -> Result<Duration> {
    let value = text.trim();
    let (digits, unit) = match value.char_indices().last() {
        Some((end, 's' | 'S')) => (&value[..end], 1),
        Some((end, 'm' | 'M')) => (&value[..end], 60),
        Some((end, 'h' | 'H')) => (&value[..end], 60 * 60),
        _ => (value, 1),
    };
    Some(digits)
        // `parse` alone would also take a plus sign.
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u64>().ok()?.checked_mul(unit))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            let message = format!(
                "{TTL_VARIABLE} is {text:?}; give whole seconds (300 or 90s), minutes (5m) or hours (1h), \
                 or 0 to turn the cache file off"
            );
            Error::build(ErrorKind::Config, message).finish()
        })
}

/// What the environment says about the token's file, from [`from_environment`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Where the files go; see [`directory`]. `None` when there is no home directory either: work
    /// without a file.
    pub directory: Option<PathBuf>,
    /// Where credentials are kept; see [`credential::place`](crate::credential::place::directory).
    pub credentials: Option<PathBuf>,
    /// Where state is kept, positions in the stream of events for example; see
    /// [`events::place`](crate::events::place::directory).
    pub state: Option<PathBuf>,
    /// `COLONY_SDK_NO_TOKEN_CACHE` turns the file off; see [`is_disabled`].
    pub disabled: bool,
    /// `COLONY_SDK_TOKEN_CACHE_TTL`: the greatest age of a token taken from the file. `None`: no cap.
    pub ttl: Option<Duration>,
    /// `COLONY_BASE_URL`, as given.
    pub base_url: Option<String>,
    /// What could not be read and is ignored, a sentence each, to be told as a warning.
    pub problems: Vec<String>,
    /// Whether `COLONY_SDK_TOKEN_CACHE_DIR` names the directory.
    is_explicit: bool,
    /// Whether `COLONY_SDK_CREDENTIALS_DIR` names the directory of credentials.
    pub names_credentials: bool,
    /// Whether `COLONY_STATE_DIR` names the state directory.
    pub names_state: bool,
    /// `COLONY_SDK_TOKEN_STORE` and its password; see [`token_store`](Self::token_store).
    store: Option<Hidden>,
    store_password: Option<Hidden>,
    bases: Bases,
}

/// A value that is not shown.
#[derive(Clone)]
struct Hidden(SecretString);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

impl PartialEq for Hidden {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for Hidden {}

impl Environment {
    /// The same as [`from_environment`], of an environment that is passed in. An empty variable counts
    /// as unset; one that cannot be read is reported in [`problems`](Self::problems) and counts as
    /// unset too.
    pub fn of(platform: Platform, variable: &dyn Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Self {
        let mut problems = Vec::new();
        let mut text = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            match value.into_string() {
                Ok(value) => Some(value).filter(|value| !value.trim().is_empty()),
                Err(_) => {
                    problems.push(format!("{name} is not UTF-8 text and is ignored"));
                    None
                }
            }
        };
        let disabled = is_disabled(text(DISABLED_VARIABLE).as_deref());
        let base_url = text(BASE_URL_VARIABLE);
        let (store, store_password) = (text(STORE_VARIABLE), text(STORE_PASSWORD_VARIABLE));
        let ttl = text(TTL_VARIABLE).map(|value| parse_ttl(&value)).transpose();
        let ttl = ttl.unwrap_or_else(|error| {
            problems.push(format!("{error}; it is ignored"));
            None
        });
        let hidden = |text: Option<String>| text.map(|text| Hidden(text.into()));
        Self {
            store: hidden(store),
            store_password: hidden(store_password),
            directory: directory(platform, variable, home),
            credentials: crate::credential::place::directory(platform, variable, home),
            state: crate::events::place::directory(platform, variable, home),
            disabled,
            ttl,
            base_url,
            problems,
            is_explicit: set(variable, DIRECTORY_VARIABLE).is_some(),
            names_credentials: set(variable, crate::credential::place::DIRECTORY_VARIABLE).is_some(),
            names_state: set(variable, crate::events::place::DIRECTORY_VARIABLE).is_some(),
            bases: Bases::of(platform, variable, home),
        }
    }

    /// Returns where the login's tokens go, given the user's number, where users have one: the directory of
    /// [`directory`], and unless `COLONY_SDK_TOKEN_CACHE_DIR` names it, those to take when it cannot be used:
    /// `$XDG_RUNTIME_DIR/colony-sdk`, then `<temporary directory>/colony-sdk-<user>`, which on Windows is
    /// `%TMP%\colony-sdk`.
    ///
    /// ```
    /// use std::path::{Path, PathBuf};
    /// use colony_core::token::cache_path::{Environment, Platform};
    ///
    /// let environment = Environment::of(Platform::Linux, &|_| None, Some(Path::new("/home/ada")));
    /// let directories = environment.directories(Some(1000));
    /// assert_eq!(directories.preferred, Some(PathBuf::from("/home/ada/.cache/colony-sdk")));
    /// assert_eq!(directories.fallbacks, [PathBuf::from("/tmp/colony-sdk-1000")]);
    /// ```
    pub fn directories(&self, user: Option<u32>) -> Directories {
        match &self.directory {
            Some(directory) if self.is_explicit => Directories::explicit(directory),
            _ => self.directories_of("colony-sdk", user),
        }
    }

    /// Returns the store by which hosts share a token: the given one, else that of `COLONY_SDK_TOKEN_STORE`, with the
    /// password of `COLONY_SDK_TOKEN_STORE_PASSWORD` unless its address has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an address that cannot be read.
    pub fn token_store(&self, given: Option<&SecretString>) -> Result<Option<TokenStoreUrl>> {
        let Some(text) = given.or(self.store.as_ref().map(|store| &store.0)) else { return Ok(None) };
        let password = self.store_password.as_ref().map(|password| &password.0);
        TokenStoreUrl::parse(text.expose_secret()).map(|url| Some(url.or_password(password)))
    }

    /// As [`directories`](Self::directories), for another program's tokens: `COLONY_SDK_TOKEN_CACHE_DIR` does not
    /// count.
    pub fn directories_of(&self, program: &str, user: Option<u32>) -> Directories {
        self.bases.directories(program, user)
    }
}

/// Reads this process's environment: the one place in this crate that does.
///
/// A client asks once, when it is built.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn from_environment() -> Environment {
    let home = etcetera::home_dir().ok();
    Environment::of(Platform::current(), &|name| std::env::var_os(name), home.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(values: &[(&str, &str)]) -> Environment {
        let variable =
            |name: &str| values.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        Environment::of(Platform::Linux, &variable, Some(Path::new("/home/ada")))
    }

    #[test]
    fn ages_are_read_in_seconds_minutes_and_hours() {
        let seconds = |text: &str| parse_ttl(text).map(|ttl| ttl.as_secs()).ok();
        assert_eq!(seconds("300"), Some(300));
        assert_eq!(seconds(" 90s\n"), Some(90));
        assert_eq!(seconds("5M"), Some(300));
        assert_eq!(seconds("1h"), Some(3600));
        assert_eq!(seconds("0"), Some(0));
        for wrong in
            ["", " ", "h", "-1", "+1", "1.5h", "1 h", "1d", "5min", "ü", "99999999999999999999", "1_0"]
        {
            let error = parse_ttl(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{wrong:?}");
            for part in [TTL_VARIABLE, "300", "90s", "5m", "1h"] {
                assert!(error.message().contains(part), "{error}");
            }
        }
        assert_eq!(seconds("18446744073709551615h"), None);
    }

    #[test]
    fn a_store_has_its_password_from_either_variable_and_shows_neither() {
        let of = |url: &str, password: &str| {
            environment(&[(STORE_VARIABLE, url), (STORE_PASSWORD_VARIABLE, password)])
        };
        let password = |found: &Environment, given: Option<&str>| {
            let url = found.token_store(given.map(SecretString::from).as_ref()).unwrap();
            url.and_then(|url| url.password).map(|password| password.expose_secret().to_owned())
        };
        let found = of("redis://r", "planted");
        assert_eq!(password(&found, None).as_deref(), Some("planted"));
        assert_eq!(password(&found, Some("redis://:own@r")).as_deref(), Some("own"));
        assert!(!format!("{found:?}").contains("planted"));
        assert_eq!(of("", "planted").token_store(None).unwrap(), None);
        assert_eq!(of("nonsense", "").token_store(None).unwrap_err().kind(), ErrorKind::Config);
    }

    #[test]
    fn nothing_set_is_nothing_said() {
        let found = environment(&[]);
        assert_eq!(found.directory.as_deref(), Some(Path::new("/home/ada/.cache/colony-sdk")));
        let credentials = Path::new("/home/ada/.local/share/colony-sdk/credentials");
        assert_eq!(found.credentials.as_deref(), Some(credentials));
        assert_eq!(found.state.as_deref(), Some(Path::new("/home/ada/.local/state/colony-sdk")));
        let Environment { directory, credentials, state, bases, .. } = found.clone();
        assert_eq!(found, Environment { directory, credentials, state, bases, ..Environment::default() });
        let blank = [(DISABLED_VARIABLE, ""), (TTL_VARIABLE, " "), (BASE_URL_VARIABLE, "")];
        assert_eq!(environment(&blank), found);
    }

    #[test]
    fn everything_set_is_read() {
        let found = environment(&[
            (DIRECTORY_VARIABLE, "/tmp/colony"),
            (DISABLED_VARIABLE, "Yes"),
            (TTL_VARIABLE, "0"),
            (BASE_URL_VARIABLE, "http://127.0.0.1:8000/api/v1"),
        ]);
        assert_eq!(found.directory.as_deref(), Some(Path::new("/tmp/colony")));
        assert!(found.disabled);
        assert_eq!(found.ttl, Some(Duration::ZERO));
        assert_eq!(found.base_url.as_deref(), Some("http://127.0.0.1:8000/api/v1"));
        assert!(found.problems.is_empty());
    }

    #[test]
    fn an_unreadable_age_is_told_and_passed_over() {
        let found = environment(&[(TTL_VARIABLE, "a while")]);
        assert_eq!(found.ttl, None);
        assert_eq!(found.problems.len(), 1);
        assert!(found.problems[0].contains(TTL_VARIABLE), "{:?}", found.problems);
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_told() {
        use std::os::unix::ffi::OsStringExt;

        let bytes = |_: &str| Some(OsString::from_vec(vec![b'/', 0xff]));
        let found = Environment::of(Platform::Linux, &bytes, None);
        assert!(found.directory.is_some(), "a path need not be text");
        assert_eq!(found.problems.len(), 5);
    }

    #[test]
    fn without_a_home_there_may_be_no_directory() {
        for home in [None, Some(Path::new(""))] {
            for platform in [Platform::Linux, Platform::MacOs, Platform::Windows] {
                assert_eq!(directory(platform, &|_| None, home), None);
            }
        }
    }

    #[test]
    fn relative_cache_homes_are_ignored() {
        for value in ["cache", "./cache", "../cache", " ", "~/cache"] {
            let found = environment(&[("XDG_CACHE_HOME", value)]);
            assert_eq!(found.directory.as_deref(), Some(Path::new("/home/ada/.cache/colony-sdk")));
        }
    }
}
