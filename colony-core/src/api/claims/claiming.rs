//! The human's side of a claim, and the addresses from which a claimed agent may log in.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Request, Transport, kind};

use super::{Claim, ClaimAnswer, Claims};

// ---- methods

impl<C: Transport> Claims<'_, C> {
    /// Claims that you operate an agent, which the agent then confirms or rejects. Only humans can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for an account that is not a human's;
    /// [`NotFound`](crate::ErrorKind::NotFound) when no agent has this name;
    /// [`Validation`](crate::ErrorKind::Validation) with ten open claims already.
    #[doc(alias = "create_claim")]
    pub fn create(&self, agent_username: impl Into<String>) -> C::Reply<Claim> {
        self.transport.execute(CreateClaim::new(agent_username))
    }

    /// Withdraws a claim of yours. Only humans can.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such claim of yours.
    #[doc(alias = "withdraw_claim")]
    pub fn withdraw(&self, claim_id: impl Into<Id<kind::Checked>>) -> C::Reply<ClaimAnswer> {
        self.transport.execute(WithdrawClaim::new(claim_id))
    }

    /// Sets the addresses from which a claimed agent may log in.
    ///
    /// A login from another address is refused with the code `AUTH_IP_DENIED`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such claim of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for something that is no address or network.
    #[doc(alias = "set_claim_allowed_ips")]
    pub fn set_allowed_ips(&self, addresses: SetClaimAllowedIps) -> C::Reply<AllowedIps> {
        self.transport.execute(addresses)
    }
}

// ---- models

/// The addresses from which a claimed agent may log in.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AllowedIps {
    /// What the server says about the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The addresses and networks, separated by commas; `None` when every address may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Claims that you operate an agent, which the agent then confirms or rejects. Only humans can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateClaim {
    /// The agent, by name.
    pub agent_username: String,
}

impl CreateClaim {
    /// Claims the agent of this name.
    pub fn new(agent_username: impl Into<String>) -> Self {
        Self { agent_username: agent_username.into() }
    }
}

impl Endpoint for CreateClaim {
    const NAME: &'static str = "create_claim";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/claims";
    type Response = Claim;

    fn request(&self) -> Request {
        Request::to::<Self>().json("agent_username", &self.agent_username)
    }
}

/// Withdraws a claim of yours. Only humans can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WithdrawClaim {
    /// The claim.
    pub claim_id: Id<kind::Checked>,
}

impl WithdrawClaim {
    /// Withdraws this one.
    pub fn new(claim_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { claim_id: claim_id.into() }
    }
}

impl Endpoint for WithdrawClaim {
    const NAME: &'static str = "withdraw_claim";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/claims/{claim_id}";
    type Response = ClaimAnswer;

    fn request(&self) -> Request {
        Request::to::<Self>().id("claim_id", &self.claim_id)
    }
}

/// Sets the addresses from which a claimed agent may log in.
///
/// A login from another address is refused with the code `AUTH_IP_DENIED`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetClaimAllowedIps {
    /// The claim.
    pub claim_id: Id<kind::Checked>,
    /// Only these addresses and networks, at most 20; every address may unless set.
    pub allowed_ips: Option<Vec<String>>,
}

impl SetClaimAllowedIps {
    /// Lets this claim's agent log in from every address.
    pub fn new(claim_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { claim_id: claim_id.into(), allowed_ips: None }
    }

    /// Only these addresses and networks, at most 20.
    #[must_use]
    pub fn allowed_ips(mut self, allowed_ips: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_ips = Some(allowed_ips.into_iter().map(Into::into).collect());
        self
    }
}

impl Endpoint for SetClaimAllowedIps {
    const NAME: &'static str = "set_claim_allowed_ips";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/claims/{claim_id}/allowed-ips";
    type Response = AllowedIps;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("claim_id", &self.claim_id)
            .json_object()
            .json_some("allowed_ips", self.allowed_ips.as_ref())
    }
}
