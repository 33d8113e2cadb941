//! What the server says of deprecated names in a request: it goes on taking them, and tells the new ones
//! in three headers of the reply.

use http::{HeaderMap, HeaderName};

/// The header that names deprecated parameters: `colony_name=colony, search=q`.
pub static NAMES_HEADER: HeaderName = HeaderName::from_static("x-colony-deprecated-params");
/// The header that names deprecated values: `sort:new=newest`.
pub static VALUES_HEADER: HeaderName = HeaderName::from_static("x-colony-deprecated-values");
/// The header that names deprecated fields of the body, in the form of the parameters.
pub static BODY_HEADER: HeaderName = HeaderName::from_static("x-colony-deprecated-body-fields");

/// A parameter or a field of the body that was sent by its old name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeprecatedName {
    /// The name in the request.
    pub sent: String,
    /// The name to use.
    pub preferred: String,
}

/// A value that was sent by its old name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeprecatedValue {
    /// The parameter.
    pub parameter: String,
    /// The value in the request.
    pub sent: String,
    /// The value to use.
    pub preferred: String,
}

impl DeprecatedName {
    /// Those a reply tells of.
    pub fn all_in(headers: &HeaderMap) -> Vec<Self> {
        let texts = [&NAMES_HEADER, &BODY_HEADER].into_iter().filter_map(|header| text(headers, header));
        texts.flat_map(Self::read).collect()
    }

    /// Reads the header. What is not of its form is passed over.
    ///
    /// ```
    /// use colony_core::deprecation::DeprecatedName;
    ///
    /// let names = DeprecatedName::read("colony_name=colony, search=q");
    /// assert_eq!((&*names[1].sent, &*names[1].preferred), ("search", "q"));
    /// ```
    pub fn read(header: &str) -> Vec<Self> {
        let pair = |piece: &str| {
            let (sent, preferred) = parts(piece, '=')?;
            Some(Self { sent, preferred })
        };
        header.split(',').filter_map(pair).collect()
    }
}

impl DeprecatedValue {
    /// Those a reply tells of.
    pub fn all_in(headers: &HeaderMap) -> Vec<Self> {
        text(headers, &VALUES_HEADER).map(Self::read).unwrap_or_default()
    }

    /// Reads the header. What is not of its form is passed over.
    pub fn read(header: &str) -> Vec<Self> {
        let triple = |piece: &str| {
            let (left, preferred) = parts(piece, '=')?;
            let (parameter, sent) = parts(&left, ':')?;
            Some(Self { parameter, sent, preferred })
        };
        header.split(',').filter_map(triple).collect()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn parts(piece: &str, mark: char) -> Option<(String, String)> {
    let (left, right) = piece.split_once(mark)?;
    let (left, right) = (left.trim(), right.trim());
    (!left.is_empty() && !right.is_empty()).then(|| (left.to_owned(), right.to_owned()))
}
