//! Echoes: sharing a post with a remark.

use crate::registry::Group;

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new("echoes", &[]);
