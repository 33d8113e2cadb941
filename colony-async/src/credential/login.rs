//! A person's login at a provider: in a browser on this machine, or with a device code on any other.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use colony_core::{
    Error, ErrorKind, Result,
    credential::{Credential, CredentialId, grant::ClientAuth},
    openid::{
        authorization::{self, Authorization},
        discovery::{self, Provider, Refused},
    },
};
use http::{HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{
    body,
    connections::{self, Connections},
    sender::root_cause,
    time::{SystemTimer, Timer, unix},
    tls::Certificates,
};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const DEVICE: &str = "device_login";
/// The pause between two polls if the provider names none (RFC 8628, section 3.2).
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);
/// The time that `slow_down` adds to the pause (section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The shortest pause, whatever the provider says.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest pause after trouble with the network.
const LONGEST: Duration = Duration::from_secs(60);
/// The lifetime of a device code if the provider names none.
const LIFETIME: Duration = Duration::from_secs(900);
/// The largest reply that is read, in bytes.
const MAX_REPLY: usize = 256 * 1024;
/// The time limit for opening a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A provider that a person can log in at, and the app that requests the login.
///
/// ```no_run
/// use colony_async::credential::{CredentialStore, ProviderLogin};
///
/// # async fn example() -> colony_async::Result<()> {
/// let provider = ProviderLogin::builder("https://thecolony.ai", "colony_app").discover().await?;
/// let mut device = provider.device("openid profile offline_access").await?;
/// println!("Open {} and enter {}", device.verification_uri(), device.user_code());
/// let credential = device.wait().await?;
/// CredentialStore::new(provider.id().clone())?.save(&credential).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ProviderLogin {
    connections: Connections,
    provider: Arc<Provider>,
    id: CredentialId,
    auth: ClientAuth,
    timer: Arc<dyn Timer>,
}

/// The settings of a [`ProviderLogin`].
#[must_use]
pub struct ProviderLoginBuilder {
    id: CredentialId,
    secret: Option<SecretString>,
    timeout: Duration,
    proxy: Option<String>,
    ca_file: Option<PathBuf>,
    timer: Arc<dyn Timer>,
}

impl ProviderLoginBuilder {
    /// Sets the app's secret; none for a public client. It is sent in the header unless the provider accepts it only
    /// in the form.
    pub fn client_secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets the time limit of one request: 30 s unless set.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the proxy, in place of the environment's.
    pub fn proxy(mut self, proxy: impl Into<String>) -> Self {
        self.proxy = Some(proxy.into());
        self
    }

    /// Trusts the certificate authorities in this PEM file in addition to the system's.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Uses this clock and its pauses. For tests.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Reads the provider's discovery document. A provider without one (404) has a token endpoint only.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) for a document that cannot be trusted (see [`discovery`]), and for settings that
    /// cannot be used; [`Network`](ErrorKind::Network) without a reply; otherwise the provider's error.
    pub async fn discover(self) -> Result<ProviderLogin> {
        let issuer = self.id.issuer.clone();
        let not_believed = |why: Refused| {
            Error::build(ErrorKind::Config, format!("the provider {issuer} is not used: {why}"))
                .hint("Give the issuer exactly as in its discovery document")
                .finish()
        };
        // An issuer that cannot be trusted is refused before anything is sent.
        let bare = Provider::without_document(&issuer).map_err(not_believed)?;
        let settings = connections::Settings {
            timeout: Some(self.timeout),
            connect_timeout: CONNECT_LIMIT.min(self.timeout),
            proxy: self.proxy,
            certificates: Certificates { authorities: self.ca_file, own: None },
            https_only: false,
            // No redirects: the requests carry secrets, and addresses come from the document alone.
            single_use: true,
        };
        let connections = Connections::new(settings, &bare.token_endpoint)?;
        let address = format!("{issuer}{}", discovery::PATH);
        let url = Url::parse(&address).map_err(|_| not_believed(Refused::IssuerUnusable))?;
        let answer = send(connections.to(&url)?.get(url), &address).await?;
        let provider = match answer.status {
            200 => Provider::read(&issuer, &answer.body).map_err(not_believed)?,
            404 => bare,
            status => {
                let error = Error::from_oauth_reply(discovery::OPERATION, status, &answer.body);
                return Err(error.without_body().finish());
            }
        };
        let auth = match (self.secret, &provider.token_endpoint_auth_methods_supported) {
            (None, _) => ClientAuth::None,
            // The default where the provider does not name its methods is Basic (OpenID Connect Discovery, section
            // 3).
            (Some(secret), Some(methods)) if !methods.iter().any(|known| known == "client_secret_basic") => {
                ClientAuth::Post(secret)
            }
            (Some(secret), _) => ClientAuth::Basic(secret),
        };
        Ok(ProviderLogin { connections, provider: Arc::new(provider), id: self.id, auth, timer: self.timer })
    }
}

impl fmt::Debug for ProviderLoginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderLoginBuilder").field("id", &self.id).finish_non_exhaustive()
    }
}

impl ProviderLogin {
    /// Creates a builder for an issuer and the app's client id.
    pub fn builder(issuer: impl Into<String>, client_id: impl Into<String>) -> ProviderLoginBuilder {
        ProviderLoginBuilder {
            id: CredentialId::new(issuer, client_id),
            secret: None,
            timeout: Duration::from_secs(30),
            proxy: None,
            ca_file: None,
            timer: Arc::new(SystemTimer),
        }
    }

    /// Returns the provider's description of itself.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Returns the id of the credentials that these logins produce.
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    /// Returns how the app authenticates, for [`RotatingBuilder::client_auth`](super::RotatingBuilder::client_auth).
    pub fn client_auth(&self) -> &ClientAuth {
        &self.auth
    }

    /// Begins a login in any browser ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) for a provider without the device flow; [`Network`](ErrorKind::Network) without
    /// a reply; otherwise the provider's error, for example [`Auth`](ErrorKind::Auth) with `invalid_client`.
    pub async fn device(&self, scope: &str) -> Result<DeviceLogin> {
        let Some(url) = &self.provider.device_authorization_endpoint else {
            let message = format!("the provider {} has no device flow", self.provider.issuer);
            return Err(Error::build(ErrorKind::Config, message)
                .operation(DEVICE)
                .hint("Log in elsewhere and bring the refresh token")
                .finish());
        };
        let answer = self.post(url, &[("scope", scope)]).await?;
        if answer.status != 200 {
            return Err(refusal(DEVICE, &answer));
        }
        let begun: Begun = serde_json::from_slice(&answer.body).map_err(|_| {
            // The message quotes nothing of the reply, which may contain the code.
            let message = "the provider's reply to the device request lacks a required field";
            Error::build(ErrorKind::Decode, message).operation(DEVICE).finish()
        })?;
        let pause = seconds(begun.interval).unwrap_or(DEFAULT_PAUSE).max(SHORTEST);
        let lifetime = seconds(begun.expires_in).unwrap_or(LIFETIME);
        Ok(DeviceLogin { provider: self.clone(), begun, lifetime, pause, waited: Duration::ZERO })
    }

    /// Begins a login in a browser on this machine that redirects to this address: a loopback address with a port
    /// that was free (RFC 8252, section 7.3).
    ///
    /// # Errors
    ///
    /// As [`Authorization::new`].
    pub fn authorization(&self, redirect_uri: &str, scope: &str) -> Result<Authorization> {
        Authorization::new(&self.provider, &self.id.client_id, redirect_uri, scope)
    }

    /// Exchanges the result of such a login, the query of the redirect address, for a credential. A request has one
    /// result: do not present another.
    ///
    /// # Errors
    ///
    /// As [`Authorization::read`], before anything is sent; and the provider's error.
    pub async fn redeem(&self, authorization: &Authorization, query: &str) -> Result<Credential> {
        let code = authorization.read(query)?;
        let sent = unix(&*self.timer);
        let answer = self.post(&self.provider.token_endpoint, &authorization.form(&code)).await?;
        if answer.status != 200 {
            return Err(refusal(authorization::OPERATION, &answer));
        }
        self.credential(&answer, sent)
    }

    /// Returns the account this access token belongs to, from the userinfo endpoint. `None` if the provider has no
    /// such endpoint.
    ///
    /// # Errors
    ///
    /// [`Network`](ErrorKind::Network) without a reply; otherwise the provider's error.
    pub async fn userinfo(&self, token: &SecretString) -> Result<Option<Value>> {
        let Some(url) = &self.provider.userinfo_endpoint else { return Ok(None) };
        let bearer = sensitive(&format!("Bearer {}", token.expose_secret()))?;
        let request = self.connections.to(url)?.get(url.clone()).header(header::AUTHORIZATION, bearer);
        let answer = send(request, url.as_str()).await?;
        if answer.status != 200 {
            return Err(refusal("userinfo", &answer));
        }
        serde_json::from_slice(&answer.body).map(Some).map_err(|error| {
            Error::build(ErrorKind::Decode, "the provider's userinfo is not JSON").source(error).finish()
        })
    }

    fn credential(&self, answer: &Answer, sent: f64) -> Result<Credential> {
        let endpoint = self.provider.token_endpoint.as_str();
        Credential::from_reply(self.id.clone(), endpoint, &answer.body, sent)
    }

    /// Returns the form with the app's credentials.
    fn form(&self, fields: &[(&str, &str)]) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        if !matches!(self.auth, ClientAuth::Basic(_)) {
            form.append_pair("client_id", &self.id.client_id);
        }
        if let ClientAuth::Post(secret) = &self.auth {
            form.append_pair("client_secret", secret.expose_secret());
        }
        form.finish()
    }

    /// Sends a form with the app's credentials.
    async fn post(&self, url: &Url, fields: &[(&str, &str)]) -> Result<Answer> {
        let mut request = self
            .connections
            .to(url)?
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(self.form(fields));
        if let Some(basic) = self.auth.header(&self.id.client_id) {
            request = request.header(header::AUTHORIZATION, sensitive(basic.expose_secret())?);
        }
        send(request, url.as_str()).await
    }
}

impl fmt::Debug for ProviderLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderLogin").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A login that waits for a person in a browser.
pub struct DeviceLogin {
    provider: ProviderLogin,
    begun: Begun,
    lifetime: Duration,
    pause: Duration,
    waited: Duration,
}

/// The provider's reply to the start of a device login.
#[derive(Deserialize)]
struct Begun {
    device_code: SecretString,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: Option<f64>,
    interval: Option<f64>,
}

impl DeviceLogin {
    /// Returns the code that the person enters. Untrusted text: print it on one line, without control characters.
    pub fn user_code(&self) -> &str {
        &self.begun.user_code
    }

    /// Returns the address that the person opens; untrusted text, as [`user_code`](Self::user_code) is.
    pub fn verification_uri(&self) -> &str {
        &self.begun.verification_uri
    }

    /// Returns an address that contains the code, if the provider gave one.
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.begun.verification_uri_complete.as_deref()
    }

    /// Returns how long the code is valid.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Waits until the person has decided.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask).
    pub async fn wait(&mut self) -> Result<Credential> {
        loop {
            self.pause().await;
            if let Some(credential) = self.ask().await? {
                return Ok(credential);
            }
        }
    }

    /// Waits until the provider can be polled again: 5 s unless it asks for another interval, longer after
    /// `slow_down` and after trouble with the network.
    pub async fn pause(&mut self) {
        self.provider.timer.sleep(self.pause).await;
        self.waited += self.pause;
    }

    /// Polls the provider once for the person's decision; `None` if there is none yet. The provider returns the
    /// credential only once: do not drop the future, and store its result.
    ///
    /// # Errors
    ///
    /// [`Auth`](ErrorKind::Auth) with the code `access_denied` when the person refused, or `expired_token` when the
    /// time is over; [`Network`](ErrorKind::Network) when the provider could not be reached until then; otherwise its
    /// error.
    pub async fn ask(&mut self) -> Result<Option<Credential>> {
        let sent = unix(&*self.provider.timer);
        let form = [("grant_type", DEVICE_GRANT), ("device_code", self.begun.device_code.expose_secret())];
        let answer = match self.provider.post(&self.provider.provider.token_endpoint, &form).await {
            Ok(answer) => answer,
            // Counted as trouble below, unless it lasts too long.
            Err(error) if error.is_network() && self.waited < self.lifetime => {
                self.pause = slower(&Poll::Trouble, self.pause);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match read(&answer) {
            Poll::Granted => self.provider.credential(&answer, sent).map(Some),
            Poll::Ended => Err(ended(&answer)),
            _ if self.waited >= self.lifetime => Err(expired()),
            poll => {
                self.pause = slower(&poll, self.pause);
                Ok(None)
            }
        }
    }
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLogin").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// The outcome of one poll.
#[derive(Debug, PartialEq, Eq)]
enum Poll {
    Granted,
    Pending,
    SlowDown,
    /// The outcome is unknown; the provider is polled again later.
    Trouble,
    Ended,
}

fn read(answer: &Answer) -> Poll {
    if answer.status == 200 {
        return Poll::Granted;
    }
    let error = Error::from_oauth_reply(DEVICE, answer.status, &answer.body).without_body().finish();
    match error.code() {
        Some("authorization_pending") => Poll::Pending,
        Some("slow_down") => Poll::SlowDown,
        _ if answer.status == 429 || answer.status >= 500 => Poll::Trouble,
        _ => Poll::Ended,
    }
}

/// Returns the pause before the next poll (section 3.5: 5 s more on `slow_down`, twice as long after trouble).
fn slower(poll: &Poll, pause: Duration) -> Duration {
    match poll {
        Poll::SlowDown => pause + SLOWER,
        Poll::Trouble => (pause * 2).min(LONGEST.max(pause)),
        _ => pause,
    }
}

fn ended(answer: &Answer) -> Error {
    let error = Error::from_oauth_reply(DEVICE, answer.status, &answer.body).without_body().finish();
    match error.code() {
        Some("expired_token") => expired(),
        Some("access_denied") => Error::build(ErrorKind::Auth, "the login was refused at the browser")
            .operation(DEVICE)
            .status(answer.status)
            .code("access_denied")
            .finish(),
        _ => refusal(DEVICE, answer),
    }
}

fn expired() -> Error {
    Error::build(ErrorKind::Auth, "the code was not entered in time")
        .operation(DEVICE)
        .code("expired_token")
        .hint("Start the login again")
        .finish()
}

/// A raw reply.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

async fn send(request: reqwest::RequestBuilder, url: &str) -> Result<Answer> {
    let network = |error: reqwest::Error| {
        // The address appears once, without its query.
        let error = error.without_url();
        let message = format!("no answer from {url}: {}", root_cause(&error));
        Error::build(ErrorKind::Network, message).source(error).finish()
    };
    let mut reply = request.send().await.map_err(network)?;
    let read = body::read(&mut reply, MAX_REPLY).await.map_err(network)?;
    if read.cut {
        return Err(Error::build(ErrorKind::Decode, format!("the answer from {url} is too large")).finish());
    }
    Ok(Answer { status: reply.status().as_u16(), body: read.bytes.into() })
}

/// Returns the error that an OAuth endpoint's reply represents.
fn refusal(operation: &'static str, answer: &Answer) -> Error {
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
            .hint("Give the app's secret, as the provider registered it")
            .finish(),
        _ => error,
    }
}

fn seconds(told: Option<f64>) -> Option<Duration> {
    told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        let message = "a token or secret has characters that no header can hold";
        Error::build(ErrorKind::InvalidArgument, message).finish()
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(status: u16, body: &str) -> Poll {
        read(&Answer { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn each_answer_means_one_thing() {
        assert_eq!(poll(200, "{}"), Poll::Granted);
        assert_eq!(poll(400, r#"{"error": "authorization_pending"}"#), Poll::Pending);
        assert_eq!(poll(428, r#"{"error": "authorization_pending"}"#), Poll::Pending);
        assert_eq!(poll(400, r#"{"error": "slow_down"}"#), Poll::SlowDown);
        for (status, body) in [(503, ""), (500, "<html>"), (429, "{}")] {
            assert_eq!(poll(status, body), Poll::Trouble);
        }
        for code in ["access_denied", "expired_token", "invalid_grant", "invalid_client"] {
            assert_eq!(poll(400, &format!(r#"{{"error": "{code}"}}"#)), Poll::Ended);
        }
        assert_eq!(poll(404, ""), Poll::Ended);
    }

    #[test]
    fn the_pause_only_grows() {
        let five = Duration::from_secs(5);
        assert_eq!(slower(&Poll::Pending, five), five);
        assert_eq!(slower(&Poll::SlowDown, five), Duration::from_secs(10));
        assert_eq!(slower(&Poll::Trouble, five), Duration::from_secs(10));
        assert_eq!(slower(&Poll::Trouble, Duration::from_secs(50)), Duration::from_secs(60));
        assert_eq!(slower(&Poll::Trouble, Duration::from_secs(100)), Duration::from_secs(100));
    }
}
