//! A client of one of the provider's endpoints; each request is sent once.

use std::time::Duration;

use bytes::Bytes;
use colony_core::{
    Error, ErrorKind, Reply, Result,
    credential::grant::{OPERATION, TokenRequest},
};
use http::{HeaderValue, header};
use secrecy::ExposeSecret;

use crate::{
    body,
    connections::{self, Connections},
    sender::root_cause,
};

/// The time limit for opening a connection. After it, the request is known not to have left.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The largest token reply that is read, in bytes; no real one is this long.
const LONGEST_REPLY: usize = 256 * 1024;

/// Sends a request to the provider once and returns its reply. For tests that play the provider; it can block.
#[doc(hidden)]
pub trait Wire: Send + Sync + 'static {
    /// Sends the request, and waits at most `limit` for the reply.
    fn send(&self, request: &TokenRequest, limit: Duration) -> Result<Answered, Failed>;
}

/// The provider's reply.
#[doc(hidden)]
#[derive(Debug)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

/// The reason why no reply arrived.
#[doc(hidden)]
#[derive(Debug)]
pub enum Failed {
    /// No connection was made, so nothing was sent.
    NeverLeft(Error),
    /// The request was sent, or may have been.
    MaybeLeft(Error),
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::NeverLeft(error) | Failed::MaybeLeft(error) => error,
        }
    }
}

/// Sends token requests, each exactly once and to one address: over a separate connection, without following
/// redirects, and without the retries that HTTP clients make by themselves.
pub(super) struct Endpoint {
    connections: Connections,
}

impl Endpoint {
    /// Creates an endpoint with these settings, whose time limit must be set.
    pub(super) fn new(settings: connections::Settings, token_endpoint: &str) -> Result<Self> {
        let connect_timeout = settings.timeout.map_or(CONNECT_LIMIT, |limit| CONNECT_LIMIT.min(limit));
        let settings = connections::Settings { connect_timeout, single_use: true, ..settings };
        let address = crate::sender::address(token_endpoint).ok_or_else(|| {
            let message =
                format!("the token endpoint {token_endpoint:?} is not an http or https address with a host");
            Error::build(ErrorKind::Config, message).finish()
        })?;
        Ok(Self { connections: Connections::new(settings, &address)? })
    }

    pub(super) async fn send(&self, request: &TokenRequest) -> Result<Answered, Failed> {
        let built = self.build(request).map_err(Failed::NeverLeft)?;
        let mut response = built.send().await.map_err(|error| failed(error, &request.url))?;
        let read = body::read(&mut response, LONGEST_REPLY).await;
        let read = read.map_err(|error| failed(error, &request.url))?;
        if read.cut {
            return Err(Failed::MaybeLeft(network("the token endpoint's reply is too long").finish()));
        }
        let retry_after =
            Reply::new(response.status(), response.headers().clone(), Bytes::new()).retry_after();
        Ok(Answered { status: response.status().as_u16(), retry_after, body: read.bytes.into() })
    }

    fn build(&self, request: &TokenRequest) -> Result<reqwest::RequestBuilder> {
        let url: url::Url = request.url.parse().map_err(|error| {
            let message = format!("the address {:?} cannot be used: {error}", request.url);
            Error::build(ErrorKind::Config, message).finish()
        })?;
        let mut builder = self
            .connections
            .to(&url)?
            .post(url)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(request.body.expose_secret().to_owned());
        if let Some(authorization) = &request.authorization {
            let mut value = HeaderValue::try_from(authorization.expose_secret()).map_err(|_| {
                Error::build(ErrorKind::Config, "the client's secret cannot be sent in a header").finish()
            })?;
            value.set_sensitive(true);
            builder = builder.header(header::AUTHORIZATION, value);
        }
        Ok(builder)
    }
}

fn failed(error: reqwest::Error, url: &str) -> Failed {
    let error = error.without_url();
    // If no connection was made, nothing was sent. For any other error this is unknown: a time-out can come after the
    // request, and a connection can break after the provider acted.
    let never_left = error.is_connect() || error.is_builder();
    let what = if error.is_connect() {
        "no connection to"
    } else if error.is_timeout() {
        "no answer in time from"
    } else {
        "the connection broke to"
    };
    let cause = root_cause(&error);
    let told = network(&format!("{what} {url}: {cause}")).source(error).finish();
    if never_left { Failed::NeverLeft(told) } else { Failed::MaybeLeft(told) }
}

fn network(message: &str) -> colony_core::ErrorBuilder {
    Error::build(ErrorKind::Network, message).operation(OPERATION)
}
