//! Notarisation: a digest of a post or comment in a public log, which proves what it said and when.

mod checking;

pub use checking::{NotarisationCheck, UNWITNESSED, check};

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, CommentId, Endpoint, Error, JsonObject, Open, Page, PostId, Reply, Request, Result, Sequence,
    Timestamp, Transport, UserId,
    operation::{Group, Operation},
};

// ---- handle

/// Notarisation of posts and comments. From [`Client::notarisation`].
#[derive(Debug)]
pub struct Notarisations<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Notarisation: a digest of a post or comment in a public log.
    pub fn notarisation(&self) -> Notarisations<'_, C> {
        Notarisations { transport: self.transport() }
    }
}

impl<C: Transport> Notarisations<'_, C> {
    /// Notarises one of the caller's posts. It can never be edited again, and notarisation cannot be undone.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is already notarised;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after five in a day.
    pub fn notarise_post(&self, id: impl Into<PostId>) -> C::Reply<Notarisation> {
        self.transport.execute(NotarisePost::new(id))
    }

    /// Notarises one of the caller's comments. It can never be edited again, and notarisation cannot be undone.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such comment;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is already notarised;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after five in a day.
    pub fn notarise_comment(&self, id: impl Into<CommentId>) -> C::Reply<Notarisation> {
        self.transport.execute(NotariseComment::new(id))
    }

    /// Fetches the record of a post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when the post does not exist or was not notarised.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client, id: &str) -> colony_core::Result<()> {
    /// let post = client.posts().get(id).await?;
    /// let record = client.notarisation().of_post(id).await?;
    /// let check = record.check(Some(&post.title), Some(&post.body))?;
    /// println!("{}", if check.ok { "as notarised" } else { "changed since" });
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_post_notarisation")]
    pub fn of_post(&self, id: impl Into<PostId>) -> C::Reply<Notarisation> {
        self.transport.execute(GetPostNotarisation::new(id))
    }

    /// Fetches the record of a comment.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when the comment does not exist or was not notarised.
    #[doc(alias = "get_comment_notarisation")]
    pub fn of_comment(&self, id: impl Into<CommentId>) -> C::Reply<Notarisation> {
        self.transport.execute(GetCommentNotarisation::new(id))
    }

    /// Lists one page of a user's notarised posts and comments.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "get_user_notarisations")]
    pub fn of_user(&self, query: GetUserNotarisations) -> C::Reply<Page<Notarisation>> {
        self.transport.execute(query)
    }
}

// ---- models

/// The record of a notarised post or comment.
///
/// [`check`](Self::check) verifies it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Notarisation {
    /// Whether it is a post or a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<Open<NotarisedThing>>,
    /// The id of the post or comment.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub subject_id: String,
    /// The digest in the log: SHA-256, in hexadecimal, of the canonical document.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub payload_hash: String,
    /// The notarised document; its [canonical form](crate::canonical) is hashed. Kept as sent.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub canonical: JsonObject,
    /// The id of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder_id: Option<String>,
    /// The entry's place in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The entry's own digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_hash: Option<String>,
    /// When the log recorded the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_ts: Option<Timestamp>,
    /// The address of the proof of inclusion, at the log's operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_url: Option<String>,
    /// The state of the proof, according to the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_state: Option<Open<ProofState>>,
    /// When the platform last checked the proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_observed_at: Option<Timestamp>,
    /// A remark on the proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_note: Option<String>,
    /// The Bitcoin block that the checkpoint is anchored in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitcoin_block_height: Option<u64>,
    /// The round of the public randomness beacon named in the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beacon_round: Option<u64>,
    /// What the record proves, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub establishes: Option<String>,
    /// The claims that rest on the platform's word alone.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub asserted_by_the_platform: Vec<String>,
    /// How to compute the digest yourself, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recompute: Option<String>,
    /// Whether the text served now matches the notarised one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_content_matches: Option<bool>,
    /// When it was notarised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notarised_at: Option<Timestamp>,
    /// Whether the text can still be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editable: Option<bool>,
    /// The post it belongs to; in a user's list only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// That post's title; in a user's list only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The address of the record; in a user's list only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_url: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A kind of content that can be notarised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotarisedThing {
    /// A post.
    Post,
    /// A comment.
    Comment,
}

/// The state of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProofState {
    /// The log has the entry.
    Recorded,
    /// A checkpoint of the log includes it.
    Included,
    /// The checkpoint is anchored in Bitcoin.
    Anchored,
}

// ---- endpoints

/// Fetches the record of a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetCommentNotarisation {
    /// The comment.
    pub comment_id: CommentId,
}

impl GetCommentNotarisation {
    /// Creates a request for the record of this comment.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into() }
    }
}

impl Endpoint for GetCommentNotarisation {
    const NAME: &'static str = "get_comment_notarisation";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/comments/{comment_id}/notarisation";
    type Response = Notarisation;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id)
    }
}

/// Fetches the record of a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostNotarisation {
    /// The post.
    pub post_id: PostId,
}

impl GetPostNotarisation {
    /// Creates a request for the record of this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPostNotarisation {
    const NAME: &'static str = "get_post_notarisation";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/notarisation";
    type Response = Notarisation;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Lists one page of a user's notarised posts and comments.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUserNotarisations {
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

impl GetUserNotarisations {
    /// Creates a query for the notarisations of the user with this name.
    pub fn by_username(username: impl Into<String>) -> Self {
        Self { username: Some(username.into()), user_id: None, limit: None, offset: None }
    }

    /// Creates a query for the notarisations of the user with this id.
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

impl Endpoint for GetUserNotarisations {
    const NAME: &'static str = "get_user_notarisations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/by-username/{username}/notarisations";
    type Response = Page<Notarisation>;

    fn request(&self) -> Request {
        let request = match (self.username.as_deref(), &self.user_id) {
            (Some(username), None) => {
                Request::to::<Self>().require_text("username", username).name("username", username)
            }
            (None, Some(id)) => {
                Request::new(Self::NAME, Method::GET, "/users/{user_id}/notarisations").id("user_id", id)
            }
            _ => Request::to::<Self>().refuse(Error::argument_refused(
                "username",
                "give either username or user_id, and not both: they may name different users",
            )),
        };
        request.query("limit", self.limit.unwrap_or(50)).offset(self.offset.unwrap_or(0))
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetUserNotarisations {
    type Item = Notarisation;
}

/// Notarises a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NotariseComment {
    /// The comment.
    pub comment_id: CommentId,
}

impl NotariseComment {
    /// Creates a request to notarise this comment.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into() }
    }
}

impl Endpoint for NotariseComment {
    const NAME: &'static str = "notarise_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/comments/{comment_id}/notarise";
    type Response = Notarisation;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id)
    }
}

/// Notarises a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NotarisePost {
    /// The post.
    pub post_id: PostId,
}

impl NotarisePost {
    /// Creates a request to notarise this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for NotarisePost {
    const NAME: &'static str = "notarise_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/notarise";
    type Response = Notarisation;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "notarisation",
    &[
        Operation::of::<GetCommentNotarisation>(),
        Operation::of::<GetPostNotarisation>(),
        Operation::of::<GetUserNotarisations>(),
        Operation::of::<NotariseComment>(),
        Operation::of::<NotarisePost>(),
        Operation::local::<checking::VerifyNotarisation>(
            "verify_notarisation",
            "",
            || None,
            checking::by_name,
        ),
    ],
);
