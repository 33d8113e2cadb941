//! The client of a command: built from its options, the environment and the profile.

use std::{
    env::VarError,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use colony_async::{CacheDirectory, Client};
use colony_core::{Error, ErrorKind, token::cache_path};
use secrecy::SecretString;

use crate::{
    args::Global,
    exec::{PROXY_VARIABLE, TOKEN_VARIABLE},
    failure::Failure,
    input::{self, tidy, tidy_secret},
    policy,
    profile::{self, KeyCommand, Profile, Profiles},
    waiting,
};

/// The variable that names the profile if `--profile` does not.
const PROFILE_VARIABLE: &str = "COLONY_PROFILE";

/// The source of a key.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    Environment,
    File(PathBuf),
    Profile {
        name: String,
        place: String,
    },
    Command {
        profile: String,
        program: String,
    },
    /// The proxy that this command was given; it takes the proxy's word instead of a key.
    Proxy,
}

/// A key, or the program that prints it.
pub(crate) enum Found {
    Key(SecretString, KeySource),
    Command(KeyCommand, KeySource),
}

impl Found {
    /// Returns whether it comes from a profile.
    pub(crate) fn is_of_profile(&self) -> bool {
        matches!(self, Self::Command(..) | Self::Key(_, KeySource::Profile { .. }))
    }

    /// Returns the key, and runs the program for it if there is one.
    pub(crate) fn key(self) -> Result<(SecretString, KeySource), Failure> {
        Ok(match self {
            Self::Key(key, source) => (key, source),
            Self::Command(command, source) => (command.key(false)?, source),
        })
    }
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str("COLONY_API_KEY"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Profile { name, place } => write!(f, "profile {name}, {place}"),
            Self::Command { profile, program } => {
                write!(f, "profile {profile}, printed by {program:?} (api_key_command)")
            }
            Self::Proxy => f.write_str("the proxy of `colony exec`"),
        }
    }
}

/// The profile in use.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) name: String,
    /// `None` if no profile has this name.
    pub(crate) profile: Option<Profile>,
    /// `None` if the profile directory cannot be determined and no profile was requested.
    pub(crate) profiles: Option<Profiles>,
}

/// Returns the profile of `--profile`, else of `COLONY_PROFILE`, else the one switched to, else `default`.
pub(crate) fn chosen(global: &Global) -> Result<Chosen, Failure> {
    let profiles = Profiles::from_environment();
    let name = profile_name(global, profiles.as_ref().ok());
    match profiles {
        Ok(profiles) => Ok(Chosen { profile: profiles.read(&name)?, name, profiles: Some(profiles) }),
        Err(failure) if named(global).is_some() => Err(failure),
        Err(_) => Ok(Chosen { name, profile: None, profiles: None }),
    }
}

/// Returns that profile's name.
pub(crate) fn profile_name(global: &Global, profiles: Option<&Profiles>) -> String {
    let current = || profiles?.current();
    named(global).or_else(current).unwrap_or_else(|| profile::DEFAULT.to_owned())
}

/// Returns the explicitly requested profile's name.
fn named(global: &Global) -> Option<String> {
    let of_environment = || {
        std::env::var(PROFILE_VARIABLE)
            .ok()
            .map(|name| tidy(&name).to_owned())
            .filter(|name| !name.is_empty())
    };
    global.profile.clone().or_else(of_environment)
}

impl Chosen {
    /// Returns the profiles, for commands that write one.
    pub(crate) fn profiles(&self) -> Result<Profiles, Failure> {
        self.profiles.clone().map_or_else(Profiles::from_environment, Ok)
    }

    /// Returns the profile, for a command that needs an existing one.
    pub(crate) fn existing(&self) -> Result<Option<&Profile>, Failure> {
        if self.profile.is_none() && self.name != profile::DEFAULT {
            return Err(self.unknown());
        }
        Ok(self.profile.as_ref())
    }

    fn unknown(&self) -> Failure {
        let known = self.profiles.as_ref().and_then(|profiles| profiles.names().ok()).unwrap_or_default();
        let known = if known.is_empty() { "there are none yet".to_owned() } else { known.join(", ") };
        Failure::usage(format!(
            "there is no profile {:?} (known: {known}); `colony --profile {} auth login` makes it",
            self.name, self.name
        ))
    }

    /// Returns the key that the profile stores, or the program that prints it.
    fn key(&self) -> Result<Option<Found>, Failure> {
        let Some(profile) = self.existing()? else { return Ok(None) };
        if let Some(command) = Profiles::key_command(&self.name, profile)? {
            let program = command.program().to_owned();
            let source = KeySource::Command { profile: self.name.clone(), program };
            return Ok(Some(Found::Command(command, source)));
        }
        let Some(storage) = profile.api_key else { return Ok(None) };
        let store = self.profiles()?.key(&self.name, storage)?;
        let kept = store.read()?.ok_or_else(|| {
            let message = format!("the API key of the profile {} is not in {}", self.name, store.place());
            Error::build(ErrorKind::Auth, message).hint("Log in again: `colony auth login`").finish()
        })?;
        Ok(Some(Found::Key(kept.key, KeySource::Profile { name: self.name.clone(), place: kept.place })))
    }
}

/// Returns the API key, for commands that always need it.
pub(crate) fn api_key(global: &Global) -> Result<Option<(SecretString, KeySource)>, Failure> {
    find_key(global)?.map(Found::key).transpose()
}

/// Returns the API key or its program, from `--api-key-file`, the profile that `--profile` names, `COLONY_API_KEY`, or
/// the profile in use.
pub(crate) fn find_key(global: &Global) -> Result<Option<Found>, Failure> {
    if let Some(path) = &global.api_key_file {
        // Read once: a pipe is empty the second time.
        static READ: OnceLock<SecretString> = OnceLock::new();
        if READ.get().is_none() {
            let text = input::file("--api-key-file", path)?;
            let key = tidy_secret(&text);
            if key.is_empty() || key.contains(char::is_whitespace) {
                return Err(Failure::usage(format!(
                    "--api-key-file {}: this is not one key",
                    path.display()
                )));
            }
            let _ = READ.set(key.to_owned().into());
        }
        return Ok(READ.get().map(|key| Found::Key(key.clone(), KeySource::File(path.clone()))));
    }
    if global.profile.is_none()
        && let Some(key) = environment_key()?
    {
        return Ok(Some(Found::Key(key, KeySource::Environment)));
    }
    if global.profile.is_none()
        && is_proxied(global)
        && let Ok(word) = std::env::var(TOKEN_VARIABLE)
    {
        return Ok(Some(Found::Key(word.into(), KeySource::Proxy)));
    }
    let chosen = chosen(global)?;
    let found = chosen.key()?;
    if let (Some(_), Some(profile), Some(given)) = (&found, &chosen.profile, given_base_url(global)) {
        check_place(&chosen.name, profile, given)?;
    }
    Ok(found)
}

/// Returns whether requests go to the proxy that `colony exec --proxy` gave to the surrounding command.
fn is_proxied(global: &Global) -> bool {
    given_base_url(global).is_some_and(|url| std::env::var(PROXY_VARIABLE).is_ok_and(|proxy| proxy == url))
}

fn environment_key() -> Result<Option<SecretString>, Failure> {
    let key = match std::env::var("COLONY_API_KEY") {
        Ok(key) => key,
        Err(VarError::NotPresent) => return Ok(None),
        Err(VarError::NotUnicode(_)) => {
            return Err(Failure::usage(
                "COLONY_API_KEY is not text in UTF-8; a key has letters, digits and _",
            ));
        }
    };
    let key = tidy_secret(&key);
    Ok((!key.is_empty()).then(|| key.to_owned().into()))
}

/// Returns whether an unreadable profile does not matter: it was not explicitly requested, key and address do not come
/// from it, and it sets no limits.
pub(crate) fn does_without_profile(global: &Global) -> Result<bool, Failure> {
    let has_key = global.api_key_file.is_some() || environment_key()?.is_some();
    if named(global).is_some() || !has_key || given_base_url(global).is_none() {
        return Ok(false);
    }
    let sets_limits = |profiles: Profiles| profiles.may_have_policy(&profile_name(global, Some(&profiles)));
    Ok(!Profiles::from_environment().is_ok_and(sets_limits))
}

/// Checks that a key goes only to the service that it was given for.
pub(crate) fn check_place(name: &str, profile: &Profile, given: &str) -> Result<(), Failure> {
    if cache_path::normalise_base_url(given) == cache_path::normalise_base_url(&profile.base_url) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the profile {name} is logged in at {}, and {given} is asked for (--base-url, COLONY_BASE_URL). Name \
         another profile with --profile, or log out of this one first",
        profile.base_url
    )))
}

/// Returns a client. Without a key it can still make the calls that need none.
pub(crate) fn client(global: &Global) -> Result<Client, Failure> {
    Ok(builder(global)?.build()?)
}

pub(crate) fn builder(global: &Global) -> Result<colony_async::Builder, Failure> {
    let policy = policy::policy(global)?;
    let builder = match find_key(global)? {
        // Only a call with a token needs the key. A client that asks again has had its login refused.
        Some(Found::Command(command, _)) => {
            let asked = AtomicBool::new(false);
            let key = move || command.key(asked.swap(true, Ordering::Relaxed));
            builder_for(global, None)?.api_key_with(key)
        }
        Some(Found::Key(key, _)) => builder_for(global, Some(key))?,
        None => builder_for(global, None)?,
    };
    Ok(builder.policy(policy))
}

/// Returns a builder with this key.
pub(crate) fn builder_for(
    global: &Global,
    key: Option<SecretString>,
) -> Result<colony_async::Builder, Failure> {
    let mut builder = colony_async::Builder::new(key).base_url(base_url(global)?);
    if let Some(path) = &global.ca_file {
        builder = builder.ca_file(path);
    }
    if let Some(limit) = global.deadline {
        builder = builder.deadline(limit);
    }
    if let Ok(code) = std::env::var("COLONY_TOTP") {
        builder = builder.totp(tidy(&code));
    }
    let limit = global.timeout;
    let builder = builder.on_request(move |request| waiting::sent(request.operation, limit));
    // The token that a proxy substitutes ends with the proxy.
    let is_cached = !global.no_cache && !is_proxied(global);
    Ok(builder.timeout(global.timeout).cache_token(is_cached).user_agent(USER_AGENT))
}

/// The command line's user agent.
pub(crate) const USER_AGENT: &str = concat!("colony-cli/", env!("CARGO_PKG_VERSION"));

fn given_base_url(global: &Global) -> Option<&str> {
    global.base_url.as_deref().filter(|url| !url.is_empty())
}

/// Returns the base URL in use: as given, else the profile's, else the service's. A key that is not from a profile
/// goes to a profile's service only if the profile was named.
pub(crate) fn base_url(global: &Global) -> Result<String, Failure> {
    let own_key = global.api_key_file.is_some() || global.profile.is_none() && environment_key()?.is_some();
    let of_profile = match given_base_url(global) {
        Some(_) => None,
        None if own_key && named(global).is_none() => None,
        None => chosen(global)?.existing()?.map(|profile| profile.base_url.clone()),
    };
    let url = given_base_url(global).or(of_profile.as_deref()).unwrap_or(colony_core::DEFAULT_BASE_URL);
    Ok(cache_path::normalise_base_url(url).to_owned())
}

/// The cache settings in force.
pub(crate) struct CacheSettings {
    /// Whether tokens are stored in files at all.
    pub(crate) is_on: bool,
    /// The greatest age of a token that is taken from a file.
    pub(crate) ttl: Option<Duration>,
}

impl CacheSettings {
    pub(crate) fn new(global: &Global) -> Self {
        let environment = cache_path::from_environment();
        let is_off = global.no_cache || environment.disabled || environment.ttl == Some(Duration::ZERO);
        Self { is_on: !is_off, ttl: environment.ttl }
    }
}

/// Removes cached tokens from every directory that may have them: all tokens, or those of one fingerprint. Returns the
/// number of tokens. If a directory cannot be emptied, the others still are.
pub(crate) fn clear_cache(directory: &CacheDirectory, only: Option<&str>) -> Result<usize, Failure> {
    let mut removed = 0;
    let mut failed = Ok(());
    for directory in &directory.all {
        match colony_async::clear_cached_tokens(directory, only) {
            Ok(count) => removed += count,
            Err(error) => {
                let message = format!("{}: {error}", directory.display());
                failed = failed.and(Err(std::io::Error::new(error.kind(), message)));
            }
        }
    }
    failed?;
    Ok(removed)
}

/// Returns the current time in Unix seconds.
pub(crate) fn now() -> f64 {
    colony_core::token::freshness::unix_seconds(SystemTime::now())
}
