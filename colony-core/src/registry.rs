//! Every operation by name, for programs that learn at run time what to call.
//!
//! ```
//! use colony_core::registry::{self, Call};
//!
//! let operation = registry::find("get_post").expect("it is there");
//! let call = operation.prepare(serde_json::json!({"post_id": "p1"}))?;
//! let Call::Request(call) = call else { unreachable!("get_post is one request") };
//! assert_eq!(call.request.describe()?["path"], "/posts/p1");
//!
//! // The error for a misspelt argument lists the valid ones.
//! let error = operation.prepare(serde_json::json!({"pots_id": "p1"})).unwrap_err();
//! assert!(error.to_string().contains("unknown field `pots_id`, expected `post_id`"));
//! # Ok::<(), colony_core::Error>(())
//! ```

pub use crate::operation::{Access, Call, Group, NoArguments, Operation, answer, read_arguments};

/// All groups.
pub fn groups() -> &'static [Group] {
    crate::api::GROUPS
}

/// All operations, with the name of their group.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static Operation)> {
    groups().iter().flat_map(|group| group.operations.iter().map(|operation| (group.name, operation)))
}

/// The operation of this name.
pub fn find(name: &str) -> Option<&'static Operation> {
    operations().find(|(_, operation)| operation.name == name).map(|(_, operation)| operation)
}
