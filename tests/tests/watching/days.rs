//! Days of watches that share one account, on a clock that takes no time.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use colony_core::{
    Error, ErrorKind, Reply, Request, Timestamp,
    events::{Machine, Moment, Step, Watch},
};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::json;

const START: f64 = 1_800_000_000.0;
const DAY: f64 = 86_400.0;
const LIMIT: usize = 120;

/// The service, as far as its limit goes: so many requests in a minute.
#[derive(Default)]
struct Service {
    window: VecDeque<f64>,
    requests: usize,
    refused: usize,
    /// When something happens.
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
                reqwest::header::HeaderName::try_from(format!("x-ratelimit-{name}")).unwrap(),
                value.into(),
            );
        }
        Ok(Reply::new(StatusCode::OK, headers, Bytes::from(body.to_string())))
    }
}

/// Runs watches over a day; how long after its time each event was given to the last of them, at most.
fn day(service: &mut Service, watches: usize, interval: std::ops::RangeInclusive<Duration>) -> f64 {
    let mut machines: Vec<(f64, Machine)> = (0..watches)
        .map(|n| (START + n as f64, Machine::new(Watch::new().interval(interval.clone()))))
        .collect();
    let (mut random, mut latest) = (fastrand::Rng::with_seed(1), 0.0_f64);
    loop {
        let at = (0..watches).min_by(|a, b| machines[*a].0.total_cmp(&machines[*b].0)).unwrap();
        let (due, machine) = &mut machines[at];
        if *due > START + DAY {
            return latest;
        }
        let now = Moment::new(Duration::from_secs_f64(*due - START), *due);
        match machine.next(now, random.f64()) {
            Step::Send(request) => match service.answer(&request, *due) {
                Ok(reply) => machine.took(&reply, now),
                Err(error) => machine.failed(error, now),
            },
            Step::Wait(wait) => *due += wait.as_secs_f64().max(0.001),
            Step::Give(given) => {
                let happened = given.event.at().and_then(Timestamp::unix_seconds).unwrap() as f64;
                latest = latest.max(*due - happened);
                machine.done(&given.event.id());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn w6_idle_watches_ask_once_a_minute_and_are_never_refused() {
    let mut service = Service::default();
    day(&mut service, 5, Duration::from_secs(10)..=Duration::from_secs(60));
    let each = service.requests as f64 / 5.0 / (DAY / 60.0);
    assert!(each <= 1.1, "{each} requests a minute");
    assert_eq!(service.refused, 0);
}

#[test]
fn w6_what_happens_is_heard_soon() {
    let mut service =
        Service { events: (1..200).map(|n| START + f64::from(n) * 400.0).collect(), ..Service::default() };
    let latest = day(&mut service, 5, Duration::from_secs(10)..=Duration::from_secs(60));
    assert!(latest <= 67.0, "{latest} s");
    assert_eq!(service.refused, 0);
}
