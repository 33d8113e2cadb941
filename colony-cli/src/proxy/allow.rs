//! The requests to let through.

use std::{fmt, str::FromStr};

use http::Method;

/// A request to let through: a method and a pattern for the path below the base URL.
///
/// In the pattern `*` matches any text, slashes included; everything else matches itself. `*` as the method matches
/// any method. The query of a request is ignored.
///
/// ```
/// use colony_cli::proxy::Allow;
/// use http::Method;
///
/// let allow: Allow = "GET /posts*".parse()?;
/// assert!(allow.passes(&Method::GET, "/posts/2e549d01"));
/// assert!(!allow.passes(&Method::POST, "/posts"));
/// assert!(!allow.passes(&Method::GET, "/users/me"));
/// # Ok::<(), colony_cli::proxy::ParseAllowError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// `None` matches any.
    method: Option<Method>,
    pattern: String,
}

impl Allow {
    /// Returns whether a request with this method and this path below the base URL is let through.
    pub fn passes(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own == method) && is_match(&self.pattern, path)
    }
}

impl FromStr for Allow {
    type Err = ParseAllowError;

    fn from_str(text: &str) -> Result<Self, ParseAllowError> {
        let (method, pattern) = text.trim().split_once(' ').ok_or(ParseAllowError(()))?;
        let pattern = pattern.trim();
        let is_name = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        let method = match method {
            "*" => None,
            name if is_name => Some(name.parse().map_err(|_| ParseAllowError(()))?),
            _ => return Err(ParseAllowError(())),
        };
        let is_path = pattern.starts_with(['/', '*']) && pattern.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_path || pattern.contains(['?', '#']) {
            return Err(ParseAllowError(()));
        }
        Ok(Self { method, pattern: pattern.to_owned() })
    }
}

/// The error for text that is not a valid [`Allow`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseAllowError(());

impl fmt::Display for ParseAllowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "give a method in capitals or *, and a path below the base URL without a query, like 'GET /posts*'",
        )
    }
}

impl std::error::Error for ParseAllowError {}

/// Returns whether the text matches the pattern. Backtracks to the last `*` only, so the work is bounded by the
/// product of lengths.
fn is_match(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(byte) if *byte == text[seen] => (at, seen) = (at + 1, seen + 1),
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (at, seen) = (after + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_matched() {
        for (pattern, path, passes) in [
            ("GET /posts*", "/posts", true),
            ("GET /posts*", "/posts/1/comments", true),
            ("GET /posts*", "/Posts", false),
            ("GET /posts*", "/users/posts", false),
            ("GET /posts/*/comments", "/posts/1/comments", true),
            ("GET /posts/*/comments", "/posts/1/comments/2", false),
            ("GET /posts/*/comments", "/posts/1/comments/2/comments", true),
            ("GET /posts", "/posts/1", false),
            ("GET *", "/anything", true),
            ("* /users/me", "/users/me", true),
            ("POST /posts*", "/posts", false),
            ("GET /a.c", "/abc", false),
            ("GET /*a*b", "/xxaxxbx", false),
            ("GET /*a*b", "/xxaxxbxb", true),
        ] {
            let allow: Allow = pattern.parse().expect(pattern);
            assert_eq!(allow.passes(&Method::GET, path), passes, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "GET", "/posts", "get /posts", "GET posts", "GET /posts?x=1", "GET /a b", " /posts"]
        {
            assert!(text.parse::<Allow>().is_err(), "{text:?}");
        }
    }
}
