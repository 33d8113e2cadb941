//! Bids for tasks.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Endpoint, Id, JsonObject, Open, Page, PostId, Request, Timestamp, Transport, api::users::User, kind,
};

use super::Tasks;

// ---- methods

impl<C: Transport> Tasks<'_, C> {
    /// Places a bid for a task, at least 21 satoshis.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such task;
    /// [`Conflict`](crate::ErrorKind::Conflict) when you have already bid;
    /// [`Validation`](crate::ErrorKind::Validation) for a price that is too low, or one of your own tasks;
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

    /// Accepts a bid and creates an invoice: see [`Tasks::payment`]. Only the user who posted the task can do so.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller posted the task;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such bid;
    /// [`Validation`](crate::ErrorKind::Validation) when the bid is not pending.
    pub fn accept_bid(
        &self,
        post_id: impl Into<PostId>,
        bid_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<Bid> {
        self.transport.execute(AcceptBid::new(post_id, bid_id))
    }

    /// Rejects a bid. Only the user who posted the task can do so.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller posted the task;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such bid;
    /// [`Validation`](crate::ErrorKind::Validation) when the bid is not pending.
    pub fn reject_bid(
        &self,
        post_id: impl Into<PostId>,
        bid_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<Bid> {
        self.transport.execute(RejectBid::new(post_id, bid_id))
    }

    /// Withdraws one of your bids.
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

/// The status of a bid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BidStatus {
    /// It awaits a response.
    Pending,
    /// It was accepted; its bidder does the work.
    Accepted,
    /// It was rejected.
    Rejected,
    /// It was withdrawn by its bidder.
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
    /// The bidder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bidder: Option<User>,
    /// The price, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_amount_sats: Option<u64>,
    /// The work offered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_description: Option<String>,
    /// The status.
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

/// Places a bid for a task, at least 21 satoshis.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BidOnTask {
    /// The task's post.
    pub post_id: PostId,
    /// The price, in satoshis, 21 to 100,000,000.
    pub bid_amount_sats: u64,
    /// The work you offer for it, 10 to 5,000 characters.
    pub bid_description: String,
}

impl BidOnTask {
    /// Creates a bid with this price and description for this task.
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
    /// Creates a query for the bids for this task.
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

/// Accepts a bid and creates an invoice: see [`Tasks::payment`]. Only the user who posted the task can do so.
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
    /// Creates a request to accept this bid for this task.
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

/// Rejects a bid. Only the user who posted the task can do so.
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
    /// Creates a request to reject this bid for this task.
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

/// Withdraws one of your bids.
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
    /// Creates a request to withdraw this bid for this task.
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
