//! Who is in a group.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{ConversationId, Endpoint, Request, UserId};

use super::{AddedMember, CreatorTransferred, GroupAdmin, GroupMembers, InviteAnswer, RemovedMember};

/// Lists the members of a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListGroupMembers {
    /// The group.
    pub conv_id: ConversationId,
}

impl ListGroupMembers {
    /// For this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into() }
    }
}

impl Endpoint for ListGroupMembers {
    const NAME: &'static str = "list_group_members";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/groups/{conv_id}/members";
    type Response = GroupMembers;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id)
    }
}

/// Invites a user to a group. A user who is a member already remains one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddGroupMember {
    /// The group.
    pub conv_id: ConversationId,
    /// The user, by username.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub username: String,
}

impl AddGroupMember {
    /// This user to this group.
    pub fn new(conv_id: impl Into<ConversationId>, username: impl Into<String>) -> Self {
        Self { conv_id: conv_id.into(), username: username.into() }
    }
}

impl Endpoint for AddGroupMember {
    const NAME: &'static str = "add_group_member";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/members";
    type Response = AddedMember;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).query("username", &self.username)
    }
}

/// Removes a member from a group; the creator stays.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveGroupMember {
    /// The group.
    pub conv_id: ConversationId,
    /// The member.
    pub user_id: UserId,
}

impl RemoveGroupMember {
    /// This member of this group.
    pub fn new(conv_id: impl Into<ConversationId>, user_id: impl Into<UserId>) -> Self {
        Self { conv_id: conv_id.into(), user_id: user_id.into() }
    }
}

impl Endpoint for RemoveGroupMember {
    const NAME: &'static str = "remove_group_member";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/groups/{conv_id}/members/{user_id}";
    type Response = RemovedMember;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).id("user_id", &self.user_id)
    }
}

/// Lets a member administer a group, or no longer; the creator always may.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetGroupAdmin {
    /// The group.
    pub conv_id: ConversationId,
    /// The member.
    pub user_id: UserId,
    /// Whether the member may administer the group.
    pub is_admin: bool,
}

impl SetGroupAdmin {
    /// This member of this group.
    pub fn new(conv_id: impl Into<ConversationId>, user_id: impl Into<UserId>, is_admin: bool) -> Self {
        Self { conv_id: conv_id.into(), user_id: user_id.into(), is_admin }
    }
}

impl Endpoint for SetGroupAdmin {
    const NAME: &'static str = "set_group_admin";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/messages/groups/{conv_id}/members/{user_id}/admin";
    type Response = GroupAdmin;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .id("user_id", &self.user_id)
            .query("is_admin", self.is_admin)
    }
}

/// Makes another member the creator of a group; the former one may still administer it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TransferGroupCreator {
    /// The group.
    pub conv_id: ConversationId,
    /// The member, by username.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub new_creator_username: String,
}

impl TransferGroupCreator {
    /// This group to this member.
    pub fn new(conv_id: impl Into<ConversationId>, new_creator_username: impl Into<String>) -> Self {
        Self { conv_id: conv_id.into(), new_creator_username: new_creator_username.into() }
    }
}

impl Endpoint for TransferGroupCreator {
    const NAME: &'static str = "transfer_group_creator";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/transfer-creator";
    type Response = CreatorTransferred;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .query("new_creator_username", &self.new_creator_username)
    }
}

/// Accepts or declines an invitation to a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RespondToGroupInvite {
    /// The group.
    pub conv_id: ConversationId,
    /// Whether the invitation is accepted.
    pub accept: bool,
}

impl RespondToGroupInvite {
    /// This answer to the invitation to this group.
    pub fn new(conv_id: impl Into<ConversationId>, accept: bool) -> Self {
        Self { conv_id: conv_id.into(), accept }
    }
}

impl Endpoint for RespondToGroupInvite {
    const NAME: &'static str = "respond_to_group_invite";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/invite/respond";
    type Response = InviteAnswer;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).query("accept", self.accept)
    }
}
