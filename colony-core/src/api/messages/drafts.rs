//! Drafts of messages, to one user and to a group.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Done, Endpoint, JsonObject, MessageId, Request, Timestamp, Transport};

use super::Messages;

// ---- methods

impl<C: Transport> Messages<'_, C> {
    /// Fetches the draft to a user, if there is one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "get_draft")]
    pub fn draft(&self, username: impl Into<String>) -> C::Reply<Option<MessageDraft>> {
        self.transport.execute(GetDraft::new(username))
    }

    /// Saves the draft to a user, in place of the one there is. An empty text deletes it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    pub fn save_draft(&self, save: SaveDraft) -> C::Reply<Option<MessageDraft>> {
        self.transport.execute(save)
    }

    /// Deletes the draft to a user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    pub fn delete_draft(&self, username: impl Into<String>) -> C::Reply<Done> {
        self.transport.execute(DeleteDraft::new(username))
    }
}

// ---- models

/// A message that was begun and not sent. Only its author sees it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageDraft {
    /// The text.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// The message it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_message_id: Option<MessageId>,
    /// When it was last saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches the draft to a user, if there is one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetDraft {
    /// The other party, by username.
    pub username: String,
}

impl GetDraft {
    /// The one to this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for GetDraft {
    const NAME: &'static str = "get_draft";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/conversations/{username}/draft";
    type Response = Option<MessageDraft>;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Saves the draft to a user, in place of the one there is. An empty text deletes it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SaveDraft {
    /// The other party, by username.
    pub username: String,
    /// The text, at most 10,000 characters.
    pub body: String,
    /// The message it replies to.
    pub reply_to_message_id: Option<MessageId>,
}

impl SaveDraft {
    /// This text to this user.
    pub fn new(username: impl Into<String>, body: impl Into<String>) -> Self {
        Self { username: username.into(), body: body.into(), reply_to_message_id: None }
    }

    /// Sets the message it replies to.
    #[must_use]
    pub fn reply_to_message_id(mut self, reply_to_message_id: impl Into<MessageId>) -> Self {
        self.reply_to_message_id = Some(reply_to_message_id.into());
        self
    }
}

impl Endpoint for SaveDraft {
    const NAME: &'static str = "save_draft";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/messages/conversations/{username}/draft";
    type Response = Option<MessageDraft>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .json("body", &self.body)
            .json_some("reply_to_message_id", self.reply_to_message_id.as_ref())
    }
}

/// Deletes the draft to a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteDraft {
    /// The other party, by username.
    pub username: String,
}

impl DeleteDraft {
    /// Deletes the one to this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for DeleteDraft {
    const NAME: &'static str = "delete_draft";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/conversations/{username}/draft";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}
