//! Walking a list page by page.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::Value;

use super::{Step, Steps};
use crate::{Error, ErrorKind, JsonObject, Reply, Request, Result, Sequence, reply::accept};

/// How many pages in a row may hold nothing new, because rows were added above them, before the walk gives up.
const STALE_PAGES: usize = 8;

/// Rows in a page where the request does not say how many.
pub(super) const SIZE: usize = 20;

/// How a page of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// `offset` grows by the rows received.
    Offset,
    /// As [`Offset`](Self::Offset), for a list that comes as a bare array.
    BareArray,
    /// `page` counts from 1.
    PageNumber,
    /// `cursor` is the `next_cursor` of the page before.
    Cursor,
}

impl Paging {
    pub(crate) fn parameter(self) -> &'static str {
        match self {
            Self::Offset | Self::BareArray => "offset",
            Self::PageNumber => "page",
            Self::Cursor => "cursor",
        }
    }
}

/// No service caps its pages below this many rows: a first page that is shorter was the whole list.
const LEAST_CAP: usize = 5;

/// Walks a list to its end, gives each row once and misses none.
///
/// - The end is where the service says so: `has_more`, else `total`, else `next_cursor`. Where it says nothing, a page
///   that is shorter than asked for is the last. Of a bare array, which never says anything, it is one that is shorter
///   than the page before it, since the service may give fewer rows than were asked for, or than five and than asked for.
/// - A row that comes twice, because rows were added above it during the walk, is given once, if it has an id.
/// - Where `total` falls during the walk, rows were removed and those after them moved up; the walk goes back by as
///   many. Without a `total` nothing tells, and such a row is missed.
/// - A page or a cursor that comes twice ends the walk with an error: the service ignores the parameter, and the walk
///   would never end.
pub struct Pages {
    first: Request,
    paging: Paging,
    keys: &'static [&'static str],
    ids: &'static [&'static str],
    /// Rows in a page.
    size: usize,
    limit: Option<usize>,
    /// Whether the position is sent with the first page too, although it is the list's beginning.
    start_always: bool,
    given: usize,
    /// The offset or the number of the page that is asked for next.
    position: usize,
    cursor: Option<String>,
    done: bool,
    /// How many rows of the list, as it is now, were read without a gap.
    through: usize,
    /// How many of them are read again with the next page.
    overlap: usize,
    total: Option<u64>,
    /// The most rows that a page had.
    longest: Option<usize>,
    /// The rows' ids, and the cursors.
    seen: HashSet<String>,
    /// Where each page, by a hash of its rows, was found first, and how often elsewhere.
    pages: HashMap<u64, (usize, usize)>,
    stale: usize,
}

/// What a page holds.
struct Rows {
    rows: Vec<Value>,
    about: JsonObject,
}

impl Pages {
    /// Starts a walk at the page that this request asks for.
    pub fn new(mut first: Request, paging: Paging) -> Self {
        let start = first.take_query(paging.parameter());
        let position = start.as_ref().and_then(|start| start.parse().ok());
        Self {
            size: first.query_value("limit").and_then(|size| size.parse().ok()).unwrap_or(SIZE),
            first,
            paging,
            keys: &["items"],
            ids: &["id"],
            limit: None,
            start_always: paging == Paging::BareArray || start.is_some(),
            given: 0,
            position: position.unwrap_or(usize::from(paging == Paging::PageNumber)),
            cursor: start.filter(|_| paging == Paging::Cursor),
            done: false,
            through: 0,
            overlap: 0,
            total: None,
            longest: None,
            seen: HashSet::new(),
            pages: HashMap::new(),
            stale: 0,
        }
    }

    /// Starts a walk at the page that this list's arguments stand for.
    pub fn of<S: Sequence>(list: &S) -> Self {
        Self::new(list.request().named(S::WALK), S::PAGING).keys(S::ROWS).ids(S::IDS)
    }

    /// Names the operation that walks.
    #[must_use]
    pub fn named(mut self, operation: &'static str) -> Self {
        self.first = self.first.named(operation);
        self
    }

    /// Sets how many items are given at most. All unless set.
    #[must_use]
    pub fn limit(mut self, limit: Option<usize>) -> Self {
        self.limit = limit;
        self
    }

    /// Returns whether an argument was refused.
    ///
    /// # Errors
    ///
    /// As [`Request::check`].
    pub fn check(&self) -> Result<()> {
        self.first.check()
    }

    /// The fields in which the rows may be, in order of preference. `items` unless set.
    #[must_use]
    pub fn keys(mut self, keys: &'static [&'static str]) -> Self {
        self.keys = keys;
        self
    }

    /// The fields in which a row's id may be, in order of preference. `id` unless set.
    #[must_use]
    pub fn ids(mut self, ids: &'static [&'static str]) -> Self {
        self.ids = ids;
        self
    }

    /// The machine, boxed.
    #[must_use]
    pub fn boxed(self) -> Box<dyn Steps> {
        Box::new(self)
    }

    fn rows(&self, body: Value) -> Result<Rows, &'static str> {
        match body {
            Value::Array(rows) => Ok(Rows { rows, about: JsonObject::new() }),
            Value::Object(_) if self.paging == Paging::BareArray => {
                Err("the server answered with an object where a list was expected")
            }
            Value::Object(mut about) => {
                let rows = self.keys.iter().find_map(|key| match about.remove(*key) {
                    Some(Value::Array(rows)) if !rows.is_empty() => Some(rows),
                    _ => None,
                });
                Ok(Rows { rows: rows.unwrap_or_default(), about })
            }
            _ => Err("the server answered with neither a list nor an object"),
        }
    }

    fn id_of(&self, row: &Value) -> Option<String> {
        self.ids.iter().find_map(|name| match row.get(*name)? {
            Value::String(id) => Some(id.clone()).filter(|id| !id.is_empty()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        })
    }

    /// The rows of a page that were not given before.
    fn fresh(&mut self, mut rows: Vec<Value>, total: Option<u64>) -> Result<Vec<Value>, &'static str> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let mut hasher = DefaultHasher::new();
        for row in &rows {
            self.id_of(row).unwrap_or_else(|| row.to_string()).hash(&mut hasher);
        }
        let (at, repeats) = self.pages.entry(hasher.finish()).or_insert((self.position, 0));
        // It may be chance, once or where the list grew: as many rows were added above as the page holds.
        let grew = self.total.zip(total).is_some_and(|(before, now)| now > before);
        *repeats += usize::from(*at < self.position && !grew);
        // A bare array tells nothing of its growth, and lists that come so have whole pages repeated by mistake only.
        let repeated = *repeats > usize::from(self.paging != Paging::BareArray);
        rows.retain(|row| self.id_of(row).is_none_or(|id| self.seen.insert(id)));
        let nothing_new = rows.is_empty() || rows.iter().all(|row| self.id_of(row).is_none());
        if repeated && nothing_new {
            return Err(match self.paging {
                Paging::PageNumber => "the server repeated a page, so it does not honour `page`",
                Paging::Cursor => "the server repeated a page, so it does not honour `cursor`",
                _ => "the server repeated a page, so it does not honour `offset`",
            });
        }
        Ok(rows)
    }

    /// Whether there is another page, and moves on to it.
    fn advance(
        &mut self,
        count: usize,
        total: Option<u64>,
        about: &JsonObject,
    ) -> Result<bool, &'static str> {
        if self.paging == Paging::Cursor {
            let next =
                about.get("next_cursor").filter(|_| about.get("has_more") != Some(&Value::Bool(false)));
            self.cursor = next.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
            return match &self.cursor {
                Some(cursor) if !self.seen.insert(format!("cursor {cursor}")) => {
                    Err("the server repeated a cursor; the list would never end")
                }
                cursor => Ok(cursor.is_some()),
            };
        }
        let removed = self.total.zip(total).map_or(0, |(before, now)| before.saturating_sub(now));
        let removed = usize::try_from(removed).unwrap_or(usize::MAX);
        self.total = total.or(self.total);
        let longest = self.longest.replace(self.longest.unwrap_or(0).max(count));
        let size = self.longest.unwrap_or(0).max(1);
        let start =
            if self.paging == Paging::PageNumber { (self.position - 1) * size } else { self.position };
        // What was read has moved up, and with it what comes after; if that is above this page, nobody has seen it.
        let through = self.through.saturating_sub(removed);
        let gap = removed > 0 && through < start;
        if self.paging == Paging::PageNumber {
            self.through = if gap { through } else { through.max(start + size) };
            self.position = if gap { through / size + 1 } else { self.position + 1 };
        } else {
            self.through = if gap { through } else { through.max(start + count) };
            // A list that is shrinking may go on doing so.
            self.overlap = self.overlap.max(removed).min(size / 2);
            self.position = self.through.saturating_sub(self.overlap);
        }
        if gap {
            return Ok(true);
        }
        let reached = start + count;
        // An empty page ends the list whatever it says of itself.
        Ok(count > 0
            && match (about.get("has_more").and_then(Value::as_bool), total) {
                (Some(more), _) => more,
                // A total may count rows that the caller may not see.
                (None, Some(total)) => (reached as u64) < total && count >= self.size.min(LEAST_CAP),
                (None, None) if self.paging == Paging::BareArray => {
                    longest.map_or(count >= self.size.min(LEAST_CAP), |longest| count >= longest)
                }
                (None, None) => count >= self.size,
            })
    }

    fn page(&mut self, body: Value) -> Result<Vec<Value>, &'static str> {
        let Rows { rows, about } = self.rows(body)?;
        let count = rows.len();
        let total = about.get("total").and_then(Value::as_u64);
        let mut rows = self.fresh(rows, total)?;
        let more = self.advance(count, total, &about)?;
        self.stale = if rows.is_empty() { self.stale + 1 } else { 0 };
        if more && self.stale > STALE_PAGES {
            return Err("page after page holds nothing new; the list would never end");
        }
        if let Some(limit) = self.limit {
            rows.truncate(limit - self.given);
        }
        self.given += rows.len();
        self.done = !more;
        Ok(rows)
    }
}

impl Steps for Pages {
    fn next(&mut self) -> Result<Step> {
        if self.done || self.limit.is_some_and(|limit| self.given >= limit) {
            return Ok(Step::Done);
        }
        if let Err(refusal) = self.check() {
            self.done = true;
            return Err(refusal);
        }
        let request = self.first.clone();
        let name = self.paging.parameter();
        Ok(Step::Send(Box::new(match self.paging {
            Paging::Cursor => request.query_some(name, self.cursor.as_deref()),
            _ if self.position > 0 || self.start_always => request.query(name, self.position),
            _ => request,
        })))
    }

    fn take(&mut self, reply: Reply) -> Result<Vec<Value>> {
        // Whatever goes wrong below, there is no next page.
        self.done = true;
        let reply = accept(reply, &self.first)?;
        let body = reply.json()?;
        self.page(body).map_err(|message| {
            Error::build(ErrorKind::Decode, message)
                .operation(self.first.operation())
                .status(reply.status.as_u16())
                .request_id(reply.request_id().map(str::to_owned))
                .finish()
        })
    }
}

#[cfg(test)]
mod tests;
