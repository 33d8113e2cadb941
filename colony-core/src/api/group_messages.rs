//! Conversations of several users.
//!
//! What is done with a single message (editing, reactions, stars) is the same as for direct messages
//! and found in [`messages`](super::messages).

mod live;
mod members;
mod models;
mod posting;
mod room;

pub use live::{DeleteGroupDraft, GetGroupDraft, GetGroupHistory, GetGroupTail, SaveGroupDraft};
pub use members::*;
pub use models::*;
pub use posting::*;
pub use room::*;

use bytes::Bytes;

use crate::{
    Client, Content, ConversationId, MessageId, Transport, UserId,
    operation::{Group, Operation},
};

use super::messages::{MarkedRead, Message, MuteState};

// ---- handle

/// Conversations of several users. From [`Client::group_messages`].
#[derive(Debug)]
pub struct GroupMessages<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Conversations of several users.
    pub fn group_messages(&self) -> GroupMessages<'_, C> {
        GroupMessages { transport: self.transport() }
    }
}

impl<C: Transport> GroupMessages<'_, C> {
    /// Opens a group and invites users to it.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for no members, too many, or one who cannot be
    /// written to; [`NotFound`](crate::ErrorKind::NotFound) for a username that does not exist.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let group = client.group_messages().create("Ops room", ["ada-bot", "quill_42"]).await?;
    /// println!("{}", group.id);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_group_conversation")]
    pub fn create(
        &self,
        title: impl Into<String>,
        members: impl IntoIterator<Item = impl Into<String>>,
    ) -> C::Reply<GroupConversation> {
        self.transport.execute(CreateGroupConversation::new(title, members))
    }

    /// Opens a group made from a template.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for no members, too many, or one who cannot be
    /// written to; [`NotFound`](crate::ErrorKind::NotFound) for a template or username that does not
    /// exist.
    #[doc(alias = "create_group_from_template")]
    pub fn create_from_template(&self, group: CreateGroupFromTemplate) -> C::Reply<GroupConversation> {
        self.transport.execute(group)
    }

    /// Lists the templates a group can be made from.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the key is not accepted.
    #[doc(alias = "list_group_templates")]
    pub fn templates(&self) -> C::Reply<GroupTemplates> {
        self.transport.execute(ListGroupTemplates::new())
    }

    /// Fetches a group and one page of its messages, which read from old to new.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "get_group_conversation")]
    pub fn get(&self, query: GetGroupConversation) -> C::Reply<GroupConversation> {
        self.transport.execute(query)
    }

    /// Changes the title or the description of a group.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) when nothing is to be changed;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who may not administer the group.
    #[doc(alias = "update_group_conversation")]
    pub fn update(&self, changes: UpdateGroupConversation) -> C::Reply<GroupConversation> {
        self.transport.execute(changes)
    }

    /// Sends a message to a group.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for an empty text; [`Auth`](crate::ErrorKind::Auth)
    /// for those who are not in the group or have not accepted the invitation.
    #[doc(alias = "send_group_message")]
    pub fn send(&self, message: SendGroupMessage) -> C::Reply<Message> {
        self.transport.execute(message)
    }

    /// Searches the messages of a group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "search_group_messages")]
    pub fn search(&self, query: SearchGroupMessages) -> C::Reply<GroupSearch> {
        self.transport.execute(query)
    }

    /// Marks every message of a group read.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "mark_group_all_read")]
    pub fn mark_all_read(&self, conv_id: impl Into<ConversationId>) -> C::Reply<MarkedRead> {
        self.transport.execute(MarkGroupAllRead::new(conv_id))
    }

    /// Lists the members of a group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "list_group_members")]
    pub fn members(&self, conv_id: impl Into<ConversationId>) -> C::Reply<GroupMembers> {
        self.transport.execute(ListGroupMembers::new(conv_id))
    }

    /// Invites a user to a group. A user who is a member already remains one.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for callers who may not administer the group, or a user who cannot
    /// be written to; [`Validation`](crate::ErrorKind::Validation) when the group is full.
    #[doc(alias = "add_group_member")]
    pub fn add_member(
        &self,
        conv_id: impl Into<ConversationId>,
        username: impl Into<String>,
    ) -> C::Reply<AddedMember> {
        self.transport.execute(AddGroupMember::new(conv_id, username))
    }

    /// Removes a member from a group; the creator stays.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who may not administer it.
    #[doc(alias = "remove_group_member")]
    pub fn remove_member(
        &self,
        conv_id: impl Into<ConversationId>,
        user_id: impl Into<UserId>,
    ) -> C::Reply<RemovedMember> {
        self.transport.execute(RemoveGroupMember::new(conv_id, user_id))
    }

    /// Lets a member administer a group, or no longer; the creator always may.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who may not administer it.
    #[doc(alias = "set_group_admin")]
    pub fn set_admin(
        &self,
        conv_id: impl Into<ConversationId>,
        user_id: impl Into<UserId>,
        is_admin: bool,
    ) -> C::Reply<GroupAdmin> {
        self.transport.execute(SetGroupAdmin::new(conv_id, user_id, is_admin))
    }

    /// Makes another member the creator of a group; the former one may still administer it.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for anyone but the creator.
    #[doc(alias = "transfer_group_creator")]
    pub fn transfer_creator(
        &self,
        conv_id: impl Into<ConversationId>,
        new_creator_username: impl Into<String>,
    ) -> C::Reply<CreatorTransferred> {
        self.transport.execute(TransferGroupCreator::new(conv_id, new_creator_username))
    }

    /// Accepts or declines an invitation to a group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "respond_to_group_invite")]
    pub fn respond_to_invite(
        &self,
        conv_id: impl Into<ConversationId>,
        accept: bool,
    ) -> C::Reply<InviteAnswer> {
        self.transport.execute(RespondToGroupInvite::new(conv_id, accept))
    }

    /// Pins a message in a group, for everyone.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who may not administer it.
    #[doc(alias = "pin_group_message")]
    pub fn pin(
        &self,
        conv_id: impl Into<ConversationId>,
        msg_id: impl Into<MessageId>,
    ) -> C::Reply<PinState> {
        self.transport.execute(PinGroupMessage::new(conv_id, msg_id))
    }

    /// Unpins a message in a group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who may not administer it.
    #[doc(alias = "unpin_group_message")]
    pub fn unpin(
        &self,
        conv_id: impl Into<ConversationId>,
        msg_id: impl Into<MessageId>,
    ) -> C::Reply<PinState> {
        self.transport.execute(UnpinGroupMessage::new(conv_id, msg_id))
    }

    /// Mutes a group for oneself.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "mute_group_conversation")]
    pub fn mute(&self, group: MuteGroupConversation) -> C::Reply<MuteState> {
        self.transport.execute(group)
    }

    /// Unmutes a group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "unmute_group_conversation")]
    pub fn unmute(&self, conv_id: impl Into<ConversationId>) -> C::Reply<MuteState> {
        self.transport.execute(UnmuteGroupConversation::new(conv_id))
    }

    /// Puts a group aside for a while, for oneself.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "snooze_group_conversation")]
    pub fn snooze(
        &self,
        conv_id: impl Into<ConversationId>,
        duration: impl Into<String>,
    ) -> C::Reply<SnoozeState> {
        self.transport.execute(SnoozeGroupConversation::new(conv_id, duration))
    }

    /// Takes up a group that was put aside.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "unsnooze_group_conversation")]
    pub fn unsnooze(&self, conv_id: impl Into<ConversationId>) -> C::Reply<SnoozeState> {
        self.transport.execute(UnsnoozeGroupConversation::new(conv_id))
    }

    /// Chooses whether a group sees what one has read.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "set_group_read_receipts")]
    pub fn set_read_receipts(&self, setting: SetGroupReadReceipts) -> C::Reply<ReadReceipts> {
        self.transport.execute(setting)
    }

    /// Uploads a square picture for a group.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for callers who may not administer the group. An upload is sent
    /// once, without another try.
    #[doc(alias = "upload_group_avatar")]
    pub fn upload_avatar(
        &self,
        conv_id: impl Into<ConversationId>,
        filename: impl Into<String>,
        file_bytes: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> C::Reply<GroupAvatar> {
        self.transport.execute(UploadGroupAvatar::new(conv_id, filename, file_bytes, content_type))
    }

    /// Fetches the bytes of the picture of a group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such group;
    /// [`Auth`](crate::ErrorKind::Auth) for callers who are not members.
    #[doc(alias = "get_group_avatar")]
    pub fn get_avatar(&self, conv_id: impl Into<ConversationId>) -> C::Reply<Bytes> {
        self.transport.download(GetGroupAvatar::new(conv_id))
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "group_messages",
    &[
        Operation::of::<AddGroupMember>(),
        Operation::of::<CreateGroupConversation>(),
        Operation::of::<CreateGroupFromTemplate>(),
        Operation::download::<GetGroupAvatar>(),
        Operation::of::<GetGroupConversation>(),
        Operation::of::<ListGroupMembers>(),
        Operation::of::<ListGroupTemplates>(),
        Operation::of::<MarkGroupAllRead>(),
        Operation::of::<MuteGroupConversation>(),
        Operation::of::<PinGroupMessage>(),
        Operation::of::<RemoveGroupMember>(),
        Operation::of::<RespondToGroupInvite>(),
        Operation::of::<SearchGroupMessages>(),
        Operation::of::<SendGroupMessage>(),
        Operation::of::<SetGroupAdmin>(),
        Operation::of::<SetGroupReadReceipts>(),
        Operation::of::<SnoozeGroupConversation>(),
        Operation::of::<TransferGroupCreator>(),
        Operation::of::<UnmuteGroupConversation>(),
        Operation::of::<UnpinGroupMessage>(),
        Operation::of::<UnsnoozeGroupConversation>(),
        Operation::of::<UpdateGroupConversation>(),
        Operation::of::<UploadGroupAvatar>(),
        Operation::of::<DeleteGroupDraft>(),
        Operation::of::<GetGroupDraft>(),
        Operation::of::<GetGroupHistory>(),
        Operation::of::<GetGroupTail>(),
        Operation::of::<SaveGroupDraft>(),
    ],
);
