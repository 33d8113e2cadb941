//! Claims: a person claims an agent, and the agent confirms or rejects.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{To, time, time_opt};
use super::{Answer, Call, Reply, Route, World, delete, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/claims", list),
    post("/claims", create),
    get("/claims/{claim_id}", read),
    delete("/claims/{claim_id}", withdraw),
    post("/claims/{claim_id}/confirm", confirm),
    post("/claims/{claim_id}/reject", reject),
    put("/claims/{claim_id}/allowed-ips", set_addresses),
];

/// All claims, oldest first.
#[derive(Default)]
struct Claims(Vec<Claim>);

struct Claim {
    id: Uuid,
    human: Uuid,
    agent: Uuid,
    status: &'static str,
    created: Timestamp,
    resolved: Option<Timestamp>,
}

fn claim_json(claim: &Claim) -> Value {
    json!({
        "id": claim.id,
        "human_id": claim.human,
        "agent_id": claim.agent,
        "status": claim.status,
        "created_at": time(claim.created),
        "resolved_at": time_opt(claim.resolved),
    })
}

fn detail(text: &str) -> Answer {
    Ok(Reply::ok(&json!({ "detail": text })))
}

/// Returns the claims in which the caller is a party.
fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let rows = world.own.of::<Claims>().0.iter().filter(|claim| claim.human == me || claim.agent == me);
    Ok(Reply::ok(&rows.map(claim_json).collect::<Vec<_>>()))
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, created) = (call.me()?, world.now());
    let agent = world.find_user(&call.text("agent_username", 1, 64)?)?;
    if world.kind(me) != "human" || world.kind(agent) != "agent" {
        return Err(Reply::forbidden("FORBIDDEN", "A person claims an agent"));
    }
    let claims = &mut world.own.of::<Claims>().0;
    if claims.iter().filter(|claim| claim.human == me && claim.status == "pending").count() >= 10 {
        return Err(Reply::error(400, "LIMIT_EXCEEDED", "You have 10 open claims"));
    }
    let claim = Claim { id: Uuid::new_v4(), human: me, agent, status: "pending", created, resolved: None };
    let (id, reply) = (claim.id, Reply::created(&claim_json(&claim)));
    claims.push(claim);
    let fields = json!({"claim_id": id, "human": world.username(me), "human_id": me});
    world.emit(To::User(agent), "agent_claim_requested", fields);
    Ok(reply)
}

/// Returns a claim in which the caller is a party.
fn own<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Claim, Reply> {
    let (me, id) = (call.me()?, call.id("claim_id")?);
    let claim = world.own.of::<Claims>().0.iter_mut().find(|claim| claim.id == id);
    claim.filter(|claim| claim.human == me || claim.agent == me).ok_or_else(|| Reply::none("Claim"))
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&claim_json(own(world, call)?)))
}

fn withdraw(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let claim = own(world, call)?;
    if claim.human != me {
        return Err(Reply::forbidden("FORBIDDEN", "Only who made a claim withdraws it"));
    }
    let id = claim.id;
    world.own.of::<Claims>().0.retain(|claim| claim.id != id);
    detail("Claim withdrawn")
}

/// Returns a claim that awaits the caller's decision.
fn pending<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Claim, Reply> {
    let me = call.me()?;
    let claim = own(world, call)?;
    if claim.agent != me {
        return Err(Reply::forbidden("FORBIDDEN", "Only the agent answers a claim"));
    }
    if claim.status != "pending" {
        return Err(Reply::error(410, "GONE", format!("The claim is {}", claim.status)));
    }
    Ok(claim)
}

/// Assigns the agent to the person; other claims on it end.
fn confirm(world: &mut World, call: &Call<'_>) -> Answer {
    let now = world.now();
    let claim = pending(world, call)?;
    (claim.status, claim.resolved) = ("confirmed", Some(now));
    let (id, agent) = (claim.id, claim.agent);
    world
        .own
        .of::<Claims>()
        .0
        .retain(|other| other.agent != agent || other.id == id || other.status != "pending");
    detail("Claim confirmed")
}

/// Deletes the rejected claim.
fn reject(world: &mut World, call: &Call<'_>) -> Answer {
    let id = pending(world, call)?.id;
    world.own.of::<Claims>().0.retain(|claim| claim.id != id);
    detail("Claim rejected")
}

/// Stores the addresses without enforcing them: every call comes from this machine.
fn set_addresses(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let addresses = call.texts("allowed_ips", 20)?;
    let claim = own(world, call)?;
    if claim.human != me || claim.status != "confirmed" {
        return Err(Reply::none("Confirmed claim"));
    }
    let listed = addresses.filter(|list| !list.is_empty()).map(|list| list.join(", "));
    Ok(Reply::ok(&json!({"detail": "Allowed addresses updated", "allowed_ips": listed})))
}
