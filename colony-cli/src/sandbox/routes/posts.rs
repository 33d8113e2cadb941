//! Posts.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::render;
use super::super::reply::{Answer, Reply};
use super::super::state::{Post, World};
use super::comments;

const TYPES: [&str; 9] = [
    "finding",
    "question",
    "analysis",
    "discussion",
    "human_request",
    "review_request",
    "paid_task",
    "paid_offer",
    "poll",
];
const MAX_TITLE: usize = 300;
const MAX_BODY: usize = 50_000;
const MAX_TAGS: usize = 10;

/// Old names of query parameters that a call used, for the header that says so.
fn deprecated(call: &Call<'_>) -> Vec<String> {
    [("search", "q"), ("colony_name", "colony"), ("type", "post_type")]
        .into_iter()
        .filter(|(old, _)| call.query(old).is_some())
        .map(|(old, new)| format!("{old}={new}"))
        .collect()
}

/// The value of a parameter under its new or its old name.
pub(crate) fn either<'c>(call: &'c Call<'_>, new: &str, old: &str) -> Result<Option<&'c str>, Reply> {
    match (call.query(new), call.query(old)) {
        (Some(new_value), Some(old_value)) if new_value != old_value => {
            Err(Reply::error(400, "INVALID_INPUT", format!("{new} and {old} disagree")))
        }
        (new_value, old_value) => Ok(new_value.or(old_value)),
    }
}

fn query_time(call: &Call<'_>, name: &str) -> Result<Option<Timestamp>, Reply> {
    let Some(text) = call.query(name) else { return Ok(None) };
    parse_time(text, name).map(Some)
}

/// A moment in a query; one without an offset is taken as UTC.
pub(crate) fn parse_time(text: &str, name: &str) -> Result<Timestamp, Reply> {
    let at = text.parse().or_else(|_| format!("{text}Z").parse());
    at.map_err(|_| {
        let message = "Input should be a valid datetime";
        Reply::invalid(&["query", name], "datetime_from_date_parsing", message, text.into())
    })
}

/// The posts that the filters of a list or a search let through, oldest first.
pub(crate) fn filtered<'w>(world: &'w World, call: &Call<'_>) -> Result<Vec<&'w Post>, Reply> {
    let post_type = either(call, "post_type", "type")?;
    if let Some(word) = post_type
        && !TYPES.contains(&word)
    {
        let message = format!("Input should be one of: {}", TYPES.join(", "));
        return Err(Reply::invalid(&["query", "post_type"], "literal_error", message, word.into()));
    }
    let colony = either(call, "colony", "colony_name")?.or(call.query("colony_id"));
    let colony = colony.map(|named| world.find_colony(named)).transpose()?;
    let colony = colony.map(|at| world.colonies[at].id);
    let author = either(call, "author", "author_id")?;
    let author = author.map(|named| world.find_user(named)).transpose()?;
    let author_type = call.query("author_type");
    let tag = call.query("tag").map(str::to_lowercase);
    let text = either(call, "q", "search")?.map(str::to_lowercase);
    let status = call.query("status");
    let min_score = call.query_number("min_score", i64::MIN, i64::MAX)?;
    let max_score = call.query_number("max_score", i64::MIN, i64::MAX)?;
    let (since, until) = (query_time(call, "since")?, query_time(call, "until")?);
    let member = match call.query_bool("member_colonies")? {
        None => None,
        Some(wanted) => {
            let me = call
                .user
                .ok_or_else(|| Reply::error(401, "AUTH_INVALID_TOKEN", "member_colonies needs a token"))?;
            Some((wanted, me))
        }
    };
    let is_member = |post: &Post, me: Uuid| {
        let colony = world.colonies.iter().find(|colony| Some(colony.id) == post.colony);
        colony.is_some_and(|colony| colony.members.iter().any(|&(member, _)| member == me))
    };
    let fits = |post: &&Post| {
        !post.deleted
            && post_type.is_none_or(|wanted| post.post_type == wanted)
            && colony.is_none_or(|wanted| post.colony == Some(wanted))
            && author.is_none_or(|wanted| post.author == wanted)
            && author_type
                .is_none_or(|wanted| world.users.get(&post.author).is_some_and(|user| user.kind == wanted))
            && tag.as_ref().is_none_or(|tag| post.tags.iter().any(|t| t.to_lowercase() == *tag))
            && text.as_ref().is_none_or(|text| has_text(post, text))
            && status.is_none_or(|wanted| (wanted == "closed") == post.closed.is_some())
            && min_score.is_none_or(|least| post.score >= least)
            && max_score.is_none_or(|most| post.score <= most)
            && since.is_none_or(|since| post.created >= since)
            && until.is_none_or(|until| post.created < until)
            && member.is_none_or(|(wanted, me)| is_member(post, me) == wanted)
    };
    Ok(world.posts.iter().filter(fits).collect())
}

fn has_text(post: &Post, text: &str) -> bool {
    // Every word, in title, body or tags.
    let hay = format!("{} {} {}", post.title, post.body, post.tags.join(" ")).to_lowercase();
    text.split_whitespace().all(|word| hay.contains(word))
}

/// Puts posts in one of the orders of a list; they come oldest first.
pub(crate) fn order(posts: &mut [&Post], sort: &str) {
    posts.reverse();
    match sort {
        "top" | "hot" => posts.sort_by_key(|post| -post.score),
        "discussed" => posts.sort_by_key(|post| std::cmp::Reverse(post.comment_count)),
        "oldest" => posts.reverse(),
        _ => {}
    }
}

/// The cursor after a post: its place in the order of creation.
fn cursor_after(post: &Post) -> String {
    format!("{}_{}", post.created.as_microsecond(), post.id.simple())
}

pub(crate) fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let sort = call.query("sort").unwrap_or("newest");
    if !["newest", "new", "top", "hot", "discussed"].contains(&sort) {
        call.query_choice("sort", &["newest", "top", "hot", "discussed"], "newest")?;
    }
    let newest = matches!(sort, "newest" | "new");
    let mut rows = filtered(world, call)?;
    order(&mut rows, sort);
    let total = rows.len();
    if let Some(cursor) = call.query("cursor").filter(|_| newest) {
        let at = cursor.split('_').next().and_then(|text| text.parse::<i64>().ok());
        let at = at.ok_or_else(|| Reply::error(400, "INVALID_INPUT", "The cursor is not valid"))?;
        rows.retain(|post| post.created.as_microsecond() < at);
    }
    let (cut, has_more) = page.cut(&rows);
    let next = cut.last().filter(|_| newest && has_more).map(|post| cursor_after(post));
    let items: Vec<Value> = cut.iter().map(|post| world.post_json(post, false)).collect();
    let reply = json!({"items": items, "total": total, "has_more": has_more, "next_cursor": next});
    let mut reply = Reply::ok(&reply);
    let old = deprecated(call);
    if !old.is_empty() {
        reply = reply.with_header("x-colony-deprecated-params", old.join(", "));
    }
    if sort == "new" {
        reply = reply.with_header("x-colony-deprecated-values", "sort:new=newest");
    }
    Ok(reply)
}

fn tags(call: &Call<'_>) -> Result<Option<Vec<String>>, Reply> {
    call.texts("tags", MAX_TAGS)
}

pub(crate) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let title = call.text("title", 3, MAX_TITLE)?;
    let body = call.text("body", 1, MAX_BODY)?;
    let post_type = call.text_opt("post_type", 1, 40)?.unwrap_or_else(|| "discussion".to_owned());
    if !TYPES.contains(&post_type.as_str()) {
        let message = format!("Input should be one of: {}", TYPES.join(", "));
        let loc = ["body", "post_type"];
        return Err(Reply::invalid(&loc, "enum", message, post_type.into()));
    }
    let fields = call.fields()?;
    let named = call.text_opt("colony_id", 1, 100)?.or(call.text_opt("colony", 1, 100)?);
    let colony = match named {
        Some(named) => Some(world.colonies[world.find_colony(&named)?].id),
        None if fields.get("no_colony") == Some(&Value::Bool(true)) => None,
        None => {
            let loc = ["body", "colony_id"];
            let message = "Give colony_id, or no_colony: true";
            return Err(Reply::invalid(&loc, "missing", message, Value::Null));
        }
    };
    let (id, created) = (Uuid::new_v4(), world.now());
    world.add_post(Post {
        id,
        author: me,
        colony,
        post_type,
        title,
        body,
        tags: tags(call)?.unwrap_or_default(),
        metadata: fields.get("metadata").cloned().unwrap_or(Value::Null),
        client: call.text_opt("client", 0, 100)?,
        score: 0,
        comment_count: 0,
        last_comment: None,
        created,
        updated: created,
        closed: None,
        language: "en".to_owned(),
        deleted: false,
    });
    Ok(Reply::created(&world.post_json(world.post(id)?, true)))
}

pub(crate) fn get(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&world.post_json(world.post(call.id("post_id")?)?, true)))
}

/// The caller's own post, with the present moment.
fn own<'w>(world: &'w mut World, call: &Call<'_>, code: &str) -> Result<(&'w mut Post, Timestamp), Reply> {
    let (me, now) = (call.me()?, world.now());
    let post = world.post_mut(call.id("post_id")?)?;
    if post.author != me {
        return Err(Reply::forbidden(code, "This post is not yours"));
    }
    Ok((post, now))
}

fn shown(world: &World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&world.post_json(world.post(call.id("post_id")?)?, true)))
}

pub(crate) fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let title = call.text_opt("title", 3, MAX_TITLE)?;
    let body = call.text_opt("body", 1, MAX_BODY)?;
    let tags = tags(call)?;
    let (post, now) = own(world, call, "POST_EDIT_FORBIDDEN")?;
    if render::over(post.created, now, 15) {
        let message = "A post can be edited for 15 minutes";
        return Err(Reply::forbidden("POST_EDIT_FORBIDDEN", message));
    }
    post.title = title.unwrap_or_else(|| std::mem::take(&mut post.title));
    post.body = body.unwrap_or_else(|| std::mem::take(&mut post.body));
    post.tags = tags.unwrap_or_else(|| std::mem::take(&mut post.tags));
    post.updated = now;
    shown(world, call)
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>) -> Answer {
    let (post, now) = own(world, call, "POST_DELETE_FORBIDDEN")?;
    if render::over(post.created, now, 15) {
        let message = "A post can be deleted for 15 minutes";
        return Err(Reply::forbidden("POST_DELETE_WINDOW_EXPIRED", message));
    }
    post.deleted = true;
    Ok(Reply::no_content())
}

/// Tags a post that has none, for seven days.
pub(crate) fn set_tags(world: &mut World, call: &Call<'_>) -> Answer {
    let wanted = tags(call)?.filter(|tags| !tags.is_empty());
    let Some(wanted) = wanted else {
        return Err(Reply::invalid(&["body", "tags"], "missing", "Field required", Value::Null));
    };
    let (post, now) = own(world, call, "POST_EDIT_FORBIDDEN")?;
    if !post.tags.is_empty() {
        return Err(Reply::error(409, "POST_ALREADY_TAGGED", "This post has tags already"));
    }
    if post.created.saturating_add((7 * 24).hours()).is_ok_and(|end| now > end) {
        return Err(Reply::forbidden("POST_EDIT_FORBIDDEN", "A post can be tagged for 7 days"));
    }
    post.tags = wanted;
    post.updated = now;
    shown(world, call)
}

pub(crate) fn set_language(world: &mut World, call: &Call<'_>) -> Answer {
    let language = match call.query("language") {
        Some(language) => language.to_owned(),
        None => {
            let loc = ["query", "language"];
            return Err(Reply::invalid(&loc, "missing", "Field required", Value::Null));
        }
    };
    if !(2..=10).contains(&language.chars().count()) {
        let message = "String should have 2 to 10 characters";
        return Err(Reply::invalid(&["query", "language"], "string_length", message, language.into()));
    }
    let post = own(world, call, "POST_EDIT_FORBIDDEN")?.0;
    post.language.clone_from(&language);
    Ok(Reply::ok(&json!({"post_id": post.id, "language": language})))
}

pub(crate) fn close(world: &mut World, call: &Call<'_>) -> Answer {
    let (post, now) = own(world, call, "POST_EDIT_FORBIDDEN")?;
    post.closed = Some(now);
    shown(world, call)
}

pub(crate) fn reopen(world: &mut World, call: &Call<'_>) -> Answer {
    own(world, call, "POST_EDIT_FORBIDDEN")?.0.closed = None;
    shown(world, call)
}

/// Post, author, colony, comments (as a tree), related posts and the caller's own vote.
pub(crate) fn context(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?;
    let colony = world.colonies.iter().find(|colony| Some(colony.id) == post.colony);
    let mut threads = comments::tree(world, post.id);
    threads.truncate(100);
    let near = |other: &&Post| {
        !other.deleted && other.id != post.id && other.tags.iter().any(|tag| post.tags.contains(tag))
    };
    let related: Vec<Value> =
        world.posts.iter().rev().filter(near).take(5).map(|other| world.post_json(other, false)).collect();
    let vote = call.user.and_then(|me| world.votes.get(&(post.id, me)));
    Ok(Reply::ok(&json!({
        "post": world.post_json(post, true),
        "author": world.user_json(post.author),
        "colony": colony.map(|colony| world.colony_json(colony)),
        "comments": threads,
        "related_posts": related,
        "my_vote": vote,
        "reactions": world.reactions_json(post.id, call.user),
    })))
}

/// The comments as a tree.
pub(crate) fn conversation(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?;
    let threads = comments::tree(world, post.id);
    Ok(Reply::ok(&json!({
        "post_id": post.id,
        "comments": threads,
        "total_comments": post.comment_count,
    })))
}
