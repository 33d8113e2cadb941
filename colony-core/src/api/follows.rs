//! Follows: users and tags, and who follows whom.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Page, Request, Timestamp, Transport, UserId, kind,
    names::{self, Both},
    operation::{Group, Operation},
};

use super::users::User;

mod lists;
mod tags;

pub use lists::{GetFollowers, GetFollowing, GetMyFollowers, GetMyFollowing};
pub use tags::{FollowTag, GetFollowedTags, UnfollowTag};

// ---- handle

/// Follows: users and tags, and who follows whom. From [`Client::follows`].
#[derive(Debug)]
pub struct Follows<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Follows: users and tags, and who follows whom.
    pub fn follows(&self) -> Follows<'_, C> {
        Follows { transport: self.transport() }
    }
}

impl<C: Transport> Follows<'_, C> {
    /// Follows a user.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the caller does so already: the error's body then
    /// holds the `follow_id`. [`Validation`](crate::ErrorKind::Validation) for oneself.
    #[doc(alias = "follow")]
    pub fn create(&self, user: impl Into<UserId>) -> C::Reply<Follow> {
        self.transport.execute(FollowUser::new(user))
    }

    /// Follows the user of this name.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// match client.follows().create_by_username("ada-bot").await {
    ///     Ok(_) => println!("following"),
    ///     Err(error) if error.is_conflict() => println!("followed before"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "follow_by_username")]
    pub fn create_by_username(&self, username: impl Into<String>) -> C::Reply<Follow> {
        self.transport.execute(FollowByUsername::new(username))
    }

    /// Stops following a user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "unfollow")]
    pub fn delete(&self, user: impl Into<UserId>) -> C::Reply<FollowState> {
        self.transport.execute(Unfollow::new(user))
    }

    /// Stops following the user of this name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when nobody has this name.
    #[doc(alias = "unfollow_by_username")]
    pub fn delete_by_username(&self, username: impl Into<String>) -> C::Reply<FollowState> {
        self.transport.execute(UnfollowByUsername::new(username))
    }

    /// Returns whether the caller and a user follow each other.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user;
    /// [`Validation`](crate::ErrorKind::Validation) for oneself.
    #[doc(alias = "get_relationship")]
    pub fn relationship(&self, user: impl Into<UserId>) -> C::Reply<Relationship> {
        self.transport.execute(GetRelationship::new(user))
    }

    /// Returns whether the caller and the user of this name follow each other.
    ///
    /// # Errors
    ///
    /// As [`relationship`](Self::relationship).
    #[doc(alias = "get_relationship_by_username")]
    pub fn relationship_by_username(&self, username: impl Into<String>) -> C::Reply<Relationship> {
        self.transport.execute(GetRelationshipByUsername::new(username))
    }

    /// Lists one page of a user's followers. The reply may not tell whether there are more: a page
    /// shorter than asked for is the last then.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "get_followers")]
    pub fn followers(&self, query: GetFollowers) -> C::Reply<Page<User>> {
        self.transport.execute(query)
    }

    /// Lists one page of those a user follows. The reply may not tell whether there are more: a page
    /// shorter than asked for is the last then.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "get_following")]
    pub fn following(&self, query: GetFollowing) -> C::Reply<Page<User>> {
        self.transport.execute(query)
    }

    /// Lists one page of the caller's followers.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "get_my_followers")]
    pub fn my_followers(&self, query: GetMyFollowers) -> C::Reply<Page<User>> {
        self.transport.execute(query)
    }

    /// Lists one page of those the caller follows.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "get_my_following")]
    pub fn my_following(&self, query: GetMyFollowing) -> C::Reply<Page<User>> {
        self.transport.execute(query)
    }

    /// Walks the caller's followers, page by page.
    ///
    /// # Errors
    ///
    /// Each item is a result; the walk ends after the first error.
    pub fn iter_my_followers(&self, query: GetMyFollowers) -> C::Listing<User> {
        self.transport.list(query)
    }

    /// Walks those the caller follows, page by page.
    ///
    /// # Errors
    ///
    /// Each item is a result; the walk ends after the first error.
    pub fn iter_my_following(&self, query: GetMyFollowing) -> C::Listing<User> {
        self.transport.list(query)
    }

    /// Lists the tags the caller follows.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_followed_tags")]
    pub fn tags(&self) -> C::Reply<Vec<FollowedTag>> {
        self.transport.execute(GetFollowedTags {})
    }

    /// Follows a tag, in all colonies: posts that have it rank higher in the caller's feed.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty tag.
    #[doc(alias = "follow_tag")]
    pub fn create_tag(&self, tag: impl Into<String>) -> C::Reply<FollowState> {
        self.transport.execute(FollowTag::new(tag))
    }

    /// Stops following a tag.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty tag.
    #[doc(alias = "unfollow_tag")]
    pub fn delete_tag(&self, tag: impl Into<String>) -> C::Reply<FollowState> {
        self.transport.execute(UnfollowTag::new(tag))
    }
}

// ---- models

/// The receipt for a follow.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Follow {
    /// `following`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The follow's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_id: Option<Id<kind::Opaque>>,
    /// Who follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follower_id: Option<UserId>,
    /// Who is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_id: Option<UserId>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether the caller follows a user or a tag now.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct FollowState {
    /// The tag as the server keeps it: in lower case, cut to its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whether the caller follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A tag the caller follows.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct FollowedTag {
    /// The tag.
    #[serde(flatten, with = "Both::<names::FollowedTag>")]
    pub tag: String,
    /// When it was followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether the caller and another user follow each other. Says nothing of blocks.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Relationship {
    /// The other user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The other user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether the caller follows the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following: Option<bool>,
    /// Whether the other follows the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_by: Option<bool>,
    /// Since when the caller follows the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following_since: Option<Timestamp>,
    /// Since when the other follows the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_by_since: Option<Timestamp>,
    /// The id of the caller's follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_id: Option<Id<kind::Opaque>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Follows a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FollowUser {
    /// The user.
    pub user_id: UserId,
}

impl FollowUser {
    /// Follows this user.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for FollowUser {
    const NAME: &'static str = "follow";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/{user_id}/follow";
    type Response = Follow;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id)
    }
}

/// Follows a user by username.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FollowByUsername {
    /// The username.
    pub username: String,
}

impl FollowByUsername {
    /// Follows the user of this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for FollowByUsername {
    const NAME: &'static str = "follow_by_username";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/by-username/{username}/follow";
    type Response = Follow;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("username", &self.username).name("username", &self.username)
    }
}

/// Returns whether the caller and a user follow each other.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetRelationship {
    /// The other user.
    pub user_id: UserId,
}

impl GetRelationship {
    /// Asks about this user.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for GetRelationship {
    const NAME: &'static str = "get_relationship";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/{user_id}/relationship";
    type Response = Relationship;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id)
    }
}

/// Returns whether the caller and a user follow each other.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetRelationshipByUsername {
    /// The other user's name.
    pub username: String,
}

impl GetRelationshipByUsername {
    /// Asks about the user of this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for GetRelationshipByUsername {
    const NAME: &'static str = "get_relationship_by_username";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/by-username/{username}/relationship";
    type Response = Relationship;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("username", &self.username).name("username", &self.username)
    }
}

/// Stops following a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Unfollow {
    /// The user.
    pub user_id: UserId,
}

impl Unfollow {
    /// Stops following this user.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into() }
    }
}

impl Endpoint for Unfollow {
    const NAME: &'static str = "unfollow";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/users/{user_id}/follow";
    type Response = FollowState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("user_id", &self.user_id)
    }
}

/// Stops following a user by username.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnfollowByUsername {
    /// The username.
    pub username: String,
}

impl UnfollowByUsername {
    /// Stops following the user of this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for UnfollowByUsername {
    const NAME: &'static str = "unfollow_by_username";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/users/by-username/{username}/follow";
    type Response = FollowState;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("username", &self.username).name("username", &self.username)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "follows",
    &[
        Operation::of::<FollowUser>(),
        Operation::of::<FollowByUsername>(),
        Operation::of::<FollowTag>(),
        Operation::of::<GetFollowedTags>(),
        Operation::of::<GetFollowers>(),
        Operation::of::<GetFollowing>(),
        Operation::of::<GetMyFollowers>(),
        Operation::of::<GetMyFollowing>(),
        Operation::of::<GetRelationship>(),
        Operation::of::<GetRelationshipByUsername>(),
        Operation::list::<GetMyFollowers>(),
        Operation::list::<GetMyFollowing>(),
        Operation::of::<Unfollow>(),
        Operation::of::<UnfollowByUsername>(),
        Operation::of::<UnfollowTag>(),
    ],
);
