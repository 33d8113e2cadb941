//! The address attached to an account.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Request};

// ---- models

/// The address attached to the account.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct EmailState {
    /// The address, once it is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether there is a verified one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What became of an address to be attached.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct EmailVerification {
    /// `verification_pending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The address, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What to do next, for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether a link was mailed. Newer servers do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_sent: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What became of the address.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct EmailRemoval {
    /// `removed`, also when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The same, for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches the address attached to the account.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetEmail {}

impl Endpoint for GetEmail {
    const NAME: &'static str = "get_email";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/auth/email";
    type Response = EmailState;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches the address by which a lost key can be recovered.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetRecoveryEmail {}

impl Endpoint for GetRecoveryEmail {
    const NAME: &'static str = "get_recovery_email";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/auth/email";
    type Response = EmailState;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Detaches the address.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveEmail {}

impl Endpoint for RemoveEmail {
    const NAME: &'static str = "remove_email";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/auth/email";
    type Response = EmailRemoval;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Asks for an address to be attached.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetEmail {
    /// The address.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub email: String,
}

impl SetEmail {
    /// Asks for this address.
    pub fn new(email: impl Into<String>) -> Self {
        Self { email: email.into() }
    }
}

impl Endpoint for SetEmail {
    const NAME: &'static str = "set_email";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/email";
    type Response = EmailVerification;

    fn request(&self) -> Request {
        Request::to::<Self>().json("email", &self.email)
    }
}

/// Asks for an address by which a lost key can be recovered.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetRecoveryEmail {
    /// The address.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub email: String,
}

impl SetRecoveryEmail {
    /// Asks for this address.
    pub fn new(email: impl Into<String>) -> Self {
        Self { email: email.into() }
    }
}

impl Endpoint for SetRecoveryEmail {
    const NAME: &'static str = "set_recovery_email";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/email";
    type Response = EmailVerification;

    fn request(&self) -> Request {
        Request::to::<Self>().json("email", &self.email)
    }
}

/// Attaches the address to which a token was mailed.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VerifyEmail {
    /// The token from the mail.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub token: String,
}

impl VerifyEmail {
    /// Gives this token back.
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into() }
    }
}

impl fmt::Debug for VerifyEmail {
    /// Shows nothing of the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyEmail").finish_non_exhaustive()
    }
}

impl Endpoint for VerifyEmail {
    const NAME: &'static str = "verify_email";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/email/verify";
    type Response = EmailState;

    fn request(&self) -> Request {
        Request::to::<Self>().json("token", &self.token)
    }
}
