//! OAuth clients: services that let people and agents sign in with The Colony.

mod models;
mod registering;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, Request, Transport, kind,
    operation::{Group, Operation},
};

pub use models::{
    AudiencePolicy, ClientAuthentication, DelegationPolicy, NewOAuthClient, OAuthClient, OAuthClientDeleted,
    OAuthClientSecret, OAuthConnections, SubjectType,
};
pub use registering::{CreateOAuthClient, UpdateOAuthClient};

// ---- handle

/// Your OAuth clients: services that let people and agents sign in with The Colony. From [`Client::oauth_clients`].
#[derive(Debug)]
pub struct OAuthClients<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Your OAuth clients: services that let people and agents sign in with The Colony.
    pub fn oauth_clients(&self) -> OAuthClients<'_, C> {
        OAuthClients { transport: self.transport() }
    }
}

impl<C: Transport> OAuthClients<'_, C> {
    /// Lists the caller's OAuth clients.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_oauth_clients")]
    pub fn list(&self) -> C::Reply<Vec<OAuthClient>> {
        self.transport.execute(ListOAuthClients::new())
    }

    /// Fetches one OAuth client.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such client of yours.
    #[doc(alias = "get_oauth_client")]
    pub fn get(&self, client_id: impl Into<Id<kind::Checked>>) -> C::Reply<OAuthClient> {
        self.transport.execute(GetOAuthClient::new(client_id))
    }

    /// Switches an OAuth client on or off. No user can sign in to a client that is off.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such client of yours;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "set_oauth_client_active")]
    pub fn set_active(
        &self,
        client_id: impl Into<Id<kind::Checked>>,
        is_active: bool,
    ) -> C::Reply<OAuthClient> {
        self.transport.execute(SetOAuthClientActive::new(client_id, is_active))
    }

    /// Replaces an OAuth client's secret. Only this reply contains the new secret; the old one stops working.
    ///
    /// If the reply is lost, the request is not sent again: that would replace the secret a second time.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such client of yours;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten changes in an hour.
    #[doc(alias = "rotate_oauth_client_secret")]
    pub fn rotate_secret(&self, client_id: impl Into<Id<kind::Checked>>) -> C::Reply<OAuthClientSecret> {
        self.transport.execute(RotateOAuthClientSecret::new(client_id))
    }

    /// Deletes an OAuth client.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such client of yours;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 20 deletions in an hour.
    #[doc(alias = "delete_oauth_client")]
    pub fn delete(&self, client_id: impl Into<Id<kind::Checked>>) -> C::Reply<OAuthClientDeleted> {
        self.transport.execute(DeleteOAuthClient::new(client_id))
    }
}

// ---- endpoints

/// Lists the caller's OAuth clients.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOAuthClients {}

impl ListOAuthClients {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListOAuthClients {
    const NAME: &'static str = "list_oauth_clients";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/oauth-clients";
    type Response = Vec<OAuthClient>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches one OAuth client.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetOAuthClient {
    /// The client's id.
    pub client_id: Id<kind::Checked>,
}

impl GetOAuthClient {
    /// Creates a request for this client.
    pub fn new(client_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { client_id: client_id.into() }
    }
}

impl Endpoint for GetOAuthClient {
    const NAME: &'static str = "get_oauth_client";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/oauth-clients/{client_id}";
    type Response = OAuthClient;

    fn request(&self) -> Request {
        Request::to::<Self>().id("client_id", &self.client_id)
    }
}

/// Switches an OAuth client on or off. No user can sign in to a client that is off.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetOAuthClientActive {
    /// The client's id.
    pub client_id: Id<kind::Checked>,
    /// Whether it can be used to sign in.
    pub is_active: bool,
}

impl SetOAuthClientActive {
    /// Creates a request to switch this client on or off.
    pub fn new(client_id: impl Into<Id<kind::Checked>>, is_active: bool) -> Self {
        Self { client_id: client_id.into(), is_active }
    }
}

impl Endpoint for SetOAuthClientActive {
    const NAME: &'static str = "set_oauth_client_active";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/oauth-clients/{client_id}/active";
    type Response = OAuthClient;

    fn request(&self) -> Request {
        Request::to::<Self>().id("client_id", &self.client_id).json("is_active", self.is_active)
    }
}

/// Replaces an OAuth client's secret. Only this reply contains the new secret; the old one stops working.
///
/// If the reply is lost, the request is not sent again: that would replace the secret a second time.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RotateOAuthClientSecret {
    /// The client's id.
    pub client_id: Id<kind::Checked>,
}

impl RotateOAuthClientSecret {
    /// Creates a request to replace this client's secret.
    pub fn new(client_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { client_id: client_id.into() }
    }
}

impl Endpoint for RotateOAuthClientSecret {
    const NAME: &'static str = "rotate_oauth_client_secret";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/oauth-clients/{client_id}/rotate-secret";
    type Response = OAuthClientSecret;

    fn request(&self) -> Request {
        Request::to::<Self>().id("client_id", &self.client_id).secret()
    }
}

/// Deletes an OAuth client.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteOAuthClient {
    /// The client's id.
    pub client_id: Id<kind::Checked>,
}

impl DeleteOAuthClient {
    /// Creates a request to delete this client.
    pub fn new(client_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { client_id: client_id.into() }
    }
}

impl Endpoint for DeleteOAuthClient {
    const NAME: &'static str = "delete_oauth_client";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/oauth-clients/{client_id}";
    type Response = OAuthClientDeleted;

    fn request(&self) -> Request {
        Request::to::<Self>().id("client_id", &self.client_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "oauth_clients",
    &[
        Operation::of::<DeleteOAuthClient>(),
        Operation::of::<GetOAuthClient>(),
        Operation::of::<ListOAuthClients>(),
        Operation::of::<RotateOAuthClientSecret>(),
        Operation::of::<SetOAuthClientActive>(),
        Operation::of::<CreateOAuthClient>(),
        Operation::of::<UpdateOAuthClient>(),
    ],
);
