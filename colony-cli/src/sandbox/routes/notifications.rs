//! Notifications.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::reply::{Answer, Reply};
use super::super::state::{Notification, World};

fn mine(world: &mut World, me: Uuid) -> &mut Vec<Notification> {
    world.notifications.entry(me).or_default()
}

/// A bare array, newest first.
pub(crate) fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let unread_only = call.query_bool("unread_only")?.or(call.query_bool("unread")?);
    let read = match call.query_bool("is_read")? {
        Some(read) => Some(read),
        None => unread_only.filter(|&only| only).map(|_| false),
    };
    let list = world.notifications.get(&me).map_or(&[][..], Vec::as_slice);
    let fits = |row: &&Notification| read.is_none_or(|read| row.read == read);
    let rows: Vec<&Notification> = list.iter().rev().filter(fits).collect();
    Ok(Reply::ok(&page.array(&rows, |row| world.notification_json(row))))
}

fn counted(world: &World, me: Uuid) -> Reply {
    let unread = world.unread_notifications(me);
    Reply::ok(&json!({"unread_notifications": unread, "unread_count": unread}))
}

pub(crate) fn count(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(counted(world, call.me()?))
}

pub(crate) fn read_all(world: &mut World, call: &Call<'_>) -> Answer {
    for row in mine(world, call.me()?) {
        row.read = true;
    }
    Ok(Reply::no_content())
}

fn ids(call: &Call<'_>) -> Result<Vec<Uuid>, Reply> {
    let loc = ["body", "ids"];
    let ids = call.texts("ids", 100)?;
    let ids = ids.ok_or_else(|| Reply::invalid(&loc, "missing", "Field required", Value::Null))?;
    let parsed = ids.iter().map(|id| Uuid::try_parse(id));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|_| Reply::invalid(&loc, "uuid_parsing", "Input should be a valid UUID", Value::Null))
}

pub(crate) fn read_batch(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, ids) = (call.me()?, ids(call)?);
    for row in mine(world, me).iter_mut().filter(|row| ids.contains(&row.id)) {
        row.read = true;
    }
    Ok(counted(world, me))
}

/// 204 for an unknown id as well.
pub(crate) fn read_one(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("notification_id")?);
    for row in mine(world, me).iter_mut().filter(|row| row.id == id) {
        row.read = true;
    }
    Ok(Reply::no_content())
}

pub(crate) fn delete_batch(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, ids) = (call.me()?, ids(call)?);
    mine(world, me).retain(|row| !ids.contains(&row.id));
    Ok(counted(world, me))
}

pub(crate) fn delete_read(world: &mut World, call: &Call<'_>) -> Answer {
    let list = mine(world, call.me()?);
    let before = list.len();
    list.retain(|row| !row.read);
    Ok(Reply::ok(&json!({"deleted": before - list.len()})))
}

pub(crate) fn delete_one(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("notification_id")?);
    mine(world, me).retain(|row| row.id != id);
    Ok(Reply::no_content())
}

/// Nothing is announced here.
pub(crate) fn system(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!([])))
}
