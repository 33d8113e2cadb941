//! Invitations to moderate.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    ColonyId, Endpoint, Id, JsonObject, Open, Reply, Request, Result, Timestamp, Transport, UserId, kind,
    reply::accept,
};

use super::{ColonyRole, Moderation};

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Invites a user to moderate a colony. The user gains nothing before accepting, for which there
    /// are 7 days.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage moderators;
    /// [`Conflict`](crate::ErrorKind::Conflict) for a user who moderates already;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty name or a colony that does
    /// not exist.
    #[doc(alias = "invite_colony_moderator")]
    pub fn invite(&self, invitation: InviteColonyModerator) -> C::Reply<ModInvitation> {
        self.transport.execute(invitation)
    }

    /// Lists the unanswered invitations of a colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage moderators;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "list_colony_mod_invitations")]
    pub fn list_invitations(&self, colony: impl Into<String>) -> C::Reply<Vec<ModInvitation>> {
        self.transport.execute(ListColonyModInvitations::new(colony))
    }

    /// Lists the invitations that wait for the caller's answer, of all colonies.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// for invitation in client.moderation().list_my_invitations().await? {
    ///     if let Some(id) = invitation.id() {
    ///         client.moderation().accept_invitation(id).await?;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "list_my_colony_mod_invitations")]
    pub fn list_my_invitations(&self) -> C::Reply<Vec<ModInvitation>> {
        self.transport.execute(ListMyColonyModInvitations::new())
    }

    /// Accepts an invitation to moderate, and joins the colony if necessary.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for an invitation that is not the caller's;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is no longer pending;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a piece of an id.
    #[doc(alias = "accept_colony_mod_invitation")]
    pub fn accept_invitation(&self, invitation_id: impl Into<Id<kind::Checked>>) -> C::Reply<ModInvitation> {
        self.transport.execute(AcceptColonyModInvitation::new(invitation_id))
    }

    /// Declines an invitation to moderate.
    ///
    /// # Errors
    ///
    /// As [`accept_invitation`](Self::accept_invitation).
    #[doc(alias = "decline_colony_mod_invitation")]
    pub fn decline_invitation(&self, invitation_id: impl Into<Id<kind::Checked>>) -> C::Reply<ModInvitation> {
        self.transport.execute(DeclineColonyModInvitation::new(invitation_id))
    }

    /// Takes back an invitation that was not answered.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage moderators;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such invitation;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is no longer pending;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of an id.
    #[doc(alias = "revoke_colony_mod_invitation")]
    pub fn revoke_invitation(
        &self,
        colony: impl Into<String>,
        invitation_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<ModInvitation> {
        self.transport.execute(RevokeColonyModInvitation::new(colony, invitation_id))
    }
}

// ---- models

/// An invitation to moderate a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ModInvitation {
    /// Its id; see [`id`](Self::id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<Id<kind::Checked>>,
    /// Its id under the older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_id: Option<Id<kind::Checked>>,
    /// The colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_id: Option<ColonyId>,
    /// Who is invited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee_id: Option<UserId>,
    /// Who invites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<UserId>,
    /// The role offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_offered: Option<Open<ColonyRole>>,
    /// What the user would be allowed to do.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub permissions: Vec<String>,
    /// `pending`, `accepted`, `declined`, `revoked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Until when it can be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
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

impl ModInvitation {
    /// The id, by whichever of its two names the server sent it.
    pub fn id(&self) -> Option<&Id<kind::Checked>> {
        [&self.invitation_id, &self.invite_id].into_iter().flatten().find(|id| !id.as_str().is_empty())
    }
}

// ---- endpoints

/// Invites a user to moderate a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InviteColonyModerator {
    /// The colony, by name or id.
    pub colony: String,
    /// The user, by name.
    pub username: String,
    /// `moderator` (the server's default) or `admin`, which only the founder offers.
    pub role: Option<String>,
    /// What the user may do; the role's own permissions unless set.
    pub permissions: Option<Vec<String>>,
}

impl InviteColonyModerator {
    /// Invites this user to moderate.
    pub fn new(colony: impl Into<String>, username: impl Into<String>) -> Self {
        Self { colony: colony.into(), username: username.into(), role: None, permissions: None }
    }

    /// Sets the role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Sets the permissions.
    #[must_use]
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.permissions = Some(permissions.into_iter().map(Into::into).collect());
        self
    }
}

impl Endpoint for InviteColonyModerator {
    const NAME: &'static str = "invite_colony_moderator";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/mod-invites";
    type Response = ModInvitation;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .require_text("username", &self.username)
            .json("invitee_username", &self.username)
            .json_some("role_offered", self.role.as_deref())
            .json_some("permissions", self.permissions.as_ref())
    }
}

/// Lists the unanswered invitations of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListColonyModInvitations {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListColonyModInvitations {
    /// Lists this colony's unanswered invitations.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListColonyModInvitations {
    const NAME: &'static str = "list_colony_mod_invitations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/mod-invites";
    type Response = Vec<ModInvitation>;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        rows(reply, request)
    }
}

/// Lists the invitations that wait for the caller's answer, of all colonies.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListMyColonyModInvitations {}

impl ListMyColonyModInvitations {
    /// Lists the caller's own invitations.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListMyColonyModInvitations {
    const NAME: &'static str = "list_my_colony_mod_invitations";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/mod-invites/received";
    type Response = Vec<ModInvitation>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        rows(reply, request)
    }
}

/// Accepts an invitation to moderate, and joins the colony if necessary.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcceptColonyModInvitation {
    /// The invitation.
    pub invitation_id: Id<kind::Checked>,
}

impl AcceptColonyModInvitation {
    /// Accepts this invitation.
    pub fn new(invitation_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { invitation_id: invitation_id.into() }
    }
}

impl Endpoint for AcceptColonyModInvitation {
    const NAME: &'static str = "accept_colony_mod_invitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/mod-invites/{invitation_id}/accept";
    type Response = ModInvitation;

    fn request(&self) -> Request {
        Request::to::<Self>().id("invitation_id", &self.invitation_id)
    }
}

/// Declines an invitation to moderate.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeclineColonyModInvitation {
    /// The invitation.
    pub invitation_id: Id<kind::Checked>,
}

impl DeclineColonyModInvitation {
    /// Declines this invitation.
    pub fn new(invitation_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { invitation_id: invitation_id.into() }
    }
}

impl Endpoint for DeclineColonyModInvitation {
    const NAME: &'static str = "decline_colony_mod_invitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/mod-invites/{invitation_id}/decline";
    type Response = ModInvitation;

    fn request(&self) -> Request {
        Request::to::<Self>().id("invitation_id", &self.invitation_id)
    }
}

/// Takes back an invitation that was not answered.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RevokeColonyModInvitation {
    /// The colony, by name or id.
    pub colony: String,
    /// The invitation.
    pub invitation_id: Id<kind::Checked>,
}

impl RevokeColonyModInvitation {
    /// Takes back this invitation.
    pub fn new(colony: impl Into<String>, invitation_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { colony: colony.into(), invitation_id: invitation_id.into() }
    }
}

impl Endpoint for RevokeColonyModInvitation {
    const NAME: &'static str = "revoke_colony_mod_invitation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/mod-invites/{invitation_id}/revoke";
    type Response = ModInvitation;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("invitation_id", &self.invitation_id)
    }
}

/// The server answers with `{"invites": [...]}`, the operations with the list.
fn rows(reply: Reply, request: &Request) -> Result<Reply> {
    let reply = accept(reply, request)?;
    match reply.json()? {
        Value::Object(mut body) => {
            let rows = body.remove("invites").filter(|rows| !rows.is_null()).unwrap_or_else(|| json!([]));
            Ok(reply.with_json(&rows))
        }
        _ => Ok(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_has_its_id_under_either_name() {
        let id = |body: Value| {
            let invitation: ModInvitation = serde_json::from_value(body).unwrap();
            invitation.id().map(|id| id.as_str().to_owned())
        };
        assert_eq!(id(json!({"invitation_id": "new", "invite_id": "old"})).as_deref(), Some("new"));
        assert_eq!(id(json!({"invitation_id": "", "invite_id": "old"})).as_deref(), Some("old"));
        assert_eq!(id(json!({"invitation_id": null, "invite_id": "old"})).as_deref(), Some("old"));
        assert_eq!(id(json!({})), None);
    }
}
