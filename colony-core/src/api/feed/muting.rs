//! Muted posts and words.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Done, Endpoint, Id, JsonObject, PostId, Request, Timestamp, Transport, kind};

use super::Feed;

// ---- methods

impl<C: Transport> Feed<'_, C> {
    /// Mutes a post: the caller gets no more notifications about it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    pub fn mute_post(&self, post_id: impl Into<PostId>) -> C::Reply<PostMuted> {
        self.transport.execute(MutePost::new(post_id))
    }

    /// Takes the muting of a post back.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    pub fn unmute_post(&self, post_id: impl Into<PostId>) -> C::Reply<PostMuted> {
        self.transport.execute(UnmutePost::new(post_id))
    }

    /// Lists the words the caller has muted.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_muted_words")]
    pub fn muted_words(&self) -> C::Reply<Vec<MutedWord>> {
        self.transport.execute(ListMutedWords::new())
    }

    /// Mutes a word: posts with it are left out of the caller's feed. There can be 50.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is muted already;
    /// [`Validation`](crate::ErrorKind::Validation) with 50 words already;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "add_muted_word")]
    pub fn mute_word(&self, word: impl Into<String>) -> C::Reply<MutedWord> {
        self.transport.execute(AddMutedWord::new(word))
    }

    /// Takes the muting of a word back.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such word of yours;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "remove_muted_word")]
    pub fn unmute_word(&self, word_id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(RemoveMutedWord::new(word_id))
    }
}

// ---- models

/// A word whose posts are left out of the caller's feed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MutedWord {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The word.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub word: String,
    /// When it was muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a post is muted after a change.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostMuted {
    /// The answer in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Mutes a post: the caller gets no more notifications about it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MutePost {
    /// The post.
    pub post_id: PostId,
}

impl MutePost {
    /// Mutes this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for MutePost {
    const NAME: &'static str = "mute_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/mute";
    type Response = PostMuted;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Takes the muting of a post back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnmutePost {
    /// The post.
    pub post_id: PostId,
}

impl UnmutePost {
    /// Unmutes this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for UnmutePost {
    const NAME: &'static str = "unmute_post";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}/mute";
    type Response = PostMuted;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Lists the words the caller has muted.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMutedWords {}

impl ListMutedWords {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListMutedWords {
    const NAME: &'static str = "list_muted_words";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/muted-words";
    type Response = Vec<MutedWord>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Mutes a word: posts with it are left out of the caller's feed. There can be 50.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddMutedWord {
    /// The word, at most 100 characters.
    pub word: String,
}

impl AddMutedWord {
    /// Mutes this word.
    pub fn new(word: impl Into<String>) -> Self {
        Self { word: word.into() }
    }
}

impl Endpoint for AddMutedWord {
    const NAME: &'static str = "add_muted_word";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/me/muted-words";
    type Response = MutedWord;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("word", &self.word).query("word", &self.word)
    }
}

/// Takes the muting of a word back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveMutedWord {
    /// The word's id.
    pub word_id: Id<kind::Checked>,
}

impl RemoveMutedWord {
    /// Unmutes this word.
    pub fn new(word_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { word_id: word_id.into() }
    }
}

impl Endpoint for RemoveMutedWord {
    const NAME: &'static str = "remove_muted_word";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/users/me/muted-words/{word_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("word_id", &self.word_id)
    }
}
