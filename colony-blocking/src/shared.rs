//! Shared tokens for code without async: [`colony_async::SharedToken`] with the same promises.

use std::{path::PathBuf, sync::Arc, time::Duration};

use colony_async as inner;
use colony_core::{
    Error, ErrorKind, Result,
    token::{TokenDetails, TokenName},
};
use secrecy::SecretString;

use crate::thread::Thread;

#[doc(inline)]
pub use colony_async::{Minted, SharedTokenStatus};

/// A token that every program of this user on this host shares; see [`colony_async::SharedToken`].
///
/// ```no_run
/// use colony_blocking::{Minted, SharedToken, TokenName};
///
/// # fn fetch() -> colony_blocking::Result<String> { Ok(String::new()) }
/// # fn main() -> colony_blocking::Result<()> {
/// let source = SharedToken::builder(TokenName::new("fctl").part("org", "acme"))
///     .mint(|| Ok(Minted::new(fetch()?)))
///     .build()?;
/// let token = source.token()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SharedToken {
    inner: inner::SharedToken,
    thread: Arc<Thread>,
}

impl SharedToken {
    /// See [`colony_async::SharedToken::builder`].
    pub fn builder(name: TokenName) -> SharedTokenBuilder {
        SharedTokenBuilder(inner::SharedToken::builder(name))
    }

    /// See [`colony_async::SharedToken::token`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token(&self) -> Result<SecretString> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.token().await })
    }

    /// See [`colony_async::SharedToken::token_details`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token_details(&self) -> Result<TokenDetails> {
        self.token_with_min_ttl(Duration::ZERO)
    }

    /// See [`colony_async::SharedToken::token_with_min_ttl`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token_with_min_ttl(&self, min_ttl: Duration) -> Result<TokenDetails> {
        let inner = self.inner.clone();
        self.thread.wait(async move { inner.token_with_min_ttl(min_ttl).await })
    }

    /// See [`colony_async::SharedToken::token_other_than`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token_other_than(&self, rejected: &SecretString) -> Result<SecretString> {
        let (inner, rejected) = (self.inner.clone(), rejected.clone());
        self.thread.wait(async move { inner.token_other_than(&rejected).await })
    }

    /// See [`colony_async::SharedToken::token_other_than_for`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn token_other_than_for(&self, rejected: &SecretString, operation: &str) -> Result<SecretString> {
        let (inner, rejected, operation) = (self.inner.clone(), rejected.clone(), operation.to_owned());
        self.thread.wait(async move { inner.token_other_than_for(&rejected, &operation).await })
    }

    /// See [`colony_async::SharedToken::forget`].
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) in a forked child.
    pub fn forget(&self) -> Result<()> {
        let inner = self.inner.clone();
        self.thread.wait(async move {
            inner.forget().await;
            Ok(())
        })
    }

    /// See [`colony_async::SharedToken::status`].
    pub fn status(&self) -> SharedTokenStatus {
        self.inner.status()
    }
}

/// Settings of a [`SharedToken`]; see [`colony_async::SharedTokenBuilder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SharedTokenBuilder(inner::SharedTokenBuilder);

impl SharedTokenBuilder {
    /// Sets the function that fetches a token. It may block.
    pub fn mint(self, fetch: impl Fn() -> Result<Minted> + Send + Sync + 'static) -> Self {
        let fetch = Arc::new(fetch);
        Self(self.0.mint(move || {
            let fetch = Arc::clone(&fetch);
            async move {
                tokio::task::spawn_blocking(move || fetch()).await.unwrap_or_else(|_| {
                    Err(Error::build(ErrorKind::Config, "the function that fetches tokens panicked").finish())
                })
            }
        }))
    }

    /// See [`colony_async::SharedTokenBuilder::ttl`].
    pub fn ttl(self, age: Duration) -> Self {
        Self(self.0.ttl(age))
    }

    /// See [`colony_async::SharedTokenBuilder::directory`].
    pub fn directory(self, directory: impl Into<PathBuf>) -> Self {
        Self(self.0.directory(directory))
    }

    /// See [`colony_async::SharedTokenBuilder::token_store`].
    pub fn token_store(self, url: impl Into<SecretString>) -> Self {
        Self(self.0.token_store(url))
    }

    /// See [`colony_async::SharedTokenBuilder::refresh_ahead`].
    pub fn refresh_ahead(self, on: bool) -> Self {
        Self(self.0.refresh_ahead(on))
    }

    /// See [`colony_async::SharedTokenBuilder::ignore_cool_down`].
    pub fn ignore_cool_down(self, on: bool) -> Self {
        Self(self.0.ignore_cool_down(on))
    }

    /// See [`colony_async::SharedTokenBuilder::deadline`].
    pub fn deadline(self, limit: Duration) -> Self {
        Self(self.0.deadline(limit))
    }

    /// See [`colony_async::SharedTokenBuilder::seed`].
    pub fn seed(self, token: Minted) -> Self {
        Self(self.0.seed(token))
    }

    /// Uses this clock and these pauses. For tests.
    pub fn timer(self, timer: impl inner::time::Timer) -> Self {
        Self(self.0.timer(timer))
    }

    /// See [`colony_async::SharedTokenBuilder::build`].
    ///
    /// # Errors
    ///
    /// As there, and [`Config`](ErrorKind::Config) when no thread can be started.
    pub fn build(self) -> Result<SharedToken> {
        Ok(SharedToken { inner: self.0.build()?, thread: Arc::new(Thread::start()?) })
    }
}
