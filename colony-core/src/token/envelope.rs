//! What the cache file says: `{"v": 1, "token": "<jwt>", "expiry": <unix seconds>}`.
//!
//! The same bytes as the Python package's, in both directions: a file that is read and written again
//! does not change. Where reading differs on purpose, the [table](super#differences-from-the-python-package)
//! says so.

use std::{borrow::Cow, error::Error as StdError, fmt};

use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::canonical::python_float;

/// The most that is read or written, in bytes. A JWT has one or two thousand.
pub const MAX_BYTES: usize = 64 * 1024;

/// The version that is written.
pub const VERSION: u32 = 1;

/// The end of the year 9999 in unix seconds. No clock is needed to know a later expiry for a mistake.
const END_OF_TIME: f64 = 253_402_300_799.0;

/// The content of a cache file.
///
/// ```
/// use colony_core::token::envelope::Envelope;
///
/// let text = r#"{"v": 1, "token": "eyJ.open.token", "expiry": 1790001789.5}"#;
/// let envelope = Envelope::read(text.as_bytes())?;
/// assert_eq!(envelope.expiry, 1_790_001_789.5);
/// assert_eq!(envelope.write()?, text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Envelope {
    /// The JWT. What was read is never empty and has visible ASCII characters only.
    pub token: SecretString,
    /// When the token is to be replaced, in unix seconds: before it dies, see
    /// [`Lifetime`](super::freshness::Lifetime). What was read is finite, and before the year 10000.
    pub expiry: f64,
}

impl Envelope {
    /// Reads a file's content.
    ///
    /// Follows Python's reader: white space, the order of keys and unknown keys do not matter, of equal
    /// keys the last one counts, and the expiry may be a number or text that Python's `float()` takes
    /// (`" 1_790_003_600.25 "`, `"1.8e9"`). Whether the token is still good is not looked at.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], for whatever the bytes are; it never panics. A file that cannot be read is a
    /// miss, not a failure.
    pub fn read(text: &[u8]) -> Result<Self, Unreadable> {
        if text.len() > MAX_BYTES {
            return Err(Unreadable::TooLarge);
        }
        let text = str::from_utf8(text).map_err(|_| Unreadable::NotJson)?;
        let text = strict_json(text);
        let whole: &RawValue = serde_json::from_str(&text).map_err(|_| Unreadable::NotJson)?;
        if !whole.get().starts_with('{') {
            return Err(Unreadable::NotAnObject);
        }
        let fields: Fields<'_> = serde_json::from_str(whole.get()).map_err(|_| Unreadable::NotJson)?;
        if fields.v.and_then(number).is_some_and(|version| version > f64::from(VERSION)) {
            return Err(Unreadable::NewerVersion);
        }
        let token = token(fields.token.ok_or(Unreadable::NoToken)?)?;
        let expiry = expiry(fields.expiry.ok_or(Unreadable::NoExpiry)?)?;
        Ok(Self { token, expiry })
    }

    /// The file's content: the bytes that Python's `json.dump` writes, without a newline at the end.
    ///
    /// # Errors
    ///
    /// [`Unwritable`], where the file could not be read again.
    pub fn write(&self) -> Result<String, Unwritable> {
        if !self.expiry.is_finite() {
            return Err(Unwritable::ExpiryNotFinite);
        }
        let token = self.token.expose_secret();
        if token.is_empty() {
            return Err(Unwritable::NoToken);
        }
        let text = format!(
            r#"{{"v": {VERSION}, "token": {}, "expiry": {}}}"#,
            python_string(token),
            python_float(self.expiry)
        );
        if text.len() > MAX_BYTES { Err(Unwritable::TooLarge) } else { Ok(text) }
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("token", &format_args!("[redacted]"))
            .field("expiry", &self.expiry)
            .finish()
    }
}

/// Why a file's content is a miss.
///
/// None of these holds a piece of the file. New reasons may be added; match with a `_` arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unreadable {
    /// More than [`MAX_BYTES`].
    TooLarge,
    /// Not UTF-8, or not JSON: cut off, or written by two programs at once.
    NotJson,
    /// JSON, but not an object.
    NotAnObject,
    /// `v` is a number above [`VERSION`]: a later SDK's file, whose fields may mean something else.
    NewerVersion,
    /// `token` is absent, `null` or empty.
    NoToken,
    /// `token` is a number, a list or the like.
    TokenNotText,
    /// `token` has characters that no token has and no HTTP header can carry: white space, control
    /// characters, or any beyond ASCII.
    TokenUnusable,
    /// `expiry` is absent.
    NoExpiry,
    /// `expiry` is neither a number nor text that says one.
    ExpiryNotANumber,
    /// `expiry` is `NaN`, infinite, or too large for a number.
    ExpiryNotFinite,
    /// `expiry` is further ahead than any token lives: past the year 9999 here, more than 366 days
    /// ahead where the time is known ([`is_absurd`](super::freshness::is_absurd)).
    ExpiryAbsurd,
    /// The file is not what its name says: it holds something else, or another user's.
    Another,
}

impl Unreadable {
    /// The reason in one word, for a field of a log event: `newer_version`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NewerVersion => "newer_version",
            Self::NoToken => "no_token",
            Self::TokenNotText => "token_not_text",
            Self::TokenUnusable => "token_unusable",
            Self::NoExpiry => "no_expiry",
            Self::ExpiryNotANumber => "expiry_not_a_number",
            Self::ExpiryNotFinite => "expiry_not_finite",
            Self::ExpiryAbsurd => "expiry_absurd",
            Self::Another => "another",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the file is larger than 64 KiB",
            Self::NotJson => "the file is not JSON",
            Self::NotAnObject => "the file is not a JSON object",
            Self::NewerVersion => "the file was written by a newer version",
            Self::NoToken => "the file holds no token",
            Self::TokenNotText => "the token is not text",
            Self::TokenUnusable => "the token has characters that no token has",
            Self::NoExpiry => "the file holds no expiry",
            Self::ExpiryNotANumber => "the expiry is not a number",
            Self::ExpiryNotFinite => "the expiry is not finite",
            Self::ExpiryAbsurd => "the expiry is too far ahead",
            Self::Another => "the file holds something else than its name says",
        })
    }
}

impl StdError for Unreadable {}

/// Why a token is not written to a file. It can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unwritable {
    /// The token is empty.
    NoToken,
    /// The expiry is `NaN` or infinite.
    ExpiryNotFinite,
    /// The file would have more than [`MAX_BYTES`].
    TooLarge,
}

impl Unwritable {
    /// The reason in one word, for a field of a log event: `too_large`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::ExpiryNotFinite => "expiry_not_finite",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoToken => "there is no token to write",
            Self::ExpiryNotFinite => "the expiry is not finite",
            Self::TooLarge => "the file would be larger than 64 KiB",
        })
    }
}

impl StdError for Unwritable {}

/// The three fields as they stand in the text, the last of equal keys.
#[derive(Default)]
struct Fields<'a> {
    v: Option<&'a RawValue>,
    token: Option<&'a RawValue>,
    expiry: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "v" => fields.v = Some(map.next_value()?),
                        "token" => fields.token = Some(map.next_value()?),
                        "expiry" => fields.expiry = Some(map.next_value()?),
                        _ => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Replaces Python's `NaN` and `Infinity`, which JSON does not have, by a number too large for an
/// `f64`. Nearly every text is returned as it came.
fn strict_json(text: &str) -> Cow<'_, str> {
    const LITERALS: [&str; 2] = ["NaN", "Infinity"];
    if !LITERALS.iter().any(|literal| text.contains(literal)) {
        return Cow::Borrowed(text);
    }
    let mut strict = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if let Some(literal) = LITERALS.iter().find(|literal| rest.starts_with(**literal))
            && (strict.ends_with([' ', '\t', '\n', '\r', ':', ',', '['])
                || *literal == "Infinity" && strict.ends_with('-'))
        {
            // With a space, so that a digit behind it does not become a part of the number.
            strict.push_str("1e999 ");
            rest = &rest[literal.len()..];
            continue;
        } else {
            in_string = c == '"';
        }
        strict.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(strict)
}

/// A JSON number; `None` for anything else. Infinite when it is too large.
fn number(raw: &RawValue) -> Option<f64> {
    let text = raw.get();
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| text.parse().ok())?
}

fn token(raw: &RawValue) -> Result<SecretString, Unreadable> {
    match raw.get() {
        "null" | r#""""# => return Err(Unreadable::NoToken),
        text if !text.starts_with('"') => return Err(Unreadable::TokenNotText),
        _ => {}
    }
    // The only text that passes as JSON and not as a string is half a surrogate pair.
    let token: String = serde_json::from_str(raw.get()).map_err(|_| Unreadable::TokenUnusable)?;
    if token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(token.into())
    } else {
        Err(Unreadable::TokenUnusable)
    }
}

fn expiry(raw: &RawValue) -> Result<f64, Unreadable> {
    let seconds = if raw.get().starts_with('"') {
        serde_json::from_str::<String>(raw.get()).ok().and_then(|text| python_float_of(&text))
    } else {
        number(raw)
    };
    match seconds {
        None => Err(Unreadable::ExpiryNotANumber),
        Some(seconds) if !seconds.is_finite() => Err(Unreadable::ExpiryNotFinite),
        Some(seconds) if seconds > END_OF_TIME => Err(Unreadable::ExpiryAbsurd),
        Some(seconds) => Ok(seconds),
    }
}

/// What Python's `float(text)` answers: white space around, underscores between digits, `nan` and `inf`
/// as words. Only ASCII digits; Python takes those of every script.
fn python_float_of(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
    let bytes = text.as_bytes();
    let digit = |index: Option<usize>| {
        index.and_then(|index| bytes.get(index)).is_some_and(|byte| byte.is_ascii_digit())
    };
    let stray = |(index, byte): (usize, &u8)| {
        *byte == b'_' && !(digit(index.checked_sub(1)) && digit(index.checked_add(1)))
    };
    if bytes.iter().enumerate().any(stray) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// What Python's `json.dumps(text)` answers: everything but printable ASCII is escaped.
fn python_string(text: &str) -> String {
    use fmt::Write as _;

    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            ' '..='~' => quoted.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(quoted, "\\u{unit:04x}");
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Option<Unreadable> {
        Envelope::read(text.as_bytes()).err()
    }

    fn expiry_of(value: &str) -> Result<f64, Unreadable> {
        let text = format!(r#"{{"v": 1, "token": "t", "expiry": {value}}}"#);
        Envelope::read(text.as_bytes()).map(|envelope| envelope.expiry)
    }

    #[test]
    fn every_miss_has_its_reason() {
        for (text, expected) in [
            ("", Unreadable::NotJson),
            ("\u{feff}{}", Unreadable::NotJson),
            ("{\"token\": \"a\"", Unreadable::NotJson),
            ("[NaN", Unreadable::NotJson),
            ("{\"a\": 1NaN}", Unreadable::NotJson),
            ("{\"a\": NaN1}", Unreadable::NotJson),
            ("{\"a\": -Infinity.5}", Unreadable::NotJson),
            ("{\"a\": -NaN}", Unreadable::NotJson),
            ("null", Unreadable::NotAnObject),
            (" [] ", Unreadable::NotAnObject),
            ("NaN", Unreadable::NotJson),
            ("{}", Unreadable::NoToken),
            (r#"{"token": "", "expiry": 1}"#, Unreadable::NoToken),
            (r#"{"token": 1, "expiry": 1}"#, Unreadable::TokenNotText),
            (r#"{"token": "a b", "expiry": 1}"#, Unreadable::TokenUnusable),
            (r#"{"token": "a\r\nx: y", "expiry": 1}"#, Unreadable::TokenUnusable),
            (r#"{"token": "\udc00", "expiry": 1}"#, Unreadable::TokenUnusable),
            (r#"{"token": "a"}"#, Unreadable::NoExpiry),
            (r#"{"v": 2, "token": {}, "expiry": "?"}"#, Unreadable::NewerVersion),
            (r#"{"v": 1.5, "token": "a", "expiry": 1}"#, Unreadable::NewerVersion),
            (r#"{"v": Infinity, "token": "a", "expiry": 1}"#, Unreadable::NewerVersion),
        ] {
            assert_eq!(reason(text), Some(expected), "{text}");
        }
        let text = r#"{"token": "a", "expiry": 1}"#;
        let long = text.to_owned() + &" ".repeat(MAX_BYTES - text.len());
        assert_eq!(reason(&long), None);
        assert_eq!(reason(&format!("{long} ")), Some(Unreadable::TooLarge));
    }

    #[test]
    fn the_version_may_be_anything_that_is_not_newer() {
        for v in ["0", "1", "1.0", "-3", "true", "null", "\"2\"", "[2]", "{}"] {
            assert_eq!(reason(&format!(r#"{{"v": {v}, "token": "a", "expiry": 1}}"#)), None, "{v}");
        }
    }

    #[test]
    fn expiries_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("1790003600.25", 1_790_003_600.25),
            ("-1.5E+3", -1500.0),
            ("\"\\u00a0\\u2003\\u001f 1_0.0_1e0_1\\n\"", 100.1),
            ("\"+.5\"", 0.5),
            ("\"5.\"", 5.0),
            ("\"-0\"", 0.0),
        ] {
            assert_eq!(expiry_of(text), Ok(expected), "{text}");
        }
        for text in [
            "\"\"",
            "\"_1\"",
            "\"1_\"",
            "\"1__0\"",
            "\"1_.0\"",
            "\"1e_5\"",
            "\"0x10\"",
            "\"1 0\"",
            "\"1\\u0000\"",
            "true",
            "null",
            "[]",
            "{\"a\": 1}",
        ] {
            assert_eq!(expiry_of(text), Err(Unreadable::ExpiryNotANumber), "{text}");
        }
        for text in [
            "NaN",
            "Infinity",
            "-Infinity",
            "1e999",
            "\"nan\"",
            "\"-NAN\"",
            "\"+inf\"",
            "\"iNfInItY\"",
            "\"1e999\"",
        ] {
            assert_eq!(expiry_of(text), Err(Unreadable::ExpiryNotFinite), "{text}");
        }
        assert_eq!(expiry_of("253402300799"), Ok(END_OF_TIME));
        assert_eq!(expiry_of("253402300800"), Err(Unreadable::ExpiryAbsurd));
    }

    #[test]
    fn python_literals_elsewhere_do_no_harm() {
        let text =
            r#"{"a\"NaN": "NaN, \\\" Infinity", "b": [NaN, -Infinity], "token": "a:NaN", "expiry": 5.5}"#;
        let envelope = Envelope::read(text.as_bytes()).unwrap();
        assert_eq!(envelope.token.expose_secret(), "a:NaN");
        assert_eq!(envelope.expiry, 5.5);
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let deep = "[".repeat(30_000) + &"]".repeat(30_000);
        assert_eq!(reason(&format!(r#"{{"x": {deep}, "token": "a", "expiry": 1}}"#)), None);
        assert_eq!(reason(&deep), Some(Unreadable::NotAnObject));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let text = r#"{"v": 1, "token": "eyJ.o\u0070en.t", "expiry": "1_790.5e6", "x": [NaN, {}]}"#;
        for end in 0..=text.len() {
            let _ = Envelope::read(&text.as_bytes()[..end]);
            for byte in [0, b'"', b'\\', b'{', b'}', b'[', b'9', b'N', b'I', b'-', 0x80, 0xff] {
                let mut changed = text.as_bytes().to_vec();
                changed.insert(end, byte);
                let _ = Envelope::read(&changed);
                if end < text.len() {
                    changed.remove(end + 1);
                    let _ = Envelope::read(&changed);
                }
            }
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let write = |token: &str, expiry| Envelope { token: token.into(), expiry }.write();
        assert_eq!(write("t", f64::NAN), Err(Unwritable::ExpiryNotFinite));
        assert_eq!(write("t", f64::INFINITY), Err(Unwritable::ExpiryNotFinite));
        assert_eq!(write("", 1.0), Err(Unwritable::NoToken));
        let room = MAX_BYTES - r#"{"v": 1, "token": "", "expiry": 1.5}"#.len();
        assert_eq!(write(&"t".repeat(room), 1.5).map(|text| text.len()), Ok(MAX_BYTES));
        assert_eq!(write(&"t".repeat(room + 1), 1.5), Err(Unwritable::TooLarge));
    }

    #[test]
    fn the_token_is_not_shown() {
        let envelope = Envelope { token: "eyJ.secret.token".into(), expiry: 1.5 };
        assert_eq!(format!("{envelope:?}"), "Envelope { token: [redacted], expiry: 1.5 }");
    }

    #[test]
    fn floats_look_like_pythons() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1_790_082_800.0, "1790082800.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e16, "1e+16"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1.5e300, "1.5e+300"),
            (-2.5e-7, "-2.5e-07"),
        ] {
            assert_eq!(python_float(value), expected);
        }
    }
}
