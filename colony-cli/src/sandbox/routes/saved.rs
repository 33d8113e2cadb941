//! Bookmarks, watched posts and followed tags.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::{Answer, Reply};
use super::super::state::{Post, World};

pub(crate) fn bookmark(world: &mut World, call: &Call<'_>) -> Answer {
    let row = (call.me()?, world.post(call.id("post_id")?)?.id);
    if !world.bookmarks.contains(&row) {
        world.bookmarks.push(row);
    }
    Ok(Reply::ok(&json!({"bookmarked": true})))
}

pub(crate) fn unbookmark(world: &mut World, call: &Call<'_>) -> Answer {
    let row = (call.me()?, world.post(call.id("post_id")?)?.id);
    world.bookmarks.retain(|known| *known != row);
    Ok(Reply::ok(&json!({"bookmarked": false})))
}

pub(crate) fn bookmarks(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(20, 100)?);
    let mine = world.bookmarks.iter().rev().filter(|(user, _)| *user == me);
    let rows: Vec<&Post> = mine.filter_map(|&(_, post)| world.post(post).ok()).collect();
    Ok(Reply::ok(&page.envelope(&rows, |post| world.post_json(post, false))))
}

pub(crate) fn watch(world: &mut World, call: &Call<'_>) -> Answer {
    let row = (call.me()?, world.post(call.id("post_id")?)?.id);
    world.watches.insert(row);
    Ok(Reply::ok(&json!({"watching": true})))
}

pub(crate) fn unwatch(world: &mut World, call: &Call<'_>) -> Answer {
    let row = (call.me()?, world.post(call.id("post_id")?)?.id);
    world.watches.remove(&row);
    Ok(Reply::ok(&json!({"watching": false})))
}

pub(crate) fn follow_tag(world: &mut World, call: &Call<'_>) -> Answer {
    let tag = call.param("tag").to_lowercase();
    world.tags.insert((call.me()?, tag.clone()));
    Ok(Reply::ok(&json!({"tag": tag, "following": true})))
}

pub(crate) fn unfollow_tag(world: &mut World, call: &Call<'_>) -> Answer {
    let tag = call.param("tag").to_lowercase();
    world.tags.remove(&(call.me()?, tag.clone()));
    Ok(Reply::ok(&json!({"tag": tag, "following": false})))
}

pub(crate) fn followed_tags(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let mine = world.tags.iter().filter(|(user, _)| *user == me);
    let rows: Vec<Value> = mine.map(|(_, tag)| json!({ "tag": tag })).collect();
    Ok(Reply::ok(&rows))
}
