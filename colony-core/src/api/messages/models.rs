//! What the operations on messages answer with.

use serde::{Deserialize, Serialize};

use crate::{
    ConversationId, Id, JsonObject, MessageId, Timestamp, UserId,
    api::{attachments::Attachment, users::User},
    kind,
    names::{self, Both},
};

/// A message, direct or in a group.
///
/// Some replies hold the sender as a whole user, others only its id and name; `sender_id` and
/// `sender_username` are there for both, and so for the recipient.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(from = "WireMessage")]
#[non_exhaustive]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// The conversation it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The text, in Markdown.
    pub body: String,
    /// Who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<UserId>,
    /// The name of who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_username: Option<String>,
    /// Who sent it, where the server sent more than id and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<User>,
    /// Who it was sent to; not in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_id: Option<UserId>,
    /// The name of who it was sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_username: Option<String>,
    /// Who it was sent to, where the server sent more than id and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<User>,
    /// Whether the recipient has read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_read: Option<bool>,
    /// When the recipient read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// The reactions to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<MessageReaction>,
    /// The images attached to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The message it replies to, in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<RepliedMessage>,
    /// How many members of a group have read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_count: Option<u64>,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A message with its fields as the server spells them, several of which may come under two names.
#[derive(Deserialize)]
struct WireMessage {
    id: Option<MessageId>,
    message_id: Option<MessageId>,
    conversation_id: Option<ConversationId>,
    body: Option<String>,
    sender: Option<User>,
    sender_id: Option<UserId>,
    sender_username: Option<String>,
    recipient: Option<User>,
    recipient_id: Option<UserId>,
    recipient_username: Option<String>,
    is_read: Option<bool>,
    read: Option<bool>,
    read_at: Option<Timestamp>,
    edited_at: Option<Timestamp>,
    reactions: Option<Vec<MessageReaction>>,
    attachments: Option<Vec<Attachment>>,
    reply_to: Option<RepliedMessage>,
    read_count: Option<u64>,
    created_at: Option<Timestamp>,
    #[serde(flatten)]
    extra: JsonObject,
}

impl From<WireMessage> for Message {
    fn from(wire: WireMessage) -> Self {
        let id_and_name = |user: Option<&User>| {
            let id = user.map(|user| user.id.clone()).filter(|id| !id.as_str().is_empty());
            let name = user.map(|user| user.username.clone()).filter(|name| !name.is_empty());
            (id, name)
        };
        let (sender_id, sender_username) = id_and_name(wire.sender.as_ref());
        let (recipient_id, recipient_username) = id_and_name(wire.recipient.as_ref());
        Self {
            id: wire.id.or(wire.message_id).unwrap_or_default(),
            conversation_id: wire.conversation_id,
            body: wire.body.unwrap_or_default(),
            sender_id: sender_id.or(wire.sender_id),
            sender_username: sender_username.or(wire.sender_username),
            sender: wire.sender,
            recipient_id: recipient_id.or(wire.recipient_id),
            recipient_username: recipient_username.or(wire.recipient_username),
            recipient: wire.recipient,
            is_read: wire.is_read.or(wire.read),
            read_at: wire.read_at,
            edited_at: wire.edited_at,
            reactions: wire.reactions.unwrap_or_default(),
            attachments: wire.attachments.unwrap_or_default(),
            reply_to: wire.reply_to,
            read_count: wire.read_count,
            created_at: wire.created_at,
            extra: wire.extra,
        }
    }
}

/// A message that another one replies to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct RepliedMessage {
    /// The message.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: MessageId,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<UserId>,
    /// The name of who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_username: Option<String>,
    /// How its text begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_preview: Option<String>,
    /// Whether it was deleted since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A conversation with one user.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Conversation {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: ConversationId,
    /// The other party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_user: Option<User>,
    /// When the latest message was sent; in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// How the latest message begins; in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_preview: Option<String>,
    /// How many messages are unread; in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// Whether it is archived; in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_archived: Option<bool>,
    /// The messages; empty in lists.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub messages: Vec<Message>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Some messages of a conversation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessagePage {
    /// The messages.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub messages: Vec<Message>,
    /// Whether there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// The same question, answered in another place by some replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// Whether the message that the page starts from was found. Without it the page is the newest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor_found: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a page says about the whole list.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Pagination {
    /// How many there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A page of starred messages.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SavedMessages {
    /// The messages, latest star first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub messages: Vec<SavedMessage>,
    /// Whether there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A starred message and where it stands.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SavedMessage {
    /// The message.
    pub message: Message,
    /// The other party, for a conversation with one user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_username: Option<String>,
    /// The title of the group, for a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_title: Option<String>,
    /// When it was starred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
    /// The note made with the star.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether it stands in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_group: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageReaction {
    /// The emoji, or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// Who reacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The name of who reacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What became of a reaction to be taken back.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ReactionRemoved {
    /// Whether there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The versions of a message.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageEdits {
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The versions, the present one first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub versions: Vec<MessageVersion>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// One version of a message.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageVersion {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// When it was written. Older servers say it as `at`, in `extra`.
    #[serde(flatten, with = "Both::<names::VersionCreated>")]
    pub created_at: Option<Timestamp>,
    /// Whether it is the present text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_current: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Who has read a message.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageReads {
    /// Whether it stands in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_group: Option<bool>,
    /// How many others there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_others: Option<u64>,
    /// How many of them have read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_count: Option<u64>,
    /// Those who have read it.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub seen: Vec<MessageReader>,
    /// Those who have not.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub unseen: Vec<MessageReader>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Someone who can read a message.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageReader {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The name used to address the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// When the message was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A message marked read.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageReadState {
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Whether it was unread before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_unread: Option<bool>,
    /// When it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Whether it had been read before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub already: Option<bool>,
    /// Whether it is the caller's own, which is never unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_authored: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How much was marked read.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MarkedRead {
    /// How many messages were unread before.
    #[serde(flatten, with = "Both::<names::Marked>")]
    pub marked_read: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A deleted message.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct DeletedMessage {
    /// Whether it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a message is starred now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct StarState {
    /// Whether it is starred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a conversation is archived now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ArchiveState {
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a conversation is muted now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MuteState {
    /// Whether it is muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// When the muting ends, if it does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The spam mark of a conversation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SpamReport {
    /// The conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// When it was marked; `None` when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spam_reported_at: Option<Timestamp>,
    /// The reason on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spam_reason_code: Option<String>,
    /// The report to the moderators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_id: Option<Id<kind::Opaque>>,
    /// Whether it had been reported before, so that no second report was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_replayed: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How many direct messages are unread.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct UnreadMessages {
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_direct_messages: Option<u64>,
    /// The same number by its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: serde_json::Value) -> Message {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_message_has_the_same_fields_however_the_server_spells_them() {
        let direct = read(json!({"id": "m", "sender": {"id": "u", "username": "ada"}, "read": true}));
        let group =
            read(json!({"message_id": "m", "sender_id": "u", "sender_username": "ada", "is_read": true}));
        assert_eq!(direct.id, group.id);
        assert_eq!(direct.sender_id, group.sender_id);
        assert_eq!(direct.sender_username.as_deref(), Some("ada"));
        assert_eq!(group.sender_username.as_deref(), Some("ada"));
        assert_eq!((direct.is_read, group.is_read), (Some(true), Some(true)));
    }

    #[test]
    fn both_names_of_a_field_at_once_are_no_error() {
        let message =
            read(json!({"id": "m", "message_id": "m", "read": null, "is_read": true, "body": null}));
        assert_eq!(message.id, "m");
        assert_eq!(message.is_read, Some(true));
        assert_eq!(read(serde_json::to_value(&message).unwrap()), message);
    }

    #[test]
    fn a_sender_without_an_id_leaves_the_field_beside_it() {
        let message = read(json!({"sender": {"username": "ada"}, "sender_id": "u", "body": "x"}));
        assert_eq!(message.sender_id, Some("u".into()));
        assert_eq!((message.sender_username.as_deref(), message.id.as_str()), (Some("ada"), ""));
    }
}
