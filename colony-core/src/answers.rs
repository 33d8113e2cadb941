//! Which fields of an answer its model does not know.
//!
//! The answer is read by a deserializer over its JSON that watches what becomes of each field: derived code reads the
//! fields of a struct by *identifiers* (the keys of a map are read as text), a field that it does not know as serde's
//! buffer for flattened fields, or as [`IgnoredAny`](de::IgnoredAny) where the model keeps nothing. What is taken out
//! of that buffer again, the fields of [`names`](crate::names), is reported by [`taken`] and [`inside`].

use std::{
    any::type_name,
    cell::{Cell, RefCell},
};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, value::BorrowedStrDeserializer},
};
use serde_json::{Error, Value};

use crate::JsonObject;

thread_local! {
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch { objects: Vec::new(), unknown: Vec::new() }) };
}

/// What was seen so far.
#[derive(Default)]
struct Watch {
    /// The objects that are being read, the innermost last.
    objects: Vec<Object>,
    /// The paths of the fields that no model knows.
    unknown: Vec<String>,
}

/// An object that is being read.
struct Object {
    path: String,
    /// Fields that its model has only buffered.
    buffered: Vec<String>,
}

fn watch<R>(look: impl FnOnce(&mut Watch) -> R) -> R {
    WATCH.with_borrow_mut(look)
}

/// Reads an answer as a `T`, and returns the paths of the fields that `T` does not know.
///
/// # Errors
///
/// serde's own.
pub(crate) fn unknown<T: DeserializeOwned>(answer: &Value) -> Result<Vec<String>, Error> {
    let read = T::deserialize(Watched { value: answer, path: String::new() });
    let Watch { unknown, .. } = WATCH.take();
    read.map(|_| unknown)
}

/// Notes that a buffered field of the innermost object was taken. Returns its path, if it is watched.
pub(crate) fn taken(name: &str) -> Option<String> {
    watch(|watch| {
        let object = watch.objects.last_mut()?;
        let at = object.buffered.iter().position(|buffered| buffered == name)?;
        object.buffered.swap_remove(at);
        Some(joined(&object.path, name))
    })
}

/// As [`taken`], for all fields of these. Returns the path of the object.
pub(crate) fn taken_all(fields: &JsonObject) -> Option<String> {
    watch(|watch| {
        let object = watch.objects.last_mut()?;
        object.buffered.retain(|buffered| !fields.contains_key(buffered));
        Some(object.path.clone())
    })
}

/// Reads what a buffered field holds, and watches on.
///
/// # Errors
///
/// serde's own.
pub(crate) fn inside<'de, T: Deserialize<'de>>(path: String, value: &'de Value) -> Result<T, Error> {
    let (depth, found) = watch(|watch| (watch.objects.len(), watch.unknown.len()));
    T::deserialize(Watched { value, path }).inspect_err(|_| {
        // It may be read in another way.
        watch(|watch| {
            watch.objects.truncate(depth);
            watch.unknown.truncate(found);
        });
    })
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A value with its place in the answer.
struct Watched<'de> {
    value: &'de Value,
    path: String,
}

impl<'de> Deserializer<'de> for Watched<'de> {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(rows) => visitor.visit_seq(Rows { rest: rows.iter().enumerate(), path: &self.path }),
            Value::Object(fields) => {
                watch(|watch| {
                    watch.objects.push(Object { path: self.path.clone(), buffered: Vec::new() });
                });
                let read = visitor.visit_map(Fields {
                    rest: fields.iter(),
                    current: None,
                    of_struct: Cell::new(false),
                    path: &self.path,
                })?;
                watch(|watch| {
                    let Some(Object { path, buffered }) = watch.objects.pop() else { return };
                    watch.unknown.extend(buffered.iter().map(|name| joined(&path, name)));
                });
                Ok(read)
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_u64<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A count below zero says nothing: clients read it as none.
        match self.value.as_i64() {
            Some(..0) => visitor.visit_u64(0),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u32<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The rows of an array.
struct Rows<'de, 'p> {
    rest: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
    path: &'p str,
}

impl<'de> de::SeqAccess<'de> for Rows<'de, '_> {
    type Error = Error;

    fn next_element_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((index, value)) = self.rest.next() else { return Ok(None) };
        seed.deserialize(Watched { value, path: format!("{}[{index}]", self.path) }).map(Some)
    }
}

/// The fields of a struct, or the entries of a map.
struct Fields<'de, 'p> {
    rest: serde_json::map::Iter<'de>,
    current: Option<(&'de str, &'de Value)>,
    of_struct: Cell<bool>,
    path: &'p str,
}

impl<'de> de::MapAccess<'de> for Fields<'de, '_> {
    type Error = Error;

    fn next_key_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.current = self.rest.next().map(|(name, value)| (name.as_str(), value));
        let Some((name, _)) = self.current else { return Ok(None) };
        self.of_struct.set(false);
        seed.deserialize(Key { name, of_struct: &self.of_struct }).map(Some)
    }

    fn next_value_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (name, value) =
            self.current.take().ok_or_else(|| de::Error::custom("a value without its key"))?;
        match Fate::of::<S::Value>() {
            Fate::Buffered if self.of_struct.get() => {
                watch(|watch| {
                    if let Some(object) = watch.objects.last_mut() {
                        object.buffered.push(name.to_owned());
                    }
                });
                seed.deserialize(value)
            }
            Fate::Dropped if self.of_struct.get() => {
                watch(|watch| watch.unknown.push(joined(self.path, name)));
                seed.deserialize(value)
            }
            _ => seed.deserialize(Watched { value, path: joined(self.path, name) }),
        }
    }
}

/// What a field is read as.
enum Fate {
    Typed,
    Buffered,
    Dropped,
}

impl Fate {
    fn of<T>() -> Self {
        // serde does not name its buffer in public; a test notices when the name changes.
        let name = type_name::<T>().split('<').next().unwrap_or_default();
        if name == type_name::<de::IgnoredAny>() {
            Self::Dropped
        } else if name.starts_with("serde") && name.ends_with("::Content") {
            Self::Buffered
        } else {
            Self::Typed
        }
    }
}

/// A key, which tells what it is read as.
struct Key<'de, 'k> {
    name: &'de str,
    of_struct: &'k Cell<bool>,
}

impl<'de> Deserializer<'de> for Key<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.name)
    }

    fn deserialize_identifier<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.of_struct.set(true);
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        BorrowedStrDeserializer::new(self.name).deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{
        api::{posts::Post, users::TrustLevel},
        page::Page,
    };

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Sample {
        id: String,
        #[serde(default)]
        inner: Option<Box<Sample>>,
        #[serde(default)]
        rows: Vec<Keeps>,
        #[serde(default)]
        free: JsonObject,
        #[serde(default)]
        anything: Value,
        #[serde(default)]
        by_id: BTreeMap<String, Keeps>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Keeps {
        #[serde(default)]
        id: String,
        #[serde(flatten)]
        extra: JsonObject,
    }

    #[test]
    fn unknown_fields_are_named_wherever_they_are() {
        let answer = json!({
            "id": "a", "dropped": 1, "inner": {"id": "b", "dropped": {"deep": 1}},
            "rows": [{"id": "c"}, {"kept": [{}], "id": "d"}],
            "free": {"not": {"a": "field"}}, "anything": [{"x": {"y": 1}}],
            "by_id": {"some key": {"kept": null}},
        });
        let mut found = unknown::<Sample>(&answer).unwrap();
        found.sort();
        assert_eq!(found, ["by_id.some key.kept", "dropped", "inner.dropped", "rows[1].kept"]);
        assert_eq!(unknown::<Vec<Keeps>>(&json!([{}, {"kept": 1}])).unwrap(), ["[1].kept"]);
        assert!(unknown::<Sample>(&json!({})).is_err());
    }

    #[test]
    fn fields_with_two_names_and_odd_forms_are_known() {
        let post = json!({"id": "p", "post_id": "p", "metadata_": {"a": 1}, "metadata": {"b": 1},
            "author": {"id": "u", "trust_level": {"name": "x", "tomorrow": 1}}, "tomorrow": {"a": 1}});
        assert_eq!(
            unknown::<Page<Post>>(&json!({"items": [post], "sort": "new"})).unwrap(),
            ["items[0].author.trust_level.tomorrow", "items[0].tomorrow", "sort"]
        );
        assert_eq!(unknown::<TrustLevel>(&json!("Newcomer")).unwrap(), [""; 0]);
    }
}
