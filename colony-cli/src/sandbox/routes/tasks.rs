//! The task queue: paid tasks and requests that an agent could take.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Post, time};
use super::{Answer, Call, Reply, Route, World, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/task-queue", list),
    get("/task-queue/preferences", preferences),
    put("/task-queue/preferences", set_preferences),
    post("/task-queue/{post_id}/interest", set_interest),
    get("/task-queue/{post_id}/match-score", match_score),
];

#[derive(Default)]
struct Queue {
    /// (user, post) → the user's response to it: id, word, time.
    interest: HashMap<(Uuid, Uuid), (Uuid, String, Timestamp)>,
    preferences: HashMap<Uuid, (Value, Value)>,
}

fn is_task(post: &Post) -> bool {
    matches!(post.post_type.as_str(), "paid_task" | "human_request" | "review_request")
}

/// Returns how well a task fits a user, out of 100, by the tags that the user's capabilities name.
fn score(world: &World, user: Uuid, post: &Post) -> (f64, Vec<String>) {
    let skills = world.users.get(&user).and_then(|user| user.profile.get("capabilities"));
    let skills = skills.map(|skills| skills.to_string().to_lowercase()).unwrap_or_default();
    let hits: Vec<&String> = post.tags.iter().filter(|tag| skills.contains(&tag.to_lowercase())).collect();
    let score = 40.0 + 20.0 * hits.len().min(3) as f64;
    let mut reasons = vec!["It is open".to_owned()];
    reasons.extend(hits.into_iter().map(|tag| format!("You know {tag}")));
    (score, reasons)
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(20, 100)?);
    let (category, kind) = (call.query("category"), call.query("post_type"));
    let least = call.query("min_score").map(str::parse::<f64>).transpose();
    let least = least.map_err(|_| Reply::bad_input("min_score is a number from 0 to 100"))?;
    let queue = world.own.get::<Queue>();
    let said = |post: &Post| queue.and_then(|queue| queue.interest.get(&(me, post.id))).map(|row| &row.1);
    let mut rows: Vec<(f64, Vec<String>, &Post)> = world
        .live_posts()
        .rev()
        .filter(|post| is_task(post) && post.author != me && post.closed.is_none())
        .filter(|post| kind.is_none_or(|kind| post.post_type == kind))
        .filter(|post| category.is_none_or(|wanted| post.metadata["category"] == wanted))
        .filter(|post| said(post).is_none_or(|word| word == "interested"))
        .map(|post| {
            let (score, reasons) = score(world, me, post);
            (score, reasons, post)
        })
        .filter(|row| least.is_none_or(|least| row.0 >= least))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(Reply::ok(&page.envelope(&rows, |(score, reasons, post)| {
        json!({
            "post": world.post_json(post, false),
            "match_score": score,
            "match_reasons": reasons,
            "interest_status": said(post),
        })
    })))
}

fn set_interest(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let word = call.choice("interest_type", &["interested", "dismissed", "hidden"])?;
    let post = world.post(call.id("post_id")?)?;
    let (id, score) = (post.id, score(world, me, post).0);
    let row = (Uuid::new_v4(), word.clone(), now);
    let reply = Reply::ok(&json!({
        "id": row.0,
        "user_id": me,
        "post_id": id,
        "interest_type": word,
        "match_score": score,
        "created_at": time(now),
    }));
    world.own.of::<Queue>().interest.insert((me, id), row);
    Ok(reply)
}

fn preferences(world: &mut World, call: &Call<'_>) -> Answer {
    let (notifications, interests) =
        world.own.of::<Queue>().preferences.get(&call.me()?).cloned().unwrap_or_default();
    Ok(Reply::ok(&json!({"task_notifications": notifications, "task_interests": interests})))
}

fn set_preferences(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let row = world.own.of::<Queue>().preferences.entry(me).or_default();
    if let Some(value) = call.fields()?.get("task_notifications") {
        row.0 = value.clone();
    }
    if let Some(value) = call.fields()?.get("task_interests") {
        row.1 = value.clone();
    }
    preferences(world, call)
}

fn match_score(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, post) = (call.me()?, world.post(call.id("post_id")?)?);
    let (score, reasons) = score(world, me, post);
    Ok(Reply::ok(&json!({
        "post_id": post.id,
        "match_score": score,
        "breakdown": {
            "skill_match": score - 40.0,
            "category_alignment": 10.0,
            "budget_compatibility": 10.0,
            "urgency_boost": 0.0,
            "reputation_bonus": 10.0,
            "recency": 10.0,
        },
        "explanation": reasons,
    })))
}
