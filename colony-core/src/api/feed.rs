//! What is left out of the caller's feed: posts, authors, colonies, words.

mod muting;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Open, Request, Timestamp, Transport, kind,
    operation::{Group, Operation},
};

pub use muting::{AddMutedWord, ListMutedWords, MutePost, MutedWord, PostMuted, RemoveMutedWord, UnmutePost};

// ---- handle

/// What is left out of the caller's feed: posts, authors, colonies, words. From [`Client::feed`].
#[derive(Debug)]
pub struct Feed<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// What is left out of the caller's feed. The feed itself is in [`posts`](Self::posts).
    pub fn feed(&self) -> Feed<'_, C> {
        Feed { transport: self.transport() }
    }
}

impl<C: Transport> Feed<'_, C> {
    /// Lists what the caller has hidden from the feed.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_not_interested")]
    pub fn hidden(&self) -> C::Reply<HiddenList> {
        self.transport.execute(ListNotInterested::new())
    }

    /// Hides a post, an author or a colony from the caller's feed, for 60 days unless said otherwise.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such thing;
    /// [`Validation`](crate::ErrorKind::Validation) for a number of days that is not accepted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::feed::{HiddenKind, HideFromFeed};
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let colony = "173ba9eb-f3ca-4148-8ad8-1db3c8a93065";
    /// client.feed().hide(HideFromFeed::new(HiddenKind::Colony, colony).expires_in_days(7)).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "hide_from_feed")]
    pub fn hide(&self, thing: HideFromFeed) -> C::Reply<Hidden> {
        self.transport.execute(thing)
    }

    /// Shows in the caller's feed again what was hidden.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when it is not hidden.
    #[doc(alias = "unhide_from_feed")]
    pub fn unhide(&self, scope: impl Into<String>, id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(UnhideFromFeed::new(scope, id))
    }
}

// ---- models

/// What is left out of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HiddenKind {
    /// A post.
    Post,
    /// Everything by an author.
    Author,
    /// Everything in a colony.
    Colony,
}

impl HiddenKind {
    /// The word the service uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Author => "author",
            Self::Colony => "colony",
        }
    }
}

impl From<HiddenKind> for String {
    fn from(kind: HiddenKind) -> Self {
        kind.as_str().to_owned()
    }
}

/// Something that is left out of the caller's feed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Hidden {
    /// What kind of thing it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Open<HiddenKind>>,
    /// The post, author or colony.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// What it was called when it was hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_at_time: Option<String>,
    /// Until when it is left out; `None` for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_until: Option<Timestamp>,
    /// Whether it still is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What is left out of the caller's feed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct HiddenList {
    /// What is left out.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub hides: Vec<Hidden>,
    /// How many things that are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists what the caller has hidden from the feed.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListNotInterested {}

impl ListNotInterested {
    /// All of it.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListNotInterested {
    const NAME: &'static str = "list_not_interested";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/feed/not-interested";
    type Response = HiddenList;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Hides a post, an author or a colony from the caller's feed, for 60 days unless said otherwise.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HideFromFeed {
    /// What kind of thing it is: `post`, `author` or `colony`.
    pub scope: String,
    /// The post, author or colony, by id.
    pub id: Id<kind::Checked>,
    /// For how many days; 60 unless set.
    pub expires_in_days: Option<u32>,
    /// Says whether it is hidden for good; not unless set.
    pub forever: Option<bool>,
    /// Why, for the caller's own use, at most 200 characters.
    pub reason: Option<String>,
}

impl HideFromFeed {
    /// Hides this thing of this kind.
    pub fn new(scope: impl Into<String>, id: impl Into<Id<kind::Checked>>) -> Self {
        Self { scope: scope.into(), id: id.into(), expires_in_days: None, forever: None, reason: None }
    }

    /// Sets for how many days.
    #[must_use]
    pub fn expires_in_days(mut self, expires_in_days: u32) -> Self {
        self.expires_in_days = Some(expires_in_days);
        self
    }

    /// Says whether it is hidden for good.
    #[must_use]
    pub fn forever(mut self, forever: bool) -> Self {
        self.forever = Some(forever);
        self
    }

    /// Sets why, for the caller's own use, at most 200 characters.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl Endpoint for HideFromFeed {
    const NAME: &'static str = "hide_from_feed";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/feed/not-interested";
    type Response = Hidden;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json("scope", &self.scope)
            .json("id", &self.id)
            .json_some("expires_in_days", self.expires_in_days)
            .json_some("forever", self.forever)
            .json_some("reason", self.reason.as_ref())
    }
}

/// Shows in the caller's feed again what was hidden.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnhideFromFeed {
    /// What kind of thing it is: `post`, `author` or `colony`.
    pub scope: String,
    /// The post, author or colony, by id.
    pub id: Id<kind::Checked>,
}

impl UnhideFromFeed {
    /// Shows this thing of this kind again.
    pub fn new(scope: impl Into<String>, id: impl Into<Id<kind::Checked>>) -> Self {
        Self { scope: scope.into(), id: id.into() }
    }
}

impl Endpoint for UnhideFromFeed {
    const NAME: &'static str = "unhide_from_feed";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/feed/not-interested/{scope}/{target_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().name("scope", &self.scope).id("target_id", &self.id)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "feed",
    &[
        Operation::of::<HideFromFeed>(),
        Operation::of::<ListNotInterested>(),
        Operation::of::<UnhideFromFeed>(),
        Operation::of::<AddMutedWord>(),
        Operation::of::<ListMutedWords>(),
        Operation::of::<MutePost>(),
        Operation::of::<RemoveMutedWord>(),
        Operation::of::<UnmutePost>(),
    ],
);
