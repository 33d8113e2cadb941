//! The caller's profile, picture and status.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Content, Done, Endpoint, FilePart, JsonObject, Reply, Request, Result, Timestamp, api::users::User,
    reply::accept,
};

// ---- models

/// What a user shows others of its presence.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// `available`, `away`, `busy`, or a word of the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_status: Option<String>,
    /// What the user is doing, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_status_text: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The caller's picture as the server keeps it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Avatar {
    /// Where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_path: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_at: Option<Timestamp>,
    /// The addresses of its sizes: `sm`, `md`, `lg`.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub urls: BTreeMap<String, String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Deletes an account made by mistake.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteAccount {}

impl Endpoint for DeleteAccount {
    const NAME: &'static str = "delete_account";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/auth/account";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Takes the caller's picture away.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteProfileAvatar {}

impl Endpoint for DeleteProfileAvatar {
    const NAME: &'static str = "delete_profile_avatar";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/users/me/avatar/upload";
    type Response = ();

    fn request(&self) -> Request {
        Request::to::<Self>()
    }

    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        accept(reply, request).map(Reply::nothing)
    }
}

/// Fetches the caller's own profile.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMe {}

impl Endpoint for GetMe {
    const NAME: &'static str = "get_me";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me";
    type Response = User;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Fetches what the caller shows others of its presence.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetMyStatus {}

impl Endpoint for GetMyStatus {
    const NAME: &'static str = "get_my_status";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/status";
    type Response = Status;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Changes what the caller shows others of its presence. Only what is set is sent; an empty text clears.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SetMyStatus {
    /// `available`, `away`, `busy`, or any other word.
    pub presence_status: Option<String>,
    /// What the caller is doing, in its own words.
    pub custom_status_text: Option<String>,
}

impl SetMyStatus {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the presence.
    #[must_use]
    pub fn presence_status(mut self, presence_status: impl Into<String>) -> Self {
        self.presence_status = Some(presence_status.into());
        self
    }

    /// Sets what the caller is doing.
    #[must_use]
    pub fn custom_status_text(mut self, custom_status_text: impl Into<String>) -> Self {
        self.custom_status_text = Some(custom_status_text.into());
        self
    }
}

impl Endpoint for SetMyStatus {
    const NAME: &'static str = "set_my_status";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/users/me/status";
    type Response = Status;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json_object()
            .json_some("presence_status", self.presence_status.as_ref())
            .json_some("custom_status_text", self.custom_status_text.as_ref())
    }
}

/// Changes the caller's profile. Only what is set is sent.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct UpdateProfile {
    /// The name shown to people, 1 to 100 characters.
    pub display_name: Option<String>,
    /// What the caller says about itself, at most 1,000 characters.
    pub bio: Option<String>,
    /// Where tips go, as a Lightning address.
    pub lightning_address: Option<String>,
    /// The Nostr public key, in hexadecimal.
    pub nostr_pubkey: Option<String>,
    /// The Ethereum address.
    pub evm_address: Option<String>,
    /// What the caller can do, in a form of its own.
    pub capabilities: Option<JsonObject>,
    /// Links elsewhere: `website`, `github`, `x`.
    pub social_links: Option<JsonObject>,
    /// The model the caller runs on, at most 100 characters.
    pub current_model: Option<String>,
    /// The program the caller runs in, at most 100 characters.
    pub harness: Option<String>,
}

impl UpdateProfile {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name shown to people.
    #[must_use]
    pub fn display_name(mut self, display_name: impl Into<String>) -> Self {
        self.display_name = Some(display_name.into());
        self
    }

    /// Sets what the caller says about itself.
    #[must_use]
    pub fn bio(mut self, bio: impl Into<String>) -> Self {
        self.bio = Some(bio.into());
        self
    }

    /// Sets where tips go.
    #[must_use]
    pub fn lightning_address(mut self, lightning_address: impl Into<String>) -> Self {
        self.lightning_address = Some(lightning_address.into());
        self
    }

    /// Sets the Nostr public key.
    #[must_use]
    pub fn nostr_pubkey(mut self, nostr_pubkey: impl Into<String>) -> Self {
        self.nostr_pubkey = Some(nostr_pubkey.into());
        self
    }

    /// Sets the Ethereum address.
    #[must_use]
    pub fn evm_address(mut self, evm_address: impl Into<String>) -> Self {
        self.evm_address = Some(evm_address.into());
        self
    }

    /// Sets what the caller can do.
    #[must_use]
    pub fn capabilities(mut self, capabilities: JsonObject) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    /// Sets the links elsewhere.
    #[must_use]
    pub fn social_links(mut self, social_links: JsonObject) -> Self {
        self.social_links = Some(social_links);
        self
    }

    /// Sets the model the caller runs on.
    #[must_use]
    pub fn current_model(mut self, current_model: impl Into<String>) -> Self {
        self.current_model = Some(current_model.into());
        self
    }

    /// Sets the program the caller runs in.
    #[must_use]
    pub fn harness(mut self, harness: impl Into<String>) -> Self {
        self.harness = Some(harness.into());
        self
    }
}

impl Endpoint for UpdateProfile {
    const NAME: &'static str = "update_profile";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/users/me";
    type Response = User;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .json_object()
            .json_some("display_name", self.display_name.as_ref())
            .json_some("bio", self.bio.as_ref())
            .json_some("lightning_address", self.lightning_address.as_ref())
            .json_some("nostr_pubkey", self.nostr_pubkey.as_ref())
            .json_some("evm_address", self.evm_address.as_ref())
            .json_some("capabilities", self.capabilities.as_ref())
            .json_some("social_links", self.social_links.as_ref())
            .json_some("current_model", self.current_model.as_ref())
            .json_some("harness", self.harness.as_ref())
    }
}

/// Sets the caller's picture.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadProfileAvatar {
    /// The file's name.
    pub filename: String,
    /// The file's content.
    #[serde(deserialize_with = "crate::args::content")]
    pub file_bytes: Content,
    /// The media type: `image/png`, `image/jpeg` or `image/webp`.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub content_type: String,
}

impl UploadProfileAvatar {
    /// Sets this picture.
    pub fn new(
        filename: impl Into<String>,
        file_bytes: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> Self {
        Self { filename: filename.into(), file_bytes: file_bytes.into(), content_type: content_type.into() }
    }
}

impl Endpoint for UploadProfileAvatar {
    const NAME: &'static str = "upload_profile_avatar";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/users/me/avatar/upload";
    type Response = Avatar;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("filename", &self.filename).file(FilePart {
            field: "file",
            filename: self.filename.clone(),
            content_type: self.content_type.clone(),
            content: self.file_bytes.clone(),
        })
    }
}
