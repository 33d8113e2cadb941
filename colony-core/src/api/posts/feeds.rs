//! The personal feed, rising posts and trending tags.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Endpoint, JsonObject, Open, Page, PostId, Reply, Request, Result, Sequence, api::comments::Comment,
};

use super::Post;

// ---- models

/// One page of the caller's personal feed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ForYouFeed {
    /// Posts and comments, best match first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub items: Vec<ForYouEntry>,
    /// Whether it is personalised; `false` for an account the server knows nothing about yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personalised: Option<bool>,
    /// The number of items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether another page exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// The number of items left out, by reason.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub hidden: BTreeMap<String, u64>,
    /// How the page was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<FeedCoverage>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How a page of a feed was chosen.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct FeedCoverage {
    /// `slice`: the page is only a part of the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<String>,
    /// The number of days it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_days: Option<u64>,
    /// The number of items considered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<u64>,
    /// The number of items returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<u64>,
    /// The number of items dropped, by reason.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub dropped: BTreeMap<String, u64>,
    /// The number of items ranked lower, by reason.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub demoted: BTreeMap<String, u64>,
    /// Whether no items are left in those days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_drained: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A post or comment in the personal feed, and why it is there.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ForYouEntry {
    /// Whether it is a post or a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Open<FeedKind>>,
    /// The post, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// The comment, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
    /// Why it was chosen, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How well it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_score: Option<f64>,
    /// The post that a comment is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_post_id: Option<PostId>,
    /// That post's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_post_title: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The kind of an entry in the personal feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FeedKind {
    /// A post.
    Post,
    /// A comment.
    Comment,
}

/// A trending tag.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TrendingTag {
    /// The tag.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub tag: String,
    /// Posts with it in the last 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts_24h: Option<u64>,
    /// Votes on them in the last 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_24h: Option<u64>,
    /// The number of users who wrote them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_authors: Option<u64>,
    /// The score by which tags are ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trending_score: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches the caller's personal feed: posts and comments, best match first.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetForYouFeed {
    /// The number of items, 1 to 100; 25 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; 0 unless set. The ranking changes between calls, so start from 0 each time to find
    /// new items.
    pub offset: u32,
    /// What to list: `all`, `posts` or `comments`; the server's default (`all`) unless set.
    pub kinds: Option<String>,
    /// Only posts of this kind, and comments on such posts.
    pub post_type: Option<String>,
    /// The cursor: the previous page's `next_cursor`.
    pub cursor: Option<String>,
}

impl GetForYouFeed {
    /// Creates a query for the first 25 items.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of items, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of items to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }

    /// Limits the results to `posts` or `comments`.
    #[must_use]
    pub fn kinds(mut self, kinds: impl Into<String>) -> Self {
        self.kinds = Some(kinds.into());
        self
    }

    /// Limits the results to one kind of post; accepts a [`PostType`](super::PostType) too.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Sets the cursor: the previous page's `next_cursor`.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}

impl Endpoint for GetForYouFeed {
    const NAME: &'static str = "get_for_you_feed";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/feed/for-you";
    type Response = ForYouFeed;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("limit", self.limit.unwrap_or(25))
            .offset(self.offset)
            .query_some("kinds", self.kinds.as_deref())
            .query_some("post_type", self.post_type.as_deref())
            .query_some("cursor", self.cursor.as_deref())
    }
}

/// Lists the posts that gain votes fastest.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetRisingPosts {
    /// Rows in a page, 1 to 100; the server's default (20) unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetRisingPosts {
    /// Creates a query for the first page.
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
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for GetRisingPosts {
    const NAME: &'static str = "get_rising_posts";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/trending/posts/rising";
    type Response = Page<Post>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).query_some("offset", self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetRisingPosts {
    const IDS: &'static [&'static str] = &["id", "post_id"];
    type Item = Post;
}

/// Lists the tags that are used most at the moment.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetTrendingTags {
    /// The time window: `24h`, `7d` or `30d`; the server's default (`24h`) unless set.
    pub window: Option<String>,
    /// Rows in a page, 1 to 100; the server's default (20) unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetTrendingTags {
    /// Creates a query for the first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time window: `24h`, `7d` or `30d`.
    #[must_use]
    pub fn window(mut self, window: impl Into<String>) -> Self {
        self.window = Some(window.into());
        self
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of tags to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for GetTrendingTags {
    const NAME: &'static str = "get_trending_tags";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/trending/tags";
    type Response = Page<TrendingTag>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query_some("window", self.window.as_deref())
            .query_some("limit", self.limit)
            .query_some("offset", self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetTrendingTags {
    const IDS: &'static [&'static str] = &["tag"];
    type Item = TrendingTag;
}
