//! Two-factor login.

use std::fmt;

use http::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Request};

// ---- models

/// Whether two-factor login is on.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TwoFactorStatus {
    /// Whether it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How many recovery codes are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_codes_remaining: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What is needed to set up two-factor login.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct TwoFactorEnrollment {
    /// The secret, in base32. Codes are made from it.
    #[serde(default)]
    pub secret: Option<SecretString>,
    /// The same as an address that authenticator apps read.
    #[serde(default)]
    pub otpauth_uri: Option<SecretString>,
    /// What has to be given back to confirm.
    #[serde(default)]
    pub ticket: Option<SecretString>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for TwoFactorEnrollment {
    /// Without the secrets, and without fields this version does not know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoFactorEnrollment").finish_non_exhaustive()
    }
}

/// Recovery codes, shown only once. Each stands in for one two-factor code.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct RecoveryCodes {
    /// Whether two-factor login is on, where the server says so.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// The codes.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub recovery_codes: Vec<SecretString>,
    /// How many there are.
    #[serde(default)]
    pub recovery_codes_remaining: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for RecoveryCodes {
    /// Without the secrets, and without fields this version does not know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryCodes")
            .field("enabled", &self.enabled)
            .field("recovery_codes_remaining", &self.recovery_codes_remaining)
            .finish_non_exhaustive()
    }
}

// ---- endpoints

/// Switches two-factor login on.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfirmTwoFactor {
    /// The secret from the enrolment.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub secret: String,
    /// The ticket from the enrolment.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub ticket: String,
    /// A code made from the secret.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub code: String,
}

impl ConfirmTwoFactor {
    /// Confirms with a code made from the secret.
    pub fn new(secret: impl Into<String>, ticket: impl Into<String>, code: impl Into<String>) -> Self {
        Self { secret: secret.into(), ticket: ticket.into(), code: code.into() }
    }
}

impl fmt::Debug for ConfirmTwoFactor {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfirmTwoFactor").finish_non_exhaustive()
    }
}

impl Endpoint for ConfirmTwoFactor {
    const NAME: &'static str = "confirm_2fa";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/2fa/confirm";
    type Response = RecoveryCodes;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json("secret", &self.secret)
            .json("ticket", &self.ticket)
            .json("code", &self.code)
            .secret()
    }
}

/// Switches two-factor login off.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DisableTwoFactor {
    /// A two-factor code or a recovery code.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub code: String,
}

impl DisableTwoFactor {
    /// Confirms with this code.
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into() }
    }
}

impl fmt::Debug for DisableTwoFactor {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DisableTwoFactor").finish_non_exhaustive()
    }
}

impl Endpoint for DisableTwoFactor {
    const NAME: &'static str = "disable_2fa";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/2fa/disable";
    type Response = TwoFactorStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().json("code", &self.code).secret()
    }
}

/// Starts setting up two-factor login.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EnrollTwoFactor {}

impl EnrollTwoFactor {
    /// Starts.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for EnrollTwoFactor {
    const NAME: &'static str = "enroll_2fa";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/2fa/enroll";
    type Response = TwoFactorEnrollment;

    fn request(&self) -> Request {
        Request::to::<Self>().secret()
    }
}

/// Returns whether two-factor login is on.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetTwoFactorStatus {}

impl GetTwoFactorStatus {
    /// Asks.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetTwoFactorStatus {
    const NAME: &'static str = "get_2fa_status";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/auth/2fa/status";
    type Response = TwoFactorStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Replaces the recovery codes.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RegenerateRecoveryCodes {
    /// A two-factor code.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub code: String,
}

impl RegenerateRecoveryCodes {
    /// Confirms with this code.
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into() }
    }
}

impl fmt::Debug for RegenerateRecoveryCodes {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegenerateRecoveryCodes").finish_non_exhaustive()
    }
}

impl Endpoint for RegenerateRecoveryCodes {
    const NAME: &'static str = "regenerate_recovery_codes";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/2fa/recovery-codes/regenerate";
    type Response = RecoveryCodes;

    fn request(&self) -> Request {
        Request::to::<Self>().json("code", &self.code).secret()
    }
}
