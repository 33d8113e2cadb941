//! A request as data: what an operation asks for, before anybody sends it.

use std::{borrow::Cow, fmt, fmt::Write as _};

use bytes::Bytes;
use http::{HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{Endpoint, Error, Id, IdKind, Result, colony_name};

/// What is left alone in a path segment: the unreserved characters of
/// [RFC 3986, section 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, where a slash separates folders.
const NESTED: &AsciiSet = &SEGMENT.remove(b'/');
/// What cannot stand in an address at all; see [`PathStyle::Compatible`].
const COMPATIBLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'`');

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

/// Which part of the site a path belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Base {
    /// Below the API's base URL.
    #[default]
    Api,
    /// At the site's root: the base URL without its trailing `/api/v1`.
    Site,
    /// Below another API base URL, given with the call.
    Other(String),
}

/// Whether a request carries the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// With the token; a 401 leads to one round with another one.
    #[default]
    Bearer,
    /// Without.
    Anonymous,
}

/// What a success changes in the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// The reply's `api_key` replaces the client's; the old key's cached token goes first.
    AdoptKey,
}

/// A request's body.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Body {
    /// None at all.
    #[default]
    Empty,
    /// A JSON object; an empty one is sent as `{}`.
    Json(Map<String, Value>),
    /// Form fields (`application/x-www-form-urlencoded`). A `None` value stands for the client's own
    /// token, which is filled in when the request is sent.
    Form(Vec<(&'static str, Option<String>)>),
    /// One file (`multipart/form-data`, [RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)).
    File(FilePart),
}

/// A file to upload.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePart {
    /// The form field's name.
    pub field: &'static str,
    /// The file's name.
    pub filename: String,
    /// The media type, `image/png` for example.
    pub content_type: String,
    /// The content.
    pub content: Bytes,
}

#[derive(Clone)]
struct PathArgument {
    name: &'static str,
    value: String,
    encoding: Encoding,
}

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Id,
    Name,
    Nested,
}

#[derive(Clone, Copy)]
enum ColonyPlace {
    Path,
    Json,
}

/// What an operation asks the server for.
///
/// Built by [`Endpoint::request`] and sent by a client. The building methods never fail: a refused
/// argument is remembered, the first one wins, and [`check`](Self::check) tells.
#[derive(Clone)]
pub struct Request {
    operation: &'static str,
    method: Method,
    template: &'static str,
    base: Base,
    arguments: Vec<PathArgument>,
    query: Vec<(Cow<'static, str>, String)>,
    body: Body,
    idempotency_key: Option<HeaderValue>,
    auth: Auth,
    effect: Effect,
    retried: bool,
    secret: bool,
    colony: Option<(String, ColonyPlace)>,
    refusal: Option<Error>,
    style: PathStyle,
}

impl Request {
    /// Starts the request of an operation.
    pub fn to<E: Endpoint>() -> Self {
        Self::new(E::NAME, E::METHOD, E::PATH)
    }

    /// Starts a request from its parts. `template` may hold `{name}` places, to be filled.
    pub fn new(operation: &'static str, method: Method, template: &'static str) -> Self {
        Self {
            operation,
            method,
            template,
            base: Base::Api,
            arguments: Vec::new(),
            query: Vec::new(),
            body: Body::Empty,
            idempotency_key: None,
            auth: Auth::Bearer,
            effect: Effect::None,
            retried: true,
            secret: false,
            colony: None,
            refusal: None,
            style: PathStyle::Escaped,
        }
    }

    // ---- building: arguments in the path

    /// Fills a place with an id. Ids of a checked kind are trimmed, and a piece of a UUID is refused.
    #[must_use]
    pub fn id<K: IdKind>(mut self, name: &'static str, id: &Id<K>) -> Self {
        let value = match checked_id(name, id) {
            Ok(value) => value.to_owned(),
            Err(refusal) => return self.refuse(refusal),
        };
        self.arguments.push(PathArgument { name, value, encoding: Encoding::Id });
        self
    }

    /// Fills a place with a name: a username, tag or slug, always escaped whole.
    #[must_use]
    pub fn name(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.arguments.push(PathArgument { name, value: value.into(), encoding: Encoding::Name });
        self
    }

    /// Fills a place with a path of its own, whose slashes stay: a vault file.
    #[must_use]
    pub fn nested(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.arguments.push(PathArgument { name, value: value.into(), encoding: Encoding::Nested });
        self
    }

    // ---- building: query and body

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, key: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Self {
        self.query.push((key.into(), value.to_string()));
        self
    }

    /// Adds a query parameter when there is a value.
    #[must_use]
    pub fn query_some(self, key: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// Adds the offset unless it is 0, which the server takes for granted.
    #[must_use]
    pub fn offset(self, offset: u32) -> Self {
        if offset == 0 { self } else { self.query("offset", offset) }
    }

    /// Adds a field to the JSON body.
    #[must_use]
    pub fn json(mut self, key: &'static str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.json_map().insert(key.to_owned(), value);
                self
            }
            Err(error) => self.refuse(Error::argument_refused(key, format!("{key} is not JSON: {error}"))),
        }
    }

    /// Adds a field to the JSON body when there is a value.
    #[must_use]
    pub fn json_some(self, key: &'static str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.json(key, value),
            None => self,
        }
    }

    /// Makes the body a JSON object even if no field is added.
    #[must_use]
    pub fn json_object(mut self) -> Self {
        self.json_map();
        self
    }

    /// Adds all fields of an object to the JSON body.
    #[must_use]
    pub fn json_fields(mut self, fields: &Map<String, Value>) -> Self {
        let body = self.json_map();
        body.extend(fields.iter().map(|(key, value)| (key.clone(), value.clone())));
        self
    }

    /// Adds the field by which things created through this SDK are told apart.
    #[must_use]
    pub fn json_client(self) -> Self {
        self.json("client", crate::CLIENT_NAME)
    }

    /// Adds a form field.
    #[must_use]
    pub fn form(self, key: &'static str, value: impl Into<String>) -> Self {
        self.form_field(key, Some(value.into()))
    }

    /// Adds a form field that holds the client's own token.
    #[must_use]
    pub fn form_session_token(self, key: &'static str) -> Self {
        self.form_field(key, None)
    }

    fn form_field(mut self, key: &'static str, value: Option<String>) -> Self {
        if let Body::Form(fields) = &mut self.body {
            fields.push((key, value));
        } else {
            self.body = Body::Form(vec![(key, value)]);
        }
        self
    }

    /// Makes the body one uploaded file. An upload is not sent twice.
    #[must_use]
    pub fn file(mut self, file: FilePart) -> Self {
        self.body = Body::File(file);
        self.retried = false;
        self
    }

    fn json_map(&mut self) -> &mut Map<String, Value> {
        if !matches!(self.body, Body::Json(_)) {
            self.body = Body::Json(Map::new());
        }
        match &mut self.body {
            Body::Json(map) => map,
            _ => unreachable!("the body was just made a JSON object"),
        }
    }

    // ---- building: colonies

    /// Fills the place `{colony_id}` of the path from a colony's name or id.
    ///
    /// The built-in colonies and ids are known here; another name is looked up by the client, once.
    #[must_use]
    pub fn colony_in_path(mut self, colony: &str) -> Self {
        match colony_name::known_id(colony) {
            Some(id) => self.set_colony_id(ColonyPlace::Path, id),
            None => self.colony = Some((colony.to_owned(), ColonyPlace::Path)),
        }
        self
    }

    /// Adds `colony_id` to the JSON body from a colony's name or id.
    #[must_use]
    pub fn colony_in_json(mut self, colony: &str) -> Self {
        self.json_map();
        match colony_name::known_id(colony) {
            Some(id) => self.set_colony_id(ColonyPlace::Json, id),
            None => self.colony = Some((colony.to_owned(), ColonyPlace::Json)),
        }
        self
    }

    /// Adds the colony to the query: `colony_id` for one known by id, else `colony` by name.
    #[must_use]
    pub fn colony_in_query(self, colony: Option<&str>) -> Self {
        match colony.filter(|colony| !colony.is_empty()) {
            None => self,
            Some(colony) => match colony_name::known_id(colony) {
                Some(id) => self.query("colony_id", id),
                None => self.query("colony", colony),
            },
        }
    }

    fn set_colony_id(&mut self, place: ColonyPlace, id: &str) {
        match place {
            ColonyPlace::Path => self.arguments.push(PathArgument {
                name: "colony_id",
                value: id.to_owned(),
                encoding: Encoding::Id,
            }),
            ColonyPlace::Json => {
                self.json_map().insert("colony_id".to_owned(), Value::String(id.to_owned()));
            }
        }
    }

    // ---- building: the manner of sending

    /// Sends the key in `Idempotency-Key`, so that the server acts once however often it hears of it.
    #[must_use]
    pub fn idempotency_key(mut self, key: Option<&str>) -> Self {
        let Some(key) = key.filter(|key| !key.is_empty()) else { return self };
        // A header is bytes; like the Python package, characters up to U+00FF are sent as Latin-1.
        let bytes: Option<Vec<u8>> = key.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        match bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            Some(value) => {
                self.idempotency_key = Some(value);
                self
            }
            None => self.refuse(Error::argument_refused(
                "idempotency_key",
                "idempotency_key cannot be sent in a header: use printable ASCII, at most 255 characters",
            )),
        }
    }

    /// Sends the request without a token.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.auth = Auth::Anonymous;
        self
    }

    /// Sends the request to another base.
    #[must_use]
    pub fn base(mut self, base: Base) -> Self {
        self.base = base;
        self
    }

    /// Sends the request once, whatever happens.
    #[must_use]
    pub fn not_retried(mut self) -> Self {
        self.retried = false;
        self
    }

    /// Says what a success changes in the client.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Marks a request whose reply must not be kept in an error.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    // ---- building: checks

    /// Refuses the request. The first refusal is the one told.
    #[must_use]
    pub fn refuse(mut self, refusal: Error) -> Self {
        self.refusal.get_or_insert(refusal);
        self
    }

    /// Refuses the request when the condition does not hold.
    #[must_use]
    pub fn require(self, argument: &'static str, holds: bool, message: impl Into<String>) -> Self {
        if holds { self } else { self.refuse(Error::argument_refused(argument, message)) }
    }

    /// Refuses a required text that is empty or only white space.
    #[must_use]
    pub fn require_text(self, argument: &'static str, value: &str) -> Self {
        self.require(
            argument,
            !value.trim().is_empty(),
            format!(
                "{argument} is empty or only white space; it is usually a variable that was not filled in"
            ),
        )
    }

    // ---- for those who send

    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path with its places still open: `/posts/{post_id}`.
    pub fn template(&self) -> &'static str {
        self.template
    }

    /// Which part of the site the path belongs to.
    pub fn base_part(&self) -> &Base {
        &self.base
    }

    /// The query, in order, not encoded.
    pub fn query_pairs(&self) -> &[(Cow<'static, str>, String)] {
        if self.query_is_in_path(self.style) { &[] } else { &self.query }
    }

    /// Whether an id has opened the query already, so that the query proper goes on in its last part.
    fn query_is_in_path(&self, style: PathStyle) -> bool {
        let opens_query = |x: &PathArgument| x.encoding == Encoding::Id && x.value.contains('?');
        style == PathStyle::Compatible && self.arguments.iter().any(opens_query)
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The value of `Idempotency-Key`, when one is to be sent (POST and PUT only).
    pub fn idempotency(&self) -> Option<&HeaderValue> {
        self.idempotency_key.as_ref().filter(|_| matches!(self.method, Method::POST | Method::PUT))
    }

    /// Whether the request carries the token.
    pub fn auth(&self) -> Auth {
        self.auth
    }

    /// What a success changes in the client.
    pub fn success_effect(&self) -> Effect {
        self.effect
    }

    /// Whether the retry policy applies.
    pub fn is_retried(&self) -> bool {
        self.retried
    }

    /// Whether the reply must not be kept in an error.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether the reply's errors have the OAuth form.
    pub fn is_oauth(&self) -> bool {
        self.base == Base::Site
    }

    /// The colony's name that has to be looked up before the request can be sent.
    pub fn unresolved_colony(&self) -> Option<&str> {
        self.colony.as_ref().map(|(name, _)| name.as_str())
    }

    /// Puts the id of the looked-up colony in its place.
    pub fn resolve_colony(&mut self, id: &str) {
        if let Some((_, place)) = self.colony.take() {
            self.set_colony_id(place, id);
        }
    }

    /// Chooses how ids are written into the path.
    pub fn set_path_style(&mut self, style: PathStyle) {
        self.style = style;
    }

    /// The style chosen with [`set_path_style`](Self::set_path_style).
    pub fn path_style(&self) -> PathStyle {
        self.style
    }

    /// Puts numbers and booleans that were given as arguments back where their text stands in the
    /// body. Used by `colony call`, where the server, not the type system, judges such a value.
    pub fn restore_scalars(&mut self, arguments: &Map<String, Value>) {
        let Body::Json(body) = &mut self.body else { return };
        for (name, value) in arguments {
            let renamed = if name == "colony" { "colony_id" } else { name.as_str() };
            for key in [name.as_str(), renamed] {
                let text = body.get(key).and_then(Value::as_str);
                if text.is_some_and(|text| !value.is_string() && text == value.to_string()) {
                    body.insert(key.to_owned(), value.clone());
                }
            }
        }
    }

    /// Tells whether an argument was refused.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), with the argument's name.
    pub fn check(&self) -> Result<()> {
        match &self.refusal {
            None => Ok(()),
            Some(refusal) => Err(refusal.clone()),
        }
    }

    /// The encoded path with every place filled.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when an argument cannot stand
    /// in an address: it is empty (except in the compatible style), or is `.` or `..`, which every
    /// HTTP client removes together with its neighbour.
    pub fn path(&self, style: PathStyle) -> Result<String> {
        let mut path = String::with_capacity(self.template.len() + 32);
        let mut rest = self.template;
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

    /// The request as JSON, for people and scripts: `method`, `path`, `query`, `headers`, and the body
    /// as `json`, `form` or `multipart`. The token is never part of it.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check) and [`path`](Self::path).
    pub fn describe(&self) -> Result<Value> {
        self.check()?;
        let mut out = Map::new();
        out.insert("operation".into(), self.operation.into());
        out.insert("method".into(), self.method.as_str().into());
        let path = match &self.colony {
            // Nothing is sent to find out, so the place stays open.
            Some((name, ColonyPlace::Path)) => {
                let mut open = self.clone();
                open.arguments.push(PathArgument {
                    name: "colony_id",
                    value: format!("<id of {name}>"),
                    encoding: Encoding::Id,
                });
                open.path(PathStyle::Compatible)?
            }
            _ => self.path(self.style)?,
        };
        out.insert("path".into(), path.into());
        match &self.base {
            Base::Api => {}
            Base::Site => drop(out.insert("base".into(), "site".into())),
            Base::Other(url) => drop(out.insert("base".into(), url.clone().into())),
        }
        if !self.query_pairs().is_empty() {
            out.insert("query".into(), json!(self.query_pairs()));
        }
        let mut headers = Map::new();
        if self.auth == Auth::Bearer {
            headers.insert("authorization".into(), "Bearer <token>".into());
        }
        if let Some(key) = self.idempotency() {
            headers.insert("idempotency-key".into(), String::from_utf8_lossy(key.as_bytes()).into());
        }
        out.insert("headers".into(), headers.into());
        match &self.body {
            Body::Empty => {}
            Body::Json(fields) => {
                let mut fields = fields.clone();
                if let Some((name, ColonyPlace::Json)) = &self.colony {
                    fields.insert("colony_id".into(), format!("<id of {name}>").into());
                }
                out.insert("json".into(), fields.into());
            }
            Body::Form(fields) => {
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(key, value)| (*key, value.as_deref().unwrap_or("<token>"))).collect();
                out.insert("form".into(), json!(fields));
            }
            Body::File(file) => {
                out.insert(
                    "multipart".into(),
                    json!({
                        "field": file.field, "filename": file.filename,
                        "content_type": file.content_type, "size": file.content.len(),
                    }),
                );
            }
        }
        Ok(out.into())
    }
}

impl PathArgument {
    fn write(&self, path: &mut String, style: PathStyle) -> Result<()> {
        let value = self.value.as_str();
        let set = match (self.encoding, style) {
            (Encoding::Name, _) | (Encoding::Id, PathStyle::Escaped) => SEGMENT,
            (Encoding::Nested, _) => NESTED,
            (Encoding::Id, PathStyle::Compatible) => COMPATIBLE,
        };
        if value.is_empty() && style == PathStyle::Escaped {
            return Err(Error::argument_refused(self.name, format!("{} is empty; give one", self.name)));
        }
        let split = set as *const _ != SEGMENT as *const _;
        let dots = |part: &str| matches!(part, "." | "..");
        if if split { value.split(['/', '?']).any(dots) } else { dots(value) } {
            return Err(Error::argument_refused(
                self.name,
                format!("{} may not be or contain the path segment `.` or `..`", self.name),
            ));
        }
        let _ = write!(path, "{}", utf8_percent_encode(value, set));
        Ok(())
    }
}

/// The id as it is sent: trimmed and looked at for the checked kinds, untouched for the others.
pub(crate) fn checked_id<'a, K: IdKind>(argument: &'static str, id: &'a Id<K>) -> Result<&'a str> {
    if !K::CHECKED {
        return Ok(id.as_str());
    }
    let text = id.as_str().trim();
    if is_uuid(text) || !is_piece_of_uuid(text) {
        return Ok(text);
    }
    Err(Error::argument_refused(
        argument,
        format!(
            "{argument} looks like a piece of a UUID: {text:?} has {} characters, a whole one has 36. \
             Use the complete id of the object",
            text.chars().count()
        ),
    ))
}

/// Whether the text has the form of a UUID with its hyphens
/// ([RFC 9562, section 4](https://www.rfc-editor.org/rfc/rfc9562#section-4)), in either case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_piece_of_uuid(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

impl fmt::Debug for Request {
    /// Shows where the request goes, and nothing of what it carries.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Json(_) => "Json(..)",
            Self::Form(_) => "Form(..)",
            Self::File(_) => "File(..)",
        })
    }
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart")
            .field("field", &self.field)
            .field("filename", &self.filename)
            .field("content_type", &self.content_type)
            .field("size", &self.content.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageId, PostId};

    fn path(id: &str, style: PathStyle) -> Result<String> {
        let request =
            Request::new("x", Method::GET, "/posts/{post_id}/comments").id("post_id", &PostId::from(id));
        request.check()?;
        request.path(style)
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
        assert!(path("a/../../users/me", PathStyle::Compatible).is_err());
        assert_eq!(path("", PathStyle::Escaped).unwrap_err().argument(), Some("post_id"));
        assert_eq!(path("", PathStyle::Compatible).unwrap(), "/posts//comments");
    }

    #[test]
    fn pieces_of_uuids_are_refused_for_checked_kinds_only() {
        for piece in ["140c92fb", "140c92fb-e053-4a6c-adc4", "140c92fbe0534a6cadc424457592614b"] {
            assert!(path(piece, PathStyle::Escaped).unwrap_err().is_invalid_argument());
            assert_eq!(checked_id("message_id", &MessageId::from(piece)).unwrap(), piece);
        }
        assert_eq!(path(" p1 ", PathStyle::Escaped).unwrap(), "/posts/p1/comments");
    }

    #[test]
    fn debug_shows_no_content() {
        let request = Request::new("login", Method::POST, "/auth/token").json("api_key", "col_secret");
        assert!(!format!("{request:?} {:?}", request.body()).contains("col_secret"));
    }
}
