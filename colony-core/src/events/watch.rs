//! What is watched, and how.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use super::{EventKind, Position};
use crate::Timestamp;

/// What to watch and how; every setting has a default.
///
/// ```
/// use std::time::Duration;
/// use colony_core::events::{EventKind, StateFile, Watch};
///
/// let watch = Watch::new()
///     .kinds([EventKind::Notification, EventKind::Message])
///     .state_file(StateFile::for_account("reply-bot"))
///     .interval(Duration::from_secs(10)..=Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
#[must_use = "settings do nothing until they are given to `watch`"]
pub struct Watch {
    pub(super) kinds: Vec<EventKind>,
    pub(super) start: Start,
    pub(super) interval: RangeInclusive<Duration>,
    pub(super) overlap: Duration,
    pub(super) most_undone: usize,
    pub(super) own: bool,
    pub(super) once: bool,
    pub(super) anew: bool,
    pub(super) bell: bool,
    state_file: Option<StateFile>,
}

/// Where a watch without a stored position begins.
#[derive(Debug, Clone)]
pub(super) enum Start {
    Now,
    Since(Timestamp),
    At(Position),
}

/// The file that keeps a position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateFile {
    /// `<name>-<account>.json` in the state directory, see [`place`](super::place).
    Account(String),
    /// This file.
    Path(PathBuf),
}

impl StateFile {
    /// Names the file `<name>-<account>.json` in the state directory; the account is its id, so that a new API key
    /// loses no position.
    pub fn for_account(name: impl Into<String>) -> Self {
        Self::Account(name.into())
    }

    /// Names the file itself.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self::Path(path.into())
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch {
    /// Watches everything, from now on, without a file.
    pub fn new() -> Self {
        Self {
            kinds: EventKind::ALL.to_vec(),
            start: Start::Now,
            interval: Duration::from_secs(10)..=Duration::from_secs(60),
            overlap: Duration::from_secs(10),
            most_undone: 1000,
            own: false,
            once: false,
            anew: false,
            bell: true,
            state_file: None,
        }
    }

    /// Sets the kinds of events; all unless set.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.kinds = kinds.into_iter().collect();
        self
    }

    /// Keeps the position in this file, and goes on from there. It is locked while the watch lives. A file that cannot
    /// be read, of another account or of a later version is an error, never a new beginning.
    pub fn state_file(mut self, file: StateFile) -> Self {
        self.state_file = Some(file);
        self
    }

    /// Begins at this position, unless a state file holds one.
    pub fn position(mut self, position: Position) -> Self {
        self.start = Start::At(position);
        self
    }

    /// Begins at this moment, at most 30 days ago, unless a state file holds a position.
    pub fn since(mut self, moment: impl Into<Timestamp>) -> Self {
        self.start = Start::Since(moment.into());
        self
    }

    /// Begins now, by the service's clock, unless a state file holds a position: the default.
    pub fn from_now(mut self) -> Self {
        self.start = Start::Now;
        self
    }

    /// Sets how long to wait between two rounds: the lower bound after a round with events, half as much again after each
    /// empty one, up to the upper bound, or twice that while the [bell](Self::bell) is heard. 10 s to 60 s unless set.
    pub fn interval(mut self, bounds: RangeInclusive<Duration>) -> Self {
        let (low, high) = bounds.into_inner();
        self.interval = low..=high.max(low);
        self
    }

    /// Sets by how much each request reaches back before the position, for rows that become visible late; 10 s unless set.
    /// One that is later than that is missed.
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// Sets how many events may be given out and not be done before nothing more is asked for; 1,000 unless set.
    pub fn most_undone(mut self, most: usize) -> Self {
        self.most_undone = most.max(1);
        self
    }

    /// Sets whether posts of the account itself are events; they are not unless set, so that a program does not answer
    /// itself.
    pub fn own(mut self, own: bool) -> Self {
        self.own = own;
        self
    }

    /// Sets whether to listen to the service's stream, which says at once that something happened; it is listened to unless
    /// set. Nothing in it is believed: what happened is then asked for, as ever. Where the service has no such stream, or
    /// it does not last, events are heard when the next round comes.
    pub fn bell(mut self, bell: bool) -> Self {
        self.bell = bell;
        self
    }

    /// Ends after one round, with an error if it fails: for programs that are started now and then.
    pub fn once(mut self, once: bool) -> Self {
        self.once = once;
        self
    }

    /// Sets whether to begin as these settings say even where the state file holds a position. That file must be usable
    /// all the same.
    pub fn anew(mut self, anew: bool) -> Self {
        self.anew = anew;
        self
    }

    /// The file that keeps the position.
    pub fn file(&self) -> Option<&StateFile> {
        self.state_file.as_ref()
    }
}
