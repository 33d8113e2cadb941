//! Images attached to messages.

use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Content, Download, Endpoint, FilePart, Id, JsonObject, Reply, Request, Result, Transport, kind,
    names::{self, Both},
    operation::{Group, Operation},
    reply::accept,
};

// ---- handle

/// Images attached to messages. From [`Client::attachments`].
#[derive(Debug)]
pub struct Attachments<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Images attached to messages.
    pub fn attachments(&self) -> Attachments<'_, C> {
        Attachments { transport: self.transport() }
    }
}

impl<C: Transport> Attachments<'_, C> {
    /// Uploads an image to attach to a message.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) when the content is no image or not of the named
    /// type. An upload is sent once, without another try.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let image = std::fs::read("chart.png").unwrap();
    /// let attachment = client.attachments().upload("chart.png", image, "image/png").await?;
    /// println!("{:?}", attachment.full_url);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "upload_message_attachment")]
    pub fn upload(
        &self,
        filename: impl Into<String>,
        file_bytes: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> C::Reply<Attachment> {
        self.transport.execute(UploadMessageAttachment::new(filename, file_bytes, content_type))
    }

    /// Fetches the bytes of an attachment.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such attachment;
    /// [`Auth`](crate::ErrorKind::Auth) in another user's conversation.
    #[doc(alias = "get_message_attachment")]
    pub fn get(&self, attachment: GetMessageAttachment) -> C::Reply<Bytes> {
        self.transport.download(attachment)
    }

    /// Deletes an attachment that one has uploaded. Deleting it twice is no error.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for another user's upload.
    #[doc(alias = "delete_message_attachment")]
    pub fn delete(&self, attachment_id: impl Into<Id<kind::Opaque>>) -> C::Reply<()> {
        self.transport.execute(DeleteMessageAttachment::new(attachment_id))
    }
}

// ---- models

/// An uploaded image.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Attachment {
    /// The id.
    #[serde(flatten, with = "Both::<names::AttachmentId>")]
    pub id: Option<Id<kind::Opaque>>,
    /// The media type the server found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// The width in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// The height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Where the small version is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb_url: Option<String>,
    /// Where the full version is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_url: Option<String>,
    /// Whether the same image had been uploaded before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deduped: Option<bool>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Uploads an image to attach to a message.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadMessageAttachment {
    /// The name of the file; the server goes by the content.
    pub filename: String,
    /// The image, at most 8 MB.
    #[serde(deserialize_with = "crate::args::content")]
    pub file_bytes: Content,
    /// The media type: `image/png`, `image/jpeg`, `image/webp` or `image/gif`. It must fit the
    /// content.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub content_type: String,
}

impl UploadMessageAttachment {
    /// This image.
    pub fn new(
        filename: impl Into<String>,
        file_bytes: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> Self {
        Self { filename: filename.into(), file_bytes: file_bytes.into(), content_type: content_type.into() }
    }
}

impl fmt::Debug for UploadMessageAttachment {
    /// Shows how long the file is, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadMessageAttachment")
            .field("filename", &self.filename)
            .field("file_bytes", &self.file_bytes)
            .field("content_type", &self.content_type)
            .finish()
    }
}

impl Endpoint for UploadMessageAttachment {
    const NAME: &'static str = "upload_message_attachment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/attachments/upload";
    type Response = Attachment;

    fn request(&self) -> Request {
        Request::to::<Self>().file(FilePart {
            field: "file",
            filename: self.filename.clone(),
            content_type: self.content_type.clone(),
            content: self.file_bytes.clone(),
        })
    }
}

/// Fetches the bytes of an attachment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMessageAttachment {
    /// The attachment.
    pub attachment_id: Id<kind::Opaque>,
    /// `full` (the default) or `thumb`.
    pub variant: Option<String>,
}

impl GetMessageAttachment {
    /// This image, in full size.
    pub fn new(attachment_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { attachment_id: attachment_id.into(), variant: None }
    }

    /// Sets the size: `full` or `thumb`.
    #[must_use]
    pub fn variant(mut self, variant: impl Into<String>) -> Self {
        self.variant = Some(variant.into());
        self
    }
}

impl Download for GetMessageAttachment {
    const NAME: &'static str = "get_message_attachment";
    const PATH: &'static str = "/messages/attachments/{attachment_id}/{variant}";

    fn request(&self) -> Request {
        Request::new(Self::NAME, Method::GET, Self::PATH)
            .id("attachment_id", &self.attachment_id)
            .name("variant", self.variant.as_deref().unwrap_or("full"))
    }
}

/// Deletes an attachment that one has uploaded. Deleting it twice is no error.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteMessageAttachment {
    /// The attachment.
    pub attachment_id: Id<kind::Opaque>,
}

impl DeleteMessageAttachment {
    /// This attachment.
    pub fn new(attachment_id: impl Into<Id<kind::Opaque>>) -> Self {
        Self { attachment_id: attachment_id.into() }
    }
}

impl Endpoint for DeleteMessageAttachment {
    const NAME: &'static str = "delete_message_attachment";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/messages/attachments/{attachment_id}";
    type Response = ();

    fn request(&self) -> Request {
        Request::to::<Self>().id("attachment_id", &self.attachment_id)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        Ok(accept(reply, request)?.nothing())
    }
}

// ---- registry

/// The rows of this resource.
pub(crate) const GROUP: Group = Group::new(
    "attachments",
    &[
        Operation::of::<DeleteMessageAttachment>(),
        Operation::download::<GetMessageAttachment>(),
        Operation::of::<UploadMessageAttachment>(),
    ],
);
