//! A server that returns the given replies, in order, and records its requests.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use serde_json::Value;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::raw::Received;

/// The status of a reply to a request that is not in the script.
pub const NOT_SCRIPTED: u16 = 418;

#[derive(Default)]
struct State {
    /// `None`: the connection is closed without a reply.
    script: VecDeque<Option<ResponseTemplate>>,
    received: Vec<Received>,
}

/// The server. Dropping it ends it.
pub struct Server {
    mocks: MockServer,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Starts a server on a free port.
    pub fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let (front, closing, replying) = (Arc::clone(&state), Arc::clone(&state), Arc::clone(&state));
        // The caller may be inside a runtime, and needs none.
        let mocks = smol::block_on(async {
            let mocks = MockServer::builder().disable_request_recording().start().await;
            Mock::given(move |_: &Request| matches!(lock(&front).script.front(), Some(None)))
                .respond_with_err(move |request: &Request| {
                    next(&closing, request);
                    io::Error::from(io::ErrorKind::ConnectionReset)
                })
                .with_priority(1)
                .mount(&mocks)
                .await;
            Mock::given(any())
                .respond_with(move |request: &Request| {
                    next(&replying, request).unwrap_or_else(|| ResponseTemplate::new(NOT_SCRIPTED))
                })
                .mount(&mocks)
                .await;
            mocks
        });
        Self { mocks, state }
    }

    /// Returns `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.mocks.address().to_string()
    }

    /// Clears the previous script, and returns these recorded responses from now on.
    pub fn play<'a>(&self, responses: impl IntoIterator<Item = &'a Value>) {
        let script = responses.into_iter().map(played).collect();
        *lock(&self.state) = State { script, received: Vec::new() };
    }

    /// Returns the requests since the last call.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.state).received)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records a request and returns the next reply of the script, if it is one.
fn next(state: &Mutex<State>, request: &Request) -> Option<ResponseTemplate> {
    let mut state = lock(state);
    // Each byte as one character.
    let text = |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    state.received.push(Received {
        method: request.method.to_string(),
        target: request.url.path().to_owned() + &query,
        headers: request.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: request.body.clone(),
    });
    state.script.pop_front().flatten()
}

fn played(response: &Value) -> Option<ResponseTemplate> {
    match response["network_error"].as_str() {
        Some("timeout") => return Some(ResponseTemplate::new(200).set_delay(Duration::from_secs(3_600))),
        Some(_) => return None,
        None => {}
    }
    let body = if let Some(json) = response.get("json") {
        json.to_string().into_bytes()
    } else if let Some(text) = response["text"].as_str() {
        text.as_bytes().to_vec()
    } else {
        BASE64_STANDARD.decode(response["bytes_base64"].as_str().unwrap_or_default()).expect("base64")
    };
    let headers = response["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_str().expect("a header's text")));
    let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
    Some(ResponseTemplate::new(status).set_body_bytes(body).append_headers(headers))
}
