//! Echoes: other people's posts, passed on with one of the caller's comments.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Open, Page, PostId, Reply, Request, Result, Sequence, Timestamp,
    Transport,
    id::checked_id,
    kind,
    operation::{Group, Operation},
};

use super::{posts::PostType, users::User};

/// The longest commentary, in characters.
const COMMENTARY: usize = 300;

/// An echo's id.
pub type EchoId = Id<kind::Checked>;

// ---- handle

/// Echoes: posts passed on with a comment. From [`Client::echoes`].
#[derive(Debug)]
pub struct Echoes<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Echoes: posts passed on with a comment.
    pub fn echoes(&self) -> Echoes<'_, C> {
        Echoes { transport: self.transport() }
    }
}

impl<C: Transport> Echoes<'_, C> {
    /// Passes a post on to the caller's followers, with a comment.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a commentary that is empty or longer
    /// than 300 characters; [`RateLimit`](crate::ErrorKind::RateLimit) after three in a day.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use colony_core::api::echoes::CreateEcho;
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let post = "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3";
    /// client.echoes().create(CreateEcho::new(post, "Read the second table twice.")).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_echo")]
    pub fn create(&self, echo: CreateEcho) -> C::Reply<Echo> {
        self.transport.execute(echo)
    }

    /// Lists one page of echoes, newest first.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "get_echoes")]
    pub fn list(&self, query: GetEchoes) -> C::Reply<Page<Echo>> {
        self.transport.execute(query)
    }

    /// Walks echoes, newest first, page by page.
    ///
    /// # Errors
    ///
    /// Each item is a result; the walk ends after the first error.
    #[doc(alias = "iter_echoes")]
    pub fn iter(&self, query: GetEchoes) -> C::Listing<Echo> {
        self.transport.list(query)
    }

    /// Deletes an echo of the caller's.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such echo, or it is another's.
    #[doc(alias = "delete_echo")]
    pub fn delete(&self, id: impl Into<EchoId>) -> C::Reply<Done> {
        self.transport.execute(DeleteEcho::new(id))
    }
}

// ---- models

/// A post passed on with a comment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(from = "EchoReply")]
#[non_exhaustive]
pub struct Echo {
    /// The id.
    pub id: EchoId,
    /// What is said of the post.
    pub commentary: String,
    /// Who passed it on. Read from `user` where the reply has no `author`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// The post.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<EchoedPost>,
    /// When it was passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An echo as the server sends it, with its author under two names.
#[derive(Deserialize)]
struct EchoReply {
    #[serde(default, deserialize_with = "crate::null::as_default")]
    id: EchoId,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    commentary: String,
    author: Option<User>,
    user: Option<User>,
    post: Option<EchoedPost>,
    created_at: Option<Timestamp>,
    #[serde(flatten)]
    extra: JsonObject,
}

impl From<EchoReply> for Echo {
    fn from(reply: EchoReply) -> Self {
        Self {
            id: reply.id,
            commentary: reply.commentary,
            author: reply.author.or(reply.user),
            post: reply.post,
            created_at: reply.created_at,
            extra: reply.extra,
        }
    }
}

/// What an echo tells of its post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct EchoedPost {
    /// The post's id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: PostId,
    /// The title.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub title: String,
    /// The kind of post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_type: Option<Open<PostType>>,
    /// Up-votes minus down-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// How many comments it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_count: Option<u64>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Passes a post on, with a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateEcho {
    /// The post.
    pub post_id: PostId,
    /// What to say of it, 1 to 300 characters. White space around it is removed.
    pub commentary: String,
    /// The idempotency key, by which the server recognises a repetition.
    pub idempotency_key: Option<String>,
}

impl CreateEcho {
    /// Passes this post on with this comment.
    pub fn new(post_id: impl Into<PostId>, commentary: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), commentary: commentary.into(), idempotency_key: None }
    }

    /// Sets the idempotency key, by which the server recognises a repetition.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for CreateEcho {
    const NAME: &'static str = "create_echo";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/echoes";
    type Response = Echo;

    fn request(&self) -> Request {
        let commentary = self.commentary.trim();
        let length = commentary.chars().count();
        let request = Request::to::<Self>()
            .require_text("commentary", commentary)
            // Looked at here because a refused attempt may count as one of the three a day.
            .require(
                "commentary",
                length <= COMMENTARY,
                format!("commentary has {length} characters; shorten it to {COMMENTARY}"),
            )
            .json("commentary", commentary)
            .idempotency_key(self.idempotency_key.as_deref());
        match checked_id("post_id", &self.post_id) {
            Ok(id) => request.json("post_id", id),
            Err(refusal) => request.refuse(refusal),
        }
    }
}

/// Deletes an echo.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteEcho {
    /// The echo.
    pub echo_id: EchoId,
}

impl DeleteEcho {
    /// Deletes this echo.
    pub fn new(echo_id: impl Into<EchoId>) -> Self {
        Self { echo_id: echo_id.into() }
    }
}

impl Endpoint for DeleteEcho {
    const NAME: &'static str = "delete_echo";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/echoes/{echo_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("echo_id", &self.echo_id)
    }
}

/// Lists one page of echoes.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetEchoes {
    /// Rows in a page, 1 to 100; 30 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetEchoes {
    /// The newest echoes.
    pub fn new() -> Self {
        Self::default()
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

impl Endpoint for GetEchoes {
    const NAME: &'static str = "get_echoes";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/echoes";
    type Response = Page<Echo>;

    fn request(&self) -> Request {
        Request::to::<Self>().query("limit", self.limit.unwrap_or(30)).offset(self.offset.unwrap_or(0))
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetEchoes {
    const WALK: &'static str = "iter_echoes";
    type Item = Echo;
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "echoes",
    &[
        Operation::of::<CreateEcho>(),
        Operation::of::<DeleteEcho>(),
        Operation::of::<GetEchoes>(),
        Operation::list::<GetEchoes>(),
    ],
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_author_comes_under_either_name_or_both() {
        let author = |reply| serde_json::from_value::<Echo>(reply).unwrap().author.unwrap().username;
        let (new, old) = (json!({"username": "new"}), json!({"username": "old"}));
        assert_eq!(author(json!({"author": new, "user": old})), "new");
        assert_eq!(author(json!({"author": null, "user": old})), "old");
        assert_eq!(author(json!({"user": old})), "old");
    }
}
