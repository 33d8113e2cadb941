//! Flair: labels for posts and members of a colony.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Request, Transport, UserId, kind,
    operation::{Group, Operation},
};

// ---- handle

/// Flair. From [`Client::flair`].
#[derive(Debug)]
pub struct Flair<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Flair: labels for posts and members of a colony.
    pub fn flair(&self) -> Flair<'_, C> {
        Flair { transport: self.transport() }
    }
}

impl<C: Transport> Flair<'_, C> {
    /// Lists the post flairs of a colony: the labels authors pick for their posts.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist;
    /// [`NotFound`](crate::ErrorKind::NotFound) when no colony has this id.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// for flair in client.flair().list_for_posts("queue-lab").await?.flairs {
    ///     println!("{:?}", flair.label);
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "list_post_flairs")]
    pub fn list_for_posts(&self, colony: impl Into<String>) -> C::Reply<PostFlairs> {
        self.transport.execute(ListPostFlairs::new(colony))
    }

    /// Adds a post flair to a colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage flair;
    /// [`Validation`](crate::ErrorKind::Validation) for a label that is empty or too long, or a colour
    /// of another form; [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does
    /// not exist.
    #[doc(alias = "create_post_flair")]
    pub fn create_for_posts(&self, flair: CreatePostFlair) -> C::Reply<PostFlair> {
        self.transport.execute(flair)
    }

    /// Deletes a post flair.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage flair;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such flair;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "delete_post_flair")]
    pub fn delete_for_posts(
        &self,
        colony: impl Into<String>,
        flair_id: impl Into<Id<kind::Opaque>>,
    ) -> C::Reply<Done> {
        self.transport.execute(DeletePostFlair::new(colony, flair_id))
    }

    /// Lists the user flairs of a colony: the labels members wear.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage flair;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "list_user_flairs")]
    pub fn list_for_users(&self, colony: impl Into<String>) -> C::Reply<UserFlairs> {
        self.transport.execute(ListUserFlairs::new(colony))
    }

    /// Adds a user flair to a colony, which has at most 25.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage flair;
    /// [`Validation`](crate::ErrorKind::Validation) for a label that is empty or too long, or a colour
    /// of another form; [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does
    /// not exist.
    #[doc(alias = "create_user_flair")]
    pub fn create_for_users(&self, flair: CreateUserFlair) -> C::Reply<UserFlair> {
        self.transport.execute(flair)
    }

    /// Deletes a user flair; those who wear it lose it.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage flair;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such flair;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist.
    #[doc(alias = "delete_user_flair")]
    pub fn delete_for_users(
        &self,
        colony: impl Into<String>,
        template_id: impl Into<Id<kind::Opaque>>,
    ) -> C::Reply<Done> {
        self.transport.execute(DeleteUserFlair::new(colony, template_id))
    }

    /// Gives a member a user flair to wear.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage flair;
    /// [`NotFound`](crate::ErrorKind::NotFound) for a user who is not a member or a flair that does not
    /// exist; [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist
    /// or a piece of a user's id.
    #[doc(alias = "assign_member_flair")]
    pub fn assign(
        &self,
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
        template_id: impl Into<Id<kind::Opaque>>,
    ) -> C::Reply<AssignedFlair> {
        self.transport.execute(AssignMemberFlair::new(colony, user_id, template_id))
    }

    /// Takes a member's user flair away.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage flair;
    /// [`NotFound`](crate::ErrorKind::NotFound) for a user who is not a member;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist or a
    /// piece of a user's id.
    #[doc(alias = "clear_member_flair")]
    pub fn clear(&self, colony: impl Into<String>, user_id: impl Into<UserId>) -> C::Reply<AssignedFlair> {
        self.transport.execute(ClearMemberFlair::new(colony, user_id))
    }
}

// ---- models

/// The post flairs of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostFlairs {
    /// The flairs.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub flairs: Vec<PostFlair>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A label for posts.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostFlair {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The background's colour, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// The text's colour, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_color: Option<String>,
    /// The place in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The user flairs of a colony.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct UserFlairs {
    /// Whether members may wear flair at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_flair_enabled: Option<bool>,
    /// The flairs.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub templates: Vec<UserFlair>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A label for members.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct UserFlair {
    /// Its id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Opaque>,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The background's colour, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// The text's colour, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_color: Option<String>,
    /// The place in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Whether moderators alone may give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mod_only: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The flair a member now wears.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct AssignedFlair {
    /// The member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The flair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_id: Option<Id<kind::Opaque>>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_label: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the post flairs of a colony: the labels authors pick for their posts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListPostFlairs {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListPostFlairs {
    /// Lists this colony's post flairs.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListPostFlairs {
    const NAME: &'static str = "list_post_flairs";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/post-flairs";
    type Response = PostFlairs;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Adds a post flair to a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreatePostFlair {
    /// The colony, by name or id.
    pub colony: String,
    /// The text, at most 40 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub label: String,
    /// The background's colour, `#rrggbb`.
    pub background_color: Option<String>,
    /// The text's colour, `#rrggbb`.
    pub text_color: Option<String>,
    /// The place in the list; 0 unless set.
    #[serde(default)]
    pub position: i64,
}

impl CreatePostFlair {
    /// A post flair of this text, in the server's colours.
    pub fn new(colony: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            colony: colony.into(),
            label: label.into(),
            background_color: None,
            text_color: None,
            position: 0,
        }
    }

    /// Sets the background's colour, `#rrggbb`.
    #[must_use]
    pub fn background_color(mut self, background_color: impl Into<String>) -> Self {
        self.background_color = Some(background_color.into());
        self
    }

    /// Sets the text's colour, `#rrggbb`.
    #[must_use]
    pub fn text_color(mut self, text_color: impl Into<String>) -> Self {
        self.text_color = Some(text_color.into());
        self
    }

    /// Sets the place in the list.
    #[must_use]
    pub fn position(mut self, position: i64) -> Self {
        self.position = position;
        self
    }
}

impl Endpoint for CreatePostFlair {
    const NAME: &'static str = "create_post_flair";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/post-flairs";
    type Response = PostFlair;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("label", &self.label)
            .json("position", self.position)
            .json_some("background_color", self.background_color.as_deref())
            .json_some("text_color", self.text_color.as_deref())
    }
}

/// Deletes a post flair.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeletePostFlair {
    /// The colony, by name or id.
    pub colony: String,
    /// The post flair.
    pub flair_id: Id<kind::Opaque>,
}

impl DeletePostFlair {
    /// Deletes this post flair.
    pub fn new(colony: impl Into<String>, flair_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { colony: colony.into(), flair_id: flair_id.into() }
    }
}

impl Endpoint for DeletePostFlair {
    const NAME: &'static str = "delete_post_flair";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/post-flairs/{flair_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("flair_id", &self.flair_id)
    }
}

/// Lists the user flairs of a colony: the labels members wear.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListUserFlairs {
    /// The colony, by name or id.
    pub colony: String,
}

impl ListUserFlairs {
    /// Lists this colony's user flairs.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for ListUserFlairs {
    const NAME: &'static str = "list_user_flairs";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/colonies/{colony_id}/user-flairs";
    type Response = UserFlairs;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }
}

/// Adds a user flair to a colony, which has at most 25.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateUserFlair {
    /// The colony, by name or id.
    pub colony: String,
    /// The text, at most 40 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub label: String,
    /// The background's colour, `#rrggbb`.
    pub background_color: Option<String>,
    /// The text's colour, `#rrggbb`.
    pub text_color: Option<String>,
    /// Whether moderators alone may give it; `false` unless set.
    #[serde(default)]
    pub mod_only: bool,
    /// The place in the list; 0 unless set.
    #[serde(default)]
    pub position: i64,
}

impl CreateUserFlair {
    /// A user flair of this text, in the server's colours.
    pub fn new(colony: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            colony: colony.into(),
            label: label.into(),
            background_color: None,
            text_color: None,
            mod_only: false,
            position: 0,
        }
    }

    /// Sets the background's colour, `#rrggbb`.
    #[must_use]
    pub fn background_color(mut self, background_color: impl Into<String>) -> Self {
        self.background_color = Some(background_color.into());
        self
    }

    /// Sets the text's colour, `#rrggbb`.
    #[must_use]
    pub fn text_color(mut self, text_color: impl Into<String>) -> Self {
        self.text_color = Some(text_color.into());
        self
    }

    /// Sets whether moderators alone may give it.
    #[must_use]
    pub fn mod_only(mut self, mod_only: bool) -> Self {
        self.mod_only = mod_only;
        self
    }

    /// Sets the place in the list.
    #[must_use]
    pub fn position(mut self, position: i64) -> Self {
        self.position = position;
        self
    }
}

impl Endpoint for CreateUserFlair {
    const NAME: &'static str = "create_user_flair";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/user-flairs";
    type Response = UserFlair;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .json("label", &self.label)
            .json("mod_only", self.mod_only)
            .json("position", self.position)
            .json_some("background_color", self.background_color.as_deref())
            .json_some("text_color", self.text_color.as_deref())
    }
}

/// Deletes a user flair; those who wear it lose it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteUserFlair {
    /// The colony, by name or id.
    pub colony: String,
    /// The user flair.
    pub template_id: Id<kind::Opaque>,
}

impl DeleteUserFlair {
    /// Deletes this user flair.
    pub fn new(colony: impl Into<String>, template_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { colony: colony.into(), template_id: template_id.into() }
    }
}

impl Endpoint for DeleteUserFlair {
    const NAME: &'static str = "delete_user_flair";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/user-flairs/{template_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("template_id", &self.template_id)
    }
}

/// Gives a member a user flair to wear.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AssignMemberFlair {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
    /// The user flair.
    pub template_id: Id<kind::Opaque>,
}

impl AssignMemberFlair {
    /// Gives this member this user flair.
    pub fn new(
        colony: impl Into<String>,
        user_id: impl Into<UserId>,
        template_id: impl Into<Id<kind::Opaque>>,
    ) -> Self {
        Self { colony: colony.into(), user_id: user_id.into(), template_id: template_id.into() }
    }
}

impl Endpoint for AssignMemberFlair {
    const NAME: &'static str = "assign_member_flair";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/flair";
    type Response = AssignedFlair;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .colony_in_path(&self.colony)
            .id("user_id", &self.user_id)
            .json("template_id", &self.template_id)
    }
}

/// Takes a member's user flair away.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClearMemberFlair {
    /// The colony, by name or id.
    pub colony: String,
    /// The member.
    pub user_id: UserId,
}

impl ClearMemberFlair {
    /// Takes this member's user flair away.
    pub fn new(colony: impl Into<String>, user_id: impl Into<UserId>) -> Self {
        Self { colony: colony.into(), user_id: user_id.into() }
    }
}

impl Endpoint for ClearMemberFlair {
    const NAME: &'static str = "clear_member_flair";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/members/{user_id}/flair";
    type Response = AssignedFlair;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).id("user_id", &self.user_id)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "flair",
    &[
        Operation::of::<AssignMemberFlair>(),
        Operation::of::<ClearMemberFlair>(),
        Operation::of::<CreatePostFlair>(),
        Operation::of::<CreateUserFlair>(),
        Operation::of::<DeletePostFlair>(),
        Operation::of::<DeleteUserFlair>(),
        Operation::of::<ListPostFlairs>(),
        Operation::of::<ListUserFlairs>(),
    ],
);
