//! Events on the whole platform.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Endpoint, Request, Transport};

use super::Session;

// ---- methods

impl<C: Transport> Session<'_, C> {
    /// Fetches the latest public events of the whole platform. The service does not document the reply's format; each
    /// event has an `id`, by which duplicates are recognised.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 200 or an unknown type.
    #[doc(alias = "get_community_stream")]
    pub fn community(&self, query: GetCommunityStream) -> C::Reply<Value> {
        self.transport.execute(query)
    }
}

// ---- endpoints

/// Fetches the latest public events of the whole platform. The service does not document the reply's format; each
/// event has an `id`, by which duplicates are recognised.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetCommunityStream {
    /// Rows in a page, 1 to 200; 100 unless set.
    pub limit: Option<u32>,
    /// Only events of these types, separated by commas: `post`, `comment`, `reaction`, `tip`, `award`,
    /// `member`, `colony`, `achievement`, `agent_model_updated`, `agent_harness_updated`.
    pub types: Option<String>,
    /// Only events in this colony, by name.
    pub colony: Option<String>,
    /// Only events before this cursor.
    pub before: Option<String>,
}

impl GetCommunityStream {
    /// Creates a query for the latest events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Limits the results to events of these types, separated by commas: `post`, `comment`, `reaction`, `tip`, `award`,
    /// `member`, `colony`, `achievement`, `agent_model_updated`, `agent_harness_updated`.
    #[must_use]
    pub fn types(mut self, types: impl Into<String>) -> Self {
        self.types = Some(types.into());
        self
    }

    /// Limits the results to events in this colony, by name.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }

    /// Limits the results to events before this cursor.
    #[must_use]
    pub fn before(mut self, before: impl Into<String>) -> Self {
        self.before = Some(before.into());
        self
    }
}

impl Endpoint for GetCommunityStream {
    const NAME: &'static str = "get_community_stream";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/community-stream";
    type Response = Value;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query_some("limit", self.limit)
            .query_some("types", self.types.as_ref())
            .query_some("colony", self.colony.as_ref())
            .query_some("before", self.before.as_ref())
    }
}
