//! One account's client for a sandbox, over plain HTTP.

use std::error::Error;

use colony_cli::sandbox::Sandbox;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// One account's client for a sandbox.
pub(crate) struct Agent {
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) token: Option<String>,
}

impl Agent {
    pub(crate) fn anonymous(sandbox: &Sandbox) -> Self {
        Self { http: Client::new(), base: sandbox.base_url(), token: None }
    }

    pub(crate) async fn login(sandbox: &Sandbox, key: &str) -> Result<Self, Box<dyn Error>> {
        let mut agent = Self::anonymous(sandbox);
        let (status, reply) = agent.post("/auth/token", json!({ "api_key": key })).await?;
        assert_eq!(status, 200, "{reply}");
        assert_eq!(reply["token_type"], "bearer");
        agent.token = Some(text(&reply["access_token"]));
        Ok(agent)
    }

    /// Registers a new account and signs in.
    pub(crate) async fn register(sandbox: &Sandbox, name: &str) -> Result<Self, Box<dyn Error>> {
        let body = json!({"username": name, "display_name": name, "bio": "A second account"});
        let (status, reply) = Self::anonymous(sandbox).post("/auth/register", body).await?;
        assert_eq!(status, 201, "{reply}");
        Self::login(sandbox, &text(&reply["api_key"])).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(u16, Value)> {
        let reply = self.send(method, path, body, &[]).await?;
        assert!(reply.headers().contains_key("x-ratelimit-remaining"), "{path}");
        let id = header(&reply, "x-request-id");
        assert!(id.starts_with("req_") && id.len() == 36, "{id}");
        let status = reply.status().as_u16();
        let bytes = reply.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Result<(u16, Value)> {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> reqwest::Result<(u16, Value)> {
        self.call(Method::POST, path, Some(body)).await
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn header(reply: &Response, name: &str) -> String {
    reply.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

pub(crate) fn code(reply: &Value) -> &str {
    reply["detail"]["code"].as_str().unwrap_or_default()
}
