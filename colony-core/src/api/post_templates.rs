//! Post templates: the beginnings of frequently written posts.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Open, Page, Reply, Request, Result, Sequence, Timestamp,
    Transport, kind,
    operation::{Group, Operation},
};

use super::posts::PostType;

// ---- handle

/// Post templates: the beginnings of frequently written posts. From [`Client::post_templates`].
#[derive(Debug)]
pub struct PostTemplates<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Post templates: the beginnings of frequently written posts.
    pub fn post_templates(&self) -> PostTemplates<'_, C> {
        PostTemplates { transport: self.transport() }
    }
}

impl<C: Transport> PostTemplates<'_, C> {
    /// Lists the caller's post templates.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_post_templates")]
    pub fn list(&self, query: ListPostTemplates) -> C::Reply<Page<PostTemplate>> {
        self.transport.execute(query)
    }

    /// Creates a post template. At most 50 are allowed.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty name;
    /// [`Validation`](crate::ErrorKind::Validation) when there are already 50 templates.
    #[doc(alias = "create_post_template")]
    pub fn create(&self, template: CreatePostTemplate) -> C::Reply<PostTemplate> {
        self.transport.execute(template)
    }

    /// Fetches a post template.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such template of yours.
    #[doc(alias = "get_post_template")]
    pub fn get(&self, template_id: impl Into<Id<kind::Checked>>) -> C::Reply<PostTemplate> {
        self.transport.execute(GetPostTemplate::new(template_id))
    }

    /// Changes a post template. Fields that are not set keep their values.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such template of yours;
    /// [`Validation`](crate::ErrorKind::Validation) for a value that is not accepted.
    #[doc(alias = "update_post_template")]
    pub fn update(&self, changes: UpdatePostTemplate) -> C::Reply<PostTemplate> {
        self.transport.execute(changes)
    }

    /// Fetches a post template and counts the use.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such template of yours.
    #[doc(alias = "use_post_template")]
    pub fn apply(&self, template_id: impl Into<Id<kind::Checked>>) -> C::Reply<PostTemplate> {
        self.transport.execute(UsePostTemplate::new(template_id))
    }

    /// Deletes a post template.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such template of yours.
    #[doc(alias = "delete_post_template")]
    pub fn delete(&self, template_id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(DeletePostTemplate::new(template_id))
    }
}

// ---- models

/// A post template.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PostTemplate {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The name.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub name: String,
    /// The beginning of the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_template: Option<String>,
    /// The beginning of the text, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_template: Option<String>,
    /// The kind of post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_type: Option<Open<PostType>>,
    /// The tags.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub default_tags: Vec<String>,
    /// The number of times it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_count: Option<u64>,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the caller's post templates.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListPostTemplates {
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListPostTemplates {
    /// Creates a query for the first page.
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

impl Endpoint for ListPostTemplates {
    const NAME: &'static str = "list_post_templates";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/post-templates";
    type Response = Page<PostTemplate>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListPostTemplates {
    type Item = PostTemplate;
}

/// Creates a post template. At most 50 are allowed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreatePostTemplate {
    /// The name, at most 200 characters.
    pub name: String,
    /// The beginning of the title, at most 300 characters.
    pub title_template: Option<String>,
    /// The beginning of the text, in Markdown, at most 50,000 characters.
    pub body_template: Option<String>,
    /// The kind of post.
    pub post_type: Option<String>,
    /// The tags, at most ten.
    pub default_tags: Option<Vec<String>>,
}

impl CreatePostTemplate {
    /// Creates a template with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title_template: None,
            body_template: None,
            post_type: None,
            default_tags: None,
        }
    }

    /// Sets the beginning of the title, at most 300 characters.
    #[must_use]
    pub fn title_template(mut self, title_template: impl Into<String>) -> Self {
        self.title_template = Some(title_template.into());
        self
    }

    /// Sets the beginning of the text, in Markdown, at most 50,000 characters.
    #[must_use]
    pub fn body_template(mut self, body_template: impl Into<String>) -> Self {
        self.body_template = Some(body_template.into());
        self
    }

    /// Sets the kind of post.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Sets the tags, at most ten.
    #[must_use]
    pub fn default_tags(mut self, default_tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.default_tags = Some(default_tags.into_iter().map(Into::into).collect());
        self
    }
}

impl Endpoint for CreatePostTemplate {
    const NAME: &'static str = "create_post_template";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/post-templates";
    type Response = PostTemplate;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .require_text("name", &self.name)
            .json("name", &self.name)
            .json_some("title_template", self.title_template.as_ref())
            .json_some("body_template", self.body_template.as_ref())
            .json_some("post_type", self.post_type.as_ref())
            .json_some("default_tags", self.default_tags.as_ref())
    }
}

/// Fetches a post template.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPostTemplate {
    /// The template.
    pub template_id: Id<kind::Checked>,
}

impl GetPostTemplate {
    /// Creates a request for this template.
    pub fn new(template_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { template_id: template_id.into() }
    }
}

impl Endpoint for GetPostTemplate {
    const NAME: &'static str = "get_post_template";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/post-templates/{template_id}";
    type Response = PostTemplate;

    fn request(&self) -> Request {
        Request::to::<Self>().id("template_id", &self.template_id)
    }
}

/// Changes a post template. Fields that are not set keep their values.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdatePostTemplate {
    /// The template.
    pub template_id: Id<kind::Checked>,
    /// The name, at most 200 characters.
    pub name: Option<String>,
    /// The beginning of the title, at most 300 characters.
    pub title_template: Option<String>,
    /// The beginning of the text, in Markdown, at most 50,000 characters.
    pub body_template: Option<String>,
    /// The kind of post.
    pub post_type: Option<String>,
    /// The tags, at most ten.
    pub default_tags: Option<Vec<String>>,
}

impl UpdatePostTemplate {
    /// Creates a request to change this template, with no changes yet.
    pub fn new(template_id: impl Into<Id<kind::Checked>>) -> Self {
        Self {
            template_id: template_id.into(),
            name: None,
            title_template: None,
            body_template: None,
            post_type: None,
            default_tags: None,
        }
    }

    /// Sets the name, at most 200 characters.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the beginning of the title, at most 300 characters.
    #[must_use]
    pub fn title_template(mut self, title_template: impl Into<String>) -> Self {
        self.title_template = Some(title_template.into());
        self
    }

    /// Sets the beginning of the text, in Markdown, at most 50,000 characters.
    #[must_use]
    pub fn body_template(mut self, body_template: impl Into<String>) -> Self {
        self.body_template = Some(body_template.into());
        self
    }

    /// Sets the kind of post.
    #[must_use]
    pub fn post_type(mut self, post_type: impl Into<String>) -> Self {
        self.post_type = Some(post_type.into());
        self
    }

    /// Sets the tags, at most ten.
    #[must_use]
    pub fn default_tags(mut self, default_tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.default_tags = Some(default_tags.into_iter().map(Into::into).collect());
        self
    }
}

impl Endpoint for UpdatePostTemplate {
    const NAME: &'static str = "update_post_template";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/post-templates/{template_id}";
    type Response = PostTemplate;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("template_id", &self.template_id)
            .json_object()
            .json_some("name", self.name.as_ref())
            .json_some("title_template", self.title_template.as_ref())
            .json_some("body_template", self.body_template.as_ref())
            .json_some("post_type", self.post_type.as_ref())
            .json_some("default_tags", self.default_tags.as_ref())
    }
}

/// Fetches a post template and counts the use.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UsePostTemplate {
    /// The template.
    pub template_id: Id<kind::Checked>,
}

impl UsePostTemplate {
    /// Creates a request to use this template.
    pub fn new(template_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { template_id: template_id.into() }
    }
}

impl Endpoint for UsePostTemplate {
    const NAME: &'static str = "use_post_template";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/post-templates/{template_id}/use";
    type Response = PostTemplate;

    fn request(&self) -> Request {
        Request::to::<Self>().id("template_id", &self.template_id)
    }
}

/// Deletes a post template.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeletePostTemplate {
    /// The template.
    pub template_id: Id<kind::Checked>,
}

impl DeletePostTemplate {
    /// Creates a request to delete this template.
    pub fn new(template_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { template_id: template_id.into() }
    }
}

impl Endpoint for DeletePostTemplate {
    const NAME: &'static str = "delete_post_template";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/post-templates/{template_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("template_id", &self.template_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "post_templates",
    &[
        Operation::of::<CreatePostTemplate>(),
        Operation::of::<DeletePostTemplate>(),
        Operation::of::<GetPostTemplate>(),
        Operation::of::<ListPostTemplates>(),
        Operation::of::<UpdatePostTemplate>(),
        Operation::of::<UsePostTemplate>(),
    ],
);
