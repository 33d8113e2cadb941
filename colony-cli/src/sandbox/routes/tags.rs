//! Tags that an account follows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::super::world::{excerpt, time};
use super::{Answer, Call, Reply, Route, World, delete, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/tags/following", list),
    post("/tags/{tag}/follow", follow),
    delete("/tags/{tag}/follow", unfollow),
];

/// When an account started to follow a tag.
#[derive(Default)]
pub(super) struct Followed(BTreeMap<(Uuid, String), Timestamp>);

impl Followed {
    pub(super) fn has(&self, user: Uuid, tag: &str) -> bool {
        self.0.contains_key(&(user, tag.to_lowercase()))
    }
}

/// Returns the tag in the platform's normal form.
fn tag(call: &Call<'_>) -> String {
    excerpt(&call.param("tag").to_lowercase(), 50)
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let mine = world.own.of::<Followed>().0.iter().filter(|((user, _), _)| *user == me);
    let rows = mine.map(|((_, tag), at)| json!({"tag_name": tag, "created_at": time(*at)}));
    Ok(Reply::ok(&rows.collect::<Vec<_>>()))
}

fn follow(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, tag, now) = (call.me()?, tag(call), world.now());
    world.own.of::<Followed>().0.entry((me, tag.clone())).or_insert(now);
    Ok(Reply::ok(&json!({"tag": tag, "following": true})))
}

fn unfollow(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, tag) = (call.me()?, tag(call));
    world.own.of::<Followed>().0.remove(&(me, tag.clone()));
    Ok(Reply::ok(&json!({"tag": tag, "following": false})))
}
