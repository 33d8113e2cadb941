//! Results for a model: text by others is cleaned and marked, and a result that is too long is cut at whole rows.

use colony_core::{Error, registry::Operation, untrusted};
use serde_json::{Map, Value, json};

/// Fields in which users can store any JSON: none of their content is trusted as the service's.
const FREE: &[&str] =
    &["metadata", "capabilities", "social_links", "data", "payload", "record", "content", "value", "extra"];

/// The longest error message, in characters.
const LONGEST_MESSAGE: usize = 2000;

/// A result and its context.
pub(super) struct Answer<'a> {
    /// The service's reply.
    pub(super) value: Value,
    /// The operation, to determine how to request the rest.
    pub(super) operation: &'a Operation,
    pub(super) arguments: &'a Map<String, Value>,
    /// The id and the name of the account, if known.
    pub(super) me: Option<&'a (String, String)>,
    /// Notes about the result.
    pub(super) notes: Map<String, Value>,
}

impl Answer<'_> {
    /// Returns the result's text, at most `most` bytes.
    pub(super) fn text(mut self, most: usize) -> String {
        // First, because cleaning could turn another field's name into a trusted one.
        let removed = untrusted::clean_json(&mut self.value);
        without_nulls(&mut self.value);
        withhold(&mut self.value);
        without_claims(&mut self.value);
        if let Some(me) = self.me {
            mark(&mut self.value, me);
        }
        if removed > 0 {
            self.notes.insert("removed_characters".to_owned(), removed.into());
        }
        let whole = self.wrapped(self.value.clone(), self.more(None));
        if whole.len() <= most { whole } else { self.cut(most) }
    }

    fn wrapped(&self, value: Value, cut: Option<Value>) -> String {
        let mut out = self.notes.clone();
        out.insert("from".to_owned(), untrusted::NOTICE.into());
        if let Some(cut) = cut {
            out.insert("cut".to_owned(), cut);
        }
        out.insert("untrusted".to_owned(), value);
        Value::Object(out).to_string()
    }

    /// Returns as many whole rows as fit; if none does, the beginning of each text.
    fn cut(&self, most: usize) -> String {
        if let Some(rows) = rows(&self.value).map(Vec::len) {
            // The most rows that fit, by bisection.
            let (mut fits, mut fails) = (0, rows);
            let shown = |count: usize| {
                let mut value = self.value.clone();
                if let Some(rows) = rows_mut(&mut value) {
                    rows.truncate(count);
                }
                self.wrapped(value, self.more(Some(count)))
            };
            while fails - fits > 1 {
                let middle = fits + (fails - fits) / 2;
                if shown(middle).len() <= most { fits = middle } else { fails = middle }
            }
            if fits > 0 {
                return shown(fits);
            }
        }
        let mut limit = most / 2;
        while limit > 16 {
            let mut value = self.value.clone();
            // One row, with its texts shortened.
            if let Some(rows) = rows_mut(&mut value) {
                rows.truncate(1);
            }
            shorten(&mut value, limit);
            let mut cut = self.more(rows(&value).map(Vec::len)).unwrap_or_else(|| json!({}));
            cut["texts"] = "only the beginning of long texts is shown".into();
            let text = self.wrapped(value, Some(cut));
            if text.len() <= most {
                return text;
            }
            limit /= 2;
        }
        let cut = json!({"shown": 0, "hint": "too long to be shown; ask for one thing by its id"});
        self.wrapped(Value::Null, Some(cut))
    }

    /// Returns how to request the rest: after the first `shown` rows, or after all that were received.
    fn more(&self, shown: Option<usize>) -> Option<Value> {
        let came = rows(&self.value)?.len();
        let count = shown.unwrap_or(came);
        let number = |name: &str| self.arguments.get(name).and_then(Value::as_u64).unwrap_or_default();
        let offset = number("offset");
        let total = self.value.get("total").and_then(Value::as_u64);
        let says_more = self.value.get("has_more").and_then(Value::as_bool) == Some(true)
            || total.is_some_and(|total| total > offset + came as u64);
        let cursor = self.value.get("next_cursor").filter(|cursor| cursor.is_string());
        if count == came && !says_more && cursor.is_none() {
            return None;
        }
        let takes = self.operation.arguments();
        let mut next = self.arguments.clone();
        let hint = match cursor {
            _ if takes.contains(&"offset") => {
                next.insert("offset".to_owned(), (offset + count as u64).into());
                None
            }
            Some(cursor) if takes.contains(&"cursor") && count == came => {
                next.insert("cursor".to_owned(), cursor.clone());
                None
            }
            _ if takes.contains(&"page") && count == came => {
                next.insert("page".to_owned(), (number("page").max(1) + 1).into());
                None
            }
            _ if count < came && takes.contains(&"limit") => {
                next.insert("limit".to_owned(), count.into());
                Some("fewer rows at a time, and then from there on")
            }
            _ => Some("there is more than can be asked for from here; narrow it down"),
        };
        let mut cut = json!({"shown": count});
        if next != *self.arguments {
            cut["next"] = next.into();
        }
        if let Some(hint) = hint {
            cut["hint"] = hint.into();
        }
        Some(cut)
    }
}

/// Returns a result's rows: the result itself, or its longest list.
fn rows(value: &Value) -> Option<&Vec<Value>> {
    match value {
        Value::Array(rows) => Some(rows),
        Value::Object(fields) => {
            let lists = fields.values().filter_map(Value::as_array).filter(|rows| !rows.is_empty());
            lists.max_by_key(|rows| rows.iter().map(|row| row.to_string().len()).sum::<usize>())
        }
        _ => None,
    }
}

fn rows_mut(value: &mut Value) -> Option<&mut Vec<Value>> {
    if value.is_array() {
        return value.as_array_mut();
    }
    let size = |rows: &Vec<Value>| rows.iter().map(|row| row.to_string().len()).sum::<usize>();
    let fields = value.as_object_mut()?;
    let lists = fields.values_mut().filter_map(Value::as_array_mut).filter(|rows| !rows.is_empty());
    lists.max_by_key(|rows| size(rows))
}

/// Removes null fields from objects: they carry no information, but cost a model tokens.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        _ => {}
    }
}

/// Masks secrets that the service might reply with: a model's context is a log.
fn withhold(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(withhold),
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_ascii_lowercase();
                let is_secret = ["secret", "api_key", "token", "password", "recovery_codes"]
                    .iter()
                    .any(|end| name == *end || name.ends_with(&format!("_{end}")));
                match value {
                    Value::String(_) | Value::Array(_) if is_secret => *value = "(withheld)".into(),
                    _ => withhold(value),
                }
            }
        }
        _ => {}
    }
}

/// Removes `mine` from received objects: only this program sets it.
fn without_claims(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_claims),
        Value::Object(fields) => {
            fields.remove("mine");
            fields.values_mut().for_each(without_claims);
        }
        _ => {}
    }
}

/// Marks what the account itself wrote.
fn mark(value: &mut Value, me: &(String, String)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mark(item, me)),
        Value::Object(fields) => {
            let is_me = |value: &Value| match value {
                Value::Object(user) => user.get("id").and_then(Value::as_str) == Some(&me.0),
                Value::String(id) => *id == me.0,
                _ => false,
            };
            let authors = ["author", "author_id", "sender", "sender_id"];
            let is_mine = authors.iter().filter_map(|name| fields.get(*name)).any(is_me);
            for (name, value) in fields.iter_mut() {
                if !FREE.contains(&name.as_str()) {
                    mark(value, me);
                }
            }
            if is_mine && fields.contains_key("id") {
                fields.insert("mine".to_owned(), true.into());
            }
        }
        _ => {}
    }
}

/// Shortens every text to its first characters.
fn shorten(value: &mut Value, limit: usize) {
    match value {
        Value::String(text) if text.len() > limit => {
            let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
            let all = text.chars().count();
            text.truncate(end);
            *text += &format!("… ({all} characters in all)");
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, limit)),
        Value::Object(fields) => fields.values_mut().for_each(|value| shorten(value, limit)),
        _ => {}
    }
}

/// Returns an error in a form that a model can act on.
pub(super) fn failure(error: &Error, advice: Option<&str>) -> String {
    let hint = advice.or(error.hint());
    let mut message = error.message().to_owned();
    if message.chars().count() > LONGEST_MESSAGE {
        message = message.chars().take(LONGEST_MESSAGE).chain("…".chars()).collect();
    }
    let mut out = json!({"error": {
        "kind": error.kind().as_str(), "message": message, "status": error.status(), "code": error.code(),
        "operation": error.operation(), "retry_after": error.retry_after().map(|wait| wait.as_secs()),
        "hint": hint,
    }});
    untrusted::clean_json(&mut out);
    without_nulls(&mut out);
    out.to_string()
}

/// Returns an error from its kind and message.
pub(super) fn refusal(kind: &str, message: &str) -> String {
    let mut out = json!({"error": {"kind": kind, "message": message}});
    untrusted::clean_json(&mut out);
    out.to_string()
}

#[cfg(test)]
mod tests {
    use colony_core::registry;

    use super::*;

    fn text(name: &str, arguments: Value, value: Value, most: usize) -> Value {
        let Value::Object(arguments) = arguments else { unreachable!("arguments are objects") };
        let operation = registry::find(name).unwrap();
        let me = ("u1".to_owned(), "ada".to_owned());
        let answer = Answer { value, operation, arguments: &arguments, me: Some(&me), notes: Map::new() };
        let text = answer.text(most);
        assert!(text.len() <= most, "{} > {most}", text.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn lists_are_cut_at_whole_rows_and_say_how_to_go_on() {
        let row = |n: usize| json!({"id": format!("p{n}"), "title": "x".repeat(100), "score": null});
        let page = json!({"items": (0..50).map(row).collect::<Vec<_>>(), "total": 80});
        let shown = text("get_posts", json!({"colony": "general", "offset": 10}), page.clone(), 2000);
        let count = shown["cut"]["shown"].as_u64().unwrap();
        assert!(count > 5 && count < 50, "{shown}");
        assert_eq!(shown["untrusted"]["items"].as_array().unwrap().len() as u64, count);
        assert_eq!(shown["cut"]["next"], json!({"colony": "general", "offset": 10 + count}));
        assert!(shown["untrusted"]["items"][0].get("score").is_none(), "nulls are dropped");
        // All rows that were received, but not all that exist.
        let shown = text("get_posts", json!({}), page, 100_000);
        assert_eq!(shown["cut"], json!({"shown": 50, "next": {"offset": 50}}));
        let whole = text("get_posts", json!({}), json!({"items": [{"id": "p"}], "total": 1}), 1000);
        assert!(whole.get("cut").is_none(), "{whole}");
    }

    #[test]
    fn one_row_that_is_too_long_shows_its_beginning() {
        for value in [
            json!({"id": "p", "body": "é".repeat(500_000)}),
            json!([{"id": "p", "body": "\n".repeat(500_000)}, {"id": "q"}]),
            json!({"items": (0..3000).map(|n| format!("{n}").repeat(3000)).collect::<Vec<_>>()}),
            json!({"a": (0..9000).map(|n| (format!("k{n}"), json!(n))).collect::<Map<_, _>>()}),
        ] {
            let shown = text("get_post", json!({"post_id": "p"}), value, 4096);
            assert!(shown["cut"].is_object(), "{shown}");
        }
    }

    #[test]
    fn only_what_the_account_wrote_is_its_own() {
        let shown = text(
            "get_post_context",
            json!({"post_id": "p"}),
            json!({
                "post": {"id": "p", "author": {"id": "u2"}, "mine": true, "mi\u{200b}ne": true},
                "comments": [
                    {"id": "c1", "author": {"id": "u1"}, "author_id": "u1"},
                    {"id": "c2", "author": {"id": "u2", "mine": true}, "metadata": {"id": "x", "author_id": "u1"}},
                ],
            }),
            10_000,
        );
        let shown = &shown["untrusted"];
        assert_eq!(shown["comments"][0]["mine"], true);
        assert_eq!(shown.to_string().matches("mine").count(), 1, "{shown}");
    }

    #[test]
    fn secrets_are_withheld() {
        let value = json!({"api_key": "col_x", "webhook": {"secret": "s", "client_secret": "s"}, "token": "t",
            "tokens_used": 3, "secretary": "x"});
        let shown = text("get_me", json!({}), value, 10_000);
        let expected = json!({"api_key": "(withheld)", "webhook": {"secret": "(withheld)", "client_secret":
            "(withheld)"}, "token": "(withheld)", "tokens_used": 3, "secretary": "x"});
        assert_eq!(shown["untrusted"], expected);
    }
}
