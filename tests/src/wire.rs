//! A request that came over the wire against the recorded one.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{
    raw::Received,
    recorded::{mask, pairs, segments},
};

/// The headers that are recorded.
const HEADERS: [&str; 4] = ["content-type", "idempotency-key", "authorization", "accept"];

/// What differs between the requests that were made and the recorded exchanges.
pub fn compare_all(exchanges: &Value, received: &[Received], base_path: &str) -> Vec<String> {
    let exchanges = exchanges.as_array().expect("exchanges");
    let mut out = Vec::new();
    for (index, (exchange, request)) in exchanges.iter().zip(received).enumerate() {
        if let Some(difference) = compare(&exchange["request"], request, base_path) {
            out.push(format!("request {}: {difference}", index + 1));
        }
    }
    if exchanges.len() != received.len() {
        let made: Vec<String> = received.iter().map(|x| format!("{} {}", x.method, x.target)).collect();
        out.push(format!("{} requests, recorded {}: {made:?}", received.len(), exchanges.len()));
    }
    out
}

/// What differs between a request and the recorded one.
pub fn compare(expected: &Value, request: &Received, base_path: &str) -> Option<String> {
    // Nothing but that it was tried is recorded of a request whose connection failed.
    if expected["delivered"] == Value::Bool(false) {
        return None;
    }
    if expected["method"] != request.method.as_str() {
        return Some(format!("method {}, recorded {}", request.method, expected["method"]));
    }
    let on_site = expected.get("base").is_some_and(|base| base == "site");
    let path = if on_site { Some(request.path()) } else { request.path().strip_prefix(base_path) };
    let recorded_path = expected["path"].as_str().expect("a path");
    if path.map(segments) != Some(segments(recorded_path)) {
        return Some(format!("path {path:?}, recorded {recorded_path}"));
    }
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let (query, recorded) = (read_form(query.as_bytes()), pairs(&expected["query"]));
    if query != recorded {
        return Some(format!("query {query:?}, recorded {recorded:?}"));
    }
    compare_headers(&expected["headers"], request).or_else(|| compare_body(expected, request))
}

fn compare_headers(recorded: &Value, request: &Received) -> Option<String> {
    let recorded_of = |name: &str| {
        let mut headers = recorded.as_object()?.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
    };
    for name in HEADERS {
        let (mut sent, recorded) = (request.header(name), recorded_of(name));
        if name == "content-type" {
            // The boundary is each client's own.
            sent = sent.map(|kind| kind.split(';').next().unwrap_or(kind));
            if sent != recorded.map(|kind| kind.split(';').next().unwrap_or(kind)) {
                return Some(format!("content-type {sent:?}, recorded {recorded:?}"));
            }
        } else if name == "accept" && recorded.is_none() {
            // HTTP libraries add one that says "anything".
        } else if name == "idempotency-key" && recorded.is_none() && request.method != "GET" {
            // A write may carry a key of the client's own making.
        } else if sent != recorded {
            return Some(format!("{name} {sent:?}, recorded {recorded:?}"));
        }
    }
    None
}

fn compare_body(expected: &Value, request: &Received) -> Option<String> {
    if let Some(recorded) = expected.get("json") {
        let sent = request.json();
        let same = sent.clone().map(mask) == Some(mask(recorded.clone()));
        return (!same).then(|| format!("body {sent:?}, recorded {recorded}"));
    }
    if let Some(recorded) = expected.get("form") {
        let (sent, recorded) = (read_form(&request.body), pairs(recorded));
        return (sent != recorded).then(|| format!("form {sent:?}, recorded {recorded:?}"));
    }
    if let Some(recorded) = expected.get("multipart") {
        return compare_part(recorded, request);
    }
    (!request.body.is_empty()).then(|| format!("a body of {} bytes, recorded none", request.body.len()))
}

fn compare_part(recorded: &Value, request: &Received) -> Option<String> {
    let Some(part) = Part::read(request) else { return Some("the body is not one multipart part".into()) };
    let want = |key: &str| recorded[key].as_str().unwrap_or_default().to_owned();
    for (what, sent, recorded) in [
        ("field", &part.field, want("field")),
        ("filename", &part.filename, want("filename")),
        ("part's content-type", &part.content_type, want("content_type")),
        ("bytes", &part.content_base64, want("bytes_base64")),
    ] {
        if *sent != recorded {
            return Some(format!("{what} {sent:?}, recorded {recorded:?}"));
        }
    }
    None
}

/// The one part of an upload.
struct Part {
    field: String,
    filename: String,
    content_type: String,
    content_base64: String,
}

impl Part {
    fn read(request: &Received) -> Option<Self> {
        let boundary = request.header("content-type")?.split_once("boundary=")?.1.trim_matches('"');
        let open = format!("--{boundary}\r\n").into_bytes();
        let close = format!("\r\n--{boundary}--\r\n").into_bytes();
        let whole = request.body.strip_prefix(&*open)?.strip_suffix(&*close)?;
        let head_end = whole.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&whole[..head_end]).ok()?;
        let mut part = Self {
            field: String::new(),
            filename: String::new(),
            content_type: String::new(),
            content_base64: BASE64_STANDARD.encode(&whole[head_end + 4..]),
        };
        for line in head.split("\r\n") {
            let (name, value) = line.split_once(": ")?;
            if name.eq_ignore_ascii_case("content-type") {
                value.clone_into(&mut part.content_type);
            } else if name.eq_ignore_ascii_case("content-disposition") {
                part.field = quoted(value, "; name=\"")?;
                part.filename = quoted(value, "; filename=\"")?;
            }
        }
        Some(part)
    }
}

/// Reads a quoted parameter as the HTML standard has it, which escapes `"` and line breaks by percent
/// signs, and as RFC 7578's forerunners have it, with a backslash.
fn quoted(text: &str, key: &str) -> Option<String> {
    let rest = &text[text.find(key)? + key.len()..];
    let mut out = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(out.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")),
            '\\' => out.push(chars.next()?),
            other => out.push(other),
        }
    }
}

fn read_form(text: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(text).into_owned().collect();
    pairs.sort();
    pairs
}
