//! Sending one request, once.

use std::{error::Error as _, sync::Arc, time::Duration};

use colony_core::{Auth, Base, Body, Error, ErrorKind, Reply, Request, Result, base_url::site_root};
use http::{HeaderValue, header};
use secrecy::ExposeSecret;
use url::Url;

use crate::{body, connections::Connections, session::Held, watch::Watch};

/// Turns requests into HTTP.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) http: Connections,
    pub(crate) base_url: String,
    pub(crate) timeout: Duration,
    /// In bytes.
    pub(crate) max_reply_size: usize,
    pub(crate) user_agent: HeaderValue,
    pub(crate) watch: Arc<Watch>,
    #[cfg(feature = "testing")]
    pub(crate) script: Option<crate::testing::Script>,
}

impl Sender {
    /// Sends the request and reads the reply, whatever its status.
    pub(crate) async fn once(&self, request: &Request, held: Option<&Held>) -> Result<Reply> {
        self.send(request, held, None).await
    }

    /// As [`once`](Self::once), from an untrusted server: at most `limit` bytes are read, and nothing is taken
    /// from another host, whatever the HTTP client was told about redirects.
    pub(crate) async fn once_bounded(&self, request: &Request, limit: usize) -> Result<Reply> {
        self.send(request, None, Some(limit)).await
    }

    async fn send(&self, request: &Request, held: Option<&Held>, limit: Option<usize>) -> Result<Reply> {
        let url = self.url(request)?;
        let built = self.build(request, &url, held)?;
        self.watch.sending(request, &url);
        #[cfg(feature = "testing")]
        if let Some(script) = &self.script {
            let reply = script.answer(request, held.map(|held| &held.token))?;
            self.watch.received(request, &url, &reply);
            return Ok(reply);
        }
        let mut response = built.send().await.map_err(|error| self.network(request, error))?;
        if limit.is_some() && response.url().origin() != url.origin() {
            let message = "the request was redirected to another host";
            return Err(Error::build(ErrorKind::Decode, message)
                .operation(request.operation())
                .code("redirected")
                .finish());
        }
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let limit = limit.unwrap_or(self.max_reply_size);
        let most = if status.is_success() { limit } else { body::ERROR_LIMIT };
        let read = body::read(&mut response, most).await.map_err(|error| self.network(request, error))?;
        if read.cut && status.is_success() {
            return Err(too_large(request, limit));
        }
        let reply = Reply::new(status, headers, read.bytes);
        self.watch.received(request, &url, &reply);
        Ok(reply)
    }

    fn build(&self, request: &Request, url: &Url, held: Option<&Held>) -> Result<reqwest::RequestBuilder> {
        let mut builder = self
            .http
            .to(url)?
            .request(request.method().clone(), url.clone())
            .header(header::USER_AGENT, self.user_agent.clone());
        if !self.http.end_requests() {
            builder = builder.timeout(self.timeout);
        }
        // A form may carry the token in its place; such a request has no header with it.
        if let Some(held) = held.filter(|_| request.auth() == Auth::Bearer) {
            let bearer = held.bearer.as_ref().ok_or_else(|| {
                Error::build(ErrorKind::Auth, "the token cannot stand in a header").finish()
            })?;
            builder = builder.header(header::AUTHORIZATION, bearer);
        }
        // OAuth's end points may answer with a page otherwise.
        if request.is_oauth() {
            builder = builder.header(header::ACCEPT, "application/json");
        }
        if let Some(key) = request.idempotency() {
            builder = builder.header("idempotency-key", key.clone());
        }
        for (name, value) in request.headers() {
            builder = builder.header(*name, value.clone());
        }
        Ok(match request.body() {
            Body::Empty => builder,
            Body::Json(fields) => builder
                .header(header::CONTENT_TYPE, "application/json")
                .body(serde_json::to_vec(fields).unwrap_or_default()),
            Body::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (key, value) in fields {
                    let own = held.map_or("", |held| held.token.expose_secret());
                    form.append_pair(key, value.as_deref().unwrap_or(own));
                }
                builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
            }
            Body::File(file) => {
                let part = reqwest::multipart::Part::stream(file.content.clone())
                    .file_name(file.filename.clone())
                    .mime_str(&file.content_type)
                    .map_err(|_| {
                        let message = format!(
                            "content_type {:?} is not a media type like image/png",
                            file.content_type
                        );
                        Error::argument_refused("content_type", message)
                    })?;
                builder.multipart(reqwest::multipart::Form::new().part(file.field, part))
            }
            _ => return Err(Error::build(ErrorKind::Config, "this version cannot send such a body").finish()),
        })
    }

    /// The address a request goes to.
    pub(crate) fn url(&self, request: &Request) -> Result<Url> {
        let path = request.path(request.path_style())?;
        let base = match request.base_part() {
            Base::Api => self.base_url.as_str(),
            Base::Site => site_root(&self.base_url),
            Base::Other(url) => url.trim_end_matches('/'),
            Base::Endpoint(url) => url,
        };
        let mut url: Url = format!("{base}{path}").parse().map_err(|error| {
            Error::build(ErrorKind::Config, format!("the base URL {base:?} cannot be used: {error}")).finish()
        })?;
        if !request.query_pairs().is_empty() {
            url.query_pairs_mut().extend_pairs(request.query_pairs());
        }
        Ok(url)
    }

    fn network(&self, request: &Request, error: reqwest::Error) -> Error {
        // The address may carry what should not be repeated, and the host is told below.
        let error = error.without_url();
        let host = match request.base_part() {
            Base::Other(url) | Base::Endpoint(url) => url.as_str(),
            _ => self.base_url.as_str(),
        };
        let message = if error.is_timeout() {
            format!("no answer from {host} within {} s", self.timeout.as_secs_f64())
        } else if error.is_connect() {
            format!("no connection to {host}")
        } else if error.is_builder() {
            format!("the request to {host} cannot be built")
        } else {
            format!("the connection to {host} broke")
        };
        let hint = if error.is_timeout() {
            "Try again later, or allow more time with `timeout`"
        } else {
            "Check the base URL (COLONY_BASE_URL), the network and the proxy"
        };
        let cause = error.source().map(ToString::to_string).unwrap_or_else(|| error.to_string());
        Error::build(ErrorKind::Network, format!("{message}: {cause}"))
            .operation(request.operation())
            .hint(hint)
            .source(error)
            .finish()
    }
}

fn too_large(request: &Request, limit: usize) -> Error {
    let message = format!("the reply has more than {limit} bytes, and was not read further");
    Error::build(ErrorKind::Decode, message)
        .operation(request.operation())
        .code("too_large")
        .hint("Check the base URL; `max_reply_size` allows larger replies, and downloads can be streamed")
        .finish()
}
