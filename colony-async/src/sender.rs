//! Sending one request, once.

mod multipart;
mod upload;

use std::{
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;

use colony_core::{Auth, Base, Body, Error, ErrorKind, Opened, Reply, Request, Result, base_url::site_root};
use http::{HeaderMap, HeaderValue, header};
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use self::upload::{Progress, Unreadable};
use crate::{ByteStream, body, connections::Connections, session::Held, watch::Watch};

/// Where the body of a success goes that is handed on while it arrives.
pub(crate) type Sink = Mutex<Option<ByteStream>>;

/// In place of the time limit of a whole request, where its pauses have one.
const UNBOUNDED: Duration = Duration::from_secs(365 * 24 * 3600);

/// Turns requests into HTTP.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) http: Connections,
    pub(crate) base_url: String,
    pub(crate) timeout: Duration,
    /// In bytes.
    pub(crate) max_reply_size: usize,
    /// One for each request that may be under way.
    pub(crate) in_flight: Option<Arc<Semaphore>>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) watch: Arc<Watch>,
    #[cfg(feature = "testing")]
    pub(crate) script: Option<crate::testing::Script>,
}

impl Sender {
    /// Sends the request and reads the reply, whatever its status.
    ///
    /// With a sink, the body of a success goes there as a stream, and the reply has none.
    pub(crate) async fn once(
        &self,
        request: &Request,
        held: Option<&Held>,
        sink: Option<&Sink>,
    ) -> Result<Reply> {
        self.send(request, held, sink, None).await
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
        sink: Option<&Sink>,
        limit: Option<usize>,
    ) -> Result<Reply> {
        let url = self.url(request)?;
        let turn = match &self.in_flight {
            // It is never closed.
            Some(turns) => Arc::clone(turns).acquire_owned().await.ok(),
            None => None,
        };
        let (built, progress) = self.build(request, &url, held)?;
        self.watch.sending(request, &url);
        #[cfg(feature = "testing")]
        if let Some(script) = &self.script {
            let reply = script.answer(request, held.map(|held| &held.token))?;
            self.watch.received(request, &url, &reply);
            return Ok(reply);
        }
        let streamed = sink.is_some() || progress.is_some();
        let sent = if streamed {
            self.send_in_pauses(request, built, &progress.unwrap_or_default()).await?
        } else {
            built.send().await
        };
        let mut response = sent.map_err(|error| self.network(request, error))?;
        if limit.is_some() && response.url().origin() != url.origin() {
            let message = "the request was redirected to another host";
            return Err(Error::build(ErrorKind::Decode, message)
                .operation(request.operation())
                .code("redirected")
                .finish());
        }
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        if let Some(sink) = sink.filter(|_| status.is_success()) {
            let reply = Reply::new(status, headers, Bytes::new());
            self.watch.received(request, &url, &reply);
            let stream = self.stream(request, Arc::clone(&reply.headers), response, turn);
            *sink.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
            return Ok(reply);
        }
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

    /// Waits for the head of the answer, in pauses without a byte of the upload no longer than `timeout` or twice
    /// that.
    async fn send_in_pauses(
        &self,
        request: &Request,
        built: reqwest::RequestBuilder,
        progress: &Progress,
    ) -> Result<reqwest::Result<reqwest::Response>> {
        let mut sending = std::pin::pin!(built.timeout(UNBOUNDED).send());
        let mut seen = progress.chunks();
        loop {
            if let Ok(sent) = tokio::time::timeout(self.timeout, &mut sending).await {
                return Ok(sent);
            }
            let now = progress.chunks();
            if now == seen {
                return Err(self.no_answer(request));
            }
            seen = now;
        }
    }

    /// The body of a response as it arrives.
    fn stream(
        &self,
        request: &Request,
        headers: Arc<HeaderMap>,
        response: reqwest::Response,
        turn: Option<OwnedSemaphorePermit>,
    ) -> ByteStream {
        let size = response.content_length();
        let (sender, request) = (self.clone(), request.clone());
        let home = current_runtime();
        let read = move |state: Option<(reqwest::Response, u64, Option<OwnedSemaphorePermit>)>| {
            let (sender, request) = (sender.clone(), request.clone());
            async move {
                let (mut response, received, turn) = state?;
                if current_runtime() != home {
                    let message = "a download is read on the runtime that opened it, and this is another one";
                    return Some((Err(Error::build(ErrorKind::Config, message).finish()), None));
                }
                let error = match tokio::time::timeout(sender.timeout, response.chunk()).await {
                    Ok(Ok(None)) => return None,
                    Ok(Ok(Some(chunk))) => {
                        let received = received + chunk.len() as u64;
                        return Some((Ok(chunk), Some((response, received, turn))));
                    }
                    Ok(Err(error)) => sender.network(&request, error),
                    Err(_) => sender.no_answer(&request),
                };
                let message = format!("{}; {received} bytes had arrived", error.message());
                let error =
                    Error::build(ErrorKind::Network, message).operation(request.operation()).source(error);
                Some((Err(error.finish()), None))
            }
        };
        ByteStream::new(headers, size, Some((response, 0, turn)), read)
    }

    /// The request, and how far its upload is, where that is streamed.
    fn build(
        &self,
        request: &Request,
        url: &Url,
        held: Option<&Held>,
    ) -> Result<(reqwest::RequestBuilder, Option<Progress>)> {
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
        let mut progress = None;
        let built = match request.body() {
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
                let frame = multipart::frame(request, file)?;
                let builder = builder.header(header::CONTENT_TYPE, frame.content_type);
                match file.content.open()? {
                    Opened::Bytes(bytes) => builder.body([&*frame.head, &*bytes, &*frame.tail].concat()),
                    content => {
                        let sent = progress.insert(Progress::default());
                        let (body, length) = upload::body(frame.head, content, frame.tail, sent);
                        let builder = match length {
                            Some(length) => builder.header(header::CONTENT_LENGTH, length),
                            None => builder,
                        };
                        builder.body(body)
                    }
                }
            }
            _ => return Err(Error::build(ErrorKind::Config, "this version cannot send such a body").finish()),
        };
        Ok((built, progress))
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
        let mut url = address(&format!("{base}{path}")).ok_or_else(|| {
            let message = format!("{base:?} is not an http or https address with a host");
            Error::build(ErrorKind::Config, message).operation(request.operation()).finish()
        })?;
        if !request.query_pairs().is_empty() {
            url.query_pairs_mut().extend_pairs(request.query_pairs());
        }
        Ok(url)
    }

    fn network(&self, request: &Request, error: reqwest::Error) -> Error {
        // The address may carry what should not be repeated, and the host is told below.
        let error = error.without_url();
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        if let Some(unreadable) = causes.filter_map(|cause| cause.downcast_ref::<Unreadable>()).next() {
            let message = unreadable.to_string();
            return Error::build(ErrorKind::Io, message)
                .operation(request.operation())
                .source(error)
                .finish();
        }
        let host = self.host(request);
        if error.is_timeout() && !error.is_connect() {
            return self.no_answer(request);
        }
        let message = if error.is_connect() {
            let proxy = self.url(request).ok().and_then(|url| self.http.proxy_of(&url));
            format!(
                "no connection to {host}{}",
                proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default()
            )
        } else if error.is_builder() {
            format!("the request to {host} cannot be built")
        } else {
            format!("the connection to {host} broke")
        };
        let cause = root_cause(&error);
        let hint = if cause.contains("certificate") {
            "Name the PEM file of the authority that is to be trusted: `ca_file`, or SSL_CERT_FILE"
        } else {
            "Check the base URL (COLONY_BASE_URL), the network and the proxy"
        };
        Error::build(ErrorKind::Network, format!("{message}: {cause}"))
            .operation(request.operation())
            .hint(hint)
            .source(error)
            .finish()
    }

    fn no_answer(&self, request: &Request) -> Error {
        let (host, limit) = (self.host(request), self.timeout.as_secs_f64());
        Error::build(ErrorKind::Network, format!("no answer from {host} within {limit} s"))
            .operation(request.operation())
            .hint("Try again later, or allow more time with `timeout`")
            .finish()
    }

    fn host<'a>(&'a self, request: &'a Request) -> &'a str {
        match request.base_part() {
            Base::Other(url) | Base::Endpoint(url) => url,
            _ => &self.base_url,
        }
    }
}

/// Reads an http or https address.
///
/// Without a host the address parser takes the next word for one: `http:///api/v1` would go, with the key, to a
/// machine called `api`.
pub(crate) fn address(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let has_host = !rest.starts_with(|c: char| {
        matches!(c, '/' | '\\' | '?' | '#' | ':') || c.is_ascii_whitespace() || c.is_ascii_control()
    });
    if is_http && has_host { text.parse().ok() } else { None }
}

/// Why a request failed, as the end of the chain of errors says it: "Connection refused", "invalid peer certificate:
/// UnknownIssuer", "dns error: failed to lookup address information: Name or service not known".
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string);
    let mut told: Vec<String> = Vec::new();
    for cause in causes.filter(|cause| !cause.starts_with("client error") && cause != "tcp connect error") {
        // Some repeat their source.
        if let Some(last) = told.last_mut().filter(|last| cause.contains(&**last)) {
            *last = cause;
        } else if !told.last().is_some_and(|last| last.contains(&cause)) {
            told.push(cause);
        }
    }
    if told.is_empty() { error.to_string() } else { told.join(": ") }
}

fn current_runtime() -> Option<tokio::runtime::Id> {
    tokio::runtime::Handle::try_current().ok().map(|runtime| runtime.id())
}

fn too_large(request: &Request, limit: usize) -> Error {
    let message = format!("the reply has more than {limit} bytes, and was not read further");
    Error::build(ErrorKind::Decode, message)
        .operation(request.operation())
        .code("too_large")
        .hint("Check the base URL; `max_reply_size` allows larger replies, and downloads can be streamed")
        .finish()
}
