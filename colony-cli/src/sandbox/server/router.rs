//! The table of routes, and the matching of paths to them.

use super::super::routes::{self, Access};

/// All routes of the service, served here or not.
const OPERATIONS: &str = include_str!("operations.txt");

/// One route.
pub(crate) struct Route {
    /// Method and template: `GET /posts/{post_id}`.
    pub(crate) key: &'static str,
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    /// The names of the operations that use it.
    pub(crate) operations: &'static str,
    /// `None` if the sandbox does not implement it.
    pub(crate) handler: Option<&'static routes::Route>,
    segments: Vec<Segment>,
    /// Whether one of its segments matches several.
    greedy: bool,
}

enum Segment {
    Text(&'static str),
    /// Any one segment.
    Any(&'static str),
    /// One or more segments: a vault file's name may contain `/`.
    Many(&'static str),
}

/// The target of a path.
pub(crate) enum Found<'r> {
    Route(&'r Route, Vec<(&'static str, String)>),
    /// The path exists, for another method.
    OtherMethod,
    Nothing,
}

/// All routes, those with more fixed text first.
pub(crate) struct Router {
    routes: Vec<Route>,
}

/// A route of the service, as the sandbox knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedRoute {
    /// Method and template below the API's base: `GET /posts/{post_id}`.
    pub route: &'static str,
    /// The names of the operations that use it, separated by commas.
    pub operations: &'static str,
    /// Whether the sandbox serves it; otherwise it replies 501.
    pub served: bool,
    /// Whether it requires a signed-in caller.
    pub needs_login: bool,
}

/// Returns all routes of the service: those that are served, and those that reply 501.
///
/// ```
/// let routes = colony_cli::sandbox::routes();
/// assert!(routes.iter().any(|listed| listed.route == "GET /posts/{post_id}" && listed.served));
/// ```
pub fn listed() -> Vec<ListedRoute> {
    let routes = lines().filter_map(Route::parse).map(|route| ListedRoute {
        route: route.key,
        operations: route.operations,
        served: route.handler.is_some(),
        needs_login: route.access() == Access::Required,
    });
    routes.collect()
}

impl Router {
    pub(crate) fn new() -> Self {
        let mut routes: Vec<Route> = lines().filter_map(Route::parse).collect();
        routes.sort_by_key(Route::placeholders);
        Self { routes }
    }

    /// Finds the route of a path below the API's base.
    pub(crate) fn find(&self, method: &str, path: &str) -> Found<'_> {
        let Some(parts) = path.strip_prefix('/') else { return Found::Nothing };
        let parts: Vec<String> = parts.split('/').map(percent_decode).collect();
        let mut other_method = false;
        for route in &self.routes {
            if let Some(params) = route.matches(&parts) {
                if route.method == method {
                    return Found::Route(route, params);
                }
                other_method = true;
            }
        }
        if other_method { Found::OtherMethod } else { Found::Nothing }
    }
}

fn lines() -> impl Iterator<Item = &'static str> {
    OPERATIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

impl Route {
    fn parse(line: &'static str) -> Option<Self> {
        let (key, operations) = line.rsplit_once(' ')?;
        let (method, template) = key.split_once(' ')?;
        let segments: Vec<Segment> = template.strip_prefix('/')?.split('/').map(Segment::parse).collect();
        let greedy = segments.iter().any(|segment| matches!(segment, Segment::Many(_)));
        Some(Self {
            key,
            method,
            template,
            operations,
            handler: routes::find(method, template),
            segments,
            greedy,
        })
    }

    /// Returns who can call it.
    pub(crate) fn access(&self) -> Access {
        self.handler.map_or(Access::Ignored, |handler| handler.access)
    }

    /// Returns for each segment whether it is fixed: fixed ones sort first.
    fn placeholders(&self) -> Vec<u8> {
        let rank = |segment: &Segment| match segment {
            Segment::Text(_) => 0,
            Segment::Any(_) => 1,
            Segment::Many(_) => 2,
        };
        // Among greedy routes, a longer fixed tail goes first.
        self.segments.iter().map(rank).chain([u8::MAX - self.segments.len() as u8]).collect()
    }

    fn matches(&self, parts: &[String]) -> Option<Vec<(&'static str, String)>> {
        let fits = parts.len() == self.segments.len() || self.greedy && parts.len() > self.segments.len();
        if !fits {
            return None;
        }
        let surplus = parts.len() - self.segments.len();
        let mut params = Vec::new();
        let mut at = 0;
        for segment in &self.segments {
            match segment {
                Segment::Text(text) if parts[at] != *text => return None,
                Segment::Text(_) => {}
                Segment::Any(_) if parts[at].is_empty() => return None,
                Segment::Any(name) => params.push((*name, parts[at].clone())),
                Segment::Many(name) => {
                    params.push((*name, parts[at..=at + surplus].join("/")));
                    at += surplus;
                }
            }
            at += 1;
        }
        Some(params)
    }
}

impl Segment {
    fn parse(text: &'static str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some("filename") => Self::Many("filename"),
            Some(name) => Self::Any(name),
            None => Self::Text(text),
        }
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> String {
        match Router::new().find(method, path) {
            Found::Route(route, params) => {
                let values: Vec<String> = params.into_iter().map(|(_, value)| value).collect();
                format!("{} [{}]", route.key, values.join(","))
            }
            Found::OtherMethod => "405".into(),
            Found::Nothing => "404".into(),
        }
    }

    #[test]
    fn fixed_text_goes_before_placeholders() {
        assert_eq!(found("GET", "/users/me"), "GET /users/me []");
        assert_eq!(found("GET", "/users/m%65"), "GET /users/me []");
        assert_eq!(found("GET", "/users/you"), "GET /users/{user_id} [you]");
        assert_eq!(found("GET", "/posts/bookmarks/list"), "GET /posts/bookmarks/list []");
        assert_eq!(found("GET", "/posts/a%2Fb/comments"), "GET /posts/{post_id}/comments [a/b]");
    }

    #[test]
    fn file_names_may_hold_slashes() {
        assert_eq!(found("GET", "/vault/files/a/b.md"), "GET /vault/files/{filename} [a/b.md]");
        assert_eq!(
            found("POST", "/vault/files/a/b.md/append"),
            "POST /vault/files/{filename}/append [a/b.md]"
        );
    }

    #[test]
    fn unknown_addresses_and_methods() {
        assert_eq!(found("GET", "/nothing"), "404");
        assert_eq!(found("GET", "/posts//comments"), "404");
        assert_eq!(found("GET", "/"), "GET / []");
        assert_eq!(found("DELETE", "/users/me"), "405");
        assert_eq!(found("GET", "/%ff%zz%"), "404");
    }

    #[test]
    fn every_handler_has_a_route_and_no_route_two() {
        let mut keys: Vec<&str> = Router::new().routes.iter().map(|route| route.key).collect();
        let served: Vec<String> =
            routes::all().map(|route| format!("{} {}", route.method, route.template)).collect();
        for key in &served {
            assert!(keys.contains(&key.as_str()), "{key} is not in operations.txt");
        }
        for mut list in [keys.split_off(0), served.iter().map(String::as_str).collect()] {
            list.sort_unstable();
            let twice: Vec<&str> =
                list.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
            assert!(twice.is_empty(), "{twice:?}");
        }
    }
}
