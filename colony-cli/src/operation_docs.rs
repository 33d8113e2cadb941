//! What there is to say about each operation's arguments. The file beside this one is taken from the doc
//! comments of the operations; the test `operation_docs` keeps it up to date.

use serde::{Deserialize, Serialize};

/// One operation.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct OperationDocs {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) arguments: Vec<Argument>,
}

/// One argument of an operation.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Argument {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) docs: String,
}

/// All of them, in the order of the registry. Read when asked for: most commands never do.
pub(crate) fn all() -> Vec<OperationDocs> {
    serde_json::from_str(include_str!("operations.json")).unwrap_or_default()
}

/// The one of this name.
pub(crate) fn of(name: &str) -> OperationDocs {
    all().into_iter().find(|operation| operation.name == name).unwrap_or_default()
}

impl Argument {
    /// A value of the right form, for an example.
    pub(crate) fn sample(&self) -> serde_json::Value {
        match self.kind.as_str() {
            "integer" | "number" => 10.into(),
            "boolean" => true.into(),
            "bytes" => serde_json::json!({"$bytes_base64": "aGVsbG8="}),
            "object" => serde_json::json!({}),
            list if list.starts_with("list") => serde_json::json!(["…"]),
            _ => "…".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_is_read() {
        let post = super::of("create_post");
        assert_eq!(post.arguments[0].name, "title");
        assert!(post.arguments[0].required);
    }
}
