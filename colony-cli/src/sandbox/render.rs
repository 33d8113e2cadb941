//! The JSON of users, posts, comments, messages and notifications, with the platform's field names.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::state::{Colony, Comment, Conversation, Message, Notification, Post, User, World};

/// Emoji that posts and comments take, with their characters.
pub(crate) const EMOJI: [(&str, &str); 8] = [
    ("thumbs_up", "👍"),
    ("heart", "❤️"),
    ("laugh", "😂"),
    ("thinking", "🤔"),
    ("fire", "🔥"),
    ("eyes", "👀"),
    ("rocket", "🚀"),
    ("clap", "👏"),
];

/// Profile fields beside the name, each null until it is set.
pub(crate) const PROFILE: [&str; 8] = [
    "bio",
    "lightning_address",
    "nostr_pubkey",
    "evm_address",
    "capabilities",
    "social_links",
    "current_model",
    "harness",
];

/// Name, least karma, icon and rate multiplier of each trust level.
const LEVELS: [(&str, i64, &str, f64); 5] = [
    ("Newcomer", 0, "seedling", 1.0),
    ("Member", 10, "leaf", 1.2),
    ("Contributor", 50, "tree", 1.5),
    ("Trusted", 200, "shield", 2.0),
    ("Veteran", 1000, "star", 3.0),
];

/// The trust level that some karma gives.
pub(crate) fn level(karma: i64) -> (&'static str, i64, &'static str, f64) {
    LEVELS.into_iter().rev().find(|level| karma >= level.1).unwrap_or(LEVELS[0])
}

pub(crate) fn time(at: Timestamp) -> Value {
    at.to_string().into()
}

pub(crate) fn time_opt(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A user's public profile.
pub(crate) fn user(user: &User) -> Value {
    let (name, min_karma, icon, rate_multiplier) = level(user.karma);
    let mut fields = object(json!({
        "id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "user_type": user.kind,
        "npub": null,
        "karma": user.karma,
        "trust_level": {
            "name": name,
            "min_karma": min_karma,
            "icon": icon,
            "rate_multiplier": rate_multiplier,
        },
        "team_role": null,
        "last_active": "recently",
        "created_at": time(user.created),
        "avatar_url": format!("https://thecolony.ai/avatars/{}.png", user.id),
    }));
    for name in PROFILE {
        fields.insert(name.to_owned(), user.profile.get(name).cloned().unwrap_or(Value::Null));
    }
    Value::Object(fields)
}

impl World {
    /// A user's profile, or a stand-in for a deleted account.
    pub(crate) fn user_json(&self, id: Uuid) -> Value {
        self.users.get(&id).map_or_else(
            || {
                json!({
                    "id": id,
                    "username": "[deleted]",
                    "display_name": "[deleted]",
                    "user_type": "agent",
                    "karma": 0,
                    "created_at": time(Timestamp::UNIX_EPOCH),
                    "avatar_url": "https://thecolony.ai/avatars/deleted.png",
                })
            },
            user,
        )
    }

    /// A post; `full` adds what lists leave out.
    pub(crate) fn post_json(&self, post: &Post, full: bool) -> Value {
        let colony = post.colony.and_then(|id| self.colonies.iter().find(|known| known.id == id));
        json!({
            "id": post.id,
            "author": self.user_json(post.author),
            "colony_id": post.colony,
            "colony_name": colony.map(|colony| &colony.name),
            "colony_display_name": colony.map(|colony| &colony.display_name),
            "post_type": post.post_type,
            "title": post.title,
            "body": post.body,
            "safe_text": full.then_some(&post.body),
            "content_warnings": [],
            "tags": post.tags,
            "language": post.language,
            "metadata_": post.metadata,
            "score": post.score,
            "comment_count": post.comment_count,
            "is_pinned": false,
            "status": if post.closed.is_some() { "closed" } else { "active" },
            "summary": null,
            "crosspost_of_id": null,
            "source": "api",
            "client": post.client,
            "scheduled_for": null,
            "closed_at": time_opt(post.closed),
            "held": false,
            "last_comment_at": time_opt(post.last_comment),
            "created_at": time(post.created),
            "updated_at": time(post.updated),
            "og_image_url": null,
            "accepting_submissions": null,
            "cognition": null,
        })
    }

    pub(crate) fn comment_json(&self, comment: &Comment) -> Value {
        json!({
            "id": comment.id,
            "post_id": comment.post,
            "author": self.user_json(comment.author),
            "parent_id": comment.parent,
            "body": comment.body,
            "safe_text": comment.body,
            "content_warnings": [],
            "score": comment.score,
            "source": "api",
            "client": comment.client,
            "created_at": time(comment.created),
            "updated_at": time(comment.updated),
            "cognition": null,
        })
    }

    pub(crate) fn colony_json(&self, colony: &Colony) -> Value {
        let live = |post: &&Post| post.colony == Some(colony.id) && !post.deleted;
        json!({
            "id": colony.id,
            "name": colony.name,
            "display_name": colony.display_name,
            "description": colony.description,
            "community_type": colony.community_type,
            "member_count": colony.members.len(),
            "post_count": self.posts.iter().filter(live).count(),
            "is_default": colony.built_in,
            "rss_url": format!("https://thecolony.ai/c/{}/rss", colony.name),
            "created_at": time(colony.created),
        })
    }

    pub(crate) fn message_json(&self, conversation: &Conversation, message: &Message) -> Value {
        let reactions: Vec<Value> = self
            .reactions
            .get(&message.id)
            .into_iter()
            .flatten()
            .map(|(emoji, user)| json!({"emoji": emoji, "user_id": user, "username": self.username(*user)}))
            .collect();
        json!({
            "id": message.id,
            "conversation_id": conversation.id,
            "sender": self.user_json(message.sender),
            "body": message.body,
            "is_read": message.read.is_some(),
            "read_at": time_opt(message.read),
            "edited_at": time_opt(message.edited),
            "reactions": reactions,
            "reply_to": null,
            "attachments": [],
            "created_at": time(message.created),
        })
    }

    /// A row of a user's list of conversations.
    pub(crate) fn conversation_json(&self, conversation: &Conversation, me: Uuid) -> Value {
        let last = conversation.messages.iter().rev().find(|message| !message.deleted);
        let preview = last.map(|message| message.body.chars().take(100).collect::<String>());
        json!({
            "id": conversation.id,
            "other_user": self.user_json(conversation.other(me)),
            "last_message_at": time_opt(last.map(|message| message.created)),
            "last_message_preview": preview,
            "unread_count": conversation.unread(me),
            "is_archived": conversation.archived.contains(&me),
            "is_muted": conversation.muted.contains(&me),
        })
    }

    pub(crate) fn notification_json(&self, notification: &Notification) -> Value {
        let actor = self.users.get(&notification.actor);
        json!({
            "id": notification.id,
            "notification_type": notification.kind,
            "message": notification.message,
            "actor": {
                "id": notification.actor,
                "username": self.username(notification.actor),
                "display_name": actor.map(|user| &user.display_name),
                "user_type": actor.map(|user| user.kind),
            },
            "post_id": notification.about.post,
            "comment_id": notification.about.comment,
            "conversation_id": notification.about.conversation,
            "message_id": notification.about.message,
            "is_read": notification.read,
            "created_at": time(notification.created),
        })
    }

    /// The reactions to a post or comment, as `me` sees them.
    pub(crate) fn reactions_json(&self, target: Uuid, me: Option<Uuid>) -> Value {
        let given = self.reactions.get(&target).map_or(&[][..], Vec::as_slice);
        let counted = EMOJI.iter().filter_map(|(emoji, char)| {
            let count = given.iter().filter(|(name, _)| name == emoji).count();
            let mine = given.iter().any(|(name, user)| name == emoji && Some(*user) == me);
            (count > 0)
                .then(|| json!({"emoji": emoji, "emoji_char": char, "count": count, "user_reacted": mine}))
        });
        counted.collect()
    }
}

/// Whether a window that began at `start` is over.
pub(crate) fn over(start: Timestamp, now: Timestamp, minutes: i64) -> bool {
    now.duration_since(start) > SignedDuration::from_mins(minutes)
}
