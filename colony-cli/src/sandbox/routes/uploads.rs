//! Uploaded files: attachments of messages, and pictures.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Attachment, time};
use super::{Answer, Call, Reply, Route, World, delete, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    post("/messages/attachments/upload", upload),
    get("/messages/attachments/{attachment_id}/{variant}", download),
    delete("/messages/attachments/{attachment_id}", remove),
    put("/users/me/avatar", draw_avatar),
    post("/users/me/avatar/upload", set_avatar),
    delete("/users/me/avatar/upload", remove_avatar),
];

const MAX_IMAGE: usize = 10 * 1024 * 1024;
const MAX_TEXT: usize = 1024 * 1024;

#[derive(Default)]
struct Uploads {
    attachments: HashMap<Uuid, Arc<Attachment>>,
    avatars: HashMap<Uuid, Bytes>,
}

/// Returns a picture's media type, by its first bytes.
pub(super) fn image(bytes: &[u8]) -> Result<&'static str, Reply> {
    match bytes {
        _ if bytes.len() > MAX_IMAGE => {
            Err(Reply::error(413, "AVATAR_TOO_LARGE", "A picture has at most 10 MB"))
        }
        [0x89, b'P', b'N', b'G', ..] => Ok("image/png"),
        [0xff, 0xd8, 0xff, ..] => Ok("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Ok("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok("image/webp"),
        _ => Err(Reply::error(400, "AVATAR_INVALID_FORMAT", "A picture is PNG, JPEG, GIF or WebP")),
    }
}

/// Returns the size of a PNG picture; other kinds are accepted without it.
fn size(media: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    (media == "image/png").then(|| Some((number(16)?, number(20)?)))?
}

fn attachment_json(world: &World, attachment: &Attachment, deduped: bool) -> Value {
    json!({
        "attachment_id": attachment.id,
        "mime_type": attachment.media,
        "size_bytes": attachment.bytes.len(),
        "width": attachment.size.map(|size| size.0),
        "height": attachment.size.map(|size| size.1),
        "thumb_url": world.attachment_url(attachment.id, "thumb"),
        "full_url": world.attachment_url(attachment.id, "full"),
        "deduped": deduped,
    })
}

/// Accepts a picture or a text. Equal bytes yield the same attachment.
fn upload(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, bytes) = (call.me()?, call.upload()?.clone());
    let media = match image(&bytes) {
        Ok(media) => media,
        Err(refusal) if refusal.status == 413 => return Err(refusal),
        Err(_) if bytes.len() <= MAX_TEXT && std::str::from_utf8(&bytes).is_ok() => {
            "text/plain; charset=utf-8"
        }
        Err(_) => return Err(Reply::bad_input("An attachment is a picture, or a text of at most 1 MB")),
    };
    let attachments = &mut world.own.of::<Uploads>().attachments;
    let known = attachments.values().find(|known| known.owner == me && known.bytes == bytes).cloned();
    let deduped = known.is_some();
    let attachment = known.unwrap_or_else(|| {
        let size = size(media, &bytes);
        let new = Arc::new(Attachment { id: Uuid::new_v4(), owner: me, media, bytes, size });
        attachments.insert(new.id, Arc::clone(&new));
        new
    });
    Ok(Reply::created(&attachment_json(world, &attachment, deduped)))
}

/// Returns the caller's own attachments with these ids.
pub(super) fn own(world: &World, me: Uuid, ids: &[Uuid]) -> Result<Vec<Arc<Attachment>>, Reply> {
    let uploads = world.own.get::<Uploads>();
    let find =
        |id: &Uuid| uploads.and_then(|uploads| uploads.attachments.get(id)).filter(|row| row.owner == me);
    ids.iter().map(|id| find(id).cloned().ok_or_else(|| Reply::none("Attachment"))).collect()
}

/// Returns an attachment, for its owner and its recipients.
fn download(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("attachment_id")?);
    if !["full", "thumb"].contains(&call.param("variant")) {
        return Err(Reply::none("Variant"));
    }
    let sent = world.conversations_of(me).flat_map(|row| &row.messages).flat_map(|row| &row.attachments);
    let uploads = world.own.get::<Uploads>().map(|uploads| &uploads.attachments);
    let own = uploads.and_then(|all| all.get(&id)).filter(|row| row.owner == me);
    let found = own.or_else(|| sent.into_iter().find(|row| row.id == id));
    let found = found.ok_or_else(|| Reply::none("Attachment"))?;
    Ok(Reply::bytes(200, found.media, found.bytes.clone()))
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("attachment_id")?);
    own(world, me, &[id])?;
    world.own.of::<Uploads>().attachments.remove(&id);
    Ok(Reply::no_content())
}

/// Accepts the features of a drawn avatar; the sandbox draws none.
fn draw_avatar(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    for name in ["bg", "accent"] {
        call.number_opt(name, 0, 15)?;
    }
    for name in ["eyes", "mouth", "head", "ears"] {
        call.number_opt(name, 0, 5)?;
    }
    Ok(Reply::ok(&world.user_json(me)))
}

fn set_avatar(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, bytes, now) = (call.me()?, call.upload()?.clone(), world.now());
    image(&bytes)?;
    world.own.of::<Uploads>().avatars.insert(me, bytes);
    let url = |size: &str| format!("{}/avatars/{me}-{size}.png", world.site);
    Ok(Reply::created(&json!({
        "avatar_path": format!("avatars/{me}.png"),
        "uploaded_at": time(now),
        "urls": {"sm": url("sm"), "md": url("md"), "lg": url("lg")},
    })))
}

fn remove_avatar(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Uploads>().avatars.remove(&call.me()?);
    Ok(Reply::no_content())
}
