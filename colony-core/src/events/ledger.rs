//! What was given out, what of it is done, and the position that follows from it.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use super::{Event, EventId, Position};
use crate::Timestamp;

/// So many events that are done are remembered at most.
const MOST_DONE: usize = 4096;

#[derive(Debug)]
pub(super) struct Ledger {
    overlap: Duration,
    /// Where the next round begins.
    cursor: Option<Timestamp>,
    /// Rows up to this moment are not events.
    floor: Option<Timestamp>,
    /// Rounds with something undone, oldest first.
    rounds: VecDeque<OpenRound>,
    known: HashMap<EventId, Known>,
    undone: usize,
    done: usize,
    number: u64,
}

#[derive(Debug)]
struct OpenRound {
    number: u64,
    /// Where it began.
    cursor: Option<Timestamp>,
    undone: usize,
}

#[derive(Debug)]
struct Known {
    at: Option<SystemTime>,
    round: u64,
    is_done: bool,
}

impl Ledger {
    pub(super) fn new(position: Position, overlap: Duration) -> Self {
        let Position { cursor, floor, done, .. } = position;
        let count = done.len();
        let known = done.into_iter().map(|id| (id, Known { at: None, round: 0, is_done: true })).collect();
        Self { overlap, cursor, floor, rounds: VecDeque::new(), known, undone: 0, done: count, number: 0 }
    }

    /// Where the next round begins; `None`: with what happens from now on.
    pub(super) fn cursor(&self) -> Option<&Timestamp> {
        self.cursor.as_ref()
    }

    /// What the next round asks for: the cursor and some time before.
    pub(super) fn asked(&self) -> Option<Timestamp> {
        self.cursor.as_ref().map(|cursor| before(cursor, self.overlap))
    }

    pub(super) fn undone(&self) -> usize {
        self.undone
    }

    /// Begins with the rows after this moment.
    pub(super) fn begin(&mut self, cursor: Timestamp) {
        self.floor = Some(cursor.clone());
        self.cursor = Some(cursor);
    }

    /// Ends a round: of its events those stay that were not given before. Says whether too much was done to remember all
    /// of it.
    pub(super) fn end_round(&mut self, events: &mut Vec<Event>, next: Timestamp) -> bool {
        self.number += 1;
        let (number, floor) = (self.number, self.floor.as_ref().and_then(Timestamp::to_system_time));
        events.retain(|event| {
            let at = event.at().or(Some(&next)).and_then(Timestamp::to_system_time);
            let is_gap = matches!(event, Event::Gap(_));
            if !is_gap && at.zip(floor).is_some_and(|(at, floor)| at <= floor) {
                return false;
            }
            match self.known.get_mut(&event.id()) {
                Some(known) => {
                    (known.at, known.round) = (at, known.round.max(1));
                    false
                }
                None => {
                    self.known.insert(event.id(), Known { at, round: number, is_done: false });
                    true
                }
            }
        });
        if !events.is_empty() {
            self.undone += events.len();
            self.rounds.push_back(OpenRound { number, cursor: self.cursor.clone(), undone: events.len() });
        }
        self.cursor = Some(next);
        self.forget()
    }

    /// Notes that an event is done. Says whether it was not before.
    pub(super) fn done(&mut self, id: &EventId) -> bool {
        let Some(known) = self.known.get_mut(id).filter(|known| !known.is_done) else { return false };
        known.is_done = true;
        (self.undone, self.done) = (self.undone - 1, self.done + 1);
        if let Some(round) = self.rounds.iter_mut().find(|round| round.number == known.round) {
            round.undone -= 1;
        }
        while self.rounds.front().is_some_and(|round| round.undone == 0) {
            self.rounds.pop_front();
        }
        true
    }

    /// The cursor of the oldest round with something undone.
    fn oldest(&self) -> Option<&Timestamp> {
        self.rounds.front().map_or(self.cursor.as_ref(), |round| round.cursor.as_ref())
    }

    pub(super) fn position(&self) -> Position {
        let cursor = self.oldest();
        let asked = cursor.and_then(|cursor| before(cursor, self.overlap).to_system_time());
        let done = self.known.iter().filter(|(_, known)| known.is_done && !is_before(known.at, asked));
        let mut done: Vec<EventId> = done.map(|(id, _)| id.clone()).collect();
        done.sort();
        Position::at(cursor.cloned(), self.floor.clone(), done)
    }

    /// Forgets what no request asks for again.
    fn forget(&mut self) -> bool {
        let asked = self.oldest().map(|cursor| before(cursor, self.overlap));
        let asked_time = asked.as_ref().and_then(Timestamp::to_system_time);
        // What an earlier process did and the first round did not show has its place before it.
        self.known.retain(|_, known| !known.is_done || known.round > 0 && !is_before(known.at, asked_time));
        if self.floor.as_ref().zip(asked.as_ref()).is_some_and(|(floor, asked)| asked >= floor) {
            self.floor = None;
        }
        self.done = self.known.len() - self.undone;
        let excess = self.done.saturating_sub(MOST_DONE);
        if excess > 0 {
            let done = self.known.iter().filter(|(_, known)| known.is_done);
            let mut done: Vec<_> = done.map(|(id, known)| (known.at, id.clone())).collect();
            done.sort();
            for (_, id) in &done[..excess] {
                self.known.remove(id);
            }
            self.done = MOST_DONE;
        }
        excess > 0
    }
}

fn is_before(at: Option<SystemTime>, asked: Option<SystemTime>) -> bool {
    at.zip(asked).is_some_and(|(at, asked)| at < asked)
}

/// A moment less some time.
fn before(moment: &Timestamp, time: Duration) -> Timestamp {
    let earlier = moment.to_system_time().and_then(|at| at.checked_sub(time)).filter(|_| !time.is_zero());
    earlier.map_or_else(|| moment.clone(), Timestamp::from)
}
