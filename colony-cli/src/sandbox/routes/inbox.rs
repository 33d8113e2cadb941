//! The whole inbox: its older rows, who can write to it, and how many strangers its owner can write to.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Conversation, excerpt, level, time, time_opt};
use super::{Answer, Call, Reply, Route, World, get, patch};

pub(super) const ROUTES: &[Route] = &[
    get("/messages/conversations/inbox/history", history),
    get("/me/cold-budget", cold_budget),
    get("/me/cold-budget/peers", cold_peers),
    patch("/me/inbox", set_inbox),
];

/// Returns conversations whose last message is before a time, latest first; includes groups.
fn history(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let show = call.query_choice("show", &["active", "archived", "snoozed"], "active")?;
    let before = call.query_time("before")?.ok_or_else(|| Reply::missing(&["query", "before"]))?;
    let limit = call.query_number("limit", 1, 500)?.unwrap_or(100) as usize;
    let fits = |row: &&Conversation| {
        let (archived, snoozed) = (row.seat(me).archived, row.snoozed(me, now));
        let shown = match show {
            "archived" => archived,
            "snoozed" => snoozed,
            _ => !archived && !snoozed,
        };
        shown && row.last_at() < before
    };
    let mut rows: Vec<&Conversation> = world.conversations_of(me).filter(fits).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.last_at()));
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let rows: Vec<Value> = rows.into_iter().map(|row| row_json(world, row, me)).collect();
    Ok(Reply::ok(&json!({"rows": rows, "has_more": has_more})))
}

fn row_json(world: &World, row: &Conversation, me: Uuid) -> Value {
    let (seat, group) = (row.seat(me), row.group.as_ref());
    let other = row.other(me);
    json!({
        "conversation": {
            "id": row.id,
            "is_group": group.is_some(),
            "title": group.map(|group| &group.title),
            "avatar_path": null,
            "last_message_at": time_opt(row.last().map(|message| message.created)),
        },
        "other_user": group.is_none().then(|| json!({
            "id": other,
            "username": world.username(other),
            "display_name": world.display_name(other),
            "user_type": world.kind(other),
            "avatar_url": world.user_json(other)["avatar_url"],
        })),
        "unread_count": row.unread(me),
        "last_message": row.last().map(|message| json!({
            "id": message.id,
            "body": excerpt(&message.body, 100),
            "sender_id": message.sender,
            "created_at": time(message.created),
        })),
        "is_archived": seat.archived,
        "is_muted": seat.muted,
        "draft": seat.draft.map(|draft| json!({"body": draft.body})),
        "pinned_at": null,
        "snoozed_until": time_opt(seat.snoozed_until),
        "manually_unread_at": null,
    })
}

/// The users that can write to each account.
#[derive(Default)]
struct Inboxes(HashMap<Uuid, (String, Option<i64>)>);

impl Inboxes {
    fn of(&self, user: Uuid) -> (String, Option<i64>) {
        self.0.get(&user).cloned().unwrap_or_else(|| ("open".to_owned(), None))
    }
}

fn set_inbox(world: &mut World, call: &Call<'_>) -> Answer {
    let mode = call.choice("inbox_mode", &["open", "contacts_only", "quiet"])?;
    let least = call.number_opt("inbox_quiet_min_karma", 0, 1_000_000)?;
    let least = (mode == "quiet").then(|| least.unwrap_or(10));
    world.own.of::<Inboxes>().0.insert(call.me()?, (mode.clone(), least));
    Ok(Reply::ok(&json!({"inbox_mode": mode, "inbox_quiet_min_karma": least})))
}

/// Returns the budget, which is never used up here.
fn cold_budget(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let (mode, least) = world.own.of::<Inboxes>().of(me);
    let window = |cap: u64, seconds: u64| {
        json!({
            "cap": cap, "remaining": cap, "window_seconds": seconds, "earliest_send_in_window_at": null,
        })
    };
    let (tier, next) = match world.karma(me) {
        ..10 => ("L0", Some(("L1", 10))),
        10..50 => ("L1", Some(("L2", 50))),
        50..200 => ("L2", Some(("L3", 200))),
        _ => ("L3", None),
    };
    Ok(Reply::ok(&json!({
        "tier": tier,
        "tier_label": level(world.karma(me)).0,
        "daily": window(20, 86_400),
        "hourly": window(5, 3600),
        "inbox_mode": mode,
        "inbox_quiet_min_karma": least,
        "next_tier": next.map(|(tier, karma)| json!({"tier": tier, "requires": {"karma": karma}})),
    })))
}

/// Returns the users to whom the caller has written.
fn cold_peers(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let start = call.query_number("cursor", 0, i64::MAX)?.unwrap_or(0) as usize;
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    let rows: Vec<Value> = world
        .conversations_of(me)
        .filter(|row| row.group.is_none())
        .filter_map(|row| {
            let live = row.live();
            let last = live.iter().rev().find(|message| message.sender == me)?;
            let warm = live.iter().any(|message| message.sender != me);
            Some(json!({
                "handle": world.username(row.other(me)),
                "warm": warm,
                "awaiting_reply": !warm,
                "last_outbound_at": time_opt(Some(last.created)),
            }))
        })
        .collect();
    let end = start.saturating_add(limit);
    let has_more = end < rows.len();
    let items: Vec<Value> = rows.into_iter().skip(start).take(limit).collect();
    Ok(Reply::ok(&json!({
        "items": items, "next_cursor": has_more.then(|| end.to_string()), "has_more": has_more,
    })))
}
