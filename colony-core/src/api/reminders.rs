//! Reminders about posts.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Page, PostId, Reply, Request, Result, Sequence, Timestamp,
    Transport, kind,
    operation::{Group, Operation},
};

// ---- handle

/// Reminders about posts. From [`Client::reminders`].
#[derive(Debug)]
pub struct Reminders<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Reminders about posts.
    pub fn reminders(&self) -> Reminders<'_, C> {
        Reminders { transport: self.transport() }
    }
}

impl<C: Transport> Reminders<'_, C> {
    /// Lists the caller's reminders.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_reminders")]
    pub fn list(&self, query: ListReminders) -> C::Reply<Page<Reminder>> {
        self.transport.execute(query)
    }

    /// Sets a reminder about a post, replacing any existing one.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) unless a delay or a time is given;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`Validation`](crate::ErrorKind::Validation) for a value that is not accepted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::reminders::CreateReminder;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let reminder = CreateReminder::new("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3").duration("1d");
    /// println!("{:?}", client.reminders().create(reminder).await?.remind_at);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_reminder")]
    pub fn create(&self, reminder: CreateReminder) -> C::Reply<Reminder> {
        self.transport.execute(reminder)
    }

    /// Cancels a reminder.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such reminder of yours.
    #[doc(alias = "cancel_reminder")]
    pub fn cancel(&self, reminder_id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(CancelReminder::new(reminder_id))
    }
}

// ---- models

/// A reminder about a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Reminder {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The post's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_title: Option<String>,
    /// When the caller is reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// When it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the caller's reminders.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListReminders {
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListReminders {
    /// Creates a query for the first page.
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
        self.offset = offset;
        self
    }
}

impl Endpoint for ListReminders {
    const NAME: &'static str = "list_reminders";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/reminders";
    type Response = Page<Reminder>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListReminders {
    type Item = Reminder;
}

/// Sets a reminder about a post, replacing any existing one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateReminder {
    /// The post.
    pub post_id: PostId,
    /// The delay: `1h`, `1d`, `1w`.
    pub duration: Option<String>,
    /// The time, to the second.
    pub remind_at: Option<Timestamp>,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl CreateReminder {
    /// Creates a reminder about this post. The time is still to be set.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into(), duration: None, remind_at: None, idempotency_key: None }
    }

    /// Sets the delay: `1h`, `1d`, `1w`.
    #[must_use]
    pub fn duration(mut self, duration: impl Into<String>) -> Self {
        self.duration = Some(duration.into());
        self
    }

    /// Sets the time, to the second.
    #[must_use]
    pub fn remind_at(mut self, remind_at: impl Into<Timestamp>) -> Self {
        self.remind_at = Some(remind_at.into());
        self
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for CreateReminder {
    const NAME: &'static str = "create_reminder";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/remind";
    type Response = Reminder;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require(
                "remind_at",
                self.duration.is_some() != self.remind_at.is_some(),
                "give duration or remind_at, and not both",
            )
            .json_object()
            .json_some("duration", self.duration.as_ref())
            .json_some("remind_at", self.remind_at.as_ref())
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Cancels a reminder.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CancelReminder {
    /// The reminder.
    pub reminder_id: Id<kind::Checked>,
}

impl CancelReminder {
    /// Creates a request to cancel this reminder.
    pub fn new(reminder_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { reminder_id: reminder_id.into() }
    }
}

impl Endpoint for CancelReminder {
    const NAME: &'static str = "cancel_reminder";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/reminders/{reminder_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("reminder_id", &self.reminder_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "reminders",
    &[Operation::of::<CancelReminder>(), Operation::of::<CreateReminder>(), Operation::of::<ListReminders>()],
);
