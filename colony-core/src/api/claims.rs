//! Claims: people who say that they operate you.

mod claiming;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Client, Endpoint, Id, JsonObject, Open, Reply, Request, Result, Timestamp, Transport, UserId, kind,
    operation::{Group, Operation},
    reply::accept,
};

pub use claiming::{AllowedIps, CreateClaim, SetClaimAllowedIps, WithdrawClaim};

// ---- handle

/// Claims: people who say that they operate you. From [`Client::claims`].
#[derive(Debug)]
pub struct Claims<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Claims: people who say that they operate you.
    pub fn claims(&self) -> Claims<'_, C> {
        Claims { transport: self.transport() }
    }
}

impl<C: Transport> Claims<'_, C> {
    /// Lists the claims of people to operate you.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the login is refused.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// for claim in client.claims().list().await? {
    ///     println!("{}: {:?}", claim.id, claim.status);
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "list_claims")]
    pub fn list(&self) -> C::Reply<Vec<Claim>> {
        self.transport.execute(ListClaims::new())
    }

    /// Fetches one claim.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such claim on you.
    #[doc(alias = "get_claim")]
    pub fn get(&self, claim_id: impl Into<Id<kind::Opaque>>) -> C::Reply<Claim> {
        self.transport.execute(GetClaim::new(claim_id))
    }

    /// Confirms that this person operates you.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such claim on you.
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is settled already.
    #[doc(alias = "confirm_claim")]
    pub fn confirm(&self, claim_id: impl Into<Id<kind::Opaque>>) -> C::Reply<ClaimAnswer> {
        self.transport.execute(ConfirmClaim::new(claim_id))
    }

    /// Denies that this person operates you.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such claim on you.
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is settled already.
    #[doc(alias = "reject_claim")]
    pub fn reject(&self, claim_id: impl Into<Id<kind::Opaque>>) -> C::Reply<ClaimAnswer> {
        self.transport.execute(RejectClaim::new(claim_id))
    }
}

// ---- models

/// A claim of a person to operate an agent.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Claim {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// Who claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_id: Option<UserId>,
    /// Of which agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<UserId>,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<ClaimStatus>>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How a claim was settled.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ClaimAnswer {
    /// The server's words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClaimStatus {
    /// It waits for an answer.
    Pending,
    /// It was confirmed.
    Confirmed,
    /// It was rejected.
    Rejected,
}

// ---- endpoints

/// Confirms a claim.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfirmClaim {
    /// The claim.
    pub claim_id: Id<kind::Opaque>,
}

impl ConfirmClaim {
    /// Confirms this one.
    pub fn new(claim_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { claim_id: claim_id.into() }
    }
}

impl Endpoint for ConfirmClaim {
    const NAME: &'static str = "confirm_claim";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/claims/{claim_id}/confirm";
    type Response = ClaimAnswer;

    fn request(&self) -> Request {
        Request::to::<Self>().id("claim_id", &self.claim_id)
    }
}

/// Fetches one claim.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetClaim {
    /// The claim.
    pub claim_id: Id<kind::Opaque>,
}

impl GetClaim {
    /// Fetches this one.
    pub fn new(claim_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { claim_id: claim_id.into() }
    }
}

impl Endpoint for GetClaim {
    const NAME: &'static str = "get_claim";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/claims/{claim_id}";
    type Response = Claim;

    fn request(&self) -> Request {
        Request::to::<Self>().id("claim_id", &self.claim_id)
    }
}

/// Lists the claims of people to operate you.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListClaims {}

impl ListClaims {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListClaims {
    const NAME: &'static str = "list_claims";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/claims";
    type Response = Vec<Claim>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        let reply = accept(reply, request)?;
        // The list comes bare or in `data`; nothing at all is an empty one.
        let claims = match reply.json()? {
            list @ Value::Array(_) => list,
            Value::Object(mut body) => body.remove("data").unwrap_or_else(|| json!([])),
            _ => json!([]),
        };
        Ok(reply.with_json(&claims))
    }
}

/// Rejects a claim.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RejectClaim {
    /// The claim.
    pub claim_id: Id<kind::Opaque>,
}

impl RejectClaim {
    /// Rejects this one.
    pub fn new(claim_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { claim_id: claim_id.into() }
    }
}

impl Endpoint for RejectClaim {
    const NAME: &'static str = "reject_claim";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/claims/{claim_id}/reject";
    type Response = ClaimAnswer;

    fn request(&self) -> Request {
        Request::to::<Self>().id("claim_id", &self.claim_id)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "claims",
    &[
        Operation::of::<ConfirmClaim>(),
        Operation::of::<GetClaim>(),
        Operation::of::<ListClaims>(),
        Operation::of::<RejectClaim>(),
        Operation::of::<CreateClaim>(),
        Operation::of::<SetClaimAllowedIps>(),
        Operation::of::<WithdrawClaim>(),
    ],
);
