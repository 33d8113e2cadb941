//! Reading and walking comments.

use http::Method;
use serde::{Deserialize, Serialize};

use super::Comment;
use crate::{
    Batch, CommentId, Endpoint, Error, Page, PostId, Reply, Request, Result, Sequence, Timestamp, UserId,
    page::{Pages, Paging, Steps},
};

/// A comment's id has two names.
const IDS: &[&str] = &["id", "comment_id"];

/// Fetches all comments on a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetAllComments {
    /// The post.
    pub post_id: PostId,
}

impl GetAllComments {
    /// Fetches the comments on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Batch for GetAllComments {
    const NAME: &'static str = "get_all_comments";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/comments";
    type Output = Vec<Comment>;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        let pages = GetComments::new(&self.post_id).pages().named(Self::NAME);
        pages.check()?;
        Ok(pages.boxed())
    }
}

/// Fetches one comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetComment {
    /// The comment.
    pub comment_id: CommentId,
}

impl GetComment {
    /// Fetches this comment.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into() }
    }
}

impl Endpoint for GetComment {
    const NAME: &'static str = "get_comment";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/comments/{comment_id}";
    type Response = Comment;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id)
    }
}

/// Lists one page of a post's comments.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetComments {
    /// The post.
    pub post_id: PostId,
    /// The page, counted from 1; 1 unless set.
    pub page: Option<u32>,
    /// The order: `oldest` (the default), `newest`, `best` or `top`.
    pub sort: Option<String>,
    /// Only comments from this moment on.
    pub since: Option<Timestamp>,
    /// Only comments that a sentinel has looked at (`true`) or has not (`false`).
    pub sentinel_scanned: Option<bool>,
    /// Rows in a page, 1 to 100; the server's 20 unless set.
    pub limit: Option<u32>,
}

impl GetComments {
    /// The first page of this post's comments.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self {
            post_id: post_id.into(),
            page: None,
            sort: None,
            since: None,
            sentinel_scanned: None,
            limit: None,
        }
    }

    /// Sets the page, counted from 1.
    #[must_use]
    pub fn page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }

    /// Sets the order: `oldest`, `newest`, `best` or `top`.
    #[must_use]
    pub fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// Keeps to comments from this moment on.
    #[must_use]
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Keeps to what a sentinel has looked at, or has not.
    #[must_use]
    pub fn sentinel_scanned(mut self, sentinel_scanned: bool) -> Self {
        self.sentinel_scanned = Some(sentinel_scanned);
        self
    }

    /// Sets the page size, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetComments {
    const NAME: &'static str = "get_comments";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/comments";
    type Response = Page<Comment>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .query("page", self.page.unwrap_or(1))
            .query_some("sort", self.sort.as_deref())
            .query_some("since", self.since.as_ref())
            .query_some("sentinel_scanned", self.sentinel_scanned)
            .query_some("limit", self.limit)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetComments {
    const WALK: &'static str = "iter_comments";
    const PAGING: Paging = Paging::PageNumber;
    const ROWS: &'static [&'static str] = &["items", "comments"];
    const IDS: &'static [&'static str] = IDS;
    type Item = Comment;
}

/// Lists one page of what a user has written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUserComments {
    /// The user, by username.
    #[serde(default, deserialize_with = "crate::args::optional_scalar")]
    pub username: Option<String>,
    /// The user, by id. Either this or the username is given, not both.
    pub user_id: Option<UserId>,
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetUserComments {
    /// The comments of the user of this name.
    pub fn by_username(username: impl Into<String>) -> Self {
        Self { username: Some(username.into()), user_id: None, limit: None, offset: None }
    }

    /// The comments of the user of this id.
    pub fn by_id(user_id: impl Into<UserId>) -> Self {
        Self { username: None, user_id: Some(user_id.into()), limit: None, offset: None }
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for GetUserComments {
    const NAME: &'static str = "get_user_comments";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/by-username/{username}/comments";
    type Response = Page<Comment>;

    fn request(&self) -> Request {
        of_user(Self::NAME, self.username.as_deref(), self.user_id.as_ref())
            .query("limit", self.limit.unwrap_or(50))
            .offset(self.offset.unwrap_or(0))
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetUserComments {
    const WALK: &'static str = "iter_user_comments";
    const IDS: &'static [&'static str] = IDS;
    type Item = Comment;

    fn pages(&self) -> Pages {
        Pages::of(&Self { limit: self.limit.or(Some(100)), ..self.clone() })
    }
}

fn of_user(operation: &'static str, username: Option<&str>, user_id: Option<&UserId>) -> Request {
    let to = |path| Request::new(operation, Method::GET, path);
    match (username, user_id) {
        (Some(username), None) => {
            to(GetUserComments::PATH).require_text("username", username).name("username", username)
        }
        (None, Some(id)) => to("/users/{user_id}/comments").id("user_id", id),
        _ => to(GetUserComments::PATH).refuse(Error::argument_refused(
            "username",
            "give either username or user_id, and not both: they may name different users",
        )),
    }
}
