//! The error of a request without a reply: which limit ended it, at which step it failed, and whether the server may
//! have acted.

use std::{error::Error as _, io, time::Duration};

use colony_core::{Error, ErrorKind, Limit, Request, retry::Unanswered};

use super::upload::Unreadable;

/// The limits of a request.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) timeout: Duration,
    /// `None` if the program's own HTTP client has one.
    pub(super) connect: Option<Duration>,
}

/// Returns the error of a request to this host whose reply did not arrive.
pub(super) fn error(
    request: &Request,
    host: &str,
    error: reqwest::Error,
    how: Unanswered,
    limits: Limits,
) -> Error {
    // The address may contain secrets; the message names only the host.
    let error = error.without_url();
    let unreadable =
        causes(&error).find_map(|cause| cause.downcast_ref::<Unreadable>().map(ToString::to_string));
    if let Some(message) = unreadable {
        return Error::build(ErrorKind::Io, message).source(error).finish().about(request);
    }
    let (message, limit) = match (error.is_timeout(), error.is_connect(), limits.connect) {
        (true, true, None) => (format!("no connection to {host} in time"), None),
        (true, true, Some(limit)) => (
            format!("no connection to {host} within {}", setting(Limit::Connect, limit)),
            Some((Limit::Connect, limit)),
        ),
        (true, false, _) => {
            let limit = limits.timeout;
            (
                format!("no answer from {host} within {}", setting(Limit::Request, limit)),
                Some((Limit::Request, limit)),
            )
        }
        (false, true, _) => (format!("no connection to {host}: {}", root_cause(&error)), None),
        (false, false, _) if error.is_builder() => {
            (format!("the request to {host} cannot be built: {}", root_cause(&error)), None)
        }
        (false, false, _) => (format!("the connection to {host} broke: {}", root_cause(&error)), None),
    };
    let hint = match limit {
        Some((limit, _)) => format!("Try again later, or allow more time with `{}`", limit.as_str()),
        None if message.contains("certificate") => {
            "Name the PEM file of the authority that is to be trusted: `ca_file`, or SSL_CERT_FILE".to_owned()
        }
        None => "Check the base URL (COLONY_BASE_URL), the network and the proxy".to_owned(),
    };
    // Repeating does not fix a certificate or a server without TLS, and the system itself repeats a connection
    // attempt until the limit.
    let is_settled = matches!(limit, Some((Limit::Connect, _)))
        || error.is_connect() && (message.contains("certificate") || causes(&error).any(is_tls));
    let mut builder = Error::build(ErrorKind::Network, message).hint(hint).source(error);
    if !is_settled {
        builder = builder.unanswered(how);
    }
    if let Some((limit, value)) = limit {
        builder = builder.limit(limit, value);
    }
    builder.finish().about(request)
}

/// Returns the error of a reply that stalled for too long.
pub(super) fn no_answer(request: &Request, host: &str, limits: Limits) -> Error {
    let limit = limits.timeout;
    let message = format!("no answer from {host} within {}", setting(Limit::Request, limit));
    Error::build(ErrorKind::Network, message)
        .hint(format!("Try again later, or allow more time with `{}`", Limit::Request.as_str()))
        .unanswered(Unanswered::Lost)
        .limit(Limit::Request, limit)
        .finish()
        .about(request)
}

fn setting(limit: Limit, value: Duration) -> String {
    format!("{} s ({})", value.as_secs_f64(), limit.as_str())
}

/// Returns how a request failed before its reply began.
pub(super) fn before_an_answer(error: &reqwest::Error) -> Unanswered {
    if error.is_connect() {
        return Unanswered::NotConnected;
    }
    let closed = !error.is_timeout() && causes(error).any(is_closed);
    if closed { Unanswered::Closed } else { Unanswered::Lost }
}

fn is_closed(cause: &(dyn std::error::Error + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    }
    cause.downcast_ref::<io::Error>().is_some_and(|error| {
        matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof)
    })
}

/// Returns whether the handshake failed: rustls reports its errors as invalid data.
fn is_tls(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// Returns the root cause of an error, in words that people search for.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    if error.is_dns() {
        return "no such host".to_owned();
    }
    let Some(cause) = causes(error).last() else { return error.to_string() };
    if cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused) {
        return "connection refused".to_owned();
    }
    let text = cause.to_string();
    // The TLS libraries have no types in common.
    let known = [
        (
            &["UnknownIssuer", "unable to get local issuer", "self-signed", "self signed"][..],
            "certificate signed by unknown authority",
        ),
        (&["NotValidForName", "ostname mismatch"][..], "certificate is for another host"),
        (&["Expired", "has expired"][..], "certificate has expired"),
    ];
    let named = known.iter().find(|(signs, _)| signs.iter().any(|sign| text.contains(sign)));
    named.map_or_else(|| text.clone(), |(_, name)| format!("{name} ({text})"))
}
