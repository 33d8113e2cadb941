//! The sandbox's state, behind one lock: fields for what several resources share, and [`World::own`] for what belongs
//! to one resource.

mod colonies;
mod content;
mod events;
mod frames;
mod ledger;
mod notices;
mod seed;
mod talk;
mod tokens;
mod users;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value};
use uuid::Uuid;

pub(crate) use colonies::{Colony, Member};
pub(crate) use content::{Comment, EMOJI, Post};
pub(crate) use events::{Event, To};
pub(crate) use frames::{Frame, Frames};
pub(crate) use ledger::Ledger;
pub(crate) use notices::{About, Notification};
pub(crate) use seed::Account;
pub(crate) use talk::{Attachment, Conversation, Draft, Group, Message, Reaction};
pub(crate) use tokens::Tokens;
pub(crate) use users::{PROFILE, TwoFactor, User, level};

/// All state.
pub(crate) struct World {
    pub(crate) users: HashMap<Uuid, User>,
    /// All users, in the order of registration.
    pub(crate) user_order: Vec<Uuid>,
    pub(crate) names: HashMap<String, Uuid>,
    pub(crate) keys: HashMap<String, Uuid>,
    pub(crate) colonies: Vec<Colony>,
    pub(crate) posts: Vec<Post>,
    post_at: HashMap<Uuid, usize>,
    pub(crate) comments: Vec<Comment>,
    comment_at: HashMap<Uuid, usize>,
    /// (post or comment, voter) → 1 or -1, and the time.
    pub(crate) votes: HashMap<(Uuid, Uuid), (i64, Timestamp)>,
    /// Post or comment → (emoji, user), in order.
    pub(crate) reactions: HashMap<Uuid, Vec<(String, Uuid)>>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) notifications: HashMap<Uuid, Vec<Notification>>,
    pub(crate) follows: Vec<Follow>,
    /// (user, blocked user), in order.
    pub(crate) blocks: Vec<(Uuid, Uuid)>,
    pub(crate) tokens: Tokens,
    pub(crate) ledger: Ledger,
    /// Events since the server last looked; it delivers them to webhooks.
    pub(crate) outbox: Vec<Event>,
    /// The frames for `/stream`.
    pub(crate) frames: Frames,
    /// State that only one resource reads and writes.
    pub(crate) own: States,
    /// The server's own address, for links to itself: `http://127.0.0.1:PORT`.
    pub(crate) site: String,
    /// How long rows stay hidden from others.
    pub(crate) commit_delay: Option<RangeInclusive<Duration>>,
    last: Timestamp,
}

pub(crate) struct Follow {
    pub(crate) id: Uuid,
    pub(crate) follower: Uuid,
    pub(crate) followed: Uuid,
    pub(crate) created: Timestamp,
}

/// One value for each type: each resource keeps its state in its own type.
#[derive(Default)]
pub(crate) struct States(HashMap<TypeId, Box<dyn Any + Send>>);

impl States {
    /// Returns the value of this type, if it exists.
    pub(crate) fn get<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>()).and_then(|state| state.downcast_ref())
    }

    /// Returns the value of this type; initially the default.
    pub(crate) fn of<T: Any + Send + Default>(&mut self) -> &mut T {
        let state = self.0.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(T::default()));
        state.downcast_mut().expect("the key is the value's type")
    }
}

impl World {
    /// Returns an empty world.
    fn empty(site: String, tokens: Tokens) -> Self {
        Self {
            users: HashMap::new(),
            user_order: Vec::new(),
            names: HashMap::new(),
            keys: HashMap::new(),
            colonies: Vec::new(),
            posts: Vec::new(),
            post_at: HashMap::new(),
            comments: Vec::new(),
            comment_at: HashMap::new(),
            votes: HashMap::new(),
            reactions: HashMap::new(),
            conversations: Vec::new(),
            notifications: HashMap::new(),
            follows: Vec::new(),
            blocks: Vec::new(),
            tokens,
            ledger: Ledger::default(),
            outbox: Vec::new(),
            frames: Frames::default(),
            own: States::default(),
            site,
            commit_delay: None,
            last: Timestamp::UNIX_EPOCH,
        }
    }

    /// Returns the current time, which never repeats, so that it defines an order.
    pub(crate) fn now(&mut self) -> Timestamp {
        let now = Timestamp::now().as_microsecond();
        let now = Timestamp::from_microsecond(now).unwrap_or_default();
        let next = self.last.saturating_add(1.microsecond()).unwrap_or(now);
        self.last = now.max(next);
        self.last
    }

    /// Returns whether others see a row by now: each takes its own time, derived from its id.
    pub(crate) fn is_committed(&self, id: Uuid, created: Timestamp, now: Timestamp) -> bool {
        let Some(delay) = &self.commit_delay else { return true };
        let share = (id.as_u128() % 1000) as f64 / 999.0;
        let time = *delay.start() + (*delay.end() - *delay.start()).mul_f64(share);
        now.duration_since(created).unsigned_abs() >= time || created > now
    }

    /// Returns whether `follower` follows `followed`.
    pub(crate) fn follows(&self, follower: Uuid, followed: Uuid) -> bool {
        self.follows.iter().any(|row| row.follower == follower && row.followed == followed)
    }

    /// Returns whether one of two users has blocked the other.
    pub(crate) fn blocked(&self, one: Uuid, other: Uuid) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }
}

/// Returns a new API key of 47 characters.
pub(crate) fn new_key() -> String {
    format!("col_{}", random_text())
}

/// Returns 43 unguessable characters.
pub(crate) fn random_text() -> String {
    let bytes = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns a time in the API's format.
pub(crate) fn time(at: Timestamp) -> Value {
    at.to_string().into()
}

/// Returns a time in the API's format, or `null`.
pub(crate) fn time_opt(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

/// Returns a time as seconds since the epoch.
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}

/// Returns whether more than `minutes` have passed since `start`.
pub(crate) fn over(start: Timestamp, now: Timestamp, minutes: i64) -> bool {
    now.duration_since(start) > jiff::SignedDuration::from_mins(minutes)
}

/// Returns the time `hours` after another.
pub(crate) fn after_hours(start: Timestamp, hours: i64) -> Timestamp {
    start.saturating_add(hours.hours()).unwrap_or(start)
}

/// Returns the fields of a JSON object.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Returns the first `length` characters of a text.
pub(crate) fn excerpt(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}
