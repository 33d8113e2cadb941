//! The operations on wiki pages.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Done, Endpoint, Error, ErrorKind, Id, Page, Reply, Request, Result, Sequence, kind, reply::accept,
};

use super::{WikiPage, WikiRevision};

/// Fetches a page with its text.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetWikiPage {
    /// The page, by its slug: lowercase letters and digits, joined by single hyphens.
    pub slug: String,
    /// The name of the wiki's colony; the site's own wiki unless set.
    pub colony: Option<String>,
}

impl GetWikiPage {
    /// Creates a request for this page of the site's wiki.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into(), colony: None }
    }

    /// Sets the name of the wiki's colony.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for GetWikiPage {
    const NAME: &'static str = "get_wiki_page";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/wiki/{slug}";
    type Response = WikiPage;

    fn request(&self) -> Request {
        in_wiki(page(Request::to::<Self>(), &self.slug), self.colony.as_deref())
    }
}

/// Lists the wiki's pages, by title. Fetches one page of results.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetWikiPages {
    /// Only pages of exactly this category.
    pub category: Option<String>,
    /// Only pages with this text in the title or the body, 2 to 200 characters.
    pub query: Option<String>,
    /// Rows in a page, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
    /// Only pages of this colony's wiki, by name.
    pub colony: Option<String>,
}

impl GetWikiPages {
    /// Creates a query for the first page, over all wikis.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the category.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the search text.
    #[must_use]
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
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

    /// Sets the colony, by name.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for GetWikiPages {
    const NAME: &'static str = "get_wiki_pages";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/wiki";
    type Response = Page<WikiPage>;

    fn request(&self) -> Request {
        let request = Request::to::<Self>().query("limit", self.limit.unwrap_or(50)).offset(self.offset);
        chosen(request, self.category.as_deref(), self.query.as_deref(), self.colony.as_deref())
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetWikiPages {
    const WALK: &'static str = "iter_wiki_pages";
    const IDS: &'static [&'static str] = &["id", "slug"];
    type Item = WikiPage;
}

/// Creates a page.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateWikiPage {
    /// The slug: lowercase letters and digits, joined by single hyphens. It cannot be changed.
    pub slug: String,
    /// The title, 1 to 300 characters.
    pub title: String,
    /// The text in Markdown, at most 200,000 characters; empty unless set.
    pub content: Option<String>,
    /// The category, at most 100 characters.
    pub category: Option<String>,
    /// A summary of the first revision.
    pub summary: Option<String>,
    /// The name of the wiki's colony; the site's own wiki unless set.
    pub colony: Option<String>,
}

impl CreateWikiPage {
    /// Creates a page with this slug and title in the site's wiki.
    pub fn new(slug: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            slug: slug.into(),
            title: title.into(),
            content: None,
            category: None,
            summary: None,
            colony: None,
        }
    }

    /// Sets the text.
    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// Sets the category.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the summary of the first revision.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = Some(summary.into());
        self
    }

    /// Sets the name of the wiki's colony.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for CreateWikiPage {
    const NAME: &'static str = "create_wiki_page";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/wiki";
    type Response = WikiPage;

    fn request(&self) -> Request {
        let request = match checked_slug(&self.slug) {
            Ok(slug) => Request::to::<Self>().json("slug", slug),
            Err(refusal) => Request::to::<Self>().refuse(refusal),
        };
        let request = match self.colony.as_deref() {
            Some(colony) => request.require_text("colony", colony).json("colony", colony),
            None => request,
        };
        request
            .require_text("title", &self.title)
            .json("title", &self.title)
            .json("content", self.content.as_deref().unwrap_or_default())
            .json_some("category", self.category.as_deref())
            .json_some("summary", self.summary.as_deref())
    }
}

/// Edits a page. Fields that are not set keep their values. The previous text is kept as a revision.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateWikiPage {
    /// The page, by its slug: lowercase letters and digits, joined by single hyphens.
    pub slug: String,
    /// The new title, 1 to 300 characters.
    pub title: Option<String>,
    /// The new text in Markdown.
    pub content: Option<String>,
    /// The new category.
    pub category: Option<String>,
    /// A summary of the change.
    pub summary: Option<String>,
    /// The `revision_count` of the page that was edited. If another edit came first, nothing is changed.
    pub base_revision: Option<u64>,
    /// The name of the wiki's colony; the site's own wiki unless set.
    pub colony: Option<String>,
}

impl UpdateWikiPage {
    /// Creates a request to change this page of the site's wiki, with no changes yet.
    pub fn new(slug: impl Into<String>) -> Self {
        Self {
            slug: slug.into(),
            title: None,
            content: None,
            category: None,
            summary: None,
            base_revision: None,
            colony: None,
        }
    }

    /// Sets the new title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the new text.
    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// Sets the new category.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the summary of the change.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = Some(summary.into());
        self
    }

    /// Sets the `revision_count` of the page that was edited.
    #[must_use]
    pub fn base_revision(mut self, base_revision: u64) -> Self {
        self.base_revision = Some(base_revision);
        self
    }

    /// Sets the name of the wiki's colony.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for UpdateWikiPage {
    const NAME: &'static str = "update_wiki_page";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/wiki/{slug}";
    type Response = WikiPage;

    fn request(&self) -> Request {
        let request = page(Request::to::<Self>(), &self.slug).json_object();
        let request = match self.title.as_deref() {
            Some(title) => request.require_text("title", title).json("title", title),
            None => request,
        };
        in_wiki(request, self.colony.as_deref())
            .json_some("content", self.content.as_deref())
            .json_some("category", self.category.as_deref())
            .json_some("summary", self.summary.as_deref())
            .json_some("base_revision", self.base_revision)
    }
}

/// Deletes a page. Its slug stays taken.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteWikiPage {
    /// The page, by its slug: lowercase letters and digits, joined by single hyphens.
    pub slug: String,
    /// The name of the wiki's colony; the site's own wiki unless set.
    pub colony: Option<String>,
}

impl DeleteWikiPage {
    /// Creates a request to delete this page of the site's wiki.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into(), colony: None }
    }

    /// Sets the name of the wiki's colony.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for DeleteWikiPage {
    const NAME: &'static str = "delete_wiki_page";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/wiki/{slug}";
    type Response = Done;

    fn request(&self) -> Request {
        in_wiki(page(Request::to::<Self>(), &self.slug), self.colony.as_deref())
    }
}

/// Lists the revisions of a page, newest first, without their text. Fetches one page of results.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetWikiHistory {
    /// The page, by its slug: lowercase letters and digits, joined by single hyphens.
    pub slug: String,
    /// Rows in a page, 1 to 200; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
    /// The name of the wiki's colony; the site's own wiki unless set.
    pub colony: Option<String>,
}

impl GetWikiHistory {
    /// Creates a query for the newest revisions of this page of the site's wiki.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { slug: slug.into(), limit: None, offset: 0, colony: None }
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

    /// Sets the name of the wiki's colony.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for GetWikiHistory {
    const NAME: &'static str = "get_wiki_history";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/wiki/{slug}/history";
    type Response = Vec<WikiRevision>;

    fn request(&self) -> Request {
        let request = page(Request::to::<Self>(), &self.slug)
            .query("limit", self.limit.unwrap_or(50))
            .offset(self.offset);
        in_wiki(request, self.colony.as_deref())
    }

    /// Fails unless the reply is a list: "no revisions" must not be a guess.
    fn answer(reply: Reply, request: &Request) -> Result<Reply> {
        let reply = accept(reply, request)?;
        if reply.json()?.is_array() {
            return Ok(reply);
        }
        let message = "the server's reply is not a list";
        Err(Error::build(ErrorKind::Decode, message)
            .operation(Self::NAME)
            .status(reply.status.as_u16())
            .finish())
    }
}

/// Fetches a revision of a page with its text.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetWikiRevision {
    /// The page, by its slug: lowercase letters and digits, joined by single hyphens.
    pub slug: String,
    /// The revision, from the page's history.
    pub revision_id: Id<kind::Checked>,
    /// The name of the wiki's colony; the site's own wiki unless set.
    pub colony: Option<String>,
}

impl GetWikiRevision {
    /// Creates a request for this revision of this page of the site's wiki.
    pub fn new(slug: impl Into<String>, revision_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { slug: slug.into(), revision_id: revision_id.into(), colony: None }
    }

    /// Sets the name of the wiki's colony.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }
}

impl Endpoint for GetWikiRevision {
    const NAME: &'static str = "get_wiki_revision";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/wiki/{slug}/revision/{revision_id}";
    type Response = WikiRevision;

    fn request(&self) -> Request {
        let request = page(Request::to::<Self>(), &self.slug).id("revision_id", &self.revision_id);
        in_wiki(request, self.colony.as_deref())
    }
}

/// Fills in the slug.
fn page(request: Request, slug: &str) -> Request {
    match checked_slug(slug) {
        Ok(slug) => request.name("slug", slug),
        Err(refusal) => request.refuse(refusal),
    }
}

/// Adds the colony that the wiki belongs to.
fn in_wiki(request: Request, colony: Option<&str>) -> Request {
    match colony {
        Some(colony) => request.require_text("colony", colony).query("colony", colony),
        None => request,
    }
}

/// Adds the filters for pages.
fn chosen(request: Request, category: Option<&str>, query: Option<&str>, colony: Option<&str>) -> Request {
    let request = request.query_some("category", category.filter(|category| !category.is_empty()));
    let request = match query.filter(|query| !query.is_empty()) {
        Some(query) => request.require_text("query", query).query("q", query),
        None => request,
    };
    in_wiki(request, colony)
}

/// Returns the slug without surrounding white space, if it is well formed.
fn checked_slug(slug: &str) -> Result<&str> {
    let trimmed = slug.trim();
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if trimmed.split('-').all(is_word) {
        return Ok(trimmed);
    }
    Err(Error::argument_refused(
        "slug",
        format!(
            "slug {slug:?} is not one of a wiki page: use lower-case letters and digits joined by single hyphens, \
             as in `getting-started` for the title \"Getting Started\""
        ),
    ))
}
