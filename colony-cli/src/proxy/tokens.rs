//! The sources of a proxy's tokens.

use colony_async::{Client, Transport as _, credential::RotatingCredential};
use colony_core::Result;
use futures_util::future::BoxFuture;
use secrecy::SecretString;

/// Provides a proxy with tokens. The proxy asks for each request; the source caches the token.
pub trait TokenSource: Send + Sync + 'static {
    /// Returns a valid token.
    fn token(&self) -> BoxFuture<'_, Result<SecretString>>;

    /// Returns a token other than one that this operation, a method and a path, refused with 401.
    fn other_than<'a>(
        &'a self,
        refused: &'a SecretString,
        operation: &'a str,
    ) -> BoxFuture<'a, Result<SecretString>>;
}

impl TokenSource for Box<dyn TokenSource> {
    fn token(&self) -> BoxFuture<'_, Result<SecretString>> {
        (**self).token()
    }

    fn other_than<'a>(
        &'a self,
        refused: &'a SecretString,
        operation: &'a str,
    ) -> BoxFuture<'a, Result<SecretString>> {
        (**self).other_than(refused, operation)
    }
}

/// The tokens of a client's login.
#[derive(Debug)]
pub struct ClientTokens(Client);

impl ClientTokens {
    /// Shares the client's login.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl TokenSource for ClientTokens {
    fn token(&self) -> BoxFuture<'_, Result<SecretString>> {
        Box::pin(self.0.transport().token())
    }

    fn other_than<'a>(
        &'a self,
        refused: &'a SecretString,
        operation: &'a str,
    ) -> BoxFuture<'a, Result<SecretString>> {
        Box::pin(self.0.transport().token_other_than(refused, operation))
    }
}

/// The tokens for another service, exchanged for a client's login.
#[derive(Debug)]
pub struct AudienceSource {
    client: Client,
    audience: String,
}

impl AudienceSource {
    /// Exchanges the client's login for tokens that the service with this client id accepts.
    pub fn new(client: Client, audience: impl Into<String>) -> Self {
        Self { client, audience: audience.into() }
    }
}

impl TokenSource for AudienceSource {
    fn token(&self) -> BoxFuture<'_, Result<SecretString>> {
        Box::pin(self.client.auth().audience(&self.audience).access_token())
    }

    fn other_than<'a>(
        &'a self,
        refused: &'a SecretString,
        _: &'a str,
    ) -> BoxFuture<'a, Result<SecretString>> {
        Box::pin(self.client.auth().audience(&self.audience).instead_of(refused.clone()).access_token())
    }
}

/// The access tokens of a login at an OpenID provider.
#[derive(Debug)]
pub struct CredentialTokens(RotatingCredential);

impl CredentialTokens {
    /// Shares the login.
    pub fn new(credential: RotatingCredential) -> Self {
        Self(credential)
    }
}

impl TokenSource for CredentialTokens {
    fn token(&self) -> BoxFuture<'_, Result<SecretString>> {
        Box::pin(self.0.token())
    }

    fn other_than<'a>(
        &'a self,
        refused: &'a SecretString,
        _: &'a str,
    ) -> BoxFuture<'a, Result<SecretString>> {
        Box::pin(self.0.token_other_than(refused))
    }
}
