//! Search, the personal feed and what is on the rise.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::render::time;
use super::super::reply::{Answer, Reply};
use super::super::state::{Post, World};
use super::{posts, users};

pub(crate) fn search(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let loc = ["query", "q"];
    let Some(text) = call.query("q") else {
        return Err(Reply::invalid(&loc, "missing", "Field required", Value::Null));
    };
    let length = text.chars().count();
    if !(2..=200).contains(&length) {
        let kind = if length < 2 { "string_too_short" } else { "string_too_long" };
        let message = "String should have 2 to 200 characters";
        return Err(Reply::invalid(&loc, kind, message, Value::Null));
    }
    let sorts = ["relevance", "newest", "oldest", "top", "discussed"];
    let sort = call.query_choice("sort", &sorts, "relevance")?;
    let mut rows = posts::filtered(world, call)?;
    posts::order(&mut rows, sort);
    if sort == "relevance" {
        // What the title says counts for more.
        let text = text.to_lowercase();
        rows.sort_by_key(|post| !post.title.to_lowercase().contains(&text));
    }
    let found = users::matching(world, Some(text));
    let found: Vec<Value> = found.into_iter().take(10).map(|id| world.user_json(id)).collect();
    let mut reply = page.envelope(&rows, |post| world.post_json(post, false));
    reply["users"] = found.into();
    reply["next_cursor"] = Value::Null;
    Ok(Reply::ok(&reply))
}

/// Others' posts, newest first.
pub(crate) fn for_you(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(20, 100)?);
    let mut rows = posts::filtered(world, call)?;
    rows.retain(|post| post.author != me);
    rows.reverse();
    let (cut, has_more) = page.cut(&rows);
    let followed = |post: &Post| {
        world.follows.iter().any(|follow| follow.follower == me && follow.followed == post.author)
    };
    let items: Vec<Value> = cut
        .iter()
        .map(|post| {
            let (reason, score) = if followed(post) { ("follows", 0.9) } else { ("recent", 0.5) };
            json!({
                "kind": "post",
                "post": world.post_json(post, false),
                "comment": null,
                "reason": reason,
                "match_score": score,
                "on_post_id": null,
                "on_post_title": null,
            })
        })
        .collect();
    Ok(Reply::ok(&json!({
        "count": items.len(),
        "items": items,
        "personalised": true,
        "hidden": 0,
        "next_cursor": null,
        "has_more": has_more,
        "coverage": {},
    })))
}

pub(crate) fn trending_tags(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let window = call.query_choice("window", &["24h", "7d", "30d"], "24h")?;
    let mut counts: HashMap<&str, (u64, i64)> = HashMap::new();
    for post in world.posts.iter().filter(|post| !post.deleted) {
        for tag in &post.tags {
            let (count, score) = counts.entry(tag).or_default();
            *count += 1;
            *score += post.score;
        }
    }
    let mut rows: Vec<(&str, u64, i64)> =
        counts.into_iter().map(|(tag, (count, score))| (tag, count, score)).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut reply = page.envelope(
        &rows,
        |(tag, count, score)| json!({"tag": tag, "count": count, "post_count": count, "score": score}),
    );
    reply["window"] = window.into();
    Ok(Reply::ok(&reply))
}

pub(crate) fn rising(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let mut rows: Vec<&Post> = world.posts.iter().filter(|post| !post.deleted).collect();
    rows.reverse();
    rows.sort_by_key(|post| -(post.score + post.comment_count as i64));
    let mut reply = page.envelope(&rows, |post| world.post_json(post, false));
    let now = world.now();
    reply["computed_at"] = time(now);
    Ok(Reply::ok(&reply))
}
