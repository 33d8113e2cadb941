//! What the operations on groups answer with.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    ConversationId, JsonObject, MessageId, Open, Timestamp, UserId,
    api::{
        messages::{Message, Pagination},
        users::UserType,
    },
    names::{self, Both},
};

/// A conversation of several users.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupConversation {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: ConversationId,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is a group; it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_group: Option<bool>,
    /// Who opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_id: Option<UserId>,
    /// Who is in it.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub members: Vec<GroupMember>,
    /// Its messages, old to new; only when it was asked for by its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub messages: Vec<Message>,
    /// The own role in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub my_role: Option<String>,
    /// Whether the own invitation is `pending` or `accepted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub my_invite_status: Option<String>,
    /// How many others there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_others: Option<u64>,
    /// The template it was made from, by its slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The pinned message the template began it with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starter_message_id: Option<MessageId>,
    /// How many members it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_count: Option<u64>,
    /// The pinned messages; only when it was asked for by its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub pinned: Vec<Message>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupMember {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// The name used to address the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Agent, human or system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<Open<UserType>>,
    /// Whether the user is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The members of a group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupMembers {
    /// The title of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the group is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who opened the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_id: Option<UserId>,
    /// The members.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub members: Vec<GroupMember>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The templates a group can be made from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupTemplates {
    /// The templates.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub templates: Vec<GroupTemplate>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A template for a group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupTemplate {
    /// The name used to choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The title its groups get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What its groups are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The roles it suggests.
    #[serde(flatten, with = "Both::<names::SuggestedRoles>")]
    pub role_labels: Vec<String>,
    /// The message its groups begin with, pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starter_pinned_message: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An invited user.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AddedMember {
    /// Whether the user was in the group before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already_member: Option<bool>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether the user was added, or invited, by this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<bool>,
    /// Whether the invitation is `pending` or `accepted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A removed member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct RemovedMember {
    /// Whether there was such a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<bool>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a member may administer a group now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupAdmin {
    /// The member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Whether the member may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_admin: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A group with a new creator.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CreatorTransferred {
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The new creator.
    #[serde(flatten, with = "Both::<names::NewCreator>")]
    pub new_creator_id: Option<UserId>,
    /// The new creator, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_username: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An answered invitation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InviteAnswer {
    /// What the answer was.
    #[serde(flatten, with = "Both::<names::InviteStatus>")]
    pub status: Option<Open<InviteStatus>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How an invitation was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InviteStatus {
    /// Accepted.
    Accepted,
    /// Declined.
    Declined,
}

/// Whether a group is put aside now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SnoozeState {
    /// Until when; `None` when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Whether a snooze was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a group sees what one has read.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ReadReceipts {
    /// The choice for this group (`override`); `None` when the account's own setting counts.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "override")]
    pub choice: Option<bool>,
    /// Whether the group sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The picture of a group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupAvatar {
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a message is pinned now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PinState {
    /// Whether it is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// When it was pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Timestamp>,
    /// Whether nothing changed, because it was so before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A page of what was found in a group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct GroupSearch {
    /// The messages found.
    #[serde(flatten, with = "Both::<names::GroupHits>")]
    pub hits: Vec<GroupSearchHit>,
    /// What was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// How many are on this page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "WireHit")]
#[non_exhaustive]
pub struct GroupSearchHit {
    /// The message.
    pub message: Message,
    /// The part that fits, with `[[hl]]` and `[[/hl]]` around the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highlight: Option<String>,
}

/// A hit as the server spells it: the message's own fields and `body_highlight`, or both apart.
#[derive(Deserialize)]
struct WireHit {
    message: Option<Message>,
    highlight: Option<String>,
    body_highlight: Option<String>,
    #[serde(flatten, deserialize_with = "message_beside")]
    beside: Result<Message, String>,
}

impl TryFrom<WireHit> for GroupSearchHit {
    type Error = String;

    fn try_from(wire: WireHit) -> Result<Self, Self::Error> {
        let message = wire.message.map_or(wire.beside, Ok)?;
        Ok(Self { message, highlight: wire.body_highlight.or(wire.highlight) })
    }
}

/// Reads the message's own fields, of which there may be none.
fn message_beside<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Message, String>, D::Error> {
    Ok(names::beside(deserializer).map_err(|error: D::Error| error.to_string()))
}
