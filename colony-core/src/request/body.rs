//! What a request carries.

use std::fmt;

use serde_json::{Map, Value};

use super::content::Content;

/// A request's body.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Body {
    /// None at all.
    #[default]
    Empty,
    /// A JSON object; an empty one is sent as `{}`.
    Json(Map<String, Value>),
    /// Form fields (`application/x-www-form-urlencoded`). A `None` value stands for the client's own
    /// token, which is filled in when the request is sent.
    Form(Vec<(&'static str, Option<String>)>),
    /// One file (`multipart/form-data`, [RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)).
    File(FilePart),
}

/// Shorter texts are words like any other, and no secrets; a two-factor code has six digits.
const SHORTEST_SECRET: usize = 6;

impl Body {
    /// The texts that are sent, as far as they are long enough to be secrets. For a request that holds some.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let mut found = Vec::new();
        match self {
            Self::Json(fields) => fields.values().for_each(|value| collect(value, &mut found)),
            Self::Form(fields) => found.extend(fields.iter().filter_map(|(_, value)| value.as_deref())),
            Self::Empty | Self::File(_) => {}
        }
        found.retain(|text| text.len() >= SHORTEST_SECRET);
        found
    }
}

fn collect<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// A file to upload.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePart {
    /// The form field's name.
    pub field: &'static str,
    /// The file's name.
    pub filename: String,
    /// The media type, `image/png` for example.
    pub content_type: String,
    /// The content.
    pub content: Content,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Json(_) => "Json(..)",
            Self::Form(_) => "Form(..)",
            Self::File(_) => "File(..)",
        })
    }
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart")
            .field("field", &self.field)
            .field("filename", &self.filename)
            .field("content_type", &self.content_type)
            .field("content", &self.content)
            .finish()
    }
}
