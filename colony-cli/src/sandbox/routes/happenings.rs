//! Actions by another account, on demand.

use jiff::SignedDuration;
use uuid::Uuid;

use super::super::world::{About, Post};
use super::{Reply, World, messages};

/// Makes an account act so that another one is notified, dated `earlier` seconds ago. Returns the row's id.
pub(crate) fn happen(
    world: &mut World,
    kind: &str,
    from: Uuid,
    to: Uuid,
    text: Option<&str>,
    earlier: f64,
) -> Result<Uuid, Reply> {
    let earlier = SignedDuration::try_from_secs_f64(earlier).unwrap_or_default();
    let text = text.unwrap_or("Something happened").to_owned();
    let post = || world.live_posts().next_back().map(|post| post.id).ok_or_else(|| Reply::none("Post"));
    match kind {
        "mention" | "comment" => {
            let about = About::post(post()?);
            let (kind, what) = if kind == "mention" {
                ("mention", "mentioned you")
            } else {
                ("comment_on_post", "commented")
            };
            world.notify(to, from, kind, what, about);
            let rows = world.notifications.entry(to).or_default();
            let row = rows.last_mut().ok_or_else(|| Reply::none("Notification"))?;
            row.created = row.created.saturating_sub(earlier).unwrap_or(row.created);
            Ok(row.id)
        }
        "message" => {
            let at = world.conversation_with(from, to);
            let id = messages::deliver(world, at, from, text, None, Vec::new());
            if let Some(message) = world.conversations[at].messages.last_mut() {
                message.created = message.created.saturating_sub(earlier).unwrap_or(message.created);
            }
            Ok(id)
        }
        "post" => {
            let colony =
                world.colonies.iter().find(|colony| colony.member(to).is_some()).map(|colony| colony.id);
            let (id, now) = (Uuid::new_v4(), world.now());
            let created = now.saturating_sub(earlier).unwrap_or(now);
            world.add_post(Post {
                id,
                author: from,
                colony,
                post_type: "discussion".to_owned(),
                title: super::super::world::excerpt(&text, 200),
                body: text,
                created,
                updated: created,
                language: "en".to_owned(),
                ..Post::default()
            });
            Ok(id)
        }
        _ => Err(Reply::bad_input("kind is mention, comment, message or post")),
    }
}
