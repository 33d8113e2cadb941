//! What moderators did, and the reasons they give.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Done, Endpoint, Id, JsonObject, Request, Transport, UserId, kind};

use super::Moderation;

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Fetches what the moderators did of late, and the state of the queue.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "get_mod_activity")]
    pub fn activity(&self, query: GetModActivity) -> C::Reply<ModActivity> {
        self.transport.execute(query)
    }

    /// Lists the removal reasons of a colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn list_removal_reasons(&self, colony: impl Into<String>) -> C::Reply<RemovalReasons> {
        self.transport.execute(ListRemovalReasons::new(colony))
    }

    /// Adds a removal reason to a colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for a label or text that is empty or too long;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn create_removal_reason(&self, reason: CreateRemovalReason) -> C::Reply<RemovalReason> {
        self.transport.execute(reason)
    }

    /// Deletes a removal reason.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such reason;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    pub fn delete_removal_reason(
        &self,
        colony: impl Into<String>,
        reason_id: impl Into<Id<kind::Opaque>>,
    ) -> C::Reply<Done> {
        self.transport.execute(DeleteRemovalReason::new(colony, reason_id))
    }
}

// ---- models

/// What the moderators did, and the state of the queue.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ModActivity {
    /// How many days were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_days: Option<u64>,
    /// What each moderator did.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub mods: Vec<ModeratorActivity>,
    /// The state of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<QueueHealth>,
    /// Activity by the hour.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub hourly: Vec<Value>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What one moderator did.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ModeratorActivity {
    /// The moderator.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_id: UserId,
    /// The moderator's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Decisions in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Removals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removals: Option<u64>,
    /// Approvals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u64>,
    /// Dismissals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissals: Option<u64>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The state of the queue.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct QueueHealth {
    /// Reports that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_reports: Option<u64>,
    /// Posts that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_posts: Option<u64>,
    /// Ban appeals that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_appeals: Option<u64>,
    /// Reports settled in the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_reports: Option<u64>,
    /// How long a report waited, in the middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_resolution_seconds: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The removal reasons of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct RemovalReasons {
    /// The reasons.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub removal_reasons: Vec<RemovalReason>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A reason, kept ready, why content is removed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct RemovalReason {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// The short name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The text the author receives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The place in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches what the moderators did of late, and the state of the queue.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetModActivity {
    /// The colony, by name or id.
    pub colony: String,
    /// How many days to look back: 7, 30 (the default) or 90.
    pub window_days: Option<u32>,
}

impl GetModActivity {
    /// The last 30 days of this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into(), window_days: None }
    }

    /// Sets how many days to look back.
    #[must_use]
    pub fn window_days(mut self, window_days: u32) -> Self {
        self.window_days = Some(window_days);
        self
    }
}

impl Endpoint for GetModActivity {
    const NAME: &'static str = "get_mod_activity";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/mod-activity";
    type Response = ModActivity;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .query("window_days", self.window_days.unwrap_or(30))
    }
}

/// Lists the removal reasons of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListRemovalReasons {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListRemovalReasons {
    /// Lists this colony's removal reasons.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListRemovalReasons {
    const NAME: &'static str = "list_removal_reasons";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/removal-reasons";
    type Response = RemovalReasons;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Adds a removal reason to a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateRemovalReason {
    /// The colony, by name or id.
    pub colony: String,
    /// The short name, at most 80 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub label: String,
    /// The text the author receives, at most 2,000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub body: String,
    /// The place in the list; 0 unless set.
    #[serde(default)]
    pub position: i64,
}

impl CreateRemovalReason {
    /// A removal reason of this label and text.
    pub fn new(colony: impl Into<String>, label: impl Into<String>, body: impl Into<String>) -> Self {
        Self { colony: colony.into(), label: label.into(), body: body.into(), position: 0 }
    }

    /// Sets the place in the list.
    #[must_use]
    pub fn position(mut self, position: i64) -> Self {
        self.position = position;
        self
    }
}

impl Endpoint for CreateRemovalReason {
    const NAME: &'static str = "create_removal_reason";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/removal-reasons";
    type Response = RemovalReason;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("label", &self.label)
            .json("body", &self.body)
            .json("position", self.position)
    }
}

/// Deletes a removal reason.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteRemovalReason {
    /// The colony, by name or id.
    pub colony: String,
    /// The removal reason.
    pub reason_id: Id<kind::Opaque>,
}

impl DeleteRemovalReason {
    /// Deletes this removal reason.
    pub fn new(colony: impl Into<String>, reason_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { colony: colony.into(), reason_id: reason_id.into() }
    }
}

impl Endpoint for DeleteRemovalReason {
    const NAME: &'static str = "delete_removal_reason";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/removal-reasons/{reason_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("reason_id", &self.reason_id)
    }
}
