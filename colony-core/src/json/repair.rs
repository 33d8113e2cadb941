//! Reading around an odd value: a number as text, text where a number is due, a `null` among texts.
//!
//! One odd value in a list must not cost the page. Reading strictly comes first and costs nothing more; where it fails,
//! the value at the place of the error is put right in the text, with those at the same place in the rows beside it, and
//! the text is read again. Nothing here is compiled for each model.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::{Place, offset, path_at};

/// How many fields of a reply may be odd.
const MOST: usize = 32;

/// Puts right what `attempt` finds wrong until it finds nothing, and says whether it came to that.
pub(super) fn repaired(
    text: &str,
    error: &serde_json::Error,
    attempt: &mut dyn FnMut(&str) -> Option<serde_json::Error>,
) -> bool {
    if !error.is_data() {
        return false;
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return false };
    let (mut text, mut end, mut wanted) = (Cow::Borrowed(text), offset(text, error), Wanted::of(error));
    for _ in 0..MOST {
        if !mend(&mut value, &path_at(&text, end), wanted) {
            return false;
        }
        text = value.to_string().into();
        let Some(error) = attempt(&text) else { return true };
        (end, wanted) = (offset(&text, &error), Wanted::of(&error));
    }
    false
}

/// What a field takes, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Text,
    /// A number that is not negative.
    Count,
    Other,
}

impl Wanted {
    /// What an error, in serde's words, says was expected.
    fn of(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let expected = message.rsplit_once("expected ").map_or("", |(_, expected)| expected);
        if ["a string", "an id", "string"].iter().any(|words| expected.starts_with(words)) {
            Self::Text
        } else if expected.starts_with('u') {
            Self::Count
        } else {
            Self::Other
        }
    }
}

/// What a scalar that is not of the right type may have meant.
pub(crate) fn meant(odd: &Value, wanted: Wanted) -> Option<Value> {
    match (odd, wanted) {
        (Value::Number(number), Wanted::Text) => Some(number.to_string().into()),
        (Value::Bool(flag), Wanted::Text) => Some(flag.to_string().into()),
        // A negative count says nothing.
        (Value::Number(number), Wanted::Count) if number.as_i64().is_some_and(i64::is_negative) => {
            Some(0.into())
        }
        (Value::Number(number), _) => {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
            Some(Value::Number(Number::from(float as i64)))
        }
        (Value::String(text), Wanted::Count | Wanted::Other) => {
            match serde_json::from_str(text.trim()).ok()? {
                scalar @ (Value::Number(_) | Value::Bool(_)) => Some(scalar),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Puts right the value at this path, and at the same place in the rows beside it; says whether anything changed.
fn mend(value: &mut Value, path: &[Place<'_>], wanted: Wanted) -> bool {
    let [step, rest @ ..] = path else { return false };
    match (value, step) {
        (Value::Array(rows), Place::Index(_)) if rest.is_empty() => {
            let before = rows.len();
            rows.retain(|row| !row.is_null());
            let mut changed = rows.len() < before;
            for row in rows.iter_mut() {
                changed |= put_right(row, wanted);
            }
            changed
        }
        (Value::Array(rows), Place::Index(_)) => {
            let mut changed = false;
            for row in rows {
                changed |= mend(row, rest, wanted);
            }
            changed
        }
        (Value::Object(fields), Place::Key(key)) if rest.is_empty() => match fields.get_mut(*key) {
            Some(Value::Null) => fields.remove(*key).is_some(),
            Some(odd) => put_right(odd, wanted),
            None => false,
        },
        (Value::Object(fields), Place::Key(key)) => {
            fields.get_mut(*key).is_some_and(|value| mend(value, rest, wanted))
        }
        _ => false,
    }
}

fn put_right(value: &mut Value, wanted: Wanted) -> bool {
    match meant(value, wanted).filter(|meant| meant != value) {
        Some(meant) => {
            *value = meant;
            true
        }
        None => false,
    }
}
