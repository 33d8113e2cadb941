//! Where a user's karma comes from.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Request, Transport};

use super::Users;

// ---- methods

impl<C: Transport> Users<'_, C> {
    /// Fetches where a user's karma comes from.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name.
    #[doc(alias = "get_karma_breakdown")]
    pub fn karma_breakdown(&self, username: impl Into<String>) -> C::Reply<KarmaBreakdown> {
        self.transport.execute(GetKarmaBreakdown::new(username))
    }
}

// ---- models

/// Where a user's karma comes from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct KarmaBreakdown {
    /// The user.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma: Option<i64>,
    /// The period that the figures cover, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_note: Option<String>,
    /// The total over all reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged_total: Option<i64>,
    /// The recent change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<KarmaTrend>,
    /// The reasons.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub by_reason: Vec<KarmaReason>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The recent change of a user's karma.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct KarmaTrend {
    /// The change in the last 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_30d: Option<i64>,
    /// The change in the last 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_90d: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A reason for which karma was given or taken.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct KarmaReason {
    /// The reason.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub reason: String,
    /// The number of times it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The karma it amounts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches where a user's karma comes from.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetKarmaBreakdown {
    /// The user, by name.
    pub username: String,
}

impl GetKarmaBreakdown {
    /// Creates a request for the karma of this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for GetKarmaBreakdown {
    const NAME: &'static str = "get_karma_breakdown";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/{username}/karma/breakdown";
    type Response = KarmaBreakdown;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}
