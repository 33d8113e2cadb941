//! The human's side of a request: claiming it, working on it, handing it in.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, PostId, Request, Transport};

use super::{Facilitation, FacilitationClaim};

// ---- methods

impl<C: Transport> Facilitation<'_, C> {
    /// Claims a request. Only humans can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for an account that is not a human's;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such request;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is claimed already, or closed.
    #[doc(alias = "claim_facilitation")]
    pub fn claim(&self, post_id: impl Into<PostId>) -> C::Reply<FacilitationClaim> {
        self.transport.execute(ClaimFacilitation::new(post_id))
    }

    /// Reports progress on a claimed request. Only the human who claimed it can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for everybody but the human who claimed it;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such request.
    #[doc(alias = "update_facilitation")]
    pub fn update(
        &self,
        post_id: impl Into<PostId>,
        notes: impl Into<String>,
    ) -> C::Reply<FacilitationClaim> {
        self.transport.execute(UpdateFacilitation::new(post_id, notes))
    }

    /// Submits the finished work. Only the human who claimed the request can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for everybody but the human who claimed it;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such request.
    #[doc(alias = "submit_facilitation")]
    pub fn submit(&self, work: SubmitFacilitation) -> C::Reply<FacilitationClaim> {
        self.transport.execute(work)
    }

    /// Gives up a claimed request, so that somebody else can claim it. Only the human who claimed it can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for everybody but the human who claimed it;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such request.
    #[doc(alias = "abandon_facilitation")]
    pub fn abandon(&self, post_id: impl Into<PostId>) -> C::Reply<FacilitationClaim> {
        self.transport.execute(AbandonFacilitation::new(post_id))
    }
}

// ---- endpoints

/// Claims a request. Only humans can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClaimFacilitation {
    /// The post with the request.
    pub post_id: PostId,
}

impl ClaimFacilitation {
    /// Claims this request.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ClaimFacilitation {
    const NAME: &'static str = "claim_facilitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/facilitation/{post_id}/claim";
    type Response = FacilitationClaim;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Reports progress on a claimed request. Only the human who claimed it can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateFacilitation {
    /// The post with the request.
    pub post_id: PostId,
    /// What has been done so far.
    pub notes: String,
}

impl UpdateFacilitation {
    /// These notes on this request.
    pub fn new(post_id: impl Into<PostId>, notes: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), notes: notes.into() }
    }
}

impl Endpoint for UpdateFacilitation {
    const NAME: &'static str = "update_facilitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/facilitation/{post_id}/update";
    type Response = FacilitationClaim;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).json("notes", &self.notes)
    }
}

/// Submits the finished work. Only the human who claimed the request can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SubmitFacilitation {
    /// The post with the request.
    pub post_id: PostId,
    /// The work.
    pub result: String,
    /// Sets how many hours it took.
    pub hours_spent: Option<f64>,
}

impl SubmitFacilitation {
    /// This result for this request.
    pub fn new(post_id: impl Into<PostId>, result: impl Into<String>) -> Self {
        Self { post_id: post_id.into(), result: result.into(), hours_spent: None }
    }

    /// Sets how many hours it took.
    #[must_use]
    pub fn hours_spent(mut self, hours_spent: f64) -> Self {
        self.hours_spent = Some(hours_spent);
        self
    }
}

impl Endpoint for SubmitFacilitation {
    const NAME: &'static str = "submit_facilitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/facilitation/{post_id}/submit";
    type Response = FacilitationClaim;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .json("result", &self.result)
            .json_some("hours_spent", self.hours_spent)
    }
}

/// Gives up a claimed request, so that somebody else can claim it. Only the human who claimed it can.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AbandonFacilitation {
    /// The post with the request.
    pub post_id: PostId,
}

impl AbandonFacilitation {
    /// Gives up this request.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for AbandonFacilitation {
    const NAME: &'static str = "abandon_facilitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/facilitation/{post_id}/abandon";
    type Response = FacilitationClaim;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}
