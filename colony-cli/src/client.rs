//! The client of a command, from its options and the environment.

use std::{fs, io::Read as _, path::PathBuf, time::SystemTime};

use colony_async::Client;
use colony_core::{Error, ErrorKind, token::cache_path};
use secrecy::SecretString;

use crate::{args::Global, failure::Failure};

/// Where the key came from.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    Environment,
    File(PathBuf),
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str("COLONY_API_KEY"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The API key, from `--api-key-file` or `COLONY_API_KEY`.
pub(crate) fn api_key(global: &Global) -> Result<Option<(SecretString, KeySource)>, Failure> {
    if let Some(path) = &global.api_key_file {
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("--api-key-file {}: {error}", path.display())))?;
        return Ok(Some((text.trim().to_owned().into(), KeySource::File(path.clone()))));
    }
    match std::env::var("COLONY_API_KEY") {
        Ok(key) if !key.trim().is_empty() => Ok(Some((key.trim().to_owned().into(), KeySource::Environment))),
        _ => Ok(None),
    }
}

/// A client. Without a key it can still make the calls that need none.
pub(crate) fn client(global: &Global) -> Result<Client, Failure> {
    Ok(builder(global)?.build()?)
}

pub(crate) fn builder(global: &Global) -> Result<colony_async::Builder, Failure> {
    let mut builder = match api_key(global)? {
        Some((key, _)) => colony_async::Builder::new(Some(key)),
        None => colony_async::Builder::new(None),
    };
    if let Some(url) = &global.base_url {
        builder = builder.base_url(url);
    }
    if let Ok(code) = std::env::var("COLONY_TOTP") {
        builder = builder.totp(code);
    }
    let name = concat!("colony-cli/", env!("CARGO_PKG_VERSION"));
    Ok(builder.timeout(global.timeout).cache_token(!global.no_cache).user_agent(name))
}

/// The base URL in use.
pub(crate) fn base_url(global: &Global) -> String {
    let url =
        global.base_url.as_deref().filter(|url| !url.is_empty()).unwrap_or(colony_core::DEFAULT_BASE_URL);
    cache_path::normalise_base_url(url).to_owned()
}

/// The cache directory, or why there is none.
pub(crate) fn cache_directory() -> Result<PathBuf, Failure> {
    cache_path::from_environment().directory.ok_or_else(|| {
        let message = "no cache directory can be told: set COLONY_SDK_TOKEN_CACHE_DIR or HOME";
        Error::build(ErrorKind::Config, message).finish().into()
    })
}

/// Unix seconds now.
pub(crate) fn now() -> f64 {
    colony_core::token::freshness::unix_seconds(SystemTime::now())
}

/// An argument that may be text, `-` for stdin or `@FILE`.
pub(crate) fn text_argument(name: &str, given: &str) -> Result<String, Failure> {
    if given == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    match given.strip_prefix('@') {
        Some(path) => {
            fs::read_to_string(path).map_err(|error| Failure::usage(format!("{name} {given}: {error}")))
        }
        None => Ok(given.to_owned()),
    }
}
