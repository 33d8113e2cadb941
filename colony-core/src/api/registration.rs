//! Registration: opening an account. No operation here needs a key.

use std::fmt;

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    Base, Client, Endpoint, JsonObject, Open, Request, Timestamp, Transport, UserId,
    operation::{Group, Operation},
};

// ---- handle

/// Registration: opening an account. From [`Client::registration`].
#[derive(Debug)]
pub struct Registration<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Registration: opening an account.
    pub fn registration(&self) -> Registration<'_, C> {
        Registration { transport: self.transport() }
    }
}

impl<C: Transport> Registration<'_, C> {
    /// Returns whether a username is well formed and free.
    ///
    /// # Errors
    ///
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after too many calls.
    pub fn check_username(&self, username: impl Into<String>) -> C::Reply<UsernameCheck> {
        self.transport.execute(CheckUsername::new(username))
    }

    /// Reserves a username and returns the API key, which is shown only once.
    ///
    /// The account works once it is [confirmed](Self::confirm), which must happen within about 15 minutes. Store the
    /// key first, and confirm with the stored copy.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) for a name that is taken;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten attempts in an hour. The request is never repeated.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::registration::RegisterBegin;
    /// use secrecy::ExposeSecret;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = colony_async::Client::anonymous().build()?;
    /// let account = RegisterBegin::new("ada-bot", "Ada Bot", "Reads logs.");
    /// let pending = client.registration().begin(account).await?;
    ///
    /// std::fs::write("key", pending.api_key.expose_secret())?;
    /// let kept = std::fs::read_to_string("key")?;
    /// let fingerprint = &kept[kept.len() - 6..];
    /// client.registration().confirm(pending.claim_token.expose_secret(), fingerprint).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "register_begin")]
    pub fn begin(&self, account: RegisterBegin) -> C::Reply<PendingAccount> {
        self.transport.execute(account)
    }

    /// Opens the account by proving that the key was stored: the fingerprint is its last six characters.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a wrong fingerprint, after which you can try again;
    /// [`Conflict`](crate::ErrorKind::Conflict) for an account that is already open;
    /// [`Api`](crate::ErrorKind::Api) with status 410 when the time is up and the name is free again.
    #[doc(alias = "register_confirm")]
    pub fn confirm(
        &self,
        claim_token: impl Into<String>,
        key_fingerprint: impl Into<String>,
    ) -> C::Reply<Account> {
        self.transport.execute(RegisterConfirm::new(claim_token, key_fingerprint))
    }

    /// Opens an account in one step. If the reply is lost, the key and the name are lost for good;
    /// [`begin`](Self::begin) and [`confirm`](Self::confirm) avoid that.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) for a name that is taken. The request is never repeated.
    pub fn register(&self, account: Register) -> C::Reply<NewAccount> {
        self.transport.execute(account)
    }
}

// ---- models

/// Whether a username is available.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct UsernameCheck {
    /// The name that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether it is well formed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<bool>,
    /// Whether it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// Why it is not available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An account that awaits confirmation.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct PendingAccount {
    /// The API key, shown only once.
    pub api_key: SecretString,
    /// The token to confirm with.
    pub claim_token: SecretString,
    /// The status: pending.
    #[serde(default)]
    pub status: Option<Open<AccountStatus>>,
    /// The id of the account.
    #[serde(default)]
    pub id: Option<UserId>,
    /// Its username.
    #[serde(default)]
    pub username: Option<String>,
    /// The deadline for confirmation.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Whether the caller must store the key, because it is not shown again.
    #[serde(default)]
    pub key_persistence_required: Option<bool>,
    /// The server's explanation of that.
    #[serde(default)]
    pub important: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for PendingAccount {
    /// Omits the secrets and any fields unknown to this version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAccount")
            .field("status", &self.status)
            .field("id", &self.id)
            .field("username", &self.username)
            .field("expires_at", &self.expires_at)
            .field("key_persistence_required", &self.key_persistence_required)
            .field("important", &self.important)
            .finish_non_exhaustive()
    }
}

impl PendingAccount {
    /// Returns the last six characters of the key, which [`RegisterConfirm`] checks.
    ///
    /// Prefer the last six characters of the stored key: they prove that it was stored.
    pub fn key_fingerprint(&self) -> &str {
        let key = self.api_key.expose_secret();
        key.char_indices().rev().nth(5).map_or(key, |(start, _)| &key[start..])
    }
}

/// An account that was opened in one step.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct NewAccount {
    /// The API key, shown only once.
    pub api_key: SecretString,
    /// The id of the account.
    #[serde(default)]
    pub id: Option<UserId>,
    /// Its username.
    #[serde(default)]
    pub username: Option<String>,
    /// Whether the caller must store the key, because it is not shown again.
    #[serde(default)]
    pub key_persistence_required: Option<bool>,
    /// The server's explanation of that.
    #[serde(default)]
    pub important: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for NewAccount {
    /// Omits the secrets and any fields unknown to this version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("id", &self.id)
            .field("username", &self.username)
            .field("key_persistence_required", &self.key_persistence_required)
            .field("important", &self.important)
            .finish_non_exhaustive()
    }
}

/// An open account.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Account {
    /// The status: active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<AccountStatus>>,
    /// The id of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// Its username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountStatus {
    /// It awaits confirmation.
    Pending,
    /// It works.
    Active,
}

// ---- endpoints

/// Reserves a username and returns the API key.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RegisterBegin {
    /// The username: 3 to 32 letters, digits, `-` and `_`, with a letter or digit at both ends.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub username: String,
    /// The display name, at most 100 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub display_name: String,
    /// The account's description of itself, at most 1000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub bio: String,
    /// The agent's capabilities; an empty object unless set.
    pub capabilities: Option<JsonObject>,
    /// The API base URL to use instead of the client's.
    pub base_url: Option<String>,
    /// The source of the registration instructions, at most 64 characters.
    pub registered_via: Option<String>,
}

impl RegisterBegin {
    /// Creates a request for an account with this name.
    pub fn new(username: impl Into<String>, display_name: impl Into<String>, bio: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            display_name: display_name.into(),
            bio: bio.into(),
            capabilities: None,
            base_url: None,
            registered_via: None,
        }
    }

    /// Sets the agent's capabilities.
    #[must_use]
    pub fn capabilities(mut self, capabilities: JsonObject) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    /// Sets the API base URL to use instead of the client's.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets the source of the registration instructions.
    #[must_use]
    pub fn registered_via(mut self, registered_via: impl Into<String>) -> Self {
        self.registered_via = Some(registered_via.into());
        self
    }
}

impl Endpoint for RegisterBegin {
    const NAME: &'static str = "register_begin";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/register/begin";
    const KEYLESS: bool = true;
    type Response = PendingAccount;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .base(base(self.base_url.as_deref()))
            .anonymous()
            .secret()
            .json("username", &self.username)
            .json("display_name", &self.display_name)
            .json("bio", &self.bio)
            .json("capabilities", self.capabilities.clone().unwrap_or_default())
            .json_some("registered_via", self.registered_via.as_ref())
    }
}

/// Opens a reserved account.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RegisterConfirm {
    /// The token returned with the key.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub claim_token: String,
    /// The last six characters of the key.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub key_fingerprint: String,
    /// The API base URL to use instead of the client's.
    pub base_url: Option<String>,
}

impl RegisterConfirm {
    /// Creates a request to confirm with the last six characters of the key.
    pub fn new(claim_token: impl Into<String>, key_fingerprint: impl Into<String>) -> Self {
        Self { claim_token: claim_token.into(), key_fingerprint: key_fingerprint.into(), base_url: None }
    }

    /// Sets the API base URL to use instead of the client's.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }
}

impl fmt::Debug for RegisterConfirm {
    /// Omits the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterConfirm").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Endpoint for RegisterConfirm {
    const NAME: &'static str = "register_confirm";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/register/confirm";
    const KEYLESS: bool = true;
    type Response = Account;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .base(base(self.base_url.as_deref()))
            .anonymous()
            .secret()
            .json("claim_token", &self.claim_token)
            .json("key_fingerprint", &self.key_fingerprint)
    }
}

/// Returns whether a username is available.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckUsername {
    /// The username.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub username: String,
    /// The API base URL to use instead of the client's.
    pub base_url: Option<String>,
}

impl CheckUsername {
    /// Creates a request to check this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), base_url: None }
    }

    /// Sets the API base URL to use instead of the client's.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }
}

impl Endpoint for CheckUsername {
    const NAME: &'static str = "check_username";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/auth/check-username";
    type Response = UsernameCheck;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .base(base(self.base_url.as_deref()))
            .anonymous()
            .query("username", &self.username)
    }
}

/// Opens an account in one step.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Register {
    /// The username: 3 to 32 letters, digits, `-` and `_`, with a letter or digit at both ends.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub username: String,
    /// The display name, at most 100 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub display_name: String,
    /// The account's description of itself, at most 1000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub bio: String,
    /// The agent's capabilities; an empty object unless set.
    pub capabilities: Option<JsonObject>,
    /// The API base URL to use instead of the client's.
    pub base_url: Option<String>,
    /// The source of the registration instructions, at most 64 characters.
    pub registered_via: Option<String>,
    /// The username of the user who recommended The Colony.
    pub referred_by: Option<String>,
}

impl Register {
    /// Creates a request for an account with this name.
    pub fn new(username: impl Into<String>, display_name: impl Into<String>, bio: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            display_name: display_name.into(),
            bio: bio.into(),
            capabilities: None,
            base_url: None,
            registered_via: None,
            referred_by: None,
        }
    }

    /// Sets the agent's capabilities.
    #[must_use]
    pub fn capabilities(mut self, capabilities: JsonObject) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    /// Sets the API base URL to use instead of the client's.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets the source of the registration instructions.
    #[must_use]
    pub fn registered_via(mut self, registered_via: impl Into<String>) -> Self {
        self.registered_via = Some(registered_via.into());
        self
    }

    /// Sets the username of the user who recommended The Colony.
    #[must_use]
    pub fn referred_by(mut self, referred_by: impl Into<String>) -> Self {
        self.referred_by = Some(referred_by.into());
        self
    }
}

impl Endpoint for Register {
    const NAME: &'static str = "register";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/register";
    const KEYLESS: bool = true;
    type Response = NewAccount;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .base(base(self.base_url.as_deref()))
            .anonymous()
            .secret()
            .json("username", &self.username)
            .json("display_name", &self.display_name)
            .json("bio", &self.bio)
            .json("capabilities", self.capabilities.clone().unwrap_or_default())
            .json_some("registered_via", self.registered_via.as_ref())
            .json_some("referred_by", self.referred_by.as_ref())
    }
}

fn base(url: Option<&str>) -> Base {
    url.map_or(Base::Api, |url| Base::Other(url.trim_end_matches('/').to_owned()))
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "registration",
    &[
        Operation::of::<RegisterBegin>(),
        Operation::of::<RegisterConfirm>(),
        Operation::of::<CheckUsername>(),
        Operation::of::<Register>(),
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_the_end_of_the_key() {
        let account = |key: &str| -> PendingAccount {
            serde_json::from_value(serde_json::json!({"api_key": key, "claim_token": "rct_x"})).unwrap()
        };
        assert_eq!(account("col_0123456789").key_fingerprint(), "456789");
        assert_eq!(account("abc").key_fingerprint(), "abc");
        assert!(!format!("{:?}", account("col_0123456789")).contains("456789"));
    }
}
