//! The requests of one round: `/since`, and what it may have cut off.
//!
//! `/since` gives at most [`LIMIT`] rows of each kind, the newest, and does not say that there were more. A kind that is
//! full is therefore fetched from its own list, back to where the round began, or as far as is reasonable.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

use super::{EventKind, Gap, GapReason};
use crate::{
    Endpoint as _, Error, ErrorKind, MessageId, Reply, Request, Result, Timestamp,
    api::{
        messages::{GetConversationHistory, GetConversationTail, ListConversations},
        notifications::GetNotifications,
        posts::GetPosts,
        session::GetSince,
    },
};

/// The most rows of each kind that `/since` gives.
const LIMIT: usize = 200;
/// Rows in a page of the other lists.
const PAGE: usize = 100;
/// The limits of a walk, in rows and in requests. Where it stops at one, the rest is a gap.
const MOST_ROWS: usize = 1000;
const MOST_REQUESTS: usize = 50;
/// The service writes moments with fewer digits than are sent.
const ROUNDING: f64 = 1.0;

#[derive(Debug)]
pub(super) struct Round {
    kinds: Vec<EventKind>,
    /// The moment that is asked for; `None`: only where to begin.
    asked: Option<Timestamp>,
    /// What a gap begins with.
    cursor: Option<Timestamp>,
    steps: VecDeque<Walk>,
    next_cursor: Option<Timestamp>,
    pub(super) rows: Vec<(EventKind, Value)>,
    pub(super) gaps: Vec<Gap>,
    /// Of the walk under way: rows, requests, and the oldest row.
    spent: (usize, usize),
    oldest: Option<Timestamp>,
    /// Conversations of which `/since` gave messages, and which were found in the list.
    conversations: HashSet<String>,
}

#[derive(Debug)]
enum Walk {
    Since,
    Posts { offset: usize },
    Notifications { offset: usize },
    Conversations { offset: usize },
    Tail { username: String },
    History { username: String, before: MessageId },
}

impl Walk {
    fn kind(&self) -> Option<EventKind> {
        match self {
            Self::Since => None,
            Self::Posts { .. } => Some(EventKind::Post),
            Self::Notifications { .. } => Some(EventKind::Notification),
            _ => Some(EventKind::Message),
        }
    }
}

impl Round {
    pub(super) fn new(kinds: &[EventKind], cursor: Option<Timestamp>, asked: Option<Timestamp>) -> Self {
        Self {
            kinds: kinds.to_vec(),
            asked,
            cursor,
            steps: VecDeque::from([Walk::Since]),
            next_cursor: None,
            rows: Vec::new(),
            gaps: Vec::new(),
            spent: (0, 0),
            oldest: None,
            conversations: HashSet::new(),
        }
    }

    /// The request to send; `None` at the end.
    pub(super) fn next(&self) -> Option<Request> {
        let since = || self.asked.clone().unwrap_or_else(|| "".into());
        Some(match self.steps.front()? {
            Walk::Since => match &self.asked {
                None => GetSince::new().limit(1),
                Some(asked) => GetSince::new().since(asked.clone()).limit(LIMIT as u32),
            }
            .request(),
            Walk::Posts { offset } => {
                let mut posts = GetPosts::new().sort("newest").since(since()).member_colonies(true);
                if let Some(until) = &self.next_cursor {
                    posts = posts.until(until.clone());
                }
                posts.limit(PAGE as u32).offset(*offset as u32).request()
            }
            Walk::Notifications { offset } => {
                GetNotifications::new().limit(PAGE as u32).offset(*offset as u32).request()
            }
            Walk::Conversations { offset } => {
                let all = ListConversations::new().include_archived(true);
                all.limit(PAGE as u32).offset(*offset as u32).request()
            }
            Walk::Tail { username } => {
                GetConversationTail::new(username.clone()).limit(LIMIT as u32).request()
            }
            Walk::History { username, before } => {
                GetConversationHistory::new(username.clone(), before.clone()).request()
            }
        })
    }

    /// Where the next round begins, once this one has ended.
    pub(super) fn next_cursor(&self) -> Option<&Timestamp> {
        self.next_cursor.as_ref().filter(|_| self.steps.is_empty())
    }

    /// Takes the reply to the last request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`]: then the request is due again.
    pub(super) fn took(&mut self, reply: &Reply) -> Result<()> {
        let body = reply.json()?;
        let Some(walk) = self.steps.front() else { return Ok(()) };
        if let Walk::Since = walk {
            return self.took_since(&body);
        }
        let kind = walk.kind().unwrap_or(EventKind::Message);
        let is_bare = matches!(walk, Walk::Notifications { .. } | Walk::Conversations { .. });
        let field = if kind == EventKind::Post { "items" } else { "messages" };
        let rows = if is_bare && body.is_array() { &body } else { body.get(field).unwrap_or(&Value::Null) };
        let Value::Array(rows) = rows else { return Err(unreadable("it has no rows")) };
        let Some(walk) = self.steps.pop_front() else { return Ok(()) };
        self.spent.1 += 1;
        match walk {
            Walk::Since => {}
            Walk::Posts { offset } => {
                self.keep(kind, rows);
                let more = rows.len() >= PAGE && body.get("has_more") != Some(&Value::Bool(false));
                self.first(more.then(|| Walk::Posts { offset: offset + rows.len() }));
            }
            Walk::Notifications { offset } => {
                self.keep(kind, rows);
                let more = rows.len() >= PAGE && rows.last().is_none_or(|row| self.is_new(row, "created_at"));
                self.first(more.then(|| Walk::Notifications { offset: offset + rows.len() }));
            }
            Walk::Conversations { offset } => self.took_conversations(rows, offset),
            Walk::Tail { username } | Walk::History { username, .. } => {
                self.took_messages(username, rows, &body);
            }
        }
        self.go_on(kind);
        Ok(())
    }

    /// Passes over a conversation that the service does not show, and says whether that is what was refused.
    pub(super) fn refused(&mut self, error: &Error) -> bool {
        let is_conversation = matches!(self.steps.front(), Some(Walk::Tail { .. } | Walk::History { .. }));
        let is_refused = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Validation)
            || error.status() == Some(403);
        if !is_conversation || !is_refused || error.is_page() {
            return false;
        }
        self.steps.pop_front();
        self.gap(EventKind::Message, None);
        self.go_on(EventKind::Message);
        true
    }

    fn took_since(&mut self, body: &Value) -> Result<()> {
        let moment = |name: &str| {
            let text = body.get(name).and_then(Value::as_str);
            text.map(Timestamp::from).filter(|moment| moment.to_system_time().is_some())
        };
        let next =
            moment("next_cursor").ok_or_else(|| unreadable("it has no `next_cursor` that is a moment"))?;
        let lists = EventKind::ALL.map(|kind| body.get(list_of(kind)).unwrap_or(&Value::Null));
        if lists.iter().any(|list| !list.is_array() && !list.is_null()) {
            return Err(unreadable("one of its lists is none"));
        }
        self.steps.pop_front();
        self.next_cursor = Some(next);
        let Some(asked) = &self.asked else { return Ok(()) };
        if let Some(taken) = moment("cursor").filter(|taken| is_later(taken, asked)) {
            let from = self.cursor.as_ref().unwrap_or(asked).min(&taken).clone();
            self.gaps.push(Gap::new(None, from, taken, GapReason::TooOld));
        }
        for kind in self.kinds.clone() {
            let walk = match kind {
                EventKind::Notification => Walk::Notifications { offset: 0 },
                EventKind::Message => Walk::Conversations { offset: 0 },
                EventKind::Post => Walk::Posts { offset: 0 },
            };
            let rows = body.get(list_of(kind)).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            self.rows.extend(rows.iter().map(|row| (kind, row.clone())));
            if rows.len() >= LIMIT {
                self.steps.push_back(walk);
                if kind == EventKind::Message {
                    let ids = rows.iter().filter_map(|row| row.get("conversation_id")?.as_str());
                    self.conversations.extend(ids.map(str::to_owned));
                }
            }
        }
        Ok(())
    }

    fn took_conversations(&mut self, rows: &[Value], offset: usize) {
        for row in rows {
            if let Some(id) = row.get("id").and_then(Value::as_str) {
                self.conversations.remove(id);
            }
            if self.is_new(row, "last_message_at") {
                match row.pointer("/other_user/username").and_then(Value::as_str) {
                    Some(username) => self.steps.push_back(Walk::Tail { username: username.to_owned() }),
                    None => self.gap(EventKind::Message, None),
                }
            }
        }
        if rows.len() >= PAGE && rows.last().is_none_or(|row| self.is_new(row, "last_message_at")) {
            self.steps.push_back(Walk::Conversations { offset: offset + rows.len() });
        } else if !self.conversations.is_empty() {
            // Groups are not in this list.
            self.conversations.clear();
            self.gap(EventKind::Message, None);
        }
    }

    fn took_messages(&mut self, username: String, rows: &[Value], body: &Value) {
        self.keep(EventKind::Message, rows);
        let is_true = |pointer: &str| body.pointer(pointer).and_then(Value::as_bool);
        if is_true("/cursor_found") == Some(false) {
            return self.gap(EventKind::Message, None);
        }
        let more = is_true("/has_more").or(is_true("/pagination/has_more")).unwrap_or(rows.len() >= LIMIT);
        let at = |row: &&Value| row.get("created_at").and_then(Value::as_str).map(Timestamp::from);
        let oldest = rows.iter().min_by_key(at).filter(|row| more && self.is_new(row, "created_at"));
        if let Some(before) = oldest.and_then(|row| row.get("id")?.as_str()) {
            self.steps.push_front(Walk::History { username, before: before.into() });
        }
    }

    fn first(&mut self, step: Option<Walk>) {
        if let Some(step) = step {
            self.steps.push_front(step);
        }
    }

    /// Goes on with the walk of a kind, unless it is at its end or has cost too much.
    fn go_on(&mut self, kind: EventKind) {
        let is_of = |step: &Walk| step.kind() == Some(kind);
        let is_left = self.steps.iter().any(is_of);
        if is_left && (self.spent.0 > MOST_ROWS || self.spent.1 >= MOST_REQUESTS) {
            self.steps.retain(|step| !is_of(step));
            // Conversations are walked one after another: each may lack something until now.
            self.gap(kind, self.oldest.clone().filter(|_| kind != EventKind::Message));
        }
        if !self.steps.iter().any(is_of) {
            (self.spent, self.oldest) = ((0, 0), None);
        }
    }

    /// Notes that rows of a kind may be missing, until a moment or until now.
    fn gap(&mut self, kind: EventKind, to: Option<Timestamp>) {
        let from = self.cursor.clone().or_else(|| self.asked.clone());
        let to = to.or_else(|| self.next_cursor.clone());
        let (Some(from), Some(to)) = (from, to) else { return };
        let gap = Gap::new(Some(kind), from, to, GapReason::Full);
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Keeps the rows that are new.
    fn keep(&mut self, kind: EventKind, rows: &[Value]) {
        let new: Vec<&Value> = rows.iter().filter(|row| self.is_new(row, "created_at")).collect();
        self.spent.0 += new.len();
        for row in new {
            if let Some(at) = row.get("created_at").and_then(Value::as_str).map(Timestamp::from) {
                self.oldest = Some(self.oldest.take().map_or(at.clone(), |oldest| oldest.min(at)));
            }
            self.rows.push((kind, row.clone()));
        }
    }

    /// Whether a row is of after the moment that was asked for. One that does not say so may be.
    fn is_new(&self, row: &Value, field: &str) -> bool {
        let at =
            row.get(field).and_then(Value::as_str).and_then(|text| Timestamp::from(text).to_system_time());
        let asked = self.asked.as_ref().and_then(Timestamp::to_system_time);
        at.zip(asked).is_none_or(|(at, asked)| at > asked)
    }
}

/// The list of a kind in a reply of `/since`.
fn list_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Notification => "notifications",
        EventKind::Message => "messages",
        EventKind::Post => "posts",
    }
}

fn is_later(taken: &Timestamp, asked: &Timestamp) -> bool {
    let times = taken.to_system_time().zip(asked.to_system_time());
    times
        .is_some_and(|(taken, asked)| taken.duration_since(asked).is_ok_and(|by| by.as_secs_f64() > ROUNDING))
}

#[cold]
fn unreadable(why: &str) -> Error {
    Error::build(ErrorKind::Decode, format!("the reply cannot be used: {why}")).finish()
}
