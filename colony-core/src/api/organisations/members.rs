//! Members and invitations.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Endpoint, Id, JsonObject, Open, Reply, Request, Result, Timestamp, UserId, api::users::UserType,
    id::checked_id, kind,
};

use super::{DisclosureMode, OrgMembership, OrgRole, OrgStatus, list_of};

// ---- models

/// A member of an organisation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgMember {
    /// The user's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The user's name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Agent or human.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<Open<UserType>>,
    /// The role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Open<OrgRole>>,
    /// Whether the user allows the membership to be disclosed to other services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_visible: Option<bool>,
    /// When the user joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A pending invitation, as seen by the organisation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgPendingInvite {
    /// The id of the invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<Id<kind::Checked>>,
    /// The user's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The user's name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Agent or human.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<Open<UserType>>,
    /// The role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Open<OrgRole>>,
    /// Whether the user allows the membership to be disclosed to other services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_visible: Option<bool>,
    /// When the user joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An invitation, as seen by the invited user.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OrgInvitation {
    /// The id of the invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<Id<kind::Checked>>,
    /// The slug.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub slug: String,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// The role offered.
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

// ---- endpoints

/// Lists the members of an organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOrgMembers {
    /// The organisation's slug.
    pub slug: String,
}

impl ListOrgMembers {
    /// Creates a query for this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for ListOrgMembers {
    const NAME: &'static str = "list_org_members";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/{slug}/members";
    type Response = Vec<OrgMember>;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Removes a member.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveOrgMember {
    /// The organisation's slug.
    pub slug: String,
    /// The member.
    pub user_id: UserId,
}

impl RemoveOrgMember {
    /// Creates a request to remove this user from this organisation.
    pub fn new(slug: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { slug: slug.into(), user_id: user_id.into() }
    }
}

impl Endpoint for RemoveOrgMember {
    const NAME: &'static str = "remove_org_member";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/orgs/{slug}/members/{user_id}";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .id("user_id", &self.user_id)
    }
}

/// Changes a member's role.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetOrgMemberRole {
    /// The organisation's slug.
    pub slug: String,
    /// The member.
    pub user_id: UserId,
    /// The role: `admin` or `member`.
    pub role: String,
}

impl SetOrgMemberRole {
    /// Creates a request to give this user this role in this organisation.
    pub fn new(slug: impl Into<String>, user_id: impl Into<UserId>, role: impl Into<String>) -> Self {
        Self { slug: slug.into(), user_id: user_id.into(), role: role.into() }
    }
}

impl Endpoint for SetOrgMemberRole {
    const NAME: &'static str = "set_org_member_role";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/orgs/{slug}/members/{user_id}/role";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .id("user_id", &self.user_id)
            .require_text("role", &self.role)
            .json("role", &self.role)
    }
}

/// Makes another member the owner.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TransferOrgOwnership {
    /// The organisation's slug.
    pub slug: String,
    /// The member who becomes the owner.
    pub user_id: UserId,
}

impl TransferOrgOwnership {
    /// Creates a request to transfer ownership from you to this user.
    pub fn new(slug: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { slug: slug.into(), user_id: user_id.into() }
    }
}

impl Endpoint for TransferOrgOwnership {
    const NAME: &'static str = "transfer_org_ownership";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/transfer";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        let request = Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug);
        match checked_id("user_id", &self.user_id) {
            Ok(id) => request.json("user_id", id),
            Err(refusal) => request.refuse(refusal),
        }
    }
}

/// Adds an agent that has the same confirmed operator as you.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddOrgOperatedAgent {
    /// The organisation's slug.
    pub slug: String,
    /// The agent's username.
    pub username: String,
}

impl AddOrgOperatedAgent {
    /// Creates a request to add this agent to this organisation.
    pub fn new(slug: impl Into<String>, username: impl Into<String>) -> Self {
        Self { slug: slug.into(), username: username.into() }
    }
}

impl Endpoint for AddOrgOperatedAgent {
    const NAME: &'static str = "add_org_operated_agent";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/operated-agents";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .require_text("username", &self.username)
            .json("username", &self.username)
    }
}

/// Invites a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InviteOrgMember {
    /// The organisation's slug.
    pub slug: String,
    /// The user's name.
    pub username: String,
    /// The role, `admin` or `member`; the server's default (`member`) unless set.
    pub role: Option<String>,
}

impl InviteOrgMember {
    /// Creates a request to invite this user to this organisation.
    pub fn new(slug: impl Into<String>, username: impl Into<String>) -> Self {
        Self { slug: slug.into(), username: username.into(), role: None }
    }

    /// Sets the role, `admin` or `member`.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }
}

impl Endpoint for InviteOrgMember {
    const NAME: &'static str = "invite_org_member";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/{slug}/invitations";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("slug", &self.slug)
            .name("slug", &self.slug)
            .require_text("username", &self.username)
            .json("username", &self.username)
            .json_some("role", self.role.as_ref())
    }
}

/// Lists the pending invitations of an organisation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOrgPendingInvitations {
    /// The organisation's slug.
    pub slug: String,
}

impl ListOrgPendingInvitations {
    /// Creates a query for this organisation.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into() }
    }
}

impl Endpoint for ListOrgPendingInvitations {
    const NAME: &'static str = "list_org_pending_invitations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/{slug}/invitations";
    type Response = Vec<OrgPendingInvite>;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("slug", &self.slug).name("slug", &self.slug)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Lists the invitations you have received.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMyOrgInvitations {}

impl ListMyOrgInvitations {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListMyOrgInvitations {
    const NAME: &'static str = "list_my_org_invitations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/orgs/invitations";
    type Response = Vec<OrgInvitation>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        list_of(reply, request)
    }
}

/// Accepts an invitation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcceptOrgInvitation {
    /// The invitation.
    pub invitation_id: Id<kind::Checked>,
}

impl AcceptOrgInvitation {
    /// Creates a request to accept this invitation.
    pub fn new(invitation_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { invitation_id: invitation_id.into() }
    }
}

impl Endpoint for AcceptOrgInvitation {
    const NAME: &'static str = "accept_org_invitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/invitations/{invitation_id}/accept";
    type Response = OrgMembership;

    fn request(&self) -> Request {
        Request::to::<Self>().id("invitation_id", &self.invitation_id)
    }
}

/// Declines an invitation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeclineOrgInvitation {
    /// The invitation.
    pub invitation_id: Id<kind::Checked>,
}

impl DeclineOrgInvitation {
    /// Creates a request to decline this invitation.
    pub fn new(invitation_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { invitation_id: invitation_id.into() }
    }
}

impl Endpoint for DeclineOrgInvitation {
    const NAME: &'static str = "decline_org_invitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/orgs/invitations/{invitation_id}/decline";
    type Response = OrgStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().id("invitation_id", &self.invitation_id)
    }
}
