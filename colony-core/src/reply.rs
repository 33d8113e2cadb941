//! What came back.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, ErrorKind, Request, Result};

/// A reply as it arrived: status, headers, body.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: Arc<HeaderMap>,
    /// The body, whole.
    pub body: Bytes,
    /// What was asked, once the reply is read as an operation's.
    pub(crate) request: Option<Arc<Request>>,
}

impl Reply {
    /// A reply made of its parts.
    pub fn new(status: StatusCode, headers: impl Into<Arc<HeaderMap>>, body: Bytes) -> Self {
        Self { status, headers: headers.into(), body, request: None }
    }

    /// The same reply with another JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self
    }

    /// The same reply with `null` for a body, for operations that answer nothing.
    #[must_use]
    pub fn nothing(self) -> Self {
        self.with_json(&Value::Null)
    }

    /// The body as a JSON value; an empty body (204) is an empty object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the body is not JSON.
    pub fn json(&self) -> Result<Value> {
        self.decode()
    }

    /// The body as a `T`; an empty body (204) is read as an empty object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the body is not JSON or not a `T`; the message names the field.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        crate::json::read(body).map_err(|problem| self.decode_error(&problem))
    }

    #[cold]
    fn decode_error(&self, problem: &str) -> Error {
        let message = format!("the reply cannot be read{problem}");
        let error = Error::build(ErrorKind::Decode, message).status(self.status.as_u16());
        let error = error.request_id(self.request_id().map(str::to_owned));
        match &self.request {
            Some(request) => error.operation(request.operation()).finish(),
            None => error.finish(),
        }
    }

    /// Returns the server's id of the request (`x-request-id`), to name it in a report.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }

    /// A header's value, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The wait the server asked for in whole seconds, when it named one.
    ///
    /// Only the form in seconds is read, and strictly (digits alone), as the service sends it; an HTTP
    /// date or anything else counts as absent
    /// ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.header("retry-after")?)
    }

    /// Whether the status is a success (2xx).
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Whether the body is JSON, as everything is that the service itself says; an empty body is not.
    pub fn is_json(&self) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_ok()
    }

    /// The error this reply stands for, given the request it answers.
    pub fn into_error(self, request: &Request) -> Error {
        let status = self.status.as_u16();
        let id = self.request_id().map(str::to_owned);
        let builder = if request.is_oauth() {
            Error::from_oauth_reply(request.operation(), status, &self.body)
        } else {
            Error::from_api_reply(request.operation(), status, &self.body, self.retry_after())
        };
        let builder = builder.request_id(id);
        if request.is_secret() {
            builder.without_body().without(request.body().secrets()).finish()
        } else {
            builder.finish()
        }
    }
}

/// The usual reading of a reply: a success as it is, anything else as its error.
pub(crate) fn accept(mut reply: Reply, request: &Request) -> Result<Reply> {
    if !reply.is_success() {
        return Err(reply.into_error(request));
    }
    let known = reply.request.take().unwrap_or_else(|| Arc::new(request.clone()));
    Ok(Reply { request: Some(known), ..reply })
}

/// The answer of an operation whose success is all there is to tell.
#[derive(Debug, Clone, PartialEq, Default, serde::Deserialize, serde::Serialize)]
#[non_exhaustive]
pub struct Done {
    /// What the server said all the same; mostly nothing.
    #[serde(flatten)]
    pub extra: crate::JsonObject,
}

fn retry_after(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // More digits than fit are still a number: a very long wait, not an absent one.
    Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_digits_alone() {
        assert_eq!(retry_after("5"), Some(Duration::from_secs(5)));
        assert_eq!(retry_after("0"), Some(Duration::ZERO));
        for other in ["", " 5", "5 ", "-1", "+1", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(retry_after(other), None, "{other:?}");
        }
        assert_eq!(retry_after(&"9".repeat(40)), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn a_secret_that_the_server_repeats_is_not_told() {
        let request = Request::new("get_auth_token", http::Method::POST, "/auth/token")
            .json("api_key", "col_planted")
            .json("two", "no")
            .json("nested", serde_json::json!({"codes": ["plantedcode"]}))
            .secret();
        let body = br#"{"detail": {"code": "X", "message": "no key col_planted, no code plantedcode"}}"#;
        let reply = Reply::new(StatusCode::UNAUTHORIZED, HeaderMap::new(), Bytes::from_static(body));
        let error = reply.clone().into_error(&request);
        assert_eq!(error.message(), "no key [hidden], no code [hidden]");
        assert!(!format!("{error:?} {error}").contains("planted"));
        let body = br#"{"detail": {"code": "NO_col_planted", "message": "no"}}"#;
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "plantedcode".parse().unwrap());
        let error =
            Reply::new(StatusCode::UNAUTHORIZED, headers, Bytes::from_static(body)).into_error(&request);
        assert_eq!((error.code(), error.request_id()), (Some("NO_[hidden]"), Some("[hidden]")));
        let open = Request::new("search", http::Method::POST, "/search").json("query", "col_planted");
        assert!(reply.into_error(&open).message().contains("col_planted"), "only where something is secret");
    }

    #[test]
    fn a_decode_error_names_the_field() {
        #[derive(serde::Deserialize, Debug)]
        struct Thing {
            #[expect(dead_code, reason = "only decoded")]
            count: u32,
        }
        let reply = Reply::new(StatusCode::OK, HeaderMap::new(), Bytes::from_static(br#"{"count": "x"}"#));
        let message = reply.decode::<Thing>().unwrap_err().to_string();
        assert!(message.contains("`count`"), "{message}");
    }
}
