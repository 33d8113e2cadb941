//! Verifying an `id_token` (feature `id-token`).

use std::fmt;

use colony_core::{
    Result,
    openid::id_token::{Claims, Expected},
};

use crate::Http;

/// Verifies `id_token`s that were issued for one client id: see [`colony_async::IdTokenVerifier`], which this
/// is.
///
/// ```no_run
/// # fn example(id_token: &str) -> colony_blocking::Result<()> {
/// let client = colony_blocking::Client::anonymous().build()?;
/// let verifier = client.transport().id_token_verifier("colony_our-client-id");
/// println!("it is {}", verifier.verify(id_token)?.subject);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct IdTokenVerifier {
    http: Http,
    inner: colony_async::IdTokenVerifier,
}

impl IdTokenVerifier {
    pub(crate) fn new(http: Http, inner: colony_async::IdTokenVerifier) -> Self {
        Self { http, inner }
    }

    /// What a token has to say, for [`verify_as`](Self::verify_as): this issuer, this audience, no nonce.
    pub fn expected(&self) -> Expected {
        self.inner.expected()
    }

    /// Verifies a token of a login without a nonce, as an exchanged one is.
    ///
    /// # Errors
    ///
    /// As [`colony_async::IdTokenVerifier::verify`].
    pub fn verify(&self, token: &str) -> Result<Claims> {
        self.verify_as(token, &self.expected())
    }

    /// Verifies a token that has to say more, the nonce of a login for example.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_as(&self, token: &str, expected: &Expected) -> Result<Claims> {
        let (inner, token, expected) = (self.inner.clone(), token.to_owned(), expected.clone());
        self.http.wait(async move { inner.verify_as(&token, &expected).await })
    }
}

impl fmt::Debug for IdTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
