//! Reviews: what the two parties to a task or an order say of each other.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Page, PostId, Reply, Request, Result, Sequence, Timestamp, Transport,
    UserId, kind,
    operation::{Group, Operation},
};

use super::users::User;

// ---- handle

/// Reviews: what the two parties to a task or an order say of each other. From [`Client::reviews`].
#[derive(Debug)]
pub struct Reviews<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Reviews: what the two parties to a task or an order say of each other.
    pub fn reviews(&self) -> Reviews<'_, C> {
        Reviews { transport: self.transport() }
    }
}

impl<C: Transport> Reviews<'_, C> {
    /// Reviews the other party to a completed task.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is one of the two parties;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such bid;
    /// [`Conflict`](crate::ErrorKind::Conflict) when you have already written a review;
    /// [`Validation`](crate::ErrorKind::Validation) for a task that is not completed, or an invalid rating.
    pub fn review_bid(&self, review: ReviewBid) -> C::Reply<Review> {
        self.transport.execute(review)
    }

    /// Reviews the other party to a delivered order.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is one of the two parties;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such order;
    /// [`Conflict`](crate::ErrorKind::Conflict) when you have already written a review;
    /// [`Validation`](crate::ErrorKind::Validation) for an order that is not delivered, or an invalid rating.
    pub fn review_order(&self, review: ReviewOrder) -> C::Reply<Review> {
        self.transport.execute(review)
    }

    /// Replies to a review of yourself, once.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's review;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such review;
    /// [`Conflict`](crate::ErrorKind::Conflict) when there is already a reply;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text.
    #[doc(alias = "reply_to_review")]
    pub fn reply(
        &self,
        review_id: impl Into<Id<kind::Checked>>,
        body: impl Into<String>,
    ) -> C::Reply<Review> {
        self.transport.execute(ReplyToReview::new(review_id, body))
    }

    /// Lists the reviews of a user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name.
    #[doc(alias = "list_reviews")]
    pub fn list(&self, query: ListReviews) -> C::Reply<Page<Review>> {
        self.transport.execute(query)
    }

    /// Fetches a summary of a user's reviews.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when no user has this name.
    #[doc(alias = "get_review_summary")]
    pub fn summary(&self, username: impl Into<String>) -> C::Reply<ReviewSummary> {
        self.transport.execute(GetReviewSummary::new(username))
    }
}

// ---- models

/// A review.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Review {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The post of the task or offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The bid, for a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_id: Option<Id<kind::Checked>>,
    /// The order, for an offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_order_id: Option<Id<kind::Checked>>,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rater: Option<User>,
    /// The user it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratee: Option<User>,
    /// The rating, from 1 (worst) to 5 (best).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u64>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The reviewed user's reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_body: Option<String>,
    /// When the reply was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_at: Option<Timestamp>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A summary of a user's reviews.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ReviewSummary {
    /// The user.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_id: UserId,
    /// The number of reviews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The average rating; `None` without reviews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// The number of times each rating was given: `1` to `5`.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub histogram: BTreeMap<String, u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Reviews the other party to a completed task.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReviewBid {
    /// The bid that was accepted.
    pub bid_id: Id<kind::Checked>,
    /// The rating, from 1 (worst) to 5 (best).
    pub rating: u8,
    /// The text of the review, at most 2,000 characters.
    pub comment: Option<String>,
}

impl ReviewBid {
    /// Creates a review of the other party to this bid, with this rating.
    pub fn new(bid_id: impl Into<Id<kind::Checked>>, rating: u8) -> Self {
        Self { bid_id: bid_id.into(), rating, comment: None }
    }

    /// Sets the text of the review, at most 2,000 characters.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}

impl Endpoint for ReviewBid {
    const NAME: &'static str = "review_bid";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reviews/bids/{bid_id}";
    type Response = Review;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("bid_id", &self.bid_id)
            .json("rating", self.rating)
            .json_some("comment", self.comment.as_ref())
    }
}

/// Reviews the other party to a delivered order.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReviewOrder {
    /// The order.
    pub order_id: Id<kind::Checked>,
    /// The rating, from 1 (worst) to 5 (best).
    pub rating: u8,
    /// The text of the review, at most 2,000 characters.
    pub comment: Option<String>,
}

impl ReviewOrder {
    /// Creates a review of the other party to this order, with this rating.
    pub fn new(order_id: impl Into<Id<kind::Checked>>, rating: u8) -> Self {
        Self { order_id: order_id.into(), rating, comment: None }
    }

    /// Sets the text of the review, at most 2,000 characters.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}

impl Endpoint for ReviewOrder {
    const NAME: &'static str = "review_order";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reviews/orders/{order_id}";
    type Response = Review;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("order_id", &self.order_id)
            .json("rating", self.rating)
            .json_some("comment", self.comment.as_ref())
    }
}

/// Replies to a review of yourself, once.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplyToReview {
    /// The review.
    pub review_id: Id<kind::Checked>,
    /// The reply, at most 2,000 characters.
    pub body: String,
}

impl ReplyToReview {
    /// Creates a reply to this review.
    pub fn new(review_id: impl Into<Id<kind::Checked>>, body: impl Into<String>) -> Self {
        Self { review_id: review_id.into(), body: body.into() }
    }
}

impl Endpoint for ReplyToReview {
    const NAME: &'static str = "reply_to_review";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reviews/{review_id}/reply";
    type Response = Review;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("review_id", &self.review_id)
            .require_text("body", &self.body)
            .json("body", &self.body)
    }
}

/// Lists the reviews of a user.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListReviews {
    /// The user, by name.
    pub username: String,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListReviews {
    /// Creates a query for the reviews of this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), limit: None, offset: 0 }
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

impl Endpoint for ListReviews {
    const NAME: &'static str = "list_reviews";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/reviews/users/{username}";
    type Response = Page<Review>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .name("username", &self.username)
            .query_some("limit", self.limit)
            .offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListReviews {
    type Item = Review;
}

/// Fetches a summary of a user's reviews.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetReviewSummary {
    /// The user, by name.
    pub username: String,
}

impl GetReviewSummary {
    /// Creates a request for the summary of this user.
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into() }
    }
}

impl Endpoint for GetReviewSummary {
    const NAME: &'static str = "get_review_summary";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/reviews/users/{username}/summary";
    type Response = ReviewSummary;

    fn request(&self) -> Request {
        Request::to::<Self>().name("username", &self.username)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "reviews",
    &[
        Operation::of::<GetReviewSummary>(),
        Operation::of::<ListReviews>(),
        Operation::of::<ReplyToReview>(),
        Operation::of::<ReviewBid>(),
        Operation::of::<ReviewOrder>(),
    ],
);
