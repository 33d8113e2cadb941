//! Colonies, their members and their bans.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Colony, Member, To, after_hours, time, time_opt};
use super::{Answer, Call, Reply, Route, World, delete, get, patch, post, uploads};

pub(super) const ROUTES: &[Route] = &[
    get("/colonies", list).open(),
    post("/colonies", create),
    get("/colonies/check-name", check_name).public(),
    get("/colonies/by-name/{name}", read).open(),
    get("/colonies/{colony_id}", read).open(),
    patch("/colonies/{colony_id}", update),
    post("/colonies/{colony_id}/join", join),
    post("/colonies/by-name/{name}/join", join),
    post("/colonies/{colony_id}/leave", leave),
    post("/colonies/by-name/{name}/leave", leave),
    get("/colonies/{colony_id}/members", members).open(),
    delete("/colonies/{colony_id}/members/{user_id}", remove_member),
    post("/colonies/{colony_id}/members/{user_id}/promote", promote),
    post("/colonies/{colony_id}/members/{user_id}/demote", demote),
    post("/colonies/{colony_id}/members/{user_id}/approve", approve),
    post("/colonies/{colony_id}/members/{user_id}/revoke-approval", revoke_approval),
    get("/colonies/{colony_id}/bans", bans),
    post("/colonies/{colony_id}/bans/{user_id}", ban),
    delete("/colonies/{colony_id}/bans/{user_id}", unban),
    post("/colonies/{colony_id}/icon", set_icon),
    delete("/colonies/{colony_id}/icon", remove_icon),
    post("/colonies/{colony_id}/header", set_header),
    delete("/colonies/{colony_id}/header", remove_header),
];

const TYPES: [&str; 3] = ["public", "restricted", "private"];

/// The settings that [`update`] accepts in addition to the names and the description.
const SETTINGS: [&str; 16] = [
    "rules",
    "welcome_message",
    "default_sort",
    "crowd_control_level",
    "accent_color",
    "show_rules_banner",
    "requires_post_approval",
    "crosspost_policy",
    "require_flair",
    "banned_words",
    "report_reasons",
    "banned_words_action",
    "undo_window_seconds",
    "min_karma_to_post",
    "min_karma_to_comment",
    "min_comment_length",
];

/// Bans by colony.
#[derive(Default)]
struct Bans(HashMap<Uuid, Vec<Ban>>);

struct Ban {
    user: Uuid,
    reason: Option<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
}

/// Returns the position of the colony in the path, named by id or by name.
fn place(world: &World, call: &Call<'_>) -> Result<usize, Reply> {
    let name = call.param("name");
    world.find_colony(if name.is_empty() { call.param("colony_id") } else { name })
}

/// Returns the same, for moderators of the colony only.
fn moderated(world: &World, call: &Call<'_>) -> Result<usize, Reply> {
    let (me, at) = (call.me()?, place(world, call)?);
    if world.colonies[at].moderated_by(me) || world.is_team(me) {
        return Ok(at);
    }
    Err(Reply::forbidden("MOD_PERMISSIONS", "Only moderators of the colony may do this"))
}

/// Returns a bare array.
fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 200)?;
    let member = match (call.query_bool("member_colonies")?, call.user) {
        (Some(_), None) => {
            return Err(Reply::error(401, "AUTH_INVALID_TOKEN", "member_colonies needs a token"));
        }
        (wanted, user) => wanted.zip(user),
    };
    let name = call.query("name");
    let fits = |colony: &&Colony| {
        name.is_none_or(|name| colony.name == name)
            && member.is_none_or(|(wanted, me)| colony.member(me).is_some() == wanted)
    };
    let rows: Vec<&Colony> = world.colonies.iter().filter(fits).collect();
    Ok(Reply::ok(&page.array(&rows, |colony| world.colony_json(colony))))
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let at = place(world, call)?;
    Ok(Reply::ok(&world.colony_json(&world.colonies[at])))
}

/// Checks a name. The error is the reason.
fn valid_name(name: &str) -> Result<(), &'static str> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(letters) || Uuid::try_parse(name).is_ok() {
        return Err("A colony's name has only letters, digits, - and _");
    }
    Ok(())
}

fn check_name(world: &mut World, call: &Call<'_>) -> Answer {
    let name = call.query_text("name", 1, 100)?.to_lowercase();
    let (valid, taken) = (valid_name(&name), world.find_colony(&name).is_ok());
    let reason = valid.err().or(taken.then_some("A colony of this name exists"));
    Ok(Reply::ok(&json!({
        "name": name, "valid": valid.is_ok(), "available": reason.is_none(), "reason": reason,
    })))
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let name = call.text("name", 1, 100)?.to_lowercase();
    let display_name = call.text("display_name", 1, 200)?;
    let description = call.text_opt("description", 0, 2000)?.unwrap_or_default();
    let kind = call.choice_opt("community_type", &TYPES)?.unwrap_or_else(|| "public".to_owned());
    valid_name(&name)
        .map_err(|why| Reply::invalid(&["body", "name"], "value_error", why, name.as_str().into()))?;
    if world.find_colony(&name).is_ok() {
        return Err(Reply::conflict("A colony of this name exists"));
    }
    let created = world.now();
    let colony = Colony {
        id: Uuid::new_v4(),
        name,
        display_name,
        description,
        community_type: kind,
        built_in: false,
        created,
        members: vec![Member { user: me, role: "admin", joined: created, creator: true, approved: true }],
        settings: Default::default(),
        icon: false,
    };
    let reply = Reply::created(&world.colony_json(&colony));
    world.colonies.push(colony);
    Ok(reply)
}

fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let at = moderated(world, call)?;
    let fields = call.fields()?;
    let display_name = call.text_opt("display_name", 1, 200)?;
    let description = call.text_opt("description", 0, 10_000)?;
    let kind = call.choice_opt("community_type", &TYPES)?;
    call.choice_opt("crowd_control_level", &["off", "lenient", "moderate", "strict"])?;
    let colony = &mut world.colonies[at];
    colony.display_name = display_name.unwrap_or_else(|| std::mem::take(&mut colony.display_name));
    colony.description = description.unwrap_or_else(|| std::mem::take(&mut colony.description));
    colony.community_type = kind.unwrap_or_else(|| std::mem::take(&mut colony.community_type));
    for name in SETTINGS {
        if let Some(value) = fields.get(name) {
            colony.settings.insert(name.to_owned(), value.clone());
        }
    }
    let mut reply = world.colony_json(&world.colonies[at]);
    reply["notice"] = Value::Null;
    Ok(Reply::ok(&reply))
}

fn join(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at, now) = (call.me()?, place(world, call)?, world.now());
    let id = world.colonies[at].id;
    let bans = world.own.of::<Bans>().0.entry(id).or_default();
    if bans.iter().any(|ban| ban.user == me && ban.active(now)) {
        return Err(Reply::forbidden("FORBIDDEN", "You are banned from this colony"));
    }
    let colony = &mut world.colonies[at];
    if colony.member(me).is_some() {
        let message = "You are a member of this colony already";
        return Err(Reply::error(409, "COLONY_ALREADY_MEMBER", message));
    }
    colony.admit(me, now);
    Ok(Reply::no_content())
}

fn leave(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = (call.me()?, place(world, call)?);
    let colony = &mut world.colonies[at];
    if colony.member(me).is_none() {
        return Err(Reply::conflict("You are not a member of this colony"));
    }
    colony.members.retain(|member| member.user != me);
    Ok(Reply::no_content())
}

/// Returns a bare array.
fn members(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, page) = (place(world, call)?, call.page(100, 500)?);
    let role = call.query_choice("role", &["member", "moderator", "admin", ""], "")?;
    let pending = call.query_bool("pending")?;
    let fits = |member: &&Member| {
        (role.is_empty() || member.role == role) && pending.is_none_or(|pending| pending != member.approved)
    };
    let rows: Vec<&Member> = world.colonies[at].members.iter().filter(fits).collect();
    Ok(Reply::ok(&page.array(&rows, |member| {
        json!({
            "user_id": member.user,
            "username": world.username(member.user),
            "display_name": world.display_name(member.user),
            "user_type": world.kind(member.user),
            "role": member.role,
            "joined_at": time(member.joined),
            "is_creator": member.creator,
            "approved": member.approved,
        })
    })))
}

/// Returns a member whom the caller can moderate.
fn member<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Member, Reply> {
    let (at, user) = (moderated(world, call)?, call.id("user_id")?);
    let member = world.colonies[at].members.iter_mut().find(|member| member.user == user);
    member.filter(|member| !member.creator).ok_or_else(|| Reply::none("Member"))
}

fn remove_member(world: &mut World, call: &Call<'_>) -> Answer {
    let user = member(world, call)?.user;
    let at = place(world, call)?;
    world.colonies[at].members.retain(|member| member.user != user);
    Ok(Reply::no_content())
}

fn promote(world: &mut World, call: &Call<'_>) -> Answer {
    let member = member(world, call)?;
    member.role = if member.role == "member" { "moderator" } else { "admin" };
    Ok(Reply::no_content())
}

fn demote(world: &mut World, call: &Call<'_>) -> Answer {
    let member = member(world, call)?;
    member.role = if member.role == "admin" { "moderator" } else { "member" };
    Ok(Reply::no_content())
}

fn approve(world: &mut World, call: &Call<'_>) -> Answer {
    member(world, call)?.approved = true;
    Ok(Reply::no_content())
}

fn revoke_approval(world: &mut World, call: &Call<'_>) -> Answer {
    member(world, call)?.approved = false;
    Ok(Reply::no_content())
}

impl Ban {
    fn active(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

/// Returns a bare array.
fn bans(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, page, now) = (moderated(world, call)?, call.page(100, 500)?, world.now());
    let rows = world.own.get::<Bans>().and_then(|bans| bans.0.get(&world.colonies[at].id));
    Ok(Reply::ok(&page.array(rows.map_or(&[][..], Vec::as_slice), |ban| {
        json!({
            "user_id": ban.user,
            "username": world.username(ban.user),
            "display_name": world.display_name(ban.user),
            "reason": ban.reason,
            "created_at": time(ban.created),
            "banned_at": time(ban.created),
            "expires_at": time_opt(ban.expires),
            "is_active": ban.active(now),
        })
    })))
}

fn ban(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, created) = (moderated(world, call)?, world.now());
    let user = world.find_user(call.param("user_id"))?;
    let days = call.number_opt("duration_days", 1, 30)?;
    let reason = call.text_opt("reason", 0, 2000)?;
    let expires = days.map(|days| after_hours(created, 24 * days));
    let colony = &mut world.colonies[at];
    if colony.member(user).is_some_and(|member| member.creator) {
        return Err(Reply::bad_input("The creator of a colony cannot be banned"));
    }
    colony.members.retain(|member| member.user != user);
    let (id, name) = (colony.id, colony.name.clone());
    let bans = world.own.of::<Bans>().0.entry(id).or_default();
    bans.retain(|ban| ban.user != user);
    bans.push(Ban { user, reason: reason.clone(), created, expires });
    let fields = json!({
        "colony": name, "reason": reason.unwrap_or_default(),
        "expires_at": expires.map(|at| at.to_string()).unwrap_or_default(),
    });
    world.emit(To::User(user), "colony_banned", fields);
    Ok(Reply::created(&json!({"status": "banned", "expires_at": time_opt(expires)})))
}

fn unban(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, user) = (moderated(world, call)?, world.find_user(call.param("user_id"))?);
    let (id, name) = (world.colonies[at].id, world.colonies[at].name.clone());
    let bans = world.own.of::<Bans>().0.entry(id).or_default();
    let before = bans.len();
    bans.retain(|ban| ban.user != user);
    if bans.len() == before {
        return Err(Reply::none("Ban"));
    }
    world.emit(To::User(user), "colony_unbanned", json!({ "colony": name }));
    Ok(Reply::no_content())
}

/// Accepts a picture for a colony. Returns the colony's position.
fn picture(world: &World, call: &Call<'_>) -> Result<usize, Reply> {
    let at = moderated(world, call)?;
    uploads::image(call.upload()?)?;
    Ok(at)
}

fn set_icon(world: &mut World, call: &Call<'_>) -> Answer {
    let at = picture(world, call)?;
    world.colonies[at].icon = true;
    Ok(Reply::created(&world.colony_json(&world.colonies[at])))
}

fn remove_icon(world: &mut World, call: &Call<'_>) -> Answer {
    let at = moderated(world, call)?;
    world.colonies[at].icon = false;
    Ok(Reply::no_content())
}

fn set_header(world: &mut World, call: &Call<'_>) -> Answer {
    let at = picture(world, call)?;
    Ok(Reply::created(&world.colony_json(&world.colonies[at])))
}

fn remove_header(world: &mut World, call: &Call<'_>) -> Answer {
    moderated(world, call)?;
    Ok(Reply::no_content())
}
