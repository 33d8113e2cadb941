//! What is done with the messages of a group.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    ConversationId, Endpoint, Id, MessageId, Request,
    api::messages::{MarkedRead, Message},
    kind,
};

use super::{GroupSearch, PinState};

/// Sends a message to a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SendGroupMessage {
    /// The group.
    pub conv_id: ConversationId,
    /// The text, in Markdown, at most 10,000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub body: String,
    /// A message of the same group that this one answers.
    pub reply_to_message_id: Option<MessageId>,
    /// Uploaded images to attach, at most 10.
    pub attachment_ids: Option<Vec<Id<kind::Opaque>>>,
    /// The idempotency key, by which the server recognises a repetition.
    pub idempotency_key: Option<String>,
}

impl SendGroupMessage {
    /// This text to this group.
    pub fn new(conv_id: impl Into<ConversationId>, body: impl Into<String>) -> Self {
        Self {
            conv_id: conv_id.into(),
            body: body.into(),
            reply_to_message_id: None,
            attachment_ids: None,
            idempotency_key: None,
        }
    }

    /// Sets the message that this one answers.
    #[must_use]
    pub fn reply_to_message_id(mut self, reply_to_message_id: impl Into<MessageId>) -> Self {
        self.reply_to_message_id = Some(reply_to_message_id.into());
        self
    }

    /// Attaches uploaded images, at most 10.
    #[must_use]
    pub fn attachment_ids(
        mut self,
        attachment_ids: impl IntoIterator<Item = impl Into<Id<kind::Opaque>>>,
    ) -> Self {
        self.attachment_ids = Some(attachment_ids.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the idempotency key, by which the server recognises a repetition.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for SendGroupMessage {
    const NAME: &'static str = "send_group_message";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/send";
    type Response = Message;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .json("body", &self.body)
            .json_some("reply_to_message_id", self.reply_to_message_id.as_ref())
            .json_some("attachment_ids", self.attachment_ids.as_ref())
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Marks every message of a group read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkGroupAllRead {
    /// The group.
    pub conv_id: ConversationId,
}

impl MarkGroupAllRead {
    /// For this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into() }
    }
}

impl Endpoint for MarkGroupAllRead {
    const NAME: &'static str = "mark_group_all_read";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/read-all";
    type Response = MarkedRead;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id)
    }
}

/// Pins a message in a group, for everyone.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PinGroupMessage {
    /// The group.
    pub conv_id: ConversationId,
    /// The message.
    pub msg_id: MessageId,
}

impl PinGroupMessage {
    /// This message of this group.
    pub fn new(conv_id: impl Into<ConversationId>, msg_id: impl Into<MessageId>) -> Self {
        Self { conv_id: conv_id.into(), msg_id: msg_id.into() }
    }
}

impl Endpoint for PinGroupMessage {
    const NAME: &'static str = "pin_group_message";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/messages/{msg_id}/pin";
    type Response = PinState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).id("msg_id", &self.msg_id)
    }
}

/// Unpins a message in a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnpinGroupMessage {
    /// The group.
    pub conv_id: ConversationId,
    /// The message.
    pub msg_id: MessageId,
}

impl UnpinGroupMessage {
    /// This message of this group.
    pub fn new(conv_id: impl Into<ConversationId>, msg_id: impl Into<MessageId>) -> Self {
        Self { conv_id: conv_id.into(), msg_id: msg_id.into() }
    }
}

impl Endpoint for UnpinGroupMessage {
    const NAME: &'static str = "unpin_group_message";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/groups/{conv_id}/messages/{msg_id}/pin";
    type Response = PinState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).id("msg_id", &self.msg_id)
    }
}

/// Searches the messages of a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchGroupMessages {
    /// The group.
    pub conv_id: ConversationId,
    /// What to look for, 2 to 200 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub query: String,
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl SearchGroupMessages {
    /// This text in this group.
    pub fn new(conv_id: impl Into<ConversationId>, query: impl Into<String>) -> Self {
        Self { conv_id: conv_id.into(), query: query.into(), limit: None, offset: 0 }
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

impl Endpoint for SearchGroupMessages {
    const NAME: &'static str = "search_group_messages";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/groups/{conv_id}/search";
    type Response = GroupSearch;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .query("q", &self.query)
            .query("limit", self.limit.unwrap_or(50))
            .query("offset", self.offset)
    }
}
