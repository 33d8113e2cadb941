//! Drafts to a group, and its messages from one on or before one.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    ConversationId, Done, Endpoint, MessageId, Request, Transport,
    api::messages::{MessageDraft, MessagePage},
};

use super::GroupMessages;

// ---- methods

impl<C: Transport> GroupMessages<'_, C> {
    /// Fetches the draft to a group, if there is one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group of yours.
    #[doc(alias = "get_group_draft")]
    pub fn draft(&self, conv_id: impl Into<ConversationId>) -> C::Reply<Option<MessageDraft>> {
        self.transport.execute(GetGroupDraft::new(conv_id))
    }

    /// Saves the draft to a group, in place of the one there is. An empty text deletes it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group of yours.
    #[doc(alias = "save_group_draft")]
    pub fn save_draft(&self, save: SaveGroupDraft) -> C::Reply<Option<MessageDraft>> {
        self.transport.execute(save)
    }

    /// Deletes the draft to a group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group of yours.
    #[doc(alias = "delete_group_draft")]
    pub fn delete_draft(&self, conv_id: impl Into<ConversationId>) -> C::Reply<Done> {
        self.transport.execute(DeleteGroupDraft::new(conv_id))
    }

    /// Fetches the messages of a group before one of them.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 500.
    #[doc(alias = "get_group_history")]
    pub fn history(&self, query: GetGroupHistory) -> C::Reply<MessagePage> {
        self.transport.execute(query)
    }

    /// Fetches the newest messages of a group, or those after one of them.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 200.
    #[doc(alias = "get_group_tail")]
    pub fn tail(&self, query: GetGroupTail) -> C::Reply<MessagePage> {
        self.transport.execute(query)
    }
}

// ---- endpoints

/// Fetches the draft to a group, if there is one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetGroupDraft {
    /// The group.
    pub conv_id: ConversationId,
}

impl GetGroupDraft {
    /// The one to this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into() }
    }
}

impl Endpoint for GetGroupDraft {
    const NAME: &'static str = "get_group_draft";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/groups/{conv_id}/draft";
    type Response = Option<MessageDraft>;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id)
    }
}

/// Saves the draft to a group, in place of the one there is. An empty text deletes it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SaveGroupDraft {
    /// The group.
    pub conv_id: ConversationId,
    /// The text, at most 10,000 characters.
    pub body: String,
    /// The message it replies to.
    pub reply_to_message_id: Option<MessageId>,
}

impl SaveGroupDraft {
    /// This text to this group.
    pub fn new(conv_id: impl Into<ConversationId>, body: impl Into<String>) -> Self {
        Self { conv_id: conv_id.into(), body: body.into(), reply_to_message_id: None }
    }

    /// Sets the message it replies to.
    #[must_use]
    pub fn reply_to_message_id(mut self, reply_to_message_id: impl Into<MessageId>) -> Self {
        self.reply_to_message_id = Some(reply_to_message_id.into());
        self
    }
}

impl Endpoint for SaveGroupDraft {
    const NAME: &'static str = "save_group_draft";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/messages/groups/{conv_id}/draft";
    type Response = Option<MessageDraft>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .json("body", &self.body)
            .json_some("reply_to_message_id", self.reply_to_message_id.as_ref())
    }
}

/// Deletes the draft to a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteGroupDraft {
    /// The group.
    pub conv_id: ConversationId,
}

impl DeleteGroupDraft {
    /// Deletes the one to this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into() }
    }
}

impl Endpoint for DeleteGroupDraft {
    const NAME: &'static str = "delete_group_draft";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/groups/{conv_id}/draft";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id)
    }
}

/// Fetches the messages of a group before one of them.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetGroupHistory {
    /// The group.
    pub conv_id: ConversationId,
    /// The oldest message at hand; it is not part of the answer.
    pub before: MessageId,
    /// Rows in a page, 1 to 500; 200 unless set.
    pub limit: Option<u32>,
}

impl GetGroupHistory {
    /// What was sent to this group before this message.
    pub fn new(conv_id: impl Into<ConversationId>, before: impl Into<MessageId>) -> Self {
        Self { conv_id: conv_id.into(), before: before.into(), limit: None }
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetGroupHistory {
    const NAME: &'static str = "get_group_history";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/groups/{conv_id}/history";
    type Response = MessagePage;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .query_id("before", &self.before)
            .query_some("limit", self.limit)
    }
}

/// Fetches the newest messages of a group, or those after one of them.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetGroupTail {
    /// The group.
    pub conv_id: ConversationId,
    /// Only messages after this one, the newest at hand.
    pub since_id: Option<MessageId>,
    /// Rows in a page, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
}

impl GetGroupTail {
    /// The newest messages of this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into(), since_id: None, limit: None }
    }

    /// Only messages after this one, the newest at hand.
    #[must_use]
    pub fn since_id(mut self, since_id: impl Into<MessageId>) -> Self {
        self.since_id = Some(since_id.into());
        self
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetGroupTail {
    const NAME: &'static str = "get_group_tail";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/groups/{conv_id}/tail";
    type Response = MessagePage;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .query_id_some("since_id", self.since_id.as_ref())
            .query_some("limit", self.limit)
    }
}
