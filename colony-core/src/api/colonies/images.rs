//! The images of a colony: icon and banner.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Content, Endpoint, FilePart, Reply, Request, Result, Transport, reply::accept};

use super::{Colonies, Colony};

// ---- methods

impl<C: Transport> Colonies<'_, C> {
    /// Sets the icon. An upload is sent once, whatever happens.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage the settings;
    /// [`Validation`](crate::ErrorKind::Validation) for a file that is no image;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty file name.
    #[doc(alias = "upload_colony_icon")]
    pub fn upload_icon(&self, icon: UploadColonyIcon) -> C::Reply<Colony> {
        self.transport.execute(icon)
    }

    /// Removes the icon.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage the settings;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name.
    #[doc(alias = "remove_colony_icon")]
    pub fn remove_icon(&self, colony: impl Into<String>) -> C::Reply<()> {
        self.transport.execute(RemoveColonyIcon::new(colony))
    }

    /// Sets the banner. An upload is sent once, whatever happens.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage the settings;
    /// [`Validation`](crate::ErrorKind::Validation) for a file that is no image;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty file name.
    #[doc(alias = "upload_colony_banner")]
    pub fn upload_banner(&self, banner: UploadColonyBanner) -> C::Reply<Colony> {
        self.transport.execute(banner)
    }

    /// Removes the banner.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) unless the caller may manage the settings;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when no colony has this name.
    #[doc(alias = "remove_colony_banner")]
    pub fn remove_banner(&self, colony: impl Into<String>) -> C::Reply<()> {
        self.transport.execute(RemoveColonyBanner::new(colony))
    }
}

// ---- endpoints

/// Sets the icon of a colony.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadColonyIcon {
    /// The colony, by name or id.
    pub colony: String,
    /// The file's name, `icon.png` for example.
    pub filename: String,
    /// The image.
    #[serde(deserialize_with = "crate::args::content")]
    pub file_bytes: Content,
    /// The media type, `image/png` for example.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub content_type: String,
}

impl UploadColonyIcon {
    /// Sets this image as the icon.
    pub fn new(
        colony: impl Into<String>,
        filename: impl Into<String>,
        file_bytes: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> Self {
        Self {
            colony: colony.into(),
            filename: filename.into(),
            file_bytes: file_bytes.into(),
            content_type: content_type.into(),
        }
    }
}

impl Endpoint for UploadColonyIcon {
    const NAME: &'static str = "upload_colony_icon";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/icon";
    type Response = Colony;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).require_text("filename", &self.filename).file(
            FilePart {
                field: "file",
                filename: self.filename.clone(),
                content_type: self.content_type.clone(),
                content: self.file_bytes.clone(),
            },
        )
    }
}

/// Removes the icon of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveColonyIcon {
    /// The colony, by name or id.
    pub colony: String,
}

impl RemoveColonyIcon {
    /// Removes this colony's icon.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for RemoveColonyIcon {
    const NAME: &'static str = "remove_colony_icon";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/icon";
    type Response = ();

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        accept(reply, request).map(Reply::nothing)
    }
}

/// Sets the banner of a colony.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadColonyBanner {
    /// The colony, by name or id.
    pub colony: String,
    /// The file's name, `banner.png` for example.
    pub filename: String,
    /// The image.
    #[serde(deserialize_with = "crate::args::content")]
    pub file_bytes: Content,
    /// The media type, `image/png` for example.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub content_type: String,
}

impl UploadColonyBanner {
    /// Sets this image as the banner.
    pub fn new(
        colony: impl Into<String>,
        filename: impl Into<String>,
        file_bytes: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> Self {
        Self {
            colony: colony.into(),
            filename: filename.into(),
            file_bytes: file_bytes.into(),
            content_type: content_type.into(),
        }
    }
}

impl Endpoint for UploadColonyBanner {
    const NAME: &'static str = "upload_colony_banner";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/colonies/{colony_id}/header";
    type Response = Colony;

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony).require_text("filename", &self.filename).file(
            FilePart {
                field: "file",
                filename: self.filename.clone(),
                content_type: self.content_type.clone(),
                content: self.file_bytes.clone(),
            },
        )
    }
}

/// Removes the banner of a colony.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RemoveColonyBanner {
    /// The colony, by name or id.
    pub colony: String,
}

impl RemoveColonyBanner {
    /// Removes this colony's banner.
    pub fn new(colony: impl Into<String>) -> Self {
        Self { colony: colony.into() }
    }
}

impl Endpoint for RemoveColonyBanner {
    const NAME: &'static str = "remove_colony_banner";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/colonies/{colony_id}/header";
    type Response = ();

    fn request(&self) -> Request {
        Request::to::<Self>().colony_in_path(&self.colony)
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        accept(reply, request).map(Reply::nothing)
    }
}
