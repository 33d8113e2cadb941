//! Every recorded case of the Python package, against the operations as data: the requests they make
//! and what they make of the replies. Nothing is sent; `tests/` has the same over real sockets.
//!
//! `COLONY_VECTORS=posts,comments` looks at some groups only, and `COLONY_VECTORS_SHOW=50` prints more
//! of what differs.

#![allow(clippy::disallowed_methods, reason = "a test's own switches")]
#![allow(clippy::print_stdout, reason = "cases that differ, and how")]

#[path = "../../tests/src/recorded.rs"]
#[allow(unreachable_pub, reason = "public for the package it is shared with")]
mod recorded;

use std::{fs, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use colony_core::{
    Auth, Base, Body, Error, ErrorKind, FilePart, Opened, Prepared, Reply, Request, Result,
    colony_name::Directory,
    page::{Step, Steps},
    registry::{self, Call},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use recorded::{Outcome, accepted_differences, compare_outcome, decode, is_scored, mask, pairs, segments};
use serde_json::{Value, json};

struct Scene<'a> {
    exchanges: &'a [Value],
    position: usize,
    differences: Vec<String>,
}

impl Scene<'_> {
    fn peek_is_login(&self) -> bool {
        self.exchanges.get(self.position).is_some_and(|x| x["request"]["path"] == "/auth/token")
    }

    /// Answers like the service did, retries and the round after a 401 included.
    fn send(&mut self, request: &Request) -> Option<Reply> {
        loop {
            while self.peek_is_login() && request.auth() == Auth::Bearer || self.peek_is_login_for(request) {
                let refused = self.exchanges[self.position]["response"]["status"].as_u64() >= Some(400);
                self.position += 1;
                if refused && self.position == self.exchanges.len() {
                    // Without a token nothing else is sent; the error is the login's, not this call's.
                    return None;
                }
            }
            let Some(exchange) = self.exchanges.get(self.position) else {
                self.differences.push(format!("request {} more than recorded", self.position + 1));
                return None;
            };
            self.position += 1;
            if let Some(difference) = compare(&exchange["request"], request) {
                self.differences.push(format!("request {}: {difference}", self.position));
            }
            let response = &exchange["response"];
            if response.get("network_error").is_some() {
                return None;
            }
            let status = response["status"].as_u64().unwrap_or(200);
            let again = matches!(status, 429 | 502..=504) && self.next_is(exchange);
            if again || status == 401 && self.peek_is_login() {
                continue;
            }
            return Some(reply(response));
        }
    }

    fn peek_is_login_for(&self, request: &Request) -> bool {
        self.peek_is_login()
            && matches!(request.body(), Body::Form(fields) if fields.iter().any(|(_, value)| value.is_none()))
    }

    fn next_is(&self, exchange: &Value) -> bool {
        self.exchanges
            .get(self.position)
            .is_some_and(|next| next["request"]["path"] == exchange["request"]["path"])
    }
}

fn reply(response: &Value) -> Reply {
    let mut headers = HeaderMap::new();
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().expect("a header name");
        headers.insert(name, HeaderValue::from_str(value.as_str().expect("text")).expect("a header value"));
    }
    let body = if let Some(json) = response.get("json") {
        Bytes::from(json.to_string())
    } else if let Some(text) = response.get("text") {
        Bytes::from(text.as_str().expect("text").to_owned())
    } else {
        let encoded = response.get("bytes_base64").and_then(Value::as_str).unwrap_or("");
        Bytes::from(BASE64_STANDARD.decode(encoded).expect("base64"))
    };
    let status = response["status"].as_u64().expect("a status");
    Reply::new(StatusCode::from_u16(status.try_into().expect("a status")).expect("a status"), headers, body)
}

fn compare(expected: &Value, request: &Request) -> Option<String> {
    if expected["delivered"] == json!(false) {
        return None;
    }
    let whole = match request.path(request.path_style()) {
        Ok(path) => path,
        Err(error) => return Some(format!("no path: {error}")),
    };
    let (path, inline) = whole.split_once('?').unwrap_or((&whole, ""));
    if expected["method"] != request.method().as_str() {
        return Some(format!("verb {}", request.method()));
    }
    if segments(path) != segments(expected["path"].as_str().expect("a path")) {
        return Some(format!("path {path}, recorded {}", expected["path"]));
    }
    let site = expected.get("base").is_some_and(|base| base == "site");
    if site != (*request.base_part() == Base::Site) {
        return Some("wrong base".to_owned());
    }
    let mut query: Vec<(String, String)> =
        request.query_pairs().iter().map(|(k, v)| (k.to_string(), v.clone())).collect();
    for pair in inline.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        query.push((decode(key), decode(value)));
    }
    query.sort();
    let recorded = pairs(&expected["query"]);
    if query != recorded {
        return Some(format!("query {query:?}, recorded {recorded:?}"));
    }
    let header = |name: &str| {
        expected["headers"].as_object().and_then(|h| h.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)))
    };
    let key =
        request.idempotency().map(|key| key.as_bytes().iter().map(|b| char::from(*b)).collect::<String>());
    let recorded_key = header("idempotency-key").map(|(_, value)| value.as_str().unwrap().to_owned());
    // A key of the client's own making is added when the request is sent.
    if recorded_key.is_some() && key != recorded_key {
        return Some(format!("idempotency key {key:?}, recorded {recorded_key:?}"));
    }
    if header("authorization").is_some() != (request.auth() == Auth::Bearer) {
        return Some("authorization differs".to_owned());
    }
    compare_body(expected, request.body())
}

fn compare_body(expected: &Value, body: &Body) -> Option<String> {
    if let Some(recorded) = expected.get("json") {
        let Body::Json(sent) = body else { return Some(format!("body {body:?}, recorded {recorded}")) };
        let sent = mask(Value::Object(sent.clone()));
        let recorded = mask(recorded.clone());
        return (sent != recorded).then(|| format!("body {sent}, recorded {recorded}"));
    }
    if let Some(recorded) = expected.get("form") {
        let Body::Form(fields) = body else { return Some(format!("body {body:?}, recorded {recorded}")) };
        let mut sent: Vec<(String, String)> = fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.clone().unwrap_or_else(|| "<token>".to_owned())))
            .collect();
        let mut recorded: Vec<(String, String)> = recorded
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| {
                let value = pair[1].as_str().unwrap();
                let value = if value.starts_with("jwt-") { "<token>" } else { value };
                (pair[0].as_str().unwrap().to_owned(), value.to_owned())
            })
            .collect();
        sent.sort();
        recorded.sort();
        return (sent != recorded).then(|| format!("form {sent:?}, recorded {recorded:?}"));
    }
    if let Some(recorded) = expected.get("multipart") {
        let Body::File(file) = body else { return Some(format!("body {body:?}, recorded a file")) };
        let sent = json!({"field": file.field, "filename": file.filename, "content_type": file.content_type,
            "bytes_base64": BASE64_STANDARD.encode(content(file))});
        let same = ["field", "filename", "content_type", "bytes_base64"]
            .iter()
            .all(|key| sent[*key] == recorded[*key]);
        return (!same).then(|| format!("part {sent}, recorded {recorded}"));
    }
    (*body != Body::Empty).then(|| "a body, recorded none".to_owned())
}

fn one(scene: &mut Scene<'_>, mut call: Prepared) -> Result<Option<Reply>> {
    call.request.check()?;
    let operation = registry::find(call.request.operation()).expect("an operation");
    if operation.repeat() != Some(call.request.repeat()) {
        scene.differences.push(format!("{:?} by the registry", operation.repeat()));
    }
    if let Some(name) = call.request.unresolved_colony().map(str::to_owned) {
        let lookup = Directory::lookup();
        let Some(found) = scene.send(&lookup.request) else { return Ok(None) };
        let directory = Directory::read(&(lookup.answer)(found, &lookup.request)?)?;
        call.request.resolve_colony(directory.id_of(&name)?);
    }
    call.request.path(call.request.path_style())?;
    let Some(reply) = scene.send(&call.request) else { return Ok(None) };
    (call.answer)(reply, &call.request).map(Some)
}

fn walk(scene: &mut Scene<'_>, mut steps: Box<dyn Steps>) -> Result<Option<Vec<Value>>> {
    let mut items = Vec::new();
    while let Step::Send(request) = steps.next()? {
        let Some(reply) = scene.send(&request) else { return Ok(None) };
        items.extend(steps.take(reply)?);
    }
    Ok(Some(items))
}

fn run(scene: &mut Scene<'_>, case: &Value) -> Result<Outcome> {
    let name = case["method"].as_str().expect("a method");
    let Some(operation) = registry::find(name) else {
        return Err(Error::build(ErrorKind::Api, format!("{name} is not in the registry")).finish());
    };
    Ok(match operation.prepare(case["kwargs"].clone())? {
        Call::Request(call) => match one(scene, call)? {
            Some(reply) => Outcome::Json(reply.json()?),
            None => Outcome::NoReply,
        },
        Call::Download(call) => match one(scene, call)? {
            Some(reply) => Outcome::Bytes(reply.body),
            None => Outcome::NoReply,
        },
        Call::List(steps) => {
            walk(scene, steps)?.map_or(Outcome::NoReply, |items| Outcome::Json(items.into()))
        }
        Call::Batch(steps, gather) => {
            walk(scene, steps)?.map_or(Outcome::NoReply, |items| Outcome::Json(gather(items)))
        }
        Call::Local(value) => Outcome::Json(value),
        _ => Outcome::NoReply,
    })
}

/// What differs between a case and what this SDK does; empty when they agree.
fn differences(case: &Value) -> Vec<String> {
    let exchanges = case["exchanges"].as_array().expect("exchanges");
    let mut scene = Scene { exchanges, position: 0, differences: Vec::new() };
    let outcome = run(&mut scene, case);
    let mut out = scene.differences;
    let left = exchanges[scene.position..].iter().filter(|x| x["request"]["path"] != "/auth/token").count();
    if left > 0 {
        out.push(format!("{left} recorded requests were not made"));
    }
    out.extend(compare_outcome(case, outcome));
    out
}

#[test]
fn operations_agree_with_the_recorded_cases() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/wire");
    let only = std::env::var("COLONY_VECTORS").ok();
    let show: usize = std::env::var("COLONY_VECTORS_SHOW").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let explained = accepted_differences(&folder);
    let (mut total, mut failures) = (0, Vec::new());
    let implemented: Vec<&str> = registry::groups().iter().map(|group| group.name).collect();
    for group in implemented {
        if only.as_ref().is_some_and(|only| !only.split(',').any(|name| name == group)) {
            continue;
        }
        // What goes beyond the Python package was never recorded.
        let Ok(text) = fs::read_to_string(folder.join(format!("{group}.jsonl"))) else { continue };
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).expect("a case");
            // A client's own settings need a client.
            if !is_scored(&case) || case.get("client").is_some() {
                continue;
            }
            total += 1;
            let found = differences(&case);
            let id = case["id"].as_str().unwrap().to_owned();
            if !found.is_empty() && !explained.contains_key(&id) {
                failures.push((id, case["kwargs"].to_string(), found));
            }
        }
    }
    for (id, kwargs, found) in failures.iter().take(show) {
        println!("{id}  {kwargs:.200}");
        for difference in found.iter().take(3) {
            println!("    {difference:.400}");
        }
    }
    println!("{} of {total} cases agree", total - failures.len());
    assert!(failures.is_empty(), "{} of {total} cases differ", failures.len());
}

/// The bytes of an upload.
fn content(file: &FilePart) -> Bytes {
    match file.content.open() {
        Ok(Opened::Bytes(bytes)) => bytes,
        _ => panic!("{}: not bytes", file.filename),
    }
}
