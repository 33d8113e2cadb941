//! Conversations with one other user, and what they share with groups.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{About, Attachment, Conversation, Draft, Message, To, time, time_opt};
use super::{Answer, Call, Reply, Route, World, delete, get, patch, post, put, uploads};

pub(super) const ROUTES: &[Route] = &[
    post("/messages/send/{username}", send),
    get("/messages/conversations", list),
    get("/messages/unread-count", unread_count),
    get("/messages/conversations/{username}", read),
    get("/messages/conversations/{username}/tail", tail),
    get("/messages/conversations/{username}/history", history),
    post("/messages/conversations/{username}/read", mark_read),
    post("/messages/conversations/{username}/typing", typing),
    post("/messages/conversations/by-id/{conv_id}/typing", typing_by_id),
    post("/messages/conversations/{username}/archive", archive),
    post("/messages/conversations/{username}/unarchive", unarchive),
    post("/messages/conversations/{username}/mute", mute),
    post("/messages/conversations/{username}/unmute", unmute),
    post("/messages/conversations/{username}/snooze", snooze),
    post("/messages/conversations/{username}/unsnooze", unsnooze),
    patch("/messages/conversations/{username}/receipts", receipts),
    get("/messages/conversations/{username}/draft", draft),
    put("/messages/conversations/{username}/draft", save_draft),
    delete("/messages/conversations/{username}/draft", delete_draft),
    post("/messages/conversations/{username}/spam", mark_spam),
    delete("/messages/conversations/{username}/spam", unmark_spam),
    post("/messages/groups/{conv_id}/send", send),
    get("/messages/groups/{conv_id}/tail", tail),
    get("/messages/groups/{conv_id}/history", history),
    post("/messages/groups/{conv_id}/mute", mute),
    post("/messages/groups/{conv_id}/unmute", unmute),
    post("/messages/groups/{conv_id}/snooze", snooze),
    post("/messages/groups/{conv_id}/unsnooze", unsnooze),
    patch("/messages/groups/{conv_id}/receipts", receipts),
    get("/messages/groups/{conv_id}/draft", draft),
    put("/messages/groups/{conv_id}/draft", save_draft),
    delete("/messages/groups/{conv_id}/draft", delete_draft),
];

pub(super) const MAX_BODY: usize = 10_000;

/// Returns the caller, and the position of the conversation in the path, named by the other user or by the group's id.
pub(super) fn place(world: &World, call: &Call<'_>) -> Result<(Uuid, usize), Reply> {
    let me = call.me()?;
    if call.param("conv_id").is_empty() {
        let other = world.find_user(call.param("username"))?;
        let at = world.conversation_of(me, other).ok_or_else(|| Reply::none("Conversation"))?;
        return Ok((me, at));
    }
    let id = call.id("conv_id")?;
    let at = world.conversations.iter().position(|row| row.id == id && row.group.is_some());
    let at = at.ok_or_else(|| Reply::none("Group"))?;
    if !world.conversations[at].has(me) {
        return Err(Reply::forbidden("FORBIDDEN", "You are not a member of this group"));
    }
    Ok((me, at))
}

/// Returns the same; starts a conversation with another user if there is none.
fn place_begun(world: &mut World, call: &Call<'_>) -> Result<(Uuid, usize), Reply> {
    if !call.param("conv_id").is_empty() {
        return place(world, call);
    }
    let me = call.me()?;
    let other = world.find_user(call.param("username"))?;
    reachable(world, me, other)?;
    Ok((me, world.conversation_with(me, other)))
}

/// Refuses messages to oneself, and between users if either has blocked the other.
pub(super) fn reachable(world: &World, me: Uuid, other: Uuid) -> Result<(), Reply> {
    if me == other {
        return Err(Reply::bad_input("You cannot send yourself a message"));
    }
    if world.blocked(me, other) {
        return Err(Reply::forbidden("FORBIDDEN", "This user does not accept your messages"));
    }
    Ok(())
}

fn send(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.text_opt("body", 0, MAX_BODY)?.unwrap_or_default();
    let reply_to = call.body_id("reply_to_message_id")?;
    let attachments = call.ids("attachment_ids", 10)?.unwrap_or_default();
    let attachments = uploads::own(world, call.me()?, &attachments)?;
    if body.trim().is_empty() && attachments.is_empty() {
        return Err(Reply::invalid(
            &["body", "body"],
            "string_too_short",
            "A message has a body or an attachment",
            body.into(),
        ));
    }
    let (me, at) = place_begun(world, call)?;
    let conversation = &world.conversations[at];
    if let Some(id) = reply_to
        && !conversation.messages.iter().any(|message| message.id == id)
    {
        return Err(Reply::none("Message to reply to"));
    }
    deliver(world, at, me, body, reply_to, attachments);
    let conversation = &world.conversations[at];
    Ok(Reply::created(&conversation.last().map(|sent| world.message_json(conversation, sent))))
}

/// Adds a message to a conversation and notifies its other members.
pub(super) fn deliver(
    world: &mut World,
    at: usize,
    sender: Uuid,
    body: String,
    reply_to: Option<Uuid>,
    attachments: Vec<Arc<Attachment>>,
) -> Uuid {
    let (id, created) = (Uuid::new_v4(), world.now());
    let text = super::super::world::excerpt(&body, 200);
    let conversation = &mut world.conversations[at];
    conversation.messages.push(Message {
        id,
        sender,
        body,
        created,
        reply_to,
        attachments,
        ..Message::default()
    });
    let (conversation_id, is_group) = (conversation.id, conversation.group.is_some());
    let mut told = Vec::new();
    for member in conversation.members.clone() {
        conversation.seat_mut(member).archived = false;
        if member != sender && !conversation.muted(member, created) {
            told.push(member);
        }
    }
    let (name, display_name) = (world.username(sender).to_owned(), world.display_name(sender).to_owned());
    let about = About::message(conversation_id, id);
    let mentioned = super::posts::mentioned(world, &text);
    for member in told {
        if !is_group {
            let row = &world.conversations[at];
            let full = row.last().map(|message| world.message_json(row, message));
            let compact = json!({"conversation_id": conversation_id, "message_id": id, "sender_id": sender});
            world.frames.tell(member, "dm.new", None, compact, full.unwrap_or_default());
            world.notify(member, sender, "direct_message", "sent you a message", about);
            let fields = json!({"sender_display_name": display_name, "sender": display_name});
            world.emit(To::User(member), "direct_message", fields);
            continue;
        }
        world.notify(member, sender, "group_message", "wrote to a group", about);
        let fields = json!({
            "sender_username": name, "sender": name, "sender_id": sender, "conversation_id": conversation_id,
            "message_id": id, "body_excerpt": text,
        });
        world.emit(To::User(member), "group_message", fields);
        if mentioned.contains(&member) {
            let fields = json!({
                "sender": name, "sender_id": sender, "conversation_id": conversation_id, "message_id": id,
                "body_excerpt": text,
            });
            world.emit(To::User(member), "group_mention", fields);
        }
    }
    id
}

/// Returns a bare array, latest first.
fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page, now) = (call.me()?, call.page(50, 100)?, world.now());
    let archived = call.query_bool("include_archived")?.unwrap_or(false);
    let fits = |row: &&Conversation| {
        let seat = row.seat(me);
        row.group.is_none()
            && !world.visible(row, me).is_empty()
            && (archived || !seat.archived)
            && seat.spam.is_none()
            && !row.snoozed(me, now)
    };
    let mut rows: Vec<&Conversation> = world.conversations_of(me).filter(fits).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(world.visible(row, me).last().map(|last| last.created)));
    Ok(Reply::ok(&page.array(&rows, |row| world.conversation_json(row, me))))
}

fn unread_count(world: &mut World, call: &Call<'_>) -> Answer {
    let unread = world.unread_messages(call.me()?);
    Ok(Reply::ok(&json!({"unread_direct_messages": unread, "unread_count": unread})))
}

/// Returns the newest page, oldest first. Reading a conversation marks it read after rendering.
fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 200)?);
    let other = world.find_user(call.param("username"))?;
    let Some(at) = world.conversation_of(me, other) else {
        return Ok(Reply::ok(&json!({"id": null, "other_user": world.user_json(other), "messages": []})));
    };
    let conversation = &world.conversations[at];
    let reply = Reply::ok(&json!({
        "id": conversation.id,
        "other_user": world.user_json(other),
        "messages": newest(world, conversation, page.limit, page.offset),
    }));
    let now = world.now();
    world.conversations[at].mark(me, now);
    Ok(reply)
}

/// Returns the `limit` latest messages except the last `offset`, oldest first.
fn newest(world: &World, conversation: &Conversation, limit: usize, offset: usize) -> Vec<Value> {
    let rows = conversation.live();
    let end = rows.len().saturating_sub(offset);
    rendered(world, conversation, &rows[end.saturating_sub(limit)..end])
}

pub(super) fn rendered(world: &World, conversation: &Conversation, rows: &[&Message]) -> Vec<Value> {
    rows.iter().map(|message| world.message_json(conversation, message)).collect()
}

/// Returns the messages after a message, oldest first; without one the latest.
fn tail(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place(world, call)?;
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    let conversation = &world.conversations[at];
    let rows = world.visible(conversation, me);
    let (part, has_more) = match call.query_id("since_id")? {
        Some(id) => {
            let from = rows.iter().position(|message| message.id == id);
            let newer = &rows[from.ok_or_else(|| Reply::none("Message"))? + 1..];
            (&newer[..limit.min(newer.len())], newer.len() > limit)
        }
        None => (&rows[rows.len().saturating_sub(limit)..], rows.len() > limit),
    };
    Ok(Reply::ok(&json!({
        "messages": rendered(world, conversation, part),
        "pagination": {"total": rows.len(), "has_more": has_more},
    })))
}

/// Returns the messages before a message, oldest first.
fn history(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place(world, call)?;
    let limit = call.query_number("limit", 1, 500)?.unwrap_or(200) as usize;
    let before = call.query_id("before")?.ok_or_else(|| Reply::missing(&["query", "before"]))?;
    let conversation = &world.conversations[at];
    let rows = world.visible(conversation, me);
    let found = rows.iter().position(|message| message.id == before);
    let older = &rows[..found.unwrap_or(0)];
    let start = older.len().saturating_sub(limit);
    Ok(Reply::ok(&json!({
        "messages": rendered(world, conversation, &older[start..]),
        "has_more": start > 0,
        "cursor_found": found.is_some(),
    })))
}

fn mark_read(world: &mut World, call: &Call<'_>) -> Answer {
    let ((me, at), now) = (place(world, call)?, world.now());
    Ok(Reply::ok(&json!({"marked_read": world.conversations[at].mark(me, now)})))
}

/// Accepts the signal, which has no effect here.
fn typing(world: &mut World, call: &Call<'_>) -> Answer {
    world.find_user(call.param("username"))?;
    Ok(Reply::no_content())
}

fn typing_by_id(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("conv_id")?);
    let known = world.conversations_of(me).any(|row| row.id == id);
    if known { Ok(Reply::no_content()) } else { Err(Reply::none("Conversation")) }
}

fn set_archived(world: &mut World, call: &Call<'_>, archived: bool) -> Answer {
    let (me, at) = place(world, call)?;
    world.conversations[at].seat_mut(me).archived = archived;
    Ok(Reply::ok(&json!({"archived": archived})))
}

fn archive(world: &mut World, call: &Call<'_>) -> Answer {
    set_archived(world, call, true)
}

fn unarchive(world: &mut World, call: &Call<'_>) -> Answer {
    set_archived(world, call, false)
}

/// Mutes the conversation. Without a duration, or with `forever`, until it is unmuted.
fn mute(world: &mut World, call: &Call<'_>) -> Answer {
    let ((me, at), now) = (place(world, call)?, world.now());
    let until = match call.either("duration", "until")?.unwrap_or("forever") {
        "forever" => None,
        word @ ("1h" | "8h" | "1d" | "1w") => super::memory::after(now, word),
        other => {
            let message = "Input should be one of: 1h, 8h, 1d, 1w, forever";
            return Err(Reply::invalid(&["query", "duration"], "literal_error", message, other.into()));
        }
    };
    let seat = world.conversations[at].seat_mut(me);
    (seat.muted, seat.muted_until) = (true, until);
    Ok(Reply::ok(&json!({"muted": true, "muted_until": time_opt(until)})))
}

fn unmute(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place(world, call)?;
    let seat = world.conversations[at].seat_mut(me);
    (seat.muted, seat.muted_until) = (false, None);
    Ok(Reply::ok(&json!({"muted": false, "muted_until": null})))
}

/// Returns the next eight o'clock (UTC) after a time.
fn morning(now: Timestamp) -> Option<Timestamp> {
    let day = now.as_second().div_euclid(86_400) * 86_400 + 8 * 3600;
    let at = Timestamp::from_second(day).ok()?;
    if at > now { Some(at) } else { at.checked_add(24.hours()).ok() }
}

fn snooze(world: &mut World, call: &Call<'_>) -> Answer {
    let ((me, at), now) = (place(world, call)?, world.now());
    let until = match call.query_text("duration", 1, 20)? {
        "until_morning" => morning(now),
        word @ ("1h" | "3h" | "1d" | "1w") => super::memory::after(now, word),
        _ => return Err(Reply::bad_input("duration is one of 1h, 3h, until_morning, 1d, 1w")),
    };
    world.conversations[at].seat_mut(me).snoozed_until = until;
    Ok(Reply::ok(&json!({"snoozed_until": time_opt(until), "cleared": false})))
}

fn unsnooze(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place(world, call)?;
    let before = world.conversations[at].seat_mut(me).snoozed_until.take();
    Ok(Reply::ok(&json!({"snoozed_until": null, "cleared": before.is_some()})))
}

fn receipts(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place(world, call)?;
    let show = call.query_bool("show")?;
    world.conversations[at].seat_mut(me).receipts = show;
    Ok(Reply::ok(&json!({"override": show, "effective": show.unwrap_or(true)})))
}

fn draft_json(draft: &Draft) -> Value {
    json!({
        "body": draft.body, "reply_to_message_id": draft.reply_to, "updated_at": time(draft.updated),
    })
}

/// Returns the draft; `null` if there is none.
fn draft(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place_begun(world, call)?;
    Ok(Reply::ok(&world.conversations[at].seat(me).draft.as_ref().map(draft_json)))
}

/// Stores the draft; an empty one deletes it.
fn save_draft(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.text_opt("body", 0, MAX_BODY)?.unwrap_or_default();
    let reply_to = call.body_id("reply_to_message_id")?;
    let ((me, at), updated) = (place_begun(world, call)?, world.now());
    let empty = body.is_empty() && reply_to.is_none();
    world.conversations[at].seat_mut(me).draft = (!empty).then_some(Draft { body, reply_to, updated });
    draft(world, call)
}

fn delete_draft(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place_begun(world, call)?;
    world.conversations[at].seat_mut(me).draft = None;
    Ok(Reply::no_content())
}

fn spam_json(conversation: &Conversation, me: Uuid) -> Value {
    let spam = conversation.seat(me).spam;
    json!({
        "conversation_id": conversation.id,
        "spam_reported_at": time_opt(spam.as_ref().map(|spam| spam.0)),
        "spam_reason_code": spam.as_ref().map(|spam| &spam.1),
        "report_id": spam.as_ref().map(|spam| spam.2),
    })
}

/// Marks a message as spam. A repeated report changes nothing, and its reply notes the repetition.
fn mark_spam(world: &mut World, call: &Call<'_>) -> Answer {
    let known = ["spam", "harassment", "misinformation", "off_topic", "prompt_injection", "other"];
    // Renamed since the description was saved.
    let reason = call.text_opt("reason", 0, 32)?.or(call.text_opt("reason_code", 0, 32)?);
    let reason = reason.unwrap_or_else(|| "spam".to_owned());
    let reason = if known.contains(&reason.as_str()) { reason } else { "other".to_owned() };
    call.text_opt("description", 0, 2000)?;
    let ((me, at), now) = (place(world, call)?, world.now());
    let conversation = &mut world.conversations[at];
    let seat = conversation.seat_mut(me);
    if seat.spam.is_some() {
        let reply = Reply::ok(&spam_json(conversation, me));
        return Ok(reply
            .with_header("idempotent-replay", "true")
            .with_header("x-idempotency-replayed", "true"));
    }
    seat.spam = Some((now, reason, Uuid::new_v4()));
    Ok(Reply::created(&spam_json(conversation, me)))
}

fn unmark_spam(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place(world, call)?;
    let conversation = &mut world.conversations[at];
    conversation.seat_mut(me).spam = None;
    Ok(Reply::ok(&spam_json(conversation, me)))
}
