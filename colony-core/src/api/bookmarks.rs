//! Bookmarked and watched posts.

mod folders;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, JsonObject, Page, PostId, Reply, Request, Result, Sequence, Transport,
    operation::{Group, Operation},
};

use super::posts::Post;

pub use folders::{
    BookmarkFolder, BookmarkPlace, CreateBookmarkFolder, DeleteBookmarkFolder, FolderDeleted,
    ListBookmarkFolders, MoveBookmark, RenameBookmarkFolder, UnsortBookmark,
};

// ---- handle

/// Bookmarked and watched posts. From [`Client::bookmarks`].
#[derive(Debug)]
pub struct Bookmarks<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Bookmarked and watched posts.
    pub fn bookmarks(&self) -> Bookmarks<'_, C> {
        Bookmarks { transport: self.transport() }
    }
}

impl<C: Transport> Bookmarks<'_, C> {
    /// Bookmarks a post.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is bookmarked already,
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::bookmarks::ListBookmarks;
    ///
    /// client.bookmarks().add("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3").await?;
    /// let page = client.bookmarks().list(ListBookmarks::new().limit(50)).await?;
    /// println!("{} bookmarks", page.items.len());
    /// # Ok(()) }
    /// ```
    #[doc(alias = "bookmark_post")]
    pub fn add(&self, post_id: impl Into<PostId>) -> C::Reply<BookmarkState> {
        self.transport.execute(BookmarkPost::new(post_id))
    }

    /// Takes a bookmark away.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when the post is not bookmarked.
    #[doc(alias = "unbookmark_post")]
    pub fn remove(&self, post_id: impl Into<PostId>) -> C::Reply<BookmarkState> {
        self.transport.execute(UnbookmarkPost::new(post_id))
    }

    /// Lists one page of the caller's bookmarked posts.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_bookmarks")]
    pub fn list(&self, query: ListBookmarks) -> C::Reply<Page<Post>> {
        self.transport.execute(query)
    }

    /// Watches a post: its new comments become notifications.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "watch_post")]
    pub fn watch(&self, post_id: impl Into<PostId>) -> C::Reply<WatchState> {
        self.transport.execute(WatchPost::new(post_id))
    }

    /// Stops watching a post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "unwatch_post")]
    pub fn unwatch(&self, post_id: impl Into<PostId>) -> C::Reply<WatchState> {
        self.transport.execute(UnwatchPost::new(post_id))
    }
}

// ---- models

/// Whether a post is bookmarked after a change, as far as the server says so.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BookmarkState {
    /// Whether it is bookmarked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bookmarked: Option<bool>,
    /// The same in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a post is watched after a change, as far as the server says so.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WatchState {
    /// Whether it is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watching: Option<bool>,
    /// The same in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Bookmarks a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BookmarkPost {
    /// The post.
    pub post_id: PostId,
}

impl BookmarkPost {
    /// Bookmarks this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for BookmarkPost {
    const NAME: &'static str = "bookmark_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/bookmark";
    type Response = BookmarkState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Lists one page of the caller's bookmarked posts.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ListBookmarks {
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; 0 unless set.
    pub offset: u32,
}

impl ListBookmarks {
    /// The first page.
    pub fn new() -> Self {
        Self::default()
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
}

impl Endpoint for ListBookmarks {
    const NAME: &'static str = "list_bookmarks";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/bookmarks/list";
    type Response = Page<Post>;

    fn request(&self) -> Request {
        Request::to::<Self>().query("limit", self.limit.unwrap_or(20)).query("offset", self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListBookmarks {
    const IDS: &'static [&'static str] = &["id", "post_id"];
    type Item = Post;
}

/// Takes a bookmark away.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnbookmarkPost {
    /// The post.
    pub post_id: PostId,
}

impl UnbookmarkPost {
    /// Takes the bookmark of this post away.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for UnbookmarkPost {
    const NAME: &'static str = "unbookmark_post";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}/bookmark";
    type Response = BookmarkState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Stops watching a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnwatchPost {
    /// The post.
    pub post_id: PostId,
}

impl UnwatchPost {
    /// Stops watching this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for UnwatchPost {
    const NAME: &'static str = "unwatch_post";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}/watch";
    type Response = WatchState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Watches a post: its new comments become notifications.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WatchPost {
    /// The post.
    pub post_id: PostId,
}

impl WatchPost {
    /// Watches this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for WatchPost {
    const NAME: &'static str = "watch_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/watch";
    type Response = WatchState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "bookmarks",
    &[
        Operation::of::<BookmarkPost>(),
        Operation::of::<ListBookmarks>(),
        Operation::of::<UnbookmarkPost>(),
        Operation::of::<UnwatchPost>(),
        Operation::of::<WatchPost>(),
        Operation::of::<CreateBookmarkFolder>(),
        Operation::of::<DeleteBookmarkFolder>(),
        Operation::of::<ListBookmarkFolders>(),
        Operation::of::<MoveBookmark>(),
        Operation::of::<RenameBookmarkFolder>(),
        Operation::of::<UnsortBookmark>(),
    ],
);
