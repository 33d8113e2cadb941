//! What happened.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Timestamp,
    api::{messages::Message, notifications::Notification, posts::Post, users::User},
    canonical, idempotency, page,
};

/// Something that happened to the account, or in its colonies.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Something that the account is notified of: a mention, a reply, a vote.
    Notification(Box<Notification>),
    /// A message that the account received.
    Message(Box<Message>),
    /// A post in one of the account's colonies.
    Post(Box<Post>),
    /// Events of this time may be missing.
    Gap(Gap),
    /// A row that cannot be read, given so that nothing is passed over in silence.
    Unreadable(Box<Unreadable>),
}

/// What identifies an event: `notification:<id>`, `message:<id>`, `post:<id>`, and `gap:<hash>`. A row without an id is
/// identified by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Box<str>);

impl EventId {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(kind: EventKind, id: &str) -> Self {
        Self(format!("{}:{id}", kind.as_str()).into())
    }
}

impl From<&str> for EventId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kinds of events that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A notification.
    Notification,
    /// A message.
    Message,
    /// A post.
    Post,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Notification, Self::Message, Self::Post];

    /// Returns the name on the command line, `notification` for example.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Message => "message",
            Self::Post => "post",
        }
    }
}

/// A time of which events may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Gap {
    /// What may be missing; `None`: events of every kind.
    pub kind: Option<EventKind>,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// The reason.
    pub why: GapReason,
    id: EventId,
}

impl Gap {
    /// Describes a gap.
    pub fn new(kind: Option<EventKind>, from: Timestamp, to: Timestamp, why: GapReason) -> Self {
        let what = kind.map_or("", EventKind::as_str);
        let hash = idempotency::key_for(&[what, from.as_str(), to.as_str(), why.as_str()]);
        Self { kind, from, to, why, id: EventId(format!("gap:{hash}").into()) }
    }
}

/// Why events may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GapReason {
    /// The position was older than the service looks back (30 days).
    TooOld,
    /// There were more rows than are fetched for one round.
    Full,
}

impl GapReason {
    /// Returns the name in JSON, `too_old` for example.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::Full => "full",
        }
    }
}

/// A row of the service that cannot be read as what it should be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unreadable {
    /// What it should be.
    pub kind: EventKind,
    /// The row as it came.
    pub raw: Value,
    /// What is wrong with it.
    pub problem: String,
    at: Option<Timestamp>,
    id: EventId,
}

impl Event {
    /// Reads a row of the service.
    pub(super) fn read(kind: EventKind, row: &Value) -> Self {
        let read = match kind {
            EventKind::Notification => {
                page::from_value(row.clone()).map(|it| Self::Notification(Box::new(it)))
            }
            EventKind::Message => page::from_value(row.clone()).map(|it| Self::Message(Box::new(it))),
            EventKind::Post => page::from_value(row.clone()).map(|it| Self::Post(Box::new(it))),
        };
        read.unwrap_or_else(|error| {
            let at = row.get("created_at").and_then(Value::as_str).map(Timestamp::from);
            let (problem, raw) = (error.message().to_owned(), row.clone());
            Self::Unreadable(Box::new(Unreadable { kind, raw, problem, at, id: id_of(kind, row) }))
        })
    }

    /// Returns what identifies it, the same each time that it comes.
    pub fn id(&self) -> EventId {
        let hash = |row: serde_json::Result<Value>| {
            idempotency::key_for(&[&canonical::to_string(&row.unwrap_or_default())])
        };
        let of = |kind, id: &str, row: &dyn Fn() -> serde_json::Result<Value>| match is_plain(id) {
            true => EventId::new(kind, id),
            false => EventId::new(kind, &hash(row())),
        };
        match self {
            Self::Notification(it) => {
                of(EventKind::Notification, it.id.as_str(), &|| serde_json::to_value(it))
            }
            Self::Message(it) => of(EventKind::Message, it.id.as_str(), &|| serde_json::to_value(it)),
            Self::Post(it) => of(EventKind::Post, it.id.as_str(), &|| serde_json::to_value(it)),
            Self::Gap(gap) => gap.id.clone(),
            Self::Unreadable(row) => row.id.clone(),
        }
    }

    /// Makes the idempotency key for what is done about this event: the same each time that it comes, another for every
    /// purpose. So what is heard at least once is done once; the service keeps a key for 24 hours.
    ///
    /// ```
    /// # use colony_core::{api::comments::CreateComment, events::Event};
    /// # fn answer(event: &Event) -> CreateComment {
    /// CreateComment::new("p1", "Thank you").idempotency_key(event.idempotency_key("reply"))
    /// # }
    /// ```
    pub fn idempotency_key(&self, purpose: &str) -> String {
        idempotency::key_for(&[self.id().as_str(), purpose])
    }

    /// What it is; `None` for a [`Gap`].
    pub fn kind(&self) -> Option<EventKind> {
        match self {
            Self::Notification(_) => Some(EventKind::Notification),
            Self::Message(_) => Some(EventKind::Message),
            Self::Post(_) => Some(EventKind::Post),
            Self::Gap(_) => None,
            Self::Unreadable(row) => Some(row.kind),
        }
    }

    /// When it happened, where the service says so; for a gap, when it begins.
    pub fn at(&self) -> Option<&Timestamp> {
        match self {
            Self::Notification(it) => it.created_at.as_ref(),
            Self::Message(it) => it.created_at.as_ref(),
            Self::Post(it) => it.created_at.as_ref(),
            Self::Gap(gap) => Some(&gap.from),
            Self::Unreadable(row) => row.at.as_ref(),
        }
    }

    /// Who did it: the author, the sender, or the user that a notification speaks of.
    pub fn actor(&self) -> Option<&str> {
        match self {
            Self::Notification(it) => it.actor.as_ref().map(|user| user.username.as_str()),
            Self::Message(it) => {
                it.sender_username.as_deref().or(it.sender.as_ref().map(|user| user.username.as_str()))
            }
            Self::Post(it) => {
                it.author_username.as_deref().or(it.author.as_ref().map(|user| user.username.as_str()))
            }
            Self::Gap(_) | Self::Unreadable(_) => None,
        }
    }

    /// Whether the user of this id or name did it.
    pub(super) fn is_by(&self, id: &str, username: &str) -> bool {
        let user = |user: &Option<User>| user.as_ref().is_some_and(|user| user.id.as_str() == id);
        let by_id = match self {
            Self::Notification(it) => user(&it.actor),
            Self::Message(it) => {
                user(&it.sender) || it.sender_id.as_ref().is_some_and(|it| it.as_str() == id)
            }
            Self::Post(it) => user(&it.author) || it.author_id.as_ref().is_some_and(|it| it.as_str() == id),
            Self::Gap(_) | Self::Unreadable(_) => false,
        };
        by_id || !username.is_empty() && self.actor() == Some(username)
    }
}

/// What identifies a row that cannot be read.
fn id_of(kind: EventKind, row: &Value) -> EventId {
    match row.get("id").and_then(Value::as_str).filter(|id| is_plain(id)) {
        Some(id) => EventId::new(kind, id),
        None => EventId::new(kind, &idempotency::key_for(&[&canonical::to_string(row)])),
    }
}

/// Whether an id may stand in an environment variable and a log.
fn is_plain(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 100
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
