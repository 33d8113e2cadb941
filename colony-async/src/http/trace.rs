//! The span of a call, with the names of the OpenTelemetry conventions for HTTP clients.

use colony_core::{Reply, Request, Result, retry::Failure};
use tracing::{Span, field};

/// Returns the span of a call that makes this request. `http.request.resend_count` is recorded by
/// [`crate::repeat`], where a request is sent again.
pub(super) fn span(request: &Request) -> Span {
    tracing::info_span!(
        target: "colony::http", "call",
        otel.kind = "client", operation = request.operation(),
        "http.request.method" = request.method().as_str(), "url.template" = request.template(),
        "http.response.status_code" = field::Empty, "http.request.resend_count" = field::Empty,
        "error.type" = field::Empty, "colony.idempotent_replay" = field::Empty,
    )
}

/// Records how the call ended.
pub(super) fn end(span: &Span, outcome: &Result<Reply>) {
    if span.is_disabled() {
        return;
    }
    let status = match outcome {
        Ok(reply) => Some(reply.status.as_u16()),
        Err(error) => error.status(),
    };
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if outcome.as_ref().is_ok_and(Reply::is_replay) {
        span.record("colony.idempotent_replay", true);
    }
    match outcome {
        Err(error) if error.limit().is_some() => {
            span.record("error.type", error.limit().map_or("", |(limit, _)| limit.as_str()));
        }
        Err(error) if Failure::of(outcome).is_none() => {
            span.record("error.type", error.kind().as_str());
        }
        _ => {
            if let Some(failure) = Failure::of(outcome) {
                span.record("error.type", &*failure.as_str());
            }
        }
    }
}
