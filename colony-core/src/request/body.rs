//! What a request carries.

use std::fmt;

use bytes::Bytes;
use serde_json::{Map, Value};

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
    pub content: Bytes,
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
            .field("size", &self.content.len())
            .finish()
    }
}
