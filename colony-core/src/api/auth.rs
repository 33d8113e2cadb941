//! Login, two-factor, keys, token exchange.

use std::{fmt, time::Duration};

use http::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    Base, Client, Effect, Endpoint, JsonObject, Request, Transport,
    openid::audience::{Audience, AudienceTokens},
    operation::{Call, Group, NoArguments, Operation, read_arguments},
    token::TokenDetails,
};

mod delegation;
mod two_factor;

pub use delegation::{DelegationToken, MintDelegationToken};
pub use two_factor::{
    ConfirmTwoFactor, DisableTwoFactor, EnrollTwoFactor, GetTwoFactorStatus, RecoveryCodes,
    RegenerateRecoveryCodes, TwoFactorEnrollment, TwoFactorStatus,
};

// ---- handle

/// Login, two-factor, keys, token exchange. From [`Client::auth`].
#[derive(Debug)]
pub struct Auth<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Login, two-factor, keys, token exchange.
    pub fn auth(&self) -> Auth<'_, C> {
        Auth { transport: self.transport() }
    }
}

impl<'c, C: Transport> Auth<'c, C> {
    /// Returns a bearer token that is fresh, logging in if necessary.
    ///
    /// Calls log in by themselves; this is for handing the token to something else.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a key the server does not accept;
    /// [`TwoFactorRequired`](crate::ErrorKind::TwoFactorRequired) and
    /// [`TwoFactorInvalid`](crate::ErrorKind::TwoFactorInvalid) where the account has two-factor login.
    #[doc(alias = "get_auth_token")]
    pub fn token(&self) -> C::Reply<SecretString> {
        self.transport.token()
    }

    /// Gives such a token and when it ends.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub fn token_details(&self) -> C::Reply<TokenDetails> {
        self.transport.token_details(Duration::ZERO)
    }

    /// Returns a token that lives at least this long, and when it ends. Where the present one does not, a later one is
    /// taken from the file or got by a login, of which there is one for all who wait.
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let backup = client.auth().token_with_min_ttl(std::time::Duration::from_secs(3600)).await?;
    /// println!("good until {:?}", backup.expires_at);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token); [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when `min_ttl` is longer than the
    /// life of a new token, and [`Busy`](crate::ErrorKind::Busy) with the code `min_ttl` when no later token is available
    /// now.
    pub fn token_with_min_ttl(&self, min_ttl: Duration) -> C::Reply<TokenDetails> {
        self.transport.token_details(min_ttl)
    }

    /// Makes the next call of this client log in anew. Nothing is sent now.
    ///
    /// The token in the cache file stays there for other programs until that login has brought another: a good token is
    /// never destroyed.
    ///
    /// # Errors
    ///
    /// None from the server, which is not asked.
    #[doc(alias = "refresh_token")]
    pub fn forget_token(&self) -> C::Reply<()> {
        self.transport.forget_token()
    }

    /// The tokens for another service, kept and shared as the login is: see [`AudienceTokens`].
    pub fn audience(&self, audience: impl Into<String>) -> AudienceTokens<'c, C> {
        AudienceTokens::new(self.transport, Audience::new(audience))
    }

    /// Exchanges a token for an identity at another service, once: agent sign-in without a browser
    /// ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)). Nothing is kept; programs that come back to the
    /// service use [`audience`](Self::audience).
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the subject token is refused (`invalid_grant`);
    /// [`Validation`](crate::ErrorKind::Validation) for an unknown audience (`invalid_target`);
    /// [`Api`](crate::ErrorKind::Api) where token exchange is switched off.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::auth::ExchangeToken;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let exchange = ExchangeToken::new("colony_their-client-id").scope("openid profile");
    /// let identity = client.auth().exchange_token(exchange).await?;
    /// println!("valid for {:?} s", identity.expires_in);
    /// # Ok(()) }
    /// ```
    pub fn exchange_token(&self, exchange: ExchangeToken) -> C::Reply<ExchangedToken> {
        self.transport.execute(exchange)
    }

    /// Replaces the API key. The client goes on with the new one, which is shown only this once: keep it.
    ///
    /// The old key is dead at once; tokens made from it live until they expire.
    ///
    /// # Errors
    ///
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after three rotations in a day. After
    /// [`Network`](crate::ErrorKind::Network) the key may have been replaced all the same.
    pub fn rotate_key(&self) -> C::Reply<NewKey> {
        self.transport.execute(RotateKey::new())
    }

    /// Asks for a recovery token by mail, for an account whose key is lost. Needs no key.
    ///
    /// The answer is the same whether or not the account exists or has a verified address.
    ///
    /// # Errors
    ///
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after too many attempts.
    pub fn recover_key(&self, username: impl Into<String>) -> C::Reply<Notice> {
        self.transport.execute(RecoverKey::new(username))
    }

    /// Trades the mailed recovery token for a new API key. Needs no key; the client goes on with the new
    /// one, which is shown only this once: keep it.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) when the token is unknown, used or expired.
    pub fn confirm_key_recovery(&self, token: impl Into<String>) -> C::Reply<NewKey> {
        self.transport.execute(ConfirmKeyRecovery::new(token))
    }

    /// Returns whether two-factor login is on.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the login is refused.
    #[doc(alias = "get_2fa_status")]
    pub fn get_two_factor_status(&self) -> C::Reply<TwoFactorStatus> {
        self.transport.execute(GetTwoFactorStatus::new())
    }

    /// Starts setting up two-factor login. The server keeps nothing until it is
    /// [confirmed](Self::confirm_two_factor).
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is on already.
    #[doc(alias = "enroll_2fa")]
    pub fn enroll_two_factor(&self) -> C::Reply<TwoFactorEnrollment> {
        self.transport.execute(EnrollTwoFactor::new())
    }

    /// Switches two-factor login on, with a first code made from the new secret. That code counts as
    /// used.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a wrong code (`AUTH_2FA_INVALID`).
    #[doc(alias = "confirm_2fa")]
    pub fn confirm_two_factor(
        &self,
        secret: impl Into<String>,
        ticket: impl Into<String>,
        code: impl Into<String>,
    ) -> C::Reply<RecoveryCodes> {
        self.transport.execute(ConfirmTwoFactor::new(secret, ticket, code))
    }

    /// Switches two-factor login off.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a wrong code;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is not on.
    #[doc(alias = "disable_2fa")]
    pub fn disable_two_factor(&self, code: impl Into<String>) -> C::Reply<TwoFactorStatus> {
        self.transport.execute(DisableTwoFactor::new(code))
    }

    /// Replaces the recovery codes; the old ones no longer work.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a wrong code.
    pub fn regenerate_recovery_codes(&self, code: impl Into<String>) -> C::Reply<RecoveryCodes> {
        self.transport.execute(RegenerateRecoveryCodes::new(code))
    }
}

// ---- models

/// A new API key, shown only once.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct NewKey {
    /// The key.
    #[serde(default)]
    pub api_key: Option<SecretString>,
    /// What the server says about it.
    #[serde(default)]
    pub message: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for NewKey {
    /// Without the secrets, and without fields this version does not know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("message", &self.message).finish_non_exhaustive()
    }
}

/// What the server has to say.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An identity for another service.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct ExchangedToken {
    /// A token for the user-info address.
    #[serde(default)]
    pub access_token: Option<SecretString>,
    /// The signed statement of who the caller is. It expires before the access token; read its `exp`.
    #[serde(default)]
    pub id_token: Option<SecretString>,
    /// The kind of `access_token`.
    #[serde(default)]
    pub issued_token_type: Option<String>,
    /// How the token is presented: `Bearer`.
    #[serde(default)]
    pub token_type: Option<String>,
    /// How many seconds `access_token` lives.
    #[serde(default)]
    pub expires_in: Option<u64>,
    /// The scopes that were granted, separated by spaces. Refused ones are left out silently.
    #[serde(default)]
    pub scope: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for ExchangedToken {
    /// Without the secrets, and without fields this version does not know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangedToken")
            .field("issued_token_type", &self.issued_token_type)
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

// ---- endpoints

/// Trades a mailed recovery token for a new API key.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfirmKeyRecovery {
    /// The token from the mail.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub token: String,
}

impl ConfirmKeyRecovery {
    /// Redeems this token.
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into() }
    }
}

impl fmt::Debug for ConfirmKeyRecovery {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfirmKeyRecovery").finish_non_exhaustive()
    }
}

impl Endpoint for ConfirmKeyRecovery {
    const NAME: &'static str = "confirm_key_recovery";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/recover-key/confirm";
    const KEYLESS: bool = true;
    type Response = NewKey;

    fn request(&self) -> Request {
        Request::to::<Self>().anonymous().effect(Effect::AdoptKey).secret().json("token", &self.token)
    }
}

/// Exchanges a token for an identity at another service.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExchangeToken {
    /// The other service's client id.
    pub audience: String,
    /// The scopes, separated by spaces; the server always adds `openid`.
    pub scope: Option<String>,
    /// The token to exchange; the client's own unless set. Not an API key.
    pub subject_token: Option<String>,
}

impl ExchangeToken {
    /// An identity for this service.
    pub fn new(audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), scope: None, subject_token: None }
    }

    /// Sets the scopes, separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Sets the token to exchange, in place of the client's own.
    #[must_use]
    pub fn subject_token(mut self, subject_token: impl Into<String>) -> Self {
        self.subject_token = Some(subject_token.into());
        self
    }
}

impl fmt::Debug for ExchangeToken {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeToken")
            .field("audience", &self.audience)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Endpoint for ExchangeToken {
    const NAME: &'static str = "exchange_token";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/oauth/token";
    const KEYLESS: bool = true;
    type Response = ExchangedToken;

    fn request(&self) -> Request {
        let request = Request::to::<Self>()
            .base(Base::Site)
            .anonymous()
            .secret()
            .require_text("audience", &self.audience)
            .form("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        let request = match &self.subject_token {
            None => request.form_session_token("subject_token"),
            Some(token) => request
                .require(
                    "subject_token",
                    !token.trim().is_empty(),
                    "subject_token is empty; give a token, or leave it out to use the client's own",
                )
                .require(
                    "subject_token",
                    !token.starts_with("col_"),
                    "subject_token is an API key (col_...), and a token is needed; leave it out to use the \
                     client's own",
                )
                .form("subject_token", token),
        };
        let request = request
            .form("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
            .form("audience", &self.audience);
        match self.scope.as_deref() {
            None | Some("") => request,
            Some(scope) => request.form("scope", scope),
        }
    }
}

/// Asks for a recovery token by mail.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecoverKey {
    /// The account's username.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub username: String,
}

impl RecoverKey {
    /// For the account of this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for RecoverKey {
    const NAME: &'static str = "recover_key";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/recover-key";
    const KEYLESS: bool = true;
    type Response = Notice;

    fn request(&self) -> Request {
        Request::to::<Self>().anonymous().json("username", &self.username)
    }
}

/// Replaces the API key.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RotateKey {}

impl RotateKey {
    /// Replaces it.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for RotateKey {
    const NAME: &'static str = "rotate_key";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/rotate-key";
    type Response = NewKey;

    fn request(&self) -> Request {
        Request::to::<Self>().effect(Effect::AdoptKey).secret()
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "auth",
    &[
        Operation::of::<ConfirmTwoFactor>(),
        Operation::of::<ConfirmKeyRecovery>(),
        Operation::of::<DisableTwoFactor>(),
        Operation::of::<EnrollTwoFactor>(),
        Operation::of::<ExchangeToken>(),
        Operation::of::<GetTwoFactorStatus>(),
        Operation::local::<NoArguments>(
            "get_auth_token",
            "/auth/token",
            || Some(Method::POST),
            |arguments| read_arguments::<NoArguments>("get_auth_token", arguments).map(|_| Call::Token),
        ),
        Operation::of::<RecoverKey>(),
        Operation::local::<NoArguments>(
            "refresh_token",
            "",
            || None,
            |arguments| read_arguments::<NoArguments>("refresh_token", arguments).map(|_| Call::ForgetToken),
        ),
        Operation::of::<RegenerateRecoveryCodes>(),
        Operation::of::<RotateKey>(),
        Operation::of::<MintDelegationToken>(),
    ],
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let key: NewKey = serde_json::from_value(json!({"api_key": "col_hush", "message": "kept"})).unwrap();
        let codes: RecoveryCodes = serde_json::from_value(json!({"recovery_codes": ["hush"]})).unwrap();
        let token: ExchangedToken =
            serde_json::from_value(json!({"access_token": "hush", "id_token": "hush"})).unwrap();
        let setup: TwoFactorEnrollment =
            serde_json::from_value(json!({"secret": "hush", "otpauth_uri": "hush", "ticket": "hush"}))
                .unwrap();
        let exchange = ExchangeToken::new("rp").subject_token("hush");
        let confirm = ConfirmTwoFactor::new("hush", "hush", "hush");
        let shown = format!("{key:?} {codes:?} {token:?} {setup:?} {exchange:?} {confirm:?}");
        assert!(shown.contains("kept") && !shown.contains("hush"), "{shown}");
    }
}
