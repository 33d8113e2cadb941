//! The server's notes about deprecated parameters and values.
//!
//! `X-Colony-Deprecated-Params: search=q` means that the parameter `search` is now called `q`, and
//! `X-Colony-Deprecated-Values: sort:new=newest` that the value `new` of `sort` is now `newest`;
//! `X-Colony-Deprecated-Body-Fields` means the same for fields of the body. Each note is reported once for each
//! client and route, as a `tracing` warning.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use colony_core::{
    Reply, Request,
    deprecation::{BODY_HEADER, NAMES_HEADER, VALUES_HEADER},
};
use url::Url;

/// The number of notes that are remembered. A server that sends more is not worth the memory.
const MOST: usize = 1000;

/// The notes already reported: route, old name.
#[derive(Default)]
pub(super) struct Deprecations(Mutex<HashSet<(String, String)>>);

impl Deprecations {
    pub(super) fn look(&self, request: &Request, url: &Url, reply: &Reply) {
        for header in [&NAMES_HEADER, &VALUES_HEADER, &BODY_HEADER] {
            // Nearly always there is no note, and this check is the only cost.
            let Some(text) = reply.headers.get(header).and_then(|text| text.to_str().ok()) else { continue };
            for (old, new) in pairs(text) {
                if !self.is_news(request.template(), old) {
                    continue;
                }
                // Only the host: an address can contain a password.
                let (host, port) = (url.host_str(), url.port_or_known_default());
                tracing::warn!(
                    target: "colony::http", event = "deprecated", operation = request.operation(),
                    route = request.template(), host, port, old, new,
                    "the server accepts this for now: use the new name"
                );
            }
        }
    }

    fn is_news(&self, route: &str, old: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MOST && told.insert((route.to_owned(), old.to_owned()))
    }
}

/// Parses `old=new, older=newer`; skips an entry that lacks a side.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').filter_map(|pair| {
        let (old, new) = pair.split_once('=')?;
        let (old, new) = (old.trim(), new.trim());
        // `sort:=newest` names no value.
        let whole = !old.is_empty() && !new.is_empty() && !old.ends_with(':');
        whole.then_some((old, new))
    })
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn only_whole_pairs_count() {
        let read = |text: &'static str| pairs(text).collect::<Vec<_>>();
        assert_eq!(read("a=b, c = d ,bad,=x,y="), [("a", "b"), ("c", "d")]);
        assert_eq!(read("sort:new=newest,bad,p:=x"), [("sort:new", "newest")]);
        assert_eq!(read(""), []);
    }
}
