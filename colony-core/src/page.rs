//! Work that takes several requests, as step machines: they say what to send next and take what came
//! back, and each client drives them in a few lines.

mod next;
mod several;
mod walk;

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        self, DeserializeOwned,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::Value;

pub use self::{
    next::NextPage,
    several::{Chunks, OneByOne},
    walk::{Pages, Paging},
};
use crate::{Error, ErrorKind, Reply, Request, Result};

/// One page of a list. A bare array is read as a page of which no more is known.
///
/// A page knows the one after it:
///
/// ```no_run
/// # use colony_core::api::posts::GetPosts;
/// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
/// let mut page = client.posts().list(GetPosts::new()).await?;
/// println!("{:?} posts in all", page.total);
/// while let Some(next) = page.next_page() {
///     page = client.page(next).await?;
///     println!("{} more", page.items.len());
/// }
/// # Ok(()) }
/// ```
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
    /// How many rows the page has, where the server says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The number of the page, where the server says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// Where the next page starts, for lists that are paged by cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: crate::JsonObject,
    #[serde(skip)]
    next: next::Next,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields<T> {
            items: Option<Vec<T>>,
            total: Option<u64>,
            has_more: Option<bool>,
            count: Option<u64>,
            page: Option<u64>,
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
                let Fields { items, total, has_more, count, page, next_cursor, extra } =
                    Fields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Page {
                    items: items.unwrap_or_default(),
                    total,
                    has_more,
                    count,
                    page,
                    next_cursor,
                    extra,
                    next: next::Next::default(),
                })
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, rows: A) -> Result<Page<T>, A::Error> {
                let items = Vec::deserialize(SeqAccessDeserializer::new(rows))?;
                Ok(Page::from(items))
            }
        }

        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

/// A page of these rows alone, for tests.
impl<T> From<Vec<T>> for Page<T> {
    fn from(items: Vec<T>) -> Self {
        let extra = crate::JsonObject::new();
        Self {
            items,
            total: None,
            has_more: None,
            count: None,
            page: None,
            next_cursor: None,
            extra,
            next: next::Next::default(),
        }
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
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

/// The request that items came from, to name it where one of them cannot be read.
#[derive(Debug, Clone)]
pub struct Origin {
    operation: &'static str,
    request_id: Option<String>,
}

impl Origin {
    /// Notes a request and its reply.
    pub fn of(request: &Request, reply: &Reply) -> Self {
        Self { operation: request.operation(), request_id: reply.request_id().map(str::to_owned) }
    }

    /// Adds the operation and the request's id to an error.
    pub fn name(&self, error: Error) -> Error {
        error.of_request(self.operation, self.request_id.as_deref())
    }
}

/// Reads a value as a `T`, taking every part of it for what it is, and returns the paths of the fields that `T` does not
/// know.
#[cfg(feature = "answers")]
pub(crate) fn check<T: DeserializeOwned>(value: &Value) -> Result<Vec<String>> {
    crate::answers::unknown::<T>(value).map_err(|error| {
        // Once more from its text, where an error has a place.
        let problem = crate::json::read_strictly::<T>(value.to_string().as_bytes()).err();
        unreadable(&problem.unwrap_or_else(|| format!(": {error}")))
    })
}

#[cold]
fn unreadable(problem: &str) -> Error {
    Error::build(ErrorKind::Decode, format!("an item cannot be read{problem}")).finish()
}

/// Decodes an item of a list.
///
/// # Errors
///
/// [`ErrorKind::Decode`], naming the field.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    T::deserialize(&value).or_else(|_| {
        // Once more from its text, where an error has a place.
        crate::json::read(value.to_string().as_bytes()).map_err(|problem| unreadable(&problem))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn reply(body: &Value) -> Reply {
        Reply::new(StatusCode::OK, HeaderMap::new(), Bytes::from(body.to_string()))
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
}
