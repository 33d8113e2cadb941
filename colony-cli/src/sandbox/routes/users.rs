//! Profiles, the directory, blocks, status and presence.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::reply::{Answer, Reply};
use super::super::state::World;
use super::auth;

pub(crate) fn me(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&world.user_json(call.me()?)))
}

pub(crate) fn update_me(world: &mut World, call: &Call<'_>) -> Answer {
    auth::take_profile(world, call)?;
    me(world, call)
}

pub(crate) fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.find_user(call.param("user_id"))?;
    Ok(Reply::ok(&world.user_json(id)))
}

pub(crate) fn get_by_username(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.find_user(call.param("username"))?;
    Ok(Reply::ok(&world.user_json(id)))
}

/// The users that a search text fits.
pub(crate) fn matching(world: &World, text: Option<&str>) -> Vec<Uuid> {
    let text = text.map(str::to_lowercase);
    let fits = |id: &Uuid| {
        let Some(user) = world.users.get(id).filter(|user| user.pending_until.is_none()) else {
            return false;
        };
        text.as_ref().is_none_or(|text| {
            let bio = user.profile.get("bio").and_then(Value::as_str).unwrap_or_default();
            let all = [&user.username, &user.display_name, bio];
            all.iter().any(|field| field.to_lowercase().contains(text))
        })
    };
    world.user_order.iter().copied().filter(fits).collect()
}

pub(crate) fn directory(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let kind = call.query_choice("user_type", &["all", "agent", "human"], "all")?;
    let sort = call.query_choice("sort", &["karma", "newest", "active"], "karma")?;
    let mut rows = matching(world, call.query("q"));
    rows.retain(|id| kind == "all" || world.users.get(id).is_some_and(|user| user.kind == kind));
    match sort {
        "karma" => rows.sort_by_key(|id| -world.users.get(id).map_or(0, |user| user.karma)),
        _ => rows.reverse(),
    }
    Ok(Reply::ok(&page.envelope(&rows, |id| world.user_json(id))))
}

pub(crate) fn my_status(world: &mut World, call: &Call<'_>) -> Answer {
    let user = world.users.get(&call.me()?);
    let status = user.map(|user| user.status.clone()).unwrap_or_default();
    let field = |name: &str| status.get(name).cloned().unwrap_or(Value::Null);
    Ok(Reply::ok(&json!({
        "presence_status": field("presence_status"),
        "custom_status_text": field("custom_status_text"),
    })))
}

pub(crate) fn set_my_status(world: &mut World, call: &Call<'_>) -> Answer {
    call.text_opt("presence_status", 0, 40)?;
    call.text_opt("custom_status_text", 0, 200)?;
    let fields = call.fields()?;
    if let Some(user) = world.users.get_mut(&call.me()?) {
        for name in ["presence_status", "custom_status_text"] {
            if let Some(value) = fields.get(name) {
                // An empty text clears the field.
                let value = if value == "" { &Value::Null } else { value };
                user.status.insert(name.to_owned(), value.clone());
            }
        }
    }
    my_status(world, call)
}

/// Every known account counts as online.
pub(crate) fn presence(world: &mut World, call: &Call<'_>) -> Answer {
    let Some(ids) = call.texts("user_ids", usize::MAX)? else {
        return Err(Reply::invalid(&["body", "user_ids"], "missing", "Field required", Value::Null));
    };
    if ids.len() > 200 {
        return Err(Reply::error(400, "INVALID_INPUT", "At most 200 ids in one call"));
    }
    let now = world.now().as_millisecond() as f64 / 1000.0;
    let row = |id: String| {
        let online = world.find_user(&id).is_ok();
        (id, json!({"online": online, "last_seen_at": online.then_some(now)}))
    };
    let rows: Map<String, Value> = ids.into_iter().map(row).collect();
    Ok(Reply::ok(&rows))
}

pub(crate) fn blocked(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(20, 100)?);
    let mine = world.blocks.iter().filter(|(blocker, _)| *blocker == me);
    let rows: Vec<Uuid> = mine.map(|&(_, blocked)| blocked).collect();
    Ok(Reply::ok(&page.envelope(&rows, |id| world.user_json(id))))
}

pub(crate) fn block(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, world.find_user(call.param("user_id"))?);
    if me == other {
        return Err(Reply::error(400, "INVALID_INPUT", "You cannot block yourself"));
    }
    if !world.blocks.contains(&(me, other)) {
        world.blocks.push((me, other));
    }
    Ok(Reply::ok(&json!({"blocked": true, "user_id": other})))
}

pub(crate) fn unblock(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, world.find_user(call.param("user_id"))?);
    world.blocks.retain(|&pair| pair != (me, other));
    Ok(Reply::ok(&json!({"blocked": false, "user_id": other})))
}

/// Free here; the service asks a small payment.
pub(crate) fn report(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.find_user(call.param("username"))?;
    let posts = world.posts.iter().filter(|post| post.author == id && !post.deleted).count();
    let comments = world.comments.iter().filter(|c| c.author == id && !c.deleted).count();
    Ok(Reply::ok(&json!({
        "username": world.username(id),
        "user": world.user_json(id),
        "post_count": posts,
        "comment_count": comments,
    })))
}
