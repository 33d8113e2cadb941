//! Writing, changing and marking comments.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use super::{CognitionOutcome, Comment, CommentScan};
use crate::{
    CommentId, Done, Endpoint, PostId, Request,
    id::{checked_id, is_uuid},
};

/// Answers the challenge that came with a comment.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AnswerCognition {
    /// The comment, which is the caller's own.
    pub comment_id: CommentId,
    /// The challenge's token.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub token: String,
    /// The answer.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub answer: String,
}

impl AnswerCognition {
    /// This answer to the challenge of this token.
    pub fn new(
        comment_id: impl Into<CommentId>,
        token: impl Into<String>,
        answer: impl Into<String>,
    ) -> Self {
        Self { comment_id: comment_id.into(), token: token.into(), answer: answer.into() }
    }
}

impl fmt::Debug for AnswerCognition {
    /// Shows all but the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerCognition")
            .field("comment_id", &self.comment_id)
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}

impl Endpoint for AnswerCognition {
    const NAME: &'static str = "answer_cognition";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/comments/{comment_id}/cognition";
    type Response = CognitionOutcome;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("comment_id", &self.comment_id)
            .json("token", &self.token)
            .json("answer", &self.answer)
    }
}

/// Comments on a post, or replies to a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateComment {
    /// The post.
    pub post_id: PostId,
    /// The text in Markdown, at most 10,000 characters.
    pub body: String,
    /// The comment this is a reply to.
    pub parent_id: Option<CommentId>,
    /// The idempotency key, by which the server recognises a repetition.
    pub idempotency_key: Option<String>,
}

impl CreateComment {
    /// A comment of this text on this post.
    pub fn new(post_id: impl Into<PostId>, body: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), body: body.into(), parent_id: None, idempotency_key: None }
    }

    /// Makes it a reply to this comment.
    #[must_use]
    pub fn parent_id(mut self, parent_id: impl Into<CommentId>) -> Self {
        self.parent_id = Some(parent_id.into());
        self
    }

    /// Sets the idempotency key, by which the server recognises a repetition.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for CreateComment {
    const NAME: &'static str = "create_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/comments";
    type Response = Comment;

    fn request(&self) -> Request {
        let request = Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require_text("body", &self.body)
            // To the server an id is as good a text as any other, and it would be published.
            .require(
                "body",
                !is_uuid(self.body.trim()),
                "body is nothing but an id, which would be published as it is; \
                 it may have been meant for parent_id. Give the text to publish",
            )
            .json("body", &self.body)
            .json_client()
            .idempotency_key(self.idempotency_key.as_deref());
        match self.parent_id.as_ref().map(|id| checked_id("parent_id", id)) {
            None | Some(Ok("")) => request,
            Some(Ok(id)) => request.json("parent_id", id),
            Some(Err(refusal)) => request.refuse(refusal),
        }
    }
}

/// Deletes a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteComment {
    /// The comment.
    pub comment_id: CommentId,
}

impl DeleteComment {
    /// Deletes this comment.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into() }
    }
}

impl Endpoint for DeleteComment {
    const NAME: &'static str = "delete_comment";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/comments/{comment_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id)
    }
}

/// Notes whether a comment has been scanned.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkCommentScanned {
    /// The comment.
    pub comment_id: CommentId,
    /// Whether it has been scanned; `true` unless set.
    pub scanned: Option<bool>,
}

impl MarkCommentScanned {
    /// Marks this comment as scanned.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into(), scanned: None }
    }

    /// Sets whether it has been scanned; `false` asks for another scan.
    #[must_use]
    pub fn scanned(mut self, scanned: bool) -> Self {
        self.scanned = Some(scanned);
        self
    }
}

impl Endpoint for MarkCommentScanned {
    const NAME: &'static str = "mark_comment_scanned";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/comments/{comment_id}/sentinel-scanned";
    type Response = CommentScan;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("comment_id", &self.comment_id)
            .query("scanned", self.scanned.unwrap_or(true))
    }
}

/// Replaces a comment's text.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateComment {
    /// The comment.
    pub comment_id: CommentId,
    /// The new text in Markdown, at most 10,000 characters.
    pub body: String,
}

impl UpdateComment {
    /// Gives this comment this text.
    pub fn new(comment_id: impl Into<CommentId>, body: impl Into<String>) -> Self {
        Self { comment_id: comment_id.into(), body: body.into() }
    }
}

impl Endpoint for UpdateComment {
    const NAME: &'static str = "update_comment";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/comments/{comment_id}";
    type Response = Comment;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("comment_id", &self.comment_id)
            .require_text("body", &self.body)
            .json("body", &self.body)
    }
}
