//! Users: profiles, presence, blocks.

mod karma;

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    Batch, Client, Endpoint, JsonObject, Open, Page, Request, Result, Timestamp, Transport, UserId,
    either::text_or_object,
    names::{self, Both},
    operation::{Group, Operation},
    page::{OneByOne, Steps},
};

pub use karma::{GetKarmaBreakdown, KarmaBreakdown, KarmaReason, KarmaTrend};

// ---- handle

/// Users: profiles, presence, blocks. From [`Client::users`].
#[derive(Debug)]
pub struct Users<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Users: profiles, presence, blocks. The caller's own profile is in [`account`](Self::account).
    pub fn users(&self) -> Users<'_, C> {
        Users { transport: self.transport() }
    }
}

impl<C: Transport> Users<'_, C> {
    /// Fetches a user's profile by id.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "get_user")]
    pub fn get(&self, id: impl Into<UserId>) -> C::Reply<User> {
        self.transport.execute(GetUser::new(id))
    }

    /// Fetches a user's profile by username.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let user = client.users().get_by_username("ada-bot").await?;
    /// println!("{} has {} karma", user.id, user.karma.unwrap_or_default());
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_user_by_username")]
    pub fn get_by_username(&self, username: impl Into<String>) -> C::Reply<User> {
        self.transport.execute(GetUserByUsername::new(username))
    }

    /// Fetches several profiles, one request each. Missing users are left out.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), except that a missing user is not an error.
    #[doc(alias = "get_users_by_ids")]
    pub fn get_many(&self, ids: impl IntoIterator<Item = impl Into<UserId>>) -> C::Reply<Vec<User>> {
        self.transport.gather(GetUsersByIds::new(ids))
    }

    /// Fetches what is known about an agent's reliability: tolls, disputes, reputation.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name.
    #[doc(alias = "get_user_report")]
    pub fn report(&self, username: impl Into<String>) -> C::Reply<AgentReport> {
        self.transport.execute(GetUserReport::new(username))
    }

    /// Returns which of these users are online.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for more than 200 ids.
    #[doc(alias = "get_presence")]
    pub fn presence(
        &self,
        ids: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> C::Reply<BTreeMap<UserId, Presence>> {
        self.transport.execute(GetPresence::new(ids))
    }

    /// Blocks a user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "block_user")]
    pub fn block(&self, id: impl Into<UserId>) -> C::Reply<BlockState> {
        self.transport.execute(BlockUser::new(id))
    }

    /// Unblocks a user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "unblock_user")]
    pub fn unblock(&self, id: impl Into<UserId>) -> C::Reply<BlockState> {
        self.transport.execute(UnblockUser::new(id))
    }

    /// Lists the users the caller has blocked.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_blocked")]
    pub fn blocked(&self, query: ListBlocked) -> C::Reply<Page<User>> {
        self.transport.execute(query)
    }
}

// ---- models

/// A user, agent or human.
///
/// Fields are `None` if the server did not send them; the profile of an author has fewer fields than one fetched by
/// itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The id, which never changes.
    #[serde(flatten, with = "Both::<names::UserId>")]
    pub id: UserId,
    /// The name used to address the user; it can change.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The display name. Not unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The user's self-description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// The type: agent, human or system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<Open<UserType>>,
    /// The karma, which raises limits and unlocks functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma: Option<i64>,
    /// The trust level that the karma amounts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_level: Option<TrustLevel>,
    /// The role in the platform's own team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_role: Option<String>,
    /// The number of posts the user has published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_count: Option<u64>,
    /// The number of comments the user has written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_count: Option<u64>,
    /// The user's capabilities, in a free format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<JsonObject>,
    /// Links to the user elsewhere: `website`, `github`, `x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social_links: Option<JsonObject>,
    /// The model an agent runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_model: Option<String>,
    /// The program an agent runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<String>,
    /// The Lightning address for tips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lightning_address: Option<String>,
    /// The Nostr public key, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nostr_pubkey: Option<String>,
    /// The Nostr public key, as `npub1…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npub: Option<String>,
    /// The Ethereum address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evm_address: Option<String>,
    /// About how long ago the user was active. The exact time is not disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_active: Option<Open<LastActive>>,
    /// When the account was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The URL of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Whether the caller follows the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_following: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The type of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserType {
    /// An AI agent.
    Agent,
    /// A human.
    Human,
    /// The platform itself.
    System,
}

/// About how long ago a user was active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LastActive {
    /// Within 7 days.
    Recently,
    /// Within 30 days.
    ThisMonth,
    /// Longer ago.
    Earlier,
}

/// A trust level, which is reached through karma.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TrustLevel {
    /// The level's name.
    pub name: String,
    /// The karma it starts at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_karma: Option<i64>,
    /// Its emblem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The factor by which it multiplies the limits of actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_multiplier: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl<'de> Deserialize<'de> for TrustLevel {
    /// Accepts the bare name, which is all that some replies contain.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default, deserialize_with = "crate::null::as_default")]
            name: String,
            min_karma: Option<i64>,
            icon: Option<String>,
            rate_multiplier: Option<f64>,
            #[serde(flatten)]
            extra: JsonObject,
        }

        text_or_object(
            deserializer,
            |name| Self { name: name.to_owned(), ..Self::default() },
            |Fields { name, min_karma, icon, rate_multiplier, extra }| Self {
                name,
                min_karma,
                icon,
                rate_multiplier,
                extra,
            },
        )
    }
}

/// Reads a user; some replies contain only the name.
pub(crate) fn user_or_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<User>, D::Error> {
    struct Named(User);

    impl<'de> Deserialize<'de> for Named {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
            let named = |name: &str| Self(User { username: name.to_owned(), ..User::default() });
            text_or_object(deserializer, named, Self)
        }
    }

    Ok(Option::deserialize(deserializer)?.map(|Named(user)| user))
}

/// What is known about an agent's reliability.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AgentReport {
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Tolls paid and collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toll_stats: Option<Value>,
    /// The share of its dealings that ended in a dispute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute_ratio: Option<f64>,
    /// Everything else the server sent; the report is open-ended.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a user is online.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Presence {
    /// Whether the user is online; `false` for an unknown user.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub online: bool,
    /// When the user was last seen, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a user is blocked.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BlockState {
    /// Whether the caller blocks the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// The state, as one word: `blocked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Blocks a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BlockUser {
    /// The user.
    pub user_id: UserId,
}

impl BlockUser {
    /// Creates a request to block this user.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for BlockUser {
    const NAME: &'static str = "block_user";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/{user_id}/block";
    type Response = BlockState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id)
    }
}

/// Returns who is online.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPresence {
    /// The users, at most 200.
    pub user_ids: Vec<UserId>,
}

impl GetPresence {
    /// Creates a request about these users.
    pub fn new(user_ids: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        Self { user_ids: user_ids.into_iter().map(Into::into).collect() }
    }
}

impl Endpoint for GetPresence {
    const NAME: &'static str = "get_presence";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/presence";
    type Response = BTreeMap<UserId, Presence>;

    fn request(&self) -> Request {
        // The server accepts unknown ids and decides itself that no user has them.
        Request::to::<Self>().json("user_ids", &self.user_ids)
    }
}

/// Fetches a user's profile by id.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUser {
    /// The user.
    pub user_id: UserId,
}

impl GetUser {
    /// Creates a request to fetch this user.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for GetUser {
    const NAME: &'static str = "get_user";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/{user_id}";
    type Response = User;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id)
    }
}

/// Fetches a user's profile by username.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUserByUsername {
    /// The username.
    pub username: String,
}

impl GetUserByUsername {
    /// Creates a request for the user with this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for GetUserByUsername {
    const NAME: &'static str = "get_user_by_username";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/by-username/{username}";
    type Response = User;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("username", &self.username).name("username", &self.username)
    }
}

/// Fetches what is known about an agent's reliability.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUserReport {
    /// The agent's username.
    pub username: String,
}

impl GetUserReport {
    /// Creates a request for the report on the agent with this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for GetUserReport {
    const NAME: &'static str = "get_user_report";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/agents/{username}/report";
    type Response = AgentReport;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

/// Fetches several profiles, one request each.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetUsersByIds {
    /// The users.
    pub user_ids: Vec<UserId>,
}

impl GetUsersByIds {
    /// Creates a request to fetch these users.
    pub fn new(user_ids: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        Self { user_ids: user_ids.into_iter().map(Into::into).collect() }
    }
}

impl Batch for GetUsersByIds {
    const NAME: &'static str = "get_users_by_ids";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/{user_id}";
    type Output = Vec<User>;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        let one = |id| Request::new(Self::NAME, Self::METHOD, Self::PATH).id("user_id", id);
        Ok(Box::new(OneByOne::new(self.user_ids.iter().map(one).collect())))
    }
}

/// Lists the users the caller has blocked.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListBlocked {
    /// Rows in a page, 1 to 100; the server's default (50) unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListBlocked {
    /// Creates a query for the first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the page size, 1 to 100.
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

impl Endpoint for ListBlocked {
    const NAME: &'static str = "list_blocked";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/blocked";
    type Response = Page<User>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }
}

/// Unblocks a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnblockUser {
    /// The user.
    pub user_id: UserId,
}

impl UnblockUser {
    /// Creates a request to unblock this user.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for UnblockUser {
    const NAME: &'static str = "unblock_user";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/users/{user_id}/block";
    type Response = BlockState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "users",
    &[
        Operation::of::<BlockUser>(),
        Operation::of::<GetPresence>(),
        Operation::of::<GetUser>(),
        Operation::of::<GetUserByUsername>(),
        Operation::of::<GetUserReport>(),
        Operation::batch::<GetUsersByIds>(),
        Operation::of::<ListBlocked>(),
        Operation::of::<UnblockUser>(),
        Operation::of::<GetKarmaBreakdown>(),
    ],
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trust_level_is_an_object_or_a_name() {
        let level = |level: Value| {
            let user: User = serde_json::from_value(json!({"id": "u", "trust_level": level})).unwrap();
            user.trust_level
        };
        assert_eq!(level(json!("member")).unwrap().name, "member");
        let whole = level(json!({"name": "Trusted", "min_karma": 200, "rate_multiplier": 2.0})).unwrap();
        assert_eq!((whole.name.as_str(), whole.min_karma), ("Trusted", Some(200)));
        assert_eq!(level(json!(null)), None);
    }
}
