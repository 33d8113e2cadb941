//! A request as data: what an operation asks for, before anybody sends it.

mod body;
mod content;
mod describe;
mod path;

use std::{borrow::Cow, fmt};

use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};

use self::path::{Encoding, PathArgument};
pub use self::{
    body::{Body, FilePart},
    content::{Chunks, Content, Opened},
    path::PathStyle,
};
use crate::{Endpoint, Error, Id, IdKind, Result, colony_name, id::checked_id, retry::Repeat};

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
    /// This whole address, from an OpenID provider's
    /// [discovery document](crate::openid::discovery); the path is empty.
    Endpoint(String),
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
    template: Cow<'static, str>,
    base: Base,
    arguments: Vec<PathArgument>,
    query: Vec<(Cow<'static, str>, String)>,
    body: Body,
    idempotency_key: Option<HeaderValue>,
    headers: Vec<(&'static str, HeaderValue)>,
    auth: Auth,
    effect: Effect,
    keyless: bool,
    secret: bool,
    download: bool,
    colony: Option<(String, ColonyPlace)>,
    refusal: Option<Error>,
    style: PathStyle,
}

impl Request {
    /// Starts the request of an operation.
    pub fn to<E: Endpoint>() -> Self {
        Self { keyless: E::KEYLESS, ..Self::new(E::NAME, E::METHOD, E::PATH) }
    }

    /// Starts a request from its parts. `template` may hold `{name}` places, to be filled.
    pub fn new(operation: &'static str, method: Method, template: impl Into<Cow<'static, str>>) -> Self {
        Self {
            operation,
            method,
            template: template.into(),
            base: Base::Api,
            arguments: Vec::new(),
            query: Vec::new(),
            body: Body::Empty,
            idempotency_key: None,
            headers: Vec::new(),
            auth: Auth::Bearer,
            effect: Effect::None,
            keyless: false,
            secret: false,
            download: false,
            colony: None,
            refusal: None,
            style: PathStyle::Escaped,
        }
    }

    /// A request of any method and path, for what no operation covers. The path is below the base URL and
    /// already encoded; it may have a query.
    ///
    /// ```
    /// use colony_core::Request;
    /// use http::Method;
    ///
    /// let request = Request::raw(Method::GET, "/posts?limit=3")?;
    /// assert_eq!(request.template(), "/posts");
    /// assert_eq!(request.query_pairs(), [("limit".into(), "3".to_owned())]);
    /// # Ok::<(), colony_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a path that does not begin
    /// with one slash, or that holds braces, a fragment, a `..`, a space or a control character.
    pub fn raw(method: Method, path: &str) -> Result<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let usable = path.starts_with('/')
            && !path.starts_with("//")
            // Address parsers drop white space at the end, and tabs and line breaks anywhere.
            && !path.contains(|c: char| matches!(c, '{' | '}' | '#' | '\\' | ' ') || c.is_ascii_control())
            && !path.split('/').any(path::is_dots);
        if !usable {
            let message = format!("{path:?} is not a path below the base URL, like /users/me");
            return Err(Error::argument_refused("path", message));
        }
        let mut request = Self::new("request", method, path.to_owned());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| {
                let text = text.replace('+', " ");
                percent_decode_str(&text).decode_utf8_lossy().into_owned()
            };
            request = request.query(decode(key), decode(value));
        }
        Ok(request)
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
        let value = value.into();
        self = self.require_printable(name, &value);
        self.arguments.push(PathArgument { name, value, encoding: Encoding::Nested });
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

    /// Adds an id as a query parameter. Ids of a checked kind are trimmed, and a piece of a UUID is refused.
    #[must_use]
    pub fn query_id<K: IdKind>(self, key: &'static str, id: &Id<K>) -> Self {
        match checked_id(key, id) {
            Ok(id) => self.query(key, id),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Adds an id as a query parameter when there is one, as [`query_id`](Self::query_id) does.
    #[must_use]
    pub fn query_id_some<K: IdKind>(self, key: &'static str, id: Option<&Id<K>>) -> Self {
        match id {
            Some(id) => self.query_id(key, id),
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

    /// Makes the body one uploaded file.
    #[must_use]
    pub fn file(mut self, file: FilePart) -> Self {
        self = self.require_printable("filename", &file.filename);
        self.body = Body::File(file);
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

    /// Sends the key in `Idempotency-Key`, so that the server acts once however often it hears of it. A
    /// client makes one for an authenticated write that has none.
    #[must_use]
    pub fn idempotency_key(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            self.set_idempotency_key(key);
        }
        self
    }

    /// As [`idempotency_key`](Self::idempotency_key).
    pub fn set_idempotency_key(&mut self, key: &str) {
        // A header is bytes; like the Python package, characters up to U+00FF are sent as Latin-1.
        let bytes: Option<Vec<u8>> = key.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        match bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            Some(value) => self.idempotency_key = Some(value),
            None => {
                self.refusal.get_or_insert_with(|| {
                    Error::argument_refused(
                        "idempotency_key",
                        "idempotency_key cannot be sent in a header: use printable ASCII, at most 255 characters",
                    )
                });
            }
        }
    }

    /// Adds a header when there is a value. Its name is in lowercase letters.
    #[must_use]
    pub fn header_some(mut self, name: &'static str, value: Option<&str>) -> Self {
        let Some(value) = value else { return self };
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.push((name, value));
                self
            }
            Err(_) => self.refuse(Error::argument_refused(
                name,
                format!("{name} cannot be sent in a header: use printable ASCII"),
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

    /// Marks a write for which the server keeps no key: [`Repeat::Once`].
    #[must_use]
    pub fn keyless(mut self) -> Self {
        self.set_keyless();
        self
    }

    /// As [`keyless`](Self::keyless).
    pub fn set_keyless(&mut self) {
        self.keyless = true;
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

    /// Marks a request whose reply is bytes, not JSON.
    #[must_use]
    pub fn bytes(mut self) -> Self {
        self.download = true;
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

    /// Refuses a file's name that could break the header or the listing it is written into.
    fn require_printable(self, argument: &'static str, name: &str) -> Self {
        let odd = name.chars().find(|c| c.is_control());
        self.require(
            argument,
            odd.is_none(),
            format!(
                "{argument} holds the control character {:?}; leave it out of the file's name",
                odd.unwrap_or(' ')
            ),
        )
    }

    // ---- for those who walk a list

    /// The same request under another operation's name.
    #[must_use]
    pub(crate) fn named(mut self, operation: &'static str) -> Self {
        self.operation = operation;
        self
    }

    /// Takes a parameter out of the query.
    pub(crate) fn take_query(&mut self, name: &str) -> Option<String> {
        let at = self.query.iter().position(|(key, _)| key == name)?;
        Some(self.query.remove(at).1)
    }

    /// A parameter of the query.
    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
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
    pub fn template(&self) -> &str {
        &self.template
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

    /// The value of `Idempotency-Key`, when one is to be sent: with writes only.
    pub fn idempotency(&self) -> Option<&HeaderValue> {
        self.idempotency_key.as_ref().filter(|_| self.repeat() != Repeat::Safe)
    }

    /// The same as text.
    pub fn idempotency_text(&self) -> Option<String> {
        Some(self.idempotency()?.as_bytes().iter().map(|byte| char::from(*byte)).collect())
    }

    /// Further headers, in order.
    pub fn headers(&self) -> &[(&'static str, HeaderValue)] {
        &self.headers
    }

    /// Whether the request carries the token.
    pub fn auth(&self) -> Auth {
        self.auth
    }

    /// What a success changes in the client.
    pub fn success_effect(&self) -> Effect {
        self.effect
    }

    /// Whether the request may be sent again. Without a user the server keeps no key.
    pub fn repeat(&self) -> Repeat {
        Repeat::of(&self.method, self.keyless || self.auth == Auth::Anonymous)
    }

    /// Whether it can be sent again with the same bytes: an upload may be read from what gives them once.
    pub fn is_repeatable(&self) -> bool {
        match &self.body {
            Body::File(file) => file.content.is_repeatable(),
            _ => true,
        }
    }

    /// Whether the reply must not be kept in an error.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether the reply is bytes, not JSON.
    pub fn is_download(&self) -> bool {
        self.download
    }

    /// Whether the reply's errors have the OAuth form.
    pub fn is_oauth(&self) -> bool {
        matches!(self.base, Base::Site | Base::Endpoint(_))
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
        for (name, value) in arguments.iter().filter(|(_, value)| !value.is_string()) {
            let renamed = if name == "colony" { "colony_id" } else { name.as_str() };
            // As text: a number is never equal to the string of its digits.
            let spelt = value.to_string();
            for key in [name.as_str(), renamed] {
                if body.get(key).and_then(Value::as_str) == Some(spelt.as_str()) {
                    body.insert(key.to_owned(), value.clone());
                }
            }
        }
    }

    /// Returns whether an argument was refused.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_character_in_a_file_name_is_refused() {
        for name in ["a\nb.png", "a\r\nContent-Type: text/html", "a\0.png", "\u{85}.png"] {
            let part = FilePart {
                field: "file",
                filename: name.to_owned(),
                content_type: "image/png".to_owned(),
                content: "x".into(),
            };
            let upload = Request::new("upload", Method::POST, "/files").file(part);
            let vault =
                Request::new("vault_get_file", Method::GET, "/vault/{filename}").nested("filename", name);
            for request in [upload, vault] {
                let refused = request.check().unwrap_err();
                assert_eq!(refused.argument(), Some("filename"), "{refused}");
            }
        }
    }

    #[test]
    fn debug_shows_no_content() {
        let request = Request::new("login", Method::POST, "/auth/token").json("api_key", "col_secret");
        assert!(!format!("{request:?} {:?}", request.body()).contains("col_secret"));
    }
}
