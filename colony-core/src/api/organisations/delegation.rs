//! Delegation: acting for an organisation at other services.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Open, Reply, Request, Result, Timestamp, UserId, kind};

use super::{OrgRole, OrgStatus, list_of};

// ---- models

/// A service at which members may act for the organisation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgResource {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Checked>>,
    /// The address that identifies it.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub identifier: String,
    /// A human-readable name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A grant by which members act for the organisation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgDelegationGrant {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Checked>>,
    /// The service it is for.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub resource: String,
    /// The scopes that a token may have.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub allowed_scopes: Vec<String>,
    /// The lowest role that may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_role: Option<Open<OrgRole>>,
    /// The maximum lifetime of a token, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ttl_seconds: Option<u64>,
    /// The only member who may use it, if it is restricted to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_user_id: Option<UserId>,
    /// Whether it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the services at which members may act for the organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOrgResources {
    /// The organisation's slug.
    pub slug: String,
}

impl ListOrgResources {
    /// Creates a query for this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for ListOrgResources {
    const NAME: &'static str = "list_org_resources";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/{slug}/resources";
    type Response = Vec<OrgResource>;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Registers a service at which members may act for the organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddOrgResource {
    /// The organisation's slug.
    pub slug: String,
    /// The address that identifies the service.
    pub identifier: String,
    /// A human-readable name.
    pub label: Option<String>,
}

impl AddOrgResource {
    /// Creates a request to register this address for this organisation.
    pub fn new(slug: impl Into<String>, identifier: impl Into<String>) -> Self {
        Self { slug: slug.into(), identifier: identifier.into(), label: None }
    }

    /// Sets a human-readable name.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

impl Endpoint for AddOrgResource {
    const NAME: &'static str = "add_org_resource";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/resources";
    type Response = OrgResource;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .require_text("identifier", &self.identifier)
            .json("identifier", &self.identifier)
            .json_some("label", self.label.as_ref())
    }
}

/// Removes a registered service.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveOrgResource {
    /// The organisation's slug.
    pub slug: String,
    /// The service.
    pub resource_id: Id<kind::Checked>,
}

impl RemoveOrgResource {
    /// Creates a request to remove this service from this organisation.
    pub fn new(slug: impl Into<String>, resource_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { slug: slug.into(), resource_id: resource_id.into() }
    }
}

impl Endpoint for RemoveOrgResource {
    const NAME: &'static str = "remove_org_resource";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/orgs/{slug}/resources/{resource_id}";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .id("resource_id", &self.resource_id)
    }
}

/// Lists the grants by which members act for the organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOrgDelegationGrants {
    /// The organisation's slug.
    pub slug: String,
}

impl ListOrgDelegationGrants {
    /// Creates a query for this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for ListOrgDelegationGrants {
    const NAME: &'static str = "list_org_delegation_grants";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/{slug}/delegation-grants";
    type Response = Vec<OrgDelegationGrant>;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Allows members to act for the organisation at a registered service.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddOrgDelegationGrant {
    /// The organisation's slug.
    pub slug: String,
    /// The address of the service, as registered.
    pub resource: String,
    /// The scopes that a token may have; at least one.
    pub scopes: Vec<String>,
    /// The lowest role that may use it; the server's default (`member`) unless set.
    pub min_role: Option<String>,
    /// The maximum lifetime of a token, in seconds.
    pub max_ttl_seconds: Option<u64>,
}

impl AddOrgDelegationGrant {
    /// Creates a grant of these scopes at this service.
    pub fn new(
        slug: impl Into<String>,
        resource: impl Into<String>,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            slug: slug.into(),
            resource: resource.into(),
            scopes: scopes.into_iter().map(Into::into).collect(),
            min_role: None,
            max_ttl_seconds: None,
        }
    }

    /// Sets the lowest role that may use it.
    #[must_use]
    pub fn min_role(mut self, min_role: impl Into<String>) -> Self {
        self.min_role = Some(min_role.into());
        self
    }

    /// Sets the maximum lifetime of a token, in seconds.
    #[must_use]
    pub fn max_ttl_seconds(mut self, max_ttl_seconds: u64) -> Self {
        self.max_ttl_seconds = Some(max_ttl_seconds);
        self
    }
}

impl Endpoint for AddOrgDelegationGrant {
    const NAME: &'static str = "add_org_delegation_grant";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/delegation-grants";
    type Response = OrgDelegationGrant;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require(
                "scopes",
                !self.scopes.is_empty(),
                "scopes is empty, so the grant would allow nothing; name at least one scope",
            )
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .require_text("resource", &self.resource)
            .json("resource", &self.resource)
            .json("scopes", &self.scopes)
            .json_some("min_role", self.min_role.as_ref())
            .json_some("max_ttl_seconds", self.max_ttl_seconds)
    }
}

/// Revokes a grant.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveOrgDelegationGrant {
    /// The organisation's slug.
    pub slug: String,
    /// The grant.
    pub grant_id: Id<kind::Checked>,
}

impl RemoveOrgDelegationGrant {
    /// Creates a request to revoke this grant of this organisation.
    pub fn new(slug: impl Into<String>, grant_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { slug: slug.into(), grant_id: grant_id.into() }
    }
}

impl Endpoint for RemoveOrgDelegationGrant {
    const NAME: &'static str = "remove_org_delegation_grant";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/orgs/{slug}/delegation-grants/{grant_id}";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .id("grant_id", &self.grant_id)
    }
}
