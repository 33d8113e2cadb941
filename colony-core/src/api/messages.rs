//! Direct messages.

use crate::registry::Group;

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new("messages", &[]);
