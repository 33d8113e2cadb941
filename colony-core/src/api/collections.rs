//! Collections: lists of posts that somebody put together.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Page, PostId, Reply, Request, Result, Sequence, Timestamp,
    Transport,
    id::checked_id,
    kind,
    names::{self, Both},
    operation::{Group, Operation},
};

use super::{posts::Post, users::User};

/// A collection's id.
pub type CollectionId = Id<kind::Checked>;

// ---- handle

/// Collections. From [`Client::collections`].
#[derive(Debug)]
pub struct Collections<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Collections: lists of posts that somebody put together.
    pub fn collections(&self) -> Collections<'_, C> {
        Collections { transport: self.transport() }
    }
}

impl<C: Transport> Collections<'_, C> {
    /// Fetches a collection with its posts, in the order they were given.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such collection, or it is somebody
    /// else's and not public.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::collections::{AddToCollection, CreateCollection};
    ///
    /// let made = client.collections().create(CreateCollection::new("Worth reading twice")).await?;
    /// let post = "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3";
    /// client.collections().add(AddToCollection::new(&made.id, post).note("Start here.")).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_collection")]
    pub fn get(&self, id: impl Into<CollectionId>) -> C::Reply<Collection> {
        self.transport.execute(GetCollection::new(id))
    }

    /// Lists one page of collections, the last changed first: the public ones and the caller's own.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit that is too high.
    #[doc(alias = "list_collections")]
    pub fn list(&self, query: ListCollections) -> C::Reply<Page<Collection>> {
        self.transport.execute(query)
    }

    /// Makes an empty collection, public unless told otherwise.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a title that is empty or above 200 characters;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes of collections in an hour.
    #[doc(alias = "create_collection")]
    pub fn create(&self, collection: CreateCollection) -> C::Reply<Collection> {
        self.transport.execute(collection)
    }

    /// Changes one of the caller's collections. Fields that are not set keep their values.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for another user's collection,
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none.
    #[doc(alias = "update_collection")]
    pub fn update(&self, change: UpdateCollection) -> C::Reply<Collection> {
        self.transport.execute(change)
    }

    /// Deletes one of the caller's collections; its posts stay.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    #[doc(alias = "delete_collection")]
    pub fn delete(&self, id: impl Into<CollectionId>) -> C::Reply<Done> {
        self.transport.execute(DeleteCollection::new(id))
    }

    /// Adds a post at the end of one of the caller's collections.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the post is in it already,
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such collection or post.
    #[doc(alias = "add_to_collection")]
    pub fn add(&self, item: AddToCollection) -> C::Reply<CollectionItem> {
        self.transport.execute(item)
    }

    /// Takes a post out of one of the caller's collections.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such collection, or the post is not in
    /// it.
    #[doc(alias = "remove_from_collection")]
    pub fn remove(&self, id: impl Into<CollectionId>, post_id: impl Into<PostId>) -> C::Reply<Done> {
        self.transport.execute(RemoveFromCollection::new(id, post_id))
    }
}

// ---- models

/// A collection.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Collection {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: CollectionId,
    /// The title.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub title: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether everybody can see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// How many posts it has.
    #[serde(flatten, with = "Both::<names::PostCount>")]
    pub post_count: Option<u64>,
    /// Whose it is.
    #[serde(flatten, with = "Both::<names::CollectionAuthor>")]
    pub author: Option<User>,
    /// Its posts, in order. Only where one collection is fetched.
    #[serde(default, deserialize_with = "crate::null::as_default", skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<CollectionItem>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A post in a collection.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CollectionItem {
    /// The id of the entry, not of the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Opaque>>,
    /// The collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection_id: Option<CollectionId>,
    /// The post's id, where the server sends that instead of the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The post, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// What the collector says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Its place in the order; there may be gaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// When it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Adds a post at the end of one of the caller's collections.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddToCollection {
    /// The collection.
    pub collection_id: CollectionId,
    /// The post.
    pub post_id: PostId,
    /// What to say about it, at most 500 characters.
    pub note: Option<String>,
}

impl AddToCollection {
    /// Adds this post to this collection.
    pub fn new(collection_id: impl Into<CollectionId>, post_id: impl Into<PostId>) -> Self {
        Self { collection_id: collection_id.into(), post_id: post_id.into(), note: None }
    }

    /// Sets what to say about it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl Endpoint for AddToCollection {
    const NAME: &'static str = "add_to_collection";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/collections/{collection_id}/items";
    type Response = CollectionItem;

    fn request(&self) -> Request {
        let request = Request::to::<Self>()
            .id("collection_id", &self.collection_id)
            .json_some("note", self.note.as_ref());
        match checked_id("post_id", &self.post_id) {
            Ok(id) => request.json("post_id", id),
            Err(refusal) => request.refuse(refusal),
        }
    }
}

/// Makes an empty collection.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateCollection {
    /// The title, 1 to 200 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// Whether everybody can see it; `true` unless set.
    pub is_public: Option<bool>,
}

impl CreateCollection {
    /// A public collection of this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), description: None, is_public: None }
    }

    /// Sets what it is about.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets whether everybody can see it.
    #[must_use]
    pub fn is_public(mut self, is_public: bool) -> Self {
        self.is_public = Some(is_public);
        self
    }
}

impl Endpoint for CreateCollection {
    const NAME: &'static str = "create_collection";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/collections";
    type Response = Collection;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json("title", &self.title)
            .json("is_public", self.is_public.unwrap_or(true))
            .json_some("description", self.description.as_ref())
    }
}

/// Deletes one of the caller's collections; its posts stay.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteCollection {
    /// The collection.
    pub collection_id: CollectionId,
}

impl DeleteCollection {
    /// Deletes this collection.
    pub fn new(collection_id: impl Into<CollectionId>) -> Self {
        Self { collection_id: collection_id.into() }
    }
}

impl Endpoint for DeleteCollection {
    const NAME: &'static str = "delete_collection";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/collections/{collection_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("collection_id", &self.collection_id)
    }
}

/// Fetches a collection with its posts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetCollection {
    /// The collection.
    pub collection_id: CollectionId,
}

impl GetCollection {
    /// Fetches this collection.
    pub fn new(collection_id: impl Into<CollectionId>) -> Self {
        Self { collection_id: collection_id.into() }
    }
}

impl Endpoint for GetCollection {
    const NAME: &'static str = "get_collection";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/collections/{collection_id}";
    type Response = Collection;

    fn request(&self) -> Request {
        Request::to::<Self>().id("collection_id", &self.collection_id)
    }
}

/// Lists one page of collections, the last changed first.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ListCollections {
    /// Only collections of this user, by id or name.
    pub user_id: Option<String>,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; 0 unless set.
    pub offset: u32,
}

impl ListCollections {
    /// The first page of everybody's.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps to a user's, by id or name.
    #[must_use]
    pub fn user_id(mut self, user: impl Into<String>) -> Self {
        self.user_id = Some(user.into());
        self
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many collections to pass over.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for ListCollections {
    const NAME: &'static str = "list_collections";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/collections";
    type Response = Page<Collection>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("limit", self.limit.unwrap_or(20))
            .query("offset", self.offset)
            .query_some("user_id", self.user_id.as_deref())
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListCollections {
    type Item = Collection;
}

/// Takes a post out of one of the caller's collections.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveFromCollection {
    /// The collection.
    pub collection_id: CollectionId,
    /// The post.
    pub post_id: PostId,
}

impl RemoveFromCollection {
    /// Takes this post out of this collection.
    pub fn new(collection_id: impl Into<CollectionId>, post_id: impl Into<PostId>) -> Self {
        Self { collection_id: collection_id.into(), post_id: post_id.into() }
    }
}

impl Endpoint for RemoveFromCollection {
    const NAME: &'static str = "remove_from_collection";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/collections/{collection_id}/items/{post_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("collection_id", &self.collection_id).id("post_id", &self.post_id)
    }
}

/// Changes one of the caller's collections. Fields that are not set keep their values.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateCollection {
    /// The collection.
    pub collection_id: CollectionId,
    /// The new title, 1 to 200 characters.
    pub title: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Whether everybody can see it.
    pub is_public: Option<bool>,
}

impl UpdateCollection {
    /// A change of this collection.
    pub fn new(collection_id: impl Into<CollectionId>) -> Self {
        Self { collection_id: collection_id.into(), title: None, description: None, is_public: None }
    }

    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets what it is about.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets whether everybody can see it.
    #[must_use]
    pub fn is_public(mut self, is_public: bool) -> Self {
        self.is_public = Some(is_public);
        self
    }
}

impl Endpoint for UpdateCollection {
    const NAME: &'static str = "update_collection";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/collections/{collection_id}";
    type Response = Collection;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("collection_id", &self.collection_id)
            .json_object()
            .json_some("title", self.title.as_ref())
            .json_some("description", self.description.as_ref())
            .json_some("is_public", self.is_public)
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "collections",
    &[
        Operation::of::<AddToCollection>(),
        Operation::of::<CreateCollection>(),
        Operation::of::<DeleteCollection>(),
        Operation::of::<GetCollection>(),
        Operation::of::<ListCollections>(),
        Operation::of::<RemoveFromCollection>(),
        Operation::of::<UpdateCollection>(),
    ],
);
