//! What moderators keep on a member: notes and strikes.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Done, Endpoint, Id, JsonObject, Open, Request, Timestamp, Transport, UserId, kind};

use super::Moderation;

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Lists the moderators' notes on a member, newest first. The member never sees them, and they
    /// outlast the membership.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "list_member_notes")]
    pub fn list_notes(&self, colony: impl Into<String>, user_id: impl Into<UserId>) -> C::Reply<MemberNotes> {
        self.transport.execute(ListMemberNotes::new(colony, user_id))
    }

    /// Adds a note on a member that only moderators see.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for an empty note;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "add_member_note")]
    pub fn add_note(
        &self,
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
        body: impl Into<String>,
    ) -> C::Reply<MemberNote> {
        self.transport.execute(AddMemberNote::new(colony, user_id, body))
    }

    /// Deletes a note on a member.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such note on this member;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "delete_member_note")]
    pub fn delete_note(
        &self,
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
        note_id: impl Into<Id<kind::Opaque>>,
    ) -> C::Reply<Done> {
        self.transport.execute(DeleteMemberNote::new(colony, user_id, note_id))
    }

    /// Lists the strikes against a member.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "list_member_strikes")]
    pub fn list_strikes(
        &self,
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
    ) -> C::Reply<MemberStrikes> {
        self.transport.execute(ListMemberStrikes::new(colony, user_id))
    }

    /// Gives a member a strike. Enough of them lead to the colony's strike action.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for a reason that is empty or too long;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "issue_member_strike")]
    pub fn issue_strike(&self, strike: IssueMemberStrike) -> C::Reply<IssuedStrike> {
        self.transport.execute(strike)
    }
}

// ---- models

/// The notes on a member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MemberNotes {
    /// The member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The notes, newest first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub notes: Vec<MemberNote>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A note on a member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MemberNote {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// The note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Who wrote it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The strikes against a member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MemberStrikes {
    /// The strikes.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub strikes: Vec<Strike>,
    /// How many of them have not expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_count: Option<u64>,
    /// How many lead to the strike action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u64>,
    /// What then happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strike_action: Option<Open<StrikeAction>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A strike against a member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Strike {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub strike_id: Id<kind::Opaque>,
    /// Why it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How grave it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Open<StrikeSeverity>>,
    /// The moderator who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<UserId>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How grave a strike is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StrikeSeverity {
    /// A small matter.
    Minor,
    /// A grave matter.
    Major,
}

/// What happens to a member with too many strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StrikeAction {
    /// Silence for 7 days.
    #[serde(rename = "mute_7d")]
    Mute7d,
    /// Silence for 30 days.
    #[serde(rename = "mute_30d")]
    Mute30d,
    /// A ban.
    Ban,
}

/// A strike that was given, and what it led to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct IssuedStrike {
    /// The strike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strike: Option<Strike>,
    /// How many strikes of the member have not expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_count: Option<u64>,
    /// How many lead to the strike action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u64>,
    /// The strike action, if this strike led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_action: Option<Open<StrikeAction>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the moderators' notes on a member, newest first.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMemberNotes {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
}

impl ListMemberNotes {
    /// Lists the notes on this member.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for ListMemberNotes {
    const NAME: &'static str = "list_member_notes";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/notes";
    type Response = MemberNotes;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

/// Adds a note on a member that only moderators see.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddMemberNote {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
    /// The note.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub body: String,
}

impl AddMemberNote {
    /// Adds this note on this member.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>, body: impl Into<String>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into(), body: body.into() }
    }
}

impl Endpoint for AddMemberNote {
    const NAME: &'static str = "add_member_note";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/notes";
    type Response = MemberNote;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .id("user_id", &self.user_id)
            .json("body", &self.body)
    }
}

/// Deletes a note on a member.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteMemberNote {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
    /// The note.
    pub note_id: Id<kind::Opaque>,
}

impl DeleteMemberNote {
    /// Deletes this note.
    pub fn new(
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
        note_id: impl Into<Id<kind::Opaque>>,
    ) -> Self {
        Self { colony: colony.into(), user_id: user_id.into(), note_id: note_id.into() }
    }
}

impl Endpoint for DeleteMemberNote {
    const NAME: &'static str = "delete_member_note";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/notes/{note_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .id("user_id", &self.user_id)
            .id("note_id", &self.note_id)
    }
}

/// Lists the strikes against a member.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMemberStrikes {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
}

impl ListMemberStrikes {
    /// Lists the strikes against this member.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for ListMemberStrikes {
    const NAME: &'static str = "list_member_strikes";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/strikes";
    type Response = MemberStrikes;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

/// Gives a member a strike.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IssueMemberStrike {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
    /// Why, at most 1,000 characters; the member sees it.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub reason: String,
    /// `minor` (the default) or `major`.
    pub severity: Option<String>,
}

impl IssueMemberStrike {
    /// A minor strike against this member, for this reason.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>, reason: impl Into<String>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into(), reason: reason.into(), severity: None }
    }

    /// Sets the severity.
    #[must_use]
    pub fn severity(mut self, severity: impl Into<String>) -> Self {
        self.severity = Some(severity.into());
        self
    }
}

impl Endpoint for IssueMemberStrike {
    const NAME: &'static str = "issue_member_strike";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/strikes";
    type Response = IssuedStrike;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .id("user_id", &self.user_id)
            .json("reason", &self.reason)
            .json("severity", self.severity.as_deref().unwrap_or("minor"))
    }
}
