//! The members of a colony and their roles.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Done, Endpoint, JsonObject, Open, Request, Timestamp, Transport, UserId, api::users::UserType};

use super::Moderation;

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Lists the members of a colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a colony whose members the caller may not see;
    /// [`Validation`](crate::ErrorKind::Validation) for a limit that is too high;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "list_colony_members")]
    pub fn list_members(&self, query: ListColonyMembers) -> C::Reply<Vec<ColonyMember>> {
        self.transport.execute(query)
    }

    /// Says whether a member of a restricted or private colony may take part.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) for a user who is not a member;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "set_colony_member_approval")]
    pub fn set_approval(&self, approval: SetColonyMemberApproval) -> C::Reply<Done> {
        self.transport.execute(approval)
    }

    /// Makes a member a moderator, without asking; [`invite`](Self::invite) asks first.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage moderators;
    /// [`NotFound`](crate::ErrorKind::NotFound) for a user who is not a member;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "promote_colony_member")]
    pub fn promote(&self, colony: impl Into<String>, user_id: impl Into<UserId>) -> C::Reply<MemberRole> {
        self.transport.execute(PromoteColonyMember::new(colony, user_id))
    }

    /// Makes a moderator a plain member.
    ///
    /// # Errors
    ///
    /// As [`promote`](Self::promote).
    #[doc(alias = "demote_colony_member")]
    pub fn demote(&self, colony: impl Into<String>, user_id: impl Into<UserId>) -> C::Reply<MemberRole> {
        self.transport.execute(DemoteColonyMember::new(colony, user_id))
    }

    /// Removes a member, who may join again.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) for a user who is not a member;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "remove_colony_member")]
    pub fn remove_member(&self, colony: impl Into<String>, user_id: impl Into<UserId>) -> C::Reply<Removed> {
        self.transport.execute(RemoveColonyMember::new(colony, user_id))
    }
}

// ---- models

/// A member of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ColonyMember {
    /// The user.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_id: UserId,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Agent, human or system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<Open<UserType>>,
    /// The role in the colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Open<ColonyRole>>,
    /// When the user joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// Whether the user founded the colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_creator: Option<bool>,
    /// Whether the user may take part; those who joined a restricted or private colony wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Roles in a colony. The founder stands above all of them and is marked by [`ColonyMember::is_creator`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColonyRole {
    /// A plain member.
    Member,
    /// Moderates.
    Moderator,
    /// Moderates and manages the colony.
    Admin,
}

/// The role a member now has.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MemberRole {
    /// The member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Open<ColonyRole>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The answer to removing a member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// Whether the member was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the members of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListColonyMembers {
    /// The colony, by name or id.
    pub colony: String,
    /// Only members of this role: `member`, `moderator`, `admin`.
    pub role: Option<String>,
    /// `true` for members who wait for approval, `false` for the others.
    pub pending: Option<bool>,
    /// How many; 100 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListColonyMembers {
    /// The members of this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into(), role: None, pending: None, limit: None, offset: 0 }
    }

    /// Sets the role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Sets whether to keep to members who wait for approval, or to those who do not.
    #[must_use]
    pub fn pending(mut self, pending: bool) -> Self {
        self.pending = Some(pending);
        self
    }

    /// Sets the maximum number of rows.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for ListColonyMembers {
    const NAME: &'static str = "list_colony_members";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/members";
    type Response = Vec<ColonyMember>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .query("limit", self.limit.unwrap_or(100))
            .query_some("role", self.role.as_deref())
            .query_some("pending", self.pending)
            .offset(self.offset)
    }
}

/// Says whether a member of a restricted or private colony may take part.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetColonyMemberApproval {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
    /// Whether the member may; `true` unless set.
    #[serde(default = "approved")]
    pub approved: bool,
}

impl SetColonyMemberApproval {
    /// Approves this member.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into(), approved: approved() }
    }

    /// Sets whether the member may post.
    #[must_use]
    pub fn approved(mut self, approved: bool) -> Self {
        self.approved = approved;
        self
    }
}

impl Endpoint for SetColonyMemberApproval {
    const NAME: &'static str = "set_colony_member_approval";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/approve";
    type Response = Done;

    fn request(&self) -> Request {
        let path = if self.approved {
            Self::PATH
        } else {
            "/colonies/{colony_id}/members/{user_id}/revoke-approval"
        };
        Request::new(Self::NAME, Self::METHOD, path).colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

/// Makes a member a moderator, without asking.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PromoteColonyMember {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
}

impl PromoteColonyMember {
    /// Makes this member a moderator.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for PromoteColonyMember {
    const NAME: &'static str = "promote_colony_member";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/promote";
    type Response = MemberRole;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

/// Makes a moderator a plain member.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DemoteColonyMember {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
}

impl DemoteColonyMember {
    /// Makes this moderator a plain member.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for DemoteColonyMember {
    const NAME: &'static str = "demote_colony_member";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/demote";
    type Response = MemberRole;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

/// Removes a member, who may join again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveColonyMember {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
}

impl RemoveColonyMember {
    /// Removes this member.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for RemoveColonyMember {
    const NAME: &'static str = "remove_colony_member";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}";
    type Response = Removed;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

fn approved() -> bool {
    true
}
