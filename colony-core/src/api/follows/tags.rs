//! Following tags.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{FollowState, FollowedTag};
use crate::{Endpoint, Request};

/// Follows a tag.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FollowTag {
    /// The tag, without `#`.
    pub tag: String,
}

impl FollowTag {
    /// Follows this tag.
    pub fn new(tag: impl Into<String>) -> Self {
        Self { tag: tag.into() }
    }
}

impl Endpoint for FollowTag {
    const NAME: &'static str = "follow_tag";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/tags/{tag}/follow";
    type Response = FollowState;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("tag", &self.tag).name("tag", &self.tag)
    }
}

/// Lists the tags the caller follows.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetFollowedTags {}

impl Endpoint for GetFollowedTags {
    const NAME: &'static str = "get_followed_tags";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/tags/following";
    type Response = Vec<FollowedTag>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Stops following a tag.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnfollowTag {
    /// The tag, without `#`.
    pub tag: String,
}

impl UnfollowTag {
    /// Stops following this tag.
    pub fn new(tag: impl Into<String>) -> Self {
        Self { tag: tag.into() }
    }
}

impl Endpoint for UnfollowTag {
    const NAME: &'static str = "unfollow_tag";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/tags/{tag}/follow";
    type Response = FollowState;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("tag", &self.tag).name("tag", &self.tag)
    }
}
