//! Simulated processes, each a client on its own thread.

use std::{
    future::Future,
    pin::Pin,
    thread,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use colony_async::{
    Client, Error, ErrorKind, RetryPolicy, api::account::GetMe, testing::Script, time::Timer,
};
use colony_core::{Reply, Request, Result};
use reqwest::{StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{
    disk::{DIRECTORY, SimDisk},
    rotation::{self, Counts},
    store::SimEngine,
    world::{Killed, Pid, Scene, Shared, World},
};

/// The result of one world.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Rules that were broken.
    pub broken: Vec<String>,
    /// Steps of all processes.
    pub steps: u64,
    /// A digest that differs for two different histories.
    pub history: u64,
    /// Logins that arrived, and those that were answered with a token.
    pub logins: (u64, u64),
    /// Processes that were killed, and how many of them held the lock.
    pub kills: (u64, u64),
    /// Processes that were stopped for a while, and how many of them held the lock.
    pub stops: (u64, u64),
    /// Good tokens that a process overwrote after it had been stopped with the lock: each costs a login.
    pub overwritten: u64,
    /// Calls to a store, failed calls, failovers, and stored tokens.
    pub store: (u64, u64, u64, u64),
    /// Whether the power failed.
    pub power_failed: bool,
    /// The events at the provider, if a rotation was simulated.
    pub provider: Counts,
    /// The result of each call of the surviving processes; the last is that of a process that started later.
    pub outcomes: Vec<Outcome>,
}

/// The result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Done,
    /// It failed with an error of this kind.
    Failed(ErrorKind),
}

/// How long after the others the last process starts, in seconds: any cool-down is over.
const LATER: f64 = 600.0;

/// Simulates a world to its end: the scene's processes start together, and one more starts when they are gone.
///
/// # Panics
///
/// When a client panics, or the simulation does not end.
pub fn run(scene: Scene) -> Report {
    let crowd = scene.processes;
    let (calls, pause) = (scene.calls, scene.pause);
    let end = pause * calls as f64 + LATER;
    let rotates = scene.rotation.is_some();
    let shared = Shared::new(World::new(scene, crowd + 1));
    let threads: Vec<_> = (0..=crowd)
        .map(|pid| {
            let shared = shared.clone();
            thread::spawn(move || {
                let comes_after = (pid == crowd).then_some(end);
                let outcomes = if rotates {
                    rotation::process(&shared, pid, comes_after)
                } else {
                    process(&shared, pid, if pid == crowd { 1 } else { calls }, comes_after, pause)
                };
                shared.leave(pid);
                outcomes
            })
        })
        .collect();
    shared.begin();
    let outcomes = threads.into_iter().flat_map(|thread| thread.join().expect("no client panics")).collect();
    let world = shared.world();
    Report {
        broken: world.broken.clone(),
        steps: world.steps,
        history: world.history,
        logins: (world.service.begun, world.service.answered),
        kills: world.kills,
        stops: world.stops,
        overwritten: world.overwritten,
        store: (world.store.calls, world.store.faults, world.store.failovers, world.store.saved),
        power_failed: world.power_failed,
        provider: world.provider.counts,
        outcomes,
    }
}

fn process(shared: &Shared, pid: Pid, calls: usize, comes_after: Option<f64>, pause: f64) -> Vec<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    shared.enter(pid);
    if comes_after.is_some_and(|seconds| shared.sleep(pid, seconds).is_err()) {
        return Vec::new();
    }
    let client = client(shared, pid);
    let mut outcomes = Vec::new();
    for _ in 0..calls {
        let outcome = runtime.block_on(client.execute(GetMe::default()));
        if shared.step(pid, "returns", |_| ()).is_err() {
            break;
        }
        outcomes.push(match outcome {
            Ok(_) => Outcome::Done,
            Err(error) => Outcome::Failed(error.kind()),
        });
        if pause > 0.0 && shared.sleep(pid, pause).is_err() {
            break;
        }
    }
    outcomes
}

fn client(shared: &Shared, pid: Pid) -> Client {
    let world = shared.clone();
    let script = Script::new().served_by(move |request, token| serve(&world, pid, request, token));
    let fleet = shared.world().scene.fleet.clone();
    let builder = match &fleet {
        None => Client::builder("col_planted_key_0123456789"),
        Some(_) => Client::builder("col_planted_key_0123456789")
            .token_store("redis://simulated?file=no")
            .token_store_engine(SimEngine { shared: shared.clone(), pid })
            // A second thread of the process would have to be scheduled.
            .refresh_ahead(false),
    };
    builder
        .base_url("http://127.0.0.1:9/api/v1")
        .auth_retry(RetryPolicy::none())
        .script(&script)
        .cache_token(true)
        .token_cache_dir(std::path::Path::new("/simulated").join(DIRECTORY))
        .disk(SimDisk { shared: shared.clone(), pid })
        .timer(SimTimer { shared: shared.clone(), pid, skew: fleet.map_or(0.0, |fleet| fleet.skew_of(pid)) })
        .build()
        .expect("a client")
}

struct SimTimer {
    shared: Shared,
    pid: Pid,
    skew: f64,
}

impl Timer for SimTimer {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(self.shared.world().now + self.skew)
    }

    fn random(&self) -> f64 {
        self.shared.world().random.f64()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (shared, pid) = (self.shared.clone(), self.pid);
        // The process has nothing else to do, so its thread can wait.
        Box::pin(async move {
            let _ = shared.sleep(pid, duration.as_secs_f64());
        })
    }
}

/// Answers a request as the service.
fn serve(shared: &Shared, pid: Pid, request: &Request, token: Option<&SecretString>) -> Result<Reply> {
    let served =
        if request.template() == "/auth/token" { log_in(shared, pid) } else { call(shared, pid, token) };
    served.map_err(|Killed| Error::build(ErrorKind::Network, "the process was killed").finish())
}

fn log_in(shared: &Shared, pid: Pid) -> Result<Reply, Killed> {
    shared.step(pid, "login sent", |world| {
        world.check_login(pid);
        world.service.begun += 1;
        let number = world.service.begun;
        world.service.in_flight.insert(pid, number);
    })?;
    shared.sleep(pid, 0.05)?;
    let answer = shared.step(pid, "login answered", |world| {
        let number = world.service.in_flight.get(&pid).copied().unwrap_or_default();
        if number <= world.scene.refused && pid < world.scene.processes {
            let mut refused = reply(429, &json!({"detail": {"code": "RATE_LIMIT", "message": "wait"}}));
            let mut headers = (*refused.headers).clone();
            headers.insert("retry-after", "30".parse().expect("a value"));
            refused.headers = headers.into();
            return refused;
        }
        world.service.answered += 1;
        let token = issue(world.now, number);
        world.service.good.insert(token.clone());
        world.logged_in.insert(pid, token.clone());
        reply(200, &json!({"access_token": token}))
    })?;
    shared.step(pid, "login received", |world| world.service.in_flight.remove(&pid))?;
    Ok(answer)
}

fn call(shared: &Shared, pid: Pid, token: Option<&SecretString>) -> Result<Reply, Killed> {
    shared.step(pid, "call", |world| {
        let good = token.is_some_and(|token| world.service.good.contains(token.expose_secret()));
        let (status, body) = if good { (200, json!({"username": "ada"})) } else { (401, json!({})) };
        reply(status, &body)
    })
}

fn issue(now: f64, number: u64) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"sub": "ada", "iat": now, "exp": now + 86_400.0, "jti": number});
    format!("{}.{}.signature", part(&json!({"alg": "HS256"})), part(&claims))
}

fn reply(status: u16, body: &Value) -> Reply {
    let status = StatusCode::from_u16(status).expect("a status");
    Reply::new(status, HeaderMap::new(), Bytes::from(body.to_string()))
}
