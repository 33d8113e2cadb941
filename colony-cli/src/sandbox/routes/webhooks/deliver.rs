//! Deliveries: signed requests, retried with growing pauses.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use colony_core::webhook::{Attempt, Signer};
use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::super::super::lock;
use super::super::super::world::{World, excerpt};
use super::{Delivery, Hook, Hooks, Job, MAX_FAILURES, Outcome};

/// How long a receiver may take to reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// Created when the first delivery is due: most sandboxes have none.
static HTTP: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.timeout(PATIENCE).build().ok()
});

/// One attempt, ready to be sent.
pub(super) struct Request {
    url: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// Signs a payload twice: the body alone, and the time with the body.
    pub(super) fn new(hook: &Hook, job: &Job, attempt: u32, delivery: Uuid, now: Timestamp) -> Self {
        let body = serde_json::to_vec(&job.payload).unwrap_or_default();
        let mut made = Attempt::new(&job.event, job.event_id.to_string()).number(attempt);
        made.delivery_id = delivery.to_string();
        // A secret has sixteen characters or more, and only an empty one is refused.
        let headers = Signer::new(&hook.secret).map(|signer| signer.attempt(&made, &body, now.into()));
        Self { url: hook.url.clone(), headers: headers.unwrap_or_default(), body }
    }

    pub(super) async fn send(self) -> Outcome {
        let Some(http) = &*HTTP else { return Outcome::default() };
        let request = http.post(self.url).header("content-type", "application/json").body(self.body);
        match request.headers(self.headers).send().await {
            Ok(reply) => {
                let status = Some(reply.status().as_u16());
                let body = reply.text().await.ok().map(|text| excerpt(&text, 1000));
                Outcome { status, body }
            }
            Err(_) => Outcome::default(),
        }
    }
}

/// Delivers an event: retries until the receiver accepts it, the pauses are used up, the webhook is deleted or
/// disabled, or the sandbox stops.
pub(crate) async fn deliver(world: Arc<Mutex<World>>, job: Job, mut quitting: watch::Receiver<bool>) {
    let pauses = Arc::clone(&lock(&world).own.of::<Hooks>().pauses);
    for attempt in 1.. {
        let id = Uuid::new_v4();
        let request = {
            let mut world = lock(&world);
            let hook = world.own.of::<Hooks>().hooks.iter().find(|hook| hook.id == job.hook && hook.active);
            match hook {
                Some(hook) => Request::new(hook, &job, attempt, id, Timestamp::now()),
                None => return,
            }
        };
        let outcome = tokio::select! {
            outcome = request.send() => outcome,
            _ = quitting.wait_for(|quit| *quit) => return,
        };
        let done = outcome.succeeded();
        record(&world, &job, id, attempt, outcome);
        match pauses.get(attempt as usize - 1) {
            Some(pause) if !done => tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                _ = quitting.wait_for(|quit| *quit) => return,
            },
            _ => return,
        }
    }
}

fn record(world: &Mutex<World>, job: &Job, id: Uuid, attempt: u32, outcome: Outcome) {
    let mut world = lock(world);
    let now = world.now();
    let state = world.own.of::<Hooks>();
    // The webhook may have been deleted in the meantime.
    let Some(hook) = state.hooks.iter_mut().find(|hook| hook.id == job.hook) else { return };
    hook.triggered = Some(now);
    hook.failures = if outcome.succeeded() { 0 } else { hook.failures + 1 };
    hook.active &= hook.failures < MAX_FAILURES;
    state.deliveries.push(Delivery::new(job, id, attempt, outcome, now));
}
