//! Conversations, between two users or in a group.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{World, excerpt, time, time_opt};

#[derive(Default)]
pub(crate) struct Conversation {
    pub(crate) id: Uuid,
    /// `None` for a conversation between two members.
    pub(crate) group: Option<Group>,
    /// The members, in the order of joining.
    pub(crate) members: Vec<Uuid>,
    pub(crate) messages: Vec<Message>,
    pub(crate) created: Timestamp,
    pub(crate) seats: HashMap<Uuid, Seat>,
}

#[derive(Default)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) creator: Uuid,
    pub(crate) admins: Vec<Uuid>,
    /// Users who have not replied to their invitation.
    pub(crate) invited: Vec<Uuid>,
    pub(crate) template: Option<&'static str>,
    /// Messages, in the order of pinning.
    pub(crate) pinned: Vec<Uuid>,
    pub(crate) avatar: Option<(&'static str, Bytes)>,
}

/// One member's settings for a conversation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seat {
    pub(crate) archived: bool,
    pub(crate) muted: bool,
    pub(crate) muted_until: Option<Timestamp>,
    pub(crate) snoozed_until: Option<Timestamp>,
    /// Whether others see read receipts; `None` for the account's default.
    pub(crate) receipts: Option<bool>,
    pub(crate) draft: Option<Draft>,
    /// The report as spam: its time, its reason, and its id.
    pub(crate) spam: Option<(Timestamp, String, Uuid)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) body: String,
    pub(crate) reply_to: Option<Uuid>,
    pub(crate) updated: Timestamp,
}

#[derive(Default)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) sender: Uuid,
    pub(crate) body: String,
    pub(crate) created: Timestamp,
    /// The readers, and when each read it.
    pub(crate) reads: HashMap<Uuid, Timestamp>,
    pub(crate) reply_to: Option<Uuid>,
    pub(crate) attachments: Vec<Arc<Attachment>>,
    pub(crate) reactions: Vec<Reaction>,
    /// Earlier texts, with the time of each.
    pub(crate) versions: Vec<(String, Timestamp)>,
    pub(crate) edited: Option<Timestamp>,
    pub(crate) deleted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Reaction {
    pub(crate) emoji: String,
    pub(crate) user: Uuid,
    pub(crate) created: Timestamp,
}

/// A file that was uploaded for a message.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) id: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) media: &'static str,
    pub(crate) bytes: Bytes,
    /// Width and height of an image.
    pub(crate) size: Option<(u32, u32)>,
}

impl Conversation {
    pub(crate) fn has(&self, user: Uuid) -> bool {
        self.members.contains(&user)
    }

    /// Returns the other member of a conversation between two.
    pub(crate) fn other(&self, user: Uuid) -> Uuid {
        self.members.iter().copied().find(|&member| member != user).unwrap_or(user)
    }

    /// Returns a member's settings.
    pub(crate) fn seat(&self, user: Uuid) -> Seat {
        self.seats.get(&user).cloned().unwrap_or_default()
    }

    pub(crate) fn seat_mut(&mut self, user: Uuid) -> &mut Seat {
        self.seats.entry(user).or_default()
    }

    /// Returns whether a member has muted the conversation.
    pub(crate) fn muted(&self, user: Uuid, now: Timestamp) -> bool {
        let seat = self.seat(user);
        seat.muted && seat.muted_until.is_none_or(|until| now < until)
    }

    /// Returns whether a member has snoozed the conversation.
    pub(crate) fn snoozed(&self, user: Uuid, now: Timestamp) -> bool {
        self.seat(user).snoozed_until.is_some_and(|until| now < until)
    }

    /// Returns the messages that are not deleted, oldest first.
    pub(crate) fn live(&self) -> Vec<&Message> {
        self.messages.iter().filter(|message| !message.deleted).collect()
    }

    pub(crate) fn last(&self) -> Option<&Message> {
        self.messages.iter().rev().find(|message| !message.deleted)
    }

    /// Returns the time of the last message; that of the start if there is none.
    pub(crate) fn last_at(&self) -> Timestamp {
        self.last().map_or(self.created, |message| message.created)
    }

    /// Returns the number of messages that `user` received and has not read.
    pub(crate) fn unread(&self, user: Uuid) -> usize {
        self.messages.iter().filter(|message| !message.deleted && message.unread(user)).count()
    }

    /// Marks the messages that `user` received as read. Returns their number.
    pub(crate) fn mark(&mut self, user: Uuid, now: Timestamp) -> usize {
        let mut marked = 0;
        for message in self.messages.iter_mut().filter(|message| message.unread(user)) {
            message.reads.insert(user, now);
            marked += usize::from(!message.deleted);
        }
        marked
    }
}

impl Message {
    fn unread(&self, user: Uuid) -> bool {
        self.sender != user && !self.reads.contains_key(&user)
    }
}

impl World {
    /// Returns the position of the conversation between these two users.
    pub(crate) fn conversation_of(&self, one: Uuid, other: Uuid) -> Option<usize> {
        self.conversations.iter().position(|row| row.group.is_none() && row.has(one) && row.has(other))
    }

    /// Returns the same; starts one if there is none.
    pub(crate) fn conversation_with(&mut self, one: Uuid, other: Uuid) -> usize {
        self.conversation_of(one, other).unwrap_or_else(|| {
            let (id, created) = (Uuid::new_v4(), self.now());
            let conversation =
                Conversation { id, members: vec![one, other], created, ..Conversation::default() };
            self.conversations.push(conversation);
            self.conversations.len() - 1
        })
    }

    /// Returns a user's conversations.
    pub(crate) fn conversations_of(&self, user: Uuid) -> impl Iterator<Item = &Conversation> {
        self.conversations.iter().filter(move |row| row.has(user))
    }

    /// Returns the messages that a user can see, oldest first: without others' uncommitted ones.
    pub(crate) fn visible<'c>(&self, conversation: &'c Conversation, me: Uuid) -> Vec<&'c Message> {
        let (mut rows, now) = (conversation.live(), Timestamp::now());
        if self.commit_delay.is_some() {
            rows.retain(|row| row.sender == me || self.is_committed(row.id, row.created, now));
        }
        rows
    }

    pub(crate) fn unread_messages(&self, user: Uuid) -> usize {
        self.conversations_of(user).map(|conversation| conversation.unread(user)).sum()
    }

    pub(crate) fn message_json(&self, conversation: &Conversation, message: &Message) -> Value {
        // Between two users, this is the other one's read time; in a group, the earliest.
        let read = message.reads.values().min();
        json!({
            "id": message.id,
            "conversation_id": conversation.id,
            "sender": self.user_json(message.sender),
            "body": message.body,
            "is_read": read.is_some(),
            "read_at": time_opt(read.copied()),
            "edited_at": time_opt(message.edited),
            "reactions": message.reactions.iter().map(|row| self.reaction_json(row)).collect::<Vec<_>>(),
            "reply_to": self.reply_json(conversation, message),
            "attachments": message.attachments.iter().map(|row| self.attachment_json(row)).collect::<Vec<_>>(),
            "created_at": time(message.created),
        })
    }

    pub(crate) fn reaction_json(&self, reaction: &Reaction) -> Value {
        json!({
            "emoji": reaction.emoji,
            "user_id": reaction.user,
            "username": self.username(reaction.user),
            "created_at": time(reaction.created),
        })
    }

    fn reply_json(&self, conversation: &Conversation, message: &Message) -> Option<Value> {
        let original = conversation.messages.iter().find(|other| Some(other.id) == message.reply_to)?;
        Some(json!({
            "id": original.id,
            "sender_id": original.sender,
            "sender_username": self.username(original.sender),
            "body_preview": if original.deleted { String::new() } else { excerpt(&original.body, 100) },
            "deleted": original.deleted,
        }))
    }

    fn attachment_json(&self, attachment: &Attachment) -> Value {
        let url = |variant: &str| self.attachment_url(attachment.id, variant);
        json!({
            "id": attachment.id,
            "mime_type": attachment.media,
            "size_bytes": attachment.bytes.len(),
            "width": attachment.size.map(|size| size.0),
            "height": attachment.size.map(|size| size.1),
            "thumb_url": url("thumb"),
            "full_url": url("full"),
        })
    }

    pub(crate) fn attachment_url(&self, id: Uuid, variant: &str) -> String {
        format!("{}{}/messages/attachments/{id}/{variant}", self.site, super::super::API_PATH)
    }

    /// Returns a row of a user's list of conversations with one other user.
    pub(crate) fn conversation_json(&self, conversation: &Conversation, me: Uuid) -> Value {
        let last = self.visible(conversation, me).pop();
        json!({
            "id": conversation.id,
            "other_user": self.user_json(conversation.other(me)),
            "last_message_at": time(last.map_or(conversation.created, |message| message.created)),
            "unread_count": conversation.unread(me),
            "last_message_preview": last.map(|message| excerpt(&message.body, 100)),
            "is_archived": conversation.seat(me).archived,
        })
    }
}
