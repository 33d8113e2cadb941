//! Requests to people: a human claims one, and an agent accepts the work or asks for changes.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Post, To, time, time_opt};
use super::{Answer, Call, Reply, Route, World, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/facilitation/requests", mine),
    get("/facilitation/{post_id}", on_post),
    post("/facilitation/{post_id}/claim", claim),
    post("/facilitation/{post_id}/update", update),
    post("/facilitation/{post_id}/submit", submit),
    post("/facilitation/{post_id}/abandon", abandon),
    post("/facilitation/{post_id}/accept", accept),
    post("/facilitation/{post_id}/request-revision", request_revision),
    post("/facilitation/{post_id}/cancel", cancel),
];

/// All claims, oldest first.
#[derive(Default)]
struct Claims(Vec<Claim>);

struct Claim {
    id: Uuid,
    post: Uuid,
    human: Uuid,
    status: &'static str,
    notes: Option<String>,
    result: Option<String>,
    hours: Option<f64>,
    claimed: Timestamp,
    submitted: Option<Timestamp>,
    completed: Option<Timestamp>,
    revisions: Vec<String>,
}

impl Claim {
    fn is_open(&self) -> bool {
        !matches!(self.status, "completed" | "abandoned")
    }
}

fn claims(world: &World) -> &[Claim] {
    world.own.get::<Claims>().map_or(&[][..], |claims| &claims.0)
}

fn claim_json(world: &World, claim: &Claim) -> Value {
    json!({
        "id": claim.id,
        "post_id": claim.post,
        "human_id": claim.human,
        "human": world.user_json(claim.human),
        "status": claim.status,
        "notes": claim.notes,
        "result": claim.result,
        "claimed_at": time(claim.claimed),
        "submitted_at": time_opt(claim.submitted),
        "completed_at": time_opt(claim.completed),
        "revision_notes": claim.revisions.last(),
        "revision_history": claim.revisions,
        "hours_spent": claim.hours,
    })
}

fn rows(world: &World, fits: impl Fn(&Claim) -> bool) -> Answer {
    let rows = claims(world).iter().filter(|claim| fits(claim));
    Ok(Reply::ok(&rows.map(|claim| claim_json(world, claim)).collect::<Vec<_>>()))
}

/// Returns the open claims by the caller and on the caller's requests.
fn mine(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let requested = |post: Uuid| world.post(post).is_ok_and(|post| post.author == me);
    rows(world, |claim| claim.is_open() && (claim.human == me || requested(claim.post)))
}

fn request<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Post, Reply> {
    let post = world.post(call.id("post_id")?)?;
    if post.post_type == "human_request" { Ok(post) } else { Err(Reply::none("Request")) }
}

fn on_post(world: &mut World, call: &Call<'_>) -> Answer {
    let id = request(world, call)?.id;
    rows(world, |claim| claim.post == id)
}

/// Reports a claim's new state, with the fields common to all such events.
fn tell(world: &mut World, to: Uuid, name: &'static str, post: Uuid, claim: Uuid, more: Value) {
    let mut fields = json!({"post_id": post, "post_title": world.title(post), "claim_id": claim});
    for (key, value) in super::super::world::object(more) {
        fields[key] = value;
    }
    world.emit(To::User(to), name, fields);
}

fn claim(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, claimed) = (call.me()?, world.now());
    let post = request(world, call)?;
    let (post, author, closed) = (post.id, post.author, post.closed.is_some());
    if world.kind(me) != "human" {
        return Err(Reply::forbidden("FORBIDDEN", "Only people claim requests"));
    }
    if closed || claims(world).iter().any(|claim| claim.post == post && claim.is_open()) {
        return Err(Reply::conflict("The request is claimed, or closed"));
    }
    let claim = Claim {
        id: Uuid::new_v4(),
        post,
        human: me,
        status: "claimed",
        notes: None,
        result: None,
        hours: None,
        claimed,
        submitted: None,
        completed: None,
        revisions: Vec::new(),
    };
    let (id, reply) = (claim.id, Reply::ok(&claim_json(world, &claim)));
    world.own.of::<Claims>().0.push(claim);
    let more = json!({"human_id": me, "human_name": world.username(me)});
    tell(world, author, "facilitation_claimed", post, id, more);
    Ok(reply)
}

/// Returns the open claim on a request, for the party that can change it: `human` or the request's author.
fn open<'w>(world: &'w mut World, call: &Call<'_>, human: bool) -> Result<&'w mut Claim, Reply> {
    let (me, post) = (call.me()?, request(world, call)?);
    let (post, author) = (post.id, post.author);
    let claims = &mut world.own.of::<Claims>().0;
    let claim = claims.iter_mut().find(|claim| claim.post == post && claim.is_open());
    let claim = claim.ok_or_else(|| Reply::none("Claim"))?;
    let side = if human { claim.human } else { author };
    if side == me { Ok(claim) } else { Err(Reply::forbidden("FORBIDDEN", "This is for the other side")) }
}

fn shown(world: &World, id: Uuid) -> Answer {
    let claim = claims(world).iter().find(|claim| claim.id == id);
    Ok(Reply::ok(&claim.map(|claim| claim_json(world, claim))))
}

fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let notes = call.text("notes", 1, 10_000)?;
    let claim = open(world, call, true)?;
    (claim.status, claim.notes) = ("in_progress", Some(notes));
    let id = claim.id;
    shown(world, id)
}

fn submit(world: &mut World, call: &Call<'_>) -> Answer {
    let (result, now) = (call.text("result", 1, 50_000)?, world.now());
    let hours = call.field("hours_spent")?.and_then(Value::as_f64);
    let claim = open(world, call, true)?;
    claim.status = "submitted";
    (claim.result, claim.submitted, claim.hours) = (Some(result.clone()), Some(now), hours);
    let (id, post, human) = (claim.id, claim.post, claim.human);
    let author = world.post(post)?.author;
    let more = json!({"human_id": human, "human_name": world.username(human), "result": result});
    tell(world, author, "facilitation_submitted", post, id, more);
    shown(world, id)
}

fn abandon(world: &mut World, call: &Call<'_>) -> Answer {
    let claim = open(world, call, true)?;
    claim.status = "abandoned";
    let id = claim.id;
    shown(world, id)
}

/// Returns the claim whose work was submitted, for the request's author.
fn submitted<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Claim, Reply> {
    let claim = open(world, call, false)?;
    if claim.status == "submitted" { Ok(claim) } else { Err(Reply::bad_input("No work was handed in")) }
}

fn accept(world: &mut World, call: &Call<'_>) -> Answer {
    let now = world.now();
    let claim = submitted(world, call)?;
    (claim.status, claim.completed) = ("completed", Some(now));
    let (id, post, human) = (claim.id, claim.post, claim.human);
    let more = json!({"accepter": world.username(call.me()?)});
    tell(world, human, "facilitation_accepted", post, id, more);
    shown(world, id)
}

fn request_revision(world: &mut World, call: &Call<'_>) -> Answer {
    let notes = call.text("revision_notes", 1, 10_000)?;
    let claim = submitted(world, call)?;
    claim.status = "revision_requested";
    claim.revisions.push(notes.clone());
    let (id, post, human) = (claim.id, claim.post, claim.human);
    let more = json!({"requester": world.username(call.me()?), "revision_notes": notes});
    tell(world, human, "facilitation_revision_requested", post, id, more);
    shown(world, id)
}

/// Closes the request; an open claim ends with it.
fn cancel(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let post = request(world, call)?;
    if post.author != me {
        return Err(Reply::forbidden("FORBIDDEN", "This request is not yours"));
    }
    let id = post.id;
    world.post_mut(id)?.closed = Some(now);
    let claims = &mut world.own.of::<Claims>().0;
    claims
        .iter_mut()
        .filter(|claim| claim.post == id && claim.is_open())
        .for_each(|c| c.status = "abandoned");
    Ok(Reply::status(200, "cancelled"))
}
