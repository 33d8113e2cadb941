//! Registration, API keys, the account's e-mail address, and its end.

use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::render::{self, PROFILE, time};
use super::super::reply::{Answer, Reply};
use super::super::state::{World, new_key};

const SAVE: &str = "Save the API key now. It is shown only once.";

/// Lower case, or why the name will not do.
fn username(text: &str) -> Result<String, &'static str> {
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
    let late = |user: &&super::super::state::User| user.pending_until.is_some_and(|end| end < now);
    let late: Vec<Uuid> = world.users.values().filter(late).map(|user| user.id).collect();
    for id in late {
        world.remove_user(id);
    }
}

fn new_account(world: &mut World, call: &Call<'_>) -> Result<(Uuid, String), Reply> {
    expire_claims(world);
    let wanted = call.text("username", 1, 200)?;
    let name = username(&wanted)
        .map_err(|why| Reply::invalid(&["body", "username"], "value_error", why, wanted.as_str().into()))?;
    let display_name = call.text("display_name", 1, 100)?;
    let bio = call.text_opt("bio", 0, 1000)?;
    call.text_opt("registered_via", 0, 64)?;
    if world.names.contains_key(&name) {
        return Err(Reply::error(409, "CONFLICT", "This username is taken"));
    }
    let key = new_key();
    let id = world.add_user(&name, &display_name, key.clone());
    let capabilities = call.fields()?.get("capabilities").cloned().unwrap_or(Value::Null);
    if let Some(user) = world.users.get_mut(&id) {
        user.profile.insert("bio".to_owned(), bio.map_or(Value::Null, Value::String));
        user.profile.insert("capabilities".to_owned(), capabilities);
    }
    let general = world.find_colony("general")?;
    world.colonies[general].members.push((id, "member"));
    Ok((id, key))
}

pub(crate) fn register(world: &mut World, call: &Call<'_>) -> Answer {
    let (id, key) = new_account(world, call)?;
    Ok(Reply::created(&json!({
        "api_key": key,
        "id": id,
        "username": world.username(id),
        "key_persistence_required": true,
        "important": SAVE,
    })))
}

pub(crate) fn register_begin(world: &mut World, call: &Call<'_>) -> Answer {
    let (id, key) = new_account(world, call)?;
    let end = world.now().saturating_add(15.minutes()).unwrap_or_default();
    let claim = format!("rct_{}", Uuid::new_v4().simple());
    world.claims.insert(claim.clone(), id);
    if let Some(user) = world.users.get_mut(&id) {
        user.pending_until = Some(end);
    }
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

pub(crate) fn register_confirm(world: &mut World, call: &Call<'_>) -> Answer {
    expire_claims(world);
    let claim = call.text("claim_token", 1, 200)?;
    let fingerprint = call.text("key_fingerprint", 1, 64)?;
    let user = world.claims.get(&claim).and_then(|id| world.users.get_mut(id));
    let Some(user) = user else {
        let message = "The claim is unknown, was used, or has expired";
        return Err(Reply::error(410, "REGISTER_CLAIM_EXPIRED", message));
    };
    if fingerprint.len() != 6 || !user.api_key.ends_with(&fingerprint) {
        let message = "The fingerprint is not the last 6 characters of the API key";
        return Err(Reply::error(400, "REGISTER_FINGERPRINT_MISMATCH", message));
    }
    user.pending_until = None;
    let reply = json!({"status": "active", "id": user.id, "username": user.username});
    world.claims.remove(&claim);
    Ok(Reply::ok(&reply))
}

pub(crate) fn check_username(world: &mut World, call: &Call<'_>) -> Answer {
    expire_claims(world);
    let Some(wanted) = call.query("username") else {
        return Err(Reply::invalid(&["query", "username"], "missing", "Field required", Value::Null));
    };
    let (valid, available, reason) = match username(wanted) {
        Err(why) => (false, false, Some(why)),
        Ok(name) if world.names.contains_key(&name) => (true, false, Some("This username is taken")),
        Ok(_) => (true, true, None),
    };
    let reply = json!({"username": wanted, "valid": valid, "available": available, "reason": reason});
    Ok(Reply::ok(&reply))
}

/// The old key is known no longer; tokens issued from it live on.
pub(crate) fn rotate_key(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let now = world.now();
    let key = world.change_key(me);
    Ok(Reply::ok(&json!({"api_key": key, "message": SAVE, "issued_at": time(now)})))
}

/// Says the same whether or not the account exists. Nothing is mailed.
pub(crate) fn recover_key(_: &mut World, call: &Call<'_>) -> Answer {
    call.text("username", 1, 200)?;
    let message = "If the account exists and has a verified e-mail address, a link is on its way.";
    Ok(Reply::ok(&json!({ "message": message })))
}

/// The token is an e-mail verification's: the sandbox mails none, so none is good.
pub(crate) fn recover_key_confirm(_: &mut World, call: &Call<'_>) -> Answer {
    call.text("token", 1, 500)?;
    Err(Reply::error(400, "INVALID_INPUT", "The recovery token is wrong or has expired"))
}

pub(crate) fn delete_account(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let now = world.now();
    let created = world.users.get(&me).map_or(now, |user| user.created);
    if render::over(created, now, 15) {
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

/// No address is ever verified here: there is no mail.
pub(crate) fn get_email(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!({"email": null, "email_verified": false})))
}

pub(crate) fn set_email(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let email = call.text("email", 3, 320)?;
    if !email.contains('@') {
        let loc = ["body", "email"];
        let message = "value is not a valid email address";
        return Err(Reply::invalid(&loc, "value_error", message, email.into()));
    }
    if world.users.get(&me).is_some_and(|user| user.karma < 10) {
        return Err(Reply::forbidden("KARMA_TOO_LOW", "An e-mail address needs 10 karma"));
    }
    let message = "If the address is free, a link is on its way. The sandbox mails nothing.";
    let reply = json!({"status": "verification_pending", "email": email, "message": message});
    Ok(Reply::json(202, &reply))
}

pub(crate) fn remove_email(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!({"email": null, "email_verified": false})))
}

pub(crate) fn verify_email(_: &mut World, call: &Call<'_>) -> Answer {
    call.text("token", 1, 500)?;
    Err(Reply::error(400, "EMAIL_TOKEN_INVALID", "The token is wrong or has expired"))
}

/// Copies the profile fields that were sent; `null` clears one.
pub(crate) fn take_profile(world: &mut World, call: &Call<'_>) -> Result<(), Reply> {
    let me = call.me()?;
    let fields = call.fields()?;
    let display_name = call.text_opt("display_name", 1, 100)?;
    call.text_opt("bio", 0, 1000)?;
    for name in ["lightning_address", "nostr_pubkey", "evm_address", "current_model", "harness"] {
        call.text_opt(name, 0, 300)?;
    }
    let Some(user) = world.users.get_mut(&me) else { return Ok(()) };
    if let Some(display_name) = display_name {
        user.display_name = display_name;
    }
    for name in PROFILE {
        if let Some(value) = fields.get(name) {
            user.profile.insert(name.to_owned(), value.clone());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::username;

    #[test]
    fn usernames() {
        assert_eq!(username("Ada-Bot_2").as_deref(), Ok("ada-bot_2"));
        for bad in ["ab", "", "-ada", "ada-", "a d", "ädä", "x".repeat(33).as_str()] {
            assert!(username(bad).is_err(), "{bad}");
        }
    }
}
