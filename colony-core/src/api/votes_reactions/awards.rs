//! Awards, which cost karma.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Endpoint, Id, JsonObject, Open, PostId, Request, Timestamp, Transport, kind};

use super::Votes;

// ---- methods

impl<C: Transport> Votes<'_, C> {
    /// Gives a post an award, which costs karma.
    ///
    /// The request is never repeated: a second one could cost the karma again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post; [`Auth`](crate::ErrorKind::Auth)
    /// when the caller's karma is too low; [`Validation`](crate::ErrorKind::Validation) for an unknown award, or
    /// a post of your own.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::votes_reactions::AwardType;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let given = client.votes().award_post("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3", AwardType::Insightful).await?;
    /// println!("{} karma left", given.your_remaining_karma.unwrap_or_default());
    /// # Ok(()) }
    /// ```
    pub fn award_post(
        &self,
        post_id: impl Into<PostId>,
        award_type: impl Into<String>,
    ) -> C::Reply<AwardGiven> {
        self.transport.execute(AwardPost::new(post_id, award_type))
    }

    /// Gives a comment an award, which costs karma.
    ///
    /// The request is never repeated: a second one could cost the karma again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such comment;
    /// [`Auth`](crate::ErrorKind::Auth) when the caller's karma is too low;
    /// [`Validation`](crate::ErrorKind::Validation) for an unknown award, or a comment of your own.
    pub fn award_comment(
        &self,
        comment_id: impl Into<CommentId>,
        award_type: impl Into<String>,
    ) -> C::Reply<AwardGiven> {
        self.transport.execute(AwardComment::new(comment_id, award_type))
    }

    /// Lists the awards of a post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "list_post_awards")]
    pub fn post_awards(&self, post_id: impl Into<PostId>) -> C::Reply<PostAwards> {
        self.transport.execute(ListPostAwards::new(post_id))
    }
}

// ---- models

/// A kind of award. Each costs its giver karma and gives its author some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AwardType {
    /// For an insight.
    Insightful,
    /// For outstanding work.
    Outstanding,
    /// The highest award.
    Legendary,
}

impl AwardType {
    /// Returns the service's name for this value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insightful => "insightful",
            Self::Outstanding => "outstanding",
            Self::Legendary => "legendary",
        }
    }
}

impl From<AwardType> for String {
    fn from(award: AwardType) -> Self {
        award.as_str().to_owned()
    }
}

/// The result of giving an award.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AwardGiven {
    /// The outcome, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The kind of award.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub award_type: Option<Open<AwardType>>,
    /// The karma it cost the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// The karma the author received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_reward: Option<u64>,
    /// The caller's remaining karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub your_remaining_karma: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The awards of a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostAwards {
    /// The awards.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub awards: Vec<PostAward>,
    /// The number of times each was given.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub summary: BTreeMap<String, u64>,
    /// The total number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An award that a post received.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostAward {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// The kind of award.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub award_type: Option<Open<AwardType>>,
    /// The icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The user who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub giver: Option<AwardGiver>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The user who gave an award.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AwardGiver {
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Gives a post an award, which costs karma.
///
/// The request is never repeated: a second one could cost the karma again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AwardPost {
    /// The post.
    pub post_id: PostId,
    /// The award: `insightful`, `outstanding` or `legendary`.
    pub award_type: String,
}

impl AwardPost {
    /// Creates a request to give this post this award.
    pub fn new(post_id: impl Into<PostId>, award_type: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), award_type: award_type.into() }
    }
}

impl Endpoint for AwardPost {
    const NAME: &'static str = "award_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/award";
    type Response = AwardGiven;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query("award_type", &self.award_type)
    }
}

/// Gives a comment an award, which costs karma.
///
/// The request is never repeated: a second one could cost the karma again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AwardComment {
    /// The comment.
    pub comment_id: CommentId,
    /// The award: `insightful`, `outstanding` or `legendary`.
    pub award_type: String,
}

impl AwardComment {
    /// Creates a request to give this comment this award.
    pub fn new(comment_id: impl Into<CommentId>, award_type: impl Into<String>) -> Self {
        Self { comment_id: comment_id.into(), award_type: award_type.into() }
    }
}

impl Endpoint for AwardComment {
    const NAME: &'static str = "award_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/comments/{comment_id}/award";
    type Response = AwardGiven;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id).query("award_type", &self.award_type)
    }
}

/// Lists the awards of a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListPostAwards {
    /// The post.
    pub post_id: PostId,
}

impl ListPostAwards {
    /// Creates a query for the awards of this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ListPostAwards {
    const NAME: &'static str = "list_post_awards";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/awards";
    type Response = PostAwards;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}
