//! The rotation of a credential, simulated: the store and the token source that programs run, over the simulated disk
//! and clock, and a provider that can act late, lose its answers, or have a gateway answer in its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    time::{Duration, SystemTime},
};

use colony_async::{
    Error, ErrorKind,
    credential::{
        Answered, Credential, CredentialId, CredentialStore, Failed, RotatingCredential, Unclear, Wire,
    },
    time::{Timer, Uptime},
};
use colony_core::{Result, credential::grant::TokenRequest};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{
    Chooser, Sabotage, Scene,
    disk::{DIRECTORY, SimDisk},
    world::{Pid, Shared, World},
};

const ISSUER: &str = "http://127.0.0.1:9";
const TOKEN_ENDPOINT: &str = "http://127.0.0.1:9/token";
/// How long an access token lives, in seconds.
const LIFE: f64 = 900.0;
/// The limit of a request, in seconds.
const LIMIT: f64 = 30.0;
/// How long a token with an unknown outcome is not presented, in seconds.
const SETTLE: f64 = 300.0;
/// A request is under way for no longer than this: less than `settle`, more than the limit.
const LONGEST_UNDER_WAY: f64 = 290.0;

/// The settings of a simulated rotation.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// Whether a token of unknown outcome is never presented again.
    pub refuse: bool,
    /// How many of a hundred requests go wrong.
    pub trouble: u8,
}

/// The provider, and the state of each refresh token.
#[derive(Debug, Default)]
pub(super) struct Provider {
    grants: Vec<Grant>,
    under_way: Vec<Request>,
    next: u64,
    /// A spent token was presented again, so the family is revoked.
    is_revoked: bool,
    /// Every presentation, by the token's number: when it was sent, and whether its outcome is known.
    presented: BTreeMap<usize, Vec<(f64, bool)>>,
    pub(super) counts: Counts,
}

/// The events that happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that arrived.
    pub requests: u64,
    /// Requests acted on.
    pub granted: u64,
    /// Acted on after the client had given up or had ended.
    pub late: u64,
    /// Answers that a gateway gave in the provider's place.
    pub by_gateway: u64,
    /// Requests under way whose process was killed.
    pub killed: u64,
    /// Tokens presented again, after an unknown outcome of the first time.
    pub again: u64,
    /// Spent tokens among them.
    pub replays: u64,
}

/// An issued refresh token; its number is its index.
#[derive(Debug, Default)]
struct Grant {
    is_spent: bool,
    /// The write that put it into the file has returned.
    is_stored: bool,
    /// The process that got the answer with it.
    delivered_to: Option<Pid>,
}

#[derive(Debug)]
struct Request {
    number: u64,
    token: usize,
    acts_at: f64,
    /// If not, the request is lost before the provider.
    arrives: bool,
    /// Whether the client still waits.
    is_awaited: bool,
    done: Option<Done>,
}

#[derive(Debug, Clone, Copy)]
enum Done {
    Granted(usize),
    Refused,
    Nothing,
}

impl Provider {
    /// Returns a provider with one family, whose first token is in the store.
    pub(super) fn new() -> Self {
        Self { grants: vec![Grant { is_stored: true, ..Grant::default() }], ..Self::default() }
    }

    /// Lets the provider act on due requests.
    pub(super) fn advance(&mut self, now: f64) {
        for at in 0..self.under_way.len() {
            let request = &self.under_way[at];
            if request.acts_at > now || request.done.is_some() {
                continue;
            }
            let (token, arrives, is_awaited) = (request.token, request.arrives, request.is_awaited);
            let done = if !arrives {
                Done::Nothing
            } else if self.is_revoked || self.grants[token].is_spent {
                self.is_revoked = true;
                Done::Refused
            } else {
                self.counts.granted += 1;
                self.counts.late += u64::from(!is_awaited);
                self.grants[token].is_spent = true;
                self.grants.push(Grant::default());
                Done::Granted(self.grants.len() - 1)
            };
            self.under_way[at].done = Some(done);
        }
        // A request that no client waits for is over.
        self.under_way.retain(|request| request.is_awaited || request.done.is_none());
    }

    fn give_up(&mut self, number: u64) {
        if let Some(request) = self.under_way.iter_mut().find(|request| request.number == number) {
            request.is_awaited = false;
        }
    }

    /// Records that the processes of these requests have ended.
    pub(super) fn kill(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.give_up(*number);
        }
        self.counts.killed += numbers.len() as u64;
    }

    /// Records that a write of the file has returned, so its content is stored.
    pub(super) fn stored(&mut self, content: &[u8]) {
        if let Some(token) = token_in(content) {
            self.grants[token].is_stored = true;
        }
    }

    /// Returns whether the file holds the currently valid token.
    pub(super) fn holds_the_living_token(&self, content: &[u8]) -> bool {
        !self.is_revoked && token_in(content).is_some_and(|token| !self.grants[token].is_spent)
    }

    /// Returns whether the answer to some request never reached the store: then the loss of the login was
    /// unavoidable.
    fn has_lost_an_answer(&self) -> bool {
        self.grants.iter().any(|grant| !grant.is_stored)
    }

    fn has_unknown_outcomes(&self) -> bool {
        self.presented.values().flatten().any(|(_, is_known)| !is_known)
    }
}

/// Returns the number of the refresh token in a credential's file.
fn token_in(content: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(content).ok()?;
    let (_, rest) = text.split_once("\"rt-")?;
    rest.split_once('"')?.0.parse().ok()
}

impl World {
    /// Checks the rules of presenting a token, at the moment it is sent.
    fn check_presentation(&mut self, pid: Pid, token: usize) {
        let now = self.now;
        if self.provider.under_way.iter().any(|request| request.token == token && request.done.is_none()) {
            self.breaks(format!("{pid} presents rt-{token} while an earlier request is under way"));
        }
        let earlier = self.provider.presented.get(&token).cloned().unwrap_or_default();
        let refuse = self.scene.rotation.is_some_and(|rotation| rotation.refuse);
        if let Some((sent, _)) = earlier.iter().rfind(|(_, is_known)| !is_known) {
            self.provider.counts.again += 1;
            if refuse {
                self.breaks(format!("{pid} presents rt-{token} again, which is never to be done"));
            }
            // The SDK reads its clock a moment before it sends the request.
            if now - sent < SETTLE - 1.0 {
                self.breaks(format!("{pid} presents rt-{token} again after {} s", now - sent));
            }
        }
        if self.provider.grants[token].is_spent {
            self.provider.counts.replays += 1;
            let next = self.provider.grants.get(token + 1);
            let holder = next.and_then(|next| next.delivered_to).filter(|holder| self.is_alive(*holder));
            if self.provider.grants[token + 1].is_stored || holder.is_some() {
                self.breaks(format!(
                    "{pid} presents the spent rt-{token}, and somebody holds what came after it"
                ));
            }
        }
        self.provider.presented.entry(token).or_default().push((now, false));
    }
}

/// The result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Token,
    Failed(ErrorKind),
}

/// Runs a process of the crowd, or the last one, which starts when the others have ended.
pub(super) fn process(shared: &Shared, pid: Pid, comes_after: Option<f64>) -> Vec<super::Outcome> {
    let (scene, boot) = {
        let world = shared.world();
        (world.scene.clone(), world.boot)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    shared.enter(pid);
    if comes_after.is_some_and(|seconds| shared.sleep(pid, seconds).is_err()) {
        return Vec::new();
    }
    // The last process can start after a restart of the machine, and sees the right time.
    let boot = if comes_after.is_some() { shared.world().boot } else { boot };
    let wrong = match comes_after {
        None => [0.0, 0.0, 600.0, -600.0][shared.world().random.usize(..4)],
        Some(_) => 0.0,
    };
    let credential = source(shared, pid, boot, wrong, &scene);
    let mut outcomes = Vec::new();
    let calls = if comes_after.is_some() { 40 } else { scene.calls };
    for call in 0..calls {
        let asked = comes_after.is_none() && shared.world().random.u8(..4) == 0;
        let ended = runtime.block_on(async {
            let outcome =
                if asked { credential.rotate().await.map(drop) } else { credential.token().await.map(drop) };
            match outcome {
                Ok(()) => (Ended::Token, 0.0),
                Err(error) => {
                    (Ended::Failed(error.kind()), error.retry_after().map_or(5.0, |wait| wait.as_secs_f64()))
                }
            }
        });
        if shared.step(pid, "returns", |_| ()).is_err() {
            return outcomes;
        }
        let (ended, wait) = ended;
        if comes_after.is_none() {
            outcomes.push(match ended {
                Ended::Token => super::Outcome::Done,
                Ended::Failed(kind) => super::Outcome::Failed(kind),
            });
            if shared.sleep(pid, scene.pause).is_err() {
                return outcomes;
            }
            continue;
        }
        // No person is involved: a process that must wait waits.
        match ended {
            Ended::Token => return vec![super::Outcome::Done],
            Ended::Failed(ErrorKind::ReauthRequired) => {
                shared.check_the_end();
                return vec![super::Outcome::Failed(ErrorKind::ReauthRequired)];
            }
            Ended::Failed(kind) if call + 1 == calls => return vec![super::Outcome::Failed(kind)],
            Ended::Failed(_) => {
                if shared.sleep(pid, wait + 1.0).is_err() {
                    return outcomes;
                }
            }
        }
    }
    outcomes
}

impl Shared {
    /// Checks that a person has to log in only if an answer was lost.
    fn check_the_end(&self) {
        let mut world = self.world();
        let refuse = world.scene.rotation.is_some_and(|rotation| rotation.refuse);
        // A process that ended between its note and its request also leaves a note.
        let left_a_note = world.kills.1 > 0 || world.power_failed;
        let unknown = refuse && (left_a_note || world.provider.has_unknown_outcomes());
        if !world.provider.has_lost_an_answer() && !unknown {
            world.breaks("a person has to log in, and no answer was lost".to_owned());
        }
    }
}

fn source(shared: &Shared, pid: Pid, boot: u64, wrong: f64, scene: &Scene) -> RotatingCredential {
    let rotation = scene.rotation.expect("a rotation is played");
    let directory = std::path::Path::new("/simulated").join(DIRECTORY);
    let store = CredentialStore::in_directory(directory, CredentialId::new(ISSUER, "app"))
        .machine(None)
        .disk(SimDisk { shared: shared.clone(), pid })
        .timer(SimTimer { shared: shared.clone(), pid, boot, wrong });
    RotatingCredential::builder(store)
        .timeout(Duration::from_secs_f64(LIMIT))
        .settle(Duration::from_secs_f64(SETTLE))
        .unclear(if rotation.refuse { Unclear::Refuse } else { Unclear::Retry })
        .wire(SimWire { shared: shared.clone(), pid })
        .build()
}

/// Returns the store's initial content: a login whose access token has expired.
pub(super) fn first_content(now: f64) -> Vec<u8> {
    let reply = json!({"access_token": "at-0", "refresh_token": "rt-0", "expires_in": LIFE});
    let id = CredentialId::new(ISSUER, "app");
    let credential =
        Credential::from_reply(id, TOKEN_ENDPOINT, reply.to_string().as_bytes(), now - 10.0 * LIFE);
    let stored = colony_core::credential::document::Stored::new(credential.expect("a login"));
    stored.write().expect("it can be read again")
}

/// Returns the name of the credential's file.
pub(super) fn file_name() -> String {
    format!("{}.json", colony_core::credential::place::stem(&CredentialId::new(ISSUER, "app")))
}

struct SimTimer {
    shared: Shared,
    pid: Pid,
    boot: u64,
    /// By how much this process's wall clock is wrong.
    wrong: f64,
}

impl Timer for SimTimer {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(self.shared.world().now + self.wrong)
    }

    fn random(&self) -> f64 {
        self.shared.world().random.f64()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (shared, pid) = (self.shared.clone(), self.pid);
        Box::pin(async move {
            let _ = shared.sleep(pid, duration.as_secs_f64());
        })
    }

    fn uptime(&self) -> Uptime {
        let world = self.shared.world();
        let runs_fast = world.scene.sabotage == Some(Sabotage::ClockRunsFast);
        let passed = world.now - world.booted_at;
        Uptime::new(format!("boot {}", self.boot), if runs_fast { passed * 20.0 } else { passed })
    }
}

struct SimWire {
    shared: Shared,
    pid: Pid,
}

/// A fault between the client and the provider.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    None,
    NoConnection,
    /// The provider takes this many seconds.
    Late(f64),
    /// The request is lost on the way.
    Lost,
    /// A gateway answers in the provider's place, whether or not the provider has acted.
    Gateway {
        status: u16,
        acted: bool,
    },
    /// The provider itself declines, and does not act.
    Declined,
}

impl SimWire {
    fn trouble(&self, world: &mut World) -> Trouble {
        let rotation = world.scene.rotation.expect("a rotation is played");
        let random = &mut world.random;
        if self.pid == world.scene.processes || random.u8(..100) >= rotation.trouble {
            return Trouble::None;
        }
        match random.u8(..6) {
            0 => Trouble::NoConnection,
            1 | 2 => Trouble::Late(random.f64() * LONGEST_UNDER_WAY),
            3 => Trouble::Lost,
            4 => {
                let status = [403, 404, 408, 429, 500, 502, 503, 504, 200][random.usize(..9)];
                Trouble::Gateway { status, acted: random.bool() }
            }
            _ => Trouble::Declined,
        }
    }
}

impl Wire for SimWire {
    fn send(&self, request: &TokenRequest, limit: Duration) -> Result<Answered, Failed> {
        let (shared, pid) = (&self.shared, self.pid);
        let killed =
            |_| Failed::MaybeLeft(Error::build(ErrorKind::Network, "the process was killed").finish());
        let token = token_sent(request.body.expose_secret()).expect("a refresh token");
        let (number, trouble) = shared
            .step(pid, "token sent", |world| {
                let trouble = self.trouble(world);
                let provider = &mut world.provider;
                provider.next += 1;
                let number = provider.next;
                if trouble == Trouble::NoConnection {
                    return (number, trouble);
                }
                provider.counts.requests += 1;
                world.check_presentation(pid, token);
                let takes = match trouble {
                    Trouble::Late(seconds) => seconds,
                    _ => 0.05,
                };
                let arrives = match trouble {
                    Trouble::Lost | Trouble::Declined => false,
                    Trouble::Gateway { acted, .. } => acted,
                    _ => true,
                };
                let acts_at = world.now + takes;
                world.provider.under_way.push(Request {
                    number,
                    token,
                    acts_at,
                    arrives,
                    is_awaited: true,
                    done: None,
                });
                world.asking.insert(pid, number);
                (number, trouble)
            })
            .map_err(killed)?;
        if trouble == Trouble::NoConnection {
            let error = Error::build(ErrorKind::Network, "no connection").finish();
            return Err(Failed::NeverLeft(error));
        }
        let limit = limit.as_secs_f64();
        let wait = match trouble {
            Trouble::Late(seconds) => seconds.min(limit),
            Trouble::Lost => limit,
            _ => 0.05,
        };
        shared.sleep(pid, wait + 0.01).map_err(killed)?;
        let answer = shared.step(pid, "token answered", |world| {
            world.asking.remove(&pid);
            let provider = &mut world.provider;
            let at = provider.under_way.iter().position(|request| request.number == number);
            let done = at.and_then(|at| provider.under_way[at].done);
            provider.give_up(number);
            let known = |provider: &mut Provider| {
                if let Some(last) = provider.presented.get_mut(&token).and_then(|all| all.last_mut()) {
                    last.1 = true;
                }
            };
            match (trouble, done) {
                (Trouble::Gateway { status, .. }, _) => {
                    provider.counts.by_gateway += 1;
                    Some((status, "<html>".to_owned()))
                }
                (Trouble::Declined, _) => {
                    known(provider);
                    Some((400, json!({"error": "slow_down"}).to_string()))
                }
                (_, Some(Done::Granted(next))) => {
                    known(provider);
                    provider.grants[next].delivered_to = Some(pid);
                    let reply = json!({
                        "access_token": format!("at-{next}"), "refresh_token": format!("rt-{next}"), "expires_in": LIFE,
                    });
                    Some((200, reply.to_string()))
                }
                (_, Some(Done::Refused)) => {
                    known(provider);
                    Some((400, json!({"error": "invalid_grant"}).to_string()))
                }
                _ => None,
            }
        });
        match answer.map_err(killed)? {
            Some((status, body)) => Ok(Answered { status, retry_after: None, body: body.into_bytes() }),
            None => Err(Failed::MaybeLeft(Error::build(ErrorKind::Network, "no answer in time").finish())),
        }
    }
}

fn token_sent(body: &str) -> Option<usize> {
    body.split('&').find_map(|pair| pair.strip_prefix("refresh_token=rt-"))?.parse().ok()
}

/// The results of many worlds.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Simulated worlds.
    pub worlds: u64,
    /// The events at the provider.
    pub counts: Counts,
    /// Processes that were killed, and how many of them held the lock.
    pub kills: (u64, u64),
    /// Processes that were stopped for a while, and how many of them held the lock.
    pub stops: (u64, u64),
    /// Worlds in which the power failed.
    pub power_cuts: u64,
    /// Worlds that ended with a valid login, without a person.
    pub alive: u64,
    /// Worlds that ended with a person having to log in, because an answer had been lost.
    pub reauth: u64,
    /// Worlds whose history differed from all others.
    pub different: u64,
    /// Failures, each with the scene that shows it.
    pub lost: Vec<String>,
}

/// Simulates the rotations of these seeds, and adds up their results.
pub fn play(seeds: impl IntoIterator<Item = u64>) -> Summary {
    let (mut summary, mut seen) = (Summary::default(), BTreeSet::new());
    for seed in seeds {
        let scene = Scene::rotating(seed);
        let report = super::run(scene.clone());
        summary.worlds += 1;
        summary.different += u64::from(seen.insert(report.history));
        summary.kills.0 += report.kills.0;
        summary.kills.1 += report.kills.1;
        summary.stops.0 += report.stops.0;
        summary.stops.1 += report.stops.1;
        summary.power_cuts += u64::from(report.power_failed);
        let (all, one) = (&mut summary.counts, report.provider);
        all.requests += one.requests;
        all.granted += one.granted;
        all.late += one.late;
        all.by_gateway += one.by_gateway;
        all.killed += one.killed;
        all.again += one.again;
        all.replays += one.replays;
        let mut lost = report.broken.clone();
        for outcome in &report.outcomes {
            if let super::Outcome::Failed(kind) = outcome
                && !is_expected(*kind)
            {
                lost.push(format!("a call failed: {kind:?}"));
            }
        }
        match report.outcomes.last() {
            Some(super::Outcome::Done) => summary.alive += 1,
            // The reason is checked when it happens.
            Some(super::Outcome::Failed(ErrorKind::ReauthRequired)) => summary.reauth += 1,
            other => lost.push(format!("the last to come got no token: {other:?}")),
        }
        summary.lost.extend(lost.into_iter().map(|what| format!("{what}, in {scene:?}")));
    }
    summary
}

/// Returns whether the faults explain this error: no connection, a gateway, a provider that declines, a lock, an
/// unknown outcome, a lost login.
fn is_expected(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Network | ErrorKind::Validation | ErrorKind::CredentialBusy | ErrorKind::ReauthRequired
    )
}

impl Scene {
    /// Returns a random rotation from this seed: a few processes that share a credential, kills, stops, power cuts,
    /// and faults at the provider, in any number and at any moment.
    pub fn rotating(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x7e57);
        let (processes, calls) = (random.usize(2..=4), random.usize(1..=3));
        // About the number of steps of a refresh.
        let end = 60 * processes as u64;
        let mut some = |most: usize| -> BTreeSet<u64> {
            let count = random.usize(..=most);
            (0..count).map(|_| random.u64(1..end)).collect()
        };
        let (kills, stops) = (some(2), some(1));
        Self {
            calls,
            // At once; while the access token lives; when it has ended; when an unknown outcome has settled.
            pause: [0.0, 100.0, 950.0, 2_000.0][random.usize(..4)],
            kills,
            stops: if random.bool() { stops } else { BTreeSet::new() },
            power_cut: (random.u8(..4) == 0).then(|| random.u64(1..end)),
            rotation: Some(Rotation {
                refuse: random.u8(..4) == 0,
                trouble: [0, 30, 60, 90][random.usize(..4)],
            }),
            ..Self::quiet(processes, Chooser::Random(seed))
        }
    }
}
