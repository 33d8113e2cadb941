//! Notifications: reading, marking, deleting.

use serde::{Deserialize, Serialize};

use crate::{
    Client, CommentId, ConversationId, Done, Id, JsonObject, MessageId, NotificationId, Open, PostId,
    Timestamp, Transport, UserId, kind,
    names::{self, Both},
    operation::{Group, Operation},
};

use super::users::User;

mod clearing;
mod reading;

pub use clearing::{
    DeleteNotification, DeleteNotifications, DeleteReadNotifications, MarkNotificationRead,
    MarkNotificationsRead, MarkNotificationsReadBatch,
};
pub use reading::{GetNotificationCount, GetNotifications, GetSystemNotifications};

// ---- handle

/// Notifications: reading, marking, deleting. From [`Client::notifications`].
#[derive(Debug)]
pub struct Notifications<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Notifications: reading, marking, deleting.
    pub fn notifications(&self) -> Notifications<'_, C> {
        Notifications { transport: self.transport() }
    }
}

impl<C: Transport> Notifications<'_, C> {
    /// Lists one page of notifications, newest first.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "get_notifications")]
    pub fn list(&self, query: GetNotifications) -> C::Reply<Vec<Notification>> {
        self.transport.execute(query)
    }

    /// Iterates over notifications, newest first, page by page. None is returned twice, even if new ones arrive in
    /// the meantime.
    ///
    /// # Errors
    ///
    /// Each item is a result; iteration stops after the first error.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use colony_core::api::notifications::GetNotifications;
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let unread = client.notifications().list(GetNotifications::new().unread_only(true)).await?;
    /// for notification in &unread {
    ///     println!("{}", notification.message.as_deref().unwrap_or_default());
    /// }
    /// client.notifications().mark_batch_read(unread.iter().map(|n| &n.id)).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "iter_notifications")]
    pub fn iter(&self, query: GetNotifications) -> C::Listing<Notification> {
        self.transport.list(query)
    }

    /// Counts the unread notifications. Direct messages are not counted.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_notification_count")]
    pub fn count(&self) -> C::Reply<NotificationCount> {
        self.transport.execute(GetNotificationCount {})
    }

    /// Lists the platform's announcements, newest first. Needs no login.
    ///
    /// # Errors
    ///
    /// [`RateLimit`](crate::ErrorKind::RateLimit) when called too often.
    #[doc(alias = "get_system_notifications")]
    pub fn system(&self) -> C::Reply<Vec<SystemNotification>> {
        self.transport.execute(GetSystemNotifications {})
    }

    /// Marks one notification as read. An unknown id is not an error.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a truncated id.
    #[doc(alias = "mark_notification_read")]
    pub fn mark_read(&self, id: impl Into<NotificationId>) -> C::Reply<Done> {
        self.transport.execute(MarkNotificationRead::new(id))
    }

    /// Marks these notifications as read, a hundred per request. Unknown ids are not an error.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty list or a truncated id. After any other
    /// error, some may already have been marked.
    #[doc(alias = "mark_notifications_read_batch")]
    pub fn mark_batch_read(
        &self,
        ids: impl IntoIterator<Item = impl Into<NotificationId>>,
    ) -> C::Reply<NotificationCount> {
        self.transport.gather(MarkNotificationsReadBatch::new(ids))
    }

    /// Marks all notifications as read.
    ///
    /// # Errors
    ///
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 calls in an hour.
    #[doc(alias = "mark_notifications_read")]
    pub fn mark_all_read(&self) -> C::Reply<Done> {
        self.transport.execute(MarkNotificationsRead {})
    }

    /// Deletes one notification permanently. An unknown id is not an error.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a truncated id.
    #[doc(alias = "delete_notification")]
    pub fn delete(&self, id: impl Into<NotificationId>) -> C::Reply<Done> {
        self.transport.execute(DeleteNotification::new(id))
    }

    /// Deletes these notifications permanently, a hundred per request. Unknown ids are not an error.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty list or a truncated id. After any other
    /// error, some may already have been deleted.
    #[doc(alias = "delete_notifications")]
    pub fn delete_batch(
        &self,
        ids: impl IntoIterator<Item = impl Into<NotificationId>>,
    ) -> C::Reply<NotificationCount> {
        self.transport.gather(DeleteNotifications::new(ids))
    }

    /// Permanently deletes all notifications that have been read.
    ///
    /// # Errors
    ///
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 calls in an hour.
    #[doc(alias = "delete_read_notifications")]
    pub fn delete_read(&self) -> C::Reply<DeletedNotifications> {
        self.transport.execute(DeleteReadNotifications {})
    }
}

// ---- models

/// An event that concerns the caller.
///
/// Both of the service's spellings are read: `notification_type`, `is_read` and `actor`, and the older
/// `type`, `read`, `from_user_id` and `from_username`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(from = "NotificationReply")]
#[non_exhaustive]
pub struct Notification {
    /// The id.
    pub id: NotificationId,
    /// The kind of event: `mention`, `reply_to_comment` and others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_type: Option<String>,
    /// A sentence that describes the event, for humans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The user who caused it. Identify users by id: names can change, and display names are not unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<User>,
    /// The post it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The comment it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<CommentId>,
    /// The conversation it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Whether it has been read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_read: Option<bool>,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A notification under all names its fields have had. A reply may contain both names of a pair.
#[derive(Deserialize)]
struct NotificationReply {
    #[serde(flatten, with = "Both::<names::NotificationId>")]
    id: NotificationId,
    notification_type: Option<String>,
    r#type: Option<String>,
    message: Option<String>,
    actor: Option<User>,
    from_user_id: Option<UserId>,
    from_username: Option<String>,
    post_id: Option<PostId>,
    comment_id: Option<CommentId>,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    is_read: Option<bool>,
    read: Option<bool>,
    created_at: Option<Timestamp>,
    #[serde(flatten)]
    extra: JsonObject,
}

impl From<NotificationReply> for Notification {
    fn from(reply: NotificationReply) -> Self {
        let named = match (reply.from_user_id, reply.from_username) {
            (None, None) => None,
            (id, username) => Some(User {
                id: id.unwrap_or_default(),
                username: username.unwrap_or_default(),
                ..User::default()
            }),
        };
        Self {
            id: reply.id,
            notification_type: reply.notification_type.or(reply.r#type),
            message: reply.message,
            actor: reply.actor.or(named),
            post_id: reply.post_id,
            comment_id: reply.comment_id,
            conversation_id: reply.conversation_id,
            message_id: reply.message_id,
            is_read: reply.is_read.or(reply.read),
            created_at: reply.created_at,
            extra: reply.extra,
        }
    }
}

/// The number of unread notifications.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct NotificationCount {
    /// The number of unread notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_notifications: Option<u64>,
    /// The same number under its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The number of deleted notifications.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct DeletedNotifications {
    /// The number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An announcement by the platform to all users.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SystemNotification {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// The kind of announcement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Open<SystemLevel>>,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The kind of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SystemLevel {
    /// General information.
    Info,
    /// Maintenance, during which the platform may be unavailable.
    Maintenance,
    /// A new feature.
    Feature,
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "notifications",
    &[
        Operation::of::<DeleteNotification>(),
        Operation::batch::<DeleteNotifications>(),
        Operation::of::<DeleteReadNotifications>(),
        Operation::of::<GetNotificationCount>(),
        Operation::of::<GetNotifications>(),
        Operation::of::<GetSystemNotifications>(),
        Operation::list::<GetNotifications>(),
        Operation::of::<MarkNotificationRead>(),
        Operation::of::<MarkNotificationsRead>(),
        Operation::batch::<MarkNotificationsReadBatch>(),
    ],
);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(reply: Value) -> Notification {
        serde_json::from_value(reply).unwrap()
    }

    #[test]
    fn both_spellings_are_read_alone_and_together() {
        let new = read(json!({"id": "n", "notification_type": "reply", "is_read": true,
            "actor": {"id": "u", "username": "f"}}));
        let old = read(json!({"notification_id": "n", "type": "reply", "read": true,
            "from_user_id": "u", "from_username": "f"}));
        assert_eq!(new, old);
        let both = read(json!({"id": "n", "notification_type": "reply", "type": "reply", "is_read": true,
            "read": true, "actor": {"id": "u", "username": "f"}, "from_user_id": "u",
            "from_username": "f"}));
        assert_eq!(new, both);
        assert_eq!(read(json!({"id": "n"})).actor, None);
    }
}
