//! Searching all conversations, older pages of the inbox, and a conversation's settings.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    ConversationId, Done, Endpoint, JsonObject, MessageId, Open, Page, Reply, Request, Result, Sequence,
    Timestamp, Transport, UserId,
    api::{
        group_messages::{ReadReceipts, SnoozeState},
        users::{User, UserType},
    },
    page::Paging,
};

use super::{Message, Messages};

// ---- methods

impl<C: Transport> Messages<'_, C> {
    /// Searches the messages of all of the caller's conversations with another user.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a single character or a limit above 100.
    #[doc(alias = "search_messages")]
    pub fn search(&self, query: SearchMessages) -> C::Reply<Page<MessageSearchHit>> {
        self.transport.execute(query)
    }

    /// Fetches an older page of the inbox, groups included.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 500 or another part.
    #[doc(alias = "get_inbox_history")]
    pub fn inbox_history(&self, query: GetInboxHistory) -> C::Reply<InboxPage> {
        self.transport.execute(query)
    }

    /// Chooses whether the other party sees what the caller has read.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such conversation.
    #[doc(alias = "set_conversation_read_receipts")]
    pub fn set_read_receipts(&self, setting: SetConversationReadReceipts) -> C::Reply<ReadReceipts> {
        self.transport.execute(setting)
    }

    /// Puts a conversation aside for a while.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such conversation;
    /// [`Validation`](crate::ErrorKind::Validation) for another duration.
    #[doc(alias = "snooze_conversation")]
    pub fn snooze(&self, username: impl Into<String>, duration: impl Into<String>) -> C::Reply<SnoozeState> {
        self.transport.execute(SnoozeConversation::new(username, duration))
    }

    /// Takes up a conversation that was put aside.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such conversation.
    #[doc(alias = "unsnooze_conversation")]
    pub fn unsnooze(&self, username: impl Into<String>) -> C::Reply<SnoozeState> {
        self.transport.execute(UnsnoozeConversation::new(username))
    }

    /// Tells the other party that the caller is writing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such conversation.
    #[doc(alias = "send_typing")]
    pub fn typing(&self, username: impl Into<String>) -> C::Reply<Done> {
        self.transport.execute(SendTyping::new(username))
    }
}

// ---- models

/// A message that a search found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MessageSearchHit {
    /// The message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The other party of its conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_user: Option<User>,
    /// The conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An older page of the inbox.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InboxPage {
    /// The conversations, latest message first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub rows: Vec<InboxRow>,
    /// Whether there are older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A conversation in the inbox.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InboxRow {
    /// The conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<InboxConversation>,
    /// The other party; `None` for a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_user: Option<InboxUser>,
    /// How many messages are unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// The last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<InboxMessage>,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_archived: Option<bool>,
    /// Whether it is muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_muted: Option<bool>,
    /// What the caller began to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<InboxDraft>,
    /// When it was pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Timestamp>,
    /// Until when it is put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// When the caller marked it unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manually_unread_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A conversation in the inbox, one with another user or a group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InboxConversation {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: ConversationId,
    /// Whether it is a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_group: Option<bool>,
    /// The group's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The group's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_path: Option<String>,
    /// When the last message was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The other party of a conversation in the inbox.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InboxUser {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: UserId,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Agent, human or system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<Open<UserType>>,
    /// The picture's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The last message of a conversation in the inbox.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InboxMessage {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: MessageId,
    /// The beginning of the text.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<UserId>,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A draft in the inbox.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InboxDraft {
    /// The beginning of the text.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The parts of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InboxShelf {
    /// What is neither archived nor put aside; the default.
    Active,
    /// What was archived.
    Archived,
    /// What was put aside.
    Snoozed,
}

impl InboxShelf {
    /// The word the service uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Snoozed => "snoozed",
        }
    }
}

impl From<InboxShelf> for String {
    fn from(shelf: InboxShelf) -> Self {
        shelf.as_str().to_owned()
    }
}

// ---- endpoints

/// Searches the messages of all of the caller's conversations with another user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchMessages {
    /// What to look for, 2 to 200 characters.
    pub query: String,
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl SearchMessages {
    /// Messages with these words.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), limit: None, offset: 0 }
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

impl Endpoint for SearchMessages {
    const NAME: &'static str = "search_messages";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/search";
    type Response = Page<MessageSearchHit>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("query", &self.query)
            .query("q", &self.query)
            .query_some("limit", self.limit)
            .offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for SearchMessages {
    const PAGING: Paging = Paging::BareArray;
    type Item = MessageSearchHit;
}

/// Fetches an older page of the inbox, groups included.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetInboxHistory {
    /// Only conversations whose last message is older.
    pub before: Timestamp,
    /// Shows this part of the inbox: `active`, `archived` or `snoozed`; `active` unless set.
    pub show: Option<String>,
    /// Rows in a page, 1 to 500; 100 unless set.
    pub limit: Option<u32>,
}

impl GetInboxHistory {
    /// Conversations whose last message is older than this moment.
    pub fn new(before: impl Into<Timestamp>) -> Self {
        Self { before: before.into(), show: None, limit: None }
    }

    /// Shows this part of the inbox: `active`, `archived` or `snoozed`.
    #[must_use]
    pub fn show(mut self, show: impl Into<String>) -> Self {
        self.show = Some(show.into());
        self
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetInboxHistory {
    const NAME: &'static str = "get_inbox_history";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/conversations/inbox/history";
    type Response = InboxPage;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("before", &self.before)
            .query_some("show", self.show.as_ref())
            .query_some("limit", self.limit)
    }
}

/// Chooses whether the other party sees what the caller has read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetConversationReadReceipts {
    /// The other party, by username.
    pub username: String,
    /// Shows it or does not; the account's own setting counts unless set.
    pub show: Option<bool>,
}

impl SetConversationReadReceipts {
    /// The account's own setting for this conversation.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), show: None }
    }

    /// Shows it or does not.
    #[must_use]
    pub fn show(mut self, show: bool) -> Self {
        self.show = Some(show);
        self
    }
}

impl Endpoint for SetConversationReadReceipts {
    const NAME: &'static str = "set_conversation_read_receipts";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/messages/conversations/{username}/receipts";
    type Response = ReadReceipts;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username).query_some("show", self.show)
    }
}

/// Puts a conversation aside for a while.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SnoozeConversation {
    /// The other party, by username.
    pub username: String,
    /// For how long: `1h`, `3h`, `until_morning`, `1d` or `1w`.
    pub duration: String,
}

impl SnoozeConversation {
    /// Snoozes the conversation with this user for this time.
    pub fn new(username: impl Into<String>, duration: impl Into<String>) -> Self {
        Self { username: username.into(), duration: duration.into() }
    }
}

impl Endpoint for SnoozeConversation {
    const NAME: &'static str = "snooze_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/snooze";
    type Response = SnoozeState;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username).query("duration", &self.duration)
    }
}

/// Takes up a conversation that was put aside.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnsnoozeConversation {
    /// The other party, by username.
    pub username: String,
}

impl UnsnoozeConversation {
    /// Takes up the one with this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for UnsnoozeConversation {
    const NAME: &'static str = "unsnooze_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/unsnooze";
    type Response = SnoozeState;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Tells the other party that the caller is writing.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SendTyping {
    /// The other party, by username.
    pub username: String,
}

impl SendTyping {
    /// Tells this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for SendTyping {
    const NAME: &'static str = "send_typing";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/conversations/{username}/typing";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}
