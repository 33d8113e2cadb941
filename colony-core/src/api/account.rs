//! One's own account: profile, status, e-mail, budgets.

use crate::registry::Group;

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new("account", &[]);
