//! What is done with a single message, in whatever conversation it stands.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, MessageId, Request};

use super::{
    DeletedMessage, Message, MessageEdits, MessageReaction, MessageReadState, MessageReads, ReactionRemoved,
    SavedMessages, StarState,
};

/// Changes the text of a message, within five minutes of sending it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EditMessage {
    /// The message.
    pub message_id: MessageId,
    /// The new text, at most 10,000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub body: String,
}

impl EditMessage {
    /// The new text of this message.
    pub fn new(message_id: impl Into<MessageId>, body: impl Into<String>) -> Self {
        Self { message_id: message_id.into(), body: body.into() }
    }
}

impl Endpoint for EditMessage {
    const NAME: &'static str = "edit_message";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/messages/{message_id}";
    type Response = Message;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id).json("body", &self.body)
    }
}

/// Deletes an own message; "message deleted" stays in its place.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteMessage {
    /// The message.
    pub message_id: MessageId,
}

impl DeleteMessage {
    /// For this message.
    pub fn new(message_id: impl Into<MessageId>) -> Self {
        Self { message_id: message_id.into() }
    }
}

impl Endpoint for DeleteMessage {
    const NAME: &'static str = "delete_message";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/{message_id}";
    type Response = DeletedMessage;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id)
    }
}

/// Forwards a message to another user, quoted in a new one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ForwardMessage {
    /// The message.
    pub message_id: MessageId,
    /// Who gets it.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub recipient_username: String,
    /// What to say before the quotation; nothing unless set.
    pub comment: Option<String>,
}

impl ForwardMessage {
    /// This message to this user.
    pub fn new(message_id: impl Into<MessageId>, recipient_username: impl Into<String>) -> Self {
        Self { message_id: message_id.into(), recipient_username: recipient_username.into(), comment: None }
    }

    /// Sets what to say before the quotation.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}

impl Endpoint for ForwardMessage {
    const NAME: &'static str = "forward_message";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/{message_id}/forward";
    type Response = Message;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("message_id", &self.message_id)
            .query("recipient_username", &self.recipient_username)
            .query("comment", self.comment.as_deref().unwrap_or_default())
    }
}

/// Marks a single message read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkMessageRead {
    /// The message.
    pub message_id: MessageId,
}

impl MarkMessageRead {
    /// For this message.
    pub fn new(message_id: impl Into<MessageId>) -> Self {
        Self { message_id: message_id.into() }
    }
}

impl Endpoint for MarkMessageRead {
    const NAME: &'static str = "mark_message_read";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/{message_id}/read";
    type Response = MessageReadState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id)
    }
}

/// Lists who has read a message and who has not.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMessageReads {
    /// The message.
    pub message_id: MessageId,
}

impl ListMessageReads {
    /// For this message.
    pub fn new(message_id: impl Into<MessageId>) -> Self {
        Self { message_id: message_id.into() }
    }
}

impl Endpoint for ListMessageReads {
    const NAME: &'static str = "list_message_reads";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/{message_id}/reads";
    type Response = MessageReads;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id)
    }
}

/// Lists the versions of a message, the present one first.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMessageEdits {
    /// The message.
    pub message_id: MessageId,
}

impl ListMessageEdits {
    /// For this message.
    pub fn new(message_id: impl Into<MessageId>) -> Self {
        Self { message_id: message_id.into() }
    }
}

impl Endpoint for ListMessageEdits {
    const NAME: &'static str = "list_message_edits";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/{message_id}/edits";
    type Response = MessageEdits;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id)
    }
}

/// Reacts to a message. The same reaction twice counts once.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddMessageReaction {
    /// The message.
    pub message_id: MessageId,
    /// The emoji, or its name (`rocket`), at most 30 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub emoji: String,
}

impl AddMessageReaction {
    /// This emoji on this message.
    pub fn new(message_id: impl Into<MessageId>, emoji: impl Into<String>) -> Self {
        Self { message_id: message_id.into(), emoji: emoji.into() }
    }
}

impl Endpoint for AddMessageReaction {
    const NAME: &'static str = "add_message_reaction";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/{message_id}/reactions";
    type Response = MessageReaction;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id).json("emoji", &self.emoji)
    }
}

/// Takes an own reaction back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveMessageReaction {
    /// The message.
    pub message_id: MessageId,
    /// The emoji as it was given.
    pub emoji: String,
}

impl RemoveMessageReaction {
    /// This emoji on this message.
    pub fn new(message_id: impl Into<MessageId>, emoji: impl Into<String>) -> Self {
        Self { message_id: message_id.into(), emoji: emoji.into() }
    }
}

impl Endpoint for RemoveMessageReaction {
    const NAME: &'static str = "remove_message_reaction";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/{message_id}/reactions/{emoji}";
    type Response = ReactionRemoved;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id).name("emoji", &self.emoji)
    }
}

/// Stars a message, or takes the star away: each call turns it over.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToggleStarMessage {
    /// The message.
    pub message_id: MessageId,
}

impl ToggleStarMessage {
    /// For this message.
    pub fn new(message_id: impl Into<MessageId>) -> Self {
        Self { message_id: message_id.into() }
    }
}

impl Endpoint for ToggleStarMessage {
    const NAME: &'static str = "toggle_star_message";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/{message_id}/star";
    type Response = StarState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("message_id", &self.message_id)
    }
}

/// Lists one page of the starred messages, latest star first.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListSavedMessages {
    /// Rows in a page; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListSavedMessages {
    /// The first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the page size.
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

impl Endpoint for ListSavedMessages {
    const NAME: &'static str = "list_saved_messages";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/saved";
    type Response = SavedMessages;

    fn request(&self) -> Request {
        Request::to::<Self>().query("limit", self.limit.unwrap_or(50)).query("offset", self.offset)
    }
}
