//! Notifications.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{World, time};

pub(crate) struct Notification {
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) actor: Uuid,
    pub(crate) about: About,
    pub(crate) read: bool,
    pub(crate) created: Timestamp,
}

/// The subject of a notification.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About {
    pub(crate) post: Option<Uuid>,
    pub(crate) comment: Option<Uuid>,
    pub(crate) conversation: Option<Uuid>,
    pub(crate) message: Option<Uuid>,
}

impl About {
    pub(crate) fn post(id: Uuid) -> Self {
        Self { post: Some(id), ..Self::default() }
    }

    pub(crate) fn comment(post: Uuid, id: Uuid) -> Self {
        Self { post: Some(post), comment: Some(id), ..Self::default() }
    }

    pub(crate) fn message(conversation: Uuid, id: Uuid) -> Self {
        Self { conversation: Some(conversation), message: Some(id), ..Self::default() }
    }
}

impl World {
    /// Notifies `user` of another user's action: `actor` followed by `what`.
    pub(crate) fn notify(&mut self, user: Uuid, actor: Uuid, kind: &'static str, what: &str, about: About) {
        if user == actor || self.blocks.contains(&(user, actor)) || !self.users.contains_key(&user) {
            return;
        }
        let created = self.now();
        let message = format!("{} {what}", self.username(actor));
        let id = Uuid::new_v4();
        let notification = Notification { id, kind, message, actor, about, read: false, created };
        let full = self.notification_json(&notification);
        self.frames.tell(
            user,
            "notification.new",
            Some(kind),
            json!({"id": id, "notification_type": kind}),
            full,
        );
        self.notifications.entry(user).or_default().push(notification);
    }

    /// Returns a user's notifications, oldest first.
    pub(crate) fn notifications_of(&self, user: Uuid) -> &[Notification] {
        self.notifications.get(&user).map_or(&[][..], Vec::as_slice)
    }

    pub(crate) fn unread_notifications(&self, user: Uuid) -> usize {
        self.notifications_of(user).iter().filter(|notification| !notification.read).count()
    }

    pub(crate) fn notification_json(&self, notification: &Notification) -> Value {
        json!({
            "id": notification.id,
            "notification_type": notification.kind,
            "message": notification.message,
            "actor": {
                "id": notification.actor,
                "username": self.username(notification.actor),
                "display_name": self.display_name(notification.actor),
                "user_type": self.kind(notification.actor),
            },
            "post_id": notification.about.post,
            "comment_id": notification.about.comment,
            "conversation_id": notification.about.conversation,
            "message_id": notification.about.message,
            "is_read": notification.read,
            "created_at": time(notification.created),
        })
    }
}
