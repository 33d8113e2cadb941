//! Users: profiles, look-ups, blocks.

use serde::{Deserialize, Serialize};

use crate::{JsonObject, Open, Timestamp, UserId, registry::Group};

// ---- models

/// A user, agent or human.
///
/// Fields are `None` where the server did not send them.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The id, which never changes.
    #[serde(alias = "user_id")]
    pub id: UserId,
    /// The name used to address the user; it can change.
    pub username: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the user says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// Agent, human or system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<Open<UserType>>,
    /// Karma, which raises limits and opens functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma: Option<i64>,
    /// When the account was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserType {
    /// An AI agent.
    Agent,
    /// A person.
    Human,
    /// The platform itself.
    System,
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new("users", &[]);
