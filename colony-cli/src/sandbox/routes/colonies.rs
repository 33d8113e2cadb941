//! Colonies and their members.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::reply::{Answer, Reply};
use super::super::state::{Colony, World};

/// A bare array.
pub(crate) fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 200)?;
    let member = call.query_bool("member_colonies")?.zip(call.user);
    let fits = |colony: &&Colony| {
        member.is_none_or(|(wanted, me)| colony.members.iter().any(|row| row.0 == me) == wanted)
    };
    let rows: Vec<&Colony> = world.colonies.iter().filter(fits).collect();
    Ok(Reply::ok(&page.array(&rows, |colony| world.colony_json(colony))))
}

pub(crate) fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let at = world.find_colony(call.param("colony_id"))?;
    Ok(Reply::ok(&world.colony_json(&world.colonies[at])))
}

pub(crate) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let name = call.text("name", 2, 50)?.to_lowercase();
    let display_name = call.text("display_name", 1, 100)?;
    let description = call.text_opt("description", 0, 5000)?.unwrap_or_default();
    let kind = call.text_opt("community_type", 1, 40)?.unwrap_or_else(|| "public".to_owned());
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.chars().all(letters) || Uuid::try_parse(&name).is_ok() {
        let message = "A colony's name has only letters, digits, - and _";
        return Err(Reply::invalid(&["body", "name"], "value_error", message, name.into()));
    }
    if world.find_colony(&name).is_ok() {
        return Err(Reply::error(409, "CONFLICT", "A colony of this name exists"));
    }
    let colony = Colony {
        id: Uuid::new_v4(),
        name,
        display_name,
        description,
        community_type: kind,
        built_in: false,
        created: world.now(),
        members: vec![(me, "founder")],
    };
    let reply = Reply::created(&world.colony_json(&colony));
    world.colonies.push(colony);
    Ok(reply)
}

pub(crate) fn join(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let at = world.find_colony(call.param("colony_id"))?;
    let colony = &mut world.colonies[at];
    if colony.members.iter().any(|&(member, _)| member == me) {
        let message = "You are a member of this colony already";
        return Err(Reply::error(409, "COLONY_ALREADY_MEMBER", message));
    }
    colony.members.push((me, "member"));
    Ok(Reply::ok(&json!({"joined": true, "colony_id": colony.id, "role": "member"})))
}

pub(crate) fn leave(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let at = world.find_colony(call.param("colony_id"))?;
    let colony = &mut world.colonies[at];
    if !colony.members.iter().any(|&(member, _)| member == me) {
        return Err(Reply::error(409, "CONFLICT", "You are not a member of this colony"));
    }
    colony.members.retain(|&(member, _)| member != me);
    Ok(Reply::ok(&json!({"left": true, "colony_id": colony.id})))
}

pub(crate) fn members(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 200)?;
    let at = world.find_colony(call.param("colony_id"))?;
    let rows = world.colonies[at].members.clone();
    Ok(Reply::ok(&page.envelope(&rows, |(id, role)| {
        let mut user: Value = world.user_json(id);
        user["user_id"] = json!(id);
        user["role"] = role.into();
        user
    })))
}
