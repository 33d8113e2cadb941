//! JSON in the one form that hashes and signatures are made over.
//!
//! ```
//! use serde_json::json;
//!
//! let text = colony_core::canonical::to_string(&json!({"b": [1, 2.0], "a": "é"}));
//! assert_eq!(text, r#"{"a":"é","b":[1,2.0]}"#);
//! ```
//!
//! Keys are sorted by code point, nothing is put between tokens, and only what must be escaped in a
//! string is. For objects of texts, whole numbers and nulls, which is what the service hashes, this is
//! [RFC 8785](https://www.rfc-editor.org/rfc/rfc8785). In two corners it follows the service's own
//! Python rather than that document, because the digests on record were made so: keys outside the Basic
//! Multilingual Plane come last (there: among the surrogates), and a number with a fraction or an exponent
//! is written as Python writes it (`1.0`, `1e+21`, `1e-07`).

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The canonical form of a value.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            // Sorted here, since serde_json keeps the order of arrival once any crate of the program
            // turns that feature on. UTF-8 sorts by code point.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        Value::Number(number) if number.is_f64() => {
            out.push_str(&python_float(number.as_f64().unwrap_or_default()));
        }
        Value::String(text) => write_text(text, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What Python's `repr` answers for a finite number: the shortest digits that read back as the same number, with an
/// exponent from 1e16 upwards and below 1e-4, otherwise always with a decimal point.
pub(crate) fn python_float(number: f64) -> String {
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // A number exactly between two shortest texts: Rust takes the upper one, Python the even one, as rounding
    // to so many digits does. Where that would be another number, the shortest text is the only one.
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let even = |text: String, shortest: String| if text.parse() == Ok(number) { text } else { shortest };
    if (-4..16).contains(&exponent) {
        let places = usize::try_from(fraction as i32 - exponent).unwrap_or(0).max(1);
        return even(format!("{number:.places$}"), format!("{number:?}"));
    }
    let text = even(format!("{number:.fraction$e}"), shortest.clone());
    let digits = text.split_once('e').map_or(&*text, |(digits, _)| digits);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_a_fraction_are_written_as_python_writes_them() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.5, "1.5"),
            (100.0, "100.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e15 + 0.25, "1000000000000000.2"),
            (1e15 + 0.75, "1000000000000000.8"),
            (-4_503_599_627_370_495.5, "-4503599627370495.5"),
            (1e16, "1e+16"),
            (1e21, "1e+21"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.000_012_3, "1.23e-05"),
            (-1e-7, "-1e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(python_float(number), text);
        }
    }
}
