//! The documentation of each operation's arguments and reply. The files beside this one are generated from the doc
//! comments of the operations and models; the test `operation_docs` keeps them up to date.

use serde::{Deserialize, Serialize};

/// One operation.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct OperationDocs {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) arguments: Vec<Argument>,
    /// Whether it accepts any field that the service knows, in addition to its arguments.
    #[serde(default)]
    #[cfg_attr(not(feature = "mcp"), allow(dead_code, reason = "told to models only"))]
    pub(crate) open: bool,
    /// The shape of its reply, `{items: [Post], total, has_more}`; empty if unknown.
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
    /// The only accepted words; empty if any text is accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) words: Vec<String>,
}

/// Returns all of them, in the order of the registry. Parsed on first use: most commands never do.
pub(crate) fn all() -> Vec<OperationDocs> {
    serde_json::from_str(include_str!("operations.json")).unwrap_or_default()
}

/// Returns the docs of the operation of this name.
pub(crate) fn of(name: &str) -> OperationDocs {
    all().into_iter().find(|operation| operation.name == name).unwrap_or_default()
}

/// Returns the models that a reply's shape names, and the models in those, with the meaning of each field.
#[cfg(feature = "mcp")]
pub(crate) fn models(answer: &str) -> serde_json::Map<String, serde_json::Value> {
    use serde_json::{Map, Value};

    let mut all: Map<String, Value> = serde_json::from_str(include_str!("models.json")).unwrap_or_default();
    let mut take = |shape: &str| -> Map<String, Value> {
        let names = shape.split(|c: char| !c.is_alphanumeric());
        names.filter_map(|name| all.remove_entry(name)).collect()
    };
    let mut told = take(answer);
    let fields = told.values().filter_map(Value::as_object).flat_map(Map::values).filter_map(Value::as_str);
    // `[User]: Who may read it`
    let shapes: Vec<String> =
        fields.filter_map(|field| field.split_once(": ")).map(|(shape, _)| shape.to_owned()).collect();
    for shape in shapes.iter().filter(|shape| !shape.contains(' ')) {
        told.append(&mut take(shape));
    }
    told
}

impl Argument {
    /// Returns the only accepted values; empty if any value of the type is accepted.
    pub(crate) fn choices(&self) -> Vec<serde_json::Value> {
        let value = |word: &String| match self.kind.as_str() {
            "integer" => word.parse::<i64>().map_or_else(|_| word.clone().into(), Into::into),
            _ => word.clone().into(),
        };
        self.words.iter().map(value).collect()
    }

    /// Returns a value of the right form, for an example.
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
