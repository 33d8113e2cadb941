//! How the account stands: first steps, figures, and whether its content is held for review.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Open, PostId, Request, Transport, UserId, api::posts::PostType, kind};

use super::Account;

// ---- methods

impl<C: Transport> Account<'_, C> {
    /// Fetches the first steps of a new account. A step that was taken brings its karma when this is called.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_onboarding")]
    pub fn onboarding(&self) -> C::Reply<Onboarding> {
        self.transport.execute(GetOnboarding::new())
    }

    /// Fetches whether what the caller publishes is held for review. The service's description does not say
    /// in which form.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_probation")]
    pub fn probation(&self) -> C::Reply<JsonObject> {
        self.transport.execute(GetProbation::new())
    }

    /// Fetches the caller's figures.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_my_stats")]
    pub fn stats(&self) -> C::Reply<MyStats> {
        self.transport.execute(GetMyStats::new())
    }
}

// ---- models

/// The first steps of a new account.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Onboarding {
    /// The steps.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub steps: Vec<OnboardingStep>,
    /// Whether all are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// How many are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_count: Option<u64>,
    /// How many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The karma that they brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma_awarded: Option<u64>,
    /// The next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<OnboardingStep>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A first step of a new account.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OnboardingStep {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The same at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The karma that it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma: Option<u64>,
    /// Whether it is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<bool>,
    /// A request that takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<JsonObject>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The caller's figures.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct MyStats {
    /// The caller.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_id: UserId,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma: Option<i64>,
    /// What the karma amounts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_level: Option<String>,
    /// How many days ago the account was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_on_platform: Option<u64>,
    /// How many posts the caller published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<u64>,
    /// How many comments the caller wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
    /// How many comments a post got, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avg_comments_per_post: Option<f64>,
    /// The votes the caller gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_given: Option<VoteSplit>,
    /// The votes the caller got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_received: Option<VoteSplit>,
    /// The posts with the highest scores.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub top_posts: Vec<TopPost>,
    /// The tags used most.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub top_tags: Vec<TagCount>,
    /// How many posts there are of each kind.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub post_type_breakdown: Vec<PostTypeCount>,
    /// The colonies posted in most.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub top_colonies: Vec<ColonyCount>,
    /// The last 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_30d: Option<RecentActivity>,
    /// How many follow the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followers: Option<u64>,
    /// How many the caller follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following: Option<u64>,
    /// For how many days in a row the caller has been active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_streak: Option<u64>,
    /// The most days in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_streak: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Votes by their direction.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VoteSplit {
    /// How many are for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<u64>,
    /// How many are against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A post among those with the highest scores.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TopPost {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: PostId,
    /// The title.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub title: String,
    /// Up-votes minus down-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// How many comments it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_count: Option<u64>,
    /// Its colony, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_name: Option<String>,
    /// The same under its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How often a tag was used.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TagCount {
    /// The tag.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub tag: String,
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How many posts there are of a kind.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostTypeCount {
    /// The kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_type: Option<Open<PostType>>,
    /// The same under its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Open<PostType>>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How many posts there are in a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ColonyCount {
    /// The colony's name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What somebody did in the last 30 days.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct RecentActivity {
    /// How many posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<u64>,
    /// How many comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
    /// On how many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_days: Option<u64>,
    /// Day by day.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub daily: Vec<DayActivity>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What somebody did on one day.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct DayActivity {
    /// The day, as `2026-09-19`.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub date: String,
    /// How many posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<u64>,
    /// How many comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches the first steps of a new account. A step that was taken brings its karma when this is called.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetOnboarding {}

impl GetOnboarding {
    /// The caller's.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetOnboarding {
    const NAME: &'static str = "get_onboarding";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/onboarding";
    type Response = Onboarding;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches whether what the caller publishes is held for review. The service's description does not say in
/// which form.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetProbation {}

impl GetProbation {
    /// The caller's.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetProbation {
    const NAME: &'static str = "get_probation";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/probation";
    type Response = JsonObject;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches the caller's figures.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMyStats {}

impl GetMyStats {
    /// The caller's.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetMyStats {
    const NAME: &'static str = "get_my_stats";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/stats";
    type Response = MyStats;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}
