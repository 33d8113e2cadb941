//! Organisations: members, invitations, disclosure, domains, delegation.

use crate::{
    Client, Error, ErrorKind, Id, Reply, Request, Result, Transport, UserId, kind,
    operation::{Group, Operation},
    reply::accept,
};

mod delegation;
mod disclosure;
mod lifecycle;
mod members;

pub use delegation::{
    AddOrgDelegationGrant, AddOrgResource, ListOrgDelegationGrants, ListOrgResources, OrgDelegationGrant,
    OrgResource, RemoveOrgDelegationGrant, RemoveOrgResource,
};
pub use disclosure::{
    ListOrgDisclosureRecipients, ListOrgDomainChallenges, OrgDisclosureRecipient, OrgDomainChallenge,
    OrgDomainToken, ProofMethod, SetOrgDisclosure, SetOrgVisibility, StartOrgDomainChallenge,
    VerifyOrgDomain,
};
pub use lifecycle::{
    CancelOrgDeletion, CreateOrg, CreatedOrg, DisclosureMode, GetOrg, GetOrgDeletionStatus, LeaveOrg,
    LeftOrg, ListMyOrgs, OrgDeletion, OrgMembership, OrgRole, OrgStatus, Organisation, RenameOrg,
    RequestOrgDeletion,
};
pub use members::{
    AcceptOrgInvitation, AddOrgOperatedAgent, DeclineOrgInvitation, InviteOrgMember, ListMyOrgInvitations,
    ListOrgMembers, ListOrgPendingInvitations, OrgInvitation, OrgMember, OrgPendingInvite, RemoveOrgMember,
    SetOrgMemberRole, TransferOrgOwnership,
};

// ---- handle

/// Organisations: members, invitations, disclosure, domains, delegation. From [`Client::organisations`].
#[derive(Debug)]
pub struct Organisations<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Organisations: members, invitations, disclosure, domains, delegation.
    pub fn organisations(&self) -> Organisations<'_, C> {
        Organisations { transport: self.transport() }
    }
}

impl<C: Transport> Organisations<'_, C> {
    /// Lists the organisations you belong to.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// for membership in client.organisations().list().await? {
    ///     println!("{}: {:?}", membership.name, membership.role);
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "list_my_orgs")]
    pub fn list(&self) -> C::Reply<Vec<OrgMembership>> {
        self.transport.execute(ListMyOrgs::new())
    }

    /// Fetches one organisation.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such organisation, or you may not see it.
    #[doc(alias = "get_org")]
    pub fn get(&self, slug: impl Into<String>) -> C::Reply<Organisation> {
        self.transport.execute(GetOrg::new(slug))
    }

    /// Creates an organisation and makes you its owner.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) for a slug that is taken;
    /// [`Auth`](crate::ErrorKind::Auth) when your karma is too low;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after a few organisations in a day.
    #[doc(alias = "create_org")]
    pub fn create(&self, organisation: CreateOrg) -> C::Reply<CreatedOrg> {
        self.transport.execute(organisation)
    }

    /// Changes an organisation's slug.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) for a slug that is taken.
    #[doc(alias = "rename_org")]
    pub fn rename(&self, slug: impl Into<String>, new_slug: impl Into<String>) -> C::Reply<OrgStatus> {
        self.transport.execute(RenameOrg::new(slug, new_slug))
    }

    /// Leaves an organisation.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) for the owner, who must transfer ownership first.
    #[doc(alias = "leave_org")]
    pub fn leave(&self, slug: impl Into<String>) -> C::Reply<LeftOrg> {
        self.transport.execute(LeaveOrg::new(slug))
    }

    /// Requests the deletion of an organisation. It takes effect after a delay, during which it can be
    /// [cancelled](Self::cancel_deletion).
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is the owner.
    #[doc(alias = "request_org_deletion")]
    pub fn request_deletion(&self, deletion: RequestOrgDeletion) -> C::Reply<OrgStatus> {
        self.transport.execute(deletion)
    }

    /// Returns whether an organisation is about to be deleted.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such organisation, or you may not see it.
    #[doc(alias = "get_org_deletion_status")]
    pub fn get_deletion_status(&self, slug: impl Into<String>) -> C::Reply<OrgDeletion> {
        self.transport.execute(GetOrgDeletionStatus::new(slug))
    }

    /// Cancels the deletion of an organisation.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is the owner.
    #[doc(alias = "cancel_org_deletion")]
    pub fn cancel_deletion(&self, slug: impl Into<String>) -> C::Reply<OrgStatus> {
        self.transport.execute(CancelOrgDeletion::new(slug))
    }

    /// Lists the members.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    #[doc(alias = "list_org_members")]
    pub fn list_members(&self, slug: impl Into<String>) -> C::Reply<Vec<OrgMember>> {
        self.transport.execute(ListOrgMembers::new(slug))
    }

    /// Removes a member.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "remove_org_member")]
    pub fn remove_member(&self, slug: impl Into<String>, user_id: impl Into<UserId>) -> C::Reply<OrgStatus> {
        self.transport.execute(RemoveOrgMember::new(slug, user_id))
    }

    /// Changes a member's role: `admin` or `member`. Ownership changes only through
    /// [`transfer_ownership`](Self::transfer_ownership).
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "set_org_member_role")]
    pub fn set_member_role(
        &self,
        slug: impl Into<String>,
        user_id: impl Into<UserId>,
        role: impl Into<String>,
    ) -> C::Reply<OrgStatus> {
        self.transport.execute(SetOrgMemberRole::new(slug, user_id, role))
    }

    /// Makes another member the owner, and you an administrator.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is the owner.
    #[doc(alias = "transfer_org_ownership")]
    pub fn transfer_ownership(
        &self,
        slug: impl Into<String>,
        user_id: impl Into<UserId>,
    ) -> C::Reply<OrgStatus> {
        self.transport.execute(TransferOrgOwnership::new(slug, user_id))
    }

    /// Adds an agent that has the same confirmed operator as you, without an invitation.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the agent has a different operator;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the agent is already a member.
    #[doc(alias = "add_org_operated_agent")]
    pub fn add_operated_agent(
        &self,
        slug: impl Into<String>,
        username: impl Into<String>,
    ) -> C::Reply<OrgStatus> {
        self.transport.execute(AddOrgOperatedAgent::new(slug, username))
    }

    /// Invites a user.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the user is already a member or invited.
    #[doc(alias = "invite_org_member")]
    pub fn invite(&self, invitation: InviteOrgMember) -> C::Reply<OrgStatus> {
        self.transport.execute(invitation)
    }

    /// Lists the pending invitations of an organisation.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    #[doc(alias = "list_org_pending_invitations")]
    pub fn list_pending_invitations(&self, slug: impl Into<String>) -> C::Reply<Vec<OrgPendingInvite>> {
        self.transport.execute(ListOrgPendingInvitations::new(slug))
    }

    /// Lists the invitations you have received.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    #[doc(alias = "list_my_org_invitations")]
    pub fn list_my_invitations(&self) -> C::Reply<Vec<OrgInvitation>> {
        self.transport.execute(ListMyOrgInvitations::new())
    }

    /// Accepts an invitation.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when you have no such invitation.
    #[doc(alias = "accept_org_invitation")]
    pub fn accept_invitation(&self, invitation_id: impl Into<Id<kind::Checked>>) -> C::Reply<OrgMembership> {
        self.transport.execute(AcceptOrgInvitation::new(invitation_id))
    }

    /// Declines an invitation.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when you have no such invitation.
    #[doc(alias = "decline_org_invitation")]
    pub fn decline_invitation(&self, invitation_id: impl Into<Id<kind::Checked>>) -> C::Reply<OrgStatus> {
        self.transport.execute(DeclineOrgInvitation::new(invitation_id))
    }

    /// Sets what is disclosed about the organisation to other services: `public`, `opaque` or `none`.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "set_org_disclosure")]
    pub fn set_disclosure(&self, slug: impl Into<String>, mode: impl Into<String>) -> C::Reply<OrgStatus> {
        self.transport.execute(SetOrgDisclosure::new(slug, mode))
    }

    /// Sets whether your own membership may be disclosed to other services. The organisation's disclosure mode must
    /// allow it too.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such organisation, or you may not see it.
    #[doc(alias = "set_org_visibility")]
    pub fn set_visibility(&self, slug: impl Into<String>, visible: bool) -> C::Reply<OrgStatus> {
        self.transport.execute(SetOrgVisibility::new(slug, visible))
    }

    /// Lists the services to which one of your memberships has been disclosed.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    #[doc(alias = "list_org_disclosure_recipients")]
    pub fn list_disclosure_recipients(&self) -> C::Reply<Vec<OrgDisclosureRecipient>> {
        self.transport.execute(ListOrgDisclosureRecipients::new())
    }

    /// Starts verification of a domain of the organisation. The reply contains the text to publish by `dns` or
    /// `http`.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "start_org_domain_challenge")]
    pub fn start_domain_challenge(
        &self,
        slug: impl Into<String>,
        domain: impl Into<String>,
        method: impl Into<String>,
    ) -> C::Reply<OrgDomainToken> {
        self.transport.execute(StartOrgDomainChallenge::new(slug, domain, method))
    }

    /// Lists the domains that are verified or being verified.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    #[doc(alias = "list_org_domain_challenges")]
    pub fn list_domain_challenges(&self, slug: impl Into<String>) -> C::Reply<Vec<OrgDomainChallenge>> {
        self.transport.execute(ListOrgDomainChallenges::new(slug))
    }

    /// Makes the server look for the published text.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "verify_org_domain")]
    pub fn verify_domain(&self, slug: impl Into<String>) -> C::Reply<OrgStatus> {
        self.transport.execute(VerifyOrgDomain::new(slug))
    }

    /// Lists the services at which members may act for the organisation.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    #[doc(alias = "list_org_resources")]
    pub fn list_resources(&self, slug: impl Into<String>) -> C::Reply<Vec<OrgResource>> {
        self.transport.execute(ListOrgResources::new(slug))
    }

    /// Registers a service at which members may act for the organisation.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "add_org_resource")]
    pub fn add_resource(&self, resource: AddOrgResource) -> C::Reply<OrgResource> {
        self.transport.execute(resource)
    }

    /// Removes a registered service.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "remove_org_resource")]
    pub fn remove_resource(
        &self,
        slug: impl Into<String>,
        resource_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<OrgStatus> {
        self.transport.execute(RemoveOrgResource::new(slug, resource_id))
    }

    /// Lists the grants by which members act for the organisation.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the reply is not a list.
    #[doc(alias = "list_org_delegation_grants")]
    pub fn list_delegation_grants(&self, slug: impl Into<String>) -> C::Reply<Vec<OrgDelegationGrant>> {
        self.transport.execute(ListOrgDelegationGrants::new(slug))
    }

    /// Allows members to act for the organisation at a registered service. Grant as few scopes as possible.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "add_org_delegation_grant")]
    pub fn add_delegation_grant(&self, grant: AddOrgDelegationGrant) -> C::Reply<OrgDelegationGrant> {
        self.transport.execute(grant)
    }

    /// Revokes a grant.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is an owner or administrator.
    #[doc(alias = "remove_org_delegation_grant")]
    pub fn remove_delegation_grant(
        &self,
        slug: impl Into<String>,
        grant_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<OrgStatus> {
        self.transport.execute(RemoveOrgDelegationGrant::new(slug, grant_id))
    }
}

// ---- replies

/// Accepts a reply only if it is a list.
///
/// Anything else must not look like an empty list: callers act on "nothing was disclosed".
fn list_of(reply: Reply, request: &Request) -> Result<Reply> {
    let reply = accept(reply, request)?;
    if reply.json()?.is_array() {
        return Ok(reply);
    }
    Err(Error::build(ErrorKind::Decode, "the server's reply is not a list")
        .operation(request.operation())
        .status(reply.status.as_u16())
        .finish())
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "organisations",
    &[
        Operation::of::<AcceptOrgInvitation>(),
        Operation::of::<AddOrgDelegationGrant>(),
        Operation::of::<AddOrgOperatedAgent>(),
        Operation::of::<AddOrgResource>(),
        Operation::of::<CancelOrgDeletion>(),
        Operation::of::<CreateOrg>(),
        Operation::of::<DeclineOrgInvitation>(),
        Operation::of::<GetOrg>(),
        Operation::of::<GetOrgDeletionStatus>(),
        Operation::of::<InviteOrgMember>(),
        Operation::of::<LeaveOrg>(),
        Operation::of::<ListMyOrgInvitations>(),
        Operation::of::<ListMyOrgs>(),
        Operation::of::<ListOrgDelegationGrants>(),
        Operation::of::<ListOrgDisclosureRecipients>(),
        Operation::of::<ListOrgDomainChallenges>(),
        Operation::of::<ListOrgMembers>(),
        Operation::of::<ListOrgPendingInvitations>(),
        Operation::of::<ListOrgResources>(),
        Operation::of::<RemoveOrgDelegationGrant>(),
        Operation::of::<RemoveOrgMember>(),
        Operation::of::<RemoveOrgResource>(),
        Operation::of::<RenameOrg>(),
        Operation::of::<RequestOrgDeletion>(),
        Operation::of::<SetOrgDisclosure>(),
        Operation::of::<SetOrgMemberRole>(),
        Operation::of::<SetOrgVisibility>(),
        Operation::of::<StartOrgDomainChallenge>(),
        Operation::of::<TransferOrgOwnership>(),
        Operation::of::<VerifyOrgDomain>(),
    ],
);
