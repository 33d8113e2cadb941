//! The queue of what waits for a moderator.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Open, Request, Timestamp, Transport, UserId, kind};

use super::Moderation;

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Lists one page of what waits for a moderator.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 50;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::moderation::{ActOnQueueItem, GetModQueue};
    ///
    /// let queue = client.moderation().queue(GetModQueue::new("queue-lab").source("pending_post")).await?;
    /// for row in queue.items {
    ///     let action = ActOnQueueItem::new("queue-lab", "pending_post", row.source_id, "approve");
    ///     client.moderation().act(action).await?;
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_mod_queue")]
    pub fn queue(&self, query: GetModQueue) -> C::Reply<ModQueue> {
        self.transport.execute(query)
    }

    /// Decides about one row of the queue.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for an action that the kind of row does not allow;
    /// [`NotFound`](crate::ErrorKind::NotFound) for a row that is gone;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "mod_queue_action")]
    pub fn act(&self, action: ActOnQueueItem) -> C::Reply<QueueActionResult> {
        self.transport.execute(action)
    }

    /// Decides about up to 100 rows of the queue at once. Rows that cannot be decided are listed in
    /// [`failed`](QueueBulkResult::failed), the others are done.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for no item or more than 100;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "mod_queue_bulk_action")]
    pub fn act_on_many(&self, actions: ActOnQueueItems) -> C::Reply<QueueBulkResult> {
        self.transport.execute(actions)
    }
}

// ---- models

/// One page of what waits for a moderator.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ModQueue {
    /// The rows.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub items: Vec<QueueItem>,
    /// How many rows there are of each kind.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub chip_counts: BTreeMap<String, u64>,
    /// How many rows there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// Rows in a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u64>,
    /// How many ban appeals wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_appeal_count: Option<u64>,
    /// Rows in a page, by the newer name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How many rows were passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A row of the queue.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct QueueItem {
    /// How it came here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_kind: Option<Open<QueueSource>>,
    /// Its id among those of its kind.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub source_id: Id<kind::Opaque>,
    /// What it is about, `post` for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_kind: Option<String>,
    /// The id of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<Id<kind::Opaque>>,
    /// Who wrote that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_id: Option<UserId>,
    /// Its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// When it came into the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// What else is known; the fields depend on the kind.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub payload: JsonObject,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How something came into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QueueSource {
    /// A post that needs approval.
    PendingPost,
    /// A report.
    OpenReport,
    /// A post that a rule removed.
    AutomodRemovedPost,
    /// A comment that a rule removed.
    AutomodRemovedComment,
    /// A post that a rule held back.
    AutomodFilteredPost,
    /// Content held back because it looks like an attack.
    XssProbeQuarantined,
    /// Content that no moderator has looked at; listed on request only.
    Unmoderated,
    /// A post that was changed; listed on request only.
    EditedPost,
}

/// What a moderator may do with a row of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QueueAction {
    /// Publish a pending post.
    Approve,
    /// Refuse a pending post.
    Reject,
    /// Remove reported or held content.
    Remove,
    /// Leave reported or held content as it is.
    Dismiss,
    /// Undo a rule's removal.
    Restore,
    /// Uphold a rule's removal.
    ConfirmRemoval,
    /// End the discussion.
    Lock,
    /// Ban the author for some days.
    BanAuthor,
}

/// One decision of [`ActOnQueueItems`]; sent as given.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct QueueDecision(JsonObject);

impl QueueDecision {
    /// Does this to this row.
    pub fn new(
        source: impl Into<String>,
        source_id: impl Into<Id<kind::Opaque>>,
        action: impl Into<String>,
    ) -> Self {
        let mut fields = JsonObject::new();
        fields.insert("source".to_owned(), source.into().into());
        fields.insert("source_id".to_owned(), source_id.into().as_str().into());
        fields.insert("action".to_owned(), action.into().into());
        Self(fields)
    }

    /// Sets how long `ban_author` bans, 1 to 30 days.
    #[must_use]
    pub fn duration_days(mut self, days: u32) -> Self {
        self.0.insert("duration_days".to_owned(), days.into());
        self
    }
}

/// What a decision did.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct QueueActionResult {
    /// The entry in the log of moderation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modlog_id: Option<Id<kind::Opaque>>,
    /// The row's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_kind: Option<Open<QueueSource>>,
    /// The row's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Id<kind::Opaque>>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Open<QueueAction>>,
    /// What it was done to, `post` for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_kind: Option<String>,
    /// The id of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<Id<kind::Opaque>>,
    /// Reports of the same content that this settled too.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub cascaded_report_ids: Vec<Id<kind::Opaque>>,
    /// The removal reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_id: Option<Id<kind::Opaque>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What the decisions did.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct QueueBulkResult {
    /// Those that were carried out.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub succeeded: Vec<QueueActionResult>,
    /// Those that were not.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub failed: Vec<QueueFailure>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A decision that was not carried out.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct QueueFailure {
    /// The row's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_kind: Option<Open<QueueSource>>,
    /// The row's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Id<kind::Opaque>>,
    /// What was to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Open<QueueAction>>,
    /// Why it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists one page of what waits for a moderator.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetModQueue {
    /// The colony, by name or id.
    pub colony: String,
    /// Only rows of this kind, see [`QueueSource`]. Without one, `unmoderated` and `edited_post` are
    /// left out.
    pub source: Option<String>,
    /// The page, from 1 (the default).
    pub page: Option<u32>,
    /// Rows in a page, at most 50; 25 unless set.
    pub limit: Option<u32>,
    /// `newest` (the default) or `oldest`.
    pub sort: Option<String>,
    /// `open` (the default) or `resolved`.
    pub status: Option<String>,
    /// The number of rows to skip; goes instead of `page`.
    #[serde(default)]
    pub offset: u32,
}

impl GetModQueue {
    /// The open rows of this colony, newest first.
    pub fn new(colony: impl Into<String>) -> Self {
        Self {
            colony: colony.into(),
            source: None,
            page: None,
            limit: None,
            sort: None,
            status: None,
            offset: 0,
        }
    }

    /// Sets the kind of row.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the page, from 1.
    #[must_use]
    pub fn page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }

    /// Sets the maximum number of rows.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the order.
    #[must_use]
    pub fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// Sets whether open or resolved rows are listed.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for GetModQueue {
    const NAME: &'static str = "get_mod_queue";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/queue";
    type Response = ModQueue;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .query("page", self.page.unwrap_or(1))
            .query("limit", self.limit.unwrap_or(25))
            .query("sort", self.sort.as_deref().unwrap_or("newest"))
            .query("status", self.status.as_deref().unwrap_or("open"))
            .query_some("source", self.source.as_deref())
            .offset(self.offset)
    }
}

/// Decides about one row of the queue.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ActOnQueueItem {
    /// The colony, by name or id.
    pub colony: String,
    /// The row's kind: its `source_kind`.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub source: String,
    /// The row's `source_id`.
    pub source_id: Id<kind::Opaque>,
    /// What to do, see [`QueueAction`]; which actions a row allows depends on its kind.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub action: String,
    /// A removal reason of the colony.
    pub reason_id: Option<Id<kind::Opaque>>,
    /// A removal reason in own words, at most 2,000 characters.
    pub reason_text: Option<String>,
    /// How long `ban_author` bans, 1 to 30 days; needed for that action alone.
    pub duration_days: Option<u32>,
}

impl ActOnQueueItem {
    /// Does this to this row.
    pub fn new(
        colony: impl Into<String>,
        source: impl Into<String>,
        source_id: impl Into<Id<kind::Opaque>>,
        action: impl Into<String>,
    ) -> Self {
        Self {
            colony: colony.into(),
            source: source.into(),
            source_id: source_id.into(),
            action: action.into(),
            reason_id: None,
            reason_text: None,
            duration_days: None,
        }
    }

    /// Sets the removal reason.
    #[must_use]
    pub fn reason_id(mut self, reason_id: impl Into<Id<kind::Opaque>>) -> Self {
        self.reason_id = Some(reason_id.into());
        self
    }

    /// Sets the removal reason in own words.
    #[must_use]
    pub fn reason_text(mut self, reason_text: impl Into<String>) -> Self {
        self.reason_text = Some(reason_text.into());
        self
    }

    /// Sets how many days the ban lasts.
    #[must_use]
    pub fn duration_days(mut self, duration_days: u32) -> Self {
        self.duration_days = Some(duration_days);
        self
    }
}

impl Endpoint for ActOnQueueItem {
    const NAME: &'static str = "mod_queue_action";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/queue/action";
    type Response = QueueActionResult;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("source", &self.source)
            .json("source_id", &self.source_id)
            .json("action", &self.action)
            .json_some("reason_id", self.reason_id.as_ref())
            .json_some("reason_text", self.reason_text.as_deref())
            .json_some("duration_days", self.duration_days)
    }
}

/// Decides about up to 100 rows of the queue at once.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ActOnQueueItems {
    /// The colony, by name or id.
    pub colony: String,
    /// The decisions, 1 to 100.
    pub items: Vec<QueueDecision>,
    /// A removal reason of the colony, for all of them.
    pub reason_id: Option<Id<kind::Opaque>>,
    /// A removal reason in own words, for all of them.
    pub reason_text: Option<String>,
}

impl ActOnQueueItems {
    /// Takes these decisions.
    pub fn new(colony: impl Into<String>, items: impl IntoIterator<Item = QueueDecision>) -> Self {
        Self { colony: colony.into(), items: items.into_iter().collect(), reason_id: None, reason_text: None }
    }

    /// Sets the removal reason.
    #[must_use]
    pub fn reason_id(mut self, reason_id: impl Into<Id<kind::Opaque>>) -> Self {
        self.reason_id = Some(reason_id.into());
        self
    }

    /// Sets the removal reason in own words.
    #[must_use]
    pub fn reason_text(mut self, reason_text: impl Into<String>) -> Self {
        self.reason_text = Some(reason_text.into());
        self
    }
}

impl Endpoint for ActOnQueueItems {
    const NAME: &'static str = "mod_queue_bulk_action";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/queue/bulk-action";
    type Response = QueueBulkResult;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("items", &self.items)
            .json_some("reason_id", self.reason_id.as_ref())
            .json_some("reason_text", self.reason_text.as_deref())
    }
}
