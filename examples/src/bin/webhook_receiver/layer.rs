//! A layer for axum that passes each webhook event to its handler until the handler succeeds, and never again after
//! that.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use colony_core::webhook::{Incoming, RETRY_AFTER, Receiver, SeenStore};

/// The time limit for a body to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Passes a webhook event to its handler. The body is read as bytes, since the signature covers the bytes as
/// received. An event counts as seen when the handler succeeds; a failure, a panic or a lost connection releases the
/// claim, and the next attempt is let through. The handler finds the delivery as `Extension<Arc<Delivery>>`.
pub(crate) async fn once<S: SeenStore>(
    State(receiver): State<Arc<Receiver<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, receiver.largest_body());
    let body = match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let incoming = receiver.receive(&parts.headers, &body, SystemTime::now()).await;
    let status = incoming.status();
    let Incoming::New(delivery, claim) = incoming else {
        let wait = [("retry-after", RETRY_AFTER.to_string())];
        return match status {
            StatusCode::SERVICE_UNAVAILABLE => (status, wait).into_response(),
            _ => status.into_response(),
        };
    };
    parts.extensions.insert(Arc::new(*delivery));
    let response = next.run(Request::from_parts(parts, Body::empty())).await;
    let kept = if response.status().is_success() { claim.done().await } else { claim.release().await };
    match kept {
        Ok(()) => response,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
