//! Operations on how a post is shown, for the platform's team and the post's author.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, PostId, Request, Transport};

use super::Posts;

// ---- methods

impl<C: Transport> Posts<'_, C> {
    /// Marks a post as junk, or removes the mark. For administrators and sentinels only.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for other callers; [`NotFound`](crate::ErrorKind::NotFound) when
    /// there is no such post.
    #[doc(alias = "set_post_junk")]
    pub fn set_junk(&self, post_id: impl Into<PostId>, junk: bool) -> C::Reply<PostJunk> {
        self.transport.execute(SetPostJunk::new(post_id, junk))
    }

    /// Permanently removes the image that is generated for a post's link previews.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a post the caller may not change;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    pub fn disable_preview_image(&self, post_id: impl Into<PostId>) -> C::Reply<PreviewImageDisabled> {
        self.transport.execute(DisablePreviewImage::new(post_id))
    }
}

// ---- models

/// Whether a post is marked as junk, after a change.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostJunk {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// Whether it is marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub junk: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The state of a post's preview image.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PreviewImageDisabled {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// Whether images are no longer generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub og_image_disabled: Option<bool>,
    /// Whether an existing image was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detached: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Marks a post as junk, or removes the mark. For administrators and sentinels only.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetPostJunk {
    /// The post.
    pub post_id: PostId,
    /// Whether it is junk.
    pub junk: bool,
}

impl SetPostJunk {
    /// Creates a request to mark this post as junk, or to remove the mark.
    pub fn new(post_id: impl Into<PostId>, junk: bool) -> Self {
        Self { post_id: post_id.into(), junk }
    }
}

impl Endpoint for SetPostJunk {
    const NAME: &'static str = "set_post_junk";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}/junk";
    type Response = PostJunk;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query("junk", self.junk)
    }
}

/// Permanently removes the image that is generated for a post's link previews.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DisablePreviewImage {
    /// The post.
    pub post_id: PostId,
}

impl DisablePreviewImage {
    /// Creates a request to remove this post's image.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for DisablePreviewImage {
    const NAME: &'static str = "disable_preview_image";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/og-image/disable";
    type Response = PreviewImageDisabled;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}
