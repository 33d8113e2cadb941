//! Organisations themselves: creation, names, deletion.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Open, Reply, Request, Result, Timestamp};

use super::list_of;

// ---- models

/// An organisation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Organisation {
    /// The slug.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub slug: String,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// What is disclosed about it to other services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure_mode: Option<Open<DisclosureMode>>,
    /// The domain it has verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_domain: Option<String>,
    /// The number of members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An organisation you belong to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgMembership {
    /// The slug.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub slug: String,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// Your role in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Open<OrgRole>>,
    /// What is disclosed about it to other services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure_mode: Option<Open<DisclosureMode>>,
    /// The domain it has verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_domain: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A newly created organisation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CreatedOrg {
    /// The slug.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub slug: String,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// Your role in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Open<OrgRole>>,
    /// What is disclosed about it to other services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure_mode: Option<Open<DisclosureMode>>,
    /// The domain it has verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_domain: Option<String>,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The outcome of a change.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgStatus {
    /// The outcome, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An organisation you have left.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct LeftOrg {
    /// Its slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Whether you have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether an organisation is about to be deleted.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgDeletion {
    /// Whether it is about to be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
    /// When the deletion completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completes_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The role of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrgRole {
    /// The owner, who may do everything. There is exactly one.
    Owner,
    /// An administrator, who manages members, domains and grants.
    Admin,
    /// An ordinary member.
    Member,
}

/// What is disclosed about an organisation to other services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DisclosureMode {
    /// Its name and slug.
    Public,
    /// An id that differs at each service.
    Opaque,
    /// Nothing.
    None,
}

// ---- endpoints

/// Creates an organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateOrg {
    /// The name.
    pub name: String,
    /// The slug, which must not be taken.
    pub slug: String,
    /// A description.
    pub description: Option<String>,
}

impl CreateOrg {
    /// Creates a request for an organisation with this name and slug.
    pub fn new(name: impl Into<String>, slug: impl Into<String>) -> Self {
        Self { name: name.into(), slug: slug.into(), description: None }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl Endpoint for CreateOrg {
    const NAME: &'static str = "create_org";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs";
    type Response = CreatedOrg;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("name", &self.name)
            .json("name", &self.name)
            .require_text("slug", &self.slug)
            .json("slug", &self.slug)
            .json_some("description", self.description.as_ref())
    }
}

/// Fetches one organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetOrg {
    /// The organisation's slug.
    pub slug: String,
}

impl GetOrg {
    /// Creates a request for this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for GetOrg {
    const NAME: &'static str = "get_org";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/{slug}";
    type Response = Organisation;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }
}

/// Lists the organisations you belong to.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMyOrgs {}

impl ListMyOrgs {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListMyOrgs {
    const NAME: &'static str = "list_my_orgs";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs";
    type Response = Vec<OrgMembership>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Changes an organisation's slug.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RenameOrg {
    /// The organisation's slug.
    pub slug: String,
    /// The new slug.
    pub new_slug: String,
}

impl RenameOrg {
    /// Creates a request to change this slug to the new one.
    pub fn new(slug: impl Into<String>, new_slug: impl Into<String>) -> Self {
        Self { slug: slug.into(), new_slug: new_slug.into() }
    }
}

impl Endpoint for RenameOrg {
    const NAME: &'static str = "rename_org";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/rename";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .require_text("new_slug", &self.new_slug)
            .json("new_slug", &self.new_slug)
    }
}

/// Leaves an organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeaveOrg {
    /// The organisation's slug.
    pub slug: String,
}

impl LeaveOrg {
    /// Creates a request to leave this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for LeaveOrg {
    const NAME: &'static str = "leave_org";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/leave";
    type Response = LeftOrg;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }
}

/// Requests the deletion of an organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RequestOrgDeletion {
    /// The organisation's slug.
    pub slug: String,
    /// The reason.
    pub reason: Option<String>,
}

impl RequestOrgDeletion {
    /// Creates a request to delete this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into(), reason: None }
    }

    /// Sets the reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl Endpoint for RequestOrgDeletion {
    const NAME: &'static str = "request_org_deletion";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/deletion";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .json_some("reason", self.reason.as_ref())
            .json_object()
    }
}

/// Returns whether an organisation is about to be deleted.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetOrgDeletionStatus {
    /// The organisation's slug.
    pub slug: String,
}

impl GetOrgDeletionStatus {
    /// Creates a request about this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for GetOrgDeletionStatus {
    const NAME: &'static str = "get_org_deletion_status";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/{slug}/deletion";
    type Response = OrgDeletion;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }
}

/// Cancels the deletion of an organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CancelOrgDeletion {
    /// The organisation's slug.
    pub slug: String,
}

impl CancelOrgDeletion {
    /// Creates a request to cancel this organisation's deletion.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for CancelOrgDeletion {
    const NAME: &'static str = "cancel_org_deletion";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/orgs/{slug}/deletion";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }
}
