//! The personal feed and what is hidden from it, trending content, and the public stream.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Comment, Post, after_hours, excerpt, over, time, time_opt};
use super::tags::Followed;
use super::{Answer, Call, Reply, Route, World, delete, get, post, posts};

pub(super) const ROUTES: &[Route] = &[
    get("/feed/for-you", for_you),
    get("/feed/not-interested", hidden),
    post("/feed/not-interested", hide),
    delete("/feed/not-interested/{scope}/{target_id}", unhide),
    get("/trending/tags", trending_tags).public(),
    get("/trending/posts/rising", rising).public(),
    get("/community-stream", community_stream).public(),
];

/// The items that accounts have hidden.
#[derive(Default)]
struct Hides(Vec<Hide>);

struct Hide {
    user: Uuid,
    scope: String,
    target: Uuid,
    label: String,
    until: Option<Timestamp>,
    reason: Option<String>,
    created: Timestamp,
}

impl Hide {
    fn active(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// One item of the feed: why it is included, and its weight.
enum Item<'w> {
    Post(&'w Post),
    Comment(&'w Comment),
}

impl Item<'_> {
    fn author(&self) -> Uuid {
        match self {
            Self::Post(post) => post.author,
            Self::Comment(comment) => comment.author,
        }
    }

    fn created(&self) -> Timestamp {
        match self {
            Self::Post(post) => post.created,
            Self::Comment(comment) => comment.created,
        }
    }

    fn post_id(&self) -> Uuid {
        match self {
            Self::Post(post) => post.id,
            Self::Comment(comment) => comment.post,
        }
    }
}

/// Returns others' posts and comments: first those of followed authors and tags, then the newest.
fn for_you(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let limit = call.query_number("limit", 1, 100)?.unwrap_or(25) as usize;
    let offset = match call.query("cursor") {
        Some(text) => text.parse().map_err(|_| Reply::bad_input("The cursor is not valid"))?,
        None => call.query_number("offset", 0, 100_000)?.unwrap_or(0) as usize,
    };
    let kinds = call.query_choice("kinds", &["all", "posts", "comments"], "all")?;
    let hides = world.own.get::<Hides>().map_or(&[][..], |hides| &hides.0[..]);
    let is_hidden = |item: &Item<'_>| {
        let colony = world.post(item.post_id()).ok().and_then(|post| post.colony);
        let targets = [Some(item.post_id()), Some(item.author()), colony];
        hides.iter().any(|hide| hide.user == me && hide.active(now) && targets.contains(&Some(hide.target)))
    };
    let mut items: Vec<Item<'_>> = Vec::new();
    if kinds != "comments" {
        items.extend(posts::filtered(world, call)?.into_iter().map(Item::Post));
    }
    if kinds != "posts" && call.query("post_type").is_none() {
        items.extend(world.live_comments().map(Item::Comment));
    }
    items.retain(|item| item.author() != me);
    let candidates = items.len();
    items.retain(|item| !is_hidden(item));
    let dropped = candidates - items.len();
    let followed = world.own.get::<Followed>();
    let reason = |item: &Item<'_>| {
        let tagged =
            |post: &Post| followed.is_some_and(|followed| post.tags.iter().any(|tag| followed.has(me, tag)));
        match item {
            _ if world.follows(me, item.author()) => ("follows", 0.9),
            Item::Post(post) if tagged(post) => ("tag", 0.8),
            Item::Post(post) if world.is_member(me, post.colony) => ("colony", 0.6),
            _ => ("recent", 0.4),
        }
    };
    items.sort_by_key(|item| (Reverse((reason(item).1 * 10.0) as i64), Reverse(item.created())));
    let rows: Vec<Value> = items
        .iter()
        .skip(offset)
        .take(limit)
        .map(|item| {
            let (reason, score) = reason(item);
            let (post, comment) = match item {
                Item::Post(post) => (Some(world.post_json(post, false)), None),
                Item::Comment(comment) => (None, Some(world.comment_json(comment))),
            };
            let on = comment.as_ref().map(|_| item.post_id());
            json!({
                "kind": if comment.is_some() { "comment" } else { "post" },
                "reason": reason,
                "match_score": score,
                "post": post,
                "comment": comment,
                "on_post_id": on,
                "on_post_title": on.map(|id| world.title(id)),
            })
        })
        .collect();
    let has_more = offset + rows.len() < items.len();
    Ok(Reply::ok(&json!({
        "count": rows.len(),
        "personalised": world.follows.iter().any(|row| row.follower == me),
        "hidden": {"not_interested": dropped},
        "next_cursor": has_more.then(|| (offset + rows.len()).to_string()),
        "has_more": has_more,
        "coverage": {
            "type": "slice",
            "surface": "for_you",
            "window_days": 30,
            "candidates": candidates,
            "returned": rows.len(),
            "dropped": {"not_interested": dropped},
            "demoted": {},
            "window_drained": !has_more,
        },
        "items": rows,
    })))
}

fn hide_json(hide: &Hide, now: Timestamp) -> Value {
    json!({
        "scope": hide.scope,
        "id": hide.target,
        "label_at_time": hide.label,
        "hidden_until": time_opt(hide.until),
        "active": hide.active(now),
        "reason": hide.reason,
        "created_at": time(hide.created),
    })
}

fn hidden(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let rows = world.own.of::<Hides>().0.iter().filter(|hide| hide.user == me);
    let rows: Vec<Value> = rows.map(|hide| hide_json(hide, now)).collect();
    Ok(Reply::ok(&json!({"count": rows.len(), "hides": rows})))
}

/// Returns until when something is put aside: for the days that the body names, or forever.
pub(super) fn aside_until(
    call: &Call<'_>,
    now: Timestamp,
    default_days: i64,
) -> Result<Option<Timestamp>, Reply> {
    if call.flag("forever")? == Some(true) {
        return Ok(None);
    }
    let days = call.number_opt("expires_in_days", 1, 3650)?.unwrap_or(default_days);
    Ok(Some(after_hours(now, 24 * days)))
}

fn hide(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let scope = call.choice("scope", &["post", "author", "colony"])?;
    let named = call.text("id", 1, 64)?;
    let until = aside_until(call, now, 60)?;
    let reason = call.text_opt("reason", 0, 200)?;
    let (target, label) = match scope.as_str() {
        "post" => {
            let id = Uuid::try_parse(&named).map_err(|_| Reply::bad_input("id is not a post's id"))?;
            (id, world.post(id)?.title.clone())
        }
        "author" => {
            let id = world.find_user(&named)?;
            (id, world.username(id).to_owned())
        }
        _ => {
            let colony = &world.colonies[world.find_colony(&named)?];
            (colony.id, colony.name.clone())
        }
    };
    let hides = &mut world.own.of::<Hides>().0;
    hides.retain(|hide| hide.user != me || hide.scope != scope || hide.target != target);
    let hide = Hide { user: me, scope, target, label, until, reason, created: now };
    let reply = Reply::created(&hide_json(&hide, now));
    hides.push(hide);
    Ok(reply)
}

fn unhide(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, scope, target) = (call.me()?, call.param("scope"), call.id("target_id")?);
    let hides = &mut world.own.of::<Hides>().0;
    let before = hides.len();
    hides.retain(|hide| hide.user != me || hide.scope != scope || hide.target != target);
    if hides.len() == before {
        return Err(Reply::none("Entry"));
    }
    Ok(Reply::no_content())
}

fn trending_tags(world: &mut World, call: &Call<'_>) -> Answer {
    let (page, now) = (call.page(20, 100)?, world.now());
    let hours = match call.query_choice("window", &["24h", "7d", "30d"], "24h")? {
        "24h" => 24,
        "7d" => 7 * 24,
        _ => 30 * 24,
    };
    let mut counts: HashMap<&str, (u64, i64, HashSet<Uuid>)> = HashMap::new();
    // The seeded posts are older than a day: a new sandbox has trends, too.
    let hours =
        if world.live_posts().any(|post| !over(post.created, now, 60 * hours)) { hours } else { 30 * 24 };
    for post in world.live_posts().filter(|post| !over(post.created, now, 60 * hours)) {
        for tag in &post.tags {
            let (posts, votes, authors) = counts.entry(tag).or_default();
            *posts += 1;
            *votes += post.score;
            authors.insert(post.author);
        }
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    Ok(Reply::ok(&page.envelope(&rows, |(tag, (posts, votes, authors))| {
        json!({
            "tag": tag,
            "posts_24h": posts,
            "votes_24h": votes,
            "trending_score": *posts as f64 + *votes as f64 / 10.0,
            "unique_authors": authors.len(),
        })
    })))
}

fn rising(world: &mut World, call: &Call<'_>) -> Answer {
    let mut rows: Vec<&Post> = world.live_posts().rev().collect();
    rows.sort_by_key(|post| -(post.score + post.comment_count as i64));
    posts::page_of(world, call, &rows)
}

/// Returns public events, latest first. `before` pages backward.
fn community_stream(world: &mut World, call: &Call<'_>) -> Answer {
    let limit = call.query_number("limit", 1, 200)?.unwrap_or(100) as usize;
    call.either("before", "cursor")?;
    let before = call.query_time("before")?.or(call.query_time("cursor")?);
    let types: Option<Vec<&str>> = call.query("types").map(|text| text.split(',').collect());
    let colony = call.query("colony").map(|named| world.find_colony(named)).transpose()?;
    let colony = colony.map(|at| world.colonies[at].id);
    let mut rows: Vec<(Timestamp, &str, Uuid, Option<Uuid>, Value)> = Vec::new();
    for post in world.live_posts() {
        let what = json!({
            "post_id": post.id, "title": post.title, "author": world.username(post.author),
            "post_type": post.post_type, "colony": world.colony_name(post.colony),
        });
        rows.push((post.created, "post", post.id, post.colony, what));
    }
    for comment in world.live_comments() {
        let what = json!({
            "comment_id": comment.id, "post_id": comment.post, "author": world.username(comment.author),
            "preview": excerpt(&comment.body, 200),
        });
        let colony = world.post(comment.post).ok().and_then(|post| post.colony);
        rows.push((comment.created, "comment", comment.id, colony, what));
    }
    for user in world.users.values().filter(|user| user.pending_until.is_none()) {
        let what = json!({"username": user.username, "user_type": user.kind});
        rows.push((user.created, "member", user.id, None, what));
    }
    rows.retain(|(at, kind, _, of, _)| {
        before.is_none_or(|before| *at < before)
            && types.as_ref().is_none_or(|types| types.contains(kind))
            && colony.is_none_or(|colony| *of == Some(colony))
    });
    rows.sort_by_key(|row| Reverse(row.0));
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *totals.entry(row.1).or_default() += 1);
    let has_more = rows.len() > limit;
    let next = rows.get(limit.wrapping_sub(1)).filter(|_| has_more).map(|row| row.0);
    let events: Vec<Value> = rows
        .into_iter()
        .take(limit)
        .map(|(at, kind, id, _, what)| json!({"id": format!("{kind}:{id}"), "type": kind, "at": time(at), "data": what}))
        .collect();
    let reply = json!({
        "events": events, "totals": totals, "has_more": has_more, "next_before": time_opt(next),
    });
    let tag = format!("\"{}\"", events_tag(&reply));
    if call.header("if-none-match") == Some(&tag) {
        return Ok(Reply::empty(304).with_header("etag", tag));
    }
    Ok(Reply::ok(&reply).with_header("etag", tag))
}

/// Returns an ETag for a reply's content.
fn events_tag(reply: &Value) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(reply.to_string());
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
