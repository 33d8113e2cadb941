//! Follows between users.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{About, Follow, To, time, time_opt};
use super::{Answer, Call, Reply, Route, World, delete, get, post};

pub(super) const ROUTES: &[Route] = &[
    post("/users/{user_id}/follow", follow),
    post("/users/by-username/{username}/follow", follow),
    delete("/users/{user_id}/follow", unfollow),
    delete("/users/by-username/{username}/follow", unfollow),
    get("/users/{user_id}/relationship", relationship),
    get("/users/by-username/{username}/relationship", relationship),
    get("/users/{user_id}/followers", followers).public(),
    get("/users/{user_id}/following", following).public(),
    get("/users/me/followers", my_followers),
    get("/users/me/following", my_following),
];

/// Returns the user in the path, named by id or by name.
fn named(world: &World, call: &Call<'_>) -> Result<Uuid, Reply> {
    world.find_user(call.named_user())
}

fn follow_of(world: &World, follower: Uuid, followed: Uuid) -> Option<&Follow> {
    let mut follows = world.follows.iter();
    follows.find(|follow| follow.follower == follower && follow.followed == followed)
}

fn follow(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, named(world, call)?);
    if me == other {
        return Err(Reply::bad_input("You cannot follow yourself"));
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
    let (follower, followed) = (world.username(me).to_owned(), world.username(other).to_owned());
    world.emit(
        To::Everyone,
        "user_followed",
        json!({"follower": follower, "followed": followed, "followed_id": other}),
    );
    world.emit(To::User(other), "new_follower", json!({"follower": follower, "follower_id": me}));
    Ok(Reply::created(&json!({
        "status": "following",
        "follow_id": id,
        "follower_id": me,
        "followed_id": other,
        "created_at": time(created),
    })))
}

fn unfollow(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, named(world, call)?);
    if follow_of(world, me, other).is_none() {
        return Err(Reply::none("Follow"));
    }
    world.follows.retain(|follow| follow.follower != me || follow.followed != other);
    Ok(Reply::no_content())
}

fn relationship(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, other) = (call.me()?, named(world, call)?);
    if me == other {
        return Err(Reply::bad_input("This user is you"));
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

/// Returns a bare array, with the rest in headers: the format for other users' lists.
fn array(world: &World, call: &Call<'_>, rows: &[Uuid]) -> Answer {
    let page = call.page(50, 100)?;
    let (_, has_more) = page.cut(rows);
    let body: Value = page.array(rows, |&id| world.user_json(id));
    Ok(Reply::ok(&body)
        .with_header("x-has-more", has_more.to_string())
        .with_header("x-total-count", rows.len().to_string()))
}

fn followers(world: &mut World, call: &Call<'_>) -> Answer {
    let rows = followers_of(world, named(world, call)?);
    array(world, call, &rows)
}

fn following(world: &mut World, call: &Call<'_>) -> Answer {
    let rows = followed_by(world, named(world, call)?);
    array(world, call, &rows)
}

fn my_followers(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 100)?;
    let rows = followers_of(world, call.me()?);
    Ok(Reply::ok(&page.envelope(&rows, |&id| world.user_json(id))))
}

fn my_following(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 100)?;
    let rows = followed_by(world, call.me()?);
    Ok(Reply::ok(&page.envelope(&rows, |&id| world.user_json(id))))
}
