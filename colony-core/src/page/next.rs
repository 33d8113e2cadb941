//! The page after a page.

use std::{fmt, marker::PhantomData};

use serde::de::DeserializeOwned;

use super::{
    Page,
    walk::{Paging, SIZE},
};
use crate::{Reply, Request, Result, Sequence};

/// The request for the page after one; no part of what the page says.
#[derive(Clone, Default)]
pub(super) struct Next(Option<Box<(Request, Paging)>>);

impl PartialEq for Next {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}

/// The page after one that was read, from [`Page::next_page`]. A client's [`page`](crate::Client::page) fetches it.
#[must_use = "nothing is sent until a client fetches it"]
pub struct NextPage<T> {
    pub(crate) request: Request,
    paging: Paging,
    rows: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for NextPage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}

impl<T: DeserializeOwned> NextPage<T> {
    /// How its reply is read.
    pub(crate) fn decoder(&self) -> fn(Reply) -> Result<Page<T>> {
        match self.paging {
            Paging::Offset | Paging::BareArray => |reply| read(&reply, Paging::Offset),
            Paging::PageNumber => |reply| read(&reply, Paging::PageNumber),
            Paging::Cursor => |reply| read(&reply, Paging::Cursor),
        }
    }
}

impl<T> Page<T> {
    /// Returns the page after this one; `None` where the service says that there is none, and for a page that did not
    /// come from a list of pages.
    pub fn next_page(&self) -> Option<NextPage<T>> {
        let (request, paging) = self.next.0.as_deref().cloned()?;
        Some(NextPage { request, paging, rows: PhantomData })
    }
}

impl<T: DeserializeOwned> Page<T> {
    /// Reads a page of this list from its reply.
    pub(crate) fn of<S: Sequence<Item = T>>(reply: &Reply) -> Result<Self> {
        read(reply, S::PAGING)
    }
}

fn read<T: DeserializeOwned>(reply: &Reply, paging: Paging) -> Result<Page<T>> {
    let mut page: Page<T> = reply.decode()?;
    if let Some(request) = &reply.request {
        let says = Says { count: page.items.len(), total: page.total, has_more: page.has_more };
        let next = after(request, paging, &says, page.next_cursor.as_deref());
        page.next = Next(next.map(|request| Box::new((request, paging))));
    }
    Ok(page)
}

/// What a page says of its list.
struct Says {
    count: usize,
    total: Option<u64>,
    has_more: Option<bool>,
}

/// The request for the page after the one that this request asked for.
fn after(request: &Request, paging: Paging, says: &Says, cursor: Option<&str>) -> Option<Request> {
    let name = paging.parameter();
    let mut request = request.clone();
    let size = request.query_value("limit").and_then(|size| size.parse().ok()).unwrap_or(SIZE);
    let position: Option<usize> = request.take_query(name).and_then(|start| start.parse().ok());
    let (next, reached) = match paging {
        Paging::Cursor => {
            let cursor = cursor.filter(|cursor| !cursor.is_empty() && says.has_more != Some(false))?;
            return Some(request.query(name, cursor));
        }
        Paging::PageNumber => {
            let page = position.unwrap_or(1).max(1);
            (page + 1, (page - 1) * size.max(says.count) + says.count)
        }
        Paging::Offset | Paging::BareArray => {
            let next = position.unwrap_or(0) + says.count;
            (next, next)
        }
    };
    let more = match (says.has_more, says.total) {
        (Some(more), _) => more,
        (None, Some(total)) => (reached as u64) < total,
        (None, None) => says.count >= size,
    };
    (more && says.count > 0).then(|| request.query(name, next))
}
