//! Fields that have two names in replies.
//!
//! The service renames a field by sending it under both names for a while, so either may come, or
//! both. (serde's `alias` covers the first case only: it takes the second name for a repeated field.)
//! A field of this kind is written
//!
//! ```text
//! #[serde(flatten, with = "Both::<names::PostId>")]
//! pub id: PostId,
//! ```

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned},
    ser::SerializeMap,
};
use serde_json::Value;

#[cfg(feature = "answers")]
use crate::answers;
use crate::{
    JsonObject,
    json::{Wanted, meant},
};

/// The names of one field.
pub(crate) trait Names {
    /// The model's name for it, under which it is written.
    const FIELD: &'static str;
    /// All names it is read from. The first that is there and not `null` wins: the service's own.
    const READ: &'static [&'static str];
}

/// Reads and writes a field that has several names; absent and `null` are the type's default.
pub(crate) struct Both<N>(PhantomData<N>);

impl<N: Names> Both<N> {
    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: DeserializeOwned + Default,
    {
        struct Visitor<T>(PhantomData<fn() -> T>, &'static [&'static str]);

        impl<'de, T: DeserializeOwned + Default> de::Visitor<'de> for Visitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
                let mut best: Option<(usize, T)> = None;
                while let Some(key) = map.next_key::<String>()? {
                    let place = answers::taken(&key);
                    let rank = self.1.iter().position(|name| *name == key).unwrap_or(usize::MAX);
                    let value = if best.as_ref().is_some_and(|(found, _)| *found < rank) {
                        map.next_value::<de::IgnoredAny>()?;
                        None
                    } else {
                        match read(place, map.next_value()?) {
                            Ok(value) => value,
                            Err(error) if rank == 0 => return Err(de::Error::custom(error)),
                            // A second name may hold something else altogether, which is no error then.
                            Err(_) => None,
                        }
                    };
                    best = value.map(|value| (rank, value)).or(best);
                }
                Ok(best.map(|(_, value)| value).unwrap_or_default())
            }
        }

        deserializer.deserialize_struct(N::FIELD, N::READ, Visitor(PhantomData, N::READ))
    }

    pub(crate) fn serialize<S, T>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Serialize + Default + PartialEq,
    {
        let mut map = serializer.serialize_map(None)?;
        if *value != T::default() {
            map.serialize_entry(N::FIELD, value)?;
        }
        map.end()
    }
}

/// Reads a value, or what it may have meant: here the place of an error is not known to who reads the reply.
fn read<T: DeserializeOwned>(place: Option<String>, value: Value) -> Result<Option<T>, serde_json::Error> {
    let read = match place {
        Some(place) => answers::inside(place, &value),
        None => Option::deserialize(&value),
    };
    read.or_else(|error| {
        let wanted = [Wanted::Text, Wanted::Other, Wanted::Count];
        let meant = wanted.into_iter().filter_map(|wanted| meant(&value, wanted));
        meant.map(T::deserialize).find_map(Result::ok).map(Some).ok_or(error)
    })
}

/// Reads the other fields of an object as a model of their own: for flattened structs.
pub(crate) fn beside<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let fields = JsonObject::deserialize(deserializer)?;
    let place = answers::taken_all(&fields);
    let fields = Value::Object(fields);
    let read = match place {
        Some(place) => answers::inside(place, &fields),
        None => T::deserialize(&fields),
    };
    read.map_err(de::Error::custom)
}

/// Nothing is watched in a build without the feature.
#[cfg(not(feature = "answers"))]
mod answers {
    use super::{Deserialize, JsonObject, Value};

    pub(super) const fn taken(_: &str) -> Option<String> {
        None
    }

    pub(super) const fn taken_all(_: &JsonObject) -> Option<String> {
        None
    }

    pub(super) fn inside<'v, T: Deserialize<'v>>(_: String, value: &'v Value) -> serde_json::Result<T> {
        T::deserialize(value)
    }
}

/// What kind of action one of the caller's was, or what waits for an answer.
pub(crate) enum ActionKind {}
/// A colony's `id`.
pub(crate) enum ColonyId {}
/// The name of the colony that a post is in.
pub(crate) enum ColonyName {}
/// A comment's `id`.
pub(crate) enum CommentId {}
/// A notification's `id`.
pub(crate) enum NotificationId {}
/// A post's `id`.
pub(crate) enum PostId {}
/// A puzzle's `id`.
pub(crate) enum PuzzleId {}
/// Who made a collection.
pub(crate) enum CollectionAuthor {}
/// When a version of a message was written.
pub(crate) enum VersionCreated {}
/// A user's `id`.
pub(crate) enum UserId {}
/// A webhook's `id`.
pub(crate) enum WebhookId {}
/// A post's `metadata`: its schema says `metadata_`.
pub(crate) enum Metadata {}
/// How many posts a collection has.
pub(crate) enum PostCount {}
/// How many voted for a poll's option.
pub(crate) enum VoteCount {}
/// The score after a vote.
pub(crate) enum NewScore {}
/// An attachment's `id`: an upload is answered with `attachment_id`.
pub(crate) enum AttachmentId {}
/// A followed tag.
pub(crate) enum FollowedTag {}
/// A tip's `id`.
pub(crate) enum TipId {}
/// How many messages were marked read.
pub(crate) enum Marked {}
/// Who owns a group now.
pub(crate) enum NewCreator {}
/// What was answered to an invitation.
pub(crate) enum InviteStatus {}
/// The roles that a group's template suggests.
pub(crate) enum SuggestedRoles {}
/// What was found in a group.
pub(crate) enum GroupHits {}
/// The comments on a post, each with its replies.
pub(crate) enum Threads {}

impl Names for ActionKind {
    const FIELD: &'static str = "kind";
    const READ: &'static [&'static str] = &["kind", "type"];
}
impl Names for ColonyId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "colony_id"];
}
impl Names for ColonyName {
    const FIELD: &'static str = "colony_name";
    const READ: &'static [&'static str] = &["colony_name", "colony"];
}
impl Names for CommentId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "comment_id"];
}
impl Names for NotificationId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "notification_id"];
}
impl Names for PostId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "post_id"];
}
impl Names for PuzzleId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "puzzle_id"];
}
impl Names for CollectionAuthor {
    const FIELD: &'static str = "author";
    const READ: &'static [&'static str] = &["author", "user"];
}
impl Names for VersionCreated {
    const FIELD: &'static str = "created_at";
    const READ: &'static [&'static str] = &["created_at", "at"];
}
impl Names for UserId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "user_id"];
}
impl Names for WebhookId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "webhook_id"];
}
impl Names for Metadata {
    const FIELD: &'static str = "metadata";
    const READ: &'static [&'static str] = &["metadata_", "metadata"];
}
impl Names for PostCount {
    const FIELD: &'static str = "post_count";
    const READ: &'static [&'static str] = &["post_count", "item_count"];
}
impl Names for VoteCount {
    const FIELD: &'static str = "vote_count";
    const READ: &'static [&'static str] = &["vote_count", "votes"];
}
impl Names for NewScore {
    const FIELD: &'static str = "new_score";
    const READ: &'static [&'static str] = &["new_score", "score"];
}
impl Names for AttachmentId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["id", "attachment_id"];
}
impl Names for FollowedTag {
    const FIELD: &'static str = "tag";
    const READ: &'static [&'static str] = &["tag_name", "tag"];
}
impl Names for TipId {
    const FIELD: &'static str = "id";
    const READ: &'static [&'static str] = &["tip_id", "id"];
}
impl Names for Marked {
    const FIELD: &'static str = "marked_read";
    const READ: &'static [&'static str] = &["marked", "marked_read"];
}
impl Names for NewCreator {
    const FIELD: &'static str = "new_creator_id";
    const READ: &'static [&'static str] = &["creator_id", "new_creator_id"];
}
impl Names for InviteStatus {
    const FIELD: &'static str = "status";
    const READ: &'static [&'static str] = &["invite_status", "status"];
}
impl Names for SuggestedRoles {
    const FIELD: &'static str = "role_labels";
    const READ: &'static [&'static str] = &["suggested_roles", "role_labels"];
}
impl Names for GroupHits {
    const FIELD: &'static str = "hits";
    const READ: &'static [&'static str] = &["results", "hits"];
}
impl Names for Threads {
    const FIELD: &'static str = "threads";
    const READ: &'static [&'static str] = &["threads", "comments"];
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::{
        collections::Collection, colonies::Colony, comments::Comment, notifications::Notification,
        polls::PollOption, posts::Post, puzzles::Puzzle, session::Action, users::User,
        votes_reactions::VoteResult, webhooks::Webhook,
    };

    use super::*;

    /// Reads a model from its other fields and these, and tells what it is written as.
    fn read<T: DeserializeOwned + Serialize>(base: &Value, fields: &[(&str, &Value)]) -> Value {
        let mut text = base.to_string();
        text.pop();
        for (name, value) in fields {
            let comma = if text.ends_with('{') { "" } else { "," };
            text.push_str(&format!("{comma}\"{name}\":{value}"));
        }
        text.push('}');
        let model: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        serde_json::to_value(model).unwrap()
    }

    fn check<T: DeserializeOwned + Serialize, N: Names>(base: &Value, own: &Value, other: &Value) {
        let [first, second] = N::READ else { panic!("two names") };
        let null = Value::Null;
        for (fields, expected) in [
            (vec![(*first, own)], own),
            (vec![(*second, other)], other),
            (vec![(*first, own), (*second, other)], own),
            (vec![(*second, other), (*first, own)], own),
            (vec![(*second, other), (*first, &null)], other),
            (vec![(*first, &null), (*second, other)], other),
            (vec![(*first, own), (*second, &null)], own),
            (vec![], &null),
        ] {
            let written = read::<T>(base, &fields);
            assert_eq!(or_null(&written[N::FIELD]), expected, "{fields:?}");
        }
        // Something else under the second name is no reason to fail.
        assert_eq!(or_null(&read::<T>(base, &[(*second, &json!([[]]))])[N::FIELD]), &null);
    }

    fn or_null(value: &Value) -> &Value {
        if value == "" { &Value::Null } else { value }
    }

    #[test]
    fn a_field_is_read_from_either_of_its_names_or_both() {
        let (none, a, b) = (json!({}), json!("a"), json!("b"));
        check::<Action, ActionKind>(&none, &a, &b);
        check::<Colony, ColonyId>(&none, &a, &b);
        check::<Comment, CommentId>(&none, &a, &b);
        check::<Notification, NotificationId>(&none, &a, &b);
        check::<Post, PostId>(&none, &a, &b);
        check::<Post, ColonyName>(&none, &a, &b);
        check::<Puzzle, PuzzleId>(&none, &a, &b);
        check::<User, UserId>(&none, &a, &b);
        check::<Webhook, WebhookId>(&none, &a, &b);
        check::<Post, Metadata>(&none, &json!({"new": 1}), &json!({"old": 1}));
        check::<Collection, PostCount>(&none, &json!(1), &json!(2));
        check::<PollOption, VoteCount>(&json!({"id": "x"}), &json!(1), &json!(2));
        check::<VoteResult, NewScore>(&none, &json!(0), &json!(2));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let post: Post =
            serde_json::from_value(json!({"post_id": "p", "metadata_": {"a": 1}, "new_field": [1]})).unwrap();
        let again: Post = serde_json::from_str(&serde_json::to_string(&post).unwrap()).unwrap();
        assert_eq!(again, post);
        assert_eq!(post.extra.keys().collect::<Vec<_>>(), ["new_field"]);
    }

    #[test]
    fn an_odd_value_whose_meaning_is_plain_is_read() {
        let post: Post = serde_json::from_value(json!({"id": 17})).unwrap();
        assert_eq!(post.id, "17");
        let option: PollOption = serde_json::from_value(json!({"id": "x", "vote_count": "3"})).unwrap();
        assert_eq!(serde_json::to_value(option).unwrap()["vote_count"], 3);
    }

    #[test]
    fn a_wrong_value_under_the_own_name_is_an_error() {
        let error = serde_json::from_value::<Post>(json!({"id": ["p"]})).unwrap_err().to_string();
        assert!(error.contains("an id as text"), "{error}");
    }
}
