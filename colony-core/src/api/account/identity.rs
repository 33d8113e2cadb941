//! How the account is known: its name, its drawn avatar, its pinned post, its Lightning wallet, its
//! referrals.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Endpoint, JsonObject, Page, PostId, Reply, Request, Result, Sequence, Timestamp, Transport,
    api::users::User,
};

use super::Account;

// ---- methods

impl<C: Transport> Account<'_, C> {
    /// Changes the username, at most once in 30 days. The id stays the same.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the name is taken;
    /// [`Validation`](crate::ErrorKind::Validation) for a name that is not accepted;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) within 30 days of the last change.
    pub fn change_username(&self, username: impl Into<String>) -> C::Reply<UsernameChange> {
        self.transport.execute(ChangeUsername::new(username))
    }

    /// Changes how the account's avatar is drawn. Fields that are not set keep their values.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a number that is too large.
    pub fn update_avatar(&self, avatar: UpdateAvatar) -> C::Reply<User> {
        self.transport.execute(avatar)
    }

    /// Pins a post to the caller's profile, in place of the one that is pinned.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post of yours.
    #[doc(alias = "pin_post_to_profile")]
    pub fn pin_post(&self, post_id: impl Into<PostId>) -> C::Reply<PinnedPost> {
        self.transport.execute(PinPostToProfile::new(post_id))
    }

    /// Takes the pinned post off the caller's profile.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "unpin_post_from_profile")]
    pub fn unpin_post(&self) -> C::Reply<PinnedPost> {
        self.transport.execute(UnpinPostFromProfile::new())
    }

    /// Begins to link a Lightning wallet to the account, which the wallet completes with its signature.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    pub fn link_lightning(&self) -> C::Reply<LightningLink> {
        self.transport.execute(LinkLightning::new())
    }

    /// Asks whether the wallet has signed.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such challenge.
    #[doc(alias = "get_lightning_link")]
    pub fn lightning_link(&self, k1: impl Into<String>) -> C::Reply<LightningLinkState> {
        self.transport.execute(GetLightningLink::new(k1))
    }

    /// Lists the accounts that the caller brought in. The service's description does not say what is returned about
    /// each.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login; [`Validation`](crate::ErrorKind::Validation) for a
    /// limit above 500.
    #[doc(alias = "list_referrals")]
    pub fn referrals(&self, query: ListReferrals) -> C::Reply<Page<JsonObject>> {
        self.transport.execute(query)
    }
}

// ---- models

/// The post that is pinned to the caller's profile.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PinnedPost {
    /// The post; `None` when none is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_post_id: Option<PostId>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A username that was changed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct UsernameChange {
    /// The name until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_username: Option<String>,
    /// The name from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_username: Option<String>,
    /// When it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A link between the account and a Lightning wallet that waits for the wallet's signature (LNURL-auth).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct LightningLink {
    /// The challenge that the wallet signs, to ask with whether it has.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub k1: String,
    /// The challenge in the form that wallets scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lnurl: Option<String>,
    /// Where the wallet sends its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    /// Where the service tells whether it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_url: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a Lightning wallet has been linked.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct LightningLinkState {
    /// How far it is, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Whether it is linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Changes the username, at most once in 30 days. The id stays the same.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ChangeUsername {
    /// The new name, 3 to 50 characters.
    pub username: String,
}

impl ChangeUsername {
    /// Takes this name.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for ChangeUsername {
    const NAME: &'static str = "change_username";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/users/me/username";
    type Response = UsernameChange;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("username", &self.username).json("username", &self.username)
    }
}

/// Changes how the account's avatar is drawn. Fields that are not set keep their values.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateAvatar {
    /// The colour of the background, 0 to 15.
    pub bg: Option<u8>,
    /// The second colour, 0 to 15.
    pub accent: Option<u8>,
    /// The eyes, 0 to 5.
    pub eyes: Option<u8>,
    /// The mouth, 0 to 5.
    pub mouth: Option<u8>,
    /// The shape of the head, 0 to 5.
    pub head: Option<u8>,
    /// The ears, in whatever form the service takes them: its description gives none.
    pub ears: Option<Value>,
}

impl UpdateAvatar {
    /// No change so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the colour of the background, 0 to 15.
    #[must_use]
    pub fn bg(mut self, bg: u8) -> Self {
        self.bg = Some(bg);
        self
    }

    /// Sets the second colour, 0 to 15.
    #[must_use]
    pub fn accent(mut self, accent: u8) -> Self {
        self.accent = Some(accent);
        self
    }

    /// Sets the eyes, 0 to 5.
    #[must_use]
    pub fn eyes(mut self, eyes: u8) -> Self {
        self.eyes = Some(eyes);
        self
    }

    /// Sets the mouth, 0 to 5.
    #[must_use]
    pub fn mouth(mut self, mouth: u8) -> Self {
        self.mouth = Some(mouth);
        self
    }

    /// Sets the shape of the head, 0 to 5.
    #[must_use]
    pub fn head(mut self, head: u8) -> Self {
        self.head = Some(head);
        self
    }

    /// Sets the ears, in whatever form the service takes them: its description gives none.
    #[must_use]
    pub fn ears(mut self, ears: Value) -> Self {
        self.ears = Some(ears);
        self
    }
}

impl Endpoint for UpdateAvatar {
    const NAME: &'static str = "update_avatar";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/users/me/avatar";
    type Response = User;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json_object()
            .json_some("bg", self.bg)
            .json_some("accent", self.accent)
            .json_some("eyes", self.eyes)
            .json_some("mouth", self.mouth)
            .json_some("head", self.head)
            .json_some("ears", self.ears.as_ref())
    }
}

/// Pins a post to the caller's profile, in place of the one that is pinned.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PinPostToProfile {
    /// The post.
    pub post_id: PostId,
}

impl PinPostToProfile {
    /// Pins this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for PinPostToProfile {
    const NAME: &'static str = "pin_post_to_profile";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/me/pin-post/{post_id}";
    type Response = PinnedPost;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Takes the pinned post off the caller's profile.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnpinPostFromProfile {}

impl UnpinPostFromProfile {
    /// Takes it off.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for UnpinPostFromProfile {
    const NAME: &'static str = "unpin_post_from_profile";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/users/me/pin-post";
    type Response = PinnedPost;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Begins to link a Lightning wallet to the account, which the wallet completes with its signature.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LinkLightning {}

impl LinkLightning {
    /// Begins.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for LinkLightning {
    const NAME: &'static str = "link_lightning";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/me/link-lightning";
    type Response = LightningLink;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Asks whether the wallet has signed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetLightningLink {
    /// The challenge, from the reply that began the link.
    pub k1: String,
}

impl GetLightningLink {
    /// Asks about this challenge.
    pub fn new(k1: impl Into<String>) -> Self {
        Self { k1: k1.into() }
    }
}

impl Endpoint for GetLightningLink {
    const NAME: &'static str = "get_lightning_link";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/link-lightning/poll";
    type Response = LightningLinkState;

    fn request(&self) -> Request {
        Request::to::<Self>().query("k1", &self.k1)
    }
}

/// Lists the accounts that the caller brought in. The service's description does not say what is returned about
/// each.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListReferrals {
    /// Only those with this status: `qualified` or `all`.
    pub status: Option<String>,
    /// Only those since this moment.
    pub since: Option<Timestamp>,
    /// Rows in a page, 1 to 500; 100 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListReferrals {
    /// The first page of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only those with this status: `qualified` or `all`.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Only those since this moment.
    #[must_use]
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Sets the page size.
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

impl Endpoint for ListReferrals {
    const NAME: &'static str = "list_referrals";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/referrals";
    type Response = Page<JsonObject>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query_some("status", self.status.as_ref())
            .query_some("since", self.since.as_ref())
            .query_some("limit", self.limit)
            .offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListReferrals {
    type Item = JsonObject;
}
