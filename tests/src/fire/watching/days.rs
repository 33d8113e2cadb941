//! Days of watches that share one account, on a clock that takes no time.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use colony_core::{
    Error, ErrorKind, Reply, Request, Timestamp,
    events::{Machine, Moment, Step, Watch},
};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::json;

use crate::fire::{Ground, Outcome, Tally};

const START: f64 = 1_800_000_000.0;
const DAY: f64 = 86_400.0;
const LIMIT: usize = 120;
const WATCHES: usize = 5;

/// The service's limit: a number of requests in a minute.
#[derive(Default)]
struct Service {
    window: VecDeque<f64>,
    requests: usize,
    refused: usize,
    /// The times of the events.
    events: Vec<f64>,
}

impl Service {
    fn answer(&mut self, request: &Request, now: f64) -> Result<Reply, Error> {
        self.requests += 1;
        while self.window.front().is_some_and(|first| now - first >= 60.0) {
            self.window.pop_front();
        }
        if self.window.len() >= LIMIT {
            self.refused += 1;
            return Err(Error::build(ErrorKind::RateLimit, "slow")
                .retry_after(Duration::from_secs(60))
                .finish());
        }
        self.window.push_back(now);
        let time = |at: f64| Timestamp::from(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs_f64(at));
        let asked = request.describe().expect("a request");
        let asked =
            asked["query"].as_array().and_then(|query| query.iter().find(|pair| pair[0] == "since").cloned());
        let since = asked.and_then(|pair| Timestamp::from(pair[1].as_str()?).unix_seconds());
        let since = since.map_or(now, |since| since as f64);
        let posts: Vec<_> = self.events.iter().filter(|at| **at <= now && **at > since).map(|at| {
            json!({"id": format!("p{at}"), "title": "t", "created_at": time(*at), "author": {"id": "u2", "username": "bob"}})
        }).collect();
        let body = match request.operation() {
            "get_me" => json!({"id": "u1", "username": "ada"}),
            _ => json!({"next_cursor": time(now), "posts": posts}),
        };
        let mut headers = HeaderMap::new();
        let reset = self.window.front().map_or(now, |first| first + 60.0);
        for (name, value) in
            [("limit", LIMIT), ("remaining", LIMIT - self.window.len()), ("reset", reset as usize + 1)]
        {
            headers.insert(
                reqwest::header::HeaderName::try_from(format!("x-ratelimit-{name}")).expect("it is one"),
                value.into(),
            );
        }
        Ok(Reply::new(StatusCode::OK, headers, Bytes::from(body.to_string())))
    }
}

/// Runs watches over a day. Returns the longest delay of an event, and the longest time from an event to the next
/// request.
fn day(service: &mut Service, watches: usize, interval: std::ops::RangeInclusive<Duration>) -> (f64, f64) {
    let mut machines: Vec<(f64, Machine)> = (0..watches)
        .map(|n| (START + n as f64, Machine::new(Watch::new().interval(interval.clone()))))
        .collect();
    let (mut random, mut latest, mut after) = (fastrand::Rng::with_seed(1), 0.0_f64, 0.0_f64);
    let mut given_at = vec![None::<f64>; watches];
    loop {
        let at = (0..watches).min_by(|a, b| machines[*a].0.total_cmp(&machines[*b].0)).expect("it is one");
        let (due, machine) = &mut machines[at];
        if *due > START + DAY {
            return (latest, after);
        }
        let now = Moment::new(Duration::from_secs_f64(*due - START), *due);
        match machine.next(now, random.f64()) {
            Step::Send(request) => {
                after = after.max(given_at[at].take().map_or(0.0, |given| *due - given));
                match service.answer(&request, *due) {
                    Ok(reply) => machine.took(&reply, now),
                    Err(error) => machine.failed(error, now),
                }
            }
            Step::Wait(wait) => *due += wait.as_secs_f64().max(0.001),
            Step::Give(given) => {
                let happened = given.event.at().and_then(Timestamp::unix_seconds).expect("it is one") as f64;
                latest = latest.max(*due - happened);
                given_at[at] = Some(*due);
                machine.done(&given.event.id());
            }
            other => panic!("{other:?}"),
        }
    }
}

/// W6: five watches on one account, with and without events.
pub(in crate::fire) fn run(_: &Ground) -> Outcome {
    let bounds = Duration::from_secs(10)..=Duration::from_secs(60);
    let mut tally = Tally::of("requests in two simulated days");
    let mut idle = Service::default();
    day(&mut idle, WATCHES, bounds.clone());
    let each = idle.requests as f64 / WATCHES as f64 / (DAY / 60.0);
    tally.hold(each <= 1.1, || format!("{each} requests a minute"));
    // An event every 400 s, every second one followed by another within the shortest wait.
    let events =
        (1..200).flat_map(|n| [START + f64::from(n) * 400.0, START + f64::from(n) * 400.0 + 75.0]).collect();
    let mut busy = Service { events, ..Service::default() };
    let (latest, after_an_event) = day(&mut busy, WATCHES, bounds);
    tally.hold(latest <= 67.0, || format!("an event was heard after {latest} s"));
    tally.hold(after_an_event <= 11.01, || format!("the round after an event came {after_an_event} s later"));
    tally.tries((idle.requests + busy.requests) as u64);
    tally.losses((idle.refused + busy.refused) as u64, || "requests were refused with 429".to_owned());
    tally.fault("events", busy.events.len() as u64, 300);
    tally.fact(format!(
        "{WATCHES} watches; idle {each:.2} requests a minute each; an event heard after {latest:.0} s at most, the round after one \
         {after_an_event:.1} s later at most; 0 of 429"
    ));
    Ok(tally)
}
