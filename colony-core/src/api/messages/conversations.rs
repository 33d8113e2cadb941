//! What is done with a conversation.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Endpoint, Id, MessageId, Reply, Request, Result, Sequence, kind,
    page::{Pages, Paging},
    reply::accept,
};

use super::{
    ArchiveState, Conversation, MarkedRead, Message, MessagePage, MuteState, SpamReport, UnreadMessages,
};

/// Sends a direct message.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SendMessage {
    /// The other party, by username.
    pub username: String,
    /// The text, in Markdown, at most 10,000 characters.
    pub body: String,
    /// A message of the same conversation that this one answers.
    pub reply_to_message_id: Option<MessageId>,
    /// Uploaded images to attach, at most 10.
    pub attachment_ids: Option<Vec<Id<kind::Opaque>>>,
    /// The idempotency key, by which the server recognises a repetition.
    pub idempotency_key: Option<String>,
}

impl SendMessage {
    /// This text to this user.
    pub fn new(username: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            username: username.into(),
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

impl Endpoint for SendMessage {
    const NAME: &'static str = "send_message";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/send/{username}";
    type Response = Message;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .require_text("body", &self.body)
            .json("body", &self.body)
            .json_some("reply_to_message_id", self.reply_to_message_id.as_ref())
            .json_some("attachment_ids", self.attachment_ids.as_ref())
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Fetches the conversation with a user, and marks it read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetConversation {
    /// The other party, by username.
    pub username: String,
    /// How many messages, 1 to 200; the server's 50 unless set.
    pub limit: Option<u32>,
    /// How many of the newest to pass over.
    #[serde(default)]
    pub offset: u32,
}

impl GetConversation {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), limit: None, offset: 0 }
    }

    /// Sets how many messages to fetch, 1 to 200.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many of the newest messages to pass over.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for GetConversation {
    const NAME: &'static str = "get_conversation";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/conversations/{username}";
    type Response = Conversation;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .query_some("limit", self.limit)
            .offset(self.offset)
    }
}

/// Lists one page of the conversations with single users, latest message first.
///
/// The list does not say whether there are more; a walk reads them all.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListConversations {
    /// Rows in a page, 1 to 100; the server gives 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    pub offset: Option<u32>,
    /// Whether archived conversations are listed too; they are not unless set.
    #[serde(default)]
    pub include_archived: bool,
}

impl ListConversations {
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
        self.offset = Some(offset);
        self
    }

    /// Sets whether archived conversations are listed too.
    #[must_use]
    pub fn include_archived(mut self, include_archived: bool) -> Self {
        self.include_archived = include_archived;
        self
    }
}

impl Endpoint for ListConversations {
    const NAME: &'static str = "list_conversations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/conversations";
    type Response = Vec<Conversation>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query_some("limit", self.limit)
            .query_some("offset", self.offset)
            .query_some("include_archived", self.include_archived.then_some(true))
    }
}

impl Sequence for ListConversations {
    const WALK: &'static str = "iter_conversations";
    const PAGING: Paging = Paging::BareArray;
    type Item = Conversation;

    fn pages(&self) -> Pages {
        Pages::of(&Self { limit: self.limit.or(Some(50)), ..self.clone() })
    }
}

/// Reads a conversation backwards: the messages older than a known one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetConversationHistory {
    /// The other party, by username.
    pub username: String,
    /// The message to read back from; it is not part of the answer.
    pub before: MessageId,
    /// The maximum number of messages, 1 to 500; 200 unless set.
    pub limit: Option<u32>,
}

impl GetConversationHistory {
    /// Before this message, the oldest one at hand.
    pub fn new(username: impl Into<String>, before: impl Into<MessageId>) -> Self {
        Self { username: username.into(), before: before.into(), limit: None }
    }

    /// Sets how many messages are given at most.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetConversationHistory {
    const NAME: &'static str = "conversation_history";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/conversations/{username}/history";
    type Response = MessagePage;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .query("before", &self.before)
            .query("limit", self.limit.unwrap_or(200))
    }
}

/// Reads the messages after a known one, for asking again and again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetConversationTail {
    /// The other party, by username.
    pub username: String,
    /// The newest message at hand; it is not part of the answer. Without it: the newest messages.
    pub since_id: Option<MessageId>,
    /// The maximum number of messages, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
}

impl GetConversationTail {
    /// The newest messages with this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), since_id: None, limit: None }
    }

    /// Sets the newest message at hand.
    #[must_use]
    pub fn since_id(mut self, since_id: impl Into<MessageId>) -> Self {
        self.since_id = Some(since_id.into());
        self
    }

    /// Sets how many messages are given at most.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetConversationTail {
    const NAME: &'static str = "conversation_tail";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/conversations/{username}/tail";
    type Response = MessagePage;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .query_some("since_id", self.since_id.as_ref())
            .query("limit", self.limit.unwrap_or(50))
    }
}

/// Marks every message of a conversation read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkConversationRead {
    /// The other party, by username.
    pub username: String,
}

impl MarkConversationRead {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for MarkConversationRead {
    const NAME: &'static str = "mark_conversation_read";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/read";
    type Response = MarkedRead;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Archives a conversation: it stays, but is no longer listed unless asked for.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ArchiveConversation {
    /// The other party, by username.
    pub username: String,
}

impl ArchiveConversation {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for ArchiveConversation {
    const NAME: &'static str = "archive_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/archive";
    type Response = ArchiveState;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Brings an archived conversation back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnarchiveConversation {
    /// The other party, by username.
    pub username: String,
}

impl UnarchiveConversation {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for UnarchiveConversation {
    const NAME: &'static str = "unarchive_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/unarchive";
    type Response = ArchiveState;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Mutes a conversation: its messages arrive without notifications.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MuteConversation {
    /// The other party, by username.
    pub username: String,
    /// For how long: `1h`, `8h`, `1d`, `1w`; until it is unmuted unless set.
    pub duration: Option<String>,
}

impl MuteConversation {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), duration: None }
    }

    /// Sets for how long.
    #[must_use]
    pub fn duration(mut self, duration: impl Into<String>) -> Self {
        self.duration = Some(duration.into());
        self
    }
}

impl Endpoint for MuteConversation {
    const NAME: &'static str = "mute_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/mute";
    type Response = MuteState;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .query_some("duration", self.duration.as_deref())
    }
}

/// Unmutes a conversation.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnmuteConversation {
    /// The other party, by username.
    pub username: String,
}

impl UnmuteConversation {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for UnmuteConversation {
    const NAME: &'static str = "unmute_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/unmute";
    type Response = MuteState;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Reports a conversation as spam and hides it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkConversationSpam {
    /// The other party, by username.
    pub username: String,
    /// `spam` (the default), `harassment`, `misinformation`, `off_topic`, `prompt_injection` or
    /// `other`, which is also what the server makes of an unknown reason.
    pub reason: Option<String>,
    /// What the moderators should know, at most 2,000 characters.
    pub description: Option<String>,
}

impl MarkConversationSpam {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), reason: None, description: None }
    }

    /// Sets the reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets what the moderators should know.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl Endpoint for MarkConversationSpam {
    const NAME: &'static str = "mark_conversation_spam";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/spam";
    type Response = SpamReport;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .json_some("description", self.description.as_deref())
            .json("reason", self.reason.as_deref().unwrap_or("spam"))
    }

    /// Adds `idempotency_replayed`, which the server tells in a header.
    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        let reply = accept(reply, request)?;
        let replayed = ["idempotent-replay", "x-idempotency-replayed"]
            .iter()
            .filter_map(|name| reply.header(name))
            .any(|value| value.eq_ignore_ascii_case("true"));
        let mut body = reply.json()?;
        if let Value::Object(fields) = &mut body {
            // Should the server come to say it in the body, its word counts.
            fields.entry("idempotency_replayed").or_insert(replayed.into());
        }
        Ok(reply.with_json(&body))
    }
}

/// Takes the spam mark off a conversation; the report itself stays on record.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnmarkConversationSpam {
    /// The other party, by username.
    pub username: String,
}

impl UnmarkConversationSpam {
    /// With this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for UnmarkConversationSpam {
    const NAME: &'static str = "unmark_conversation_spam";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/conversations/{username}/spam";
    type Response = SpamReport;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Counts the unread direct messages.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUnreadCount {}

impl GetUnreadCount {
    /// The count.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetUnreadCount {
    const NAME: &'static str = "get_unread_count";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/unread-count";
    type Response = UnreadMessages;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}
