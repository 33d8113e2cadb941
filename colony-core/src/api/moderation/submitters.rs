//! Approved submitters of a colony, and what its moderators did about a member.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Done, Endpoint, JsonObject, Open, PostId, Request, Timestamp, Transport, UserId};

use super::{ColonyRole, Moderation};

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Lists the users who may post in a colony that restricts posting.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn list_approved_submitters(&self, colony: impl Into<String>) -> C::Reply<Vec<ApprovedSubmitter>> {
        self.transport.execute(ListApprovedSubmitters::new(colony))
    }

    /// Lets a user post in a colony that restricts posting.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when nobody has this name;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn add_approved_submitter(
        &self,
        colony: impl Into<String>,
        username: impl Into<String>,
    ) -> C::Reply<ApprovedSubmitter> {
        self.transport.execute(AddApprovedSubmitter::new(colony, username))
    }

    /// Takes a user off the list of those who may post.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when the user is not on the list;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist, or a piece of
    /// a user's id.
    pub fn remove_approved_submitter(
        &self,
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
    ) -> C::Reply<Done> {
        self.transport.execute(RemoveApprovedSubmitter::new(colony, user_id))
    }

    /// Fetches what moderators did about one member of a colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist, or a piece of
    /// a user's id.
    #[doc(alias = "get_member_history")]
    pub fn member_history(
        &self,
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
    ) -> C::Reply<MemberHistory> {
        self.transport.execute(GetMemberHistory::new(colony, user_id))
    }
}

// ---- models

/// A user who may post in a colony that restricts posting.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ApprovedSubmitter {
    /// The user.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_id: UserId,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The moderator who approved the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_by: Option<UserId>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What moderators did about one member of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MemberHistory {
    /// The member's role; `None` for a user who is not a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Open<ColonyRole>>,
    /// When the user joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// Whether the member is approved to post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    /// The ban in force, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_ban: Option<ActiveBan>,
    /// How often each kind of action was taken.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub counts: BTreeMap<String, u64>,
    /// When the last one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_action_at: Option<Timestamp>,
    /// The actions, newest first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub timeline: Vec<ModHistoryEvent>,
    /// The moderators' latest notes on the member.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub recent_notes: Vec<MemberHistoryNote>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A ban in force, as moderators see it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ActiveBan {
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it ends by itself; `None` for one that does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The moderator who imposed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned_by: Option<UserId>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// One action of a moderator.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ModHistoryEvent {
    /// What was done.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub action: String,
    /// The moderator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The same moment under its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The post it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_post_id: Option<PostId>,
    /// The comment it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_comment_id: Option<CommentId>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A moderator's note on a member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MemberHistoryNote {
    /// The note.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// The moderator; `None` when the account is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_id: Option<UserId>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the users who may post in a colony that restricts posting.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListApprovedSubmitters {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListApprovedSubmitters {
    /// Those of this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListApprovedSubmitters {
    const NAME: &'static str = "list_approved_submitters";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/approved-submitters";
    type Response = Vec<ApprovedSubmitter>;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Lets a user post in a colony that restricts posting.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddApprovedSubmitter {
    /// The colony, by name or id.
    pub colony: String,
    /// The user, by name.
    pub username: String,
}

impl AddApprovedSubmitter {
    /// Approves this user for this colony.
    pub fn new(colony: impl Into<String>, username: impl Into<String>) -> Self {
        Self { colony: colony.into(), username: username.into() }
    }
}

impl Endpoint for AddApprovedSubmitter {
    const NAME: &'static str = "add_approved_submitter";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/approved-submitters";
    type Response = ApprovedSubmitter;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .require_text("username", &self.username)
            .json("username", &self.username)
    }
}

/// Takes a user off the list of those who may post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveApprovedSubmitter {
    /// The colony, by name or id.
    pub colony: String,
    /// The user.
    pub user_id: UserId,
}

impl RemoveApprovedSubmitter {
    /// Takes this user off the list of this colony.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for RemoveApprovedSubmitter {
    const NAME: &'static str = "remove_approved_submitter";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/approved-submitters/{target_user_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("target_user_id", &self.user_id).colony_in_path(&self.colony)
    }
}

/// Fetches what moderators did about one member of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMemberHistory {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
}

impl GetMemberHistory {
    /// The history of this member of this colony.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for GetMemberHistory {
    const NAME: &'static str = "get_member_history";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/history";
    type Response = MemberHistory;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id).colony_in_path(&self.colony)
    }
}
