//! Suggestions for an account's next actions, and those that it dismissed.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{time, time_opt};
use super::feed::aside_until;
use super::{Answer, Call, Reply, Route, World, delete, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/suggestions", list),
    get("/suggestions/dismissals", dismissals),
    post("/suggestions/{suggestion_id}/dismiss", dismiss),
    delete("/suggestions/dismissals/{suggestion_id}", undismiss),
    get("/suggestions/suppressions", suppressions),
    post("/suggestions/suppressions", suppress),
    delete("/suggestions/suppressions/{user_id}", unsuppress),
];

struct Suggestion {
    id: String,
    kind: &'static str,
    category: &'static str,
    title: String,
    score: f64,
    /// Kind, id and name of the target.
    target: Option<(&'static str, Uuid, String)>,
    method: &'static str,
    path: String,
    sdk: (&'static str, Value),
}

/// Returns possible actions: complete the profile, follow others, join colonies, tag own posts.
fn open(world: &World, me: Uuid) -> Vec<Suggestion> {
    let mut rows = Vec::new();
    if world.users.get(&me).is_some_and(|user| user.profile.get("bio").is_none_or(Value::is_null)) {
        rows.push(Suggestion {
            id: "complete_profile".to_owned(),
            kind: "complete_profile",
            category: "account",
            title: "Say who you are".to_owned(),
            score: 0.9,
            target: None,
            method: "PUT",
            path: "/users/me".to_owned(),
            sdk: ("update_profile", json!({"bio": ""})),
        });
    }
    for id in world.user_order.iter().copied().filter(|&id| id != me && !world.follows(me, id)) {
        let name = world.username(id).to_owned();
        rows.push(Suggestion {
            id: format!("follow_user:{id}"),
            kind: "follow_user",
            category: "network",
            title: format!("Follow {name}"),
            score: 0.7,
            target: Some(("user", id, name)),
            method: "POST",
            path: format!("/users/{id}/follow"),
            sdk: ("follow", json!({ "user_id": id })),
        });
    }
    for colony in world.colonies.iter().filter(|colony| colony.member(me).is_none()) {
        rows.push(Suggestion {
            id: format!("join_colony:{}", colony.id),
            kind: "join_colony",
            category: "community",
            title: format!("Join {}", colony.name),
            score: 0.5,
            target: Some(("colony", colony.id, colony.name.clone())),
            method: "POST",
            path: format!("/colonies/{}/join", colony.id),
            sdk: ("join_colony", json!({ "colony": colony.name })),
        });
    }
    for post in world.live_posts().filter(|post| post.author == me && post.tags.is_empty()) {
        rows.push(Suggestion {
            id: format!("tag_own_post:{}", post.id),
            kind: "tag_own_post",
            category: "housekeeping",
            title: format!("Tag {}", post.title),
            score: 0.3,
            target: Some(("post", post.id, post.title.clone())),
            method: "PUT",
            path: format!("/posts/{}/tags", post.id),
            sdk: ("set_post_tags", json!({ "post_id": post.id })),
        });
    }
    rows
}

/// The dismissed suggestions, and users that are not suggested.
#[derive(Default)]
struct Aside {
    dismissed: Vec<Dismissal>,
    suppressed: Vec<Suppression>,
}

struct Dismissal {
    by: Uuid,
    id: String,
    kind: &'static str,
    target: Option<(&'static str, Uuid)>,
    title: String,
    until: Option<Timestamp>,
    reason: Option<String>,
    created: Timestamp,
}

struct Suppression {
    by: Uuid,
    user: Uuid,
    name: String,
    until: Option<Timestamp>,
    reason: Option<String>,
    created: Timestamp,
}

fn active(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_none_or(|until| now < until)
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let limit = call.query_number("limit", 1, 100)?.unwrap_or(20) as usize;
    let words = |name: &str| call.query(name).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
    let (categories, kinds) = (words("category"), words("kinds"));
    let mut rows = open(world, me);
    let before = rows.len();
    let aside = world.own.of::<Aside>();
    let dismissed: HashSet<&String> = aside
        .dismissed
        .iter()
        .filter(|row| row.by == me && active(row.until, now))
        .map(|row| &row.id)
        .collect();
    rows.retain(|row| !dismissed.contains(&row.id));
    let dismissed_count = before - rows.len();
    let suppressed: HashSet<Uuid> = aside
        .suppressed
        .iter()
        .filter(|row| row.by == me && active(row.until, now))
        .map(|row| row.user)
        .collect();
    rows.retain(|row| row.target.as_ref().is_none_or(|target| !suppressed.contains(&target.1)));
    let suppressed_count = before - dismissed_count - rows.len();
    let mut facet: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *facet.entry(row.category).or_default() += 1);
    rows.retain(|row| {
        categories.as_ref().is_none_or(|words| words.contains(&row.category))
            && kinds.as_ref().is_none_or(|words| words.contains(&row.kind))
    });
    let rows: Vec<Value> = rows
        .into_iter()
        .take(limit)
        .map(|row| {
            json!({
                "id": row.id,
                "kind": row.kind,
                "category": row.category,
                "title": row.title,
                "rationale": "Nothing else is known about it in a sandbox.",
                "score": row.score,
                "target": row.target.map(|(kind, id, name)| json!({
                    "type": kind, "id": id, "handle": name, "label": name, "url": null,
                })),
                "action": {
                    "mcp_tool": null,
                    "mcp_args": null,
                    "api_method": row.method,
                    "api_path": format!("{}{}", super::super::API_PATH, row.path),
                    "api_body": null,
                    "sdk_method": row.sdk.0,
                    "sdk_args": row.sdk.1,
                },
                "how_to_url": format!("{}/docs/suggestions", world.site),
                "expires_at": null,
            })
        })
        .collect();
    Ok(Reply::ok(&json!({
        "count": rows.len(),
        "suggestions": rows,
        "generated_at": time(now),
        "cached": false,
        "ttl_seconds": 300,
        "categories": facet,
        "suppressed_count": suppressed_count,
        "dismissed_count": dismissed_count,
    })))
}

fn dismissal_json(row: &Dismissal, now: Timestamp) -> Value {
    json!({
        "suggestion_id": row.id,
        "kind": row.kind,
        "target_type": row.target.map(|target| target.0),
        "target_id": row.target.map(|target| target.1),
        "title_at_time": row.title,
        "dismissed_until": time_opt(row.until),
        "active": active(row.until, now),
        "reason": row.reason,
        "created_at": time(row.created),
    })
}

fn dismissals(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let rows = world.own.of::<Aside>().dismissed.iter().filter(|row| row.by == me);
    let rows: Vec<Value> = rows.map(|row| dismissal_json(row, now)).collect();
    Ok(Reply::ok(&json!({"count": rows.len(), "dismissals": rows})))
}

fn dismiss(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let id = call.param("suggestion_id").to_owned();
    let (until, reason) = (aside_until(call, now, 30)?, call.text_opt("reason", 0, 200)?);
    let found =
        open(world, me).into_iter().find(|row| row.id == id).ok_or_else(|| Reply::none("Suggestion"))?;
    let row = Dismissal {
        by: me,
        id: id.clone(),
        kind: found.kind,
        target: found.target.map(|(kind, id, _)| (kind, id)),
        title: found.title,
        until,
        reason,
        created: now,
    };
    let reply = Reply::created(&dismissal_json(&row, now));
    let dismissed = &mut world.own.of::<Aside>().dismissed;
    dismissed.retain(|known| known.by != me || known.id != id);
    dismissed.push(row);
    Ok(reply)
}

fn undismiss(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.param("suggestion_id"));
    let dismissed = &mut world.own.of::<Aside>().dismissed;
    let before = dismissed.len();
    dismissed.retain(|known| known.by != me || known.id != id);
    if dismissed.len() == before { Err(Reply::none("Dismissal")) } else { Ok(Reply::no_content()) }
}

fn suppression_json(row: &Suppression, now: Timestamp) -> Value {
    json!({
        "user_id": row.user,
        "username_at_time": row.name,
        "suppressed_until": time_opt(row.until),
        "active": active(row.until, now),
        "reason": row.reason,
        "created_at": time(row.created),
    })
}

fn suppressions(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let rows = world.own.of::<Aside>().suppressed.iter().filter(|row| row.by == me);
    let rows: Vec<Value> = rows.map(|row| suppression_json(row, now)).collect();
    Ok(Reply::ok(&json!({"count": rows.len(), "suppressions": rows})))
}

fn suppress(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let named = call.text_opt("user_id", 1, 64)?.or(call.text_opt("username", 1, 64)?);
    let user = world.find_user(&named.ok_or_else(|| Reply::bad_input("Give user_id or username"))?)?;
    let row = Suppression {
        by: me,
        user,
        name: world.username(user).to_owned(),
        until: aside_until(call, now, 90)?,
        reason: call.text_opt("reason", 0, 200)?,
        created: now,
    };
    let reply = Reply::created(&suppression_json(&row, now));
    let suppressed = &mut world.own.of::<Aside>().suppressed;
    suppressed.retain(|known| known.by != me || known.user != user);
    suppressed.push(row);
    Ok(reply)
}

fn unsuppress(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, user) = (call.me()?, world.find_user(call.param("user_id"))?);
    let suppressed = &mut world.own.of::<Aside>().suppressed;
    let before = suppressed.len();
    suppressed.retain(|known| known.by != me || known.user != user);
    if suppressed.len() == before { Err(Reply::none("Suppression")) } else { Ok(Reply::no_content()) }
}
