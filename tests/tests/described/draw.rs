//! Replies generated from the description.

use std::cell::Cell;

use colony_tests::openapi::{Description, Field, Payload, Type};
use serde_json::{Map, Value, json};

/// The way to generate a reply.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Every field, with the n-th word of enumerations.
    Full(usize),
    /// Every field, with an unknown word for enumerations.
    OtherWords,
    /// Every field, with `null` for the nullable ones.
    Nulls,
    /// Only the required fields.
    Lean,
    /// Every field, and [`ADDED`] in every object.
    Grown,
    /// Every field, with moments in this form.
    Moments(&'static str),
}

/// The forms of a moment, all of ISO 8601.
pub(crate) const MOMENTS: [&str; 4] = [
    "2026-09-19T08:30:00",
    "2026-09-19T08:30:00.123456",
    "2026-09-19T08:30:00.123456+02:00",
    "2026-09-19T08:30:00.5Z",
];

/// A field that the description does not have.
pub(crate) const ADDED: &str = "a_field_of_tomorrow";

/// An id.
pub(crate) const UUID: &str = "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3";

/// A generator of one reply.
pub(crate) struct Draw<'d> {
    description: &'d Description,
    way: Way,
    inside: Vec<&'d str>,
    words: Cell<usize>,
}

impl<'d> Draw<'d> {
    pub(crate) fn new(description: &'d Description, way: Way) -> Self {
        Self { description, way, inside: Vec::new(), words: Cell::new(1) }
    }

    /// Returns the number of words of the longest enumeration so far.
    pub(crate) fn words(&self) -> usize {
        self.words.get()
    }

    /// Generates a reply; `None` for one without a body.
    pub(crate) fn payload(&mut self, payload: &'d Payload) -> Option<Value> {
        match &payload.schema {
            _ if payload.nullable && matches!(self.way, Way::Nulls) => Some(Value::Null),
            Some(kind) => Some(self.value(kind)),
            None if payload.fields.is_empty() => None,
            None => Some(self.object(&payload.fields)),
        }
    }

    fn object(&mut self, fields: &'d [Field]) -> Value {
        let mut object = Map::new();
        for field in fields {
            if matches!(self.way, Way::Lean) && !field.required {
                continue;
            }
            object.insert(field.name.clone(), self.field(field));
        }
        if matches!(self.way, Way::Grown) {
            object.insert(ADDED.to_owned(), json!({"nested": [1, "two", null]}));
        }
        object.into()
    }

    /// Generates a field's value.
    pub(crate) fn field(&mut self, field: &'d Field) -> Value {
        if field.nullable && matches!(self.way, Way::Nulls) {
            return Value::Null;
        }
        if !field.words.is_empty() {
            return self.word(&field.words);
        }
        self.value(&field.kind)
    }

    fn word(&self, words: &[String]) -> Value {
        self.words.set(self.words.get().max(words.len()));
        match self.way {
            Way::OtherWords => json!("a word of tomorrow"),
            Way::Full(index) => json!(words[index % words.len()]),
            _ => json!(words[0]),
        }
    }

    fn value(&mut self, kind: &'d Type) -> Value {
        match kind {
            Type::Text | Type::Any => json!("some text"),
            Type::Uuid => json!(UUID),
            Type::Date => json!("2026-09-19"),
            Type::DateTime => match self.way {
                Way::Moments(form) => json!(form),
                _ => json!("2026-09-19T08:30:00Z"),
            },
            Type::Integer => json!(if matches!(self.way, Way::Lean) { 0 } else { 3 }),
            Type::Number => {
                if matches!(self.way, Way::Lean) {
                    json!(1)
                } else {
                    json!(0.5)
                }
            }
            Type::Boolean => json!(true),
            Type::Bytes => json!({"$bytes_base64": "aGVsbG8="}),
            Type::FreeObject => json!({"a key": "a value"}),
            Type::Nullable(_) if matches!(self.way, Way::Nulls) => Value::Null,
            Type::Nullable(of) => self.value(of),
            // A recursive schema must end.
            Type::Array(of) if self.is_inside(of) => json!([]),
            Type::Array(of) => json!([self.value(of)]),
            Type::Map(of) => json!({ UUID: self.value(of) }),
            Type::Schema(name) => {
                let schema = self.description.schema(name);
                if !schema.words.is_empty() {
                    return self.word(&schema.words);
                }
                if self.inside.iter().filter(|outer| *outer == name).count() > 1 {
                    return Value::Null;
                }
                self.inside.push(name);
                let object = self.object(&schema.fields);
                self.inside.pop();
                object
            }
        }
    }

    fn is_inside(&self, kind: &Type) -> bool {
        matches!(kind, Type::Schema(name) if self.inside.iter().filter(|outer| *outer == name).count() > 1)
    }
}

/// Returns the paths of all declared fields in a full reply: `items`, then `items[].id`, each with a value that is
/// not of the field's type. Fields of any type and deprecated fields are left out.
pub(crate) fn places<'d>(description: &'d Description, payload: &'d Payload) -> Vec<(Vec<Step>, Value)> {
    let mut places = Places { description, path: Vec::new(), inside: Vec::new(), found: Vec::new() };
    match &payload.schema {
        Some(kind) => places.walk(kind),
        None => places.fields(&payload.fields),
    }
    places.found
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    Row,
}

/// Formats a path: `items[].id`.
pub(crate) fn written(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Field(name) if out.is_empty() => out.push_str(name),
            Step::Field(name) => out.extend([".", name]),
            Step::Row => out.push_str("[]"),
        }
    }
    out
}

struct Places<'d> {
    description: &'d Description,
    path: Vec<Step>,
    inside: Vec<&'d str>,
    found: Vec<(Vec<Step>, Value)>,
}

impl<'d> Places<'d> {
    fn fields(&mut self, fields: &'d [Field]) {
        for field in fields.iter().filter(|field| !field.deprecated) {
            self.path.push(Step::Field(field.name.clone()));
            let mut kind = &field.kind;
            while let Type::Nullable(of) = kind {
                kind = of;
            }
            let wrong = match kind {
                Type::Any => None,
                Type::Array(_) | Type::Map(_) | Type::FreeObject => Some(json!(7.5)),
                Type::Schema(name) if self.description.schema(name).words.is_empty() => Some(json!(7.5)),
                _ => Some(json!({"another": ["kind"]})),
            };
            self.found.extend(wrong.map(|wrong| (self.path.clone(), wrong)));
            self.walk(kind);
            self.path.pop();
        }
    }

    fn walk(&mut self, kind: &'d Type) {
        match kind {
            Type::Nullable(of) => self.walk(of),
            Type::Array(of) => {
                self.path.push(Step::Row);
                self.walk(of);
                self.path.pop();
            }
            Type::Map(of) => {
                self.path.push(Step::Field(UUID.to_owned()));
                self.walk(of);
                self.path.pop();
            }
            Type::Schema(name) if !self.inside.contains(&name.as_str()) => {
                self.inside.push(name);
                self.fields(&self.description.schema(name).fields);
                self.inside.pop();
            }
            _ => {}
        }
    }
}
