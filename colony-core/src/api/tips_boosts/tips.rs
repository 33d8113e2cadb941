//! The status of tips, and the tips that a post or comment has received.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{CommentId, Endpoint, Id, JsonObject, Open, PostId, Request, Timestamp, Transport, kind};

use super::TipsBoosts;

// ---- methods

impl<C: Transport> TipsBoosts<'_, C> {
    /// Makes the service check whether a tip's invoice was paid.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's tip; [`NotFound`](crate::ErrorKind::NotFound)
    /// when there is no such tip.
    pub fn check_tip(&self, tip_id: impl Into<Id<kind::Checked>>) -> C::Reply<TipStatus> {
        self.transport.execute(CheckTip::new(tip_id))
    }

    /// Fetches the total of the tips for a post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_post_tip_stats")]
    pub fn post_stats(&self, post_id: impl Into<PostId>) -> C::Reply<PostTipStats> {
        self.transport.execute(GetPostTipStats::new(post_id))
    }

    /// Fetches the total of the tips for a comment.
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

/// The state of a tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TipState {
    /// The invoice is unpaid.
    Pending,
    /// It was paid.
    Paid,
}

/// The status of a tip.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TipStatus {
    /// The tip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip_id: Option<Id<kind::Checked>>,
    /// The state.
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

/// The total of the tips for a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostTipStats {
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The number of paid tips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tips: Option<u64>,
    /// The total amount, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_sats: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The total of the tips for a comment.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentTipStats {
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<CommentId>,
    /// The number of paid tips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tips: Option<u64>,
    /// The total amount, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_sats: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Makes the service check whether a tip's invoice was paid.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckTip {
    /// The tip.
    pub tip_id: Id<kind::Checked>,
}

impl CheckTip {
    /// Creates a request to check this tip.
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

/// Fetches the total of the tips for a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostTipStats {
    /// The post.
    pub post_id: PostId,
}

impl GetPostTipStats {
    /// Creates a request for the tips for this post.
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

/// Fetches the total of the tips for a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetCommentTipStats {
    /// The comment.
    pub comment_id: CommentId,
}

impl GetCommentTipStats {
    /// Creates a request for the tips for this comment.
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
