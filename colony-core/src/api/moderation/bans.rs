//! Bans and the appeals against them.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Request, Timestamp, Transport, UserId, kind};

use super::Moderation;

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Bans a user from a colony, which ends the membership.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for another number of days;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "ban_colony_member")]
    pub fn ban(&self, ban: BanColonyMember) -> C::Reply<BanChange> {
        self.transport.execute(ban)
    }

    /// Lifts a ban; the user has to join again.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when the user is not banned;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "unban_colony_member")]
    pub fn unban(&self, colony: impl Into<String>, user_id: impl Into<UserId>) -> C::Reply<BanChange> {
        self.transport.execute(UnbanColonyMember::new(colony, user_id))
    }

    /// Lists the bans of a colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 500;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "list_colony_bans")]
    pub fn list_bans(&self, query: ListColonyBans) -> C::Reply<Vec<ColonyBan>> {
        self.transport.execute(query)
    }

    /// Fetches the caller's own ban in a colony and the appeal against it.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist;
    /// [`NotFound`](crate::ErrorKind::NotFound) when no colony has this id.
    #[doc(alias = "get_my_ban_status")]
    pub fn my_ban_status(&self, colony: impl Into<String>) -> C::Reply<BanStatus> {
        self.transport.execute(GetMyBanStatus::new(colony))
    }

    /// Appeals against the caller's own ban.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when an appeal is pending;
    /// [`Validation`](crate::ErrorKind::Validation) for an appeal that is empty or too long;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "submit_ban_appeal")]
    pub fn appeal(&self, colony: impl Into<String>, body: impl Into<String>) -> C::Reply<SubmittedAppeal> {
        self.transport.execute(SubmitBanAppeal::new(colony, body))
    }

    /// Lists the pending appeals against bans, oldest first.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "list_ban_appeals")]
    pub fn list_appeals(&self, colony: impl Into<String>) -> C::Reply<BanAppeals> {
        self.transport.execute(ListBanAppeals::new(colony))
    }

    /// Decides about an appeal against a ban.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such appeal;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it was decided before;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "resolve_ban_appeal")]
    pub fn resolve_appeal(&self, decision: ResolveBanAppeal) -> C::Reply<ResolvedAppeal> {
        self.transport.execute(decision)
    }
}

// ---- models

/// What became of a ban.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BanChange {
    /// `banned` or `unbanned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When the ban ends by itself; `None` for one that does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A ban from a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ColonyBan {
    /// The user.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_id: UserId,
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the ban began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned_at: Option<Timestamp>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The caller's own ban in a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BanStatus {
    /// Whether the caller is banned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned: Option<bool>,
    /// The ban.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<BanInfo>,
    /// The appeal against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<AppealInfo>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A ban, as the banned user sees it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BanInfo {
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The same moment under its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned_at: Option<Timestamp>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An appeal, as the banned user sees it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AppealInfo {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub appeal_id: Id<kind::Opaque>,
    /// How far it is, `pending` for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// What the moderators answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_note: Option<String>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An appeal that was made.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct SubmittedAppeal {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub appeal_id: Id<kind::Opaque>,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The pending appeals of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BanAppeals {
    /// The appeals, oldest first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub appeals: Vec<BanAppeal>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An appeal, as moderators see it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BanAppeal {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub appeal_id: Id<kind::Opaque>,
    /// Who is banned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_user_id: Option<UserId>,
    /// The name of that user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_username: Option<String>,
    /// The appeal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The ban.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<BanInfo>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An appeal that was decided.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ResolvedAppeal {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub appeal_id: Id<kind::Opaque>,
    /// `accepted` or `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Whether the ban was lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbanned: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Bans a user from a colony, which ends the membership.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BanColonyMember {
    /// The colony, by name or id.
    pub colony: String,
    /// The user.
    pub user_id: UserId,
    /// 1, 7 or 30 days; for good unless set.
    pub duration_days: Option<u32>,
    /// Why, at most 2,000 characters; the user sees it.
    pub reason: Option<String>,
}

impl BanColonyMember {
    /// Bans this user for good.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into(), duration_days: None, reason: None }
    }

    /// Sets how many days the ban lasts.
    #[must_use]
    pub fn duration_days(mut self, duration_days: u32) -> Self {
        self.duration_days = Some(duration_days);
        self
    }

    /// Sets the reason, which the user sees.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl Endpoint for BanColonyMember {
    const NAME: &'static str = "ban_colony_member";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/bans/{user_id}";
    type Response = BanChange;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .id("user_id", &self.user_id)
            .json_some("duration_days", self.duration_days)
            .json_some("reason", self.reason.as_deref())
    }
}

/// Lifts a ban; the user has to join again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnbanColonyMember {
    /// The colony, by name or id.
    pub colony: String,
    /// The user.
    pub user_id: UserId,
}

impl UnbanColonyMember {
    /// Lifts this user's ban.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for UnbanColonyMember {
    const NAME: &'static str = "unban_colony_member";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/bans/{user_id}";
    type Response = BanChange;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

/// Lists the bans of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListColonyBans {
    /// The colony, by name or id.
    pub colony: String,
    /// How many, at most 500; 100 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListColonyBans {
    /// The bans of this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into(), limit: None, offset: 0 }
    }

    /// Sets the maximum number of rows.
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

impl Endpoint for ListColonyBans {
    const NAME: &'static str = "list_colony_bans";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/bans";
    type Response = Vec<ColonyBan>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .query("limit", self.limit.unwrap_or(100))
            .offset(self.offset)
    }
}

/// Fetches the caller's own ban in a colony and the appeal against it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMyBanStatus {
    /// The colony, by name or id.
    pub colony: String,
}

impl GetMyBanStatus {
    /// Fetches the caller's own ban in this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for GetMyBanStatus {
    const NAME: &'static str = "get_my_ban_status";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/appeal";
    type Response = BanStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Appeals against the caller's own ban.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SubmitBanAppeal {
    /// The colony, by name or id.
    pub colony: String,
    /// The appeal, at most 2,000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub body: String,
}

impl SubmitBanAppeal {
    /// Appeals against the ban in this colony.
    pub fn new(colony: impl Into<String>, body: impl Into<String>) -> Self {
        Self { colony: colony.into(), body: body.into() }
    }
}

impl Endpoint for SubmitBanAppeal {
    const NAME: &'static str = "submit_ban_appeal";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/appeal";
    type Response = SubmittedAppeal;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).json("body", &self.body)
    }
}

/// Lists the pending appeals against bans, oldest first.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListBanAppeals {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListBanAppeals {
    /// Lists this colony's pending appeals.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListBanAppeals {
    const NAME: &'static str = "list_ban_appeals";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/appeals";
    type Response = BanAppeals;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Decides about an appeal against a ban.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ResolveBanAppeal {
    /// The colony, by name or id.
    pub colony: String,
    /// The appeal.
    pub appeal_id: Id<kind::Opaque>,
    /// Whether the ban is lifted.
    pub accept: bool,
    /// What to tell the user, at most 1,000 characters.
    pub note: Option<String>,
}

impl ResolveBanAppeal {
    /// Lifts the ban (`accept`) or closes the appeal.
    pub fn new(colony: impl Into<String>, appeal_id: impl Into<Id<kind::Opaque>>, accept: bool) -> Self {
        Self { colony: colony.into(), appeal_id: appeal_id.into(), accept, note: None }
    }

    /// Sets the note that the user receives.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl Endpoint for ResolveBanAppeal {
    const NAME: &'static str = "resolve_ban_appeal";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/appeals/{appeal_id}/resolve";
    type Response = ResolvedAppeal;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .id("appeal_id", &self.appeal_id)
            .json("accept", self.accept)
            .json_some("note", self.note.as_deref())
    }
}
