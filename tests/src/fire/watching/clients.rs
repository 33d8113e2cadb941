//! W15: both clients behave in the same way, in random sessions.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use colony_async::testing::Script;
use colony_core::{
    Error, Reply, Request, Result, Timestamp,
    events::{EventKind, Watch},
};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::{
    fire::{Ground, Outcome, Tally},
    played::Played,
    timer::TestTimer,
};

const START: f64 = 1_800_000_000.0;

/// The requests, and the events.
type Told = (Vec<String>, Vec<String>);

struct Service {
    random: fastrand::Rng,
    now: f64,
    asked: Vec<String>,
    made: usize,
}

impl Service {
    fn answer(&mut self, request: &Request) -> Result<Reply> {
        self.now += 7.0;
        self.asked.push(request.describe()?.to_string());
        let time = |at: f64| Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(at));
        let (status, body) = match (request.operation(), self.random.u32(0..10)) {
            _ if self.asked.len() > 25 => {
                (403, json!({"detail": {"code": "FORBIDDEN", "message": "enough"}}))
            }
            (_, 0) => (503, json!({})),
            (_, 1) => (200, Value::Null),
            ("get_me", _) => (200, json!({"id": "u1", "username": "ada"})),
            _ => {
                let rows: Vec<Value> = (0..self.random.usize(0..4))
                    .map(|n| {
                        self.made += 1;
                        let author = if self.random.bool() { "u1" } else { "u2" };
                        json!({"id": format!("p{}", self.made), "title": "t", "author": {"id": author}, "created_at": time(self.now + n as f64)})
                    })
                    .collect();
                (200, json!({"next_cursor": time(self.now), "posts": rows, "messages": [7]}))
            }
        };
        let body = Bytes::from(body.to_string());
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().expect("a value"));
        Ok(Reply::new(StatusCode::from_u16(status).expect("a status"), headers, body))
    }
}

fn script(seed: u64) -> (Script, Arc<Mutex<Service>>) {
    let service = Service { random: fastrand::Rng::with_seed(seed), now: START, asked: Vec::new(), made: 0 };
    let (service, played) = (Arc::new(Mutex::new(service)), Played::default());
    let shared = Arc::clone(&service);
    let script = Script::new().served_by(move |request, token| match request.template() {
        "/auth/token" => played.answer(request, token, START),
        _ => shared.lock().expect("the service").answer(request),
    });
    (script, service)
}

fn watch(seed: u64) -> Watch {
    let kinds = if seed.is_multiple_of(3) { vec![EventKind::Post] } else { EventKind::ALL.to_vec() };
    Watch::new().kinds(kinds).own(seed.is_multiple_of(2)).most_undone(1000)
}

fn ended(error: &Error) -> String {
    format!("{:?} {error}", error.kind())
}

async fn session_async(seed: u64) -> Told {
    let (script, service) = script(seed);
    let client = colony_async::Client::builder("col_test").cache_token(false);
    let client = client.script(&script).timer(TestTimer::at(START)).build().expect("a client");
    let (mut events, mut given) = (client.events().watch(watch(seed)), Vec::new());
    loop {
        match events.try_next().await {
            Ok(Some(received)) => {
                given.push(received.id().to_string());
                received.done();
            }
            Ok(None) => panic!("nobody stopped it"),
            Err(error) => {
                given.push(ended(&error));
                break;
            }
        }
    }
    let asked = service.lock().expect("the service").asked.clone();
    (asked, given)
}

fn session_blocking(seed: u64) -> Told {
    let (script, service) = script(seed);
    let client = colony_blocking::Client::builder("col_test").cache_token(false);
    let client = client.script(&script).timer(TestTimer::at(START)).build().expect("a client");
    let mut given = Vec::new();
    for received in client.events().watch(watch(seed)) {
        match received {
            Ok(received) => {
                given.push(received.id().to_string());
                received.done();
            }
            Err(error) => given.push(ended(&error)),
        }
    }
    let asked = service.lock().expect("the service").asked.clone();
    (asked, given)
}

/// Runs row W15.
pub(in crate::fire) fn run(ground: &Ground) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut tally = Tally::of("sessions, on each client");
    let (mut asked, mut given) = (0, 0);
    for seed in 0..ground.scale.pick(20, 500) {
        let (one, other) = (runtime.block_on(session_async(seed)), session_blocking(seed));
        let is_end = one.1.last().is_some_and(|last| last.starts_with("Auth"));
        asked += one.0.len() as u64;
        given += one.1.len() as u64 - 1;
        tally.check(one == other && is_end, || format!("seed {seed}: {one:?}\n{other:?}"));
    }
    tally.fault("requests, the same on both", asked, 100);
    tally.fault("events, the same on both", given, 80);
    Ok(tally)
}
