//! What is done with a group as a whole.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Content, ConversationId, Download, Endpoint, FilePart, Request, api::messages::MuteState};

use super::{GroupAvatar, GroupConversation, GroupTemplates, ReadReceipts, SnoozeState};

/// Opens a group and invites users to it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateGroupConversation {
    /// The title, 1 to 100 characters.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub title: String,
    /// Who is invited, by username: 1 to 49 users besides oneself.
    pub members: Vec<String>,
}

impl CreateGroupConversation {
    /// A group of this title with these users.
    pub fn new(title: impl Into<String>, members: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { title: title.into(), members: members.into_iter().map(Into::into).collect() }
    }
}

impl Endpoint for CreateGroupConversation {
    const NAME: &'static str = "create_group_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups";
    type Response = GroupConversation;

    fn request(&self) -> Request {
        let request = Request::to::<Self>().query("title", &self.title);
        self.members.iter().fold(request, |request, member| request.query("members", member))
    }
}

/// Lists the templates a group can be made from.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListGroupTemplates {}

impl ListGroupTemplates {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for ListGroupTemplates {
    const NAME: &'static str = "list_group_templates";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/groups/templates";
    type Response = GroupTemplates;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Opens a group made from a template.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateGroupFromTemplate {
    /// The template, by its slug.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub template: String,
    /// Who is invited, by username: 1 to 49 users besides oneself.
    pub members: Vec<String>,
    /// A title in place of the template's, 1 to 100 characters.
    pub title_override: Option<String>,
}

impl CreateGroupFromTemplate {
    /// A group of this template with these users.
    pub fn new(template: impl Into<String>, members: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            template: template.into(),
            members: members.into_iter().map(Into::into).collect(),
            title_override: None,
        }
    }

    /// Sets a title in place of the template's.
    #[must_use]
    pub fn title_override(mut self, title_override: impl Into<String>) -> Self {
        self.title_override = Some(title_override.into());
        self
    }
}

impl Endpoint for CreateGroupFromTemplate {
    const NAME: &'static str = "create_group_from_template";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/from-template";
    type Response = GroupConversation;

    fn request(&self) -> Request {
        let request = Request::to::<Self>()
            .query("template", &self.template)
            .query_some("title_override", self.title_override.as_deref());
        self.members.iter().fold(request, |request, member| request.query("members", member))
    }
}

/// Fetches a group and one page of its messages, which read from old to new.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetGroupConversation {
    /// The group.
    pub conv_id: ConversationId,
    /// Messages to a page, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
    /// How many newer messages to pass over.
    #[serde(default)]
    pub offset: u32,
}

impl GetGroupConversation {
    /// The newest messages of this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into(), limit: None, offset: 0 }
    }

    /// Sets the messages to a page.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many newer messages to pass over.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for GetGroupConversation {
    const NAME: &'static str = "get_group_conversation";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/messages/groups/{conv_id}";
    type Response = GroupConversation;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .query("limit", self.limit.unwrap_or(50))
            .query("offset", self.offset)
    }
}

/// Changes the title or the description of a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateGroupConversation {
    /// The group.
    pub conv_id: ConversationId,
    /// The new title, 1 to 100 characters.
    pub title: Option<String>,
    /// The new description, at most 500 characters; an empty one removes it.
    pub description: Option<String>,
}

impl UpdateGroupConversation {
    /// This group, with nothing changed yet.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into(), title: None, description: None }
    }

    /// Sets the new title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the new description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl Endpoint for UpdateGroupConversation {
    const NAME: &'static str = "update_group_conversation";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/messages/groups/{conv_id}";
    type Response = GroupConversation;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("conv_id", &self.conv_id)
            .query_some("title", self.title.as_deref())
            .query_some("description", self.description.as_deref())
    }
}

/// Mutes a group for oneself.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MuteGroupConversation {
    /// The group.
    pub conv_id: ConversationId,
    /// `1h`, `8h`, `1d`, `1w` or `forever`, which is also meant when there is none.
    pub duration: Option<String>,
}

impl MuteGroupConversation {
    /// This group, for good.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into(), duration: None }
    }

    /// Sets for how long.
    #[must_use]
    pub fn duration(mut self, duration: impl Into<String>) -> Self {
        self.duration = Some(duration.into());
        self
    }
}

impl Endpoint for MuteGroupConversation {
    const NAME: &'static str = "mute_group_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/mute";
    type Response = MuteState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).query_some("duration", self.duration.as_deref())
    }
}

/// Unmutes a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnmuteGroupConversation {
    /// The group.
    pub conv_id: ConversationId,
}

impl UnmuteGroupConversation {
    /// For this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into() }
    }
}

impl Endpoint for UnmuteGroupConversation {
    const NAME: &'static str = "unmute_group_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/unmute";
    type Response = MuteState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id)
    }
}

/// Puts a group aside for a while, for oneself.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SnoozeGroupConversation {
    /// The group.
    pub conv_id: ConversationId,
    /// For how long: `1h`, `3h`, `until_morning`, `1d` or `1w`.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub duration: String,
}

impl SnoozeGroupConversation {
    /// Mutes this group for this time.
    pub fn new(conv_id: impl Into<ConversationId>, duration: impl Into<String>) -> Self {
        Self { conv_id: conv_id.into(), duration: duration.into() }
    }
}

impl Endpoint for SnoozeGroupConversation {
    const NAME: &'static str = "snooze_group_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/snooze";
    type Response = SnoozeState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).query("duration", &self.duration)
    }
}

/// Takes up a group that was put aside.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UnsnoozeGroupConversation {
    /// The group.
    pub conv_id: ConversationId,
}

impl UnsnoozeGroupConversation {
    /// For this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into() }
    }
}

impl Endpoint for UnsnoozeGroupConversation {
    const NAME: &'static str = "unsnooze_group_conversation";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/unsnooze";
    type Response = SnoozeState;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id)
    }
}

/// Chooses whether a group sees what one has read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetGroupReadReceipts {
    /// The group.
    pub conv_id: ConversationId,
    /// Whether the group sees it; the account's own setting when there is none.
    pub show: Option<bool>,
}

impl SetGroupReadReceipts {
    /// The account's own setting for this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into(), show: None }
    }

    /// Sets whether the group sees it.
    #[must_use]
    pub fn show(mut self, show: bool) -> Self {
        self.show = Some(show);
        self
    }
}

impl Endpoint for SetGroupReadReceipts {
    const NAME: &'static str = "set_group_read_receipts";
    const METHOD: Method = Method::PATCH;
    const PATH: &'static str = "/messages/groups/{conv_id}/receipts";
    type Response = ReadReceipts;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).query_some("show", self.show)
    }
}

/// Uploads a square picture for a group.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UploadGroupAvatar {
    /// The group.
    pub conv_id: ConversationId,
    /// The name of the file.
    pub filename: String,
    /// The picture.
    #[serde(deserialize_with = "crate::args::content")]
    pub file_bytes: Content,
    /// The media type: `image/png`, `image/jpeg` or `image/webp`.
    #[serde(deserialize_with = "crate::args::scalar")]
    pub content_type: String,
}

impl UploadGroupAvatar {
    /// This picture for this group.
    pub fn new(
        conv_id: impl Into<ConversationId>,
        filename: impl Into<String>,
        file_bytes: impl Into<Content>,
        content_type: impl Into<String>,
    ) -> Self {
        Self {
            conv_id: conv_id.into(),
            filename: filename.into(),
            file_bytes: file_bytes.into(),
            content_type: content_type.into(),
        }
    }
}

impl fmt::Debug for UploadGroupAvatar {
    /// Shows how long the file is, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadGroupAvatar")
            .field("conv_id", &self.conv_id)
            .field("filename", &self.filename)
            .field("file_bytes", &self.file_bytes)
            .field("content_type", &self.content_type)
            .finish()
    }
}

impl Endpoint for UploadGroupAvatar {
    const NAME: &'static str = "upload_group_avatar";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/messages/groups/{conv_id}/avatar";
    type Response = GroupAvatar;

    fn request(&self) -> Request {
        Request::to::<Self>().id("conv_id", &self.conv_id).file(FilePart {
            field: "file",
            filename: self.filename.clone(),
            content_type: self.content_type.clone(),
            content: self.file_bytes.clone(),
        })
    }
}

/// Fetches the bytes of the picture of a group.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetGroupAvatar {
    /// The group.
    pub conv_id: ConversationId,
}

impl GetGroupAvatar {
    /// For this group.
    pub fn new(conv_id: impl Into<ConversationId>) -> Self {
        Self { conv_id: conv_id.into() }
    }
}

impl Download for GetGroupAvatar {
    const NAME: &'static str = "get_group_avatar";
    const PATH: &'static str = "/messages/groups/{conv_id}/avatar";

    fn request(&self) -> Request {
        Request::new(Self::NAME, Method::GET, Self::PATH).id("conv_id", &self.conv_id)
    }
}
