//! Votes and reactions.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::render::EMOJI;
use super::super::reply::{Answer, Reply};
use super::super::state::{About, World};

fn value(call: &Call<'_>) -> Result<i64, Reply> {
    match call.fields()?.get("value") {
        None => Err(Reply::invalid(&["body", "value"], "missing", "Field required", Value::Null)),
        Some(value) => match value.as_i64() {
            Some(value @ (1 | -1)) => Ok(value),
            Some(_) => Err(Reply::error(400, "VOTE_INVALID_VALUE", "A vote is 1 or -1")),
            None => {
                let message = "Input should be a valid integer";
                Err(Reply::invalid(&["body", "value"], "int_type", message, value.clone()))
            }
        },
    }
}

/// Sets the caller's vote; gives the change of the score.
fn cast(world: &mut World, me: Uuid, target: Uuid, author: Uuid, value: i64) -> Result<i64, Reply> {
    if me == author {
        return Err(Reply::error(400, "VOTE_SELF_VOTE", "You cannot vote on your own content"));
    }
    let before = world.votes.insert((target, me), value).unwrap_or(0);
    let change = value - before;
    if let Some(author) = world.users.get_mut(&author) {
        author.karma = (author.karma + change).max(0);
    }
    Ok(change)
}

fn result(score: i64, change: i64) -> Reply {
    let reason = if change == 0 { "unchanged" } else { "conferred" };
    Reply::ok(&json!({
        "new_score": score,
        "karma_conferred": change != 0,
        "karma_reason": reason,
    }))
}

pub(crate) fn vote_post(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, value) = (call.me()?, value(call)?);
    let post = world.post(call.id("post_id")?)?;
    let (id, author) = (post.id, post.author);
    let change = cast(world, me, id, author, value)?;
    let post = world.post_mut(id)?;
    post.score += change;
    Ok(result(post.score, change))
}

pub(crate) fn vote_comment(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, value) = (call.me()?, value(call)?);
    let comment = world.comment(call.id("comment_id")?)?;
    let (id, author) = (comment.id, comment.author);
    let change = cast(world, me, id, author, value)?;
    let comment = world.comment_mut(id)?;
    comment.score += change;
    Ok(result(comment.score, change))
}

fn known_emoji(emoji: &str, loc: &[&str]) -> Result<(), Reply> {
    if EMOJI.iter().any(|(name, _)| *name == emoji) {
        return Ok(());
    }
    let names: Vec<&str> = EMOJI.iter().map(|(name, _)| *name).collect();
    let message = format!("Input should be one of: {}", names.join(", "));
    Err(Reply::invalid(loc, "enum", message, emoji.into()))
}

/// The post or comment of a reaction, with its author and what a notification says of it.
fn target(
    world: &World,
    post: Option<Uuid>,
    comment: Option<Uuid>,
) -> Result<(Uuid, Uuid, About, &'static str), Reply> {
    match (post, comment) {
        (Some(id), None) => {
            let about = About { post: Some(id), ..About::default() };
            Ok((id, world.post(id)?.author, about, "reacted to your post"))
        }
        (None, Some(id)) => {
            let comment = world.comment(id)?;
            let about = About { post: Some(comment.post), comment: Some(id), ..About::default() };
            Ok((id, comment.author, about, "reacted to your comment"))
        }
        _ => Err(Reply::error(400, "INVALID_INPUT", "Give post_id or comment_id, exactly one")),
    }
}

pub(crate) fn toggle(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let emoji = call.text("emoji", 1, 40)?;
    known_emoji(&emoji, &["body", "emoji"])?;
    let (post, comment) = (call.body_id("post_id")?, call.body_id("comment_id")?);
    let (id, author, about, what) = target(world, post, comment)?;
    let given = world.reactions.entry(id).or_default();
    let mine = (emoji, me);
    match given.iter().position(|known| *known == mine) {
        Some(at) => {
            given.remove(at);
        }
        None => {
            given.push(mine);
            world.notify(author, me, "reaction", what, about);
        }
    }
    Ok(Reply::ok(&json!({"reactions": world.reactions_json(id, Some(me))})))
}

pub(crate) fn who(world: &mut World, call: &Call<'_>) -> Answer {
    let emoji = call.query("emoji").unwrap_or_default();
    known_emoji(emoji, &["query", "emoji"])?;
    let id = |name: &str| call.query(name).and_then(|text| Uuid::try_parse(text).ok());
    let (id, ..) = target(world, id("post_id"), id("comment_id"))?;
    let given = world.reactions.get(&id).map_or(&[][..], Vec::as_slice);
    let users: Vec<Value> = given
        .iter()
        .filter(|(name, _)| name == emoji)
        .filter_map(|(_, user)| world.users.get(user))
        .take(20)
        .map(|user| json!({"display_name": user.display_name, "username": user.username}))
        .collect();
    Ok(Reply::ok(&json!({"emoji": emoji, "users": users})))
}
