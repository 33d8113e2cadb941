//! Maintenance of webhooks: available events, deliveries and test deliveries.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Request, Timestamp, Transport, kind};

use super::{Webhook, Webhooks};

// ---- methods

impl<C: Transport> Webhooks<'_, C> {
    /// Lists every event that can be subscribed to, with an example payload. Needs no login.
    ///
    /// # Errors
    ///
    /// [`Server`](crate::ErrorKind::Server) when the service fails.
    #[doc(alias = "list_webhook_events")]
    pub fn events(&self) -> C::Reply<WebhookEvents> {
        self.transport.execute(ListWebhookEvents {})
    }

    /// Fetches one webhook.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such webhook of yours.
    #[doc(alias = "get_webhook")]
    pub fn get(&self, webhook_id: impl Into<Id<kind::Checked>>) -> C::Reply<Webhook> {
        self.transport.execute(GetWebhook::new(webhook_id))
    }

    /// Posts a `test.ping` to a webhook now, once, and returns the response. The failure count does not change.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such webhook of yours;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 20 tests in an hour. An address that refuses the ping is not
    /// an error: see [`success`](WebhookDelivery::success).
    #[doc(alias = "test_webhook")]
    pub fn test(&self, webhook_id: impl Into<Id<kind::Checked>>) -> C::Reply<WebhookDelivery> {
        self.transport.execute(TestWebhook::new(webhook_id))
    }

    /// Lists the deliveries to a webhook and its responses, newest first.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such webhook of yours.
    #[doc(alias = "list_webhook_deliveries")]
    pub fn deliveries(&self, query: ListWebhookDeliveries) -> C::Reply<Vec<WebhookDelivery>> {
        self.transport.execute(query)
    }

    /// Requests that a delivery be repeated, to the webhook's present address and with its present secret. It is
    /// queued; [`deliveries`](Self::deliveries) shows the outcome.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such webhook or delivery of yours.
    #[doc(alias = "replay_webhook_delivery")]
    pub fn replay(&self, replay: ReplayWebhookDelivery) -> C::Reply<ReplayedDelivery> {
        self.transport.execute(replay)
    }

    /// Replaces a webhook's secret. Only this reply contains the new one; the old one is no longer used for signing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such webhook of yours. The request is never
    /// repeated: a second one would replace the secret again.
    #[doc(alias = "rotate_webhook_secret")]
    pub fn rotate_secret(&self, webhook_id: impl Into<Id<kind::Checked>>) -> C::Reply<RotatedSecret> {
        self.transport.execute(RotateWebhookSecret::new(webhook_id))
    }
}

// ---- models

/// The events that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WebhookEvents {
    /// One row for each event.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub events: Vec<WebhookEventInfo>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An event that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WebhookEventInfo {
    /// The name to subscribe with: `post_created` and others.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// When it happens and who is notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where the service's OpenAPI document describes the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_schema_ref: Option<String>,
    /// An example payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example_payload: Option<JsonObject>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// One attempt to post an event.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// The id of this attempt.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<Id<kind::Checked>>,
    /// The event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The id of the event, the same for all attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Id<kind::Checked>>,
    /// The payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<JsonObject>,
    /// The HTTP status of the response; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u64>,
    /// The beginning of the response body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
    /// Whether the delivery was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// The number of the attempt, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// Whether it was repeated on request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_replay: Option<bool>,
    /// When it was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A webhook's new secret.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct RotatedSecret {
    /// The webhook.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The secret, shown only once.
    pub secret: String,
    /// When it came into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for RotatedSecret {
    /// Omits the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatedSecret")
            .field("id", &self.id)
            .field("rotated_at", &self.rotated_at)
            .finish_non_exhaustive()
    }
}

/// A delivery that is to be repeated.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ReplayedDelivery {
    /// The status: `queued`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<Id<kind::Checked>>,
    /// The delivery to repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed_delivery_id: Option<Id<kind::Checked>>,
    /// The id of the queued delivery, until it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox_id: Option<Id<kind::Checked>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists every event that can be subscribed to.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListWebhookEvents {}

impl ListWebhookEvents {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListWebhookEvents {
    const NAME: &'static str = "list_webhook_events";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/webhooks/events";
    type Response = WebhookEvents;

    fn request(&self) -> Request {
        Request::to::<Self>().anonymous()
    }
}

/// Fetches one webhook.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetWebhook {
    /// The webhook.
    pub webhook_id: Id<kind::Checked>,
}

impl GetWebhook {
    /// Creates a request for this webhook.
    pub fn new(webhook_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { webhook_id: webhook_id.into() }
    }
}

impl Endpoint for GetWebhook {
    const NAME: &'static str = "get_webhook";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/webhooks/{webhook_id}";
    type Response = Webhook;

    fn request(&self) -> Request {
        Request::to::<Self>().id("webhook_id", &self.webhook_id)
    }
}

/// Posts a `test.ping` to a webhook now.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TestWebhook {
    /// The webhook.
    pub webhook_id: Id<kind::Checked>,
}

impl TestWebhook {
    /// Creates a request to test this webhook.
    pub fn new(webhook_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { webhook_id: webhook_id.into() }
    }
}

impl Endpoint for TestWebhook {
    const NAME: &'static str = "test_webhook";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/webhooks/{webhook_id}/test";
    type Response = WebhookDelivery;

    fn request(&self) -> Request {
        Request::to::<Self>().id("webhook_id", &self.webhook_id)
    }
}

/// Lists the deliveries to a webhook.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListWebhookDeliveries {
    /// The webhook.
    pub webhook_id: Id<kind::Checked>,
    /// The number of deliveries, 1 to 100; the server's default (20) unless set.
    pub limit: Option<u32>,
    /// The number of deliveries to skip.
    pub offset: Option<u32>,
}

impl ListWebhookDeliveries {
    /// Creates a query for the newest deliveries to this webhook.
    pub fn new(webhook_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { webhook_id: webhook_id.into(), limit: None, offset: None }
    }

    /// Sets the number of deliveries, at most 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of deliveries to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for ListWebhookDeliveries {
    const NAME: &'static str = "list_webhook_deliveries";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/webhooks/{webhook_id}/deliveries";
    type Response = Vec<WebhookDelivery>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("webhook_id", &self.webhook_id)
            .query_some("limit", self.limit)
            .offset(self.offset.unwrap_or(0))
    }
}

/// Requests that a delivery be repeated.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplayWebhookDelivery {
    /// The webhook.
    pub webhook_id: Id<kind::Checked>,
    /// The delivery.
    pub delivery_id: Id<kind::Checked>,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl ReplayWebhookDelivery {
    /// Creates a request to repeat this delivery to this webhook.
    pub fn new(webhook_id: impl Into<Id<kind::Checked>>, delivery_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { webhook_id: webhook_id.into(), delivery_id: delivery_id.into(), idempotency_key: None }
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for ReplayWebhookDelivery {
    const NAME: &'static str = "replay_webhook_delivery";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay";
    type Response = ReplayedDelivery;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("webhook_id", &self.webhook_id)
            .id("delivery_id", &self.delivery_id)
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Replaces a webhook's secret.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RotateWebhookSecret {
    /// The webhook.
    pub webhook_id: Id<kind::Checked>,
}

impl RotateWebhookSecret {
    /// Creates a request to replace this webhook's secret.
    pub fn new(webhook_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { webhook_id: webhook_id.into() }
    }
}

impl Endpoint for RotateWebhookSecret {
    const NAME: &'static str = "rotate_webhook_secret";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/webhooks/{webhook_id}/rotate-secret";
    type Response = RotatedSecret;

    fn request(&self) -> Request {
        Request::to::<Self>().id("webhook_id", &self.webhook_id).secret()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_new_secret_is_not_shown() {
        let rotated: RotatedSecret =
            serde_json::from_value(json!({"id": "w", "secret": "whsec_new", "rotated_at": null})).unwrap();
        assert!(!format!("{rotated:?}").contains("whsec_new"));
        let request = RotateWebhookSecret::new("w").request();
        assert!(request.is_secret());
    }

    #[test]
    fn both_ids_of_a_delivery_stand_in_the_path() {
        let request = ReplayWebhookDelivery::new("w", "d").idempotency_key("k").request();
        let described = request.describe().unwrap();
        assert_eq!(described["path"], "/webhooks/w/deliveries/d/replay");
        assert_eq!(described["headers"]["idempotency-key"], "k");
        let request = ListWebhookDeliveries::new("w").limit(5).offset(10).request();
        assert_eq!(request.describe().unwrap()["query"], json!([["limit", "5"], ["offset", "10"]]));
    }

    #[test]
    fn deliveries_are_read() {
        let delivery: WebhookDelivery = serde_json::from_value(json!({
            "id": "d", "webhook_id": "w", "event": "test.ping", "event_id": null, "payload": {"event": "test.ping"},
            "response_status": 401, "response_body": "no", "success": false, "created_at": "2026-09-19T08:30:00Z",
        }))
        .unwrap();
        assert_eq!((delivery.success, delivery.response_status), (Some(false), Some(401)));
    }
}
