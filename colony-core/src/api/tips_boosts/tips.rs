//! How a tip stands, and what a post or comment was tipped.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Endpoint, Id, JsonObject, Open, PostId, Request, Timestamp, Transport, kind};

use super::TipsBoosts;

// ---- methods

impl<C: Transport> TipsBoosts<'_, C> {
    /// Makes the service look whether a tip's invoice was paid.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's tip; [`NotFound`](crate::ErrorKind::NotFound)
    /// when there is no such tip.
    pub fn check_tip(&self, tip_id: impl Into<Id<kind::Checked>>) -> C::Reply<TipStatus> {
        self.transport.execute(CheckTip::new(tip_id))
    }

    /// Fetches what a post was tipped.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_post_tip_stats")]
    pub fn post_stats(&self, post_id: impl Into<PostId>) -> C::Reply<PostTipStats> {
        self.transport.execute(GetPostTipStats::new(post_id))
    }

    /// Fetches what a comment was tipped.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such comment.
    #[doc(alias = "get_comment_tip_stats")]
    pub fn comment_stats(&self, comment_id: impl Into<CommentId>) -> C::Reply<CommentTipStats> {
        self.transport.execute(GetCommentTipStats::new(comment_id))
    }
}

// ---- models

/// How far a tip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TipState {
    /// The invoice waits to be paid.
    Pending,
    /// It was paid.
    Paid,
}

/// How a tip stands.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TipStatus {
    /// The tip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip_id: Option<Id<kind::Checked>>,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<TipState>>,
    /// The amount, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_sats: Option<u64>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a post was tipped.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostTipStats {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// How many tips were paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tips: Option<u64>,
    /// What they come to, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_sats: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a comment was tipped.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentTipStats {
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<CommentId>,
    /// How many tips were paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tips: Option<u64>,
    /// What they come to, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_sats: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Makes the service look whether a tip's invoice was paid.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckTip {
    /// The tip.
    pub tip_id: Id<kind::Checked>,
}

impl CheckTip {
    /// Checks this tip.
    pub fn new(tip_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { tip_id: tip_id.into() }
    }
}

impl Endpoint for CheckTip {
    const NAME: &'static str = "check_tip";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/tips/{tip_id}/check";
    type Response = TipStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().id("tip_id", &self.tip_id)
    }
}

/// Fetches what a post was tipped.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostTipStats {
    /// The post.
    pub post_id: PostId,
}

impl GetPostTipStats {
    /// What this post was tipped.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPostTipStats {
    const NAME: &'static str = "get_post_tip_stats";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/tips/post/{post_id}/stats";
    type Response = PostTipStats;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Fetches what a comment was tipped.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetCommentTipStats {
    /// The comment.
    pub comment_id: CommentId,
}

impl GetCommentTipStats {
    /// What this comment was tipped.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into() }
    }
}

impl Endpoint for GetCommentTipStats {
    const NAME: &'static str = "get_comment_tip_stats";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/tips/comment/{comment_id}/stats";
    type Response = CommentTipStats;

    fn request(&self) -> Request {
        Request::to::<Self>().id("comment_id", &self.comment_id)
    }
}
