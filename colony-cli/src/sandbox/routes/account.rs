//! Registration, API keys, the account's e-mail address, and its deletion.

use std::collections::HashMap;

use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{To, User, new_key, over, time};
use super::{Answer, Call, Reply, Route, World, delete, get, post};

pub(super) const ROUTES: &[Route] = &[
    post("/auth/register", register).public(),
    post("/auth/register/begin", register_begin).public(),
    post("/auth/register/confirm", register_confirm).public(),
    get("/auth/check-username", check_username).public(),
    Route::new("OPTIONS", "/auth/check-username", preflight).public(),
    post("/auth/rotate-key", rotate_key),
    delete("/auth/account", delete_account),
];

/// The users of unconfirmed registrations, by claim token.
#[derive(Default)]
struct Claims(HashMap<String, Uuid>);

pub(super) const SAVE: &str = "Save the API key now. It is shown only once.";

/// Returns the name in lower case, or why it is invalid.
pub(super) fn valid_username(text: &str) -> Result<String, &'static str> {
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    if !(3..=32).contains(&text.chars().count()) {
        Err("A username has 3 to 32 characters")
    } else if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        Err("A username has only letters, digits, - and _")
    } else if !edge(text.chars().next()) || !edge(text.chars().next_back()) {
        Err("A username begins and ends with a letter or a digit")
    } else {
        Ok(text.to_lowercase())
    }
}

/// Frees the names of registrations that were not confirmed in time.
fn expire_claims(world: &mut World) {
    let now = world.now();
    let late = |user: &&User| user.pending_until.is_some_and(|end| end < now);
    let late: Vec<Uuid> = world.users.values().filter(late).map(|user| user.id).collect();
    for id in late {
        world.remove_user(id);
        world.own.of::<Claims>().0.retain(|_, claimed| *claimed != id);
    }
}

fn new_account(world: &mut World, call: &Call<'_>) -> Result<(Uuid, String), Reply> {
    expire_claims(world);
    let wanted = call.text("username", 1, 200)?;
    let name = valid_username(&wanted)
        .map_err(|why| Reply::invalid(&["body", "username"], "value_error", why, wanted.as_str().into()))?;
    let display_name = call.text("display_name", 1, 100)?;
    let bio = call.text_opt("bio", 0, 1000)?;
    call.text_opt("registered_via", 0, 64)?;
    if world.names.contains_key(&name) {
        return Err(Reply::conflict("This username is taken"));
    }
    let key = new_key();
    let now = world.now();
    let id = world.add_user(&name, &display_name, key.clone(), now);
    let capabilities = call.fields()?.get("capabilities").cloned().unwrap_or(Value::Null);
    let user = world.user_mut(id)?;
    user.profile.insert("bio".to_owned(), bio.map_or(Value::Null, Value::String));
    user.profile.insert("capabilities".to_owned(), capabilities);
    let general = world.find_colony("general")?;
    world.colonies[general].admit(id, now);
    Ok((id, key))
}

fn register(world: &mut World, call: &Call<'_>) -> Answer {
    let (id, key) = new_account(world, call)?;
    joined(world, id);
    Ok(Reply::created(&json!({
        "api_key": key,
        "id": id,
        "username": world.username(id),
        "key_persistence_required": true,
        "important": SAVE,
    })))
}

fn register_begin(world: &mut World, call: &Call<'_>) -> Answer {
    let (id, key) = new_account(world, call)?;
    let end = world.now().saturating_add(15.minutes()).unwrap_or_default();
    let claim = format!("rct_{}", Uuid::new_v4().simple());
    world.own.of::<Claims>().0.insert(claim.clone(), id);
    world.user_mut(id)?.pending_until = Some(end);
    Ok(Reply::created(&json!({
        "status": "pending",
        "api_key": key,
        "claim_token": claim,
        "id": id,
        "username": world.username(id),
        "expires_at": time(end),
        "key_persistence_required": true,
        "important": SAVE,
    })))
}

fn register_confirm(world: &mut World, call: &Call<'_>) -> Answer {
    expire_claims(world);
    let claim = call.text("claim_token", 1, 200)?;
    let fingerprint = call.text("key_fingerprint", 1, 64)?;
    let claims = &mut world.own.of::<Claims>().0;
    let Some(user) = claims.get(&claim).and_then(|id| world.users.get_mut(id)) else {
        let message = "The claim is unknown, was used, or has expired";
        return Err(Reply::error(410, "REGISTER_CLAIM_EXPIRED", message));
    };
    if fingerprint.len() != 6 || !user.api_key.ends_with(&fingerprint) {
        let message = "The fingerprint is not the last 6 characters of the API key";
        return Err(Reply::error(400, "REGISTER_FINGERPRINT_MISMATCH", message));
    }
    user.pending_until = None;
    let reply = json!({"status": "active", "id": user.id, "username": user.username});
    let id = user.id;
    claims.remove(&claim);
    joined(world, id);
    Ok(Reply::ok(&reply))
}

/// Records that an account has become active.
fn joined(world: &mut World, id: Uuid) {
    let fields = json!({"user_id": id, "username": world.username(id), "user_type": world.kind(id)});
    world.emit(To::Everyone, "member_joined", fields);
}

fn check_username(world: &mut World, call: &Call<'_>) -> Answer {
    expire_claims(world);
    let Some(wanted) = call.query("username") else {
        return Err(Reply::missing(&["query", "username"]));
    };
    let (valid, available, reason) = match valid_username(wanted) {
        Err(why) => (false, false, Some(why)),
        Ok(name) if world.names.contains_key(&name) => (true, false, Some("This username is taken")),
        Ok(_) => (true, true, None),
    };
    let reply = json!({"username": wanted, "valid": valid, "available": available, "reason": reason});
    Ok(Reply::ok(&reply))
}

fn preflight(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!({})))
}

/// Replaces the key, which becomes invalid; tokens issued from it stay valid.
fn rotate_key(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let key = world.change_key(me);
    let fields = json!({"reason": "rotated", "by": world.username(me), "rotated_by_id": me});
    world.emit(To::User(me), "agent_key_rotated", fields);
    Ok(Reply::ok(&json!({"api_key": key, "message": SAVE})))
}

fn delete_account(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let now = world.now();
    let created = world.users.get(&me).map_or(now, |user| user.created);
    if over(created, now, 15) {
        let message = "Only an account less than 15 minutes old can be deleted";
        return Err(Reply::error(409, "ACCOUNT_DELETE_TOO_OLD", message));
    }
    let active = world.posts.iter().any(|post| post.author == me)
        || world.comments.iter().any(|comment| comment.author == me)
        || world.votes.keys().any(|&(_, voter)| voter == me)
        || world.conversations.iter().any(|conversation| conversation.has(me));
    if active {
        let message = "The account has been active";
        return Err(Reply::error(409, "ACCOUNT_DELETE_HAS_ACTIVITY", message));
    }
    world.remove_user(me);
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    use super::valid_username;

    #[test]
    fn usernames() {
        assert_eq!(valid_username("Ada-Bot_2").as_deref(), Ok("ada-bot_2"));
        for bad in ["ab", "", "-ada", "ada-", "a d", "ädä", "x".repeat(33).as_str()] {
            assert!(valid_username(bad).is_err(), "{bad}");
        }
    }
}
