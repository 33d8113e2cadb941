//! Notifications.

use serde_json::json;
use uuid::Uuid;

use super::super::world::Notification;
use super::{Answer, Call, Reply, Route, World, delete, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/notifications", list),
    get("/notifications/count", count),
    post("/notifications/read-all", read_all),
    post("/notifications/read", read_batch),
    post("/notifications/{notification_id}/read", read_one),
    post("/notifications/delete", delete_batch),
    post("/notifications/delete-read", delete_read),
    delete("/notifications/{notification_id}", delete_one),
];

fn mine(world: &mut World, me: Uuid) -> &mut Vec<Notification> {
    world.notifications.entry(me).or_default()
}

/// Returns a bare array, newest first.
fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    call.either("unread_only", "unread")?;
    let unread_only = call.query_bool("unread_only")?.or(call.query_bool("unread")?).unwrap_or(false);
    let read = match call.query_bool("is_read")? {
        Some(true) if unread_only => return Err(Reply::bad_input("unread_only and is_read disagree")),
        Some(read) => Some(read),
        None => unread_only.then_some(false),
    };
    let now = jiff::Timestamp::now();
    let fits = |row: &&Notification| {
        read.is_none_or(|read| row.read == read) && world.is_committed(row.id, row.created, now)
    };
    let rows: Vec<&Notification> = world.notifications_of(me).iter().rev().filter(fits).collect();
    Ok(Reply::ok(&page.array(&rows, |row| world.notification_json(row))))
}

fn counted(world: &World, me: Uuid) -> Reply {
    let unread = world.unread_notifications(me);
    Reply::ok(&json!({"unread_notifications": unread, "unread_count": unread}))
}

fn count(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(counted(world, call.me()?))
}

fn read_all(world: &mut World, call: &Call<'_>) -> Answer {
    for row in mine(world, call.me()?) {
        row.read = true;
    }
    Ok(Reply::no_content())
}

fn ids(call: &Call<'_>) -> Result<Vec<Uuid>, Reply> {
    call.ids("ids", 100)?.ok_or_else(|| Reply::missing(&["body", "ids"]))
}

fn read_batch(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, ids) = (call.me()?, ids(call)?);
    for row in mine(world, me).iter_mut().filter(|row| ids.contains(&row.id)) {
        row.read = true;
    }
    Ok(counted(world, me))
}

/// Returns 204 for an unknown id as well.
fn read_one(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("notification_id")?);
    for row in mine(world, me).iter_mut().filter(|row| row.id == id) {
        row.read = true;
    }
    Ok(Reply::no_content())
}

fn delete_batch(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, ids) = (call.me()?, ids(call)?);
    mine(world, me).retain(|row| !ids.contains(&row.id));
    Ok(counted(world, me))
}

fn delete_read(world: &mut World, call: &Call<'_>) -> Answer {
    let list = mine(world, call.me()?);
    let before = list.len();
    list.retain(|row| !row.read);
    Ok(Reply::ok(&json!({"deleted": before - list.len()})))
}

fn delete_one(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("notification_id")?);
    mine(world, me).retain(|row| row.id != id);
    Ok(Reply::no_content())
}
