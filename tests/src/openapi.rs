//! The service's own description (`tests/openapi`), and the check of a reply against it.
//!
//! The module uses nothing else of this package, so that the tests of other packages can include it by path.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// The description.
#[derive(Debug)]
pub struct Description {
    /// Every operation.
    pub operations: Vec<Operation>,
    /// Every schema, by name.
    pub schemas: BTreeMap<String, Schema>,
}

/// An operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operation {
    /// The HTTP method.
    pub method: String,
    /// The path on the site, `/api/v1/posts/{post_id}`.
    pub path: String,
    /// The description's own name for it.
    pub operation_id: String,
    /// The resource it belongs to.
    pub tag: String,
    /// What it does.
    pub summary: String,
    /// `required`, `optional` or `none`.
    pub auth: String,
    /// The parameters in path, query and headers.
    #[serde(default)]
    pub params: Vec<Field>,
    /// The body that it is sent.
    pub body: Option<Payload>,
    /// The reply to a success.
    pub response: Payload,
    /// The statuses of its errors.
    #[serde(default, rename = "error_statuses")]
    pub error_statuses: Vec<u16>,
    /// The codes of its errors.
    #[serde(default, rename = "error_codes")]
    pub error_codes: Vec<String>,
    /// Its rate limits, in words.
    #[serde(default, rename = "rate_limit")]
    pub rate_limit: Vec<String>,
    /// Remarks.
    #[serde(default)]
    pub notes: String,
}

impl Operation {
    /// Returns the method and the path below the API's base, with unnamed parameters: `GET /posts/{}`. The same
    /// operation has this route in the registry, even if its arguments have other names.
    pub fn route(&self) -> String {
        route(&self.method, self.path.strip_prefix("/api/v1").unwrap_or(&self.path))
    }
}

/// Returns the route of a method and a path below the API's base: `GET /posts/{}`.
pub fn route(method: &str, path: &str) -> String {
    let parts: Vec<&str> =
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    format!("{method} {}", parts.join("/"))
}

/// A body or a reply.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Payload {
    /// The status of a success.
    pub status: u16,
    /// The media type, if it is not JSON.
    pub content_type: Option<String>,
    /// Whether there must be a body.
    pub required: bool,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// Its type.
    pub schema: Option<Type>,
    /// Its fields, if it has no schema.
    pub fields: Vec<Field>,
}

/// A schema.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schema {
    /// The fields of an object.
    pub fields: Vec<Field>,
    /// The words of an enumeration.
    #[serde(rename = "enum")]
    pub words: Vec<String>,
    /// Whether it describes what a webhook delivers.
    pub webhook_payload: bool,
}

/// A field or a parameter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The name.
    pub name: String,
    /// Where a parameter is: `path`, `query` or `header`.
    #[serde(rename = "in")]
    pub place: Option<String>,
    /// The type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether it must be there.
    #[serde(default)]
    pub required: bool,
    /// Whether it may be `null`.
    #[serde(default)]
    pub nullable: bool,
    /// Whether it is deprecated.
    #[serde(default)]
    pub deprecated: bool,
    /// The values of its enumeration.
    #[serde(default, rename = "enum")]
    pub words: Vec<String>,
    /// The service's default if it is absent.
    pub default: Option<Value>,
    /// The least value or length.
    pub min: Option<f64>,
    /// The greatest value or length.
    pub max: Option<f64>,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Type {
    /// Text.
    Text,
    /// A UUID.
    Uuid,
    /// A moment.
    DateTime,
    /// A day.
    Date,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// An uploaded file, a download, or a stream of events: not JSON.
    Bytes,
    /// Anything.
    Any,
    /// An object without a described form.
    FreeObject,
    /// A list.
    Array(Box<Type>),
    /// An object whose keys are data.
    Map(Box<Type>),
    /// This, or `null`.
    Nullable(Box<Type>),
    /// A schema.
    Schema(String),
}

impl From<String> for Type {
    fn from(text: String) -> Self {
        let inside = |text: &str| Box::new(Self::from(text.to_owned()));
        if let Some(of) = text.strip_prefix("array of ") {
            return Self::Array(inside(of));
        }
        if let Some(of) = text.strip_prefix("map of ") {
            return Self::Map(inside(of));
        }
        if let Some(of) = text.strip_suffix(" or null") {
            return Self::Nullable(inside(of));
        }
        match text.as_str() {
            "string" => Self::Text,
            "uuid" => Self::Uuid,
            "date-time" => Self::DateTime,
            "date" => Self::Date,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "binary" | "bytes" | "events" => Self::Bytes,
            "any" => Self::Any,
            "free object" => Self::FreeObject,
            _ => Self::Schema(text),
        }
    }
}

/// A deviation of a reply from the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path, `items[0].author.id`; empty for the reply itself.
    pub path: String,
    /// The kind of deviation.
    pub kind: FaultKind,
}

/// A kind of deviation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// A required field is absent.
    Missing,
    /// An optional field is absent. The service leaves out none of them.
    LeftOut,
    /// A field that the description does not have.
    Unknown,
    /// `null` in place of a value.
    Null,
    /// A value of another type, or in another form.
    NotA(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the reply" } else { &self.path };
        match &self.kind {
            FaultKind::Missing => write!(f, "{path} is missing"),
            FaultKind::LeftOut => write!(f, "{path} is left out"),
            FaultKind::Unknown => write!(f, "{path} is not in the description"),
            FaultKind::Null => write!(f, "{path} is null"),
            FaultKind::NotA(kind) => write!(f, "{path} is no {kind}"),
        }
    }
}

impl Description {
    /// Reads the committed description.
    pub fn load() -> Self {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/openapi"));
        fn read<T: serde::de::DeserializeOwned>(file: PathBuf) -> T {
            let text =
                fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        }
        let description = Self {
            operations: read(folder.join("operations.json")),
            schemas: read(folder.join("schemas.json")),
        };
        description.check();
        description
    }

    /// Panics if a type names a schema that does not exist.
    fn check(&self) {
        let mut types: Vec<&Type> = Vec::new();
        for operation in &self.operations {
            types.extend(operation.params.iter().map(|field| &field.kind));
            for payload in operation.body.iter().chain([&operation.response]) {
                types.extend(&payload.schema);
                types.extend(payload.fields.iter().map(|field| &field.kind));
            }
        }
        types.extend(self.schemas.values().flat_map(|schema| &schema.fields).map(|field| &field.kind));
        while let Some(kind) = types.pop() {
            match kind {
                Type::Array(of) | Type::Map(of) | Type::Nullable(of) => types.push(of),
                Type::Schema(name) => assert!(self.schemas.contains_key(name), "no schema {name:?}"),
                _ => {}
            }
        }
    }

    /// Returns the schema of this name.
    ///
    /// # Panics
    ///
    /// When there is none; [`load`](Self::load) has checked all names in types.
    pub fn schema(&self, name: &str) -> &Schema {
        &self.schemas[name]
    }

    /// Returns the operation of this route (see [`route`]).
    pub fn find(&self, route: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.route() == route)
    }

    /// Returns the operation of a request, by its method and its path below the API's base. A route without
    /// parameters wins: `/posts/scheduled` is not a post.
    pub fn asked_for(&self, method: &str, path: &str) -> Option<&Operation> {
        let fits = |operation: &&Operation| {
            let route = operation.route();
            let Some(template) = route.strip_prefix(method).and_then(|rest| rest.strip_prefix(' ')) else {
                return false;
            };
            let (places, parts) = (template.split('/'), path.split('/'));
            places.clone().count() == parts.clone().count()
                && places.zip(parts).all(|(place, part)| place == "{}" || place == part)
        };
        self.operations.iter().filter(fits).min_by_key(|operation| operation.path.matches('{').count())
    }

    /// Returns the deviations of a reply from the description.
    pub fn faults(&self, response: &Payload, reply: &Value) -> Vec<Fault> {
        let mut faults = Faults { description: self, path: String::new(), found: Vec::new() };
        match &response.schema {
            _ if response.nullable && reply.is_null() => {}
            Some(kind) => faults.check(kind, reply),
            None if !response.fields.is_empty() => faults.object(&response.fields, reply),
            None => {}
        }
        faults.found
    }
}

/// A walk through a reply.
struct Faults<'d> {
    description: &'d Description,
    path: String,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, kind: FaultKind) {
        self.found.push(Fault { path: self.path.clone(), kind });
    }

    fn at(&mut self, step: &str, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(if length == 0 { step.trim_start_matches('.') } else { step });
        check(self);
        self.path.truncate(length);
    }

    fn object(&mut self, fields: &[Field], value: &Value) {
        let Value::Object(values) = value else { return self.add(FaultKind::NotA("object".to_owned())) };
        self.fields(fields, values);
    }

    fn fields(&mut self, fields: &[Field], values: &Map<String, Value>) {
        for field in fields {
            self.at(&format!(".{}", field.name), |faults| match values.get(&field.name) {
                None if field.required => faults.add(FaultKind::Missing),
                None if field.deprecated => {}
                None => faults.add(FaultKind::LeftOut),
                Some(Value::Null) if field.nullable => {}
                Some(Value::String(word)) if !field.words.is_empty() && !field.words.contains(word) => {
                    faults.add(FaultKind::NotA(field.words.join(", ")));
                }
                Some(value) => faults.check(&field.kind, value),
            });
        }
        for name in values.keys().filter(|name| !fields.iter().any(|field| field.name == **name)) {
            self.at(&format!(".{name}"), |faults| faults.add(FaultKind::Unknown));
        }
    }

    fn check(&mut self, kind: &Type, value: &Value) {
        let description = self.description;
        let (fits, what) = match kind {
            Type::Any => return,
            Type::Nullable(_) if value.is_null() => return,
            _ if value.is_null() => return self.add(FaultKind::Null),
            Type::Nullable(of) => return self.check(of, value),
            Type::Array(of) => {
                let Value::Array(values) = value else { return self.add(FaultKind::NotA("list".to_owned())) };
                for (index, value) in values.iter().enumerate() {
                    self.at(&format!("[{index}]"), |faults| faults.check(of, value));
                }
                return;
            }
            Type::Map(of) => {
                let Value::Object(values) = value else { return self.add(FaultKind::NotA("map".to_owned())) };
                for (key, value) in values {
                    self.at(&format!(".{key}"), |faults| faults.check(of, value));
                }
                return;
            }
            Type::Schema(name) => {
                let schema = description.schema(name);
                if schema.words.is_empty() {
                    return self.object(&schema.fields, value);
                }
                (
                    value.as_str().is_some_and(|word| schema.words.iter().any(|known| known == word)),
                    name.as_str(),
                )
            }
            Type::Text => (value.is_string(), "text"),
            Type::Uuid => (value.as_str().is_some_and(is_uuid), "UUID"),
            Type::DateTime => (value.as_str().is_some_and(is_moment), "date and time"),
            Type::Date => (value.as_str().is_some_and(is_day), "date"),
            Type::Integer => (value.is_i64() || value.is_u64(), "whole number"),
            Type::Number => (value.is_number(), "number"),
            Type::Boolean => (value.is_boolean(), "boolean"),
            Type::FreeObject => (value.is_object(), "object"),
            Type::Bytes => (false, "JSON at all"),
        };
        if !fits {
            self.add(FaultKind::NotA(what.to_owned()));
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Returns whether the text is a date and a time of ISO 8601, with or without an offset.
fn is_moment(text: &str) -> bool {
    let Some((day, time)) = text.split_once('T') else { return false };
    let clock = time.split(['Z', '+', '-', '.']).next().unwrap_or_default();
    is_day(day)
        && clock.len() == 8
        && clock.split(':').all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_facts_are_there() {
        let description = Description::load();
        assert!(description.operations.len() >= 567 && description.schemas.len() >= 618);
        assert_eq!(description.asked_for("GET", "/posts/scheduled").expect("there").tag, "posts");
        assert!(description.asked_for("GET", "/posts/p1").expect("there").path.ends_with("{post_id}"));
        assert!(description.asked_for("GET", "/no/such/path").is_none());
    }

    #[test]
    fn what_is_not_as_described_is_found() {
        let description = Description::load();
        let fields = |route: &str| description.find(route).expect("there").response.clone();
        let check = |response: &Payload, reply: Value| -> Vec<String> {
            description.faults(response, &reply).iter().map(Fault::to_string).collect()
        };
        let reply = fields("GET /auth/check-username");
        assert_eq!(
            check(&reply, json!({"username": 5, "valid": null, "available": true, "more": 1})),
            ["username is no text", "valid is null", "reason is missing", "more is not in the description"]
        );
        assert!(
            check(&reply, json!({"username": "x", "valid": true, "available": true, "reason": null}))
                .is_empty()
        );
        let note = fields("GET /posts/{}/note");
        assert!(check(&note, json!(null)).is_empty(), "it may be null");
        assert_eq!(check(&note, json!([])), ["the reply is no object"]);
        let at = "2026-09-19T08:30:00";
        assert_eq!(
            check(
                &note,
                json!({"id": "x", "post_id": "", "body": "", "created_at": "now", "updated_at": at})
            ),
            ["id is no UUID", "post_id is no UUID", "created_at is no date and time"]
        );
        assert_eq!(
            check(&fields("GET /me/actions"), json!({"items": [{}], "count": 0}))[..2],
            ["items[0].id is missing", "items[0].created_at is missing"]
        );
        assert!(check(&fields("DELETE /notes/{}"), json!({})).is_empty());
    }
}
