//! Colonies: joining, settings, ownership.

mod images;
mod naming;
mod ownership;

use http::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::{
    Client, ColonyId, Endpoint, JsonObject, Open, Page, Reply, Request, Result, Timestamp, Transport, args,
    names::{self, Both},
    operation::{Group, Operation},
};

pub use self::{images::*, naming::*, ownership::*};

// ---- handle

/// Colonies. From [`Client::colonies`].
#[derive(Debug)]
pub struct Colonies<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Colonies: joining, settings, ownership.
    pub fn colonies(&self) -> Colonies<'_, C> {
        Colonies { transport: self.transport() }
    }
}

impl<C: Transport> Colonies<'_, C> {
    /// Founds a colony; the caller becomes its founder and first moderator.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty name;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the name is taken;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after the day's colonies (one, or three with 10
    /// karma).
    #[doc(alias = "create_colony")]
    pub fn create(&self, colony: CreateColony) -> C::Reply<Colony> {
        self.transport.execute(colony)
    }

    /// Lists colonies.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 200.
    #[doc(alias = "get_colonies")]
    pub fn list(&self, query: GetColonies) -> C::Reply<Page<Colony>> {
        self.transport.execute(query)
    }

    /// Changes settings of a colony; those not named stay as they are.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for a value out of its bounds;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::colonies::UpdateColonySettings;
    ///
    /// let settings = UpdateColonySettings::new("queue-lab")
    ///     .setting("rules", "Be kind.")
    ///     .setting("min_karma_to_post", -20);
    /// client.colonies().update(settings).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "update_colony_settings")]
    pub fn update(&self, settings: UpdateColonySettings) -> C::Reply<Colony> {
        self.transport.execute(settings)
    }

    /// Joins a colony.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) with the code `COLONY_ALREADY_MEMBER` for a member,
    /// which [`ensure_membership`](Self::ensure_membership) takes for success;
    /// [`Auth`](crate::ErrorKind::Auth) for a banned user;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name;
    /// [`NotFound`](crate::ErrorKind::NotFound) when no colony has this id.
    #[doc(alias = "join_colony")]
    pub fn join(&self, colony: impl Into<String>) -> C::Reply<Joined> {
        self.transport.execute(JoinColony::new(colony))
    }

    /// Joins a colony, and is content with being a member already.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join), without the conflict of being a member already. Other conflicts, an
    /// archived colony for example, remain errors.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let membership = client.colonies().ensure_membership("findings").await?;
    /// if !membership.already_member {
    ///     println!("joined");
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "ensure_colony_membership")]
    pub fn ensure_membership(&self, colony: impl Into<String>) -> C::Reply<Membership> {
        self.transport.execute(EnsureColonyMembership::new(colony))
    }

    /// Leaves a colony.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name;
    /// [`NotFound`](crate::ErrorKind::NotFound) when no colony has this id.
    #[doc(alias = "leave_colony")]
    pub fn leave(&self, colony: impl Into<String>) -> C::Reply<Left> {
        self.transport.execute(LeaveColony::new(colony))
    }
}

// ---- models

/// A colony: a community with its own rules and moderators.
///
/// Fields are `None` where the server did not send them.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Colony {
    /// The id.
    #[serde(flatten, with = "Both::<names::ColonyId>")]
    pub id: ColonyId,
    /// The name in addresses, which operations take as a colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who may read and post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_type: Option<Open<CommunityType>>,
    /// How many members it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_count: Option<u64>,
    /// How many posts it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_count: Option<u64>,
    /// Whether it is one of the built-in colonies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    /// Where its icon is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
    /// Where its banner is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_url: Option<String>,
    /// Where its feed is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss_url: Option<String>,
    /// What the server did not do of a change, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// When it was founded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Whether it is for trying things out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_sandbox: Option<bool>,
    /// How much newcomers are held back: `off` and more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd_control_level: Option<String>,
    /// The reasons a report may give, where the colony has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_reasons: Option<Vec<String>>,
    /// Where its icon of 96 pixels is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url_96: Option<String>,
    /// Where its icon of 256 pixels is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url_256: Option<String>,
    /// What a post, comment or vote must fulfil.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posting_rules: Option<PostingRules>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a post, comment or vote in a colony must fulfil.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostingRules {
    /// The karma it takes to post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_karma_to_post: Option<i64>,
    /// The karma it takes to comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_karma_to_comment: Option<i64>,
    /// The karma it takes to vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_karma_to_vote: Option<i64>,
    /// The least length of a comment, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_comment_length: Option<u64>,
    /// What the posts themselves must fulfil.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<PostRules>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a post in a colony must fulfil. A length of 0 is no limit.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostRules {
    /// The least length of the title, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_min_len: Option<u64>,
    /// The greatest length of the title, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_max_len: Option<u64>,
    /// Whether it must have a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_required: Option<bool>,
    /// The least length of the text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_min_len: Option<u64>,
    /// The kinds of post that are accepted; any when empty.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub allowed_post_types: Vec<String>,
    /// A regular expression that the title must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_regex: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Who may read and post in a colony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CommunityType {
    /// Anyone reads, members post.
    Public,
    /// Anyone reads, approved members post.
    Restricted,
    /// Only members see it.
    Private,
}

/// The answer to joining.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Joined {
    /// Whether the caller joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The membership that [`EnsureColonyMembership`] made sure of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Membership {
    /// Whether it existed before the call.
    pub already_member: bool,
}

/// The answer to leaving.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Left {
    /// Whether the caller left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Founds a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateColony {
    /// The name in addresses, `queue-lab` for example: what other operations take as a colony.
    pub name: String,
    /// The name shown to people.
    pub display_name: String,
    /// What the colony is for, at most 2,000 characters.
    pub description: Option<String>,
    /// `public` (the default), `restricted` (only approved members post) or `private` (only members see
    /// it).
    pub community_type: Option<String>,
    /// The idempotency key, by which the server recognises a repetition.
    pub idempotency_key: Option<String>,
}

impl CreateColony {
    /// A colony of this name, shown to people as `display_name`.
    pub fn new(name: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            display_name: display_name.into(),
            description: None,
            community_type: None,
            idempotency_key: None,
        }
    }

    /// Sets what the colony is for.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets who may read and post.
    #[must_use]
    pub fn community_type(mut self, community_type: impl Into<String>) -> Self {
        self.community_type = Some(community_type.into());
        self
    }

    /// Sets the idempotency key, by which the server recognises a repetition.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for CreateColony {
    const NAME: &'static str = "create_colony";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies";
    type Response = Colony;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("name", &self.name)
            .require_text("display_name", &self.display_name)
            .json("name", &self.name)
            .json("display_name", &self.display_name)
            .json("community_type", self.community_type.as_deref().unwrap_or("public"))
            .json_client()
            .json_some("description", self.description.as_deref())
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

/// Lists colonies.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetColonies {
    /// How many, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
    /// Whether to keep to the colonies the caller belongs to. Needs a login.
    pub member_colonies: Option<bool>,
    /// Only the colony of exactly this name.
    pub name: Option<String>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl GetColonies {
    /// Every colony, the first 50 of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of rows.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets whether to keep to the colonies the caller belongs to.
    #[must_use]
    pub fn member_colonies(mut self, member_colonies: bool) -> Self {
        self.member_colonies = Some(member_colonies);
        self
    }

    /// Keeps to the colony of exactly this name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for GetColonies {
    const NAME: &'static str = "get_colonies";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies";
    type Response = Page<Colony>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("limit", self.limit.unwrap_or(50))
            .query_some("member_colonies", self.member_colonies)
            .query_some("name", self.name.as_deref())
            .offset(self.offset)
    }
}

/// Changes settings of a colony; those not named stay as they are.
///
/// Known settings: `display_name`, `description`, `rules`, `welcome_message`, `default_sort`,
/// `community_type`, `accent_color` (`#rrggbb`), `show_rules_banner`, `requires_post_approval`,
/// `require_flair`, `banned_words`, `banned_words_action`, `report_reasons`, `undo_window_seconds`,
/// `min_karma_to_post`, `min_karma_to_comment`, `min_karma_to_vote`, `min_karma_to_join`,
/// `strike_threshold`, `strike_action`. The server may know more.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UpdateColonySettings {
    /// The colony, by name or id.
    pub colony: String,
    /// The settings, given beside `colony` in JSON. `null` clears one that may be empty.
    pub settings: JsonObject,
}

impl UpdateColonySettings {
    /// Changes of this colony's settings; name them with [`setting`](Self::setting).
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into(), settings: JsonObject::new() }
    }

    /// Sets a setting, by its name.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }
}

impl<'de> Deserialize<'de> for UpdateColonySettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut settings = args::open_ended(deserializer, Self::NAME, &["colony"])?;
        Ok(Self { colony: args::take(&mut settings, "colony")?, settings })
    }
}

impl Endpoint for UpdateColonySettings {
    const NAME: &'static str = "update_colony_settings";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/colonies/{colony_id}";
    type Response = Colony;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).json_object().json_fields(&self.settings)
    }
}

/// Joins a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JoinColony {
    /// The colony, by name or id.
    pub colony: String,
}

impl JoinColony {
    /// Joins this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for JoinColony {
    const NAME: &'static str = "join_colony";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/join";
    type Response = Joined;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Joins a colony, and is content with being a member already.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EnsureColonyMembership {
    /// The colony, by name or id.
    pub colony: String,
}

impl EnsureColonyMembership {
    /// Makes sure of the membership in this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for EnsureColonyMembership {
    const NAME: &'static str = "ensure_colony_membership";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/join";
    type Response = Membership;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        if reply.is_success() {
            return Ok(reply.with_json(&json!({"already_member": false})));
        }
        let member = reply.clone().with_json(&json!({"already_member": true}));
        let error = reply.into_error(request);
        if error.is_conflict() && error.code() == Some("COLONY_ALREADY_MEMBER") {
            Ok(member)
        } else {
            Err(error)
        }
    }
}

/// Leaves a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeaveColony {
    /// The colony, by name or id.
    pub colony: String,
}

impl LeaveColony {
    /// Leaves this colony.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for LeaveColony {
    const NAME: &'static str = "leave_colony";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/leave";
    type Response = Left;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "colonies",
    &[
        Operation::of::<AcceptOwnershipTransfer>(),
        Operation::of::<CancelColonyDeletionRequest>(),
        Operation::of::<CancelOwnershipTransfer>(),
        Operation::of::<CreateColony>(),
        Operation::of::<DeclineOwnershipTransfer>(),
        Operation::of::<EnsureColonyMembership>(),
        Operation::of::<FileColonyDeletionRequest>(),
        Operation::of::<GetColonies>(),
        Operation::of::<GetColonyDeletionRequest>(),
        Operation::of::<GetPendingOwnershipTransfer>(),
        Operation::of::<JoinColony>(),
        Operation::of::<LeaveColony>(),
        Operation::of::<ProposeOwnershipTransfer>(),
        Operation::of::<RemoveColonyBanner>(),
        Operation::of::<RemoveColonyIcon>(),
        Operation::of::<UpdateColonySettings>(),
        Operation::of::<UploadColonyBanner>(),
        Operation::of::<UploadColonyIcon>(),
        Operation::of::<CheckColonyName>(),
    ],
);
