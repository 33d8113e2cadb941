//! The OpenID provider as the commands use it: found by its discovery document, and asked once for each reply.

use std::{future::Future, path::PathBuf, time::Duration};

use colony_async::credential::{
    ClientAuth, CredentialId, CredentialStore, ProviderLogin, RotatingCredential, default_directory,
};
use colony_core::{Error, ErrorKind, base_url::site_root, openid::discovery::Provider};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    args::Global,
    client::Chosen,
    failure::Failure,
    input::{self, tidy},
    profile::{self, OpenIdLogin},
    signals::Hold,
    waiting,
};

/// The variable with the app's secret; takes precedence over the file that the profile names.
const SECRET_VARIABLE: &str = "COLONY_CLIENT_SECRET";

/// A provider and its client app.
pub(super) struct OpenId {
    pub(super) login: ProviderLogin,
    /// The time limit of one request.
    timeout: Duration,
}

impl OpenId {
    /// Fetches the provider's discovery document.
    pub(super) async fn discover(global: &Global, login: &OpenIdLogin) -> Result<Self, Failure> {
        let mut builder = ProviderLogin::builder(&login.issuer, &login.client_id).timeout(global.timeout);
        if let Some(path) = &global.ca_file {
            builder = builder.ca_file(path);
        }
        if let Some(secret) = client_secret(login)? {
            builder = builder.client_secret(secret);
        }
        let _waiting = waiting::provider(global.timeout);
        let login = builder.discover().await.map_err(|error| match error.kind() {
            ErrorKind::Config if error.hint().is_some() => {
                Failure::advised(error, "Give the issuer exactly as in its discovery document: --issuer")
            }
            _ => error.into(),
        })?;
        Ok(Self { login, timeout: global.timeout })
    }

    pub(super) fn provider(&self) -> &Provider {
        self.login.provider()
    }

    /// Fetches the account of this access token. `None` if the provider has no such endpoint.
    pub(super) async fn userinfo(&self, token: &SecretString) -> Result<Option<Value>, Failure> {
        let _waiting = waiting::provider(self.timeout);
        self.login.userinfo(token).await.map_err(refused)
    }

    /// Returns a token source over a store. `settle` is how long to leave a token alone after a refresh with an
    /// unknown outcome, if given.
    pub(super) fn rotating(
        &self,
        global: &Global,
        store: CredentialStore,
        settle: Option<Duration>,
    ) -> RotatingCredential {
        let mut builder = RotatingCredential::builder(store)
            .client_auth(self.login.client_auth().clone())
            .timeout(global.timeout)
            .keep_alive(true);
        if let Some(path) = &global.ca_file {
            builder = builder.ca_file(path);
        }
        if let Some(settle) = settle {
            builder = builder.settle(settle);
        }
        match &self.provider().introspection_endpoint {
            // Only an app with a secret gets a reply (RFC 7662, section 2.1).
            Some(url) if !matches!(self.login.client_auth(), ClientAuth::None) => {
                builder.introspection_endpoint(url.as_str())
            }
            _ => builder,
        }
        .build()
    }
}

/// Returns the time limit of a refresh, including the time to store its reply.
pub(super) fn limit(global: &Global) -> Duration {
    global.timeout.saturating_add(Duration::from_secs(5))
}

/// Runs a refresh. If a signal arrives in the meantime, nothing more is sent, and the reply to a sent request is
/// stored.
pub(super) async fn guarded<T>(
    hold: &Hold,
    rotating: &RotatingCredential,
    refresh: impl Future<Output = colony_core::Result<T>>,
) -> colony_core::Result<T> {
    let mut refresh = std::pin::pin!(refresh);
    tokio::select! {
        outcome = &mut refresh => outcome,
        () = hold.arrived() => {
            rotating.close().await;
            refresh.await
        }
    }
}

/// Returns the error with the profile's name in the commands that it suggests.
pub(super) fn for_profile(error: &Error, name: &str) -> Error {
    let hint = error.hint().unwrap_or_default();
    if name == profile::DEFAULT || !hint.contains("colony auth") {
        return error.clone();
    }
    let mut named = Error::build(error.kind(), error.message().to_owned())
        .hint(hint.replace("colony auth", &format!("colony --profile {name} auth")))
        .source(error.clone());
    if let Some(operation) = error.operation() {
        named = named.operation(operation);
    }
    if let Some(status) = error.status() {
        named = named.status(status);
    }
    if let Some(code) = error.code() {
        named = named.code(code);
    }
    if let Some(wait) = error.retry_after() {
        named = named.retry_after(wait);
    }
    named.finish()
}

/// Returns the failure of a login at a provider, with the command to type.
pub(super) fn refused(error: Error) -> Failure {
    let advice = match error.code() {
        Some("invalid_client") => "Give the app's secret with --client-secret-file or COLONY_CLIENT_SECRET",
        Some("expired_token") => "Start again: `colony auth login --device`",
        _ if error.kind() == ErrorKind::Config && error.operation() == Some("device_login") => {
            "Log in elsewhere and bring the refresh token: `colony auth login --with-refresh-token`"
        }
        _ => return error.into(),
    };
    Failure::advised(error, advice)
}

/// Returns the login at a provider that a profile remembers.
pub(super) fn login_of(chosen: &Chosen) -> Result<Option<OpenIdLogin>, Failure> {
    Ok(chosen.existing()?.and_then(|profile| profile.openid.clone()))
}

/// Returns the store for the tokens of a profile's login: the directory that programs look in for the default profile;
/// a directory below it for any other, since several users may log in with the same app.
pub(crate) fn store(name: &str, login: &OpenIdLogin) -> Result<CredentialStore, Failure> {
    let mut directory = default_directory()?;
    if name != profile::DEFAULT {
        directory = directory.join("profiles").join(name);
    }
    store_in(directory, login)
}

/// Returns a login's token store in a directory, or in the keyring if that was chosen.
pub(super) fn store_in(
    directory: impl Into<PathBuf>,
    login: &OpenIdLogin,
) -> Result<CredentialStore, Failure> {
    profile::kept_in(login.storage, CredentialStore::in_directory(directory, id(login)))
}

/// Returns the directory for unconfirmed refresh tokens, beside a profile's store.
pub(super) fn staging(store: &CredentialStore) -> PathBuf {
    store.file().parent().map(|directory| directory.join("login")).unwrap_or_default()
}

pub(super) fn id(login: &OpenIdLogin) -> CredentialId {
    CredentialId::new(&login.issuer, &login.client_id)
}

/// Returns the issuer that belongs to a base URL.
pub(super) fn issuer_of(base_url: &str) -> String {
    site_root(base_url).to_owned()
}

fn client_secret(login: &OpenIdLogin) -> Result<Option<SecretString>, Failure> {
    if let Ok(secret) = std::env::var(SECRET_VARIABLE)
        && !tidy(&secret).is_empty()
    {
        return Ok(Some(tidy(&secret).to_owned().into()));
    }
    let Some(path) = &login.client_secret_file else { return Ok(None) };
    let text = input::file("--client-secret-file", path)?;
    Ok(Some(tidy(&text).to_owned().into()))
}
