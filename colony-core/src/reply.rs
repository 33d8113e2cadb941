//! What came back.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use jiff::{civil::DateTime, tz::TimeZone};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, ErrorKind, Request, Result};

/// The [code](Error::code) of a success whose body is a page and not JSON.
pub const NOT_JSON: &str = "not_json";

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
    received: Option<SystemTime>,
    /// What was asked, once the reply is read as an operation's.
    pub(crate) request: Option<Arc<Request>>,
}

impl Reply {
    /// A reply made of its parts.
    pub fn new(status: StatusCode, headers: impl Into<Arc<HeaderMap>>, body: Bytes) -> Self {
        Self { status, headers: headers.into(), body, received: None, request: None }
    }

    /// Says when the reply arrived, which tells how far off a date in it is.
    #[must_use]
    pub fn received_at(mut self, now: SystemTime) -> Self {
        self.received = Some(now);
        self
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

    /// The body as a JSON value; that of a 204 is an empty object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the body is not JSON, or empty.
    pub fn json(&self) -> Result<Value> {
        self.decode()
    }

    /// The body as a `T`; that of a 204 is read as an empty object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] when the body is not a `T`, and the message names the field; or not JSON, with the code
    /// [`NOT_JSON`] where the reply says what it is instead.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let body: &[u8] = match self.status {
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT if self.is_blank() => b"{}",
            _ if self.is_blank() => {
                return Err(self.decode_error(": it is empty where JSON was expected"));
            }
            _ => &self.body,
        };
        crate::json::read(body).map_err(|problem| match self.media_type() {
            Some(kind) if !kind.contains("json") && !self.is_json() => {
                let problem =
                    format!(": it is `{kind}` and not JSON, probably from a proxy or a captive portal");
                self.unreadable(&problem, Some(NOT_JSON))
            }
            _ => self.decode_error(&problem),
        })
    }

    /// Whether the body holds nothing.
    pub(crate) fn is_blank(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }

    fn decode_error(&self, problem: &str) -> Error {
        self.unreadable(problem, None)
    }

    #[cold]
    fn unreadable(&self, problem: &str, code: Option<&str>) -> Error {
        let message = format!("the reply cannot be read{problem}");
        let error = Error::build(ErrorKind::Decode, message).status(self.status.as_u16());
        let error = error.request_id(self.request_id().map(str::to_owned));
        let error = match code {
            Some(code) => error.code(code).finish(),
            None => error.finish(),
        };
        match &self.request {
            Some(request) => error.about(request),
            None => error,
        }
    }

    /// Returns the server's id of the request (`x-request-id`), to name it in a report.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }

    /// Whether the server had done this before, under the same `Idempotency-Key`, and this is its answer of then.
    pub fn is_replay(&self) -> bool {
        is_replay(&self.headers)
    }

    /// The `content-type` without its parameters, when it is one.
    fn media_type(&self) -> Option<&str> {
        let essence = self.header("content-type")?.split(';').next()?.trim();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-.".contains(&byte);
        (essence.len() < 80 && essence.bytes().all(is_plain)).then_some(essence)
    }

    /// A header's value, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The wait the server asked for, in seconds or by an HTTP date
    /// ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
    ///
    /// A date is compared with the reply's own `Date`, so that a clock that is wrong here does not matter,
    /// else with the time at which the reply [was received](Self::received_at). One that has passed is no
    /// wait. Anything else counts as absent.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?;
        seconds(text).or_else(|| {
            let until = http_date(text)?;
            match self.header("date").and_then(http_date) {
                Some(now) => Some(until.duration_since(now).unwrap_or_default()),
                // The date names a whole second, this clock a fraction of one: wait that second out.
                None => {
                    Some((until + Duration::from_secs(1)).duration_since(self.received?).unwrap_or_default())
                }
            }
        })
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
            Error::from_oauth_reply(request.operation(), status, &self.body).retry_after(self.retry_after())
        } else {
            Error::from_api_reply(request.operation(), status, &self.body, self.retry_after())
        };
        let builder = builder.request_id(id);
        let builder = if request.is_secret() {
            builder.without_body().without(request.body().secrets())
        } else {
            builder
        };
        builder.finish().about(request)
    }

    /// Whether the body is an error with this code.
    pub(crate) fn error_code_is(&self, code: &str) -> bool {
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        body.is_some_and(|body| body["detail"]["code"] == code)
    }
}

/// Whether one of the two headers says so that the service has for it.
pub(crate) fn is_replay(headers: &HeaderMap) -> bool {
    let mut values =
        ["idempotent-replay", "x-idempotency-replayed"].into_iter().filter_map(|name| headers.get(name));
    values.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"false"))
}

/// The usual reading of a reply: a success as it is, anything else as its error.
pub(crate) fn accept(mut reply: Reply, request: &Request) -> Result<Reply> {
    if !reply.is_success() {
        return Err(reply.into_error(request));
    }
    let known = reply.request.take().unwrap_or_else(|| Arc::new(request.clone()));
    Ok(Reply { request: Some(known), ..reply })
}

/// As [`accept`], for what need not answer anything: an empty body is an empty object.
pub(crate) fn accept_empty(reply: Reply, request: &Request) -> Result<Reply> {
    let reply = accept(reply, request)?;
    let is_nothing = reply.is_blank() && !request.is_download();
    Ok(if is_nothing { reply.with_json(&Value::Object(serde_json::Map::new())) } else { reply })
}

/// The answer of an operation whose success is all there is to tell.
#[derive(Debug, Clone, PartialEq, Default, serde::Deserialize, serde::Serialize)]
#[non_exhaustive]
pub struct Done {
    /// What the server said all the same; mostly nothing.
    #[serde(flatten)]
    pub extra: crate::JsonObject,
}

/// The three forms of a date that HTTP has
/// ([RFC 9110, section 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)).
fn http_date(text: &str) -> Option<SystemTime> {
    let forms = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let moment = forms.iter().find_map(|form| DateTime::strptime(form, text).ok())?;
    Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp().into())
}

fn seconds(text: &str) -> Option<Duration> {
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
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680);
        let wait = |headers: &[(&'static str, &str)]| {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
                })
                .collect();
            Reply::new(StatusCode::OK, headers, Bytes::new()).received_at(now).retry_after()
        };
        let asked = |text: &str| wait(&[("retry-after", text)]);
        assert_eq!(asked("5"), Some(Duration::from_secs(5)));
        assert_eq!(asked("0"), Some(Duration::ZERO));
        assert_eq!(asked(&"9".repeat(40)), Some(Duration::from_secs(u64::MAX)));
        for other in ["", " 5", "5 ", "-1", "+1", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00"] {
            assert_eq!(asked(other), None, "{other:?}");
        }
        // Eight minutes past seven, 30 s before the first, in each form.
        for text in
            ["Wed, 21 Oct 2026 07:28:30 GMT", "Wednesday, 21-Oct-26 07:28:30 GMT", "Wed Oct 21 07:28:30 2026"]
        {
            assert_eq!(asked(text), Some(Duration::from_secs(31)), "{text}");
        }
        assert_eq!(asked("Wed, 21 Oct 2026 06:28:30 GMT"), Some(Duration::ZERO));
        let by_its_clock =
            [("retry-after", "Wed, 21 Oct 2020 07:28:30 GMT"), ("date", "Wed, 21 Oct 2020 07:28:00 GMT")];
        assert_eq!(wait(&by_its_clock), Some(Duration::from_secs(30)));
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
    fn an_answer_that_is_given_again_is_told() {
        for (name, value, expected) in [
            ("idempotent-replay", "true", true),
            ("x-idempotency-replayed", "true", true),
            ("x-idempotency-replayed", "False", false),
            ("x-other", "true", false),
        ] {
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())]);
            assert_eq!(
                Reply::new(StatusCode::OK, headers, Bytes::new()).is_replay(),
                expected,
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn a_page_in_place_of_json_is_called_a_page() {
        let error = |kind: &'static str, body: &'static [u8]| {
            let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, kind.parse().unwrap())]);
            Reply::new(StatusCode::OK, headers, Bytes::from_static(body)).json().unwrap_err()
        };
        let page = error("text/html; charset=utf-8", b"<html>log in to the network</html>");
        assert!(page.to_string().contains("it is `text/html` and not JSON"), "{page}");
        assert_eq!(page.code(), Some(NOT_JSON));
        let message = |kind, body| error(kind, body).to_string();
        assert!(!message("application/json", b"<html>").contains("not JSON"));
        assert!(!message("text/\"html", b"<html>").contains("html"), "only what is a media type is repeated");
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
