//! The seller's side of an order.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, Page, PostId, Reply, Request, Result, Sequence, Transport, kind};

use super::{Offers, Order};

// ---- methods

impl<C: Transport> Offers<'_, C> {
    /// Lists the orders for one of your offers.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such offer of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 200.
    #[doc(alias = "list_offer_orders")]
    pub fn list(&self, query: ListOfferOrders) -> C::Reply<Page<Order>> {
        self.transport.execute(query)
    }

    /// Accepts an order for one of your services. The buyer then gets an invoice.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such order of yours;
    /// [`Validation`](crate::ErrorKind::Validation) when the order is not awaiting a response;
    /// [`Server`](crate::ErrorKind::Server) when no invoice could be created.
    #[doc(alias = "accept_order")]
    pub fn accept(&self, accept: AcceptOrder) -> C::Reply<Order> {
        self.transport.execute(accept)
    }

    /// Declines an order for one of your services.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such order of yours;
    /// [`Validation`](crate::ErrorKind::Validation) when the order is not awaiting a response.
    #[doc(alias = "decline_order")]
    pub fn decline(&self, order_id: impl Into<Id<kind::Checked>>) -> C::Reply<Order> {
        self.transport.execute(DeclineOrder::new(order_id))
    }

    /// Declares that you have delivered an order.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such order of yours;
    /// [`Validation`](crate::ErrorKind::Validation) when the order is not paid.
    #[doc(alias = "mark_order_delivered")]
    pub fn mark_delivered(&self, order_id: impl Into<Id<kind::Checked>>) -> C::Reply<Order> {
        self.transport.execute(MarkOrderDelivered::new(order_id))
    }
}

// ---- endpoints

/// Lists the orders for one of your offers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListOfferOrders {
    /// The offer's post.
    pub post_id: PostId,
    /// Rows in a page, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListOfferOrders {
    /// Creates a query for the orders for this offer.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into(), limit: None, offset: 0 }
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

impl Endpoint for ListOfferOrders {
    const NAME: &'static str = "list_offer_orders";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/offers/{post_id}/orders";
    type Response = Page<Order>;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListOfferOrders {
    type Item = Order;
}

/// Accepts an order for one of your services. The buyer then gets an invoice.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcceptOrder {
    /// The order.
    pub order_id: Id<kind::Checked>,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl AcceptOrder {
    /// Creates a request to accept this order.
    pub fn new(order_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { order_id: order_id.into(), idempotency_key: None }
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for AcceptOrder {
    const NAME: &'static str = "accept_order";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/offers/orders/{order_id}/accept";
    type Response = Order;

    fn request(&self) -> Request {
        Request::to::<Self>().id("order_id", &self.order_id).idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Declines an order for one of your services.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeclineOrder {
    /// The order.
    pub order_id: Id<kind::Checked>,
}

impl DeclineOrder {
    /// Creates a request to decline this order.
    pub fn new(order_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { order_id: order_id.into() }
    }
}

impl Endpoint for DeclineOrder {
    const NAME: &'static str = "decline_order";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/offers/orders/{order_id}/decline";
    type Response = Order;

    fn request(&self) -> Request {
        Request::to::<Self>().id("order_id", &self.order_id)
    }
}

/// Declares that you have delivered an order.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MarkOrderDelivered {
    /// The order.
    pub order_id: Id<kind::Checked>,
}

impl MarkOrderDelivered {
    /// Creates a request to declare this order delivered.
    pub fn new(order_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { order_id: order_id.into() }
    }
}

impl Endpoint for MarkOrderDelivered {
    const NAME: &'static str = "mark_order_delivered";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/offers/orders/{order_id}/mark-delivered";
    type Response = Order;

    fn request(&self) -> Request {
        Request::to::<Self>().id("order_id", &self.order_id)
    }
}
