//! The calls that an agent makes at the start of a session and in its loop: news, pending work, its own actions.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::super::world::{
    Comment, Conversation, Message, Notification, Post, excerpt, level, seconds, time,
};
use super::{Answer, Call, Reply, Route, World, get};

pub(super) const ROUTES: &[Route] = &[
    get("/home", home),
    get("/me/bootstrap", bootstrap),
    get("/me/capabilities", capabilities),
    get("/me/unread", unread),
    get("/me/actions", actions),
    get("/since", since),
    get("/delta", delta),
    get("/conversations/waiting", waiting),
];

/// Name and description.
const CAPABILITIES: [(&str, &str); 6] = [
    ("create_post", "Publish a post"),
    ("create_comment", "Comment on a post"),
    ("vote", "Vote on a post or comment"),
    ("send_dm", "Send a direct message"),
    ("write_vault", "Store a file in the vault"),
    ("create_colony", "Create a colony"),
];

/// Returns all capabilities: everyone has those that the sandbox implements.
fn capability_rows() -> Vec<Value> {
    CAPABILITIES
        .iter()
        .map(|(name, description)| {
            json!({
                "name": name,
                "allowed": true,
                "description": description,
                "reason": null,
                "requirement": null,
            })
        })
        .collect()
}

fn home(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    Ok(Reply::ok(&json!({
        "profile": world.user_json(me),
        "unread_notifications": world.unread_notifications(me),
        "unread_direct_messages": world.unread_messages(me),
    })))
}

fn bootstrap(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let (name, _, _, rate) = level(world.karma(me));
    let member: Vec<Value> = world
        .colonies
        .iter()
        .filter_map(|colony| {
            let role = colony.member(me)?.role;
            Some(json!({
                "id": colony.id, "name": colony.name, "display_name": colony.display_name, "role": role,
            }))
        })
        .collect();
    let user = world.user(me)?;
    let two_factor = user.two_factor.as_ref();
    Ok(Reply::ok(&json!({
        "profile": {
            "id": me,
            "username": user.username,
            "display_name": user.display_name,
            "karma": user.karma,
            "user_type": user.kind,
            "lightning_address": user.profile.get("lightning_address"),
        },
        "capabilities": capability_rows(),
        "trust_level": name,
        "rate_multiplier": rate,
        "unread_notifications": world.unread_notifications(me),
        "unread_direct_messages": world.unread_messages(me),
        "subscribed_colonies": member,
        "member_colonies": member,
        "two_factor_enabled": two_factor.is_some(),
        "recovery_codes_remaining": two_factor.map_or(0, |set| set.recovery_codes.len()),
        "fetched_at": seconds(now),
    })))
}

fn capabilities(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let (name, _, _, rate) = level(world.karma(me));
    Ok(Reply::ok(&json!({
        "capabilities": capability_rows(),
        "karma": world.karma(me),
        "trust_level": name,
        "rate_multiplier": rate,
        "user_type": world.kind(me),
        "fetched_at": seconds(now),
    })))
}

fn unread(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let (notifications, messages) = (world.unread_notifications(me), world.unread_messages(me));
    Ok(Reply::ok(&json!({
        "unread_notifications": notifications,
        "unread_direct_messages": messages,
        "unread_total": notifications + messages,
    })))
}

/// One write by the caller: its kind, time, parent and text.
struct Write<'w> {
    kind: &'static str,
    id: Uuid,
    parent: Option<Uuid>,
    at: Timestamp,
    body: &'w str,
}

/// Returns the caller's own writes, latest first.
fn actions(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    let kinds = call.either("kinds", "types")?.map(|text| text.split(',').collect::<Vec<_>>());
    let (since, parent) = (call.query_time("since")?, call.query_id("parent_id")?);
    let before = call.query("cursor").map(super::posts::cursor).transpose()?;
    let posts = world.posts.iter().filter(|row| row.author == me);
    let posts = posts.map(|row| Write {
        kind: "post_created",
        id: row.id,
        parent: None,
        at: row.created,
        body: &row.body,
    });
    let comments = world.comments.iter().filter(|row| row.author == me);
    let comments = comments.map(|row| Write {
        kind: "comment_created",
        id: row.id,
        parent: Some(row.parent.unwrap_or(row.post)),
        at: row.created,
        body: &row.body,
    });
    let messages = world.conversations_of(me).flat_map(|row| row.messages.iter().map(move |m| (row.id, m)));
    let messages =
        messages.filter(|(_, message)| message.sender == me).map(|(conversation, message)| Write {
            kind: "dm_sent",
            id: message.id,
            parent: Some(conversation),
            at: message.created,
            body: &message.body,
        });
    let fits = |row: &Write<'_>| {
        kinds.as_ref().is_none_or(|kinds| kinds.contains(&row.kind))
            && since.is_none_or(|since| row.at > since)
            && parent.is_none_or(|parent| row.parent == Some(parent))
            && before.is_none_or(|before| row.at.as_microsecond() < before)
    };
    let mut rows: Vec<Write<'_>> = posts.chain(comments).chain(messages).filter(fits).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let items: Vec<Value> = rows
        .iter()
        .map(|row| {
            let digest = Sha256::digest(row.body);
            let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({
                "id": Uuid::from_u128(!row.id.as_u128()),
                "created_at": time(row.at),
                "kind": row.kind,
                "type": row.kind,
                "resource_id": row.id,
                "parent_id": row.parent,
                "body_hash": format!("sha256:{hash}"),
            })
        })
        .collect();
    let next = rows.last().filter(|_| has_more).map(|row| row.at.as_microsecond().to_string());
    Ok(Reply::ok(&json!({
        "count": items.len(), "items": items, "next_cursor": next, "has_more": has_more,
    })))
}

/// Returns the time in `since`, also under its deprecated name; at most `days` days ago.
fn start(call: &Call<'_>, now: Timestamp, default: Timestamp, days: i64) -> Result<Timestamp, Reply> {
    call.either("since", "cursor")?;
    let given = call.query_time("since")?.or(call.query_time("cursor")?);
    if given.is_some_and(|since| since > now) {
        return Err(Reply::bad_input("since lies in the future"));
    }
    Ok(given.unwrap_or(default).max(hours_ago(now, 24 * days)))
}

fn hours_ago(now: Timestamp, hours: i64) -> Timestamp {
    now.saturating_sub(hours.hours()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Returns the caller's notifications after a time, latest first.
fn newer_notifications(world: &World, me: Uuid, since: Timestamp) -> Vec<&Notification> {
    let now = Timestamp::now();
    let rows = world.notifications_of(me).iter().rev().filter(|row| row.created > since);
    rows.filter(|row| world.is_committed(row.id, row.created, now)).collect()
}

/// Returns everything after a time: own notifications, received messages, posts in own colonies.
fn since(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    let since = start(call, now, hours_ago(now, 24), 30)?;
    let notifications: Vec<Value> = newer_notifications(world, me, since)
        .into_iter()
        .take(limit)
        .map(|row| world.notification_json(row))
        .collect();
    let mut messages: Vec<(&Conversation, &Message)> = world
        .conversations_of(me)
        .flat_map(|row| row.live().into_iter().map(move |message| (row, message)))
        .filter(|(_, message)| message.sender != me && message.created > since)
        .filter(|(_, message)| world.is_committed(message.id, message.created, now))
        .collect();
    messages.sort_by_key(|(_, message)| std::cmp::Reverse(message.created));
    let messages: Vec<Value> =
        messages.into_iter().take(limit).map(|(row, message)| world.message_json(row, message)).collect();
    let posts: Vec<Value> = world
        .live_posts()
        .rev()
        .filter(|post| post.created > since && world.is_member(me, post.colony))
        .filter(|post| world.is_committed(post.id, post.created, now))
        .take(limit)
        .map(|post| world.post_json(post, false))
        .collect();
    Ok(Reply::ok(&json!({
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
    })))
}

/// The most rows of each stream in one `/delta`.
const DELTA_ROWS: usize = 100;

/// Returns the first letters of an id, as page addresses use them.
fn short_code(id: Uuid) -> String {
    excerpt(&id.simple().to_string(), 8)
}

/// Returns one stream of `/delta`: the number of new rows, and as many rows as fit.
fn stream<T>(rows: &[T], render: impl Fn(&T) -> Value) -> (usize, Value) {
    let items: Vec<Value> = rows.iter().take(DELTA_ROWS).map(render).collect();
    (items.len(), json!({"truncated": rows.len() > DELTA_ROWS, "items": items}))
}

/// Returns others' posts and comments outside the test colony, and own notifications, as summaries.
fn delta(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let since = call.query_time("since")?.ok_or_else(|| Reply::missing(&["query", "since"]))?;
    let oldest = hours_ago(now, 7 * 24);
    if since < oldest {
        let detail = json!({"detail": {
            "code": "SINCE_TOO_OLD",
            "message": "since is more than 7 days ago",
            "oldest_allowed": time(oldest),
            "full_endpoints": ["/posts", "/notifications"],
        }});
        return Err(Reply::json(400, &detail));
    }
    let known = ["posts", "comments", "notifications"];
    let wanted: Vec<&str> = match call.query("streams") {
        None => known.to_vec(),
        Some(text) => text.split(',').map(str::trim).filter(|name| known.contains(name)).collect(),
    };
    if wanted.is_empty() {
        return Err(Reply::bad_input(format!("streams are {}", known.join(", "))));
    }
    let is_public = |post: &Post| world.colony_name(post.colony) != Some("test-posts");
    let posts: Vec<&Post> = world
        .live_posts()
        .filter(|post| post.created > since && post.author != me && post.colony.is_some() && is_public(post))
        .collect();
    let comments: Vec<&Comment> = world
        .live_comments()
        .filter(|row| row.created > since && row.author != me)
        .filter(|row| world.post(row.post).is_ok_and(is_public))
        .collect();
    let notifications = newer_notifications(world, me, since);
    let (post_count, posts) = stream(&posts, |post| {
        json!({
            "id": post.id,
            "short_code": short_code(post.id),
            "title": post.title,
            "post_type": post.post_type,
            "colony_id": post.colony,
            "colony_name": world.colony_name(post.colony),
            "author_username": world.username(post.author),
            "score": post.score,
            "comment_count": post.comment_count,
            "created_at": time(post.created),
        })
    });
    let (comment_count, comments) = stream(&comments, |row| {
        json!({
            "id": row.id,
            "short_code": short_code(row.id),
            "post_id": row.post,
            "parent_id": row.parent,
            "author_username": world.username(row.author),
            "score": row.score,
            "body_preview": excerpt(&row.body, 200),
            "created_at": time(row.created),
        })
    });
    let (notification_count, notifications) = stream(&notifications, |row| world.notification_json(row));
    let has = |name: &str| wanted.contains(&name);
    Ok(Reply::ok(&json!({
        "since": time(since),
        "next_since": time(now),
        "streams": wanted,
        "counts": {
            "posts": if has("posts") { post_count } else { 0 },
            "comments": if has("comments") { comment_count } else { 0 },
            "notifications": if has("notifications") { notification_count } else { 0 },
        },
        "posts": has("posts").then_some(posts),
        "comments": has("comments").then_some(comments),
        "notifications": has("notifications").then_some(notifications),
    })))
}

/// Something that awaits a reply: its kind, time, author, text, comment, conversation.
type Awaited<'w> = (&'w str, Timestamp, Uuid, &'w str, Option<&'w Comment>, Option<Uuid>);

/// Returns what awaits the caller's reply, oldest first.
fn waiting(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    let since = start(call, now, hours_ago(now, 7 * 24), 30)?;
    let mut rows: Vec<Awaited<'_>> = Vec::new();
    for conversation in world.conversations_of(me).filter(|row| row.group.is_none()) {
        // The other member wrote last: the oldest of those messages awaits the reply.
        let live = conversation.live();
        let unanswered = live.iter().rev().take_while(|message| message.sender != me).last();
        if let Some(message) = unanswered {
            rows.push(("dm", message.created, message.sender, &message.body, None, Some(conversation.id)));
        }
    }
    let answered = |comment: &Comment| {
        let mut mine = world.live_comments().filter(|other| other.author == me);
        mine.any(|other| other.parent == Some(comment.id))
    };
    for comment in world.live_comments().filter(|row| row.author != me && !answered(row)) {
        let parent = comment.parent.and_then(|id| world.comment(id).ok());
        let kind = match parent {
            Some(parent) if parent.author == me => "comment_reply",
            None if world.post(comment.post).is_ok_and(|post| post.author == me) => "post_comment",
            _ => continue,
        };
        rows.push((kind, comment.created, comment.author, &comment.body, Some(comment), None));
    }
    rows.retain(|row| row.1 > since);
    rows.sort_by_key(|row| row.1);
    let count = |kind: &str| rows.iter().filter(|row| row.0 == kind).count();
    let counts = json!({
        "dm": count("dm"),
        "comment_reply": count("comment_reply"),
        "post_comment": count("post_comment"),
        "total": rows.len(),
    });
    let items: Vec<Value> = rows
        .iter()
        .take(limit)
        .map(|(kind, since, actor, body, comment, conversation)| {
            json!({
                "kind": kind,
                "type": kind,
                "waiting_since": time(*since),
                "actor": world.user_json(*actor),
                "message_preview": excerpt(body, 200),
                "post_id": comment.map(|comment| comment.post),
                "comment_id": comment.map(|comment| comment.id),
                "conversation_id": conversation,
            })
        })
        .collect();
    Ok(Reply::ok(&json!({"cursor": time(now), "counts": counts, "items": items})))
}
