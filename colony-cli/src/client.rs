//! The client of a command: from its options, the environment and the profile.

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

/// Names the profile, when `--profile` does not.
const PROFILE_VARIABLE: &str = "COLONY_PROFILE";

/// Where the key came from.
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
    /// Of the proxy that this command was given, which takes its word for a key.
    Proxy,
}

/// A key, or the program that prints it.
pub(crate) enum Found {
    Key(SecretString, KeySource),
    Command(KeyCommand, KeySource),
}

impl Found {
    /// Whether a profile has it.
    pub(crate) fn is_of_profile(&self) -> bool {
        matches!(self, Self::Command(..) | Self::Key(_, KeySource::Profile { .. }))
    }

    /// The key, for which the program is run if there is one.
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
    /// `None`: there is none of this name.
    pub(crate) profile: Option<Profile>,
    /// `None`: no directory for profiles can be told, and none was asked for.
    pub(crate) profiles: Option<Profiles>,
}

/// The profile of `--profile`, else of `COLONY_PROFILE`, else the one switched to, else the one called `default`.
pub(crate) fn chosen(global: &Global) -> Result<Chosen, Failure> {
    let profiles = Profiles::from_environment();
    let name = profile_name(global, profiles.as_ref().ok());
    match profiles {
        Ok(profiles) => Ok(Chosen { profile: profiles.read(&name)?, name, profiles: Some(profiles) }),
        Err(failure) if named(global).is_some() => Err(failure),
        Err(_) => Ok(Chosen { name, profile: None, profiles: None }),
    }
}

/// The name of that profile.
pub(crate) fn profile_name(global: &Global, profiles: Option<&Profiles>) -> String {
    let current = || profiles?.current();
    named(global).or_else(current).unwrap_or_else(|| profile::DEFAULT.to_owned())
}

/// The profile that was asked for by name.
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
    /// The profiles, for commands that write one.
    pub(crate) fn profiles(&self) -> Result<Profiles, Failure> {
        self.profiles.clone().map_or_else(Profiles::from_environment, Ok)
    }

    /// The profile, where a command needs one that is there.
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

    /// The key that the profile keeps, or the program that prints it.
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

/// The API key, for commands that need it in any case.
pub(crate) fn api_key(global: &Global) -> Result<Option<(SecretString, KeySource)>, Failure> {
    find_key(global)?.map(Found::key).transpose()
}

/// Where the API key comes from: `--api-key-file`, the profile that `--profile` names, `COLONY_API_KEY`, or the
/// profile in use.
pub(crate) fn find_key(global: &Global) -> Result<Option<Found>, Failure> {
    if let Some(path) = &global.api_key_file {
        // Once: a pipe has nothing left the second time.
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

/// Whether requests go to the proxy that `colony exec --proxy` gave to the command that this is part of.
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

/// Whether a profile that cannot be read does not matter: nobody asked for it by name, key and address do not come from
/// it, and it sets no limits.
pub(crate) fn does_without_profile(global: &Global) -> Result<bool, Failure> {
    let has_key = global.api_key_file.is_some() || environment_key()?.is_some();
    if named(global).is_some() || !has_key || given_base_url(global).is_none() {
        return Ok(false);
    }
    let sets_limits = |profiles: Profiles| profiles.may_have_policy(&profile_name(global, Some(&profiles)));
    Ok(!Profiles::from_environment().is_ok_and(sets_limits))
}

/// A key goes only to the service it was given for.
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

/// A client. Without a key it can still make the calls that need none.
pub(crate) fn client(global: &Global) -> Result<Client, Failure> {
    Ok(builder(global)?.build()?)
}

pub(crate) fn builder(global: &Global) -> Result<colony_async::Builder, Failure> {
    let policy = policy::policy(global)?;
    let builder = match find_key(global)? {
        // Only a call with a token needs it. A client that asks once more had a login refused.
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

/// A builder with this key.
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
    // What a proxy gives in a token's place ends with it.
    let is_cached = !global.no_cache && !is_proxied(global);
    Ok(builder.timeout(global.timeout).cache_token(is_cached).user_agent(USER_AGENT))
}

/// What the command line calls itself.
pub(crate) const USER_AGENT: &str = concat!("colony-cli/", env!("CARGO_PKG_VERSION"));

fn given_base_url(global: &Global) -> Option<&str> {
    global.base_url.as_deref().filter(|url| !url.is_empty())
}

/// The base URL in use: as given, else that of the profile, else the service's. A key that is not a profile's
/// goes to a profile's service only when the profile was named.
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

/// The settings of the cache in force.
pub(crate) struct CacheSettings {
    /// Whether tokens go into files at all.
    pub(crate) is_on: bool,
    /// The greatest age of a token that is taken from one.
    pub(crate) ttl: Option<Duration>,
}

impl CacheSettings {
    pub(crate) fn new(global: &Global) -> Self {
        let environment = cache_path::from_environment();
        let is_off = global.no_cache || environment.disabled || environment.ttl == Some(Duration::ZERO);
        Self { is_on: !is_off, ttl: environment.ttl }
    }
}

/// Removes what is cached, in every directory where it may be: everything, or what belongs to a fingerprint. Returns
/// the number of tokens. A directory that cannot be emptied does not spare the others.
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

/// Unix seconds now.
pub(crate) fn now() -> f64 {
    colony_core::token::freshness::unix_seconds(SystemTime::now())
}
