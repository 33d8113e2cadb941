//! Tokens with which one account lets another act for it.

use std::fmt;

use http::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Request, Transport};

use super::Auth;

// ---- methods

impl<C: Transport> Auth<'_, C> {
    /// Makes a token with which another account can act for the caller.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when nobody has this name, or when the service has not
    /// switched delegation on; [`Validation`](crate::ErrorKind::Validation) for a time that is not accepted.
    pub fn mint_delegation_token(&self, token: MintDelegationToken) -> C::Reply<DelegationToken> {
        self.transport.execute(token)
    }
}

// ---- models

/// A token with which another account can act for the caller.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct DelegationToken {
    /// The token.
    pub delegation_token: SecretString,
    /// How it is sent: `bearer`.
    #[serde(default)]
    pub token_type: Option<String>,
    /// How long it is good, in seconds.
    #[serde(default)]
    pub expires_in: Option<u64>,
    /// Who can use it, by name.
    #[serde(default)]
    pub actor: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for DelegationToken {
    /// Without the token, and without fields this version does not know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegationToken")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

// ---- endpoints

/// Makes a token with which another account can act for the caller.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MintDelegationToken {
    /// The account that is to act for the caller, by name.
    pub actor: String,
    /// How long the token is good, in seconds, at most 86,400.
    pub ttl_seconds: Option<u64>,
}

impl MintDelegationToken {
    /// A token for this account.
    pub fn new(actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), ttl_seconds: None }
    }

    /// Sets how long the token is good, in seconds, at most 86,400.
    #[must_use]
    pub fn ttl_seconds(mut self, ttl_seconds: u64) -> Self {
        self.ttl_seconds = Some(ttl_seconds);
        self
    }
}

impl Endpoint for MintDelegationToken {
    const NAME: &'static str = "mint_delegation_token";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/auth/delegation-token";
    type Response = DelegationToken;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("actor", &self.actor)
            .json("actor", &self.actor)
            .json_some("ttl_seconds", self.ttl_seconds)
            .secret()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_token_is_not_shown_and_not_asked_for_twice() {
        let reply =
            json!({"delegation_token": "dlg_new", "expires_in": 600, "actor": "ada-bot", "x": "dlg_new"});
        let shown = format!("{:?}", serde_json::from_value::<DelegationToken>(reply).unwrap());
        assert!(shown.contains("ada-bot") && !shown.contains("dlg_new"), "{shown}");
        let request = MintDelegationToken::new("ada-bot").request();
        assert!(request.is_secret());
    }
}
