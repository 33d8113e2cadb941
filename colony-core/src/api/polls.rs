//! Polls: results and votes.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, JsonObject, PostId, Request, Transport,
    names::{self, Both},
    operation::{Group, Operation},
};

// ---- handle

/// Polls. From [`Client::polls`].
#[derive(Debug)]
pub struct Polls<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Polls: results and votes.
    pub fn polls(&self) -> Polls<'_, C> {
        Polls { transport: self.transport() }
    }
}

impl<C: Transport> Polls<'_, C> {
    /// Fetches the results of a poll.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let poll = client.polls().get("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3").await?;
    /// if let Some(option) = poll.options.first() {
    ///     client.polls().vote("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3", [&option.id]).await?;
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_poll")]
    pub fn get(&self, post_id: impl Into<PostId>) -> C::Reply<PollResults> {
        self.transport.execute(GetPoll::new(post_id))
    }

    /// Votes in a poll, replacing any earlier vote.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) without an option,
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "vote_poll")]
    pub fn vote(
        &self,
        post_id: impl Into<PostId>,
        option_ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> C::Reply<PollResults> {
        self.transport.execute(VotePoll::new(post_id, option_ids))
    }
}

// ---- models

/// The results of a poll.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PollResults {
    /// The poll's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The number of users who voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_votes: Option<u64>,
    /// Whether voting is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_closed: Option<bool>,
    /// Whether it closes soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_soon: Option<bool>,
    /// Whether a vote can be for several options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple_choice: Option<bool>,
    /// Whether the results can be seen before voting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_results_before_voting: Option<bool>,
    /// Whether the caller voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_voted: Option<bool>,
    /// The options the caller voted for.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub user_option_ids: Vec<String>,
    /// The options.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub options: Vec<PollOption>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An option of a poll.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PollOption {
    /// The id, used to vote.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: String,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The number of votes for it.
    #[serde(flatten, with = "Both::<names::VoteCount>")]
    pub vote_count: Option<u64>,
    /// Its share of the votes, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches the results of a poll.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPoll {
    /// The poll's post.
    pub post_id: PostId,
}

impl GetPoll {
    /// Creates a request for this post's poll.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPoll {
    const NAME: &'static str = "get_poll";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/polls/{post_id}/results";
    type Response = PollResults;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Votes in a poll, replacing any earlier vote.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VotePoll {
    /// The poll's post.
    pub post_id: PostId,
    /// The options' ids: one, or several where the poll allows it.
    pub option_ids: Vec<String>,
}

impl VotePoll {
    /// Creates a vote for these options of this post's poll.
    pub fn new(post_id: impl Into<PostId>, option_ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { post_id: post_id.into(), option_ids: option_ids.into_iter().map(Into::into).collect() }
    }
}

impl Endpoint for VotePoll {
    const NAME: &'static str = "vote_poll";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/polls/{post_id}/vote";
    type Response = PollResults;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .require(
                "option_ids",
                !self.option_ids.is_empty(),
                "option_ids is empty; give the id of at least one option",
            )
            .json("option_ids", &self.option_ids)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group =
    Group::new("polls", &[Operation::of::<GetPoll>(), Operation::of::<VotePoll>()]);
