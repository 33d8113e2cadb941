//! Rules that look at new content.

use http::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{Done, Endpoint, Id, JsonObject, Open, Request, Timestamp, Transport, args, kind};

use super::Moderation;

// ---- methods

impl<C: Transport> Moderation<'_, C> {
    /// Lists the rules of a colony in the order they are tried.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "list_automod_rules")]
    pub fn list_rules(&self, colony: impl Into<String>) -> C::Reply<AutomodRules> {
        self.transport.execute(ListAutomodRules::new(colony))
    }

    /// Adds a rule to a colony, at the end and switched on.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Validation`](crate::ErrorKind::Validation) for a rule without trigger or action, or with ones
    /// that do not exist; [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does
    /// not exist.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::{JsonObject, api::moderation::CreateAutomodRule};
    ///
    /// let triggers = JsonObject::from_iter([("title_regex".to_owned(), "(?i)giveaway".into())]);
    /// let actions = JsonObject::from_iter([("report_to_mods".to_owned(), true.into())]);
    /// let rule = CreateAutomodRule::new("queue-lab", "No giveaways", triggers, actions).scope("post");
    /// let rule = client.moderation().create_rule(rule).await?;
    /// println!("{}", rule.rule_id);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_automod_rule")]
    pub fn create_rule(&self, rule: CreateAutomodRule) -> C::Reply<AutomodRule> {
        self.transport.execute(rule)
    }

    /// Tries a rule on recent content; nothing is changed.
    ///
    /// # Errors
    ///
    /// As [`create_rule`](Self::create_rule).
    #[doc(alias = "dry_run_automod_rule")]
    pub fn dry_run_rule(&self, rule: DryRunAutomodRule) -> C::Reply<AutomodDryRun> {
        self.transport.execute(rule)
    }

    /// Changes a rule; fields not named stay as they are.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such rule;
    /// [`Validation`](crate::ErrorKind::Validation) when the changed rule would not hold;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "update_automod_rule")]
    pub fn update_rule(&self, changes: UpdateAutomodRule) -> C::Reply<AutomodRule> {
        self.transport.execute(changes)
    }

    /// Puts the rules of a colony in another order.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the list leaves a rule out or names one that is
    /// gone: list the rules again; [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony
    /// that does not exist.
    #[doc(alias = "reorder_automod_rules")]
    pub fn reorder_rules(
        &self,
        colony: impl Into<String>,
        rule_ids: impl IntoIterator<Item = impl Into<Id<kind::Opaque>>>,
    ) -> C::Reply<AutomodRules> {
        self.transport.execute(ReorderAutomodRules::new(colony, rule_ids))
    }

    /// Deletes a rule.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller moderates the colony;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such rule;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "delete_automod_rule")]
    pub fn delete_rule(
        &self,
        colony: impl Into<String>,
        rule_id: impl Into<Id<kind::Opaque>>,
    ) -> C::Reply<Done> {
        self.transport.execute(DeleteAutomodRule::new(colony, rule_id))
    }
}

// ---- models

/// The rules of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AutomodRules {
    /// The rules, in the order they are tried.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub rules: Vec<AutomodRule>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A rule that looks at new content.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AutomodRule {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub rule_id: Id<kind::Opaque>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Open<AutomodScope>>,
    /// Whether it is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Its place among the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_index: Option<i64>,
    /// The conditions, which must all hold.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub triggers: JsonObject,
    /// What happens then.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub actions: JsonObject,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AutomodScope {
    /// Posts.
    Post,
    /// Comments.
    Comment,
    /// Posts and comments.
    Both,
}

/// What a rule would have done.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AutomodDryRun {
    /// How many posts were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned_posts: Option<u64>,
    /// How many comments were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned_comments: Option<u64>,
    /// Both together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_scanned: Option<u64>,
    /// How many the rule would have caught.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_count: Option<u64>,
    /// What it would have caught.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub matches: Vec<AutomodMatch>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Content that a rule would have caught.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AutomodMatch {
    /// `post` or `comment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_type: Option<String>,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<Id<kind::Opaque>>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_excerpt: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_username: Option<String>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The conditions that held.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub matched_keys: Vec<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the rules of a colony in the order they are tried.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListAutomodRules {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListAutomodRules {
    /// Lists this colony's rules.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListAutomodRules {
    const NAME: &'static str = "list_automod_rules";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/automod-rules";
    type Response = AutomodRules;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Adds a rule to a colony, at the end and switched on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateAutomodRule {
    /// The colony, by name or id.
    pub colony: String,
    /// The rule's name, at most 120 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub name: String,
    /// The conditions, which must all hold: `title_regex`, `author_karma_below` and so on.
    pub triggers: JsonObject,
    /// What happens then: `remove`, `report_to_mods` and so on.
    pub actions: JsonObject,
    /// `post`, `comment` or `both` (the default).
    pub scope: Option<String>,
}

impl CreateAutomodRule {
    /// A rule for posts and comments alike.
    pub fn new(
        colony: impl Into<String>,
        name: impl Into<String>,
        triggers: JsonObject,
        actions: JsonObject,
    ) -> Self {
        Self { colony: colony.into(), name: name.into(), triggers, actions, scope: None }
    }

    /// Sets what the rule looks at.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }
}

impl Endpoint for CreateAutomodRule {
    const NAME: &'static str = "create_automod_rule";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/automod-rules";
    type Response = AutomodRule;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("name", &self.name)
            .json("scope", self.scope.as_deref().unwrap_or("both"))
            .json("triggers", &self.triggers)
            .json("actions", &self.actions)
    }
}

/// Tries a rule on recent content; nothing is changed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DryRunAutomodRule {
    /// The colony, by name or id.
    pub colony: String,
    /// The rule's name, at most 120 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub name: String,
    /// The conditions, which must all hold: `title_regex`, `author_karma_below` and so on.
    pub triggers: JsonObject,
    /// What happens then: `remove`, `report_to_mods` and so on.
    pub actions: JsonObject,
    /// `post`, `comment` or `both` (the default).
    pub scope: Option<String>,
}

impl DryRunAutomodRule {
    /// A rule for posts and comments alike, to be tried.
    pub fn new(
        colony: impl Into<String>,
        name: impl Into<String>,
        triggers: JsonObject,
        actions: JsonObject,
    ) -> Self {
        Self { colony: colony.into(), name: name.into(), triggers, actions, scope: None }
    }

    /// Sets what the rule looks at.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }
}

impl Endpoint for DryRunAutomodRule {
    const NAME: &'static str = "dry_run_automod_rule";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/automod-rules/dry-run";
    type Response = AutomodDryRun;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("name", &self.name)
            .json("scope", self.scope.as_deref().unwrap_or("both"))
            .json("triggers", &self.triggers)
            .json("actions", &self.actions)
    }
}

/// Changes a rule; fields not named stay as they are.
///
/// Known fields: `name`, `scope`, `triggers` and `actions` (each replaced whole), `enabled`,
/// `order_index`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UpdateAutomodRule {
    /// The colony, by name or id.
    pub colony: String,
    /// The rule.
    pub rule_id: Id<kind::Opaque>,
    /// The fields, given beside `colony` and `rule_id` in JSON.
    pub fields: JsonObject,
}

impl UpdateAutomodRule {
    /// Changes of this rule; name them with [`field`](Self::field).
    pub fn new(colony: impl Into<String>, rule_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { colony: colony.into(), rule_id: rule_id.into(), fields: JsonObject::new() }
    }

    /// Sets a field of the rule, by its name.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }
}

impl<'de> Deserialize<'de> for UpdateAutomodRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = args::open_ended(deserializer, Self::NAME, &["colony", "rule_id"])?;
        Ok(Self {
            colony: args::take(&mut fields, "colony")?,
            rule_id: args::take(&mut fields, "rule_id")?,
            fields,
        })
    }
}

impl Endpoint for UpdateAutomodRule {
    const NAME: &'static str = "update_automod_rule";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/colonies/{colony_id}/automod-rules/{rule_id}";
    type Response = AutomodRule;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .id("rule_id", &self.rule_id)
            .json_object()
            .json_fields(&self.fields)
    }
}

/// Puts the rules of a colony in another order.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReorderAutomodRules {
    /// The colony, by name or id.
    pub colony: String,
    /// Every rule once, in the new order.
    pub rule_ids: Vec<Id<kind::Opaque>>,
}

impl ReorderAutomodRules {
    /// Puts this colony's rules in this order.
    pub fn new(
        colony: impl Into<String>,
        rule_ids: impl IntoIterator<Item = impl Into<Id<kind::Opaque>>>,
    ) -> Self {
        Self { colony: colony.into(), rule_ids: rule_ids.into_iter().map(Into::into).collect() }
    }
}

impl Endpoint for ReorderAutomodRules {
    const NAME: &'static str = "reorder_automod_rules";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/colonies/{colony_id}/automod-rules/order";
    type Response = AutomodRules;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).json("rule_ids", &self.rule_ids)
    }
}

/// Deletes a rule.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteAutomodRule {
    /// The colony, by name or id.
    pub colony: String,
    /// The rule.
    pub rule_id: Id<kind::Opaque>,
}

impl DeleteAutomodRule {
    /// Deletes this rule.
    pub fn new(colony: impl Into<String>, rule_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { colony: colony.into(), rule_id: rule_id.into() }
    }
}

impl Endpoint for DeleteAutomodRule {
    const NAME: &'static str = "delete_automod_rule";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/automod-rules/{rule_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("rule_id", &self.rule_id)
    }
}
