//! The rules of a watch, one by one, against a service that is a function and a clock that the test moves.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Event, EventKind, GapReason, Machine, Moment, Notice, Position, StateFile, Step, Watch};
use crate::{Error, ErrorKind, Reply, Request, Timestamp};

/// The service's clock at the beginning, Unix seconds.
const START: f64 = 1_800_000_000.0;

fn time(unix: f64) -> Timestamp {
    Timestamp::from(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs_f64(unix))
}

fn unix(text: &str) -> f64 {
    let at = Timestamp::from(text).to_system_time().expect("a moment");
    at.duration_since(std::time::SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// A row: when it was made, and when it can be seen.
#[derive(Clone)]
struct Row {
    kind: EventKind,
    at: f64,
    seen: f64,
    json: Value,
}

struct Service {
    now: f64,
    rows: Vec<Row>,
    asked: Vec<String>,
    headers: HeaderMap,
    refuse: Option<Error>,
}

impl Service {
    fn new() -> Self {
        Self { now: START, rows: Vec::new(), asked: Vec::new(), headers: HeaderMap::new(), refuse: None }
    }

    fn add(&mut self, kind: EventKind, id: &str, at: f64) -> &mut Row {
        let other = json!({"id": "u2", "username": "bob"});
        let json = match kind {
            EventKind::Notification => {
                json!({"id": id, "notification_type": "mention", "actor": other, "created_at": time(at)})
            }
            EventKind::Message => {
                json!({"id": id, "conversation_id": "c1", "body": id, "sender": other, "created_at": time(at)})
            }
            EventKind::Post => json!({"id": id, "title": id, "author": other, "created_at": time(at)}),
        };
        self.rows.push(Row { kind, at, seen: at, json });
        self.rows.last_mut().expect("a row")
    }

    fn newest(&self, kind: EventKind, since: f64, until: f64) -> Vec<Value> {
        let fits = |row: &&Row| row.kind == kind && row.at > since && row.at < until && row.seen <= self.now;
        let mut rows: Vec<&Row> = self.rows.iter().filter(fits).collect();
        rows.sort_by(|a, b| b.at.total_cmp(&a.at));
        rows.into_iter().map(|row| row.json.clone()).collect()
    }

    fn answer(&mut self, request: &Request) -> Result<Reply, Error> {
        self.asked.push(request.operation().to_owned());
        if let Some(error) = &self.refuse {
            return Err(error.clone());
        }
        let number = |name| request.query_value(name).and_then(|text| text.parse::<usize>().ok());
        let moment = |name| request.query_value(name).map(unix);
        let page = |rows: Vec<Value>| -> Vec<Value> {
            rows.into_iter().skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(50)).collect()
        };
        let all = f64::INFINITY;
        let body = match request.operation() {
            "get_me" => json!({"id": "u1", "username": "ada"}),
            "get_since" => {
                let since = moment("since").unwrap_or(self.now - 86_400.0).max(self.now - 30.0 * 86_400.0);
                json!({
                    "cursor": time(since), "next_cursor": time(self.now),
                    "notifications": page(self.newest(EventKind::Notification, since, all)),
                    "messages": page(self.newest(EventKind::Message, since, all)),
                    "posts": page(self.newest(EventKind::Post, since, all)),
                })
            }
            "get_posts" => {
                assert_eq!(request.query_value("member_colonies"), Some("true"));
                let rows = self.newest(EventKind::Post, moment("since").unwrap(), moment("until").unwrap());
                json!({"total": rows.len(), "items": page(rows)})
            }
            "get_notifications" => page(self.newest(EventKind::Notification, 0.0, all)).into(),
            "list_conversations" => {
                let last = self.newest(EventKind::Message, 0.0, all);
                json!([{"id": "c1", "other_user": {"id": "u2", "username": "bob"}, "last_message_at": last[0]["created_at"]}])
            }
            "conversation_tail" => {
                let rows = self.newest(EventKind::Message, 0.0, all);
                json!({"has_more": rows.len() > 200, "messages": page(rows)})
            }
            "conversation_history" => {
                let rows = self.newest(EventKind::Message, 0.0, all);
                let at = rows
                    .iter()
                    .position(|row| Some(row["id"].as_str().unwrap()) == request.query_value("before"));
                let rows = rows[at.unwrap() + 1..].to_vec();
                json!({"cursor_found": true, "has_more": rows.len() > 200, "messages": page(rows)})
            }
            other => panic!("{other} is not asked for"),
        };
        Ok(Reply::new(StatusCode::OK, self.headers.clone(), Bytes::from(body.to_string())))
    }
}

/// A machine with its service and clock.
struct Bench {
    machine: Machine,
    service: Service,
    notices: Vec<Notice>,
    requests: usize,
    elapsed: Duration,
}

impl Bench {
    fn new(watch: Watch) -> Self {
        Self {
            machine: Machine::new(watch),
            service: Service::new(),
            notices: Vec::new(),
            requests: 0,
            elapsed: Duration::ZERO,
        }
    }

    fn moment(&self) -> Moment {
        Moment::new(self.elapsed, self.service.now)
    }

    /// Goes on until there is something that is no request.
    fn step(&mut self) -> Step {
        loop {
            let step = self.machine.next(self.moment(), 0.5);
            let Step::Send(request) = step else { return step };
            self.requests += 1;
            match self.service.answer(&request) {
                Ok(reply) => self.machine.took(&reply, self.moment()),
                Err(error) => self.machine.failed(error, self.moment()),
            }
            self.notices.extend(self.machine.take_notices());
        }
    }

    /// The events up to the next wait.
    fn round(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Step::Give(given) = self.step() {
            events.push(given.event);
        }
        events
    }

    fn pass(&mut self, seconds: f64) {
        self.wait(Duration::from_secs_f64(seconds));
    }

    fn wait(&mut self, time: Duration) {
        self.elapsed += time;
        self.service.now += time.as_secs_f64();
    }

    fn done(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.machine.done(&event.id()));
    }

    /// The same from the position that is kept, as after a kill.
    fn again(&mut self, watch: Watch) {
        let kept = serde_json::to_string(&self.machine.position()).expect("JSON");
        self.machine = Machine::new(watch.position(serde_json::from_str(&kept).expect("a position")));
    }
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.id().to_string()).collect()
}

#[test]
fn it_begins_with_what_comes_and_asks_for_one_row() {
    let mut bench = Bench::new(Watch::new());
    bench.service.add(EventKind::Post, "old", START - 3.0);
    assert!(bench.round().is_empty());
    assert_eq!(bench.service.asked, ["get_me", "get_since"]);
    bench.pass(20.0);
    bench.service.add(EventKind::Post, "new", START + 5.0);
    let events = bench.round();
    assert_eq!(ids(&events), ["post:new"], "not what was there within the overlap");
    // Nor after a restart.
    bench.again(Watch::new());
    assert_eq!(ids(&bench.round()), ["post:new"]);
}

#[test]
fn late_rows_are_seen_within_the_overlap_and_repeats_are_dropped() {
    for (overlap, seen) in [(10, true), (0, false)] {
        let mut bench = Bench::new(Watch::new().overlap(Duration::from_secs(overlap)));
        bench.round();
        bench.pass(20.0);
        bench.service.add(EventKind::Message, "early", START + 12.0);
        bench.service.add(EventKind::Message, "late", START + 15.0).seen = START + 21.0;
        let mut given = ids(&bench.round());
        for _ in 0..5 {
            bench.pass(12.0);
            given.extend(ids(&bench.round()));
        }
        let expected: &[&str] = if seen { &["message:early", "message:late"] } else { &["message:early"] };
        assert_eq!(given, expected, "overlap {overlap}");
    }
}

#[test]
fn rounds_are_in_order_of_time_and_then_of_id() {
    let mut bench = Bench::new(Watch::new());
    bench.round();
    bench.pass(20.0);
    for (kind, id, at) in [
        (EventKind::Post, "c", 3.0),
        (EventKind::Notification, "b", 1.0),
        (EventKind::Message, "z", 2.0),
        (EventKind::Message, "a", 2.0),
    ] {
        bench.service.add(kind, id, START + at);
    }
    assert_eq!(ids(&bench.round()), ["notification:b", "message:a", "message:z", "post:c"]);
}

#[test]
fn the_position_moves_over_what_is_done_only() {
    let mut bench = Bench::new(Watch::new());
    bench.round();
    let mut given = Vec::new();
    for at in [8.0, 22.0, 40.0, 80.0] {
        bench.pass(START + at + 12.0 - bench.service.now);
        bench.service.add(EventKind::Message, &format!("m{at}"), START + at);
        given.extend(bench.round());
    }
    assert_eq!(given.len(), 4);
    // Done out of order, the second one not.
    for index in [3, 0, 2] {
        bench.done(&given[index..=index]);
    }
    bench.again(Watch::new());
    bench.pass(60.0);
    assert_eq!(ids(&bench.round()), ["message:m22"], "what is not done comes again, and nothing else");
    // Done twice is done once.
    bench.done(&given[1..2]);
    bench.done(&given[1..2]);
    bench.again(Watch::new());
    bench.pass(60.0);
    assert!(bench.round().is_empty());
}

#[test]
fn a_position_that_is_too_old_is_told_first() {
    let old = START - 40.0 * 86_400.0;
    let mut bench = Bench::new(Watch::new().since(time(old)));
    bench.service.add(EventKind::Post, "p", START - 5.0);
    let events = bench.round();
    let Event::Gap(gap) = &events[0] else { panic!("{events:?}") };
    assert_eq!((gap.why, gap.kind, gap.from.clone()), (GapReason::TooOld, None, time(old)));
    assert_eq!(ids(&events[1..]), ["post:p"]);
    bench.pass(12.0);
    assert!(bench.round().is_empty(), "told once");
}

#[test]
fn a_full_kind_is_filled_or_told() {
    let mut bench = Bench::new(Watch::new());
    bench.round();
    bench.pass(600.0);
    for n in 0..1000 {
        let at = START + 1.0 + f64::from(n) / 2.0;
        bench.service.add(EventKind::Post, &format!("p{n}"), at);
        bench.service.add(EventKind::Notification, &format!("n{n}"), at);
        if n < 700 {
            bench.service.add(EventKind::Message, &format!("m{n}"), at);
        }
    }
    let events = bench.round();
    assert_eq!(events.len(), 2700);
    assert!(!events.iter().any(|event| matches!(event, Event::Gap(_))));
    assert!(bench.requests < 40, "{} requests", bench.requests);
    let unique: BTreeSet<String> = ids(&events).into_iter().collect();
    assert_eq!(unique.len(), 2700);
    bench.done(&events);
    bench.pass(12.0);
    assert!(bench.round().is_empty());
    // More than is fetched.
    bench.pass(3600.0);
    for n in 0..1500 {
        bench.service.add(EventKind::Post, &format!("q{n}"), START + 700.0 + f64::from(n));
    }
    let events = bench.round();
    let Event::Gap(gap) = &events[0] else { panic!("a gap") };
    assert_eq!((gap.kind, gap.why), (Some(EventKind::Post), GapReason::Full));
    let given: BTreeSet<String> = ids(&events).into_iter().collect();
    for n in 0..1500 {
        let at = START + 700.0 + f64::from(n);
        let is_in_gap = unix(gap.from.as_str()) <= at && at <= unix(gap.to.as_str());
        assert!(is_in_gap || given.contains(&format!("post:q{n}")), "q{n} is neither given nor told");
    }
}

#[test]
fn messages_of_a_conversation_that_is_not_listed_are_told() {
    let mut bench = Bench::new(Watch::new().kinds([EventKind::Message]));
    bench.round();
    bench.pass(300.0);
    for n in 0..250 {
        bench.service.add(EventKind::Message, &format!("m{n}"), START + 1.0 + f64::from(n));
    }
    bench.service.rows[249].json["conversation_id"] = "a group".into();
    let events = bench.round();
    assert!(matches!(&events[0], Event::Gap(gap) if gap.kind == Some(EventKind::Message)), "{:?}", events[0]);
    assert_eq!(events.len(), 251);
}

#[test]
fn nothing_is_asked_for_while_too_much_is_undone() {
    let mut bench = Bench::new(Watch::new().most_undone(3));
    bench.round();
    bench.pass(20.0);
    for n in 0..3 {
        bench.service.add(EventKind::Post, &format!("p{n}"), START + 12.0);
    }
    let first = bench.machine.next(bench.moment(), 0.5);
    assert!(matches!(first, Step::Send(_)));
    let events = bench.round();
    assert_eq!(events.len(), 3);
    let requests = bench.requests;
    bench.pass(1000.0);
    assert!(matches!(bench.step(), Step::Full));
    assert!(matches!(bench.step(), Step::Full));
    assert_eq!(bench.requests, requests);
    assert_eq!(bench.machine.take_notices().len(), 1, "told once");
    bench.done(&events[1..2]);
    assert!(matches!(bench.step(), Step::Wait(_)));
    assert!(bench.requests > requests);
}

#[test]
fn what_the_account_wrote_itself_is_no_event() {
    let mine = json!({"id": "u1", "username": "ada"});
    for own in [false, true] {
        let mut bench = Bench::new(Watch::new().own(own));
        bench.round();
        bench.pass(20.0);
        bench.service.add(EventKind::Post, "mine", START + 1.0).json["author"] = mine.clone();
        bench.service.add(EventKind::Message, "sent", START + 2.0).json["sender"] = mine.clone();
        bench.service.add(EventKind::Post, "theirs", START + 3.0);
        let expected: &[&str] = if own { &["post:mine", "post:theirs"] } else { &["post:theirs"] };
        assert_eq!(ids(&bench.round()), expected);
    }
}

#[test]
fn a_bad_row_stalls_nothing() {
    let mut bench = Bench::new(Watch::new());
    bench.round();
    bench.pass(200.0);
    for n in 0..199 {
        bench.service.add(EventKind::Notification, &format!("n{n}"), START + 1.0 + f64::from(n) / 2.0);
    }
    bench.service.rows[50].json["actor"] = 7.into();
    bench.service.rows[60].json.as_object_mut().unwrap().remove("id");
    let events = bench.round();
    assert_eq!(events.len(), 199);
    let bad: Vec<&Event> = events.iter().filter(|event| matches!(event, Event::Unreadable(_))).collect();
    let [Event::Unreadable(bad)] = &bad[..] else { panic!("{bad:?}") };
    assert_eq!((bad.raw["actor"].as_u64(), bad.kind), (Some(7), EventKind::Notification));
    bench.done(&events);
    bench.pass(5.0);
    assert!(bench.round().is_empty(), "rows without an id are known by their content");
}

#[test]
fn failures_are_waited_out_and_told_once() {
    let network = Error::build(ErrorKind::Network, "refused").finish();
    let mut bench = Bench::new(Watch::new());
    bench.round();
    bench.service.refuse = Some(network);
    bench.pass(30.0);
    let (before, end) = (bench.requests, START + 3630.0);
    while bench.service.now < end {
        let Step::Wait(wait) = bench.step() else { panic!("a wait") };
        bench.wait(wait);
    }
    assert!(bench.requests - before <= 25, "{}", bench.requests - before);
    assert_eq!(bench.machine.health().failures as usize, bench.requests - before);
    bench.service.refuse = None;
    let Step::Wait(_) = bench.step() else { panic!("a wait") };
    assert!(matches!(bench.notices[..], [Notice::Outage(_), Notice::Recovered(_)]), "{:?}", bench.notices);
    assert_eq!(bench.machine.health().failures, 0);
    assert!(bench.machine.health().last_success.is_some());
}

#[test]
fn what_waiting_cannot_mend_ends_the_watch() {
    let mut bench = Bench::new(Watch::new());
    bench.round();
    bench.service.refuse = Some(Error::build(ErrorKind::Auth, "revoked").status(401).finish());
    bench.pass(30.0);
    let before = bench.requests;
    for _ in 0..3 {
        let Step::End(error) = bench.step() else { panic!("the end") };
        assert_eq!(error.kind(), ErrorKind::Auth);
    }
    assert_eq!(bench.requests, before + 1);
}

#[test]
fn once_is_one_round() {
    let mut bench = Bench::new(Watch::new().once(true));
    assert!(matches!(bench.step(), Step::Done));
    let position = bench.machine.position();
    assert_ne!(position, Position::now());
    bench.pass(100.0);
    bench.service.add(EventKind::Post, "p", START + 50.0);
    bench.again(Watch::new().once(true));
    assert_eq!(ids(&bench.round()), ["post:p"]);
    assert!(matches!(bench.step(), Step::Done));
    bench.service.refuse = Some(Error::build(ErrorKind::Network, "refused").finish());
    bench.again(Watch::new().once(true));
    assert!(matches!(bench.step(), Step::End(_)), "a program that is started now and then does not wait");
}

#[test]
fn the_position_of_a_state_file_wins() {
    let mut bench = Bench::new(Watch::new().state_file(StateFile::for_account("bot")));
    let Step::Open { account } = bench.step() else { panic!("the file is wanted") };
    assert_eq!(account, "u1");
    bench.service.add(EventKind::Post, "p", START - 50.0);
    bench.machine.resume(Some(Position::at(Some(time(START - 100.0)), None, Vec::new())));
    assert_eq!(ids(&bench.round()), ["post:p"]);
}

#[test]
fn a_thousand_kills_lose_nothing_and_repeat_only_what_was_not_done() {
    let mut random = 7_u64;
    let mut next = move |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut bench = Bench::new(Watch::new());
    bench.round();
    let (mut done, mut made, mut repeats) = (BTreeSet::new(), 0, 0);
    for _ in 0..1000 {
        bench.pass(next(20) as f64 + 0.5);
        for _ in 0..next(6) {
            let kind = EventKind::ALL[next(3) as usize];
            let at = bench.service.now - next(100) as f64 / 100.0;
            bench.service.add(kind, &format!("{made}"), at).seen = at + next(8) as f64;
            made += 1;
        }
        while let Step::Give(given) = bench.step() {
            if next(5) > 0 {
                repeats += usize::from(!done.insert(given.event.id()));
                bench.machine.done(&given.event.id());
            }
        }
        if next(3) == 0 {
            bench.again(Watch::new());
        }
    }
    bench.again(Watch::new());
    bench.pass(100.0);
    done.extend(bench.round().iter().map(Event::id));
    assert_eq!((done.len(), repeats), (made, 0));
}
