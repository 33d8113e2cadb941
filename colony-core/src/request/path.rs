//! The path of a request, and how arguments are written into it.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Request;
use crate::{Error, Result};

/// What is left alone in a path segment: the unreserved characters of
/// [RFC 3986, section 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
pub(super) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, where a slash separates folders.
const NESTED: &AsciiSet = &SEGMENT.remove(b'/');
/// What cannot stand in an address at all; see [`PathStyle::Compatible`].
const COMPATIBLE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'`').add(b'\\');

/// How ids are written into the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathStyle {
    /// Percent-encoded as one segment each, empty ones refused. What the clients do.
    #[default]
    Escaped,
    /// As the Python package writes them: `/`, `?` and `%` in an id keep their meaning in the
    /// address, and an empty id leaves its place empty. Only `colony call` asks for this, whose
    /// arguments are the Python package's; names (usernames, tags, slugs) are escaped here too.
    Compatible,
}

#[derive(Clone)]
pub(super) struct PathArgument {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) encoding: Encoding,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Encoding {
    Id,
    Name,
    Nested,
}

impl PathArgument {
    pub(super) fn write(&self, path: &mut String, style: PathStyle) -> Result<()> {
        let value = self.value.as_str();
        let set = match (self.encoding, style) {
            (Encoding::Name, _) | (Encoding::Id, PathStyle::Escaped) => SEGMENT,
            (Encoding::Nested, _) => NESTED,
            (Encoding::Id, PathStyle::Compatible) => COMPATIBLE,
        };
        if value.is_empty() && style == PathStyle::Escaped {
            return Err(Error::argument_refused(self.name, format!("{} is empty; give one", self.name)));
        }
        let whole =
            matches!((self.encoding, style), (Encoding::Name, _) | (Encoding::Id, PathStyle::Escaped));
        let refused = if whole { matches!(value, "." | "..") } else { value.split(['/', '?']).any(is_dots) };
        if refused {
            return Err(Error::argument_refused(
                self.name,
                format!("{} may not be or contain the path segment `.` or `..`", self.name),
            ));
        }
        let _ = write!(path, "{}", utf8_percent_encode(value, set));
        Ok(())
    }
}

/// Whether a part of an encoded path is `.` or `..`, also in their encoded spelling, which address parsers read the
/// same way.
pub(super) fn is_dots(part: &str) -> bool {
    matches!(&*part.to_ascii_lowercase().replace("%2e", "."), "." | "..")
}

impl Request {
    /// The encoded path with every place filled.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when an argument cannot stand
    /// in an address: it is empty (except in the compatible style), or is `.` or `..`, which every
    /// HTTP client removes together with its neighbour.
    pub fn path(&self, style: PathStyle) -> Result<String> {
        let mut path = String::with_capacity(self.template.len() + 32);
        let mut rest = &*self.template;
        let mut ends_in = None;
        while let Some((before, after)) = rest.split_once('{') {
            path.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            rest = after;
            match self.arguments.iter().find(|argument| argument.name == name) {
                Some(argument) => {
                    argument.write(&mut path, style)?;
                    ends_in = Some(argument.encoding).filter(|_| rest.is_empty());
                }
                None => {
                    return Err(Error::argument_refused("path", format!("no value was given for {name}")));
                }
            }
        }
        path.push_str(rest);
        // An address loses the white space at its end; only what was escaped as a name keeps it.
        if style == PathStyle::Compatible && ends_in == Some(Encoding::Id) {
            let kept = path.trim_end_matches("%20").len();
            path.truncate(kept);
        }
        if self.query_is_in_path(style) {
            for (index, (key, value)) in self.query.iter().enumerate() {
                let encode = |text| utf8_percent_encode(text, SEGMENT);
                let joint = if index == 0 { '?' } else { '&' };
                let _ = write!(path, "{joint}{}={}", encode(key), encode(value));
            }
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageId, PostId, id::checked_id};
    use http::Method;

    fn path(id: &str, style: PathStyle) -> Result<String> {
        let request =
            Request::new("x", Method::GET, "/posts/{post_id}/comments").id("post_id", &PostId::from(id));
        request.check()?;
        request.path(style)
    }

    #[test]
    fn in_the_compatible_style_the_query_goes_on_where_an_id_opened_it() {
        let mut request = Request::new("x", Method::GET, "/messages/{message_id}/reads")
            .id("message_id", &MessageId::from("m?a=1"))
            .query("limit", 5);
        assert_eq!(request.query_pairs().len(), 1);
        request.set_path_style(PathStyle::Compatible);
        assert_eq!(request.path(PathStyle::Compatible).unwrap(), "/messages/m?a=1/reads?limit=5");
        assert!(request.query_pairs().is_empty());
    }

    #[test]
    fn in_the_compatible_style_only_names_keep_white_space_at_the_end() {
        let id =
            Request::new("x", Method::GET, "/messages/{message_id}").id("message_id", &MessageId::from("  "));
        assert_eq!(id.path(PathStyle::Compatible).unwrap(), "/messages/");
        let name = Request::new("x", Method::GET, "/users/{username}").name("username", "  ");
        assert_eq!(name.path(PathStyle::Compatible).unwrap(), "/users/%20%20");
    }

    #[test]
    fn an_id_is_one_segment() {
        assert_eq!(
            path("a b/c#d?e=%41&ü+", PathStyle::Escaped).unwrap(),
            "/posts/a%20b%2Fc%23d%3Fe%3D%2541%26%C3%BC%2B/comments"
        );
        assert_eq!(path("ab/cd", PathStyle::Compatible).unwrap(), "/posts/ab/cd/comments");
    }

    #[test]
    fn dot_segments_and_empty_ids_are_refused() {
        for id in [".", ".."] {
            assert!(path(id, PathStyle::Escaped).unwrap_err().is_invalid_argument());
            assert!(path(id, PathStyle::Compatible).unwrap_err().is_invalid_argument());
        }
        for id in ["a/../../users/me", "%2e%2E", "a/.%2e"] {
            assert!(path(id, PathStyle::Compatible).unwrap_err().is_invalid_argument(), "{id}");
        }
        assert_eq!(path("a\\..", PathStyle::Compatible).unwrap(), "/posts/a%5C../comments");
        assert_eq!(path("", PathStyle::Escaped).unwrap_err().argument(), Some("post_id"));
        assert_eq!(path("", PathStyle::Compatible).unwrap(), "/posts//comments");
    }

    #[test]
    fn a_path_given_by_hand_does_not_leave_the_api() {
        for path in [
            "/%2e%2e",
            "/posts/%2E./../x",
            "/posts/.%2e/x",
            "/%2e",
            "/..",
            "/.. ",
            "/.\t./x",
            "//host.example/x",
            "/a\\..\\b",
        ] {
            assert_eq!(Request::raw(Method::GET, path).unwrap_err().argument(), Some("path"), "{path}");
        }
        let kept = Request::raw(Method::GET, "/posts/a%2e%2eb/...").unwrap();
        assert_eq!(kept.path(PathStyle::Escaped).unwrap(), "/posts/a%2e%2eb/...");
    }

    #[test]
    fn pieces_of_uuids_are_refused_for_checked_kinds_only() {
        for piece in ["140c92fb", "140c92fb-e053-4a6c-adc4", "140c92fbe0534a6cadc424457592614b"] {
            assert!(path(piece, PathStyle::Escaped).unwrap_err().is_invalid_argument());
            assert_eq!(checked_id("message_id", &MessageId::from(piece)).unwrap(), piece);
        }
        assert_eq!(path(" p1 ", PathStyle::Escaped).unwrap(), "/posts/p1/comments");
    }
}
