//! W7, W8, W10: a service that is a function, and a clock that takes no time.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use colony_core::{
    Error, ErrorKind, Reply, Request, Timestamp,
    events::{Event, Machine, Moment, Notice, Step, Watch},
};
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName},
};
use serde_json::{Value, json};

use crate::fire::{Ground, Outcome, Tally};

const START: f64 = 1_800_000_000.0;

/// A machine on a simulated clock; `answer` gets each request and the seconds since the start.
struct Bench<F> {
    machine: Machine,
    now: f64,
    answer: F,
    /// When each request was sent.
    sent: Vec<f64>,
    notices: Vec<Notice>,
    given: Vec<Event>,
}

impl<F: FnMut(&Request, f64) -> colony_core::Result<Reply>> Bench<F> {
    fn new(watch: Watch, answer: F) -> Self {
        let machine = Machine::new(watch);
        Self { machine, now: 0.0, answer, sent: Vec::new(), notices: Vec::new(), given: Vec::new() }
    }

    fn moment(&self) -> Moment {
        Moment::new(Duration::from_secs_f64(self.now), START + self.now)
    }

    /// Runs until this moment. Returns the error, if the watch ends before.
    fn until(&mut self, end: f64, random: &mut fastrand::Rng) -> Option<Error> {
        while self.now < end {
            match self.machine.next(self.moment(), random.f64()) {
                Step::Send(request) => {
                    self.sent.push(self.now);
                    match (self.answer)(&request, self.now) {
                        Ok(reply) => self.machine.took(&reply, self.moment()),
                        Err(error) => self.machine.failed(error, self.moment()),
                    }
                }
                Step::Wait(wait) => self.now += wait.as_secs_f64().max(0.001),
                Step::Give(given) => {
                    self.machine.done(&given.event.id());
                    self.given.push(given.event);
                }
                Step::End(error) => return Some(error),
                _ => return None,
            }
            self.notices.extend(self.machine.take_notices());
        }
        None
    }
}

fn time(at: f64) -> Timestamp {
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(START + at))
}

fn reply(body: &Value, headers: &[(&str, String)]) -> Reply {
    let named =
        |(name, value): &(&str, String)| Some((HeaderName::try_from(*name).ok()?, value.parse().ok()?));
    let headers: HeaderMap = headers.iter().filter_map(named).collect();
    Reply::new(StatusCode::OK, headers, Bytes::from(body.to_string()))
}

fn plain(request: &Request, now: f64) -> Reply {
    match request.operation() {
        "get_me" => reply(&json!({"id": "u1", "username": "ada"}), &[]),
        _ => reply(&json!({"next_cursor": time(now)}), &[]),
    }
}

/// W7: the watch waits for the time that the service asks for with `Retry-After` and its limit headers.
pub(in crate::fire) fn pauses(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("pauses that the service asked for");
    for seed in 0..ground.scale.pick(20, 2_000) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (limited, held) = (seed % 2 == 0, 90.0);
        let asked_at = 30.0 + random.f64() * 100.0;
        let mut asked = None;
        let mut bench = Bench::new(Watch::new(), |request: &Request, now: f64| {
            if asked.is_some() || now < asked_at {
                return Ok(plain(request, now));
            }
            asked = Some(now);
            if limited {
                let slow = Error::build(ErrorKind::RateLimit, "slow").status(429);
                return Err(slow.retry_after(Duration::from_secs(90)).finish());
            }
            let reset = (START + now + held).ceil();
            let limit = [
                ("x-ratelimit-limit", "120".to_owned()),
                ("x-ratelimit-remaining", "0".to_owned()),
                ("x-ratelimit-reset", format!("{reset}")),
            ];
            Ok(reply(&json!({"next_cursor": time(now)}), &limit))
        });
        bench.until(1_000.0, &mut random);
        // The bell does not make it ask earlier.
        bench.machine.ring();
        let sent = std::mem::take(&mut bench.sent);
        let failures = bench.machine.health().failures;
        let Some(asked) = asked else { return Err("the service was never asked".into()) };
        let next = sent.iter().find(|at| **at > asked).copied();
        let is_good = next.is_some_and(|next| next - asked >= held) && failures == 0;
        tally.check(is_good, || format!("seed {seed}: asked for at {asked}, sent at {next:?}"));
    }
    Ok(tally)
}

/// W8: an hour of refused connections.
pub(in crate::fire) fn outage(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("outages of an hour");
    let (mut most, mut latest) = (0, 0.0_f64);
    for seed in 0..ground.scale.pick(20, 2_000) {
        let mut random = fastrand::Rng::with_seed(seed);
        let from = 30.0 + random.f64() * 100.0;
        let to = from + 3_600.0;
        let mut bench =
            Bench::new(Watch::new(), |request: &Request, now: f64| match from <= now && now < to {
                true => Err(Error::build(ErrorKind::Network, "refused").finish()),
                false => Ok(plain(request, now)),
            });
        let ended = bench.until(to + 1_000.0, &mut random);
        let during = bench.sent.iter().filter(|at| from <= **at && **at < to).count();
        let after = bench.sent.iter().find(|at| **at >= to).map_or(f64::MAX, |at| at - to);
        let told = matches!(bench.notices[..], [Notice::Outage(_), Notice::Recovered(_)]);
        (most, latest) = (most.max(during), latest.max(after));
        let is_good = during <= 25 && after <= 300.0 && told && ended.is_none();
        tally.check(is_good, || {
            format!("seed {seed}: {during} requests, the next round after {after} s, {:?}", bench.notices)
        });
    }
    tally.fact(format!("at most {most} requests in the hour, the next round at most {latest:.0} s after its end; 2 lines each"));
    Ok(tally)
}

/// W10: one row of 200 cannot be read.
pub(in crate::fire) fn bad_row(ground: &Ground) -> Outcome {
    let mut tally = Tally::of("rounds with a row that cannot be read");
    let values = [json!(7), json!(2.5)];
    for seed in 0..ground.scale.pick(10, 500) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rows: Vec<Value> = (0..200)
            .map(|n| {
                let at = time(20.0 + f64::from(n) / 100.0);
                json!({"id": format!("n{n}"), "notification_type": "mention", "message": "m", "created_at": at})
            })
            .collect();
        let bad = random.usize(..200);
        rows[bad]["actor"] = values[random.usize(..values.len())].clone();
        let expected = rows[bad].clone();
        // The newest first, as the service returns them.
        rows.reverse();
        let mut is_given = false;
        let mut bench = Bench::new(Watch::new(), |request: &Request, now: f64| {
            Ok(match request.operation() {
                "get_notifications" => {
                    let offset = request
                        .query_pairs()
                        .iter()
                        .find(|(name, _)| name == "offset")
                        .and_then(|pair| pair.1.parse().ok())
                        .unwrap_or(0);
                    reply(&rows.iter().skip(offset).take(100).cloned().collect::<Vec<_>>().into(), &[])
                }
                "get_since" if now > 25.0 && !std::mem::replace(&mut is_given, true) => {
                    reply(&json!({"next_cursor": time(now), "notifications": rows}), &[])
                }
                _ => plain(request, now),
            })
        });
        bench.until(120.0, &mut random);
        let unreadable: Vec<&Event> =
            bench.given.iter().filter(|event| matches!(event, Event::Unreadable(_))).collect();
        let is_raw = matches!(unreadable[..], [Event::Unreadable(row)] if row.raw == expected);
        tally.check(bench.given.len() == 200 && is_raw, || {
            format!("seed {seed}: {} events, {} unreadable", bench.given.len(), unreadable.len())
        });
    }
    Ok(tally)
}
