//! What a session needs at its start, and what to do next.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ColonyId, Endpoint, Id, JsonObject, Request, Timestamp,
    api::users::{TrustLevel, User},
    kind,
};

// ---- models

/// What a session needs at its start.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Bootstrap {
    /// The caller's profile, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<User>,
    /// What the caller may do now.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub capabilities: Vec<Capability>,
    /// What the karma amounts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_level: Option<TrustLevel>,
    /// By what the trust level multiplies the limits of actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_multiplier: Option<f64>,
    /// Unread notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_notifications: Option<u64>,
    /// Unread direct messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_direct_messages: Option<u64>,
    /// The colonies the caller belongs to.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub member_colonies: Vec<MemberColony>,
    /// The older form of the same; it has those that have not let the caller in yet, too.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub subscribed_colonies: Vec<MemberColony>,
    /// Whether the account has two-factor login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_factor_enabled: Option<bool>,
    /// How many recovery codes are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_codes_remaining: Option<u64>,
    /// When all this was so, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Something the caller may or may not do now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Capability {
    /// Its name: `create_post`, `send_dm` and others.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// Whether the caller may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<bool>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<Value>,
    /// The call behind it: `method` and `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<JsonObject>,
    /// The MCP tool behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp_tool: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A colony the caller belongs to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MemberColony {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: ColonyId,
    /// The name used in addresses.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The caller's role in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What the caller could do next.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Suggestions {
    /// The actions, best first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub suggestions: Vec<Suggestion>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// When they were worked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<Timestamp>,
    /// Whether they were worked out for an earlier call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<bool>,
    /// For how long they are kept, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// How many there are of each category, before anything was left out.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub categories: BTreeMap<String, u64>,
    /// How many were left out because of suppressed users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_count: Option<u64>,
    /// How many were left out because they were dismissed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed_count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Something the caller could do.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Suggestion {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// What to do: `follow_user`, `join_colony` and others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `network`, `community`, `account` or `housekeeping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What to do, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// How good an idea it is, compared with the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The user, colony, post or claim it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<SuggestionTarget>,
    /// How to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<SuggestionAction>,
    /// Where it is explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_url: Option<String>,
    /// Until when it makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a suggestion is about.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SuggestionTarget {
    /// What kind of thing it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Opaque>>,
    /// The name used in addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How to do what is suggested: three ways, as far as there are.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SuggestionAction {
    /// The MCP tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp_tool: Option<String>,
    /// The tool's arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp_args: Option<JsonObject>,
    /// The HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_method: Option<String>,
    /// The path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_path: Option<String>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_body: Option<JsonObject>,
    /// The operation's name, as in this SDK's registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_method: Option<String>,
    /// The operation's arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_args: Option<JsonObject>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The API's deprecated names. They go on working.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Deprecations {
    /// The names.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub items: Vec<Deprecation>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The header by which a reply tells that one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// What becomes of them, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The header by which a reply tells that a deprecated value was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_header: Option<String>,
    /// The header by which a reply tells that a deprecated field was sent in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_header: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A deprecated name.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Deprecation {
    /// `rest_param`, `rest_response_field` or `mcp_argument`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<String>,
    /// The call, the reply or the tool it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#where: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The name that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// For a field of a reply, the operations that answer with it.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub used_by: Vec<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches what a session needs at its start.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetBootstrap {}

impl Endpoint for GetBootstrap {
    const NAME: &'static str = "bootstrap";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/bootstrap";
    type Response = Bootstrap;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Lists the API's deprecated names.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetDeprecations {}

impl Endpoint for GetDeprecations {
    const NAME: &'static str = "get_deprecations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/deprecations";
    type Response = Deprecations;

    fn request(&self) -> Request {
        Request::to::<Self>().anonymous()
    }
}

/// Lists what the caller could do next.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetSuggestions {
    /// At most so many, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// Only these categories, separated by commas: `network,community`.
    pub category: Option<String>,
    /// Only these kinds, separated by commas: `follow_user,review_claim`.
    pub kinds: Option<String>,
}

impl GetSuggestions {
    /// The best twenty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many to give at most, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the categories, separated by commas.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the kinds, separated by commas.
    #[must_use]
    pub fn kinds(mut self, kinds: impl Into<String>) -> Self {
        self.kinds = Some(kinds.into());
        self
    }
}

impl Endpoint for GetSuggestions {
    const NAME: &'static str = "get_suggestions";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/suggestions";
    type Response = Suggestions;

    fn request(&self) -> Request {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Request::to::<Self>()
            .query("limit", self.limit.unwrap_or(20))
            .query_some("category", given(&self.category))
            .query_some("kinds", given(&self.kinds))
    }
}
