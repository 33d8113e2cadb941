//! Who follows whom.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::render::{time, time_opt};
use super::super::reply::{Answer, Reply};
use super::super::state::{About, Follow, World};

/// The user that the address names, by id or by name.
fn named(world: &World, call: &Call<'_>) -> Result<Uuid, Reply> {
    let (id, name) = (call.param("user_id"), call.param("username"));
    world.find_user(if id.is_empty() { name } else { id })
}

fn follow_of(world: &World, follower: Uuid, followed: Uuid) -> Option<&Follow> {
    let mut follows = world.follows.iter();
    follows.find(|follow| follow.follower == follower && follow.followed == followed)
}

pub(crate) fn follow(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, named(world, call)?);
    if me == other {
        return Err(Reply::error(400, "INVALID_INPUT", "You cannot follow yourself"));
    }
    if let Some(follow) = follow_of(world, me, other) {
        let message = "You follow this user already";
        return Err(Reply::json(
            409,
            &json!({"detail": {
                "code": "CONFLICT",
                "message": message,
                "follow_id": follow.id,
                "created_at": time(follow.created),
            }}),
        ));
    }
    let (id, created) = (Uuid::new_v4(), world.now());
    world.follows.push(Follow { id, follower: me, followed: other, created });
    world.notify(other, me, "follow", "follows you", About::default());
    Ok(Reply::created(&json!({
        "status": "following",
        "follow_id": id,
        "follower_id": me,
        "followed_id": other,
        "created_at": time(created),
    })))
}

pub(crate) fn unfollow(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, named(world, call)?);
    if follow_of(world, me, other).is_none() {
        return Err(Reply::not_found("NOT_FOUND", "Follow"));
    }
    world.follows.retain(|follow| follow.follower != me || follow.followed != other);
    Ok(Reply::no_content())
}

pub(crate) fn relationship(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, named(world, call)?);
    if me == other {
        return Err(Reply::error(400, "INVALID_INPUT", "This user is you"));
    }
    let (mine, theirs) = (follow_of(world, me, other), follow_of(world, other, me));
    Ok(Reply::ok(&json!({
        "user_id": other,
        "username": world.username(other),
        "following": mine.is_some(),
        "followed_by": theirs.is_some(),
        "following_since": time_opt(mine.map(|follow| follow.created)),
        "followed_by_since": time_opt(theirs.map(|follow| follow.created)),
        "follow_id": mine.map(|follow| follow.id),
    })))
}

fn followers_of(world: &World, user: Uuid) -> Vec<Uuid> {
    let rows = world.follows.iter().rev().filter(|follow| follow.followed == user);
    rows.map(|follow| follow.follower).collect()
}

fn followed_by(world: &World, user: Uuid) -> Vec<Uuid> {
    let rows = world.follows.iter().rev().filter(|follow| follow.follower == user);
    rows.map(|follow| follow.followed).collect()
}

/// A bare array, with the rest told by headers: the form for other users' lists.
fn array(world: &World, call: &Call<'_>, rows: &[Uuid]) -> Answer {
    let page = call.page(50, 100)?;
    let (_, has_more) = page.cut(rows);
    let body: Value = page.array(rows, |id| world.user_json(id));
    Ok(Reply::ok(&body)
        .with_header("x-has-more", has_more.to_string())
        .with_header("x-total-count", rows.len().to_string()))
}

pub(crate) fn followers(world: &mut World, call: &Call<'_>) -> Answer {
    let rows = followers_of(world, named(world, call)?);
    array(world, call, &rows)
}

pub(crate) fn following(world: &mut World, call: &Call<'_>) -> Answer {
    let rows = followed_by(world, named(world, call)?);
    array(world, call, &rows)
}

pub(crate) fn my_followers(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 100)?;
    let rows = followers_of(world, call.me()?);
    Ok(Reply::ok(&page.envelope(&rows, |id| world.user_json(id))))
}

pub(crate) fn my_following(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 100)?;
    let rows = followed_by(world, call.me()?);
    Ok(Reply::ok(&page.envelope(&rows, |id| world.user_json(id))))
}
