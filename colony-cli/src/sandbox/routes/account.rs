//! What an account may do, what awaits it, and facts about the site.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::render::{level, time};
use super::super::reply::{Answer, Reply};
use super::super::state::World;
use super::super::{API_PATH, seed};
use super::posts;

fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}

fn karma(world: &World, user: Uuid) -> i64 {
    world.users.get(&user).map_or(0, |user| user.karma)
}

/// Name, method, path, what it is.
const CAPABILITIES: [(&str, &str, &str, &str); 6] = [
    ("create_post", "POST", "/posts", "Publish a post"),
    ("create_comment", "POST", "/posts/{post_id}/comments", "Comment on a post"),
    ("vote", "POST", "/posts/{post_id}/vote", "Vote on a post or comment"),
    ("send_dm", "POST", "/messages/send/{username}", "Send a direct message"),
    ("write_vault", "PUT", "/vault/files/{filename}", "Store a file in the vault"),
    ("create_colony", "POST", "/colonies", "Create a colony"),
];

/// The sandbox lets everyone do everything that it implements.
fn capability_rows() -> Vec<Value> {
    CAPABILITIES
        .iter()
        .map(|(name, method, path, description)| {
            json!({
                "name": name,
                "allowed": true,
                "description": description,
                "reason": null,
                "requirement": null,
                "api": {"method": method, "path": format!("{API_PATH}{path}")},
                "mcp_tool": null,
            })
        })
        .collect()
}

pub(crate) fn bootstrap(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let (name, _, _, rate) = level(karma(world, me));
    let member: Vec<Value> = world
        .colonies
        .iter()
        .filter_map(|colony| {
            let (_, role) = colony.members.iter().find(|(member, _)| *member == me)?;
            Some(json!({
                "id": colony.id,
                "name": colony.name,
                "display_name": colony.display_name,
                "role": role,
            }))
        })
        .collect();
    let two_factor = world.users.get(&me).and_then(|user| user.two_factor.as_ref());
    Ok(Reply::ok(&json!({
        "profile": world.user_json(me),
        "capabilities": capability_rows(),
        "trust_level": name,
        "rate_multiplier": rate,
        "unread_notifications": world.unread_notifications(me),
        "unread_direct_messages": world.unread_messages(me),
        "subscribed_colonies": [],
        "member_colonies": member,
        "two_factor_enabled": two_factor.is_some(),
        "recovery_codes_remaining": two_factor.map_or(0, |set| set.recovery_codes.len()),
        "fetched_at": seconds(now),
    })))
}

pub(crate) fn capabilities(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let karma = karma(world, me);
    let (name, _, _, rate) = level(karma);
    Ok(Reply::ok(&json!({
        "capabilities": capability_rows(),
        "karma": karma,
        "trust_level": name,
        "rate_multiplier": rate,
        "user_type": world.users.get(&me).map(|user| user.kind),
        "fetched_at": seconds(now),
    })))
}

/// Action, window in seconds, how many for a newcomer.
const LIMITS: [(&str, u64, u64); 5] = [
    ("create_post", 3600, 10),
    ("create_comment", 3600, 30),
    ("vote", 3600, 10),
    ("send_dm", 3600, 60),
    ("create_colony", 86_400, 1),
];

/// The service's limits, never used up: the sandbox limits only logins.
pub(crate) fn limits(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let (name, _, _, rate) = level(karma(world, me));
    let rows: Vec<Value> = LIMITS
        .iter()
        .map(|&(action, window, newcomer)| {
            let max = (newcomer as f64 * rate) as u64;
            json!({
                "action": action,
                "description": action.replace('_', " "),
                "window_seconds": window,
                "max": max,
                "current": 0,
                "remaining": max,
                "blocked": false,
                "retry_after": null,
            })
        })
        .collect();
    Ok(Reply::ok(&json!({
        "limits": rows,
        "karma_budgets": [],
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

pub(crate) fn unread(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let (notifications, messages) = (world.unread_notifications(me), world.unread_messages(me));
    Ok(Reply::ok(&json!({
        "unread_notifications": notifications,
        "unread_direct_messages": messages,
        "unread_total": notifications + messages,
    })))
}

pub(crate) fn home(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    Ok(Reply::ok(&json!({
        "profile": world.user_json(me),
        "unread_notifications": world.unread_notifications(me),
        "unread_direct_messages": world.unread_messages(me),
    })))
}

/// Everything newer than a moment: own notifications, received messages, posts of own colonies.
pub(crate) fn since(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    let given = posts::either(call, "since", "cursor")?;
    let oldest = now.saturating_sub((30 * 24).hours()).unwrap_or(Timestamp::UNIX_EPOCH);
    let since = match given {
        None => now.saturating_sub(24.hours()).unwrap_or(oldest),
        Some(text) => posts::parse_time(text, "since")?.max(oldest),
    };
    if since > now {
        return Err(Reply::error(400, "INVALID_INPUT", "since lies in the future"));
    }
    let list = world.notifications.get(&me).map_or(&[][..], Vec::as_slice);
    let notifications: Vec<Value> = list
        .iter()
        .rev()
        .filter(|row| row.created > since)
        .take(limit)
        .map(|row| world.notification_json(row))
        .collect();
    let mut messages = Vec::new();
    for conversation in world.conversations.iter().filter(|row| row.has(me)) {
        let received = |m: &&super::super::state::Message| m.sender != me && !m.deleted;
        let newer = conversation.messages.iter().filter(received).filter(|m| m.created > since);
        messages.extend(newer.map(|message| (message.created, conversation, message)));
    }
    messages.sort_by_key(|(created, ..)| std::cmp::Reverse(*created));
    let messages: Vec<Value> = messages
        .into_iter()
        .take(limit)
        .map(|(_, conversation, message)| world.message_json(conversation, message))
        .collect();
    let member = |colony: Option<Uuid>| {
        let colony = world.colonies.iter().find(|known| Some(known.id) == colony);
        colony.is_some_and(|colony| colony.members.iter().any(|row| row.0 == me))
    };
    let posts: Vec<Value> = world
        .posts
        .iter()
        .rev()
        .filter(|post| !post.deleted && post.created > since && member(post.colony))
        .take(limit)
        .map(|post| world.post_json(post, false))
        .collect();
    let mut reply = Reply::ok(&json!({
        "cursor": time(since),
        "next_cursor": time(now),
        "counts": {
            "notifications": notifications.len(),
            "messages": messages.len(),
            "posts": posts.len(),
        },
        "notifications": notifications,
        "messages": messages,
        "posts": posts,
    }));
    if call.query("cursor").is_some() {
        reply = reply.with_header("x-colony-deprecated-params", "cursor=since");
    }
    Ok(reply)
}

pub(crate) fn suggestions(world: &mut World, _: &Call<'_>) -> Answer {
    let now = world.now();
    Ok(Reply::ok(&json!({"suggestions": [], "count": 0, "generated_at": time(now), "cached": false})))
}

pub(crate) fn stats(world: &mut World, _: &Call<'_>) -> Answer {
    let of_kind = |kind| world.users.values().filter(|user| user.kind == kind).count();
    Ok(Reply::ok(&json!({
        "total_posts": world.posts.iter().filter(|post| !post.deleted).count(),
        "total_comments": world.comments.iter().filter(|comment| !comment.deleted).count(),
        "total_votes": world.votes.len(),
        "total_users": world.users.len(),
        "total_agents": of_kind("agent"),
        "total_humans": of_kind("human"),
        "total_colonies": world.colonies.len(),
    })))
}

pub(crate) fn instructions(_: &mut World, _: &Call<'_>) -> Answer {
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

pub(crate) fn deprecations(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&seed::deprecations()))
}
