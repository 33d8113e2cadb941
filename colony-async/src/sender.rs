//! Sending one request, once.

mod multipart;
mod network;
mod redirect;

use std::{sync::Arc, time::Duration};

use colony_core::{
    Auth, Base, Body, Error, ErrorKind, Reply, Request, Result, base_url::site_root, retry::Unanswered,
};
use http::{HeaderValue, header};
use secrecy::ExposeSecret;
use url::Url;

use crate::{body, connections::Connections, session::Held, time::Timer, watch::Watch};

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
    pub(crate) timer: Arc<dyn Timer>,
    #[cfg(feature = "testing")]
    pub(crate) script: Option<crate::testing::Script>,
}

impl Sender {
    /// Sends the request and reads the reply, whatever its status; within this time where it is not the client's.
    pub(crate) async fn once(
        &self,
        request: &Request,
        held: Option<&Held>,
        timeout: Option<Duration>,
    ) -> Result<Reply> {
        self.send(request, held, timeout, None).await
    }

    /// As [`once`](Self::once), from an untrusted server: at most `limit` bytes are read, and nothing is taken
    /// from another host, whatever the HTTP client was told about redirects.
    pub(crate) async fn once_bounded(&self, request: &Request, limit: usize) -> Result<Reply> {
        self.send(request, None, None, Some(limit)).await
    }

    async fn send(
        &self,
        request: &Request,
        held: Option<&Held>,
        timeout: Option<Duration>,
        limit: Option<usize>,
    ) -> Result<Reply> {
        let url = self.url(request)?;
        self.watch.sending(request, &url);
        #[cfg(feature = "testing")]
        if let Some(script) = &self.script {
            let reply = script.answer(request, held.map(|held| &held.token))?;
            self.watch.received(request, &url, &reply);
            return Ok(reply);
        }
        let (mut moved, mut hops) = (None::<Url>, 0);
        let mut response = loop {
            let at = moved.as_ref().unwrap_or(&url);
            let response = self.build(request, at, held, timeout)?.send().await.map_err(|error| {
                let how = network::before_an_answer(&error);
                self.network(request, error, how, timeout)
            })?;
            match redirect::next(request, at, response.status(), response.headers(), hops, &self.base_url)? {
                Some(next) => moved = Some(next),
                None => break response,
            }
            hops += 1;
        };
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
        let lost = |error| self.network(request, error, Unanswered::Lost, timeout);
        let read = body::read(&mut response, most).await.map_err(lost)?;
        if read.cut && status.is_success() {
            return Err(too_large(request, limit));
        }
        let reply = Reply::new(status, headers, read.bytes).received_at(self.timer.now());
        self.watch.received(request, &url, &reply);
        Ok(reply)
    }

    fn build(
        &self,
        request: &Request,
        url: &Url,
        held: Option<&Held>,
        timeout: Option<Duration>,
    ) -> Result<reqwest::RequestBuilder> {
        let mut builder = self
            .http
            .to(url)?
            .request(request.method().clone(), url.clone())
            .header(header::USER_AGENT, self.user_agent.clone());
        if timeout.is_some() || !self.http.end_requests() {
            builder = builder.timeout(timeout.unwrap_or(self.timeout));
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
                let (content_type, body) = multipart::write(request, file)?;
                builder.header(header::CONTENT_TYPE, content_type).body(body)
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

    fn network(
        &self,
        request: &Request,
        error: reqwest::Error,
        how: Unanswered,
        timeout: Option<Duration>,
    ) -> Error {
        let host = match request.base_part() {
            Base::Other(url) | Base::Endpoint(url) => url.as_str(),
            _ => self.base_url.as_str(),
        };
        let timeout = timeout.unwrap_or(self.timeout);
        let limits = network::Limits { timeout, connect: self.http.connect_timeout() };
        network::error(request, host, error, how, limits)
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
