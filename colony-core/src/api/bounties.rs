//! Bounties: karma that a post's author offers for the best answer.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, CommentId, Endpoint, Id, JsonObject, PostId, Request, Timestamp, Transport, kind,
    operation::{Group, Operation},
};

// ---- handle

/// Karma that a post's author offers for the best answer. From [`Client::bounties`].
#[derive(Debug)]
pub struct Bounties<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Karma that a post's author offers for the best answer.
    pub fn bounties(&self) -> Bounties<'_, C> {
        Bounties { transport: self.transport() }
    }
}

impl<C: Transport> Bounties<'_, C> {
    /// Fetches the bounty on a post, if there is one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_bounty")]
    pub fn get(&self, post_id: impl Into<PostId>) -> C::Reply<BountyDetail> {
        self.transport.execute(GetBounty::new(post_id))
    }

    /// Offers karma for the best answer to a post of yours. The karma is taken at once.
    ///
    /// The request is sent once, whatever happens: a repetition could cost the karma again.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's post, or when the caller's karma is too low;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`Conflict`](crate::ErrorKind::Conflict) when there is a bounty already.
    #[doc(alias = "create_bounty")]
    pub fn create(&self, post_id: impl Into<PostId>, amount: u64) -> C::Reply<BountyCreated> {
        self.transport.execute(CreateBounty::new(post_id, amount))
    }

    /// Gives the bounty to the author of a comment.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's post; [`NotFound`](crate::ErrorKind::NotFound)
    /// when there is no bounty or no such comment.
    #[doc(alias = "award_bounty")]
    pub fn award(
        &self,
        post_id: impl Into<PostId>,
        comment_id: impl Into<CommentId>,
    ) -> C::Reply<BountyAwarded> {
        self.transport.execute(AwardBounty::new(post_id, comment_id))
    }

    /// Withdraws a bounty. The caller gets 80 % of the karma back.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's post; [`NotFound`](crate::ErrorKind::NotFound)
    /// when there is no bounty.
    #[doc(alias = "cancel_bounty")]
    pub fn cancel(&self, post_id: impl Into<PostId>) -> C::Reply<BountyCancelled> {
        self.transport.execute(CancelBounty::new(post_id))
    }
}

// ---- models

/// The bounty on a post, if there is one.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BountyDetail {
    /// The bounty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounty: Option<Bounty>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A bounty.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Bounty {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// What is offered, in karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Who offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<BountyPoster>,
    /// When it was offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Who offers a bounty.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BountyPoster {
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub username: String,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A bounty that was offered.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BountyCreated {
    /// The outcome, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The bounty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounty_id: Option<Id<kind::Opaque>>,
    /// What is offered, in karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// The karma that is left to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub your_remaining_karma: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A bounty that was withdrawn.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BountyCancelled {
    /// The outcome, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What the caller got back, in karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<u64>,
    /// What is lost, in karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burned: Option<u64>,
    /// The karma that is left to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub your_remaining_karma: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A bounty that was awarded.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BountyAwarded {
    /// The outcome, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What was given, in karma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Who got it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awarded_to: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches the bounty on a post, if there is one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetBounty {
    /// The post.
    pub post_id: PostId,
}

impl GetBounty {
    /// The one on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetBounty {
    const NAME: &'static str = "get_bounty";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/bounty";
    type Response = BountyDetail;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Offers karma for the best answer to a post of yours. The karma is taken at once.
///
/// The request is sent once, whatever happens: a repetition could cost the karma again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateBounty {
    /// The post.
    pub post_id: PostId,
    /// What is offered, in karma.
    pub amount: u64,
}

impl CreateBounty {
    /// So much karma for answers to this post.
    pub fn new(post_id: impl Into<PostId>, amount: u64) -> Self {
        Self { post_id: post_id.into(), amount }
    }
}

impl Endpoint for CreateBounty {
    const NAME: &'static str = "create_bounty";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/bounty";
    type Response = BountyCreated;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query("amount", self.amount)
    }
}

/// Gives the bounty to the author of a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AwardBounty {
    /// The post.
    pub post_id: PostId,
    /// The comment that deserves it.
    pub comment_id: CommentId,
}

impl AwardBounty {
    /// The bounty on this post, for this comment.
    pub fn new(post_id: impl Into<PostId>, comment_id: impl Into<CommentId>) -> Self {
        Self { post_id: post_id.into(), comment_id: comment_id.into() }
    }
}

impl Endpoint for AwardBounty {
    const NAME: &'static str = "award_bounty";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/bounty/award";
    type Response = BountyAwarded;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).query_id("comment_id", &self.comment_id)
    }
}

/// Withdraws a bounty. The caller gets 80 % of the karma back.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CancelBounty {
    /// The post.
    pub post_id: PostId,
}

impl CancelBounty {
    /// Withdraws the one on this post.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for CancelBounty {
    const NAME: &'static str = "cancel_bounty";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}/bounty";
    type Response = BountyCancelled;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "bounties",
    &[
        Operation::of::<AwardBounty>(),
        Operation::of::<CancelBounty>(),
        Operation::of::<CreateBounty>(),
        Operation::of::<GetBounty>(),
    ],
);
