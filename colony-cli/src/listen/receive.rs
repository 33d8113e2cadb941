//! `--receive`: verifies the service's own deliveries and passes them on unchanged.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use colony_core::webhook::{
    ATTEMPT_HEADER, Attempt, DELIVERY_ID_HEADER, EVENT_HEADER, EVENT_ID_HEADER, Rejected, Verifier,
};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    failure::Failure,
    forward::{self, Target},
    output::{Output, one_line},
};

/// The largest body, in bytes, as receivers commonly limit it.
const LIMIT: usize = 256 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

struct Gate {
    verifier: Verifier,
    target: Option<Target>,
    lines: mpsc::UnboundedSender<Line>,
}

/// A line for the task that prints.
enum Line {
    Arrived(Attempt),
    Answered(Attempt, forward::Answer),
    Refused(StatusCode, String),
}

pub(super) async fn run(
    address: SocketAddr,
    target: Option<Target>,
    secret: &str,
    mut signals: mpsc::Receiver<i32>,
    output: &Output,
) -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        Failure::Local(format!("cannot listen on {address}: {error}; port 0 takes a free one"))
    })?;
    let address = listener.local_addr()?;
    if output.json {
        output.json_line(&json!({"v": 1, "kind": "listening", "address": format!("http://{address}")}));
    } else {
        output.line(&format!("Listening at http://{address}"));
    }
    let (lines, mut printed) = mpsc::unbounded_channel();
    let gate = Arc::new(Gate { verifier: Verifier::new(secret)?, target, lines });
    let router = Router::new().fallback(arrived).with_state(gate);
    let serve = axum::serve(listener, router).into_future();
    tokio::pin!(serve);
    while !output.is_broken() {
        tokio::select! {
            Some(_) = signals.recv() => break,
            outcome = &mut serve => return Ok(outcome?),
            Some(line) = printed.recv() => print(line, output),
        }
    }
    Ok(())
}

fn print(line: Line, output: &Output) {
    match line {
        Line::Arrived(attempt) => forward::tell_sent(&attempt, output),
        Line::Answered(attempt, answer) => forward::tell_answer(&attempt, &answer, None, output),
        Line::Refused(status, why) if output.json => {
            output.json_line(&json!({"v": 1, "kind": "refused", "status": status.as_u16(), "problem": why}));
        }
        Line::Refused(status, why) => {
            output.line(&format!("         × {} {}", status.as_u16(), one_line(&why)));
        }
    }
}

async fn arrived(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    let refused = |status: StatusCode, why: String| {
        let _ = gate.lines.send(Line::Refused(status, why));
        status.into_response()
    };
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let (parts, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err((status, why)) => return refused(status, why.to_owned()),
    };
    // The signature is checked before anything else.
    match gate.verifier.verify_headers(&parts.headers, &body, SystemTime::now()) {
        Ok(_) => {}
        Err(why @ Rejected::Malformed(_)) => return refused(StatusCode::BAD_REQUEST, why.to_string()),
        Err(why) => return refused(StatusCode::UNAUTHORIZED, why.to_string()),
    }
    let attempt = told(&parts.headers);
    let _ = gate.lines.send(Line::Arrived(attempt.clone()));
    let Some(target) = &gate.target else { return StatusCode::NO_CONTENT.into_response() };
    let answer = target.send(passed_on(&parts.headers), body).await;
    let status = match &answer.status {
        Ok(status) => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY),
        Err(_) if answer.is_late => StatusCode::GATEWAY_TIMEOUT,
        Err(_) => StatusCode::BAD_GATEWAY,
    };
    let mut response = status.into_response();
    if let Some(wait) = &answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    let _ = gate.lines.send(Line::Answered(attempt, answer));
    response
}

/// Reads a body within the limits of size and time.
async fn read(body: Body) -> Result<Bytes, (StatusCode, &'static str)> {
    match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, LIMIT)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_large(&error) => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 256 KiB"))
        }
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body did not arrive whole")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body did not arrive within 10 s")),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

/// Returns the headers to pass on: the service's own, and the body's type.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let wanted =
        |name: &header::HeaderName| name.as_str().starts_with("x-colony-") || name == header::CONTENT_TYPE;
    let mut passed = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| wanted(name)) {
        passed.append(name, value.clone());
    }
    passed
}

/// Returns the attempt that a delivery's headers describe.
fn told(headers: &HeaderMap) -> Attempt {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("?").to_owned();
    let mut attempt = Attempt::new(text(EVENT_HEADER), text(EVENT_ID_HEADER));
    attempt.delivery_id = text(DELIVERY_ID_HEADER);
    attempt.number(text(ATTEMPT_HEADER).parse().unwrap_or(1))
}
