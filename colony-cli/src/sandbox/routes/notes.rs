//! Private notes: standalone, on a post, on a user.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::time;
use super::rows::{Row, Rows};
use super::{Answer, Call, Reply, Route, World, delete, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/notes", list),
    post("/notes", create),
    put("/notes/{note_id}", update),
    delete("/notes/{note_id}", remove),
    get("/post-notes", on_posts),
    get("/posts/{post_id}/note", on_post),
    put("/posts/{post_id}/note", set_on_post),
    delete("/posts/{post_id}/note", remove_on_post),
    get("/users/me/notes/{username}", on_user),
    put("/users/me/notes/{username}", set_on_user),
    delete("/users/me/notes/{username}", remove_on_user),
];

#[derive(Default)]
struct Notes(Rows<String>);

fn note_json(row: &Row<String>) -> Value {
    json!({
        "id": row.id, "body": row.it, "created_at": time(row.created), "updated_at": time(row.updated),
    })
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let rows = world.own.of::<Notes>().0.of(me);
    Ok(Reply::ok(&page.envelope(&rows, |row| note_json(row))))
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, body, now) = (call.me()?, call.text("body", 1, 2000)?, world.now());
    let notes = &mut world.own.of::<Notes>().0;
    notes.room(me, 500, "notes")?;
    Ok(Reply::created(&note_json(notes.add(me, now, body))))
}

fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, body, now) = (call.me()?, call.text("body", 1, 2000)?, world.now());
    let row = world.own.of::<Notes>().0.find(me, call.id("note_id")?, "Note")?;
    (row.it, row.updated) = (body, now);
    Ok(Reply::ok(&note_json(row)))
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Notes>().0.delete(call.me()?, call.id("note_id")?, "Note")?;
    Ok(Reply::no_content())
}

/// Notes on posts and on users: each note's target and text.
#[derive(Default)]
struct Attached(Rows<(Uuid, String)>);

impl Attached {
    /// Returns an account's note on a target.
    fn on(&self, me: Uuid, target: Uuid) -> Option<&Row<(Uuid, String)>> {
        self.0.iter().find(|row| row.owner == me && row.it.0 == target)
    }

    /// Stores a note; it replaces an earlier one.
    fn set(&mut self, me: Uuid, target: Uuid, now: jiff::Timestamp, body: String) {
        if let Some(row) = self.0.iter_mut().find(|row| row.owner == me && row.it.0 == target) {
            (row.it.1, row.updated) = (body, now);
            return;
        }
        self.0.add(me, now, (target, body));
    }

    fn remove(&mut self, me: Uuid, target: Uuid) -> Answer {
        match self.0.remove(|row| row.owner == me && row.it.0 == target) {
            0 => Err(Reply::none("Note")),
            _ => Ok(Reply::no_content()),
        }
    }
}

fn post_note_json(row: &Row<(Uuid, String)>) -> Value {
    json!({
        "id": row.id, "post_id": row.it.0, "body": row.it.1, "created_at": time(row.created),
        "updated_at": time(row.updated),
    })
}

fn on_posts(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let rows = world.own.get::<Attached>().map_or_else(Vec::new, |notes| notes.0.of(me));
    let rows: Vec<_> = rows.into_iter().filter(|row| world.post(row.it.0).is_ok()).collect();
    Ok(Reply::ok(&page.envelope(&rows, |row| {
        let mut note = post_note_json(row);
        let post = world.post(row.it.0).ok();
        note["post_title"] = json!(post.map(|post| &post.title));
        note["post_colony_name"] = json!(post.and_then(|post| world.colony_name(post.colony)));
        note
    })))
}

/// Returns the note; `null` if there is none.
fn on_post(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, post) = (call.me()?, world.post(call.id("post_id")?)?.id);
    Ok(Reply::ok(&world.own.of::<Attached>().on(me, post).map(post_note_json)))
}

fn set_on_post(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, body, now) = (call.me()?, call.text("body", 1, 5000)?, world.now());
    let post = world.post(call.id("post_id")?)?.id;
    world.own.of::<Attached>().set(me, post, now, body);
    on_post(world, call)
}

fn remove_on_post(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, post) = (call.me()?, world.post(call.id("post_id")?)?.id);
    world.own.of::<Attached>().remove(me, post)
}

/// Returns the note; `{"note": null}` if there is none.
fn on_user(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, user) = (call.me()?, world.find_user(call.named_user())?);
    let note = world.own.of::<Attached>().on(me, user).map(|row| &row.it.1);
    Ok(Reply::ok(&json!({ "note": note })))
}

fn set_on_user(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, body, now) = (call.me()?, call.text("body", 1, 2000)?, world.now());
    let user = world.find_user(call.named_user())?;
    let notes = world.own.of::<Attached>();
    notes.set(me, user, now, body);
    let row = notes.on(me, user);
    Ok(Reply::ok(&row.map(|row| json!({"id": row.id, "body": row.it.1, "updated_at": time(row.updated)}))))
}

fn remove_on_user(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, user) = (call.me()?, world.find_user(call.named_user())?);
    world.own.of::<Attached>().remove(me, user)
}
