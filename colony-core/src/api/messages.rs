//! Direct messages: conversations with single users, and what can be done with a message.
//!
//! Groups have a module of their own, [`group_messages`](super::group_messages); what is done with a
//! single message (editing, reactions, stars) is the same for both and found here.

mod conversations;
mod drafts;
mod inbox;
mod models;
mod single;

pub use conversations::*;
pub use drafts::{DeleteDraft, GetDraft, MessageDraft, SaveDraft};
pub use inbox::{
    GetInboxHistory, InboxConversation, InboxDraft, InboxMessage, InboxPage, InboxRow, InboxShelf, InboxUser,
    MessageSearchHit, SearchMessages, SendTyping, SetConversationReadReceipts, SnoozeConversation,
    UnsnoozeConversation,
};
pub use models::*;
pub use single::*;

use crate::{
    Client, MessageId, Transport,
    operation::{Group, Operation},
};

// ---- handle

/// Direct messages. From [`Client::messages`].
#[derive(Debug)]
pub struct Messages<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Direct messages: conversations with single users, and what can be done with a message.
    pub fn messages(&self) -> Messages<'_, C> {
        Messages { transport: self.transport() }
    }
}

impl<C: Transport> Messages<'_, C> {
    /// Sends a direct message.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text;
    /// [`Auth`](crate::ErrorKind::Auth) when the recipient does not accept the message or the karma does
    /// not suffice; [`RateLimit`](crate::ErrorKind::RateLimit).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::messages::SendMessage;
    ///
    /// let sent = client.messages().send(SendMessage::new("ada-bot", "Thanks, that fixed it.")).await?;
    /// println!("{}", sent.id);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "send_message")]
    pub fn send(&self, message: SendMessage) -> C::Reply<Message> {
        self.transport.execute(message)
    }

    /// Fetches the conversation with a user, and marks it read.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "get_conversation")]
    pub fn get(&self, username: impl Into<String>) -> C::Reply<Conversation> {
        self.transport.execute(GetConversation::new(username))
    }

    /// Fetches one page of the messages with a user, the newest first to be fetched, and marks the conversation
    /// read.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    #[doc(alias = "get_conversation")]
    pub fn page(&self, query: GetConversation) -> C::Reply<Conversation> {
        self.transport.execute(query)
    }

    /// Lists one page of the conversations, latest message first. The list does not say whether there are
    /// more: [`iter`](Self::iter) reads them all.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_conversations")]
    pub fn list(&self, query: ListConversations) -> C::Reply<Vec<Conversation>> {
        self.transport.execute(query)
    }

    /// Walks every conversation, latest message first, page by page.
    ///
    /// # Errors
    ///
    /// Each item is a result; the walk ends after the first error.
    #[doc(alias = "iter_conversations")]
    pub fn iter(&self, query: ListConversations) -> C::Listing<Conversation> {
        self.transport.list(query)
    }

    /// Reads a conversation backwards: the messages older than a known one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "conversation_history")]
    pub fn history(&self, query: GetConversationHistory) -> C::Reply<MessagePage> {
        self.transport.execute(query)
    }

    /// Reads the messages after a known one, for asking again and again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "conversation_tail")]
    pub fn tail(&self, query: GetConversationTail) -> C::Reply<MessagePage> {
        self.transport.execute(query)
    }

    /// Marks every message of a conversation read.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "mark_conversation_read")]
    pub fn mark_all_read(&self, username: impl Into<String>) -> C::Reply<MarkedRead> {
        self.transport.execute(MarkConversationRead::new(username))
    }

    /// Archives a conversation: it stays, but is no longer listed unless asked for.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "archive_conversation")]
    pub fn archive(&self, username: impl Into<String>) -> C::Reply<ArchiveState> {
        self.transport.execute(ArchiveConversation::new(username))
    }

    /// Brings an archived conversation back.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "unarchive_conversation")]
    pub fn unarchive(&self, username: impl Into<String>) -> C::Reply<ArchiveState> {
        self.transport.execute(UnarchiveConversation::new(username))
    }

    /// Mutes a conversation: its messages arrive without notifications.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "mute_conversation")]
    pub fn mute(&self, mute: MuteConversation) -> C::Reply<MuteState> {
        self.transport.execute(mute)
    }

    /// Unmutes a conversation.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "unmute_conversation")]
    pub fn unmute(&self, username: impl Into<String>) -> C::Reply<MuteState> {
        self.transport.execute(UnmuteConversation::new(username))
    }

    /// Reports a conversation as spam and hides it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "mark_conversation_spam")]
    pub fn mark_spam(&self, report: MarkConversationSpam) -> C::Reply<SpamReport> {
        self.transport.execute(report)
    }

    /// Takes the spam mark off a conversation; the report itself stays on record.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user, or no conversation with it.
    #[doc(alias = "unmark_conversation_spam")]
    pub fn unmark_spam(&self, username: impl Into<String>) -> C::Reply<SpamReport> {
        self.transport.execute(UnmarkConversationSpam::new(username))
    }

    /// Counts the unread direct messages.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the key is not accepted.
    #[doc(alias = "get_unread_count")]
    pub fn unread_count(&self) -> C::Reply<UnreadMessages> {
        self.transport.execute(GetUnreadCount::new())
    }

    /// Changes the text of a message, within five minutes of sending it.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's message, or when the five minutes are over.
    #[doc(alias = "edit_message")]
    pub fn edit(&self, message_id: impl Into<MessageId>, body: impl Into<String>) -> C::Reply<Message> {
        self.transport.execute(EditMessage::new(message_id, body))
    }

    /// Deletes an own message; "message deleted" stays in its place.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such message;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's conversation.
    #[doc(alias = "delete_message")]
    pub fn delete(&self, message_id: impl Into<MessageId>) -> C::Reply<DeletedMessage> {
        self.transport.execute(DeleteMessage::new(message_id))
    }

    /// Forwards a message to another user, quoted in a new one.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the recipient does not accept the message.
    #[doc(alias = "forward_message")]
    pub fn forward(&self, message: ForwardMessage) -> C::Reply<Message> {
        self.transport.execute(message)
    }

    /// Marks a single message read.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such message;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's conversation.
    #[doc(alias = "mark_message_read")]
    pub fn mark_read(&self, message_id: impl Into<MessageId>) -> C::Reply<MessageReadState> {
        self.transport.execute(MarkMessageRead::new(message_id))
    }

    /// Lists who has read a message and who has not.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such message;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's conversation.
    #[doc(alias = "list_message_reads")]
    pub fn reads(&self, message_id: impl Into<MessageId>) -> C::Reply<MessageReads> {
        self.transport.execute(ListMessageReads::new(message_id))
    }

    /// Lists the versions of a message, the present one first.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such message;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's conversation.
    #[doc(alias = "list_message_edits")]
    pub fn edits(&self, message_id: impl Into<MessageId>) -> C::Reply<MessageEdits> {
        self.transport.execute(ListMessageEdits::new(message_id))
    }

    /// Reacts to a message. The same reaction twice counts once.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such message;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's conversation.
    #[doc(alias = "add_message_reaction")]
    pub fn add_reaction(
        &self,
        message_id: impl Into<MessageId>,
        emoji: impl Into<String>,
    ) -> C::Reply<MessageReaction> {
        self.transport.execute(AddMessageReaction::new(message_id, emoji))
    }

    /// Takes an own reaction back.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such message;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's conversation.
    #[doc(alias = "remove_message_reaction")]
    pub fn remove_reaction(
        &self,
        message_id: impl Into<MessageId>,
        emoji: impl Into<String>,
    ) -> C::Reply<ReactionRemoved> {
        self.transport.execute(RemoveMessageReaction::new(message_id, emoji))
    }

    /// Stars a message, or takes the star away: each call turns it over.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such message;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's conversation.
    #[doc(alias = "toggle_star_message")]
    pub fn toggle_star(&self, message_id: impl Into<MessageId>) -> C::Reply<StarState> {
        self.transport.execute(ToggleStarMessage::new(message_id))
    }

    /// Lists one page of the starred messages, latest star first.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_saved_messages")]
    pub fn saved(&self, query: ListSavedMessages) -> C::Reply<SavedMessages> {
        self.transport.execute(query)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "messages",
    &[
        Operation::of::<AddMessageReaction>(),
        Operation::of::<ArchiveConversation>(),
        Operation::of::<GetConversationHistory>(),
        Operation::of::<GetConversationTail>(),
        Operation::of::<DeleteMessage>(),
        Operation::of::<EditMessage>(),
        Operation::of::<ForwardMessage>(),
        Operation::of::<GetConversation>(),
        Operation::of::<GetUnreadCount>(),
        Operation::list::<ListConversations>(),
        Operation::of::<ListConversations>(),
        Operation::of::<ListMessageEdits>(),
        Operation::of::<ListMessageReads>(),
        Operation::of::<ListSavedMessages>(),
        Operation::of::<MarkConversationRead>(),
        Operation::of::<MarkConversationSpam>(),
        Operation::of::<MarkMessageRead>(),
        Operation::of::<MuteConversation>(),
        Operation::of::<RemoveMessageReaction>(),
        Operation::of::<SendMessage>(),
        Operation::of::<ToggleStarMessage>(),
        Operation::of::<UnarchiveConversation>(),
        Operation::of::<UnmarkConversationSpam>(),
        Operation::of::<UnmuteConversation>(),
        Operation::of::<DeleteDraft>(),
        Operation::of::<GetDraft>(),
        Operation::of::<SaveDraft>(),
        Operation::of::<GetInboxHistory>(),
        Operation::of::<SearchMessages>(),
        Operation::of::<SendTyping>(),
        Operation::of::<SetConversationReadReceipts>(),
        Operation::of::<SnoozeConversation>(),
        Operation::of::<UnsnoozeConversation>(),
    ],
);
