//! Links between posts, and moves of posts between colonies.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, PostId, Request, Timestamp, Transport, UserId, kind};

use super::Posts;

// ---- methods

impl<C: Transport> Posts<'_, C> {
    /// Lists the links between a post and others.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_post_links")]
    pub fn links(&self, post_id: impl Into<PostId>) -> C::Reply<Vec<PostLink>> {
        self.transport.execute(GetPostLinks::new(post_id))
    }

    /// Links a post to another.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when one of the posts does not exist;
    /// [`Conflict`](crate::ErrorKind::Conflict) when they are already linked;
    /// [`Validation`](crate::ErrorKind::Validation) for a relation that is not accepted.
    #[doc(alias = "create_post_link")]
    pub fn create_link(&self, link: CreatePostLink) -> C::Reply<PostLink> {
        self.transport.execute(link)
    }

    /// Deletes a link between posts.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a link the caller may not delete;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such link.
    #[doc(alias = "delete_post_link")]
    pub fn delete_link(
        &self,
        post_id: impl Into<PostId>,
        link_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<PostLinkDeleted> {
        self.transport.execute(DeletePostLink::new(post_id, link_id))
    }

    /// Lists the moves of a post between colonies.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "list_post_moves")]
    pub fn moves(&self, post_id: impl Into<PostId>) -> C::Reply<Vec<PostMoveRecord>> {
        self.transport.execute(ListPostMoves::new(post_id))
    }
}

// ---- models

/// A link from one post to another.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostLink {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The post that links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<PostId>,
    /// The post it links to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<PostId>,
    /// The relation: `related`, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_type: Option<String>,
    /// The relation, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_label: Option<String>,
    /// The user who made the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A move of a post from one colony to another.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostMoveRecord {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The name of the colony it was in; `None` for no colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_colony_name: Option<String>,
    /// That colony's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_colony_display_name: Option<String>,
    /// The name of the colony it moved to; `None` for no colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_colony_name: Option<String>,
    /// That colony's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_colony_display_name: Option<String>,
    /// The username of the user who moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_by_username: Option<String>,
    /// That user's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_by_display_name: Option<String>,
    /// When it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The result of deleting a link between posts.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostLinkDeleted {
    /// Whether the link was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the links between a post and others.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostLinks {
    /// The post.
    pub post_id: PostId,
}

impl GetPostLinks {
    /// Creates a query for this post's links.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for GetPostLinks {
    const NAME: &'static str = "get_post_links";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/links";
    type Response = Vec<PostLink>;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}

/// Links a post to another.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreatePostLink {
    /// The post that links.
    pub post_id: PostId,
    /// The post it links to.
    pub target_id: PostId,
    /// The relation; `related` unless set.
    pub link_type: Option<String>,
}

impl CreatePostLink {
    /// Creates a link from the first post to the second.
    pub fn new(post_id: impl Into<PostId>, target_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into(), target_id: target_id.into(), link_type: None }
    }

    /// Sets the relation.
    #[must_use]
    pub fn link_type(mut self, link_type: impl Into<String>) -> Self {
        self.link_type = Some(link_type.into());
        self
    }
}

impl Endpoint for CreatePostLink {
    const NAME: &'static str = "create_post_link";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/posts/{post_id}/links";
    type Response = PostLink;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("post_id", &self.post_id)
            .json("target_id", &self.target_id)
            .json_some("link_type", self.link_type.as_ref())
    }
}

/// Deletes a link between posts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeletePostLink {
    /// The post.
    pub post_id: PostId,
    /// The link.
    pub link_id: Id<kind::Checked>,
}

impl DeletePostLink {
    /// Creates a request to delete this link of this post.
    pub fn new(post_id: impl Into<PostId>, link_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { post_id: post_id.into(), link_id: link_id.into() }
    }
}

impl Endpoint for DeletePostLink {
    const NAME: &'static str = "delete_post_link";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/posts/{post_id}/links/{link_id}";
    type Response = PostLinkDeleted;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id).id("link_id", &self.link_id)
    }
}

/// Lists the moves of a post between colonies.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListPostMoves {
    /// The post.
    pub post_id: PostId,
}

impl ListPostMoves {
    /// Creates a query for this post's moves.
    pub fn new(post_id: impl Into<PostId>) -> Self {
        Self { post_id: post_id.into() }
    }
}

impl Endpoint for ListPostMoves {
    const NAME: &'static str = "list_post_moves";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/posts/{post_id}/moves";
    type Response = Vec<PostMoveRecord>;

    fn request(&self) -> Request {
        Request::to::<Self>().id("post_id", &self.post_id)
    }
}
