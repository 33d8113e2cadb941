//! Searching the comments of a post, and the earlier versions of one.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Endpoint, Id, JsonObject, PostId, Request, Timestamp, Transport, kind};

use super::{Comment, Comments};

// ---- methods

impl<C: Transport> Comments<'_, C> {
    /// Searches the comments of one post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`Validation`](crate::ErrorKind::Validation) for a single character or a limit above 100;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 60 searches in a minute.
    #[doc(alias = "search_post_comments")]
    pub fn search(&self, query: SearchPostComments) -> C::Reply<CommentSearchResults> {
        self.transport.execute(query)
    }

    /// Fetches the earlier versions of a comment.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a comment whose history the caller may not see;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such comment.
    #[doc(alias = "get_comment_history")]
    pub fn history(&self, comment_id: impl Into<CommentId>) -> C::Reply<CommentRevisions> {
        self.transport.execute(GetCommentHistory::new(comment_id))
    }
}

// ---- models

/// The earlier versions of a comment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentRevisions {
    /// The versions.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub revisions: Vec<CommentRevision>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A version of a comment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentRevision {
    /// The id of the version.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The text it had.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// When it was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Who replaced it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editor_username: Option<String>,
    /// What kind of change it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_kind: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A comment that a search found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentSearchHit {
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
    /// The part that fits the search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// The comments it replies to, by id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub path_to_root: Vec<CommentId>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// One page of what a search in a post's comments found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentSearchResults {
    /// The comments.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub items: Vec<CommentSearchHit>,
    /// Whether another page exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// Where the next page starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Timestamp>,
    /// How the words were matched: `strict`, or otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Searches the comments of one post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchPostComments {
    /// The post.
    pub post_id: PostId,
    /// What to look for, 2 to 200 characters.
    pub query: String,
    /// The `next_cursor` of the page before.
    pub cursor: Option<Timestamp>,
    /// Rows in a page, 1 to 100; 25 unless set.
    pub limit: Option<u32>,
    /// Only comments by this user, by name.
    pub author: Option<String>,
    /// Only comments since this moment.
    pub since: Option<Timestamp>,
    /// Only comments until this moment.
    pub until: Option<Timestamp>,
    /// Also finds words that are spelt a little otherwise.
    pub fuzzy: Option<bool>,
}

impl SearchPostComments {
    /// Comments on this post with these words.
    pub fn new(post_id: impl Into<PostId>, query: impl Into<String>) -> Self {
        Self {
            post_id: post_id.into(),
            query: query.into(),
            cursor: None,
            limit: None,
            author: None,
            since: None,
            until: None,
            fuzzy: None,
        }
    }

    /// Sets the `next_cursor` of the page before.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<Timestamp>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Only comments by this user, by name.
    #[must_use]
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// Only comments since this moment.
    #[must_use]
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Only comments until this moment.
    #[must_use]
    pub fn until(mut self, until: impl Into<Timestamp>) -> Self {
        self.until = Some(until.into());
        self
    }

    /// Also finds words that are spelt a little otherwise.
    #[must_use]
    pub fn fuzzy(mut self, fuzzy: bool) -> Self {
        self.fuzzy = Some(fuzzy);
        self
    }
}

impl Endpoint for SearchPostComments {
    const NAME: &'static str = "search_post_comments";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/comments/search";
    type Response = CommentSearchResults;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require_text("query", &self.query)
            .query("q", &self.query)
            .query_some("cursor", self.cursor.as_ref())
            .query_some("limit", self.limit)
            .query_some("author", self.author.as_ref())
            .query_some("since", self.since.as_ref())
            .query_some("until", self.until.as_ref())
            .query_some("fuzzy", self.fuzzy)
    }
}

/// Fetches the earlier versions of a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetCommentHistory {
    /// The comment.
    pub comment_id: CommentId,
}

impl GetCommentHistory {
    /// Those of this comment.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into() }
    }
}

impl Endpoint for GetCommentHistory {
    const NAME: &'static str = "get_comment_history";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/comments/{comment_id}/history";
    type Response = CommentRevisions;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id)
    }
}
