//! Reading an operation's arguments from JSON.
//!
//! One deserializer of one type serves every operation, in two modes: several hundred argument types are compiled
//! for it once each, which a generic reader around another would double.

use std::cell::Cell;

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, value::StrDeserializer},
};
use serde_json::{Error, Map, Value};

/// The names of the arguments, in the order of their declaration.
pub(super) fn names_of<A: DeserializeOwned>() -> Vec<&'static str> {
    let mut names = Vec::new();
    let _ = A::deserialize(Arguments::Names(&mut names));
    names
}

/// Reads the arguments.
///
/// # Errors
///
/// A message in serde's words, which names the argument and the expected ones.
pub(super) fn read<A: DeserializeOwned>(arguments: &Map<String, Value>) -> Result<A, String> {
    let current = Cell::new(None);
    A::deserialize(Arguments::Read { arguments, current: &current })
        .map_err(|error| told(error, current.get()))
}

fn told(error: Error, argument: Option<&str>) -> String {
    match argument {
        Some(name) => format!("argument {name}: {error}"),
        None => error.to_string(),
    }
}

enum Arguments<'a, 'de> {
    /// Notes the declared names and fails.
    Names(&'a mut Vec<&'static str>),
    /// Hands the arguments over; `current` is the one being read.
    Read { arguments: &'de Map<String, Value>, current: &'a Cell<Option<&'de str>> },
}

impl<'de> Deserializer<'de> for Arguments<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Names(_) => Err(de::Error::custom("only the names of fields are asked for")),
            Self::Read { arguments, current } => {
                visitor.visit_map(Entries { rest: arguments.iter(), value: None, current })
            }
        }
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if let Self::Names(names) = self {
            names.extend(fields);
            return Self::Names(names).deserialize_any(visitor);
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Entries<'a, 'de> {
    rest: serde_json::map::Iter<'de>,
    value: Option<&'de Value>,
    current: &'a Cell<Option<&'de str>>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let key = seed.deserialize(StrDeserializer::<Error>::new(name))?;
        self.current.set(Some(name));
        Ok(Some(key))
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.value.take().ok_or_else(|| de::Error::custom("a value without its key"))?;
        let read = seed.deserialize(value)?;
        self.current.set(None);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only decoded")]
    struct Sample {
        id: String,
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        tags: Vec<String>,
    }

    fn refused(arguments: Value) -> String {
        let Value::Object(arguments) = arguments else { unreachable!("the cases are objects") };
        read::<Sample>(&arguments).unwrap_err()
    }

    #[test]
    fn names_come_in_order() {
        assert_eq!(names_of::<Sample>(), ["id", "limit", "tags"]);
    }

    #[test]
    fn a_refusal_names_the_argument() {
        assert_eq!(refused(json!({})), "missing field `id`");
        assert_eq!(
            refused(json!({"id": "a", "x": 1})),
            "unknown field `x`, expected one of `id`, `limit`, `tags`"
        );
        let message = refused(json!({"id": "a", "limit": "many"}));
        assert_eq!(message, "argument limit: invalid type: string \"many\", expected u32");
        assert!(refused(json!({"id": null})).starts_with("argument id: invalid type: null"));
        assert!(refused(json!({"id": "a", "tags": [1]})).starts_with("argument tags: invalid type: integer"));
    }
}
