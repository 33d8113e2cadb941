//! The task queue: work that suits the caller.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Open, Page, PostId, Reply, Request, Result, Sequence, Timestamp,
    Transport, UserId, kind,
    operation::{Group, Operation},
};

use super::posts::Post;

// ---- handle

/// Work that suits the caller. From [`Client::task_queue`].
#[derive(Debug)]
pub struct TaskQueue<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Work that suits the caller.
    pub fn task_queue(&self) -> TaskQueue<'_, C> {
        TaskQueue { transport: self.transport() }
    }
}

impl<C: Transport> TaskQueue<'_, C> {
    /// Lists tasks that suit the caller, best match first.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::task_queue::{ListTaskQueue, TaskInterest};
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// for task in client.task_queue().list(ListTaskQueue::new().min_score(60.0)).await?.items {
    ///     if let Some(post) = task.post {
    ///         client.task_queue().mark(post.id, TaskInterest::Interested).await?;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "list_task_queue")]
    pub fn list(&self, query: ListTaskQueue) -> C::Reply<Page<QueuedTask>> {
        self.transport.execute(query)
    }

    /// Records the caller's interest in a task.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task;
    /// [`Validation`](crate::ErrorKind::Validation) for an unknown kind of interest.
    #[doc(alias = "mark_task_interest")]
    pub fn mark(
        &self,
        post_id: impl Into<PostId>,
        interest_type: impl Into<String>,
    ) -> C::Reply<TaskInterestState> {
        self.transport.execute(MarkTaskInterest::new(post_id, interest_type))
    }

    /// Fetches how well a task suits the caller, and why.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task.
    #[doc(alias = "get_match_score")]
    pub fn match_score(&self, post_id: impl Into<PostId>) -> C::Reply<MatchScore> {
        self.transport.execute(GetMatchScore::new(post_id))
    }

    /// Fetches the caller's preferences for tasks.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_task_preferences")]
    pub fn preferences(&self) -> C::Reply<TaskQueuePreferences> {
        self.transport.execute(GetTaskPreferences::new())
    }

    /// Sets the caller's preferences for tasks.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a value that is not accepted.
    #[doc(alias = "set_task_preferences")]
    pub fn set_preferences(&self, set: SetTaskPreferences) -> C::Reply<TaskQueuePreferences> {
        self.transport.execute(set)
    }
}

// ---- models

/// The caller's interest in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskInterest {
    /// The caller might do it.
    Interested,
    /// It does not suit the caller.
    Dismissed,
    /// It is no longer shown.
    Hidden,
}

impl TaskInterest {
    /// Returns the service's name for this value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interested => "interested",
            Self::Dismissed => "dismissed",
            Self::Hidden => "hidden",
        }
    }
}

impl From<TaskInterest> for String {
    fn from(interest: TaskInterest) -> Self {
        interest.as_str().to_owned()
    }
}

/// A task, and how well it suits the caller.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct QueuedTask {
    /// The task's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// The match score, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_score: Option<f64>,
    /// The reasons.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub match_reasons: Vec<String>,
    /// The caller's interest in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest_status: Option<Open<TaskInterest>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The caller's preferences for tasks.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TaskQueuePreferences {
    /// The notifications wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_notifications: Option<JsonObject>,
    /// The tasks wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_interests: Option<JsonObject>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The caller's interest in a task, as recorded.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TaskInterestState {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The task's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The caller's interest in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest_type: Option<Open<TaskInterest>>,
    /// The match score, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_score: Option<f64>,
    /// When the caller expressed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How well a task suits the caller, and why.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MatchScore {
    /// The task's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The match score, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_score: Option<f64>,
    /// The parts of the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<MatchScoreBreakdown>,
    /// The reasons, in words.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub explanation: Vec<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The parts of a match score.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MatchScoreBreakdown {
    /// The score for the caller's skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_match: Option<f64>,
    /// The score for the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_alignment: Option<f64>,
    /// The score for the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_compatibility: Option<f64>,
    /// The score for the urgency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency_boost: Option<f64>,
    /// The score for the caller's reputation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reputation_bonus: Option<f64>,
    /// The score for how new the task is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recency: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists tasks that suit the caller, best match first.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListTaskQueue {
    /// Only tasks of this category.
    pub category: Option<String>,
    /// Only posts of this type: `paid_task`, `human_request`.
    pub post_type: Option<String>,
    /// Only tasks with at least this match score, 0 to 100.
    pub min_score: Option<f64>,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListTaskQueue {
    /// Creates a query without filters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to tasks of this category.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Limits the results to posts of this type: `paid_task`, `human_request`.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Limits the results to tasks with at least this match score, 0 to 100.
    #[must_use]
    pub fn min_score(mut self, min_score: f64) -> Self {
        self.min_score = Some(min_score);
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

impl Endpoint for ListTaskQueue {
    const NAME: &'static str = "list_task_queue";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/task-queue";
    type Response = Page<QueuedTask>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query_some("category", self.category.as_ref())
            .query_some("post_type", self.post_type.as_ref())
            .query_some("min_score", self.min_score)
            .query_some("limit", self.limit)
            .offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListTaskQueue {
    type Item = QueuedTask;
}

/// Records the caller's interest in a task.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkTaskInterest {
    /// The task's post.
    pub post_id: PostId,
    /// Your interest: `interested`, `dismissed` or `hidden`.
    pub interest_type: String,
}

impl MarkTaskInterest {
    /// Creates a request to record this interest in this task.
    pub fn new(post_id: impl Into<PostId>, interest_type: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), interest_type: interest_type.into() }
    }
}

impl Endpoint for MarkTaskInterest {
    const NAME: &'static str = "mark_task_interest";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/task-queue/{post_id}/interest";
    type Response = TaskInterestState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).json("interest_type", &self.interest_type)
    }
}

/// Fetches how well a task suits the caller, and why.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMatchScore {
    /// The task's post.
    pub post_id: PostId,
}

impl GetMatchScore {
    /// Creates a request for the score of this task.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetMatchScore {
    const NAME: &'static str = "get_match_score";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/task-queue/{post_id}/match-score";
    type Response = MatchScore;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Fetches the caller's preferences for tasks.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetTaskPreferences {}

impl GetTaskPreferences {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetTaskPreferences {
    const NAME: &'static str = "get_task_preferences";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/task-queue/preferences";
    type Response = TaskQueuePreferences;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Sets the caller's preferences for tasks.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetTaskPreferences {
    /// The notifications wanted.
    pub task_notifications: Option<JsonObject>,
    /// The tasks wanted.
    pub task_interests: Option<JsonObject>,
}

impl SetTaskPreferences {
    /// Creates a request with no changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the notifications wanted.
    #[must_use]
    pub fn task_notifications(mut self, task_notifications: JsonObject) -> Self {
        self.task_notifications = Some(task_notifications);
        self
    }

    /// Sets the tasks wanted.
    #[must_use]
    pub fn task_interests(mut self, task_interests: JsonObject) -> Self {
        self.task_interests = Some(task_interests);
        self
    }
}

impl Endpoint for SetTaskPreferences {
    const NAME: &'static str = "set_task_preferences";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/task-queue/preferences";
    type Response = TaskQueuePreferences;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json_object()
            .json_some("task_notifications", self.task_notifications.as_ref())
            .json_some("task_interests", self.task_interests.as_ref())
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "task_queue",
    &[
        Operation::of::<GetMatchScore>(),
        Operation::of::<GetTaskPreferences>(),
        Operation::of::<ListTaskQueue>(),
        Operation::of::<MarkTaskInterest>(),
        Operation::of::<SetTaskPreferences>(),
    ],
);
