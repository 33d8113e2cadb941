//! What JSON does not allow and encoders send all the same: half of a surrogate pair, `NaN`, numbers beyond all range.
//!
//! Python's `json` writes and reads them by default, so a text that was cut in the middle of an emoji reaches a client
//! as `"\ud83d"`. One such text must not cost the page.

/// Returns the text with each half pair replaced by U+FFFD, and `NaN` and numbers beyond all range by `null`; `None` if it
/// holds nothing of the kind.
#[cold]
pub(super) fn standard(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(first) = rest.chars().next() {
        let (token, replacement) = if first == '"' { string(rest) } else { bare(rest, first) };
        changed |= replacement.is_some();
        mended.push_str(replacement.as_deref().unwrap_or(token));
        rest = &rest[token.len()..];
    }
    changed.then_some(mended)
}

/// Returns the string that the text begins with, and its replacement if it needs one.
fn string(text: &str) -> (&str, Option<String>) {
    let bytes = text.as_bytes();
    let mut end = 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let token = text.get(..=end).unwrap_or(text);
    let mut mended = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = token[at..].find('\\') {
        at += found;
        match unit(token, at) {
            Some(0xD800..=0xDBFF) if matches!(unit(token, at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                mended.push_str(&token[kept..at]);
                mended.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            // A backslash and the character behind it, which may be of several bytes.
            _ => at += 1 + token[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if kept == 0 {
        return (token, None);
    }
    mended.push_str(&token[kept..]);
    (token, Some(mended))
}

/// The code unit of the escape at this byte: `\u` and four hex digits.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

/// Returns the number or word that the text begins with, or one other character, and its replacement if it needs one.
fn bare(text: &str, first: char) -> (&str, Option<String>) {
    let ends = |character: char| !(character.is_ascii_alphanumeric() || "+-.".contains(character));
    let token = &text[..text.find(ends).unwrap_or(text.len()).max(first.len_utf8())];
    let has_no_value = match token {
        "NaN" | "Infinity" | "-Infinity" => true,
        // Rust reads words of its own, `inf` among them.
        number => {
            number.ends_with(|last: char| last.is_ascii_digit())
                && number.parse::<f64>().is_ok_and(|number| !number.is_finite())
        }
    };
    (token, has_no_value.then(|| "null".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::standard;

    #[test]
    fn what_other_encoders_send_is_read() {
        for (sent, read) in [
            (r#"["\ud83d"]"#, r#"["\ufffd"]"#),
            (r#"["a\udc00b\ud83d\ud83d\ude00"]"#, r#"["a\ufffdb\ufffd\ud83d\ude00"]"#),
            (r#"{"\ud83d": 1}"#, r#"{"\ufffd": 1}"#),
            (r#"[NaN,-Infinity, Infinity,1e400 ,-1E+999]"#, "[null,null, null,null ,null]"),
            (r#"["é\ud83d NaN"]"#, r#"["é\ufffd NaN"]"#),
        ] {
            assert_eq!(standard(sent).as_deref(), Some(read));
            serde_json::from_str::<serde_json::Value>(read).unwrap();
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            r#"{"a": ["\\ud83d", "\"", "\ud83d\ude00", "NaN", -1.5e+3, true, null]}"#,
            "[inf, nan, infinity]",
            "\"\\",
            "\"\\u",
            "\"\\ud8",
            "\"\\é",
            "\u{e9}",
            "",
        ] {
            assert_eq!(standard(text), None, "{text}");
        }
    }
}
