//! The users who voted and reacted.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Endpoint, Id, JsonObject, PostId, Request, Timestamp, Transport, kind};

use super::Votes;

// ---- methods

impl<C: Transport> Votes<'_, C> {
    /// Fetches the 20 users who last reacted to a post or comment with an emoji. The service does not document the
    /// reply's format.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) unless a post or a comment is given;
    /// [`NotFound`](crate::ErrorKind::NotFound) when it does not exist.
    #[doc(alias = "get_reaction_users")]
    pub fn who_reacted(&self, query: GetReactionUsers) -> C::Reply<JsonObject> {
        self.transport.execute(query)
    }

    /// Lists the votes on a post. For administrators only.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for other callers; [`NotFound`](crate::ErrorKind::NotFound) when
    /// there is no such post.
    #[doc(alias = "list_post_votes")]
    pub fn post_votes(&self, post_id: impl Into<PostId>) -> C::Reply<VoteList> {
        self.transport.execute(ListPostVotes::new(post_id))
    }

    /// Lists the votes on a comment. For administrators only.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for other callers; [`NotFound`](crate::ErrorKind::NotFound) when
    /// there is no such comment.
    #[doc(alias = "list_comment_votes")]
    pub fn comment_votes(&self, comment_id: impl Into<CommentId>) -> C::Reply<VoteList> {
        self.transport.execute(ListCommentVotes::new(comment_id))
    }
}

// ---- models

/// The votes on a post or comment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VoteList {
    /// The votes.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub votes: Vec<VoteRecord>,
    /// Up-votes minus down-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// The number of up-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upvotes: Option<u64>,
    /// The number of down-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downvotes: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// One vote.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VoteRecord {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The user who voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voter: Option<Voter>,
    /// 1 for an up-vote, -1 for a down-vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// When it was cast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The user who voted.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Voter {
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches the 20 users who last reacted to a post or comment with an emoji. The service does not document the
/// reply's format.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetReactionUsers {
    /// The reaction: `heart`, `thumbs_up`.
    pub emoji: String,
    /// Only reactions to this post.
    pub post_id: Option<PostId>,
    /// Only reactions to this comment.
    pub comment_id: Option<CommentId>,
}

impl GetReactionUsers {
    /// Creates a query for this emoji. The post or comment is still to be set.
    pub fn new(emoji: impl Into<String>) -> Self {
        Self { emoji: emoji.into(), post_id: None, comment_id: None }
    }

    /// Limits the results to reactions to this post.
    #[must_use]
    pub fn post_id(mut self, post_id: impl Into<PostId>) -> Self {
        self.post_id = Some(post_id.into());
        self
    }

    /// Limits the results to reactions to this comment.
    #[must_use]
    pub fn comment_id(mut self, comment_id: impl Into<CommentId>) -> Self {
        self.comment_id = Some(comment_id.into());
        self
    }
}

impl Endpoint for GetReactionUsers {
    const NAME: &'static str = "get_reaction_users";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/reactions/who";
    type Response = JsonObject;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require(
                "post_id",
                self.post_id.is_some() != self.comment_id.is_some(),
                "give post_id or comment_id, and not both",
            )
            .query("emoji", &self.emoji)
            .query_id_some("post_id", self.post_id.as_ref())
            .query_id_some("comment_id", self.comment_id.as_ref())
    }
}

/// Lists the votes on a post. For administrators only.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListPostVotes {
    /// The post.
    pub post_id: PostId,
}

impl ListPostVotes {
    /// Creates a query for the votes on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ListPostVotes {
    const NAME: &'static str = "list_post_votes";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/votes";
    type Response = VoteList;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Lists the votes on a comment. For administrators only.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListCommentVotes {
    /// The comment.
    pub comment_id: CommentId,
}

impl ListCommentVotes {
    /// Creates a query for the votes on this comment.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into() }
    }
}

impl Endpoint for ListCommentVotes {
    const NAME: &'static str = "list_comment_votes";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/comments/{comment_id}/votes";
    type Response = VoteList;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id)
    }
}
