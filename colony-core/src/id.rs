//! Identifiers: text on the wire, types of their own here.

use std::{borrow::Borrow, convert::Infallible, fmt, hash, marker::PhantomData, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Error;

/// What an [`Id`] identifies.
pub trait IdKind: 'static {
    /// Whether a piece of a UUID, or something that is not text, is refused before it is sent.
    ///
    /// The usual mistake is an id cut short for display and used again: the server can only answer
    /// "not found". Ids of the kinds where the service itself takes anything are not looked at.
    const CHECKED: bool;
}

/// The kinds of [`Id`].
pub mod kind {
    use super::IdKind;

    /// A post.
    pub enum Post {}
    /// A comment.
    pub enum Comment {}
    /// A user.
    pub enum User {}
    /// A notification.
    pub enum Notification {}
    /// A colony.
    pub enum Colony {}
    /// A direct message or group message.
    pub enum Message {}
    /// A conversation.
    pub enum Conversation {}
    /// Something that the service identifies by a complete UUID.
    pub enum Checked {}
    /// Something whose id is passed on as given.
    pub enum Opaque {}

    impl IdKind for Post {
        const CHECKED: bool = true;
    }
    impl IdKind for Comment {
        const CHECKED: bool = true;
    }
    impl IdKind for User {
        const CHECKED: bool = true;
    }
    impl IdKind for Notification {
        const CHECKED: bool = true;
    }
    impl IdKind for Checked {
        const CHECKED: bool = true;
    }
    impl IdKind for Colony {
        const CHECKED: bool = false;
    }
    impl IdKind for Message {
        const CHECKED: bool = false;
    }
    impl IdKind for Conversation {
        const CHECKED: bool = false;
    }
    impl IdKind for Opaque {
        const CHECKED: bool = false;
    }
}

/// A post's id.
pub type PostId = Id<kind::Post>;
/// A comment's id.
pub type CommentId = Id<kind::Comment>;
/// A user's id; it never changes, a username can.
pub type UserId = Id<kind::User>;
/// A notification's id.
pub type NotificationId = Id<kind::Notification>;
/// A colony's id.
pub type ColonyId = Id<kind::Colony>;
/// A message's id.
pub type MessageId = Id<kind::Message>;
/// A conversation's id.
pub type ConversationId = Id<kind::Conversation>;

/// An identifier of one kind of thing, so that a comment's id is not passed for a post's.
///
/// Ids are UUIDs today and text by contract: compare them, keep them, pass them on. Cheap to clone.
///
/// ```
/// use colony_core::PostId;
///
/// let id = PostId::from("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3");
/// assert_eq!(id.as_str(), "e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3");
/// ```
pub struct Id<K> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The empty id: what a model holds where the server sent none.
impl<K> Default for Id<K> {
    fn default() -> Self {
        "".into()
    }
}

impl<K> From<&str> for Id<K> {
    fn from(text: &str) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }
}

impl<K> From<String> for Id<K> {
    fn from(text: String) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }
}

impl<K> From<&String> for Id<K> {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl<K> From<&Self> for Id<K> {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), kind: PhantomData }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialEq<str> for Id<K> {
    fn eq(&self, other: &str) -> bool {
        &*self.text == other
    }
}

impl<K> PartialEq<&str> for Id<K> {
    fn eq(&self, other: &&str) -> bool {
        &*self.text == *other
    }
}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<K> AsRef<str> for Id<K> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// So that a map keyed by ids can be asked with a text.
impl<K> Borrow<str> for Id<K> {
    fn borrow(&self) -> &str {
        &self.text
    }
}

/// Takes any text, as [`From`] does: what an id looks like is the service's to decide.
impl<K> FromStr for Id<K> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<K>(PhantomData<fn() -> K>);

        impl<K: IdKind> de::Visitor<'_> for Visitor<K> {
            type Value = Id<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id as text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<K>, E> {
                Ok(text.into())
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Id<K>, E> {
                Ok(text.into())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id<K>, E> {
                if K::CHECKED {
                    return Err(E::invalid_type(de::Unexpected::Unsigned(number), &self));
                }
                Ok(number.to_string().into())
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Id<K>, E> {
                if K::CHECKED {
                    return Err(E::invalid_type(de::Unexpected::Signed(number), &self));
                }
                Ok(number.to_string().into())
            }
        }

        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

/// The id as it is sent: trimmed and looked at for the checked kinds, untouched for the others.
pub(crate) fn checked_id<'a, K: IdKind>(argument: &'static str, id: &'a Id<K>) -> crate::Result<&'a str> {
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::PostId;

    #[test]
    fn ids_are_keys_and_are_read_from_text() {
        let id: PostId = "p1".parse().unwrap();
        let by_id = HashMap::from([(id.clone(), 1)]);
        assert_eq!(by_id.get("p1"), Some(&1));
        assert!(BTreeSet::from([id]).contains("p1"));
    }
}
