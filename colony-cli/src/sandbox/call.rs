//! One API call as a handler sees it, with the platform's checks on its fields.

use std::cell::RefCell;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::reply::Reply;

/// One API call.
pub(crate) struct Call<'a> {
    /// The values of the path's placeholders.
    pub(crate) params: Vec<(&'a str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Result<Map<String, Value>, Reply>,
    /// The file in a form.
    pub(crate) file: Option<Bytes>,
    /// The signed-in user.
    pub(crate) user: Option<Uuid>,
    /// Deprecated parameter names that the call used, such as `search=q`: a header of the reply lists them.
    pub(crate) deprecated: RefCell<Vec<String>>,
}

/// The requested part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

impl Call<'_> {
    /// Returns the signed-in user. Routes that need one are never called without.
    pub(crate) fn me(&self) -> Result<Uuid, Reply> {
        self.user.ok_or_else(|| Reply::forbidden("FORBIDDEN", "Not authenticated"))
    }

    /// Returns the value of a placeholder in the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// Returns a placeholder's value as an id.
    pub(crate) fn id(&self, name: &str) -> Result<Uuid, Reply> {
        parse_id(self.param(name), &["path", name])
    }

    /// Returns the user in the path, by id or by name.
    pub(crate) fn named_user(&self) -> &str {
        let id = self.param("user_id");
        if id.is_empty() { self.param("username") } else { id }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns a query parameter; an empty one counts as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Returns every value of a repeatable query parameter.
    pub(crate) fn query_all(&self, name: &str) -> Vec<&str> {
        let given = self.query.iter().filter(|(known, value)| known == name && !value.is_empty());
        given.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns a query parameter under its name or its deprecated name.
    pub(crate) fn either(&self, name: &str, old: &str) -> Result<Option<&str>, Reply> {
        let old_value = self.query(old);
        if old_value.is_some() {
            self.deprecated.borrow_mut().push(format!("{old}={name}"));
        }
        match (self.query(name), old_value) {
            (Some(value), Some(old_value)) if value != old_value => {
                Err(Reply::bad_input(format!("{name} and {old} disagree")))
            }
            (value, old_value) => Ok(value.or(old_value)),
        }
    }

    /// Returns a required query parameter, of a length within these bounds.
    pub(crate) fn query_text(&self, name: &str, min: usize, max: usize) -> Result<&str, Reply> {
        let loc = ["query", name];
        let text = self.query(name).ok_or_else(|| Reply::missing(&loc))?;
        check_length(text, &loc, min, max)?;
        Ok(text)
    }

    pub(crate) fn query_bool(&self, name: &str) -> Result<Option<bool>, Reply> {
        let Some(text) = self.query(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => {
                let message = "Input should be a valid boolean";
                Err(Reply::invalid(&["query", name], "bool_parsing", message, text.into()))
            }
        }
    }

    pub(crate) fn query_number(&self, name: &str, low: i64, high: i64) -> Result<Option<i64>, Reply> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let loc = ["query", name];
        let number: i64 = text.parse().map_err(|_| {
            Reply::invalid(&loc, "int_parsing", "Input should be a valid integer", text.into())
        })?;
        check_range(number, &loc, low, high)?;
        Ok(Some(number))
    }

    /// Returns a query parameter that must be one of these words.
    pub(crate) fn query_choice<'c>(
        &'c self,
        name: &str,
        words: &[&str],
        default: &'c str,
    ) -> Result<&'c str, Reply> {
        let word = self.query(name).unwrap_or(default);
        check_choice(word, &["query", name], words)?;
        Ok(word)
    }

    /// Returns a time in the query; one without an offset is taken as UTC.
    pub(crate) fn query_time(&self, name: &str) -> Result<Option<Timestamp>, Reply> {
        self.query(name).map(|text| parse_time(text, &["query", name])).transpose()
    }

    pub(crate) fn query_id(&self, name: &str) -> Result<Option<Uuid>, Reply> {
        self.query(name).map(|text| parse_id(text, &["query", name])).transpose()
    }

    /// Returns the page from `limit` with `offset`, or with its alternative `page`.
    pub(crate) fn page(&self, default: usize, max: usize) -> Result<Page, Reply> {
        let limit = self.query_number("limit", 1, max as i64)?.map_or(default, |n| n as usize);
        let offset = self.query_number("offset", 0, 100_000)?.map(|n| n as usize);
        let page = self.query_number("page", 1, 100_000)?.map(|n| (n as usize - 1) * limit);
        match (offset, page) {
            (Some(offset), Some(page)) if offset != page => Err(Reply::bad_input("offset and page disagree")),
            (offset, page) => Ok(Page { limit, offset: offset.or(page).unwrap_or(0) }),
        }
    }

    /// Returns the JSON object in the body.
    pub(crate) fn fields(&self) -> Result<&Map<String, Value>, Reply> {
        self.body.as_ref().map_err(Clone::clone)
    }

    /// Returns a field of the body that is present and not `null`.
    pub(crate) fn field(&self, name: &str) -> Result<Option<&Value>, Reply> {
        Ok(self.fields()?.get(name).filter(|value| !value.is_null()))
    }

    /// Returns a text field of the body; absent and `null` are equal.
    pub(crate) fn text_opt(&self, name: &str, min: usize, max: usize) -> Result<Option<String>, Reply> {
        let loc = ["body", name];
        let text = match self.field(name)? {
            None => return Ok(None),
            Some(Value::String(text)) => text,
            Some(other) => {
                let message = "Input should be a valid string";
                return Err(Reply::invalid(&loc, "string_type", message, other.clone()));
            }
        };
        check_length(text, &loc, min, max)?;
        Ok(Some(text.clone()))
    }

    /// Returns a required text field.
    pub(crate) fn text(&self, name: &str, min: usize, max: usize) -> Result<String, Reply> {
        self.text_opt(name, min, max)?.ok_or_else(|| Reply::missing(&["body", name]))
    }

    /// Returns a text field that must be one of these words.
    pub(crate) fn choice_opt(&self, name: &str, words: &[&str]) -> Result<Option<String>, Reply> {
        let word = self.text_opt(name, 0, usize::MAX)?;
        if let Some(word) = &word {
            check_choice(word, &["body", name], words)?;
        }
        Ok(word)
    }

    /// Returns a required text field that must be one of these words.
    pub(crate) fn choice(&self, name: &str, words: &[&str]) -> Result<String, Reply> {
        self.choice_opt(name, words)?.ok_or_else(|| Reply::missing(&["body", name]))
    }

    /// Returns an integer in the body.
    pub(crate) fn number_opt(&self, name: &str, low: i64, high: i64) -> Result<Option<i64>, Reply> {
        let loc = ["body", name];
        let Some(value) = self.field(name)? else { return Ok(None) };
        let number = value.as_i64().ok_or_else(|| {
            Reply::invalid(&loc, "int_type", "Input should be a valid integer", value.clone())
        })?;
        check_range(number, &loc, low, high)?;
        Ok(Some(number))
    }

    pub(crate) fn number(&self, name: &str, low: i64, high: i64) -> Result<i64, Reply> {
        self.number_opt(name, low, high)?.ok_or_else(|| Reply::missing(&["body", name]))
    }

    /// Returns a boolean in the body.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Reply> {
        let Some(value) = self.field(name)? else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| {
            Reply::invalid(&["body", name], "bool_type", "Input should be a valid boolean", value.clone())
        })
    }

    /// Returns a time in the body.
    pub(crate) fn body_time(&self, name: &str) -> Result<Option<Timestamp>, Reply> {
        let text = self.text_opt(name, 0, 64)?;
        text.map(|text| parse_time(&text, &["body", name])).transpose()
    }

    /// Returns an id in the body.
    pub(crate) fn body_id(&self, name: &str) -> Result<Option<Uuid>, Reply> {
        self.text_opt(name, 0, 200)?.map(|text| parse_id(&text, &["body", name])).transpose()
    }

    /// Returns a list of texts in the body.
    pub(crate) fn texts(&self, name: &str, max: usize) -> Result<Option<Vec<String>>, Reply> {
        let loc = ["body", name];
        let wrong = |kind, message: &str| Reply::invalid(&loc, kind, message, Value::Null);
        let list = match self.field(name)? {
            None => return Ok(None),
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

    /// Returns a list of ids in the body.
    pub(crate) fn ids(&self, name: &str, max: usize) -> Result<Option<Vec<Uuid>>, Reply> {
        let Some(texts) = self.texts(name, max)? else { return Ok(None) };
        texts.iter().map(|text| parse_id(text, &["body", name])).collect::<Result<_, _>>().map(Some)
    }

    /// Returns the file in the form.
    pub(crate) fn upload(&self) -> Result<&Bytes, Reply> {
        self.file.as_ref().ok_or_else(|| Reply::missing(&["body", "file"]))
    }
}

impl Page {
    /// Returns the rows of this page, and whether more follow.
    pub(crate) fn cut<T>(self, rows: &[T]) -> (&[T], bool) {
        let start = self.offset.min(rows.len());
        let end = start.saturating_add(self.limit).min(rows.len());
        (&rows[start..end], end < rows.len())
    }

    /// Returns this page as `{items, total, has_more}`.
    pub(crate) fn envelope<T>(self, rows: &[T], render: impl FnMut(&T) -> Value) -> Value {
        let (cut, has_more) = self.cut(rows);
        let items: Vec<Value> = cut.iter().map(render).collect();
        serde_json::json!({"items": items, "total": rows.len(), "has_more": has_more})
    }

    /// Returns this page as a bare array.
    pub(crate) fn array<T>(self, rows: &[T], render: impl FnMut(&T) -> Value) -> Value {
        self.cut(rows).0.iter().map(render).collect()
    }
}

fn check_length(text: &str, loc: &[&str], min: usize, max: usize) -> Result<(), Reply> {
    let length = text.chars().count();
    if length < min {
        let message = format!("String should have at least {min} characters");
        return Err(Reply::invalid(loc, "string_too_short", message, text.into()));
    }
    if length > max {
        let message = format!("String should have at most {max} characters");
        return Err(Reply::invalid(loc, "string_too_long", message, Value::Null));
    }
    Ok(())
}

fn check_range(number: i64, loc: &[&str], low: i64, high: i64) -> Result<(), Reply> {
    if number < low {
        let message = format!("Input should be greater than or equal to {low}");
        return Err(Reply::invalid(loc, "greater_than_equal", message, number.into()));
    }
    if number > high {
        let message = format!("Input should be less than or equal to {high}");
        return Err(Reply::invalid(loc, "less_than_equal", message, number.into()));
    }
    Ok(())
}

fn check_choice(word: &str, loc: &[&str], words: &[&str]) -> Result<(), Reply> {
    if words.contains(&word) {
        return Ok(());
    }
    let message = format!("Input should be one of: {}", words.join(", "));
    Err(Reply::invalid(loc, "literal_error", message, word.into()))
}

fn parse_time(text: &str, loc: &[&str]) -> Result<Timestamp, Reply> {
    let at = text.parse().or_else(|_| format!("{text}Z").parse());
    at.map_err(|_| {
        let message = "Input should be a valid datetime";
        Reply::invalid(loc, "datetime_from_date_parsing", message, text.into())
    })
}

fn parse_id(text: &str, loc: &[&str]) -> Result<Uuid, Reply> {
    Uuid::try_parse(text)
        .map_err(|_| Reply::invalid(loc, "uuid_parsing", "Input should be a valid UUID", text.into()))
}
