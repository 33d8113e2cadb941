//! Wiki pages: the site's own wiki, and one for each colony.
//!
//! A slug names a page within one wiki. Every call about a colony's page therefore gives the colony's name (an id is
//! not accepted here).

mod endpoints;

pub use endpoints::*;

use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Id, JsonObject, Page, Timestamp, Transport,
    api::users::{User, user_or_name},
    kind,
    names::{self, Both},
    operation::{Group, Operation},
};

// ---- handle

/// Wiki pages. From [`Client::wiki`].
#[derive(Debug)]
pub struct Wiki<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Wiki pages: the site's own wiki, and one for each colony.
    pub fn wiki(&self) -> Wiki<'_, C> {
        Wiki { transport: self.transport() }
    }
}

impl<C: Transport> Wiki<'_, C> {
    /// Fetches a page with its text.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a malformed slug;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such page in that wiki.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// use colony_core::api::wiki::GetWikiPage;
    ///
    /// let page = client.wiki().get(GetWikiPage::new("getting-started")).await?;
    /// println!("{}", page.title.unwrap_or_default());
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_wiki_page")]
    pub fn get(&self, page: GetWikiPage) -> C::Reply<WikiPage> {
        self.transport.execute(page)
    }

    /// Lists the wiki's pages, by title. Fetches one page of results.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for a colony that does not exist.
    #[doc(alias = "get_wiki_pages")]
    pub fn list(&self, query: GetWikiPages) -> C::Reply<Page<WikiPage>> {
        self.transport.execute(query)
    }

    /// Iterates over the pages of the wiki, by title. Their text is not included.
    ///
    /// # Errors
    ///
    /// Each item is a result; iteration stops after the first error.
    #[doc(alias = "iter_wiki_pages")]
    pub fn iter(&self, query: GetWikiPages) -> C::Listing<WikiPage> {
        self.transport.list(query)
    }

    /// Creates a page.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a malformed slug or an empty title;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the slug is taken, even by a deleted page.
    #[doc(alias = "create_wiki_page")]
    pub fn create(&self, page: CreateWikiPage) -> C::Reply<WikiPage> {
        self.transport.execute(page)
    }

    /// Edits a page. Fields that are not set keep their values. The previous text is kept as a revision.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the page has been edited since `base_revision`;
    /// [`Auth`](crate::ErrorKind::Auth) when it is locked; [`NotFound`](crate::ErrorKind::NotFound) when
    /// there is no such page in that wiki.
    #[doc(alias = "update_wiki_page")]
    pub fn update(&self, changes: UpdateWikiPage) -> C::Reply<WikiPage> {
        self.transport.execute(changes)
    }

    /// Deletes a page. Its slug stays taken.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller is a moderator, or the author and only editor of the page;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such page in that wiki.
    #[doc(alias = "delete_wiki_page")]
    pub fn delete(&self, page: DeleteWikiPage) -> C::Reply<Done> {
        self.transport.execute(page)
    }

    /// Lists the revisions of a page, newest first, without their text. Fetches one page of results.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a malformed slug;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such page in that wiki.
    #[doc(alias = "get_wiki_history")]
    pub fn history(&self, query: GetWikiHistory) -> C::Reply<Vec<WikiRevision>> {
        self.transport.execute(query)
    }

    /// Fetches a revision of a page with its text.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a malformed slug or a piece of an id;
    /// [`NotFound`](crate::ErrorKind::NotFound) when that page has no such revision.
    #[doc(alias = "get_wiki_revision")]
    pub fn revision(&self, revision: GetWikiRevision) -> C::Reply<WikiRevision> {
        self.transport.execute(revision)
    }
}

// ---- models

/// A page of a wiki.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WikiPage {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Checked>>,
    /// The slug, unique within its wiki.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub slug: String,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text in Markdown; lists may omit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The colony that the wiki belongs to; `None` for the site's.
    #[serde(flatten, with = "Both::<names::ColonyName>")]
    pub colony_name: Option<String>,
    /// The user who created it: username and display name.
    #[serde(default, deserialize_with = "user_or_name", skip_serializing_if = "Option::is_none")]
    pub created_by: Option<User>,
    /// The user who last edited it: username and display name.
    #[serde(default, deserialize_with = "user_or_name", skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<User>,
    /// Whether it is locked against edits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_locked: Option<bool>,
    /// The number of revisions; the `base_revision` of an edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision_count: Option<u64>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A revision of a page.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct WikiRevision {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The title at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The whole text at that time; not in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The summary of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The user who made it: username and display name.
    #[serde(default, deserialize_with = "user_or_name", skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "wiki",
    &[
        Operation::of::<CreateWikiPage>(),
        Operation::of::<DeleteWikiPage>(),
        Operation::of::<GetWikiHistory>(),
        Operation::of::<GetWikiPage>(),
        Operation::of::<GetWikiPages>(),
        Operation::of::<GetWikiRevision>(),
        Operation::list::<GetWikiPages>(),
        Operation::of::<UpdateWikiPage>(),
    ],
);
