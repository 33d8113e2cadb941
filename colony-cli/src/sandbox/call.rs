//! One call of the API as a handler sees it, with the checks that the platform makes on its fields.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::reply::Reply;
use super::server::Shared;

/// One call of the API.
pub(crate) struct Call<'a> {
    /// What the path's placeholders stand for.
    pub(crate) params: Vec<(&'a str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Result<Map<String, Value>, Reply>,
    /// The signed-in user.
    pub(crate) user: Option<Uuid>,
    pub(crate) shared: &'a Shared,
}

/// The part of a list that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

impl Call<'_> {
    /// The signed-in user. Routes that need one are never called without.
    pub(crate) fn me(&self) -> Result<Uuid, Reply> {
        self.user.ok_or_else(|| Reply::forbidden("FORBIDDEN", "Not authenticated"))
    }

    /// What a placeholder of the path stands for.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// A placeholder that holds an id.
    pub(crate) fn id(&self, name: &str) -> Result<Uuid, Reply> {
        parse_id(self.param(name), &["path", name])
    }

    /// A query parameter; an empty one counts as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    pub(crate) fn query_bool(&self, name: &str) -> Result<Option<bool>, Reply> {
        let Some(text) = self.query(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(Reply::invalid(
                &["query", name],
                "bool_parsing",
                "Input should be a valid boolean",
                text.into(),
            )),
        }
    }

    pub(crate) fn query_number(&self, name: &str, low: i64, high: i64) -> Result<Option<i64>, Reply> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let loc = ["query", name];
        let number: i64 = text.parse().map_err(|_| {
            Reply::invalid(&loc, "int_parsing", "Input should be a valid integer", text.into())
        })?;
        if number < low {
            let message = format!("Input should be greater than or equal to {low}");
            return Err(Reply::invalid(&loc, "greater_than_equal", message, text.into()));
        }
        if number > high {
            let message = format!("Input should be less than or equal to {high}");
            return Err(Reply::invalid(&loc, "less_than_equal", message, text.into()));
        }
        Ok(Some(number))
    }

    /// A query parameter that must be one of a few words.
    pub(crate) fn query_choice<'c>(
        &'c self,
        name: &str,
        words: &[&str],
        default: &'c str,
    ) -> Result<&'c str, Reply> {
        let Some(word) = self.query(name) else { return Ok(default) };
        if words.contains(&word) {
            return Ok(word);
        }
        let message = format!("Input should be one of: {}", words.join(", "));
        Err(Reply::invalid(&["query", name], "literal_error", message, word.into()))
    }

    /// `limit` with `offset`, or with `page`, its other spelling.
    pub(crate) fn page(&self, default: usize, max: usize) -> Result<Page, Reply> {
        let limit = self.query_number("limit", 1, max as i64)?.map_or(default, |n| n as usize);
        let offset = self.query_number("offset", 0, 100_000)?.map(|n| n as usize);
        let page = self.query_number("page", 1, 100_000)?.map(|n| (n as usize - 1) * limit);
        match (offset, page) {
            (Some(offset), Some(page)) if offset != page => {
                Err(Reply::error(400, "INVALID_INPUT", "offset and page disagree"))
            }
            (offset, page) => Ok(Page { limit, offset: offset.or(page).unwrap_or(0) }),
        }
    }

    /// The JSON object that was sent.
    pub(crate) fn fields(&self) -> Result<&Map<String, Value>, Reply> {
        self.body.as_ref().map_err(Clone::clone)
    }

    /// A text field of the body, absent or null alike.
    pub(crate) fn text_opt(&self, name: &str, min: usize, max: usize) -> Result<Option<String>, Reply> {
        let loc = ["body", name];
        let text = match self.fields()?.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text,
            Some(other) => {
                let message = "Input should be a valid string";
                return Err(Reply::invalid(&loc, "string_type", message, other.clone()));
            }
        };
        let length = text.chars().count();
        if length < min {
            let message = format!("String should have at least {min} characters");
            return Err(Reply::invalid(&loc, "string_too_short", message, text.as_str().into()));
        }
        if length > max {
            let message = format!("String should have at most {max} characters");
            return Err(Reply::invalid(&loc, "string_too_long", message, Value::Null));
        }
        Ok(Some(text.clone()))
    }

    /// A text field that must be there.
    pub(crate) fn text(&self, name: &str, min: usize, max: usize) -> Result<String, Reply> {
        self.text_opt(name, min, max)?.ok_or_else(|| {
            let input = self.body.clone().map_or(Value::Null, Value::Object);
            Reply::invalid(&["body", name], "missing", "Field required", input)
        })
    }

    /// An id in the body.
    pub(crate) fn body_id(&self, name: &str) -> Result<Option<Uuid>, Reply> {
        self.text_opt(name, 0, 200)?.map(|text| parse_id(&text, &["body", name])).transpose()
    }

    /// A list of texts in the body.
    pub(crate) fn texts(&self, name: &str, max: usize) -> Result<Option<Vec<String>>, Reply> {
        let loc = ["body", name];
        let wrong = |kind, message: &str| Reply::invalid(&loc, kind, message, Value::Null);
        let list = match self.fields()?.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(wrong("list_type", "Input should be a valid list")),
        };
        if list.len() > max {
            return Err(wrong("too_long", &format!("List should have at most {max} items")));
        }
        let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
        let texts: Option<Vec<String>> = texts.collect();
        texts.map(Some).ok_or_else(|| wrong("string_type", "Input should be a valid string"))
    }
}

impl Page {
    /// The rows of this page and whether more follow.
    pub(crate) fn cut<T: Copy>(self, rows: &[T]) -> (&[T], bool) {
        let start = self.offset.min(rows.len());
        let end = start.saturating_add(self.limit).min(rows.len());
        (&rows[start..end], end < rows.len())
    }

    /// `{items, total, has_more}` of this page.
    pub(crate) fn envelope<T: Copy>(self, rows: &[T], render: impl FnMut(T) -> Value) -> Value {
        let (cut, has_more) = self.cut(rows);
        let items: Vec<Value> = cut.iter().copied().map(render).collect();
        serde_json::json!({"items": items, "total": rows.len(), "has_more": has_more})
    }

    /// The bare array of this page.
    pub(crate) fn array<T: Copy>(self, rows: &[T], render: impl FnMut(T) -> Value) -> Value {
        self.cut(rows).0.iter().copied().map(render).collect()
    }
}

fn parse_id(text: &str, loc: &[&str]) -> Result<Uuid, Reply> {
    Uuid::try_parse(text)
        .map_err(|_| Reply::invalid(loc, "uuid_parsing", "Input should be a valid UUID", text.into()))
}
