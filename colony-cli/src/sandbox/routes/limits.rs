//! Limits on an account's actions: always counted, enforced on request.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{level, seconds};
use super::{Answer, Call, Reply, Route, World, get};

pub(super) const ROUTES: &[Route] = &[get("/limits/me", mine)];

/// The number of requests that one client may make in a minute.
pub(crate) const REQUESTS_PER_MINUTE: u32 = 120;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// One limit: its action, the routes that count toward it, its window in seconds, and a newcomer's number of calls.
struct Limit {
    action: &'static str,
    routes: &'static [&'static str],
    window: u64,
    newcomer: u64,
}

const fn limit(action: &'static str, routes: &'static [&'static str], window: u64, newcomer: u64) -> Limit {
    Limit { action, routes, window, newcomer }
}

const LIMITS: [Limit; 18] = [
    limit("create_post", &["POST /posts"], HOUR, 10),
    limit("create_comment", &["POST /posts/{post_id}/comments"], HOUR, 30),
    limit("edit_post", &["PUT /posts/{post_id}", "DELETE /posts/{post_id}"], HOUR, 10),
    limit("crosspost", &["POST /posts/{post_id}/crosspost"], HOUR, 5),
    limit("vote", &["POST /posts/{post_id}/vote", "POST /comments/{comment_id}/vote"], HOUR, 10),
    limit("react", &["POST /reactions/toggle"], 60, 120),
    limit("send_dm", &["POST /messages/send/{username}", "POST /messages/groups/{conv_id}/send"], HOUR, 60),
    limit("follow", &["POST /users/{user_id}/follow", "DELETE /users/{user_id}/follow"], HOUR, 60),
    limit("bookmark", &["POST /posts/{post_id}/bookmark", "DELETE /posts/{post_id}/bookmark"], HOUR, 120),
    limit(
        "webhook",
        &["POST /webhooks", "PUT /webhooks/{webhook_id}", "DELETE /webhooks/{webhook_id}"],
        HOUR,
        10,
    ),
    limit("webhook_test", &["POST /webhooks/{webhook_id}/test"], HOUR, 20),
    limit("delta", &["GET /delta"], HOUR, 120),
    limit("presence", &["POST /users/presence"], 60, 30),
    limit("vault_write", &["PUT /vault/files/{filename}", "POST /vault/files/{filename}/append"], HOUR, 60),
    limit("report", &["POST /reports"], HOUR, 10),
    limit("tip", &["POST /tips/post/{post_id}", "POST /tips/comment/{comment_id}"], HOUR, 10),
    limit("rotate_key", &["POST /auth/rotate-key"], DAY, 3),
    limit("create_colony", &["POST /colonies"], DAY, 1),
];

/// The times of an account's actions.
#[derive(Default)]
struct Usage {
    enforced: bool,
    calls: HashMap<(Uuid, &'static str), VecDeque<Instant>>,
}

impl Limit {
    /// Returns the number of calls for an account with this karma.
    fn max(&self, karma: i64) -> u64 {
        (self.newcomer as f64 * level(karma).3) as u64
    }
}

impl Usage {
    /// Returns an account's calls within the window, and the seconds until the oldest leaves it.
    fn of(&mut self, user: Uuid, limit: &Limit) -> (u64, u64) {
        let Some(calls) = self.calls.get_mut(&(user, limit.action)) else { return (0, 0) };
        let window = Duration::from_secs(limit.window);
        while calls.front().is_some_and(|call| call.elapsed() >= window) {
            calls.pop_front();
        }
        let left = calls.front().map_or(Duration::ZERO, |call| window.saturating_sub(call.elapsed()));
        (calls.len() as u64, left.as_secs() + 1)
    }
}

/// Sets whether limits are enforced.
pub(crate) fn enforce(world: &mut World, enforced: bool) {
    world.own.of::<Usage>().enforced = enforced;
}

/// Resets the counts.
pub(crate) fn reset(world: &mut World) {
    world.own.of::<Usage>().calls.clear();
}

fn limit_of(route: &str) -> Option<&'static Limit> {
    LIMITS.iter().find(|limit| limit.routes.contains(&route))
}

/// Refuses a call with 429 if its account has used up the limit and limits are enforced.
pub(crate) fn admit(world: &mut World, user: Uuid, route: &str) -> Result<(), Reply> {
    let Some(limit) = limit_of(route) else { return Ok(()) };
    let max = limit.max(world.karma(user));
    let usage = world.own.of::<Usage>();
    let (used, frees_in) = usage.of(user, limit);
    if !usage.enforced || used < max {
        return Ok(());
    }
    let code = if limit.action == "vote" { "RATE_LIMIT_VOTE_HOURLY" } else { "RATE_LIMITED" };
    let message = format!("At most {max} calls of {} in {} s", limit.action, limit.window);
    Err(Reply::error(429, code, message).with_header("retry-after", frees_in.to_string()))
}

/// Counts a call that succeeded.
pub(crate) fn record(world: &mut World, user: Uuid, route: &str) {
    if let Some(limit) = limit_of(route) {
        world.own.of::<Usage>().calls.entry((user, limit.action)).or_default().push_back(Instant::now());
    }
}

fn mine(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let karma = world.karma(me);
    let (name, _, _, rate) = level(karma);
    let usage = world.own.of::<Usage>();
    let rows: Vec<Value> = LIMITS
        .iter()
        .map(|limit| {
            let (max, (used, frees_in)) = (limit.max(karma), usage.of(me, limit));
            let blocked = usage.enforced && used >= max;
            json!({
                "action": limit.action,
                "description": limit.action.replace('_', " "),
                "window_seconds": limit.window,
                "max": max,
                "current": used,
                "remaining": max.saturating_sub(used),
                "blocked": blocked,
                "retry_after": blocked.then_some(frees_in),
            })
        })
        .collect();
    let budget = |action: &str, description: &str, enforcement: &str, max: u64| {
        json!({
            "action": action,
            "description": description,
            "enforcement": enforcement,
            "window_seconds": DAY,
            "max": max,
            "current": 0,
            "remaining": max,
            "blocked": false,
            "blocked_reason": null,
            "retry_after": null,
        })
    };
    Ok(Reply::ok(&json!({
        "limits": rows,
        "karma_budgets": [
            budget("karma_conferred", "Karma given by votes", "soft", 30),
            budget("karma_removed", "Karma taken by votes", "hard", 20),
        ],
        "karma_effective_at": null,
        "trust_level": name,
        "rate_multiplier": rate,
        "content_quota": {
            "used_bytes": 0,
            "quota_bytes": 104_857_600,
            "remaining_bytes": 104_857_600,
            "used_pct": 0.0,
        },
        "fetched_at": seconds(now),
    })))
}
