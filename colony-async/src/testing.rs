//! Clients for tests of your own code: no server, no login, no waiting (feature `testing`).
//!
//! A client that is given a [`Script`] sends nothing. It records each request and replies with the next line of the
//! script for that operation. Without such a line, it returns a plausible reply: one that was recorded for the
//! operation. The code under test uses the normal client, async or blocking, without changes.
//!
//! ```
//! use colony_async::{Client, Result, testing::Script};
//!
//! /// The code under test.
//! async fn greet(client: &Client, name: &str) -> Result<()> {
//!     client.messages().send(colony_async::api::messages::SendMessage::new(name, "Hello")).await?;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let script = Script::new().fails("send_message", 404, "USER_NOT_FOUND");
//! let client = Client::builder("col_test").script(&script).build()?;
//!
//! assert!(greet(&client, "nobody").await.unwrap_err().is_not_found());
//! assert!(greet(&client, "ada").await.is_ok()); // the script is used up: a plausible reply
//!
//! let sent = script.sent();
//! assert_eq!(sent[0].operation, "send_message");
//! assert_eq!(sent[0].request["json"]["body"], "Hello");
//! assert!(script.unused().is_empty()); // every line of the script was used
//! # Ok(()) }
//! ```

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use colony_core::{Error, ErrorKind, Reply, Request, Result, openid, registry};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::time::Timer;

/// The replies of a client without a server, and a record of its requests. Clones share both.
#[derive(Clone, Default)]
pub struct Script {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    server: Option<Arc<Server>>,
    answers: BTreeMap<String, VecDeque<Answer>>,
    sent: Vec<Sent>,
}

/// Plays the server.
type Server = dyn Fn(&Request, Option<&SecretString>) -> Result<Reply> + Send + Sync;

enum Answer {
    Reply(Reply),
    NoAnswer,
}

/// A request that would have been sent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sent {
    /// The operation's name, `create_post`.
    pub operation: &'static str,
    /// The request as [`Request::describe`] shows it: `method`, `path`, `query`, `json` and so on.
    pub request: Value,
}

impl Script {
    /// Creates a script without lines: every operation gets its plausible reply.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a function that replies to every request, logins included. It receives the token that would have been
    /// sent. It can block.
    #[doc(hidden)]
    #[must_use]
    pub fn served_by(
        self,
        server: impl Fn(&Request, Option<&SecretString>) -> Result<Reply> + Send + Sync + 'static,
    ) -> Self {
        self.lock().server = Some(Arc::new(server));
        self
    }

    /// Replies to the next call of this operation with this JSON. Further lines for the same operation are used in
    /// order.
    ///
    /// # Panics
    ///
    /// When no operation has this name.
    #[must_use]
    #[track_caller]
    pub fn answers(self, operation: impl Into<String>, body: Value) -> Self {
        self.line(operation, Answer::Reply(reply(200, Bytes::from(body.to_string()))))
    }

    /// Replies to the next call of this operation with this error status and code.
    ///
    /// # Panics
    ///
    /// When no operation has this name, or the status is not an error status (400 to 599).
    #[must_use]
    #[track_caller]
    pub fn fails(self, operation: impl Into<String>, status: u16, code: &str) -> Self {
        assert!((400..600).contains(&status), "status {status} is not an error's: give one from 400 to 599");
        let body = json!({"detail": {"code": code, "message": "refused by the script"}});
        self.line(operation, Answer::Reply(reply(status, Bytes::from(body.to_string()))))
    }

    /// Makes the next call of this operation fail as if the server had not replied.
    ///
    /// # Panics
    ///
    /// When no operation has this name.
    #[must_use]
    #[track_caller]
    pub fn loses(self, operation: impl Into<String>) -> Self {
        self.line(operation, Answer::NoAnswer)
    }

    #[track_caller]
    fn line(self, operation: impl Into<String>, answer: Answer) -> Self {
        let operation = operation.into();
        assert!(
            is_operation(&operation),
            "no operation is called {operation:?}; the names are those of `colony_core::registry::operations`{}",
            nearest(&operation).map(|name| format!(", {name:?} for example")).unwrap_or_default()
        );
        self.lock().answers.entry(operation).or_default().push_back(answer);
        self
    }

    /// Returns the operations of the unused lines, once for each line, sorted by name.
    pub fn unused(&self) -> Vec<String> {
        let inner = self.lock();
        let left = inner.answers.iter();
        left.flat_map(|(operation, lines)| std::iter::repeat_n(operation.clone(), lines.len())).collect()
    }

    /// Returns the requests that would have been sent so far, in order. Logins are left out.
    pub fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the request and returns the reply.
    pub(crate) fn answer(&self, request: &Request, token: Option<&SecretString>) -> Result<Reply> {
        let operation = request.operation();
        let server = self.lock().server.clone();
        if let Some(server) = server {
            return server(request, token);
        }
        let mut inner = self.lock();
        if request.template() != "/auth/token" {
            inner.sent.push(Sent { operation, request: request.describe()? });
        }
        match inner.answers.get_mut(operation).and_then(VecDeque::pop_front) {
            Some(Answer::Reply(reply)) => Ok(reply),
            Some(Answer::NoAnswer) => {
                let message = "no answer: the script lost this request";
                Err(Error::build(ErrorKind::Network, message).operation(operation).finish())
            }
            None => Ok(plausible(operation)),
        }
    }
}

/// Returns a model with these fields, for a test that needs one: a post, a user or a page of them. Omitted fields are
/// empty.
///
/// ```
/// use colony_async::{api::posts::Post, testing};
///
/// let post: Post = testing::model(serde_json::json!({"id": "p1", "title": "Hello"}));
/// assert_eq!(post.title, "Hello");
/// ```
///
/// # Panics
///
/// When the fields do not fit this model: one has another type, or a required one is missing.
#[track_caller]
pub fn model<T: serde::de::DeserializeOwned>(fields: Value) -> T {
    colony_core::page::from_value(fields).unwrap_or_else(|error| panic!("{error}"))
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("sent", &self.lock().sent.len()).finish_non_exhaustive()
    }
}

/// Returns whether requests can be of this operation: one of the registry, a raw one, or one of the session's own.
fn is_operation(name: &str) -> bool {
    let own = [
        "request",
        "refresh_token",
        openid::discovery::OPERATION,
        openid::audience::OPERATION,
        openid::keys::OPERATION,
    ];
    own.contains(&name) || registry::find(name).is_some()
}

/// Returns the operation whose name has the most in common with this one at its beginning and end.
fn nearest(name: &str) -> Option<&'static str> {
    let shared = |other: &str| {
        let begin = name.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        let end = name.bytes().rev().zip(other.bytes().rev()).take_while(|(a, b)| a == b).count();
        begin + end
    };
    let names = registry::operations().map(|(_, operation)| operation.name);
    names
        .max_by_key(|other| (shared(other), std::cmp::Reverse(other.len().abs_diff(name.len()))))
        .filter(|other| shared(other) > 3)
}

/// Returns a recorded success of the operation; an empty object if none was recorded.
fn plausible(operation: &str) -> Reply {
    static REPLIES: OnceLock<HashMap<String, Value>> = OnceLock::new();
    let replies = REPLIES
        .get_or_init(|| serde_json::from_str(include_str!("testing/replies.json")).unwrap_or_default());
    // A provider without a discovery document has its token endpoint at the default path.
    if operation == openid::discovery::OPERATION {
        return reply(404, Bytes::from_static(b"{}"));
    }
    let Some(recorded) = replies.get(operation) else { return reply(200, Bytes::from_static(b"{}")) };
    let status = recorded["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let body = match (recorded.get("json"), recorded.get("bytes_base64").or(recorded.get("text"))) {
        (Some(json), _) => Bytes::from(json.to_string()),
        // A test that did not script the bytes does not depend on them.
        (None, Some(Value::String(text))) => Bytes::from(text.clone()),
        _ => Bytes::new(),
    };
    reply(status, body)
}

fn reply(status: u16, body: Bytes) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply::new(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), headers, body)
}

/// The system's clock, with pauses that take no time.
pub(crate) struct NoPauses;

impl Timer for NoPauses {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(script: impl FnOnce() -> Script + std::panic::UnwindSafe) -> String {
        let panic = std::panic::catch_unwind(script).expect_err("it is refused");
        panic.downcast_ref::<String>().expect("a message").clone()
    }

    #[test]
    fn a_misspelt_operation_and_an_impossible_status_are_refused() {
        let message = refusal(|| Script::new().answers("send_mesage", json!({})));
        assert!(message.contains("send_mesage") && message.contains("send_message"), "{message}");
        assert!(refusal(|| Script::new().loses("")).contains("no operation"));
        for status in [0, 99, 200, 302, 600, 999] {
            assert!(refusal(move || Script::new().fails("get_post", status, "X")).contains("400 to 599"));
        }
        let _ = Script::new().fails("get_post", 400, "X").fails("request", 599, "X").loses("refresh_token");
    }

    #[test]
    fn lines_that_were_not_used_are_told() {
        let script =
            Script::new().answers("get_me", json!({})).answers("get_me", json!({})).loses("get_post");
        assert_eq!(script.unused(), ["get_me", "get_me", "get_post"]);
        let request = Request::new("get_me", http::Method::GET, "/users/me");
        script.answer(&request, None).expect("the first line");
        assert_eq!(script.unused(), ["get_me", "get_post"]);
    }
}
