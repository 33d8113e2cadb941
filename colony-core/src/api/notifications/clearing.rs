//! Marking notifications as read, and deleting them.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeletedNotifications, NotificationCount};
use crate::{
    Batch, Done, Endpoint, JsonObject, NotificationId, Request, Result,
    id::checked_id,
    page::{Chunks, Steps},
};

/// The most ids that the server accepts in a request.
const CHUNK: usize = 100;

/// Deletes one notification.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteNotification {
    /// The notification.
    pub notification_id: NotificationId,
}

impl DeleteNotification {
    /// Creates a request to delete this notification.
    pub fn new(notification_id: impl Into<NotificationId>) -> Self {
        Self { notification_id: notification_id.into() }
    }
}

impl Endpoint for DeleteNotification {
    const NAME: &'static str = "delete_notification";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/notifications/{notification_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("notification_id", &self.notification_id)
    }
}

/// Deletes several notifications.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteNotifications {
    /// The notifications. At least one; sent a hundred at a time.
    pub notification_ids: Vec<NotificationId>,
}

impl DeleteNotifications {
    /// Creates a request to delete these notifications.
    pub fn new(ids: impl IntoIterator<Item = impl Into<NotificationId>>) -> Self {
        Self { notification_ids: ids.into_iter().map(Into::into).collect() }
    }
}

impl Batch for DeleteNotifications {
    const NAME: &'static str = "delete_notifications";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/notifications/delete";
    type Output = NotificationCount;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        in_chunks::<Self>(
            &self.notification_ids,
            "notification_ids is empty; give at least one, or delete all that are read with \
             delete_read_notifications",
        )
    }

    fn gather(replies: Vec<Value>) -> Value {
        last(replies)
    }
}

/// Deletes all notifications that have been read.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteReadNotifications {}

impl Endpoint for DeleteReadNotifications {
    const NAME: &'static str = "delete_read_notifications";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/notifications/delete-read";
    type Response = DeletedNotifications;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Marks one notification as read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkNotificationRead {
    /// The notification.
    pub notification_id: NotificationId,
}

impl MarkNotificationRead {
    /// Creates a request to mark this notification as read.
    pub fn new(notification_id: impl Into<NotificationId>) -> Self {
        Self { notification_id: notification_id.into() }
    }
}

impl Endpoint for MarkNotificationRead {
    const NAME: &'static str = "mark_notification_read";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/notifications/{notification_id}/read";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("notification_id", &self.notification_id)
    }
}

/// Marks all notifications as read.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkNotificationsRead {}

impl Endpoint for MarkNotificationsRead {
    const NAME: &'static str = "mark_notifications_read";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/notifications/read-all";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Marks several notifications as read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkNotificationsReadBatch {
    /// The notifications. At least one; sent a hundred at a time.
    pub notification_ids: Vec<NotificationId>,
}

impl MarkNotificationsReadBatch {
    /// Creates a request to mark these notifications as read.
    pub fn new(ids: impl IntoIterator<Item = impl Into<NotificationId>>) -> Self {
        Self { notification_ids: ids.into_iter().map(Into::into).collect() }
    }
}

impl Batch for MarkNotificationsReadBatch {
    const NAME: &'static str = "mark_notifications_read_batch";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/notifications/read";
    type Output = NotificationCount;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        in_chunks::<Self>(
            &self.notification_ids,
            "notification_ids is empty; give at least one, or mark all with mark_notifications_read",
        )
    }

    fn gather(replies: Vec<Value>) -> Value {
        last(replies)
    }
}

fn in_chunks<B: Batch>(ids: &[NotificationId], none: &'static str) -> Result<Box<dyn Steps>> {
    let mut request =
        Request::new(B::NAME, B::METHOD, B::PATH).require("notification_ids", !ids.is_empty(), none);
    let mut checked = Vec::with_capacity(ids.len());
    for id in ids {
        match checked_id("notification_ids", id) {
            Ok(id) => checked.push(id.to_owned()),
            Err(refusal) => request = request.refuse(refusal),
        }
    }
    Ok(Box::new(Chunks::new(request, "ids", &checked, CHUNK)?))
}

/// Returns the last reply, whose count is the final one.
fn last(mut replies: Vec<Value>) -> Value {
    replies.pop().unwrap_or_else(|| Value::Object(JsonObject::new()))
}
