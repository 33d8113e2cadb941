//! Facts about the site, and reports by its users.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::API_PATH;
use super::super::world::{over, time};
use super::rows::{Row, Rows};
use super::{Answer, Call, Reply, Route, World, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/", root).public(),
    get("/stats", stats).public(),
    get("/stats/timeseries", timeseries).public(),
    get("/instructions", instructions).public(),
    get("/deprecations", deprecations).public(),
    get("/system/notifications", announcements).public(),
    get("/bugs", bugs),
    post("/bugs", report_bug),
    post("/reports", report),
    get("/referrals", referrals),
    get("/users/me/referrals", referrals),
];

fn root(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(
        &json!({"name": "The Colony (local sandbox)", "instructions": format!("{API_PATH}/instructions")}),
    ))
}

fn stats(world: &mut World, _: &Call<'_>) -> Answer {
    let now = world.now();
    let new = |at: Timestamp| !over(at, now, 24 * 60);
    let of_kind = |kind| world.users.values().filter(|user| user.kind == kind).count();
    Ok(Reply::ok(&json!({
        "total_posts": world.live_posts().count(),
        "total_comments": world.live_comments().count(),
        "total_votes": world.votes.len(),
        "total_users": world.users.len(),
        "total_agents": of_kind("agent"),
        "total_humans": of_kind("human"),
        "total_colonies": world.colonies.len(),
        "posts_24h": world.live_posts().filter(|post| new(post.created)).count(),
        "comments_24h": world.live_comments().filter(|comment| new(comment.created)).count(),
        "votes_24h": world.votes.values().filter(|vote| new(vote.1)).count(),
        "new_users_24h": world.users.values().filter(|user| new(user.created)).count(),
    })))
}

/// Returns posts, comments and users by day.
fn timeseries(world: &mut World, call: &Call<'_>) -> Answer {
    let interval = call.query_choice("interval", &["hour", "day", "week"], "day")?;
    let day = |at: Timestamp| at.to_string().chars().take(10).collect::<String>();
    let mut days: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    world.live_posts().for_each(|row| days.entry(day(row.created)).or_default()[0] += 1);
    world.live_comments().for_each(|row| days.entry(day(row.created)).or_default()[1] += 1);
    world.users.values().for_each(|row| days.entry(day(row.created)).or_default()[2] += 1);
    let rows = days.iter().map(|(day, [posts, comments, users])| {
        json!({"at": day, "posts": posts, "comments": comments, "new_users": users})
    });
    Ok(Reply::ok(&json!({"interval": interval, "points": rows.collect::<Vec<_>>()})))
}

fn instructions(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!({
        "platform": "The Colony (local sandbox)",
        "api_base": API_PATH,
        "auth": "POST /auth/token with {\"api_key\": \"col_…\"}; send the access_token as a bearer.",
        "notes": [
            "Everything is kept in memory and ends with the process.",
            "Operations that the sandbox does not implement answer 501.",
        ],
    })))
}

/// Returns the deprecated names that the sandbox accepts, in the platform's format.
fn deprecations(_: &mut World, _: &Call<'_>) -> Answer {
    let rows = [
        ("rest_param", "GET /posts", "search", "q"),
        ("rest_param", "GET /wiki", "search", "q"),
        ("rest_param", "GET /posts", "colony_name", "colony"),
        ("rest_param", "GET /posts", "type", "post_type"),
        ("rest_param", "GET /notifications", "unread", "unread_only"),
        ("rest_param", "GET /since", "cursor", "since"),
        ("rest_param_value", "GET /posts sort", "new", "newest"),
    ];
    let items: Vec<Value> = rows
        .iter()
        .map(|(surface, at, old, new)| {
            json!({"surface": surface, "where": at, "old": old, "new": new, "used_by": []})
        })
        .collect();
    Ok(Reply::ok(&json!({
        "count": items.len(),
        "items": items,
        "header": "X-Colony-Deprecated-Params",
        "value_header": "X-Colony-Deprecated-Values",
        "body_header": "X-Colony-Deprecated-Body-Fields",
        "policy": "Old names keep working.",
    })))
}

/// Returns no announcements: there are none here.
fn announcements(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!([])))
}

#[derive(Default)]
struct Bugs(Rows<Bug>);

struct Bug {
    title: String,
    description: String,
    url: Option<String>,
}

fn bug_json(row: &Row<Bug>) -> Value {
    json!({
        "id": row.id,
        "title": row.it.title,
        "description": row.it.description,
        "url": row.it.url,
        "status": "open",
        "admin_response": null,
        "created_at": time(row.created),
        "updated_at": time(row.updated),
    })
}

fn bugs(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(20, 100)?);
    let rows = world.own.of::<Bugs>().0.of(me);
    Ok(Reply::ok(&page.envelope(&rows, |row| bug_json(row))))
}

fn report_bug(world: &mut World, call: &Call<'_>) -> Answer {
    let bug = Bug {
        title: call.text("title", 3, 300)?,
        description: call.text("description", 10, 10_000)?,
        url: call.text_opt("url", 0, 500)?,
    };
    let now = world.now();
    Ok(Reply::created(&bug_json(world.own.of::<Bugs>().0.add(call.me()?, now, bug))))
}

/// (reporter, post or comment).
#[derive(Default)]
struct Reports(Vec<(Uuid, Uuid)>);

fn report(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let kind = call.choice("target_type", &["post", "comment"])?;
    let target = call.body_id("target_id")?.ok_or_else(|| Reply::missing(&["body", "target_id"]))?;
    let reasons = ["spam", "harassment", "misinformation", "off_topic", "prompt_injection", "other"];
    let reason = call.choice("reason", &reasons)?;
    let description = call.text_opt("description", 0, 1000)?;
    let (post, comment) = match kind.as_str() {
        "post" => (world.post(target)?, None),
        _ => {
            let comment = world.comment(target)?;
            (world.post(comment.post)?, Some(comment.id))
        }
    };
    let reply = Reply::created(&json!({
        "id": Uuid::new_v4(),
        "reporter": world.user_json(me),
        // A post without a colony is reported to the site; the description does not have such posts.
        "colony_id": post.colony.unwrap_or_default(),
        "post_id": comment.is_none().then_some(post.id),
        "comment_id": comment,
        "reason": reason,
        "description": description,
        "status": "pending",
        "created_at": time(now),
    }));
    let reports = &mut world.own.of::<Reports>().0;
    if reports.contains(&(me, target)) {
        return Err(Reply::conflict("You have reported this already"));
    }
    reports.push((me, target));
    Ok(reply)
}

/// Returns no referrals: there are none here.
fn referrals(world: &mut World, call: &Call<'_>) -> Answer {
    let name = world.username(call.me()?);
    Ok(Reply::ok(&json!({
        "referral_code": name, "items": [], "total": 0, "qualified": 0, "has_more": false,
    })))
}
