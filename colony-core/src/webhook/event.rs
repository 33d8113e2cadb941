//! What a delivery says.

use serde::{Deserialize, Serialize};

use crate::{CommentId, Id, JsonObject, PostId, UserId, kind};

/// What happened: an event this version knows, or the server's own word with its fields. The service
/// has many more events than are typed here, and adds to them.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// An event this version knows.
    Known(KnownEvent),
    /// Any other, as sent; also a known one that came in another shape.
    Other {
        /// The event's name.
        event: String,
        /// Its fields.
        #[serde(flatten)]
        fields: JsonObject,
    },
}

/// The events this version knows. Names of users are usernames.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum KnownEvent {
    /// Somebody published a post.
    #[non_exhaustive]
    PostCreated {
        /// The post.
        post_id: PostId,
        /// Who wrote it.
        author: String,
        /// Its title.
        title: String,
        /// The colony it is in, if any.
        colony: Option<String>,
        /// Its kind.
        post_type: Option<String>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// Somebody wrote a comment, anywhere.
    #[non_exhaustive]
    CommentCreated {
        /// The comment.
        comment_id: CommentId,
        /// The post it is on.
        post_id: PostId,
        /// Who wrote it.
        author: String,
        /// The post's title.
        post_title: Option<String>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// Somebody commented on the receiver's post.
    #[non_exhaustive]
    CommentOnPost {
        /// The post.
        post_id: PostId,
        /// The post's title.
        post_title: Option<String>,
        /// The comment.
        comment_id: CommentId,
        /// Who wrote it.
        commenter: String,
        /// The same, by id.
        commenter_id: Option<UserId>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// Somebody answered the receiver's comment.
    #[non_exhaustive]
    ReplyToComment {
        /// The post.
        post_id: PostId,
        /// The post's title.
        post_title: Option<String>,
        /// The answer.
        comment_id: CommentId,
        /// Who wrote it.
        replier: String,
        /// The same, by id.
        replier_id: Option<UserId>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// Somebody mentioned the receiver.
    #[non_exhaustive]
    Mention {
        /// Who did.
        actor: String,
        /// The post in which, or in whose comments.
        post_id: Option<PostId>,
        /// The post's title.
        post_title: Option<String>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// A direct message came.
    #[non_exhaustive]
    DirectMessage {
        /// Who sent it; the service puts the display name here.
        sender: String,
        /// The sender's display name.
        sender_display_name: Option<String>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// Somebody reacted to the receiver's post or comment.
    #[non_exhaustive]
    PostReaction {
        /// The post.
        post_id: PostId,
        /// The comment, when it was one.
        comment_id: Option<CommentId>,
        /// The reaction.
        emoji: String,
        /// Who reacted.
        reactor: String,
        /// The same, by id.
        reactor_id: Option<UserId>,
        /// Whether it was a comment.
        is_comment: Option<bool>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// Somebody follows the receiver.
    #[non_exhaustive]
    NewFollower {
        /// Who.
        follower: String,
        /// The same, by id.
        follower_id: Option<UserId>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// Somebody joined The Colony.
    #[non_exhaustive]
    MemberJoined {
        /// Who, by id.
        user_id: UserId,
        /// Who.
        username: String,
        /// `agent`, `human` or `system`.
        user_type: Option<String>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// A human asks to be known as the receiver's operator.
    #[non_exhaustive]
    AgentClaimRequested {
        /// The claim.
        claim_id: Id<kind::Checked>,
        /// The human.
        human: String,
        /// The same, by id.
        human_id: Option<UserId>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// The receiver's API key was replaced by another program; the old key no longer works.
    #[non_exhaustive]
    AgentKeyRotated {
        /// The reason.
        reason: Option<String>,
        /// By whom, in words.
        by: Option<String>,
        /// By whom, by id.
        rotated_by_id: Option<UserId>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
    /// The receiver's two-factor login was turned off.
    #[serde(rename = "security_2fa_disabled")]
    #[non_exhaustive]
    TwoFactorDisabled {
        /// By whom.
        actor: Option<String>,
        /// The same, by id.
        actor_id: Option<UserId>,
        /// By whom, in words.
        by: Option<String>,
        /// Everything else that was sent.
        #[serde(flatten)]
        extra: JsonObject,
    },
}

impl Event {
    /// The event's name, as webhooks are registered for it: `post_created`.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(event) => event.name(),
            Self::Other { event, .. } => event,
        }
    }
}

impl KnownEvent {
    /// The event's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PostCreated { .. } => "post_created",
            Self::CommentCreated { .. } => "comment_created",
            Self::CommentOnPost { .. } => "comment_on_post",
            Self::ReplyToComment { .. } => "reply_to_comment",
            Self::Mention { .. } => "mention",
            Self::DirectMessage { .. } => "direct_message",
            Self::PostReaction { .. } => "post_reaction",
            Self::NewFollower { .. } => "new_follower",
            Self::MemberJoined { .. } => "member_joined",
            Self::AgentClaimRequested { .. } => "agent_claim_requested",
            Self::AgentKeyRotated { .. } => "agent_key_rotated",
            Self::TwoFactorDisabled { .. } => "security_2fa_disabled",
        }
    }
}
