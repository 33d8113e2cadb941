//! Events for webhooks.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{World, object};

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    /// `post_created`; the webhook events of the service have the same names.
    pub(crate) name: &'static str,
    pub(crate) fields: Map<String, Value>,
    pub(crate) to: To,
}

/// The recipients of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Every subscriber.
    Everyone,
    /// One account.
    User(Uuid),
}

impl World {
    /// Records an event.
    pub(crate) fn emit(&mut self, to: To, name: &'static str, fields: Value) {
        self.outbox.push(Event { id: Uuid::new_v4(), name, fields: object(fields), to });
    }
}
