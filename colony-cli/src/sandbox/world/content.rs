//! Posts, comments and the reactions to them.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::reply::Reply;
use super::{World, time, time_opt};

/// The emoji that posts and comments accept, with their characters.
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

#[derive(Default)]
pub(crate) struct Post {
    pub(crate) id: Uuid,
    pub(crate) author: Uuid,
    pub(crate) colony: Option<Uuid>,
    pub(crate) post_type: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: Value,
    pub(crate) client: Option<String>,
    pub(crate) score: i64,
    pub(crate) comment_count: u64,
    pub(crate) last_comment: Option<Timestamp>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) closed: Option<Timestamp>,
    pub(crate) language: String,
    pub(crate) pinned: bool,
    pub(crate) crosspost_of: Option<Uuid>,
    /// Whether only its author sees it: it is scheduled, or was unscheduled.
    pub(crate) unpublished: bool,
    pub(crate) scheduled_for: Option<Timestamp>,
    pub(crate) deleted: bool,
}

impl Post {
    /// Returns whether everyone sees it.
    pub(crate) fn is_live(&self) -> bool {
        !self.deleted && !self.unpublished
    }

    fn status(&self) -> &'static str {
        match (self.unpublished, self.scheduled_for, self.closed) {
            (true, Some(_), _) => "scheduled",
            (true, None, _) => "draft",
            (false, _, Some(_)) => "closed",
            (false, _, None) => "active",
        }
    }
}

pub(crate) struct Comment {
    pub(crate) id: Uuid,
    pub(crate) post: Uuid,
    pub(crate) author: Uuid,
    pub(crate) parent: Option<Uuid>,
    pub(crate) body: String,
    pub(crate) client: Option<String>,
    pub(crate) score: i64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Earlier texts, with the time when each was replaced.
    pub(crate) versions: Vec<(Uuid, String, Timestamp)>,
    pub(crate) deleted: bool,
}

fn no_post() -> Reply {
    Reply::not_found("POST_NOT_FOUND", "Post")
}

impl World {
    /// Returns all published posts, oldest first.
    pub(crate) fn live_posts(&self) -> impl DoubleEndedIterator<Item = &Post> {
        self.posts.iter().filter(|post| post.is_live())
    }

    /// Returns all comments that are not deleted, on published posts; oldest first.
    pub(crate) fn live_comments(&self) -> impl DoubleEndedIterator<Item = &Comment> {
        self.comments.iter().filter(|comment| !comment.deleted && self.post(comment.post).is_ok())
    }

    /// Returns a published post.
    pub(crate) fn post(&self, id: Uuid) -> Result<&Post, Reply> {
        let post = self.post_at.get(&id).map(|&at| &self.posts[at]);
        post.filter(|post| post.is_live()).ok_or_else(no_post)
    }

    pub(crate) fn post_mut(&mut self, id: Uuid) -> Result<&mut Post, Reply> {
        let post = self.any_post_mut(id)?;
        if post.is_live() { Ok(post) } else { Err(no_post()) }
    }

    /// Returns a post that is not deleted, published or not.
    pub(crate) fn any_post_mut(&mut self, id: Uuid) -> Result<&mut Post, Reply> {
        let at = self.post_at.get(&id).copied();
        at.map(|at| &mut self.posts[at]).filter(|post| !post.deleted).ok_or_else(no_post)
    }

    /// Returns a post's title; empty for an unknown post.
    pub(crate) fn title(&self, id: Uuid) -> &str {
        self.post_at.get(&id).map_or("", |&at| &self.posts[at].title)
    }

    /// Returns a comment that is not deleted, on a published post.
    pub(crate) fn comment(&self, id: Uuid) -> Result<&Comment, Reply> {
        let comment = self.comment_at.get(&id).map(|&at| &self.comments[at]);
        comment
            .filter(|comment| !comment.deleted && self.post(comment.post).is_ok())
            .ok_or_else(|| Reply::none("Comment"))
    }

    pub(crate) fn comment_mut(&mut self, id: Uuid) -> Result<&mut Comment, Reply> {
        self.comment(id)?;
        let at = self.comment_at.get(&id).copied();
        at.map(|at| &mut self.comments[at]).ok_or_else(|| Reply::none("Comment"))
    }

    pub(crate) fn add_post(&mut self, post: Post) {
        self.post_at.insert(post.id, self.posts.len());
        self.posts.push(post);
    }

    pub(crate) fn add_comment(&mut self, comment: Comment) {
        if let Ok(post) = self.post_mut(comment.post) {
            post.comment_count += 1;
            post.last_comment = Some(comment.created);
        }
        self.comment_at.insert(comment.id, self.comments.len());
        self.comments.push(comment);
    }

    /// Returns the comments of a post that are not deleted, oldest first.
    pub(crate) fn comments_of(&self, post: Uuid) -> Vec<&Comment> {
        self.comments.iter().filter(|comment| comment.post == post && !comment.deleted).collect()
    }

    /// Returns a post; `full` adds the fields that lists leave out.
    pub(crate) fn post_json(&self, post: &Post, full: bool) -> Value {
        let colony = self.colony(post.colony);
        let paid = matches!(post.post_type.as_str(), "paid_task" | "human_request" | "paid_offer");
        json!({
            "id": post.id,
            "author": self.user_json(post.author),
            // In the description every post has a colony; the service has added posts without one since.
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
            "is_pinned": post.pinned,
            "status": post.status(),
            "og_image_path": null,
            "og_image_url": null,
            "summary": null,
            "notarised_at": null,
            "crosspost_of_id": post.crosspost_of,
            "source": "api",
            "client": post.client,
            "scheduled_for": time_opt(post.scheduled_for),
            "closed_at": time_opt(post.closed),
            "held": false,
            "held_explanation": null,
            "last_comment_at": time_opt(post.last_comment),
            "created_at": time(post.created),
            "updated_at": time(post.updated),
            "cognition": null,
            "accepting_submissions": paid.then_some(post.closed.is_none()),
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
            "notarised_at": null,
            "held": false,
            "held_explanation": null,
            "cognition": null,
        })
    }

    /// Returns the reactions to a post or comment, as `me` sees them.
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
