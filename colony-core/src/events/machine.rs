//! The machine of a watch: it says what to do next and takes what came of it. It sends nothing, waits for nothing, and
//! reads no clock; each client drives it in a few lines.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{
    Event, EventId, EventKind, Gap, Position, Watch,
    bell::{Bell, BellStep, Heard},
    ledger::Ledger,
    pace::{Met, Moment, Pace},
    round::Round,
    watch::Start,
};
use crate::{
    Endpoint as _, Error, ErrorKind, RateLimit, Reply, Request, Result,
    api::{account::GetMe, users::User},
};

/// How long the bell waits for something that is about to be known.
const BEAT: Duration = Duration::from_secs(1);

/// What a driver does next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// Send this request once, and give what comes of it to [`Machine::took`] or [`Machine::failed`].
    Send(Box<Request>),
    /// Read the state file of this account and give its position to [`Machine::resume`].
    Open {
        /// The account's id.
        account: String,
    },
    /// Wait for this long, or until an event is done.
    Wait(Duration),
    /// Hand out this event.
    Give(Box<Given>),
    /// Wait until something is done: too much is not.
    Full,
    /// The one round that was asked for is over.
    Done,
    /// Waiting cannot help.
    End(Error),
}

/// An event as it is handed out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Given {
    /// The event.
    pub event: Event,
    /// The row as it came; for a gap, what is known of it.
    pub row: Value,
}

/// Something to tell the person who runs the program.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// The service cannot be reached or does not answer as it should.
    Outage(Error),
    /// The service answers again, after this many failures.
    Recovered(u32),
    /// So many events are given out and not done that nothing more is asked for.
    Full(usize),
    /// More events were done than are remembered; some may come again.
    Forgetful,
    /// The service has no bell, for this reason: what happens is heard a little later.
    NoBell(String),
}

/// How a watch is doing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// When a request last succeeded.
    pub last_success: Option<SystemTime>,
    /// How many requests have failed since.
    pub failures: u32,
    /// Until when nothing is asked for.
    pub waiting_until: Option<SystemTime>,
    /// How many events are given out and not done.
    pub undone: usize,
    /// Whether the bell is open: what happens is heard at once.
    pub bell: bool,
}

#[derive(Debug)]
enum Phase {
    /// Asks which account this is.
    Identify,
    /// Waits for the position of this account.
    Open,
    Watch(Option<Box<Round>>),
    Done,
    Ended(Error),
}

/// The machine of a watch. See [`Step`].
#[derive(Debug)]
pub struct Machine {
    settings: Watch,
    phase: Phase,
    account: User,
    ledger: Ledger,
    pace: Pace,
    bell: Bell,
    queue: VecDeque<Given>,
    notices: Vec<Notice>,
    is_full: bool,
    random: f64,
    /// Of the last decision.
    now: Moment,
    last_success: Option<SystemTime>,
    is_changed: bool,
}

impl Machine {
    /// A machine with these settings.
    pub fn new(settings: Watch) -> Self {
        let position = match &settings.start {
            Start::Now => Position::now(),
            Start::At(position) => position.clone(),
            Start::Since(moment) => Position::at(Some(moment.clone()), Some(moment.clone()), Vec::new()),
        };
        Self {
            phase: Phase::Identify,
            account: User::default(),
            ledger: Ledger::new(position, settings.overlap),
            pace: Pace::new(settings.interval.clone()),
            bell: Bell::new(settings.bell && !settings.once),
            queue: VecDeque::new(),
            notices: Vec::new(),
            is_full: false,
            random: 0.5,
            now: Moment::new(Duration::ZERO, 0.0),
            last_success: None,
            is_changed: false,
            settings,
        }
    }

    /// Says what to do next. `random` is a number from 0 to 1, by which waiting times are spread.
    pub fn next(&mut self, now: Moment, random: f64) -> Step {
        (self.now, self.random) = (now, random);
        if let Some(given) = self.queue.pop_front() {
            return Step::Give(Box::new(given));
        }
        match &self.phase {
            Phase::Ended(error) => return Step::End(error.clone()),
            Phase::Done => return Step::Done,
            Phase::Open => return Step::Open { account: self.account.id.to_string() },
            Phase::Identify | Phase::Watch(_) => {}
        }
        let undone = self.ledger.undone();
        if undone >= self.settings.most_undone {
            if !std::mem::replace(&mut self.is_full, true) {
                self.notices.push(Notice::Full(undone));
            }
            return Step::Full;
        }
        self.is_full = false;
        if let Some(wait) = self.pace.wait(now) {
            return Step::Wait(wait);
        }
        Step::Send(Box::new(match &mut self.phase {
            Phase::Watch(round) => {
                let (ledger, pace) = (&self.ledger, &mut self.pace);
                let mut begin = || {
                    pace.round_begun(now);
                    Round::new(&self.settings.kinds, ledger.cursor().cloned(), ledger.asked())
                };
                match round.get_or_insert_with(|| Box::new(begin())).next() {
                    Some(request) => request,
                    // A round without a request has ended, and was taken away.
                    None => return Step::Wait(Duration::ZERO),
                }
            }
            _ => GetMe::default().request(),
        }))
    }

    /// Goes on from a stored position; `None`: as the settings say.
    pub fn resume(&mut self, position: Option<Position>) {
        if let Some(position) = position.filter(|_| !self.settings.anew) {
            self.ledger = Ledger::new(position, self.settings.overlap);
        }
        if matches!(self.phase, Phase::Open) {
            self.phase = Phase::Watch(None);
        }
    }

    /// Takes the successful reply to the last request.
    pub fn took(&mut self, reply: &Reply, now: Moment) {
        match self.take(reply, now) {
            Ok(()) => {
                self.last_success = Some(at(now.unix));
                let limit = RateLimit::read(&reply.headers);
                match self.pace.answered(limit, now, self.random) {
                    0 => {}
                    failures => {
                        self.bell.recovered();
                        self.notices.push(Notice::Recovered(failures));
                    }
                }
            }
            Err(error) => self.failed(error, now),
        }
    }

    fn take(&mut self, reply: &Reply, now: Moment) -> Result<()> {
        match &mut self.phase {
            Phase::Identify => {
                self.account = reply.decode()?;
                if self.account.id.as_str().is_empty() {
                    return Err(Error::build(ErrorKind::Decode, "the reply names no account").finish());
                }
                self.phase = if self.settings.file().is_some() { Phase::Open } else { Phase::Watch(None) };
            }
            Phase::Watch(Some(round)) => {
                round.took(reply)?;
                self.end_round(now);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the failure of the last request, one that was not a success included.
    pub fn failed(&mut self, error: Error, now: Moment) {
        if let Phase::Watch(Some(round)) = &mut self.phase
            && round.refused(&error)
        {
            return self.end_round(now);
        }
        let met = self.pace.failed(&error, now, self.random);
        if met == Met::Ends || self.settings.once {
            self.phase = Phase::Ended(error);
        } else if let Met::Waits { is_first: true } = met {
            self.notices.push(Notice::Outage(error));
        }
    }

    /// Ends the round, if it is over.
    fn end_round(&mut self, now: Moment) {
        let Phase::Watch(slot) = &mut self.phase else { return };
        let Some(round) = slot.take_if(|round| round.next_cursor().is_some()) else { return };
        let Some(next) = round.next_cursor().cloned() else { return };
        let is_first = self.ledger.cursor().is_none();
        let mut found = Vec::new();
        if is_first {
            self.ledger.begin(next);
        } else {
            found = self.sort_out(*round, next);
        }
        self.is_changed = true;
        self.pace.round_ended(!found.is_empty(), now, self.random);
        self.queue.extend(found);
        if self.settings.once {
            self.phase = Phase::Done;
        }
    }

    /// The events of a round that were not given before, in order.
    fn sort_out(&mut self, round: Round, next: crate::Timestamp) -> Vec<Given> {
        let (id, name) = (self.account.id.as_str(), &*self.account.username);
        let mut rows: Vec<(EventId, Given)> = Vec::new();
        for (kind, row) in round.rows {
            let event = Event::read(kind, &row);
            let is_event = !event.is_by(id, name) || kind == EventKind::Post && self.settings.own;
            if is_event {
                rows.push((event.id(), Given { event, row }));
            }
        }
        rows.sort_by(|(a, x), (b, y)| (x.event.at(), a).cmp(&(y.event.at(), b)));
        rows.dedup_by(|(a, _), (b, _)| a == b);
        let gaps = round.gaps.into_iter().map(given_gap);
        let found: Vec<(EventId, Given)> = gaps.chain(rows).collect();
        let mut events: Vec<Event> = found.iter().map(|(_, given)| given.event.clone()).collect();
        if self.ledger.end_round(&mut events, next) {
            self.notices.push(Notice::Forgetful);
        }
        let kept: std::collections::HashSet<EventId> = events.iter().map(Event::id).collect();
        found.into_iter().filter(|(id, _)| kept.contains(id)).map(|(_, given)| given).collect()
    }

    /// Notes that an event is done.
    pub fn done(&mut self, id: &EventId) {
        self.is_changed |= self.ledger.done(id);
    }

    /// Makes the next round due at once, or 5 s after the last one that was made so.
    pub fn ring(&mut self) {
        self.pace.ring();
    }

    /// Says what to do about the bell while [`next`](Self::next) waits.
    pub fn bell(&mut self, now: Moment) -> BellStep {
        match self.phase {
            Phase::Watch(_) => {
                // In an outage only one thing is tried.
                let rest = (self.pace.failures() > 0).then(|| self.pace.wait(now).unwrap_or(BEAT));
                self.bell.next(self.account.id.as_str(), rest, now.elapsed)
            }
            Phase::Identify | Phase::Open => BellStep::Rest(BEAT),
            Phase::Done | Phase::Ended(_) => BellStep::Off,
        }
    }

    /// Takes the head of the reply to [`BellStep::Open`]. The token that went with it is good for this long.
    pub fn bell_answered(&mut self, status: StatusCode, headers: &HeaderMap, life: Duration, now: Moment) {
        let heard = self.bell.answered(status, headers, life, now.elapsed, self.random);
        self.heard(heard, now);
    }

    /// The request of [`BellStep::Open`] had no answer.
    pub fn bell_failed(&mut self, error: &Error, now: Moment) {
        let heard = self.bell.failed(error.message(), now.elapsed, self.random);
        self.heard(heard, now);
    }

    /// Takes bytes of the bell, and says whether it rang.
    pub fn bell_heard(&mut self, bytes: &[u8], now: Moment) -> bool {
        let heard = self.bell.heard(bytes, now.elapsed, self.random);
        let is_ring = heard == Heard::Ring;
        self.heard(heard, now);
        is_ring
    }

    /// The bell has ended, or nobody says what has become of it.
    pub fn bell_ended(&mut self, why: &str, now: Moment) {
        let heard = self.bell.cut(why, now.elapsed, self.random);
        self.heard(heard, now);
    }

    /// Nobody answers [`BellStep::Open`] in time.
    pub fn bell_unanswered(&mut self, now: Moment) {
        let heard = self.bell.silent("nobody answers in time".to_owned(), now.elapsed);
        self.heard(heard, now);
    }

    fn heard(&mut self, heard: Heard, now: Moment) {
        match heard {
            Heard::Nothing => {}
            Heard::Ring => self.ring(),
            Heard::Silent(why) => self.notices.push(Notice::NoBell(why)),
        }
        self.pace.stretch(self.bell.is_known(), now);
    }

    /// How far the watch has come.
    pub fn position(&self) -> Position {
        self.ledger.position()
    }

    /// The account's id, once it is known.
    pub fn account(&self) -> Option<&str> {
        Some(self.account.id.as_str()).filter(|id| !id.is_empty())
    }

    /// Whether the position has changed since this was last asked, and is one to keep.
    pub fn take_change(&mut self) -> bool {
        self.ledger.cursor().is_some() && std::mem::take(&mut self.is_changed)
    }

    /// What there is to tell.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// How the watch is doing.
    pub fn health(&self) -> Health {
        let wait = self.pace.wait(self.now).unwrap_or_default();
        Health {
            last_success: self.last_success,
            failures: self.pace.failures(),
            waiting_until: Some(at(self.now.unix + wait.as_secs_f64())).filter(|_| !wait.is_zero()),
            undone: self.ledger.undone(),
            bell: self.bell.is_open(),
        }
    }
}

fn given_gap(gap: Gap) -> (EventId, Given) {
    let row = serde_json::to_value(&gap).unwrap_or_default();
    let event = Event::Gap(gap);
    (event.id(), Given { event, row })
}

fn at(unix: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(unix).unwrap_or_default()
}
