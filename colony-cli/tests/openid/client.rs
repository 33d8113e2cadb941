//! A client over plain HTTP that checks the rules for every reply.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use colony_cli::sandbox::{Options, Sandbox};
use reqwest::redirect::Policy;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A sandbox and one of its apps.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: reqwest::Client,
}

impl Bench {
    pub(crate) async fn start(options: Options) -> std::io::Result<Self> {
        let sandbox = Sandbox::start(options).await?;
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build();
        Ok(Self { sandbox, http: http.map_err(std::io::Error::other)? })
    }

    /// Returns the API's JWT of the sandbox's account.
    pub(crate) async fn jwt(&self) -> Result<String, Box<dyn Error>> {
        let url = format!("{}/auth/token", self.sandbox.base_url());
        let body = json!({"api_key": self.sandbox.api_key()});
        let reply: Value = self.http.post(url).json(&body).send().await?.json().await?;
        Ok(text(&reply["access_token"]))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        let reply = self.http.get(format!("{}{path}", self.sandbox.site())).send().await?;
        assert_eq!(reply.status(), 200, "{path}");
        Ok(reply.json().await?)
    }

    /// Sends a form as the first app.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Result<(u16, Value)> {
        let app = self.sandbox.openid().app();
        let secret = app.client_secret.as_ref().map_or("", |secret| secret.expose_secret());
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{secret}", app.client_id)));
        self.send(path, form, Some(&basic)).await
    }

    /// Sends a form unchanged.
    pub(crate) async fn send(
        &self,
        path: &str,
        form: &[(&str, &str)],
        authorization: Option<&str>,
    ) -> reqwest::Result<(u16, Value)> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = self
            .http
            .post(format!("{}{path}", self.sandbox.site()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let reply = request.send().await?;
        let status = reply.status().as_u16();
        let header = |name: &str| reply.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("cache-control"), Some("no-store"), "{path} {status}");
        assert!(header("x-request-id").is_some());
        if status == 401 {
            assert!(header("www-authenticate").is_some());
        }
        let body: Value = serde_json::from_slice(&reply.bytes().await?).unwrap_or(Value::Null);
        if status >= 400 {
            assert!(body["error"].is_string() && body["error_description"].is_string(), "{body}");
        }
        Ok((status, body))
    }

    /// Returns the error of a form that must be refused with 400.
    pub(crate) async fn refused(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Result<String> {
        let (status, body) = self.post(path, form).await?;
        assert_eq!(status, 400, "{body}");
        Ok(text(&body["error"]))
    }

    /// Logs a device in. Returns the token endpoint's reply.
    pub(crate) async fn device_login(&self, scope: &str) -> Result<Value, Box<dyn Error>> {
        let (status, begun) = self.post("/oauth/device_authorization", &[("scope", scope)]).await?;
        assert_eq!(status, 200, "{begun}");
        self.sandbox.openid().approve(begun["user_code"].as_str().unwrap())?;
        let code = text(&begun["device_code"]);
        let (status, tokens) =
            self.post("/oauth/token", &[("grant_type", DEVICE), ("device_code", &code)]).await?;
        assert_eq!(status, 200, "{tokens}");
        Ok(tokens)
    }

    pub(crate) async fn userinfo(&self, token: &str) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}/oauth/userinfo", self.sandbox.site());
        let reply = self.http.get(url).bearer_auth(token).send().await?;
        let status = reply.status().as_u16();
        if status == 401 {
            let header = reply.headers()["www-authenticate"].to_str().unwrap_or_default();
            assert!(header.starts_with("Bearer"), "{header}");
        }
        Ok((status, reply.json().await?))
    }

    /// Returns the claims of a token, after verifying its signature with the published keys.
    pub(crate) async fn verified(&self, id_token: &str) -> Result<Value, Box<dyn Error>> {
        let set = self.get("/.well-known/jwks.json").await?;
        let parts: Vec<&str> = id_token.split('.').collect();
        assert_eq!(parts.len(), 3, "{id_token}");
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0])?)?;
        assert_eq!(header["alg"], "RS256");
        let keys = set["keys"].as_array().ok_or("no keys")?;
        let key = keys.iter().find(|key| key["kid"] == header["kid"]).ok_or("an unknown key")?;
        let n = URL_SAFE_NO_PAD.decode(text(&key["n"]))?;
        let e = URL_SAFE_NO_PAD.decode(text(&key["e"]))?;
        let signed = format!("{}.{}", parts[0], parts[1]);
        let signature = URL_SAFE_NO_PAD.decode(parts[2])?;
        RsaPublicKeyComponents { n, e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .map_err(|_| "the signature is wrong")?;
        Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1])?)?)
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
