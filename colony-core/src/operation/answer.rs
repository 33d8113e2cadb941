//! How an operation's answer is read: the feature `answers`.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Operation;
use crate::{Batch, Endpoint, Reply, Request, Result, Sequence, page::check};

/// How an operation's answer is read.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    type_name: fn() -> &'static str,
    check: fn(Value) -> Result<Vec<String>>,
}

impl Answer {
    /// Bytes, or whatever was worked out here.
    pub(super) const UNTYPED: Self = Self { type_name: || "", check: |_| Ok(Vec::new()) };

    pub(super) const fn of_endpoint<E: Endpoint>() -> Self {
        Self {
            type_name: std::any::type_name::<E::Response>,
            check: |answer| {
                check::<E::Response>(&answer).or_else(|error| {
                    // Some answer something else than the server's body.
                    let reply = Reply::new(StatusCode::OK, HeaderMap::new(), Bytes::from(answer.to_string()));
                    let made = E::answer(reply, &Request::to::<E>()).and_then(|reply| reply.json());
                    made.ok()
                        .filter(|made| *made != answer)
                        .map_or(Err(error), |made| check::<E::Response>(&made))
                })
            },
        }
    }

    pub(super) const fn of_list<S: Sequence>() -> Self {
        Self {
            type_name: std::any::type_name::<Vec<S::Item>>,
            check: |answer| match page(&answer, S::ROWS) {
                Some((name, rows)) => rows_of::<S::Item>(name, rows),
                None => check::<Vec<S::Item>>(&answer),
            },
        }
    }

    pub(super) const fn of_batch<B: Batch>() -> Self {
        Self {
            type_name: std::any::type_name::<B::Output>,
            check: |answer| {
                check::<B::Output>(&answer).or_else(|error| {
                    let (prefix, parts) = match page(&answer, &["items"]) {
                        Some((name, Value::Array(rows))) => (name, rows.clone()),
                        _ => ("", vec![answer.clone()]),
                    };
                    let unknown = check::<B::Output>(&B::gather(parts)).map_err(|_| error)?;
                    let path = |path: String| match path.strip_prefix("[0].") {
                        Some(path) if prefix.is_empty() => path.to_owned(),
                        _ => format!("{prefix}{path}"),
                    };
                    Ok(unknown.into_iter().map(path).collect())
                })
            },
        }
    }
}

/// The field of a page in which its rows are.
fn page<'a>(answer: &'a Value, names: &[&'static str]) -> Option<(&'static str, &'a Value)> {
    names.iter().find_map(|name| Some((*name, answer.get(*name)?)))
}

/// Checks the rows of a page.
fn rows_of<T: DeserializeOwned>(name: &str, rows: &Value) -> Result<Vec<String>> {
    Ok(check::<Vec<T>>(rows)?.into_iter().map(|path| format!("{name}{path}")).collect())
}

impl Operation {
    /// Reads an answer as the type that the operation's method answers with, and returns the paths of the fields that
    /// its model does not know, those that end in `extra`. For programs that keep replies, and for stand-in servers.
    ///
    /// The answer is what the operation answers or what the server sends for it: of a list that is walked, all its
    /// items or one page. Whatever is inside an unknown field is not looked at. Every value is taken for what it is,
    /// where a client also reads, say, `"5"` as a number.
    ///
    /// ```
    /// use colony_core::registry;
    /// use serde_json::json;
    ///
    /// let operation = registry::find("get_posts").expect("it is there");
    /// let page = json!({"items": [{"id": "p1", "author": {"id": "u1", "shoe_size": 43}}], "mood": "fine"});
    /// assert_eq!(operation.check_answer(page)?, ["items[0].author.shoe_size", "mood"]);
    ///
    /// let error = operation.check_answer(json!({"items": [{"id": "p1", "score": "many"}]})).unwrap_err();
    /// assert!(error.to_string().contains("at `items[0].score`: invalid type"));
    /// # Ok::<(), colony_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode), naming the field. Answers without a type are never refused:
    /// bytes, and what is worked out without asking anybody.
    pub fn check_answer(&self, answer: Value) -> Result<Vec<String>> {
        (self.answer.check)(answer)
    }

    /// Returns the name of the type that the operation's method answers with, its path left out: `Page<Post>`. It is
    /// empty for bytes and for what is worked out without asking anybody.
    pub fn answer_type(&self) -> String {
        short((self.answer.type_name)())
    }
}

/// A type's name without the paths in it.
fn short(name: &str) -> String {
    let mut out = String::new();
    for part in name.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        out.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    out
}
