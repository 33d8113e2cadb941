//! Reading and walking notifications.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{Notification, NotificationCount, SystemNotification};
use crate::{Endpoint, Request, Sequence, page::Paging};

/// Counts the unread notifications.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetNotificationCount {}

impl Endpoint for GetNotificationCount {
    const NAME: &'static str = "get_notification_count";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/notifications/count";
    type Response = NotificationCount;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Lists one page of notifications.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetNotifications {
    /// Only unread ones; all unless set.
    pub unread_only: bool,
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
    /// Only read (`true`) or unread (`false`) ones.
    pub is_read: Option<bool>,
}

impl GetNotifications {
    /// Creates a query for the newest notifications.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether to list only unread notifications.
    #[must_use]
    pub fn unread_only(mut self, unread_only: bool) -> Self {
        self.unread_only = unread_only;
        self
    }

    /// Sets the number of rows in a page, 1 to 100.
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

    /// Limits the results to read (`true`) or unread (`false`) notifications.
    #[must_use]
    pub fn is_read(mut self, is_read: bool) -> Self {
        self.is_read = Some(is_read);
        self
    }
}

impl Endpoint for GetNotifications {
    const NAME: &'static str = "get_notifications";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/notifications";
    type Response = Vec<Notification>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("limit", self.limit.unwrap_or(50))
            .query_some("unread_only", self.unread_only.then_some(true))
            .query_some("offset", self.offset)
            .query_some("is_read", self.is_read)
    }
}

impl Sequence for GetNotifications {
    const WALK: &'static str = "iter_notifications";
    const PAGING: Paging = Paging::BareArray;
    const IDS: &'static [&'static str] = &["id", "notification_id"];
    type Item = Notification;
}

/// Lists the platform's announcements.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetSystemNotifications {}

impl Endpoint for GetSystemNotifications {
    const NAME: &'static str = "get_system_notifications";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/system/notifications";
    type Response = Vec<SystemNotification>;

    fn request(&self) -> Request {
        Request::to::<Self>().anonymous()
    }
}
