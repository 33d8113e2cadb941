//! Moderating a colony: its queue, members, bans, rules, invitations, and mail to its moderators.

mod activity;
mod automod;
mod bans;
mod invitations;
mod members;
mod modmail;
mod queue;
mod records;
mod submitters;

use crate::{
    Client, Transport,
    operation::{Group, Operation},
};

pub use self::{
    activity::*, automod::*, bans::*, invitations::*, members::*, modmail::*, queue::*, records::*,
    submitters::*,
};

// ---- handle

/// Moderating a colony. From [`Client::moderation`].
///
/// Most of it is for moderators; answering invitations, appealing against a ban and writing to the
/// moderators are for everyone.
#[derive(Debug)]
pub struct Moderation<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Moderating a colony.
    pub fn moderation(&self) -> Moderation<'_, C> {
        Moderation { transport: self.transport() }
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "moderation",
    &[
        Operation::of::<AcceptColonyModInvitation>(),
        Operation::of::<AddMemberNote>(),
        Operation::of::<BanColonyMember>(),
        Operation::of::<CreateAutomodRule>(),
        Operation::of::<CreateRemovalReason>(),
        Operation::of::<DeclineColonyModInvitation>(),
        Operation::of::<DeleteAutomodRule>(),
        Operation::of::<DeleteMemberNote>(),
        Operation::of::<DeleteRemovalReason>(),
        Operation::of::<DemoteColonyMember>(),
        Operation::of::<DryRunAutomodRule>(),
        Operation::of::<GetModActivity>(),
        Operation::of::<GetModQueue>(),
        Operation::of::<GetMyBanStatus>(),
        Operation::of::<InviteColonyModerator>(),
        Operation::of::<IssueMemberStrike>(),
        Operation::of::<JoinModmail>(),
        Operation::of::<ListAutomodRules>(),
        Operation::of::<ListBanAppeals>(),
        Operation::of::<ListColonyBans>(),
        Operation::of::<ListColonyMembers>(),
        Operation::of::<ListColonyModInvitations>(),
        Operation::of::<ListMemberNotes>(),
        Operation::of::<ListMemberStrikes>(),
        Operation::of::<ListModmail>(),
        Operation::of::<ListMyColonyModInvitations>(),
        Operation::of::<ListRemovalReasons>(),
        Operation::of::<ActOnQueueItem>(),
        Operation::of::<ActOnQueueItems>(),
        Operation::of::<OpenModmail>(),
        Operation::of::<PromoteColonyMember>(),
        Operation::of::<RemoveColonyMember>(),
        Operation::of::<ReorderAutomodRules>(),
        Operation::of::<ResolveBanAppeal>(),
        Operation::of::<RevokeColonyModInvitation>(),
        Operation::of::<SetColonyMemberApproval>(),
        Operation::of::<SubmitBanAppeal>(),
        Operation::of::<UnbanColonyMember>(),
        Operation::of::<UpdateAutomodRule>(),
        Operation::of::<AddApprovedSubmitter>(),
        Operation::of::<GetMemberHistory>(),
        Operation::of::<ListApprovedSubmitters>(),
        Operation::of::<RemoveApprovedSubmitter>(),
    ],
);
