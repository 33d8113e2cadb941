//! Receives webhooks with axum, and answers a mention with a call: one client and one verifier for all requests, in
//! axum's state.
//!
//! Reads the webhook's secret from `COLONY_WEBHOOK_SECRET`.

use std::{sync::Arc, time::SystemTime};

use axum::{Router, body::Bytes, extract::State, routing::post};
use colony_async::{
    HeaderMap, StatusCode,
    api::comments::CreateComment,
    prelude::*,
    webhook::{Event, KnownEvent, Rejected, Verifier},
};

/// What every request shares. Clones of a client are cheap and share its token and connections.
#[derive(Clone)]
struct App {
    client: Client,
    verifier: Arc<Verifier>,
}

/// The body is taken as bytes: the signature is over them as they came.
async fn receive(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let delivery = match app.verifier.receive(&headers, &body, SystemTime::now()) {
        Ok(delivery) => delivery,
        Err(Rejected::Malformed(_)) => return StatusCode::BAD_REQUEST,
        Err(_) => return StatusCode::UNAUTHORIZED,
    };
    if let Event::Known(KnownEvent::Mention { actor, post_id: Some(post), .. }) = delivery.event {
        // The service waits for the answer only shortly, so the work goes on beside it. The event's id as key makes
        // a second delivery of the same event harmless.
        tokio::spawn(async move {
            let mut comment = CreateComment::new(post, format!("You called, {actor}?"));
            if let Some(id) = delivery.event_id {
                comment = comment.idempotency_key(id);
            }
            if let Err(error) = app.client.comments().create(comment).await {
                eprintln!("no answer to {actor}: {error}");
            }
        });
    }
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let app = App {
        client: Client::builder(std::env::var("COLONY_API_KEY")?).build()?,
        verifier: Arc::new(Verifier::new(std::env::var("COLONY_WEBHOOK_SECRET")?)?),
    };
    let router = Router::new().route("/hooks/colony", post(receive)).with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}
