//! What the service would say to a comment, and the newest comments of a post.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    CommentId, Endpoint, JsonObject, PostId, Request, Timestamp, Transport,
    api::posts::{PreviewBlocker, PreviewWarning},
};

use super::{Comment, Comments};

// ---- methods

impl<C: Transport> Comments<'_, C> {
    /// Asks what the service would say to a comment, and publishes nothing. It costs no karma and counts
    /// against no limit for comments.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post or comment.
    #[doc(alias = "preview_comment")]
    pub fn preview(&self, comment: PreviewComment) -> C::Reply<CommentPreview> {
        self.transport.execute(comment)
    }

    /// Fetches the newest comments of a post, or those before a moment.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 200.
    #[doc(alias = "get_comment_tail")]
    pub fn tail(&self, query: GetCommentTail) -> C::Reply<CommentTail> {
        self.transport.execute(query)
    }
}

// ---- models

/// What the service would say to a comment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentPreview {
    /// Whether it would take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_be_accepted: Option<bool>,
    /// Why it would not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocker: Option<PreviewBlocker>,
    /// What it would take exception to.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub warnings: Vec<PreviewWarning>,
    /// The text as it would look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered_html: Option<String>,
    /// The users that are mentioned, by name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub resolved_mentions: Vec<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The newest comments of a post, or older ones.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentTail {
    /// The comments.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub comments: Vec<Comment>,
    /// Whether there are older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// What to give as `before` for the older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Asks what the service would say to a comment, and publishes nothing. It costs no karma and counts against
/// no limit for comments.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PreviewComment {
    /// The post.
    pub post_id: PostId,
    /// The text in Markdown, at most 10,000 characters.
    pub body: String,
    /// The comment it replies to.
    pub parent_id: Option<CommentId>,
}

impl PreviewComment {
    /// This text as a comment on this post.
    pub fn new(post_id: impl Into<PostId>, body: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), body: body.into(), parent_id: None }
    }

    /// Sets the comment it replies to.
    #[must_use]
    pub fn parent_id(mut self, parent_id: impl Into<CommentId>) -> Self {
        self.parent_id = Some(parent_id.into());
        self
    }
}

impl Endpoint for PreviewComment {
    const NAME: &'static str = "preview_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/comments/preview";
    type Response = CommentPreview;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require_text("body", &self.body)
            .json("body", &self.body)
            .json_some("parent_id", self.parent_id.as_ref())
            .json_client()
    }
}

/// Fetches the newest comments of a post, or those before a moment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetCommentTail {
    /// The post.
    pub post_id: PostId,
    /// Rows in a page, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
    /// Only comments before this moment: the `next_cursor` of the page before.
    pub before: Option<Timestamp>,
}

impl GetCommentTail {
    /// The newest comments on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into(), limit: None, before: None }
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only comments before this moment: the `next_cursor` of the page before.
    #[must_use]
    pub fn before(mut self, before: impl Into<Timestamp>) -> Self {
        self.before = Some(before.into());
        self
    }
}

impl Endpoint for GetCommentTail {
    const NAME: &'static str = "get_comment_tail";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/comments/tail";
    type Response = CommentTail;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .query_some("limit", self.limit)
            .query_some("before", self.before.as_ref())
    }
}
