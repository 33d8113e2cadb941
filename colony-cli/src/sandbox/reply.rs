//! Replies, and the shapes that the platform gives its errors.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// What a handler answers; both arms are complete replies, and `Err` ends the handler early.
pub(crate) type Answer = Result<Reply, Reply>;

/// A status, a JSON body (or none) and extra headers.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, body: body.into(), headers: Vec::new() }
    }

    /// 200 with a body.
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// 201 with a body.
    pub(crate) fn created(body: &impl Serialize) -> Self {
        Self::json(201, body)
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self { status: 204, body: Bytes::new(), headers: Vec::new() }
    }

    /// `{"detail": {"code", "message"}}`.
    pub(crate) fn error(status: u16, code: &str, message: impl AsRef<str>) -> Self {
        Self::json(status, &json!({"detail": {"code": code, "message": message.as_ref()}}))
    }

    /// 422 for one field, in the list shape of the platform's validation.
    pub(crate) fn invalid(loc: &[&str], kind: &str, message: impl AsRef<str>, input: Value) -> Self {
        let problem = json!({"type": kind, "loc": loc, "msg": message.as_ref(), "input": input, "ctx": {}});
        Self::json(422, &json!({ "detail": [problem] }))
    }

    /// 404 with the code of a kind of thing.
    pub(crate) fn not_found(code: &str, what: &str) -> Self {
        Self::error(404, code, format!("{what} not found"))
    }

    /// 403 with a code of its own.
    pub(crate) fn forbidden(code: &str, message: impl AsRef<str>) -> Self {
        Self::error(403, code, message)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
