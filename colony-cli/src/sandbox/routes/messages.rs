//! Direct messages between two users.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::render::{self, time, time_opt};
use super::super::reply::{Answer, Reply};
use super::super::state::{About, Conversation, Message, World};

const MAX_BODY: usize = 10_000;

pub(crate) fn send(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let body = call.text("body", 1, MAX_BODY)?;
    let other = world.find_user(call.param("username"))?;
    if me == other {
        return Err(Reply::error(400, "INVALID_INPUT", "You cannot send yourself a message"));
    }
    if world.blocks.contains(&(other, me)) || world.blocks.contains(&(me, other)) {
        return Err(Reply::forbidden("FORBIDDEN", "This user does not accept your messages"));
    }
    let at = world.conversation_of(me, other).unwrap_or_else(|| {
        world.conversations.push(Conversation {
            id: Uuid::new_v4(),
            users: [me, other],
            messages: Vec::new(),
            archived: Default::default(),
            muted: Default::default(),
        });
        world.conversations.len() - 1
    });
    let (id, created) = (Uuid::new_v4(), world.now());
    let conversation = &mut world.conversations[at];
    conversation.messages.push(Message {
        id,
        sender: me,
        body,
        created,
        read: None,
        versions: Vec::new(),
        edited: None,
        deleted: false,
    });
    conversation.archived.clear();
    let muted = conversation.muted.contains(&other);
    let about = About { conversation: Some(conversation.id), message: Some(id), ..About::default() };
    if !muted {
        world.notify(other, me, "direct_message", "sent you a message", about);
    }
    let conversation = &world.conversations[at];
    let sent = conversation.messages.last().map(|sent| world.message_json(conversation, sent));
    Ok(Reply::created(&sent))
}

/// A bare array, the latest first.
pub(crate) fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let archived = call.query_bool("include_archived")?.unwrap_or(false);
    let fits = |row: &&Conversation| row.has(me) && (archived || !row.archived.contains(&me));
    let mut rows: Vec<&Conversation> = world.conversations.iter().filter(fits).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.messages.last().map(|last| last.created)));
    Ok(Reply::ok(&page.array(&rows, |row| world.conversation_json(row, me))))
}

/// The caller's conversation with the user that the address names.
fn with_user(world: &World, call: &Call<'_>) -> Result<(Uuid, usize), Reply> {
    let me = call.me()?;
    let other = world.find_user(call.param("username"))?;
    let at = world.conversation_of(me, other);
    at.map(|at| (me, at)).ok_or_else(|| Reply::not_found("NOT_FOUND", "Conversation"))
}

/// Marks what the caller received as read; gives how many messages that were.
fn mark(world: &mut World, me: Uuid, at: usize) -> usize {
    let now = world.now();
    let received = world.conversations[at].messages.iter_mut();
    let mut marked = 0;
    for message in received.filter(|m| m.sender != me && m.read.is_none()) {
        message.read = Some(now);
        marked += usize::from(!message.deleted);
    }
    marked
}

fn rendered(world: &World, at: usize, rows: &[&Message]) -> Vec<Value> {
    let conversation = &world.conversations[at];
    rows.iter().map(|message| world.message_json(conversation, message)).collect()
}

fn live(world: &World, at: usize) -> Vec<&Message> {
    world.conversations[at].messages.iter().filter(|message| !message.deleted).collect()
}

/// Reading a conversation marks it read.
pub(crate) fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = with_user(world, call)?;
    mark(world, me, at);
    let rows = live(world, at);
    let latest = &rows[rows.len().saturating_sub(200)..];
    let conversation = &world.conversations[at];
    Ok(Reply::ok(&json!({
        "id": conversation.id,
        "other_user": world.user_json(conversation.other(me)),
        "messages": rendered(world, at, latest),
    })))
}

/// The position after a message, among those that are not deleted.
fn position(rows: &[&Message], id: Uuid) -> Result<usize, Reply> {
    let found = rows.iter().position(|message| message.id == id);
    found.ok_or_else(|| Reply::not_found("NOT_FOUND", "Message"))
}

fn query_id(call: &Call<'_>, name: &str) -> Result<Option<Uuid>, Reply> {
    let Some(text) = call.query(name) else { return Ok(None) };
    Uuid::try_parse(text).map(Some).map_err(|_| {
        let message = "Input should be a valid UUID";
        Reply::invalid(&["query", name], "uuid_parsing", message, text.into())
    })
}

/// What came after a message, oldest first; without one the latest.
pub(crate) fn tail(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at) = with_user(world, call)?;
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    let rows = live(world, at);
    let (part, has_more) = match query_id(call, "since_id")? {
        Some(id) => {
            let newer = &rows[position(&rows, id)? + 1..];
            (&newer[..limit.min(newer.len())], newer.len() > limit)
        }
        None => (&rows[rows.len().saturating_sub(limit)..], rows.len() > limit),
    };
    Ok(Reply::ok(&json!({
        "messages": rendered(world, at, part),
        "pagination": {"limit": limit, "total": rows.len(), "has_more": has_more},
    })))
}

/// What came before a message, oldest first.
pub(crate) fn history(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at) = with_user(world, call)?;
    let limit = call.query_number("limit", 1, 500)?.unwrap_or(200) as usize;
    let before = query_id(call, "before")?
        .ok_or_else(|| Reply::invalid(&["query", "before"], "missing", "Field required", Value::Null))?;
    let rows = live(world, at);
    let older = &rows[..position(&rows, before)?];
    let start = older.len().saturating_sub(limit);
    let messages = rendered(world, at, &older[start..]);
    Ok(Reply::ok(&json!({"messages": messages, "has_more": start > 0})))
}

pub(crate) fn mark_read(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = with_user(world, call)?;
    Ok(Reply::ok(&json!({"marked_read": mark(world, me, at)})))
}

pub(crate) fn archive(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = with_user(world, call)?;
    world.conversations[at].archived.insert(me);
    Ok(Reply::ok(&json!({"archived": true})))
}

pub(crate) fn unarchive(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = with_user(world, call)?;
    world.conversations[at].archived.remove(&me);
    Ok(Reply::ok(&json!({"archived": false})))
}

pub(crate) fn mute(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = with_user(world, call)?;
    world.conversations[at].muted.insert(me);
    Ok(Reply::ok(&json!({"muted": true})))
}

pub(crate) fn unmute(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = with_user(world, call)?;
    world.conversations[at].muted.remove(&me);
    Ok(Reply::ok(&json!({"muted": false})))
}

pub(crate) fn unread_count(world: &mut World, call: &Call<'_>) -> Answer {
    let unread = world.unread_messages(call.me()?);
    Ok(Reply::ok(&json!({"unread_direct_messages": unread, "unread_count": unread})))
}

/// A message of one of the caller's conversations: its places.
fn by_id(world: &World, call: &Call<'_>) -> Result<(Uuid, usize, usize), Reply> {
    let (me, id) = (call.me()?, call.id("message_id")?);
    let mine = world.conversations.iter().enumerate().filter(|(_, row)| row.has(me));
    for (at, conversation) in mine {
        let found = conversation.messages.iter().position(|m| m.id == id && !m.deleted);
        if let Some(message) = found {
            return Ok((me, at, message));
        }
    }
    Err(Reply::not_found("NOT_FOUND", "Message"))
}

/// As [`by_id`], for the sender alone.
fn own(world: &World, call: &Call<'_>) -> Result<(usize, usize), Reply> {
    let (me, at, message) = by_id(world, call)?;
    if world.conversations[at].messages[message].sender != me {
        return Err(Reply::forbidden("FORBIDDEN", "This message is not yours"));
    }
    Ok((at, message))
}

pub(crate) fn edit(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.text("body", 1, MAX_BODY)?;
    let (at, message) = own(world, call)?;
    let now = world.now();
    let message = &mut world.conversations[at].messages[message];
    if render::over(message.created, now, 5) {
        return Err(Reply::forbidden("FORBIDDEN", "A message can be edited for 5 minutes"));
    }
    let written = message.edited.unwrap_or(message.created);
    let earlier = std::mem::replace(&mut message.body, body);
    message.versions.push((earlier, written));
    message.edited = Some(now);
    let conversation = &world.conversations[at];
    let (_, _, message) = by_id(world, call)?;
    Ok(Reply::ok(&world.message_json(conversation, &conversation.messages[message])))
}

pub(crate) fn edits(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at, message) = by_id(world, call)?;
    let message = &world.conversations[at].messages[message];
    let version = |body: &str, at: Timestamp, current: bool| json!({"body": body, "at": time(at), "created_at": time(at), "is_current": current});
    let mut versions: Vec<Value> =
        message.versions.iter().map(|(body, at)| version(body, *at, false)).collect();
    let written = message.edited.unwrap_or(message.created);
    versions.push(version(&message.body, written, true));
    Ok(Reply::ok(&json!({"message_id": message.id, "versions": versions})))
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, message) = own(world, call)?;
    let message = &mut world.conversations[at].messages[message];
    message.deleted = true;
    Ok(Reply::ok(&json!({"deleted": true, "message_id": message.id})))
}

pub(crate) fn mark_message_read(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at, message) = by_id(world, call)?;
    let now = world.now();
    let message = &mut world.conversations[at].messages[message];
    let was_unread = message.sender != me && message.read.is_none();
    if was_unread {
        message.read = Some(now);
    }
    Ok(Reply::ok(&json!({
        "message_id": message.id,
        "was_unread": was_unread,
        "read_at": time_opt(message.read),
    })))
}

pub(crate) fn react(world: &mut World, call: &Call<'_>) -> Answer {
    let emoji = call.text("emoji", 1, 64)?;
    let (me, at, message) = by_id(world, call)?;
    let created = world.now();
    let id = world.conversations[at].messages[message].id;
    let given = world.reactions.entry(id).or_default();
    let mine = (emoji.clone(), me);
    if !given.contains(&mine) {
        given.push(mine);
    }
    Ok(Reply::created(&json!({
        "emoji": emoji,
        "user_id": me,
        "username": world.username(me),
        "created_at": time(created),
    })))
}

pub(crate) fn unreact(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at, message) = by_id(world, call)?;
    let id = world.conversations[at].messages[message].id;
    let emoji = call.param("emoji");
    if let Some(given) = world.reactions.get_mut(&id) {
        given.retain(|(known, user)| known != emoji || *user != me);
    }
    Ok(Reply::no_content())
}
