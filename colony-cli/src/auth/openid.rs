//! The OpenID provider as the commands use it: found by its discovery document, asked once for each answer.

use std::{error::Error as _, future::Future, path::PathBuf, time::Duration};

use colony_async::credential::{
    ClientAuth, CredentialId, CredentialStore, RotatingCredential, default_directory,
};
use colony_core::{
    Error, ErrorKind,
    base_url::site_root,
    openid::discovery::{self, Provider, Refused},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::{
    args::Global,
    client::{self, Chosen},
    failure::Failure,
    input::{self, tidy},
    profile::{self, OpenIdLogin},
    signals::Hold,
    waiting,
};

/// Holds the app's secret, before the file that the profile names.
const SECRET_VARIABLE: &str = "COLONY_CLIENT_SECRET";
/// The largest reply that is read, in bytes.
const MAX_REPLY: usize = 256 * 1024;

/// A provider and the app that talks to it.
pub(super) struct OpenId {
    http: reqwest::Client,
    /// The limit of one request.
    timeout: Duration,
    pub(super) provider: Provider,
    client_id: String,
    auth: ClientAuth,
}

/// A reply as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl OpenId {
    /// Reads the provider's discovery document.
    pub(super) async fn discover(global: &Global, login: &OpenIdLogin) -> Result<Self, Failure> {
        // No redirects: what is sent here are secrets, and addresses come from the document alone.
        let mut builder = reqwest::Client::builder()
            .timeout(global.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(client::USER_AGENT);
        if let Some(path) = &global.ca_file {
            let unusable = |why: String| Failure::usage(format!("--ca-file {}: {why}", path.display()));
            let content = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
            let authorities = reqwest::Certificate::from_pem_bundle(&content);
            builder = builder.tls_certs_merge(authorities.map_err(|error| unusable(error.to_string()))?);
        }
        let http =
            builder.build().map_err(|error| config("no HTTP client can be made").source(error).finish())?;
        let url = format!("{}{}", login.issuer, discovery::PATH);
        // Refused before anything is sent.
        let bare =
            Provider::without_document(&login.issuer).map_err(|why| not_believed(&login.issuer, &why))?;
        let answer = send(http.get(&url), &url, global.timeout).await?;
        let provider = match answer.status {
            200 => Provider::read(&login.issuer, &answer.body),
            404 => Ok(bare),
            status => {
                let error =
                    Error::from_oauth_reply(discovery::OPERATION, status, &answer.body).without_body();
                return Err(error.finish().into());
            }
        };
        let provider = provider.map_err(|why| not_believed(&login.issuer, &why))?;
        let secret = client_secret(login)?;
        let auth = match (secret, &provider.token_endpoint_auth_methods_supported) {
            (None, _) => ClientAuth::None,
            // Basic is what a provider takes that does not say (OpenID Connect Discovery, section 3).
            (Some(secret), Some(methods)) if !methods.iter().any(|known| known == "client_secret_basic") => {
                ClientAuth::Post(secret)
            }
            (Some(secret), _) => ClientAuth::Basic(secret),
        };
        Ok(Self { http, timeout: global.timeout, provider, client_id: login.client_id.clone(), auth })
    }

    /// Sends a form in the app's name.
    pub(super) async fn post(&self, url: &Url, fields: &[(&str, &str)]) -> Result<Answer, Failure> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        match &self.auth {
            ClientAuth::Basic(_) => {}
            ClientAuth::Post(secret) => {
                body.append_pair("client_id", &self.client_id);
                body.append_pair("client_secret", secret.expose_secret());
            }
            _ => {
                body.append_pair("client_id", &self.client_id);
            }
        }
        let mut request = self
            .http
            .post(url.clone())
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(http::header::ACCEPT, "application/json")
            .body(body.finish());
        if let Some(header) = self.auth.header(&self.client_id) {
            request = request.header(http::header::AUTHORIZATION, sensitive(&header)?);
        }
        send(request, url.as_str(), self.timeout).await
    }

    /// Asks whose access token this is. `None` when the provider has no such endpoint.
    pub(super) async fn userinfo(&self, token: &SecretString) -> Result<Option<Value>, Failure> {
        let Some(url) = &self.provider.userinfo_endpoint else { return Ok(None) };
        let bearer = format!("Bearer {}", token.expose_secret()).into();
        let request = self.http.get(url.clone()).header(http::header::AUTHORIZATION, sensitive(&bearer)?);
        let answer = send(request, url.as_str(), self.timeout).await?;
        if answer.status == 200 {
            let read = serde_json::from_slice(&answer.body);
            return read.map(Some).map_err(|error| {
                Error::build(ErrorKind::Decode, "the provider's userinfo is not JSON")
                    .source(error)
                    .finish()
                    .into()
            });
        }
        Err(refusal("userinfo", &answer))
    }

    /// A token source over a store. `settle` is how long a token whose outcome is not known is left alone, where that
    /// was given.
    pub(super) fn rotating(
        &self,
        global: &Global,
        store: CredentialStore,
        settle: Option<Duration>,
    ) -> RotatingCredential {
        let mut builder = RotatingCredential::builder(store)
            .client_auth(self.auth.clone())
            .timeout(global.timeout)
            .keep_alive(true);
        if let Some(path) = &global.ca_file {
            builder = builder.ca_file(path);
        }
        if let Some(settle) = settle {
            builder = builder.settle(settle);
        }
        match &self.provider.introspection_endpoint {
            // Only an app with a secret is answered (RFC 7662, section 2.1).
            Some(url) if !matches!(self.auth, ClientAuth::None) => {
                builder.introspection_endpoint(url.as_str())
            }
            _ => builder,
        }
        .build()
    }
}

/// How long a refresh may take, its answer's storing included.
pub(super) fn limit(global: &Global) -> Duration {
    global.timeout.saturating_add(Duration::from_secs(5))
}

/// Refreshes. When a signal arrives meanwhile nothing more is sent, and what was sent is stored.
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

/// The error with a profile's name in the commands that it names.
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

/// The error that an OAuth endpoint's reply stands for.
pub(super) fn refusal(operation: &'static str, answer: &Answer) -> Failure {
    let error = Error::from_oauth_reply(operation, answer.status, &answer.body).without_body();
    let error = match answer.status {
        429 => error.kind(ErrorKind::RateLimit),
        401 | 403 => error.kind(ErrorKind::Auth),
        _ => error,
    };
    let error = error.finish();
    match error.code() {
        Some("invalid_client") => Error::build(ErrorKind::Auth, error.message().to_owned())
            .operation(operation)
            .status(answer.status)
            .code("invalid_client")
            .hint("Give the app's secret with --client-secret-file or COLONY_CLIENT_SECRET")
            .finish()
            .into(),
        _ => error.into(),
    }
}

/// The login at the provider that a profile remembers.
pub(super) fn login_of(chosen: &Chosen) -> Result<Option<OpenIdLogin>, Failure> {
    Ok(chosen.existing()?.and_then(|profile| profile.openid.clone()))
}

/// Where the tokens of a profile's login are kept: the directory that programs look in, for the default
/// profile; a directory below it for each other one, since the same app may be logged in as several users.
pub(crate) fn store(name: &str, login: &OpenIdLogin) -> Result<CredentialStore, Failure> {
    let mut directory = default_directory()?;
    if name != profile::DEFAULT {
        directory = directory.join("profiles").join(name);
    }
    store_in(directory, login)
}

/// The tokens of a login in a directory, or in the keyring, where that was chosen.
pub(super) fn store_in(
    directory: impl Into<PathBuf>,
    login: &OpenIdLogin,
) -> Result<CredentialStore, Failure> {
    profile::kept_in(login.storage, CredentialStore::in_directory(directory, id(login)))
}

/// Where refresh tokens are kept until they are confirmed, beside a profile's store.
pub(super) fn staging(store: &CredentialStore) -> PathBuf {
    store.file().parent().map(|directory| directory.join("login")).unwrap_or_default()
}

pub(super) fn id(login: &OpenIdLogin) -> CredentialId {
    CredentialId::new(&login.issuer, &login.client_id)
}

/// The issuer that belongs to a base URL.
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

async fn send(request: reqwest::RequestBuilder, url: &str, limit: Duration) -> Result<Answer, Failure> {
    let _waiting = waiting::provider(limit);
    let network = |error: reqwest::Error| {
        // The address is said once, and without what a query might hold.
        let error = error.without_url();
        let why = error.source().map(ToString::to_string).unwrap_or_default();
        let message = format!("no answer from {url}{}{why}", if why.is_empty() { "" } else { ": " });
        Failure::from(Error::build(ErrorKind::Network, message).source(error).finish())
    };
    let mut reply = request.send().await.map_err(network)?;
    let (status, mut body) = (reply.status().as_u16(), Vec::new());
    while let Some(chunk) = reply.chunk().await.map_err(network)? {
        if body.len() + chunk.len() > MAX_REPLY {
            let message = format!("the answer from {url} is too large");
            return Err(Error::build(ErrorKind::Decode, message).finish().into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

fn sensitive(text: &SecretString) -> Result<http::HeaderValue, Failure> {
    let mut value = http::HeaderValue::from_str(text.expose_secret())
        .map_err(|_| Failure::usage("a token or secret has characters that no header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn not_believed(issuer: &str, why: &Refused) -> Failure {
    let message = format!("the provider {issuer} is not used: {why}");
    config(&message).hint("Give the issuer as its own discovery document says it: --issuer").finish().into()
}

fn config(message: &str) -> colony_core::ErrorBuilder {
    Error::build(ErrorKind::Config, message)
}
