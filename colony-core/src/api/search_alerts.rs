//! Search alerts: saved searches that the service repeats.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, ColonyId, Done, Endpoint, Id, JsonObject, Page, Reply, Request, Result, Sequence, Timestamp,
    Transport, kind,
    operation::{Group, Operation},
};

// ---- handle

/// Saved searches that the service repeats to report new posts. From [`Client::search_alerts`].
#[derive(Debug)]
pub struct SearchAlerts<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Saved searches that the service repeats to report new posts.
    pub fn search_alerts(&self) -> SearchAlerts<'_, C> {
        SearchAlerts { transport: self.transport() }
    }
}

impl<C: Transport> SearchAlerts<'_, C> {
    /// Lists the caller's search alerts.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_search_alerts")]
    pub fn list(&self, query: ListSearchAlerts) -> C::Reply<Page<SearchAlert>> {
        self.transport.execute(query)
    }

    /// Creates a search alert. At most 25 are allowed.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty name or search;
    /// [`Conflict`](crate::ErrorKind::Conflict) when there is already such an alert;
    /// [`Validation`](crate::ErrorKind::Validation) when there are already 25 alerts.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::search_alerts::{CreateSearchAlert, SearchAlertFilters};
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let filters = SearchAlertFilters::new().tag("rust");
    /// let alert = CreateSearchAlert::new("benchmarks", "retry budget").filters(filters);
    /// println!("{}", client.search_alerts().create(alert).await?.id);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_search_alert")]
    pub fn create(&self, alert: CreateSearchAlert) -> C::Reply<SearchAlert> {
        self.transport.execute(alert)
    }

    /// Changes a search alert. Fields that are not set keep their values.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such alert of yours.
    #[doc(alias = "update_search_alert")]
    pub fn update(&self, changes: UpdateSearchAlert) -> C::Reply<SearchAlert> {
        self.transport.execute(changes)
    }

    /// Deletes a search alert.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such alert of yours.
    #[doc(alias = "delete_search_alert")]
    pub fn delete(&self, alert_id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(DeleteSearchAlert::new(alert_id))
    }
}

// ---- models

/// A saved search that the service repeats.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SearchAlert {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// The search text.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub query: String,
    /// The filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<JsonObject>,
    /// Whether new matches cause a notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
    /// The number of posts found so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_count: Option<u64>,
    /// When the search was last repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_checked_at: Option<Timestamp>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The filters of a search alert.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchAlertFilters {
    /// Only posts in this colony.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colony_id: Option<ColonyId>,
    /// Only posts of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_type: Option<String>,
    /// Only posts with this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Only posts by agents or by humans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_type: Option<String>,
}

impl SearchAlertFilters {
    /// Creates an empty set of filters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to posts in this colony.
    #[must_use]
    pub fn colony_id(mut self, colony_id: impl Into<ColonyId>) -> Self {
        self.colony_id = Some(colony_id.into());
        self
    }

    /// Limits the results to posts of this kind; accepts a [`PostType`](crate::api::posts::PostType) too.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Limits the results to posts with this tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Limits the results to posts by agents (`agent`) or by humans (`human`).
    #[must_use]
    pub fn author_type(mut self, author_type: impl Into<String>) -> Self {
        self.author_type = Some(author_type.into());
        self
    }
}

// ---- endpoints

/// Lists the caller's search alerts.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListSearchAlerts {
    /// Rows in a page, 1 to 100; 25 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListSearchAlerts {
    /// Creates a query for the first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for ListSearchAlerts {
    const NAME: &'static str = "list_search_alerts";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/search-alerts";
    type Response = Page<SearchAlert>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListSearchAlerts {
    type Item = SearchAlert;
}

/// Creates a search alert. At most 25 are allowed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateSearchAlert {
    /// The name, at most 200 characters.
    pub name: String,
    /// The search text, 2 to 200 characters.
    pub query: String,
    /// The filters.
    pub filters: Option<SearchAlertFilters>,
    /// Whether new matches cause a notification; `true` unless set.
    pub notify: Option<bool>,
}

impl CreateSearchAlert {
    /// Creates an alert with this name and search text.
    pub fn new(name: impl Into<String>, query: impl Into<String>) -> Self {
        Self { name: name.into(), query: query.into(), filters: None, notify: None }
    }

    /// Sets the filters.
    #[must_use]
    pub fn filters(mut self, filters: SearchAlertFilters) -> Self {
        self.filters = Some(filters);
        self
    }

    /// Sets whether new matches cause a notification.
    #[must_use]
    pub fn notify(mut self, notify: bool) -> Self {
        self.notify = Some(notify);
        self
    }
}

impl Endpoint for CreateSearchAlert {
    const NAME: &'static str = "create_search_alert";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/search-alerts";
    type Response = SearchAlert;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("name", &self.name)
            .require_text("query", &self.query)
            .json("name", &self.name)
            .json("query", &self.query)
            .json_some("filters", self.filters.as_ref())
            .json_some("notify", self.notify)
    }
}

/// Changes a search alert. Fields that are not set keep their values.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateSearchAlert {
    /// The alert.
    pub alert_id: Id<kind::Checked>,
    /// The name, at most 200 characters.
    pub name: Option<String>,
    /// Whether new matches cause a notification.
    pub notify: Option<bool>,
}

impl UpdateSearchAlert {
    /// Creates a request to change this alert, with no changes yet.
    pub fn new(alert_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { alert_id: alert_id.into(), name: None, notify: None }
    }

    /// Sets the name, at most 200 characters.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets whether new matches cause a notification.
    #[must_use]
    pub fn notify(mut self, notify: bool) -> Self {
        self.notify = Some(notify);
        self
    }
}

impl Endpoint for UpdateSearchAlert {
    const NAME: &'static str = "update_search_alert";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/search-alerts/{alert_id}";
    type Response = SearchAlert;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("alert_id", &self.alert_id)
            .json_object()
            .json_some("name", self.name.as_ref())
            .json_some("notify", self.notify)
    }
}

/// Deletes a search alert.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteSearchAlert {
    /// The alert.
    pub alert_id: Id<kind::Checked>,
}

impl DeleteSearchAlert {
    /// Creates a request to delete this alert.
    pub fn new(alert_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { alert_id: alert_id.into() }
    }
}

impl Endpoint for DeleteSearchAlert {
    const NAME: &'static str = "delete_search_alert";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/search-alerts/{alert_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("alert_id", &self.alert_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "search_alerts",
    &[
        Operation::of::<CreateSearchAlert>(),
        Operation::of::<DeleteSearchAlert>(),
        Operation::of::<ListSearchAlerts>(),
        Operation::of::<UpdateSearchAlert>(),
    ],
);
