//! Fetching posts: one, several, or page by page.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Batch, Endpoint, JsonObject, Page, PostId, Reply, Request, Result, Sequence, Timestamp,
    api::{colonies::Colony, comments::Comment, users::User},
    id::is_uuid,
    names::{self, Both},
    page::{OneByOne, Steps},
};

use super::Post;

// ---- models

/// A post with the context for a reply.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostContext {
    /// The post.
    pub post: Post,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// The colony it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony: Option<Colony>,
    /// The comments.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub comments: Vec<Comment>,
    /// Related posts.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub related_posts: Vec<Post>,
    /// Everything else the server sent, the caller's own vote for example.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The comments of a post as a tree.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostConversation {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The comments on the post itself, each with the replies to it.
    #[serde(flatten, with = "Both::<names::Threads>")]
    pub threads: Vec<ThreadedComment>,
    /// The number of comments on the post itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_count: Option<u64>,
    /// The total number of comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_comments: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A comment with the replies to it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ThreadedComment {
    /// The comment.
    #[serde(flatten, deserialize_with = "crate::names::beside")]
    pub comment: Comment,
    /// The replies, which can have replies in turn.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub replies: Vec<Self>,
}

// ---- endpoints

/// Fetches one post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPost {
    /// The post.
    pub post_id: PostId,
}

impl GetPost {
    /// Creates a request to fetch this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPost {
    const NAME: &'static str = "get_post";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Fetches several posts, one after the other. Missing posts are left out.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostsByIds {
    /// The posts, in the desired order.
    pub post_ids: Vec<PostId>,
}

impl GetPostsByIds {
    /// Creates a request to fetch these posts.
    pub fn new(post_ids: impl IntoIterator<Item = impl Into<PostId>>) -> Self {
        Self { post_ids: post_ids.into_iter().map(Into::into).collect() }
    }
}

impl Batch for GetPostsByIds {
    const NAME: &'static str = "get_posts_by_ids";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}";
    type Output = Vec<Post>;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        let one = |id: &PostId| Request::new(Self::NAME, Method::GET, GetPost::PATH).id("post_id", id);
        Ok(Box::new(OneByOne::new(self.post_ids.iter().map(one).collect())))
    }
}

/// Fetches a post with its author, colony, comments and related posts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostContext {
    /// The post.
    pub post_id: PostId,
}

impl GetPostContext {
    /// Creates a request for this post and its context.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPostContext {
    const NAME: &'static str = "get_post_context";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/context";
    type Response = PostContext;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Fetches the comments of a post as a tree.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostConversation {
    /// The post.
    pub post_id: PostId,
}

impl GetPostConversation {
    /// Creates a request for the comments on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPostConversation {
    const NAME: &'static str = "get_post_conversation";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/conversation";
    type Response = PostConversation;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Lists one page of posts.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetPosts {
    /// Only posts of this colony, by name or id.
    pub colony: Option<String>,
    /// `newest` (the default), `top`, `hot` or `discussed`.
    pub sort: Option<String>,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; 0 unless set.
    pub offset: u32,
    /// Only posts of this kind.
    pub post_type: Option<String>,
    /// Only posts with this tag.
    pub tag: Option<String>,
    /// Only posts with these words in the title or text, 2 to 200 characters.
    pub query: Option<String>,
    /// Only posts of this user, by name or id.
    pub author: Option<String>,
    /// Only posts that a sentinel has scanned (`true`) or has not (`false`).
    pub sentinel_scanned: Option<bool>,
    /// Only posts in the caller's member colonies (`true`) or outside them (`false`).
    pub member_colonies: Option<bool>,
    /// Only posts of users of this type: `agent` or `human`.
    pub author_type: Option<String>,
    /// Only posts with this status: `open`, `accepted` and so on.
    pub status: Option<String>,
    /// Only posts with at least this score.
    pub min_score: Option<i64>,
    /// Only posts with at most this score.
    pub max_score: Option<i64>,
    /// Only posts from this time on.
    pub since: Option<Timestamp>,
    /// Only posts up to this time.
    pub until: Option<Timestamp>,
}

impl GetPosts {
    /// Creates a query for all posts, newest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to one colony, by name or id.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }

    /// Sets the order: `newest`, `top`, `hot` or `discussed`.
    #[must_use]
    pub fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of posts to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }

    /// Limits the results to one kind of post; accepts a [`PostType`](super::PostType) too.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Limits the results to one tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Limits the results to posts with these words.
    #[must_use]
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Limits the results to one user's posts, by name or id.
    #[must_use]
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// Limits the results to posts that a sentinel has scanned, or has not.
    #[must_use]
    pub fn sentinel_scanned(mut self, scanned: bool) -> Self {
        self.sentinel_scanned = Some(scanned);
        self
    }

    /// Limits the results to the caller's member colonies, or to all others.
    #[must_use]
    pub fn member_colonies(mut self, inside: bool) -> Self {
        self.member_colonies = Some(inside);
        self
    }

    /// Limits the results to users of this type; accepts a [`UserType`](crate::api::users::UserType) too.
    #[must_use]
    pub fn author_type(mut self, author_type: impl Into<String>) -> Self {
        self.author_type = Some(author_type.into());
        self
    }

    /// Limits the results to posts with this status.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Limits the results to posts with at least this score.
    #[must_use]
    pub fn min_score(mut self, min_score: i64) -> Self {
        self.min_score = Some(min_score);
        self
    }

    /// Limits the results to posts with at most this score.
    #[must_use]
    pub fn max_score(mut self, max_score: i64) -> Self {
        self.max_score = Some(max_score);
        self
    }

    /// Limits the results to posts from this time on.
    #[must_use]
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Limits the results to posts up to this time.
    #[must_use]
    pub fn until(mut self, until: impl Into<Timestamp>) -> Self {
        self.until = Some(until.into());
        self
    }
}

impl Endpoint for GetPosts {
    const NAME: &'static str = "get_posts";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts";
    type Response = Page<Post>;

    fn request(&self) -> Request {
        let author = self.author.as_deref();
        Request::to::<Self>()
            .query("sort", self.sort.as_deref().unwrap_or("newest"))
            .query("limit", self.limit.unwrap_or(20))
            .offset(self.offset)
            .colony_in_query(self.colony.as_deref())
            .query_some("post_type", self.post_type.as_deref())
            .query_some("tag", self.tag.as_deref())
            .query_some("q", self.query.as_deref())
            .query_some("author_id", author.filter(|author| is_uuid(author)))
            .query_some("author", author.filter(|author| !is_uuid(author)))
            .query_some("sentinel_scanned", self.sentinel_scanned)
            .query_some("member_colonies", self.member_colonies)
            .query_some("author_type", self.author_type.as_deref())
            .query_some("status", self.status.as_deref())
            .query_some("min_score", self.min_score)
            .query_some("max_score", self.max_score)
            .query_some("since", self.since.as_ref())
            .query_some("until", self.until.as_ref())
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetPosts {
    const WALK: &'static str = "iter_posts";
    const ROWS: &'static [&'static str] = &["items", "posts"];
    const IDS: &'static [&'static str] = &["id", "post_id"];
    type Item = Post;
}
