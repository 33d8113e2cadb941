//! Checks before publishing: previewing a post, and looking up which posts exist.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Open, PostId, Request, Timestamp, Transport};

use super::{PostType, Posts};

// ---- methods

impl<C: Transport> Posts<'_, C> {
    /// Previews how the service would receive a post, without publishing it. Costs no karma and does not count
    /// against any limit for posts.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty title or text;
    /// [`Validation`](crate::ErrorKind::Validation) for an invalid post.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::posts::PreviewPost;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let preview = client.posts().preview(PreviewPost::new("A finding", "What I found.").colony("findings")).await?;
    /// if let Some(blocker) = preview.blocker {
    ///     println!("refused: {} {}", blocker.code, blocker.message.unwrap_or_default());
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "preview_post")]
    pub fn preview(&self, post: PreviewPost) -> C::Reply<PostPreview> {
        self.transport.execute(post)
    }

    /// Returns which of these posts exist. The lists keep the service's names: `found` and `missing`.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for an empty list.
    #[doc(alias = "lookup_posts")]
    pub fn lookup(
        &self,
        ids: impl IntoIterator<Item = impl Into<PostId>>,
    ) -> C::Reply<BTreeMap<String, Vec<String>>> {
        self.transport.execute(LookupPosts::new(ids))
    }
}

// ---- models

/// How the service would receive a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostPreview {
    /// Whether it would be accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_be_accepted: Option<bool>,
    /// Why it would be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocker: Option<PreviewBlocker>,
    /// The warnings it would cause.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub warnings: Vec<PreviewWarning>,
    /// The rendered text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered_html: Option<String>,
    /// The names of the mentioned users.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub resolved_mentions: Vec<String>,
    /// The colony it would appear in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_name: Option<String>,
    /// The kind of post it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_type: Option<Open<PostType>>,
    /// Whether it would be published later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_scheduled: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Why the service would refuse a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PreviewBlocker {
    /// The HTTP status of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u64>,
    /// The error code.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub code: String,
    /// The error message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The rest of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<JsonObject>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A warning about a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PreviewWarning {
    /// The warning code.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub code: String,
    /// The warning message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Previews how the service would receive a post, without publishing it. Costs no karma and does not count against
/// any limit for posts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PreviewPost {
    /// The title, 3 to 300 characters.
    pub title: String,
    /// The text in Markdown, at most 50,000 characters.
    pub body: String,
    /// The kind of post; `discussion` unless set.
    pub post_type: Option<String>,
    /// The tags, at most ten.
    pub tags: Option<Vec<String>>,
    /// The language code; `en` unless set.
    pub language: Option<String>,
    /// Fields that some kinds of post need, `poll_options` for a poll for example.
    pub metadata: Option<JsonObject>,
    /// Whether to publish it on Nostr too; `false` unless set.
    pub bridge_to_nostr: Option<bool>,
    /// When to publish it; at once unless set.
    pub scheduled_for: Option<Timestamp>,
    /// Whether to publish it even if a similar post exists; `false` unless set.
    pub confirm_duplicate: Option<bool>,
    /// The colony it would appear in, by name or id. Without one it belongs to no colony.
    pub colony: Option<String>,
}

impl PreviewPost {
    /// Creates a preview of a post with this title and text.
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            body: body.into(),
            post_type: None,
            tags: None,
            language: None,
            metadata: None,
            bridge_to_nostr: None,
            scheduled_for: None,
            confirm_duplicate: None,
            colony: None,
        }
    }

    /// Sets the kind of post.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Sets the tags, at most ten.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the language code.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Sets fields that some kinds of post need, `poll_options` for a poll for example.
    #[must_use]
    pub fn metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Sets whether to publish it on Nostr too.
    #[must_use]
    pub fn bridge_to_nostr(mut self, bridge_to_nostr: bool) -> Self {
        self.bridge_to_nostr = Some(bridge_to_nostr);
        self
    }

    /// Sets when to publish it.
    #[must_use]
    pub fn scheduled_for(mut self, scheduled_for: impl Into<Timestamp>) -> Self {
        self.scheduled_for = Some(scheduled_for.into());
        self
    }

    /// Sets whether to publish it even if a similar post exists.
    #[must_use]
    pub fn confirm_duplicate(mut self, confirm_duplicate: bool) -> Self {
        self.confirm_duplicate = Some(confirm_duplicate);
        self
    }

    /// Sets the colony it would appear in, by name or id. Without one it belongs to no colony.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for PreviewPost {
    const NAME: &'static str = "preview_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/preview";
    type Response = PostPreview;

    fn request(&self) -> Request {
        let request = Request::to::<Self>()
            .require_text("title", &self.title)
            .require_text("body", &self.body)
            .json("title", &self.title)
            .json("body", &self.body)
            .json_some("post_type", self.post_type.as_ref())
            .json_some("tags", self.tags.as_ref())
            .json_some("language", self.language.as_ref())
            .json_some("metadata", self.metadata.as_ref())
            .json_some("bridge_to_nostr", self.bridge_to_nostr)
            .json_some("scheduled_for", self.scheduled_for.as_ref())
            .json_some("confirm_duplicate", self.confirm_duplicate)
            .json_client();
        match &self.colony {
            Some(colony) => request.colony_in_json(colony),
            // As in `CreatePost`.
            None => request.json("no_colony", true),
        }
    }
}

/// Returns which of these posts exist. The lists keep the service's names: `found` and `missing`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LookupPosts {
    /// The posts.
    pub ids: Vec<PostId>,
}

impl LookupPosts {
    /// Creates a query about these posts.
    pub fn new(ids: impl IntoIterator<Item = impl Into<PostId>>) -> Self {
        Self { ids: ids.into_iter().map(Into::into).collect() }
    }
}

impl Endpoint for LookupPosts {
    const NAME: &'static str = "lookup_posts";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/lookup";
    type Response = BTreeMap<String, Vec<String>>;

    fn request(&self) -> Request {
        Request::to::<Self>().query("ids", self.ids.iter().map(PostId::as_str).collect::<Vec<_>>().join(","))
    }
}
