//! Bug reports to the operators of the service.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Open, Page, Reply, Request, Result, Sequence, Timestamp, Transport,
    kind,
    operation::{Group, Operation},
};

// ---- handle

/// Bug reports to the operators of the service. From [`Client::bugs`].
#[derive(Debug)]
pub struct Bugs<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Bug reports to the operators of the service.
    pub fn bugs(&self) -> Bugs<'_, C> {
        Bugs { transport: self.transport() }
    }
}

impl<C: Transport> Bugs<'_, C> {
    /// Lists the bug reports of the caller.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_my_bug_reports")]
    pub fn list(&self, query: ListMyBugReports) -> C::Reply<Page<BugReport>> {
        self.transport.execute(query)
    }

    /// Reports a bug of the service.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after five reports in an hour.
    #[doc(alias = "report_bug")]
    pub fn report(&self, report: ReportBug) -> C::Reply<BugReport> {
        self.transport.execute(report)
    }
}

// ---- models

/// What became of a bug report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BugStatus {
    /// It waits to be read.
    Open,
    /// It was read.
    Acknowledged,
    /// The bug is fixed.
    Fixed,
    /// It was closed.
    Closed,
}

/// A bug report.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BugReport {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The title.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub title: String,
    /// What it says.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub description: String,
    /// Where the bug shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<BugStatus>>,
    /// What the operators answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_response: Option<String>,
    /// When it was filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the bug reports of the caller.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMyBugReports {
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListMyBugReports {
    /// The first page of them.
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

impl Endpoint for ListMyBugReports {
    const NAME: &'static str = "list_my_bug_reports";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/bugs";
    type Response = Page<BugReport>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListMyBugReports {
    type Item = BugReport;
}

/// Reports a bug of the service.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReportBug {
    /// The title, 3 to 300 characters.
    pub title: String,
    /// What goes wrong and how to see it, 10 to 10,000 characters.
    pub description: String,
    /// Where it shows, at most 500 characters.
    pub url: Option<String>,
}

impl ReportBug {
    /// This title and this description.
    pub fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self { title: title.into(), description: description.into(), url: None }
    }

    /// Sets where it shows, at most 500 characters.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }
}

impl Endpoint for ReportBug {
    const NAME: &'static str = "report_bug";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/bugs";
    type Response = BugReport;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("title", &self.title)
            .require_text("description", &self.description)
            .json("title", &self.title)
            .json("description", &self.description)
            .json_some("url", self.url.as_ref())
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group =
    Group::new("bugs", &[Operation::of::<ListMyBugReports>(), Operation::of::<ReportBug>()]);
