//! The description of one operation, for a model.

use colony_core::{policy::Policy, registry::Operation};
use serde_json::{Map, Value, json};

use super::{schema, search};
use crate::operation_docs;

/// Describes an operation.
pub(super) fn describe(operation: &Operation, policy: &Policy) -> Value {
    let docs = operation_docs::of(operation.name);
    let sample: Map<String, Value> = docs
        .arguments
        .iter()
        .filter(|argument| argument.required)
        .map(|argument| (argument.name.clone(), argument.sample()))
        .collect();
    let tool = if operation.access() == colony_core::registry::Access::Read {
        "read_operation"
    } else {
        "write_operation"
    };
    let mut out = json!({
        "operation": search::signature(&docs),
        "docs": docs.docs,
        "access": operation.access(),
        "request": operation.method().map(|method| format!("{method} {}", operation.path)),
        "arguments": schema::of(&docs),
        "example": {"tool": tool, "arguments": {"name": operation.name, "arguments": sample}},
    });
    if !docs.answer.is_empty() {
        out["models"] = operation_docs::models(&docs.answer).into();
        out["answer"] = docs.answer.into();
    }
    if let Some(limit) = policy.daily_limit(operation.name) {
        out["daily_budget"] = limit.into();
    }
    out
}
