//! Webhooks: addresses to which events are posted.

mod care;

use std::fmt;

use http::Method;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Request, Timestamp, Transport,
    either::rows_or_object,
    kind,
    names::{self, Both},
    operation::{Group, Operation},
};

pub use self::care::*;

// ---- handle

/// Webhooks: addresses to which events are posted. From [`Client::webhooks`].
#[derive(Debug)]
pub struct Webhooks<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Webhooks: addresses to which events are posted.
    pub fn webhooks(&self) -> Webhooks<'_, C> {
        Webhooks { transport: self.transport() }
    }
}

impl<C: Transport> Webhooks<'_, C> {
    /// Lists your webhooks.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the login is refused.
    #[doc(alias = "get_webhooks")]
    pub fn list(&self) -> C::Reply<WebhookList> {
        self.transport.execute(GetWebhooks::new())
    }

    /// Registers an address to which events are posted.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for an address that is not public, a secret under 16
    /// characters, or more than ten webhooks (`LIMIT_EXCEEDED`).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::webhooks::CreateWebhook;
    ///
    /// # async fn example(client: colony_async::Client, secret: &str) -> colony_core::Result<()> {
    /// let webhook = CreateWebhook::new("https://example.org/colony", ["post_created"], secret);
    /// println!("{}", client.webhooks().create(webhook).await?.id);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_webhook")]
    pub fn create(&self, webhook: CreateWebhook) -> C::Reply<Webhook> {
        self.transport.execute(webhook)
    }

    /// Changes a webhook. Switching it on again resets its failure count.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no change is set;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such webhook of yours.
    #[doc(alias = "update_webhook")]
    pub fn update(&self, changes: UpdateWebhook) -> C::Reply<Webhook> {
        self.transport.execute(changes)
    }

    /// Deletes a webhook.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such webhook of yours.
    #[doc(alias = "delete_webhook")]
    pub fn delete(&self, webhook_id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(DeleteWebhook::new(webhook_id))
    }
}

// ---- models

/// An address to which events are posted.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Webhook {
    /// The id.
    #[serde(flatten, with = "Both::<names::WebhookId>")]
    pub id: Id<kind::Checked>,
    /// The address.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub url: String,
    /// The events that are posted.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub events: Vec<String>,
    /// Whether it is on. The server switches it off after ten consecutive failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The number of consecutive failed deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_count: Option<u64>,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When an event was last posted to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_triggered_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// All webhooks of the caller.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WebhookList {
    /// The webhooks.
    pub webhooks: Vec<Webhook>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl<'de> Deserialize<'de> for WebhookList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default, deserialize_with = "crate::null::as_default")]
            webhooks: Vec<Webhook>,
            #[serde(flatten)]
            extra: JsonObject,
        }

        rows_or_object(
            deserializer,
            |webhooks| Self { webhooks, extra: JsonObject::new() },
            |Fields { webhooks, extra }| Self { webhooks, extra },
        )
    }
}

// ---- endpoints

/// Registers an address to which events are posted.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateWebhook {
    /// The address, which must be reachable from outside.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub url: String,
    /// The events to post: `post_created`, `mention` and so on.
    pub events: Vec<String>,
    /// The secret that deliveries are signed with, at least 16 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub secret: String,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl CreateWebhook {
    /// Creates a webhook for these events at this address, signed with this secret.
    pub fn new(
        url: impl Into<String>,
        events: impl IntoIterator<Item = impl Into<String>>,
        secret: impl Into<String>,
    ) -> Self {
        Self {
            url: url.into(),
            events: events.into_iter().map(Into::into).collect(),
            secret: secret.into(),
            idempotency_key: None,
        }
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl fmt::Debug for CreateWebhook {
    /// Omits the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateWebhook")
            .field("url", &self.url)
            .field("events", &self.events)
            .field("idempotency_key", &self.idempotency_key)
            .finish_non_exhaustive()
    }
}

impl Endpoint for CreateWebhook {
    const NAME: &'static str = "create_webhook";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/webhooks";
    type Response = Webhook;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json("url", &self.url)
            .json("events", &self.events)
            .json("secret", &self.secret)
            .idempotency_key(self.idempotency_key.as_deref())
            .secret()
    }
}

/// Deletes a webhook.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteWebhook {
    /// The webhook.
    pub webhook_id: Id<kind::Checked>,
}

impl DeleteWebhook {
    /// Creates a request to delete this webhook.
    pub fn new(webhook_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { webhook_id: webhook_id.into() }
    }
}

impl Endpoint for DeleteWebhook {
    const NAME: &'static str = "delete_webhook";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/webhooks/{webhook_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("webhook_id", &self.webhook_id)
    }
}

/// Lists your webhooks.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetWebhooks {}

impl GetWebhooks {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetWebhooks {
    const NAME: &'static str = "get_webhooks";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/webhooks";
    type Response = WebhookList;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Changes a webhook. Fields that are not set keep their values.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateWebhook {
    /// The webhook.
    pub webhook_id: Id<kind::Checked>,
    /// The new address.
    #[serde(default, deserialize_with = "crate::args::optional_scalar")]
    pub url: Option<String>,
    /// The new secret, at least 16 characters.
    pub secret: Option<String>,
    /// The events to post from now on.
    pub events: Option<Vec<String>>,
    /// Whether it is on.
    pub is_active: Option<bool>,
}

impl UpdateWebhook {
    /// Creates a request to change this webhook, with no changes yet.
    pub fn new(webhook_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { webhook_id: webhook_id.into(), url: None, secret: None, events: None, is_active: None }
    }

    /// Sets the new address.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Sets the new secret, at least 16 characters.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets the events to post from now on.
    #[must_use]
    pub fn events(mut self, events: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.events = Some(events.into_iter().map(Into::into).collect());
        self
    }

    /// Sets whether it is on.
    #[must_use]
    pub fn is_active(mut self, is_active: bool) -> Self {
        self.is_active = Some(is_active);
        self
    }
}

impl fmt::Debug for UpdateWebhook {
    /// Omits the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateWebhook")
            .field("webhook_id", &self.webhook_id)
            .field("url", &self.url)
            .field("events", &self.events)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

impl Endpoint for UpdateWebhook {
    const NAME: &'static str = "update_webhook";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/webhooks/{webhook_id}";
    type Response = Webhook;

    fn request(&self) -> Request {
        let empty =
            self.url.is_none() && self.secret.is_none() && self.events.is_none() && self.is_active.is_none();
        Request::to::<Self>()
            .id("webhook_id", &self.webhook_id)
            .require("url", !empty, "no change is set; set url, secret, events or is_active")
            .json_some("url", self.url.as_ref())
            .json_some("secret", self.secret.as_ref())
            .json_some("events", self.events.as_ref())
            .json_some("is_active", self.is_active)
            .secret()
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "webhooks",
    &[
        Operation::of::<CreateWebhook>(),
        Operation::of::<DeleteWebhook>(),
        Operation::of::<GetWebhooks>(),
        Operation::of::<UpdateWebhook>(),
        Operation::of::<GetWebhook>(),
        Operation::of::<ListWebhookDeliveries>(),
        Operation::of::<ListWebhookEvents>(),
        Operation::of::<ReplayWebhookDelivery>(),
        Operation::of::<RotateWebhookSecret>(),
        Operation::of::<TestWebhook>(),
    ],
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_of_the_list_are_read() {
        let row = json!({"id": "w1", "url": "https://example.org", "events": null});
        for body in [json!([row]), json!({"webhooks": [row], "total": 1})] {
            let list: WebhookList = serde_json::from_value(body).unwrap();
            assert_eq!(list.webhooks[0].url, "https://example.org");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let webhook = CreateWebhook::new("https://example.org", ["mention"], "sixteen-or-more-x");
        assert!(!format!("{webhook:?}").contains("sixteen"));
        let changes = UpdateWebhook::new("w1").secret("sixteen-or-more-x");
        assert!(!format!("{changes:?}").contains("sixteen"));
    }
}
