//! Suggestions that the caller does not want: single ones, and those about a user.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Done, Endpoint, Id, JsonObject, Request, Timestamp, Transport, UserId, kind};

use super::Account;

// ---- methods

impl<C: Transport> Account<'_, C> {
    /// Lists the suggestions that the caller dismissed.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_dismissals")]
    pub fn dismissals(&self) -> C::Reply<Dismissals> {
        self.transport.execute(ListDismissals::new())
    }

    /// Dismisses a suggestion, so that it is not made again for a while.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such suggestion.
    pub fn dismiss_suggestion(&self, dismissal: DismissSuggestion) -> C::Reply<Dismissal> {
        self.transport.execute(dismissal)
    }

    /// Lets a dismissed suggestion be made again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not dismissed.
    pub fn undo_dismissal(&self, suggestion_id: impl Into<Id<kind::Opaque>>) -> C::Reply<Done> {
        self.transport.execute(UndoDismissal::new(suggestion_id))
    }

    /// Lists the users about whom the caller wants no suggestions.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_suppressions")]
    pub fn suppressions(&self) -> C::Reply<Suppressions> {
        self.transport.execute(ListSuppressions::new())
    }

    /// Asks for no more suggestions about a user, who is given by id or by name.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) unless one of the two is given;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    pub fn suppress_suggestions(&self, suppression: SuppressSuggestions) -> C::Reply<Suppression> {
        self.transport.execute(suppression)
    }

    /// Lets suggestions about a user be made again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such suppression.
    pub fn undo_suppression(&self, user_id: impl Into<UserId>) -> C::Reply<Done> {
        self.transport.execute(UndoSuppression::new(user_id))
    }
}

// ---- models

/// A suggestion that is not made again for a while.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Dismissal {
    /// The suggestion.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub suggestion_id: Id<kind::Opaque>,
    /// What it suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is about: a post, a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
    /// The id of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<Id<kind::Opaque>>,
    /// How it read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_at_time: Option<String>,
    /// Until when it is not made; `None` for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed_until: Option<Timestamp>,
    /// Whether that still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was dismissed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The suggestions that are not made again.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Dismissals {
    /// The suggestions.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub dismissals: Vec<Dismissal>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A user about whom no suggestions are made.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Suppression {
    /// The user.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_id: UserId,
    /// The user's name when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_at_time: Option<String>,
    /// Until when none are made; `None` for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_until: Option<Timestamp>,
    /// Whether that still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The users about whom no suggestions are made.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Suppressions {
    /// The users.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub suppressions: Vec<Suppression>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the suggestions that the caller dismissed.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListDismissals {}

impl ListDismissals {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListDismissals {
    const NAME: &'static str = "list_dismissals";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/suggestions/dismissals";
    type Response = Dismissals;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Dismisses a suggestion, so that it is not made again for a while.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DismissSuggestion {
    /// The suggestion.
    pub suggestion_id: Id<kind::Opaque>,
    /// For how many days.
    pub expires_in_days: Option<u32>,
    /// Says whether it is dismissed for good; not unless set.
    pub forever: Option<bool>,
    /// Why, for the caller's own use.
    pub reason: Option<String>,
}

impl DismissSuggestion {
    /// Dismisses this suggestion.
    pub fn new(suggestion_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { suggestion_id: suggestion_id.into(), expires_in_days: None, forever: None, reason: None }
    }

    /// Sets for how many days.
    #[must_use]
    pub fn expires_in_days(mut self, expires_in_days: u32) -> Self {
        self.expires_in_days = Some(expires_in_days);
        self
    }

    /// Says whether it is dismissed for good.
    #[must_use]
    pub fn forever(mut self, forever: bool) -> Self {
        self.forever = Some(forever);
        self
    }

    /// Sets why, for the caller's own use.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl Endpoint for DismissSuggestion {
    const NAME: &'static str = "dismiss_suggestion";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/suggestions/{suggestion_id}/dismiss";
    type Response = Dismissal;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("suggestion_id", &self.suggestion_id)
            .json_object()
            .json_some("expires_in_days", self.expires_in_days)
            .json_some("forever", self.forever)
            .json_some("reason", self.reason.as_ref())
    }
}

/// Lets a dismissed suggestion be made again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UndoDismissal {
    /// The suggestion.
    pub suggestion_id: Id<kind::Opaque>,
}

impl UndoDismissal {
    /// Lets this suggestion be made again.
    pub fn new(suggestion_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { suggestion_id: suggestion_id.into() }
    }
}

impl Endpoint for UndoDismissal {
    const NAME: &'static str = "undo_dismissal";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/suggestions/dismissals/{suggestion_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("suggestion_id", &self.suggestion_id)
    }
}

/// Lists the users about whom the caller wants no suggestions.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListSuppressions {}

impl ListSuppressions {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListSuppressions {
    const NAME: &'static str = "list_suppressions";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/suggestions/suppressions";
    type Response = Suppressions;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Asks for no more suggestions about a user, who is given by id or by name.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SuppressSuggestions {
    /// The user.
    pub user_id: Option<UserId>,
    /// The user, by name.
    pub username: Option<String>,
    /// For how many days.
    pub expires_in_days: Option<u32>,
    /// Says whether it is for good; not unless set.
    pub forever: Option<bool>,
    /// Why, for the caller's own use.
    pub reason: Option<String>,
}

impl SuppressSuggestions {
    /// Nobody yet: set the user's id or name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the user.
    #[must_use]
    pub fn user_id(mut self, user_id: impl Into<UserId>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// Sets the user, by name.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// Sets for how many days.
    #[must_use]
    pub fn expires_in_days(mut self, expires_in_days: u32) -> Self {
        self.expires_in_days = Some(expires_in_days);
        self
    }

    /// Says whether it is for good.
    #[must_use]
    pub fn forever(mut self, forever: bool) -> Self {
        self.forever = Some(forever);
        self
    }

    /// Sets why, for the caller's own use.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl Endpoint for SuppressSuggestions {
    const NAME: &'static str = "suppress_suggestions";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/suggestions/suppressions";
    type Response = Suppression;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require(
                "user_id",
                self.user_id.is_some() != self.username.is_some(),
                "give user_id or username, and not both",
            )
            .json_object()
            .json_some("user_id", self.user_id.as_ref())
            .json_some("username", self.username.as_ref())
            .json_some("expires_in_days", self.expires_in_days)
            .json_some("forever", self.forever)
            .json_some("reason", self.reason.as_ref())
    }
}

/// Lets suggestions about a user be made again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UndoSuppression {
    /// The user.
    pub user_id: UserId,
}

impl UndoSuppression {
    /// Lets suggestions about this user be made again.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for UndoSuppression {
    const NAME: &'static str = "undo_suppression";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/suggestions/suppressions/{user_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id)
    }
}
