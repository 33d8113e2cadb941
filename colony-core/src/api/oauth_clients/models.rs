//! The models of OAuth clients.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Id, JsonObject, Open, Timestamp, kind};

/// A registered OAuth client.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OAuthClient {
    /// The id, by which other operations refer to the client.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The client identifier, which the service sends at sign-in.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub client_id: String,
    /// The name shown at sign-in.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// The owner's contact details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_contact: Option<String>,
    /// The redirect URIs for sign-in.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub redirect_uris: Vec<String>,
    /// The redirect URIs for sign-out.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub post_logout_redirect_uris: Vec<String>,
    /// The URI that sign-outs are reported to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// The scopes it may request.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub allowed_scopes: Vec<String>,
    /// Whether it can be used to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Which users may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience_policy: Option<Open<AudiencePolicy>>,
    /// How users are identified to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<Open<SubjectType>>,
    /// Whether an agent may sign in on a user's behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation_policy: Option<Open<DelegationPolicy>>,
    /// How it authenticates at the token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<Open<ClientAuthentication>>,
    /// The address of its published public keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Whether its public keys were given when it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_jwks: Option<bool>,
    /// Usage figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<OAuthConnections>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Usage figures of an OAuth client.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OAuthConnections {
    /// The number of users who have signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// The number of sign-ins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logins: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The result of deleting an OAuth client.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OAuthClientDeleted {
    /// Whether the client was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Which users may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AudiencePolicy {
    /// Agents and humans; the default.
    Both,
    /// Only agents.
    AgentsOnly,
    /// Only humans.
    HumansOnly,
}

impl AudiencePolicy {
    /// Returns the service's name for this value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::AgentsOnly => "agents_only",
            Self::HumansOnly => "humans_only",
        }
    }
}

impl From<AudiencePolicy> for String {
    fn from(policy: AudiencePolicy) -> Self {
        policy.as_str().to_owned()
    }
}

/// How users are identified to an OAuth client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubjectType {
    /// By the same subject as to every client; the default.
    Public,
    /// By a subject that no other client sees.
    Pairwise,
}

impl SubjectType {
    /// Returns the service's name for this value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

impl From<SubjectType> for String {
    fn from(subject: SubjectType) -> Self {
        subject.as_str().to_owned()
    }
}

/// Whether an agent may sign in on a user's behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DelegationPolicy {
    /// It may not; the default.
    Deny,
    /// It may.
    Allow,
}

impl DelegationPolicy {
    /// Returns the service's name for this value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

impl From<DelegationPolicy> for String {
    fn from(policy: DelegationPolicy) -> Self {
        policy.as_str().to_owned()
    }
}

/// How an OAuth client authenticates at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// With its secret in the `Authorization` header; the default.
    ClientSecretBasic,
    /// With its secret in the body.
    ClientSecretPost,
    /// With a token that it signs with its own key.
    PrivateKeyJwt,
}

impl ClientAuthentication {
    /// Returns the service's name for this value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

impl From<ClientAuthentication> for String {
    fn from(method: ClientAuthentication) -> Self {
        method.as_str().to_owned()
    }
}

/// A newly registered OAuth client, with its secret.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct NewOAuthClient {
    /// The secret, shown only once; `None` for a client that signs with its own key.
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// The client.
    #[serde(flatten, deserialize_with = "crate::names::beside")]
    pub client: OAuthClient,
}

impl fmt::Debug for NewOAuthClient {
    /// Omits the secret and any fields unknown to this version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewOAuthClient")
            .field("id", &self.client.id)
            .field("client_id", &self.client.client_id)
            .field("name", &self.client.name)
            .finish_non_exhaustive()
    }
}

/// An OAuth client's new secret.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct OAuthClientSecret {
    /// The id, by which other operations refer to the client.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The client identifier.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub client_id: String,
    /// The secret, shown only once.
    pub client_secret: SecretString,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for OAuthClientSecret {
    /// Omits the secret and any fields unknown to this version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClientSecret")
            .field("id", &self.id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_read_and_not_shown() {
        let reply =
            json!({"id": "c", "client_id": "board", "client_secret": "ocs_new", "a_new_field": "ocs_new"});
        let created: NewOAuthClient = serde_json::from_value(reply.clone()).unwrap();
        let rotated: OAuthClientSecret = serde_json::from_value(reply).unwrap();
        let read = created.client_secret.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!((read, rotated.client_secret.expose_secret()), (Some("ocs_new"), "ocs_new"));
        let shown = format!("{created:?} {rotated:?}");
        assert!(shown.contains("board") && !shown.contains("ocs_new"), "{shown}");
        assert!(!created.client.extra.contains_key("client_secret"));
    }
}
