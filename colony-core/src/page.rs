//! Work that takes several requests, as step machines: they say what to send next and take what came
//! back, and each client drives them in a few lines.

use std::{collections::HashSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        self, DeserializeOwned,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::{Value, json};

use crate::{Error, ErrorKind, Reply, Request, Result, reply::accept};

/// One page of a list. A bare array is read as a page of which no more is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether another page exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// Where the next page starts, for lists that are paged by cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: crate::JsonObject,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields<T> {
            items: Option<Vec<T>>,
            total: Option<u64>,
            has_more: Option<bool>,
            next_cursor: Option<String>,
            #[serde(flatten)]
            extra: crate::JsonObject,
        }

        struct Visitor<T>(PhantomData<fn() -> T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = Page<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a page object or an array")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Page<T>, A::Error> {
                let Fields { items, total, has_more, next_cursor, extra } =
                    Fields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Page { items: items.unwrap_or_default(), total, has_more, next_cursor, extra })
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, rows: A) -> Result<Page<T>, A::Error> {
                let items = Vec::deserialize(SeqAccessDeserializer::new(rows))?;
                Ok(Page { items, total: None, has_more: None, next_cursor: None, extra: Default::default() })
            }
        }

        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

/// What a driver does next.
#[derive(Debug)]
pub enum Step {
    /// Send this request and give the reply to [`Steps::take`].
    Send(Box<Request>),
    /// Nothing is left.
    Done,
}

/// A machine of requests. Ask [`next`](Self::next), send, give the reply to [`take`](Self::take),
/// hand on the items, and so on.
pub trait Steps: Send {
    /// What to do next.
    ///
    /// # Errors
    ///
    /// A refused argument. The machine is at its end then.
    fn next(&mut self) -> Result<Step>;

    /// Takes the reply to the last request and gives the items it holds.
    ///
    /// # Errors
    ///
    /// What the reply stands for. The machine is at its end then.
    fn take(&mut self, reply: Reply) -> Result<Vec<Value>>;
}

/// Decodes an item of a list.
///
/// # Errors
///
/// [`ErrorKind::Decode`], naming the field.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    T::deserialize(&value).or_else(|_| {
        // Once more from its text, where an error has a place.
        crate::json::read(value.to_string().as_bytes()).map_err(|problem| {
            Error::build(ErrorKind::Decode, format!("an item cannot be read{problem}")).finish()
        })
    })
}

/// How one page is told from the next, and where the list ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// `offset` grows by the page size; `has_more` decides, and without it a short page is the last.
    Offset,
    /// `page` counts from 1; ends as with [`Offset`](Self::Offset).
    PageNumber,
    /// `offset` grows by the rows received; goes on only while `has_more` says so.
    RowsReceived,
    /// A bare array: `offset` grows by the page size, a short page is the last, and rows that moved
    /// from one page to the next are dropped by their id.
    BareArray,
}

/// Walks a paged list.
pub struct Pages {
    first: Request,
    paging: Paging,
    keys: &'static [&'static str],
    page_size: usize,
    limit: Option<usize>,
    offset_always: bool,
    given: usize,
    position: usize,
    done: bool,
    seen: HashSet<String>,
}

impl Pages {
    /// A walk that starts with this request (without its position in the query), with so many rows to
    /// a page, and gives at most `limit` items.
    ///
    /// # Errors
    ///
    /// The request's refused argument.
    pub fn new(first: Request, paging: Paging, page_size: u32, limit: Option<usize>) -> Result<Self> {
        first.check()?;
        Ok(Self {
            first,
            paging,
            keys: &["items"],
            page_size: page_size as usize,
            limit,
            offset_always: paging == Paging::BareArray,
            given: 0,
            position: usize::from(paging == Paging::PageNumber),
            done: false,
            seen: HashSet::new(),
        })
    }

    /// The fields in which the rows may be, in order of preference. `items` unless said otherwise.
    #[must_use]
    pub fn keys(mut self, keys: &'static [&'static str]) -> Self {
        self.keys = keys;
        self
    }

    /// Sends `offset=0` with the first page too.
    #[must_use]
    pub fn offset_always(mut self) -> Self {
        self.offset_always = true;
        self
    }

    /// The machine, boxed.
    #[must_use]
    pub fn boxed(self) -> Box<dyn Steps> {
        Box::new(self)
    }

    fn rows(&self, body: Value) -> Result<(Vec<Value>, Option<bool>)> {
        match body {
            Value::Array(rows) => Ok((rows, None)),
            Value::Object(_) if self.paging == Paging::BareArray => {
                Err(self.unexpected("the server answered with an object where a list was expected"))
            }
            Value::Object(mut body) => {
                let has_more = body.get("has_more").and_then(Value::as_bool);
                let rows = self
                    .keys
                    .iter()
                    .find_map(|key| match body.remove(*key) {
                        Some(Value::Array(rows)) if !rows.is_empty() => Some(rows),
                        _ => None,
                    })
                    .unwrap_or_default();
                Ok((rows, has_more))
            }
            _ => Err(self.unexpected("the server answered with neither a list nor an object")),
        }
    }

    fn fresh(&mut self, rows: Vec<Value>) -> Result<Vec<Value>> {
        let count = rows.len();
        let fresh: Vec<Value> = rows
            .into_iter()
            .filter(|row| match row.get("id") {
                Some(Value::String(id)) => self.seen.insert(id.clone()),
                Some(Value::Null) | None => true,
                Some(other) => self.seen.insert(other.to_string()),
            })
            .collect();
        if fresh.is_empty() && count > 0 && count >= self.page_size {
            return Err(self.unexpected(
                "the server repeated a whole page, so it does not honour `offset`; going on would never end",
            ));
        }
        Ok(fresh)
    }

    fn unexpected(&self, message: &str) -> Error {
        Error::build(ErrorKind::Decode, message).operation(self.first.operation()).status(200).finish()
    }
}

impl Steps for Pages {
    fn next(&mut self) -> Result<Step> {
        if self.done || self.limit.is_some_and(|limit| self.given >= limit) {
            return Ok(Step::Done);
        }
        let mut request = self.first.clone();
        match self.paging {
            Paging::PageNumber => request = request.query("page", self.position),
            _ if self.position > 0 || self.offset_always => request = request.query("offset", self.position),
            _ => {}
        }
        Ok(Step::Send(Box::new(request)))
    }

    fn take(&mut self, reply: Reply) -> Result<Vec<Value>> {
        // Whatever goes wrong below, there is no next page.
        self.done = true;
        let body = accept(reply, &self.first)?.json()?;
        let (rows, has_more) = self.rows(body)?;
        let count = rows.len();
        let last = match (self.paging, has_more) {
            (Paging::RowsReceived, more) => !more.unwrap_or(false),
            (Paging::BareArray, _) | (_, None) => count < self.page_size,
            (_, Some(more)) => !more,
        };
        // An empty page ends the list whatever it says of itself, or the walk might never end.
        let ended = last || count == 0;
        let mut rows = if self.paging == Paging::BareArray { self.fresh(rows)? } else { rows };
        self.position += match self.paging {
            Paging::PageNumber => 1,
            Paging::RowsReceived => count,
            Paging::Offset | Paging::BareArray => self.page_size,
        };
        if let Some(limit) = self.limit {
            rows.truncate(limit - self.given);
        }
        self.given += rows.len();
        self.done = ended;
        Ok(rows)
    }
}

/// Fetches things one by one; those that are not there (404) are left out.
pub struct OneByOne {
    requests: std::vec::IntoIter<Request>,
    current: Option<Request>,
}

impl OneByOne {
    /// A walk over these requests.
    pub fn new(requests: Vec<Request>) -> Self {
        Self { requests: requests.into_iter(), current: None }
    }
}

impl Steps for OneByOne {
    fn next(&mut self) -> Result<Step> {
        let Some(request) = self.requests.next() else { return Ok(Step::Done) };
        request.check()?;
        self.current = Some(request.clone());
        Ok(Step::Send(Box::new(request)))
    }

    fn take(&mut self, reply: Reply) -> Result<Vec<Value>> {
        if reply.status == http::StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        let request =
            self.current.take().ok_or_else(|| Error::build(ErrorKind::Api, "nothing was asked").finish())?;
        Ok(vec![accept(reply, &request)?.json()?])
    }
}

/// Sends a list of ids in pieces that the server accepts; each reply is an item.
pub struct Chunks {
    base: Request,
    field: &'static str,
    chunks: std::vec::IntoIter<Vec<String>>,
}

impl Chunks {
    /// A walk that sends `ids` in `field` of the JSON body, at most `size` at a time.
    ///
    /// # Errors
    ///
    /// The request's refused argument.
    pub fn new(base: Request, field: &'static str, ids: &[String], size: usize) -> Result<Self> {
        base.check()?;
        let chunks: Vec<Vec<String>> = ids.chunks(size).map(<[String]>::to_vec).collect();
        Ok(Self { base, field, chunks: chunks.into_iter() })
    }
}

impl Steps for Chunks {
    fn next(&mut self) -> Result<Step> {
        let Some(chunk) = self.chunks.next() else { return Ok(Step::Done) };
        Ok(Step::Send(Box::new(self.base.clone().json(self.field, json!(chunk)))))
    }

    fn take(&mut self, reply: Reply) -> Result<Vec<Value>> {
        Ok(vec![accept(reply, &self.base)?.json()?])
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method, StatusCode};

    use super::*;

    fn reply(body: &Value) -> Reply {
        Reply::new(StatusCode::OK, HeaderMap::new(), Bytes::from(body.to_string()))
    }

    fn pages(paging: Paging, size: u32, limit: Option<usize>) -> Pages {
        Pages::new(Request::new("iter_x", Method::GET, "/x"), paging, size, limit).unwrap()
    }

    fn is_done(steps: &mut dyn Steps) -> bool {
        matches!(steps.next().unwrap(), Step::Done)
    }

    #[test]
    fn a_limit_at_the_end_of_a_page_asks_for_no_further_page() {
        let mut walk = pages(Paging::Offset, 2, Some(2));
        assert!(!is_done(&mut walk));
        let items = walk.take(reply(&json!({"items": [1, 2], "has_more": true}))).unwrap();
        assert_eq!(items.len(), 2);
        assert!(is_done(&mut walk));
    }

    #[test]
    fn a_page_is_an_object_or_a_bare_array() {
        let page: Page<u8> = reply(&json!({"items": [1], "total": 7, "sort": "new"})).decode().unwrap();
        assert_eq!((page.items, page.total, page.extra["sort"].as_str()), (vec![1], Some(7), Some("new")));
        let page: Page<u8> = reply(&json!([1, 2])).decode().unwrap();
        assert_eq!((page.items, page.has_more), (vec![1, 2], None));
        let page: Page<u8> = reply(&json!({"items": null})).decode().unwrap();
        assert!(page.items.is_empty());
        let error = reply(&json!({"items": [1, "x"]})).decode::<Page<u8>>().unwrap_err().to_string();
        assert!(error.contains("items[1]"), "{error}");
    }

    #[test]
    fn a_limit_of_zero_asks_for_nothing() {
        assert!(is_done(&mut pages(Paging::Offset, 2, Some(0))));
    }

    #[test]
    fn an_empty_page_ends_the_walk_even_if_it_promises_more() {
        for paging in [Paging::Offset, Paging::PageNumber, Paging::RowsReceived] {
            let mut walk = pages(paging, 2, None);
            assert!(!is_done(&mut walk));
            assert!(walk.take(reply(&json!({"items": [], "has_more": true}))).unwrap().is_empty());
            assert!(is_done(&mut walk));
        }
    }

    #[test]
    fn an_error_ends_the_walk() {
        let mut walk = pages(Paging::Offset, 2, None);
        assert!(!is_done(&mut walk));
        assert!(walk.take(Reply::new(StatusCode::NOT_FOUND, HeaderMap::new(), Bytes::new())).is_err());
        assert!(is_done(&mut walk));
    }

    #[test]
    fn a_repeated_page_is_an_error_not_a_loop() {
        let mut walk = pages(Paging::BareArray, 1, None);
        assert!(!is_done(&mut walk));
        assert_eq!(walk.take(reply(&json!([{"id": "a"}]))).unwrap().len(), 1);
        assert!(!is_done(&mut walk));
        assert!(walk.take(reply(&json!([{"id": "a"}]))).is_err());
        assert!(is_done(&mut walk));
    }
}
