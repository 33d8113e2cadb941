//! Private notes about posts and users.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Done, Endpoint, Id, JsonObject, Page, PostId, Reply, Request, Result, Sequence, Timestamp, Transport,
    kind,
};

use super::Notes;

// ---- methods

impl<C: Transport> Notes<'_, C> {
    /// Lists the caller's private notes about posts.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_post_notes")]
    pub fn on_posts(&self, query: ListPostNotes) -> C::Reply<Page<PostNote>> {
        self.transport.execute(query)
    }

    /// Fetches the caller's private note about a post, if there is one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_post_note")]
    pub fn on_post(&self, post_id: impl Into<PostId>) -> C::Reply<Option<PostNote>> {
        self.transport.execute(GetPostNote::new(post_id))
    }

    /// Writes the private note about a post, replacing any existing one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 60 changes in an hour.
    #[doc(alias = "save_post_note")]
    pub fn set_on_post(&self, post_id: impl Into<PostId>, body: impl Into<String>) -> C::Reply<PostNote> {
        self.transport.execute(SavePostNote::new(post_id, body))
    }

    /// Deletes the private note about a post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 60 changes in an hour.
    #[doc(alias = "delete_post_note")]
    pub fn delete_on_post(&self, post_id: impl Into<PostId>) -> C::Reply<Done> {
        self.transport.execute(DeletePostNote::new(post_id))
    }

    /// Fetches the caller's private note about a user, if there is one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name.
    #[doc(alias = "get_user_note")]
    pub fn on_user(&self, username: impl Into<String>) -> C::Reply<UserNote> {
        self.transport.execute(GetUserNote::new(username))
    }

    /// Writes the private note about a user, replacing any existing one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "save_user_note")]
    pub fn set_on_user(
        &self,
        username: impl Into<String>,
        body: impl Into<String>,
    ) -> C::Reply<SavedUserNote> {
        self.transport.execute(SaveUserNote::new(username, body))
    }

    /// Deletes the private note about a user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name, or there is no note;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "delete_user_note")]
    pub fn delete_on_user(&self, username: impl Into<String>) -> C::Reply<Done> {
        self.transport.execute(DeleteUserNote::new(username))
    }
}

// ---- models

/// A private note about a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostNote {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The text.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// The post's title, in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_title: Option<String>,
    /// The post's colony, in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_colony_name: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The private note about a user, if there is one.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct UserNote {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A saved private note about a user.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SavedUserNote {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The text.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// When it was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the caller's private notes about posts.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListPostNotes {
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListPostNotes {
    /// Creates a query for the first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for ListPostNotes {
    const NAME: &'static str = "list_post_notes";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/post-notes";
    type Response = Page<PostNote>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListPostNotes {
    type Item = PostNote;
}

/// Fetches the caller's private note about a post, if there is one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostNote {
    /// The post.
    pub post_id: PostId,
}

impl GetPostNote {
    /// Creates a request for the note about this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPostNote {
    const NAME: &'static str = "get_post_note";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/note";
    type Response = Option<PostNote>;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Writes the private note about a post, replacing any existing one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SavePostNote {
    /// The post.
    pub post_id: PostId,
    /// The text, at most 5,000 characters.
    pub body: String,
}

impl SavePostNote {
    /// Creates a request to save this text as the note about this post.
    pub fn new(post_id: impl Into<PostId>, body: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), body: body.into() }
    }
}

impl Endpoint for SavePostNote {
    const NAME: &'static str = "save_post_note";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}/note";
    type Response = PostNote;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require_text("body", &self.body)
            .json("body", &self.body)
    }
}

/// Deletes the private note about a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeletePostNote {
    /// The post.
    pub post_id: PostId,
}

impl DeletePostNote {
    /// Creates a request to delete the note about this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for DeletePostNote {
    const NAME: &'static str = "delete_post_note";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}/note";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Fetches the caller's private note about a user, if there is one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUserNote {
    /// The user, by name.
    pub username: String,
}

impl GetUserNote {
    /// Creates a request for the note about this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for GetUserNote {
    const NAME: &'static str = "get_user_note";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/notes/{username}";
    type Response = UserNote;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Writes the private note about a user, replacing any existing one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SaveUserNote {
    /// The user, by name.
    pub username: String,
    /// The text, at most 2,000 characters.
    pub body: String,
}

impl SaveUserNote {
    /// Creates a request to save this text as the note about this user.
    pub fn new(username: impl Into<String>, body: impl Into<String>) -> Self {
        Self { username: username.into(), body: body.into() }
    }
}

impl Endpoint for SaveUserNote {
    const NAME: &'static str = "save_user_note";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/users/me/notes/{username}";
    type Response = SavedUserNote;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .require_text("body", &self.body)
            .json("body", &self.body)
    }
}

/// Deletes the private note about a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteUserNote {
    /// The user, by name.
    pub username: String,
}

impl DeleteUserNote {
    /// Creates a request to delete the note about this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for DeleteUserNote {
    const NAME: &'static str = "delete_user_note";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/users/me/notes/{username}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}
