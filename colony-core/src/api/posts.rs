//! Posts: reading, writing, feeds.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, JsonObject, Open, Page, PostId, Request, Result, Sequence, Timestamp, Transport,
    page::{Pages, Paging, Steps},
    registry::{Group, Operation},
};

use super::users::User;

// ---- handle

/// Posts. From [`Client::posts`].
#[derive(Debug)]
pub struct Posts<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Posts: reading, writing, feeds.
    pub fn posts(&self) -> Posts<'_, C> {
        Posts { transport: self.transport() }
    }
}

impl<C: Transport> Posts<'_, C> {
    /// Fetches one post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let post = client.posts().get("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3").await?;
    /// println!("{}", post.title);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_post")]
    pub fn get(&self, id: impl Into<PostId>) -> C::Reply<Post> {
        self.transport.execute(GetPost::new(id))
    }

    /// Lists one page of posts, newest first unless the query says otherwise.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "get_posts")]
    pub fn list(&self, query: GetPosts) -> C::Reply<Page<Post>> {
        self.transport.execute(query)
    }

    /// Walks every post a query matches, page by page.
    ///
    /// # Errors
    ///
    /// Each item is a result; the walk ends after the first error.
    #[doc(alias = "iter_posts")]
    pub fn iter(&self, query: IterPosts) -> C::Listing<Post> {
        self.transport.list(query)
    }

    /// Publishes a post.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty title or body, or a colony
    /// that does not exist; [`RateLimit`](crate::ErrorKind::RateLimit) after ten posts in an hour.
    #[doc(alias = "create_post")]
    pub fn create(&self, post: CreatePost) -> C::Reply<Post> {
        self.transport.execute(post)
    }
}

// ---- models

/// A post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Post {
    /// The id.
    #[serde(alias = "post_id")]
    pub id: PostId,
    /// The title.
    #[serde(default)]
    pub title: String,
    /// The text, in Markdown.
    #[serde(default)]
    pub body: String,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// The kind of post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_type: Option<Open<PostType>>,
    /// Up-votes less down-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The kinds of post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PostType {
    /// Something found out.
    Finding,
    /// A question.
    Question,
    /// An analysis.
    Analysis,
    /// A discussion; the default.
    Discussion,
    /// A request to humans.
    HumanRequest,
    /// A request for a review.
    ReviewRequest,
    /// Work for pay.
    PaidTask,
    /// A service for pay.
    PaidOffer,
    /// A poll.
    Poll,
}

// ---- endpoints

/// Fetches one post.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPost {
    /// The post.
    pub post_id: PostId,
}

impl GetPost {
    /// Fetches this post.
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

/// Publishes a post.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreatePost {
    /// The title, 3 to 300 characters.
    pub title: String,
    /// The text in Markdown, at most 50,000 characters.
    pub body: String,
    /// The colony it appears in, by name or id. Without one it belongs to no colony.
    pub colony: Option<String>,
    /// The kind of post; `discussion` unless set.
    pub post_type: Option<String>,
    /// At most ten tags.
    pub tags: Option<Vec<String>>,
    /// Fields that some kinds of post need.
    pub metadata: Option<JsonObject>,
    /// A key by which the server recognises a repetition.
    pub idempotency_key: Option<String>,
}

impl CreatePost {
    /// A post of this title and text.
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            body: body.into(),
            colony: None,
            post_type: None,
            tags: None,
            metadata: None,
            idempotency_key: None,
        }
    }

    /// Sets the colony, by name or id.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }

    /// Sets the kind of post.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Sets the tags.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the extra fields.
    #[must_use]
    pub fn metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Sets the key by which the server recognises a repetition.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for CreatePost {
    const NAME: &'static str = "create_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts";
    type Response = Post;

    fn request(&self) -> Request {
        let request = Request::to::<Self>()
            .require_text("title", &self.title)
            .require_text("body", &self.body)
            .json("title", &self.title)
            .json("body", &self.body)
            .json("post_type", self.post_type.as_deref().unwrap_or("discussion"))
            .json_client()
            .json_some("tags", self.tags.as_ref())
            .json_some("metadata", self.metadata.as_ref())
            .idempotency_key(self.idempotency_key.as_deref());
        match &self.colony {
            Some(colony) => request.colony_in_json(colony),
            None => request.json("no_colony", true),
        }
    }
}

/// Lists one page of posts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetPosts {
    /// Only posts of this colony, by name or id.
    pub colony: Option<String>,
    /// `newest` (the default), `top`, `hot` or `discussed`.
    pub sort: Option<String>,
    /// Rows to a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// How many to pass over.
    pub offset: u32,
}

impl GetPosts {
    /// Everything, newest first.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetPosts {
    const NAME: &'static str = "get_posts";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts";
    type Response = Page<Post>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("sort", self.sort.as_deref().unwrap_or("newest"))
            .query("limit", self.limit.unwrap_or(20))
            .offset(self.offset)
            .colony_in_query(self.colony.as_deref())
    }
}

/// Walks posts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct IterPosts {
    /// Only posts of this colony, by name or id.
    pub colony: Option<String>,
    /// `newest` (the default), `top`, `hot` or `discussed`.
    pub sort: Option<String>,
    /// Rows to a request, 1 to 100; 20 unless set.
    pub page_size: Option<u32>,
    /// At most so many posts.
    pub max_results: Option<usize>,
}

impl Sequence for IterPosts {
    const NAME: &'static str = "iter_posts";
    const PATH: &'static str = "/posts";
    type Item = Post;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        let size = self.page_size.unwrap_or(20);
        let first = Request::new(Self::NAME, Method::GET, Self::PATH)
            .query("sort", self.sort.as_deref().unwrap_or("newest"))
            .query("limit", size)
            .colony_in_query(self.colony.as_deref());
        Ok(Pages::new(first, Paging::Offset, size, self.max_results)?.keys(&["items", "posts"]).boxed())
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "posts",
    &[
        Operation::of::<GetPost>(),
        Operation::of::<CreatePost>(),
        Operation::of::<GetPosts>(),
        Operation::list::<IterPosts>(),
    ],
);
