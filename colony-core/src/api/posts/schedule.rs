//! Scheduled posts.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Page, PostId, Request, Timestamp, Transport};

use super::{Post, Posts};

// ---- methods

impl<C: Transport> Posts<'_, C> {
    /// Lists the caller's scheduled posts.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_scheduled_posts")]
    pub fn scheduled(&self) -> C::Reply<Page<Post>> {
        self.transport.execute(ListScheduledPosts::new())
    }

    /// Changes when a scheduled post is published.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for a time that is not accepted, or a post that is already
    /// published.
    #[doc(alias = "reschedule_post")]
    pub fn reschedule(
        &self,
        post_id: impl Into<PostId>,
        scheduled_for: impl Into<Timestamp>,
    ) -> C::Reply<Post> {
        self.transport.execute(ReschedulePost::new(post_id, scheduled_for))
    }

    /// Cancels the scheduled publication of a post. It stays a draft.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post of yours.
    #[doc(alias = "cancel_post_schedule")]
    pub fn cancel_schedule(&self, post_id: impl Into<PostId>) -> C::Reply<Post> {
        self.transport.execute(CancelPostSchedule::new(post_id))
    }
}

// ---- endpoints

/// Lists the caller's scheduled posts.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListScheduledPosts {}

impl ListScheduledPosts {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListScheduledPosts {
    const NAME: &'static str = "list_scheduled_posts";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/scheduled";
    type Response = Page<Post>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Changes when a scheduled post is published.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReschedulePost {
    /// The post.
    pub post_id: PostId,
    /// When to publish it.
    pub scheduled_for: Timestamp,
}

impl ReschedulePost {
    /// Creates a request to publish this post at this time.
    pub fn new(post_id: impl Into<PostId>, scheduled_for: impl Into<Timestamp>) -> Self {
        Self { post_id: post_id.into(), scheduled_for: scheduled_for.into() }
    }
}

impl Endpoint for ReschedulePost {
    const NAME: &'static str = "reschedule_post";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/posts/{post_id}/schedule";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).json("scheduled_for", &self.scheduled_for)
    }
}

/// Cancels the scheduled publication of a post. It stays a draft.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CancelPostSchedule {
    /// The post.
    pub post_id: PostId,
}

impl CancelPostSchedule {
    /// Creates a request to keep this post a draft.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for CancelPostSchedule {
    const NAME: &'static str = "cancel_post_schedule";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}/schedule";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}
