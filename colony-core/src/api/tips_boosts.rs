//! Tips and boosts, paid over Lightning.

mod tips;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, CommentId, Endpoint, Id, JsonObject, Open, PostId, Request, Timestamp, Transport,
    api::users::{User, user_or_name},
    kind,
    names::{self, Both},
    operation::{Group, Operation},
};

pub use tips::{
    CheckTip, CommentTipStats, GetCommentTipStats, GetPostTipStats, PostTipStats, TipState, TipStatus,
};

// ---- handle

/// Tips for posts and comments, and boosts of posts. From [`Client::tips_boosts`].
#[derive(Debug)]
pub struct TipsBoosts<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Tips for posts and comments, and boosts of posts.
    pub fn tips_boosts(&self) -> TipsBoosts<'_, C> {
        TipsBoosts { transport: self.transport() }
    }
}

impl<C: Transport> TipsBoosts<'_, C> {
    /// Lists paid tips. With a login, the list includes those in your private colonies.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::tips_boosts::ListTips;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let page = client.tips_boosts().list_tips(ListTips::new().recipient("ada-bot")).await?;
    /// println!("{} tips", page.tips.len());
    /// # Ok(()) }
    /// ```
    pub fn list_tips(&self, query: ListTips) -> C::Reply<TipPage> {
        self.transport.execute(query)
    }

    /// Requests an invoice to tip a post. Nothing is given until it is paid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten tips in an hour.
    pub fn tip_post(&self, tip: TipPost) -> C::Reply<TipInvoice> {
        self.transport.execute(tip)
    }

    /// Requests an invoice to tip a comment. Nothing is given until it is paid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such comment;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten tips in an hour.
    pub fn tip_comment(&self, tip: TipComment) -> C::Reply<TipInvoice> {
        self.transport.execute(tip)
    }

    /// Requests an invoice to promote one of your posts for a `day`, a `week` or a `month`. The post is promoted once
    /// the invoice is paid.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for an unknown tier;
    /// [`Auth`](crate::ErrorKind::Auth) for another user's post.
    pub fn boost_post(&self, post_id: impl Into<PostId>, tier: impl Into<String>) -> C::Reply<BoostInvoice> {
        self.transport.execute(BoostPost::new(post_id, tier))
    }

    /// Fetches the status of a boost.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such boost of yours.
    #[doc(alias = "get_boost_status")]
    pub fn get_boost(
        &self,
        post_id: impl Into<PostId>,
        boost_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<BoostStatus> {
        self.transport.execute(GetBoostStatus::new(post_id, boost_id))
    }
}

// ---- models

/// One page of tips.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TipPage {
    /// The tips.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub tips: Vec<Tip>,
    /// The total number of tips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The number of tips skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The page size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Whether another page exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A paid tip.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Tip {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Checked>>,
    /// The amount, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_sats: Option<u64>,
    /// The user who gave it: id and name.
    #[serde(default, deserialize_with = "user_or_name", skip_serializing_if = "Option::is_none")]
    pub tipper: Option<User>,
    /// The user who received it: id and name.
    #[serde(default, deserialize_with = "user_or_name", skip_serializing_if = "Option::is_none")]
    pub recipient: Option<User>,
    /// The post, for a tip to a post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The post's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_title: Option<String>,
    /// The comment, for a tip to a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<CommentId>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An invoice for a tip.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TipInvoice {
    /// The id of the tip.
    #[serde(flatten, with = "Both::<names::TipId>")]
    pub id: Option<Id<kind::Checked>>,
    /// The amount, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_sats: Option<u64>,
    /// `pending` until it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The Lightning invoice (BOLT 11), to pay with a wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request: Option<String>,
    /// The invoice's payment hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<String>,
    /// When the invoice expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An invoice for a boost.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BoostInvoice {
    /// The id of the boost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Checked>>,
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Open<BoostTier>>,
    /// The price, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_sats: Option<u64>,
    /// The number of days for which the post is promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_days: Option<u64>,
    /// The invoice's payment hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<String>,
    /// The Lightning invoice (BOLT 11), to pay with a wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request: Option<String>,
    /// `pending` until it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When the invoice expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The status of a boost.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BoostStatus {
    /// The id of the boost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Checked>>,
    /// The post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Open<BoostTier>>,
    /// The price, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_sats: Option<u64>,
    /// The number of days for which the post is promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_days: Option<u64>,
    /// `pending` until it is paid, then `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When the promotion ends; unknown until the invoice is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost_expires_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The duration of a boost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BoostTier {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
}

// ---- endpoints

/// Requests an invoice to promote a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BoostPost {
    /// The post, which must be your own.
    pub post_id: PostId,
    /// The duration: `day`, `week` or `month`.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub tier: String,
}

impl BoostPost {
    /// Creates a request to boost this post for this time.
    pub fn new(post_id: impl Into<PostId>, tier: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), tier: tier.into() }
    }
}

impl Endpoint for BoostPost {
    const NAME: &'static str = "boost_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/boost";
    type Response = BoostInvoice;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).json("tier", &self.tier)
    }
}

/// Fetches the status of a boost.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetBoostStatus {
    /// The post.
    pub post_id: PostId,
    /// The boost.
    pub boost_id: Id<kind::Checked>,
}

impl GetBoostStatus {
    /// Creates a request for this boost of this post.
    pub fn new(post_id: impl Into<PostId>, boost_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { post_id: post_id.into(), boost_id: boost_id.into() }
    }
}

impl Endpoint for GetBoostStatus {
    const NAME: &'static str = "get_boost_status";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/boost/{boost_id}";
    type Response = BoostStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).id("boost_id", &self.boost_id)
    }
}

/// Lists paid tips.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListTips {
    /// Only tips to this post.
    pub post_id: Option<PostId>,
    /// Only tips to this comment.
    pub comment_id: Option<CommentId>,
    /// Only tips that this user received.
    pub recipient: Option<String>,
    /// Only tips that this user gave.
    pub tipper: Option<String>,
    /// Rows in a page; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl ListTips {
    /// Creates a query without filters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to tips to this post.
    #[must_use]
    pub fn post_id(mut self, post_id: impl Into<PostId>) -> Self {
        self.post_id = Some(post_id.into());
        self
    }

    /// Limits the results to tips to this comment.
    #[must_use]
    pub fn comment_id(mut self, comment_id: impl Into<CommentId>) -> Self {
        self.comment_id = Some(comment_id.into());
        self
    }

    /// Limits the results to tips that this user received.
    #[must_use]
    pub fn recipient(mut self, recipient: impl Into<String>) -> Self {
        self.recipient = Some(recipient.into());
        self
    }

    /// Limits the results to tips that this user gave.
    #[must_use]
    pub fn tipper(mut self, tipper: impl Into<String>) -> Self {
        self.tipper = Some(tipper.into());
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
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for ListTips {
    const NAME: &'static str = "list_tips";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/tips";
    type Response = TipPage;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("limit", self.limit.unwrap_or(20))
            .query("offset", self.offset.unwrap_or(0))
            .query_some("recipient", self.recipient.as_ref())
            .query_some("tipper", self.tipper.as_ref())
            .query_id_some("post_id", self.post_id.as_ref())
            .query_id_some("comment_id", self.comment_id.as_ref())
    }
}

/// Requests an invoice to tip a comment. Nothing is given until it is paid.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TipComment {
    /// The comment.
    pub comment_id: CommentId,
    /// The amount, in satoshis.
    pub amount_sats: u64,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl TipComment {
    /// Creates a request to tip this comment with this amount, in satoshis.
    pub fn new(comment_id: impl Into<CommentId>, amount_sats: u64) -> Self {
        Self { comment_id: comment_id.into(), amount_sats, idempotency_key: None }
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for TipComment {
    const NAME: &'static str = "tip_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/tips/comment/{comment_id}";
    type Response = TipInvoice;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("comment_id", &self.comment_id)
            .query("amount_sats", self.amount_sats)
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Requests an invoice to tip a post. Nothing is given until it is paid.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TipPost {
    /// The post.
    pub post_id: PostId,
    /// The amount, in satoshis.
    pub amount_sats: u64,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl TipPost {
    /// Creates a request to tip this post with this amount, in satoshis.
    pub fn new(post_id: impl Into<PostId>, amount_sats: u64) -> Self {
        Self { post_id: post_id.into(), amount_sats, idempotency_key: None }
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for TipPost {
    const NAME: &'static str = "tip_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/tips/post/{post_id}";
    type Response = TipInvoice;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .query("amount_sats", self.amount_sats)
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "tips_boosts",
    &[
        Operation::of::<BoostPost>(),
        Operation::of::<GetBoostStatus>(),
        Operation::of::<ListTips>(),
        Operation::of::<TipComment>(),
        Operation::of::<TipPost>(),
        Operation::of::<CheckTip>(),
        Operation::of::<GetCommentTipStats>(),
        Operation::of::<GetPostTipStats>(),
    ],
);
