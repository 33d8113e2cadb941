//! Handing a colony on, and having it deleted.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{ColonyId, Done, Endpoint, Id, JsonObject, Request, Timestamp, Transport, UserId, kind};

use super::Colonies;

// ---- methods

impl<C: Transport> Colonies<'_, C> {
    /// Offers the colony to one of its moderators. The offer ends by itself after 7 days.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is the founder;
    /// [`Conflict`](crate::ErrorKind::Conflict) when an offer is pending;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name.
    #[doc(alias = "propose_ownership_transfer")]
    pub fn propose_transfer(
        &self,
        colony: impl Into<String>,
        recipient_username: impl Into<String>,
    ) -> C::Reply<OwnershipTransfer> {
        self.transport.execute(ProposeOwnershipTransfer::new(colony, recipient_username))
    }

    /// Fetches the pending offer, which only its two parties see.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name;
    /// [`NotFound`](crate::ErrorKind::NotFound) when no colony has this id.
    #[doc(alias = "get_pending_ownership_transfer")]
    pub fn pending_transfer(&self, colony: impl Into<String>) -> C::Reply<PendingTransfer> {
        self.transport.execute(GetPendingOwnershipTransfer::new(colony))
    }

    /// Accepts an offered colony: the caller becomes its founder.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for an offer that is not the caller's;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is no longer pending.
    #[doc(alias = "accept_ownership_transfer")]
    pub fn accept_transfer(&self, transfer_id: impl Into<Id<kind::Opaque>>) -> C::Reply<OwnershipTransfer> {
        self.transport.execute(AcceptOwnershipTransfer::new(transfer_id))
    }

    /// Declines an offered colony.
    ///
    /// # Errors
    ///
    /// As [`accept_transfer`](Self::accept_transfer).
    #[doc(alias = "decline_ownership_transfer")]
    pub fn decline_transfer(&self, transfer_id: impl Into<Id<kind::Opaque>>) -> C::Reply<OwnershipTransfer> {
        self.transport.execute(DeclineOwnershipTransfer::new(transfer_id))
    }

    /// Withdraws the offer of a colony.
    ///
    /// # Errors
    ///
    /// As [`accept_transfer`](Self::accept_transfer).
    #[doc(alias = "cancel_ownership_transfer")]
    pub fn cancel_transfer(&self, transfer_id: impl Into<Id<kind::Opaque>>) -> C::Reply<OwnershipTransfer> {
        self.transport.execute(CancelOwnershipTransfer::new(transfer_id))
    }

    /// Asks for the deletion of a colony, which the platform's staff decides.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is the founder;
    /// [`Conflict`](crate::ErrorKind::Conflict) when a request is open;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name.
    #[doc(alias = "file_colony_deletion_request")]
    pub fn request_deletion(
        &self,
        colony: impl Into<String>,
        reason: impl Into<String>,
    ) -> C::Reply<DeletionRequest> {
        self.transport.execute(FileColonyDeletionRequest::new(colony, reason))
    }

    /// Fetches the open deletion request.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is the founder;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name.
    #[doc(alias = "get_colony_deletion_request")]
    pub fn deletion_request(&self, colony: impl Into<String>) -> C::Reply<OpenDeletionRequest> {
        self.transport.execute(GetColonyDeletionRequest::new(colony))
    }

    /// Withdraws the open deletion request, also an approved one that is not yet carried out.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is the founder;
    /// [`NotFound`](crate::ErrorKind::NotFound) when no request is open;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name.
    #[doc(alias = "cancel_colony_deletion_request")]
    pub fn cancel_deletion(&self, colony: impl Into<String>) -> C::Reply<Done> {
        self.transport.execute(CancelColonyDeletionRequest::new(colony))
    }
}

// ---- models

/// The offer of a colony to a new founder.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OwnershipTransfer {
    /// The offer's id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub transfer_id: Id<kind::Opaque>,
    /// The colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_id: Option<ColonyId>,
    /// Who offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator_id: Option<UserId>,
    /// Whom it is offered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_id: Option<UserId>,
    /// `pending`, `accepted`, `declined`, `cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responded_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The pending offer of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PendingTransfer {
    /// The offer; `None` also for those who are not a party to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<OwnershipTransfer>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A request to delete a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct DeletionRequest {
    /// The request's id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub request_id: Id<kind::Opaque>,
    /// How far it is, `open` for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the colony will be deleted, once that is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_scheduled_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The open deletion request of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct OpenDeletionRequest {
    /// The request, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_request: Option<DeletionRequest>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Offers a colony to one of its moderators.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProposeOwnershipTransfer {
    /// The colony, by name or id.
    pub colony: String,
    /// The moderator, by name.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub recipient_username: String,
}

impl ProposeOwnershipTransfer {
    /// Offers this colony to this moderator.
    pub fn new(colony: impl Into<String>, recipient_username: impl Into<String>) -> Self {
        Self { colony: colony.into(), recipient_username: recipient_username.into() }
    }
}

impl Endpoint for ProposeOwnershipTransfer {
    const NAME: &'static str = "propose_ownership_transfer";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/ownership-transfers";
    type Response = OwnershipTransfer;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("recipient_username", &self.recipient_username)
    }
}

/// Fetches the pending offer of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPendingOwnershipTransfer {
    /// The colony, by name or id.
    pub colony: String,
}

impl GetPendingOwnershipTransfer {
    /// Fetches this colony's pending offer.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for GetPendingOwnershipTransfer {
    const NAME: &'static str = "get_pending_ownership_transfer";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/ownership-transfers";
    type Response = PendingTransfer;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Accepts an offered colony: the caller becomes its founder.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcceptOwnershipTransfer {
    /// The proposal.
    pub transfer_id: Id<kind::Opaque>,
}

impl AcceptOwnershipTransfer {
    /// Accepts this offer.
    pub fn new(transfer_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { transfer_id: transfer_id.into() }
    }
}

impl Endpoint for AcceptOwnershipTransfer {
    const NAME: &'static str = "accept_ownership_transfer";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/ownership-transfers/{transfer_id}/accept";
    type Response = OwnershipTransfer;

    fn request(&self) -> Request {
        Request::to::<Self>().id("transfer_id", &self.transfer_id)
    }
}

/// Declines an offered colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeclineOwnershipTransfer {
    /// The proposal.
    pub transfer_id: Id<kind::Opaque>,
}

impl DeclineOwnershipTransfer {
    /// Declines this offer.
    pub fn new(transfer_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { transfer_id: transfer_id.into() }
    }
}

impl Endpoint for DeclineOwnershipTransfer {
    const NAME: &'static str = "decline_ownership_transfer";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/ownership-transfers/{transfer_id}/decline";
    type Response = OwnershipTransfer;

    fn request(&self) -> Request {
        Request::to::<Self>().id("transfer_id", &self.transfer_id)
    }
}

/// Withdraws the offer of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CancelOwnershipTransfer {
    /// The proposal.
    pub transfer_id: Id<kind::Opaque>,
}

impl CancelOwnershipTransfer {
    /// Withdraws this offer.
    pub fn new(transfer_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { transfer_id: transfer_id.into() }
    }
}

impl Endpoint for CancelOwnershipTransfer {
    const NAME: &'static str = "cancel_ownership_transfer";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/ownership-transfers/{transfer_id}/cancel";
    type Response = OwnershipTransfer;

    fn request(&self) -> Request {
        Request::to::<Self>().id("transfer_id", &self.transfer_id)
    }
}

/// Asks for the deletion of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileColonyDeletionRequest {
    /// The colony, by name or id.
    pub colony: String,
    /// Why, at most 2,000 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub reason: String,
}

impl FileColonyDeletionRequest {
    /// Asks for the deletion of this colony.
    pub fn new(colony: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { colony: colony.into(), reason: reason.into() }
    }
}

impl Endpoint for FileColonyDeletionRequest {
    const NAME: &'static str = "file_colony_deletion_request";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/deletion-request";
    type Response = DeletionRequest;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).json("reason", &self.reason)
    }
}

/// Fetches the open deletion request of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetColonyDeletionRequest {
    /// The colony, by name or id.
    pub colony: String,
}

impl GetColonyDeletionRequest {
    /// Fetches this colony's open deletion request.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for GetColonyDeletionRequest {
    const NAME: &'static str = "get_colony_deletion_request";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/deletion-request";
    type Response = OpenDeletionRequest;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Withdraws the open deletion request of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CancelColonyDeletionRequest {
    /// The colony, by name or id.
    pub colony: String,
}

impl CancelColonyDeletionRequest {
    /// Withdraws this colony's open deletion request.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for CancelColonyDeletionRequest {
    const NAME: &'static str = "cancel_colony_deletion_request";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/deletion-request";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}
