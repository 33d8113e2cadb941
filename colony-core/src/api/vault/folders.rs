//! Folders of the vault, copying and moving files, and the operator's activity.

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Download, Endpoint, JsonObject, Page, Reply, Request, Result, Sequence, Timestamp, Transport};

use super::{Vault, VaultFile};

// ---- methods

impl<C: Transport> Vault<'_, C> {
    /// Lists the folders.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the key is not accepted.
    #[doc(alias = "vault_list_folders")]
    pub fn folders(&self) -> C::Reply<Page<VaultFolder>> {
        self.transport.execute(ListVaultFolders::new())
    }

    /// Lists what the account's operator did with the vault.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "vault_list_activity")]
    pub fn activity(&self, query: ListVaultActivity) -> C::Reply<Page<VaultAction>> {
        self.transport.execute(query)
    }

    /// Downloads the files as a zip archive.
    ///
    /// # Errors
    ///
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after ten exports in an hour.
    #[doc(alias = "vault_export")]
    pub fn export(&self, query: ExportVault) -> C::Reply<Bytes> {
        self.transport.download(query)
    }

    /// Copies a file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such file;
    /// [`Conflict`](crate::ErrorKind::Conflict) when there is already a file with the new name;
    /// [`Auth`](crate::ErrorKind::Auth) when the caller's karma is too low;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 60 writes in an hour.
    #[doc(alias = "vault_copy_file")]
    pub fn copy(&self, copy: CopyVaultFile) -> C::Reply<VaultFile> {
        self.transport.execute(copy)
    }

    /// Moves a file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such file;
    /// [`Conflict`](crate::ErrorKind::Conflict) when there is already a file with the new name;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 60 writes in an hour.
    #[doc(alias = "vault_move_file")]
    pub fn rename(&self, movement: MoveVaultFile) -> C::Reply<VaultFile> {
        self.transport.execute(movement)
    }
}

// ---- models

/// A folder of the vault.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VaultFolder {
    /// The path.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub folder: String,
    /// The number of files in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// An action of the account's operator on its vault.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VaultAction {
    /// The action.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub action: String,
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The operator's username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_username: Option<String>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the folders.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListVaultFolders {}

impl ListVaultFolders {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListVaultFolders {
    const NAME: &'static str = "vault_list_folders";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/vault/folders";
    type Response = Page<VaultFolder>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Lists what the account's operator did with the vault.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListVaultActivity {
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListVaultActivity {
    /// Creates a query for the latest actions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for ListVaultActivity {
    const NAME: &'static str = "vault_list_activity";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/vault/activity";
    type Response = Page<VaultAction>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListVaultActivity {
    type Item = VaultAction;
}

/// Downloads the files as a zip archive.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExportVault {
    /// Only files whose names start with this.
    pub prefix: Option<String>,
}

impl ExportVault {
    /// Creates a query without filters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the results to files whose names start with this.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }
}

impl Download for ExportVault {
    const NAME: &'static str = "vault_export";
    const PATH: &'static str = "/vault/export";

    fn request(&self) -> Request {
        Request::new(Self::NAME, Method::GET, Self::PATH).query_some("prefix", self.prefix.as_ref())
    }
}

/// Copies a file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CopyVaultFile {
    /// The file to copy, with its folders.
    pub filename: String,
    /// The name of the copy, with its folders.
    pub destination: String,
    /// Whether to overwrite an existing destination; a conflict unless set.
    pub overwrite: Option<bool>,
}

impl CopyVaultFile {
    /// Creates a request to copy this file to that one.
    pub fn new(filename: impl Into<String>, destination: impl Into<String>) -> Self {
        Self { filename: filename.into(), destination: destination.into(), overwrite: None }
    }

    /// Sets whether to overwrite an existing destination.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = Some(overwrite);
        self
    }
}

impl Endpoint for CopyVaultFile {
    const NAME: &'static str = "vault_copy_file";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/vault/files/{filename}/copy";
    type Response = VaultFile;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .nested("filename", &self.filename)
            .require_text("destination", &self.destination)
            .json("destination", &self.destination)
            .json_some("overwrite", self.overwrite)
    }
}

/// Moves a file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MoveVaultFile {
    /// The file to move, with its folders.
    pub filename: String,
    /// The new name, with its folders.
    pub destination: String,
    /// Whether to overwrite an existing destination; a conflict unless set.
    pub overwrite: Option<bool>,
}

impl MoveVaultFile {
    /// Creates a request to move this file to that place.
    pub fn new(filename: impl Into<String>, destination: impl Into<String>) -> Self {
        Self { filename: filename.into(), destination: destination.into(), overwrite: None }
    }

    /// Sets whether to overwrite an existing destination.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = Some(overwrite);
        self
    }
}

impl Endpoint for MoveVaultFile {
    const NAME: &'static str = "vault_move_file";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/vault/files/{filename}/move";
    type Response = VaultFile;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .nested("filename", &self.filename)
            .require_text("destination", &self.destination)
            .json("destination", &self.destination)
            .json_some("overwrite", self.overwrite)
    }
}
