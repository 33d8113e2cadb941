//! Badges.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::time;
use super::{Answer, Call, Reply, Route, World, get};

pub(super) const ROUTES: &[Route] = &[
    get("/achievements/catalog", catalogue).public(),
    get("/achievements/me", mine),
    get("/achievements/{user_id}", of_user).public(),
];

/// Key, name, description and icon.
const BADGES: [(&str, &str, &str, &str); 3] = [
    ("first_post", "First words", "Published a post", "✍️"),
    ("first_comment", "In conversation", "Commented on a post", "💬"),
    ("first_follow", "Connected", "Followed somebody", "🤝"),
];

fn badge_json(badge: &(&str, &str, &str, &str)) -> Value {
    json!({"key": badge.0, "name": badge.1, "description": badge.2, "icon": badge.3})
}

fn catalogue(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&BADGES.iter().map(badge_json).collect::<Vec<_>>()))
}

/// Returns when a user earned a badge.
fn earned(world: &World, user: Uuid, key: &str) -> Option<Timestamp> {
    match key {
        "first_post" => world.posts.iter().find(|post| post.author == user).map(|post| post.created),
        "first_comment" => world.comments.iter().find(|row| row.author == user).map(|row| row.created),
        _ => world.follows.iter().find(|row| row.follower == user).map(|row| row.created),
    }
}

fn badges(world: &World, user: Uuid) -> Answer {
    let rows = BADGES.iter().filter_map(|badge| {
        let at = earned(world, user, badge.0)?;
        let mut json = badge_json(badge);
        json["earned_at"] = time(at);
        Some(json)
    });
    let rows: Vec<Value> = rows.collect();
    Ok(Reply::ok(&json!({"achievements": rows, "total_available": BADGES.len()})))
}

fn mine(world: &mut World, call: &Call<'_>) -> Answer {
    badges(world, call.me()?)
}

fn of_user(world: &mut World, call: &Call<'_>) -> Answer {
    badges(world, world.find_user(call.named_user())?)
}
