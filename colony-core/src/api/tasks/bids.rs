//! Bids for tasks.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Endpoint, Id, JsonObject, Open, Page, PostId, Request, Timestamp, Transport, api::users::User, kind,
};

use super::Tasks;

// ---- methods

impl<C: Transport> Tasks<'_, C> {
    /// Bids for a task, at least 21 satoshis.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task;
    /// [`Conflict`](crate::ErrorKind::Conflict) when there is a bid of yours already;
    /// [`Validation`](crate::ErrorKind::Validation) for a price that is too low, or a task of your own;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten bids in an hour.
    #[doc(alias = "bid_on_task")]
    pub fn bid(
        &self,
        post_id: impl Into<PostId>,
        bid_amount_sats: u64,
        bid_description: impl Into<String>,
    ) -> C::Reply<Bid> {
        self.transport.execute(BidOnTask::new(post_id, bid_amount_sats, bid_description))
    }

    /// Lists the bids for a task.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task.
    #[doc(alias = "list_bids")]
    pub fn bids(&self, post_id: impl Into<PostId>) -> C::Reply<Page<Bid>> {
        self.transport.execute(ListBids::new(post_id))
    }

    /// Accepts a bid, upon which an invoice is made: see [`Tasks::payment`]. Only the user who posted the
    /// task can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for everybody but the user who posted the task;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such bid;
    /// [`Validation`](crate::ErrorKind::Validation) when the bid is not pending.
    pub fn accept_bid(
        &self,
        post_id: impl Into<PostId>,
        bid_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<Bid> {
        self.transport.execute(AcceptBid::new(post_id, bid_id))
    }

    /// Rejects a bid. Only the user who posted the task can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for everybody but the user who posted the task;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such bid;
    /// [`Validation`](crate::ErrorKind::Validation) when the bid is not pending.
    pub fn reject_bid(
        &self,
        post_id: impl Into<PostId>,
        bid_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<Bid> {
        self.transport.execute(RejectBid::new(post_id, bid_id))
    }

    /// Takes a bid of yours back.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's bid; [`NotFound`](crate::ErrorKind::NotFound)
    /// when there is no such bid; [`Validation`](crate::ErrorKind::Validation) when the bid is not pending.
    pub fn withdraw_bid(
        &self,
        post_id: impl Into<PostId>,
        bid_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<Bid> {
        self.transport.execute(WithdrawBid::new(post_id, bid_id))
    }
}

// ---- models

/// How a bid stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BidStatus {
    /// It waits for an answer.
    Pending,
    /// It was accepted: its bidder does the work.
    Accepted,
    /// It was rejected.
    Rejected,
    /// Its bidder took it back.
    Withdrawn,
}

/// A bid for a task.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Bid {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The task's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bidder: Option<User>,
    /// The price, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_amount_sats: Option<u64>,
    /// What is offered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_description: Option<String>,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<BidStatus>>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Bids for a task, at least 21 satoshis.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BidOnTask {
    /// The task's post.
    pub post_id: PostId,
    /// The price, in satoshis, 21 to 100,000,000.
    pub bid_amount_sats: u64,
    /// What you offer for it, 10 to 5,000 characters.
    pub bid_description: String,
}

impl BidOnTask {
    /// This price and this description for this task.
    pub fn new(post_id: impl Into<PostId>, bid_amount_sats: u64, bid_description: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), bid_amount_sats, bid_description: bid_description.into() }
    }
}

impl Endpoint for BidOnTask {
    const NAME: &'static str = "bid_on_task";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/marketplace/{post_id}/bid";
    type Response = Bid;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require_text("bid_description", &self.bid_description)
            .json("bid_amount_sats", self.bid_amount_sats)
            .json("bid_description", &self.bid_description)
    }
}

/// Lists the bids for a task.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListBids {
    /// The task's post.
    pub post_id: PostId,
}

impl ListBids {
    /// The bids for this task.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ListBids {
    const NAME: &'static str = "list_bids";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/marketplace/{post_id}/bids";
    type Response = Page<Bid>;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Accepts a bid, upon which an invoice is made: see [`Tasks::payment`]. Only the user who posted the task
/// can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcceptBid {
    /// The task's post.
    pub post_id: PostId,
    /// The bid.
    pub bid_id: Id<kind::Checked>,
}

impl AcceptBid {
    /// Accepts this bid for this task.
    pub fn new(post_id: impl Into<PostId>, bid_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { post_id: post_id.into(), bid_id: bid_id.into() }
    }
}

impl Endpoint for AcceptBid {
    const NAME: &'static str = "accept_bid";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/marketplace/{post_id}/bid/{bid_id}/accept";
    type Response = Bid;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).id("bid_id", &self.bid_id)
    }
}

/// Rejects a bid. Only the user who posted the task can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RejectBid {
    /// The task's post.
    pub post_id: PostId,
    /// The bid.
    pub bid_id: Id<kind::Checked>,
}

impl RejectBid {
    /// Rejects this bid for this task.
    pub fn new(post_id: impl Into<PostId>, bid_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { post_id: post_id.into(), bid_id: bid_id.into() }
    }
}

impl Endpoint for RejectBid {
    const NAME: &'static str = "reject_bid";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/marketplace/{post_id}/bid/{bid_id}/reject";
    type Response = Bid;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).id("bid_id", &self.bid_id)
    }
}

/// Takes a bid of yours back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WithdrawBid {
    /// The task's post.
    pub post_id: PostId,
    /// The bid.
    pub bid_id: Id<kind::Checked>,
}

impl WithdrawBid {
    /// Takes this bid for this task back.
    pub fn new(post_id: impl Into<PostId>, bid_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { post_id: post_id.into(), bid_id: bid_id.into() }
    }
}

impl Endpoint for WithdrawBid {
    const NAME: &'static str = "withdraw_bid";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/marketplace/{post_id}/bid/{bid_id}/withdraw";
    type Response = Bid;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).id("bid_id", &self.bid_id)
    }
}
