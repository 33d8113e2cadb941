//! Every reply of the sandbox against the service's own description: exactly its fields, with its types, under its
//! status.
//!
//! One test visits each served route; a route without a checked reply fails by name.

#![allow(clippy::print_stdout, reason = "figures for whoever runs the tests with --nocapture")]

mod account;
mod content;
mod keeping;
mod talk;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use colony_cli::sandbox::{ListedRoute, Options, Sandbox, routes};
use colony_tests::openapi::{Description, route};
use reqwest::{Client, Method, multipart};
use serde_json::{Value, json};

/// Deliberate differences of a reply from the description: route, fault, reason.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "POST /messages/conversations/{}/spam",
    "status 200, not 201",
    "a repetition is answered 200, as its notes say",
)];

/// Routes that never succeed here, with the reason.
const NEVER: [(&str, &str); 3] = [
    ("GET /stream", "its answer has no end"),
    ("POST /posts/{post_id}/cognition", "no post asks its author for a proof of thought"),
    ("POST /comments/{comment_id}/cognition", "no comment does, either"),
];

/// A sandbox whose replies are checked.
pub(crate) struct Contract {
    description: Description,
    pub(crate) sandbox: Sandbox,
    http: Client,
    checked: Mutex<BTreeSet<String>>,
    faults: Mutex<BTreeSet<String>>,
}

/// The caller.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) id: String,
    pub(crate) name: String,
    token: String,
}

/// Returns the anonymous caller, which has no token.
pub(crate) fn nobody() -> Who {
    Who { id: String::new(), name: String::new(), token: String::new() }
}

impl Contract {
    async fn start() -> Self {
        let options = Options { webhook_pauses: Vec::new(), ..Options::default() };
        Self {
            description: Description::load(),
            sandbox: Sandbox::start(options).await.expect("a free port"),
            http: Client::builder().no_proxy().build().expect("a client"),
            checked: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// Sends `METHOD /path` as this caller; a body of `null` is none.
    pub(crate) async fn send(&self, who: &Who, request: &str, body: Value) -> (u16, Value) {
        let (method, path) = request.split_once(' ').expect("METHOD /path");
        let url = format!("{}{path}", self.sandbox.base_url());
        let mut sent = self.http.request(method.parse::<Method>().expect("a method"), url);
        if !who.token.is_empty() {
            sent = sent.bearer_auth(&who.token);
        }
        if !body.is_null() {
            sent = sent.json(&body);
        }
        self.read(method, path, sent).await
    }

    async fn read(&self, method: &str, path: &str, sent: reqwest::RequestBuilder) -> (u16, Value) {
        let reply = sent.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = reply.status().as_u16();
        let media =
            reply.headers().get("content-type").map(|value| value.to_str().unwrap_or_default().to_owned());
        let bytes = reply.bytes().await.expect("a body");
        let value: Value = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(_) => json!(bytes.len()),
        };
        if (200..300).contains(&status) {
            let value = (media.as_deref() == Some("application/json")).then_some(&value);
            self.check(method, path, status, value);
        }
        (status, if bytes.is_empty() { Value::Null } else { value })
    }

    fn check(&self, method: &str, path: &str, status: u16, value: Option<&Value>) {
        let path = path.split('?').next().unwrap_or_default();
        let path = if path == "/" { "" } else { path };
        let Some(operation) = self.description.asked_for(method, path) else {
            let known = routes().iter().any(|listed| fits(listed.route, &format!("{method} {path}")));
            assert!(known, "{method} {path} is answered and not listed");
            return;
        };
        let route = operation.route();
        let mut found = Vec::new();
        if status != operation.response.status {
            found.push(format!("status {status}, not {}", operation.response.status));
        }
        match value {
            Some(value) => found
                .extend(self.description.faults(&operation.response, value).iter().map(ToString::to_string)),
            None => {
                let bytes = operation
                    .response
                    .schema
                    .as_ref()
                    .is_none_or(|kind| *kind == colony_tests::openapi::Type::Bytes);
                if !bytes {
                    found.push("no JSON".to_owned());
                }
            }
        }
        for fault in found {
            // All rows of a list share one fault.
            let fault = fault.split('[').enumerate().map(|(at, part)| match part.split_once(']') {
                Some((_, rest)) if at > 0 => rest.to_owned(),
                _ => part.to_owned(),
            });
            let fault = fault.collect::<Vec<_>>().join("[]");
            if !EXCEPTIONS.iter().any(|(of, what, _)| *of == route && *what == fault) {
                self.faults.lock().unwrap().insert(format!("{route}: {fault}"));
            }
        }
        self.checked.lock().unwrap().insert(route);
    }

    /// Makes a call that must succeed.
    pub(crate) async fn ok(&self, who: &Who, request: &str, body: Value) -> Value {
        let (status, reply) = self.send(who, request, body).await;
        assert!((200..300).contains(&status), "{request} as {:?}: {status} {reply}", who.name);
        reply
    }

    pub(crate) async fn get(&self, who: &Who, path: &str) -> Value {
        self.ok(who, &format!("GET {path}"), Value::Null).await
    }

    pub(crate) async fn post(&self, who: &Who, path: &str, body: Value) -> Value {
        self.ok(who, &format!("POST {path}"), body).await
    }

    pub(crate) async fn put(&self, who: &Who, path: &str, body: Value) -> Value {
        self.ok(who, &format!("PUT {path}"), body).await
    }

    pub(crate) async fn patch(&self, who: &Who, path: &str, body: Value) -> Value {
        self.ok(who, &format!("PATCH {path}"), body).await
    }

    pub(crate) async fn delete(&self, who: &Who, path: &str) -> Value {
        self.ok(who, &format!("DELETE {path}"), Value::Null).await
    }

    /// Makes a call that must be refused with this status.
    pub(crate) async fn refused(&self, who: &Who, request: &str, body: Value, expected: u16) -> Value {
        let (status, reply) = self.send(who, request, body).await;
        assert_eq!(status, expected, "{request}: {reply}");
        let detail = &reply["detail"];
        assert!(detail["code"].is_string() || detail[0]["loc"].is_array(), "{request}: {reply}");
        reply
    }

    /// Sends a form with one file.
    pub(crate) async fn upload(&self, who: &Who, path: &str, file: &[u8]) -> Value {
        let part = multipart::Part::bytes(file.to_vec()).file_name("file.png").mime_str("image/png").unwrap();
        let url = format!("{}{path}", self.sandbox.base_url());
        let sent =
            self.http.post(url).bearer_auth(&who.token).multipart(multipart::Form::new().part("file", part));
        let (status, reply) = self.read("POST", path, sent).await;
        assert!((200..300).contains(&status), "POST {path}: {status} {reply}");
        reply
    }

    /// Makes a control call.
    pub(crate) async fn control(&self, what: &str, body: Value) -> Value {
        let url = format!("{}/_control/{what}", self.sandbox.site());
        let reply = self.http.post(url).json(&body).send().await.expect("a reply");
        assert!(reply.status().is_success(), "{what}: {}", reply.status());
        reply.json().await.expect("JSON")
    }

    /// Returns the mails that would have been sent.
    pub(crate) async fn mail(&self) -> Value {
        let url = format!("{}/_control/mail", self.sandbox.site());
        self.http.get(url).send().await.expect("a reply").json().await.expect("JSON")
    }

    /// Logs in with a key and returns its account.
    pub(crate) async fn login(&self, key: &str) -> Who {
        let reply = self.post(&nobody(), "/auth/token", json!({ "api_key": key })).await;
        let mut who = Who { token: text(&reply["access_token"]), ..nobody() };
        let me = self.get(&who, "/users/me").await;
        (who.id, who.name) = (text(&me["id"]), text(&me["username"]));
        who
    }

    /// Registers an account.
    pub(crate) async fn register(&self, name: &str) -> Who {
        let body = json!({"username": name, "display_name": name, "bio": "An account for tests"});
        let reply = self.post(&nobody(), "/auth/register", body).await;
        self.login(&text(&reply["api_key"])).await
    }

    /// Registers an account of a person.
    pub(crate) async fn human(&self, name: &str) -> Who {
        let who = self.register(name).await;
        self.control("user", json!({"username": name, "user_type": "human", "karma": 100})).await;
        who
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns whether a path matches a template.
fn fits(template: &str, asked: &str) -> bool {
    let (places, parts) = (template.split('/'), asked.split('/'));
    places.clone().count() == parts.clone().count()
        && places.zip(parts).all(|(place, part)| place.starts_with('{') || place == part)
}

/// A picture of one pixel.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reply_is_as_the_service_describes_it() {
    let contract = Contract::start().await;
    let me = contract.login(contract.sandbox.api_key()).await;
    content::story(&contract, &me).await;
    talk::story(&contract, &me).await;
    keeping::story(&contract, &me).await;
    work::story(&contract, &me).await;
    account::story(&contract, &me).await;

    let checked = contract.checked.lock().unwrap();
    let unchecked: Vec<&str> = routes()
        .iter()
        .filter(|listed| listed.served && described(&contract.description, listed))
        .map(|listed| listed.route)
        .filter(|key| !checked.contains(&normal(key)) && !NEVER.iter().any(|(never, _)| never == key))
        .collect();
    let faults = contract.faults.lock().unwrap();
    let served = routes().iter().filter(|listed| listed.served).count();
    println!(
        "routes served: {served}, answered 501: {}, replies checked: {} routes",
        routes().len() - served,
        checked.len()
    );
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.iter().cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(
        unchecked.is_empty(),
        "no reply was checked for {} routes:\n{}",
        unchecked.len(),
        unchecked.join("\n")
    );
}

/// Returns a listed route in the description's form.
fn normal(key: &str) -> String {
    let (method, path) = key.split_once(' ').expect("METHOD /path");
    route(method, if path == "/" { "" } else { path })
}

fn described(description: &Description, listed: &ListedRoute) -> bool {
    description.find(&normal(listed.route)).is_some()
}

#[test]
fn every_operation_of_the_description_is_listed() {
    let description = Description::load();
    let listed: BTreeMap<String, ListedRoute> =
        routes().into_iter().map(|listed| (normal(listed.route), listed)).collect();
    let mut wrong = Vec::new();
    for operation in description.operations.iter().filter(|operation| operation.path.starts_with("/api/v1")) {
        match listed.get(&operation.route()) {
            None => wrong.push(format!("{} is not listed", operation.route())),
            Some(row) if row.served && row.needs_login != (operation.auth == "required") => {
                wrong.push(format!("{}: login {}", operation.route(), operation.auth));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_not_served_names_its_operation() {
    let contract = Contract::start().await;
    let me = contract.login(contract.sandbox.api_key()).await;
    for listed in routes().iter().filter(|listed| !listed.served) {
        let request: Vec<&str> =
            listed.route.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        for who in [&me, &nobody()] {
            let (status, reply) = contract.send(who, &request.join("/"), Value::Null).await;
            assert_eq!(status, 501, "{}", listed.route);
            let message = text(&reply["detail"]["message"]);
            assert!(message.contains(&listed.operations.replace(',', ", ")), "{message}");
        }
    }
    for listed in routes().iter().filter(|listed| listed.served && listed.needs_login) {
        let request: Vec<&str> =
            listed.route.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let (status, _) = contract.send(&nobody(), &request.join("/"), Value::Null).await;
        assert!(status == 401 || status == 403, "{}: {status}", listed.route);
    }
}
