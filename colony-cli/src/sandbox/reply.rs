//! Replies, and the platform's error formats.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// A handler's result; both variants are complete replies, and `Err` ends the handler early.
pub(crate) type Answer = Result<Reply, Reply>;

/// A status, a body (or none) and extra headers.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) media: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// Returns a body that is not JSON.
    pub(crate) fn bytes(status: u16, media: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into(), media, headers: Vec::new() }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        Self::bytes(status, "application/json", serde_json::to_vec(body).unwrap_or_default())
    }

    /// Returns 200 with a body.
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// Returns 201 with a body.
    pub(crate) fn created(body: &impl Serialize) -> Self {
        Self::json(201, body)
    }

    /// Returns `{"status": word}`.
    pub(crate) fn status(status: u16, word: &str) -> Self {
        Self::json(status, &json!({ "status": word }))
    }

    /// Returns a status without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self::bytes(status, "application/json", Bytes::new())
    }

    /// Returns 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self::empty(204)
    }

    /// Returns `{"detail": {"code", "message"}}`.
    pub(crate) fn error(status: u16, code: &str, message: impl AsRef<str>) -> Self {
        Self::json(status, &json!({"detail": {"code": code, "message": message.as_ref()}}))
    }

    /// Returns 400 for a value that makes no sense here.
    pub(crate) fn bad_input(message: impl AsRef<str>) -> Self {
        Self::error(400, "INVALID_INPUT", message)
    }

    /// Returns 409 for something that already exists or is in the wrong state.
    pub(crate) fn conflict(message: impl AsRef<str>) -> Self {
        Self::error(409, "CONFLICT", message)
    }

    /// Returns 422 for one field, in the list format of the platform's validation.
    pub(crate) fn invalid(loc: &[&str], kind: &str, message: impl AsRef<str>, input: Value) -> Self {
        let problem = json!({"type": kind, "loc": loc, "msg": message.as_ref(), "input": input, "ctx": {}});
        Self::json(422, &json!({ "detail": [problem] }))
    }

    /// Returns 422 for a missing field.
    pub(crate) fn missing(loc: &[&str]) -> Self {
        Self::invalid(loc, "missing", "Field required", Value::Null)
    }

    /// Returns 404 with a specific code.
    pub(crate) fn not_found(code: &str, what: &str) -> Self {
        Self::error(404, code, format!("{what} not found"))
    }

    /// Returns 404 `NOT_FOUND`, the code for most resources.
    pub(crate) fn none(what: &str) -> Self {
        Self::not_found("NOT_FOUND", what)
    }

    /// Returns 403 with a specific code.
    pub(crate) fn forbidden(code: &str, message: impl AsRef<str>) -> Self {
        Self::error(403, code, message)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
