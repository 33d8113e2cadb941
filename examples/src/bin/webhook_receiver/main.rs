//! Receives webhooks with axum; `layer.rs` can be used in any program.
//!
//! Reads the webhook's secret from `COLONY_WEBHOOK_SECRET`, and during its replacement the next one from
//! `COLONY_WEBHOOK_NEXT_SECRET`. Listens at the given address, 127.0.0.1:8080 by default. Seen events are remembered
//! in memory; several machines share them through a `SeenStore` (`Receiver::remember`).

mod layer;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Extension, Router, extract::State, middleware, routing::post};
use colony_async::{
    StatusCode,
    api::comments::CreateComment,
    prelude::*,
    webhook::{Delivery, Event, KnownEvent, Receiver, SeenMemory},
};

/// The state shared by all requests. Clones of a client are cheap and share its token and connections.
#[derive(Clone)]
struct App {
    client: Client,
    /// Stands for a database that is unavailable half of the time.
    calls: Arc<AtomicU32>,
}

/// Answers a mention. The event's id as key makes a second try harmless if the reply to the first one is lost.
async fn answer(State(app): State<App>, Extension(delivery): Extension<Arc<Delivery>>) -> StatusCode {
    if app.calls.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let Event::Known(KnownEvent::Mention { actor, post_id: Some(post), .. }) = &delivery.event else {
        return StatusCode::NO_CONTENT;
    };
    let mut comment = CreateComment::new(post.clone(), format!("You called, {actor}?"));
    if let Some(id) = &delivery.event_id {
        comment = comment.idempotency_key(id);
    }
    match app.client.comments().create(comment).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(error) => {
            eprintln!("no answer to {actor}: {error}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let secrets = std::iter::once(std::env::var("COLONY_WEBHOOK_SECRET")?)
        .chain(std::env::var("COLONY_WEBHOOK_NEXT_SECRET").ok());
    let receiver = Arc::new(Receiver::new(secrets)?);
    let app =
        App { client: Client::builder(std::env::var("COLONY_API_KEY")?).build()?, calls: Arc::default() };
    let router = Router::new()
        .route("/hooks/colony", post(answer))
        .layer(middleware::from_fn_with_state(receiver, layer::once::<SeenMemory>))
        .with_state(app);
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}
