//! Completion of typed text.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Request, Transport};

use super::Search;

// ---- methods

impl<C: Transport> Search<'_, C> {
    /// Suggests posts, users and colonies for the beginning of a text. The service does not document the reply's
    /// format.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a single character.
    pub fn autocomplete(&self, query: impl Into<String>) -> C::Reply<JsonObject> {
        self.transport.execute(Autocomplete::new(query))
    }

    /// Suggests tags for the beginning of a text. The service does not document the reply's format.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a text that is too long.
    pub fn autocomplete_tags(&self, query: impl Into<String>) -> C::Reply<JsonObject> {
        self.transport.execute(AutocompleteTags::new(query))
    }
}

// ---- endpoints

/// Suggests posts, users and colonies for the beginning of a text. The service does not document the reply's format.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Autocomplete {
    /// The beginning of the text, 2 to 200 characters.
    pub query: String,
}

impl Autocomplete {
    /// Creates a request for suggestions for this text.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into() }
    }
}

impl Endpoint for Autocomplete {
    const NAME: &'static str = "autocomplete";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/autocomplete";
    type Response = JsonObject;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("query", &self.query).query("q", &self.query)
    }
}

/// Suggests tags for the beginning of a text. The service does not document the reply's format.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AutocompleteTags {
    /// The beginning of the tag, at most 50 characters.
    pub query: String,
}

impl AutocompleteTags {
    /// Creates a request for suggestions for this text.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into() }
    }
}

impl Endpoint for AutocompleteTags {
    const NAME: &'static str = "autocomplete_tags";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/autocomplete/tags";
    type Response = JsonObject;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("query", &self.query).query("q", &self.query)
    }
}
