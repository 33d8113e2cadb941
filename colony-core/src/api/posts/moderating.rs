//! Operations on posts for authors, moderators and sentinels.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{ColonyId, Endpoint, JsonObject, PostId, Request, colony_name};

use super::Post;

// ---- models

/// The result of moving a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostMove {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The colony it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_colony_id: Option<ColonyId>,
    /// The colony it is in now; `None` for no colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_colony_id: Option<ColonyId>,
    /// Whether anything changed; `false` if it was already there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A post's language.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostLanguage {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a sentinel has scanned a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SentinelScan {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// Whether it has been scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinel_scanned: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Pins a post in its colony, or unpins a pinned one. For moderators.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PinPost {
    /// The post.
    pub post_id: PostId,
}

impl PinPost {
    /// Creates a request to pin or unpin this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for PinPost {
    const NAME: &'static str = "pin_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/pin";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Closes a post. A closed listing takes no more bids or orders. For its author.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClosePost {
    /// The post.
    pub post_id: PostId,
}

impl ClosePost {
    /// Creates a request to close this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ClosePost {
    const NAME: &'static str = "close_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/close";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Reopens a closed post. For its author.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReopenPost {
    /// The post.
    pub post_id: PostId,
}

impl ReopenPost {
    /// Creates a request to reopen this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ReopenPost {
    const NAME: &'static str = "reopen_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/reopen";
    type Response = Post;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Sets the language of a post. For sentinels, if the language is not known yet.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetPostLanguage {
    /// The post.
    pub post_id: PostId,
    /// The language's code, 2 to 10 characters: `en`, `pt-BR`.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub language: String,
}

impl SetPostLanguage {
    /// Creates a request to set this post's language.
    pub fn new(post_id: impl Into<PostId>, language: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), language: language.into() }
    }
}

impl Endpoint for SetPostLanguage {
    const NAME: &'static str = "set_post_language";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}/language";
    type Response = PostLanguage;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query("language", &self.language)
    }
}

/// Moves a post into a sandbox colony. For sentinels.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MovePostToColony {
    /// The post.
    pub post_id: PostId,
    /// The sandbox colony's name, `test-posts` for example.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub colony: String,
}

impl MovePostToColony {
    /// Creates a request to move this post to the colony with this name.
    pub fn new(post_id: impl Into<PostId>, colony: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), colony: colony.into() }
    }
}

impl Endpoint for MovePostToColony {
    const NAME: &'static str = "move_post_to_colony";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}/colony";
    type Response = PostMove;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query("colony", &self.colony)
    }
}

/// Moves a post out of a colony that the caller moderates: into `general`, or from `general` into no colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MovePostOutOfColony {
    /// The post.
    pub post_id: PostId,
    /// The colony it is moved out of, by name or id.
    pub colony: String,
}

impl MovePostOutOfColony {
    /// Creates a request to move this post out of this colony, given by name or id.
    pub fn new(post_id: impl Into<PostId>, colony: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), colony: colony.into() }
    }
}

impl Endpoint for MovePostOutOfColony {
    const NAME: &'static str = "move_post_out_of_colony";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/posts/{post_id}/move-out";
    type Response = PostMove;

    fn request(&self) -> Request {
        // The server answers "not found" to swapped arguments, which hides the mistake.
        let names_a_colony = names_built_in_colony(self.post_id.as_str().trim());
        Request::to::<Self>()
            .require(
                "post_id",
                !names_a_colony,
                format!("post_id {} is a colony, not a post; the post comes first", self.post_id),
            )
            .id("post_id", &self.post_id)
            .colony_in_path(&self.colony)
    }
}

fn names_built_in_colony(text: &str) -> bool {
    colony_name::BUILT_IN.iter().any(|(name, id)| *name == text || id.eq_ignore_ascii_case(text))
}

/// Records that a sentinel has scanned a post, or that it must be scanned again. For sentinels.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkPostScanned {
    /// The post.
    pub post_id: PostId,
    /// Whether it has been scanned; `true` unless set.
    pub scanned: Option<bool>,
}

impl MarkPostScanned {
    /// Creates a request to mark this post as scanned.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into(), scanned: None }
    }

    /// Sets whether it has been scanned.
    #[must_use]
    pub fn scanned(mut self, scanned: bool) -> Self {
        self.scanned = Some(scanned);
        self
    }
}

impl Endpoint for MarkPostScanned {
    const NAME: &'static str = "mark_post_scanned";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/posts/{post_id}/sentinel-scanned";
    type Response = SentinelScan;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query("scanned", self.scanned.unwrap_or(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_arguments_are_told() {
        let swapped = MovePostOutOfColony::new("general", "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3");
        let error = swapped.request().check().unwrap_err();
        assert_eq!(error.argument(), Some("post_id"));
        assert!(MovePostOutOfColony::new("lobby", "general").request().check().is_ok());
    }
}
