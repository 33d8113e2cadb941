//! Collections: lists of posts compiled by a user.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::time;
use super::rows::{Row, Rows};
use super::{Answer, Call, Reply, Route, World, delete, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/collections", list).open(),
    post("/collections", create),
    get("/collections/{collection_id}", read).open(),
    put("/collections/{collection_id}", update),
    delete("/collections/{collection_id}", remove),
    post("/collections/{collection_id}/items", add),
    delete("/collections/{collection_id}/items/{post_id}", take_out),
];

#[derive(Default)]
struct Collections(Rows<Collection>);

struct Collection {
    title: String,
    description: Option<String>,
    public: bool,
    items: Vec<Item>,
}

struct Item {
    id: Uuid,
    post: Uuid,
    note: Option<String>,
    added: Timestamp,
}

fn collection_json(world: &World, row: &Row<Collection>) -> Value {
    let author = json!({
        "id": row.owner,
        "username": world.username(row.owner),
        "display_name": world.display_name(row.owner),
    });
    json!({
        "id": row.id,
        "title": row.it.title,
        "description": row.it.description,
        "is_public": row.it.public,
        "post_count": row.it.items.len(),
        "created_at": time(row.created),
        "updated_at": time(row.updated),
        "author": author,
        "user": author,
    })
}

/// Returns an item; `None` if its post is gone.
fn item_json(world: &World, item: &Item, position: usize) -> Option<Value> {
    let post = world.post(item.post).ok()?;
    Some(json!({
        "id": item.id,
        "post": {
            "id": post.id,
            "title": post.title,
            "post_type": post.post_type,
            "score": post.score,
            "comment_count": post.comment_count,
            "created_at": time(post.created),
        },
        "position": position,
        "note": item.note,
        "added_at": time(item.added),
    }))
}

fn all(world: &World) -> impl Iterator<Item = &Row<Collection>> {
    world.own.get::<Collections>().into_iter().flat_map(|all| all.0.iter().rev())
}

/// Returns all public collections, and the caller's own.
fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 200)?;
    let user = call.query("user_id").map(|named| world.find_user(named)).transpose()?;
    let seen = |row: &&Row<Collection>| {
        (row.it.public || Some(row.owner) == call.user) && user.is_none_or(|user| row.owner == user)
    };
    let rows: Vec<_> = all(world).filter(seen).collect();
    Ok(Reply::ok(&page.envelope(&rows, |row| collection_json(world, row))))
}

/// Returns a collection that the caller can see.
fn seen<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Row<Collection>, Reply> {
    let id = call.id("collection_id")?;
    let found = all(world).find(|row| row.id == id && (row.it.public || Some(row.owner) == call.user));
    found.ok_or_else(|| Reply::none("Collection"))
}

/// Returns a collection that the caller owns.
fn own<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Row<Collection>, Reply> {
    let (me, id) = (call.me()?, call.id("collection_id")?);
    if seen(world, call)?.owner != me {
        return Err(Reply::forbidden("FORBIDDEN", "This collection is not yours"));
    }
    world.own.of::<Collections>().0.find(me, id, "Collection")
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let collection = Collection {
        title: call.text("title", 1, 200)?,
        description: call.text_opt("description", 0, 5000)?,
        public: call.flag("is_public")?.unwrap_or(true),
        items: Vec::new(),
    };
    world.own.of::<Collections>().0.add(me, now, collection);
    let row = all(world).next();
    Ok(Reply::created(&row.map(|row| collection_json(world, row))))
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let row = seen(world, call)?;
    let mut json = collection_json(world, row);
    let items = row.it.items.iter().enumerate();
    json["items"] = items.filter_map(|(at, item)| item_json(world, item, at)).collect();
    Ok(Reply::ok(&json))
}

fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let now = world.now();
    let (title, public) = (call.text_opt("title", 1, 200)?, call.flag("is_public")?);
    let description = call.text_opt("description", 0, 5000)?;
    let row = own(world, call)?;
    row.it.title = title.unwrap_or_else(|| std::mem::take(&mut row.it.title));
    row.it.description = description.or(row.it.description.take());
    row.it.public = public.unwrap_or(row.it.public);
    row.updated = now;
    Ok(Reply::ok(&collection_json(world, seen(world, call)?)))
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    let (owner, id) = (own(world, call)?.owner, call.id("collection_id")?);
    world.own.of::<Collections>().0.delete(owner, id, "Collection")?;
    Ok(Reply::no_content())
}

fn add(world: &mut World, call: &Call<'_>) -> Answer {
    let added = world.now();
    let post = call.body_id("post_id")?.ok_or_else(|| Reply::missing(&["body", "post_id"]))?;
    let note = call.text_opt("note", 0, 500)?;
    world.post(post)?;
    let row = own(world, call)?;
    if row.it.items.iter().any(|item| item.post == post) {
        return Err(Reply::conflict("The post is in this collection already"));
    }
    row.it.items.push(Item { id: Uuid::new_v4(), post, note, added });
    row.updated = added;
    let items = &seen(world, call)?.it.items;
    Ok(Reply::created(&items.last().map(|item| item_json(world, item, items.len() - 1))))
}

fn take_out(world: &mut World, call: &Call<'_>) -> Answer {
    let (post, now) = (call.id("post_id")?, world.now());
    let row = own(world, call)?;
    let before = row.it.items.len();
    row.it.items.retain(|item| item.post != post);
    if row.it.items.len() == before {
        return Err(Reply::none("Item"));
    }
    row.updated = now;
    Ok(Reply::no_content())
}
