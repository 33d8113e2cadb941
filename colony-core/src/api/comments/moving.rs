//! Moving a comment within its thread.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Endpoint, Request, Transport};

use super::{Comment, Comments};

// ---- methods

impl<C: Transport> Comments<'_, C> {
    /// Moves a comment, with its replies, below another comment of the same post, or to the top of the
    /// thread.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a comment the caller may not move;
    /// [`NotFound`](crate::ErrorKind::NotFound) when one of the comments does not exist;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the comment would become a reply to itself;
    /// [`Validation`](crate::ErrorKind::Validation) for a parent on another post;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten moves in an hour.
    #[doc(alias = "reparent_comment")]
    pub fn reparent(&self, movement: ReparentComment) -> C::Reply<Comment> {
        self.transport.execute(movement)
    }
}

// ---- endpoints

/// Moves a comment, with its replies, below another comment of the same post, or to the top of the thread.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReparentComment {
    /// The comment.
    pub comment_id: CommentId,
    /// Puts it below this comment; at the top of the thread unless set.
    pub parent_id: Option<CommentId>,
}

impl ReparentComment {
    /// Moves this comment to the top of its thread.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into(), parent_id: None }
    }

    /// Puts it below this comment.
    #[must_use]
    pub fn parent_id(mut self, parent_id: impl Into<CommentId>) -> Self {
        self.parent_id = Some(parent_id.into());
        self
    }
}

impl Endpoint for ReparentComment {
    const NAME: &'static str = "reparent_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/comments/{comment_id}/reparent";
    type Response = Comment;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id).json("parent_id", self.parent_id.as_ref())
    }
}
