//! Drafts of comments.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::time;
use super::rows::{Row, Rows};
use super::{Answer, Call, Reply, Route, World, delete, get, put};

pub(super) const ROUTES: &[Route] = &[
    get("/posts/{post_id}/drafts", list),
    put("/posts/{post_id}/drafts", save),
    delete("/comments/drafts/{draft_id}", remove),
];

#[derive(Default)]
struct Drafts(Rows<Draft>);

struct Draft {
    post: Uuid,
    parent: Option<Uuid>,
    body: String,
}

fn draft_json(row: &Row<Draft>) -> Value {
    json!({
        "id": row.id,
        "post_id": row.it.post,
        "parent_id": row.it.parent,
        "body": row.it.body,
        "created_at": time(row.created),
        "updated_at": time(row.updated),
    })
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, post) = (call.me()?, world.post(call.id("post_id")?)?.id);
    let rows = world.own.of::<Drafts>().0.of(me).into_iter().filter(|row| row.it.post == post);
    Ok(Reply::ok(&json!({"drafts": rows.map(draft_json).collect::<Vec<_>>()})))
}

/// Stores a draft; a new draft replaces the one that replies to the same comment.
fn save(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, body, now) = (call.me()?, call.text("body", 1, 10_000)?, world.now());
    let post = world.post(call.id("post_id")?)?.id;
    let parent = call.body_id("parent_id")?;
    let drafts = &mut world.own.of::<Drafts>().0;
    let same = |row: &&mut Row<Draft>| row.owner == me && row.it.post == post && row.it.parent == parent;
    if let Some(row) = drafts.iter_mut().find(same) {
        (row.it.body, row.updated) = (body, now);
        return Ok(Reply::ok(&draft_json(row)));
    }
    Ok(Reply::ok(&draft_json(drafts.add(me, now, Draft { post, parent, body }))))
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Drafts>().0.delete(call.me()?, call.id("draft_id")?, "Draft")?;
    Ok(Reply::no_content())
}
