//! Sending one request, once.

mod multipart;
mod network;
mod redirect;
mod upload;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use colony_core::{
    Auth, Base, Body, Error, ErrorKind, Opened, Reply, Request, Result, base_url::site_root,
    retry::Unanswered,
};
use http::{HeaderMap, HeaderValue, header};
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use self::upload::Progress;
use crate::{ByteStream, body, connections::Connections, notices::Notices, time::Timer, token::CachedToken};
pub(crate) use network::root_cause;

/// The place for the streamed body of a success.
pub(crate) type Sink = Mutex<Option<ByteStream>>;

/// Replaces the time limit of a whole request if its pauses have one.
const UNBOUNDED: Duration = Duration::from_secs(365 * 24 * 3600);

/// Turns requests into HTTP.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) http: Connections,
    pub(crate) base_url: String,
    /// The base URL, parsed.
    pub(crate) base: Url,
    pub(crate) timeout: Duration,
    /// The maximum size of a reply, in bytes.
    pub(crate) max_reply_size: usize,
    /// One permit for each request that can be under way.
    pub(crate) in_flight: Option<Arc<Semaphore>>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) notices: Arc<Notices>,
    pub(crate) timer: Arc<dyn Timer>,
    #[cfg(feature = "testing")]
    pub(crate) script: Option<crate::testing::Script>,
}

impl Sender {
    /// Sends the request and reads the reply, whatever its status. `timeout` replaces the client's time limit.
    ///
    /// With a sink, the body of a success goes there as a stream, and the reply has none.
    pub(crate) fn once(
        &self,
        request: &Request,
        token: Option<&CachedToken>,
        timeout: Option<Duration>,
        sink: Option<&Sink>,
    ) -> impl Future<Output = Result<Reply>> {
        self.send(request, token, timeout, sink, None)
    }

    /// As [`once`](Self::once), from an untrusted server: at most `limit` bytes are read, and nothing is accepted
    /// from another host, whatever redirect policy the HTTP client has.
    pub(crate) async fn once_bounded(&self, request: &Request, limit: usize) -> Result<Reply> {
        self.send(request, None, None, None, Some(limit)).await
    }

    /// Returns whether requests go to a server.
    pub(crate) fn can_listen(&self) -> bool {
        #[cfg(feature = "testing")]
        return self.script.is_none();
        #[cfg(not(feature = "testing"))]
        true
    }

    /// Sends a request whose reply has no end, and returns it as soon as its headers arrive. It has no time limit and
    /// does not take the turn of another request.
    pub(crate) async fn listen(&self, request: &Request, held: &CachedToken) -> Result<reqwest::Response> {
        let url = self.url(request)?;
        let (built, _) = self.build(request, &url, Some(held), Some(UNBOUNDED))?;
        let response = built.send().await.map_err(|error| {
            let how = network::before_an_answer(&error);
            self.network(request, error, how, None)
        })?;
        // Both are reported together: a hook that measures requests would never see this one end.
        self.notices.sending(request, &url);
        let head = Reply::new(response.status(), response.headers().clone(), Bytes::new());
        self.notices.received(request, &url, &head.received_at(self.timer.now()));
        Ok(response)
    }

    async fn send(
        &self,
        request: &Request,
        token: Option<&CachedToken>,
        timeout: Option<Duration>,
        sink: Option<&Sink>,
        limit: Option<usize>,
    ) -> Result<Reply> {
        let url = self.url(request)?;
        self.notices.sending(request, &url);
        #[cfg(feature = "testing")]
        if let Some(script) = &self.script {
            let reply = script.answer(request, token.map(|token| &token.secret))?;
            self.notices.received(request, &url, &reply);
            return Ok(reply);
        }
        let turn = match &self.in_flight {
            // The semaphore is never closed.
            Some(turns) => Arc::clone(turns).acquire_owned().await.ok(),
            None => None,
        };
        let pause = timeout.unwrap_or(self.timeout);
        let (mut moved, mut hops) = (None::<Url>, 0);
        let mut response = loop {
            let at = moved.as_ref().unwrap_or(&url);
            let (built, progress) = self.build(request, at, token, timeout)?;
            let sent = if sink.is_some() || progress.is_some() {
                Box::pin(self.send_in_pauses(request, built, &progress.unwrap_or_default(), pause)).await?
            } else {
                built.send().await
            };
            let response = sent.map_err(|error| {
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
        if let Some(sink) = sink.filter(|_| status.is_success()) {
            let reply = Reply::new(status, headers, Bytes::new()).received_at(self.timer.now());
            self.notices.received(request, &url, &reply);
            let stream = self.stream(request, Arc::clone(&reply.headers), response, turn, pause);
            *sink.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
            return Ok(reply);
        }
        let limit = limit.unwrap_or(self.max_reply_size);
        let most = if status.is_success() { limit } else { body::ERROR_LIMIT };
        let lost = |error| self.network(request, error, Unanswered::Lost, timeout);
        let read = body::read(&mut response, most).await.map_err(lost)?;
        if read.cut && status.is_success() {
            return Err(too_large(request, limit));
        }
        let reply = Reply::new(status, headers, read.bytes).received_at(self.timer.now());
        self.notices.received(request, &url, &reply);
        Ok(reply)
    }

    /// Waits for the headers of the reply, while the upload pauses for no longer than `pause` or twice that.
    async fn send_in_pauses(
        &self,
        request: &Request,
        built: reqwest::RequestBuilder,
        progress: &Progress,
        pause: Duration,
    ) -> Result<reqwest::Result<reqwest::Response>> {
        let mut sending = std::pin::pin!(built.timeout(UNBOUNDED).send());
        let mut seen = progress.chunks();
        loop {
            if let Ok(sent) = tokio::time::timeout(pause, &mut sending).await {
                return Ok(sent);
            }
            let now = progress.chunks();
            if now == seen {
                return Err(self.no_answer(request, pause));
            }
            seen = now;
        }
    }

    /// Returns the body of a response as a stream.
    fn stream(
        &self,
        request: &Request,
        headers: Arc<HeaderMap>,
        response: reqwest::Response,
        turn: Option<OwnedSemaphorePermit>,
        pause: Duration,
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
                let error = match tokio::time::timeout(pause, response.chunk()).await {
                    Ok(Ok(None)) => return None,
                    Ok(Ok(Some(chunk))) => {
                        let received = received + chunk.len() as u64;
                        return Some((Ok(chunk), Some((response, received, turn))));
                    }
                    Ok(Err(error)) => sender.network(&request, error, Unanswered::Lost, Some(pause)),
                    Err(_) => sender.no_answer(&request, pause),
                };
                let message = format!("{}; {received} bytes had arrived", error.message());
                let error =
                    Error::build(ErrorKind::Network, message).operation(request.operation()).source(error);
                Some((Err(error.finish()), None))
            }
        };
        ByteStream::new(headers, size, Some((response, 0, turn)), read)
    }

    /// Builds the request, and the progress of its upload if that is streamed.
    fn build(
        &self,
        request: &Request,
        url: &Url,
        token: Option<&CachedToken>,
        timeout: Option<Duration>,
    ) -> Result<(reqwest::RequestBuilder, Option<Progress>)> {
        let mut builder = self
            .http
            .to(url)?
            .request(request.method().clone(), url.clone())
            .header(header::USER_AGENT, self.user_agent.clone());
        if timeout.is_some() || !self.http.end_requests() {
            builder = builder.timeout(timeout.unwrap_or(self.timeout));
        }
        // A form can carry the token instead; such a request has no `Authorization` header.
        if let Some(token) = token.filter(|_| request.auth() == Auth::Bearer) {
            let bearer = token.bearer.as_ref().ok_or_else(|| {
                Error::build(ErrorKind::Auth, "the token cannot be sent in a header").finish()
            })?;
            builder = builder.header(header::AUTHORIZATION, bearer);
        }
        // Otherwise OAuth endpoints may reply with a page.
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
                    let own = token.map_or("", |token| token.secret.expose_secret());
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

    /// Returns the address of a request.
    pub(crate) fn url(&self, request: &Request) -> Result<Url> {
        let path = request.path(request.path_style())?;
        let base = match request.base_part() {
            Base::Api => self.base_url.as_str(),
            Base::Site => site_root(&self.base_url),
            Base::Other(url) => url.trim_end_matches('/'),
            Base::Endpoint(url) => url,
        };
        let url = match request.base_part() {
            Base::Api if is_plain(&path) => Some(below(&self.base, &path)),
            _ => address(&format!("{base}{path}")),
        };
        let mut url = url.ok_or_else(|| {
            let message = format!("{base:?} is not an http or https address with a host");
            Error::build(ErrorKind::Config, message).operation(request.operation()).finish()
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
        let mut host = self.host(request).to_owned();
        // If connecting fails, the proxy may be the cause.
        if error.is_connect()
            && let Some(proxy) = self.url(request).ok().and_then(|url| self.http.proxy_of(&url))
        {
            host = format!("{host} through the proxy {proxy}");
        }
        let timeout = timeout.unwrap_or(self.timeout);
        let limits = network::Limits { timeout, connect: self.http.connect_timeout() };
        network::error(request, &host, error, how, limits)
    }

    /// Returns the error of a reply that stalled for too long.
    fn no_answer(&self, request: &Request, pause: Duration) -> Error {
        let limits = network::Limits { timeout: pause, connect: None };
        network::no_answer(request, self.host(request), limits)
    }

    fn host<'a>(&'a self, request: &'a Request) -> &'a str {
        match request.base_part() {
            Base::Other(url) | Base::Endpoint(url) => url,
            _ => &self.base_url,
        }
    }
}

/// Returns whether the URL parser takes the whole text as a path, and drops nothing of it.
fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~%".contains(&byte))
}

/// Appends a [plain](is_plain) path to the base address, without parsing the host again.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&[base.path().trim_end_matches('/'), path].concat());
    url
}

/// Parses an http or https address.
///
/// Without a host, the URL parser takes the next path segment for one: `http:///api/v1` would go, with the key, to a
/// machine called `api`.
pub(crate) fn address(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let has_host = !rest.starts_with(|c: char| {
        matches!(c, '/' | '\\' | '?' | '#' | ':') || c.is_ascii_whitespace() || c.is_ascii_control()
    });
    if is_http && has_host { text.parse().ok() } else { None }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_path_leads_where_the_whole_address_does() {
        for base in ["https://host.example/api/v1", "http://127.0.0.1:8000", "https://host.example/a%20b"] {
            for path in ["/posts", "/posts/x%2Fy/comments", "/a/../b", "/a/%2e%2E/b/.", "//x", "/", "/a%20"] {
                assert!(is_plain(path));
                let url: Url = base.parse().unwrap();
                assert_eq!(Some(below(&url, path)), address(&format!("{base}{path}")), "{base}{path}");
            }
        }
        for path in ["/a?b", "/a#b", "/a\\b", "/a b", "/a\tb", "", "a", "/é"] {
            assert!(!is_plain(path), "{path:?}");
        }
    }
}
