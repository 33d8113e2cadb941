//! Operations on one message: edit, delete, read, react, save, forward; and message search.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Conversation, Message, Reaction, To, excerpt, over, time, time_opt};
use super::{Answer, Call, Reply, Route, World, delete, get, messages, patch, post};

pub(super) const ROUTES: &[Route] = &[
    patch("/messages/{message_id}", edit),
    delete("/messages/{message_id}", remove),
    get("/messages/{message_id}/edits", edits),
    get("/messages/{message_id}/reads", reads),
    post("/messages/{message_id}/read", mark_read),
    post("/messages/{message_id}/reactions", react),
    delete("/messages/{message_id}/reactions/{emoji}", unreact),
    post("/messages/{message_id}/star", star),
    get("/messages/saved", saved),
    post("/messages/{message_id}/forward", forward),
    get("/messages/search", search),
];

/// Returns the position of a message in one of the caller's conversations.
fn by_id(world: &World, call: &Call<'_>) -> Result<(Uuid, usize, usize), Reply> {
    let (me, id) = (call.me()?, call.id("message_id")?);
    let mine = world.conversations.iter().enumerate().filter(|(_, row)| row.has(me));
    for (at, conversation) in mine {
        let found = conversation.messages.iter().position(|m| m.id == id && !m.deleted);
        if let Some(message) = found {
            return Ok((me, at, message));
        }
    }
    Err(Reply::none("Message"))
}

/// Returns the same, for the sender only.
fn own(world: &World, call: &Call<'_>) -> Result<(usize, usize), Reply> {
    let (me, at, message) = by_id(world, call)?;
    if world.conversations[at].messages[message].sender != me {
        return Err(Reply::forbidden("FORBIDDEN", "This message is not yours"));
    }
    Ok((at, message))
}

fn edit(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.text("body", 1, messages::MAX_BODY)?;
    let (at, message) = own(world, call)?;
    let now = world.now();
    let message = &mut world.conversations[at].messages[message];
    if over(message.created, now, 5) {
        return Err(Reply::forbidden("FORBIDDEN", "A message can be edited for 5 minutes"));
    }
    let written = message.edited.unwrap_or(message.created);
    let earlier = std::mem::replace(&mut message.body, body);
    message.versions.push((earlier, written));
    message.edited = Some(now);
    let text = excerpt(&message.body, 200);
    tell_group(world, call, at, "group_message_edited", "editor", Some(text))?;
    let (_, _, message) = by_id(world, call)?;
    let conversation = &world.conversations[at];
    Ok(Reply::ok(&world.message_json(conversation, &conversation.messages[message])))
}

/// Notifies the other members of a group of a change to a message.
fn tell_group(
    world: &mut World,
    call: &Call<'_>,
    at: usize,
    name: &'static str,
    role: &str,
    text: Option<String>,
) -> Result<(), Reply> {
    let (me, id) = (call.me()?, call.id("message_id")?);
    if world.conversations[at].group.is_none() {
        return Ok(());
    }
    let mut fields = json!({
        role: world.username(me), format!("{role}_id"): me,
        "conversation_id": world.conversations[at].id, "message_id": id,
    });
    if let Some(text) = text {
        fields["body_excerpt"] = text.into();
    }
    for member in world.conversations[at].members.clone().into_iter().filter(|&member| member != me) {
        world.emit(To::User(member), name, fields.clone());
    }
    Ok(())
}

fn edits(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at, message) = by_id(world, call)?;
    let message = &world.conversations[at].messages[message];
    let version = |body: &str, at: Timestamp, current: bool| json!({"body": body, "at": time(at), "created_at": time(at), "is_current": current});
    let mut versions: Vec<Value> =
        message.versions.iter().map(|(body, at)| version(body, *at, false)).collect();
    let written = message.edited.unwrap_or(message.created);
    versions.push(version(&message.body, written, true));
    Ok(Reply::ok(&json!({"message_id": message.id, "versions": versions})))
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, message) = own(world, call)?;
    world.conversations[at].messages[message].deleted = true;
    tell_group(world, call, at, "group_message_deleted", "deleter", None)?;
    Ok(Reply::ok(&json!({"deleted": true})))
}

/// Returns who has read the message, and who has not.
fn reads(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at, message) = by_id(world, call)?;
    let conversation = &world.conversations[at];
    let message = &conversation.messages[message];
    let entry = |user: Uuid| {
        json!({
            "user_id": user,
            "username": world.username(user),
            "display_name": world.display_name(user),
            "read_at": time_opt(message.reads.get(&user).copied()),
        })
    };
    let others: Vec<Uuid> =
        conversation.members.iter().copied().filter(|&member| member != message.sender).collect();
    let (seen, unseen): (Vec<Uuid>, Vec<Uuid>) =
        others.iter().partition(|member| message.reads.contains_key(member));
    Ok(Reply::ok(&json!({
        "is_group": conversation.group.is_some(),
        "total_others": others.len(),
        "seen_count": seen.len(),
        "seen": seen.into_iter().map(entry).collect::<Vec<_>>(),
        "unseen": unseen.into_iter().map(entry).collect::<Vec<_>>(),
    })))
}

fn mark_read(world: &mut World, call: &Call<'_>) -> Answer {
    let ((me, at, message), now) = (by_id(world, call)?, world.now());
    let message = &mut world.conversations[at].messages[message];
    let (own, already) = (message.sender == me, message.reads.contains_key(&me));
    if !own {
        message.reads.entry(me).or_insert(now);
    }
    Ok(Reply::ok(&json!({"already": already, "self_authored": own})))
}

fn react(world: &mut World, call: &Call<'_>) -> Answer {
    let emoji = call.text("emoji", 1, 30)?;
    let ((me, at, message), created) = (by_id(world, call)?, world.now());
    let given = &mut world.conversations[at].messages[message].reactions;
    if !given.iter().any(|row| row.emoji == emoji && row.user == me) {
        given.push(Reaction { emoji: emoji.clone(), user: me, created });
    }
    let given = &world.conversations[at].messages[message].reactions;
    let mine = given.iter().find(|row| row.emoji == emoji && row.user == me);
    Ok(Reply::created(&mine.map(|row| world.reaction_json(row))))
}

fn unreact(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at, message) = by_id(world, call)?;
    let emoji = call.param("emoji");
    let given = &mut world.conversations[at].messages[message].reactions;
    let before = given.len();
    given.retain(|row| row.emoji != emoji || row.user != me);
    Ok(Reply::ok(&json!({"removed": given.len() < before})))
}

/// (user, message) → the time when it was saved.
#[derive(Default)]
struct Saved(BTreeMap<(Uuid, Uuid), Timestamp>);

fn star(world: &mut World, call: &Call<'_>) -> Answer {
    let ((me, at, message), now) = (by_id(world, call)?, world.now());
    let key = (me, world.conversations[at].messages[message].id);
    let stars = &mut world.own.of::<Saved>().0;
    let removed = stars.remove(&key).is_some();
    if !removed {
        stars.insert(key, now);
    }
    Ok(Reply::ok(&json!({"saved": !removed})))
}

/// Returns saved messages, latest first.
fn saved(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let stars = world.own.get::<Saved>();
    let at = |id: Uuid| stars.and_then(|stars| stars.0.get(&(me, id))).copied();
    let mut rows: Vec<(Timestamp, &Conversation, &Message)> = world
        .conversations_of(me)
        .flat_map(|row| row.live().into_iter().map(move |message| (row, message)))
        .filter_map(|(row, message)| Some((at(message.id)?, row, message)))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    let (cut, has_more) = page.cut(&rows);
    let entries: Vec<Value> = cut
        .iter()
        .map(|(at, conversation, message)| {
            let group = conversation.group.as_ref();
            json!({
                "saved_at": time(*at),
                "note": null,
                "message": world.message_json(conversation, message),
                "other_username": group.is_none().then(|| world.username(conversation.other(me))),
                "is_group": group.is_some(),
                "conversation_title": group.map(|group| &group.title),
            })
        })
        .collect();
    Ok(Reply::ok(&json!({
        "messages": entries, "pagination": {"total": rows.len(), "has_more": has_more},
    })))
}

/// Sends a copy to another user, with a comment before it.
fn forward(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at, message) = by_id(world, call)?;
    let other = world.find_user(call.query_text("recipient_username", 1, 64)?)?;
    messages::reachable(world, me, other)?;
    let original = &world.conversations[at].messages[message];
    let quoted: String = original.body.lines().map(|line| format!("> {line}\n")).collect();
    let comment = call.query("comment").map(|text| format!("{text}\n\n")).unwrap_or_default();
    let attachments = original.attachments.clone();
    let at = world.conversation_with(me, other);
    messages::deliver(world, at, me, format!("{comment}{quoted}"), None, attachments);
    let conversation = &world.conversations[at];
    Ok(Reply::created(&conversation.last().map(|sent| world.message_json(conversation, sent))))
}

/// Searches conversations with one other user, latest first.
fn search(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let text = call.query_text("q", 2, 200)?.to_lowercase();
    let mut rows: Vec<(&Conversation, &Message)> = world
        .conversations_of(me)
        .filter(|row| row.group.is_none())
        .flat_map(|row| row.live().into_iter().map(move |message| (row, message)))
        .filter(|(_, message)| message.body.to_lowercase().contains(&text))
        .collect();
    rows.sort_by_key(|(_, message)| std::cmp::Reverse(message.created));
    Ok(Reply::ok(&page.array(&rows, |(conversation, message)| {
        json!({
            "message": world.message_json(conversation, message),
            "other_user": world.user_json(conversation.other(me)),
            "conversation_id": conversation.id,
        })
    })))
}
