//! What there is to say about each operation's arguments. The file beside this one is taken from the doc
//! comments of the operations; the test `operation_docs` keeps it up to date.

use serde::{Deserialize, Serialize};

/// One operation.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct OperationDocs {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) arguments: Vec<Argument>,
    /// Whether it takes fields beside its arguments, whatever the service knows.
    #[serde(default)]
    #[cfg_attr(not(feature = "mcp"), allow(dead_code, reason = "told to models only"))]
    pub(crate) open: bool,
    /// The fields of its answer, `{id, title}`; empty where they are not known.
    #[serde(default)]
    #[cfg_attr(not(feature = "mcp"), allow(dead_code, reason = "told to models only"))]
    pub(crate) answer: String,
}

/// One argument of an operation.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Argument {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) docs: String,
    /// The only words that it takes; none where any text is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) words: Vec<String>,
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
    /// The only values that it takes; none where it takes any of its type.
    pub(crate) fn choices(&self) -> Vec<serde_json::Value> {
        let value = |word: &String| match self.kind.as_str() {
            "integer" => word.parse::<i64>().map_or_else(|_| word.clone().into(), Into::into),
            _ => word.clone().into(),
        };
        self.words.iter().map(value).collect()
    }

    /// A value of the right form, for an example.
    pub(crate) fn sample(&self) -> serde_json::Value {
        if let Some(choice) = self.choices().into_iter().next() {
            return choice;
        }
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
