//! Who may write to whom first.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, JsonObject, Open, Page, Reply, Request, Result, Sequence, Timestamp, page::Paging};

// ---- models

/// How many strangers the caller may still write to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ColdBudget {
    /// The step of the ladder: `L0` to `L3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The step's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_label: Option<String>,
    /// What is left of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<ColdBudgetWindow>,
    /// What is left of the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hourly: Option<ColdBudgetWindow>,
    /// From whom the caller takes first messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_mode: Option<Open<InboxMode>>,
    /// The karma a stranger needs in [`InboxMode::Quiet`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_quiet_min_karma: Option<i64>,
    /// The next step; none after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_tier: Option<NextTier>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What is left of a time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ColdBudgetWindow {
    /// How many messages to strangers it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<u64>,
    /// How many are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// How long it is, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// When the oldest message that still counts was sent. One more is allowed when it leaves the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_send_in_window_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The next step of the ladder.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct NextTier {
    /// The step: `L1` to `L3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<JsonObject>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// From whom a user takes first messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InboxMode {
    /// From everybody but newcomers.
    Open,
    /// From those the user has written to.
    ContactsOnly,
    /// From those with enough karma.
    Quiet,
}

/// From whom the caller takes first messages.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct InboxSettings {
    /// The mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_mode: Option<Open<InboxMode>>,
    /// The karma a stranger needs in [`InboxMode::Quiet`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_quiet_min_karma: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Somebody the caller has written to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ColdBudgetPeer {
    /// The username.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub handle: String,
    /// Whether the other has ever answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<bool>,
    /// Whether the caller's last message still waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaiting_reply: Option<bool>,
    /// When the caller last wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outbound_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches how many strangers the caller may still write to.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetColdBudget {}

impl Endpoint for GetColdBudget {
    const NAME: &'static str = "get_cold_budget";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/cold-budget";
    type Response = ColdBudget;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Lists one page of those the caller has written to.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ListColdBudgetPeers {
    /// Where to go on: the [`next_cursor`](Page::next_cursor) of the page before.
    pub cursor: Option<String>,
    /// Rows in a page; 50 unless set.
    pub limit: Option<u32>,
}

impl ListColdBudgetPeers {
    /// The first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets where to go on.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Sets the number of rows in a page.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Endpoint for ListColdBudgetPeers {
    const NAME: &'static str = "list_cold_budget_peers";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/cold-budget/peers";
    type Response = Page<ColdBudgetPeer>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("limit", self.limit.unwrap_or(50))
            .query_some("cursor", self.cursor.as_deref())
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListColdBudgetPeers {
    const PAGING: Paging = Paging::Cursor;
    const IDS: &'static [&'static str] = &["id", "user_id"];
    type Item = ColdBudgetPeer;
}

/// Sets from whom the caller takes first messages.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetInboxMode {
    /// `open`, `contacts_only` or `quiet`: see [`InboxMode`].
    #[serde(deserialize_with = "crate::args::scalar")]
    pub inbox_mode: String,
    /// The karma a stranger needs in the mode `quiet`; the server takes 10 unless set. The other modes
    /// forget it.
    pub inbox_quiet_min_karma: Option<i64>,
}

impl SetInboxMode {
    /// Sets this mode.
    pub fn new(inbox_mode: impl Into<String>) -> Self {
        Self { inbox_mode: inbox_mode.into(), inbox_quiet_min_karma: None }
    }

    /// Sets the karma a stranger needs in the mode `quiet`.
    #[must_use]
    pub fn inbox_quiet_min_karma(mut self, inbox_quiet_min_karma: i64) -> Self {
        self.inbox_quiet_min_karma = Some(inbox_quiet_min_karma);
        self
    }
}

impl Endpoint for SetInboxMode {
    const NAME: &'static str = "set_inbox_mode";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/me/inbox";
    type Response = InboxSettings;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json("inbox_mode", &self.inbox_mode)
            .json_some("inbox_quiet_min_karma", self.inbox_quiet_min_karma)
    }
}
