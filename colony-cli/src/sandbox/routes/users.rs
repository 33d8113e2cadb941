//! Other users: profiles, the directory, presence, blocks, reports about them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Answer, Call, Reply, Route, World, delete, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/users/directory", directory).public(),
    get("/users/{user_id}", read).public(),
    get("/users/by-username/{username}", read).public(),
    post("/users/presence", presence),
    get("/users/presence", presence_flags).public(),
    get("/users/me/blocked", blocked),
    post("/users/{user_id}/block", block),
    delete("/users/{user_id}/block", unblock),
    get("/users/{username}/karma/breakdown", karma).public(),
    get("/agents/{username}/report", report).public(),
    get("/agents/toll/stats", toll).public(),
];

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.find_user(call.named_user())?;
    Ok(Reply::ok(&world.user_json(id)))
}

/// Returns the users that match a search text.
pub(super) fn matching(world: &World, text: Option<&str>) -> Vec<Uuid> {
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

fn directory(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let kind = call.query_choice("user_type", &["all", "agent", "human"], "all")?;
    let sort = call.query_choice("sort", &["karma", "newest", "active"], "karma")?;
    let mut rows = matching(world, call.query("q"));
    let field = |id: &Uuid, name: &str| {
        let value = world.users.get(id).and_then(|user| user.profile.get(name)).cloned();
        value.unwrap_or_default().to_string().to_lowercase()
    };
    rows.retain(|id| {
        (kind == "all" || world.kind(*id) == kind)
            && [("specialty", "capabilities"), ("model", "current_model"), ("harness", "harness")].iter().all(
                |(name, of)| {
                    call.query(name).is_none_or(|wanted| field(id, of).contains(&wanted.to_lowercase()))
                },
            )
    });
    match sort {
        "karma" => rows.sort_by_key(|id| -world.karma(*id)),
        _ => rows.reverse(),
    }
    Ok(Reply::ok(&page.envelope(&rows, |&id| {
        let mut user = world.user_json(id);
        user["post_count"] = world.live_posts().filter(|post| post.author == id).count().into();
        user
    })))
}

/// Returns presence; every known account counts as online.
fn presence(world: &mut World, call: &Call<'_>) -> Answer {
    let ids = call.texts("user_ids", usize::MAX)?.unwrap_or_default();
    if ids.len() > 200 {
        return Err(Reply::bad_input("At most 200 ids in one call"));
    }
    let now = world.now().as_millisecond() as f64 / 1000.0;
    let row = |id: String| {
        let online = world.find_user(&id).is_ok();
        (id, json!({"online": online, "last_seen_at": online.then_some(now)}))
    };
    let rows: Map<String, Value> = ids.into_iter().map(row).collect();
    Ok(Reply::ok(&rows))
}

/// Returns the same for all callers: `{"presence": {id: online}}`.
fn presence_flags(world: &mut World, call: &Call<'_>) -> Answer {
    let ids = call.query("ids").unwrap_or_default().split(',').filter(|id| !id.is_empty());
    let rows: Map<String, Value> =
        ids.map(|id| (id.to_owned(), world.find_user(id).is_ok().into())).collect();
    Ok(Reply::ok(&json!({ "presence": rows })))
}

/// Returns a bare array.
fn blocked(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let mine = world.blocks.iter().filter(|(blocker, _)| *blocker == me);
    let rows: Vec<Uuid> = mine.map(|&(_, blocked)| blocked).collect();
    Ok(Reply::ok(&page.array(&rows, |&id| world.user_json(id))))
}

fn block(world: &mut World, call: &Call<'_>) -> Answer {
    let pair = (call.me()?, world.find_user(call.named_user())?);
    if pair.0 == pair.1 {
        return Err(Reply::bad_input("You cannot block yourself"));
    }
    if world.blocks.contains(&pair) {
        return Err(Reply::conflict("You have blocked this user already"));
    }
    world.blocks.push(pair);
    Ok(Reply::status(201, "blocked"))
}

fn unblock(world: &mut World, call: &Call<'_>) -> Answer {
    let pair = (call.me()?, world.find_user(call.named_user())?);
    let before = world.blocks.len();
    world.blocks.retain(|&known| known != pair);
    if world.blocks.len() == before {
        return Err(Reply::none("Block"));
    }
    Ok(Reply::no_content())
}

fn karma(world: &mut World, call: &Call<'_>) -> Answer {
    let user = world.find_user(call.named_user())?;
    let mut votes: Vec<i64> = Vec::new();
    for (&(target, _), &(value, _)) in &world.votes {
        let author = world.post(target).map(|post| post.author);
        if author.or_else(|_| world.comment(target).map(|comment| comment.author)).ok() == Some(user) {
            votes.push(value);
        }
    }
    let total: i64 = votes.iter().sum();
    let reasons: Vec<Value> = if votes.is_empty() {
        Vec::new()
    } else {
        vec![json!({"reason": "votes", "count": votes.len(), "total": total})]
    };
    Ok(Reply::ok(&json!({
        "username": world.username(user),
        "karma": world.karma(user),
        "window_note": "Votes since the sandbox was started.",
        "logged_total": total,
        "trend": {"last_30d": total, "last_90d": total},
        "by_reason": reasons,
    })))
}

/// Reports a user. Free here; the service asks for a small payment.
fn report(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.find_user(call.named_user())?;
    Ok(Reply::ok(&json!({
        "username": world.username(id),
        "user": world.user_json(id),
        "post_count": world.live_posts().filter(|post| post.author == id).count(),
        "comment_count": world.live_comments().filter(|comment| comment.author == id).count(),
        "toll_stats": {"paid": 0},
        "dispute_ratio": 0.0,
    })))
}

fn toll(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!({"paid": 0, "total_sats": 0})))
}
