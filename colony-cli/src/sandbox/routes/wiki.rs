//! The wiki: pages with their revisions.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::time;
use super::{Answer, Call, Reply, Route, World, delete, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/wiki", list).open(),
    post("/wiki", create),
    get("/wiki/{slug}", read).open(),
    put("/wiki/{slug}", update),
    delete("/wiki/{slug}", remove),
    get("/wiki/{slug}/history", history).open(),
    get("/wiki/{slug}/revision/{revision_id}", revision).open(),
];

/// All pages.
#[derive(Default)]
struct Wiki(Vec<Page>);

struct Page {
    id: Uuid,
    slug: String,
    category: Option<String>,
    /// The colony that the page belongs to; `None` for the site.
    colony: Option<Uuid>,
    created: Timestamp,
    /// Never empty: the first revision created the page.
    revisions: Vec<Revision>,
}

struct Revision {
    id: Uuid,
    title: String,
    content: String,
    summary: Option<String>,
    author: Uuid,
    created: Timestamp,
}

impl Page {
    fn first(&self) -> &Revision {
        &self.revisions[0]
    }

    fn last(&self) -> &Revision {
        &self.revisions[self.revisions.len() - 1]
    }
}

fn page_json(world: &World, page: &Page) -> Value {
    let mut json = row_json(world, page);
    json["content"] = page.last().content.as_str().into();
    json["created_by"] = world.person_json(page.first().author);
    json["is_locked"] = false.into();
    json
}

fn row_json(world: &World, page: &Page) -> Value {
    json!({
        "id": page.id,
        "slug": page.slug,
        "title": page.last().title,
        "category": page.category,
        "updated_by": world.person_json(page.last().author),
        "revision_count": page.revisions.len(),
        "colony_name": world.colony_name(page.colony),
        "colony": world.colony_name(page.colony),
        "created_at": time(page.created),
        "updated_at": time(page.last().created),
    })
}

/// Returns the colony in a query or a body.
fn colony(world: &World, named: Option<&str>) -> Result<Option<Uuid>, Reply> {
    named.map(|named| world.find_colony(named).map(|at| world.colonies[at].id)).transpose()
}

fn pages(world: &World) -> &[Page] {
    world.own.get::<Wiki>().map_or(&[][..], |wiki| &wiki.0)
}

/// Returns the position of the page in the path.
fn place(world: &World, call: &Call<'_>) -> Result<usize, Reply> {
    let (slug, colony) = (call.param("slug"), colony(world, call.query("colony"))?);
    let at = pages(world).iter().position(|page| page.slug == slug && page.colony == colony);
    at.ok_or_else(|| Reply::none("Page"))
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(50, 200)?;
    let text = call.either("q", "search")?.map(str::to_lowercase);
    let (category, colony) = (call.query("category"), colony(world, call.query("colony"))?);
    let fits = |page: &&Page| {
        let last = page.last();
        let hay = || format!("{} {} {}", page.slug, last.title, last.content).to_lowercase();
        category.is_none_or(|wanted| page.category.as_deref() == Some(wanted))
            && colony.is_none_or(|wanted| page.colony == Some(wanted))
            && text.as_ref().is_none_or(|text| hay().contains(text))
    };
    let mut rows: Vec<&Page> = pages(world).iter().filter(fits).collect();
    rows.sort_by_key(|page| std::cmp::Reverse(page.last().created));
    Ok(Reply::ok(&page.envelope(&rows, |page| row_json(world, page))))
}

/// Returns whether a text is lower-case letters and digits, in words joined by single hyphens.
fn is_slug(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('-').all(word)
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, created) = (call.me()?, world.now());
    let title = call.text("title", 1, 300)?;
    let slug = call.text("slug", 1, 200)?;
    if !is_slug(&slug) {
        let message = "String should match pattern '^[a-z0-9]+(?:-[a-z0-9]+)*$'";
        return Err(Reply::invalid(&["body", "slug"], "string_pattern_mismatch", message, slug.into()));
    }
    let colony = colony(world, call.text_opt("colony", 1, 100)?.as_deref())?;
    if pages(world).iter().any(|page| page.slug == slug && page.colony == colony) {
        return Err(Reply::conflict("There is a page of this slug"));
    }
    let revision = Revision {
        id: Uuid::new_v4(),
        title,
        content: call.text_opt("content", 0, 200_000)?.unwrap_or_default(),
        summary: call.text_opt("summary", 0, 500)?,
        author: me,
        created,
    };
    let category = call.text_opt("category", 0, 100)?;
    let page = Page { id: Uuid::new_v4(), slug, category, colony, created, revisions: vec![revision] };
    let reply = Reply::created(&page_json(world, &page));
    world.own.of::<Wiki>().0.push(page);
    Ok(reply)
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let at = place(world, call)?;
    Ok(Reply::ok(&page_json(world, &pages(world)[at])))
}

/// Updates a page; with `base_revision` only if it is unchanged since that revision.
fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at, created) = (call.me()?, place(world, call)?, world.now());
    let title = call.text_opt("title", 1, 300)?;
    let content = call.text_opt("content", 0, 200_000)?;
    let category = call.text_opt("category", 0, 100)?;
    let summary = call.text_opt("summary", 0, 500)?;
    let base = call.number_opt("base_revision", 1, i64::MAX)?;
    let page = &mut world.own.of::<Wiki>().0[at];
    if base.is_some_and(|base| base != page.revisions.len() as i64) {
        return Err(Reply::conflict(format!("The page is at revision {} now", page.revisions.len())));
    }
    page.category = category.or(page.category.take());
    let last = page.last();
    let revision = Revision {
        id: Uuid::new_v4(),
        title: title.unwrap_or_else(|| last.title.clone()),
        content: content.unwrap_or_else(|| last.content.clone()),
        summary,
        author: me,
        created,
    };
    page.revisions.push(revision);
    read(world, call)
}

/// Removes a page, for its creator only.
fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = (call.me()?, place(world, call)?);
    if pages(world)[at].first().author != me && !world.is_team(me) {
        return Err(Reply::forbidden("FORBIDDEN", "Only who made a page may delete it"));
    }
    world.own.of::<Wiki>().0.remove(at);
    Ok(Reply::no_content())
}

fn revision_json(world: &World, revision: &Revision) -> Value {
    json!({
        "id": revision.id,
        "title": revision.title,
        "summary": revision.summary,
        "author": world.person_json(revision.author),
        "created_at": time(revision.created),
    })
}

/// Returns a bare array, latest first.
fn history(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, page) = (place(world, call)?, call.page(50, 200)?);
    let rows: Vec<&Revision> = pages(world)[at].revisions.iter().rev().collect();
    Ok(Reply::ok(&page.array(&rows, |revision| revision_json(world, revision))))
}

fn revision(world: &mut World, call: &Call<'_>) -> Answer {
    let (at, id) = (place(world, call)?, call.id("revision_id")?);
    let found = pages(world)[at].revisions.iter().find(|revision| revision.id == id);
    let found = found.ok_or_else(|| Reply::none("Revision"))?;
    let mut json = revision_json(world, found);
    json["content"] = found.content.as_str().into();
    Ok(Reply::ok(&json))
}
