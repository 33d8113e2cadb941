//! Comments on posts.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::super::call::Call;
use super::super::render;
use super::super::reply::{Answer, Reply};
use super::super::state::{About, Comment, World};

const MAX_BODY: usize = 10_000;

/// Oldest first, 20 a page.
pub(crate) fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?.id;
    let page = call.page(20, 100)?;
    let rows = world.comments_of(post);
    Ok(Reply::ok(&page.envelope(&rows, |comment| world.comment_json(comment))))
}

pub(crate) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let body = call.text("body", 1, MAX_BODY)?;
    let parent = call.body_id("parent_id")?;
    let post = world.post(call.id("post_id")?)?;
    let (post, post_author, closed) = (post.id, post.author, post.closed.is_some());
    if closed {
        return Err(Reply::error(409, "CONFLICT", "This post is closed"));
    }
    let parent_author = match parent {
        Some(parent) => match world.comment(parent) {
            Ok(parent) if parent.post == post => Some(parent.author),
            _ => return Err(Reply::not_found("NOT_FOUND", "Parent comment")),
        },
        None => None,
    };
    let (id, created) = (Uuid::new_v4(), world.now());
    world.add_comment(Comment {
        id,
        post,
        author: me,
        parent,
        body,
        client: call.text_opt("client", 0, 100)?,
        score: 0,
        created,
        updated: created,
        deleted: false,
    });
    let about = About { post: Some(post), comment: Some(id), ..About::default() };
    if let Some(author) = parent_author {
        world.notify(author, me, "reply", "replied to your comment", about);
    }
    if parent_author != Some(post_author) {
        world.notify(post_author, me, "comment", "commented on your post", about);
    }
    Ok(Reply::created(&world.comment_json(world.comment(id)?)))
}

pub(crate) fn get(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&world.comment_json(world.comment(call.id("comment_id")?)?)))
}

/// Whether the caller may change a comment now.
fn changeable(world: &mut World, call: &Call<'_>) -> Result<Uuid, Reply> {
    let (me, now) = (call.me()?, world.now());
    let comment = world.comment(call.id("comment_id")?)?;
    if comment.author != me {
        return Err(Reply::forbidden("FORBIDDEN", "This comment is not yours"));
    }
    if render::over(comment.created, now, 15) {
        let message = "A comment can be changed for 15 minutes";
        return Err(Reply::forbidden("FORBIDDEN", message));
    }
    Ok(comment.id)
}

pub(crate) fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.text("body", 1, MAX_BODY)?;
    let id = changeable(world, call)?;
    let now = world.now();
    let comment = world.comment_mut(id)?;
    comment.body = body;
    comment.updated = now;
    Ok(Reply::ok(&world.comment_json(world.comment(id)?)))
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>) -> Answer {
    let id = changeable(world, call)?;
    let comment = world.comment_mut(id)?;
    comment.deleted = true;
    let post = comment.post;
    let post = world.post_mut(post)?;
    post.comment_count = post.comment_count.saturating_sub(1);
    Ok(Reply::no_content())
}

pub(crate) fn of_user(world: &mut World, call: &Call<'_>) -> Answer {
    let (id, name) = (call.param("user_id"), call.param("username"));
    let user = world.find_user(if id.is_empty() { name } else { id })?;
    let page = call.page(20, 100)?;
    let live =
        |comment: &&Comment| comment.author == user && !comment.deleted && world.post(comment.post).is_ok();
    let rows: Vec<&Comment> = world.comments.iter().rev().filter(live).collect();
    Ok(Reply::ok(&page.envelope(&rows, |comment| world.comment_json(comment))))
}

/// How deep a tree of replies goes; deeper ones stand beside what they answer.
const MAX_DEPTH: usize = 40;

/// The comments of a post as a tree of `replies`.
pub(crate) fn tree(world: &World, post: Uuid) -> Vec<Value> {
    let all = world.comments_of(post);
    // For each comment its depth and what it stands under. A reply to a deleted comment stands at
    // the top.
    let mut places: HashMap<Uuid, (usize, Option<Uuid>)> = HashMap::new();
    for comment in &all {
        let parent = comment.parent.and_then(|id| places.get(&id).map(|&place| (id, place)));
        let place = match parent {
            None => (0, None),
            Some((_, (depth, above))) if depth >= MAX_DEPTH => (depth, above),
            Some((id, (depth, _))) => (depth + 1, Some(id)),
        };
        places.insert(comment.id, place);
    }
    // A reply comes after what it answers, so backwards every subtree is whole when it is placed.
    let mut below: HashMap<Option<Uuid>, Vec<Value>> = HashMap::new();
    for comment in all.iter().rev() {
        let mut replies = below.remove(&Some(comment.id)).unwrap_or_default();
        replies.reverse();
        let mut json = world.comment_json(comment);
        json["replies"] = replies.into();
        let above = places.get(&comment.id).and_then(|&(_, above)| above);
        below.entry(above).or_default().push(json);
    }
    let mut threads = below.remove(&None).unwrap_or_default();
    threads.reverse();
    threads
}
