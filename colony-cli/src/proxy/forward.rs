//! One request on its way to the origin, and its response on the way back.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use colony_core::{Error, ErrorKind};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

use super::{TokenSource, scrub::Scrub};
use crate::forward::root_cause;

/// The largest body that is held for sending it again after a 401, in bytes.
const MOST_HELD: usize = 1024 * 1024;
/// The most that is read of a 401 to see whether it is the service's own: JSON.
const MOST_OF_A_REFUSAL: usize = 64 * 1024;
/// The number of tokens that are remembered to remove them from responses.
const MOST_TOKENS: usize = 8;
/// The number of remembered operations that refuse every token.
const MOST_REFUSALS: usize = 64;

/// Headers of a connection (RFC 9110, section 7.6.1), and headers that would reveal the sender or the caller.
const NOT_FORWARDED: [HeaderName; 17] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::COOKIE,
    header::EXPECT,
    header::FORWARDED,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    // Contains this proxy's address, and so its word.
    header::REFERER,
    // With partial responses, a token could be fetched in pieces.
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::VIA,
    header::ACCEPT_ENCODING,
];
/// Response headers that the caller does not get.
const NOT_RETURNED: [HeaderName; 10] = [
    header::ALT_SVC,
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::VIA,
];

/// Sends requests with a token.
pub(super) struct Forwarder {
    http: reqwest::Client,
    /// How long the origin may take to begin its response once it has the whole request.
    timeout: Duration,
    tokens: Box<dyn TokenSource>,
    /// The tokens that were sent, the latest last.
    sent: Mutex<VecDeque<SecretString>>,
    /// Operations that refused a replacement token, with that token: while it is in use, their 401 is final.
    refusing: Mutex<VecDeque<(String, SecretString)>>,
}

/// The body of a request.
enum Payload {
    Held(Bytes),
    /// A larger body, with its length if known; consumed by sending it.
    Streamed(Option<Body>, Option<HeaderValue>),
}

impl Forwarder {
    pub(super) fn new(http: reqwest::Client, timeout: Duration, tokens: Box<dyn TokenSource>) -> Self {
        Self { http, timeout, tokens, sent: Mutex::default(), refusing: Mutex::default() }
    }

    /// Sends a request to this address and returns the response. A 401 is remembered by `path`.
    pub(super) async fn pass(&self, url: &Url, path: &str, request: Parts, body: Body) -> Response {
        let operation = format!("{} {path}", request.method);
        self.round(url, &operation, &request, body).await.unwrap_or_else(|failed| failed)
    }

    async fn round(
        &self,
        url: &Url,
        operation: &str,
        request: &Parts,
        body: Body,
    ) -> Result<Response, Response> {
        let mut payload = Payload::read(body, request.headers.get(header::CONTENT_LENGTH)).await?;
        let mut token = self.tokens.token().await.map_err(|error| no_token(&error))?;
        let mut is_second = false;
        loop {
            self.remember(&token);
            let answer = self.send(url, request, &token, &mut payload).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                self.refusing().retain(|(known, _)| known != operation);
                return Ok(self.back(url, answer, None));
            }
            let (answer, begun) = begin(answer).await?;
            if !begun.is_whole || !is_json(&begun.bytes) {
                // A page: from a gateway, which knows nothing about the token.
                return Ok(self.back(url, answer, Some(begun)));
            }
            let is_known =
                self.refusing().iter().any(|(known, refused)| known == operation && is(refused, &token));
            if is_second && !is_known {
                let mut refusing = self.refusing();
                refusing.push_back((operation.to_owned(), token.clone()));
                if refusing.len() > MOST_REFUSALS {
                    refusing.pop_front();
                }
            }
            if is_second || is_known {
                return Ok(self.back(url, answer, Some(begun)));
            }
            match self.tokens.other_than(&token, operation).await {
                Ok(other) if payload.is_repeatable() && !is(&other, &token) => token = other,
                // The next request uses the other token.
                _ => return Ok(self.back(url, answer, Some(begun))),
            }
            is_second = true;
        }
    }

    async fn send(
        &self,
        url: &Url,
        request: &Parts,
        token: &SecretString,
        payload: &mut Payload,
    ) -> Result<reqwest::Response, Response> {
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(|_| {
                failed(StatusCode::BAD_GATEWAY, "PROXY_NO_TOKEN", "the token cannot be sent in a header")
            })?;
        bearer.set_sensitive(true);
        let mut headers = of_end_to_end(&request.headers, &NOT_FORWARDED);
        headers.insert(header::AUTHORIZATION, bearer);
        // A compressed body cannot be searched for the token.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let builder = self.http.request(request.method.clone(), url.clone());
        let (builder, limit) = match payload {
            Payload::Held(bytes) if bytes.is_empty() => {
                // An empty body that was announced stays announced.
                if let Some(length) = request.headers.get(header::CONTENT_LENGTH) {
                    headers.insert(header::CONTENT_LENGTH, length.clone());
                }
                (builder, Some(self.timeout))
            }
            Payload::Held(bytes) => (builder.body(bytes.clone()), Some(self.timeout)),
            Payload::Streamed(body, length) => {
                if let Some(length) = length {
                    headers.insert(header::CONTENT_LENGTH, length.clone());
                }
                let body = body.take().unwrap_or_default().into_data_stream();
                (builder.body(reqwest::Body::wrap_stream(body)), None)
            }
        };
        let sending = builder.headers(headers).send();
        let answer = match limit {
            Some(limit) => tokio::time::timeout(limit, sending).await.map_err(|_| {
                let message = format!("the service did not answer within {} s", limit.as_secs_f64());
                failed(StatusCode::GATEWAY_TIMEOUT, "PROXY_TIMEOUT", &message)
            })?,
            None => sending.await,
        };
        answer.map_err(|error| failed(StatusCode::BAD_GATEWAY, "PROXY_UNREACHABLE", &root_cause(&error)))
    }

    /// Returns the response for the caller. The part of the body that was already read comes before the rest.
    fn back(&self, url: &Url, answer: reqwest::Response, begun: Option<Begun>) -> Response {
        let encoding = answer.headers().get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let message = "the service compressed its answer although it was asked not to, so the token cannot be looked for in it";
            return failed(StatusCode::BAD_GATEWAY, "PROXY_ENCODED", message);
        }
        let scrub = Scrub::new(self.sent().iter().cloned().collect());
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        for (name, value) in of_end_to_end(answer.headers(), &NOT_RETURNED) {
            if let Some(name) = name {
                response.headers_mut().append(name, scrub.header(value));
            }
        }
        if let Some(place) = response.headers().get(header::LOCATION).and_then(|place| at_home(url, place)) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        let begun = begun.map(|begun| Ok(begun.bytes));
        let body = stream::iter(begun).chain(answer.bytes_stream());
        *response.body_mut() = Body::from_stream(scrub.body(body));
        response
    }

    fn remember(&self, token: &SecretString) {
        let mut sent = self.sent();
        if !sent.iter().any(|known| is(known, token)) {
            sent.push_back(token.clone());
            if sent.len() > MOST_TOKENS {
                sent.pop_front();
            }
        }
    }

    fn sent(&self) -> std::sync::MutexGuard<'_, VecDeque<SecretString>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusing(&self) -> std::sync::MutexGuard<'_, VecDeque<(String, SecretString)>> {
        self.refusing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Payload {
    /// Reads a body as far as it is held.
    async fn read(body: Body, length: Option<&HeaderValue>) -> Result<Self, Response> {
        let mut chunks = body.into_data_stream();
        let mut held = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| {
                failed(StatusCode::BAD_REQUEST, "PROXY_REFUSED", "the request's body did not arrive whole")
            })?;
            held.extend_from_slice(&chunk);
            if held.len() > MOST_HELD {
                let begun = stream::iter([Ok(Bytes::from(held))]);
                return Ok(Self::Streamed(Some(Body::from_stream(begun.chain(chunks))), length.cloned()));
            }
        }
        Ok(Self::Held(held.into()))
    }

    fn is_repeatable(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

/// The beginning of a response's body.
struct Begun {
    bytes: Bytes,
    is_whole: bool,
}

async fn begin(mut answer: reqwest::Response) -> Result<(reqwest::Response, Begun), Response> {
    let mut bytes = Vec::new();
    loop {
        let chunk = answer
            .chunk()
            .await
            .map_err(|error| failed(StatusCode::BAD_GATEWAY, "PROXY_UNREACHABLE", &root_cause(&error)))?;
        match chunk {
            None => return Ok((answer, Begun { bytes: bytes.into(), is_whole: true })),
            Some(chunk) => bytes.extend_from_slice(&chunk),
        }
        if bytes.len() > MOST_OF_A_REFUSAL {
            return Ok((answer, Begun { bytes: bytes.into(), is_whole: false }));
        }
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

fn is(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

/// Returns the headers without those of the connection, including any that `Connection` names, and without these.
fn of_end_to_end(headers: &HeaderMap, without: &[HeaderName]) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let is_kept = |name: &HeaderName| {
        let text = name.as_str();
        !without.contains(name)
            && !named.iter().any(|named| named == text)
            && !matches!(text, "keep-alive" | "proxy-connection" | "http2-settings" | "x-real-ip")
            && !text.starts_with("x-forwarded-")
    };
    let mut kept = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| is_kept(name)) {
        kept.append(name, value.clone());
    }
    kept
}

/// Returns an address on the origin relative to the request's, so that a caller that follows it stays with the proxy.
/// `None` for any other address, which the caller may follow without our token.
fn at_home(url: &Url, place: &HeaderValue) -> Option<HeaderValue> {
    let place = url.join(place.to_str().ok()?).ok().filter(|place| place.origin() == url.origin())?;
    HeaderValue::from_str(&url.make_relative(&place)?).ok()
}

/// Returns a response by the proxy itself, in the form of the service's errors.
pub(super) fn failed(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"detail": {"code": code, "message": message}});
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Returns the response for a missing token. Never a 401: the caller's own login is not at fault.
fn no_token(error: &Error) -> Response {
    let status = match error.kind() {
        ErrorKind::RateLimit | ErrorKind::Busy | ErrorKind::CredentialBusy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    };
    let mut response = failed(status, "PROXY_NO_TOKEN", &format!("the proxy has no token: {error}"));
    if let Some(wait) = error.retry_after() {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
