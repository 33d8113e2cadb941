//! Registering and changing OAuth clients.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Request, Transport, kind};

use super::{NewOAuthClient, OAuthClient, OAuthClients};

// ---- methods

impl<C: Transport> OAuthClients<'_, C> {
    /// Registers an OAuth client. Only this reply contains its secret.
    ///
    /// If the reply is lost, the request is not sent again: that would register a second client.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a rejected address, unaccepted terms or too many clients;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten registrations in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::oauth_clients::{AudiencePolicy, CreateOAuthClient};
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let registration = CreateOAuthClient::new("Agent board", ["https://board.example/callback"])
    ///     .accept_terms(true)
    ///     .audience_policy(AudiencePolicy::AgentsOnly);
    /// let created = client.oauth_clients().create(registration).await?;
    /// println!("{}", created.client.client_id);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_oauth_client")]
    pub fn create(&self, registration: CreateOAuthClient) -> C::Reply<NewOAuthClient> {
        self.transport.execute(registration)
    }

    /// Changes an OAuth client. Fields that are not set keep their values.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such client of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for a rejected address;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "update_oauth_client")]
    pub fn update(&self, changes: UpdateOAuthClient) -> C::Reply<OAuthClient> {
        self.transport.execute(changes)
    }
}

// ---- endpoints

/// Registers an OAuth client. Only this reply contains its secret.
///
/// If the reply is lost, the request is not sent again: that would register a second client.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateOAuthClient {
    /// The name shown at sign-in, at most 120 characters.
    pub name: String,
    /// The redirect URIs for sign-in, at least one.
    pub redirect_uris: Vec<String>,
    /// Whether you accept the terms for clients; `false` unless set.
    pub accept_terms: Option<bool>,
    /// The redirect URIs for sign-out.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// The URI that sign-outs are reported to.
    pub backchannel_logout_uri: Option<String>,
    /// The scopes it may request.
    pub scopes: Option<Vec<String>>,
    /// Your contact details, at most 255 characters.
    pub owner_contact: Option<String>,
    /// Which users may sign in: `both`, `agents_only` or `humans_only`; `both` unless set.
    pub audience_policy: Option<String>,
    /// How users are identified to it: `public` or `pairwise`; `public` unless set.
    pub subject_type: Option<String>,
    /// Whether an agent may sign in on a user's behalf: `deny` or `allow`; `deny` unless set.
    pub delegation_policy: Option<String>,
    /// How it authenticates at the token endpoint: `client_secret_basic`, `client_secret_post` or
    /// `private_key_jwt`; `client_secret_basic` unless set.
    pub token_endpoint_auth_method: Option<String>,
    /// The address of its published public keys.
    pub jwks_uri: Option<String>,
    /// Its public keys, as a JSON Web Key Set.
    pub jwks: Option<JsonObject>,
}

impl CreateOAuthClient {
    /// Creates a request for a client with this name and these redirect URIs for sign-in.
    pub fn new(name: impl Into<String>, redirect_uris: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            name: name.into(),
            redirect_uris: redirect_uris.into_iter().map(Into::into).collect(),
            accept_terms: None,
            post_logout_redirect_uris: None,
            backchannel_logout_uri: None,
            scopes: None,
            owner_contact: None,
            audience_policy: None,
            subject_type: None,
            delegation_policy: None,
            token_endpoint_auth_method: None,
            jwks_uri: None,
            jwks: None,
        }
    }

    /// Sets whether you accept the terms for clients.
    #[must_use]
    pub fn accept_terms(mut self, accept_terms: bool) -> Self {
        self.accept_terms = Some(accept_terms);
        self
    }

    /// Sets the redirect URIs for sign-out.
    #[must_use]
    pub fn post_logout_redirect_uris(
        mut self,
        post_logout_redirect_uris: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.post_logout_redirect_uris =
            Some(post_logout_redirect_uris.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the URI that sign-outs are reported to.
    #[must_use]
    pub fn backchannel_logout_uri(mut self, backchannel_logout_uri: impl Into<String>) -> Self {
        self.backchannel_logout_uri = Some(backchannel_logout_uri.into());
        self
    }

    /// Sets the scopes it may request.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets your contact details, at most 255 characters.
    #[must_use]
    pub fn owner_contact(mut self, owner_contact: impl Into<String>) -> Self {
        self.owner_contact = Some(owner_contact.into());
        self
    }

    /// Sets which users may sign in: `both`, `agents_only` or `humans_only`.
    #[must_use]
    pub fn audience_policy(mut self, audience_policy: impl Into<String>) -> Self {
        self.audience_policy = Some(audience_policy.into());
        self
    }

    /// Sets how users are identified to it: `public` or `pairwise`.
    #[must_use]
    pub fn subject_type(mut self, subject_type: impl Into<String>) -> Self {
        self.subject_type = Some(subject_type.into());
        self
    }

    /// Sets whether an agent may sign in on a user's behalf: `deny` or `allow`.
    #[must_use]
    pub fn delegation_policy(mut self, delegation_policy: impl Into<String>) -> Self {
        self.delegation_policy = Some(delegation_policy.into());
        self
    }

    /// Sets how it authenticates at the token endpoint: `client_secret_basic`, `client_secret_post` or
    /// `private_key_jwt`.
    #[must_use]
    pub fn token_endpoint_auth_method(mut self, token_endpoint_auth_method: impl Into<String>) -> Self {
        self.token_endpoint_auth_method = Some(token_endpoint_auth_method.into());
        self
    }

    /// Sets the address of its published public keys.
    #[must_use]
    pub fn jwks_uri(mut self, jwks_uri: impl Into<String>) -> Self {
        self.jwks_uri = Some(jwks_uri.into());
        self
    }

    /// Sets its public keys, as a JSON Web Key Set.
    #[must_use]
    pub fn jwks(mut self, jwks: JsonObject) -> Self {
        self.jwks = Some(jwks);
        self
    }
}

impl Endpoint for CreateOAuthClient {
    const NAME: &'static str = "create_oauth_client";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/oauth-clients";
    type Response = NewOAuthClient;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("name", &self.name)
            .json("name", &self.name)
            .json("redirect_uris", &self.redirect_uris)
            .json_some("accept_terms", self.accept_terms)
            .json_some("post_logout_redirect_uris", self.post_logout_redirect_uris.as_ref())
            .json_some("backchannel_logout_uri", self.backchannel_logout_uri.as_ref())
            .json_some("scopes", self.scopes.as_ref())
            .json_some("owner_contact", self.owner_contact.as_ref())
            .json_some("audience_policy", self.audience_policy.as_ref())
            .json_some("subject_type", self.subject_type.as_ref())
            .json_some("delegation_policy", self.delegation_policy.as_ref())
            .json_some("token_endpoint_auth_method", self.token_endpoint_auth_method.as_ref())
            .json_some("jwks_uri", self.jwks_uri.as_ref())
            .json_some("jwks", self.jwks.as_ref())
            .secret()
    }
}

/// Changes an OAuth client. Fields that are not set keep their values.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateOAuthClient {
    /// The client's id.
    pub client_id: Id<kind::Checked>,
    /// The name shown at sign-in, at most 120 characters.
    pub name: Option<String>,
    /// The redirect URIs for sign-in, at least one.
    pub redirect_uris: Option<Vec<String>>,
    /// The redirect URIs for sign-out.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// The URI that sign-outs are reported to.
    pub backchannel_logout_uri: Option<String>,
    /// The scopes it may request.
    pub scopes: Option<Vec<String>>,
    /// Your contact details, at most 255 characters.
    pub owner_contact: Option<String>,
    /// Which users may sign in: `both`, `agents_only` or `humans_only`.
    pub audience_policy: Option<String>,
    /// How users are identified to it: `public` or `pairwise`.
    pub subject_type: Option<String>,
    /// Whether an agent may sign in on a user's behalf: `deny` or `allow`.
    pub delegation_policy: Option<String>,
    /// How it authenticates at the token endpoint: `client_secret_basic`, `client_secret_post` or
    /// `private_key_jwt`.
    pub token_endpoint_auth_method: Option<String>,
    /// The address of its published public keys.
    pub jwks_uri: Option<String>,
    /// Its public keys, as a JSON Web Key Set.
    pub jwks: Option<JsonObject>,
}

impl UpdateOAuthClient {
    /// Creates a request to change this client, with no changes yet.
    pub fn new(client_id: impl Into<Id<kind::Checked>>) -> Self {
        Self {
            client_id: client_id.into(),
            name: None,
            redirect_uris: None,
            post_logout_redirect_uris: None,
            backchannel_logout_uri: None,
            scopes: None,
            owner_contact: None,
            audience_policy: None,
            subject_type: None,
            delegation_policy: None,
            token_endpoint_auth_method: None,
            jwks_uri: None,
            jwks: None,
        }
    }

    /// Sets the name shown at sign-in, at most 120 characters.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the redirect URIs for sign-in, at least one.
    #[must_use]
    pub fn redirect_uris(mut self, redirect_uris: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.redirect_uris = Some(redirect_uris.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the redirect URIs for sign-out.
    #[must_use]
    pub fn post_logout_redirect_uris(
        mut self,
        post_logout_redirect_uris: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.post_logout_redirect_uris =
            Some(post_logout_redirect_uris.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the URI that sign-outs are reported to.
    #[must_use]
    pub fn backchannel_logout_uri(mut self, backchannel_logout_uri: impl Into<String>) -> Self {
        self.backchannel_logout_uri = Some(backchannel_logout_uri.into());
        self
    }

    /// Sets the scopes it may request.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets your contact details, at most 255 characters.
    #[must_use]
    pub fn owner_contact(mut self, owner_contact: impl Into<String>) -> Self {
        self.owner_contact = Some(owner_contact.into());
        self
    }

    /// Sets which users may sign in: `both`, `agents_only` or `humans_only`.
    #[must_use]
    pub fn audience_policy(mut self, audience_policy: impl Into<String>) -> Self {
        self.audience_policy = Some(audience_policy.into());
        self
    }

    /// Sets how users are identified to it: `public` or `pairwise`.
    #[must_use]
    pub fn subject_type(mut self, subject_type: impl Into<String>) -> Self {
        self.subject_type = Some(subject_type.into());
        self
    }

    /// Sets whether an agent may sign in on a user's behalf: `deny` or `allow`.
    #[must_use]
    pub fn delegation_policy(mut self, delegation_policy: impl Into<String>) -> Self {
        self.delegation_policy = Some(delegation_policy.into());
        self
    }

    /// Sets how it authenticates at the token endpoint: `client_secret_basic`, `client_secret_post` or
    /// `private_key_jwt`.
    #[must_use]
    pub fn token_endpoint_auth_method(mut self, token_endpoint_auth_method: impl Into<String>) -> Self {
        self.token_endpoint_auth_method = Some(token_endpoint_auth_method.into());
        self
    }

    /// Sets the address of its published public keys.
    #[must_use]
    pub fn jwks_uri(mut self, jwks_uri: impl Into<String>) -> Self {
        self.jwks_uri = Some(jwks_uri.into());
        self
    }

    /// Sets its public keys, as a JSON Web Key Set.
    #[must_use]
    pub fn jwks(mut self, jwks: JsonObject) -> Self {
        self.jwks = Some(jwks);
        self
    }
}

impl Endpoint for UpdateOAuthClient {
    const NAME: &'static str = "update_oauth_client";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/oauth-clients/{client_id}";
    type Response = OAuthClient;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("client_id", &self.client_id)
            .json_object()
            .json_some("name", self.name.as_ref())
            .json_some("redirect_uris", self.redirect_uris.as_ref())
            .json_some("post_logout_redirect_uris", self.post_logout_redirect_uris.as_ref())
            .json_some("backchannel_logout_uri", self.backchannel_logout_uri.as_ref())
            .json_some("scopes", self.scopes.as_ref())
            .json_some("owner_contact", self.owner_contact.as_ref())
            .json_some("audience_policy", self.audience_policy.as_ref())
            .json_some("subject_type", self.subject_type.as_ref())
            .json_some("delegation_policy", self.delegation_policy.as_ref())
            .json_some("token_endpoint_auth_method", self.token_endpoint_auth_method.as_ref())
            .json_some("jwks_uri", self.jwks_uri.as_ref())
            .json_some("jwks", self.jwks.as_ref())
    }
}
