//! Reading values that the server sends in one of two forms.
//!
//! Each form is read from the reply itself: serde's untagged enums read a copy, in which an error has lost its place.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        self,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// Reads a text, or an object as an `O`.
pub(crate) fn text_or_object<'de, D, O, R>(
    deserializer: D,
    text: fn(&str) -> R,
    object: fn(O) -> R,
) -> Result<R, D::Error>
where
    D: Deserializer<'de>,
    O: Deserialize<'de>,
{
    struct Visitor<O, R>(fn(&str) -> R, fn(O) -> R);

    impl<'de, O: Deserialize<'de>, R> de::Visitor<'de> for Visitor<O, R> {
        type Value = R;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name or an object")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<R, E> {
            Ok(self.0(text))
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<R, A::Error> {
            O::deserialize(MapAccessDeserializer::new(map)).map(self.1)
        }
    }

    deserializer.deserialize_any(Visitor(text, object))
}

/// Reads an array of rows, or an object as an `O`.
pub(crate) fn rows_or_object<'de, D, T, O, R>(
    deserializer: D,
    rows: fn(Vec<T>) -> R,
    object: fn(O) -> R,
) -> Result<R, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    O: Deserialize<'de>,
{
    struct Visitor<T, O, R>(fn(Vec<T>) -> R, fn(O) -> R, PhantomData<fn() -> T>);

    impl<'de, T: Deserialize<'de>, O: Deserialize<'de>, R> de::Visitor<'de> for Visitor<T, O, R> {
        type Value = R;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array or an object")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, rows: A) -> Result<R, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(rows)).map(self.0)
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<R, A::Error> {
            O::deserialize(MapAccessDeserializer::new(map)).map(self.1)
        }
    }

    deserializer.deserialize_any(Visitor(rows, object, PhantomData))
}
