//! Random replies: any subset of the optional fields, any mix of `null`s, texts, numbers and dates at the limits of
//! their types. Each is checked as by a program that knows operations by name only.

use std::collections::BTreeSet;

use colony_tests::openapi::{Description, Field, Payload, Type};
use fastrand::Rng;
use serde_json::{Map, Number, Value, json};

use crate::{Covered, covered};

/// Replies to an operation; `COLONY_TESTS_LONG=1` is the long form.
const FEW: usize = 12;
const MANY: usize = 1000;

/// The nesting depth of schemas beyond which lists are empty and optional fields left out.
const DEEP: usize = 5;

#[test]
fn any_reply_that_the_description_allows_is_read_whole() {
    let description = Description::load();
    let long = std::env::var_os("COLONY_TESTS_LONG").is_some_and(|value| value == "1");
    let (mut read, mut faults) = (0, BTreeSet::new());
    for (number, Covered { operation, facts }) in covered(&description).iter().enumerate() {
        for draw in 0..if long { MANY } else { FEW } {
            // A separate seed, so that a failure can be reproduced without the replies before it.
            let mut chance = Chance { rng: Rng::with_seed(((number as u64) << 32) + draw as u64), depth: 0 };
            let Some(reply) = chance.payload(&description, &facts.response) else { break };
            read += 1;
            match operation.check_answer(reply.clone()) {
                Ok(unknown) => faults.extend(
                    unknown
                        .iter()
                        .filter(|path| !path.contains(FREE))
                        .map(|path| format!("{}: {} is not known", operation.name, rows(path))),
                ),
                Err(error) => drop(faults.insert(format!("{}: {}", operation.name, error.message()))),
            }
        }
    }
    faults.retain(|fault| !EXCEPTIONS.iter().any(|(known, _)| fault.starts_with(known)));
    println!("random replies: {read}, faults: {}", faults.len());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), Vec::from_iter(faults).join("\n"));
    assert!(read > 5000, "{read}");
}

/// Accepted findings, with the reasons.
const EXCEPTIONS: [(&str, &str); 1] =
    [("get_post_context: ", "described as a free object; without a post it is no answer")];

/// The prefix of the names of fields of free objects and of entries of maps.
const FREE: &str = "free ";

/// Returns a path without the numbers of its rows.
fn rows(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |sum, part| sum + "[]" + part.split_once(']').map_or(part, |(_, rest)| rest))
}

/// A generator of replies.
struct Chance {
    rng: Rng,
    depth: usize,
}

impl Chance {
    fn payload(&mut self, description: &Description, payload: &Payload) -> Option<Value> {
        match &payload.schema {
            Some(Type::Bytes) => None,
            _ if payload.nullable && self.one_in(4) => Some(Value::Null),
            Some(kind) => Some(self.value(description, kind)),
            None if payload.fields.is_empty() => None,
            None => Some(self.object(description, &payload.fields)),
        }
    }

    fn one_in(&mut self, number: u32) -> bool {
        self.rng.u32(..number) == 0
    }

    fn object(&mut self, description: &Description, fields: &[Field]) -> Value {
        // All of them, hardly any, or some.
        let left_out = self.rng.u32(..4);
        let mut object = Map::new();
        for field in fields {
            if !field.required && (self.depth > DEEP || self.rng.u32(..3) < left_out) {
                continue;
            }
            object.insert(field.name.clone(), self.field(description, field));
        }
        object.into()
    }

    fn field(&mut self, description: &Description, field: &Field) -> Value {
        if field.nullable && self.one_in(3) {
            return Value::Null;
        }
        if !field.words.is_empty() {
            return self.word(&field.words);
        }
        self.value(description, &field.kind)
    }

    fn word(&mut self, words: &[String]) -> Value {
        if self.one_in(5) { self.text().into() } else { words[self.rng.usize(..words.len())].clone().into() }
    }

    fn value(&mut self, description: &Description, kind: &Type) -> Value {
        match kind {
            Type::Text => self.text().into(),
            Type::Uuid => self.uuid().into(),
            Type::Date => self.day().into(),
            Type::DateTime => self.moment().into(),
            Type::Integer => self.integer(),
            Type::Number => self.number(),
            Type::Boolean => self.rng.bool().into(),
            Type::Bytes => Value::Null,
            Type::Any => self.anything(0),
            Type::FreeObject => (0..self.rng.usize(..4))
                .map(|_| (self.name(), self.anything(0)))
                .collect::<Map<_, _>>()
                .into(),
            Type::Nullable(_) if self.one_in(3) => Value::Null,
            Type::Nullable(of) => self.value(description, of),
            Type::Array(of) => (0..self.several()).map(|_| self.value(description, of)).collect(),
            Type::Map(of) => {
                let entries = (0..self.several()).map(|_| (self.name(), self.value(description, of)));
                entries.collect::<Map<_, _>>().into()
            }
            Type::Schema(name) => {
                let schema = description.schema(name);
                if !schema.words.is_empty() {
                    return self.word(&schema.words);
                }
                self.depth += 1;
                let object = self.object(description, &schema.fields);
                self.depth -= 1;
                object
            }
        }
    }

    /// Returns a random number of rows for a list.
    fn several(&mut self) -> usize {
        if self.depth > DEEP { 0 } else { self.rng.usize(..4) }
    }

    fn text(&mut self) -> String {
        match self.rng.u32(..9) {
            0 => String::new(),
            1 => "null".to_owned(),
            2 => self.rng.u64(..).to_string(),
            3 => "a line\nand \"another\"\t\\ \u{0}\u{7f}".to_owned(),
            4 => "🦀 e\u{301} \u{202e}rtl 漢字 \u{feff}".to_owned(),
            5 => "long ".repeat(self.rng.usize(200..2000)),
            6 => self.moment(),
            _ => std::iter::repeat_with(|| self.rng.alphanumeric()).take(12).collect(),
        }
    }

    /// Returns a name for an entry of a free object or a map.
    fn name(&mut self) -> String {
        format!("{FREE}{}", self.text())
    }

    fn uuid(&mut self) -> String {
        let hex = format!("{:032x}", self.rng.u128(..));
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    fn day(&mut self) -> String {
        format!("{:04}-{:02}-{:02}", self.rng.u32(1970..2200), self.rng.u32(1..13), self.rng.u32(1..29))
    }

    fn moment(&mut self) -> String {
        let (hour, minute, second) = (self.rng.u32(..24), self.rng.u32(..60), self.rng.u32(..60));
        let mut moment = format!("{}T{hour:02}:{minute:02}:{second:02}", self.day());
        let digits = self.rng.usize(..10);
        if digits > 0 {
            moment.push('.');
            moment.extend((0..digits).map(|_| self.rng.digit(10)));
        }
        match self.rng.u32(..4) {
            0 => {}
            1 => moment.push('Z'),
            sign => {
                let sign = if sign == 2 { '+' } else { '-' };
                let minutes = [0, 30, 45][self.rng.usize(..3)];
                moment.push_str(&format!("{sign}{:02}:{minutes:02}", self.rng.u32(..14)));
            }
        }
        moment
    }

    fn integer(&mut self) -> Value {
        match self.rng.u32(..6) {
            0 => json!(0),
            1 => json!(-self.rng.i64(1..1000)),
            2 => json!(i64::from(i32::MAX) + 1),
            3 => json!((1_i64 << 53) - 1),
            _ => json!(self.rng.u32(..1000)),
        }
    }

    fn number(&mut self) -> Value {
        match self.rng.u32(..6) {
            0 => json!(0),
            1 => json!(self.rng.i32(..)),
            2 => json!(-1.5e-7),
            3 => json!(1.25e18),
            _ => Number::from_f64(self.rng.f64() * 1000.0).map_or(Value::Null, Value::Number),
        }
    }

    fn anything(&mut self, depth: u32) -> Value {
        match self.rng.u32(..if depth > 2 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => self.rng.bool().into(),
            2 => self.integer(),
            3 => self.number(),
            4 => self.text().into(),
            5 => (0..self.rng.usize(..3)).map(|_| self.anything(depth + 1)).collect(),
            _ => {
                let fields = (0..self.rng.usize(..3)).map(|_| (self.text(), self.anything(depth + 1)));
                fields.collect::<Map<_, _>>().into()
            }
        }
    }
}
