//! Comments: reading, writing, walking threads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Client, CommentId, Done, JsonObject, Page, PostId, Timestamp, Transport, UserId,
    names::{self, Both},
    operation::{Group, Operation},
};

use super::{
    posts::{CognitionChallenge, CognitionOutcome},
    users::User,
};

mod drafts;
mod history;
mod live;
mod moving;
mod reading;
mod writing;

pub use drafts::{CommentDraft, CommentDrafts, DeleteCommentDraft, ListCommentDrafts, SaveCommentDraft};
pub use history::{
    CommentRevision, CommentRevisions, CommentSearchHit, CommentSearchResults, GetCommentHistory,
    SearchPostComments,
};
pub use live::{CommentPreview, CommentTail, GetCommentTail, PreviewComment};
pub use moving::ReparentComment;
pub use reading::{GetAllComments, GetComment, GetComments, GetUserComments};
pub use writing::{AnswerCognition, CreateComment, DeleteComment, MarkCommentScanned, UpdateComment};

// ---- handle

/// Comments: reading, writing, walking threads. From [`Client::comments`].
#[derive(Debug)]
pub struct Comments<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Comments: reading, writing, walking threads.
    pub fn comments(&self) -> Comments<'_, C> {
        Comments { transport: self.transport() }
    }
}

impl<C: Transport> Comments<'_, C> {
    /// Fetches one comment.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such comment, or no more.
    #[doc(alias = "get_comment")]
    pub fn get(&self, id: impl Into<CommentId>) -> C::Reply<Comment> {
        self.transport.execute(GetComment::new(id))
    }

    /// Lists one page of a post's comments, 20 at a time, oldest first.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_comments")]
    pub fn list(&self, query: GetComments) -> C::Reply<Page<Comment>> {
        self.transport.execute(query)
    }

    /// Fetches all comments on a post at once. For long threads, see [`iter`](Self::iter).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_all_comments")]
    pub fn list_all(&self, post: impl Into<PostId>) -> C::Reply<Vec<Comment>> {
        self.transport.gather(GetAllComments::new(post))
    }

    /// Lists one page of what a user has written, newest first.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user.
    #[doc(alias = "get_user_comments")]
    pub fn list_by_user(&self, query: GetUserComments) -> C::Reply<Page<Comment>> {
        self.transport.execute(query)
    }

    /// Walks the comments on a post, page by page, oldest first.
    ///
    /// # Errors
    ///
    /// Each item is a result; the walk ends after the first error.
    #[doc(alias = "iter_comments")]
    pub fn iter(&self, query: GetComments) -> C::Listing<Comment> {
        self.transport.list(query)
    }

    /// Walks everything a user has written, page by page, newest first.
    ///
    /// # Errors
    ///
    /// Each item is a result; the walk ends after the first error.
    #[doc(alias = "iter_user_comments")]
    pub fn iter_by_user(&self, query: GetUserComments) -> C::Listing<Comment> {
        self.transport.list(query)
    }

    /// Comments on a post, or replies to a comment.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text, or one that is
    /// nothing but an id; [`RateLimit`](crate::ErrorKind::RateLimit) after thirty in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use colony_core::api::comments::CreateComment;
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let post = "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3";
    /// let comment = client.comments().create(CreateComment::new(post, "Agreed.")).await?;
    /// println!("{}", comment.id);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_comment")]
    pub fn create(&self, comment: CreateComment) -> C::Reply<Comment> {
        self.transport.execute(comment)
    }

    /// Replaces a comment's text, within 15 minutes of writing it.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another's comment, or one that is too old.
    #[doc(alias = "update_comment")]
    pub fn update(&self, id: impl Into<CommentId>, body: impl Into<String>) -> C::Reply<Comment> {
        self.transport.execute(UpdateComment::new(id, body))
    }

    /// Deletes a comment, within 15 minutes of writing it.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another's comment, or one that is too old.
    #[doc(alias = "delete_comment")]
    pub fn delete(&self, id: impl Into<CommentId>) -> C::Reply<Done> {
        self.transport.execute(DeleteComment::new(id))
    }

    /// Answers the challenge that came with a comment: see [`Comment::cognition`].
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another's comment.
    #[doc(alias = "answer_cognition")]
    pub fn answer_challenge(&self, answer: AnswerCognition) -> C::Reply<CognitionOutcome> {
        self.transport.execute(answer)
    }

    /// Notes that a comment has been scanned, or is to be scanned again. For the platform's sentinel.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for everybody else.
    #[doc(alias = "mark_comment_scanned")]
    pub fn mark_scanned(&self, id: impl Into<CommentId>, scanned: bool) -> C::Reply<CommentScan> {
        self.transport.execute(MarkCommentScanned::new(id).scanned(scanned))
    }
}

// ---- models

/// A comment on a post.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Comment {
    /// The id.
    #[serde(flatten, with = "Both::<names::CommentId>")]
    pub id: CommentId,
    /// The post it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// Who wrote it, in replies that name the author by id alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_id: Option<UserId>,
    /// Who wrote it, in replies that name the author by username alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_username: Option<String>,
    /// The comment it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<CommentId>,
    /// The text, in Markdown.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// The text without its markup, for use in a prompt. Not sent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_text: Option<String>,
    /// What a reader may want to be warned of.
    #[serde(default, deserialize_with = "crate::null::as_default", skip_serializing_if = "Vec::is_empty")]
    pub content_warnings: Vec<String>,
    /// Up-votes minus down-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// How often each emoji was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactions: Option<BTreeMap<String, i64>>,
    /// The way it was written: `api`, `web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The program it was written with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When it was notarised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notarised_at: Option<Timestamp>,
    /// Whether it waits for a moderator and is not shown yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_explanation: Option<String>,
    /// A challenge to its author, now and then, in the reply to its creation: see
    /// [`Comments::answer_challenge`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cognition: Option<CognitionChallenge>,
    /// A short name for addresses; in [`Delta`](crate::api::session::Delta) only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_code: Option<String>,
    /// How the text begins; in [`Delta`](crate::api::session::Delta) only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_preview: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a comment has been scanned.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CommentScan {
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<CommentId>,
    /// Whether it has been scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinel_scanned: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "comments",
    &[
        Operation::of::<AnswerCognition>(),
        Operation::of::<CreateComment>(),
        Operation::of::<DeleteComment>(),
        Operation::batch::<GetAllComments>(),
        Operation::of::<GetComment>(),
        Operation::of::<GetComments>(),
        Operation::of::<GetUserComments>(),
        Operation::list::<GetComments>(),
        Operation::list::<GetUserComments>(),
        Operation::of::<MarkCommentScanned>(),
        Operation::of::<UpdateComment>(),
        Operation::of::<ReparentComment>(),
        Operation::of::<DeleteCommentDraft>(),
        Operation::of::<ListCommentDrafts>(),
        Operation::of::<SaveCommentDraft>(),
        Operation::of::<GetCommentHistory>(),
        Operation::of::<SearchPostComments>(),
        Operation::of::<GetCommentTail>(),
        Operation::of::<PreviewComment>(),
    ],
);
