//! A scripted server, and calls to it by either client.

use std::time::Duration;

use colony_async::OverHttp;
use colony_core::{Client, Error, Result, registry, retry::RetryPolicy};
use colony_tests::clock::Clock;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path, path_regex},
};

pub(crate) use colony_tests::stage::{KINDS, Kind};

pub(crate) const POST: &str = "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3";

/// The settings of a client and its calls.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) call_deadline: Option<Duration>,
    pub(crate) call_key: Option<&'static str>,
    pub(crate) keyless: bool,
    pub(crate) retry: Option<RetryPolicy>,
}

impl Setup {
    fn client<C: OverHttp + colony_core::Connect>(&self, base_url: &str) -> Client<C> {
        let mut builder = colony_async::Builder::<C>::new(Some("col_example".to_owned().into()))
            .base_url(base_url)
            .cache_token(false)
            .timer(Clock::flowing())
            .idempotent_writes(!self.keyless);
        if let Some(limit) = self.timeout {
            builder = builder.timeout(limit);
        }
        if let Some(limit) = self.deadline {
            builder = builder.deadline(limit);
        }
        if let Some(policy) = &self.retry {
            builder = builder.retry(policy.clone());
        }
        let mut client = builder.build().expect("a client");
        if let Some(limit) = self.call_timeout {
            client = client.with_timeout(limit);
        }
        if let Some(limit) = self.call_deadline {
            client = client.with_deadline(limit);
        }
        if let Some(key) = self.call_key {
            client = client.with_idempotency_key(key);
        }
        client
    }

    /// Makes a call with one of the clients.
    pub(crate) async fn call(
        &self,
        kind: Kind,
        base_url: &str,
        name: &str,
        arguments: Value,
    ) -> Result<Value> {
        let call = registry::find(name).expect(name).prepare(arguments)?;
        match kind {
            Kind::Async => self.client::<colony_async::Http>(base_url).transport().run(call).await,
            Kind::Blocking => {
                let (setup, base_url) = (self.clone(), base_url.to_owned());
                let run = move || setup.client::<colony_blocking::Http>(&base_url).transport().run(call);
                tokio::task::spawn_blocking(run).await.expect("no panic")
            }
        }
    }
}

/// A server that accepts every login.
pub(crate) struct Scene {
    pub(crate) server: MockServer,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let server = MockServer::start().await;
        let login = ResponseTemplate::new(200).set_body_json(json!({"access_token": "jwt"}));
        Mock::given(method("POST")).and(path("/api/v1/auth/token")).respond_with(login).mount(&server).await;
        Self { server }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("{}/api/v1", self.server.uri())
    }

    /// Answers requests with this method to matching paths; only the first `times` of them, if given.
    pub(crate) async fn on(&self, verb: &str, paths: &str, times: Option<u64>, answer: ResponseTemplate) {
        let mock = Mock::given(method(verb)).and(path_regex(paths)).respond_with(answer);
        let mock = if let Some(times) = times { mock.up_to_n_times(times) } else { mock };
        mock.with_priority(if times.is_some() { 1 } else { 5 }).mount(&self.server).await;
    }

    /// Returns the requests, except logins.
    pub(crate) async fn requests(&self) -> Vec<Request> {
        let all = self.server.received_requests().await.expect("they are recorded");
        all.into_iter().filter(|request| !request.url.path().ends_with("/auth/token")).collect()
    }

    /// Returns the key of each request.
    pub(crate) async fn keys(&self) -> Vec<Option<String>> {
        self.requests().await.iter().map(key).collect()
    }
}

pub(crate) fn key(request: &Request) -> Option<String> {
    Some(request.headers.get("idempotency-key")?.to_str().expect("text").to_owned())
}

pub(crate) fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"detail": "as scripted"}))
}

pub(crate) fn made() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(json!({"id": POST, "title": "t", "body": "b"}))
}

pub(crate) fn post() -> Value {
    json!({"title": "t", "body": "b"})
}

pub(crate) fn failed(outcome: Result<Value>) -> Error {
    outcome.expect_err("it fails")
}
