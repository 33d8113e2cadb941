//! Comments on posts.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{About, Comment, To, excerpt, over, time, time_opt};
use super::{Answer, Call, Reply, Route, World, delete, get, post, posts, put};

pub(super) const ROUTES: &[Route] = &[
    get("/posts/{post_id}/comments", list).open(),
    post("/posts/{post_id}/comments", create),
    get("/posts/{post_id}/comments/search", search),
    get("/posts/{post_id}/comments/tail", tail).open(),
    get("/comments/{comment_id}", read).open(),
    put("/comments/{comment_id}", update),
    delete("/comments/{comment_id}", remove),
    get("/comments/{comment_id}/history", history),
    post("/comments/{comment_id}/reparent", reparent),
    post("/comments/{comment_id}/cognition", posts::no_challenge),
    get("/users/by-username/{username}/comments", of_user).open(),
    get("/users/{user_id}/comments", of_user).open(),
];

const MAX_BODY: usize = 10_000;

/// Returns a page of a post's comments, oldest first by default.
fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?.id;
    let page = call.page(20, 100)?;
    let since = call.query_time("since")?;
    let sort = call.query_choice("sort", &["oldest", "newest", "best", "top"], "oldest")?;
    let mut rows = world.comments_of(post);
    rows.retain(|comment| since.is_none_or(|since| comment.created > since));
    match sort {
        "newest" => rows.reverse(),
        "best" | "top" => rows.sort_by_key(|comment| -comment.score),
        _ => {}
    }
    let mut reply = page.envelope(&rows, |comment| world.comment_json(comment));
    reply["page"] = (page.offset / page.limit + 1).into();
    Ok(Reply::ok(&reply))
}

/// Returns the comment that a body describes, without adding it.
pub(super) fn drafted(world: &mut World, call: &Call<'_>) -> Result<Comment, Reply> {
    let author = call.me()?;
    let body = call.text("body", 1, MAX_BODY)?;
    let parent = call.body_id("parent_id")?;
    let post = world.post(call.id("post_id")?)?;
    if post.closed.is_some() {
        return Err(Reply::conflict("This post is closed"));
    }
    let post = post.id;
    if let Some(parent) = parent
        && world.comment(parent).map(|parent| parent.post).ok() != Some(post)
    {
        return Err(Reply::none("Parent comment"));
    }
    let created = world.now();
    Ok(Comment {
        id: Uuid::new_v4(),
        post,
        author,
        parent,
        body,
        client: call.text_opt("client", 0, 100)?,
        score: 0,
        created,
        updated: created,
        versions: Vec::new(),
        deleted: false,
    })
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let comment = drafted(world, call)?;
    let (id, post, me, text) = (comment.id, comment.post, comment.author, comment.body.clone());
    let parent_author = comment.parent.map(|parent| world.comment(parent)).transpose()?.map(|row| row.author);
    let post_author = world.post(post)?.author;
    world.add_comment(comment);
    let about = About::comment(post, id);
    let (name, title) = (world.username(me).to_owned(), world.title(post).to_owned());
    if let Some(author) = parent_author {
        world.notify(author, me, "reply", "replied to your comment", about);
        let fields = json!({
            "post_id": post, "post_title": title, "comment_id": id, "replier": name, "replier_id": me,
        });
        world.emit(To::User(author), "reply_to_comment", fields);
    }
    if parent_author != Some(post_author) && post_author != me {
        world.notify(post_author, me, "comment", "commented on your post", about);
        let fields = json!({
            "post_id": post, "post_title": title, "comment_id": id, "commenter": name, "commenter_id": me,
        });
        world.emit(To::User(post_author), "comment_on_post", fields);
    }
    let fields = json!({"comment_id": id, "post_id": post, "author": name, "post_title": title});
    world.emit(To::Everyone, "comment_created", fields);
    posts::mentions(world, me, &text, about, post);
    Ok(Reply::created(&world.comment_json(world.comment(id)?)))
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    shown(world, call.id("comment_id")?)
}

fn shown(world: &World, id: Uuid) -> Answer {
    Ok(Reply::ok(&world.comment_json(world.comment(id)?)))
}

/// Returns a comment that the caller can change now.
fn changeable(world: &mut World, call: &Call<'_>) -> Result<Uuid, Reply> {
    let (me, now) = (call.me()?, world.now());
    let comment = world.comment(call.id("comment_id")?)?;
    if comment.author != me {
        return Err(Reply::forbidden("FORBIDDEN", "This comment is not yours"));
    }
    if over(comment.created, now, 15) {
        return Err(Reply::forbidden("FORBIDDEN", "A comment can be changed for 15 minutes"));
    }
    Ok(comment.id)
}

fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.text("body", 1, MAX_BODY)?;
    let id = changeable(world, call)?;
    let now = world.now();
    let comment = world.comment_mut(id)?;
    let earlier = std::mem::replace(&mut comment.body, body);
    comment.versions.push((Uuid::new_v4(), earlier, now));
    comment.updated = now;
    shown(world, id)
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    let id = changeable(world, call)?;
    let comment = world.comment_mut(id)?;
    comment.deleted = true;
    let post = comment.post;
    let post = world.post_mut(post)?;
    post.comment_count = post.comment_count.saturating_sub(1);
    Ok(Reply::no_content())
}

/// Returns earlier texts, for the author and the site's team.
fn history(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, comment) = (call.me()?, world.comment(call.id("comment_id")?)?);
    if comment.author != me && !world.is_team(me) {
        return Err(Reply::forbidden("FORBIDDEN", "This comment is not yours"));
    }
    let rows = comment.versions.iter().map(|(id, body, at)| {
        json!({
            "id": id,
            "body": body,
            "edited_at": time(*at),
            "editor_username": world.username(comment.author),
            "edit_kind": "edit",
        })
    });
    Ok(Reply::ok(&json!({"revisions": rows.collect::<Vec<_>>()})))
}

/// Moves a comment below another one of the same post; `null` moves it to the top.
fn reparent(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("comment_id")?);
    let parent = call.body_id("parent_id")?;
    let comment = world.comment(id)?;
    if comment.author != me {
        return Err(Reply::forbidden("FORBIDDEN", "This comment is not yours"));
    }
    if comment.parent == parent {
        return Err(Reply::conflict("The comment is there already"));
    }
    let mut above = parent;
    while let Some(next) = above {
        let next = world.comment(next)?;
        if next.id == id || next.post != comment.post {
            return Err(Reply::bad_input("The parent is below the comment, or on another post"));
        }
        above = next.parent;
    }
    world.comment_mut(id)?.parent = parent;
    shown(world, id)
}

fn search(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?.id;
    let text = call.query_text("q", 2, 200)?.to_lowercase();
    let limit = call.query_number("limit", 1, 100)?.unwrap_or(25) as usize;
    let author = call.query("author").map(|named| world.find_user(named)).transpose()?;
    let (since, until) = (call.query_time("since")?, call.query_time("until")?);
    let before = call.query_time("cursor")?;
    let fuzzy = call.query_bool("fuzzy")?.unwrap_or(false);
    let fits = |comment: &&Comment| {
        let body = comment.body.to_lowercase();
        let mut words = text.split_whitespace();
        (if fuzzy { words.any(|word| body.contains(word)) } else { words.all(|word| body.contains(word)) })
            && author.is_none_or(|author| comment.author == author)
            && since.is_none_or(|since| comment.created >= since)
            && until.is_none_or(|until| comment.created < until)
            && before.is_none_or(|before| comment.created < before)
    };
    let found: Vec<&Comment> = world.comments_of(post).into_iter().rev().filter(fits).collect();
    let cut = &found[..limit.min(found.len())];
    let items: Vec<Value> = cut
        .iter()
        .map(|comment| {
            json!({
                "comment": world.comment_json(comment),
                "snippet": excerpt(&comment.body, 200),
                "path_to_root": ancestors(world, comment),
            })
        })
        .collect();
    let has_more = found.len() > limit;
    Ok(Reply::ok(&json!({
        "items": items,
        "has_more": has_more,
        "next_cursor": time_opt(cut.last().filter(|_| has_more).map(|comment| comment.created)),
        "mode": if fuzzy { "fuzzy" } else { "strict" },
    })))
}

/// Returns the comments above one, nearest first.
fn ancestors(world: &World, comment: &Comment) -> Vec<Uuid> {
    let mut above = Vec::new();
    let mut next = comment.parent;
    while let Some(parent) = next.and_then(|id| world.comment(id).ok()) {
        above.push(parent.id);
        next = parent.parent;
    }
    above
}

/// Returns the latest comments, oldest first; `before` pages backward.
fn tail(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?.id;
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(50) as usize;
    call.either("before", "cursor")?;
    let before: Option<Timestamp> = call.query_time("before")?.or(call.query_time("cursor")?);
    let mut rows = world.comments_of(post);
    rows.retain(|comment| before.is_none_or(|before| comment.created < before));
    let cut = &rows[rows.len().saturating_sub(limit)..];
    let has_more = cut.len() < rows.len();
    Ok(Reply::ok(&json!({
        "comments": cut.iter().map(|comment| world.comment_json(comment)).collect::<Vec<_>>(),
        "has_more": has_more,
        "next_cursor": time_opt(cut.first().filter(|_| has_more).map(|comment| comment.created)),
    })))
}

fn of_user(world: &mut World, call: &Call<'_>) -> Answer {
    let user = world.find_user(call.named_user())?;
    let page = call.page(50, 100)?;
    let rows: Vec<&Comment> = world.live_comments().rev().filter(|comment| comment.author == user).collect();
    Ok(Reply::ok(&page.envelope(&rows, |comment| world.comment_json(comment))))
}

/// The depth of a tree of replies; deeper replies become siblings of their parents.
const MAX_DEPTH: usize = 40;

/// Returns the comments of a post as a tree of `replies`.
pub(super) fn tree(world: &World, post: Uuid) -> Vec<Value> {
    let all = world.comments_of(post);
    // Each comment's depth and its parent in the tree. A reply to a deleted comment is at the top.
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
    // Replies come after their parents, so in reverse every subtree is complete when it is placed.
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
