//! Builds a delivery's body from polled events.

use colony_core::{
    api::{notifications::Notification, users::User},
    events::{Event, EventKind},
    idempotency::key_for,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::samples;

type Fields = Map<String, Value>;

/// The fields in which events name the acting user; the user's id is in the field with `_id` appended.
const ACTORS: [&str; 22] = [
    "actor",
    "replier",
    "commenter",
    "reactor",
    "follower",
    "giver",
    "tipper",
    "sender_username",
    "sender",
    "bidder",
    "buyer",
    "seller",
    "rater",
    "poster",
    "initiator",
    "appellant",
    "accepter",
    "requester",
    "new_user",
    "leaver",
    "editor",
    "deleter",
];

/// Returns the id under which an event is delivered, which is the same each time the event is received.
pub(super) fn event_id(event: &Event) -> String {
    let key = u128::from_str_radix(&key_for(&[event.id().as_str()]), 16).unwrap_or_default();
    uuid::Builder::from_custom_bytes(key.to_be_bytes()).into_uuid().to_string()
}

/// Returns the kinds that these events are made from; all if none is named.
pub(super) fn kinds(wanted: &[String]) -> Vec<EventKind> {
    let kind = |event: &String| match event.as_str() {
        "direct_message" => EventKind::Message,
        "post_created" => EventKind::Post,
        _ => EventKind::Notification,
    };
    if wanted.is_empty() { EventKind::ALL.to_vec() } else { wanted.iter().map(kind).collect() }
}

/// Returns the event's name and the body of its delivery, including `event`; `None` for an event that is not
/// delivered.
pub(super) fn of(event: &Event) -> Option<(String, Fields)> {
    let (name, fields) = match event {
        Event::Notification(notification) => {
            let name = name_of(notification.notification_type.as_deref()?)?;
            (name, of_notification(name, notification))
        }
        Event::Message(message) => {
            let sender = message.sender.as_ref();
            let name = sender
                .and_then(|user| user.display_name.clone())
                .or_else(|| event.actor().map(str::to_owned));
            let fields = json!({"sender_display_name": name, "sender": name});
            ("direct_message", present(fields))
        }
        Event::Post(post) => {
            let fields = json!({
                "post_id": post.id, "author": event.actor(), "title": post.title, "colony": post.colony_name,
                "post_type": post.post_type,
            });
            ("post_created", present(fields))
        }
        _ => return None,
    };
    let name = name.to_owned();
    let mut fields = fields;
    fields.insert("event".to_owned(), name.as_str().into());
    Some((name, fields))
}

/// Returns the event's name for a type of notification. Messages are received as messages instead.
fn name_of(kind: &str) -> Option<&str> {
    Some(match kind {
        "direct_message" => return None,
        "reply" => "reply_to_comment",
        "comment" => "comment_on_post",
        "reaction" => "post_reaction",
        "follow" => "new_follower",
        "award" => "award_received",
        other => other,
    })
}

/// Returns the event's fields that a notification contains.
fn of_notification(name: &str, notification: &Notification) -> Fields {
    let ids = json!({
        "post_id": notification.post_id,
        "comment_id": notification.comment_id,
        "conversation_id": notification.conversation_id,
        "message_id": notification.message_id,
        "is_comment": notification.comment_id.is_some(),
        "message": notification.message,
    });
    let actor = notification.actor.as_ref();
    let Some(sample) = samples::find(name) else {
        // A notification type that this version does not know.
        let mut fields = present(ids);
        fields.remove("is_comment");
        name_actor(&mut fields, "actor", actor);
        return fields;
    };
    let has = |field: &str| sample.fields().contains_key(field);
    let mut fields = present(ids);
    // The notification's text differs from the event's.
    fields.retain(|field, _| has(field) && field != "message");
    if has("comment_id") {
        fields.entry("comment_id").or_insert(Value::Null);
    }
    let mut named = Fields::new();
    ACTORS.iter().filter(|field| has(field)).for_each(|field| name_actor(&mut named, field, actor));
    fields.extend(named.into_iter().filter(|(field, _)| has(field)));
    fields
}

fn name_actor(fields: &mut Fields, field: &str, actor: Option<&User>) {
    let Some(actor) = actor else { return };
    fields.insert(field.to_owned(), actor.username.as_str().into());
    let id = format!("{}_id", field.trim_end_matches("_username"));
    if Uuid::parse_str(actor.id.as_str()).is_ok() {
        fields.insert(id, actor.id.as_str().into());
    }
}

/// Returns the fields with known values.
fn present(fields: Value) -> Fields {
    let Value::Object(fields) = fields else { return Fields::new() };
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "2e549d01-99f2-459f-8924-48b2690b2170";

    fn notification(kind: &str) -> Event {
        let row = json!({
            "id": ID, "notification_type": kind, "message": "ada did it", "post_id": ID,
            "actor": {"id": ID, "username": "ada", "display_name": "Ada", "user_type": "agent"},
        });
        Event::Notification(Box::new(serde_json::from_value(row).unwrap()))
    }

    #[test]
    fn notifications_become_the_services_events() {
        for (kind, expected) in [
            ("mention", json!({"event": "mention", "actor": "ada", "post_id": ID})),
            (
                "reply",
                json!({"event": "reply_to_comment", "post_id": ID, "comment_id": null, "replier": "ada", "replier_id": ID}),
            ),
            (
                "comment_on_post",
                json!({"event": "comment_on_post", "post_id": ID, "comment_id": null, "commenter": "ada", "commenter_id": ID}),
            ),
            (
                "reaction",
                json!({"event": "post_reaction", "post_id": ID, "comment_id": null, "reactor": "ada", "reactor_id": ID,
                    "is_comment": false}),
            ),
            ("follow", json!({"event": "new_follower", "follower": "ada", "follower_id": ID})),
            (
                "group_message",
                json!({"event": "group_message", "sender": "ada", "sender_username": "ada", "sender_id": ID}),
            ),
            ("kudos_received", json!({"event": "kudos_received", "giver": "ada", "giver_id": ID})),
            (
                "of_tomorrow",
                json!({"event": "of_tomorrow", "actor": "ada", "actor_id": ID, "post_id": ID, "message": "ada did it"}),
            ),
        ] {
            let (name, fields) = of(&notification(kind)).unwrap();
            assert_eq!(
                (Value::from(fields), &*name),
                (expected.clone(), expected["event"].as_str().unwrap()),
                "{kind}"
            );
        }
        assert_eq!(of(&notification("direct_message")), None, "it is heard as a message");
    }

    #[test]
    fn messages_and_posts_have_all_fields() {
        let message = json!({"id": ID, "body": "hi", "sender": {"id": ID, "username": "ada", "display_name": "Ada L."}});
        let message = Event::Message(Box::new(serde_json::from_value(message).unwrap()));
        assert_eq!(
            Value::from(of(&message).unwrap().1),
            json!({"event": "direct_message", "sender": "Ada L.", "sender_display_name": "Ada L."})
        );
        let post = json!({
            "id": ID, "title": "T", "body": "b", "post_type": "finding", "colony_name": "meta",
            "author": {"id": ID, "username": "ada"},
        });
        let post = Event::Post(Box::new(serde_json::from_value(post).unwrap()));
        let (name, fields) = of(&post).unwrap();
        assert_eq!(
            fields.keys().collect::<Vec<_>>(),
            samples::find(&name).unwrap().fields().keys().collect::<Vec<_>>()
        );
        assert_eq!(fields["colony"], "meta");
    }

    #[test]
    fn an_event_has_one_id_for_ever() {
        let id = event_id(&notification("mention"));
        assert_eq!(id, event_id(&notification("reply")), "the row's, whatever it says");
        assert_eq!(id, GOLDEN);
        assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 8);
    }

    const GOLDEN: &str = "b14e8865-6a3b-8a55-9b7e-a4d4c12cfc57";
}
