//! Webhooks: their registration, and their deliveries. [`deliver`] sends.

mod deliver;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::lock;
use super::super::world::{To, random_text, time, time_opt};
use super::{Access, Action, Answer, Call, Pending, Reply, Route, World, delete, get, post, put};
use crate::samples;

pub(crate) use deliver::deliver;

pub(super) const ROUTES: &[Route] = &[
    get("/webhooks/events", catalogue).public(),
    get("/webhooks", list),
    post("/webhooks", create),
    get("/webhooks/{webhook_id}", read),
    put("/webhooks/{webhook_id}", update),
    delete("/webhooks/{webhook_id}", remove),
    post("/webhooks/{webhook_id}/rotate-secret", rotate_secret),
    get("/webhooks/{webhook_id}/deliveries", deliveries),
    post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", replay),
    Route {
        method: "POST",
        template: "/webhooks/{webhook_id}/test",
        access: Access::Required,
        action: Action::Later(test),
    },
];

const MAX_HOOKS: usize = 10;
/// The number of consecutive failures before a webhook is disabled.
const MAX_FAILURES: u64 = 10;

struct Hooks {
    hooks: Vec<Hook>,
    deliveries: Vec<Delivery>,
    /// Requested replays.
    queue: Vec<Job>,
    /// How long to wait before each further attempt; there is one more attempt than pauses.
    pauses: Arc<[Duration]>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { hooks: Vec::new(), deliveries: Vec::new(), queue: Vec::new(), pauses: Arc::new([]) }
    }
}

struct Hook {
    id: Uuid,
    owner: Uuid,
    url: String,
    secret: String,
    events: Vec<String>,
    active: bool,
    /// Consecutive failed attempts.
    failures: u64,
    triggered: Option<Timestamp>,
    created: Timestamp,
}

/// One completed attempt.
struct Delivery {
    id: Uuid,
    hook: Uuid,
    event: String,
    event_id: Uuid,
    payload: Value,
    outcome: Outcome,
    attempt: u32,
    replay: bool,
    created: Timestamp,
}

/// The result of an attempt.
#[derive(Debug, Clone, Default)]
struct Outcome {
    /// The status of the reply; `None` if there was none.
    status: Option<u16>,
    body: Option<String>,
}

impl Outcome {
    fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// An event to deliver to one webhook.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    hook: Uuid,
    event: String,
    event_id: Uuid,
    payload: Value,
    replay: bool,
}

/// Sets how long to wait before each further attempt.
pub(crate) fn pauses(world: &mut World, pauses: &[Duration]) {
    world.own.of::<Hooks>().pauses = pauses.into();
}

/// Returns the jobs that are due: the events of the last call, for the webhooks that subscribe to them, and replays.
pub(crate) fn due(world: &mut World) -> Vec<Job> {
    let events = std::mem::take(&mut world.outbox);
    let hooks = world.own.of::<Hooks>();
    let mut jobs = std::mem::take(&mut hooks.queue);
    for event in events {
        let concerned = |hook: &&Hook| {
            hook.active
                && (event.to == To::Everyone || event.to == To::User(hook.owner))
                && hook.events.iter().any(|name| name == event.name)
        };
        for hook in hooks.hooks.iter().filter(concerned) {
            let mut payload = Map::from_iter([("event".to_owned(), event.name.into())]);
            payload.extend(event.fields.clone());
            jobs.push(Job {
                hook: hook.id,
                event: event.name.to_owned(),
                event_id: event.id,
                payload: payload.into(),
                replay: false,
            });
        }
    }
    jobs
}

fn hook_json(hook: &Hook) -> Value {
    json!({
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "is_active": hook.active,
        "failure_count": hook.failures,
        "last_triggered_at": time_opt(hook.triggered),
        "created_at": time(hook.created),
    })
}

fn catalogue(_: &mut World, _: &Call<'_>) -> Answer {
    let rows = samples::all().iter().map(|sample| {
        let name = sample.event();
        let schema: String = name.split('_').map(capitalised).collect();
        json!({
            "name": name,
            "description": name.replace('_', " "),
            "payload_schema_ref": format!("#/components/schemas/{schema}Payload"),
            "example_payload": sample.fields(),
        })
    });
    Ok(Reply::ok(&json!({"events": rows.collect::<Vec<_>>()})))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let rows = world.own.of::<Hooks>().hooks.iter().filter(|hook| hook.owner == me);
    Ok(Reply::ok(&rows.map(hook_json).collect::<Vec<_>>()))
}

/// Returns the URL. Loopback addresses are accepted here; the service refuses them.
fn url(call: &Call<'_>) -> Result<Option<String>, Reply> {
    let Some(text) = call.text_opt("url", 1, 2000)? else { return Ok(None) };
    match url::Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(Some(text)),
        _ => Err(Reply::bad_input("url is not an http or https address")),
    }
}

fn wanted_events(call: &Call<'_>) -> Result<Option<Vec<String>>, Reply> {
    let loc = ["body", "events"];
    let Some(names) = call.texts("events", 100)? else { return Ok(None) };
    if names.is_empty() {
        return Err(Reply::invalid(&loc, "too_short", "List should have at least 1 item", json!([])));
    }
    match names.iter().find(|name| samples::find(name).is_none()) {
        Some(name) => {
            Err(Reply::invalid(&loc, "enum", "There is no event of this name", name.as_str().into()))
        }
        None => Ok(Some(names)),
    }
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, created) = (call.me()?, world.now());
    let url = url(call)?.ok_or_else(|| Reply::missing(&["body", "url"]))?;
    let secret = call.text("secret", 16, 64)?;
    let events = wanted_events(call)?.ok_or_else(|| Reply::missing(&["body", "events"]))?;
    let hooks = &mut world.own.of::<Hooks>().hooks;
    if hooks.iter().filter(|hook| hook.owner == me).count() >= MAX_HOOKS {
        return Err(Reply::error(400, "LIMIT_EXCEEDED", format!("You have {MAX_HOOKS} webhooks already")));
    }
    let hook = Hook {
        id: Uuid::new_v4(),
        owner: me,
        url,
        secret,
        events,
        active: true,
        failures: 0,
        triggered: None,
        created,
    };
    let reply = Reply::created(&hook_json(&hook));
    hooks.push(hook);
    Ok(reply)
}

fn own<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Hook, Reply> {
    let (me, id) = (call.me()?, call.id("webhook_id")?);
    let mut hooks = world.own.of::<Hooks>().hooks.iter_mut();
    hooks.find(|hook| hook.id == id && hook.owner == me).ok_or_else(|| Reply::none("Webhook"))
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&hook_json(own(world, call)?)))
}

/// Updates a webhook. Enabling it again resets the failures.
fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let (url, secret) = (url(call)?, call.text_opt("secret", 16, 64)?);
    let (events, active) = (wanted_events(call)?, call.flag("is_active")?);
    let hook = own(world, call)?;
    hook.url = url.unwrap_or_else(|| std::mem::take(&mut hook.url));
    hook.secret = secret.unwrap_or_else(|| std::mem::take(&mut hook.secret));
    hook.events = events.unwrap_or_else(|| std::mem::take(&mut hook.events));
    if active == Some(true) {
        hook.failures = 0;
    }
    hook.active = active.unwrap_or(hook.active);
    Ok(Reply::ok(&hook_json(hook)))
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    let id = own(world, call)?.id;
    let state = world.own.of::<Hooks>();
    state.hooks.retain(|hook| hook.id != id);
    state.deliveries.retain(|delivery| delivery.hook != id);
    Ok(Reply::no_content())
}

fn rotate_secret(world: &mut World, call: &Call<'_>) -> Answer {
    let now = world.now();
    let hook = own(world, call)?;
    hook.secret = random_text();
    Ok(Reply::ok(&json!({"id": hook.id, "secret": hook.secret, "rotated_at": time(now)})))
}

fn delivery_json(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "webhook_id": delivery.hook,
        "event": delivery.event,
        "event_id": delivery.event_id,
        "payload": delivery.payload,
        "response_status": delivery.outcome.status,
        "response_body": delivery.outcome.body,
        "success": delivery.outcome.succeeded(),
        "attempt": delivery.attempt,
        "is_replay": delivery.replay,
        "created_at": time(delivery.created),
    })
}

/// Returns a bare array of attempts, latest first.
fn deliveries(world: &mut World, call: &Call<'_>) -> Answer {
    let (id, page) = (own(world, call)?.id, call.page(20, 100)?);
    let rows: Vec<&Delivery> =
        world.own.of::<Hooks>().deliveries.iter().rev().filter(|delivery| delivery.hook == id).collect();
    Ok(Reply::ok(&page.array(&rows, |delivery| delivery_json(delivery))))
}

/// Delivers the same event again, under its id.
fn replay(world: &mut World, call: &Call<'_>) -> Answer {
    let (hook, id) = (own(world, call)?.id, call.id("delivery_id")?);
    let hooks = world.own.of::<Hooks>();
    let delivery = hooks.deliveries.iter().find(|delivery| delivery.id == id && delivery.hook == hook);
    let delivery = delivery.ok_or_else(|| Reply::none("Delivery"))?;
    hooks.queue.push(Job {
        hook,
        event: delivery.event.clone(),
        event_id: delivery.event_id,
        payload: delivery.payload.clone(),
        replay: true,
    });
    Ok(Reply::json(
        202,
        &json!({
            "status": "queued",
            "webhook_id": hook,
            "replayed_delivery_id": id,
            "outbox_id": Uuid::new_v4(),
        }),
    ))
}

/// Makes one attempt with `test.ping`, at once. It does not count as a failure.
fn test(world: &mut World, shared: &Arc<Mutex<World>>, call: &Call<'_>) -> Result<Pending, Reply> {
    let hook = own(world, call)?;
    let id = Uuid::new_v4();
    let job = Job {
        hook: hook.id,
        event: "test.ping".to_owned(),
        event_id: id,
        payload: json!({"event": "test.ping", "webhook_id": hook.id}),
        replay: false,
    };
    let request = deliver::Request::new(hook, &job, 1, id, Timestamp::now());
    let shared = Arc::clone(shared);
    Ok(Box::pin(async move {
        let outcome = request.send().await;
        let mut world = lock(&shared);
        let created = world.now();
        let delivery = Delivery::new(&job, id, 1, outcome, created);
        let reply = Reply::ok(&delivery_json(&delivery));
        world.own.of::<Hooks>().deliveries.push(delivery);
        reply
    }))
}

impl Delivery {
    fn new(job: &Job, id: Uuid, attempt: u32, outcome: Outcome, created: Timestamp) -> Self {
        Self {
            id,
            hook: job.hook,
            event: job.event.clone(),
            event_id: job.event_id,
            payload: job.payload.clone(),
            outcome,
            attempt,
            replay: job.replay,
            created,
        }
    }
}
