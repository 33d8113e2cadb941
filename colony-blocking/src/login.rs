//! A person's login at a provider, without async.

use std::sync::Arc;

use colony_async::credential as inner;
use colony_core::{
    Result,
    credential::{Credential, CredentialId, grant::ClientAuth},
    openid::{authorization::Authorization, discovery::Provider},
};

#[doc(inline)]
pub use colony_async::credential::ProviderLoginBuilder;

use crate::thread::Thread;

/// A provider that a person can log in at, and the app that asks for it. See
/// [`colony_async::credential::ProviderLogin`].
///
/// ```no_run
/// use colony_blocking::credential::{CredentialStore, ProviderLogin};
///
/// # fn main() -> colony_blocking::Result<()> {
/// let provider = ProviderLogin::discover(ProviderLogin::builder("https://thecolony.ai", "colony_app"))?;
/// let device = provider.device("openid profile offline_access")?;
/// println!("Open {} and enter {}", device.verification_uri(), device.user_code());
/// let credential = device.wait()?;
/// CredentialStore::new(provider.id().clone())?.save(&credential)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ProviderLogin {
    inner: inner::ProviderLogin,
    thread: Arc<Thread>,
}

impl ProviderLogin {
    /// Begins with an issuer and the app's client id.
    pub fn builder(issuer: impl Into<String>, client_id: impl Into<String>) -> ProviderLoginBuilder {
        inner::ProviderLogin::builder(issuer, client_id)
    }

    /// See [`colony_async::credential::ProviderLoginBuilder::discover`].
    ///
    /// # Errors
    ///
    /// As there, and [`Config`](colony_core::ErrorKind::Config) when no thread can be started.
    pub fn discover(settings: ProviderLoginBuilder) -> Result<Self> {
        let thread = Arc::new(Thread::start()?);
        let inner = thread.wait(settings.discover())?;
        Ok(Self { inner, thread })
    }

    /// Returns what the provider says of itself.
    pub fn provider(&self) -> &Provider {
        self.inner.provider()
    }

    /// Returns whose credentials these logins bring.
    pub fn id(&self) -> &CredentialId {
        self.inner.id()
    }

    /// Returns how the app proves itself, for
    /// [`RotatingBuilder::client_auth`](colony_async::credential::RotatingBuilder::client_auth).
    pub fn client_auth(&self) -> &ClientAuth {
        self.inner.client_auth()
    }

    /// See [`colony_async::credential::ProviderLogin::device`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn device(&self, scope: &str) -> Result<DeviceLogin> {
        let (inner, scope) = (self.inner.clone(), scope.to_owned());
        let inner = self.thread.wait(async move { inner.device(&scope).await })?;
        Ok(DeviceLogin { inner, thread: Arc::clone(&self.thread) })
    }

    /// See [`colony_async::credential::ProviderLogin::authorization`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn authorization(&self, redirect_uri: &str, scope: &str) -> Result<Authorization> {
        self.inner.authorization(redirect_uri, scope)
    }

    /// See [`colony_async::credential::ProviderLogin::redeem`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn redeem(&self, authorization: Authorization, query: &str) -> Result<Credential> {
        let (inner, query) = (self.inner.clone(), query.to_owned());
        self.thread.wait(async move { inner.redeem(&authorization, &query).await })
    }
}

/// A login that waits for a person at a browser. See [`colony_async::credential::DeviceLogin`].
#[derive(Debug)]
pub struct DeviceLogin {
    inner: inner::DeviceLogin,
    thread: Arc<Thread>,
}

impl DeviceLogin {
    /// Returns the code that the person enters.
    pub fn user_code(&self) -> &str {
        self.inner.user_code()
    }

    /// Returns the address that the person opens.
    pub fn verification_uri(&self) -> &str {
        self.inner.verification_uri()
    }

    /// Returns an address with the code in it, where the provider gave one.
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.inner.verification_uri_complete()
    }

    /// Waits until the person has decided. See [`colony_async::credential::DeviceLogin::wait`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn wait(self) -> Result<Credential> {
        let Self { mut inner, thread } = self;
        thread.wait(async move { inner.wait().await })
    }
}
