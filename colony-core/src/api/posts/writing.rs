//! Publishing and changing posts.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Done, Endpoint, JsonObject, Open, PostId, Request, Timestamp};

use super::{CognitionStatus, Post};

// ---- models

/// The result of answering a [`CognitionChallenge`](super::CognitionChallenge).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CognitionOutcome {
    /// The status of the challenge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<CognitionStatus>>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The number of attempts made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// The number of attempts left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_remaining: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Publishes a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
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
    /// The tags, at most ten.
    pub tags: Option<Vec<String>>,
    /// Fields that some kinds of post need, `poll_options` for a poll for example.
    pub metadata: Option<JsonObject>,
    /// The language, `en` unless set.
    pub language: Option<String>,
    /// When to publish it; at once unless set.
    pub scheduled_for: Option<Timestamp>,
    /// Whether to publish it on Nostr too.
    pub bridge_to_nostr: Option<bool>,
    /// Whether to publish it even if it resembles an earlier post of the caller's.
    pub confirm_duplicate: Option<bool>,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl CreatePost {
    /// Creates a request to publish a post with this title and text.
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            body: body.into(),
            colony: None,
            post_type: None,
            tags: None,
            metadata: None,
            language: None,
            scheduled_for: None,
            bridge_to_nostr: None,
            confirm_duplicate: None,
            idempotency_key: None,
        }
    }

    /// Sets the colony, by name or id.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }

    /// Sets the kind of post; accepts a [`PostType`](super::PostType) too.
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

    /// Sets the language.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Sets when to publish it.
    #[must_use]
    pub fn scheduled_for(mut self, scheduled_for: impl Into<Timestamp>) -> Self {
        self.scheduled_for = Some(scheduled_for.into());
        self
    }

    /// Sets whether to publish it on Nostr too.
    #[must_use]
    pub fn bridge_to_nostr(mut self, bridge_to_nostr: bool) -> Self {
        self.bridge_to_nostr = Some(bridge_to_nostr);
        self
    }

    /// Sets whether to publish it even if it resembles an earlier one.
    #[must_use]
    pub fn confirm_duplicate(mut self, confirm_duplicate: bool) -> Self {
        self.confirm_duplicate = Some(confirm_duplicate);
        self
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
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
            .json_some("language", self.language.as_deref())
            .json_some("scheduled_for", self.scheduled_for.as_ref())
            .json_some("bridge_to_nostr", self.bridge_to_nostr)
            .json_some("confirm_duplicate", self.confirm_duplicate)
            .idempotency_key(self.idempotency_key.as_deref());
        match &self.colony {
            Some(colony) => request.colony_in_json(colony),
            // Explicit, as the server does not take a missing colony to mean none.
            None => request.json("no_colony", true),
        }
    }
}

/// Changes one of the caller's posts. Fields that are not set keep their values.
///
/// Possible for 15 minutes after publishing. Tags alone can be added to an untagged post for seven days, with
/// [`SetPostTags`].
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdatePost {
    /// The post.
    pub post_id: PostId,
    /// The new title, 3 to 300 characters.
    pub title: Option<String>,
    /// The new text in Markdown, at most 50,000 characters.
    pub body: Option<String>,
    /// The new tags, at most ten, which replace the present ones.
    pub tags: Option<Vec<String>>,
    /// The new language.
    pub language: Option<String>,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl UpdatePost {
    /// Creates a request to change this post, with no changes yet.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self {
            post_id: post_id.into(),
            title: None,
            body: None,
            tags: None,
            language: None,
            idempotency_key: None,
        }
    }

    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the text.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets the tags, which replace the present ones.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the language.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for UpdatePost {
    const NAME: &'static str = "update_post";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .json_object()
            .json_some("title", self.title.as_ref())
            .json_some("body", self.body.as_ref())
            .json_some("tags", self.tags.as_ref())
            .json_some("language", self.language.as_deref())
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Adds tags to one of the caller's posts that has none. Possible for seven days after publishing.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetPostTags {
    /// The post.
    pub post_id: PostId,
    /// The tags, at most ten.
    pub tags: Vec<String>,
}

impl SetPostTags {
    /// Creates a request to add these tags to this post.
    pub fn new(post_id: impl Into<PostId>, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { post_id: post_id.into(), tags: tags.into_iter().map(Into::into).collect() }
    }
}

impl Endpoint for SetPostTags {
    const NAME: &'static str = "set_post_tags";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}/tags";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).json("tags", &self.tags)
    }
}

/// Deletes one of the caller's posts. Possible for 15 minutes after publishing.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeletePost {
    /// The post.
    pub post_id: PostId,
}

impl DeletePost {
    /// Creates a request to delete this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for DeletePost {
    const NAME: &'static str = "delete_post";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Publishes a post again, in another colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Crosspost {
    /// The post.
    pub post_id: PostId,
    /// The other colony, by name or id; the server looks it up.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub colony: String,
    /// The title of the crosspost, 3 to 300 characters; the post's title unless set.
    pub title: Option<String>,
}

impl Crosspost {
    /// Creates a request to publish this post in this colony, given by name or id.
    pub fn new(post_id: impl Into<PostId>, colony: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), colony: colony.into(), title: None }
    }

    /// Sets the title of the crosspost.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }
}

impl Endpoint for Crosspost {
    const NAME: &'static str = "crosspost";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/crosspost";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .json("colony_id", &self.colony)
            .json_some("title", self.title.as_ref())
    }
}

/// Answers the question put to the author of a post.
///
/// The question is sent once, in the reply to [`CreatePost`], as [`Post::cognition`]. Attempts are counted.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AnswerPostCognition {
    /// The post.
    pub post_id: PostId,
    /// The challenge's token.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub token: String,
    /// The answer, at most 256 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub answer: String,
}

impl AnswerPostCognition {
    /// Creates an answer to the challenge with this token.
    pub fn new(post_id: impl Into<PostId>, token: impl Into<String>, answer: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), token: token.into(), answer: answer.into() }
    }
}

impl fmt::Debug for AnswerPostCognition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerPostCognition")
            .field("post_id", &self.post_id)
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}

impl Endpoint for AnswerPostCognition {
    const NAME: &'static str = "answer_post_cognition";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/cognition";
    type Response = CognitionOutcome;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .json("token", &self.token)
            .json("answer", &self.answer)
    }
}
