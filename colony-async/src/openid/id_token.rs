//! Verification of an `id_token` with the provider's published keys (feature `id-token`).

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use colony_core::{
    Error, ErrorKind, Result,
    openid::{
        self,
        id_token::{Claims, Expected, Refused, Unverified},
        keys::{self, Key, KeySet},
    },
    retry::RetryPolicy,
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::{
    Discovery,
    memo::{self, Fetched, Memo},
    send,
};
use crate::{
    sender::Sender,
    time::{Timer, unix},
};

const TARGET: &str = "colony::openid";

/// Verifies `id_token`s that a client's site issued for one client id.
///
/// From [`Http::id_token_verifier`](crate::Http::id_token_verifier); clones are cheap and share the keys. The keys
/// are fetched when the first token is verified, and trusted for an [hour](keys::TTL). They are fetched again for a
/// token that names a missing key, but at most once in a [minute](keys::LEAST_INTERVAL), whatever tokens arrive.
///
/// A token is refused if it is not signed with RS256 by such a key, comes from another issuer, is not for this client
/// alone, has expired, is not valid yet, or contains another nonce: see
/// [`Refused`](colony_core::openid::id_token::Refused).
///
/// ```no_run
/// # async fn example(id_token: &str) -> colony_async::Result<()> {
/// // A service that agents sign in to needs no account, only its client id.
/// let client = colony_async::Client::anonymous().build()?;
/// let verifier = client.transport().id_token_verifier("colony_our-client-id");
///
/// let claims = verifier.verify(id_token).await?;
/// println!("it is {} ({:?})", claims.subject, claims.preferred_username);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct IdTokenVerifier {
    keys: Arc<Keys>,
    timer: Arc<dyn Timer>,
    audience: String,
}

impl IdTokenVerifier {
    pub(crate) fn new(keys: Arc<Keys>, timer: Arc<dyn Timer>, audience: String) -> Self {
        Self { keys, timer, audience }
    }

    /// Returns the expected claims, for [`verify_as`](Self::verify_as): this issuer, this audience, no nonce.
    pub fn expected(&self) -> Expected {
        Expected::new(self.keys.discovery.issuer(), &self.audience)
    }

    /// Verifies a token of a login without a nonce, such as an exchanged one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Auth`] for a token that cannot be trusted, with
    /// [`Refused`](colony_core::openid::id_token::Refused) as its source and a short form of it as its
    /// [`code`](Error::code); otherwise the error of fetching the keys.
    pub async fn verify(&self, token: &str) -> Result<Claims> {
        self.verify_as(token, &self.expected()).await
    }

    /// Verifies a token that must contain further claims, for example the nonce of a login.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    ///
    /// ```no_run
    /// # async fn example(
    /// #     verifier: colony_async::IdTokenVerifier, token: &str, nonce: &str,
    /// # ) -> colony_async::Result<()> {
    /// let claims = verifier.verify_as(token, &verifier.expected().nonce(nonce)).await?;
    /// # Ok(()) }
    /// ```
    pub async fn verify_as(&self, token: &str, expected: &Expected) -> Result<Claims> {
        let verified = self.check(token, expected).await;
        match &verified {
            Ok(_) => tracing::debug!(
                target: TARGET, event = "id_token_verified", audience = self.audience, "an id_token was verified"
            ),
            Err(error) => tracing::debug!(
                target: TARGET, event = "id_token_refused", audience = self.audience,
                reason = error.code().unwrap_or(error.kind().as_str()), "an id_token was not accepted"
            ),
        }
        verified
    }

    async fn check(&self, token: &str, expected: &Expected) -> Result<Claims> {
        // A token refused for its header costs no request.
        let unverified = Unverified::read(token)?;
        let keys = self.keys.with(unverified.key_id()).await?;
        Ok(unverified.verify(&keys, expected, unix(&*self.timer), is_signed)?)
    }
}

impl fmt::Debug for IdTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenVerifier").field("audience", &self.audience).finish_non_exhaustive()
    }
}

fn is_signed(key: &Key, message: &[u8], signature: &[u8]) -> bool {
    let key = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
}

/// The provider's keys. Shared by all verifiers of a client.
pub(crate) struct Keys {
    discovery: Arc<Discovery>,
    sender: Sender,
    retry: RetryPolicy,
    timer: Arc<dyn Timer>,
    /// When the keys were last requested, Unix seconds, whatever the outcome.
    asked_at: Mutex<f64>,
    memo: Arc<Memo<Arc<KeySet>>>,
}

impl Keys {
    pub(crate) fn new(
        discovery: Arc<Discovery>,
        sender: Sender,
        retry: RetryPolicy,
        timer: Arc<dyn Timer>,
    ) -> Self {
        Self {
            discovery,
            sender,
            retry: memo::budget(&retry),
            memo: Arc::new(Memo::new(Arc::clone(&timer))),
            timer,
            asked_at: Mutex::new(f64::NEG_INFINITY),
        }
    }

    /// Returns the keys, which include one with this id.
    async fn with(self: &Arc<Self>, id: Option<&str>) -> Result<Arc<KeySet>> {
        let mut known = self.fetched(None).await?;
        if known.value.candidates(id).is_empty() {
            let (asked_at, now) =
                (*self.asked_at.lock().unwrap_or_else(PoisonError::into_inner), unix(&*self.timer));
            // Another task may have fetched newer keys that include it.
            let latest = self.memo.known(keys::is_believed).filter(|latest| !Arc::ptr_eq(latest, &known));
            if let Some(latest) = latest {
                known = latest;
            } else if keys::may_ask_again(asked_at, now) {
                known = self.fetched(Some(&known)).await?;
            }
        }
        if known.value.candidates(id).is_empty() {
            return Err(Refused::UnknownKey.into());
        }
        Ok(Arc::clone(&known.value))
    }

    /// Returns keys other than these, fetched if necessary.
    async fn fetched(
        self: &Arc<Self>,
        not: Option<&Arc<Fetched<Arc<KeySet>>>>,
    ) -> Result<Arc<Fetched<Arc<KeySet>>>> {
        let fetch = || {
            let keys = Arc::clone(self);
            async move { keys.fetch().await }
        };
        self.memo.get(not, keys::is_believed, fetch).await
    }

    async fn fetch(&self) -> Result<Fetched<Arc<KeySet>>> {
        let fetched = self.fetch_once().await;
        match &fetched {
            Ok(_) => {
                tracing::debug!(target: TARGET, event = "keys_fetched", "the provider's keys were fetched");
            }
            Err(error) => {
                let reason = error.code().unwrap_or(error.kind().as_str());
                tracing::warn!(target: TARGET, event = "keys_failed", reason, %error, "the provider's keys cannot be fetched");
            }
        }
        fetched
    }

    async fn fetch_once(&self) -> Result<Fetched<Arc<KeySet>>> {
        let refuse = |code: &str, message: &str| {
            Err(Error::build(ErrorKind::Decode, message).operation(keys::OPERATION).code(code).finish())
        };
        let provider = self.discovery.provider().await?;
        let algorithms = provider.id_token_signing_alg_values_supported.as_deref();
        if algorithms.is_some_and(|all| !all.iter().any(|one| one == openid::id_token::ALGORITHM)) {
            return refuse("keys_other_algorithm", "the provider does not sign with RS256");
        }
        let Some(jwks_uri) = &provider.jwks_uri else {
            return refuse("keys_unpublished", "the provider publishes no keys (`jwks_uri`)");
        };
        let request = keys::request(jwks_uri);
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = unix(&*self.timer);
        let reply = send(&self.sender, &request, keys::MAX_BYTES, &self.retry, &*self.timer).await?;
        if !reply.is_success() {
            return Err(openid::refusal(&reply, &request));
        }
        let Some(set) = KeySet::read(&reply.body) else {
            return refuse("keys_malformed", "the provider's keys are not a JWK set");
        };
        Ok(Fetched { value: Arc::new(set), fetched_at: Some(unix(&*self.timer)) })
    }
}
