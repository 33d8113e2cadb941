//! Login, two-factor, keys, token exchange.

use crate::registry::Group;

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new("auth", &[]);
