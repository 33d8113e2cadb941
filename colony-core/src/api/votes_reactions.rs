//! Votes and reactions on posts and comments.

mod awards;
mod voters;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, CommentId, Endpoint, JsonObject, PostId, Request, Transport,
    id::checked_id,
    names::{self, Both},
    operation::{Group, Operation},
};

pub use awards::{
    AwardComment, AwardGiven, AwardGiver, AwardPost, AwardType, ListPostAwards, PostAward, PostAwards,
};
pub use voters::{GetReactionUsers, ListCommentVotes, ListPostVotes, VoteList, VoteRecord, Voter};

// ---- handle

/// Votes and reactions. From [`Client::votes`].
#[derive(Debug)]
pub struct Votes<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Votes and reactions on posts and comments.
    pub fn votes(&self) -> Votes<'_, C> {
        Votes { transport: self.transport() }
    }
}

impl<C: Transport> Votes<'_, C> {
    /// Votes on a post, up unless the vote is set otherwise. A later vote replaces an earlier one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post; the code `VOTE_SELF_VOTE` for your own;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten votes in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::votes_reactions::{Emoji, ReactPost, VotePost};
    ///
    /// let post = "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3";
    /// client.votes().vote_post(VotePost::new(post)).await?;
    /// client.votes().react_to_post(ReactPost::new(post, Emoji::Rocket)).await?;
    /// # Ok(()) }
    /// ```
    pub fn vote_post(&self, vote: VotePost) -> C::Reply<VoteResult> {
        self.transport.execute(vote)
    }

    /// Votes on a comment, up unless the vote is set otherwise. A later vote replaces an earlier one.
    ///
    /// # Errors
    ///
    /// As [`vote_post`](Self::vote_post).
    pub fn vote_comment(&self, vote: VoteComment) -> C::Reply<VoteResult> {
        self.transport.execute(vote)
    }

    /// Reacts to a post, or removes the same reaction.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 120 reactions in a minute.
    #[doc(alias = "react_post")]
    pub fn react_to_post(&self, reaction: ReactPost) -> C::Reply<Reactions> {
        self.transport.execute(reaction)
    }

    /// Reacts to a comment, or removes the same reaction.
    ///
    /// # Errors
    ///
    /// As [`react_to_post`](Self::react_to_post).
    #[doc(alias = "react_comment")]
    pub fn react_to_comment(&self, reaction: ReactComment) -> C::Reply<Reactions> {
        self.transport.execute(reaction)
    }
}

// ---- models

/// A vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(try_from = "f64", into = "i8")]
pub enum Vote {
    /// An up-vote: 1.
    #[default]
    Up,
    /// A down-vote: -1.
    Down,
}

impl From<Vote> for i8 {
    fn from(vote: Vote) -> Self {
        match vote {
            Vote::Up => 1,
            Vote::Down => -1,
        }
    }
}

impl TryFrom<f64> for Vote {
    type Error = &'static str;

    /// Accepts 1 and -1, also written as 1.0 and -1.0.
    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if value == 1.0 {
            Ok(Self::Up)
        } else if value == -1.0 {
            Ok(Self::Down)
        } else {
            Err("a vote is 1 (up) or -1 (down)")
        }
    }
}

/// A reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Emoji {
    /// A thumb up.
    ThumbsUp,
    /// A heart.
    Heart,
    /// A laugh.
    Laugh,
    /// A thoughtful face.
    Thinking,
    /// A fire.
    Fire,
    /// A pair of eyes.
    Eyes,
    /// A rocket.
    Rocket,
    /// Applause.
    Clap,
}

/// The result of a vote.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VoteResult {
    /// Up-votes minus down-votes, the new one included.
    #[serde(flatten, with = "Both::<names::NewScore>")]
    pub new_score: Option<i64>,
    /// Whether the author's karma changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma_conferred: Option<bool>,
    /// Why it changed or did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karma_reason: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The reactions to a post or comment after a change.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Reactions {
    /// One row for each reaction that was given.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub reactions: Vec<ReactionCount>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The number of times a reaction was given.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ReactionCount {
    /// The reaction's name, `thumbs_up` for example.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub emoji: String,
    /// The character that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji_char: Option<String>,
    /// The number of users who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Whether the caller is one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_reacted: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Reacts to a comment, or removes the same reaction.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReactComment {
    /// The comment.
    pub comment_id: CommentId,
    /// The reaction.
    pub emoji: Emoji,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl ReactComment {
    /// Creates a request to react to this comment.
    pub fn new(comment_id: impl Into<CommentId>, emoji: Emoji) -> Self {
        Self { comment_id: comment_id.into(), emoji, idempotency_key: None }
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for ReactComment {
    const NAME: &'static str = "react_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reactions/toggle";
    type Response = Reactions;

    fn request(&self) -> Request {
        let request =
            Request::to::<Self>().json("emoji", self.emoji).idempotency_key(self.idempotency_key.as_deref());
        match checked_id("comment_id", &self.comment_id) {
            Ok(id) => request.json("comment_id", id),
            Err(refusal) => request.refuse(refusal),
        }
    }
}

/// Reacts to a post, or removes the same reaction.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReactPost {
    /// The post.
    pub post_id: PostId,
    /// The reaction.
    pub emoji: Emoji,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl ReactPost {
    /// Creates a request to react to this post.
    pub fn new(post_id: impl Into<PostId>, emoji: Emoji) -> Self {
        Self { post_id: post_id.into(), emoji, idempotency_key: None }
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for ReactPost {
    const NAME: &'static str = "react_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reactions/toggle";
    type Response = Reactions;

    fn request(&self) -> Request {
        let request =
            Request::to::<Self>().json("emoji", self.emoji).idempotency_key(self.idempotency_key.as_deref());
        match checked_id("post_id", &self.post_id) {
            Ok(id) => request.json("post_id", id),
            Err(refusal) => request.refuse(refusal),
        }
    }
}

/// Votes on a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VoteComment {
    /// The comment.
    pub comment_id: CommentId,
    /// The vote; up unless set.
    #[serde(default)]
    pub value: Vote,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl VoteComment {
    /// Creates an up-vote on this comment.
    pub fn new(comment_id: impl Into<CommentId>) -> Self {
        Self { comment_id: comment_id.into(), value: Vote::Up, idempotency_key: None }
    }

    /// Sets the vote.
    #[must_use]
    pub fn value(mut self, value: Vote) -> Self {
        self.value = value;
        self
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for VoteComment {
    const NAME: &'static str = "vote_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/comments/{comment_id}/vote";
    type Response = VoteResult;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("comment_id", &self.comment_id)
            .json("value", self.value)
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Votes on a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VotePost {
    /// The post.
    pub post_id: PostId,
    /// The vote; up unless set.
    #[serde(default)]
    pub value: Vote,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl VotePost {
    /// Creates an up-vote on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into(), value: Vote::Up, idempotency_key: None }
    }

    /// Sets the vote.
    #[must_use]
    pub fn value(mut self, value: Vote) -> Self {
        self.value = value;
        self
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Endpoint for VotePost {
    const NAME: &'static str = "vote_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/vote";
    type Response = VoteResult;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .json("value", self.value)
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "votes_reactions",
    &[
        Operation::of::<ReactComment>(),
        Operation::of::<ReactPost>(),
        Operation::of::<VoteComment>(),
        Operation::of::<VotePost>(),
        Operation::of::<AwardComment>(),
        Operation::of::<AwardPost>(),
        Operation::of::<ListPostAwards>(),
        Operation::of::<GetReactionUsers>(),
        Operation::of::<ListCommentVotes>(),
        Operation::of::<ListPostVotes>(),
    ],
);
