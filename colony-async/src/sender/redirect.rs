//! Redirects: the target of a reply, and whether it is followed.
//!
//! 307 and 308 to the same origin are followed. 301, 302 and 303 are followed for reads only: otherwise they turn a
//! write into a read ([RFC 9110, section 15.4](https://www.rfc-editor.org/rfc/rfc9110#section-15.4)). No redirect to
//! another scheme, host or port is followed: key and token are for this one.

use colony_core::{Error, ErrorKind, Request, Result, retry::Repeat};
use http::{HeaderMap, StatusCode, header};
use url::Url;

/// How many redirects of one request are followed.
const MOST: u32 = 5;

/// Returns the address to continue at; `None` for a reply that does not redirect.
///
/// # Errors
///
/// An error with the code `redirected` if the redirect is not followed.
pub(super) fn next(
    request: &Request,
    at: &Url,
    status: StatusCode,
    headers: &HeaderMap,
    followed: u32,
    base_url: &str,
) -> Result<Option<Url>> {
    let keeps_method = matches!(status.as_u16(), 307 | 308);
    if !keeps_method && !matches!(status.as_u16(), 301..=303) {
        return Ok(None);
    }
    let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
    let to = location.to_str().ok().and_then(|text| at.join(text).ok());
    let why = match &to {
        None => "that is not an address",
        Some(to) if to.origin() != at.origin() => "the key and the token are for this host only",
        Some(_) if followed >= MOST => "it was redirected too often",
        Some(_) if !keeps_method && request.repeat() != Repeat::Safe => "a write would become a read",
        Some(_) => return Ok(to),
    };
    let place = match &to {
        Some(to) => shown(to),
        None => format!("{location:?}"),
    };
    let message = format!("the server answered with a redirect to {place}, which is not followed: {why}");
    let hint = match &to {
        Some(to) if is_upgrade(at, to) => {
            let path = Url::parse(base_url).map_or_else(|_| String::new(), |base| base.path().to_owned());
            format!("Use the base URL {}{path}", to.origin().ascii_serialization())
        }
        _ => "Check the base URL (COLONY_BASE_URL)".to_owned(),
    };
    let error = Error::build(ErrorKind::Api, message).status(status.as_u16()).code("redirected").hint(hint);
    Err(error.finish().about(request))
}

/// Returns whether the target is the same host over `https`.
fn is_upgrade(at: &Url, to: &Url) -> bool {
    at.scheme() == "http" && to.scheme() == "https" && at.host() == to.host()
}

/// Returns an address without its possibly secret parts.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
