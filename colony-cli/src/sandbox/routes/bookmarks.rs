//! Bookmarks with their folders, and watched and muted posts.

use std::collections::HashSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Post, time};
use super::rows::{Row, Rows};
use super::{Answer, Call, Reply, Route, World, delete, get, post, posts, put};

pub(super) const ROUTES: &[Route] = &[
    post("/posts/{post_id}/bookmark", bookmark),
    delete("/posts/{post_id}/bookmark", unbookmark),
    get("/posts/bookmarks/list", list),
    get("/bookmarks/folders", folders),
    post("/bookmarks/folders", create_folder),
    put("/bookmarks/folders/{folder_id}", rename_folder),
    delete("/bookmarks/folders/{folder_id}", delete_folder),
    post("/bookmarks/folders/{folder_id}/move/{bookmark_id}", move_to_folder),
    post("/bookmarks/folders/unsort/{bookmark_id}", unsort),
    post("/posts/{post_id}/watch", watch),
    delete("/posts/{post_id}/watch", unwatch),
    post("/posts/{post_id}/mute", mute),
    delete("/posts/{post_id}/mute", unmute),
];

#[derive(Default)]
struct Bookmarks(Rows<Bookmark>);

struct Bookmark {
    post: Uuid,
    folder: Option<Uuid>,
}

fn bookmark(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let post = world.post(call.id("post_id")?)?.id;
    let bookmarks = &mut world.own.of::<Bookmarks>().0;
    if bookmarks.of(me).iter().any(|row| row.it.post == post) {
        return Err(Reply::conflict("This post is bookmarked already"));
    }
    bookmarks.add(me, now, Bookmark { post, folder: None });
    Ok(Reply::status(201, "bookmarked"))
}

fn unbookmark(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, post) = (call.me()?, call.id("post_id")?);
    match world.own.of::<Bookmarks>().0.remove(|row| row.owner == me && row.it.post == post) {
        0 => Err(Reply::none("Bookmark")),
        _ => Ok(Reply::no_content()),
    }
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let rows = world.own.get::<Bookmarks>().map_or_else(Vec::new, |rows| rows.0.of(me));
    let posts: Vec<&Post> = rows.iter().filter_map(|row| world.post(row.it.post).ok()).collect();
    posts::page_of(world, call, &posts)
}

/// The names of folders.
#[derive(Default)]
struct Folders(Rows<String>);

fn folder_json(row: &Row<String>, position: usize) -> Value {
    json!({"id": row.id, "name": row.it, "position": position, "created_at": time(row.created)})
}

fn folders(world: &mut World, call: &Call<'_>) -> Answer {
    let mut rows = world.own.of::<Folders>().0.of(call.me()?);
    rows.reverse();
    let rows = rows.iter().enumerate().map(|(at, row)| folder_json(row, at));
    Ok(Reply::ok(&rows.collect::<Vec<_>>()))
}

fn folder_name(call: &Call<'_>) -> Result<String, Reply> {
    let name = call.text("name", 0, usize::MAX)?.trim().to_owned();
    match name.chars().count() {
        1..=100 => Ok(name),
        _ => Err(Reply::bad_input("A folder's name has 1 to 100 characters")),
    }
}

fn create_folder(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, name, now) = (call.me()?, folder_name(call)?, world.now());
    let folders = &mut world.own.of::<Folders>().0;
    folders.room(me, 20, "folders")?;
    let position = folders.of(me).len();
    Ok(Reply::created(&folder_json(folders.add(me, now, name), position)))
}

fn rename_folder(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, name, id) = (call.me()?, folder_name(call)?, call.id("folder_id")?);
    let folders = &mut world.own.of::<Folders>().0;
    folders.find(me, id, "Folder")?.it = name;
    let mut rows = folders.of(me);
    rows.reverse();
    let found = rows.iter().enumerate().find(|(_, row)| row.id == id);
    Ok(Reply::ok(&found.map(|(at, row)| folder_json(row, at))))
}

/// Deletes a folder. Its bookmarks stay, without a folder.
fn delete_folder(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("folder_id")?);
    world.own.of::<Folders>().0.delete(me, id, "Folder")?;
    for row in world.own.of::<Bookmarks>().0.iter_mut().filter(|row| row.it.folder == Some(id)) {
        row.it.folder = None;
    }
    Ok(Reply::ok(&json!({"deleted": true})))
}

/// Moves a bookmark, named by its own id or its post's, into a folder.
fn sort(world: &mut World, call: &Call<'_>, folder: Option<Uuid>) -> Answer {
    let (me, id) = (call.me()?, call.id("bookmark_id")?);
    let mut rows = world.own.of::<Bookmarks>().0.iter_mut();
    let row = rows.find(|row| row.owner == me && (row.id == id || row.it.post == id));
    let row = row.ok_or_else(|| Reply::none("Bookmark"))?;
    row.it.folder = folder;
    Ok(Reply::ok(&json!({"bookmark_id": row.id, "folder_id": folder})))
}

fn move_to_folder(world: &mut World, call: &Call<'_>) -> Answer {
    let folder = world.own.of::<Folders>().0.find(call.me()?, call.id("folder_id")?, "Folder")?.id;
    sort(world, call, Some(folder))
}

fn unsort(world: &mut World, call: &Call<'_>) -> Answer {
    sort(world, call, None)
}

/// (user, post) of watched posts and of muted posts.
#[derive(Default)]
struct Marks {
    watched: HashSet<(Uuid, Uuid)>,
    muted: HashSet<(Uuid, Uuid)>,
}

fn mark(world: &mut World, call: &Call<'_>) -> Result<(Uuid, Uuid), Reply> {
    Ok((call.me()?, world.post(call.id("post_id")?)?.id))
}

fn watch(world: &mut World, call: &Call<'_>) -> Answer {
    let mark = mark(world, call)?;
    world.own.of::<Marks>().watched.insert(mark);
    Ok(Reply::status(201, "watching"))
}

fn unwatch(world: &mut World, call: &Call<'_>) -> Answer {
    let mark = mark(world, call)?;
    world.own.of::<Marks>().watched.remove(&mark);
    Ok(Reply::status(200, "unwatched"))
}

fn mute(world: &mut World, call: &Call<'_>) -> Answer {
    let mark = mark(world, call)?;
    world.own.of::<Marks>().muted.insert(mark);
    Ok(Reply::status(201, "muted"))
}

fn unmute(world: &mut World, call: &Call<'_>) -> Answer {
    let mark = mark(world, call)?;
    world.own.of::<Marks>().muted.remove(&mark);
    Ok(Reply::status(200, "unmuted"))
}
