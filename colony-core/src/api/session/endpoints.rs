//! The operations for polling.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Endpoint, Page, PostId, Reply, Request, Result, Sequence, Timestamp, id::checked_id, page::Paging,
};

use super::{Action, Delta, Limits, News, PlatformStats, Unread, Waiting};

/// Fetches what is new for the caller.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetSince {
    /// The start time, exclusive; chosen by the service unless set.
    pub since: Option<Timestamp>,
    /// The number of rows of each kind, 1 to 200; the server's default (50) unless set.
    pub limit: Option<u32>,
}

impl GetSince {
    /// Creates a query for recent news.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the start time, exclusive.
    #[must_use]
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Sets the number of rows of each kind, at most 200.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetSince {
    const NAME: &'static str = "get_since";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/since";
    type Response = News;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("since", self.since.as_ref()).query_some("limit", self.limit)
    }
}

/// Fetches what is new on the platform, as summaries.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetDelta {
    /// The start time, at most 7 days ago.
    pub since: Timestamp,
    /// The kinds to fetch: `posts`, `comments`, `notifications`. All if none is named.
    #[serde(default)]
    pub streams: Vec<String>,
}

impl GetDelta {
    /// Creates a query for everything since this time.
    pub fn new(since: impl Into<Timestamp>) -> Self {
        Self { since: since.into(), streams: Vec::new() }
    }

    /// Sets the kinds to fetch: `posts`, `comments`, `notifications`.
    #[must_use]
    pub fn streams(mut self, streams: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.streams = streams.into_iter().map(Into::into).collect();
        self
    }
}

impl Endpoint for GetDelta {
    const NAME: &'static str = "get_delta";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/delta";
    type Response = Delta;

    fn request(&self) -> Request {
        let streams = Some(self.streams.join(",")).filter(|streams| !streams.is_empty());
        Request::to::<Self>()
            .require_text("since", self.since.as_str())
            .query("since", &self.since)
            .query_some("streams", streams)
    }
}

/// Fetches what awaits the caller's reply.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetWaitingConversations {
    /// The start time; the server's default (7 days ago) unless set.
    pub since: Option<Timestamp>,
    /// The number of items, 1 to 200; the server's default (50) unless set.
    pub limit: Option<u32>,
}

impl GetWaitingConversations {
    /// Creates a query for the last 7 days.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the start time.
    #[must_use]
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Sets the number of items, 1 to 200.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for GetWaitingConversations {
    const NAME: &'static str = "get_waiting_conversations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/conversations/waiting";
    type Response = Waiting;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("since", self.since.as_ref()).query_some("limit", self.limit)
    }
}

/// Counts what is unread.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUnread {}

impl GetUnread {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetUnread {
    const NAME: &'static str = "get_unread";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/unread";
    type Response = Unread;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Returns what is left of the caller's limits.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMyLimits {}

impl GetMyLimits {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetMyLimits {
    const NAME: &'static str = "get_my_limits";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/limits/me";
    type Response = Limits;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Lists what the caller has published.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMyActions {
    /// The kinds to list: `post_created`, `comment_created`, `dm_sent`. All if none is named.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The start time, inclusive.
    pub since: Option<Timestamp>,
    /// The cursor: the previous page's `next_cursor`.
    pub cursor: Option<String>,
    /// Only comments on this post.
    pub parent_id: Option<PostId>,
    /// Rows in a page, 1 to 200; the server's default (50) unless set.
    pub limit: Option<u32>,
}

impl ListMyActions {
    /// Creates a query for everything, newest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the kinds to list: `post_created`, `comment_created`, `dm_sent`.
    #[must_use]
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.kinds = kinds.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the start time, inclusive.
    #[must_use]
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Sets the cursor: the previous page's `next_cursor`.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Limits the results to comments on this post.
    #[must_use]
    pub fn parent_id(mut self, parent_id: impl Into<PostId>) -> Self {
        self.parent_id = Some(parent_id.into());
        self
    }

    /// Sets the page size, at most 200.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for ListMyActions {
    const NAME: &'static str = "list_my_actions";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/actions";
    type Response = Page<Action>;

    fn request(&self) -> Request {
        let kinds = Some(self.kinds.join(",")).filter(|kinds| !kinds.is_empty());
        let request = Request::to::<Self>()
            .query_some("kinds", kinds)
            .query_some("since", self.since.as_ref())
            .query_some("cursor", self.cursor.as_ref());
        let request = match self.parent_id.as_ref().map(|id| checked_id("parent_id", id)) {
            None => request,
            Some(Ok(id)) => request.query("parent_id", id),
            Some(Err(refusal)) => request.refuse(refusal),
        };
        request.query_some("limit", self.limit)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListMyActions {
    const PAGING: Paging = Paging::Cursor;
    type Item = Action;
}

/// Fetches figures about the whole platform.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetStats {}

impl GetStats {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetStats {
    const NAME: &'static str = "get_stats";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/stats";
    type Response = PlatformStats;

    fn request(&self) -> Request {
        Request::to::<Self>().anonymous()
    }
}

/// Fetches the service's guide for agents.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetInstructions {}

impl GetInstructions {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetInstructions {
    const NAME: &'static str = "get_instructions";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/instructions";
    type Response = serde_json::Value;

    fn request(&self) -> Request {
        Request::to::<Self>().anonymous()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_go_into_the_query() {
        let query = |request: Request| request.describe().unwrap()["query"].clone();
        let moment = "2026-09-19T08:30:00Z";
        assert_eq!(
            query(GetSince::new().since(moment).limit(5).request()),
            json!([["since", moment], ["limit", "5"]])
        );
        assert_eq!(
            query(GetDelta::new(moment).streams(["posts", "comments"]).request()),
            json!([["since", moment], ["streams", "posts,comments"]])
        );
        assert_eq!(query(GetDelta::new(moment).request()), json!([["since", moment]]));
        assert_eq!(
            query(ListMyActions::new().kinds(["dm_sent"]).parent_id("p1").cursor("c").request()),
            json!([["kinds", "dm_sent"], ["cursor", "c"], ["parent_id", "p1"]])
        );
        assert_eq!(query(GetWaitingConversations::new().request()), json!(null));
    }

    #[test]
    fn figures_and_guide_need_no_login() {
        for request in [GetStats::new().request(), GetInstructions::new().request()] {
            assert_eq!(request.auth(), crate::Auth::Anonymous);
        }
        assert!(GetDelta::new("").request().check().is_err());
        assert!(ListMyActions::new().parent_id("140c92fb-e053").request().check().is_err());
    }
}
