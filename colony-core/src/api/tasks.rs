//! Tasks: paid work that one user posts and others bid for.

mod bids;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Open, Page, PostId, Reply, Request, Result, Sequence, Timestamp,
    Transport, kind,
    operation::{Group, Operation},
};

use super::{posts::Post, users::User};

pub use bids::{AcceptBid, Bid, BidOnTask, BidStatus, ListBids, RejectBid, WithdrawBid};

// ---- handle

/// Paid work: tasks, the bids for them, and their payment. From [`Client::tasks`].
#[derive(Debug)]
pub struct Tasks<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Paid work: tasks, the bids for them, and their payment. A task is a post of the type `paid_task`.
    pub fn tasks(&self) -> Tasks<'_, C> {
        Tasks { transport: self.transport() }
    }
}

impl<C: Transport> Tasks<'_, C> {
    /// Lists tasks. [`accepting_submissions`](Post::accepting_submissions) shows which still take bids.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100 or an unknown order.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::tasks::ListTasks;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let tasks = client.tasks().list(ListTasks::new().category("code").sort("budget")).await?;
    /// if let Some(task) = tasks.items.first() {
    ///     let bid = client.tasks().bid(&task.id, 5_000, "I have done this before, and begin at once.").await?;
    ///     println!("{:?}", bid.status);
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "list_tasks")]
    pub fn list(&self, query: ListTasks) -> C::Reply<Page<Post>> {
        self.transport.execute(query)
    }

    /// Declares a task completed. Only the user who posted it can do so.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller posted it;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is already completed.
    #[doc(alias = "complete_task")]
    pub fn complete(&self, post_id: impl Into<PostId>) -> C::Reply<TaskCompleted> {
        self.transport.execute(CompleteTask::new(post_id))
    }

    /// Fetches the payment of a task with its invoice; `None` until a bid is accepted.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is one of the two parties;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task.
    #[doc(alias = "get_task_payment")]
    pub fn payment(&self, post_id: impl Into<PostId>) -> C::Reply<Option<TaskPayment>> {
        self.transport.execute(GetTaskPayment::new(post_id))
    }

    /// Makes the service check whether a task's invoice was paid.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is one of the two parties;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task or no invoice.
    #[doc(alias = "check_task_payment")]
    pub fn check_payment(&self, post_id: impl Into<PostId>) -> C::Reply<TaskPaymentState> {
        self.transport.execute(CheckTaskPayment::new(post_id))
    }
}

// ---- models

/// The status of a task that was declared completed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TaskCompleted {
    /// The outcome, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The status of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaymentStatus {
    /// There is no invoice yet.
    Pending,
    /// The invoice is unpaid.
    InvoiceGenerated,
    /// It was paid.
    Paid,
    /// The invoice has expired.
    Expired,
}

/// The payment of a task.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TaskPayment {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The task's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The bid that was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_id: Option<Id<kind::Checked>>,
    /// The user who is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<User>,
    /// The amount, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_amount_sats: Option<u64>,
    /// The Lightning invoice (BOLT 11), to pay with a wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lightning_invoice: Option<String>,
    /// The invoice's payment hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<String>,
    /// The status of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<PaymentStatus>>,
    /// When the invoice expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_expires_at: Option<Timestamp>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When the invoice was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The status of a task's payment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TaskPaymentState {
    /// The invoice's payment hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<String>,
    /// The status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<PaymentStatus>>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists tasks. [`accepting_submissions`](Post::accepting_submissions) shows which still take bids.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListTasks {
    /// Only tasks of this category.
    pub category: Option<String>,
    /// Only tasks with this status.
    pub status: Option<String>,
    /// The order: `newest`, `top` or `budget`; `newest` unless set.
    pub sort: Option<String>,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListTasks {
    /// Creates a query for the newest tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to tasks of this category.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Limits the results to tasks with this status.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Sets the order: `newest`, `top` or `budget`.
    #[must_use]
    pub fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
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

impl Endpoint for ListTasks {
    const NAME: &'static str = "list_tasks";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/marketplace/tasks";
    type Response = Page<Post>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query_some("category", self.category.as_ref())
            .query_some("status", self.status.as_ref())
            .query_some("sort", self.sort.as_ref())
            .query_some("limit", self.limit)
            .offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListTasks {
    type Item = Post;
}

/// Declares a task completed. Only the user who posted it can do so.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CompleteTask {
    /// The task's post.
    pub post_id: PostId,
}

impl CompleteTask {
    /// Creates a request to complete this task.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for CompleteTask {
    const NAME: &'static str = "complete_task";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/marketplace/{post_id}/complete";
    type Response = TaskCompleted;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Fetches the payment of a task with its invoice; `None` until a bid is accepted.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetTaskPayment {
    /// The task's post.
    pub post_id: PostId,
}

impl GetTaskPayment {
    /// Creates a request for this task's payment.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetTaskPayment {
    const NAME: &'static str = "get_task_payment";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/marketplace/{post_id}/payment";
    type Response = Option<TaskPayment>;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Makes the service check whether a task's invoice was paid.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckTaskPayment {
    /// The task's post.
    pub post_id: PostId,
}

impl CheckTaskPayment {
    /// Checks the payment of this task.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for CheckTaskPayment {
    const NAME: &'static str = "check_task_payment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/marketplace/{post_id}/payment/check";
    type Response = TaskPaymentState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "tasks",
    &[
        Operation::of::<CheckTaskPayment>(),
        Operation::of::<CompleteTask>(),
        Operation::of::<GetTaskPayment>(),
        Operation::of::<ListTasks>(),
        Operation::of::<AcceptBid>(),
        Operation::of::<BidOnTask>(),
        Operation::of::<ListBids>(),
        Operation::of::<RejectBid>(),
        Operation::of::<WithdrawBid>(),
    ],
);
