//! What a receiver remembers, and where.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
    future::{Future, ready},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Why a store could not be asked.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

/// Keeps what a [`Receiver`](super::Receiver) has seen: texts under keys, each for a time. Receivers on several machines
/// share one, for example a Redis or a table of a database.
///
/// A receiver keeps two kinds of entries: `event:<id>`, whose value is the handler's own mark while it runs and `done`
/// after, and `signature:<hash>`, whose value is the id of the event that was delivered with it.
///
/// | | Redis | SQL |
/// |---|---|---|
/// | [`insert`](Self::insert) | `SET key value NX GET PX keep` | delete the row if it has expired, `INSERT … ON CONFLICT DO NOTHING`, and read the row if nothing was inserted |
/// | [`set`](Self::set) | `SET key value PX keep` | `INSERT … ON CONFLICT DO UPDATE` |
/// | [`remove`](Self::remove) | `DELEX key IFEQ value`, or a script | `DELETE … WHERE key = … AND value = …` |
///
/// ```
/// # use std::{collections::BTreeMap, sync::Mutex, time::{Duration, SystemTime}};
/// use colony_core::webhook::{Receiver, SeenStore, StoreError};
///
/// /// Stands for a database.
/// struct Table(Mutex<BTreeMap<String, String>>);
///
/// impl SeenStore for Table {
///     async fn insert(&self, key: &str, value: &str, _: Duration, _: SystemTime) -> Result<Option<String>, StoreError> {
///         let mut rows = self.0.lock().unwrap();
///         if let Some(there) = rows.get(key) {
///             return Ok(Some(there.clone()));
///         }
///         rows.insert(key.to_owned(), value.to_owned());
///         Ok(None)
///     }
///
///     async fn set(&self, key: &str, value: &str, _: Duration, _: SystemTime) -> Result<(), StoreError> {
///         self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
///         Ok(())
///     }
///
///     async fn remove(&self, key: &str, value: &str) -> Result<(), StoreError> {
///         let mut rows = self.0.lock().unwrap();
///         if rows.get(key).is_some_and(|there| there == value) {
///             rows.remove(key);
///         }
///         Ok(())
///     }
/// }
///
/// let receiver = Receiver::new(["whsec_sixteen_chars"])?.remember(Table(Mutex::default()));
/// # Ok::<(), colony_core::Error>(())
/// ```
pub trait SeenStore: Send + Sync + 'static {
    /// Stores a value under a key for this long, unless there is a value; returns the one that was there. Of several
    /// callers at once, exactly one stores.
    ///
    /// `now` is the time that the receiver was given, for stores without a clock.
    fn insert(
        &self,
        key: &str,
        value: &str,
        keep: Duration,
        now: SystemTime,
    ) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Stores a value under a key for this long, in place of the current one.
    fn set(
        &self,
        key: &str,
        value: &str,
        keep: Duration,
        now: SystemTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes what is under a key, if it is this value.
    fn remove(&self, key: &str, value: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes as [`remove`](Self::remove) does, from a destructor, when a handler has failed, panicked or lost its
    /// connection: it may start a task, and must not block. What is not removed ends with its time
    /// ([`Receiver::lease`](super::Receiver::lease)), which is all that happens unless this is overridden.
    fn abandon(&self, key: &str, value: &str) {
        let _ = (key, value);
    }
}

/// What is stored under the key of an event that is done.
pub(super) const DONE: &str = "done";

/// A store in the memory of this process, which remembers the latest handled events, up to a limit.
pub struct SeenMemory {
    remembered: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<String, (String, SystemTime)>,
    /// The same keys by when they end.
    ends: BTreeSet<(SystemTime, String)>,
    /// What is done, oldest first.
    done: VecDeque<String>,
}

impl SeenMemory {
    /// Creates a store that remembers a number of handled events.
    #[must_use]
    pub fn new(events: usize) -> Self {
        Self { remembered: events.max(1), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, key: &str, value: &str, end: SystemTime) {
        self.take(key);
        self.entries.insert(key.to_owned(), (value.to_owned(), end));
        self.ends.insert((end, key.to_owned()));
    }

    fn take(&mut self, key: &str) {
        if let Some((_, end)) = self.entries.remove(key) {
            self.ends.remove(&(end, key.to_owned()));
        }
    }

    fn expire(&mut self, now: SystemTime) {
        while self.ends.first().is_some_and(|(end, _)| *end < now) {
            if let Some((_, key)) = self.ends.pop_first() {
                self.entries.remove(&key);
            }
        }
    }

    fn remove(&mut self, key: &str, value: &str) {
        if self.entries.get(key).is_some_and(|(there, _)| there == value) {
            self.take(key);
        }
    }
}

impl SeenStore for SeenMemory {
    fn insert(
        &self,
        key: &str,
        value: &str,
        keep: Duration,
        now: SystemTime,
    ) -> impl Future<Output = Result<Option<String>, StoreError>> + Send {
        let mut state = self.state();
        state.expire(now);
        let there = state.entries.get(key).map(|(there, _)| there.clone());
        if there.is_none() {
            state.put(key, value, now + keep);
        }
        ready(Ok(there))
    }

    fn set(
        &self,
        key: &str,
        value: &str,
        keep: Duration,
        now: SystemTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        let mut state = self.state();
        state.put(key, value, now + keep);
        state.done.push_back(key.to_owned());
        while state.done.len() > self.remembered {
            if let Some(oldest) = state.done.pop_front() {
                state.remove(&oldest, DONE);
            }
        }
        ready(Ok(()))
    }

    fn remove(&self, key: &str, value: &str) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.state().remove(key, value);
        ready(Ok(()))
    }

    fn abandon(&self, key: &str, value: &str) {
        self.state().remove(key, value);
    }
}

impl fmt::Debug for SeenMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let (entries, done) = (state.entries.len(), state.done.len());
        f.debug_struct("SeenMemory").field("entries", &entries).field("done", &done).finish()
    }
}
