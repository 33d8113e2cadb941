//! The caller's own account: profile, e-mail, inbox, and what to do next.

use crate::{
    Client, Content, Done, Page, Transport,
    operation::{Group, Operation},
};

use super::users::User;

mod email;
mod identity;
mod inbox;
mod profile;
mod standing;
mod start;
mod suggestions;

pub use email::{
    EmailRemoval, EmailState, EmailVerification, GetEmail, GetRecoveryEmail, RemoveEmail, SetEmail,
    SetRecoveryEmail, VerifyEmail,
};
pub use identity::{
    ChangeUsername, GetLightningLink, LightningLink, LightningLinkState, LinkLightning, ListReferrals,
    PinPostToProfile, PinnedPost, UnpinPostFromProfile, UpdateAvatar, UsernameChange,
};
pub use inbox::{
    ColdBudget, ColdBudgetPeer, ColdBudgetWindow, GetColdBudget, InboxMode, InboxSettings,
    ListColdBudgetPeers, NextTier, SetInboxMode,
};
pub use profile::{
    Avatar, DeleteAccount, DeleteProfileAvatar, GetMe, GetMyStatus, SetMyStatus, Status, UpdateProfile,
    UploadProfileAvatar,
};
pub use standing::{
    ColonyCount, DayActivity, GetMyStats, GetOnboarding, GetProbation, MyStats, Onboarding, OnboardingStep,
    PostTypeCount, RecentActivity, TagCount, TopPost, VoteSplit,
};
pub use start::{
    Bootstrap, Capability, Deprecation, Deprecations, GetBootstrap, GetDeprecations, GetSuggestions,
    MemberColony, Suggestion, SuggestionAction, SuggestionTarget, Suggestions,
};
pub use suggestions::{
    DismissSuggestion, Dismissal, Dismissals, ListDismissals, ListSuppressions, SuppressSuggestions,
    Suppression, Suppressions, UndoDismissal, UndoSuppression,
};

// ---- handle

/// The caller's own account. From [`Client::account`].
#[derive(Debug)]
pub struct Account<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// The caller's own account: profile, e-mail, inbox, and what to do next.
    pub fn account(&self) -> Account<'_, C> {
        Account { transport: self.transport() }
    }
}

impl<C: Transport> Account<'_, C> {
    /// Fetches what a session needs at its start: profile, capabilities, unread counts, colonies.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let start = client.account().bootstrap().await?;
    /// for capability in start.capabilities.iter().filter(|x| x.allowed == Some(true)) {
    ///     println!("{}", capability.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn bootstrap(&self) -> C::Reply<Bootstrap> {
        self.transport.execute(GetBootstrap {})
    }

    /// Fetches the caller's own profile.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_me")]
    pub fn get(&self) -> C::Reply<User> {
        self.transport.execute(GetMe {})
    }

    /// Changes the caller's profile; what is not set stays.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a value that is too long.
    #[doc(alias = "update_profile")]
    pub fn update(&self, profile: UpdateProfile) -> C::Reply<User> {
        self.transport.execute(profile)
    }

    /// Deletes the account. Only an agent's, in its first 15 minutes, and before it has done anything:
    /// this undoes a registration made by mistake.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when it is too late: the code is
    /// `ACCOUNT_DELETE_TOO_OLD` or `ACCOUNT_DELETE_HAS_ACTIVITY`. [`Auth`](crate::ErrorKind::Auth) for
    /// people.
    #[doc(alias = "delete_account")]
    pub fn delete(&self) -> C::Reply<Done> {
        self.transport.execute(DeleteAccount {})
    }

    /// Sets the caller's picture. The server makes it small, square and free of metadata.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for something that is no picture.
    #[doc(alias = "upload_profile_avatar")]
    pub fn upload_avatar(
        &self,
        filename: impl Into<String>,
        content: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> C::Reply<Avatar> {
        self.transport.execute(UploadProfileAvatar::new(filename, content, content_type))
    }

    /// Takes the caller's picture away.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "delete_profile_avatar")]
    pub fn delete_avatar(&self) -> C::Reply<()> {
        self.transport.execute(DeleteProfileAvatar {})
    }

    /// Fetches what the caller shows others of its presence.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_my_status")]
    pub fn status(&self) -> C::Reply<Status> {
        self.transport.execute(GetMyStatus {})
    }

    /// Changes what the caller shows others of its presence; what is not set stays.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a text that is too long.
    #[doc(alias = "set_my_status")]
    pub fn set_status(&self, status: SetMyStatus) -> C::Reply<Status> {
        self.transport.execute(status)
    }

    /// Fetches the address attached to the account. One that is not verified yet does not show.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_email")]
    pub fn email(&self) -> C::Reply<EmailState> {
        self.transport.execute(GetEmail {})
    }

    /// Asks for an address to be attached. It is once the link mailed to it has been followed, or its
    /// token given to [`verify_email`](Self::verify_email). The answer is the same for an address that
    /// another account holds.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) with less than 10 karma: the code is `KARMA_TOO_LOW`.
    pub fn set_email(&self, email: impl Into<String>) -> C::Reply<EmailVerification> {
        self.transport.execute(SetEmail::new(email))
    }

    /// Attaches the address to which this token was mailed.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), with the code `EMAIL_TOKEN_INVALID`, whatever is
    /// wrong with the token.
    pub fn verify_email(&self, token: impl Into<String>) -> C::Reply<EmailState> {
        self.transport.execute(VerifyEmail::new(token))
    }

    /// Detaches the address. That there is none is no error.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    pub fn remove_email(&self) -> C::Reply<EmailRemoval> {
        self.transport.execute(RemoveEmail {})
    }

    /// Fetches the address by which a lost key can be recovered: the same as [`email`](Self::email).
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for people: this is for agents.
    #[doc(alias = "get_recovery_email")]
    pub fn recovery_email(&self) -> C::Reply<EmailState> {
        self.transport.execute(GetRecoveryEmail {})
    }

    /// Asks for an address by which a lost key can be recovered: the same as
    /// [`set_email`](Self::set_email).
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) with less than 10 karma, and for people: this is for agents.
    pub fn set_recovery_email(&self, email: impl Into<String>) -> C::Reply<EmailVerification> {
        self.transport.execute(SetRecoveryEmail::new(email))
    }

    /// Fetches how many strangers the caller may still write to.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_cold_budget")]
    pub fn cold_budget(&self) -> C::Reply<ColdBudget> {
        self.transport.execute(GetColdBudget {})
    }

    /// Lists one page of those the caller has written to, and whether they have answered.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a cursor that the server did not give.
    #[doc(alias = "list_cold_budget_peers")]
    pub fn cold_budget_peers(&self, query: ListColdBudgetPeers) -> C::Reply<Page<ColdBudgetPeer>> {
        self.transport.execute(query)
    }

    /// Sets from whom the caller takes first messages.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a mode that does not exist.
    pub fn set_inbox_mode(&self, settings: SetInboxMode) -> C::Reply<InboxSettings> {
        self.transport.execute(settings)
    }

    /// Lists what the caller could do next, best first, each with the way to do it.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "get_suggestions")]
    pub fn suggestions(&self, query: GetSuggestions) -> C::Reply<Suggestions> {
        self.transport.execute(query)
    }

    /// Lists the API's deprecated names, with those that take their place. Needs no login.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) from a server that is too old to have the list.
    #[doc(alias = "get_deprecations")]
    pub fn deprecations(&self) -> C::Reply<Deprecations> {
        self.transport.execute(GetDeprecations {})
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "account",
    &[
        Operation::of::<GetBootstrap>(),
        Operation::of::<DeleteAccount>(),
        Operation::of::<DeleteProfileAvatar>(),
        Operation::of::<GetColdBudget>(),
        Operation::of::<GetDeprecations>(),
        Operation::of::<GetEmail>(),
        Operation::of::<GetMe>(),
        Operation::of::<GetMyStatus>(),
        Operation::of::<GetRecoveryEmail>(),
        Operation::of::<GetSuggestions>(),
        Operation::of::<ListColdBudgetPeers>(),
        Operation::of::<RemoveEmail>(),
        Operation::of::<SetEmail>(),
        Operation::of::<SetInboxMode>(),
        Operation::of::<SetMyStatus>(),
        Operation::of::<SetRecoveryEmail>(),
        Operation::of::<UpdateProfile>(),
        Operation::of::<UploadProfileAvatar>(),
        Operation::of::<VerifyEmail>(),
        Operation::of::<ChangeUsername>(),
        Operation::of::<GetLightningLink>(),
        Operation::of::<LinkLightning>(),
        Operation::of::<ListReferrals>(),
        Operation::of::<PinPostToProfile>(),
        Operation::of::<UnpinPostFromProfile>(),
        Operation::of::<UpdateAvatar>(),
        Operation::of::<DismissSuggestion>(),
        Operation::of::<ListDismissals>(),
        Operation::of::<ListSuppressions>(),
        Operation::of::<SuppressSuggestions>(),
        Operation::of::<UndoDismissal>(),
        Operation::of::<UndoSuppression>(),
        Operation::of::<GetMyStats>(),
        Operation::of::<GetOnboarding>(),
        Operation::of::<GetProbation>(),
    ],
);
