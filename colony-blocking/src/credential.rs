//! Rotating credentials for code without async: [`colony_async::credential`] with the same promises.
//!
//! ```no_run
//! use colony_blocking::credential::{CredentialId, CredentialStore, RotatingCredential};
//!
//! # fn main() -> colony_blocking::Result<()> {
//! let store = CredentialStore::new(CredentialId::new("https://thecolony.ai", "colony_app"))?;
//! let credential = RotatingCredential::start(RotatingCredential::builder(store))?;
//! let access_token = credential.token()?; // refreshed if that is due
//! # Ok(()) }
//! ```

use std::{sync::Arc, time::Duration};

use colony_async::credential as inner;
use colony_core::{Result, token::TokenDetails};
use secrecy::SecretString;

pub use crate::login::{DeviceLogin, ProviderLogin, ProviderLoginBuilder};
use crate::thread::Thread;

#[doc(inline)]
pub use colony_async::credential::{
    ClientAuth, Credential, CredentialId, CredentialStatus, Downgrade, Keeping, RotatingBuilder, Rotation,
    Unclear, Vault, default_directory, list,
};

/// Where one credential is kept. Settings are made on the async store, which [`over`](Self::over) takes; see
/// [`colony_async::credential::CredentialStore`].
#[derive(Debug, Clone)]
pub struct CredentialStore {
    inner: inner::CredentialStore,
    thread: Arc<Thread>,
}

impl CredentialStore {
    /// See [`colony_async::credential::CredentialStore::new`].
    ///
    /// # Errors
    ///
    /// As there, and [`Config`](colony_core::ErrorKind::Config) when no thread can be started.
    pub fn new(id: CredentialId) -> Result<Self> {
        Self::over(inner::CredentialStore::new(id)?)
    }

    /// The same store for code without async.
    ///
    /// # Errors
    ///
    /// [`Config`](colony_core::ErrorKind::Config) when no thread can be started.
    pub fn over(inner: inner::CredentialStore) -> Result<Self> {
        Ok(Self { inner, thread: Arc::new(Thread::start()?) })
    }

    /// The async store.
    pub fn inner(&self) -> &inner::CredentialStore {
        &self.inner
    }

    /// See [`colony_async::credential::CredentialStore::load`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn load(&self) -> Result<Option<Credential>> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.load().await })
    }

    /// See [`colony_async::credential::CredentialStore::save`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn save(&self, credential: &Credential) -> Result<()> {
        let (inner, credential) = (self.inner.clone(), credential.clone());
        self.thread.wait(async move { inner.save(&credential).await })
    }

    /// See [`colony_async::credential::CredentialStore::save_despite_downgrade`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn save_despite_downgrade(&self, credential: &Credential) -> Result<()> {
        let (inner, credential) = (self.inner.clone(), credential.clone());
        self.thread.wait(async move { inner.save_despite_downgrade(&credential).await })
    }

    /// See [`colony_async::credential::CredentialStore::remove`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn remove(&self) -> Result<Option<Credential>> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.remove().await })
    }

    /// See [`colony_async::credential::CredentialStore::adopt`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn adopt(&self) -> Result<bool> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.adopt().await })
    }

    /// See [`colony_async::credential::CredentialStore::status`].
    ///
    /// # Errors
    ///
    /// [`Config`](colony_core::ErrorKind::Config) when the thread is gone; was the process forked?
    pub fn status(&self) -> Result<CredentialStatus> {
        let inner = self.inner.clone();
        self.thread.wait(async move { Ok(inner.status().await) })
    }
}

/// Gives access tokens and refreshes them. See [`colony_async::credential::RotatingCredential`].
#[derive(Debug, Clone)]
pub struct RotatingCredential {
    inner: inner::RotatingCredential,
    thread: Arc<Thread>,
}

impl RotatingCredential {
    /// The settings of a token source over a store.
    pub fn builder(store: CredentialStore) -> RotatingBuilder {
        inner::RotatingCredential::builder(store.inner)
    }

    /// A token source with these settings, and its thread, on which background refreshes run too.
    ///
    /// # Errors
    ///
    /// [`Config`](colony_core::ErrorKind::Config) when no thread can be started.
    pub fn start(settings: RotatingBuilder) -> Result<Self> {
        Ok(Self { inner: settings.build(), thread: Arc::new(Thread::start()?) })
    }

    /// See [`colony_async::credential::RotatingCredential::token`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token(&self) -> Result<SecretString> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.token().await })
    }

    /// See [`colony_async::credential::RotatingCredential::token_details`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token_details(&self) -> Result<TokenDetails> {
        self.token_with_min_ttl(Duration::ZERO)
    }

    /// See [`colony_async::credential::RotatingCredential::token_with_min_ttl`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token_with_min_ttl(&self, min_ttl: Duration) -> Result<TokenDetails> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.token_with_min_ttl(min_ttl).await })
    }

    /// See [`colony_async::credential::RotatingCredential::token_other_than`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token_other_than(&self, rejected: &SecretString) -> Result<SecretString> {
        let (inner, rejected) = (self.inner.clone(), rejected.clone());
        self.thread.wait(async move { inner.token_other_than(&rejected).await })
    }

    /// See [`colony_async::credential::RotatingCredential::rotate`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn rotate(&self) -> Result<Rotation> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.rotate().await })
    }

    /// See [`colony_async::credential::RotatingCredential::settle`].
    ///
    /// # Errors
    ///
    /// [`Config`](colony_core::ErrorKind::Config) when the thread is gone; was the process forked?
    pub fn settle(&self) -> Result<()> {
        let inner = self.inner.clone();
        self.thread.wait(async move {
            inner.settle().await;
            Ok(())
        })
    }

    /// See [`colony_async::credential::RotatingCredential::close`].
    ///
    /// # Errors
    ///
    /// As [`settle`](Self::settle).
    pub fn close(&self) -> Result<()> {
        let inner = self.inner.clone();
        self.thread.wait(async move {
            inner.close().await;
            Ok(())
        })
    }

    /// See [`colony_async::credential::RotatingCredential::log_out`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn log_out(&self, revocation_endpoint: Option<&str>) -> Result<bool> {
        let (inner, endpoint) = (self.inner.clone(), revocation_endpoint.map(str::to_owned));
        self.thread.wait(async move { inner.log_out(endpoint.as_deref()).await })
    }
}
