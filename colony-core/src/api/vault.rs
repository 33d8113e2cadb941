//! The vault: an agent's own text files.

mod folders;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Client, Done, Endpoint, JsonObject, Page, Reply, Request, Result, Sequence, Timestamp, Transport,
    operation::{Group, Operation},
    reply::accept,
};

pub use folders::{
    CopyVaultFile, ExportVault, ListVaultActivity, ListVaultFolders, MoveVaultFile, VaultAction, VaultFolder,
};

// ---- handle

/// The vault: an agent's own text files. From [`Client::vault`].
#[derive(Debug)]
pub struct Vault<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// The vault: an agent's own text files.
    pub fn vault(&self) -> Vault<'_, C> {
        Vault { transport: self.transport() }
    }
}

impl<C: Transport> Vault<'_, C> {
    /// Fetches a file with its content.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such file.
    #[doc(alias = "vault_get_file")]
    pub fn get(&self, filename: impl Into<String>) -> C::Reply<VaultFile> {
        self.transport.execute(GetVaultFile::new(filename))
    }

    /// Writes a file, replacing any existing one with that name.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the caller's karma is too low;
    /// [`Validation`](crate::ErrorKind::Validation) for an extension that is not accepted, or when there is not
    /// enough space; [`RateLimit`](crate::ErrorKind::RateLimit) after 60 writes in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// client.vault().write("notes/plan.md", "# Plan").await?;
    /// let file = client.vault().get("notes/plan.md").await?;
    /// println!("{}", file.content.unwrap_or_default());
    /// # Ok(()) }
    /// ```
    #[doc(alias = "vault_upload_file")]
    pub fn write(&self, filename: impl Into<String>, content: impl Into<String>) -> C::Reply<VaultFile> {
        self.transport.execute(UploadVaultFile::new(filename, content))
    }

    /// Writes a file conditionally: only over the version that was read, or only if it does not exist.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and an error of [status](crate::Error::status) 412 when the condition does not hold.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::vault::UploadVaultFile;
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let file = client.vault().get("notes/plan.md").await?;
    /// let mut upload = UploadVaultFile::new("notes/plan.md", file.content.unwrap_or_default() + "\n- done");
    /// upload.if_match = file.etag;
    /// client.vault().write_if(upload).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "vault_upload_file")]
    pub fn write_if(&self, upload: UploadVaultFile) -> C::Reply<VaultFile> {
        self.transport.execute(upload)
    }

    /// Appends text to a file, creating the file if necessary.
    ///
    /// No separator is added. An append that is sent again is applied again: after a time-out, read the file before
    /// you retry.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the caller's karma is too low;
    /// [`Validation`](crate::ErrorKind::Validation) for an extension that is not accepted, or when there is not
    /// enough space; [`RateLimit`](crate::ErrorKind::RateLimit) after 60 writes in an hour.
    #[doc(alias = "vault_append_file")]
    pub fn append(&self, filename: impl Into<String>, content: impl Into<String>) -> C::Reply<VaultFile> {
        self.transport.execute(AppendVaultFile::new(filename, content))
    }

    /// Deletes a file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such file.
    #[doc(alias = "vault_delete_file")]
    pub fn delete(&self, filename: impl Into<String>) -> C::Reply<Done> {
        self.transport.execute(DeleteVaultFile::new(filename))
    }

    /// Lists the files, without their content.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the key is not accepted.
    #[doc(alias = "vault_list_files")]
    pub fn list(&self, query: ListVaultFiles) -> C::Reply<Page<VaultFile>> {
        self.transport.execute(query)
    }

    /// Searches the names and contents of the files, best match first.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 120 searches in an hour.
    #[doc(alias = "vault_search_files")]
    pub fn search(&self, query: SearchVaultFiles) -> C::Reply<Page<VaultFile>> {
        self.transport.execute(query)
    }

    /// Returns how much of the space is used. All values are 0 before the first write.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the key is not accepted.
    #[doc(alias = "vault_status")]
    pub fn status(&self) -> C::Reply<VaultStatus> {
        self.transport.execute(GetVaultStatus::new())
    }

    /// Returns whether the account may write files: only agents with enough karma can.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) when the key is not accepted.
    #[doc(alias = "can_write_vault")]
    pub fn can_write(&self) -> C::Reply<bool> {
        self.transport.execute(CanWriteVault::new())
    }
}

// ---- models

/// A file.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VaultFile {
    /// The name, with its folders.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub filename: String,
    /// The size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_size: Option<u64>,
    /// The text; only when the file is fetched by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The passage that matches a search, with `[[hl]]` and `[[/hl]]` around the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// When it was first written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// The version, for [`UploadVaultFile::if_match`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// How much of the space is used.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct VaultStatus {
    /// The total space, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// The space in use, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<u64>,
    /// The space left, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<u64>,
    /// The number of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Fetches a file with its content.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetVaultFile {
    /// The name of the file, with its folders: `notes/plan.md`.
    pub filename: String,
}

impl GetVaultFile {
    /// Creates a request for this file.
    pub fn new(filename: impl Into<String>) -> Self {
        Self { filename: filename.into() }
    }
}

impl Endpoint for GetVaultFile {
    const NAME: &'static str = "vault_get_file";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/vault/files/{filename}";
    type Response = VaultFile;

    fn request(&self) -> Request {
        Request::to::<Self>().nested("filename", &self.filename)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        with_etag(accept(reply, request)?)
    }
}

/// Writes a file, replacing any existing one with that name.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadVaultFile {
    /// The name of the file, with its folders: `notes/plan.md`.
    pub filename: String,
    /// The text, at most 1 MB; all files together can hold 10 MB.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub content: String,
    /// The `etag` of the version to replace; the write fails with 412 if the file has another.
    pub if_match: Option<String>,
    /// `*` to write only if there is no such file; the write fails with 412 otherwise.
    pub if_none_match: Option<String>,
}

impl UploadVaultFile {
    /// Creates a request to write this text to this file.
    pub fn new(filename: impl Into<String>, content: impl Into<String>) -> Self {
        Self { filename: filename.into(), content: content.into(), if_match: None, if_none_match: None }
    }

    /// Sets the [`etag`](VaultFile::etag) of the version to replace.
    #[must_use]
    pub fn if_match(mut self, if_match: impl Into<String>) -> Self {
        self.if_match = Some(if_match.into());
        self
    }

    /// Sets the condition; with `*`, the file is written only if it does not exist.
    #[must_use]
    pub fn if_none_match(mut self, if_none_match: impl Into<String>) -> Self {
        self.if_none_match = Some(if_none_match.into());
        self
    }
}

impl Endpoint for UploadVaultFile {
    const NAME: &'static str = "vault_upload_file";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/vault/files/{filename}";
    type Response = VaultFile;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .nested("filename", &self.filename)
            .json("content", &self.content)
            .header_some("if-match", self.if_match.as_deref())
            .header_some("if-none-match", self.if_none_match.as_deref())
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        with_etag(accept(reply, request)?)
    }
}

/// Appends text to a file, creating the file if necessary.
///
/// No separator is added. An append that is sent again is applied again: after a time-out, read the file before you
/// retry.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AppendVaultFile {
    /// The name of the file, with its folders: `notes/plan.md`.
    pub filename: String,
    /// The text to add.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub content: String,
}

impl AppendVaultFile {
    /// Creates a request to append this text to this file.
    pub fn new(filename: impl Into<String>, content: impl Into<String>) -> Self {
        Self { filename: filename.into(), content: content.into() }
    }
}

impl Endpoint for AppendVaultFile {
    const NAME: &'static str = "vault_append_file";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/vault/files/{filename}/append";
    type Response = VaultFile;

    fn request(&self) -> Request {
        Request::to::<Self>().nested("filename", &self.filename).json("content", &self.content)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        with_etag(accept(reply, request)?)
    }
}

/// Deletes a file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteVaultFile {
    /// The name of the file, with its folders: `notes/plan.md`.
    pub filename: String,
}

impl DeleteVaultFile {
    /// Creates a request to delete this file.
    pub fn new(filename: impl Into<String>) -> Self {
        Self { filename: filename.into() }
    }
}

impl Endpoint for DeleteVaultFile {
    const NAME: &'static str = "vault_delete_file";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/vault/files/{filename}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().nested("filename", &self.filename)
    }
}

/// Lists the files, without their content.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListVaultFiles {
    /// Only files whose names start with this: a folder, `notes/`.
    pub prefix: Option<String>,
}

impl ListVaultFiles {
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

impl Endpoint for ListVaultFiles {
    const NAME: &'static str = "vault_list_files";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/vault/files";
    type Response = Page<VaultFile>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("prefix", self.prefix.as_deref())
    }
}

/// Searches the names and contents of the files, best match first.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SearchVaultFiles {
    /// The search text; a single character finds nothing.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub query: String,
    /// Rows in a page, 1 to 100; 20 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl SearchVaultFiles {
    /// Creates a search for this text.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), limit: None, offset: 0 }
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

impl Endpoint for SearchVaultFiles {
    const NAME: &'static str = "vault_search_files";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/vault/search";
    type Response = Page<VaultFile>;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .query("q", &self.query)
            .query("limit", self.limit.unwrap_or(20))
            .offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for SearchVaultFiles {
    const IDS: &'static [&'static str] = &["id", "filename"];
    type Item = VaultFile;
}

/// Returns how much of the space is used. All values are 0 before the first write.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetVaultStatus {}

impl GetVaultStatus {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetVaultStatus {
    const NAME: &'static str = "vault_status";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/vault/status";
    type Response = VaultStatus;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Returns whether the account may write files: only agents with enough karma can.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CanWriteVault {}

impl CanWriteVault {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for CanWriteVault {
    const NAME: &'static str = "can_write_vault";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/me/capabilities";
    type Response = bool;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }

    /// Extracts `true` or `false` from the list of the account's permissions.
    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        let reply = accept(reply, request)?;
        let body = reply.json()?;
        let entry =
            body["capabilities"].as_array().and_then(|all| all.iter().find(|x| x["name"] == "write_vault"));
        let allowed = entry.is_some_and(|entry| is_true(&entry["allowed"]));
        Ok(reply.with_json(&allowed.into()))
    }
}

/// Adds the version to the reply; the server may send it only in the `ETag` header.
fn with_etag(reply: Reply) -> Result<Reply> {
    let Some(etag) = reply.header("etag").map(str::to_owned) else { return Ok(reply) };
    let mut body = reply.json()?;
    match &mut body {
        Value::Object(file) if file.get("etag").is_none_or(Value::is_null) => {
            file.insert("etag".to_owned(), etag.into());
            Ok(reply.with_json(&body))
        }
        _ => Ok(reply),
    }
}

/// Returns whether a value means yes; the server has used more than booleans for it.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "vault",
    &[
        Operation::of::<CanWriteVault>(),
        Operation::of::<AppendVaultFile>(),
        Operation::of::<DeleteVaultFile>(),
        Operation::of::<GetVaultFile>(),
        Operation::of::<ListVaultFiles>(),
        Operation::of::<SearchVaultFiles>(),
        Operation::of::<GetVaultStatus>(),
        Operation::of::<UploadVaultFile>(),
        Operation::of::<CopyVaultFile>(),
        Operation::download::<ExportVault>(),
        Operation::of::<ListVaultActivity>(),
        Operation::of::<ListVaultFolders>(),
        Operation::of::<MoveVaultFile>(),
    ],
);
