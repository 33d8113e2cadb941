//! Reading JSON, with errors that name the field.
//!
//! The path of a field is worked out from the line and column of serde's error, so that no model is compiled a
//! second time for a reader that records paths.

mod lenient;
mod repair;

use serde::de::DeserializeOwned;

pub(crate) use self::repair::{Wanted, meant};

/// Reads a JSON text as a `T`. A byte order mark at the beginning is passed over, and so are values whose type is odd
/// and whose meaning is plain: `"5"` or `5.0` for a number, a number for a text, a `null` among texts. So is what JSON
/// does not allow and encoders send all the same: half of a surrogate pair, `NaN`.
///
/// # Errors
///
/// What is wrong, and the path of the field where it is: "at `items[3].score`: invalid type: …".
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let text = decode(text)?;
    let refused = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match lenient::standard(text) {
        Some(text) => serde_json::from_str(&text).or_else(|error| read_around(&text, error)),
        None => read_around(text, refused),
    }
}

/// Reads around odd values.
#[cold]
fn read_around<T: DeserializeOwned>(text: &str, error: serde_json::Error) -> Result<T, String> {
    let mut read = None;
    let mended = repair::repaired(text, &error, &mut |text| match serde_json::from_str(text) {
        Ok(value) => {
            read = Some(value);
            None
        }
        Err(error) => Some(error),
    });
    read.filter(|_| mended).ok_or_else(|| told(text, &error))
}

/// Reads a JSON text as a `T` and takes every value for what it is.
///
/// # Errors
///
/// As [`read`].
#[cfg(any(test, feature = "answers"))]
pub(crate) fn read_strictly<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let text = decode(text)?;
    serde_json::from_str(text).map_err(|error| told(text, &error))
}

fn decode(text: &[u8]) -> Result<&str, String> {
    // Once for the whole text, instead of once for each string in it.
    let text = std::str::from_utf8(text).map_err(|error| format!(": it is not UTF-8: {error}"))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cold]
fn told(text: &str, error: &serde_json::Error) -> String {
    let path = written(&path_at(text, offset(text, error)));
    let message = error.to_string();
    // The path says where, and a person does not count columns.
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    if path.is_empty() { format!(": {message}") } else { format!(" at `{path}`: {message}") }
}

/// The number of bytes before the error.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    before + error.column()
}

/// A container around a place.
enum Around<'a> {
    Object { key: Option<&'a str> },
    Array { index: usize },
}

/// A step of a path.
enum Place<'a> {
    Key(&'a str),
    Index(usize),
}

/// The path of the value that ends at this byte or holds it.
fn path_at(text: &str, end: usize) -> Vec<Place<'_>> {
    let bytes = text.as_bytes();
    let mut around: Vec<Around<'_>> = Vec::new();
    let mut at = 0;
    while at < end.min(bytes.len()) {
        let start = at;
        at += 1;
        match bytes[start] {
            b'"' => {
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if let Some(Around::Object { key: key @ None }) = around.last_mut() {
                    *key = text.get(start + 1..at);
                }
                at += 1;
            }
            b'{' => around.push(Around::Object { key: None }),
            b'[' => around.push(Around::Array { index: 0 }),
            b',' => match around.last_mut() {
                Some(Around::Object { key }) => *key = None,
                Some(Around::Array { index }) => *index += 1,
                None => {}
            },
            b'}' | b']' => {
                around.pop();
            }
            _ => {}
        }
    }
    let step = |around| match around {
        Around::Object { key } => key.map(Place::Key),
        Around::Array { index } => Some(Place::Index(index)),
    };
    around.into_iter().filter_map(step).collect()
}

fn written(places: &[Place<'_>]) -> String {
    let mut path = String::new();
    for place in places {
        match place {
            Place::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Place::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Row {
        score: i64,
        #[serde(default)]
        tags: Vec<String>,
        #[serde(default)]
        author: Option<Author>,
        #[serde(flatten)]
        extra: crate::JsonObject,
    }

    #[derive(Deserialize, Debug)]
    struct Author {
        name: String,
    }

    #[derive(Deserialize, Debug)]
    struct Rows {
        items: Vec<Row>,
    }

    fn refused(text: &str) -> String {
        read::<Rows>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn an_error_names_the_field() {
        let odd =
            r#"{"items": [{"score": 1}, {"odd": {"a": [1, "}"]}, "tags": ["\"", "b"], "score": "many"}]}"#;
        assert_eq!(refused(odd), " at `items[1].score`: invalid type: string \"many\", expected i64");
        let spread = "{\"items\": [\n {\"score\": 1,\n  \"tags\": [\"a\", {}]}]}";
        assert_eq!(refused(spread), " at `items[0].tags[1]`: invalid type: map, expected a string");
        let nested = r#"{"items": [{"score": 1, "author": {"name": null}}]}"#;
        assert_eq!(refused(nested), " at `items[0].author.name`: invalid type: null, expected a string");
        let missing = r#"{"items": [{"score": 1, "author": {"name_of": "a"}}]}"#;
        assert_eq!(refused(missing), " at `items[0].author`: missing field `name`");
        assert_eq!(refused("{}"), ": missing field `items`");
        assert_eq!(refused("5"), ": invalid type: integer `5`, expected struct Rows");
    }

    #[test]
    fn an_odd_value_whose_meaning_is_plain_does_not_cost_the_page() {
        let odd = r#"{"items": [
            {"score": "5", "tags": ["a", null, 7]}, {"score": 3.0, "author": {"name": 12}},
            {"score": -1, "tags": null}, {"score": "-2"}]}"#;
        let rows: Rows = read(odd.as_bytes()).unwrap();
        let scores: Vec<i64> = rows.items.iter().map(|row| row.score).collect();
        assert_eq!(scores, [5, 3, -1, -2]);
        assert_eq!(rows.items[0].tags, ["a", "7"]);
        assert_eq!(rows.items[1].author.as_ref().unwrap().name, "12");
        assert_eq!(read::<Vec<u64>>(b"[1, -1, \"2\", 3.0]").unwrap(), [1, 0, 2, 3]);
        assert!(read_strictly::<Vec<u64>>(b"[1, \"2\"]").is_err());
        // What cannot be repaired is still an error; the first one is reported.
        for text in ["[1, \"many\", \"2\"]", "[1, 2.5]", "[1, {}]", "[1, []]", "[\"2\", 1e300]"] {
            assert!(read::<Vec<u64>>(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read::<Vec<u64>>(b"[\"2\", 2.5]").unwrap_err().contains("[0]"));
    }

    #[test]
    fn half_of_a_pair_does_not_cost_the_page() {
        let odd = r#"{"items": [{"score": "5", "tags": ["cut \ud83d"]}, {"score": 1, "other": NaN}]}"#;
        let rows: Rows = read(odd.as_bytes()).unwrap();
        assert_eq!((rows.items[0].score, &*rows.items[0].tags[0]), (5, "cut \u{fffd}"));
        assert_eq!(
            refused(r#"{"items": [{"score": NaN}]}"#),
            " at `items[0].score`: invalid type: null, expected i64"
        );
    }

    #[test]
    fn text_around_the_value() {
        assert!(read::<u32>(b"\xef\xbb\xbf 5\n").is_ok());
        assert_eq!(read::<u32>(b"5 6").unwrap_err(), ": trailing characters");
        assert_eq!(read::<u32>(b"").unwrap_err(), ": EOF while parsing a value");
        assert!(read::<String>(b"\"\xff\"").unwrap_err().contains("not UTF-8"));
    }

    #[test]
    fn any_place_in_any_text_has_a_path() {
        for text in ["", "{", "[[", "{\"", "{\"a\\", "}}]", "{\"a\":1,,,", "\u{e9}\"\u{e9}"] {
            for end in 0..text.len() + 3 {
                let _ = path_at(text, end);
            }
        }
    }
}
