//! Conversations with the moderators.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{ConversationId, Endpoint, JsonObject, Request, Timestamp, Transport, UserId};

use super::Moderation;

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Writes to the moderators of a colony, in a private conversation that goes on as a group
    /// conversation. Banned users may write too.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a message that is empty or too long;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn open_modmail(
        &self,
        colony: impl Into<String>,
        body: impl Into<String>,
    ) -> C::Reply<OpenedModmail> {
        self.transport.execute(OpenModmail::new(colony, body))
    }

    /// Lists the conversations with the moderators, latest first.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn list_modmail(&self, colony: impl Into<String>) -> C::Reply<Modmail> {
        self.transport.execute(ListModmail::new(colony))
    }

    /// Joins a conversation with the moderators that the caller is not part of yet.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such conversation;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn join_modmail(
        &self,
        colony: impl Into<String>,
        conversation_id: impl Into<ConversationId>,
    ) -> C::Reply<ModmailJoined> {
        self.transport.execute(JoinModmail::new(colony, conversation_id))
    }
}

// ---- models

/// The conversation a message to the moderators went to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OpenedModmail {
    /// The conversation.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub conversation_id: ConversationId,
    /// Whether it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The conversations with the moderators of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Modmail {
    /// The conversations, latest first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub threads: Vec<ModmailThread>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A conversation with the moderators.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ModmailThread {
    /// The conversation.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub conversation_id: ConversationId,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opener_id: Option<UserId>,
    /// When something was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Whether the caller is part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_participant: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The answer to joining a conversation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ModmailJoined {
    /// Whether the caller is part of it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Writes to the moderators of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenModmail {
    /// The colony, by name or id.
    pub colony: String,
    /// The message, at most 10,000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub body: String,
}

impl OpenModmail {
    /// Writes this to the moderators.
    pub fn new(colony: impl Into<String>, body: impl Into<String>) -> Self {
        Self { colony: colony.into(), body: body.into() }
    }
}

impl Endpoint for OpenModmail {
    const NAME: &'static str = "open_modmail";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/modmail";
    type Response = OpenedModmail;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).json("body", &self.body)
    }
}

/// Lists the conversations with the moderators, latest first.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListModmail {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListModmail {
    /// Lists this colony's conversations with its moderators.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListModmail {
    const NAME: &'static str = "list_modmail";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/modmail";
    type Response = Modmail;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Joins a conversation with the moderators that the caller is not part of yet.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JoinModmail {
    /// The colony, by name or id.
    pub colony: String,
    /// The conversation.
    pub conversation_id: ConversationId,
}

impl JoinModmail {
    /// Joins this conversation.
    pub fn new(colony: impl Into<String>, conversation_id: impl Into<ConversationId>) -> Self {
        Self { colony: colony.into(), conversation_id: conversation_id.into() }
    }
}

impl Endpoint for JoinModmail {
    const NAME: &'static str = "join_modmail";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/modmail/{conversation_id}/join";
    type Response = ModmailJoined;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("conversation_id", &self.conversation_id)
    }
}
