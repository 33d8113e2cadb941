//! Offers: services for sale, and the orders for them.

mod selling;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Open, Page, PostId, Reply, Request, Result, Sequence, Timestamp,
    Transport, kind,
    operation::{Group, Operation},
};

use super::users::User;

pub use selling::{AcceptOrder, DeclineOrder, ListOfferOrders, MarkOrderDelivered};

// ---- handle

/// Services for sale: the orders for them and their payment. From [`Client::offers`].
#[derive(Debug)]
pub struct Offers<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Services for sale: the orders for them and their payment. An offer is a post of the type `paid_offer`.
    pub fn offers(&self) -> Offers<'_, C> {
        Offers { transport: self.transport() }
    }
}

impl<C: Transport> Offers<'_, C> {
    /// Orders a service. Nothing is owed before the seller accepts.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such offer;
    /// [`Validation`](crate::ErrorKind::Validation) for an offer of your own or one that is closed;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten orders in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::{Open, api::offers::{CreateOrder, OrderStatus}};
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let order = CreateOrder::new("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3").buyer_brief("A logo, in two colours");
    /// let order = client.offers().order(order).await?;
    /// if client.offers().get(&order.id).await?.status == Some(Open::Known(OrderStatus::Accepted)) {
    ///     println!("to be paid: {}", order.lightning_invoice.unwrap_or_default());
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_order")]
    pub fn order(&self, order: CreateOrder) -> C::Reply<Order> {
        self.transport.execute(order)
    }

    /// Fetches an order.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such order of yours.
    #[doc(alias = "get_order")]
    pub fn get(&self, order_id: impl Into<Id<kind::Checked>>) -> C::Reply<Order> {
        self.transport.execute(GetOrder::new(order_id))
    }

    /// Lists the caller's orders, as buyer and as seller.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 200.
    #[doc(alias = "list_my_orders")]
    pub fn mine(&self, query: ListMyOrders) -> C::Reply<Page<Order>> {
        self.transport.execute(query)
    }

    /// Cancels an order you made, before it is paid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such order of yours;
    /// [`Validation`](crate::ErrorKind::Validation) when it is too late to cancel.
    #[doc(alias = "cancel_order")]
    pub fn cancel(&self, order_id: impl Into<Id<kind::Checked>>) -> C::Reply<Order> {
        self.transport.execute(CancelOrder::new(order_id))
    }

    /// Makes the service check whether an order's invoice was paid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such order of yours.
    #[doc(alias = "check_order_payment")]
    pub fn check_payment(&self, order_id: impl Into<Id<kind::Checked>>) -> C::Reply<Order> {
        self.transport.execute(CheckOrderPayment::new(order_id))
    }
}

// ---- models

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderStatus {
    /// The buyer ordered; the seller has not responded.
    Requested,
    /// The seller accepted; the invoice is unpaid.
    Accepted,
    /// The buyer paid; the seller has not delivered.
    Paid,
    /// The seller delivered.
    Delivered,
    /// The seller declined.
    Declined,
    /// The buyer cancelled.
    Cancelled,
    /// The invoice was not paid in time.
    Expired,
    /// The payout to the seller is under way.
    PayoutPending,
    /// The payout to the seller is complete.
    PayoutCompleted,
    /// The payout to the seller failed.
    PayoutFailed,
    /// The service gave up on the payout to the seller.
    PayoutAbandoned,
}

/// An order for a service.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Order {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The offer's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The user who ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<User>,
    /// The user who offers the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<User>,
    /// The price, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_amount_sats: Option<u64>,
    /// What the buyer wants, in the buyer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_brief: Option<String>,
    /// The status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<OrderStatus>>,
    /// The Lightning invoice (BOLT 11), to pay with a wallet; absent until the seller accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lightning_invoice: Option<String>,
    /// The invoice's payment hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<String>,
    /// When the invoice expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_expires_at: Option<Timestamp>,
    /// When the seller accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When the seller declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined_at: Option<Timestamp>,
    /// When the buyer cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// When the invoice was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When the seller delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When it was ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Orders a service. Nothing is owed before the seller accepts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateOrder {
    /// The offer's post.
    pub post_id: PostId,
    /// What you want, at most 2,000 characters.
    pub buyer_brief: Option<String>,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl CreateOrder {
    /// Creates an order for the service that this post offers.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into(), buyer_brief: None, idempotency_key: None }
    }

    /// Sets what you want, at most 2,000 characters.
    #[must_use]
    pub fn buyer_brief(mut self, buyer_brief: impl Into<String>) -> Self {
        self.buyer_brief = Some(buyer_brief.into());
        self
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for CreateOrder {
    const NAME: &'static str = "create_order";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/offers/{post_id}/order";
    type Response = Order;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .json_object()
            .json_some("buyer_brief", self.buyer_brief.as_ref())
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Fetches an order.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetOrder {
    /// The order.
    pub order_id: Id<kind::Checked>,
}

impl GetOrder {
    /// Creates a request for this order.
    pub fn new(order_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { order_id: order_id.into() }
    }
}

impl Endpoint for GetOrder {
    const NAME: &'static str = "get_order";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/offers/orders/{order_id}";
    type Response = Order;

    fn request(&self) -> Request {
        Request::to::<Self>().id("order_id", &self.order_id)
    }
}

/// Lists the caller's orders, as buyer and as seller.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMyOrders {
    /// Only orders in this role: `buyer` or `seller`.
    pub role: Option<String>,
    /// Rows in a page, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListMyOrders {
    /// Creates a query without filters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to orders in this role: `buyer` or `seller`.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
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

impl Endpoint for ListMyOrders {
    const NAME: &'static str = "list_my_orders";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/offers/orders/mine";
    type Response = Page<Order>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query_some("role", self.role.as_ref())
            .query_some("limit", self.limit)
            .offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListMyOrders {
    type Item = Order;
}

/// Cancels an order you made, before it is paid.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CancelOrder {
    /// The order.
    pub order_id: Id<kind::Checked>,
}

impl CancelOrder {
    /// Creates a request to cancel this order.
    pub fn new(order_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { order_id: order_id.into() }
    }
}

impl Endpoint for CancelOrder {
    const NAME: &'static str = "cancel_order";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/offers/orders/{order_id}/cancel";
    type Response = Order;

    fn request(&self) -> Request {
        Request::to::<Self>().id("order_id", &self.order_id)
    }
}

/// Makes the service check whether an order's invoice was paid.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckOrderPayment {
    /// The order.
    pub order_id: Id<kind::Checked>,
}

impl CheckOrderPayment {
    /// Checks the payment of this order.
    pub fn new(order_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { order_id: order_id.into() }
    }
}

impl Endpoint for CheckOrderPayment {
    const NAME: &'static str = "check_order_payment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/offers/orders/{order_id}/payment/check";
    type Response = Order;

    fn request(&self) -> Request {
        Request::to::<Self>().id("order_id", &self.order_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "offers",
    &[
        Operation::of::<CancelOrder>(),
        Operation::of::<CheckOrderPayment>(),
        Operation::of::<CreateOrder>(),
        Operation::of::<GetOrder>(),
        Operation::of::<ListMyOrders>(),
        Operation::of::<AcceptOrder>(),
        Operation::of::<DeclineOrder>(),
        Operation::of::<ListOfferOrders>(),
        Operation::of::<MarkOrderDelivered>(),
    ],
);
