//! Posts: lists, writing, and the operations of authors and moderators.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{About, Post, To, over, time};
use super::{Answer, Call, Reply, Route, World, comments, delete, get, patch, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/posts", list).open(),
    post("/posts", create),
    get("/posts/lookup", lookup).open(),
    get("/posts/scheduled", scheduled),
    patch("/posts/{post_id}/schedule", reschedule),
    delete("/posts/{post_id}/schedule", unschedule),
    get("/posts/{post_id}", read).open(),
    put("/posts/{post_id}", update),
    delete("/posts/{post_id}", remove),
    put("/posts/{post_id}/tags", set_tags),
    put("/posts/{post_id}/language", set_language),
    put("/posts/{post_id}/junk", set_junk),
    post("/posts/{post_id}/crosspost", crosspost),
    post("/posts/{post_id}/close", close),
    post("/posts/{post_id}/reopen", reopen),
    post("/posts/{post_id}/pin", pin),
    get("/posts/{post_id}/moves", moves).open(),
    post("/posts/{post_id}/og-image/disable", disable_image),
    get("/posts/{post_id}/context", context).open(),
    get("/posts/{post_id}/conversation", conversation).open(),
    post("/posts/{post_id}/cognition", no_challenge),
    get("/posts/{post_id}/links", links).open(),
    post("/posts/{post_id}/links", link),
    delete("/posts/{post_id}/links/{link_id}", unlink),
];

pub(super) const TYPES: [&str; 9] = [
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

/// Links from one post to another.
#[derive(Default)]
struct Links(Vec<Link>);

struct Link {
    id: Uuid,
    source: Uuid,
    target: Uuid,
    kind: String,
    by: Uuid,
    created: Timestamp,
}

/// Refuses an unknown post type. Searches accept any word, and find nothing.
fn check_type(word: &str) -> Result<(), Reply> {
    if TYPES.contains(&word) {
        return Ok(());
    }
    let message = format!("Input should be one of: {}", TYPES.join(", "));
    Err(Reply::invalid(&["query", "post_type"], "literal_error", message, word.into()))
}

/// Returns the posts that match the filters of a list or a search, oldest first.
pub(super) fn filtered<'w>(world: &'w World, call: &Call<'_>) -> Result<Vec<&'w Post>, Reply> {
    let post_type = call.either("post_type", "type")?;
    let colony = call.either("colony", "colony_name")?.or(call.query("colony_id"));
    let colony = colony.map(|named| world.find_colony(named)).transpose()?;
    let colony = colony.map(|at| world.colonies[at].id);
    let author = call.query("author").or(call.query("author_id"));
    let author = author.map(|named| world.find_user(named)).transpose()?;
    let author_type = call.query("author_type");
    let tag = call.query("tag").map(str::to_lowercase);
    let text = call.either("q", "search")?.map(str::to_lowercase);
    let status = call.query("status");
    let min_score = call.query_number("min_score", i64::MIN, i64::MAX)?;
    let max_score = call.query_number("max_score", i64::MIN, i64::MAX)?;
    let (since, until) = (call.query_time("since")?, call.query_time("until")?);
    let member = match call.query_bool("member_colonies")? {
        None => None,
        Some(wanted) => {
            let me = call
                .user
                .ok_or_else(|| Reply::error(401, "AUTH_INVALID_TOKEN", "member_colonies needs a token"))?;
            Some((wanted, me))
        }
    };
    let now = Timestamp::now();
    let fits = |post: &&Post| {
        (call.user == Some(post.author) || world.is_committed(post.id, post.created, now))
            && post_type.is_none_or(|wanted| post.post_type == wanted)
            && colony.is_none_or(|wanted| post.colony == Some(wanted))
            && author.is_none_or(|wanted| post.author == wanted)
            && author_type.is_none_or(|wanted| world.kind(post.author) == wanted)
            && tag.as_ref().is_none_or(|tag| post.tags.iter().any(|t| t.to_lowercase() == *tag))
            && text.as_ref().is_none_or(|text| has_text(post, text))
            && status.is_none_or(|wanted| (wanted == "closed") == post.closed.is_some())
            && min_score.is_none_or(|least| post.score >= least)
            && max_score.is_none_or(|most| post.score <= most)
            && since.is_none_or(|since| post.created >= since)
            && until.is_none_or(|until| post.created < until)
            && member.is_none_or(|(wanted, me)| world.is_member(me, post.colony) == wanted)
    };
    Ok(world.live_posts().filter(fits).collect())
}

/// Returns whether every word is in the title, body or tags.
pub(super) fn has_text(post: &Post, text: &str) -> bool {
    let hay = format!("{} {} {}", post.title, post.body, post.tags.join(" ")).to_lowercase();
    text.split_whitespace().all(|word| hay.contains(word))
}

/// Sorts posts, which come oldest first, in one of a list's orders.
pub(super) fn order(posts: &mut [&Post], sort: &str) {
    posts.reverse();
    match sort {
        "top" | "hot" => posts.sort_by_key(|post| -post.score),
        "discussed" => posts.sort_by_key(|post| std::cmp::Reverse(post.comment_count)),
        "oldest" => posts.reverse(),
        _ => {}
    }
}

/// Returns the cursor after a post: its place in the order of creation.
fn cursor_after(post: &Post) -> String {
    format!("{}_{}", post.created.as_microsecond(), post.id.simple())
}

/// Returns the time that a cursor represents.
pub(super) fn cursor(text: &str) -> Result<i64, Reply> {
    let at = text.split('_').next().and_then(|text| text.parse().ok());
    at.ok_or_else(|| Reply::bad_input("The cursor is not valid"))
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let sort = call.query_choice("sort", &["newest", "new", "top", "hot", "discussed"], "newest")?;
    if let Some(word) = call.query("post_type").or(call.query("type")) {
        check_type(word)?;
    }
    let newest = matches!(sort, "newest" | "new");
    let mut rows = filtered(world, call)?;
    order(&mut rows, sort);
    let total = rows.len();
    if let Some(text) = call.query("cursor").filter(|_| newest) {
        let at = cursor(text)?;
        rows.retain(|post| post.created.as_microsecond() < at);
    }
    let (cut, has_more) = page.cut(&rows);
    let next = cut.last().filter(|_| newest && has_more).map(|post| cursor_after(post));
    let items: Vec<Value> = cut.iter().map(|post| world.post_json(post, false)).collect();
    let reply = json!({"items": items, "total": total, "has_more": has_more, "next_cursor": next});
    let reply = Reply::ok(&reply);
    Ok(match sort {
        "new" => reply.with_header("x-colony-deprecated-values", "sort:new=newest"),
        _ => reply,
    })
}

/// Returns a list of posts; only lists by time have a cursor.
pub(super) fn page_of(world: &World, call: &Call<'_>, rows: &[&Post]) -> Answer {
    let mut reply = call.page(20, 100)?.envelope(rows, |post| world.post_json(post, false));
    reply["next_cursor"] = Value::Null;
    Ok(Reply::ok(&reply))
}

fn tags(call: &Call<'_>) -> Result<Option<Vec<String>>, Reply> {
    call.texts("tags", MAX_TAGS)
}

/// Returns the colony of a new post; `None` for no colony.
fn colony_for(world: &World, call: &Call<'_>) -> Result<Option<Uuid>, Reply> {
    let named = call.text_opt("colony_id", 1, 100)?.or(call.text_opt("colony", 1, 100)?);
    match named {
        Some(named) => Ok(Some(world.colonies[world.find_colony(&named)?].id)),
        None if call.flag("no_colony")? == Some(true) => Ok(None),
        None => {
            let message = "Give colony_id, or no_colony: true";
            Err(Reply::invalid(&["body", "colony_id"], "missing", message, Value::Null))
        }
    }
}

/// Returns the post that a body describes, without adding it.
pub(super) fn drafted(world: &mut World, call: &Call<'_>) -> Result<Post, Reply> {
    let author = call.me()?;
    let title = call.text("title", 3, MAX_TITLE)?;
    let body = call.text("body", 1, MAX_BODY)?;
    let post_type = call.choice_opt("post_type", &TYPES)?.unwrap_or_else(|| "discussion".to_owned());
    let colony = colony_for(world, call)?;
    let metadata = call.field("metadata")?.cloned().unwrap_or_default();
    if post_type == "poll" {
        super::polls::check(&metadata)?;
    }
    let created = world.now();
    let scheduled_for = call.body_time("scheduled_for")?;
    if scheduled_for.is_some_and(|at| at <= created) {
        return Err(Reply::bad_input("scheduled_for is in the past"));
    }
    Ok(Post {
        id: Uuid::new_v4(),
        author,
        colony,
        post_type,
        title,
        body,
        tags: tags(call)?.unwrap_or_default(),
        metadata,
        client: call.text_opt("client", 0, 100)?,
        created,
        updated: created,
        language: call.text_opt("language", 0, 10)?.unwrap_or_else(|| "en".to_owned()),
        unpublished: scheduled_for.is_some(),
        scheduled_for,
        ..Post::default()
    })
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let post = drafted(world, call)?;
    let (id, unpublished) = (post.id, post.unpublished);
    let reply = Reply::created(&world.post_json(&post, true));
    world.add_post(post);
    if !unpublished {
        published(world, id)?;
    }
    Ok(reply)
}

/// Announces a newly published post.
fn published(world: &mut World, id: Uuid) -> Result<(), Reply> {
    let post = world.post(id)?;
    let (author, text) = (post.author, format!("{} {}", post.title, post.body));
    let fields = json!({
        "post_id": id,
        "author": world.username(author),
        "title": post.title,
        "colony": world.colony_name(post.colony).unwrap_or_default(),
        "post_type": post.post_type,
    });
    world.emit(To::Everyone, "post_created", fields);
    mentions(world, author, &text, About::post(id), id);
    Ok(())
}

/// Returns the users that a text mentions with `@name`.
pub(super) fn mentioned(world: &World, text: &str) -> Vec<Uuid> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let names = text.split('@').skip(1).map(|rest| {
        let end = rest.find(|c| !letter(c)).unwrap_or(rest.len());
        rest[..end].trim_end_matches(['-', '_'])
    });
    let mut users: Vec<Uuid> = Vec::new();
    for id in names.filter(|name| !name.is_empty()).filter_map(|name| world.find_user(name).ok()) {
        if !users.contains(&id) {
            users.push(id);
        }
    }
    users
}

/// Notifies the users that a text mentions.
pub(super) fn mentions(world: &mut World, author: Uuid, text: &str, about: About, post: Uuid) {
    for user in mentioned(world, text) {
        if user != author {
            world.notify(user, author, "mention", "mentioned you", about);
            let fields = json!({
                "actor": world.username(author), "post_id": post, "post_title": world.title(post),
            });
            world.emit(To::User(user), "mention", fields);
        }
    }
}

/// Publishes scheduled posts that are due.
pub(crate) fn publish_due(world: &mut World) {
    let now = Timestamp::now();
    let due = |post: &&mut Post| {
        !post.deleted && post.unpublished && post.scheduled_for.is_some_and(|at| at <= now)
    };
    let mut ids = Vec::new();
    for post in world.posts.iter_mut().filter(due) {
        post.unpublished = false;
        ids.push(post.id);
    }
    for id in ids {
        // The post exists: it was found just now.
        let _ = published(world, id);
    }
}

fn lookup(world: &mut World, call: &Call<'_>) -> Answer {
    let given = call.query_text("ids", 1, 10_000)?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for text in given.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let known = Uuid::try_parse(text).is_ok_and(|id| world.post(id).is_ok());
        if known { found.push(text) } else { missing.push(text) }
    }
    Ok(Reply::ok(&json!({"found": found, "missing": missing})))
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let id = call.id("post_id")?;
    // The author sees a post before it is published.
    match world.any_post_mut(id) {
        Ok(post) if Some(post.author) == call.user => any_shown(world, id),
        _ => shown(world, call),
    }
}

fn shown(world: &World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&world.post_json(world.post(call.id("post_id")?)?, true)))
}

/// Returns the caller's own post, with the current time.
fn own<'w>(world: &'w mut World, call: &Call<'_>, code: &str) -> Result<(&'w mut Post, Timestamp), Reply> {
    let (me, now) = (call.me()?, world.now());
    let post = world.post_mut(call.id("post_id")?)?;
    if post.author != me {
        return Err(Reply::forbidden(code, "This post is not yours"));
    }
    Ok((post, now))
}

fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let title = call.text_opt("title", 3, MAX_TITLE)?;
    let body = call.text_opt("body", 1, MAX_BODY)?;
    let (tags, language) = (tags(call)?, call.text_opt("language", 0, 10)?);
    let (post, now) = own(world, call, "POST_EDIT_FORBIDDEN")?;
    if over(post.created, now, 15) {
        return Err(Reply::forbidden("POST_EDIT_FORBIDDEN", "A post can be edited for 15 minutes"));
    }
    post.title = title.unwrap_or_else(|| std::mem::take(&mut post.title));
    post.body = body.unwrap_or_else(|| std::mem::take(&mut post.body));
    post.tags = tags.unwrap_or_else(|| std::mem::take(&mut post.tags));
    post.language = language.unwrap_or_else(|| std::mem::take(&mut post.language));
    post.updated = now;
    shown(world, call)
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    let (post, now) = own(world, call, "POST_DELETE_FORBIDDEN")?;
    if over(post.created, now, 15) {
        let message = "A post can be deleted for 15 minutes";
        return Err(Reply::forbidden("POST_DELETE_WINDOW_EXPIRED", message));
    }
    post.deleted = true;
    Ok(Reply::no_content())
}

/// Tags an untagged post, within seven days.
fn set_tags(world: &mut World, call: &Call<'_>) -> Answer {
    let wanted = tags(call)?.filter(|tags| !tags.is_empty());
    let wanted = wanted.ok_or_else(|| Reply::missing(&["body", "tags"]))?;
    let (post, now) = own(world, call, "POST_EDIT_FORBIDDEN")?;
    if !post.tags.is_empty() {
        return Err(Reply::error(409, "POST_ALREADY_TAGGED", "This post has tags already"));
    }
    if over(post.created, now, 7 * 24 * 60) {
        return Err(Reply::forbidden("POST_EDIT_FORBIDDEN", "A post can be tagged for 7 days"));
    }
    post.tags = wanted;
    post.updated = now;
    shown(world, call)
}

/// Sets a post's language. The service reserves this to its sentinels; here the author can do it as well.
fn set_language(world: &mut World, call: &Call<'_>) -> Answer {
    let language = call.query_text("language", 2, 10)?.to_owned();
    let (me, id) = (call.me()?, call.id("post_id")?);
    if world.post(id)?.author != me && !world.is_team(me) {
        return Err(Reply::forbidden("POST_EDIT_FORBIDDEN", "This post is not yours"));
    }
    world.post_mut(id)?.language.clone_from(&language);
    Ok(Reply::ok(&json!({"post_id": id, "language": language})))
}

/// Marks a post as junk, for the site's team only.
fn set_junk(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, world.post(call.id("post_id")?)?.id);
    let junk = call.query_bool("junk")?.ok_or_else(|| Reply::missing(&["query", "junk"]))?;
    if !world.is_team(me) {
        return Err(Reply::forbidden("FORBIDDEN", "Only admins and sentinels may do this"));
    }
    Ok(Reply::ok(&json!({"post_id": id, "junk": junk})))
}

fn crosspost(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let named = call.text("colony_id", 1, 100)?;
    let title = call.text_opt("title", 3, MAX_TITLE)?;
    let original = world.post(call.id("post_id")?)?;
    let colony = world.colonies[world.find_colony(&named)?].id;
    if original.colony == Some(colony) {
        return Err(Reply::conflict("The post is in this colony already"));
    }
    let mut copy = Post {
        id: Uuid::new_v4(),
        author: me,
        colony: Some(colony),
        post_type: original.post_type.clone(),
        title: title.unwrap_or_else(|| original.title.clone()),
        body: original.body.clone(),
        tags: original.tags.clone(),
        language: original.language.clone(),
        crosspost_of: Some(original.id),
        ..Post::default()
    };
    let (id, now) = (copy.id, world.now());
    (copy.created, copy.updated) = (now, now);
    world.add_post(copy);
    published(world, id)?;
    Ok(Reply::created(&world.post_json(world.post(id)?, true)))
}

fn set_closed(world: &mut World, call: &Call<'_>, closed: bool) -> Answer {
    let (post, now) = own(world, call, "POST_EDIT_FORBIDDEN")?;
    post.closed = closed.then(|| post.closed.unwrap_or(now));
    let (id, kind, me) = (post.id, post.post_type.clone(), post.author);
    if matches!(kind.as_str(), "paid_task" | "paid_offer" | "human_request") {
        let name = if closed { "listing_closed" } else { "listing_reopened" };
        let fields = json!({"post_id": id, "post_title": world.title(id), "post_type": kind});
        world.emit(To::User(me), name, fields);
    }
    shown(world, call)
}

fn close(world: &mut World, call: &Call<'_>) -> Answer {
    set_closed(world, call, true)
}

fn reopen(world: &mut World, call: &Call<'_>) -> Answer {
    set_closed(world, call, false)
}

/// Checks whether the caller can moderate a post's colony.
pub(super) fn moderated(world: &World, call: &Call<'_>) -> Result<Uuid, Reply> {
    let me = call.me()?;
    let post = world.post(call.id("post_id")?)?;
    let moderator = world.colony(post.colony).is_some_and(|colony| colony.moderated_by(me));
    if !moderator && !world.is_team(me) {
        return Err(Reply::forbidden("MOD_PERMISSIONS", "Only moderators of the colony may do this"));
    }
    Ok(post.id)
}

fn pin(world: &mut World, call: &Call<'_>) -> Answer {
    let id = moderated(world, call)?;
    let post = world.post_mut(id)?;
    post.pinned = !post.pinned;
    shown(world, call)
}

/// Returns no moves: posts are never moved here.
fn moves(world: &mut World, call: &Call<'_>) -> Answer {
    world.post(call.id("post_id")?)?;
    Ok(Reply::ok(&json!([])))
}

/// Does nothing: posts have no picture here.
fn disable_image(world: &mut World, call: &Call<'_>) -> Answer {
    let id = own(world, call, "FORBIDDEN")?.0.id;
    Ok(Reply::ok(&json!({"post_id": id, "og_image_disabled": true, "detached": false})))
}

/// Returns the caller's unpublished post.
fn unpublished<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Post, Reply> {
    let me = call.me()?;
    let post = world.any_post_mut(call.id("post_id")?)?;
    if post.author != me || !post.unpublished {
        return Err(Reply::not_found("POST_NOT_FOUND", "Scheduled post"));
    }
    Ok(post)
}

fn scheduled(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let mine =
        |post: &&Post| post.author == me && post.unpublished && !post.deleted && post.scheduled_for.is_some();
    let mut rows: Vec<&Post> = world.posts.iter().filter(mine).collect();
    rows.sort_by_key(|post| post.scheduled_for);
    page_of(world, call, &rows)
}

fn any_shown(world: &World, id: Uuid) -> Answer {
    let post = world.posts.iter().find(|post| post.id == id);
    Ok(Reply::ok(&post.map(|post| world.post_json(post, true))))
}

fn reschedule(world: &mut World, call: &Call<'_>) -> Answer {
    let at = call.body_time("scheduled_for")?.ok_or_else(|| Reply::missing(&["body", "scheduled_for"]))?;
    if at <= world.now() {
        return Err(Reply::bad_input("scheduled_for is in the past"));
    }
    let post = unpublished(world, call)?;
    post.scheduled_for = Some(at);
    let id = post.id;
    any_shown(world, id)
}

/// Unschedules the post, which stays as a draft.
fn unschedule(world: &mut World, call: &Call<'_>) -> Answer {
    let post = unpublished(world, call)?;
    post.scheduled_for = None;
    let id = post.id;
    any_shown(world, id)
}

/// Returns post, author, colony, comments (as a tree), related posts and the caller's own vote.
fn context(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?;
    let mut threads = comments::tree(world, post.id);
    threads.truncate(100);
    let near = |other: &&Post| other.id != post.id && other.tags.iter().any(|tag| post.tags.contains(tag));
    let related: Vec<Value> =
        world.live_posts().rev().filter(near).take(5).map(|other| world.post_json(other, false)).collect();
    let vote = call.user.and_then(|me| world.votes.get(&(post.id, me))).map(|vote| vote.0);
    Ok(Reply::ok(&json!({
        "post": world.post_json(post, true),
        "author": world.user_json(post.author),
        "colony": world.colony(post.colony).map(|colony| world.colony_json(colony)),
        "comments": threads,
        "related_posts": related,
        "my_vote": vote,
        "reactions": world.reactions_json(post.id, call.user),
    })))
}

/// Returns the comments as a tree.
fn conversation(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?;
    let threads = comments::tree(world, post.id);
    Ok(Reply::ok(&json!({
        "post_id": post.id,
        "thread_count": threads.len(),
        "total_comments": post.comment_count,
        "threads": threads,
    })))
}

/// Returns no challenge: the sandbox never asks an author to prove that it thinks.
pub(super) fn no_challenge(_: &mut World, call: &Call<'_>) -> Answer {
    call.text("token", 1, 4096)?;
    call.text("answer", 1, 256)?;
    Err(Reply::none("Challenge"))
}

const LINKS: [&str; 5] = ["related", "builds_on", "contradicts", "extends", "responds_to"];

fn link_json(link: &Link) -> Value {
    json!({
        "id": link.id,
        "source_id": link.source,
        "target_id": link.target,
        "link_type": link.kind,
        "link_label": link.kind.replace('_', " "),
        "created_by": link.by,
        "created_at": time(link.created),
    })
}

fn links(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.post(call.id("post_id")?)?.id;
    let rows = world.own.of::<Links>().0.iter().filter(|link| link.source == id || link.target == id);
    Ok(Reply::ok(&rows.map(link_json).collect::<Vec<_>>()))
}

fn link(world: &mut World, call: &Call<'_>) -> Answer {
    let (by, source) = (call.me()?, world.post(call.id("post_id")?)?.id);
    let target = call.body_id("target_id")?.ok_or_else(|| Reply::missing(&["body", "target_id"]))?;
    let kind = call.choice_opt("link_type", &LINKS)?.unwrap_or_else(|| "related".to_owned());
    if world.post(target)?.id == source {
        return Err(Reply::bad_input("A post cannot be linked to itself"));
    }
    let link = Link { id: Uuid::new_v4(), source, target, kind, by, created: world.now() };
    let reply = Reply::created(&link_json(&link));
    let links = &mut world.own.of::<Links>().0;
    let twin = |known: &Link| (known.source, known.target, &known.kind) == (source, target, &link.kind);
    if links.iter().any(twin) {
        return Err(Reply::conflict("The posts are linked already"));
    }
    links.push(link);
    Ok(reply)
}

fn unlink(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("link_id")?);
    let links = &mut world.own.of::<Links>().0;
    let before = links.len();
    links.retain(|link| link.id != id || link.by != me);
    if links.len() == before {
        return Err(Reply::none("Link"));
    }
    Ok(Reply::ok(&json!({"deleted": true})))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_scheduled_post_is_published_when_its_time_has_come() {
        let (mut world, account) = World::seeded(&[], Duration::from_secs(60), String::new());
        let author = world.names[&account.username];
        let now = Timestamp::now();
        let post = |title: &str, at: Timestamp| Post {
            id: Uuid::new_v4(),
            author,
            title: title.to_owned(),
            unpublished: true,
            scheduled_for: Some(at),
            ..Post::default()
        };
        world.add_post(post("due", now - 1.second()));
        world.add_post(post("not due", now + 1.hour()));
        world.outbox.clear();
        publish_due(&mut world);
        let live: Vec<&str> =
            world.live_posts().filter(|post| post.author == author).map(|post| post.title.as_str()).collect();
        assert_eq!(live, ["due"]);
        assert_eq!(world.outbox.iter().map(|event| event.name).collect::<Vec<_>>(), ["post_created"]);
    }
}
