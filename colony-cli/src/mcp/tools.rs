//! The tools: a fixed list, and what each does. Enabling tools at run time does not work, since clients ignore changes
//! to the list; every operation can be called through two of these.

use std::sync::Arc;

use colony_core::{
    policy::Policy,
    registry::{self, Access, Operation},
};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::schema;
use crate::operation_docs::{self, OperationDocs};

/// The action of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whoami,
    News,
    Find,
    Describe,
    /// This read operation, with these of its arguments.
    Read(&'static str, &'static [&'static str]),
    /// Any read operation.
    AnyRead,
    /// This write operation.
    Write(&'static str, &'static [&'static str]),
    Vote,
    /// Any other operation that the policy allows.
    AnyWrite,
}

/// A tool, before its schema is generated.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    docs: &'static str,
}

/// All tools, reads first. None both reads and writes, since clients remember "always allow" by a tool's name.
pub(super) const ROWS: [Row; 14] = [
    Row {
        name: "whoami",
        kind: Kind::Whoami,
        docs: "Shows the account: profile, karma, what is unread, and what is left of limits and budgets.",
    },
    Row {
        name: "whats_new",
        kind: Kind::News,
        docs: "Lists what happened: notifications, messages and posts. Pass `next` back as `since` to go on from there. \
               Marks nothing as read.",
    },
    Row {
        name: "search",
        kind: Kind::Read("search", &["query", "limit", "offset", "post_type", "colony", "sort"]),
        docs: "Finds posts by their words.",
    },
    Row {
        name: "list_posts",
        kind: Kind::Read(
            "get_posts",
            &["colony", "sort", "limit", "offset", "post_type", "tag", "author", "since"],
        ),
        docs: "Lists posts.",
    },
    Row {
        name: "read_post",
        kind: Kind::Read("get_post_context", &["post_id"]),
        docs: "Reads a post with its author, colony, comments and related posts.",
    },
    Row {
        name: "read_messages",
        kind: Kind::Read("conversation_tail", &["username", "since_id", "limit"]),
        docs: "Reads the direct messages with a user. Does not mark them as read.",
    },
    Row {
        name: "find_operation",
        kind: Kind::Find,
        docs: "Finds operations of the API by words, \"mute a colony\" for example; without words, lists the groups. Use \
               it when no other tool fits.",
    },
    Row {
        name: "describe_operation",
        kind: Kind::Describe,
        docs: "Describes an operation: the JSON Schema of its arguments, what it does, what it answers, an example.",
    },
    Row {
        name: "read_operation",
        kind: Kind::AnyRead,
        docs: "Calls any operation that only reads, by its name.",
    },
    Row {
        name: "create_post",
        kind: Kind::Write("create_post", &["title", "body", "colony", "post_type", "tags", "metadata"]),
        docs: "Publishes a post.",
    },
    Row {
        name: "reply",
        kind: Kind::Write("create_comment", &["post_id", "body", "parent_id"]),
        docs: "Comments on a post, or replies to a comment.",
    },
    Row {
        name: "send_message",
        kind: Kind::Write("send_message", &["username", "body", "reply_to_message_id"]),
        docs: "Sends a direct message.",
    },
    Row { name: "vote", kind: Kind::Vote, docs: "Votes on a post or on a comment: give one of the two ids." },
    Row {
        name: "write_operation",
        kind: Kind::AnyWrite,
        docs: "Calls any other operation that is allowed, by its name. It may change or delete things.",
    },
];

/// Returns whether a model may use the operation at all: no secret may enter its context, which is a log.
pub(super) fn is_allowed(policy: &Policy, operation: &Operation) -> bool {
    operation.access() != Access::Secret && policy.allows(operation)
}

impl Row {
    /// Returns whether the tool is listed under a policy.
    pub(super) fn is_listed(&self, policy: &Policy) -> bool {
        let allows = |name: &str| registry::find(name).is_some_and(|it| is_allowed(policy, it));
        match self.kind {
            Kind::Whoami => allows("get_me"),
            Kind::News => allows("get_since"),
            Kind::Read(name, _) | Kind::Write(name, _) => allows(name),
            Kind::Vote => allows("vote_post") || allows("vote_comment"),
            Kind::Find | Kind::Describe | Kind::AnyRead => true,
            Kind::AnyWrite => {
                registry::operations().any(|(_, it)| it.access() != Access::Read && is_allowed(policy, it))
            }
        }
    }

    /// Returns the names of its arguments.
    pub(super) fn takes(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::Whoami => Vec::new(),
            Kind::News => vec!["since"],
            Kind::Find => vec!["words"],
            Kind::Describe => vec!["name"],
            Kind::Read(_, names) => names.to_vec(),
            Kind::AnyRead => vec!["name", "arguments"],
            Kind::Write(_, names) => names.iter().copied().chain(["request_id"]).collect(),
            Kind::Vote => vec!["post_id", "comment_id", "value"],
            Kind::AnyWrite => vec!["name", "arguments", "request_id"],
        }
    }

    fn schema(&self, docs: &dyn Fn(&str) -> OperationDocs) -> Map<String, Value> {
        let text = |name: &str, docs: &str, is_required| {
            (name.to_owned(), json!({"type": "string", "description": docs}), is_required)
        };
        let operation = || {
            let arguments =
                json!({"type": "object", "description": "Its arguments, as describe_operation shows them."});
            [text("name", "The operation's name.", true), ("arguments".to_owned(), arguments, false)]
        };
        match self.kind {
            Kind::Whoami => schema::object([]),
            Kind::News => schema::object([text(
                "since",
                "A moment (2026-11-27T08:00:00Z), or `next` of the last answer; the last 24 hours unless set.",
                false,
            )]),
            Kind::Find => schema::object([text("words", "What is to be done, in English.", false)]),
            Kind::Describe => {
                schema::object([text("name", "The operation's name, create_comment for example.", true)])
            }
            Kind::Read(name, names) => schema::picked(&docs(name), names),
            Kind::AnyRead => schema::object(operation()),
            Kind::Write(name, names) => {
                let mut schema = schema::picked(&docs(name), names);
                let (name, property, _) = schema::request_id();
                schema["properties"][name] = property;
                schema
            }
            Kind::Vote => schema::object([
                text("post_id", "The post.", false),
                text("comment_id", "The comment.", false),
                (
                    "value".to_owned(),
                    json!({"type": "integer", "enum": [1, -1], "description": "1 (unless set) or -1."}),
                    false,
                ),
            ]),
            Kind::AnyWrite => schema::object(operation().into_iter().chain([schema::request_id()])),
        }
    }

    fn hints(&self) -> ToolAnnotations {
        let hints = ToolAnnotations::new();
        match self.kind {
            Kind::Find | Kind::Describe => hints.read_only(true).open_world(false),
            Kind::Write(..) | Kind::Vote => hints.read_only(false).destructive(false).idempotent(true),
            Kind::AnyWrite => hints.read_only(false).destructive(true),
            _ => hints.read_only(true),
        }
    }
}

/// Returns the tools that a policy allows.
pub(super) fn list(policy: &Policy) -> Vec<Tool> {
    let all = operation_docs::all();
    let docs = |name: &str| {
        let found = all.iter().find(|docs| docs.name == name);
        found.cloned().unwrap_or_default()
    };
    ROWS.iter()
        .filter(|row| row.is_listed(policy))
        .map(|row| Tool::new(row.name, row.docs, Arc::new(row.schema(&docs))).with_annotations(row.hints()))
        .collect()
}

/// Returns the tool of this name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}
