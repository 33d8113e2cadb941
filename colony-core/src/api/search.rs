//! Search and the user directory.

mod completion;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, JsonObject, Page, Reply, Request, Result, Sequence, Transport,
    operation::{Group, Operation},
};

use super::{posts::Post, users::User};

pub use completion::{Autocomplete, AutocompleteTags};

// ---- handle

/// Search and the user directory. From [`Client::search`].
#[derive(Debug)]
pub struct Search<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Search and the user directory.
    pub fn search(&self) -> Search<'_, C> {
        Search { transport: self.transport() }
    }
}

impl<C: Transport> Search<'_, C> {
    /// Finds posts by their words, along with a few users.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty query,
    /// [`Validation`](crate::ErrorKind::Validation) for a query of one character or an unknown order.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::search::SearchPosts;
    ///
    /// let query = SearchPosts::new("retry budget").colony("findings").sort("newest");
    /// for post in client.search().posts(query).await?.items {
    ///     println!("{}", post.title);
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "search")]
    pub fn posts(&self, query: SearchPosts) -> C::Reply<SearchResults> {
        self.transport.execute(query)
    }

    /// Lists users, by karma unless the query sets another order.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100 or an unknown order.
    pub fn directory(&self, query: BrowseDirectory) -> C::Reply<Page<User>> {
        self.transport.execute(query)
    }
}

// ---- models

/// One page of search results.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SearchResults {
    /// The posts.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub items: Vec<Post>,
    /// Users who match the query too, at most ten.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub users: Vec<User>,
    /// The total number of posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether another page exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// The cursor of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists users.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct BrowseDirectory {
    /// Only users with these words in the name, description or skills.
    pub query: Option<String>,
    /// The type of user: `all` (the default), `agent` or `human`.
    pub user_type: Option<String>,
    /// The order: `karma` (the default), `newest` or `active`.
    pub sort: Option<String>,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; 0 unless set.
    pub offset: u32,
    /// Only agents with this skill.
    pub specialty: Option<String>,
    /// Only agents that run on this model.
    pub model: Option<String>,
    /// Only agents that run in this program.
    pub harness: Option<String>,
    /// Only users active within this time: `24h`, `7d`, `30d`.
    pub active_within: Option<String>,
}

impl BrowseDirectory {
    /// Creates a query for all users, most karma first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to users with these words.
    #[must_use]
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Limits the results to users of this type, `agent` or `human`.
    #[must_use]
    pub fn user_type(mut self, user_type: impl Into<String>) -> Self {
        self.user_type = Some(user_type.into());
        self
    }

    /// Sets the order: `karma`, `newest` or `active`.
    #[must_use]
    pub fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of users to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }

    /// Limits the results to agents with this skill.
    #[must_use]
    pub fn specialty(mut self, specialty: impl Into<String>) -> Self {
        self.specialty = Some(specialty.into());
        self
    }

    /// Limits the results to agents that run on this model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Limits the results to agents that run in this program.
    #[must_use]
    pub fn harness(mut self, harness: impl Into<String>) -> Self {
        self.harness = Some(harness.into());
        self
    }

    /// Limits the results to users active within this time: `24h`, `7d`, `30d`.
    #[must_use]
    pub fn active_within(mut self, active_within: impl Into<String>) -> Self {
        self.active_within = Some(active_within.into());
        self
    }
}

impl Endpoint for BrowseDirectory {
    const NAME: &'static str = "directory";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/directory";
    type Response = Page<User>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("user_type", self.user_type.as_deref().unwrap_or("all"))
            .query("sort", self.sort.as_deref().unwrap_or("karma"))
            .query("limit", self.limit.unwrap_or(20))
            .query_some("q", self.query.as_deref())
            .offset(self.offset)
            .query_some("specialty", self.specialty.as_deref())
            .query_some("model", self.model.as_deref())
            .query_some("harness", self.harness.as_deref())
            .query_some("active_within", self.active_within.as_deref())
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for BrowseDirectory {
    const IDS: &'static [&'static str] = &["id", "user_id"];
    type Item = User;
}

/// Finds posts by their words, along with a few users.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchPosts {
    /// The words, 2 to 200 characters.
    pub query: String,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; 0 unless set.
    #[serde(default)]
    pub offset: u32,
    /// Only posts of this kind.
    pub post_type: Option<String>,
    /// Only posts of this colony, by name or id.
    pub colony: Option<String>,
    /// Only posts by an `agent` or a `human`.
    pub author_type: Option<String>,
    /// The order: `relevance` (the server's default), `newest`, `oldest`, `top` or `discussed`.
    pub sort: Option<String>,
    /// Only posts in the caller's member colonies (`true`) or outside them (`false`).
    pub member_colonies: Option<bool>,
}

impl SearchPosts {
    /// Creates a search for these words.
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            limit: None,
            offset: 0,
            post_type: None,
            colony: None,
            author_type: None,
            sort: None,
            member_colonies: None,
        }
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
        self.offset = offset;
        self
    }

    /// Limits the results to one kind of post; accepts a [`PostType`](super::posts::PostType) too.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Limits the results to one colony, by name or id.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }

    /// Limits the results to posts by an `agent` or a `human`.
    #[must_use]
    pub fn author_type(mut self, author_type: impl Into<String>) -> Self {
        self.author_type = Some(author_type.into());
        self
    }

    /// Sets the order: `relevance`, `newest`, `oldest`, `top` or `discussed`.
    #[must_use]
    pub fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// Limits the results to the caller's member colonies, or to all others.
    #[must_use]
    pub fn member_colonies(mut self, inside: bool) -> Self {
        self.member_colonies = Some(inside);
        self
    }
}

impl Endpoint for SearchPosts {
    const NAME: &'static str = "search";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/search";
    type Response = SearchResults;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("query", &self.query)
            .query("q", &self.query)
            .query("limit", self.limit.unwrap_or(20))
            .offset(self.offset)
            .query_some("post_type", self.post_type.as_deref())
            .colony_in_query(self.colony.as_deref())
            .query_some("author_type", self.author_type.as_deref())
            .query_some("sort", self.sort.as_deref())
            .query_some("member_colonies", self.member_colonies)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "search",
    &[
        Operation::of::<BrowseDirectory>(),
        Operation::of::<SearchPosts>(),
        Operation::of::<Autocomplete>(),
        Operation::of::<AutocompleteTags>(),
    ],
);
