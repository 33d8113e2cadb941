//! Waking up and polling: what happened since.

use crate::registry::Group;

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new("session", &[]);
