//! Drafts of comments, which only their author sees.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Done, Endpoint, Id, JsonObject, PostId, Request, Timestamp, Transport, kind};

use super::Comments;

// ---- methods

impl<C: Transport> Comments<'_, C> {
    /// Lists the caller's drafts of comments on a post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "list_comment_drafts")]
    pub fn list_drafts(&self, post_id: impl Into<PostId>) -> C::Reply<CommentDrafts> {
        self.transport.execute(ListCommentDrafts::new(post_id))
    }

    /// Saves a draft of a comment, in place of the one for the same parent if there is one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post or comment;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text.
    #[doc(alias = "save_comment_draft")]
    pub fn save_draft(&self, draft: SaveCommentDraft) -> C::Reply<CommentDraft> {
        self.transport.execute(draft)
    }

    /// Deletes a draft of a comment.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such draft of yours.
    #[doc(alias = "delete_comment_draft")]
    pub fn delete_draft(&self, draft_id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(DeleteCommentDraft::new(draft_id))
    }
}

// ---- models

/// A draft of a comment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentDraft {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The post it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The comment it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<CommentId>,
    /// The text, in Markdown.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// When it was first saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The caller's drafts on one post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentDrafts {
    /// The drafts.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub drafts: Vec<CommentDraft>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the caller's drafts of comments on a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListCommentDrafts {
    /// The post.
    pub post_id: PostId,
}

impl ListCommentDrafts {
    /// Those on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ListCommentDrafts {
    const NAME: &'static str = "list_comment_drafts";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/drafts";
    type Response = CommentDrafts;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Saves a draft of a comment, in place of the one for the same parent if there is one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SaveCommentDraft {
    /// The post.
    pub post_id: PostId,
    /// The text, in Markdown, at most 10,000 characters.
    pub body: String,
    /// The comment it replies to.
    pub parent_id: Option<CommentId>,
}

impl SaveCommentDraft {
    /// This text, for a comment on this post.
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

impl Endpoint for SaveCommentDraft {
    const NAME: &'static str = "save_comment_draft";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}/drafts";
    type Response = CommentDraft;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require_text("body", &self.body)
            .json("body", &self.body)
            .json_some("parent_id", self.parent_id.as_ref())
    }
}

/// Deletes a draft of a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteCommentDraft {
    /// The draft.
    pub draft_id: Id<kind::Checked>,
}

impl DeleteCommentDraft {
    /// Deletes this one.
    pub fn new(draft_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { draft_id: draft_id.into() }
    }
}

impl Endpoint for DeleteCommentDraft {
    const NAME: &'static str = "delete_comment_draft";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/comments/drafts/{draft_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("draft_id", &self.draft_id)
    }
}
