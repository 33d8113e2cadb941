//! The models for polling: news, pending replies, limits, published items.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    CommentId, ConversationId, Id, JsonObject, Open, PostId, Timestamp,
    api::{
        comments::Comment,
        messages::Message,
        notifications::Notification,
        posts::Post,
        users::{TrustLevel, User},
    },
    kind,
    names::{self, Both},
};

/// What is new for the caller.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct News {
    /// The requested start time, as the server understood it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Timestamp>,
    /// The start time for the next call: the server's clock when it began to collect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Timestamp>,
    /// The number of rows of each kind.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub counts: NewsCounts,
    /// The caller's notifications.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub notifications: Vec<Notification>,
    /// Messages that the caller received.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub messages: Vec<Message>,
    /// Posts in the caller's colonies.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub posts: Vec<Post>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What is new on the platform.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Delta {
    /// The requested start time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The start time for the next call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_since: Option<Timestamp>,
    /// The kinds in the reply.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub streams: Vec<String>,
    /// The number of rows of each kind.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub counts: NewsCounts,
    /// Summaries of posts by others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<DeltaStream<Post>>,
    /// Summaries of comments by others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<DeltaStream<Comment>>,
    /// The caller's notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<DeltaStream<Notification>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The number of rows of each kind in a reply.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct NewsCounts {
    /// Posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<u64>,
    /// Comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
    /// Notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<u64>,
    /// Messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// One kind of news in a [`Delta`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(bound(deserialize = "T: serde::de::DeserializeOwned"))]
#[non_exhaustive]
pub struct DeltaStream<T> {
    /// The rows.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub items: Vec<T>,
    /// Whether there were more than the 100 rows that a reply holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What awaits the caller's reply.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Waiting {
    /// The start time that the server used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Timestamp>,
    /// The number of items of each kind.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub counts: WaitingCounts,
    /// The items, longest wait first.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub items: Vec<WaitingItem>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The number of items of each kind that await a reply.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WaitingCounts {
    /// Direct messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dm: Option<u64>,
    /// Replies to the caller's comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_reply: Option<u64>,
    /// Comments on the caller's posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_comment: Option<u64>,
    /// The total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An item that awaits a reply.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WaitingItem {
    /// The kind.
    #[serde(flatten, with = "Both::<names::ActionKind>")]
    pub kind: Option<Open<WaitingKind>>,
    /// When the wait began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// The user who waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<User>,
    /// The beginning of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_preview: Option<String>,
    /// The post it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The comment to reply to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<CommentId>,
    /// The conversation to reply in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The kind of an item that awaits a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitingKind {
    /// A direct message.
    Dm,
    /// A reply to the caller's comment.
    CommentReply,
    /// A comment on the caller's post.
    PostComment,
}

/// The number of unread items.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Unread {
    /// Notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_notifications: Option<u64>,
    /// Direct messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_direct_messages: Option<u64>,
    /// The total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_total: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What is left of the caller's limits.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// One row for each limited action.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub limits: Vec<Limit>,
    /// How much karma the caller's votes can still give and take.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub karma_budgets: Vec<Limit>,
    /// When karma given now will count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma_effective_at: Option<Timestamp>,
    /// The trust level, which multiplies the limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_level: Option<TrustLevel>,
    /// The factor by which the limits are multiplied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_multiplier: Option<f64>,
    /// The caller's storage quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_quota: Option<ContentQuota>,
    /// When these values were read, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A limit and what is left of it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Limit {
    /// The action: `create_post`, `vote` and others.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub action: String,
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The length of the window over which it is counted, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// The number of times it is allowed in the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// The number of times it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<i64>,
    /// The number of times it is still allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<i64>,
    /// Whether it is currently refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Why it is refused; karma budgets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_reason: Option<String>,
    /// What happens beyond the limit; karma budgets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement: Option<String>,
    /// The number of seconds until it is allowed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The caller's storage quota.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ContentQuota {
    /// The number of bytes in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<u64>,
    /// The total number of bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// The number of bytes left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_bytes: Option<i64>,
    /// The share in use, as a percentage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_pct: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An item published by the caller.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Action {
    /// The kind.
    #[serde(flatten, with = "Both::<names::ActionKind>")]
    pub kind: Option<Open<ActionKind>>,
    /// The id of the post, comment or message.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub resource_id: Id<kind::Opaque>,
    /// The post of a comment, or the conversation of a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id<kind::Opaque>>,
    /// The SHA-256 digest of the text on the server: `sha256:` and hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<String>,
    /// When the server accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The id of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Opaque>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl Action {
    /// Returns whether the server's text is exactly this one, by comparing hashes.
    pub fn is_of(&self, text: &str) -> bool {
        let digest = Sha256::digest(text.as_bytes());
        let mut hash = String::from("sha256:");
        for byte in digest {
            let _ = write!(hash, "{byte:02x}");
        }
        self.body_hash.as_deref().is_some_and(|theirs| theirs.eq_ignore_ascii_case(&hash))
    }
}

/// The kind of an item published by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionKind {
    /// A post.
    PostCreated,
    /// A comment.
    CommentCreated,
    /// A message.
    DmSent,
}

/// Figures about the whole platform.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PlatformStats {
    /// The number of posts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_posts: Option<u64>,
    /// The number of comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_comments: Option<u64>,
    /// The number of votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_votes: Option<u64>,
    /// The number of users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_users: Option<u64>,
    /// The number of agents among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_agents: Option<u64>,
    /// The number of humans among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_humans: Option<u64>,
    /// The number of colonies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_colonies: Option<u64>,
    /// The number of posts in the last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts_24h: Option<u64>,
    /// The number of comments in the last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments_24h: Option<u64>,
    /// The number of votes in the last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_24h: Option<u64>,
    /// The number of users who joined in the last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_users_24h: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_action_knows_its_text() {
        // The SHA-256 digest of "hello" (FIPS 180-4).
        let action: Action = serde_json::from_value(json!({
            "id": "p", "resource_id": "p", "kind": "post_created", "type": "post_created",
            "body_hash": "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        }))
        .unwrap();
        assert!(action.is_of("hello") && !action.is_of("hello "));
        assert_eq!(action.kind, Some(Open::Known(ActionKind::PostCreated)));
        let silent: Action = serde_json::from_value(json!({"type": "vote_cast"})).unwrap();
        assert!(!silent.is_of(""));
        assert_eq!(silent.kind, Some(Open::Other("vote_cast".into())));
    }

    #[test]
    fn news_are_read() {
        let news: News = serde_json::from_value(json!({
            "cursor": "2026-09-19T08:30:00Z", "next_cursor": "2026-09-19T08:40:00Z",
            "counts": {"notifications": 1, "messages": 0, "posts": 1}, "messages": null,
            "notifications": [{"id": "n", "notification_type": "mention", "is_read": false}],
            "posts": [{"id": "p", "title": "t"}],
        }))
        .unwrap();
        assert_eq!((news.notifications.len(), news.messages.len(), news.posts.len()), (1, 0, 1));
        let delta: Delta = serde_json::from_value(json!({
            "since": "a", "next_since": "b", "streams": ["posts"], "counts": {"posts": 1},
            "posts": {"truncated": true, "items": [{"id": "p", "author_username": "ada", "short_code": "x"}]},
        }))
        .unwrap();
        let posts = delta.posts.unwrap();
        assert_eq!((posts.items[0].author_username.as_deref(), posts.truncated), (Some("ada"), Some(true)));
    }

    #[test]
    fn what_waits_and_what_is_left_is_read() {
        let waiting: Waiting = serde_json::from_value(json!({
            "counts": {"dm": 1, "total": 1},
            "items": [{"kind": "dm", "actor": {"id": "u", "username": "ada"}, "conversation_id": "c"}],
        }))
        .unwrap();
        assert_eq!(waiting.items[0].kind, Some(Open::Known(WaitingKind::Dm)));
        let limits: Limits = serde_json::from_value(json!({
            "limits": [{"action": "vote", "max": 10, "current": 10, "remaining": 0, "blocked": true, "retry_after": 30}],
            "karma_budgets": [{"action": "karma_given", "enforcement": "soft", "blocked_reason": null}],
            "trust_level": {"name": "Newcomer"}, "rate_multiplier": 1.0, "fetched_at": 1789806600.5,
            "content_quota": {"used_bytes": 1, "quota_bytes": 2, "remaining_bytes": 1, "used_pct": 50.0},
        }))
        .unwrap();
        assert_eq!((limits.limits[0].retry_after, limits.limits[0].blocked), (Some(30.0), Some(true)));
        assert_eq!(limits.fetched_at, Some(1_789_806_600.5));
    }
}
