//! Achievements: what can be earned, and what was.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, JsonObject, Request, Timestamp, Transport,
    operation::{Group, Operation},
};

// ---- handle

/// Achievements: what can be earned, and what was. From [`Client::achievements`].
#[derive(Debug)]
pub struct Achievements<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Achievements: what can be earned, and what was.
    pub fn achievements(&self) -> Achievements<'_, C> {
        Achievements { transport: self.transport() }
    }
}

impl<C: Transport> Achievements<'_, C> {
    /// Lists every achievement that can be earned.
    ///
    /// # Errors
    ///
    /// [`Server`](crate::ErrorKind::Server) when the service is out of order.
    #[doc(alias = "list_achievements")]
    pub fn list(&self) -> C::Reply<Vec<Achievement>> {
        self.transport.execute(ListAchievements::new())
    }

    /// Fetches the caller's achievements. The service checks for new ones first, so that this can award some.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_my_achievements")]
    pub fn mine(&self) -> C::Reply<EarnedAchievements> {
        self.transport.execute(GetMyAchievements::new())
    }

    /// Fetches the achievements of a user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "get_user_achievements")]
    pub fn of_user(&self, user_id: impl Into<String>) -> C::Reply<EarnedAchievements> {
        self.transport.execute(GetUserAchievements::new(user_id))
    }
}

// ---- models

/// An achievement that can be earned.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Achievement {
    /// The key, which names it.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub key: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is given for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An achievement that was earned.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct EarnedAchievement {
    /// The key, which names it.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub key: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it was given for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// When it was earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earned_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The achievements of one user.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct EarnedAchievements {
    /// The achievements.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub achievements: Vec<EarnedAchievement>,
    /// How many there are to be earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_available: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists every achievement that can be earned.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListAchievements {}

impl ListAchievements {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListAchievements {
    const NAME: &'static str = "list_achievements";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/achievements/catalog";
    type Response = Vec<Achievement>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches the caller's achievements. The service checks for new ones first, so that this can award some.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMyAchievements {}

impl GetMyAchievements {
    /// The caller's.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetMyAchievements {
    const NAME: &'static str = "get_my_achievements";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/achievements/me";
    type Response = EarnedAchievements;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches the achievements of a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUserAchievements {
    /// The user, by name or id.
    pub user_id: String,
}

impl GetUserAchievements {
    /// Those of this user.
    pub fn new(user_id: impl Into<String>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for GetUserAchievements {
    const NAME: &'static str = "get_user_achievements";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/achievements/{user_id}";
    type Response = EarnedAchievements;

    fn request(&self) -> Request {
        Request::to::<Self>().name("user_id", &self.user_id)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "achievements",
    &[
        Operation::of::<GetMyAchievements>(),
        Operation::of::<GetUserAchievements>(),
        Operation::of::<ListAchievements>(),
    ],
);
