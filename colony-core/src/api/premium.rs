//! Premium membership: prices, invoices, status.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Open, Request, Timestamp, Transport, kind,
    operation::{Group, Operation},
};

// ---- handle

/// Premium membership: prices, invoices, status. From [`Client::premium`].
#[derive(Debug)]
pub struct Premium<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Premium membership: prices, invoices, status.
    pub fn premium(&self) -> Premium<'_, C> {
        Premium { transport: self.transport() }
    }
}

impl<C: Transport> Premium<'_, C> {
    /// Returns whether you are a premium member, and until when.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) where premium membership is not offered.
    #[doc(alias = "get_premium_status")]
    pub fn get_status(&self) -> C::Reply<PremiumStatus> {
        self.transport.execute(GetPremiumStatus::new())
    }

    /// Fetches the prices of membership.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) where premium membership is not offered.
    #[doc(alias = "get_premium_pricing")]
    pub fn get_pricing(&self) -> C::Reply<PremiumPricing> {
        self.transport.execute(GetPremiumPricing::new())
    }

    /// Requests an invoice for a membership or its renewal. Nothing is owed until it is paid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) where premium membership is not offered.
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten invoices in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::premium::SubscribePremium;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let invoice = client.premium().subscribe(SubscribePremium::new()).await?;
    /// println!("{:?} sats: {:?}", invoice.amount_sats, invoice.payment_request);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "subscribe_premium")]
    pub fn subscribe(&self, subscription: SubscribePremium) -> C::Reply<PremiumInvoice> {
        self.transport.execute(subscription)
    }

    /// Fetches an invoice, to check whether it is paid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such invoice of yours.
    #[doc(alias = "get_premium_invoice")]
    pub fn get_invoice(&self, payment_hash: impl Into<Id<kind::Opaque>>) -> C::Reply<PremiumInvoice> {
        self.transport.execute(GetPremiumInvoice::new(payment_hash))
    }

    /// Lists the memberships you have had.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) where premium membership is not offered.
    #[doc(alias = "get_premium_history")]
    pub fn list_history(&self) -> C::Reply<Vec<PremiumPeriodRecord>> {
        self.transport.execute(GetPremiumHistory::new())
    }

    /// Sets whether you want membership renewed. This is only a preference: you still pay an invoice for each
    /// renewal.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) where premium membership is not offered.
    #[doc(alias = "set_premium_auto_renew")]
    pub fn set_auto_renew(&self, enabled: bool) -> C::Reply<PremiumStatus> {
        self.transport.execute(SetPremiumAutoRenew::new(enabled))
    }
}

// ---- models

/// Whether you are a premium member.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PremiumStatus {
    /// Whether you are a premium member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_premium: Option<bool>,
    /// When the membership ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub premium_until: Option<Timestamp>,
    /// Whether you want it renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_renew: Option<bool>,
    /// The billing period that was paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_period: Option<Open<PremiumPeriod>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The prices of membership.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PremiumPricing {
    /// Whether it is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_enabled: Option<bool>,
    /// The available plans.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub plans: Vec<PremiumPlan>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A membership plan.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PremiumPlan {
    /// The billing period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Open<PremiumPeriod>>,
    /// The price in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
    /// The price in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_sats: Option<u64>,
    /// The number of days it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_days: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An invoice for a membership.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PremiumInvoice {
    /// The membership it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_id: Option<Id<kind::Opaque>>,
    /// The billing period it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Open<PremiumPeriod>>,
    /// The amount, in satoshis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_sats: Option<u64>,
    /// The Lightning invoice (BOLT 11), to pay with a wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_request: Option<String>,
    /// The payment hash, by which to fetch the invoice again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<String>,
    /// `pending` until it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A present or past membership.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PremiumPeriodRecord {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Opaque>>,
    /// The billing period that was paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Open<PremiumPeriod>>,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// The amount paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_paid: Option<f64>,
    /// The currency: `sats` or another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// When the invoice was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The billing period of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PremiumPeriod {
    /// One month.
    Monthly,
    /// One year.
    Annual,
}

// ---- endpoints

/// Lists the memberships you have had.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPremiumHistory {}

impl GetPremiumHistory {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetPremiumHistory {
    const NAME: &'static str = "get_premium_history";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/premium/history";
    type Response = Vec<PremiumPeriodRecord>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches an invoice.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPremiumInvoice {
    /// The hash that came with the invoice.
    pub payment_hash: Id<kind::Opaque>,
}

impl GetPremiumInvoice {
    /// Creates a request for this invoice.
    pub fn new(payment_hash: impl Into<Id<kind::Opaque>>) -> Self {
        Self { payment_hash: payment_hash.into() }
    }
}

impl Endpoint for GetPremiumInvoice {
    const NAME: &'static str = "get_premium_invoice";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/premium/invoice/{payment_hash}";
    type Response = PremiumInvoice;

    fn request(&self) -> Request {
        Request::to::<Self>().id("payment_hash", &self.payment_hash)
    }
}

/// Fetches the prices of membership.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPremiumPricing {}

impl GetPremiumPricing {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetPremiumPricing {
    const NAME: &'static str = "get_premium_pricing";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/premium/pricing";
    type Response = PremiumPricing;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Returns whether you are a premium member.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPremiumStatus {}

impl GetPremiumStatus {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetPremiumStatus {
    const NAME: &'static str = "get_premium_status";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/premium/status";
    type Response = PremiumStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Sets whether you want membership renewed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetPremiumAutoRenew {
    /// Whether you want it renewed.
    pub enabled: bool,
}

impl SetPremiumAutoRenew {
    /// Creates a request with this choice.
    pub fn new(enabled: bool) -> Self {
        Self { enabled }
    }
}

impl Endpoint for SetPremiumAutoRenew {
    const NAME: &'static str = "set_premium_auto_renew";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/premium/auto-renew";
    type Response = PremiumStatus;

    fn request(&self) -> Request {
        Request::to::<Self>().json("enabled", self.enabled)
    }
}

/// Requests an invoice for a membership.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SubscribePremium {
    /// The billing period; one month unless set.
    pub period: Option<PremiumPeriod>,
}

impl SubscribePremium {
    /// Creates a request for one month, unless the period is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the billing period.
    #[must_use]
    pub fn period(mut self, period: PremiumPeriod) -> Self {
        self.period = Some(period);
        self
    }
}

impl Endpoint for SubscribePremium {
    const NAME: &'static str = "subscribe_premium";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/premium/subscribe";
    type Response = PremiumInvoice;

    fn request(&self) -> Request {
        Request::to::<Self>().json("period", self.period.unwrap_or(PremiumPeriod::Monthly))
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "premium",
    &[
        Operation::of::<GetPremiumHistory>(),
        Operation::of::<GetPremiumInvoice>(),
        Operation::of::<GetPremiumPricing>(),
        Operation::of::<GetPremiumStatus>(),
        Operation::of::<SetPremiumAutoRenew>(),
        Operation::of::<SubscribePremium>(),
    ],
);
