//! Folders of bookmarks.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Id, JsonObject, Request, Timestamp, Transport, kind};

use super::Bookmarks;

// ---- methods

impl<C: Transport> Bookmarks<'_, C> {
    /// Lists the caller's folders of bookmarks.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "list_bookmark_folders")]
    pub fn folders(&self) -> C::Reply<Vec<BookmarkFolder>> {
        self.transport.execute(ListBookmarkFolders::new())
    }

    /// Makes a folder of bookmarks. There can be 20.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a name that is not accepted, or with 20 folders
    /// already.
    #[doc(alias = "create_bookmark_folder")]
    pub fn create_folder(&self, name: impl Into<String>) -> C::Reply<BookmarkFolder> {
        self.transport.execute(CreateBookmarkFolder::new(name))
    }

    /// Renames a folder of bookmarks.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such folder of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for a name that is not accepted.
    #[doc(alias = "rename_bookmark_folder")]
    pub fn rename_folder(
        &self,
        folder_id: impl Into<Id<kind::Checked>>,
        name: impl Into<String>,
    ) -> C::Reply<BookmarkFolder> {
        self.transport.execute(RenameBookmarkFolder::new(folder_id, name))
    }

    /// Deletes a folder of bookmarks.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such folder of yours.
    #[doc(alias = "delete_bookmark_folder")]
    pub fn delete_folder(&self, folder_id: impl Into<Id<kind::Checked>>) -> C::Reply<FolderDeleted> {
        self.transport.execute(DeleteBookmarkFolder::new(folder_id))
    }

    /// Moves a bookmark to a folder.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such folder or bookmark of yours.
    #[doc(alias = "move_bookmark")]
    pub fn move_to_folder(
        &self,
        folder_id: impl Into<Id<kind::Checked>>,
        bookmark_id: impl Into<Id<kind::Checked>>,
    ) -> C::Reply<BookmarkPlace> {
        self.transport.execute(MoveBookmark::new(folder_id, bookmark_id))
    }

    /// Takes a bookmark out of its folder.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such bookmark of yours.
    #[doc(alias = "unsort_bookmark")]
    pub fn unsort(&self, bookmark_id: impl Into<Id<kind::Checked>>) -> C::Reply<BookmarkPlace> {
        self.transport.execute(UnsortBookmark::new(bookmark_id))
    }
}

// ---- models

/// A folder of bookmarks.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BookmarkFolder {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// Its place among the folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Where a bookmark is after a change.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BookmarkPlace {
    /// The bookmark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bookmark_id: Option<Id<kind::Checked>>,
    /// The folder; `None` outside of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder_id: Option<Id<kind::Checked>>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// Whether a folder was deleted.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct FolderDeleted {
    /// Whether it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the caller's folders of bookmarks.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListBookmarkFolders {}

impl ListBookmarkFolders {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListBookmarkFolders {
    const NAME: &'static str = "list_bookmark_folders";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/bookmarks/folders";
    type Response = Vec<BookmarkFolder>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Makes a folder of bookmarks. There can be 20.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateBookmarkFolder {
    /// The name.
    pub name: String,
}

impl CreateBookmarkFolder {
    /// A folder of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Endpoint for CreateBookmarkFolder {
    const NAME: &'static str = "create_bookmark_folder";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/bookmarks/folders";
    type Response = BookmarkFolder;

    fn request(&self) -> Request {
        Request::to::<Self>().json("name", &self.name)
    }
}

/// Renames a folder of bookmarks.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RenameBookmarkFolder {
    /// The folder.
    pub folder_id: Id<kind::Checked>,
    /// The new name.
    pub name: String,
}

impl RenameBookmarkFolder {
    /// This name for this folder.
    pub fn new(folder_id: impl Into<Id<kind::Checked>>, name: impl Into<String>) -> Self {
        Self { folder_id: folder_id.into(), name: name.into() }
    }
}

impl Endpoint for RenameBookmarkFolder {
    const NAME: &'static str = "rename_bookmark_folder";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/bookmarks/folders/{folder_id}";
    type Response = BookmarkFolder;

    fn request(&self) -> Request {
        Request::to::<Self>().id("folder_id", &self.folder_id).json("name", &self.name)
    }
}

/// Deletes a folder of bookmarks.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteBookmarkFolder {
    /// The folder.
    pub folder_id: Id<kind::Checked>,
}

impl DeleteBookmarkFolder {
    /// Deletes this folder.
    pub fn new(folder_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { folder_id: folder_id.into() }
    }
}

impl Endpoint for DeleteBookmarkFolder {
    const NAME: &'static str = "delete_bookmark_folder";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/bookmarks/folders/{folder_id}";
    type Response = FolderDeleted;

    fn request(&self) -> Request {
        Request::to::<Self>().id("folder_id", &self.folder_id)
    }
}

/// Moves a bookmark to a folder.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MoveBookmark {
    /// The folder.
    pub folder_id: Id<kind::Checked>,
    /// The bookmark; its id, not its post's.
    pub bookmark_id: Id<kind::Checked>,
}

impl MoveBookmark {
    /// Moves to this folder this bookmark.
    pub fn new(folder_id: impl Into<Id<kind::Checked>>, bookmark_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { folder_id: folder_id.into(), bookmark_id: bookmark_id.into() }
    }
}

impl Endpoint for MoveBookmark {
    const NAME: &'static str = "move_bookmark";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/bookmarks/folders/{folder_id}/move/{bookmark_id}";
    type Response = BookmarkPlace;

    fn request(&self) -> Request {
        Request::to::<Self>().id("folder_id", &self.folder_id).id("bookmark_id", &self.bookmark_id)
    }
}

/// Takes a bookmark out of its folder.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnsortBookmark {
    /// The bookmark; its id, not its post's.
    pub bookmark_id: Id<kind::Checked>,
}

impl UnsortBookmark {
    /// Takes this bookmark out.
    pub fn new(bookmark_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { bookmark_id: bookmark_id.into() }
    }
}

impl Endpoint for UnsortBookmark {
    const NAME: &'static str = "unsort_bookmark";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/bookmarks/folders/unsort/{bookmark_id}";
    type Response = BookmarkPlace;

    fn request(&self) -> Request {
        Request::to::<Self>().id("bookmark_id", &self.bookmark_id)
    }
}
